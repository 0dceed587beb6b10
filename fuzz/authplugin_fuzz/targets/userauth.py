"""One message of SSH's user authentication, under each method that may be under way."""

from __future__ import annotations

from typing import Final

from authplugin import Limits, RemoteProtocolError
from authplugin.userauth import decode_payload
from authplugin_corpus.protocols import USER_AUTH, Protocol, protocol_of
from authplugin_properties.breaking import broken, remotely
from authplugin_properties.laws import (
    agrees_with_cursor,
    agrees_with_grammar,
    round_trip,
    round_trip_message,
)
from authplugin_properties.oracles import cursor
from authplugin_properties.references import reference_of
from authplugin_properties.subjects import problem_of

from ..anatomy import read_frame, user_auth_message_of
from ..layers import PAYLOAD_LIMITS, Terms, frame_of

_OF_METHODS: Final = 60
"""The type bytes from here on mean something else under each method."""

_METHODS: Final = tuple(USER_AUTH)


def run(raw: bytes) -> None:
    """Try what a message is read as, refused for, and written as again."""
    limits, _, number = Terms.of(raw, PAYLOAD_LIMITS)
    frame = frame_of(raw)
    # What has a lower type byte does not hang on the method, and one of them will do.
    first = number % len(_METHODS)
    methods = _METHODS if raw and raw[0] >= _OF_METHODS else _METHODS[first : first + 1]
    for method in methods:
        protocol = USER_AUTH[method]
        agrees_with_cursor(frame, limits, protocol)
        agrees_with_grammar(frame, limits, protocol)
        round_trip(frame, limits, protocol)
        _payload_is_its_frame(raw, limits, method)
    if number % 8 == 0:
        protocol = USER_AUTH[methods[-1]]
        agrees_with_cursor(frame[: -1 - number // 8 % len(frame)], limits, protocol)
        agrees_with_cursor(frame + b"\0", limits, protocol)
    message = user_auth_message_of(read_frame(raw[0], raw[1:])) if raw else None
    if message is not None and _is_within(frame, limits, protocol_of(type(message))):
        round_trip_message(message, limits)


def _payload_is_its_frame(raw: bytes, limits: Limits, method: str | None) -> None:
    """Check that a payload is read as its frame is (RFC 4253, section 6)."""
    results: list[object] = []
    for name, read in (
        ("decode", lambda: USER_AUTH[method].decode(frame_of(raw), limits)),
        ("decode_payload", lambda: decode_payload(raw, limits, method)),
    ):
        try:
            results.append(remotely(name, raw, read).detach())
        except RemoteProtocolError as error:
            results.append(problem_of(error))
    if results[0] != results[1]:
        broken("payload and frame", f"the one gives {results[1]}, the other {results[0]}", raw)


def _is_within(frame: bytes, limits: Limits, protocol: Protocol) -> bool:
    try:
        reference_of(protocol).read(frame, limits)
    except cursor.Refused:
        return False
    return True
