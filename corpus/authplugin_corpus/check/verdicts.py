"""How a program did in one case: four verdicts that do not mix, and what they come to."""

from __future__ import annotations

import signal
from enum import StrEnum
from typing import Final, NamedTuple

_WINDOWS_FAILURE: Final = 0xC000_0000  # from here on: the statuses of programs that Windows ended
_SHELL: Final = 128  # a shell's status for a program ended by a signal, less the signal's number
_FAULTS: Final = frozenset({"SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV"})
_MEBIBYTE: Final = 1 << 20


class Outcome(StrEnum):
    """What the four verdicts come to, the best first."""

    PASS = "pass"  # noqa: S105 - no password
    """It did what the text asks for."""
    LENIENT = "lenient"
    """It took what a strict program refuses, or refused what it takes, where the text leaves that
    open."""
    UNSUPPORTED = "unsupported"
    """It declined, as it may, before the point of the case was reached."""
    FAIL = "fail"
    """It said, took or left what it must not, or did not say what it must."""
    HANG = "hang"
    """It does not end although its input has been closed."""
    CRASH = "crash"
    """A signal ended it."""
    ERROR = "error"
    """The check itself failed: nothing is known of the program."""

    @property
    def is_finding(self) -> bool:
        """Whether the program has to be mended."""
        return self in (Outcome.FAIL, Outcome.HANG, Outcome.CRASH)


class Speech(StrEnum):
    """What it said."""

    RIGHT = "right"
    LENIENT = "lenient"
    DECLINED = "declined"
    """A refusal that is always allowed: nothing behind it could be tested."""
    WRONG = "wrong"
    OUT_OF_TURN = "out-of-turn"
    """Something, when it owed nothing."""
    TOO_EARLY = "too-early"
    """The answer, before all of the request had been written."""
    UNREADABLE = "unreadable"
    """Bytes that are no message of the program's side."""
    MISSING = "missing"
    """Nothing, when it owed a message."""


_FAILED: Final = frozenset(Speech) - {Speech.RIGHT, Speech.LENIENT, Speech.DECLINED}


class End(StrEnum):
    """How it ended."""

    CLEAN = "clean"
    """With the status 0."""
    ERROR = "error-status"
    """With another status, as a program does that refuses what it was told."""
    SIGNAL = "signal"
    """By a signal, or ended by the system."""
    NOT_AT_ALL = "not-at-all"
    """It was ended by the check."""


class Said(NamedTuple):
    """The verdict on what it said.

    Attributes:
        speech: in short.
        sentence: for people, where it is not `right`.
        advice: what the reason may be, for who is to mend it; empty where nothing is known.
    """

    speech: Speech = Speech.RIGHT
    sentence: str = ""
    advice: str = ""

    @property
    def words(self) -> str:
        """The sentence, with the advice."""
        return f"{self.sentence} ({self.advice})" if self.advice else self.sentence


class Ended(NamedTuple):
    """The verdict on how it ended.

    Attributes:
        end: in short.
        status: the exit status, or minus the signal's number; None where it did not end.
        sentence: the same for people.
        undecided: whether the time limit alone decided that it does not end.
        needless: whether it told of an error where there was none; the text does not say what an
            exit status means.
        uncaught: whether that was an exception that nothing in the program caught.
    """

    end: End
    status: int | None
    sentence: str
    undecided: bool = False
    needless: bool = False
    uncaught: bool = False


class Took(NamedTuple):
    """The verdict on what it took.

    Attributes:
        seconds: from its start to its end.
        peak_memory: the largest resident size of its processes, in bytes; None where unknown.
        clean_memory: the same program's in a clean conversation.
        sentence: what is wrong, for people; empty where nothing is.
        undecided: whether a time limit had to decide, as nothing else could.
        touched_memory: bytes that it used for the first time, one after the other; 0 where
            `peak_memory` tells of all of its time, not just of when it was looked at.
    """

    seconds: float
    peak_memory: int | None = None
    clean_memory: int | None = None
    sentence: str = ""
    undecided: bool = False
    touched_memory: int = 0


class Left(NamedTuple):
    """The verdict on what it left.

    Attributes:
        processes: the names of those still running when the program itself had ended.
        noise: whether it wrote what is not of the protocol to its standard output.
        sentence: what is wrong, for people; empty where nothing is.
    """

    processes: tuple[str, ...] = ()
    noise: bool = False
    sentence: str = ""


class Verdict(NamedTuple):
    """An outcome and, in a sentence for people, the reason."""

    outcome: Outcome
    reason: str


def fold(said: Said, ended: Ended, took: Took, left: Left) -> Verdict:
    """Return what four verdicts come to: the gravest outcome, and all that is wrong."""
    wrong = [said.words] if said.sentence else []
    how = ended.sentence if ended.status is None else ending(ended.status)
    if ended.end in (End.SIGNAL, End.NOT_AT_ALL) and how not in said.sentence:
        wrong.append(ended.sentence)
    if ended.needless:
        wrong.append(ended.sentence)
    wrong += [sentence for sentence in (took.sentence, left.sentence) if sentence]
    if ended.end is End.SIGNAL:
        outcome = Outcome.CRASH
    elif ended.end is End.NOT_AT_ALL:
        outcome = Outcome.HANG
    elif said.speech in _FAILED or ended.uncaught or took.sentence or left.sentence:
        outcome = Outcome.FAIL
    elif said.speech is Speech.DECLINED:
        outcome = Outcome.UNSUPPORTED
    else:
        lenient = said.speech is Speech.LENIENT or ended.needless
        outcome = Outcome.LENIENT if lenient else Outcome.PASS
    return Verdict(outcome, "; ".join(wrong) or ended.sentence)


def ending(status: int) -> str:
    """Return in words how a program ended, by its exit status or minus its signal's number."""
    if status < 0:
        return f"was ended by {_signal_name(-status)}"
    if status >= _WINDOWS_FAILURE:
        return f"was ended by the system (status {status:#x})"
    if crashed(status):
        return f"ended with status {status}, which is a shell's for {_signal_name(status - _SHELL)}"
    return f"ended with status {status}"


def crashed(status: int) -> bool:
    """Say whether a program with this status was ended rather than ended by itself."""
    ended = status < 0 or status >= _WINDOWS_FAILURE
    return ended or (status > _SHELL and _signal_name(status - _SHELL) in _FAULTS)


def end_of(status: int) -> End:
    """Return the verdict on an exit status."""
    if crashed(status):
        return End.SIGNAL
    return End.ERROR if status else End.CLEAN


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def size(count: int) -> str:
    """Return an amount of memory in words."""
    if count >= 1024 * _MEBIBYTE:
        return f"{count / (1024 * _MEBIBYTE):.1f} GiB"
    return f"{count / _MEBIBYTE:.0f} MiB"
