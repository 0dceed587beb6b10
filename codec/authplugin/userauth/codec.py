"""Messages of SSH's user authentication to bytes, and bytes to messages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from ..codec import LENGTH_SIZE, TYPE_AT, UNDECODABLE, Data, for_method, refuse_frame, view_of
from ..errors import ErrorCode, LocalProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from ..refusing import refuse_message
from ..table import WireSpec
from .messages import MESSAGES, UserAuthMessage, UserAuthOther, UserAuthRequest
from .wire import (
    DECODERS,
    ENCODERS,
    UNREADABLE,
    UNWRITABLE,
    VARIANTS,
    Decoder,
    get_head,
    get_uint32,
)

REQUEST: Final = 50
"""The type byte of SSH_MSG_USERAUTH_REQUEST."""

_OTHER: Final = VARIANTS[b""]
_LONGEST: Final = max(map(len, VARIANTS))


def _variants(frame: memoryview) -> tuple[tuple[Decoder, ...], int]:
    """Return the decoders for the method that a request names, and where its name ends.

    Raises one of UNREADABLE where that cannot be told.
    """
    (user_size,) = get_uint32(frame, TYPE_AT + 1)
    at = TYPE_AT + 5 + user_size
    (service_size,) = get_uint32(frame, at)
    at += 4 + service_size
    (method_size,) = get_uint32(frame, at)
    start, stop = at + 4, at + 4 + method_size
    if not 0 < method_size <= _LONGEST:
        return _OTHER, stop
    return VARIANTS.get(frame[start:stop].tobytes(), _OTHER), stop


def _variant(frame: memoryview) -> Decoder:
    """Return the decoder of a request; raises one of UNREADABLE where it cannot be told."""
    decoders, stop = _variants(frame)
    return decoders[0] if len(decoders) == 1 else decoders[frame[stop]]


def _decode_request(frame: memoryview, limits: Limits) -> UserAuthMessage:
    return _variant(frame)(frame, limits)


_DECODERS: Final[Mapping[str | None, Mapping[int, Decoder]]] = {
    method: {REQUEST: _decode_request, **decoders} for method, decoders in DECODERS.items()
}

_REQUESTS: Final = [each.spec for each in MESSAGES if issubclass(each, UserAuthRequest)]

SPECS: Final[Mapping[Decoder, WireSpec]] = {
    **{DECODERS[m.spec.method][m.spec.code]: m.spec for m in MESSAGES if m.spec.code != REQUEST},
    **dict(zip(chain(*VARIANTS.values()), _REQUESTS, strict=True)),
}
"""The declaration that each decoder was made from."""


def decode(
    frame: Data, limits: Limits = DEFAULT_LIMITS, method: str | None = None
) -> UserAuthMessage:
    """Decode exactly one frame: a uint32 length, and the payload of an SSH packet.

    Text comes as read-only views into `frame`, as with `authplugin.decode`.

    Args:
        frame: the bytes, all of them and no more.
        limits: what to accept.
        method: the authentication method under way, to which the codes from 60 up belong; None
            where none is.

    Raises:
        RemoteProtocolError: where the bytes are not one well-formed frame.
        LocalProtocolError: where `frame` is no buffer of bytes, or `method` is unknown.
    """
    view = view_of(frame)
    try:
        length, code = get_head(view)
        if length == len(view) - LENGTH_SIZE and length <= limits.frame:
            return _DECODERS[method][code](view, limits)
    except UNDECODABLE:
        pass
    decoders = for_method(_DECODERS, method)
    raise refuse_frame(view, limits, lambda frame: _find(frame, decoders))


def decode_payload(
    payload: Data, limits: Limits = DEFAULT_LIMITS, method: str | None = None
) -> UserAuthMessage:
    """Decode the payload of an SSH packet: a type byte and fields.

    It is copied once, behind its length; otherwise as `decode`, whose offsets errors give too.
    """
    view = view_of(payload)
    # A length that the limit excludes stays excluded; what it is does not matter then.
    length = min(len(view), 0xFFFF_FFFF)
    return decode(length.to_bytes(LENGTH_SIZE, "big") + view, limits, method)


def encode(message: UserAuthMessage, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Encode a message as a frame, its length field included.

    Raises:
        LocalProtocolError: where a field holds what it cannot, or what a receiver with the same
            limits would refuse; and where a `UserAuthOther` names a method that has a message of
            its own.
    """
    try:
        frame = ENCODERS[type(message)](message, limits)
    except UNWRITABLE:
        raise refuse_message(message, limits, ENCODERS) from None
    if isinstance(message, UserAuthOther) and _variants(memoryview(frame))[0] is not _OTHER:
        raise LocalProtocolError(
            ErrorCode.BAD_VALUE, "there is a message of its own for this method", field="method"
        )
    return frame


def encode_payload(message: UserAuthMessage, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Encode a message as the payload of an SSH packet; raises as `encode` does."""
    return encode(message, limits)[LENGTH_SIZE:]


def _find(frame: memoryview, decoders: Mapping[int, Decoder]) -> WireSpec | None:
    """Return the declaration of the message that a frame is to be."""
    code = frame[TYPE_AT]
    if code != REQUEST:
        return SPECS[decoders[code]] if code in decoders else None
    try:
        found, stop = _variants(frame)
    except UNREADABLE:
        return SPECS[_OTHER[0]]
    which = frame[stop] if stop < len(frame) else 0
    return SPECS[found[which if which < len(found) else 0]]
