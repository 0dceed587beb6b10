"""Bodies, changed: one message, its type byte and its fields."""

from __future__ import annotations

from ..anatomy import Frame, Items, Text, body_of, read_frame
from ..dice import Dice
from ..layers import LIMITS, frame_of
from ..making import Maker
from .fields import CHANGES, renew
from .striking import OF_FRAMES, strike

_STRUCK = 0.03  # how often a fault strikes
_MOST_CHANGES = 3


def mutate(data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change one message."""
    # What the receiver accepts follows from the result, so it is a guess.
    make = Maker(dice, dice.pick(LIMITS))
    if dice.random() < _STRUCK and (struck := strike_frame(frame_of(data), dice)) is not None:
        return struck[4:]
    frame = _read(data)
    if frame.code is None:
        renew(frame, make)
    for _ in range(1 + dice.upto(_MOST_CHANGES - 1)):
        dice.pick(CHANGES)(frame, make)
    return body_of(frame)


def strike_frame(frame: bytes, dice: Dice) -> bytes | None:
    """Strike a frame with a fault that needs no more; None where nothing comes of it."""
    struck = strike(dice.pick(OF_FRAMES), [frame], dice.pick(LIMITS), dice)
    return None if struck is None else struck.data


def _read(data: bytes) -> Frame:
    return read_frame(data[0] if data else None, data[1:])


def cross(first: bytes, second: bytes, max_size: int, dice: Dice) -> bytes:
    """Put fields of one message into the other, where they are of the same kind."""
    one, other = _read(first), _read(second)
    if one.code == other.code:
        at = dice.upto(len(one.values))
        one.values[at:] = other.values[at:]
        one.tail = dice.pick((one.tail, other.tail))
        return body_of(one)
    to = [value for value, _ in one.leaves() if isinstance(value, (Text, Items))]
    if to:
        value = dice.pick(to)
        given = [each for each, _ in other.leaves() if type(each) is type(value)]
        if given:
            _replace(value, dice.pick(given))
    return body_of(one)


def _replace(value: Text | Items, given: object) -> None:
    value.claim = getattr(given, "claim", None)
    if isinstance(value, Text) and isinstance(given, Text):
        value.data = given.data
    elif isinstance(value, Items) and isinstance(given, Items):
        value.elements = given.elements
