"""Why a message that the caller built is not sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from .kinds import BooleanKind, CountedKind, Kind, StringKind, UInt32Kind
from .limits import Limits
from .table import Message


def read_back(
    decoder: Callable[[memoryview, Limits], Message], frame: bytes, limits: Limits
) -> None:
    """Raise LocalProtocolError where a receiver with the same limits would refuse the frame."""
    size = len(frame) - 4
    if size > limits.frame:
        raise LocalProtocolError(
            ErrorCode.FRAME_TOO_LONG,
            f"the frame is longer than the limit of {limits.frame} bytes",
            offset=0,
        )
    try:
        decoder(memoryview(frame), limits)
    except RemoteProtocolError as error:
        raise LocalProtocolError(
            error.code, error.text, field=error.field, offset=error.offset
        ) from None


def refuse_message(message: object, limits: Limits) -> LocalProtocolError:
    """Return what is wrong with a message whose fields cannot be put into bytes.

    Says which field, what was expected and what type came, never what the field holds.
    """
    if not isinstance(message, Message):
        return LocalProtocolError(
            ErrorCode.BAD_VALUE, f"expected a message, not {type(message).__name__}"
        )
    for field in message.spec.fields:
        problem = _problem(field.name, getattr(message, field.name, None), field.kind, limits)
        if problem is not None:
            place, text = problem
            return LocalProtocolError(ErrorCode.BAD_VALUE, text, field=place)
    return LocalProtocolError(ErrorCode.BAD_VALUE, f"{message.spec.name} cannot be encoded")


def _problem(
    name: str, value: Any, kind: Kind | BooleanKind, limits: Limits
) -> tuple[str, str] | None:
    """Return the field at fault and what is wrong with it, or None."""
    if isinstance(kind, CountedKind):
        return _counted_problem(name, value, kind, limits)
    wanted = None
    if isinstance(kind, UInt32Kind) and not (isinstance(value, int) and 0 <= value < 2**32):
        wanted = "an int from 0 to 4294967295"
    elif isinstance(kind, BooleanKind) and not (
        isinstance(value, int) and 0 <= value <= (255 if limits.nonzero_is_true else 1)
    ):
        wanted = "a bool"
    elif isinstance(kind, StringKind):
        wanted = _string_wanted(value)
    return None if wanted is None else (name, f"expected {wanted}, not {_described(value)}")


def _string_wanted(value: Any) -> str | None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "a str that UTF-8 can carry (one without surrogates)"
        return None
    plain = isinstance(value, memoryview) and value.nbytes == len(value) and value.contiguous
    return None if plain or isinstance(value, bytes) else "str, bytes or a memoryview of bytes"


def _counted_problem(
    name: str, value: Any, kind: CountedKind, limits: Limits
) -> tuple[str, str] | None:
    if isinstance(value, (str, bytes, memoryview)) or not hasattr(value, "__len__"):
        return name, f"expected a sequence, not {_described(value)}"
    for index, item in enumerate(value):
        place = f"{name}[{index}]"
        parts = item if len(kind.element) > 1 else (item,)
        if not isinstance(parts, (tuple, list)) or len(parts) != len(kind.element):
            shape = ", ".join(part for part, _ in kind.element)
            return place, f"expected a tuple ({shape}), not {_described(item)}"
        for (part, part_kind), part_value in zip(kind.element, parts, strict=True):
            suffix = f".{part}" if len(kind.element) > 1 else ""
            problem = _problem(place + suffix, part_value, part_kind, limits)
            if problem is not None:
                return problem
    return None


def _described(value: Any) -> str:
    """Name the type of a value, and the value itself only where it is a number."""
    kind = type(value).__name__
    return f"{kind} {value}" if isinstance(value, int) else kind
