"""The unchecked minimum: the least code that gives what authplugin gives, with no check at all.

The same message classes, the same views, the same pairs, read with precompiled `struct.Struct`s in
a straight line. It believes every length, takes any bytes for text, and does not even look at the
type byte: each function is called for the message that it knows is coming. Only `decode` looks.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from authplugin import (
    Limits,
    Message,
    PluginInit,
    PluginKIServerRequest,
    PluginKIServerResponse,
)

from .readers import DEFAULT

one = struct.Struct(">I").unpack_from
two = struct.Struct(">II").unpack_from
pack_one = struct.Struct(">I").pack
pack_two = struct.Struct(">II").pack
pack_head_one = struct.Struct(">IBI").pack
pack_head_two = struct.Struct(">IBII").pack


def decode_init(frame: bytes, limits: Limits = DEFAULT) -> PluginInit:
    view = memoryview(frame)
    version, size = two(frame, 5)
    end = 13 + size
    port, size = two(frame, end)
    start = end + 8
    return PluginInit(version, view[13:end], port, view[start : start + size])


def decode_request(frame: bytes, limits: Limits = DEFAULT) -> PluginKIServerRequest:
    view = memoryview(frame)
    (size,) = one(frame, 5)
    name_end = 9 + size
    (size,) = one(frame, name_end)
    instructions_end = name_end + 4 + size
    (size,) = one(frame, instructions_end)
    language_end = instructions_end + 4 + size
    (count,) = one(frame, language_end)
    at = language_end + 4
    prompts = []
    for _ in range(count):
        (size,) = one(frame, at)
        end = at + 4 + size
        prompts.append((view[at + 4 : end], frame[end] == 1))
        at = end + 1
    return PluginKIServerRequest(
        view[9:name_end],
        view[name_end + 4 : instructions_end],
        view[instructions_end + 4 : language_end],
        prompts,
    )


def decode_response(frame: bytes, limits: Limits = DEFAULT) -> PluginKIServerResponse:
    view = memoryview(frame)
    (count,) = one(frame, 5)
    at = 9
    responses = []
    for _ in range(count):
        (size,) = one(frame, at)
        end = at + 4 + size
        responses.append(view[at + 4 : end])
        at = end
    return PluginKIServerResponse(responses)


DECODERS: dict[int, Callable[[bytes], Message]] = {
    1: decode_init,
    20: decode_request,
    21: decode_response,
}


def decode(frame: bytes, limits: Limits = DEFAULT) -> Message:
    """Look at the type byte, and decode what it says."""
    return DECODERS[frame[4]](frame)


def encode_init(message: Any, limits: Limits = DEFAULT) -> bytes:
    hostname = message.hostname.encode()
    username = message.username.encode()
    head = pack_head_two(17 + len(hostname) + len(username), 1, message.version, len(hostname))
    return b"".join((head, hostname, pack_two(message.port, len(username)), username))


def encode_request(message: Any, limits: Limits = DEFAULT) -> bytes:
    name = message.name.encode()
    instructions = message.instructions.encode()
    language = message.language.encode()
    size = 17 + len(name) + len(instructions) + len(language)
    parts = [
        b"",
        name,
        pack_one(len(instructions)),
        instructions,
        pack_one(len(language)),
        language,
        pack_one(len(message.prompts)),
    ]
    for prompt, echo in message.prompts:
        octets = prompt.encode()
        size += 5 + len(octets)
        parts += (pack_one(len(octets)), octets, b"\1" if echo else b"\0")
    parts[0] = pack_head_one(size, 20, len(name))
    return b"".join(parts)


def encode_response(message: Any, limits: Limits = DEFAULT) -> bytes:
    size = 5
    parts = [b""]
    for response in message.responses:
        octets = response.encode()
        size += 4 + len(octets)
        parts += (pack_one(len(octets)), octets)
    parts[0] = pack_head_one(size, 21, len(message.responses))
    return b"".join(parts)


ENCODERS: dict[type[Message], Callable[..., bytes]] = {
    PluginInit: encode_init,
    PluginKIServerRequest: encode_request,
    PluginKIServerResponse: encode_response,
}
