"""A message taken apart and changed, field by field."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Final, TypeAlias

from authplugin.kinds import BooleanKind, CountedKind, Encoding, StringKind, WireKind
from authplugin.text import STEP
from authplugin_corpus.segments import LARGEST
from authplugin_properties.boundaries import FILLERS, ILL_FORMED

from ..anatomy import (
    Flag,
    Frame,
    Items,
    Number,
    Rest,
    Text,
    Value,
    body_of,
    read_frame,
    repair,
)
from ..layers import LIMITS
from ..making import Maker

UNKNOWN: Final = (0, 9, 10, 13, 19, 24, 26, 49, 54, 59, 62, 128, 255)
"""Type bytes of no message."""

_NOT_ASCII: Final = "é".encode()

_NO_LISTS: Final = (b",", b",", b",,", b"\xff")
"""What makes of a list of names, at its ends, none."""

_MOST = 32  # bytes or elements up to which something is filled; small limits are below it
_NOT_ENLARGED = 0.9

_FILLERS: Final = tuple(character.encode() for character in FILLERS)


def change_value(frame: Frame, make: Maker) -> None:
    """Give a field, or a part of one, another value."""
    dice = make.dice
    leaves = list(frame.leaves())
    if not leaves:
        return
    # By their type first, or what is rare, such as booleans, would hardly be changed.
    types = list(dict.fromkeys(type(value) for value, _ in leaves))
    chosen = dice.pick(types)
    value, kind = dice.pick([leaf for leaf in leaves if type(leaf[0]) is chosen])
    if isinstance(value, Number):
        near = (value.value + 1, value.value - 1, value.value ^ 1 << dice.upto(31))
        value.value = dice.pick((make.number(), *near)) & LARGEST
    elif isinstance(value, Flag):
        value.value = dice.pick((0, 1, 2, 255, dice.upto(255)))
    elif isinstance(value, Text) and isinstance(kind, StringKind):
        _change_text(value, kind.encoding, make)
    elif isinstance(value, Rest):
        at = dice.upto(len(value.data))
        value.data = value.data[:at] + dice.randbytes(dice.upto(3)) + value.data[at + 1 :]
    elif isinstance(value, Items) and isinstance(kind, CountedKind):
        _change_items(value, kind, make)


def _change_text(text: Text, encoding: Encoding, make: Maker) -> None:
    dice = make.dice
    at = dice.upto(len(text.data))
    way = dice.upto(6)
    if way <= 1:
        text.data = make.text(encoding)
    elif way == 2:
        text.data = text.data[:at] + make.text(encoding) + text.data[at:]
    elif way == 3:
        before, behind = text.data[:at], text.data[at:]
        if encoding is Encoding.NAMES:
            # Mostly at the ends, where a list is checked apart.
            before, behind = dice.pick(((before, behind), (text.data, b""), (b"", text.data)))
        wrong = _NO_LISTS if encoding is Encoding.NAMES else ILL_FORMED
        text.data = before + dice.pick(wrong) + behind
    elif way == 4:
        text.data = text.data[:at]
    elif way == 5:
        # To the longest that its receiver takes, or one more.
        size = min(make.limits.text, _MOST) + dice.upto(1)
        text.data += b"a" * (size - len(text.data))
    else:
        text.data = text.data[:at] + dice.randbytes(1) + text.data[at + 1 :]


def _change_items(items: Items, kind: CountedKind, make: Maker) -> None:
    dice = make.dice
    elements = items.elements
    at = dice.upto(len(elements))
    way = dice.upto(4)
    if way == 0:
        elements.insert(at, make.element(kind))
    elif way == 1:
        del elements[at:]
    elif way == 2:
        elements[at:at] = deepcopy(elements[at : at + 1])
    elif way == 3:
        # To the most that a receiver takes, or one more.
        _add(items, kind, min(make.limits.count, _MOST) + dice.upto(1))
    else:
        dice.shuffle(elements)


def _add(items: Items, kind: CountedKind, wanted: int) -> None:
    """Add elements that take as little room as can be, until there are so many."""
    while len(items.elements) < wanted:
        items.elements.append([_least(part) for _, part in kind.element])


def _least(kind: WireKind) -> Value:
    return Flag(0) if isinstance(kind, BooleanKind) else Text(b"")


def fill(frame: Frame, make: Maker) -> None:
    """Fill a message up to the longest frame that a receiver takes, or about that."""
    texts = [(value, kind) for value, kind in frame.leaves() if isinstance(value, Text)]
    if not texts:
        return
    dice = make.dice
    text, kind = dice.pick(texts)
    wanted = LIMITS[1].frame + dice.pick((-1, 0, 0, 1, 1, 2))
    missing = wanted - len(body_of(frame))
    if missing < 0:
        text.data = text.data[: max(0, len(text.data) + missing)]
        return
    ascii_only = isinstance(kind, StringKind) and kind.encoding is Encoding.ASCII
    filler = b"a" if ascii_only else dice.pick(_FILLERS)
    text.data += filler * (missing // len(filler)) + b"a" * (missing % len(filler))


def enlarge(frame: Frame, make: Maker) -> None:
    """Make a text so long that the codec looks at it piece by piece; rarely, as it takes time."""
    dice = make.dice
    texts = [(value, kind) for value, kind in frame.leaves() if isinstance(value, Text)]
    if not texts or dice.chance(_NOT_ENLARGED):
        return
    text, kind = dice.pick(texts)
    assert isinstance(kind, StringKind)
    text.data = make.large(kind.encoding)
    if dice.chance(0.5):
        # Where a piece ends, or all of them do.
        size = len(text.data)
        at = dice.pick((0, STEP - 1, STEP, size - 1, size))
        text.data = text.data[:at] + dice.pick(ILL_FORMED) + text.data[at:]


def spoil(frame: Frame, make: Maker) -> None:
    """Put in what nobody may say: text that is none, or more than a receiver takes."""
    dice = make.dice
    leaves = [leaf for leaf in frame.leaves() if isinstance(leaf[0], (Text, Items))]
    if not leaves:
        return
    value, kind = dice.pick(leaves)
    if isinstance(value, Text):
        too_long = min(make.limits.text, _MOST) + 1
        value.data = dice.pick((*ILL_FORMED, _NOT_ASCII, _NOT_ASCII, b"a" * too_long))
    elif isinstance(value, Items) and isinstance(kind, CountedKind):
        wanted = dice.pick((len(value.elements) + 1, min(make.limits.count, _MOST) + 1))
        _add(value, kind, wanted)


def shift(frame: Frame, make: Maker) -> None:
    """Move the border between two texts, so that one may begin with what the other lacks."""
    texts = [value for value, _ in frame.leaves() if isinstance(value, Text)]
    if len(texts) > 1:
        at = make.dice.upto(len(texts) - 2)
        one, other = texts[at : at + 2]
        both = one.data + make.text(Encoding.UTF8) + other.data
        border = make.dice.upto(len(both))
        one.data, other.data = both[:border], both[border:]


def lie(frame: Frame, make: Maker) -> None:
    """Make the length of a text, or a count, say what is not so."""
    dice = make.dice
    values = [value for value, _ in frame.leaves() if isinstance(value, (Text, Items))]
    if not values:
        return
    counts = [value for value in values if isinstance(value, Items)]
    liar = dice.pick((*values, *counts))
    truth = len(liar.data if isinstance(liar, Text) else liar.elements)
    left = len(body_of(frame))
    limits = make.limits
    most = limits.text if isinstance(liar, Text) else limits.count
    claims = (truth + 1, truth - 1, truth + 4, truth + 5, left, left // 5, most, most + 1)
    claim = dice.pick(claims) if dice.chance(0.8) else make.number()
    liar.claim = claim & LARGEST


def retype(frame: Frame, make: Maker) -> None:
    """Make it another message, or none, of the same bytes."""
    known = make.dice.pick(make.messages).spec.code
    code = known if make.dice.chance(0.7) else make.dice.pick(UNKNOWN)
    changed = read_frame(code, body_of(frame)[1:], frame.claim)
    if make.dice.chance(0.5):
        repair(changed, make.value)
    become(frame, changed)


def become(frame: Frame, other: Frame) -> None:
    """Make a frame what another one is."""
    frame.code, frame.values, frame.message = other.code, other.values, other.message
    frame.tail, frame.claim = other.tail, other.claim


def add_tail(frame: Frame, make: Maker) -> None:
    """Leave something over behind the last field."""
    frame.tail += make.dice.randbytes(make.dice.pick((1, 1, 2, 4)))


def shorten(frame: Frame, make: Maker) -> None:
    """Cut the fields off somewhere."""
    fields = body_of(frame)[1:]
    become(frame, read_frame(frame.code, fields[: make.dice.upto(len(fields))]))


def empty(frame: Frame, make: Maker) -> None:
    """Take everything away, the type byte too."""
    become(frame, Frame(None))


def mend(frame: Frame, make: Maker) -> None:
    """Make the message well-formed."""
    repair(frame, make.value)


def renew(frame: Frame, make: Maker) -> None:
    """Make another message."""
    become(frame, make.frame(make.dice.pick(make.messages)))


FieldChange: TypeAlias = Callable[[Frame, Maker], None]

CHANGES: Final[tuple[FieldChange, ...]] = (
    *(change_value,) * 8,
    shift,
    *(lie,) * 4,
    retype,
    add_tail,
    shorten,
    *(mend,) * 2,
    *(fill,) * 2,
    enlarge,
    *(renew,) * 2,
)
"""What can be done to a message, as often as it is to be done."""
