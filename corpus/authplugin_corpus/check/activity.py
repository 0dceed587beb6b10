"""What a program under test may do next, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Output(NamedTuple):
    """It wrote these bytes to its standard output."""

    data: bytes


@dataclass(frozen=True, slots=True)
class OutputEnded:
    """It closed its standard output, and has not ended."""


class Ended(NamedTuple):
    """It has ended, and all that it wrote has been read.

    Attributes:
        status: as `subprocess.Popen.returncode`: minus the number of the signal that ended it.
    """

    status: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing more comes from it until something is said to it, or even then.

    Every task of every process that it started waits without a time limit. Either one of them waits
    for input, and all that was written has been read; or all wait for each other, or are stopped:
    then nothing that is said, and no end of the input, has it ever go on. So behind the end of its
    input this says that it does not end.
    """


@dataclass(frozen=True, slots=True)
class TimeOver:
    """The time is over, and nothing is known."""


Activity = Output | OutputEnded | Ended | Quiet | TimeOver


class Remains(NamedTuple):
    """What a program under test left, and what it took.

    Attributes:
        processes: the command lines of what was running beside the program, or still when it had
            ended, at most `MOST_NAMES`.
        peak_memory: the most bytes that the largest of its processes had in memory at a time;
            None where the system does not tell.
        touched_memory: the bytes of memory that it used for the first time, one after the other;
            0 where `peak_memory` is the most at any time, rather than at those it was looked at.
    """

    processes: tuple[str, ...]
    peak_memory: int | None
    touched_memory: int = 0


MOST_NAMES = 100
"""How many processes are named; a program may start any number."""
