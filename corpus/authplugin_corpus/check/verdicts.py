"""How a program did in one case."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

_WINDOWS_FAILURE = 0xC000_0000  # from here on: the statuses of programs that Windows has ended


class Outcome(StrEnum):
    """The kinds of verdicts, the best first."""

    PASS = "pass"  # noqa: S105 - no password
    """It did what the text asks for."""
    LENIENT = "lenient"
    """It took what a strict program refuses, where the text leaves that open."""
    UNSUPPORTED = "unsupported"
    """It declined, as it may, before the point of the case was reached."""
    FAIL = "fail"
    """It said what it must not say, or did not say what it must."""
    HANG = "hang"
    """It was still running when its input had been closed and the time limit was over."""
    CRASH = "crash"
    """A signal ended it."""

    @property
    def is_finding(self) -> bool:
        """Whether the program has to be mended."""
        return self in (Outcome.FAIL, Outcome.HANG, Outcome.CRASH)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and, in a sentence for people, the reason."""

    outcome: Outcome
    reason: str


def ending(status: int) -> str:
    """Return in words how a program ended, by its exit status or minus its signal's number."""
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"was ended by {name}"
    if status >= _WINDOWS_FAILURE:
        return f"was ended by the system (status {status:#x})"
    return f"ended with status {status}"


def crashed(status: int) -> bool:
    """Say whether a program with this status was ended rather than ended by itself."""
    return status < 0 or status >= _WINDOWS_FAILURE
