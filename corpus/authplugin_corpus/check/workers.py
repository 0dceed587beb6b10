"""Worker processes, as whoever gives them work sees them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

from .play import Settings
from .verdicts import ending
from .worker import work

PATIENCE: Final = 5.0
"""Seconds in which a worker has to end everything that it has started."""


class DiedError(Exception):
    """A worker has ended, though it still had something to do."""


class Worker(ABC):
    """One worker process. Used by one thread, but for `terminate`."""

    def __init__(self, tasks: IO[bytes], results: IO[bytes], settings: Settings) -> None:
        self._tasks = tasks
        self._results = results
        self.give(pickle.dumps(settings, pickle.HIGHEST_PROTOCOL))

    @property
    def ends(self) -> list[int]:
        """The file descriptors that lead to it."""
        return [self._tasks.fileno(), self._results.fileno()]

    def give(self, data: bytes) -> None:
        """Give it a pickled script."""
        # Where it has died, `result` says so.
        with suppress(OSError):
            self._tasks.write(data)
            self._tasks.flush()

    def result(self) -> object:
        """Return what came of the first script that it has not told about.

        Raises:
            DiedError: where it has ended.
        """
        try:
            return pickle.load(self._results)  # noqa: S301 - from ourselves
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise DiedError from error

    def end(self) -> str:
        """Close its pipes, wait for it, end it where it does not, and return how it ended."""
        for pipe in (self._tasks, self._results):
            with suppress(OSError):
                pipe.close()
        return ending(self._wait())

    @abstractmethod
    def terminate(self) -> None:
        """Have it end all that it has started, and itself."""

    @abstractmethod
    def _wait(self) -> int: ...


class SpawnedWorker(Worker):
    """A worker that has loaded everything for itself."""

    def __init__(self, settings: Settings) -> None:
        command = [sys.executable, "-P", "-m", "authplugin_corpus.check.worker"]
        command.append(str(os.getpid()))
        self._popen = subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        super().__init__(self._popen.stdin, self._popen.stdout, settings)

    def terminate(self) -> None:
        """See `Worker`."""
        self._popen.terminate()

    def _wait(self) -> int:
        try:
            return self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()


class ForkedWorker(Worker):
    """A copy of this process, which costs next to nothing; this process must have one thread.

    Args:
        settings: of its cases.
        others: the workers that are there already.

    Raises:
        OSError: where the system has no room for another process.
    """

    def __init__(self, settings: Settings, others: Iterable[Worker]) -> None:
        tasks, give = os.pipe()
        take, results = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._ended = False
        self._lock = threading.Lock()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                for end in (give, take, *(end for other in others for end in other.ends)):
                    os.close(end)
                work(tasks, results, parent)
                status = 0
            except SystemExit:
                status = 0
            finally:
                os._exit(status)
        os.close(tasks)
        os.close(results)
        super().__init__(os.fdopen(give, "wb"), os.fdopen(take, "rb"), settings)

    def terminate(self) -> None:
        """See `Worker`."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        with self._lock:
            if not self._ended:
                os.kill(self._pid, number)

    def _wait(self) -> int:
        timer = threading.Timer(
            PATIENCE, self._signal, [getattr(signal, "SIGKILL", signal.SIGTERM)]
        )
        timer.daemon = True
        timer.start()
        os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        timer.cancel()
        with self._lock:
            self._ended = True
            _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep an interrupt waiting, and away from the threads and processes that are started."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def can_fork() -> bool:
    """Say whether this process can be copied without danger, and to any use."""
    return sys.platform == "linux" and threading.active_count() == 1
