"""What a stream costs: memory within the bounds, and work in proportion to its bytes.

Counted in bytes and in executed lines, never in seconds.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

import pytest

import authplugin
from authplugin import FrameDecoder, Limits, MessageDecoder, PluginSession, RemoteProtocolError

from .samples import framed, pieces_of, uint32

HUGE = Limits(2**32 - 1, 2**32 - 1, 2**32 - 1)
KIB = 1024
MIB = 1024 * KIB


@dataclass
class Cost:
    """What a call came to: bytes beyond those before it, at the most and at the end."""

    result: Any
    peak: int
    left: int


def cost_of(call: Callable[[], object]) -> Cost:
    """Call twice, and count the second time, when all that is kept for good is there."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = call()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Cost(result, peak - before, after - before)


def lines_of(call: Callable[[], object]) -> int:
    """Return how many lines of Python a call executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def response(size: int, text: bytes = b"r") -> bytes:
    """Return a frame of one response of so many bytes."""
    data = (text * (size // len(text) + 1))[:size]
    return framed(b"\x15" + uint32(1) + uint32(size) + data)


# What a peer claims.


@pytest.mark.parametrize("rest", [b"", b"\x15", b"\x15\xff\xff\xff\xff", bytes(1000)])
@pytest.mark.parametrize("step", [1, 4, 2000])
def test_a_claimed_length_allocates_nothing(rest: bytes, step: int) -> None:
    chunks = pieces_of(uint32(2**32 - 1) + rest, step)

    def claim() -> tuple[FrameDecoder, PluginSession]:
        decoder = FrameDecoder(HUGE)
        session = PluginSession(HUGE)
        for chunk in chunks:
            assert list(decoder.feed(chunk)) == []
            session.receive_data(chunk)
        return decoder, session

    cost = cost_of(claim)
    # The two objects themselves are most of it.
    assert cost.peak <= 6 * KIB + 3 * len(rest)
    assert [each.held for each in cost.result] == [4 + len(rest)] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"\x15" + uint32(2**32 - 1),
        b"\x15" + uint32(2**32 - 1) + bytes(400),
        b"\x15" + uint32(1) + uint32(2**32 - 1),
        b"\x14" + bytes(12) + uint32(2**32 - 1),
        b"\x05" + uint32(2**32 - 1),
        b"\x01" + uint32(2) + uint32(2**32 - 1),
    ],
)
def test_a_claimed_count_or_string_allocates_nothing(body: bytes) -> None:
    frame = framed(body)

    def claim() -> None:
        for limits in (HUGE, Limits()):
            with pytest.raises(RemoteProtocolError):
                authplugin.decode(frame, limits)

    # Most of it is the error with its traceback.
    assert cost_of(claim).peak <= 16 * KIB


# What is held, and what is copied.


def test_what_is_held_is_bounded_by_a_frame_and_a_chunk() -> None:
    limits = Limits(frame=100)
    stream = response(91) * 20
    for size in (1, 3, 50, 104, 150, 333):
        decoder = FrameDecoder(limits)
        for chunk in pieces_of(stream, size):
            taking = decoder.feed(chunk)
            assert decoder.held < 104 + size
            for _ in taking:
                assert decoder.held < 104 + size
            assert decoder.held < 104


@pytest.mark.parametrize("text", [b"r", "\u00e9".encode(), "\U0001f600".encode()], ids=len)
def test_a_large_field_that_comes_whole_costs_no_copy(text: bytes) -> None:
    size = 4 * MIB
    frame = response(size, text)
    for decode in (
        lambda: authplugin.decode(frame, HUGE),
        lambda: next(iter(MessageDecoder(HUGE).feed(frame))),
    ):
        cost = cost_of(decode)
        assert isinstance(cost.result, authplugin.PluginKIServerResponse)
        assert len(cost.result.responses[0]) == size
        assert cost.peak <= 128 * KIB
        assert cost.left <= 4 * KIB


@pytest.mark.parametrize("chunk", [4 * KIB, 64 * KIB])
def test_a_large_field_that_comes_in_chunks_is_held_once(chunk: int) -> None:
    size = 4 * MIB
    frame = response(size)
    chunks = pieces_of(frame, chunk)

    def decode() -> list[authplugin.Message]:
        decoder = MessageDecoder(HUGE)
        return [message for piece in chunks for message in decoder.feed(piece)]

    cost = cost_of(decode)
    assert len(cost.result) == 1
    assert cost.peak <= size + size // 8 + chunk + 128 * KIB
    assert cost.left <= size + size // 8 + 4 * KIB


# One byte at a time.


def one_byte_at_a_time(size: int) -> None:
    decoder = MessageDecoder(HUGE)
    for piece in pieces_of(response(size), 1):
        list(decoder.feed(piece))
    assert decoder.held == 0


def test_single_bytes_take_the_same_work_each_however_many_there_are() -> None:
    few, many = 2_000, 16_000
    ratio = lines_of(lambda: one_byte_at_a_time(many)) / lines_of(lambda: one_byte_at_a_time(few))
    assert ratio < 1.1 * many / few


def test_single_bytes_are_added_to_what_is_held_and_do_not_copy_it() -> None:
    size = 256 * KIB
    chunks = [*pieces_of(response(size)[:-100], 4 * KIB), *pieces_of(response(size)[-100:-1], 1)]

    def feed() -> int:
        """Return how much more is in use while the last of them come than before."""
        decoder = FrameDecoder(HUGE)
        for chunk in chunks[:-99]:
            list(decoder.feed(chunk))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak() if tracemalloc.is_tracing() else None
        for chunk in chunks[-99:]:
            list(decoder.feed(chunk))
        _, peak = tracemalloc.get_traced_memory()
        assert decoder.held == size + 12
        return peak - held

    # A copy would have been there beside the original.
    assert cost_of(feed).result < size // 4


def test_many_frames_in_one_chunk_take_the_same_work_each() -> None:
    def decode(count: int) -> Callable[[], object]:
        stream = framed(b"\x04") * count
        return lambda: sum(1 for _ in MessageDecoder().feed(stream))

    assert lines_of(decode(4_000)) < 1.1 * 10 * lines_of(decode(400))
    # The chunk is not copied, and its items are not gathered.
    assert cost_of(decode(100_000)).peak < 64 * KIB


def test_what_is_poisoned_keeps_nothing() -> None:
    large = framed(b"\x01" + bytes(MIB))[:-2]
    wrong = [uint32(MIB + 10) + bytes(MIB), b"\0\0" + uint32(MIB + 10) + bytes(MIB)]

    def poison(bad: bytes) -> tuple[FrameDecoder, PluginSession]:
        decoder = FrameDecoder(Limits(frame=MIB + 1))
        session = PluginSession(Limits(frame=MIB + 1))
        list(decoder.feed(large))
        session.receive_data(large)
        with pytest.raises(RemoteProtocolError):
            list(decoder.feed(bad))
        session.receive_data(bad)
        assert session.violation is not None
        gc.collect()  # what pytest keeps of the error that was raised
        return decoder, session

    for bad in wrong:
        cost = cost_of(partial(poison, bad))
        assert cost.result[0].held == cost.result[1].held == 0
        assert cost.left < 8 * KIB
