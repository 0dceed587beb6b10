"""What a program under test may do next, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """It wrote these bytes to its standard output."""

    data: bytes


@dataclass(frozen=True, slots=True)
class OutputEnded:
    """It closed its standard output, and has not ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """It has ended, and all that it wrote has been read.

    Attributes:
        status: as `subprocess.Popen.returncode`: minus the number of the signal that ended it.
    """

    status: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing more comes from it until something is said to it.

    It has read all that was written to it, and every task of every process that it started waits
    without a time limit, at least one of them for its input.
    """


@dataclass(frozen=True, slots=True)
class TimeOver:
    """The time is over, and nothing is known."""


Activity = Output | OutputEnded | Ended | Quiet | TimeOver


@dataclass(frozen=True, slots=True)
class Remains:
    """What a program under test left, and what it took.

    Attributes:
        processes: the command lines of what was running beside the program, or still when it had
            ended, at most `MOST_NAMES`.
        peak_memory: the most bytes that the largest of its processes had in memory at a time;
            None where the system does not tell.
    """

    processes: tuple[str, ...]
    peak_memory: int | None


MOST_NAMES = 100
"""How many processes are named; a program may start any number."""
