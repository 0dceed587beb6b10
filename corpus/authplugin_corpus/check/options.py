"""Options of the command whose values have a form of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, Final

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


@dataclass(frozen=True, slots=True)
class Target:
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


class ReportFiles(AbstractContextManager["ReportFiles"]):
    """The files of reports, opened before the run, so that none is found wanting after it."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._stack = ExitStack()
        self._files: list[tuple[Target, IO[Any]]] = []
        for target in targets:
            mode = _WRITERS[target.format][0]
            try:
                encoding = None if "b" in mode else "utf-8"
                file = open(target.path, mode, encoding=encoding)  # noqa: SIM115 - closed by the stack
            except OSError as error:
                self._stack.close()
                raise click.UsageError(
                    f"cannot write the report {target.path}: {error.strerror}"
                ) from None
            self._files.append((target, self._stack.enter_context(file)))

    def write(self, results: Results) -> None:
        """Write all of them.

        Raises:
            OSError: where one cannot be written, with its name: the disk may be full.
        """
        for target, file in self._files:
            try:
                with file:
                    _WRITERS[target.format][1](results, file)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(target.path)) from None

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def selected(every: Sequence[Case], wanted: Sequence[str]) -> list[Case]:
    """Return the cases that were asked for, by id, by a vector's id, or by flag; all where none.

    Raises:
        click.BadParameter: where one of the texts fits nothing.
    """
    found: set[str] = set()
    for each in wanted:
        fitting = {case.id for case in every if _fits(case, each)}
        if not fitting:
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
    """Return, as words for the shell, what was given that matters to a single case."""
    words = []
    for name, value_name in _RERUN:
        value = options[value_name]
        if value is None or value == defaults.get(value_name):
            continue
        for each in value if isinstance(value, tuple) else (value,):
            words += [name, f"{each:g}" if isinstance(each, float) else str(each)]
    for name, value in options["environment"]:
        words += ["--env", f"{name}={value}"]
    return words
