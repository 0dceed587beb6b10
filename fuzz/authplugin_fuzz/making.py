"""Valid values, frames and conversations, made from the message table by a random generator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from authplugin import Limits, Message, Side
from authplugin.kinds import BooleanKind, CountedKind, Encoding, Kind, StringKind, UInt32Kind
from authplugin.messages import METHODS, VERSIONS, PluginInit, PluginInitResponse, PluginProtocol
from authplugin.text import STEP
from authplugin_properties.boundaries import SIZES, TEXTS, UINT32S
from authplugin_properties.conversation import LEAVING, Conversation

from .anatomy import Flag, Frame, Items, Number, Text, Value, body_of, frame_bytes, message_of
from .dice import Dice
from .layers import LIMITS, Exchange, Layer, Move

_TEXTS: Final = tuple(text.encode() for text in TEXTS)
_ASCII_TEXTS: Final = tuple(text.encode() for text in TEXTS if text.isascii())
_PLAIN_TEXTS: Final = (b"ab", b"x", b"user", b"host.example", b"~1 two")
_COUNTS: Final = (0, 0, 1, 1, 1, 2, 2, 3, 4)

_LARGE: Final = (STEP - 1, STEP, STEP + 1, 2 * STEP)
"""Sizes of text about where the codec begins to look at it piece by piece."""

_FILLERS: Final = tuple(character.encode() for character in ("a", "é", "€", "😀"))

_RARELY = 0.002  # what costs time


@lru_cache(maxsize=8)
def _sizes(limits: Limits) -> Sequence[int]:
    """Return the sizes of texts at which things change, of those that are within limits."""
    near = {*SIZES, limits.text - 1, limits.text}
    return [size for size in sorted(near) if size <= min(limits.text, SIZES[-1])]


class Maker:
    """Makes what is valid. The same dice in the same state make the same.

    Args:
        dice: make all choices.
        limits: what texts, counts and the frames of a dialogue keep to.
    """

    def __init__(self, dice: Dice, limits: Limits = LIMITS[0]) -> None:
        self.dice = dice
        self.limits = limits

    def value(self, kind: Kind | BooleanKind) -> Value:
        """Make a value that a field of this wire kind can hold."""
        if isinstance(kind, StringKind):
            return Text(self.text(kind.encoding))
        if isinstance(kind, UInt32Kind):
            return Number(self.number())
        if isinstance(kind, BooleanKind):
            return Flag(self.dice.upto(1))
        return Items([self.element(kind) for _ in range(self.count())])

    def number(self) -> int:
        """Make what a uint32 can hold."""
        return self.dice.pick(UINT32S) if self.dice.chance(0.8) else self.dice.getrandbits(32)

    def count(self) -> int:
        """Make a number of prompts or responses."""
        return min(self.dice.pick(_COUNTS), self.limits.count)

    def text(self, encoding: Encoding) -> bytes:
        """Make text that is well-formed in an encoding."""
        way = self.dice.random()
        if way < _RARELY and self.limits.text > _LARGE[-1]:
            return self.large(encoding)
        if way < 0.2:
            return b"a" * self.dice.pick(_sizes(self.limits))
        if way < 0.6:
            return self.dice.pick(_ASCII_TEXTS if encoding is Encoding.ASCII else _TEXTS)
        return self.dice.pick(_PLAIN_TEXTS)

    def large(self, encoding: Encoding) -> bytes:
        """Make well-formed text that is so long that the codec looks at it piece by piece."""
        size = self.dice.pick(_LARGE)
        # What is in front decides which of the pieces cut a character in two.
        filler = b"a" if encoding is Encoding.ASCII else self.dice.pick(_FILLERS)
        return b"a" * self.dice.upto(3) + filler * (size // len(filler))

    def element(self, kind: CountedKind) -> list[Value]:
        """Make an element of what a message counts."""
        return [self.value(part) for _, part in kind.element]

    def frame(self, message: type[Message]) -> Frame:
        """Make a frame of a message, right by itself."""
        return Frame(message.spec.code, [self.value(each.kind) for each in message.spec.fields])

    def next_frame(self, conversation: Conversation) -> Frame | None:
        """Make a frame that may come next, and go on with it; None where none may."""
        options = conversation.likely()
        if not options:
            return None
        frame = self.frame(self.dice.pick(options))
        self.bind(frame, conversation)
        conversation.add(message_of(frame))
        return frame

    def bind(self, frame: Frame, conversation: Conversation) -> None:
        """Give the fields of a well-formed frame what was said before it asks of them."""
        message = frame.message
        if message is None or message not in conversation.options():
            return
        first = frame.values[0] if frame.values else None
        if message is PluginInit and isinstance(first, Number):
            first.value = self.dice.pick(VERSIONS)
        elif message is PluginInitResponse and isinstance(first, Number):
            first.value = self.dice.pick(conversation.versions())
        elif message is PluginProtocol and isinstance(first, Text):
            if self.dice.chance(0.8):
                first.data = self.dice.pick(METHODS).encode()
        else:
            due = conversation.responses_due(message)
            kind = message.spec.fields[0].kind if message.spec.fields else None
            if due is not None and isinstance(first, Items) and isinstance(kind, CountedKind):
                del first.elements[due:]
                while len(first.elements) < due:
                    first.elements.append(self.element(kind))
        self._make_it_fit(frame)

    def _make_it_fit(self, frame: Frame) -> None:
        """Empty texts, the longest first, until a frame is within the limits."""
        texts = [value for value, _ in frame.leaves() if isinstance(value, Text)]
        texts.sort(key=lambda text: len(text.data))
        while texts and len(body_of(frame)) > self.limits.frame:
            if frame.message is not PluginProtocol:
                texts[-1].data = b""
            del texts[-1]

    def dialogue(self, most: int) -> list[Frame]:
        """Make a valid conversation of at most so many frames."""
        conversation = Conversation()
        frames: list[Frame] = []
        while len(frames) < most and (frame := self.next_frame(conversation)) is not None:
            frames.append(frame)
        return frames


def move_of(frame: Frame) -> Move:
    """Return the move in which its sender says a frame of a message."""
    assert frame.message is not None
    return Move(frame.message.spec.sender, data=frame_bytes(frame))


def dialogues() -> list[list[Frame]]:
    """Return valid conversations in which every message occurs: one that ends with each message.

    They are always the same, and within the default limits.
    """
    maker = Maker(Dice(0))
    found: dict[type[Message], list[Frame]] = {}
    wanted = {each for leaving in LEAVING.values() for each in leaving}
    while wanted - found.keys():
        conversation = Conversation()
        frames: list[Frame] = []
        while (frame := maker.next_frame(conversation)) is not None and len(frames) < 12:
            frames.append(frame)
            assert frame.message is not None
            if _size(frames) < _size(found.get(frame.message, [])):
                found[frame.message] = list(frames)
    return [found[each] for each in sorted(found, key=lambda each: each.spec.code)]


def _size(frames: list[Frame]) -> int:
    return sum(len(frame_bytes(frame)) for frame in frames) or 1000


def seeds(layer: Layer) -> list[bytes]:
    """Return inputs of a layer to begin with: from valid conversations, in which every message is.

    They are always the same. For choices, which mean nothing to anybody but Hypothesis, they are
    mere bytes.
    """
    if layer is Layer.CHOICES:
        dice = Dice(0)
        return [bytes((machine,)) + dice.randbytes(1024) for machine in range(3)]
    said = dialogues()
    if layer is Layer.BODY:
        return [body_of(frames[-1]) for frames in said]
    if layer is Layer.CONVERSATION:
        return [Exchange(moves=list(map(move_of, frames))).to_bytes() for frames in said]
    streams = (
        b"".join(map(frame_bytes, [each for each in frames if _sender(each) is side]))
        for frames in said
        for side in Side
    )
    return sorted({stream for stream in streams if stream})


def _sender(frame: Frame) -> Side | None:
    return None if frame.message is None else frame.message.spec.sender
