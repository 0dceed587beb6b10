"""Messages to bytes, and bytes to messages: one whole frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from .errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from .limits import DEFAULT_LIMITS, Limits
from .messages import KEYBOARD_INTERACTIVE, MESSAGES
from .reading import left_over, refuse_fields
from .refusing import refuse_message
from .table import Message, WireSpec
from .wire import DECODERS, ENCODERS, UNREADABLE, UNWRITABLE, Decoder, get_head, get_uint32

Data: TypeAlias = bytes | bytearray | memoryview
"""What bytes may come in."""

LENGTH_SIZE = 4
"""Bytes of a frame's length field, which does not count itself (H.6)."""

TYPE_AT = 4
"""Where the type byte of a frame stands."""

UNDECODABLE: Final = (*UNREADABLE, KeyError)
"""What a look-up of a decoder, and the decoder, raise where a frame is wrong."""

SPECS: Final[Mapping[Decoder | None, WireSpec]] = {
    DECODERS[m.spec.method][m.spec.code]: m.spec for m in MESSAGES
}
"""The declaration that each decoder was made from."""

Entry = TypeVar("Entry")

Finder: TypeAlias = Callable[[memoryview], WireSpec | None]
"""Finds the declaration of the message that a frame, of at least a type byte, is to be."""


def view_of(data: Data) -> memoryview:
    """Return a read-only view of bytes that nobody can change.

    `bytes`, and read-only views of `bytes`, are looked at where they are; what somebody could
    still write to is copied, once.

    Raises:
        LocalProtocolError: where `data` is no buffer of bytes.
    """
    if isinstance(data, memoryview) and isinstance(data.obj, bytes) and data.c_contiguous:
        return data.cast("B")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise LocalProtocolError(
            ErrorCode.BAD_VALUE,
            f"expected bytes, bytearray or memoryview, not {type(data).__name__}",
        )
    return memoryview(bytes(data))  # of `bytes`, bytes() makes no copy


def refuse_length(length: int, limits: Limits) -> RemoteProtocolError | None:
    """Return what is wrong with a frame's length field, the bytes that it says follow it."""
    if length == 0:
        return RemoteProtocolError(
            ErrorCode.FRAME_EMPTY, "a frame holds at least its type byte", offset=0
        )
    if length > limits.frame:
        return RemoteProtocolError(
            ErrorCode.FRAME_TOO_LONG,
            f"the frame says it is longer than the limit of {limits.frame} bytes",
            offset=0,
        )
    return None


def truncated(held: int) -> RemoteProtocolError:
    """Return the error for input that ended `held` bytes into a frame."""
    return RemoteProtocolError(
        ErrorCode.END_TRUNCATED, "the input ends before the frame does", offset=held
    )


def for_method(table: Mapping[str | None, Entry], method: str | None) -> Entry:
    """Return what a table has for the method agreed on, such as the decoders by type byte.

    Raises:
        LocalProtocolError: where no messages are declared for the method.
    """
    try:
        return table[method]
    except KeyError:
        known = ", ".join(repr(each) for each in table)
        raise LocalProtocolError(
            ErrorCode.METHOD_UNKNOWN, f"no messages are known for {method!r}, only for {known}"
        ) from None


def contents_decoder(limits: Limits, method: str | None) -> Callable[[memoryview], Message]:
    """Return what decodes frames that are known to be whole, their length fields checked.

    It raises RemoteProtocolError where their contents are not those of a message.

    Raises:
        LocalProtocolError: where no messages are declared for the method.
    """
    decoders = for_method(DECODERS, method)

    def decode_contents(frame: memoryview) -> Message:
        try:
            return decoders[frame[TYPE_AT]](frame, limits)
        except UNDECODABLE:
            pass  # raised outside, so that the error does not hold on to this one and the frame
        raise refuse_contents(frame, limits, finder(decoders))

    return decode_contents


def finder(decoders: Mapping[int, Decoder]) -> Finder:
    """Return what finds the declaration of a frame's message by the frame's type byte."""
    return lambda frame: SPECS.get(decoders.get(frame[TYPE_AT]))


def refuse_contents(frame: memoryview, limits: Limits, find: Finder) -> RemoteProtocolError:
    """Return what is wrong with a whole frame that its decoder did not accept."""
    spec = find(frame)
    if spec is None:
        return RemoteProtocolError(
            ErrorCode.UNKNOWN_TYPE, "the type byte is that of no message", offset=TYPE_AT
        )
    return refuse_fields(spec, frame, limits)


def refuse_frame(frame: memoryview, limits: Limits, find: Finder) -> RemoteProtocolError:
    """Return what is wrong with bytes that are not exactly one good frame."""
    size = len(frame)
    if size < LENGTH_SIZE:
        return truncated(size)
    (length,) = get_uint32(frame)
    problem = refuse_length(length, limits)
    if problem is not None:
        return problem
    stop = LENGTH_SIZE + length
    if size < stop:
        return truncated(size)
    if size > stop:
        return left_over(size - stop, "the frame", offset=stop)
    return refuse_contents(frame, limits, find)


def decode(
    frame: Data, limits: Limits = DEFAULT_LIMITS, method: str | None = KEYBOARD_INTERACTIVE
) -> Message:
    """Decode exactly one frame, its length field included.

    Text comes as read-only views into `frame`, which they keep alive; `detach()` on the message
    makes strings of them. A `bytearray`, or another buffer that could change, is copied first.

    Args:
        frame: the bytes, all of them and no more.
        limits: what to accept.
        method: the authentication method agreed on, to which the codes from 20 up belong; None
            before any is.

    Raises:
        RemoteProtocolError: where the bytes are not one well-formed frame.
        LocalProtocolError: where `frame` is no buffer of bytes, or `method` is unknown.
    """
    view = memoryview(frame) if type(frame) is bytes else view_of(frame)
    try:
        length, code = get_head(view)
        if length == len(view) - LENGTH_SIZE and length <= limits.frame:
            return DECODERS[method][code](view, limits)
    except UNDECODABLE:
        pass
    raise refuse_frame(view, limits, finder(for_method(DECODERS, method)))


def encode(message: Message, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Encode a message as a frame, its length field included.

    Raises:
        LocalProtocolError: where a field holds what it cannot, or what a receiver with the same
            limits would refuse.
    """
    try:
        return ENCODERS[type(message)](message, limits)
    except UNWRITABLE:
        pass
    raise refuse_message(message, limits, ENCODERS)
