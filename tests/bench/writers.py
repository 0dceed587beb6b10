"""paramiko, asyncssh and plain `io.BytesIO` + `struct` as writers of the twelve messages.

As with the readers, the layout of each message is written once and gives the pieces of its body.
asyncssh's pieces are bytes, which are joined; with the others writing a piece is what counts.

The strict ones make every check that `authplugin.encode` makes: text is UTF-8 or ASCII, flags are
`bool`, and nothing is over a limit.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import paramiko  # type: ignore[import-untyped]
from asyncssh.packet import Boolean, Byte, String, UInt32

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

from .readers import DEFAULT, RefusedError

Encode: TypeAlias = Callable[..., bytes]
"""`encode(message, limits=DEFAULT)`. Where no checks are made, limits have no effect."""


def _request(w: Any, m: Any) -> Sequence[Any]:
    return [
        w.utf8(m.name),
        w.utf8(m.instructions),
        w.ascii(m.language),
        w.count(m.prompts),
        *[piece for prompt, echo in m.prompts for piece in (w.utf8(prompt), w.boolean(echo))],
    ]


def _response(w: Any, m: Any) -> Sequence[Any]:
    return [w.count(m.responses), *[w.utf8(response) for response in m.responses]]


def _init(w: Any, m: Any) -> Sequence[Any]:
    return w.uint32(m.version), w.utf8(m.hostname), w.uint32(m.port), w.utf8(m.username)


LAYOUTS: dict[type[Message], tuple[int, Callable[[Any, Any], Sequence[Any]]]] = {
    PluginInit: (1, _init),
    PluginInitResponse: (2, lambda w, m: (w.uint32(m.version), w.utf8(m.username))),
    PluginProtocol: (3, lambda w, m: (w.ascii(m.method),)),
    PluginProtocolAccept: (4, lambda w, m: ()),
    PluginProtocolReject: (5, lambda w, m: (w.utf8(m.message),)),
    PluginAuthSuccess: (6, lambda w, m: ()),
    PluginAuthFailure: (7, lambda w, m: ()),
    PluginInitFailure: (8, lambda w, m: (w.utf8(m.message),)),
    PluginKIServerRequest: (20, _request),
    PluginKIServerResponse: (21, _response),
    PluginKIUserRequest: (22, _request),
    PluginKIUserResponse: (23, _response),
}


# As they come.


class AsyncsshWriter:
    """asyncssh writes with plain functions."""

    uint32 = staticmethod(UInt32)
    utf8 = ascii = staticmethod(String)
    boolean = staticmethod(Boolean)

    @staticmethod
    def count(values: Sequence[Any]) -> bytes:
        return UInt32(len(values))


class ParamikoWriter(paramiko.Message):  # type: ignore[misc]
    uint32 = paramiko.Message.add_int
    utf8 = ascii = paramiko.Message.add_string
    boolean = paramiko.Message.add_boolean

    def count(self, values: Sequence[Any]) -> None:
        self.add_int(len(values))


class PlainWriter(io.BytesIO):
    def uint32(self, value: int) -> None:
        self.write(struct.pack(">I", value))

    def utf8(self, value: str | bytes) -> None:
        if isinstance(value, str):
            value = value.encode()
        self.write(struct.pack(">I", len(value)))
        self.write(value)

    ascii = utf8

    def boolean(self, value: bool) -> None:
        self.write(b"\1" if value else b"\0")

    def count(self, values: Sequence[Any]) -> None:
        self.uint32(len(values))


def encode_with_asyncssh(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message as asyncssh comes."""
    code, layout = LAYOUTS[type(message)]
    return String(b"".join((Byte(code), *layout(AsyncsshWriter, message))))


def encode_with_paramiko(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message as paramiko comes."""
    code, layout = LAYOUTS[type(message)]
    writer = ParamikoWriter()
    writer.add_byte(bytes((code,)))
    layout(writer, message)
    body: bytes = writer.asbytes()
    return struct.pack(">I", len(body)) + body


def encode_with_struct(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message with nothing but `io.BytesIO` and `struct`."""
    code, layout = LAYOUTS[type(message)]
    writer = PlainWriter()
    writer.write(bytes((0, 0, 0, 0, code)))  # the length is not known yet
    layout(writer, message)
    length = writer.tell() - 4
    writer.seek(0)
    writer.write(struct.pack(">I", length))
    return writer.getvalue()


# Made equally strict.


def checked_text(value: Any, limits: Limits) -> bytes:
    """Return the bytes of a text field, which are UTF-8."""
    octets: bytes
    if isinstance(value, str):
        octets = value.encode()
    elif isinstance(value, bytes):
        octets = value
        value.decode()
    else:
        raise RefusedError("not text")
    if len(octets) > limits.text:
        raise RefusedError("string too long")
    return octets


def checked_ascii(value: Any, limits: Limits) -> bytes:
    """Return the bytes of a text field, which are ASCII."""
    octets = checked_text(value, limits)
    if not octets.isascii():
        raise RefusedError("not ASCII")
    return octets


def checked_count(values: Sequence[Any], limits: Limits) -> int:
    """Return the number of elements of a counted field."""
    count = len(values)
    if count > limits.count:
        raise RefusedError("too many elements")
    return count


def checked_boolean(value: Any) -> bool:
    """Return a flag."""
    if value is not True and value is not False:
        raise RefusedError("not a bool")
    return value


class StrictAsyncsshWriter:
    uint32 = staticmethod(UInt32)

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def utf8(self, value: Any) -> bytes:
        return String(checked_text(value, self.limits))

    def ascii(self, value: Any) -> bytes:
        return String(checked_ascii(value, self.limits))

    def boolean(self, value: Any) -> bytes:
        return Boolean(checked_boolean(value))

    def count(self, values: Sequence[Any]) -> bytes:
        return UInt32(checked_count(values, self.limits))


class StrictParamikoWriter(ParamikoWriter):
    def __init__(self, limits: Limits) -> None:
        paramiko.Message.__init__(self)
        self.limits = limits

    def utf8(self, value: Any) -> None:
        self.add_string(checked_text(value, self.limits))

    def ascii(self, value: Any) -> None:
        self.add_string(checked_ascii(value, self.limits))

    def boolean(self, value: Any) -> None:
        self.add_boolean(checked_boolean(value))

    def count(self, values: Sequence[Any]) -> None:
        self.add_int(checked_count(values, self.limits))


class StrictPlainWriter(PlainWriter):
    def __init__(self, limits: Limits) -> None:
        PlainWriter.__init__(self)
        self.limits = limits

    def utf8(self, value: Any) -> None:
        octets = checked_text(value, self.limits)
        self.write(struct.pack(">I", len(octets)))
        self.write(octets)

    def ascii(self, value: Any) -> None:
        octets = checked_ascii(value, self.limits)
        self.write(struct.pack(">I", len(octets)))
        self.write(octets)

    def boolean(self, value: Any) -> None:
        self.write(b"\1" if checked_boolean(value) else b"\0")

    def count(self, values: Sequence[Any]) -> None:
        self.write(struct.pack(">I", checked_count(values, self.limits)))


def encode_with_strict_asyncssh(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message with asyncssh and all checks."""
    code, layout = LAYOUTS[type(message)]
    body = b"".join((Byte(code), *layout(StrictAsyncsshWriter(limits), message)))
    if len(body) > limits.frame:
        raise RefusedError("frame too long")
    return String(body)


def encode_with_strict_paramiko(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message with paramiko and all checks."""
    code, layout = LAYOUTS[type(message)]
    writer = StrictParamikoWriter(limits)
    writer.add_byte(bytes((code,)))
    layout(writer, message)
    body: bytes = writer.asbytes()
    if len(body) > limits.frame:
        raise RefusedError("frame too long")
    return struct.pack(">I", len(body)) + body


def encode_with_strict_struct(message: Message, limits: Limits = DEFAULT) -> bytes:
    """Encode a message with `io.BytesIO`, `struct` and all checks."""
    code, layout = LAYOUTS[type(message)]
    writer = StrictPlainWriter(limits)
    writer.write(bytes((0, 0, 0, 0, code)))  # the length is not known yet
    layout(writer, message)
    length = writer.tell() - 4
    if length > limits.frame:
        raise RefusedError("frame too long")
    writer.seek(0)
    writer.write(struct.pack(">I", length))
    return writer.getvalue()
