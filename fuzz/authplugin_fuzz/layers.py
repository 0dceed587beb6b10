"""What the bytes of an input, and so of a corpus file, mean: one thing for each layer.

`body`: the type byte of one message and its fields, as they are; the length in front of them is
always right. `stream`: what one side says, as it is: frames, one after the other. Such files serve
any other fuzzer, and any bytes at all are one. What the receiver accepts, and in which chunks a
stream comes, follow from a checksum of the bytes; see `Terms`.

`payload`: one message of SSH's user authentication, as SSH carries it: its type byte and fields.
What a type byte from 60 up means follows from the method under way, which is not in it: it is tried
with each. What the receiver accepts follows from the checksum too, by `PAYLOAD_LIMITS`.

`conversation`: what happens between a client and a plugin, an `Exchange`:

    byte 0          what both accept: bits 0 and 1 are an index into `LIMITS`; the others mean
                    nothing
    then moves      one after the other, each of them
        byte 0          bit 0: whose output it is, 0 the client's, 1 the plugin's
                        bits 1 and 2: what happens there; see `How`
                        bit 3: the listener does not look at what has come yet
                        bits 4 to 7: in which chunks it comes, an index into `CHUNKINGS`
        bytes 1 and 2   the size of the data, the higher byte first
        then            the data: frames, or what is there in their stead

What is no whole move at the end of the bytes means nothing.

`server` and `bridge`: what happens, event by event, between a client, a server of SSH's user
authentication and its handler; and between a server, a bridge and a plugin. Each is a `Course`:

    byte 0          how they begin; see `serving.setup_of` and `bridging.Start`
    then events     one after the other, each of them
        byte 0          what happens; see `serving` and `bridging`
        bytes 1 and 2   the size of the data, the higher byte first
        then            the data

What is no whole event at the end of the bytes means nothing.

`choices`: byte 0 chooses one of the state machines, as many times over as there are; the others are
what Hypothesis reads its choices from (`fuzz_one_input`), which another version may read otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple
from zlib import crc32

from authplugin import Limits, Side


class Layer(StrEnum):
    """What the bytes of an input are."""

    BODY = "body"
    PAYLOAD = "payload"
    STREAM = "stream"
    CONVERSATION = "conversation"
    SERVER = "server"
    BRIDGE = "bridge"
    CHOICES = "choices"


LIMITS: Final = (
    Limits(),
    Limits(frame=64, text=24, count=3),
    Limits(nonzero_is_true=True, any_bytes=True),
    Limits(frame=64, text=24, count=3, nonzero_is_true=True, any_bytes=True),
)
"""What a receiver can accept. The small ones are soon reached, from both sides."""

PAYLOAD_LIMITS: Final = tuple(replace(each, frame=max(each.frame, 192)) for each in LIMITS)
"""The same for payloads: whatever else is small, there is room for a request."""

ALL_BUT_THE_LAST: Final = -1
"""As the size of a chunk: all of the bytes but one."""

CHUNKINGS: Final[Sequence[tuple[int, ...]]] = (
    (),
    *((size,) for size in range(1, 9)),
    (ALL_BUT_THE_LAST,),
    (1, 4),
    (4, 1),
    (5, 1),
    (2, 7, 1),
    (16,),
    (64,),
)
"""The sizes of the chunks in which bytes can come, taken over and over; without any, in one."""


def sizes_of(chunking: int, size: int) -> tuple[int, ...]:
    """Return the sizes of chunks, each from 1.

    Args:
        chunking: an index into `CHUNKINGS`.
        size: how many bytes there are.
    """
    sizes = CHUNKINGS[chunking]
    return (max(1, size - 1),) if sizes == (ALL_BUT_THE_LAST,) else sizes


class Terms(NamedTuple):
    """What follows from the checksum (CRC-32) of a body or a stream.

    Attributes:
        limits: what the receiver accepts: bits 0 and 1, an index into `LIMITS`.
        sizes: the sizes of the chunks in which a stream comes: bits 2 to 5, an index into
            `CHUNKINGS`.
        number: the other bits, from which a target can choose what else to try.
    """

    limits: Limits
    sizes: tuple[int, ...]
    number: int

    @classmethod
    def of(cls, raw: bytes, limits: Sequence[Limits] = LIMITS) -> Terms:
        """Return the terms of an input, with one of four limits."""
        checksum = crc32(raw)
        return cls(limits[checksum & 3], sizes_of(checksum >> 2 & 15, len(raw)), checksum >> 6)


def frame_of(body: bytes) -> bytes:
    """Return the frame with this body."""
    return len(body).to_bytes(4, "big") + body


class How(IntEnum):
    """What happens at one side's output."""

    SAID = 0
    """That side is to say it, and it comes to the other. What no role can say comes as it is."""
    LOST = 1
    """That side is to say it, and nothing comes."""
    PUT = 2
    """It comes to the other side, though nobody has said it."""
    END = 3
    """The same, and then that output ends."""


_HEAD_SIZE: Final = 3  # bytes in front of a move's data

LONGEST_MOVE: Final = 2**16 - 1
"""Bytes of a move's data at most."""


@dataclass(slots=True)
class Move:
    """What happens next at one side's output.

    Attributes:
        side: whose output it is.
        how: what happens there.
        data: frames, or what is there in their stead; at most `LONGEST_MOVE` bytes.
        chunking: the chunks in which it comes, an index into `CHUNKINGS`.
        unseen: whether the listener does not look at what has come yet.
    """

    side: Side
    how: How = How.SAID
    data: bytes = b""
    chunking: int = 0
    unseen: bool = False

    def to_bytes(self) -> bytes:
        """Put the move together."""
        said_by = 0 if self.side is Side.CLIENT else 1
        control = said_by | self.how << 1 | self.unseen << 3 | self.chunking << 4
        return bytes((control,)) + len(self.data).to_bytes(2, "big") + self.data


@dataclass(slots=True)
class Exchange:
    """A conversation as a file holds it, taken apart.

    Attributes:
        head: the first byte, where there is one.
        moves: what happens.
        rest: what is no whole move.
    """

    head: bytes = b"\0"
    moves: list[Move] = field(default_factory=list)
    rest: bytes = b""

    @property
    def limits(self) -> Limits:
        """What both sides accept."""
        return LIMITS[self.head[0] & 3 if self.head else 0]

    @classmethod
    def from_bytes(cls, raw: bytes) -> Exchange:
        """Take any bytes apart."""
        moves = []
        at = 1
        while len(raw) - at >= _HEAD_SIZE:
            start = at + _HEAD_SIZE
            stop = start + int.from_bytes(raw[at + 1 : start], "big")
            if stop > len(raw):
                break
            control = raw[at]
            side = Side.PLUGIN if control & 1 else Side.CLIENT
            how = How(control >> 1 & 3)
            moves.append(Move(side, how, raw[start:stop], control >> 4, bool(control & 8)))
            at = stop
        return cls(raw[:1], moves, raw[at:])

    def to_bytes(self) -> bytes:
        """Put it together again; nothing is lost."""
        moves = b"".join(move.to_bytes() for move in self.moves)
        head = self.head or (b"\0" if moves or self.rest else b"")
        return head + moves + self.rest
