"""The messages of SSH's user authentication as `construct` grammars, one for each method under way.

They know the layout and nothing else, as `grammar` does for the plugin protocol: any bytes will do
as text, of any size. A request is the first of its forms that fits.
"""

from collections.abc import Mapping as ReadOnlyMapping
from typing import Any

from construct import (
    Byte,
    Const,
    ConstructError,
    Error,
    ExprValidator,
    FocusedSeq,
    GreedyBytes,
    Int32ub,
    Mapping,
    Prefixed,
    PrefixedArray,
    Select,
    Sequence,
    Struct,
    Switch,
    Terminated,
    this,
)

__all__ = ["FRAMES", "ConstructError", "build", "parse"]

_STRING = Prefixed(Int32ub, GreedyBytes)
_BOOLEAN = Mapping(Byte, {False: 0, True: 1})
_KNOWN = (b"none", b"password", b"publickey", b"keyboard-interactive")


def _request(method: bytes, *fields: Any) -> Any:
    """RFC 4252 section 5."""
    named = "method" / Const(method, _STRING)
    return Struct("user" / _STRING, "service" / _STRING, named, *fields, Terminated)


# RFC 4252 sections 5.2, 7 and 8, RFC 4256 section 3.1.
_REQUEST = Select(
    _request(b"none"),
    _request(b"password", "change" / Const(False, _BOOLEAN), "password" / _STRING),
    _request(
        b"password",
        "change" / Const(True, _BOOLEAN),
        "password" / _STRING,
        "new_password" / _STRING,
    ),
    _request(
        b"publickey",
        "has_signature" / Const(False, _BOOLEAN),
        "algorithm" / _STRING,
        "blob" / _STRING,
    ),
    _request(
        b"publickey",
        "has_signature" / Const(True, _BOOLEAN),
        "algorithm" / _STRING,
        "blob" / _STRING,
        "signature" / _STRING,
    ),
    _request(b"keyboard-interactive", "language" / _STRING, "submethods" / _STRING),
    Struct(
        "user" / _STRING,
        "service" / _STRING,
        "method" / ExprValidator(_STRING, lambda value, _: value not in _KNOWN),
        "rest" / GreedyBytes,
    ),
)

_ALWAYS: dict[int, Any] = {
    50: _REQUEST,
    51: Struct("methods" / _STRING, "partial_success" / _BOOLEAN),
    52: Struct(),
    53: Struct("message" / _STRING, "language" / _STRING),
}

_UNDER_WAY: dict[str | None, dict[int, Any]] = {
    None: {},
    "none": {},
    "password": {60: Struct("prompt" / _STRING, "language" / _STRING)},
    "publickey": {60: Struct("algorithm" / _STRING, "blob" / _STRING)},
    "keyboard-interactive": {
        60: Struct(
            "name" / _STRING,
            "instructions" / _STRING,
            "language" / _STRING,
            "prompts" / PrefixedArray(Int32ub, Sequence(_STRING, _BOOLEAN)),
        ),
        61: Struct("responses" / PrefixedArray(Int32ub, _STRING)),
    },
}


def _frame(bodies: dict[int, Any]) -> Any:
    body = Struct("type" / Byte, "fields" / Switch(this.type, bodies, default=Error), Terminated)
    return FocusedSeq("message", "message" / Prefixed(Int32ub, body), Terminated)


FRAMES: dict[str | None, Any] = {
    method: _frame({**_ALWAYS, **bodies}) for method, bodies in _UNDER_WAY.items()
}
"""One whole frame, by the method under way."""


def parse(frame: bytes, method: str | None = None) -> dict[str, Any]:
    """Return the neutral message in exactly one whole frame.

    Raises:
        ConstructError: the bytes do not follow the grammar.

    """
    parsed = FRAMES[method].parse(frame)
    message: dict[str, Any] = {"type": parsed.type}
    for name, value in parsed.fields.items():
        if name == "prompts":
            message[name] = [(prompt, echo) for prompt, echo in value]
        elif name == "responses":
            message[name] = list(value)
        elif not name.startswith("_"):
            message[name] = value
    return message


def build(message: ReadOnlyMapping[str, Any], method: str | None = None) -> bytes:
    """Return the whole frame of a neutral message. Any bytes will do as text.

    Raises:
        ConstructError: the message is none that there is under the method, or does not fit.
        ValueError: it has a field that is not read back.

    """
    fields = {name: value for name, value in message.items() if name != "type"}
    frame: bytes = FRAMES[method].build({"type": message["type"], "fields": fields})
    if parse(frame, method) != dict(message):
        raise ValueError(f"no message has just the fields {list(fields)}")
    return frame
