"""Small files in TOML that people write: read with the line of every mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_HEADER = re.compile(r"\s*\[\[\s*([A-Za-z_-]+)\s*\]\]\s*(?:#.*)?")


class TableError(ValueError):
    """A file is not as it must be; the text says where and why."""


class Table(NamedTuple):
    """One `[[name]]` and the members below it.

    Attributes:
        name: of the table.
        values: the members.
        file: the file's name.
        line: of the header, from 1.
    """

    name: str
    values: Mapping[str, Any]
    file: str
    line: int

    def wrong(self, text: str) -> TableError:
        """Return the error that says what is wrong with this table."""
        return TableError(f"{self.file}, line {self.line}: {text}")

    def check(self, required: set[str], optional: set[str]) -> None:
        """Raise TableError where a member is missing or unknown."""
        if missing := sorted(required - self.values.keys()):
            raise self.wrong(f"[[{self.name}]] lacks {_quoted(missing)}")
        if unknown := sorted(self.values.keys() - required - optional):
            known = _quoted(sorted(required | optional))
            raise self.wrong(f"[[{self.name}]] has {_quoted(unknown)}, where only {known} may be")

    def text(self, name: str, *, empty: bool = True) -> str:
        """Return a member that is a string."""
        value = self.values[name]
        if not isinstance(value, str) or not (empty or value.strip()):
            wanted = "a string" if empty else "a string that is not empty"
            raise self.wrong(f"{name!r} must be {wanted}")
        return value

    def flag(self, name: str) -> bool | None:
        """Return a member that is true or false; None where it is not there."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(f"{name!r} must be true or false")
        return value


def read_tables(path: Path, names: Sequence[str]) -> list[Table]:
    """Return the `[[...]]` tables of a file, in their order.

    Raises:
        TableError: where it is no TOML, or has anything but tables of these names.
        OSError: where it cannot be read.
    """
    import tomllib

    file = str(path)
    try:
        text = path.read_text("utf-8")
        content = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TableError(f"{file}: not UTF-8, at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"{file}: {error}") from None
    lines: dict[str, list[int]] = {}
    for number, row in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(row):
            lines.setdefault(header[1], []).append(number)
    tables = []
    known = " and ".join(f"[[{name}]]" for name in names)
    for name, values in content.items():
        if name not in names:
            raise TableError(f"{file}, line {_line_of(name, text)}: only {known} may be here")
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            raise TableError(f"{file}, line {_line_of(name, text)}: write [[{name}]] for each")
        at = lines.get(name, [])
        for index, each in enumerate(values):
            line = at[index] if len(at) == len(values) else _line_of(name, text)
            tables.append(Table(name, each, file, line))
    return sorted(tables, key=lambda each: each.line)


def _line_of(name: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if name in line:
            return number
    return 1


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
