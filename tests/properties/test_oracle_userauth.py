"""The two readers of SSH's user authentication, against bytes written by hand and each other."""

from typing import Any

import pytest

from authplugin import Limits
from authplugin.userauth import MESSAGES
from authplugin_corpus.faults import USER_AUTH_FAULTS, stock_user_auth
from authplugin_corpus.protocols import USER_AUTH
from authplugin_properties.oracles import Refused, grammar, userauth, userauth_grammar
from authplugin_properties.references import reference_of
from authplugin_properties.signing import KEYS

Neutral = dict[str, Any]

KI = "keyboard-interactive"
HEAD = b"\0\0\0\1u\0\0\0\1s"
WHO = {"type": 50, "user": b"u", "service": b"s"}
PASSWORD = b"\x32" + HEAD + b"\0\0\0\x08password"
KEY = b"\x32" + HEAD + b"\0\0\0\x09publickey"
BLOB = {"algorithm": b"a", "blob": b"\xff"}


def framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


VALID: list[tuple[str, str | None, bytes, Neutral]] = [
    ("none", None, b"\x32" + HEAD + b"\0\0\0\4none", {**WHO, "method": b"none"}),
    (
        "password",
        None,
        PASSWORD + b"\0\0\0\0\2pw",
        {**WHO, "method": b"password", "change": False, "password": b"pw"},
    ),
    (
        "password change",
        KI,
        PASSWORD + b"\1\0\0\0\2pw\0\0\0\1n",
        {
            **WHO,
            "method": b"password",
            "change": True,
            "password": b"pw",
            "new_password": b"n",
        },
    ),
    (
        "publickey query",
        None,
        KEY + b"\0\0\0\0\1a\0\0\0\1\xff",
        {**WHO, "method": b"publickey", "has_signature": False, **BLOB},
    ),
    (
        "publickey",
        None,
        KEY + b"\1\0\0\0\1a\0\0\0\1\xff\0\0\0\1\0",
        {**WHO, "method": b"publickey", "has_signature": True, **BLOB, "signature": b"\0"},
    ),
    (
        KI,
        None,
        b"\x32" + HEAD + b"\0\0\0\x14keyboard-interactive\0\0\0\0\0\0\0\1x",
        {**WHO, "method": b"keyboard-interactive", "language": b"", "submethods": b"x"},
    ),
    (
        "other",
        None,
        b"\x32" + HEAD + b"\0\0\0\5nonee\xff\0",
        {**WHO, "method": b"nonee", "rest": b"\xff\0"},
    ),
    ("other", None, b"\x32" + HEAD + bytes(4), {**WHO, "method": b"", "rest": b""}),
    (
        "FAILURE",
        None,
        b"\x33\0\0\0\3a,b\1",
        {"type": 51, "methods": b"a,b", "partial_success": True},
    ),
    (
        "FAILURE",
        "none",
        b"\x33\0\0\0\0\0",
        {"type": 51, "methods": b"", "partial_success": False},
    ),
    ("SUCCESS", None, b"\x34", {"type": 52}),
    (
        "BANNER",
        None,
        b"\x35\0\0\0\1m\0\0\0\1l",
        {"type": 53, "message": b"m", "language": b"l"},
    ),
    (
        "PASSWD_CHANGEREQ",
        "password",
        b"\x3c\0\0\0\1p\0\0\0\0",
        {"type": 60, "prompt": b"p", "language": b""},
    ),
    ("PK_OK", "publickey", b"\x3c\0\0\0\1a\0\0\0\1\xff", {"type": 60, **BLOB}),
    (
        "INFO_REQUEST",
        KI,
        b"\x3c\0\0\0\1n\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1p\1",
        {
            "type": 60,
            "name": b"n",
            "instructions": b"",
            "language": b"",
            "prompts": [(b"p", True)],
        },
    ),
    ("INFO_RESPONSE", KI, b"\x3d\0\0\0\1\0\0\0\1r", {"type": 61, "responses": [b"r"]}),
]

REFUSED: list[tuple[str | None, bytes, str, str | None, int]] = [
    (None, b"\x3c\0\0\0\0\0\0\0\0", "unknown-type", None, 4),
    (None, b"\x3d\0\0\0\0", "unknown-type", None, 4),
    ("password", b"\x3d\0\0\0\0", "unknown-type", None, 4),
    (KI, b"\x36", "unknown-type", None, 4),
    (None, b"\x32", "field-truncated", "user", 5),
    (None, b"\x32\0\0\0\1\xff" + HEAD[5:], "bad-utf8", "user", 9),
    (None, b"\x32\0\0\0\1u\0\0\0\1\x80\0\0\0\4none", "bad-ascii", "service", 14),
    (None, b"\x32" + HEAD + b"\0\0\0\5none", "field-truncated", "method", 15),
    (None, b"\x32" + HEAD + b"\0\0\0\1\xff", "bad-ascii", "method", 19),
    (None, b"\x32" + HEAD + b"\0\0\0\4none\0", "trailing-bytes", None, 23),
    (None, PASSWORD, "field-truncated", "change", 27),
    (None, PASSWORD + b"\2\0\0\0\0", "bad-boolean", "change", 27),
    (None, PASSWORD + b"\0\0\0\0\1\xff", "bad-utf8", "password", 32),
    (None, PASSWORD + b"\0\0\0\0\0\0\0\0\0", "trailing-bytes", None, 32),
    (None, PASSWORD + b"\1\0\0\0\0", "field-truncated", "new_password", 32),
    (None, KEY + b"\xff", "bad-boolean", "has_signature", 28),
    (None, KEY + b"\1\0\0\0\0\0\0\0\0", "field-truncated", "signature", 37),
    (None, KEY + b"\0\0\0\0\1\x80\0\0\0\0", "bad-ascii", "algorithm", 33),
    (None, b"\x33\0\0\0\1,\0", "bad-name-list", "methods", 9),
    (None, b"\x33\0\0\0\2a,\0", "bad-name-list", "methods", 11),
    (None, b"\x33\0\0\0\4a,,b\0", "bad-name-list", "methods", 11),
    (None, b"\x33\0\0\0\2,\x80\0", "bad-ascii", "methods", 10),
    (None, b"\x33\0\0\0\0\2", "bad-boolean", "partial_success", 9),
    (None, b"\x34\0", "trailing-bytes", None, 5),
    (KI, b"\x3d\0\0\0\2\0\0\0\0", "count-impossible", "responses", 5),
]


@pytest.mark.parametrize(("name", "method", "payload", "message"), VALID)
def test_a_good_frame_is_read_and_built(
    name: str, method: str | None, payload: bytes, message: Neutral
) -> None:
    frame = framed(payload)
    # repr as well, since True == 1.
    for read in (userauth.decode(frame, None, method), userauth_grammar.parse(frame, method)):
        assert read == message
        assert repr(sorted(read.items())) == repr(sorted(message.items()))
    assert userauth.name_of(message, method) == name
    assert userauth_grammar.build(message, method) == frame


def test_every_message_is_among_the_good_frames() -> None:
    assert {name for name, _, _, _ in VALID} == {*userauth.FIELDS}
    assert len(userauth.FIELDS) == len(MESSAGES)


@pytest.mark.parametrize(("method", "payload", "code", "field", "offset"), REFUSED)
def test_a_bad_frame_is_refused_with_code_field_and_offset(
    method: str | None, payload: bytes, code: str, field: str | None, offset: int
) -> None:
    with pytest.raises(Refused) as caught:
        userauth.decode(framed(payload), None, method)
    assert (caught.value.code, caught.value.field, caught.value.offset) == (code, field, offset)


def test_no_leniency_is_for_what_tells_messages_apart() -> None:
    lenient = Limits(nonzero_is_true=True)
    with pytest.raises(Refused, match="bad-boolean"):
        userauth.decode(framed(PASSWORD + b"\2\0\0\0\0"), lenient)
    read = userauth.decode(framed(b"\x33\0\0\0\0\2"), lenient)
    assert read["partial_success"] is True


@pytest.mark.parametrize("method", [None, *userauth.METHODS])
def test_the_readers_refuse_the_same_faults(method: str | None) -> None:
    """But for what the grammar knows nothing of: limits, and what text is."""
    reference = reference_of(USER_AUTH[method])
    read = 0
    for protocol, frame in stock_user_auth().values():
        for fault in USER_AUTH_FAULTS:
            for faulty in fault.strike([frame], Limits(), protocol):
                try:
                    theirs = reference.parse(faulty.data)
                except grammar.ConstructError:
                    with pytest.raises(Refused):
                        reference.read(faulty.data, Limits())
                    continue
                try:
                    assert reference.read(faulty.data, Limits()) == theirs
                    read += 1
                except Refused as refused:
                    assert refused.code.startswith(("bad-", "string-", "count-", "frame-"))  # noqa: PT017
    assert read or method in (None, "none")


def test_the_grammar_builds_nothing_with_more_or_less() -> None:
    for wrong in ({**WHO, "method": b"none", "rest": b""}, {"type": 52, "user": b""}):
        with pytest.raises((ValueError, grammar.ConstructError)):
            userauth_grammar.build(wrong)
    with pytest.raises(grammar.ConstructError):
        userauth_grammar.build({**WHO, "method": b"password", "rest": b""})


def test_the_keys_are_of_their_algorithms() -> None:
    from authplugin_properties.oracles.signatures import key_of, verifies

    for algorithm, key in KEYS.items():
        assert key_of(algorithm, key.blob) is not None
        assert verifies(algorithm, key.blob, key.signature(b"this"), b"this")
        assert not verifies(algorithm, key.blob, key.signature(b"this"), b"that")
        assert key_of(algorithm, key.blob + b"\0") is None
        assert key_of(algorithm, key.blob[:-1]) is None
        assert key_of("ssh-dss", key.blob) is None
