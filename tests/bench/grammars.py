"""construct: a grammar of the twelve messages as it comes, compiled, and made equally strict.

Compiled grammars do not notice short reads, so there is no strict one.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyMapping
from typing import Any

from construct import (
    Byte,
    Error,
    ExprValidator,
    Flag,
    GreedyBytes,
    Int32ub,
    Mapping,
    Pass,
    Prefixed,
    PrefixedArray,
    Sequence,
    StringEncoded,
    Struct,
    Switch,
    Terminated,
    stream_size,
    this,
)

from authplugin import (
    Limits,
    Message,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
)

from .readers import DEFAULT

MESSAGES: dict[int, Any] = {
    1: PluginInit,
    2: PluginInitResponse,
    3: PluginProtocol,
    4: PluginProtocolAccept,
    5: PluginProtocolReject,
    6: PluginAuthSuccess,
    7: PluginAuthFailure,
    8: PluginInitFailure,
    20: PluginKIServerRequest,
    21: PluginKIServerResponse,
    22: PluginKIUserRequest,
    23: PluginKIUserResponse,
}

CODES = {kind: code for code, kind in MESSAGES.items()}


def bodies(
    utf8: Any, ascii_: Any, boolean: Any, prompt_count: Any, response_count: Any
) -> dict[int, Any]:
    """Return the grammars of what follows the type byte, by type byte."""
    request = Struct(
        "name" / utf8,
        "instructions" / utf8,
        "language" / ascii_,
        "prompts" / PrefixedArray(prompt_count, Sequence(utf8, boolean)),
    )
    response = Struct("responses" / PrefixedArray(response_count, utf8))
    return {
        1: Struct("version" / Int32ub, "hostname" / utf8, "port" / Int32ub, "username" / utf8),
        2: Struct("version" / Int32ub, "username" / utf8),
        3: Struct("method" / ascii_),
        4: Struct(),
        5: Struct("message" / utf8),
        6: Struct(),
        7: Struct(),
        8: Struct("message" / utf8),
        20: request,
        21: response,
        22: request,
        23: response,
    }


_STRING = Prefixed(Int32ub, GreedyBytes)
_BODIES = bodies(_STRING, _STRING, Flag, Int32ub, Int32ub)
_NAMES = {code: [field.name for field in body.subcons] for code, body in _BODIES.items()}

LAX: Any = Prefixed(Int32ub, Struct("type" / Byte, "fields" / Switch(this.type, _BODIES, Pass)))
COMPILED: Any = LAX.compile()


def _fits(least: int) -> Any:
    """Return the check of a count of elements that take `least` bytes each or more."""

    def check(count: int, context: Any) -> bool:
        if count > context._params.limits.count:
            return False
        if context._building:
            return True
        left = stream_size(context._io) - context._io.tell()
        return bool(count * least <= left)

    return ExprValidator(Int32ub, check)


_SHORT = Prefixed(
    ExprValidator(Int32ub, lambda size, context: size <= context._params.limits.text), GreedyBytes
)
STRICT_BODY: Any = Struct(
    "type" / Byte,
    "fields"
    / Switch(
        this.type,
        bodies(
            StringEncoded(_SHORT, "utf8"),
            StringEncoded(_SHORT, "ascii"),
            Mapping(Byte, {False: 0, True: 1}),
            _fits(5),
            _fits(4),
        ),
        default=Error,
    ),
    Terminated,
)
STRICT: Any = Sequence(
    Prefixed(
        ExprValidator(Int32ub, lambda size, context: size <= context._params.limits.frame),
        STRICT_BODY,
    ),
    Terminated,
)


def _message(parsed: Any) -> Message:
    values = [parsed.fields[name] for name in _NAMES[parsed.type]]
    if parsed.type in (20, 22):
        values[3] = [(prompt, echo) for prompt, echo in values[3]]
    message: Message = MESSAGES[parsed.type](*values)
    return message


def decode(frame: bytes, limits: Limits = DEFAULT) -> Message:
    """Decode a frame with construct as it comes."""
    return _message(LAX.parse(frame))


def decode_compiled(frame: bytes, limits: Limits = DEFAULT) -> Message:
    """Decode a frame with the code that construct makes of the grammar."""
    return _message(COMPILED.parse(frame))


def decode_strict(frame: bytes, limits: Limits = DEFAULT) -> Message:
    """Decode a frame with all checks."""
    return _message(STRICT.parse(frame, limits=limits)[0])


def decode_strict_body(body: bytes, limits: Limits = DEFAULT) -> Message:
    """Decode, with all checks, a frame that has lost its length field, which was checked."""
    return _message(STRICT_BODY.parse(body, limits=limits))


def _octets(value: Any) -> Any:
    """Return what the lax grammar builds a value from."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (list, tuple)):
        return [_octets(item) for item in value]
    return value


def _text(value: Any) -> Any:
    """Return what the strict grammar builds a value from."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)):
        return [_text(item) for item in value]
    return value


def _fields(message: Message, convert: Any) -> ReadOnlyMapping[str, Any]:
    code = CODES[type(message)]
    fields = {name: convert(getattr(message, name)) for name in _NAMES[code]}
    return {"type": code, "fields": fields}


def encode(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message with construct as it comes."""
    frame: bytes = LAX.build(_fields(message, _octets))
    return frame


def encode_strict(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message with all checks."""
    frame: bytes = STRICT.build([_fields(message, _text), None], limits=limits)
    return frame
