"""The twelve messages as one declarative `construct` grammar (H.3, H.6, RFC 4256).

The grammar knows the layout and nothing else: it judges no text, knows no limits and gives no
codes. It is exactly as strict as `cursor` with unlimited `Limits`, save that any bytes pass as
text in every field.
"""

from collections.abc import Mapping as ReadOnlyMapping
from typing import Any

from construct import (
    Byte,
    ConstructError,
    Error,
    FocusedSeq,
    GreedyBytes,
    Int32ub,
    Mapping,
    Prefixed,
    PrefixedArray,
    Sequence,
    Struct,
    Switch,
    Terminated,
    this,
)

__all__ = ["BODIES", "FRAME", "ConstructError", "build", "parse"]

_STRING = Prefixed(Int32ub, GreedyBytes)

# Not construct's Flag, which takes every byte but 0 for true.
_BOOLEAN = Mapping(Byte, {False: 0, True: 1})

# RFC 4256 section 3.2.
_INFO_REQUEST = Struct(
    "name" / _STRING,
    "instructions" / _STRING,
    "language" / _STRING,
    "prompts" / PrefixedArray(Int32ub, Sequence(_STRING, _BOOLEAN)),
)

# RFC 4256 section 3.4.
_INFO_RESPONSE = Struct("responses" / PrefixedArray(Int32ub, _STRING))

_NOTHING = Struct()

BODIES: dict[int, Any] = {
    1: Struct("version" / Int32ub, "hostname" / _STRING, "port" / Int32ub, "username" / _STRING),
    2: Struct("version" / Int32ub, "username" / _STRING),
    3: Struct("method" / _STRING),
    4: _NOTHING,
    5: Struct("message" / _STRING),
    6: _NOTHING,
    7: _NOTHING,
    8: Struct("message" / _STRING),
    20: _INFO_REQUEST,
    21: _INFO_RESPONSE,
    22: _INFO_REQUEST,
    23: _INFO_RESPONSE,
}
"""What follows the type byte, by type code."""

FRAME: Any = FocusedSeq(
    "message",
    "message"
    / Prefixed(
        Int32ub,
        Struct("type" / Byte, "fields" / Switch(this.type, BODIES, default=Error), Terminated),
    ),
    Terminated,
)
"""One whole frame: length, type byte, fields, and nothing left over inside or behind it."""


def parse(frame: bytes) -> dict[str, Any]:
    """Return the neutral message in exactly one whole frame.

    Raises:
        ConstructError: the bytes do not follow the grammar.

    """
    parsed = FRAME.parse(frame)
    message: dict[str, Any] = {"type": parsed.type}
    for name in _names(parsed.type):
        value = parsed.fields[name]
        if name == "prompts":
            value = [(prompt, echo) for prompt, echo in value]
        elif name == "responses":
            value = list(value)
        message[name] = value
    return message


def build(message: ReadOnlyMapping[str, Any]) -> bytes:
    """Return the whole frame of a neutral message. Any bytes will do as text.

    Raises:
        ConstructError: the type code is unknown or a number does not fit its place.
        ValueError: a field is missing, or is none of this message's.

    """
    code = message["type"]
    fields = {name: value for name, value in message.items() if name != "type"}
    if code in BODIES and fields.keys() != set(_names(code)):
        raise ValueError(f"type {code} has the fields {_names(code)}, not {list(fields)}")
    frame: bytes = FRAME.build({"type": code, "fields": fields})
    return frame


def _names(code: int) -> list[str]:
    return [field.name for field in BODIES[code].subcons]
