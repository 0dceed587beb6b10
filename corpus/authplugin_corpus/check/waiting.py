"""Whether the processes of a program wait, and what for, as Linux tells in /proc.

Two looks at every task that show the same system calls, and no switch of a task in between, prove
that at one moment between the two all of them waited. Whoever waits with a time limit, or for
something that is not known to be inside the program, may go on by itself: that is not waiting here.
"""

from __future__ import annotations

import os
import platform
import struct
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from .sockets import has_open, peer_of
from .tree import peak_in, read_text

_STOPPED: Final = "stopped"
"""The system call of a task that a signal has stopped, whatever it was doing."""


class Wait(Enum):
    """What a task waits for without a time limit."""

    INPUT = auto()
    """For the program's input, perhaps among other things."""
    INSIDE = auto()
    """For another task of the program; or it is stopped, and goes on when one has it go on."""
    UNKNOWN = auto()
    """For something else; or with a time limit; or it does not wait."""


class Task(NamedTuple):
    """A task at one moment: system call, arguments, how often it was switched; and its process."""

    process: int
    task: int
    call: str
    switches: str
    caught: int


class MovingError(Exception):
    """Some task does not wait, or cannot be looked at."""


class Pipe(NamedTuple):
    """The pipe that is the program's input, by the numbers that tell it from others."""

    device: int
    inode: int

    @classmethod
    def of(cls, descriptor: int) -> Pipe:
        """Return that of an open file descriptor."""
        status = os.fstat(descriptor)
        return cls(status.st_dev, status.st_ino)

    @property
    def link(self) -> str:
        """How it is called below /proc/PID/fd."""
        return f"pipe:[{self.inode}]"


def tasks_of(processes: Iterable[int]) -> tuple[frozenset[Task], int]:
    """Return all tasks of some processes that have not ended, and the most memory of one in bytes.

    Raises:
        MovingError: where one of them does not sleep.
    """
    tasks: set[Task] = set()
    memory = 0
    try:
        for pid in processes:
            status = read_text(pid, "status")
            memory = max(memory, peak_in(status))
            if _field(status, "Threads") == "1":
                tasks |= _task(pid, pid, status)
                continue
            for name in os.listdir(f"/proc/{pid}/task"):
                task = int(name)
                tasks |= _task(pid, task, read_text(pid, "task", task, "status"))
    except OSError as error:
        raise MovingError from error
    return frozenset(tasks), memory


def _task(pid: int, task: int, status: str) -> set[Task]:
    state = _field(status, "State")
    if state.startswith(("Z", "X")):
        return set()
    if state.startswith("S"):
        call = read_text(pid, "task", task, "syscall")
    else:
        call = _STOPPED if state.startswith("T") else "running"
    if not call[0].isdigit() and call != _STOPPED:
        raise MovingError
    return {
        Task(pid, task, call, status[status.index("\nvol") :], int(_field(status, "SigCgt"), 16))
    }


def _field(status: str, name: str) -> str:
    return status.partition(f"\n{name}:\t")[2].partition("\n")[0]


def nothing_more(tasks: Collection[Task], pipe: Pipe, *, unread: bool, closed: bool) -> bool:
    """Say whether tasks that wait do so until something more comes through a pipe, or for ever.

    Args:
        tasks: all that there are.
        pipe: the program's input.
        unread: whether there is something in the pipe.
        closed: whether nobody can write to it any more.
    """
    waits = set()
    processes = {task.process for task in tasks}
    for task in tasks:
        try:
            waits.add(_Look(task, processes, pipe).wait())
        except (OSError, ValueError, IndexError, struct.error):
            return False
        if Wait.UNKNOWN in waits:
            return False
    # No timer may be running, which would interrupt the waiting.
    if not waits or any(map(_has_timer, processes)):
        return False
    if Wait.INPUT in waits and not closed:
        return not unread
    # Whoever sleeps though the pipe is at its end is not woken by it any more.
    return not any(map(_may_be_called, processes))


# Timers.

_TIMER_SIGNALS: Final = 1 << 13 | 1 << 25 | 1 << 26
"""SIGALRM, SIGVTALRM and SIGPROF: /proc does not tell whether `setitimer` will send them."""


def _has_timer(pid: int) -> bool:
    try:
        return read_text(pid, "timers") != ""
    except OSError:
        return True


def _may_be_called(pid: int) -> bool:
    """Say whether some file may call a process, which waits for something else, by a signal."""
    try:
        return any(
            os.readlink(f"/proc/{pid}/fd/{name}") == "anon_inode:[io_uring]"
            or int(_field("\n" + read_text(pid, "fdinfo", name), "flags"), 8) & _O_ASYNC
            for name in os.listdir(f"/proc/{pid}/fd")
        )
    except (OSError, ValueError):
        return True


_O_ASYNC: Final = 0o20000


# System calls, by what their arguments mean.

_FUTEX_WAITS: Final = {0, 6, 9, 11, 13}
"""The operations of `futex` that wait, without their flags."""
_FUTEX_OPERATION: Final = 0x7F
_FUTEX_PRIVATE: Final = 0x80
_DEEPEST: Final = 4  # sets of descriptors in sets of descriptors


class _Look:
    """One task that waits."""

    def __init__(self, task: Task, processes: Iterable[int], pipe: Pipe) -> None:
        number, *words = task.call.split()
        self.name = number if number == _STOPPED else SYSTEM_CALLS.get(int(number), "")
        self.arguments = [int(word, 16) for word in words]
        self.task = task
        # Of the task, not of its process: that may have lost its first thread, and then shows none.
        self.place = f"/proc/{task.process}/task/{task.task}"
        self.processes = processes
        self.pipe = pipe

    def wait(self) -> Wait:
        look = _LOOKS.get(self.name)
        if look is None or self.task.caught & _TIMER_SIGNALS:
            return Wait.UNKNOWN
        return look(self)

    # One for each kind of call.

    def transfer(self) -> Wait:
        # With a socket it may have a time limit that shows nowhere.
        return self._descriptor(self.arguments[0])

    def futex(self) -> Wait:
        address, operation, _, limit = self.arguments[:4]
        if operation & _FUTEX_OPERATION not in _FUTEX_WAITS or limit:
            return Wait.UNKNOWN
        inside = operation & _FUTEX_PRIVATE or not self._is_open_to_others(address)
        return Wait.INSIDE if inside else Wait.UNKNOWN

    def another(self) -> Wait:
        return Wait.INSIDE

    def sigtimedwait(self) -> Wait:
        signals, _, limit = self.arguments[:3]
        (wanted,) = struct.unpack("=Q", self._memory(signals, 8))
        return Wait.UNKNOWN if limit or wanted & _TIMER_SIGNALS else Wait.INSIDE

    def poll(self) -> Wait:
        return self._polled() if _negative(self.arguments[2]) else Wait.UNKNOWN

    def ppoll(self) -> Wait:
        return Wait.UNKNOWN if self.arguments[2] else self._polled()

    def select(self) -> Wait:
        count, *sets, limit = self.arguments[:5]
        if limit or not 0 <= count <= _MOST_POLLED:
            return Wait.UNKNOWN
        chosen: dict[int, bool] = {}
        for index, address in enumerate(sets):
            if address:
                bits = int.from_bytes(self._memory(address, (count + 63) // 64 * 8), sys.byteorder)
                for number in range(count):
                    if bits >> number & 1:
                        chosen[number] = chosen.get(number, False) or index == 0
        return self._any(chosen)

    def epoll(self) -> Wait:
        return self._epolled(self.arguments[0]) if _negative(self.arguments[3]) else Wait.UNKNOWN

    def epoll2(self) -> Wait:
        return Wait.UNKNOWN if self.arguments[3] else self._epolled(self.arguments[0])

    # What they wait for.

    def _polled(self) -> Wait:
        address, count = self.arguments[:2]
        if count > _MOST_POLLED:
            return Wait.UNKNOWN
        chosen: dict[int, bool] = {}
        for number, events, _ in struct.iter_unpack("=ihh", self._memory(address, count * 8)):
            if number >= 0:
                chosen[number] = chosen.get(number, False) or bool(events & _READABLE)
        return self._any(chosen)

    def _any(self, chosen: Mapping[int, bool], depth: int = 0) -> Wait:
        """Return what descriptors are waited for; the values say whether to read from them."""
        waits = set()
        for number, readable in chosen.items():
            wait = self._descriptor(number, depth, polled=True)
            waits.add(wait if readable or wait is Wait.UNKNOWN else Wait.INSIDE)
        return next((wait for wait in (Wait.UNKNOWN, Wait.INPUT) if wait in waits), Wait.INSIDE)

    def _descriptor(self, number: int, depth: int = 0, *, polled: bool = False) -> Wait:
        link = os.readlink(f"{self.place}/fd/{number}")
        if link == self.pipe.link:
            return Wait.INPUT
        if link.startswith("pipe:["):
            return Wait.INSIDE
        if link == "anon_inode:[eventpoll]":
            return self._epolled(number, depth + 1)
        if link.startswith("socket:["):
            peer = peer_of(int(link[8:-1])) if polled else None
            inside = peer is not None and has_open(self.processes, f"socket:[{peer}]")
            return Wait.INSIDE if inside else Wait.UNKNOWN
        quiet = _INSIDE.get(link)
        return Wait.INSIDE if quiet is not None and quiet(self._info(number)) else Wait.UNKNOWN

    def _epolled(self, number: int, depth: int = 0) -> Wait:
        if depth > _DEEPEST:
            return Wait.UNKNOWN
        chosen = {}
        for line in self._info(number).splitlines():
            if line.startswith("tfd:"):
                words = line.replace(":", ": ").split()
                target = int(words[1])
                # The number may mean another file by now; what is watched is the old one.
                same = os.stat(f"{self.place}/fd/{target}").st_ino
                if int(words[words.index("ino:") + 1], 16) != same:
                    return Wait.UNKNOWN
                chosen[target] = bool(int(words[3], 16) & _READABLE)
        return self._any(chosen, depth)

    def _info(self, number: int) -> str:
        info = read_text(
            self.task.process, "task", self.task.task, "fdinfo", number, size=_LONGEST_INFO
        )
        if len(info) >= _LONGEST_INFO:
            raise ValueError("too much to read")
        return info

    def _is_open_to_others(self, address: int) -> bool:
        """Say whether memory is a file's that has a name, by which any process may share it."""
        with open(f"{self.place}/maps", encoding="utf-8", errors="replace") as file:
            for line in file:
                bounds, permissions, _, _, _, *name = line.split(maxsplit=5)
                first, last = (int(bound, 16) for bound in bounds.split("-"))
                if first <= address < last:
                    shared = permissions.endswith("s") and bool(name)
                    return shared and not name[0].rstrip().endswith("(deleted)")
        return True

    def _memory(self, address: int, size: int) -> bytes:
        file = os.open(f"{self.place}/mem", os.O_RDONLY)
        try:
            return os.pread(file, size, address)
        finally:
            os.close(file)


_READABLE: Final = 0x41  # POLLIN and POLLRDNORM, which are EPOLLIN and EPOLLRDNORM
_MOST_POLLED: Final = 4096
_LONGEST_INFO: Final = 64 * 1024


def _negative(number: int) -> bool:
    """Say whether the C `int` in a register is below zero."""
    return bool(number & 0x8000_0000)


def _waits_for_no_timer(info: str) -> bool:
    mask = next(line for line in info.splitlines() if line.startswith("sigmask:"))
    return not int(mask.split()[1], 16) & _TIMER_SIGNALS


_INSIDE: Final[Mapping[str, Callable[[str], bool]]] = {
    "anon_inode:[eventfd]": lambda info: True,
    "anon_inode:[signalfd]": _waits_for_no_timer,
}
"""Files of which the ends are inside the program, each with what its `fdinfo` has to look like."""

_LOOKS: Final[Mapping[str, Callable[[_Look], Wait]]] = {
    _STOPPED: _Look.another,
    "read": _Look.transfer,
    "readv": _Look.transfer,
    "write": _Look.transfer,
    "writev": _Look.transfer,
    "futex": _Look.futex,
    "wait4": _Look.another,
    "waitid": _Look.another,
    "pause": _Look.another,
    "rt_sigsuspend": _Look.another,
    "rt_sigtimedwait": _Look.sigtimedwait,
    "poll": _Look.poll,
    "ppoll": _Look.ppoll,
    "select": _Look.select,
    "pselect6": _Look.select,
    "epoll_wait": _Look.epoll,
    "epoll_pwait": _Look.epoll,
    "epoll_pwait2": _Look.epoll2,
}

_NUMBERS: Final[Mapping[str, tuple[int | None, int | None]]] = {
    # x86-64, aarch64
    "read": (0, 63),
    "readv": (19, 65),
    "write": (1, 64),
    "writev": (20, 66),
    "futex": (202, 98),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "pause": (34, None),
    "rt_sigsuspend": (130, 133),
    "rt_sigtimedwait": (128, 137),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441),
}

_MACHINES: Final = {"x86_64": 0, "aarch64": 1}


def system_calls(machine: str) -> dict[int, str]:
    """Return the numbers and names of the system calls that wait; none for unknown machines."""
    column = _MACHINES.get(machine)
    if column is None:
        return {}
    return {
        number: name
        for name, numbers in _NUMBERS.items()
        if (number := numbers[column]) is not None
    }


SYSTEM_CALLS: Final = system_calls(platform.machine())
