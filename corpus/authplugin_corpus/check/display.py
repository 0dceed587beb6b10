"""What a run shows: lines for each case that is not as it should be, and how far it has got."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import click

from .expected import Standing
from .report import line_of
from .result import Result
from .verdicts import Outcome

COLOURS: Final = {
    Outcome.PASS: "green",
    Outcome.LENIENT: "yellow",
    Outcome.UNSUPPORTED: "yellow",
    Outcome.FAIL: "red",
    Outcome.HANG: "red",
    Outcome.CRASH: "red",
    Outcome.ERROR: "magenta",
}

_ROW: Final = re.compile(r" +[0-9a-f]{6}  (?:[0-9a-f]{2}|\*\*).*")
_OCTETS: Final = 16  # in a row of a dump
_WIDE: Final = 112  # columns in which such a row fits, whatever it means
_INDENT: Final = "    "
_NARROWEST: Final = 60
_STEPS: Final = 10  # lines that tell how far a run has got

Print = Callable[[str, str | None], None]
"""Prints a line in a colour, or in none."""


class Lines:
    """Prints what is to be read of a case.

    Args:
        print_line: how.
        total: how many cases there are: where there are few, those that pass have a line too.
        width: of the terminal in columns; None where lines can be of any length.
    """

    def __init__(self, print_line: Print, total: int, width: int | None) -> None:
        self._print = print_line
        self._all = total <= 1
        self._width = width

    def show(self, result: Result, details: Sequence[str]) -> None:
        """Print a case, unless it has passed as it should."""
        fine = result.outcome is Outcome.PASS and result.standing is Standing.FINE
        if fine and not self._all:
            return
        colour = COLOURS[result.outcome]
        if result.standing is Standing.UNEXPECTED_PASS:
            colour = COLOURS[Outcome.FAIL]
        for line in self._wrapped(line_of(result)):
            self._print(line, colour)
        for detail in details:
            for line in self._wrapped(f"{_INDENT}{detail}"):
                self._print(line, None)

    def _wrapped(self, line: str) -> Iterator[str]:
        """Yield a line as lines that fit, where it is prose; columns and commands stay as they are.

        A command must not be broken, or it could not be copied.
        """
        indent = line[: len(line) - len(line.lstrip())]
        if self._width is not None and len(indent) > len(_INDENT) and _ROW.fullmatch(line):
            yield from _narrow(line, indent, self._width)
            return
        as_it_is = len(indent) > len(_INDENT) or line.startswith(f"{_INDENT}again: ")
        if self._width is None or len(line) <= self._width or as_it_is:
            yield line
            return
        yield from textwrap.wrap(
            line,
            max(self._width, _NARROWEST),
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _narrow(row: str, indent: str, width: int) -> Iterator[str]:
    """Yield a row of a dump as rows with half as many bytes, where it does not fit."""
    if width >= _WIDE:
        yield row
        return
    start = len(indent)
    offset, octets = int(row[start : start + 6], 16), row[start + 8 : start + 8 + 3 * _OCTETS]
    meaning = row[start + 8 + 3 * _OCTETS :]
    first, second = octets[: 3 * _OCTETS // 2], octets[3 * _OCTETS // 2 :].rstrip()
    line = f"{indent}{offset:06x}  {first.rstrip():<{3 * _OCTETS // 2}}{meaning}".rstrip()
    yield line if len(line) <= width else line[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
    if second:
        yield f"{indent}{offset + _OCTETS // 2:06x}  {second}"


class PlainDisplay:
    """Lines for a file, a pipe or a log: what is found, and now and then how far it is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._counts: Counter[Outcome] = Counter()
        self._lines = Lines(self._print, total, None)

    def _print(self, line: str, colour: str | None) -> None:
        click.secho(line, fg=colour)

    def live(self) -> AbstractContextManager[None]:
        """Do nothing: there is nothing that moves."""
        return nullcontext()

    def started(self, case_id: str) -> None:
        """Do nothing: who reads a log does not want to know."""

    def done(self, result: Result) -> None:
        """Count a case; at each tenth of all, print how many have had which outcome."""
        self._counts[result.outcome] += 1
        self._done += 1
        done = self._done
        # The last of a tenth, but not of all.
        if self._total >= _STEPS and done * _STEPS % self._total < _STEPS and done < self._total:
            counts = ", ".join(f"{self._counts[each]} {each}" for each in self._counts)
            self._print(f"{done}/{self._total}: {counts}", None)

    def show(self, result: Result, details: Sequence[str]) -> None:
        """Print what came of a case."""
        self._lines.show(result, details)
