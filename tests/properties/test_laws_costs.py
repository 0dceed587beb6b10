"""What the laws of costs count, and that it grows no faster than what comes."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from authplugin import FrameDecoder, Limits, ProtocolError, decode, stream
from authplugin_properties import laws
from authplugin_properties.laws.counting import Work, counted
from authplugin_properties.subjects import ROLES, STREAMS

from .frames import ACCEPT, ANSWER_1, ASK_1, INIT, METHOD, READY, SUCCESS
from .mistakes import join_all_that_is_held_with_each_chunk

KIB = 1024
WIDE = Limits(frame=1024 * KIB, text=1024 * KIB)


def uint32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def response(size: int) -> bytes:
    """Return one frame, which holds a response, of so many bytes in all."""
    return uint32(size - 4) + b"\x15" + uint32(1) + uint32(size - 13) + bytes(size - 13)


def small_frames(size: int) -> bytes:
    return ACCEPT * (size // len(ACCEPT))


def host_name(size: int) -> bytes:
    """Return a first frame of so many bytes in all, nearly all of them the host's name."""
    name = bytes(size - len(INIT))
    return uint32(size - 4) + INIT[4:9] + uint32(len(name)) + name + INIT[13:]


def turns(size: int) -> bytes:
    """Return a conversation of about so many bytes."""
    again = METHOD + ACCEPT + ASK_1 + ANSWER_1 + SUCCESS
    return INIT + READY + again * (size // len(again))


def work_per_byte(subject: Any, data: bytes) -> tuple[float, float]:
    with counted() as work:
        subject(data, (1,), WIDE)
    return work.lines / len(data), work.copied / len(data)


Data = Callable[[int], bytes]


@pytest.mark.parametrize(("data", "largest"), [(response, 256 * KIB), (small_frames, 64 * KIB)])
@pytest.mark.parametrize("name", STREAMS)
def test_a_byte_of_a_stream_costs_the_same_however_many_come(
    name: str, data: Data, largest: int
) -> None:
    lines, copied = work_per_byte(STREAMS[name], data(KIB))
    for size in (16 * KIB, largest):
        more_lines, more_copied = work_per_byte(STREAMS[name], data(size))
        assert 0 < more_lines <= lines * 1.01
        assert 0 < more_copied <= copied * 1.01


@pytest.mark.parametrize("data", [host_name, turns])
@pytest.mark.parametrize("name", ROLES)
def test_a_byte_of_a_conversation_costs_the_same_however_many_come(name: str, data: Data) -> None:
    lines, copied = work_per_byte(ROLES[name], data(KIB))
    for size in (4 * KIB, 16 * KIB):
        more_lines, more_copied = work_per_byte(ROLES[name], data(size))
        # What is said and heard beside the size weighs less and less, or the same.
        assert more_lines <= lines * 1.05
        assert more_copied <= copied * 1.05


def test_a_byte_costs_more_where_all_is_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    join_all_that_is_held_with_each_chunk(monkeypatch)
    _, copied = work_per_byte(STREAMS["FrameDecoder"], response(KIB))
    _, more_copied = work_per_byte(STREAMS["FrameDecoder"], response(4 * KIB))
    assert more_copied > 3 * copied


# A claim of 4 GiB, which the limits allow, and of which little comes.
@pytest.mark.parametrize("claimed", [10, 2**31, 2**32 - 1])
@pytest.mark.parametrize("came", [0, 1, 20_000])
def test_a_claim_costs_nothing(claimed: int, came: int) -> None:
    data = uint32(claimed) + b"\x15" + bytes(came)
    for limits in (Limits(), Limits(2**32 - 1, 2**32 - 1, 2**32 - 1)):
        laws.held_is_bounded(data, (7,), limits)
        laws.memory_is_bounded(data, (7,), limits)
        laws.work_is_linear(data, (7,), limits)


# What is counted.


def one_byte(work: Work) -> int:
    before = work.lines
    list(FrameDecoder().feed(b"\0"))
    return work.lines - before


def test_lines_of_the_codec_are_counted_and_no_others() -> None:
    with counted() as work:
        assert one_byte(work) == one_byte(work) > 5
        before = work.lines
        sum(1 for _ in range(1000))
        assert work.lines == before


def test_copied_bytes_are_counted() -> None:
    with counted() as work:
        made = stream.bytearray(b"12345")  # type: ignore[attr-defined]  # there while it counts
        costs = []

        def cost(of: Callable[[], object]) -> None:
            before = work.copied
            of()
            costs.append(work.copied - before)

        cost(lambda: made + b"67")
        cost(lambda: b"67" + made)
        cost(lambda: made.__iadd__(b"67"))
        cost(lambda: made[:3])
        cost(lambda: made[0])
        cost(lambda: bytes(made))
        cost(made.copy)
        cost(lambda: made.extend(b"8"))
        cost(lambda: made.__setitem__(slice(0, 2), b"ab"))
        cost(lambda: memoryview(made)[1:])
    assert costs == [7, 7, 2, 3, 0, 7, 7, 1, 2, 0]
    assert made == b"ab345678"


def test_what_was_traced_before_is_traced_again() -> None:
    seen = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        seen.append(frame.f_code.co_name)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(ProtocolError), counted():
            decode(ACCEPT * 2)
        assert "decode" not in seen
        assert sys.gettrace() is trace
        decode(ACCEPT)
    finally:
        sys.settrace(before)
    assert "decode" in seen
    assert "bytearray" not in vars(stream)


def test_memory_that_was_traced_before_is_traced_on() -> None:
    tracemalloc.start()
    try:
        laws.memory_is_bounded(INIT + READY, (5,))
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    laws.memory_is_bounded(INIT + READY, (5,))
    assert not tracemalloc.is_tracing()
