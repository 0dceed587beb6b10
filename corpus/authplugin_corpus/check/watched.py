"""A program under test on Linux, of which is known when it waits."""

from __future__ import annotations

import fcntl
import functools
import os
import resource
import select
import signal
import sys
import termios
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from authplugin.keeper import become_subreaper

from .activity import Activity, Ended, Output, OutputEnded, Quiet, Remains, TimeOver
from .folder import TemporaryFolder
from .small import start_small
from .starting import start
from .tree import LONGEST, SHORTEST, Process, Tree, children, has_children, names, peak_memory
from .tree import process as look_at
from .waiting import MovingError, Pipe, Task, nothing_more, tasks_of

CHUNK: Final = 64 * 1024
"""Bytes read from a program in one go."""

ERROR_TAIL: Final = 64 * 1024
"""Bytes of standard error that are kept: the last ones."""

PATIENCE: Final = 10.0
"""Seconds in which killed processes have to end."""


_PAGE: Final = resource.getpagesize()
_AT_FIRST: Final = 1e-3  # seconds in which most programs have answered, if they do
_LONGEST_TOLD: Final = 0.05  # seconds between two looks at what the system tells by itself
_CHUNKS_IN_PIPE: Final = 16  # as many as the largest pipe usually holds


@functools.cache
def can_watch() -> bool:
    """Say whether this system tells what has to be known; make this process a subreaper then."""
    if sys.platform != "linux" or not os.path.exists("/proc/self/stat"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return become_subreaper()


class WatchedProgram:
    """See `Subject`."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str] | None, *, small: bool = False
    ) -> None:
        if not can_watch():
            raise OSError("this system does not tell what a program waits for")
        others = children()
        self._folder = TemporaryFolder()
        self.pid = 0
        ends: list[int] = []
        try:
            for _ in range(3):
                ends += os.pipe()
            stdin, self._input, self._output, stdout, self._errors, stderr = ends
            variables = os.environ if environment is None else environment
            variables = {**variables, **self._folder.variables}
            theirs = (stdin, stdout, stderr)
            if small:
                self.pid, self._floor = start_small(command, variables, theirs, self._output)
            else:
                self.pid = start(command, variables, theirs)
                self._floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            self._life = os.pidfd_open(self.pid)
        except BaseException:
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            for end in ends:
                os.close(end)
            self._folder.remove()
            raise
        for end in theirs:
            os.close(end)
        self._tree = Tree(self.pid, others)
        self._pipe = Pipe.of(self._input)
        for end in (self._input, self._output, self._errors):
            os.set_blocking(end, False)
        self._reading = [self._output, self._errors, self._life]
        # What is to be written; None stands for: only when all before it was read.
        self._queue: deque[memoryview | None] = deque()
        self._holds_a_page = False  # no more than that
        self._late = False  # whether an answer to what was written has been waited for in vain
        self._open = True  # whether there is a reader at the other end of the input
        self._closing = self._closed = False
        self._error_tail = bytearray()
        self._status: int | None = None
        self._left_in_pipe = 0
        self._output_told = False
        self._memory = 0
        self._touched = 0
        self._remains: Remains | None = None

    # Input.

    @property
    def unread(self) -> bool:
        """Whether something that was written was not read."""
        return bool(self._queue) or bool(self._in_pipe())

    @property
    def error_output(self) -> bytes:
        """The end of standard error."""
        return bytes(self._error_tail)

    def _in_pipe(self) -> int:
        if self._remains is not None:
            return self._left_in_pipe
        return int.from_bytes(fcntl.ioctl(self._input, termios.FIONREAD, bytes(4)), sys.byteorder)

    def write_pieces(self, pieces: Sequence[bytes]) -> None:
        """See `Subject.write_pieces`."""
        if self._closing or self._remains is not None:
            raise ValueError("the program's input is closed")
        for piece in pieces:
            if len(pieces) > 1:
                self._queue.append(None)
            if piece:
                self._queue.append(memoryview(piece))
        self._late = False
        self._feed()

    def close_input(self) -> None:
        """See `Subject.close_input`."""
        if self._remains is None and not self._closing:
            self._closing = True
            self._feed()

    def close_output(self) -> None:
        """See `Subject.close_output`."""
        self._output_told = True
        if self._remains is None and self._output in self._reading:
            self._reading.remove(self._output)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, self._output)
            os.close(null)

    def _feed(self) -> None:
        """Write what the pipe takes; close it behind the last."""
        if self._closed:
            return
        try:
            while self._queue and self._open:
                if (data := self._queue[0]) is None:
                    if self._in_pipe():
                        break
                    self._queue.popleft()
                    continue
                if self._holds_a_page and (len(data) > _PAGE or self._in_pipe()):
                    self._hold_a_page(False)
                written = os.write(self._input, data)
                if written < len(data):
                    self._queue[0] = data[written:]
                else:
                    self._queue.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._open = False
        if self._closing and not (self._queue and self._open):
            self._close()
        elif self._open and self._awaits_reader():
            self._hold_a_page(True)
            self._open = self._has_reader()

    def _awaits_reader(self) -> bool:
        """Say whether it matters when what is in the pipe is read; most often an answer tells."""
        if self._queue:
            return self._queue[0] is None
        return self._late and self._in_pipe() > 0

    def _has_reader(self) -> bool:
        poll = select.poll()
        poll.register(self._input, 0)
        return not poll.poll(0)

    def _hold_a_page(self, wanted: bool) -> None:
        """Have the pipe hold a single page, so that it can be written to only when it is empty.

        Then the system says when all was read. Where it does not let the pipe be so small, it has
        to be looked at again and again.
        """
        if wanted is not self._holds_a_page:
            with suppress(OSError):
                size = fcntl.fcntl(self._input, fcntl.F_SETPIPE_SZ, _PAGE if wanted else CHUNK)
                self._holds_a_page = size == _PAGE

    def _close(self) -> None:
        self._closed = True
        self._memory = max(self._memory, peak_memory(self.pid))
        # A reading end tells what is left in the pipe; nobody writes to it any more.
        looking = os.open(f"/proc/self/fd/{self._input}", os.O_RDONLY | os.O_NONBLOCK)
        os.close(self._input)
        self._input = looking

    # Waiting.

    def next(self, timeout: float) -> Activity:
        """See `Subject.next`."""
        deadline = time.monotonic() + timeout
        pause = _LONGEST_TOLD if self._is_told() else SHORTEST if self._late else _AT_FIRST
        pause = min(pause, timeout)
        while self._status is None and self._remains is None:
            ready = self._wait(pause)
            if self._errors in ready:
                self._read_errors()
            self._late = self._late or not ready
            self._feed()
            if (self._output in ready or self._life in ready) and (data := self._read_output()):
                return Output(data)
            if self._life in ready:
                return Ended(self._reap())
            # At the end of its output the program itself ends, most often, right now.
            just = self._output in ready
            if not just and (over := self._after_output(final=False)) is not None:
                return over
            self._tree.reap()
            told = self._is_told() and not just
            if not ready and (not told or pause >= _LONGEST_TOLD) and self._is_quiet():
                return Quiet()
            left = deadline - time.monotonic()
            if left <= 0:
                return self._after_output(final=True) or TimeOver()
            if told:
                pause = min(_LONGEST_TOLD, left)
            else:
                pause = min(SHORTEST if ready else max(2 * pause, SHORTEST), LONGEST, left)
        return TimeOver() if self._status is None else Ended(self._status)

    def _is_told(self) -> bool:
        """Say whether the system tells of what usually comes: no need to look all the time."""
        return self._closed or not self._open or self._awaits_room()

    def _awaits_room(self) -> bool:
        """Say whether something is to be done as soon as the pipe can be written to."""
        if self._closed or not self._open:
            return False
        return bool(self._queue and self._queue[0]) or (
            self._holds_a_page and self._awaits_reader()
        )

    def _wait(self, timeout: float) -> list[int]:
        """Return which pipes can be used, at most so many seconds later; the life when it ended."""
        writing = [self._input] if self._awaits_room() else []
        readable, writable, _ = select.select(self._reading, writing, [], timeout)
        return [*readable, *writable]

    def _read_errors(self) -> None:
        with suppress(BlockingIOError):
            data = os.read(self._errors, CHUNK)
            if not data:
                self._reading.remove(self._errors)
            self._error_tail += data
            del self._error_tail[:-ERROR_TAIL]

    def _read_output(self) -> bytes:
        """Return what is there, or nothing; at the end of the output, do not look at it again."""
        if self._output not in self._reading:
            return b""
        try:
            data = os.read(self._output, CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            self._reading.remove(self._output)
        return data

    def _after_output(self, *, final: bool) -> OutputEnded | None:
        """Say that the output has ended, unless the program itself is just ending.

        Args:
            final: whether there is no time left to find that out.
        """
        if self._output_told or self._output in self._reading:
            return None
        with suppress(OSError):
            if look_at(self.pid).is_ending and not final:
                return None
        self._output_told = True
        return OutputEnded()

    def _is_quiet(self) -> bool:
        unread = self.unread
        try:
            before = self._tasks([self.pid])
            processes = self._look()
            if others := processes - {self.pid}:
                before |= self._tasks(others)
            after = self._tasks(processes)
            # While all tasks of the program wait, nobody but another process can start one.
            if before != after or (others and self._look() != processes):
                return False
        except MovingError:
            return False
        # Whatever came before is in the pipes by now.
        waits = nothing_more(after, self._pipe, unread=unread, closed=self._closed)
        return waits and not self._wait(0)

    def _look(self) -> frozenset[int]:
        found = self._tree.look()
        if found is None:
            raise MovingError
        return frozenset(found)

    def _tasks(self, processes: Iterable[int]) -> frozenset[Task]:
        tasks, memory = tasks_of(processes)
        self._memory = max(self._memory, memory)
        return tasks

    # The end.

    def _reap(self) -> int:
        """Wait for the program itself, which has ended, and read what it has left in its pipes."""
        if self._status is None:
            _, status, usage = os.wait4(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
            self._reading.remove(self._life)
            if not self._note_memory(usage.ru_maxrss * 1024):
                self._touched = usage.ru_minflt * _PAGE
            for _ in range(_CHUNKS_IN_PIPE):
                if self._errors in self._reading:
                    self._read_errors()
        return self._status

    def _note_memory(self, peak: int) -> bool:
        """Take into account what the system says of an ended process; say whether it tells.

        That starts from what this process had when it made the other, which is not counted quite
        exactly, so it tells nothing unless it is clearly more.
        """
        if peak <= self._floor * 5 // 4 + 4 * 2**20:
            return False
        self._memory = max(self._memory, peak)
        return True

    def kill(self, grace: float) -> Remains:
        """See `Subject.kill`."""
        if self._remains is not None:
            return self._remains
        if self._status is None:
            if self._life in self._wait(0):
                self._reap()
            else:
                grace = 0.0
        found = self._rest(grace)
        for pid in found:
            self._memory = max(self._memory, peak_memory(pid))
        rest = names({pid: each for pid, each in found.items() if pid != self.pid})
        self._note_memory(self._tree.end(PATIENCE))
        self._left_in_pipe = self._in_pipe()
        for descriptor in (self._input, self._output, self._errors, self._life):
            os.close(descriptor)
        self._queue.clear()
        self._folder.remove()
        self._remains = Remains(rest, self._memory or None, self._touched)
        return self._remains

    def _rest(self, grace: float) -> Mapping[int, Process]:
        """Return the processes that are still there, once the time for them to end is over."""
        deadline = time.monotonic() + grace
        pause = SHORTEST
        while has_children():
            self._tree.reap()
            found = self._tree.look_roughly()
            alive = {pid: each for pid, each in found.items() if not each.is_ending}
            left = deadline - time.monotonic()
            if not alive or left <= 0:
                return alive
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST)
        return {}
