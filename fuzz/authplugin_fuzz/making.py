"""Valid values, frames and conversations, made from the message table by a random generator."""

from __future__ import annotations

from random import Random
from typing import Final

from authplugin import Message
from authplugin.kinds import BooleanKind, CountedKind, Encoding, Kind, StringKind, UInt32Kind
from authplugin.messages import METHODS, VERSIONS, PluginInit, PluginInitResponse, PluginProtocol
from authplugin.text import STEP
from authplugin_properties.boundaries import SIZES, TEXTS, UINT32S
from authplugin_properties.conversation import LEAVING, Conversation

from .anatomy import Flag, Frame, Items, Number, Text, Value, message_of, stream_bytes

_TEXTS: Final = tuple(text.encode() for text in TEXTS)
_ASCII_TEXTS: Final = tuple(text.encode() for text in TEXTS if text.isascii())
_COUNTS: Final = (0, 0, 1, 1, 1, 2, 2, 3, 4)

_LARGE: Final = (STEP - 1, STEP, STEP + 1, 2 * STEP)
"""Sizes of text about where the codec begins to look at it piece by piece."""

_FILLERS: Final = tuple(character.encode() for character in ("a", "é", "€", "😀"))

_RARELY = 0.002  # what costs time


class Maker:
    """Makes what is valid. The same generator in the same state makes the same."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def value(self, kind: Kind | BooleanKind) -> Value:
        """Make a value that a field of this wire kind can hold."""
        if isinstance(kind, UInt32Kind):
            return Number(self.number())
        if isinstance(kind, BooleanKind):
            return Flag(self.rng.getrandbits(1))
        if isinstance(kind, StringKind):
            return Text(self.text(kind.encoding))
        return self._items(kind, self.rng.choice(_COUNTS))

    def number(self) -> int:
        """Make what a uint32 can hold."""
        if self.rng.random() < 0.8:
            return self.rng.choice(UINT32S)
        return self.rng.getrandbits(32)

    def text(self, encoding: Encoding) -> bytes:
        """Make text that is well-formed in an encoding."""
        way = self.rng.random()
        if way < _RARELY:
            return self._large(self.rng.choice(_LARGE), encoding)
        if way < 0.2:
            return b"a" * self.rng.choice(SIZES)
        if way < 0.6:
            return self.rng.choice(_ASCII_TEXTS if encoding is Encoding.ASCII else _TEXTS)
        return bytes(self.rng.randrange(0x20, 0x7F) for _ in range(self.rng.randrange(6)))

    def _large(self, size: int, encoding: Encoding) -> bytes:
        # What is in front decides which pieces of the codec cut a character in two.
        filler = b"a" if encoding is Encoding.ASCII else self.rng.choice(_FILLERS)
        return b"a" * self.rng.randrange(4) + filler * (size // len(filler))

    def _items(self, kind: CountedKind, count: int) -> Items:
        return Items([self.element(kind) for _ in range(count)])

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
        chosen = self.rng.choice(options)
        frame = self.frame(chosen)
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
            first.value = self.rng.choice(VERSIONS)
        elif message is PluginInitResponse and isinstance(first, Number):
            first.value = self.rng.choice(conversation.versions())
        elif message is PluginProtocol and isinstance(first, Text):
            if self.rng.random() < 0.8:
                first.data = self.rng.choice(METHODS).encode()
        else:
            due = conversation.responses_due(message)
            kind = message.spec.fields[0].kind if message.spec.fields else None
            if due is not None and isinstance(first, Items) and isinstance(kind, CountedKind):
                del first.elements[due:]
                while len(first.elements) < due:
                    first.elements.append(self.element(kind))

    def dialogue(self, most: int) -> list[Frame]:
        """Make a valid conversation of at most so many frames."""
        conversation = Conversation()
        frames: list[Frame] = []
        while len(frames) < most and (frame := self.next_frame(conversation)) is not None:
            frames.append(frame)
        return frames


def seeds() -> list[bytes]:
    """Return valid conversations in which every message occurs: one that ends with each message.

    They are always the same, as `inputs` in one chunk and within the default limits.
    """
    maker = Maker(Random(0))  # noqa: S311 - nothing here is a secret
    found: dict[type[Message], bytes] = {}
    wanted = {each for leaving in LEAVING.values() for each in leaving}
    while wanted - found.keys():
        conversation = Conversation()
        frames: list[Frame] = []
        while (frame := maker.next_frame(conversation)) is not None and len(frames) < 12:
            frames.append(frame)
            said = stream_bytes(frames)
            assert frame.message is not None
            if len(said) < len(found.get(frame.message, b"x" * 1000)):
                found[frame.message] = said
    return [b"\0" + found[each] for each in sorted(found, key=lambda each: each.spec.code)]
