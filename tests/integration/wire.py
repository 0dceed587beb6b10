"""The protocol's messages as bytes made by hand, from the text and not from the codec (H.6)."""

import struct

MAX_FRAME = 262_144
"""The largest length field that the plugins of examples/ accept."""


def uint32(value: int) -> bytes:
    return struct.pack(">I", value)


def string(value: bytes) -> bytes:
    return uint32(len(value)) + value


def frame(message_type: int, *fields: bytes) -> bytes:
    return string(bytes([message_type]) + b"".join(fields))


def init(version: int = 2, host: bytes = b"host", port: int = 22, user: bytes = b"") -> bytes:
    return frame(1, uint32(version), string(host), uint32(port), string(user))


def init_response(user: bytes = b"") -> bytes:
    return frame(2, uint32(2), string(user))


def protocol(method: bytes = b"keyboard-interactive") -> bytes:
    return frame(3, string(method))


def request(
    *prompts: tuple[bytes, int],
    name: bytes = b"",
    instructions: bytes = b"",
    language: bytes = b"",
) -> bytes:
    items = b"".join(string(prompt) + bytes([echo]) for prompt, echo in prompts)
    head = string(name) + string(instructions) + string(language)
    return frame(20, head, uint32(len(prompts)), items)


def responses(*values: bytes) -> bytes:
    return frame(21, uint32(len(values)), *map(string, values))


def for_user(message: bytes) -> bytes:
    """Turn the server's request (20) or the answer to it (21) into the user's (22, 23)."""
    return message[:4] + bytes([message[4] + 2]) + message[5:]


ACCEPT = frame(4)
SUCCESS = frame(6)
FAILURE = frame(7)
PASSWORD = (b"Password: ", 0)
TOKEN = (b"Token: ", 1)
