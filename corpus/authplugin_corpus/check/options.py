"""Options of the command whose values have a form of their own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import click

from ..model import Case
from ..vectors import flags_of, load_flags
from .result import Results

_RERUN: Final = (
    ("--hostname", "hostname"),
    ("--port", "port"),
    ("--username", "username"),
    ("--method", "method"),
    ("--prompt", "prompts"),
    ("--answer", "given"),
    ("--answers", "answers"),
    ("--timeout", "timeout"),
)
"""The options that matter to a single case, and the names of their values."""

_SECRET: Final = frozenset({"--answer"})
_LEFT_OUT: Final = "..."
"""What stands for the value of an option that may be a secret."""


class Question(click.ParamType[str]):
    """What a server asks, which is never empty."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text."""
        if not value:
            self.fail("no prompt is empty (RFC 4256, section 3.2)", param, ctx)
        return str(value)


class Target(NamedTuple):
    """A report to write."""

    format: str
    path: Path


def _write_json(results: Results, file: Any) -> None:
    from .report_json import write_json

    write_json(results, file)


def _write_junit(results: Results, file: Any) -> None:
    from .report_junit import write_junit

    write_junit(results, file)


_WRITERS: Final[Mapping[str, tuple[str, Callable[[Results, Any], None]]]] = {
    "json": ("w", _write_json),
    "junit": ("wb", _write_junit),
}


class ReportTarget(click.ParamType[Target]):
    """`FORMAT=PATH`."""

    name = "report"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Target:
        """Return the target that a text names."""
        if isinstance(value, Target):
            return value
        format_, equals, path = value.partition("=")
        if not equals or not path or format_ not in _WRITERS:
            known = " or ".join(f"{each}=PATH" for each in _WRITERS)
            self.fail(f"expected {known}, not {value!r}", param, ctx)
        return Target(format_, Path(path))


class Environment(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`."""

    name = "variable"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the name and the value that a text gives."""
        if isinstance(value, tuple):
            return value
        name, equals, content = value.partition("=")
        if not equals or not name:
            self.fail(f"expected NAME=VALUE, not {value!r}", param, ctx)
        return name, content


class _ReportFile:
    """The file of one report, which is whole or stays what it was."""

    def __init__(self, target: Target) -> None:
        self._path = target.path
        mode, self._write = _WRITERS[target.format]
        self._opening: dict[str, Any] = {"mode": mode, "encoding": None if "b" in mode else "utf-8"}
        self._beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        self.open: IO[Any] | None = None
        if os.path.lexists(self._path) and (self._path.is_symlink() or not self._path.is_file()):
            # Such as a pipe or /dev/stdout, of which nothing can take the place.
            self.open = open(self._path, **self._opening)  # noqa: SIM115 - closed by the stack
            return
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with open(self._beside, **self._opening):
            pass
        self._beside.unlink()

    def write(self, results: Results) -> None:
        """Write the report.

        Raises:
            OSError: where it cannot be written.
        """
        if self.open is not None:
            with self.open as file:
                self._write(results, file)
            return
        try:
            with open(self._beside, **self._opening) as file:
                self._write(results, file)
            self._beside.replace(self._path)
        finally:
            self._beside.unlink(missing_ok=True)


class ReportFiles(AbstractContextManager["ReportFiles"]):
    """The files of reports, tried before the run, so that none is found wanting after it.

    Raises:
        click.UsageError: where one cannot be written, or two are the same.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._stack = ExitStack()
        self._files: dict[Path, _ReportFile] = {}
        for target in targets:
            if (place := target.path.resolve()) in self._files:
                self._stack.close()
                raise click.UsageError(f"two reports would be written to {target.path}")
            try:
                file = _ReportFile(target)
            except OSError as error:
                self._stack.close()
                raise click.UsageError(f"{_unwritten(target.path, error)}") from None
            self._files[place] = file
            if file.open is not None:
                self._stack.enter_context(file.open)

    def write(self, results: Results) -> list[str]:
        """Write all of them; return, in words, what could not be written: the disk may be full."""
        problems = []
        for place, file in self._files.items():
            try:
                file.write(results)
            except OSError as error:
                problems.append(_unwritten(place, error))
        return problems

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._stack.close()


def _unwritten(path: Path, error: OSError) -> str:
    return f"cannot write the report {path}: {error.strerror}"


def selected(every: Sequence[Case], wanted: Sequence[str]) -> list[Case]:
    """Return the cases that were asked for, by id, by a vector's id, or by flag; all where none.

    Raises:
        click.BadParameter: where one of the texts fits nothing.
    """
    found: set[str] = set()
    for each in wanted:
        fitting = {case.id for case in every if _fits(case, each)}
        if not fitting:
            import difflib

            names = [*(case.id for case in every), *load_flags()]
            near = difflib.get_close_matches(each, names, n=3)
            hint = f" Did you mean {', '.join(near)}?" if near else " --list lists all."
            raise click.BadParameter(
                f"no case and no flag is called {each!r}.{hint}", param_hint="'--select'"
            )
        found |= fitting
    return [case for case in every if not wanted or case.id in found]


def _fits(case: Case, wanted: str) -> bool:
    return fnmatchcase(case.id, wanted) or any(fnmatchcase(flag, wanted) for flag in flags_of(case))


def rerun_options(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Return, as words for the shell, what was given that matters to a single case.

    What may be a secret is left out: it stands in reports, which others read.
    """
    words = []
    for name, value_name in _RERUN:
        value = options[value_name]
        if value is None or value == defaults.get(value_name):
            continue
        for each in value if isinstance(value, tuple) else (value,):
            text = f"{each:g}" if isinstance(each, float) else str(each)
            words += [name, _LEFT_OUT if name in _SECRET else text]
    for name, _ in options["environment"]:
        words += ["--env", f"{name}={_LEFT_OUT}"]
    return words
