"""What a field of a message may hold: strings, counts, elements, and how much of each."""

import pytest

from authplugin import ErrorCode, Limits, LocalProtocolError, RemoteProtocolError
from authplugin.kinds import Encoding, StringKind
from authplugin.userauth import (
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthMessage,
    decode,
    decode_payload,
    encode,
    encode_payload,
)

from .samples import SAMPLES


def with_field(message: UserAuthMessage, name: str, value: object) -> UserAuthMessage:
    """Return a copy with another value in a field."""
    values = {each.name: getattr(message, each.name) for each in message.spec.variables}
    return type(message)(**values | {name: value})


STRINGS = [
    (message, field.name, field.kind)
    for message in {type(each): each for each, _ in SAMPLES}.values()
    for field in message.spec.variables
    if isinstance(field.kind, StringKind)
]
TEXTS = [each for each in STRINGS if each[2].encoding is not Encoding.OPAQUE]


@pytest.mark.parametrize(("message", "name", "kind"), STRINGS)
@pytest.mark.parametrize("size", [2, 20_000])
def test_bytes_do_for_strings_of_any_size(
    message: UserAuthMessage, name: str, kind: StringKind, size: int
) -> None:
    octets = b"a" * size
    made = with_field(message, name, octets)
    frame = encode(made)
    assert octets in frame
    assert decode(frame, method=message.spec.method) == made
    assert encode(with_field(message, name, memoryview(octets))) == frame
    if kind.encoding is not Encoding.OPAQUE:
        assert encode(with_field(message, name, octets.decode())) == frame
    if kind.encoding is Encoding.UTF8:
        text = "é" * (size // 2)
        made = with_field(message, name, text)
        assert decode(encode(made), method=message.spec.method) == made


@pytest.mark.parametrize(("message", "name", "kind"), TEXTS)
@pytest.mark.parametrize("size", [2, 20_000])
def test_strings_that_are_not_in_their_encoding(
    message: UserAuthMessage, name: str, kind: StringKind, size: int
) -> None:
    code = ErrorCode.BAD_UTF8 if kind.encoding is Encoding.UTF8 else ErrorCode.BAD_ASCII
    wrong = b"a" * (size - 1) + b"\xff"
    with pytest.raises(LocalProtocolError) as local:
        encode(with_field(message, name, wrong))
    assert (local.value.code, local.value.field) == (code, name)
    right = b"q" * size
    frame = encode(with_field(message, name, right))
    with pytest.raises(RemoteProtocolError) as remote:
        decode(frame.replace(right, wrong), method=message.spec.method)
    at = frame.index(right) + size - 1
    assert (remote.value.code, remote.value.field, remote.value.offset) == (code, name, at)


@pytest.mark.parametrize(("message", "name", "kind"), STRINGS)
def test_strings_longer_than_the_limit(
    message: UserAuthMessage, name: str, kind: StringKind
) -> None:
    long = with_field(message, name, b"a" * 100)
    limits = Limits(text=99)
    with pytest.raises(LocalProtocolError, match="string-too-long"):
        encode(long, limits)
    with pytest.raises(RemoteProtocolError, match="string-too-long"):
        decode(encode(long), limits, message.spec.method)
    assert decode(encode(long), Limits(text=100), message.spec.method) == long


@pytest.mark.parametrize(("message", "name", "kind"), STRINGS)
@pytest.mark.parametrize("wrong", [3, None, [b"a"], memoryview(b"abcd").cast("H")])
def test_what_is_no_string(
    message: UserAuthMessage, name: str, kind: StringKind, wrong: object
) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(with_field(message, name, wrong))
    assert (caught.value.code, caught.value.field) == (ErrorCode.BAD_VALUE, name)


@pytest.mark.parametrize(("message", "payload"), SAMPLES)
def test_frames_longer_than_the_limit(message: UserAuthMessage, payload: bytes) -> None:
    assert encode(message, Limits(frame=len(payload)))
    decode_payload(payload, Limits(frame=len(payload)), message.spec.method)
    if len(payload) > 1:
        with pytest.raises(LocalProtocolError, match="frame-too-long"):
            encode(message, Limits(frame=len(payload) - 1))
        with pytest.raises(RemoteProtocolError, match="frame-too-long"):
            decode_payload(payload, Limits(frame=len(payload) - 1), message.spec.method)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (UserAuthInfoRequest("", "", "", [("a", True), ("b", False)]), "prompts"),
        (UserAuthInfoResponse(["a", "b"]), "responses"),
    ],
)
def test_counts(message: UserAuthMessage, name: str) -> None:
    payload = encode_payload(message)
    method = message.spec.method
    with pytest.raises(LocalProtocolError, match="count-too-large"):
        encode(message, Limits(count=1))
    with pytest.raises(RemoteProtocolError, match="count-too-large"):
        decode_payload(payload, Limits(count=1), method)
    lying = payload.replace(b"\0\0\0\2", b"\0\0\0\3")
    with pytest.raises(RemoteProtocolError, match=r"count-impossible|field-truncated"):
        decode_payload(lying, method=method)
    fewer = payload.replace(b"\0\0\0\2", b"\0\0\0\1")
    with pytest.raises(RemoteProtocolError, match="trailing-bytes"):
        decode_payload(fewer, method=method)
    flat = memoryview(b"abcd").cast("H")
    for wrong in ("ab", [3], [None], [("a", True, 3)], [flat], [(flat, True)]):
        with pytest.raises(LocalProtocolError):
            encode(with_field(message, name, wrong))


@pytest.mark.parametrize("octet", [b"\xff", b"a" * 20_000 + b"\xff"])
def test_elements_that_are_not_utf8(octet: bytes) -> None:
    for message, good in (
        (UserAuthInfoRequest("", "", "", [(octet, True)]), b"q" * len(octet)),
        (UserAuthInfoResponse([octet]), b"q" * len(octet)),
    ):
        with pytest.raises(LocalProtocolError, match="bad-utf8"):
            encode(message)
        right = (
            UserAuthInfoRequest("", "", "", [(good, True)])
            if isinstance(message, UserAuthInfoRequest)
            else UserAuthInfoResponse([good])
        )
        frame = encode(right)
        with pytest.raises(RemoteProtocolError, match="bad-utf8"):
            decode(frame.replace(good, octet), method="keyboard-interactive")


def test_elements_beyond_ascii() -> None:
    text = "é" * 10_000
    for message in (
        UserAuthInfoRequest("", "", "", [(text, True), ("é", False)]),
        UserAuthInfoResponse([text, "é"]),
        UserAuthInfoResponse(["é"]),
    ):
        assert decode(encode(message), method="keyboard-interactive") == message


def test_elements_longer_than_the_limit() -> None:
    limits = Limits(text=3)
    for message in (
        UserAuthInfoRequest("", "", "", [("abcd", True)]),
        UserAuthInfoResponse(["abcd"]),
    ):
        with pytest.raises(LocalProtocolError, match="string-too-long"):
            encode(message, limits)
        with pytest.raises(RemoteProtocolError, match="string-too-long"):
            decode(encode(message), limits, "keyboard-interactive")
