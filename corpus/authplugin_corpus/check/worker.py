"""A worker process: plays one case after the other, as it is told on its standard input."""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import tempfile
from collections.abc import Sequence
from types import FrameType
from typing import BinaryIO, Final, NamedTuple, NoReturn

from authplugin.keeper import become_subreaper

from .folder import remove_folder
from .play import Player, Settings
from .script import Script
from .starting import keep_descriptors
from .tree import Tree
from .watched import can_watch

_PR_SET_PDEATHSIG = 1
_PR_SET_THP_DISABLE = 41
_AGAIN = 0.1  # seconds
_PATIENCE = 3.0  # seconds: what does not end by then is left to the check itself

_TO_LEAVE = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
]
"""What asks to end this process; the last two come from a terminal to all of a check at once."""

# The other side is the check itself, which has started this process: what comes can be trusted.


def _ignore(numbers: Sequence[int]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def _leave(*_: int | FrameType | None) -> NoReturn:
    # Being asked twice, as by a terminal and by the check's end, must not disturb the leaving.
    _ignore(_TO_LEAVE)
    if hasattr(signal, "setitimer"):
        # An exception is lost where Python just then runs what must not raise one: so once more.
        signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
    raise SystemExit(0)


class Work(NamedTuple):
    """What there is to play: every worker of a run has all of it, and is told which is its next.

    Attributes:
        settings: of all scripts.
        scripts: the scripts.
    """

    settings: Settings
    scripts: Sequence[Script]


TASK: Final = struct.Struct("=I")
"""What a worker is told: the index of a script."""


def serve(work: Work, tasks: BinaryIO, results: BinaryIO) -> None:
    """Play what comes until nothing more does.

    Reads a `TASK` for each script; writes, pickled, its `Replay`, or the exception that there was
    instead.
    """
    player = Player(work.settings)
    while len(task := tasks.read(TASK.size)) == TASK.size:
        try:
            result: object = player.perform(work.scripts[TASK.unpack(task)[0]])
        except Exception as error:  # whatever it is, the run goes on, and says so
            result = error if isinstance(error, OSError) else RuntimeError(_described(error))
        pickle.dump(result, results, pickle.HIGHEST_PROTOCOL)
        results.flush()


def _described(error: Exception) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f" ({os.path.basename(at.tb_frame.f_code.co_filename)}"
    place += "" if at is None else f", line {at.tb_lineno})"
    return f"{type(error).__name__}: {error}{place}"


def _count_memory() -> None:
    """Have the system give programs memory page by page, so that it is known how much they use."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


def _end_with_parent(parent: int) -> None:
    """Have the system end this process, gently, when the check is killed (on Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            _leave()  # it has been killed already


def be_worker(work: Work | None, tasks: int, results: int, parent: int, folder: str) -> None:
    """Be a worker, between two pipes, that ends with the process that has started it.

    Args:
        work: what to play; None where it comes, pickled, before the first task.
        tasks: where `serve` reads.
        results: where it writes.
        parent: the id of the process that has started this one.
        folder: for the temporary files of all programs; removed at the end, with what is in it.
    """
    # An interrupt is for that process, which then ends this one: gently, so that no program stays.
    # And it stops alone; a worker that is stopped is held to have been by what it plays with.
    # (They are not ignored, as the programs that are started would then ignore them too.)
    for name in ("SIGINT", "SIGTSTP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    leaving = [*_TO_LEAVE, *([signal.SIGALRM] if hasattr(signal, "SIGALRM") else [])]
    for number in leaving:
        signal.signal(number, _leave)
    _end_with_parent(parent)
    _count_memory()
    # Being one is not handed down to a copy, whatever the original remembers of it.
    become_subreaper()
    if can_watch():
        keep_descriptors()
    tempfile.tempdir = folder
    try:
        with open(tasks, "rb") as todo, open(results, "wb") as done:
            serve(work or pickle.load(todo), todo, done)  # noqa: S301
    finally:
        try:
            _ignore(leaving)
        finally:  # even where the last of them has come just now
            _ignore(leaving)
            if can_watch():
                # What this process was not given the time to end.
                Tree(os.getpid(), ()).end(_PATIENCE)
            remove_folder(folder)


def main() -> None:
    """Be a worker, between standard input and output."""
    tasks, results = os.dup(0), os.dup(1)
    # Nothing that is printed by mistake may come between the results.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    be_worker(None, tasks, results, int(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
