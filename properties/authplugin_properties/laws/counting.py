"""How much work something does, counted: lines of the codec that run, and bytes that it copies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self, SupportsIndex

import authplugin
from authplugin import stream

_CODEC: Final = str(Path(authplugin.__file__).parent) + os.sep
_ABSENT: Final = object()


@dataclass(slots=True)
class Work:
    """What was done.

    Attributes:
        lines: lines of the package `authplugin` that ran, each time that each did, in this thread.
        copied: bytes that were copied into, or out of, what a stream decoder holds.
    """

    lines: int = 0
    copied: int = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Count what is done within; not for two threads at a time.

    A trace function that is there already, such as that of a debugger or of a measurement of
    coverage, does not see what runs within, and is there again behind it.
    """
    work = Work()
    before = sys.gettrace()
    own = vars(stream).get("bytearray", _ABSENT)
    setattr(stream, "bytearray", _counting(work))  # noqa: B010 - it hides the built-in one
    sys.settrace(_tracer(work))
    try:
        yield work
    finally:
        sys.settrace(before)
        if own is _ABSENT:
            delattr(stream, "bytearray")
        else:
            setattr(stream, "bytearray", own)  # noqa: B010 - as it was


def _tracer(work: Work) -> Callable[[FrameType, str, Any], Any]:
    ours: dict[str, bool] = {}

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            work.lines += 1
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if name not in ours:
            ours[name] = name.startswith(_CODEC)
        return line if ours[name] else None

    return call


def _counting(work: Work) -> type[bytearray]:
    """Return a bytearray that counts what is copied into it and out of it."""

    class Counting(bytearray):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            work.copied += len(self)

        def __iadd__(self, other: Any) -> Self:
            work.copied += len(other)
            return super().__iadd__(other)

        def extend(self, other: Any) -> None:
            size = len(self)
            super().extend(other)
            work.copied += len(self) - size

        def __add__(self, other: Any) -> bytearray:
            return Counting(super().__add__(other))

        def __radd__(self, other: Any) -> bytearray:
            return Counting(bytes(other) + bytes(memoryview(self)))

        def __getitem__(self, key: SupportsIndex | slice) -> Any:
            found = super().__getitem__(key)
            return Counting(found) if isinstance(found, bytearray) else found

        def __setitem__(self, key: Any, value: Any) -> None:
            if isinstance(key, slice):
                work.copied += len(value)
            super().__setitem__(key, value)

        def __bytes__(self) -> bytes:
            work.copied += len(self)
            return bytes(memoryview(self))

        def copy(self) -> bytearray:
            return Counting(self)

    return Counting
