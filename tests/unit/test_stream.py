"""Byte streams to frames and messages: chunking, views, misuse, and how a stream may end."""

import itertools
import sys
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authplugin
from authplugin import (
    ErrorCode,
    FrameDecoder,
    Limits,
    LocalProtocolError,
    MessageDecoder,
    RemoteProtocolError,
)

from .dialogues import Names, frames, moves, walks
from .samples import (
    EVERY,
    PLAIN,
    SECRET,
    cut,
    framed,
    heard,
    judged,
    neutral,
    pieces_of,
    told,
    uint32,
)

FIRST, SECOND = PLAIN[0].frame, PLAIN[8].frame
SHORT = PLAIN[3].frame
BAD = framed(b"\x63")
ONCE = list(walks(1))
TWICE = list(walks(2))


def drain(decoder: Any, chunks: list[bytes], out: list[Any]) -> None:
    """Feed a decoder, and put what comes out into `out`, whatever happens."""
    for chunk in chunks:
        out.extend(decoder.feed(chunk))


# The same, whatever the chunking.


def test_each_dialogue_is_the_same_cut_anywhere() -> None:
    assert len(TWICE) > 100
    for names in TWICE:
        wanted = frames(moves(names))
        stream = b"".join(wanted)
        # The decoder goes on from one cut to the next: it has to be as new after each.
        decoder = FrameDecoder()
        for at in range(len(stream) + 1):
            taken = [*decoder.feed(stream[:at])]
            taken += decoder.feed(stream[at:])
            assert taken == wanted, (names, at)
        decoder.end_of_file()


@pytest.mark.parametrize("names", ONCE, ids=len)
def test_each_dialogue_is_the_same_messages_cut_anywhere(names: Names) -> None:
    said = moves(names)
    stream = b"".join(frames(said))
    wanted = [message for _, _, message in said], None, 0
    for at in range(len(stream) + 1):
        assert heard(cut(stream, at)) == wanted, at


@pytest.mark.parametrize("names", ONCE, ids=len)
def test_each_short_dialogue_is_the_same_cut_at_any_two_places(names: Names) -> None:
    wanted = frames(moves(names))
    stream = b"".join(wanted)
    decoder = FrameDecoder()
    for places in itertools.combinations(range(len(stream) + 1), 2):
        taken = [frame for chunk in cut(stream, *places) for frame in decoder.feed(chunk)]
        assert taken == wanted, places
        assert decoder.held == 0


@pytest.mark.parametrize("names", ONCE, ids=len)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 16])
def test_each_dialogue_is_the_same_in_chunks_of_one_size(names: Names, size: int) -> None:
    said = moves(names)
    stream = b"".join(frames(said))
    wanted = [message for _, _, message in said], None, 0
    assert heard(pieces_of(stream, size)) == wanted
    # Chunks of no bytes change nothing.
    padded = [part for chunk in pieces_of(stream, size) for part in (b"", chunk, b"")]
    assert heard(padded) == wanted


def test_frames_of_messages_that_nobody_knows_are_still_frames() -> None:
    decoder = FrameDecoder()
    assert [bytes(frame) for frame in decoder.feed(BAD + SHORT)] == [BAD, SHORT]


def test_the_method_says_what_the_codes_mean() -> None:
    early = MessageDecoder(method=None)
    assert [neutral(m) for m in early.feed(FIRST)] == judged(FIRST)[0]
    with pytest.raises(RemoteProtocolError) as caught:
        list(early.feed(SECOND))
    assert told(caught.value) == ("unknown-type", None, 4)
    with pytest.raises(LocalProtocolError, match="no messages are known for 'password'") as misuse:
        MessageDecoder(method="password")
    assert misuse.value.code is ErrorCode.METHOD_UNKNOWN


# Views.


def views(value: Any) -> Iterator[memoryview]:
    """Yield all views that a message, or a frame, holds."""
    if isinstance(value, memoryview):
        yield value
    elif isinstance(value, authplugin.Message):
        for field in value.spec.fields:
            yield from views(getattr(value, field.name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from views(item)


STREAM = b"".join(sample.frame for sample in EVERY)


@pytest.mark.parametrize("decoder", [FrameDecoder, MessageDecoder])
def test_whole_frames_are_viewed_where_they_are(decoder: Callable[[], Any]) -> None:
    found = [view for item in decoder().feed(STREAM) for view in views(item)]
    assert len(found) >= len(EVERY)
    for view in found:
        assert view.obj is STREAM
        assert view.readonly
        assert (view.format, view.ndim) == ("B", 1)


def test_frames_that_came_in_parts_are_put_together_once() -> None:
    for at in range(1, len(SECOND)):
        decoder = MessageDecoder()
        assert list(decoder.feed(SECOND[:at])) == []
        (message,) = decoder.feed(SECOND[at:])
        found = list(views(message))
        assert all(view.readonly for view in found)
        assert len({id(view.obj) for view in found}) == 1, "one assembly for all of them"
        # What comes later is not written over it.
        list(decoder.feed(FIRST[:5]))
        assert [neutral(message)] == judged(SECOND)[0]


def test_a_decoder_lets_go_of_what_has_been_taken() -> None:
    data = bytes(STREAM + FIRST[:3])
    before = sys.getrefcount(data)
    decoder = MessageDecoder()
    for _ in decoder.feed(data):
        pass
    del _
    assert sys.getrefcount(data) == before
    assert decoder.held == 3


def doubled(data: bytes) -> bytes:
    return b"".join(bytes([byte, 0xFF]) for byte in data)


KINDS: dict[str, tuple[Callable[[bytes], Any], bool]] = {
    # What is fed, and whether it can be looked at where it is.
    "bytes": (lambda data: data, True),
    "view of bytes": (memoryview, True),
    "part of a view": (lambda data: memoryview(b"xx" + data + b"yy")[2:-2], True),
    "view of signed bytes": (lambda data: memoryview(data).cast("b"), True),
    "view of characters": (lambda data: memoryview(data).cast("c"), True),
    "view of words": (lambda data: memoryview(data).cast("I"), True),
    "view of rows": (lambda data: memoryview(data).cast("B", (len(data) // 4, 4)), True),
    "every second byte": (lambda data: memoryview(doubled(data))[::2], False),
    "bytearray": (bytearray, False),
    "view of a bytearray": (lambda data: memoryview(bytearray(data)), False),
    "read-only view": (lambda data: memoryview(bytearray(data)).toreadonly(), False),
    "view of an array": (lambda data: memoryview(array("I", data)), False),
    "backwards": (lambda data: memoryview(data[::-1])[::-1], False),
}
# As many bytes as views of words and of rows can be made of.
EVEN = next(e for e in (STREAM + SHORT * n for n in range(4)) if len(e) % 4 == 0)


@pytest.mark.parametrize(("make", "viewed"), KINDS.values(), ids=KINDS)
def test_every_kind_of_buffer_is_taken(make: Callable[[bytes], Any], viewed: bool) -> None:
    given = make(EVEN)
    decoder = MessageDecoder()
    messages = list(decoder.feed(given))
    assert [neutral(message) for message in messages] == judged(EVEN)[0]
    owner = given.obj if isinstance(given, memoryview) else given
    for view in views(messages):
        assert view.readonly
        assert (view.obj is owner) is viewed
        assert viewed or isinstance(view.obj, bytes)


@pytest.mark.parametrize("make", [bytearray, lambda data: array("B", data)])
@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_buffer_that_is_changed_afterwards_changes_nothing(
    make: Callable[[bytes], Any], readonly: bool, parts: int
) -> None:
    stream = FIRST + SECOND + SHORT
    decoder = MessageDecoder()
    messages: list[authplugin.Message] = []
    for piece in pieces_of(stream, -(-len(stream) // parts)):
        buffer = make(piece)
        given = buffer
        if readonly or not isinstance(buffer, bytearray):
            given = memoryview(buffer).toreadonly() if readonly else memoryview(buffer)
        taking = decoder.feed(given)
        # Even before the items are taken.
        for at in range(len(buffer)):
            buffer[at] = 0xFF
        messages += taking
    assert [neutral(message) for message in messages] == judged(stream)[0]


@pytest.mark.parametrize("wrong", ["text", 5, None, [1, 2], array("B", b"ab")])
def test_what_is_no_buffer_of_bytes_is_misuse(wrong: Any) -> None:
    decoder = FrameDecoder()
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="expected bytes, bytearray or memoryview"):
            decoder.feed(wrong)
    assert len(list(decoder.feed(FIRST))) == 1


# Taking items, and misuse.


def test_the_iterator_can_be_left_and_taken_up_again() -> None:
    decoder = FrameDecoder()
    assert list(decoder) == []
    decoder.feed(FIRST + SECOND + SHORT)
    assert decoder.held == len(FIRST + SECOND + SHORT)
    for frame in decoder:
        assert bytes(frame) == FIRST
        break
    assert decoder.held == len(SECOND + SHORT)
    taking = iter(decoder)
    assert bytes(next(taking)) == SECOND
    assert decoder.held == len(SHORT)
    assert [bytes(frame) for frame in decoder] == [SHORT]
    assert list(taking) == []
    assert decoder.held == 0


def test_held_counts_the_bytes_that_have_not_gone_out() -> None:
    stream = FIRST + SECOND + SHORT + FIRST[:6]
    for at in range(len(stream) + 1):
        decoder = FrameDecoder()
        gone = 0
        for end, chunk in zip((at, len(stream)), cut(stream, at), strict=True):
            taking = decoder.feed(chunk)
            assert decoder.held == end - gone
            for frame in taking:
                gone += len(frame)
                assert decoder.held == end - gone
            assert decoder.held == end - gone
        assert gone == len(stream) - 6


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize("begun", [0, 2, 9])
@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_feeding_before_all_items_are_taken_loses_nothing(
    size: int, begun: int, taken: int
) -> None:
    frames_sent = [FIRST, SECOND, SHORT]
    stream = b"".join(frames_sent)
    decoder = FrameDecoder()
    list(decoder.feed(stream[:begun]))
    taking = decoder.feed(stream[begun:] + FIRST[:2])
    out = [bytes(next(taking)) for _ in range(taken)]
    for misuse in (lambda: decoder.feed(bytes(size)), decoder.end_of_file):
        with pytest.raises(LocalProtocolError, match="take all items of the last chunk") as caught:
            misuse()
        assert caught.value.code is ErrorCode.WRONG_TURN
    out += [bytes(frame) for frame in decoder]
    assert out == frames_sent
    assert decoder.held == 2
    assert [bytes(frame) for frame in decoder.feed(FIRST[2:])] == [FIRST]


def test_poisoned_stays_poisoned() -> None:
    for ahead in (b"", SHORT, SHORT + SHORT):
        for chunks in ([ahead + BAD + SHORT], pieces_of(ahead + BAD + SHORT, 1)):
            decoder = MessageDecoder()
            taken: list[authplugin.Message] = []
            with pytest.raises(RemoteProtocolError):
                drain(decoder, chunks, taken)
            assert taken == [authplugin.PluginProtocolAccept()] * (len(ahead) // len(SHORT))
            assert decoder.held == 0
            for _ in range(2):
                for misuse in (
                    lambda decoder=decoder: decoder.feed(SHORT),
                    lambda decoder=decoder: decoder.feed(b""),
                    decoder.end_of_file,
                ):
                    with pytest.raises(LocalProtocolError, match="refused with unknown-type") as e:
                        misuse()
                    assert e.value.code is ErrorCode.POISONED
                assert list(decoder) == []


# The end.


@pytest.mark.parametrize("ahead", [b"", FIRST, FIRST + SECOND], ids=len)
def test_the_stream_may_end_between_frames_only(ahead: bytes) -> None:
    for size in range(len(SECOND)):
        for chunks in ([ahead + SECOND[:size]], pieces_of(ahead + SECOND[:size], 1)):
            decoder = FrameDecoder()
            for chunk in chunks:
                list(decoder.feed(chunk))
            assert decoder.held == size
            if size == 0:
                decoder.end_of_file()
            else:
                with pytest.raises(RemoteProtocolError) as caught:
                    decoder.end_of_file()
                assert told(caught.value) == ("end-truncated", None, size)
            for misuse in (lambda d=decoder: d.feed(SHORT), decoder.end_of_file):
                with pytest.raises(LocalProtocolError, match="the input has ended") as local:
                    misuse()
                assert local.value.code is ErrorCode.POISONED


# Limits as they are come upon in a stream; memory and time are in test_bounds.


@pytest.mark.parametrize("decoder", [FrameDecoder, MessageDecoder])
def test_a_frame_that_is_too_long_is_refused_as_soon_as_its_length_is_there(
    decoder: Callable[[Limits], Any],
) -> None:
    limits = Limits(frame=len(FIRST) - 4)
    for chunks in ([uint32(len(FIRST) - 3)], pieces_of(uint32(len(FIRST) - 3), 1)):
        reader = decoder(limits)
        assert len(list(reader.feed(FIRST))) == 1
        with pytest.raises(RemoteProtocolError) as caught:
            drain(reader, chunks, [])
        assert told(caught.value) == ("frame-too-long", None, 0)
        assert SECRET not in str(caught.value)
        assert reader.limits is limits
