"""Streams, changed: frames one after the other, and what is no whole frame behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from authplugin_properties.model import split

from ..anatomy import BY_CODE, LENGTH_SIZE, frame_bytes, read_frame
from ..dice import Dice
from ..layers import LIMITS, frame_of
from ..making import Maker
from . import fields
from .striking import strike_frame

_MOST_FRAMES = 40
_MOST_CHANGES = 3

_KNOWN: Final = tuple(BY_CODE.values())


class Stream:
    """A stream while it is changed: frames as they are, of which the last may lie or be cut."""

    def __init__(self, data: bytes, dice: Dice) -> None:
        self.dice = dice
        self.make = Maker(dice, dice.pick(LIMITS))
        self.frames: list[bytes] = split(data)

    def index(self) -> int:
        """Choose a frame, rather the last; make one where there is none."""
        if not self.frames:
            self.frames.append(self.any_frame())
        last = len(self.frames) - 1
        return last if self.dice.random() < 0.4 else self.dice.upto(last)

    def any_frame(self) -> bytes:
        """Make a frame of any message."""
        return frame_bytes(self.make.frame(self.dice.pick(_KNOWN)))

    def change_field(self) -> None:
        """Change the message in a frame."""
        index = self.index()
        frame = self.frames[index]
        if len(frame) <= LENGTH_SIZE:
            self.frames[index] = self.any_frame()
            return
        read = read_frame(frame[LENGTH_SIZE], frame[LENGTH_SIZE + 1 :])
        self.dice.pick(fields.CHANGES)(read, self.make)
        self.frames[index] = frame_bytes(read)

    def strike(self) -> None:
        """Strike a frame with a fault."""
        index = self.index()
        self.frames[index] = strike_frame(self.frames[index], self.dice) or self.frames[index]

    def lie(self) -> None:
        """Make the length of a frame say what is not so."""
        index = self.index()
        frame = self.frames[index]
        truth = len(frame) - LENGTH_SIZE
        most = self.make.limits.frame
        claims = (truth + 1, truth - 1, 0, 1, most, most + 1, self.make.number())
        claim = self.dice.pick(claims) & 0xFFFF_FFFF
        self.frames[index] = claim.to_bytes(LENGTH_SIZE, "big") + frame[LENGTH_SIZE:]

    def empty(self) -> None:
        """Put a frame in that has no type byte."""
        self.frames.insert(self.index(), bytes(LENGTH_SIZE))

    def drop(self) -> None:
        """Take a frame out."""
        del self.frames[self.index()]

    def repeat(self) -> None:
        """Put some of the frames in once more."""
        start = self.index()
        stop = start + 1 + self.dice.upto(2)
        at = self.dice.upto(len(self.frames))
        self.frames[at:at] = self.frames[start:stop]

    def swap(self) -> None:
        """Let two frames change places."""
        one, other = self.index(), self.index()
        frames = self.frames
        frames[one], frames[other] = frames[other], frames[one]

    def insert(self) -> None:
        """Put a frame in, mostly at the end."""
        at = self.dice.pick((len(self.frames), self.dice.upto(len(self.frames))))
        self.frames.insert(at, self.any_frame())

    def cut(self) -> None:
        """End the stream somewhere, mostly inside a frame."""
        index = self.index()
        frame = self.frames[index]
        self.frames[index:] = [frame[: self.dice.upto(len(frame))]]

    def mend(self) -> None:
        """Make the lengths of all frames true."""
        self.frames = [frame_of(frame[LENGTH_SIZE:]) for frame in self.frames]


StreamChange: TypeAlias = Callable[[Stream], None]

OF_A_FRAME: Final[tuple[StreamChange, ...]] = (
    *(Stream.change_field,) * 8,
    Stream.strike,
    *(Stream.lie,) * 2,
    *(Stream.cut,) * 2,
    *(Stream.mend,) * 2,
)
"""What can be done to a frame of a stream, as often as it is to be done."""

_CHANGES: Final[tuple[StreamChange, ...]] = (
    *OF_A_FRAME,
    Stream.empty,
    Stream.drop,
    Stream.repeat,
    Stream.swap,
    *(Stream.insert,) * 4,
)
"""What can be done to a stream, likewise."""


def mutate(data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change a stream."""
    stream = Stream(data, dice)
    for _ in range(1 + dice.upto(_MOST_CHANGES - 1)):
        dice.pick(_CHANGES)(stream)
    return b"".join(stream.frames[:_MOST_FRAMES])


def cross(first: bytes, second: bytes, max_size: int, dice: Dice) -> bytes:
    """Return the first frames of one stream, and then the last of the other."""
    one, other = split(first), split(second)
    return b"".join(one[: dice.upto(len(one))] + other[dice.upto(len(other)) :])
