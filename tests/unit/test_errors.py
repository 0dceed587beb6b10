"""Every way in which a frame can be wrong, and what is said of it."""

import itertools
from collections.abc import Iterator

import pytest

import authplugin
from authplugin import (
    ErrorCode,
    LocalProtocolError,
    MessageDecoder,
    ProtocolError,
    RemoteProtocolError,
)
from authplugin.messages import PluginInit
from authplugin.reading import refuse_fields
from authplugin_properties.oracles import Limits

from ..properties.frames import REFUSED
from .samples import (
    EVERY,
    PLAIN,
    RICH,
    SECRET,
    Problem,
    Sample,
    cut,
    framed,
    heard,
    judged,
    pieces_of,
    problem_in,
    told,
    uint32,
)

each_sample = pytest.mark.parametrize("sample", EVERY, ids=str)

BEFORE = [PLAIN[0].frame, RICH[8].frame]
AFTER = PLAIN[3].frame


def own(limits: Limits | None) -> authplugin.Limits:
    """Return the codec's limits with the values of the oracle's."""
    of = limits or Limits()
    most = 2**32 - 1
    return authplugin.Limits(
        min(of.frame, most),
        min(of.text, most),
        min(of.count, most),
        nonzero_is_true=of.nonzero_is_true,
        any_bytes=of.any_bytes,
    )


def refused(frame: bytes, limits: Limits | None = None) -> Problem:
    """Hold the codec against the oracle, alone and in a stream, and return what is wrong."""
    expected = problem_in(frame, limits)
    assert expected is not None, frame
    with pytest.raises(RemoteProtocolError) as caught:
        authplugin.decode(frame, own(limits))
    assert told(caught.value) == expected, frame
    shown = f"{caught.value}{caught.value!r}{caught.value.args}"
    assert SECRET[:4] not in shown
    # Where the frame's length is wrong what follows is part of it, which the oracle knows too.
    ahead = BEFORE if limits is None else []
    stream = b"".join([*ahead, frame, AFTER])
    start = len(b"".join(ahead))
    wanted = judged(stream, limits)
    for chunks in (
        [stream],
        pieces_of(stream, 1),
        pieces_of(stream, 7),
        cut(stream, start),
        cut(stream, start + 5, start + len(frame)),
    ):
        assert heard(chunks, own(limits)) == wanted, (frame, chunks)
    return expected


@pytest.mark.parametrize(("frame", "code", "field", "offset", "limits"), REFUSED)
def test_frames_written_by_hand(
    frame: bytes, code: str, field: str | None, offset: int, limits: Limits
) -> None:
    assert refused(frame, limits) == (code, field, offset)


# Truncation.


def missing_at(sample: Sample, size: int) -> Problem:
    """Return what the layout says of a frame that has only its first `size` bytes."""
    for span in sample.spans:
        left = size - span.offset
        data = sample.frame[span.offset : span.offset + span.size]
        if left < span.size and span.kind not in ("utf8", "ascii", "unstated"):
            return "field-truncated", span.field, span.offset
        value = int.from_bytes(data, "big")
        if span.kind == "length" and left - 4 < value:
            return "field-truncated", span.field, span.offset
        if span.kind == "count" and left - 4 < value * (5 if span.field == "prompts" else 4):
            return "count-impossible", span.field, span.offset
    raise AssertionError(f"{size} bytes are enough")


@each_sample
def test_a_frame_cut_anywhere_with_its_length_kept_true(sample: Sample) -> None:
    frame = sample.frame
    assert refused(framed(b"")) == ("frame-empty", None, 0)
    for size in range(5, len(frame)):
        assert refused(framed(frame[4:size])) == missing_at(sample, size)


@each_sample
def test_a_frame_cut_anywhere_with_its_length_as_it_was(sample: Sample) -> None:
    frame = sample.frame
    for size in range(len(frame)):
        assert refused(frame[:size]) == ("end-truncated", None, size)
        decoder = MessageDecoder()
        assert len(list(decoder.feed(b"".join(BEFORE) + frame[:size]))) == len(BEFORE)
        assert decoder.held == size
        if size == 0:
            decoder.end_of_file()
            continue
        with pytest.raises(RemoteProtocolError) as caught:
            decoder.end_of_file()
        assert told(caught.value) == ("end-truncated", None, size)


# Lengths and counts.


def wrong_numbers(value: int) -> Iterator[int]:
    yield from {value - 1, value + 1, 2**31 - 1, 2**31, 2**32 - 1} - {-1}


@each_sample
def test_the_length_of_the_frame_is_off(sample: Sample) -> None:
    body = sample.body
    for length in wrong_numbers(len(body)):
        frame = uint32(length) + body
        problem = refused(frame)
        if length == 0:
            assert problem == ("frame-empty", None, 0)
        elif length > 262_144:
            assert problem == ("frame-too-long", None, 0)
        elif length < len(body):
            assert problem == ("trailing-bytes", None, 4 + length)
        else:
            assert problem == ("end-truncated", None, len(frame))


@each_sample
def test_the_length_of_a_string_or_a_count_is_off(sample: Sample) -> None:
    for at in sample.of_kind("length", "count"):
        span = sample.spans[at]
        value = int.from_bytes(sample.pieces[at].data, "big")
        for number in wrong_numbers(value):
            frame = sample.with_piece(at, uint32(number)).frame
            problem = refused(frame)
            assert problem is not None
            if number > 65_536:
                too_much = {"length": "string-too-long", "count": "count-too-large"}[span.kind]
                assert problem == (too_much, span.field, span.offset)
                with pytest.raises(RemoteProtocolError) as caught:
                    authplugin.decode(frame)
                assert str(number) not in str(caught.value)
            elif number < value and span.kind == "length":
                # What comes next is read a byte early, and never taken for right.
                assert problem[2] is not None
                assert problem[2] >= span.offset + 4


@each_sample
@pytest.mark.parametrize("number", [2**31, 2**32 - 1])
def test_a_huge_length_within_the_limits_is_beyond_the_frame(sample: Sample, number: int) -> None:
    most = Limits(2**32, 2**32, 2**32)
    for at in sample.of_kind("length", "count"):
        span = sample.spans[at]
        code = {"length": "field-truncated", "count": "count-impossible"}[span.kind]
        frame = sample.with_piece(at, uint32(number)).frame
        assert refused(frame, most) == (code, span.field, span.offset)


@each_sample
def test_a_byte_too_many(sample: Sample) -> None:
    end = len(sample.frame)
    for value in range(256):
        assert refused(framed(sample.body + bytes([value]))) == ("trailing-bytes", None, end)
    with pytest.raises(RemoteProtocolError) as caught:
        authplugin.decode(sample.frame + b"\0")
    assert told(caught.value) == ("trailing-bytes", None, end)


# Values.


@pytest.mark.parametrize("sample", [s for s in EVERY if s.of_kind("boolean")], ids=str)
def test_a_boolean_that_is_neither_0_nor_1(sample: Sample) -> None:
    for at in sample.of_kind("boolean"):
        span = sample.spans[at]
        for value in range(2, 256):
            frame = sample.with_piece(at, bytes([value])).frame
            assert refused(frame) == ("bad-boolean", span.field, span.offset)


def test_a_type_byte_of_no_message() -> None:
    known = {1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 22, 23}
    for code in set(range(256)) - known:
        assert refused(framed(bytes([code]))) == ("unknown-type", None, 4)
        assert refused(framed(bytes([code]) + b"\0\0\0\0")) == ("unknown-type", None, 4)


# Each is ill-formed from its first byte on (Unicode, table 3-7).
ILL_FORMED = {
    "continuation alone, lowest": b"\x80",
    "continuation alone, highest": b"\xbf",
    "overlong 2, lowest": b"\xc0\x80",
    "overlong 2, highest": b"\xc1\xbf",
    "overlong 3, lowest": b"\xe0\x80\x80",
    "overlong 3, highest": b"\xe0\x9f\xbf",
    "overlong 4, lowest": b"\xf0\x80\x80\x80",
    "overlong 4, highest": b"\xf0\x8f\xbf\xbf",
    "surrogate, lowest": b"\xed\xa0\x80",
    "surrogate, highest": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "far above U+10FFFF": b"\xf7\xbf\xbf\xbf",
    "form of five bytes": b"\xf8\x88\x80\x80\x80",
    "form of six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "byte FE": b"\xfe",
    "byte FF": b"\xff",
    "1 of 2 bytes": b"\xc3",
    "1 of 3 bytes": b"\xe2",
    "2 of 3 bytes": b"\xe2\x82",
    "1 of 4 bytes": b"\xf0",
    "2 of 4 bytes": b"\xf0\x9f",
    "3 of 4 bytes": b"\xf0\x9f\x98",
}
GOOD_TEXT = "a\u00e9".encode()


@pytest.mark.parametrize("ill", ILL_FORMED.values(), ids=ILL_FORMED)
def test_text_that_is_not_utf8(ill: bytes) -> None:
    for sample in EVERY:
        for at in sample.of_kind("utf8", "unstated"):
            span = sample.spans[at]
            for before in (b"", GOOD_TEXT):
                for after in (b"", b"a", GOOD_TEXT, b"\0"):
                    frame = sample.with_piece(at, before + ill + after).frame
                    problem = ("bad-utf8", span.field, span.offset + len(before))
                    assert refused(frame) == problem


@pytest.mark.parametrize("sequence", ["\u00e9", "\u20ac", "\U0001f600"])
def test_a_sequence_split_across_two_fields(sequence: str) -> None:
    data = sequence.encode()
    for sample in EVERY:
        texts = sample.of_kind("utf8", "unstated")
        for first, second in itertools.pairwise(texts):
            for half in range(1, len(data)):
                split = sample.with_piece(first, b"a" + data[:half])
                frame = split.with_piece(second, data[half:] + b"a").frame
                span = split.spans[first]
                assert refused(frame) == ("bad-utf8", span.field, span.offset + 1)


@pytest.mark.parametrize("value", [b"\x80", b"\xff", "\u00e9".encode(), "\U0001f600".encode()])
def test_names_of_methods_and_languages_are_ascii(value: bytes) -> None:
    seen = 0
    for sample in EVERY:
        for at in sample.of_kind("ascii"):
            span = sample.spans[at]
            for before in (b"", b"en"):
                frame = sample.with_piece(at, before + value + b"x").frame
                problem = ("bad-ascii", span.field, span.offset + len(before))
                assert refused(frame) == problem
                assert refused(frame, Limits(any_bytes=True, nonzero_is_true=True)) == problem
                seen += 1
    assert seen >= 6


# The errors themselves.


def test_the_codes_are_stable() -> None:
    assert " ".join(ErrorCode) == (
        "frame-empty frame-too-long end-truncated end-premature unknown-type field-truncated "
        "string-too-long count-too-large count-impossible trailing-bytes bad-boolean bad-utf8 "
        "bad-ascii bad-name-list bad-value wrong-turn wrong-side wrong-state session-over "
        "version-above-offer version-unsupported method-unknown response-count poisoned"
    )


def test_local_and_remote_errors_are_kinds_of_protocol_errors() -> None:
    for kind in (LocalProtocolError, RemoteProtocolError):
        assert issubclass(kind, ProtocolError)
        assert issubclass(kind, ValueError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)


@pytest.mark.parametrize(
    ("field", "offset", "text"),
    [
        (None, None, "bad-boolean: a text"),
        (None, 0, "bad-boolean: a text (at byte 0 of the frame)"),
        ("prompts[1].echo", None, "bad-boolean: a text (in prompts[1].echo)"),
        ("port", 9, "bad-boolean: a text (at byte 9 of the frame, in port)"),
    ],
)
def test_an_error_reads_well(field: str | None, offset: int | None, text: str) -> None:
    error = RemoteProtocolError(ErrorCode.BAD_BOOLEAN, "a text", field=field, offset=offset)
    assert str(error) == text
    assert error.text == "a text"
    assert told(error) == ("bad-boolean", field, offset)


def test_no_frame_without_fault_is_refused() -> None:
    """The decoders and the reader that says what is wrong judge alike; else that is our bug."""
    spec = PluginInit.spec
    with pytest.raises(AssertionError, match="the decoder of PLUGIN_INIT refused"):
        refuse_fields(spec, memoryview(PLAIN[0].frame), authplugin.Limits())
