"""Standard input and output, kept for the protocol alone."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Unheard(io.FileIO):
    """Takes what nobody reads any more: a client may close a plugin's standard error first."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def claim_stdio() -> tuple[int, int]:
    """Take standard input and output away from everybody else in this process.

    From then on whatever prints, in Python, in a C library or in a child process, prints to
    standard error, and whatever reads standard input finds it at its end: neither can disturb the
    conversation. What prints once the client has closed the other end is not told so: a result
    handler must not stop half-way for a stray `print`.

    Returns:
        File descriptors of their own, in binary mode, for what was standard input and output.

    Raises:
        OSError: where standard input or output is closed.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    for needed in (0, 1):
        os.fstat(needed)
    # Where there is no standard error, as a windowed client may have it, this takes its place.
    null = os.open(os.devnull, os.O_RDWR)
    source, sink = os.dup(0), os.dup(1)
    os.dup2(null, 0)
    os.dup2(2, 1)
    if null > 2:
        os.close(null)
    if sys.stderr is not None:
        heard = _Unheard(2, "w", closefd=False)
        sys.stdout = sys.stderr = io.TextIOWrapper(
            heard,
            errors="backslashreplace",
            write_through=True,
        )
    if sys.platform == "win32":
        import msvcrt

        for each in (source, sink):
            msvcrt.setmode(each, os.O_BINARY)
    return source, sink


def write_all(sink: int, data: bytes) -> None:
    """Write all of `data` to a file descriptor, however little it takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]
