"""The input that a process works on, noted in a file that outlives the process.

    bytes 0 to 7    how many inputs it has begun
    bytes 8 to 15   1 more than the size of the one under way; 0 where none is
    then            that input

The file is mapped into memory, so noting costs next to nothing, and what was noted stays however
the process ends. All its blocks are there from the beginning, so that a full disk cannot end it.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final, NamedTuple

ROOM: Final = 256 * 1024
"""Bytes of an input that can be noted; one that is longer is only counted."""

_HEAD: Final = struct.Struct("<QQ")


class State(NamedTuple):
    """What is noted.

    Attributes:
        begun: how many inputs the process has begun.
        size: the size of the one under way, in bytes; None where none is.
    """

    begun: int
    size: int | None


def create(path: Path) -> None:
    """Make the file, in which nothing is noted.

    Raises:
        OSError: where there is no room for it.
    """
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, _HEAD.size + ROOM)
        else:
            file.write(bytes(_HEAD.size + ROOM))


class UnderWay:
    """Notes what is under way, in the process that does it.

    Args:
        path: a file that `create` has made.

    Raises:
        OSError, ValueError: where it is none.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _HEAD.size + ROOM)
        self._begun = 0

    def begin(self, data: bytes) -> None:
        """Note that an input is begun."""
        self._begun += 1
        size = len(data)
        # In this order, so that whenever the process ends no other input is taken for this one.
        _HEAD.pack_into(self._map, 0, self._begun, 0)
        if size <= ROOM:
            self._map[_HEAD.size : _HEAD.size + size] = data
        _HEAD.pack_into(self._map, 0, self._begun, size + 1)

    def end(self) -> None:
        """Note that it is done."""
        _HEAD.pack_into(self._map, 0, self._begun, 0)


def look(path: Path) -> State:
    """Return what a process has noted so far; nothing where there is no such file."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
    except FileNotFoundError:
        head = b""
    if len(head) < _HEAD.size:
        return State(0, None)
    begun, size = _HEAD.unpack(head)
    return State(begun, size - 1 if size else None)


def last(path: Path) -> bytes | None:
    """Return the input under way, or the last one of a process that has ended in its midst.

    None where there was none, or where it was too long to be noted.
    """
    size = look(path).size
    if size is None or size > ROOM:
        return None
    with path.open("rb") as file:
        file.seek(_HEAD.size)
        return file.read(size)
