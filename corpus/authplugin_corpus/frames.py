"""A byte stream as frames, with hold of the bytes that are none, so that they can be shown."""

from __future__ import annotations

from collections import deque

from authplugin import FrameDecoder, Limits, RemoteProtocolError
from authplugin.limits import DEFAULT_LIMITS

SHOWN_REST = 4096
"""Bytes that are kept of what follows a stream's first mistake."""


class FrameStream:
    """Cuts a stream into frames; raises nothing.

    Attributes:
        ready: the whole frames, length fields included, that nobody has taken yet.
        rest: the bytes behind the last of them; the first of them only, once `problem` is set.
        problem: what is wrong with `rest`, after which no more frames come; or None.
    """

    def __init__(self, limits: Limits) -> None:
        self.ready: deque[bytes] = deque()
        self.rest = bytearray()
        self.problem: RemoteProtocolError | None = None
        self._decoder = FrameDecoder(limits)

    def feed(self, data: bytes) -> None:
        """Take in a chunk; after a problem it is discarded."""
        if self.problem is not None:
            return
        self.rest += data
        try:
            for frame in self._decoder.feed(data):
                self.ready.append(bytes(frame))
                del self.rest[: len(frame)]
        except RemoteProtocolError as problem:
            self.problem = problem
            del self.rest[SHOWN_REST:]

    def end_of_file(self) -> None:
        """Say that the stream has ended: what is left of it is a problem."""
        if self.problem is None:
            try:
                self._decoder.end_of_file()
            except RemoteProtocolError as problem:
                self.problem = problem


def split_frames(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[bytes]:
    """Return the frames that bytes begin with, and as the last item whatever is behind those."""
    stream = FrameStream(limits)
    stream.feed(data)
    return [*stream.ready, bytes(stream.rest)] if stream.rest else list(stream.ready)
