"""JSON values that know where they stand, so that an error can say file and place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

_Choice = TypeVar("_Choice", bound=StrEnum)
_Value = TypeVar("_Value")

_KINDS = {dict: "an object", list: "an array", str: "a string", int: "a whole number", bool: "true"}


class VectorError(ValueError):
    """A file of vectors is not as its schema says.

    Attributes:
        file: the file's name.
        place: where in it, such as `"vectors[3].turns[0].send"`; empty for the file as a whole.
        text: what is wrong.
    """

    def __init__(self, file: str, place: str, text: str) -> None:
        super().__init__(file, place, text)
        self.file = file
        self.place = place
        self.text = text

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.place, self.text) if part)


@dataclass(slots=True)
class Place:
    """A JSON value, its file and its place there. Every method raises VectorError.

    Attributes:
        value: the value.
        file: the name of the file.
        above: the object or array that it stands in; None for the file as a whole.
        key: its name or index there.
    """

    value: Any
    file: str
    above: Place | None = None
    key: str | int = ""

    @property
    def path(self) -> str:
        """Where in the file it stands, such as `"vectors[3].turns[0].send"`."""
        # Put together where something is wrong: there are tens of thousands of places.
        if self.above is None:
            return str(self.key)
        path = self.above.path
        if isinstance(self.key, int):
            return f"{path}[{self.key}]"
        return f"{path}.{self.key}" if path else self.key

    def wrong(self, text: str) -> VectorError:
        """Return the error that says what is wrong here."""
        return VectorError(self.file, self.path, text)

    def _a(self, kind: type[_Value]) -> _Value:
        if type(self.value) is not kind:
            raise self.wrong(f"expected {_KINDS[kind]}")
        value: _Value = self.value
        return value

    def members(self, required: frozenset[str], optional: frozenset[str]) -> Mapping[str, Place]:
        """Return the members of an object that has all the required ones and no unknown ones."""
        names = self.names()
        missing = required - names
        if missing:
            raise self.wrong(f"lacks {_quoted(sorted(missing))}")
        unknown = names - required - optional
        if unknown:
            known = _quoted(sorted(required | optional))
            raise self.wrong(f"has {_quoted(sorted(unknown))}, where only {known} may be")
        return self.mapping()

    def names(self) -> Set[str]:
        """Return the names of an object's members."""
        return self._a(dict).keys()

    def member(self, name: str) -> Place:
        """Return one member of an object; others may be there."""
        value = self._a(dict)
        if name not in value:
            raise self.wrong(f"lacks {name!r}")
        return Place(value[name], self.file, self, name)

    def mapping(self) -> Mapping[str, Place]:
        """Return the members of an object."""
        file = self.file
        return {name: Place(value, file, self, name) for name, value in self._a(dict).items()}

    def items(self) -> Iterator[Place]:
        """Yield the items of an array."""
        for index, value in enumerate(self._a(list)):
            yield Place(value, self.file, self, index)

    def text(self) -> str:
        """Return a string that is not empty."""
        value = self.any_text()
        if not value:
            raise self.wrong("expected a string that is not empty")
        return value

    def any_text(self) -> str:
        """Return a string."""
        return self._a(str)

    def matching(self, pattern: re.Pattern[str], wanted: str) -> str:
        """Return a string that the pattern matches as a whole."""
        value = self.text()
        if not pattern.fullmatch(value):
            raise self.wrong(f"expected {wanted}, not {value!r}")
        return value

    def number(self) -> int:
        """Return a number that a uint32 can hold."""
        value = self._a(int)
        if not 0 <= value <= 0xFFFF_FFFF:
            raise self.wrong("expected a number from 0 to 4294967295")
        return value

    def flag(self) -> bool:
        """Return true or false."""
        if type(self.value) is not bool:
            raise self.wrong("expected true or false")
        return self.value

    def true(self) -> None:
        """Accept `true`, the one value of a member that only has to be there."""
        if not self._a(bool):
            raise self.wrong("expected true")

    def one_of(self, choices: type[_Choice]) -> _Choice:
        """Return a member of an enumeration, by its value."""
        try:
            return choices(self.any_text())
        except ValueError:
            known = _quoted([choice.value for choice in choices])
            raise self.wrong(f"expected one of {known}, not {self.value!r}") from None

    def octets(self) -> bytes:
        """Return the bytes that lower-case hexadecimal digits stand for."""
        value = self.any_text()
        try:
            data = bytes.fromhex(value)
        except ValueError:
            data = b""
        if data.hex() != value:
            raise self.wrong("expected pairs of lower-case hexadecimal digits")
        return data


def parse(text: str, file: str) -> Place:
    """Return the JSON value that a text is.

    Raises:
        VectorError: where it is no JSON, or an object has a member twice.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise VectorError(file, "", f"an object has {_quoted(twice)} twice")
        return found

    try:
        return Place(json.loads(text, object_pairs_hook=unique), file)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise VectorError(file, place, f"no JSON: {error.msg}") from None


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
