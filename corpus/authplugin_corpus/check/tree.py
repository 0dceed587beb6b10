"""The processes that a program under test has started, as Linux tells in /proc.

This process is their subreaper: an orphan below it becomes its child. So the tree is whatever
descends from this process, without the children that it had before.
"""

from __future__ import annotations

import functools
import os
import shlex
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from .activity import MOST_NAMES

PF_EXITING: Final = 4
"""The flag of a task that is ending: what it had open may be closed already."""

SHORTEST: Final = 200e-6
LONGEST: Final = 5e-3
"""Seconds between two looks at a program: from the first to the second, doubled each time."""

_FIRST_OF_PROCESSES = 258  # where in the folder /proc the process 0 would be, see `_listed`
_NO_INODE = 1  # said of a process that ends while it is listed
_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT  # to look at an ended process, and leave it
_LONGEST_UNSEEN = 1.0  # seconds, in which not all numbers can be given to processes
_LONGEST_NAME = 200  # characters


class Process(NamedTuple):
    """A process at one moment: its own id, its parent's and its group's; state and flags."""

    pid: int
    parent: int
    group: int
    state: str
    flags: int

    @property
    def is_ending(self) -> bool:
        """Whether it has ended, or is doing so."""
        return self.state in "ZX" or bool(self.flags & PF_EXITING)


def read_text(*path: object, size: int = 4096) -> str:
    """Return the beginning of a file below /proc.

    Raises:
        OSError: where it cannot be read: most often the process has ended.
    """
    file = os.open("/".join(("/proc", *map(str, path))), os.O_RDONLY)
    try:
        return os.read(file, size).decode(errors="replace")
    finally:
        os.close(file)


def process(pid: int) -> Process:
    """Look at one process.

    Raises:
        OSError: where there is none.
    """
    fields = read_text(pid, "stat").rpartition(")")[2].split()
    return Process(pid, int(fields[1]), int(fields[2]), fields[0], int(fields[6]))


def has_children() -> bool:
    """Say whether this process has any child, be it living or not waited for."""
    try:
        os.waitid(os.P_ALL, 0, _ENDED)
    except ChildProcessError:
        return False
    return True


class _Table:
    """Finds the descendants of this process without looking at all others again and again."""

    def __init__(self) -> None:
        self._folder = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        self._myself = os.getpid()
        self._strangers: set[int] = set()  # by inode: a process id is used again, this is not

    def _listed(self, first: int) -> Iterator[tuple[int, int]]:
        """Yield (process id, inode) for all processes from an id on."""
        os.lseek(self._folder, _FIRST_OF_PROCESSES + first if first else 0, os.SEEK_SET)
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.isdigit():
                    yield int(entry.name), entry.inode()

    def descendants(self, first: int, *, strict: bool) -> dict[int, Process] | None:
        """Return the descendants of this process with an id of at least `first`.

        Args:
            first: that of a child, or 0.
            strict: whether to return None where some process ended while it was looked at: it may
                have left one that was not there when they were listed.
        """
        listed = dict(self._listed(first))
        if first and first not in listed:
            listed = dict(self._listed(0))  # where this kernel orders its folder otherwise
        found: dict[int, Process] = {}
        for pid, inode in listed.items():
            if inode not in self._strangers:
                try:
                    found[pid] = process(pid)
                except OSError:
                    if strict:
                        return None
        mine: dict[int, Process] = {}
        for each in found.values():
            line = [each]
            while (parent := line[-1].parent) != self._myself and parent in found:
                line.append(found[parent])
            if parent == self._myself:
                mine.update((one.pid, one) for one in line)
            elif parent < first or not parent or listed.get(parent) in self._strangers:
                self._strangers.update({listed[one.pid] for one in line} - {_NO_INODE})
            elif strict:
                return None
        self._strangers.intersection_update(listed.values())
        return mine


@functools.cache
def _table_of(pid: int) -> _Table:
    """Return the table of this process; a forked one needs its own."""
    return _Table()


def children() -> frozenset[int]:
    """Return the ids of this process's children."""
    if not has_children():
        return frozenset()
    found = _table_of(os.getpid()).descendants(0, strict=False) or {}
    return frozenset(pid for pid, each in found.items() if each.parent == os.getpid())


class Tree:
    """The processes of one program under test.

    Args:
        root: the program's process id; it must not have been waited for.
        others: the children that this process had before.
    """

    def __init__(self, root: int, others: Collection[int]) -> None:
        self.root = root
        self._others = frozenset(others)
        self._table = _table_of(os.getpid())
        self._first = root
        self._looked = time.monotonic()

    def look(self) -> dict[int, Process] | None:
        """Return its processes; None where they change too fast to tell."""
        now = time.monotonic()
        last = int(read_text("loadavg").split()[-1])  # the id that was given last
        if last < self._first or now - self._looked > _LONGEST_UNSEEN:
            self._first = 0  # the numbers have begun anew, or may have
        self._looked = now
        found = self._table.descendants(self._first, strict=True)
        return None if found is None else self._without_others(found)

    def look_roughly(self) -> dict[int, Process]:
        """Return its processes, maybe without some that are only just there."""
        return self._without_others(self._table.descendants(0, strict=False) or {})

    def _without_others(self, found: Mapping[int, Process]) -> dict[int, Process]:
        if not self._others:
            return dict(found)

        def is_ours(one: Process) -> bool:
            while one.pid not in self._others:
                if one.parent not in found:
                    return True
                one = found[one.parent]
            return False

        return {pid: each for pid, each in found.items() if is_ours(each)}

    def reap(self) -> None:
        """Wait for what has ended besides the root."""
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, _ENDED)) is not None:
                if ended.si_pid == self.root or ended.si_pid in self._others:
                    break
                os.waitpid(ended.si_pid, os.WNOHANG)

    def end(self, patience: float) -> int:
        """Kill and wait for all of it but the root, which must have been waited for.

        Args:
            patience: seconds after which what cannot be killed is left alone.

        Returns:
            The most memory that one of them is known to have had, in bytes.
        """
        memory = 0
        deadline = time.monotonic() + patience
        pause = SHORTEST
        while has_children() and time.monotonic() < deadline:
            found = self.look_roughly()
            if not found:
                break
            # Group by group: what forks meanwhile does not slip through.
            for group in {each.group for each in found.values()} - {os.getpgrp(), 0}:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            ended = 0
            for each in found.values():
                if each.state != "Z":
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(each.pid, signal.SIGKILL)
                if each.parent == os.getpid():
                    with suppress(ChildProcessError):
                        pid, _, usage = os.wait4(each.pid, os.WNOHANG)
                        if pid:
                            ended += 1
                            memory = max(memory, usage.ru_maxrss * 1024)
            if not ended:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST)
        return memory


def names(processes: Mapping[int, Process]) -> tuple[str, ...]:
    """Return the command lines of those processes that have not ended."""
    lines: list[str] = []
    for pid, each in sorted(processes.items()):
        if each.is_ending or len(lines) >= MOST_NAMES:
            continue
        with suppress(OSError):
            words = read_text(pid, "cmdline").rstrip("\0").split("\0")
            line = shlex.join(words) if words != [""] else f"[{read_text(pid, 'comm').strip()}]"
            lines.append(line[:_LONGEST_NAME])
    return tuple(lines)


def peak_memory(pid: int) -> int:
    """Return the most bytes that a living process has had in memory, 0 where it has ended."""
    with suppress(OSError):
        return peak_in(read_text(pid, "status"))
    return 0


def peak_in(status: str) -> int:
    """Return the most bytes that a process has had in memory, by its `status`; 0 for a zombie."""
    _, found, rest = status.partition("\nVmHWM:")
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0
