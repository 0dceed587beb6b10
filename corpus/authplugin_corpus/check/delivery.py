"""Bytes written to a program in pieces that it gets one at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from authplugin.process import SupervisedProcess

_SHORTEST = 50e-6
_LONGEST = 5e-3
"""Seconds between two looks at a pipe."""


def write_byte_by_byte(process: SupervisedProcess, data: bytes, deadline: float) -> None:
    """Write each byte by itself, the next when the one before has been read.

    Only on Linux can be seen what has been read, and only of a program that has left its standard
    input where it was; elsewhere the system may hand over some of the bytes together.
    """
    with _input_of(process.pid) as pipe:
        for index in range(len(data)):
            process.write(data[index : index + 1])
            if pipe is not None and not _wait_until_empty(pipe, process, deadline):
                process.write(data[index + 1 :])
                return


@contextmanager
def _input_of(pid: int) -> Iterator[int | None]:
    """Open the pipe that is a process's standard input, to look at; None where that cannot be."""
    try:
        pipe = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield pipe
    finally:
        os.close(pipe)


def _wait_until_empty(pipe: int, process: SupervisedProcess, deadline: float) -> bool:
    """Say whether the process has read all that is in the pipe, and could read more."""
    # The byte is written by another thread: what matters is that the reader has had time to take
    # it. Two bytes that are taken together once in a while do no harm.
    if sys.platform != "linux":
        return True
    import fcntl
    import termios

    pause = _SHORTEST
    while time.monotonic() < deadline:
        time.sleep(pause)
        if not any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))):
            return True
        if _has_ended(process):
            return False
        pause = min(2 * pause, _LONGEST)
    return False


def _has_ended(process: SupervisedProcess) -> bool:
    try:
        process.wait(0)
    except TimeoutError:
        return False
    return True
