"""The file of `--expected`: outcomes that are known, with the reason for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from .tables import TableError, read_tables
from .verdicts import Outcome


class Expectation(NamedTuple):
    """What is expected of the cases that a pattern fits, and why."""

    pattern: str
    outcome: Outcome
    reason: str


class Standing(StrEnum):
    """What a case's outcome is to whoever reads the report."""

    FINE = "fine"
    FINDING = "finding"
    EXPECTED = "expected"
    """It would be a finding, were it not expected."""
    UNEXPECTED_PASS = "unexpected-pass"  # noqa: S105 - no password
    """It was expected not to pass, and does: the expectation is to be taken back."""
    NOT_RUN = "not-run"
    """The check itself failed."""

    @property
    def counts(self) -> bool:
        """Whether the exit status tells of it."""
        return self in (Standing.FINDING, Standing.UNEXPECTED_PASS)


def read_expected(path: Path, ids: Collection[str]) -> tuple[Expectation, ...]:
    """Return the expectations of a file.

    The file is TOML. Each `[[case]]` has `id`, that of a case or a pattern (`*`, `?`, `[...]`);
    `outcome`, one that is not `pass`; and `reason`. The first that fits a case holds.

    Args:
        path: the file.
        ids: those of all cases there are.

    Raises:
        TableError: where the file is not like that, or a pattern fits no case.
        OSError: where it cannot be read.
    """
    choices = [each for each in Outcome if each not in (Outcome.PASS, Outcome.ERROR)]
    found = []
    for table in read_tables(path, ("case",)):
        table.check({"id", "outcome", "reason"}, set())
        pattern = table.text("id", empty=False)
        outcome = table.text("outcome")
        if outcome not in choices:
            raise table.wrong(f"'outcome' must be one of {', '.join(choices)}, not {outcome!r}")
        if not any(fnmatchcase(each, pattern) for each in ids):
            import difflib

            near = difflib.get_close_matches(pattern, ids, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise table.wrong(f"no case is called {pattern!r}{hint}")
        found.append(Expectation(pattern, Outcome(outcome), table.text("reason", empty=False)))
    if not found:
        raise TableError(f"{path}: has no [[case]]")
    return tuple(found)


def expectation_for(id_: str, expectations: Sequence[Expectation]) -> Expectation | None:
    """Return what is expected of a case; None where nothing is."""
    for each in expectations:
        if fnmatchcase(id_, each.pattern):
            return each
    return None


def standing_of(outcome: Outcome, expectation: Expectation | None, *, strict: bool) -> Standing:
    """Return what an outcome is, by what was expected.

    Args:
        outcome: of the case.
        expectation: what was expected; None where nothing was.
        strict: whether `lenient` is a finding.
    """
    if outcome is Outcome.ERROR:
        return Standing.NOT_RUN
    if expectation is not None and outcome is expectation.outcome:
        return Standing.EXPECTED
    if expectation is not None and outcome is Outcome.PASS:
        return Standing.UNEXPECTED_PASS
    wrong = outcome.is_finding or (strict and outcome is Outcome.LENIENT)
    return Standing.FINDING if wrong else Standing.FINE
