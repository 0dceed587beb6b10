"""One decoder and one encoder for each message, straight-line.

Written by codec/generate.py from the message table: change the table, then run it again.

A decoder takes a whole frame whose length field has been checked. It only notices that something
is wrong, raises one of UNREADABLE, and leaves it to `refuse_frame` to find out what. An encoder
puts the fields together, raises one of UNWRITABLE where it cannot or must not, and leaves the rest
to `refuse_message`. `authplugin.decode` and `authplugin.encode` are what to call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from .kinds import BOOLEANS, OCTETS
from .limits import Limits
from .messages import (
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
from .table import Message
from .text import STEP, are_utf8, is_ascii

get_2_uint32 = struct.Struct(">II").unpack_from
get_head = struct.Struct(">IB").unpack_from
get_uint32 = struct.Struct(">I").unpack_from
put_2_uint32 = struct.Struct(">II").pack
put_head = struct.Struct(">IB").pack
put_head_2_uint32 = struct.Struct(">IBII").pack
put_head_uint32 = struct.Struct(">IBI").pack
put_uint32 = struct.Struct(">I").pack

UNREADABLE: Final = (struct.error, IndexError)
UNWRITABLE: Final = (struct.error, TypeError, ValueError, KeyError, AttributeError)


def decode_plugin_init(frame: memoryview, limits: Limits) -> PluginInit:
    """Decode a PLUGIN_INIT frame (H.6.1)."""
    size = len(frame)
    longest = limits.text
    version, hostname_size = get_2_uint32(frame, 5)
    hostname_end = 13 + hostname_size
    port, username_size = get_2_uint32(frame, hostname_end)
    username_end = hostname_end + 8 + username_size
    if size != username_end or hostname_size > longest or username_size > longest:
        raise IndexError
    hostname = frame[13:hostname_end]
    username = frame[hostname_end + 8 : username_end]
    if size > STEP or not (hostname.tobytes().isascii() and username.tobytes().isascii()):
        unstated = (hostname, username)
        if not (limits.any_bytes or are_utf8(unstated, size)):
            raise IndexError
    return PluginInit(version, hostname, port, username)


def encode_plugin_init(source: PluginInit, limits: Limits) -> bytes:
    """Encode a PLUGIN_INIT frame (H.6.1)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    hostname = source.hostname
    if isinstance(hostname, str):
        hostname = hostname.encode()
    elif not limits.any_bytes:
        given.append(hostname)
    hostname_size = len(hostname)
    username = source.username
    if isinstance(username, str):
        username = username.encode()
    elif not limits.any_bytes:
        given.append(username)
    username_size = len(username)
    size = 17 + hostname_size + username_size
    parts: list[bytes | memoryview] = [
        put_head_2_uint32(size, 1, source.version, hostname_size),
        hostname,
        put_2_uint32(source.port, username_size),
        username,
    ]
    if size > limits.frame or hostname_size > longest or username_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_init_response(frame: memoryview, limits: Limits) -> PluginInitResponse:
    """Decode a PLUGIN_INIT_RESPONSE frame (H.6.2)."""
    size = len(frame)
    longest = limits.text
    version, username_size = get_2_uint32(frame, 5)
    username_end = 13 + username_size
    if size != username_end or username_size > longest:
        raise IndexError
    username = frame[13:username_end]
    if size > STEP or not username.tobytes().isascii():
        unstated = (username,)
        if not (limits.any_bytes or are_utf8(unstated, size)):
            raise IndexError
    return PluginInitResponse(version, username)


def encode_plugin_init_response(source: PluginInitResponse, limits: Limits) -> bytes:
    """Encode a PLUGIN_INIT_RESPONSE frame (H.6.2)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    username = source.username
    if isinstance(username, str):
        username = username.encode()
    elif not limits.any_bytes:
        given.append(username)
    username_size = len(username)
    size = 9 + username_size
    parts: list[bytes | memoryview] = [
        put_head_2_uint32(size, 2, source.version, username_size),
        username,
    ]
    if size > limits.frame or username_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_init_failure(frame: memoryview, limits: Limits) -> PluginInitFailure:
    """Decode a PLUGIN_INIT_FAILURE frame (H.6.3)."""
    size = len(frame)
    longest = limits.text
    (message_size,) = get_uint32(frame, 5)
    message_end = 9 + message_size
    if size != message_end or message_size > longest:
        raise IndexError
    message = frame[9:message_end]
    if size > STEP or not message.tobytes().isascii():
        unstated = (message,)
        if not (limits.any_bytes or are_utf8(unstated, size)):
            raise IndexError
    return PluginInitFailure(message)


def encode_plugin_init_failure(source: PluginInitFailure, limits: Limits) -> bytes:
    """Encode a PLUGIN_INIT_FAILURE frame (H.6.3)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    message = source.message
    if isinstance(message, str):
        message = message.encode()
    elif not limits.any_bytes:
        given.append(message)
    message_size = len(message)
    size = 5 + message_size
    parts: list[bytes | memoryview] = [put_head_uint32(size, 8, message_size), message]
    if size > limits.frame or message_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_protocol(frame: memoryview, limits: Limits) -> PluginProtocol:
    """Decode a PLUGIN_PROTOCOL frame (H.6.4)."""
    size = len(frame)
    longest = limits.text
    (method_size,) = get_uint32(frame, 5)
    method_end = 9 + method_size
    if size != method_end or method_size > longest:
        raise IndexError
    method = frame[9:method_end]
    if (size > STEP or not method.tobytes().isascii()) and not is_ascii(method):
        raise IndexError
    return PluginProtocol(method)


def encode_plugin_protocol(source: PluginProtocol, limits: Limits) -> bytes:
    """Encode a PLUGIN_PROTOCOL frame (H.6.4)."""
    longest = limits.text
    method = source.method
    if isinstance(method, str):
        method = method.encode("ascii")
    elif not is_ascii(memoryview(method)):
        raise ValueError
    method_size = len(method)
    size = 5 + method_size
    parts: list[bytes | memoryview] = [put_head_uint32(size, 3, method_size), method]
    if size > limits.frame or method_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    return frame


def decode_plugin_protocol_reject(frame: memoryview, limits: Limits) -> PluginProtocolReject:
    """Decode a PLUGIN_PROTOCOL_REJECT frame (H.6.5)."""
    size = len(frame)
    longest = limits.text
    (message_size,) = get_uint32(frame, 5)
    message_end = 9 + message_size
    if size != message_end or message_size > longest:
        raise IndexError
    message = frame[9:message_end]
    if size > STEP or not message.tobytes().isascii():
        unstated = (message,)
        if not (limits.any_bytes or are_utf8(unstated, size)):
            raise IndexError
    return PluginProtocolReject(message)


def encode_plugin_protocol_reject(source: PluginProtocolReject, limits: Limits) -> bytes:
    """Encode a PLUGIN_PROTOCOL_REJECT frame (H.6.5)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    message = source.message
    if isinstance(message, str):
        message = message.encode()
    elif not limits.any_bytes:
        given.append(message)
    message_size = len(message)
    size = 5 + message_size
    parts: list[bytes | memoryview] = [put_head_uint32(size, 5, message_size), message]
    if size > limits.frame or message_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_protocol_accept(frame: memoryview, limits: Limits) -> PluginProtocolAccept:
    """Decode a PLUGIN_PROTOCOL_ACCEPT frame (H.6.6)."""
    size = len(frame)
    if size != 5:
        raise IndexError
    return PluginProtocolAccept()


def encode_plugin_protocol_accept(source: PluginProtocolAccept, limits: Limits) -> bytes:
    """Encode a PLUGIN_PROTOCOL_ACCEPT frame (H.6.6)."""
    size = 1
    parts: list[bytes | memoryview] = [put_head(size, 4)]
    return b"".join(parts)


def decode_plugin_ki_server_request(frame: memoryview, limits: Limits) -> PluginKIServerRequest:
    """Decode a PLUGIN_KI_SERVER_REQUEST frame (H.6.7)."""
    size = len(frame)
    longest = limits.text
    booleans = BOOLEANS[limits.nonzero_is_true]
    (name_size,) = get_uint32(frame, 5)
    name_end = 9 + name_size
    (instructions_size,) = get_uint32(frame, name_end)
    instructions_end = name_end + 4 + instructions_size
    (language_size,) = get_uint32(frame, instructions_end)
    language_end = instructions_end + 4 + language_size
    (count,) = get_uint32(frame, language_end)
    at = language_end + 4
    if (
        name_size > longest
        or instructions_size > longest
        or language_size > longest
        or count > limits.count
        or count * 5 > size - at
    ):
        raise IndexError
    prompts = []
    for _ in range(count):
        (prompt_size,) = get_uint32(frame, at)
        prompt_start = at + 4
        at = prompt_start + prompt_size
        if at > size or prompt_size > longest:
            raise IndexError
        prompt = frame[prompt_start:at]
        echo = booleans[frame[at]]
        at += 1
        prompts.append((prompt, echo))
    if size != at:
        raise IndexError
    name = frame[9:name_end]
    instructions = frame[name_end + 4 : instructions_end]
    language = frame[instructions_end + 4 : language_end]
    if size > STEP or not (frame.tobytes().isascii() or frame[4:].tobytes().isascii()):
        utf8 = (name, instructions, *[part for part, _ in prompts])
        if not is_ascii(language) or not are_utf8(utf8, size):
            raise IndexError
    return PluginKIServerRequest(name, instructions, language, prompts)


def encode_plugin_ki_server_request(source: PluginKIServerRequest, limits: Limits) -> bytes:
    """Encode a PLUGIN_KI_SERVER_REQUEST frame (H.6.7)."""
    longest = limits.text
    octets = OCTETS[limits.nonzero_is_true]
    given: list[bytes | memoryview] = []
    name = source.name
    if isinstance(name, str):
        name = name.encode()
    else:
        given.append(name)
    name_size = len(name)
    instructions = source.instructions
    if isinstance(instructions, str):
        instructions = instructions.encode()
    else:
        given.append(instructions)
    instructions_size = len(instructions)
    language = source.language
    if isinstance(language, str):
        language = language.encode("ascii")
    elif not is_ascii(memoryview(language)):
        raise ValueError
    language_size = len(language)
    size = 17 + name_size + instructions_size + language_size
    if not isinstance(source.prompts, (list, tuple)):
        raise TypeError
    count = len(source.prompts)
    parts: list[bytes | memoryview] = [
        b"",
        name,
        put_uint32(instructions_size),
        instructions,
        put_uint32(language_size),
        language,
        put_uint32(count),
    ]
    for prompt, echo in source.prompts:
        if isinstance(prompt, str):
            prompt = prompt.encode()
        else:
            given.append(prompt)
        prompt_size = len(prompt)
        if prompt_size > longest:
            raise ValueError
        size += 5 + prompt_size
        parts += (put_uint32(prompt_size), prompt, octets[echo])
    parts[0] = put_head_uint32(size, 20, name_size)
    if (
        size > limits.frame
        or name_size > longest
        or instructions_size > longest
        or language_size > longest
        or count > limits.count
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_ki_server_response(frame: memoryview, limits: Limits) -> PluginKIServerResponse:
    """Decode a PLUGIN_KI_SERVER_RESPONSE frame (H.6.8)."""
    size = len(frame)
    longest = limits.text
    (count,) = get_uint32(frame, 5)
    at = 9
    if count > limits.count or count * 4 > size - at:
        raise IndexError
    responses = []
    for _ in range(count):
        (response_size,) = get_uint32(frame, at)
        response_start = at + 4
        at = response_start + response_size
        if at > size or response_size > longest:
            raise IndexError
        response = frame[response_start:at]
        responses.append(response)
    if size != at:
        raise IndexError
    if size > STEP or not (frame.tobytes().isascii() or frame[4:].tobytes().isascii()):
        utf8 = (*responses,)
        if not are_utf8(utf8, size):
            raise IndexError
    return PluginKIServerResponse(responses)


def encode_plugin_ki_server_response(source: PluginKIServerResponse, limits: Limits) -> bytes:
    """Encode a PLUGIN_KI_SERVER_RESPONSE frame (H.6.8)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    size = 5
    if not isinstance(source.responses, (list, tuple)):
        raise TypeError
    count = len(source.responses)
    parts: list[bytes | memoryview] = [b""]
    for response in source.responses:
        if isinstance(response, str):
            response = response.encode()
        else:
            given.append(response)
        response_size = len(response)
        if response_size > longest:
            raise ValueError
        size += 4 + response_size
        parts += (put_uint32(response_size), response)
    parts[0] = put_head_uint32(size, 21, count)
    if size > limits.frame or count > limits.count:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_ki_user_request(frame: memoryview, limits: Limits) -> PluginKIUserRequest:
    """Decode a PLUGIN_KI_USER_REQUEST frame (H.6.9)."""
    size = len(frame)
    longest = limits.text
    booleans = BOOLEANS[limits.nonzero_is_true]
    (name_size,) = get_uint32(frame, 5)
    name_end = 9 + name_size
    (instructions_size,) = get_uint32(frame, name_end)
    instructions_end = name_end + 4 + instructions_size
    (language_size,) = get_uint32(frame, instructions_end)
    language_end = instructions_end + 4 + language_size
    (count,) = get_uint32(frame, language_end)
    at = language_end + 4
    if (
        name_size > longest
        or instructions_size > longest
        or language_size > longest
        or count > limits.count
        or count * 5 > size - at
    ):
        raise IndexError
    prompts = []
    for _ in range(count):
        (prompt_size,) = get_uint32(frame, at)
        prompt_start = at + 4
        at = prompt_start + prompt_size
        if at > size or prompt_size > longest:
            raise IndexError
        prompt = frame[prompt_start:at]
        echo = booleans[frame[at]]
        at += 1
        prompts.append((prompt, echo))
    if size != at:
        raise IndexError
    name = frame[9:name_end]
    instructions = frame[name_end + 4 : instructions_end]
    language = frame[instructions_end + 4 : language_end]
    if size > STEP or not (frame.tobytes().isascii() or frame[4:].tobytes().isascii()):
        utf8 = (name, instructions, *[part for part, _ in prompts])
        if not is_ascii(language) or not are_utf8(utf8, size):
            raise IndexError
    return PluginKIUserRequest(name, instructions, language, prompts)


def encode_plugin_ki_user_request(source: PluginKIUserRequest, limits: Limits) -> bytes:
    """Encode a PLUGIN_KI_USER_REQUEST frame (H.6.9)."""
    longest = limits.text
    octets = OCTETS[limits.nonzero_is_true]
    given: list[bytes | memoryview] = []
    name = source.name
    if isinstance(name, str):
        name = name.encode()
    else:
        given.append(name)
    name_size = len(name)
    instructions = source.instructions
    if isinstance(instructions, str):
        instructions = instructions.encode()
    else:
        given.append(instructions)
    instructions_size = len(instructions)
    language = source.language
    if isinstance(language, str):
        language = language.encode("ascii")
    elif not is_ascii(memoryview(language)):
        raise ValueError
    language_size = len(language)
    size = 17 + name_size + instructions_size + language_size
    if not isinstance(source.prompts, (list, tuple)):
        raise TypeError
    count = len(source.prompts)
    parts: list[bytes | memoryview] = [
        b"",
        name,
        put_uint32(instructions_size),
        instructions,
        put_uint32(language_size),
        language,
        put_uint32(count),
    ]
    for prompt, echo in source.prompts:
        if isinstance(prompt, str):
            prompt = prompt.encode()
        else:
            given.append(prompt)
        prompt_size = len(prompt)
        if prompt_size > longest:
            raise ValueError
        size += 5 + prompt_size
        parts += (put_uint32(prompt_size), prompt, octets[echo])
    parts[0] = put_head_uint32(size, 22, name_size)
    if (
        size > limits.frame
        or name_size > longest
        or instructions_size > longest
        or language_size > longest
        or count > limits.count
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_ki_user_response(frame: memoryview, limits: Limits) -> PluginKIUserResponse:
    """Decode a PLUGIN_KI_USER_RESPONSE frame (H.6.10)."""
    size = len(frame)
    longest = limits.text
    (count,) = get_uint32(frame, 5)
    at = 9
    if count > limits.count or count * 4 > size - at:
        raise IndexError
    responses = []
    for _ in range(count):
        (response_size,) = get_uint32(frame, at)
        response_start = at + 4
        at = response_start + response_size
        if at > size or response_size > longest:
            raise IndexError
        response = frame[response_start:at]
        responses.append(response)
    if size != at:
        raise IndexError
    if size > STEP or not (frame.tobytes().isascii() or frame[4:].tobytes().isascii()):
        utf8 = (*responses,)
        if not are_utf8(utf8, size):
            raise IndexError
    return PluginKIUserResponse(responses)


def encode_plugin_ki_user_response(source: PluginKIUserResponse, limits: Limits) -> bytes:
    """Encode a PLUGIN_KI_USER_RESPONSE frame (H.6.10)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    size = 5
    if not isinstance(source.responses, (list, tuple)):
        raise TypeError
    count = len(source.responses)
    parts: list[bytes | memoryview] = [b""]
    for response in source.responses:
        if isinstance(response, str):
            response = response.encode()
        else:
            given.append(response)
        response_size = len(response)
        if response_size > longest:
            raise ValueError
        size += 4 + response_size
        parts += (put_uint32(response_size), response)
    parts[0] = put_head_uint32(size, 23, count)
    if size > limits.frame or count > limits.count:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_plugin_auth_success(frame: memoryview, limits: Limits) -> PluginAuthSuccess:
    """Decode a PLUGIN_AUTH_SUCCESS frame (H.6.11)."""
    size = len(frame)
    if size != 5:
        raise IndexError
    return PluginAuthSuccess()


def encode_plugin_auth_success(source: PluginAuthSuccess, limits: Limits) -> bytes:
    """Encode a PLUGIN_AUTH_SUCCESS frame (H.6.11)."""
    size = 1
    parts: list[bytes | memoryview] = [put_head(size, 6)]
    return b"".join(parts)


def decode_plugin_auth_failure(frame: memoryview, limits: Limits) -> PluginAuthFailure:
    """Decode a PLUGIN_AUTH_FAILURE frame (H.6.12)."""
    size = len(frame)
    if size != 5:
        raise IndexError
    return PluginAuthFailure()


def encode_plugin_auth_failure(source: PluginAuthFailure, limits: Limits) -> bytes:
    """Encode a PLUGIN_AUTH_FAILURE frame (H.6.12)."""
    size = 1
    parts: list[bytes | memoryview] = [put_head(size, 7)]
    return b"".join(parts)


Decoder = Callable[[memoryview, Limits], Message]

DECODERS: Final[dict[str | None, dict[int, Decoder]]] = {
    None: {
        1: decode_plugin_init,
        2: decode_plugin_init_response,
        8: decode_plugin_init_failure,
        3: decode_plugin_protocol,
        5: decode_plugin_protocol_reject,
        4: decode_plugin_protocol_accept,
        6: decode_plugin_auth_success,
        7: decode_plugin_auth_failure,
    },
    "keyboard-interactive": {
        1: decode_plugin_init,
        2: decode_plugin_init_response,
        8: decode_plugin_init_failure,
        3: decode_plugin_protocol,
        5: decode_plugin_protocol_reject,
        4: decode_plugin_protocol_accept,
        20: decode_plugin_ki_server_request,
        21: decode_plugin_ki_server_response,
        22: decode_plugin_ki_user_request,
        23: decode_plugin_ki_user_response,
        6: decode_plugin_auth_success,
        7: decode_plugin_auth_failure,
    },
}
"""By the method agreed on, which codes from 20 up belong to, and the type byte."""

ENCODERS: Final[dict[type[Message], Callable[[Any, Limits], bytes]]] = {
    PluginInit: encode_plugin_init,
    PluginInitResponse: encode_plugin_init_response,
    PluginInitFailure: encode_plugin_init_failure,
    PluginProtocol: encode_plugin_protocol,
    PluginProtocolReject: encode_plugin_protocol_reject,
    PluginProtocolAccept: encode_plugin_protocol_accept,
    PluginKIServerRequest: encode_plugin_ki_server_request,
    PluginKIServerResponse: encode_plugin_ki_server_response,
    PluginKIUserRequest: encode_plugin_ki_user_request,
    PluginKIUserResponse: encode_plugin_ki_user_response,
    PluginAuthSuccess: encode_plugin_auth_success,
    PluginAuthFailure: encode_plugin_auth_failure,
}
