"""How much of a plugin's output is read before anybody wants it."""

import os
import queue

import pytest

from authplugin.process import _Pipes


class Full(Exception):  # noqa: N818 - not an error: a place in the test
    """The reader wants to wait until somebody takes a chunk."""


class Room:
    def __init__(self, chunks: int) -> None:
        self.left = chunks

    def acquire(self) -> None:
        if not self.left:
            raise Full
        self.left -= 1


@pytest.mark.parametrize("chunks", [1, 3])
def test_no_more_is_read_ahead_than_there_is_room_for(
    chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []

    def read(pipe: int, size: int) -> bytes:
        reads.append(pipe)
        assert len(reads) <= chunks
        return b"x"

    monkeypatch.setattr(os, "read", read)
    pipes = object.__new__(_Pipes)
    pipes._room = Room(chunks)  # type: ignore[assignment]
    pipes._output = queue.SimpleQueue()
    pipes._closing = False
    with pytest.raises(Full):
        pipes._read_output(7)
    assert pipes._output.qsize() == len(reads) == chunks
