"""Why a message that the caller built is not sent."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, cast

from .errors import ErrorCode, LocalProtocolError
from .kinds import BooleanKind, CountedKind, Encoding, RestKind, StringKind, UInt32Kind, WireKind
from .limits import Limits
from .reading import TEXT_CHECKS
from .table import WireMessage


def refuse_message(
    message: object, limits: Limits, encoders: Container[type[WireMessage]]
) -> LocalProtocolError:
    """Return what is wrong with a message that its encoder did not accept.

    Says which field, what was expected and what type came, never what the field holds.
    """
    if not isinstance(message, WireMessage) or type(message) not in encoders:
        return LocalProtocolError(
            ErrorCode.BAD_VALUE, f"expected a message, not {type(message).__name__}"
        )
    try:
        for field in message.spec.variables:
            _check(field.name, getattr(message, field.name, None), field.kind, limits)
    except LocalProtocolError as error:
        return error.with_traceback(None)
    return LocalProtocolError(
        ErrorCode.FRAME_TOO_LONG,
        f"{message.spec.name} makes a frame that is longer than the limit of {limits.frame} bytes",
    )


def _bad_value(name: str, wanted: str, value: Any) -> LocalProtocolError:
    text = f"expected {wanted}, not {type(value).__name__}"
    return LocalProtocolError(ErrorCode.BAD_VALUE, text, field=name)


def _check(name: str, value: Any, kind: WireKind, limits: Limits) -> None:
    match kind:
        case UInt32Kind():
            if not (isinstance(value, int) and 0 <= value < 2**32):
                raise _bad_value(name, "an int from 0 to 4294967295", value)
        case BooleanKind():
            most = 255 if limits.nonzero_is_true else 1
            if not (isinstance(value, int) and 0 <= value <= most):
                raise _bad_value(name, "a bool", value)
        case StringKind():
            _check_string(name, value, kind, limits)
        case RestKind():
            _octets(name, value, "bytes or a memoryview of bytes")
        case _:  # what never varies is no value of a message
            _check_counted(name, value, cast("CountedKind", kind), limits)


def _octets(name: str, value: Any, wanted: str) -> memoryview:
    """Return the bytes that a value consists of."""
    flat = isinstance(value, memoryview) and value.c_contiguous and value.nbytes == len(value)
    if not flat and not isinstance(value, (bytes, bytearray)):
        raise _bad_value(name, wanted, value)
    return memoryview(bytes(value))


def _check_string(name: str, value: Any, kind: StringKind, limits: Limits) -> None:
    opaque = kind.encoding is Encoding.OPAQUE
    if isinstance(value, str) and not opaque:
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _bad_value(name, "a str without surrogates", value)
        value = value.encode()
    octets = _octets(name, value, f"{'' if opaque else 'str, '}bytes or a memoryview of bytes")
    if len(octets) > limits.text:
        raise LocalProtocolError(
            ErrorCode.STRING_TOO_LONG,
            f"the string is longer than the limit of {limits.text} bytes",
            field=name,
        )
    if kind.encoding is Encoding.UNSTATED and limits.any_bytes:
        return
    for code, wanted, find in TEXT_CHECKS[kind.encoding]:
        if find(octets) is not None:
            raise LocalProtocolError(code, f"the string is not {wanted}", field=name)


def _check_counted(name: str, value: Any, kind: CountedKind, limits: Limits) -> None:
    if not isinstance(value, (list, tuple)):
        raise _bad_value(name, "a list or a tuple", value)
    if len(value) > limits.count:
        raise LocalProtocolError(
            ErrorCode.COUNT_TOO_LARGE,
            f"there are more elements than the limit of {limits.count}",
            field=name,
        )
    single = len(kind.element) == 1
    for index, item in enumerate(value):
        place = f"{name}[{index}]"
        parts = (item,) if single else item
        if not isinstance(parts, (tuple, list)) or len(parts) != len(kind.element):
            shape = ", ".join(part for part, _ in kind.element)
            raise _bad_value(place, f"a tuple ({shape})", item)
        for (part, part_kind), part_value in zip(kind.element, parts, strict=True):
            _check(place if single else f"{place}.{part}", part_value, part_kind, limits)
