"""Bodies and payloads, changed: one message, its type byte and its fields."""

from __future__ import annotations

from collections.abc import Sequence

from authplugin import MESSAGES
from authplugin.userauth.messages import MESSAGES as USER_AUTH_MESSAGES

from ..anatomy import Declared, Frame, Items, Text, body_of, read_frame
from ..dice import Dice
from ..layers import LIMITS, frame_of
from ..making import Maker
from .fields import CHANGES, renew
from .striking import strike_frame

_STRUCK = 0.03  # how often a fault strikes
_MOST_CHANGES = 3


def mutate(data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change one message of the plugin protocol."""
    return changed(data, MESSAGES, dice)


def mutate_payload(data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change one message of SSH's user authentication."""
    return changed(data, USER_AUTH_MESSAGES, dice)


def changed(data: bytes, messages: Sequence[Declared], dice: Dice) -> bytes:
    """Change one message, perhaps into another of these."""
    # What the receiver accepts follows from the result, so it is a guess.
    make = Maker(dice, dice.pick(LIMITS), messages)
    if dice.random() < _STRUCK and (struck := strike_frame(frame_of(data), dice)) is not None:
        return struck[4:]
    frame = _read(data)
    if frame.code is None:
        renew(frame, make)
    for _ in range(1 + dice.upto(_MOST_CHANGES - 1)):
        dice.pick(CHANGES)(frame, make)
    return body_of(frame)


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
