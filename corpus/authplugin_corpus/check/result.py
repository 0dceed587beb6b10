"""What came of a run, as all reports have it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..model import Case, Expect
from .expected import Expectation, Standing
from .play import Replay, Settings
from .pool import Failure
from .verdicts import Outcome, Said


class Result(NamedTuple):
    """What came of one case, and what it is to whoever reads it.

    Attributes:
        case: which one.
        report: what came of it.
        expectation: what was expected; None where nothing was.
        standing: what it is, by that.
    """

    case: Case
    report: Replay | Failure
    expectation: Expectation | None
    standing: Standing

    @property
    def outcome(self) -> Outcome:
        """The outcome."""
        report = self.report
        return Outcome.ERROR if isinstance(report, Failure) else report.verdict.outcome

    @property
    def reason(self) -> str:
        """The reason for the outcome, a sentence."""
        report = self.report
        return report.reason if isinstance(report, Failure) else report.verdict.reason


@dataclass(slots=True)
class Results:
    """What came of a run.

    Attributes:
        settings: of the run.
        options: those of the command line that matter to a case, as words for the shell.
        strict: whether `lenient` was a finding.
        seed: that the order of the cases came from.
        seconds: that it took.
        results: of the cases, in the order of the corpus once all is over.
    """

    settings: Settings
    options: Sequence[str]
    strict: bool
    seed: int
    seconds: float = 0.0
    results: list[Result] = field(default_factory=list)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many cases had which outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def standings(self) -> Counter[Standing]:
        """How many cases are what."""
        return Counter(result.standing for result in self.results)

    @property
    def all_declined(self) -> bool:
        """Whether the program declined every conversation in which it had to say anything."""
        talks = [
            result.outcome is Outcome.UNSUPPORTED
            for result in self.results
            if any(isinstance(turn, Expect) for turn in result.case.turns)
        ]
        return bool(talks) and all(talks)

    @property
    def untested(self) -> list[Said]:
        """What the program said in the cases that say nothing of it."""
        reports = (each.report for each in self.results if each.outcome is Outcome.UNSUPPORTED)
        return [report.said for report in reports if isinstance(report, Replay)]

    def rerun(self, case_id: str) -> str:
        """Return the line for the shell that runs one case again."""
        words = ["authplugin", "check", "plugin", "--select", case_id, *self.options]
        return shell_line([*words, "--", *self.settings.command])


def shell_line(words: Sequence[str]) -> str:
    """Return words quoted for this system's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
