"""paramiko, asyncssh and plain `io.BytesIO` + `struct` as readers of the twelve messages.

The layout of each message is written once, over the few things that all three can do (`uint32`,
`utf8` and so on). A library's own method that does just that gets the name as it is, which costs
nothing: what runs is what an ordinary user of the library would write.

The strict ones make every check that authplugin makes, with the least code on top of the library.
They only have to notice that something is wrong, not to say what and where.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import paramiko  # type: ignore[import-untyped]
from asyncssh.packet import SSHPacket

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

DEFAULT = Limits()

Decode: TypeAlias = Callable[..., Message]
"""`decode(frame, limits=DEFAULT)`. Where no checks are made, limits have no effect."""


class RefusedError(ValueError):
    """What the checks that are added to a library find wrong."""


def _prompts(r: Any) -> list[tuple[Any, bool]]:
    return [(r.utf8(), r.boolean()) for _ in range(r.prompt_count())]


def _responses(r: Any) -> list[Any]:
    return [r.utf8() for _ in range(r.response_count())]


LAYOUTS: dict[int, Callable[[Any], Message]] = {
    1: lambda r: PluginInit(r.uint32(), r.utf8(), r.uint32(), r.utf8()),
    2: lambda r: PluginInitResponse(r.uint32(), r.utf8()),
    3: lambda r: PluginProtocol(r.ascii()),
    4: lambda r: PluginProtocolAccept(),
    5: lambda r: PluginProtocolReject(r.utf8()),
    6: lambda r: PluginAuthSuccess(),
    7: lambda r: PluginAuthFailure(),
    8: lambda r: PluginInitFailure(r.utf8()),
    20: lambda r: PluginKIServerRequest(r.utf8(), r.utf8(), r.ascii(), _prompts(r)),
    21: lambda r: PluginKIServerResponse(_responses(r)),
    22: lambda r: PluginKIUserRequest(r.utf8(), r.utf8(), r.ascii(), _prompts(r)),
    23: lambda r: PluginKIUserResponse(_responses(r)),
}


# As they come.


class ParamikoReader(paramiko.Message):  # type: ignore[misc]
    uint32 = prompt_count = response_count = paramiko.Message.get_int
    utf8 = ascii = paramiko.Message.get_binary
    boolean = paramiko.Message.get_boolean

    def code(self) -> int:
        return int(self.get_byte()[0])


class AsyncsshReader(SSHPacket):
    code = SSHPacket.get_byte
    uint32 = prompt_count = response_count = SSHPacket.get_uint32
    utf8 = ascii = SSHPacket.get_string
    boolean = SSHPacket.get_boolean


class PlainReader(io.BytesIO):
    def code(self) -> int:
        return self.read(1)[0]

    def uint32(self) -> int:
        value: int = struct.unpack(">I", self.read(4))[0]
        return value

    def utf8(self) -> bytes:
        return self.read(self.uint32())

    def boolean(self) -> bool:
        return self.read(1) != b"\0"

    ascii = utf8
    prompt_count = response_count = uint32


def decoder(reader: Callable[[bytes], Any]) -> Decode:
    """Return what decodes a whole frame as the reader comes."""

    def decode(frame: bytes, limits: Limits = DEFAULT) -> Message:
        packet = reader(frame)
        packet.uint32()
        return LAYOUTS[packet.code()](packet)

    return decode


# Made equally strict. The checks stand on `uint32` and on `take`, which refuse to read beyond the
# end, and on `left`, the bytes that are still to be read.


def strict_utf8(r: Any) -> Any:
    size = r.uint32()
    if size > r.limits.text:
        raise RefusedError("string too long")
    value = r.take(size)
    value.decode()
    return value


def strict_utf8_unless_ascii(r: Any) -> Any:
    size = r.uint32()
    if size > r.limits.text:
        raise RefusedError("string too long")
    value = r.take(size)
    if not value.isascii():
        value.decode()
    return value


def strict_ascii(r: Any) -> Any:
    size = r.uint32()
    if size > r.limits.text:
        raise RefusedError("string too long")
    value = r.take(size)
    if not value.isascii():
        raise RefusedError("not ASCII")
    return value


def strict_boolean(r: Any) -> bool:
    value: int = r.take(1)[0]
    if value > 1:
        raise RefusedError("bad boolean")
    return value == 1


def strict_prompt_count(r: Any) -> int:
    count: int = r.uint32()
    if count > r.limits.count or count * 5 > r.left():
        raise RefusedError("bad count")
    return count


def strict_response_count(r: Any) -> int:
    count: int = r.uint32()
    if count > r.limits.count or count * 4 > r.left():
        raise RefusedError("bad count")
    return count


class StrictParamikoReader(paramiko.Message):  # type: ignore[misc]
    uint32 = paramiko.Message.get_int
    utf8 = strict_utf8
    ascii = strict_ascii
    boolean = strict_boolean
    prompt_count = strict_prompt_count
    response_count = strict_response_count

    def __init__(self, data: bytes, limits: Limits) -> None:
        paramiko.Message.__init__(self, data)
        self.limits = limits
        self.size = len(data)

    def get_bytes(self, n: int) -> bytes:
        """Refuse where paramiko would make up zeros. All that it reads goes through here."""
        value: bytes = self.packet.read(n)
        if len(value) != n:
            raise RefusedError("truncated")
        return value

    take = get_bytes

    def code(self) -> int:
        return self.get_bytes(1)[0]

    def left(self) -> int:
        return self.size - int(self.packet.tell())


class StrictAsyncsshReader(SSHPacket):
    code = SSHPacket.get_byte
    uint32 = SSHPacket.get_uint32
    take = SSHPacket.get_bytes
    utf8 = strict_utf8
    ascii = strict_ascii
    boolean = strict_boolean
    prompt_count = strict_prompt_count
    response_count = strict_response_count

    def __init__(self, data: bytes, limits: Limits) -> None:
        SSHPacket.__init__(self, data)
        self.limits = limits

    def left(self) -> int:
        # What is public here, get_remaining_payload(), makes a copy.
        return self._len - self._idx


class ShortcutAsyncsshReader(StrictAsyncsshReader):
    """Makes no `str` of text that is ASCII, only to throw it away."""

    utf8 = strict_utf8_unless_ascii


class StrictPlainReader(PlainReader):
    utf8 = strict_utf8
    ascii = strict_ascii
    boolean = strict_boolean
    prompt_count = strict_prompt_count
    response_count = strict_response_count

    def __init__(self, data: bytes, limits: Limits) -> None:
        PlainReader.__init__(self, data)
        self.limits = limits
        self.size = len(data)

    def take(self, size: int) -> bytes:
        value = self.read(size)
        if len(value) != size:
            raise RefusedError("truncated")
        return value

    def left(self) -> int:
        return self.size - self.tell()


def strict_decoder(reader: Callable[[bytes, Limits], Any]) -> Decode:
    """Return what decodes a whole frame with all checks."""

    def decode(frame: bytes, limits: Limits = DEFAULT) -> Message:
        packet = reader(frame, limits)
        length = packet.uint32()
        if length > limits.frame or length != len(frame) - 4:
            raise RefusedError("bad length")
        message = LAYOUTS[packet.code()](packet)
        if packet.left():
            raise RefusedError("trailing bytes")
        return message

    return decode


def strict_body_decoder(reader: Callable[[bytes, Limits], Any]) -> Decode:
    """Return what decodes a frame that has lost its length field, which was checked."""

    def decode(body: bytes, limits: Limits = DEFAULT) -> Message:
        packet = reader(body, limits)
        message = LAYOUTS[packet.code()](packet)
        if packet.left():
            raise RefusedError("trailing bytes")
        return message

    return decode
