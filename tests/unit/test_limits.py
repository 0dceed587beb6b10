"""The bounds and the leniencies: what is right at each, and what is wrong one above."""

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from authplugin import (
    ErrorCode,
    Limits,
    LocalProtocolError,
    Message,
    MessageDecoder,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolReject,
    RemoteProtocolError,
    decode,
    encode,
)
from authplugin.kinds import BooleanKind, CountedKind, Encoding, StringKind, UInt32Kind
from authplugin_properties.oracles import cursor

from .samples import EVERY, Sample, built, framed, neutral, told, uint32

LARGEST = 2**32 - 1


def with_limit(name: str, value: Any) -> Limits:
    return Limits(**{name: value})


def test_the_defaults() -> None:
    limits = Limits()
    assert (limits.frame, limits.text, limits.count) == (262_144, 65_536, 1_024)
    assert (limits.nonzero_is_true, limits.any_bytes) == (False, False)
    assert repr(limits) == (
        "Limits(frame=262144, text=65536, count=1024, nonzero_is_true=False, any_bytes=False)"
    )


@pytest.mark.parametrize(("name", "least"), [("frame", 1), ("text", 1), ("count", 0)])
def test_the_bounds_have_bounds(name: str, least: int) -> None:
    for value in (least, LARGEST):
        assert getattr(with_limit(name, value), name) == value
    wrong: list[Any] = [least - 1, -1, LARGEST + 1, 1.0, "1", None, True]
    for value in wrong:
        with pytest.raises(ValueError, match=f"Limits.{name} is .* from {least} to {LARGEST}"):
            with_limit(name, value)


@pytest.mark.parametrize("name", ["nonzero_is_true", "any_bytes"])
@pytest.mark.parametrize("value", ["yes", None, 2])
def test_a_leniency_is_a_bool(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Limits.{name}"):
        with_limit(name, value)


def test_limits_cannot_be_changed_but_compared_copied_and_pickled() -> None:
    limits = Limits(frame=10, any_bytes=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.frame = 11  # type: ignore[misc]
    assert limits == Limits(frame=10, any_bytes=True)
    assert limits != Limits(frame=10)
    assert hash(limits) == hash(Limits(frame=10, any_bytes=True))
    for made in (copy.copy(limits), copy.deepcopy(limits), pickle.loads(pickle.dumps(limits))):
        assert made == limits
        assert encode(PluginInitFailure("no"), made) == framed(b"\x08\0\0\0\x02no")
    assert dataclasses.replace(limits, text=5) == Limits(frame=10, text=5, any_bytes=True)


def refusals(message: Message, limits: Limits) -> tuple[ErrorCode, str | None]:
    """Hold that a message is refused both ways alike; return the code and the field."""
    frame = encode(message, Limits(LARGEST, LARGEST, LARGEST, limits.nonzero_is_true, True))
    with pytest.raises(LocalProtocolError) as local:
        encode(message, limits)
    with pytest.raises(RemoteProtocolError) as remote:
        decode(frame, limits)
    assert local.value.code is remote.value.code
    assert local.value.field == remote.value.field
    assert local.value.offset in (None, remote.value.offset)
    return local.value.code, local.value.field


# By limit: its name, a message, and the least limit under which it is right.
AT_THE_LIMIT: list[tuple[str, Message, int, ErrorCode]] = [
    ("frame", PluginProtocol("abc"), 8, ErrorCode.FRAME_TOO_LONG),
    ("frame", PluginKIServerResponse(["ab", "c"]), 16, ErrorCode.FRAME_TOO_LONG),
    ("frame", PluginInit(2, "ab", 22, "c"), 20, ErrorCode.FRAME_TOO_LONG),
    ("text", PluginInit(2, "abcd", 22, ""), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginInit(2, "", 22, "abcd"), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginInitResponse(2, "abcd"), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginInitFailure("\u20aca"), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginProtocolReject("abcd"), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginProtocol("abcd"), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIServerRequest("abcd", "", "", []), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIServerRequest("", "abcd", "", []), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIUserRequest("", "", "abcd", []), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIUserRequest("", "", "", [("", True), ("abcd", True)]), 4,
     ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIServerRequest("", "", "", [("abcd", True)]), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIServerResponse(["", "abcd"]), 4, ErrorCode.STRING_TOO_LONG),
    ("text", PluginKIUserResponse(["abcd"]), 4, ErrorCode.STRING_TOO_LONG),
    ("count", PluginKIServerRequest("", "", "", [("", True)] * 3), 3, ErrorCode.COUNT_TOO_LARGE),
    ("count", PluginKIUserRequest("", "", "", [("", True)]), 1, ErrorCode.COUNT_TOO_LARGE),
    ("count", PluginKIServerResponse([""] * 3), 3, ErrorCode.COUNT_TOO_LARGE),
    ("count", PluginKIUserResponse([""]), 1, ErrorCode.COUNT_TOO_LARGE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "message", "limit", "code"), AT_THE_LIMIT)
def test_what_fills_a_limit_is_right_and_one_more_is_wrong(
    name: str, message: Message, limit: int, code: ErrorCode
) -> None:
    enough = with_limit(name, limit)
    frame = encode(message, enough)
    assert decode(frame, enough) == message
    assert list(MessageDecoder(enough).feed(frame)) == [message]
    with pytest.raises(LocalProtocolError) as caught:
        encode(message, with_limit(name, limit - 1))
    assert caught.value.code is code
    refusals(message, with_limit(name, limit - 1))


@pytest.mark.parametrize(
    "message",
    [
        PluginProtocol("k" * 65_537),
        PluginInitFailure("m" * 65_535 + "\u00e9"),
        PluginKIServerResponse([""] * 1_025),
        PluginKIServerResponse(["r" * 65_536] * 4),
    ],
)
def test_what_is_over_the_defaults_is_wrong(message: Message) -> None:
    refusals(message, Limits())


@pytest.mark.parametrize(
    "message",
    [
        PluginProtocol("k" * 65_536),
        PluginInitFailure("m" * 65_534 + "\u00e9"),
        PluginKIServerResponse(["r"] * 1_024),
        PluginKIServerResponse(["r" * 65_536, "s" * 65_536, "t" * 65_536, "u" * 65_515]),
    ],
)
def test_what_fills_the_defaults_is_right(message: Message) -> None:
    assert decode(encode(message)) == message


def test_no_elements_at_all_can_be_the_limit() -> None:
    none = Limits(count=0)
    assert decode(encode(PluginKIServerResponse([]), none), none) == PluginKIServerResponse([])
    assert decode(encode(PluginProtocol("k"), none), none) == PluginProtocol("k")
    refusals(PluginKIServerResponse([""]), none)


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_every_text_and_every_count_is_held_against_its_limit(sample: Sample) -> None:
    for at in sample.of_kind("utf8", "ascii", "unstated"):
        long = sample.with_piece(at, b"k" * 50)
        message = built(cursor.decode(long.frame))
        assert encode(message, Limits(text=50)) == long.frame
        assert neutral(decode(long.frame, Limits(text=50))) == cursor.decode(long.frame)
        assert refusals(message, Limits(text=49)) == ("string-too-long", sample.pieces[at].field)
    for at in sample.of_kind("count"):
        count = int.from_bytes(sample.pieces[at].data, "big")
        message = built(cursor.decode(sample.frame))
        assert encode(message, Limits(count=count)) == sample.frame
        assert refusals(message, Limits(count=count - 1)) == (
            ("count-too-large", sample.pieces[at].field)
        )
    message = built(cursor.decode(sample.frame))
    assert encode(message, Limits(frame=len(sample.frame) - 4)) == sample.frame
    if len(sample.frame) > 5:
        too_long = refusals(message, Limits(frame=len(sample.frame) - 5))
        assert too_long == ("frame-too-long", None)


def test_a_frame_that_is_too_long_is_not_blamed_on_what_fills_its_limit() -> None:
    for message in (
        PluginKIServerResponse(["abc"] * 3),
        PluginKIUserRequest("abc", "", "", [("abc", True)] * 3),
        PluginInitFailure("abc"),
        PluginProtocol("abc"),
    ):
        with pytest.raises(LocalProtocolError) as caught:
            encode(message, Limits(frame=len(encode(message)) - 5, text=3, count=3))
        assert (caught.value.code, caught.value.field) == ("frame-too-long", None)


# Leniency.


def echoes(*octets: int) -> bytes:
    prompts = b"".join(b"\0\0\0\x01p" + bytes([octet]) for octet in octets)
    return framed(b"\x16" + bytes(12) + uint32(len(octets)) + prompts)


def test_any_byte_but_0_is_true_where_that_is_asked_for() -> None:
    lenient = Limits(nonzero_is_true=True)
    frame = echoes(*range(256))
    message = decode(frame, lenient)
    assert isinstance(message, PluginKIUserRequest)
    assert [bool(echo) for _, echo in message.prompts] == [False] + [True] * 255
    assert [echo for _, echo in message.prompts][:2] == [False, True]
    assert all(type(echo) is bool for _, echo in message.prompts[:2])
    # Nothing is lost in passing, and nothing else than the leniency makes it right.
    assert encode(message, lenient) == frame
    assert encode(message.detach(), lenient) == frame
    for strict in (Limits(), Limits(any_bytes=True)):
        with pytest.raises(LocalProtocolError) as caught:
            encode(message, strict)
        assert caught.value.code is ErrorCode.BAD_VALUE
        assert caught.value.field == "prompts[2].echo"
        with pytest.raises(RemoteProtocolError) as remote:
            decode(frame, strict)
        assert told(remote.value) == ("bad-boolean", "prompts[2].echo", 21 + 2 * 6 + 5)


UNSTATED: list[tuple[str, Message]] = [
    ("hostname", PluginInit(2, b"h\xff", 22, "")),
    ("username", PluginInit(2, "", 22, b"u\xff")),
    ("username", PluginInitResponse(2, b"u\xff")),
    ("message", PluginInitFailure(b"m\xff")),
    ("message", PluginProtocolReject(b"m\xff")),
]
STATED: list[tuple[str, Message]] = [
    ("method", PluginProtocol(b"m\xff")),
    ("name", PluginKIServerRequest(b"n\xff", "", "", [])),
    ("instructions", PluginKIUserRequest("", b"n\xff", "", [])),
    ("language", PluginKIUserRequest("", "", b"n\xff", [])),
    ("prompts[0].prompt", PluginKIServerRequest("", "", "", [(b"p\xff", True)])),
    ("responses[1]", PluginKIServerResponse(["", b"r\xff"])),
    ("responses[0]", PluginKIUserResponse([b"r\xff"])),
]


@pytest.mark.parametrize(("field", "message"), UNSTATED)
def test_any_bytes_pass_where_no_encoding_is_stated_and_it_is_asked_for(
    field: str, message: Message
) -> None:
    lenient = Limits(any_bytes=True)
    frame = encode(message, lenient)
    read = decode(frame, lenient)
    assert read == message
    assert encode(read, lenient) == encode(read.detach(), lenient) == frame
    # What is not UTF-8 stays bytes; the rest becomes str.
    kept = getattr(read.detach(), field)
    assert type(kept) is bytes
    assert kept == getattr(message, field)
    for strict in (Limits(), Limits(nonzero_is_true=True)):
        refusals(message, strict)
        with pytest.raises(LocalProtocolError) as caught:
            encode(message, strict)
        assert (caught.value.code, caught.value.field) == ("bad-utf8", field)


@pytest.mark.parametrize(("field", "message"), STATED)
def test_leniency_takes_no_other_bytes(field: str, message: Message) -> None:
    code = ErrorCode.BAD_ASCII if field in ("method", "language") else ErrorCode.BAD_UTF8
    for limits in (Limits(), Limits(nonzero_is_true=True, any_bytes=True)):
        with pytest.raises(LocalProtocolError) as caught:
            encode(message, limits)
        assert (caught.value.code, caught.value.field) == (code, field)


# What the limits are held against: the wire kinds (RFC 4251, section 5).


def test_the_wire_kinds_know_their_least_size() -> None:
    text = StringKind(Encoding.UTF8)
    assert (UInt32Kind.least_size, BooleanKind.least_size, text.least_size) == (4, 1, 4)
    assert CountedKind((("a", text), ("b", BooleanKind()))).least_element_size == 5
    assert CountedKind((("a", text),)).least_element_size == 4


@pytest.mark.parametrize("bound", range(6))
@pytest.mark.parametrize("count", range(8))
def test_short_and_plain_frames_are_held_against_every_limit(bound: int, count: int) -> None:
    """Encoding looks again only at what could be too much: nothing may slip by."""
    message = PluginKIServerResponse(["ab"] * count)
    frame = encode(message)
    for limits, right in (
        (Limits(count=bound), count <= bound),
        (Limits(text=bound + 1), count == 0 or bound >= 1),
        (Limits(frame=6 * bound + 1), len(frame) - 4 <= 6 * bound + 1),
    ):
        if right:
            assert encode(message, limits) == frame
        else:
            refusals(message, limits)
