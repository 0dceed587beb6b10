"""The stream decoders that ours is compared with: h11's receive buffer before a strict decoder.

h11 is the model of sans-IO libraries, and its buffer, tuned over years, is what somebody who builds
such a decoder would take. The class is private (h11 offers it to nobody), so this is pinned to
h11 0.16; it is used here as h11 uses it, through `+=`, `len` and `maybe_extract_at_most`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from h11._receivebuffer import ReceiveBuffer

from authplugin import Limits, Message, MessageDecoder

from .readers import DEFAULT, Decode, RefusedError

Take: TypeAlias = Callable[[Message], object]

DecodeStream: TypeAlias = Callable[[Iterable[bytes], Take], None]
"""Hands over the messages of a stream that comes in chunks, one after the other.

Whoever takes them can let go of each, as a program does that answers it. To keep all would measure
the memory for a thousand messages, and not how fast they are decoded.
"""


class BufferedDecoder:
    """Chunks to messages, with the checks that `authplugin.MessageDecoder` makes."""

    def __init__(self, decode_body: Decode, limits: Limits = DEFAULT) -> None:
        self._decode_body = decode_body
        self._limits = limits
        self._buffer = ReceiveBuffer()
        self._need = 4
        self._in_body = False

    def feed(self, data: bytes) -> list[Message]:
        """Take a chunk in, and return the messages that it completes.

        Raises:
            ValueError: or whatever else `decode_body` raises, where the stream is wrong.
        """
        buffer = self._buffer
        buffer += data
        messages = []
        while len(buffer) >= self._need:
            part = buffer.maybe_extract_at_most(self._need)
            if self._in_body:
                # The readers are made for bytes, and what they give must not change any more.
                messages.append(self._decode_body(bytes(part or b""), self._limits))
                self._need = 4
                self._in_body = False
            else:
                length = int.from_bytes(part or b"", "big")
                if length == 0 or length > self._limits.frame:
                    raise RefusedError("bad length")
                self._need = length
                self._in_body = True
        return messages


def buffered(decode_body: Decode) -> DecodeStream:
    """Return what decodes a stream with h11's buffer before a body decoder."""

    def decode_stream(chunks: Iterable[bytes], take: Take) -> None:
        feed = BufferedDecoder(decode_body).feed
        for chunk in chunks:
            for message in feed(chunk):
                take(message)

    return decode_stream


def ours(chunks: Iterable[bytes], take: Take) -> None:
    """Decode a stream with authplugin."""
    feed = MessageDecoder().feed
    for chunk in chunks:
        for message in feed(chunk):
            take(message)
