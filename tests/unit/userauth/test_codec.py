"""Every message of user authentication to bytes and back, against bytes written out by hand."""

import pytest

import authplugin
from authplugin import ErrorCode, Limits, LocalProtocolError, RemoteProtocolError
from authplugin.kinds import ConstantKind
from authplugin.reading import FrameReader
from authplugin.userauth import (
    MESSAGES,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthMessage,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKeyOk,
    UserAuthRequest,
    decode,
    decode_payload,
    encode,
    encode_payload,
)
from authplugin.userauth.wire import UNREADABLE

from .samples import DECODER_OF, PASSWORD, PUBLICKEY, SAMPLES, WHO


def test_every_message_is_among_the_samples() -> None:
    assert {type(message) for message, _ in SAMPLES} == set(MESSAGES)


@pytest.mark.parametrize(("message", "payload"), SAMPLES)
def test_there_and_back(message: UserAuthMessage, payload: bytes) -> None:
    method = message.spec.method
    frame = len(payload).to_bytes(4, "big") + payload
    assert encode_payload(message) == payload
    assert encode(message) == frame
    assert decode_payload(payload, method=method) == message
    assert decode(bytearray(frame), method=method) == message
    decoded = decode(frame, method=method)
    assert type(decoded.detach()) is type(message)
    assert decoded.detach() == message
    assert encode(decoded) == frame


def test_what_is_opaque_stays_bytes() -> None:
    assert UserAuthPublicKeyOk("rsa", b"text").detach().blob == b"text"
    assert UserAuthOther("u", "s", "m", memoryview(b"text")).detach().rest == b"text"


def test_what_never_varies_can_be_read() -> None:
    found = {
        type(message).__name__: message.method  # type: ignore[attr-defined]
        for message, _ in SAMPLES
        if isinstance(message, UserAuthRequest) and not isinstance(message, UserAuthOther)
    }
    assert found == {
        "UserAuthNone": "none",
        "UserAuthPassword": "password",
        "UserAuthPasswordChange": "password",
        "UserAuthPublicKeyQuery": "publickey",
        "UserAuthPublicKey": "publickey",
        "UserAuthKeyboardInteractive": "keyboard-interactive",
    }


def test_secrets_do_not_show() -> None:
    assert "hidden" not in repr(UserAuthPasswordChange("u", "s", "hidden", "hidden"))
    assert "hidden" not in repr(UserAuthOther("u", "s", "m", b"hidden"))
    assert "hidden" not in repr(UserAuthInfoResponse(["hidden"]))


@pytest.mark.parametrize(("message", "payload"), SAMPLES)
def test_no_truncated_message_and_none_with_more(message: UserAuthMessage, payload: bytes) -> None:
    for size in range(len(payload)):
        if isinstance(message, UserAuthOther) and payload[:size].startswith(
            payload[: len(payload) - len(message.rest)]
        ):
            continue
        with pytest.raises(RemoteProtocolError) as caught:
            decode_payload(payload[:size], method=message.spec.method)
        wanted = ErrorCode.FIELD_TRUNCATED if size else ErrorCode.FRAME_EMPTY
        assert caught.value.code in (wanted, ErrorCode.COUNT_IMPOSSIBLE)
    if not isinstance(message, UserAuthOther):
        with pytest.raises(RemoteProtocolError, match="trailing-bytes"):
            decode_payload(payload + b"\0", method=message.spec.method)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (None, None),
        ("none", None),
        ("password", UserAuthPasswordChangeRequired),
        ("publickey", UserAuthPublicKeyOk),
        ("keyboard-interactive", None),
    ],
)
def test_sixty_is_what_the_method_says(method: str | None, expected: type | None) -> None:
    payload = b"\x3c\0\0\0\1a\0\0\0\0"
    if expected is None:
        with pytest.raises(RemoteProtocolError):
            decode_payload(payload, method=method)
    else:
        assert type(decode_payload(payload, method=method)) is expected


def test_a_method_that_nobody_knows() -> None:
    with pytest.raises(LocalProtocolError, match="method-unknown"):
        decode(b"", method="hostbased")


WRONG = [
    (b"\x33\0\0\0\4a,,b\0", ErrorCode.BAD_NAME_LIST, 11),
    (b"\x33\0\0\0\2,b\0", ErrorCode.BAD_NAME_LIST, 9),
    (b"\x33\0\0\0\2b,\0", ErrorCode.BAD_NAME_LIST, 11),
    (b"\x33\0\0\0\2b\xff\0", ErrorCode.BAD_ASCII, 10),
    (b"\x33\0\0\0\1b\2", ErrorCode.BAD_BOOLEAN, 10),
    (PASSWORD + b"\2\0\0\0\0", ErrorCode.BAD_BOOLEAN, 28),
    (PUBLICKEY + b"\xff\0\0\0\0\0\0\0\0", ErrorCode.BAD_BOOLEAN, 29),
    (PASSWORD + b"\0\0\0\0\1\xff", ErrorCode.BAD_UTF8, 33),
    (PUBLICKEY + b"\0\0\0\0\1\xff\0\0\0\0", ErrorCode.BAD_ASCII, 34),
    (WHO + b"\0\0\0\4non\xff", ErrorCode.BAD_ASCII, 23),
    (WHO[:-1] + b"\xff\0\0\0\4none", ErrorCode.BAD_ASCII, 15),
    (b"\x32\0\0\0\1\xff\0\0\0\1s\0\0\0\4none", ErrorCode.BAD_UTF8, 9),
    (b"\x32\xff\xff\xff\xff", ErrorCode.STRING_TOO_LONG, 5),
    (WHO + b"\0\0\0\x08none", ErrorCode.FIELD_TRUNCATED, 16),
    (WHO + b"\xff\xff\xff\xffnone", ErrorCode.STRING_TOO_LONG, 16),
    (b"\x36", ErrorCode.UNKNOWN_TYPE, 4),
]


@pytest.mark.parametrize(("payload", "code", "offset"), WRONG)
def test_what_is_wrong_and_where(payload: bytes, code: ErrorCode, offset: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_payload(payload)
    assert (caught.value.code, caught.value.offset) == (code, offset)


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(("message", "payload"), SAMPLES)
def test_no_boolean_that_tells_messages_apart_is_another_byte_and_no_other_unless_allowed(
    message: UserAuthMessage, payload: bytes, lenient: bool
) -> None:
    limits = Limits(nonzero_is_true=lenient)
    frame = len(payload).to_bytes(4, "big") + payload
    reader = FrameReader(memoryview(frame), limits)
    reader.fields(message.spec)
    constant = {f.name for f in message.spec.fields if isinstance(f.kind, ConstantKind)}
    for part in reader.parts:
        if part.meaning not in ("true", "false"):
            continue
        for value in (2, 0x7F, 0x80, 0xFF):
            odd = frame[: part.offset] + bytes((value,)) + frame[part.offset + 1 :]
            if lenient and part.name not in constant:
                assert encode(decode(odd, limits, message.spec.method), limits) == odd
                continue
            with pytest.raises(RemoteProtocolError) as caught:
                decode(odd, limits, message.spec.method)
            assert (caught.value.code, caught.value.offset) == (ErrorCode.BAD_BOOLEAN, part.offset)


def test_leniency_is_for_values_and_not_for_what_tells_messages_apart() -> None:
    lenient = Limits(nonzero_is_true=True)
    failure = decode_payload(b"\x33\0\0\0\1b\2", lenient)
    assert encode_payload(failure, lenient) == b"\x33\0\0\0\1b\2"
    with pytest.raises(RemoteProtocolError, match="bad-boolean"):
        decode_payload(PASSWORD + b"\2\0\0\0\0", lenient)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (UserAuthOther("u", "s", "password", b""), ErrorCode.BAD_VALUE),
        (UserAuthOther("u", "s", b"publickey", b""), ErrorCode.BAD_VALUE),
        (UserAuthOther("u", "s", "m", "text"), ErrorCode.BAD_VALUE),  # type: ignore[arg-type]
        (UserAuthFailure("a,,b", False), ErrorCode.BAD_NAME_LIST),
        (UserAuthFailure(b",", False), ErrorCode.BAD_NAME_LIST),
        (UserAuthFailure("é", False), ErrorCode.BAD_ASCII),
        (UserAuthFailure("a", 2), ErrorCode.BAD_VALUE),  # type: ignore[arg-type]
        (UserAuthPublicKeyOk("rsa", "text"), ErrorCode.BAD_VALUE),  # type: ignore[arg-type]
        (UserAuthPublicKeyOk(b"\xff", b""), ErrorCode.BAD_ASCII),
        (UserAuthPublicKeyOk("rsa", bytes(64 * 1024 + 1)), ErrorCode.STRING_TOO_LONG),
        (UserAuthOther("u", "s", "m", bytes(256 * 1024)), ErrorCode.FRAME_TOO_LONG),
        (UserAuthBanner(b"\xff", ""), ErrorCode.BAD_UTF8),
        (UserAuthPassword("u", b"\xff", ""), ErrorCode.BAD_ASCII),
        (UserAuthInfoRequest("", "", "", 3), ErrorCode.BAD_VALUE),  # type: ignore[arg-type]
        ("no message", ErrorCode.BAD_VALUE),
    ],
)
def test_what_cannot_be_sent(message: UserAuthMessage, code: ErrorCode) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(message)
    assert caught.value.code is code


def test_limits_hold_for_payloads() -> None:
    with pytest.raises(RemoteProtocolError, match="frame-too-long"):
        decode_payload(WHO + b"\0\0\0\1m" + bytes(300 * 1024))


def test_a_decoder_looks_at_what_never_varies_itself() -> None:
    requests = [(m, p) for m, p in SAMPLES if isinstance(m, UserAuthRequest)]
    for message, _ in requests:
        decoder = DECODER_OF[type(message)]
        for other, payload in requests:
            if type(other) is not type(message) and not isinstance(message, UserAuthOther):
                frame = memoryview(len(payload).to_bytes(4, "big") + payload)
                with pytest.raises(UNREADABLE):
                    decoder(frame, Limits())


@pytest.mark.parametrize(("message", "payload"), SAMPLES)
def test_a_reader_names_every_byte(message: UserAuthMessage, payload: bytes) -> None:
    frame = len(payload).to_bytes(4, "big") + payload
    reader = FrameReader(memoryview(frame), Limits())
    reader.fields(message.spec)
    ends = [5, *(part.offset + part.size for part in reader.parts)]
    assert [part.offset for part in reader.parts] == ends[:-1]
    assert ends[-1] == len(frame)


def test_what_never_varies_takes_as_much_as_it_says() -> None:
    kinds = [f.kind for m in MESSAGES for f in m.spec.fields if isinstance(f.kind, ConstantKind)]
    assert {kind.least_size for kind in kinds} == {1, 8, 12, 13, 24}


def test_what_the_text_leaves_open_is_no_mistake_where_any_bytes_are_taken() -> None:
    limits = Limits(any_bytes=True, frame=6)
    with pytest.raises(LocalProtocolError, match="frame-too-long"):
        authplugin.encode(authplugin.PluginInitFailure(b"\xff\xff"), limits)
