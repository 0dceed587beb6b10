"""Every message of user authentication to bytes and back, against bytes written out by hand."""

import pytest

import authplugin
from authplugin import ErrorCode, Limits, LocalProtocolError, RemoteProtocolError
from authplugin.kinds import ConstantKind, Encoding, StringKind
from authplugin.reading import FrameReader
from authplugin.userauth import (
    MESSAGES,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKey,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthRequest,
    UserAuthSuccess,
    decode,
    decode_payload,
    encode,
    encode_payload,
)
from authplugin.userauth.codec import SPECS
from authplugin.userauth.wire import UNREADABLE

WHO = b"\x32\0\0\0\2\xc3\xbc\0\0\0\1s"
PUBLICKEY = WHO + b"\0\0\0\x09publickey"
PASSWORD = WHO + b"\0\0\0\x08password"

SAMPLES: list[tuple[UserAuthMessage, bytes]] = [
    (UserAuthNone("ü", "s"), WHO + b"\0\0\0\4none"),
    (UserAuthPassword("ü", "s", "é"), PASSWORD + b"\0\0\0\0\2\xc3\xa9"),
    (UserAuthPasswordChange("ü", "s", "a", "bc"), PASSWORD + b"\1\0\0\0\1a\0\0\0\2bc"),
    (UserAuthPublicKeyQuery("ü", "s", "rsa", b"\xff"), PUBLICKEY + b"\0\0\0\0\3rsa\0\0\0\1\xff"),
    (
        UserAuthPublicKey("ü", "s", "rsa", b"\xff", b"\xfe\0"),
        PUBLICKEY + b"\1\0\0\0\3rsa\0\0\0\1\xff\0\0\0\2\xfe\0",
    ),
    (
        UserAuthKeyboardInteractive("ü", "s", "en", "ü"),
        WHO + b"\0\0\0\x14keyboard-interactive\0\0\0\2en\0\0\0\2\xc3\xbc",
    ),
    (UserAuthOther("ü", "s", "hostbased", b"\xff"), WHO + b"\0\0\0\x09hostbased\xff"),
    (UserAuthOther("ü", "s", "x" * 30, b""), WHO + b"\0\0\0\x1e" + b"x" * 30),
    (UserAuthOther("ü", "s", "", b""), WHO + b"\0\0\0\0"),
    (UserAuthFailure("a,bc", True), b"\x33\0\0\0\4a,bc\1"),
    (UserAuthFailure("", False), b"\x33\0\0\0\0\0"),
    (UserAuthSuccess(), b"\x34"),
    (UserAuthBanner("ü", "en"), b"\x35\0\0\0\2\xc3\xbc\0\0\0\2en"),
    (UserAuthPasswordChangeRequired("ü", ""), b"\x3c\0\0\0\2\xc3\xbc\0\0\0\0"),
    (UserAuthPublicKeyOk("rsa", b"\xff"), b"\x3c\0\0\0\3rsa\0\0\0\1\xff"),
    (
        UserAuthInfoRequest("n", "i", "l", [("p", True), ("q", False)]),
        b"\x3c\0\0\0\1n\0\0\0\1i\0\0\0\1l\0\0\0\2\0\0\0\1p\1\0\0\0\1q\0",
    ),
    (UserAuthInfoResponse(["a", ""]), b"\x3d\0\0\0\2\0\0\0\1a\0\0\0\0"),
]

DECODER_OF = {type(m): next(d for d, spec in SPECS.items() if spec is m.spec) for m, _ in SAMPLES}


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
