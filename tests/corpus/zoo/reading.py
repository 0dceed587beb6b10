"""Mistakes in how a plugin reads, each in the words of somebody who has made it."""

import os
import select
import struct
import sys

from plugin import LIMIT, SERVER_REQUEST, Plugin, Refused, require


class ReadsNativeOrder(Plugin):
    """I unpacked the lengths with "I", which is little-endian on my machine."""

    def length_of(self, header: bytes) -> int:
        return int(struct.unpack("<I", header)[0])


class ReadsOnce(Plugin):
    """I took read(n) for a call that returns n bytes."""

    def read(self, size: int) -> bytes:
        return os.read(0, size)


class ChunkIsMessage(Plugin):
    """I took what one read returned for one message."""

    def read_frame(self) -> bytes | None:
        data = os.read(0, 65_536)
        if not data:
            return None
        require(len(data) >= 5, "a message is too short")
        length = self.length_of(data[:4])
        require(1 <= length <= len(data) - 4, "a message is too short")
        return data[4 : 4 + length]


class ReadsToEnd(Plugin):
    """I read all of the input before I looked at it."""

    data: bytes | None = None

    def read(self, size: int) -> bytes:
        if self.data is None:
            self.data = sys.stdin.buffer.read()
        taken, self.data = self.data[:size], self.data[size:]
        return taken


class ReadsLines(Plugin):
    """I read a line, as one does from standard input."""

    def read_frame(self) -> bytes | None:
        line = sys.stdin.buffer.readline()
        return line.removesuffix(b"\n")[4:] or None


class FillsItsBuffer(Plugin):
    """I read 4096 bytes at a time, which waits until so many have come."""

    def __init__(self) -> None:
        super().__init__()
        self.held = b""

    def read(self, size: int) -> bytes:
        while len(self.held) < size and (more := sys.stdin.buffer.read(4096)):
            self.held += more
        taken, self.held = self.held[:size], self.held[size:]
        return taken


class SelectsBeforeBuffer(Plugin):
    """I waited with select, which does not know what my buffer holds already."""

    def read_frame(self) -> bytes | None:
        select.select([0], [], [])
        return super().read_frame()

    def read(self, size: int) -> bytes:
        return sys.stdin.buffer.read(size)


class ReadsAtMost256(Plugin):
    """I read into a buffer of 256 bytes: no message is that long."""

    def read_frame(self) -> bytes | None:
        body = super().read_frame()
        require(body is None or len(body) <= 256, "a message is too long")
        return body


class ReadsInTextMode(Plugin):
    """My standard input was in text mode, where 13 is a newline like 10."""

    def read(self, size: int) -> bytes:
        return super().read(size).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class StopsAtControlZ(Plugin):
    """My standard input was in text mode, where 26 is the end of the file."""

    def read(self, size: int) -> bytes:
        return super().read(size).split(b"\x1a")[0]


class AnswersBeforeEnd(Plugin):
    """I answered as soon as I knew the type of the message, and read the rest afterwards."""

    def read_frame(self) -> bytes | None:
        header = self.read(4)
        if not header:
            return None
        require(len(header) == 4, "the input ends inside a frame")
        length = self.length_of(header)
        require(1 <= length <= LIMIT, "a frame is empty or too long")
        code = self.read(1)
        if code == bytes([SERVER_REQUEST]) and self.state == "AUTHENTICATING":
            body = code + b"".join(self.read(1) for _ in range(length - 3))
            self.body, self.at = body + bytes(2), 1
            count = self._count()
            self.respond(["hunter2"] * count)
            self.read(2)  # the end of the last prompt
            return self.read_frame()
        body = code + self.read(length - 1)
        require(len(body) == length, "the input ends inside a frame")
        return body

    def _count(self) -> int:
        for _ in range(3):
            self.take_text()
        return self.take_uint32()


class ActsOnTruncated(Plugin):
    """I took the end of the input for the end of the message."""

    def read_frame(self) -> bytes | None:
        header = self.read(4)
        if len(header) < 4:
            return None
        length = self.length_of(header)
        require(1 <= length <= LIMIT, "a frame is empty or too long")
        return self.read(length).ljust(length, b"\0")


class SlicesBeyondEnd(Plugin):
    """I sliced body[at : at + n], which is shorter where n is too large, and never fails."""

    def take_boolean(self) -> bool:
        return self.take(1) == b"\1"

    def take(self, size: int) -> bytes:
        data = self.body[self.at : self.at + size]
        self.at += len(data)
        return data


class LoopsOverClaimedCount(Plugin):
    """I looped over the count that the message gave; what was not there was 0 or empty."""

    def take_count(self, least: int) -> int:
        return self.take_uint32()

    def take(self, size: int) -> bytes:
        return bytes(size) if self.at == len(self.body) else super().take(size)


class IgnoresTrailing(Plugin):
    """I did not look whether anything follows the last field."""

    def take_end(self) -> None:
        pass


class ReplacesBadText(Plugin):
    """I decoded texts with errors="replace"."""

    def decode(self, data: bytes, encoding: str) -> str:
        return data.decode(encoding, "replace")


class ReadsLatin1(Plugin):
    """I decoded texts as latin-1, which knows every byte."""

    def decode(self, data: bytes, encoding: str) -> str:
        return data.decode("latin-1")


class TextIsAscii(Plugin):
    """I decoded prompts as ASCII."""

    def decode(self, data: bytes, encoding: str) -> str:
        return data.decode("ascii")


class TextEndsAtNul(Plugin):
    """I handed texts to functions of C, to which they end at a NUL."""

    def decode(self, data: bytes, encoding: str) -> str:
        return super().decode(data, encoding).partition("\0")[0]


class BufferOf4096(Plugin):
    """I read into a buffer of 4096 bytes, and threw away what did not fit."""

    def read_frame(self) -> bytes | None:
        body = super().read_frame()
        return None if body is None else body[:4096]


class EmptyNameIsMissing(Plugin):
    """I took an empty name for one that had been forgotten."""

    def take_challenge(self) -> None:
        start = self.at
        require(self.take_text() != "", "the challenge has no name")
        self.at = start
        super().take_challenge()


class MasksLength(Plugin):
    """I took the lower two bytes of the length: messages are small."""

    def length_of(self, header: bytes) -> int:
        return super().length_of(header) & 0xFFFF


class SkipsEmptyFrames(Plugin):
    """I skipped frames without a type, for robustness."""

    def read_frame(self) -> bytes | None:
        while True:
            header = self.read(4)
            if header != bytes(4):
                break
        if not header:
            return None
        require(len(header) == 4, "the input ends inside a frame")
        length = self.length_of(header)
        require(length <= LIMIT, "a frame is too long")
        body = self.read(length)
        require(len(body) == length, "the input ends inside a frame")
        return body


class IgnoresBadMessages(Plugin):
    """I ignored whatever I could not read, and went on."""

    def on_frame(self, body: bytes) -> None:
        try:
            super().on_frame(body)
        except (Refused, UnicodeDecodeError):
            return
