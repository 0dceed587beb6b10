"""Worker processes, as whoever gives them work sees them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

from authplugin.keeper import become_subreaper

from .folder import remove_folder
from .tree import Tree, children
from .verdicts import ending
from .watched import can_watch
from .worker import TASK, Work, be_worker

PATIENCE: Final = 5.0
"""Seconds in which a worker has to end everything that it has started."""


class DiedError(Exception):
    """A worker has ended, though it still had something to do."""


class _Family:
    """The workers that there are, and who else is a child of this process.

    This process is a subreaper: what a worker leaves that was ended by force becomes its child.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """To be held while a worker is started: one that is not known is taken for an orphan."""
        self._workers: set[int] = set()
        self._others: frozenset[int] = frozenset()

    def expect(self) -> None:
        """Have it known who is there before a worker is."""
        if not self._workers and can_watch():
            become_subreaper()  # once more: the system forgets it where this process is a copy
            self._others = children()

    def add(self, pid: int) -> None:
        """Take in a worker."""
        self._workers.add(pid)

    def lose(self, pid: int) -> None:
        """Let go of a worker that has ended, and end what it has left."""
        with self.lock:
            self._workers.discard(pid)
            if can_watch():
                Tree(pid, self._others | self._workers).end(PATIENCE)


_family = _Family()


class Worker(ABC):
    """One worker process. Used by one thread, but for `terminate`.

    Attributes:
        pid: its process id.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._watched = False
        self.folder = tempfile.mkdtemp(prefix="authplugin-")
        try:
            with _family.lock:
                _family.expect()
                self.pid, self._tasks, self._results = self._start()
                _family.add(self.pid)
        except BaseException:
            remove_folder(self.folder)
            raise

    @abstractmethod
    def _start(self) -> tuple[int, IO[bytes], IO[bytes]]:
        """Start the process; return its id, the pipe for scripts and that for results."""

    @property
    def ends(self) -> list[int]:
        """The file descriptors that lead to it."""
        return [self._tasks.fileno(), self._results.fileno()]

    def give(self, index: int) -> None:
        """Give it a script."""
        self._write(TASK.pack(index))

    def _write(self, data: bytes) -> None:
        # Where it has died, `result` says so.
        with suppress(OSError):
            self._tasks.write(data)
            self._tasks.flush()

    def result(self) -> object:
        """Return what came of the first script that it has not told about.

        Raises:
            DiedError: where it has ended.
        """
        if not self._watched and can_watch():
            # (Not before there is something to do: a process with threads had better not fork.)
            self._watched = True
            threading.Thread(target=self._end_if_stopped, daemon=True).start()
        try:
            return pickle.load(self._results)  # noqa: S301 - from ourselves
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise DiedError from error

    def end(self) -> str:
        """Close its pipes, wait for it and for all that it has left, and return how it ended."""
        for pipe in (self._tasks, self._results):
            with suppress(OSError):
                pipe.close()
        status = self._wait()
        _family.lose(self.pid)
        remove_folder(self.folder)
        return ending(status)

    def terminate(self) -> None:
        """Have it end all that it has started, and itself."""
        self._signal(signal.SIGTERM)

    def _end_if_stopped(self) -> None:
        """Wait until it has ended, or is stopped: whoever does that to it would do it again."""
        with suppress(ChildProcessError):
            options = os.WSTOPPED | os.WEXITED | os.WNOWAIT
            happened = os.waitid(os.P_PID, self.pid, options)
            if happened is not None and happened.si_code == os.CLD_STOPPED:
                self._signal(signal.SIGKILL)

    @abstractmethod
    def _signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""

    @abstractmethod
    def _wait(self) -> int:
        """Wait for it, end it where it does not end, and return its status."""


class SpawnedWorker(Worker):
    """A worker that has loaded everything for itself."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self._write(pickle.dumps(work, pickle.HIGHEST_PROTOCOL))

    def _start(self) -> tuple[int, IO[bytes], IO[bytes]]:
        command = [sys.executable, "-P", "-m", "authplugin_corpus.check.worker"]
        command += [str(os.getpid()), self.folder]
        self._popen = subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        return self._popen.pid, self._popen.stdin, self._popen.stdout

    def _signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def _wait(self) -> int:
        try:
            return self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()


class ForkedWorker(Worker):
    """A copy of this process, which costs next to nothing; this process must have one thread.

    Args:
        work: what there is to play.
        others: the workers that are there already.

    Raises:
        OSError: where the system has no room for another process.
    """

    def __init__(self, work: Work, others: Iterable[Worker]) -> None:
        self._others = [end for other in others for end in other.ends]
        self._ended = False
        self._lock = threading.Lock()
        super().__init__(work)

    def _start(self) -> tuple[int, IO[bytes], IO[bytes]]:
        tasks, give = os.pipe()
        take, results = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for end in (give, take, *self._others):
                    os.close(end)
                be_worker(self._work, tasks, results, parent, self.folder)
                status = 0
            except SystemExit:
                status = 0
            finally:
                os._exit(status)
        os.close(tasks)
        os.close(results)
        return pid, os.fdopen(give, "wb"), os.fdopen(take, "rb")

    def _signal(self, number: int) -> None:
        with self._lock:
            if not self._ended:
                os.kill(self.pid, number)

    def _wait(self) -> int:
        timer = threading.Timer(
            PATIENCE, self._signal, [getattr(signal, "SIGKILL", signal.SIGTERM)]
        )
        timer.daemon = True
        timer.start()
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        timer.cancel()
        with self._lock:
            self._ended = True
            _, status = os.waitpid(self.pid, 0)
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
