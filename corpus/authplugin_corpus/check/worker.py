"""A worker process: plays one case after the other, as it is told on its standard input."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import BinaryIO, NoReturn

from authplugin.keeper import become_subreaper, descendants

from .play import Player, Settings
from .script import Script

_PR_SET_PDEATHSIG = 1
_AGAIN = 0.1  # seconds
_ROUNDS = 100  # in each of which a program may start others

# The other side is the check itself, which has started this process: what comes can be trusted.


def _leave(*_: int | FrameType | None) -> NoReturn:
    if hasattr(signal, "setitimer"):
        # An exception is lost where Python just then runs what must not raise one: so once more.
        signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
    raise SystemExit(0)


def serve(tasks: BinaryIO, results: BinaryIO) -> None:
    """Play what comes until nothing more does.

    Reads pickled `Settings`, or `Script` objects to play with those; writes for each script the
    `Replay`, or the exception that there was instead.
    """
    player: Player | None = None
    while True:
        try:
            task = pickle.load(tasks)  # noqa: S301
        except EOFError:
            return
        if isinstance(task, Settings):
            player = Player(task)
            continue
        assert isinstance(task, Script)
        assert player is not None
        try:
            result: object = player.perform(task)
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


def _end_with_parent(parent: int) -> None:
    """Have the system end this process, gently, when the check is killed (on Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            _leave()  # it has been killed already


def _end_everything() -> None:
    """End what this process has started, and was not given the time to hand to anybody."""
    for _ in range(_ROUNDS):
        found = descendants(os.getpid())
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def work(tasks: int, results: int, parent: int) -> None:
    """Be a worker, between two pipes, that ends with the process that has started it."""
    # An interrupt is for that process, which then ends this one: gently, so that no program stays.
    # (It is not ignored, as the programs that are started would then ignore it too.)
    signal.signal(signal.SIGINT, lambda *_: None)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, _leave)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _leave)
    _end_with_parent(parent)
    # Being one is not handed down to a copy, whatever the original remembers of it.
    become_subreaper()
    try:
        with open(tasks, "rb") as todo, open(results, "wb") as done:
            serve(todo, done)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
        _end_everything()


def main() -> None:
    """Be a worker, between standard input and output."""
    tasks, results = os.dup(0), os.dup(1)
    # Nothing that is printed by mistake may come between the results.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    work(tasks, results, int(sys.argv[1]))


if __name__ == "__main__":
    main()
