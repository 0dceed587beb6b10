"""Good frames to messages and back, one at a time, and the misuse of `decode`."""

from collections.abc import Callable
from typing import Any

import pytest

import authplugin
from authplugin import ErrorCode, Limits, LocalProtocolError, RemoteProtocolError, decode, encode
from authplugin_properties.oracles import cursor

from ..properties.frames import VALID
from .samples import CLASSES, EVERY, Neutral, Sample, built, framed, neutral, told, uint32

each_valid = pytest.mark.parametrize(("frame", "message"), VALID)
GOOD = EVERY[0].frame


@each_valid
def test_a_frame_is_read_as_written_by_hand(frame: bytes, message: Neutral) -> None:
    read = decode(frame)
    assert type(read) is CLASSES[message["type"]]
    # repr as well, since True == 1.
    assert repr(neutral(read)) == repr(message)


@each_valid
def test_a_message_is_written_as_written_by_hand(frame: bytes, message: Neutral) -> None:
    assert encode(built(message)) == frame
    assert type(encode(built(message))) is bytes


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_what_is_read_is_written_again(sample: Sample) -> None:
    read = decode(sample.frame)
    assert neutral(read) == cursor.decode(sample.frame)
    assert encode(read) == sample.frame
    assert encode(read.detach()) == sample.frame
    assert neutral(decode(encode(read.detach()))) == cursor.decode(sample.frame)


def test_every_message_is_among_the_samples() -> None:
    assert {type(decode(sample.frame)) for sample in EVERY} == set(authplugin.MESSAGES)


@pytest.mark.parametrize("method", [None, "keyboard-interactive"])
def test_the_codes_from_20_up_belong_to_the_method(method: str | None) -> None:
    for sample in EVERY:
        if method is None and sample.code >= 20:
            with pytest.raises(RemoteProtocolError) as caught:
                decode(sample.frame, method=method)
            assert told(caught.value) == ("unknown-type", None, 4)
        else:
            assert neutral(decode(sample.frame, method=method)) == cursor.decode(sample.frame)


@pytest.mark.parametrize("frame", [GOOD, b"", b"\0\0", framed(b"\x63"), GOOD[:-1]])
def test_a_method_without_messages_is_misuse(frame: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="only for None, 'keyboard-interactive'") as caught:
        decode(frame, method="password")
    assert caught.value.code is ErrorCode.METHOD_UNKNOWN
    assert "'password'" in str(caught.value)


WRONG: list[Any] = ["text", 5, None, [1, 2], object()]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_buffer_of_bytes_is_misuse(wrong: Any) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        decode(wrong)
    assert caught.value.code is ErrorCode.BAD_VALUE
    assert str(caught.value) == (
        f"bad-value: expected bytes, bytearray or memoryview, not {type(wrong).__name__}"
    )


def test_fields_are_views_into_the_frame() -> None:
    frame = EVERY[8].frame
    message = decode(frame)
    assert isinstance(message, authplugin.PluginKIServerRequest)
    texts = [message.name, message.instructions, message.language]
    for text in [*texts, *(prompt for prompt, _ in message.prompts)]:
        assert isinstance(text, memoryview)
        assert text.obj is frame
        assert text.readonly
    assert [echo for _, echo in message.prompts] == [False, True]
    assert all(type(echo) is bool for _, echo in message.prompts)


class Octets(bytes):
    """Could do anything, so it is copied."""


@pytest.mark.parametrize(
    "make",
    [
        bytearray,
        Octets,
        lambda data: memoryview(bytearray(data)),
        lambda data: memoryview(bytearray(data)).toreadonly(),
        lambda data: memoryview(data[::-1])[::-1],
    ],
)
def test_what_could_change_is_copied_once(make: Callable[[bytes], Any]) -> None:
    frame = make(GOOD)
    message = decode(frame)
    assert isinstance(message, authplugin.PluginInit)
    assert neutral(message) == cursor.decode(GOOD)
    hostname, username = message.hostname, message.username
    assert isinstance(hostname, memoryview)
    assert isinstance(username, memoryview)
    assert type(hostname.obj) is bytes
    assert hostname.obj is username.obj
    assert hostname.readonly
    if isinstance(frame, bytearray):
        frame[:] = b"\xff" * len(frame)
        assert neutral(message) == cursor.decode(GOOD)


def test_views_of_bytes_are_looked_at_where_they_are() -> None:
    data = b"xxxx" + EVERY[1].frame
    given: list[Any] = [memoryview(data).cast(kind) for kind in ("B", "b", "c")]
    for view in given:
        message = decode(view[4:])
        assert isinstance(message, authplugin.PluginInitResponse)
        assert isinstance(message.username, memoryview)
        assert message.username.obj is data
        assert message.username.format == "B"


@pytest.mark.parametrize("value", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_numbers_are_unsigned_and_big_endian(value: int) -> None:
    frame = framed(b"\x01" + uint32(value) + uint32(0) + uint32(value) + uint32(0))
    message = decode(frame)
    assert message == authplugin.PluginInit(value, "", value, "")
    assert encode(message) == frame


@pytest.mark.parametrize("length", [2**31, 2**32 - 1])
def test_a_frame_that_claims_more_than_is_there_is_truncated(length: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(uint32(length) + b"\x04", Limits(frame=2**32 - 1))
    assert told(caught.value) == ("end-truncated", None, 5)


def test_an_error_shows_nothing_of_how_it_was_found() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(framed(b"\x05\0\0\0\x01"))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
