"""Valid values, frames and conversations, made from the message table by a random generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from authplugin import MESSAGES, Limits, Message, Side
from authplugin.kinds import (
    BooleanKind,
    ConstantKind,
    CountedKind,
    Encoding,
    RestKind,
    StringKind,
    UInt32Kind,
    WireKind,
)
from authplugin.messages import METHODS, VERSIONS, PluginInit, PluginInitResponse, PluginProtocol
from authplugin.text import STEP
from authplugin.userauth.messages import MESSAGES as USER_AUTH_MESSAGES
from authplugin_properties.boundaries import SIZES, TEXTS, UINT32S
from authplugin_properties.conversation import LEAVING, Conversation

from .anatomy import (
    BY_CODE,
    Declared,
    Flag,
    Frame,
    Items,
    Number,
    Rest,
    Text,
    Value,
    body_of,
    constant,
    frame_bytes,
    message_of,
)
from .dice import Dice
from .layers import LIMITS, Exchange, Layer, Move

_TEXTS: Final = tuple(text.encode() for text in TEXTS)
_ASCII_TEXTS: Final = tuple(text.encode() for text in TEXTS if text.isascii())
_PLAIN_TEXTS: Final = (b"ab", b"x", b"user", b"host.example", b"~1 two")
_COUNTS: Final = (0, 0, 1, 1, 1, 2, 2, 3, 4)

_LISTS: Final = (b"", b"password", b"publickey,keyboard-interactive", b"a,b,c")
"""Lists of names."""

_KEY: Final = b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(range(32))
_BLOBS: Final = (b"", b"\0", b"\xff\xfe", _KEY, _KEY[:-1], b"\0\0\0\x07ssh-rsa\0\0\0\1\3")
"""What is no text, and keys among it."""

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
        messages: what there is to make where anything will do.
    """

    def __init__(
        self,
        dice: Dice,
        limits: Limits = LIMITS[0],
        messages: Sequence[Declared] = MESSAGES,
    ) -> None:
        self.dice = dice
        self.limits = limits
        self.messages = messages

    def value(self, kind: WireKind) -> Value:
        """Make a value that a field of this wire kind can hold."""
        if isinstance(kind, ConstantKind):
            return constant(kind)
        if isinstance(kind, RestKind):
            return Rest(self.dice.pick(_BLOBS))
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
        if encoding is Encoding.NAMES:
            return self.dice.pick(_LISTS)
        if encoding is Encoding.OPAQUE:
            return self.dice.pick(_BLOBS) if self.dice.chance(0.8) else self.dice.randbytes(9)
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

    def frame(self, message: Declared) -> Frame:
        """Make a frame of a message, right by itself."""
        values = [self.value(each.kind) for each in message.spec.fields]
        return Frame(message.spec.code, values, message=message)

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
    return Move(BY_CODE[frame.message.spec.code].spec.sender, data=frame_bytes(frame))


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
            message = BY_CODE[frame.message.spec.code]
            if _size(frames) < _size(found.get(message, [])):
                found[message] = list(frames)
    return [found[each] for each in sorted(found, key=lambda each: each.spec.code)]


def _size(frames: list[Frame]) -> int:
    return sum(len(frame_bytes(frame)) for frame in frames) or 1000


def seeds(layer: Layer) -> list[bytes]:
    """Return inputs of a layer to begin with: from valid conversations, in which every message is.

    They are always the same. For choices, which mean nothing to anybody but Hypothesis, they are
    mere bytes.
    """
    return _SEEDS[layer](layer)


def _choices(layer: Layer) -> list[bytes]:
    dice = Dice(0)
    return [bytes((machine,)) + dice.randbytes(1024) for machine in range(3)]


def _payloads(layer: Layer) -> list[bytes]:
    maker = Maker(Dice(0))
    return [body_of(maker.frame(each)) for each in USER_AUTH_MESSAGES]


def _streams(layer: Layer) -> list[bytes]:
    streams = (
        b"".join(map(frame_bytes, [each for each in frames if _sender(each) is side]))
        for frames in dialogues()
        for side in Side
    )
    return sorted({stream for stream in streams if stream})


def _courses(layer: Layer) -> list[bytes]:
    from .courses import Course, languages

    maker = Maker(Dice(0))
    begin = languages()[layer].begin
    return sorted({Course(bytes((head,)), begin(maker)).to_bytes() for head in range(_MANY)})


_SEEDS: Final[Mapping[Layer, Callable[[Layer], list[bytes]]]] = {
    Layer.BODY: lambda _: [body_of(frames[-1]) for frames in dialogues()],
    Layer.PAYLOAD: _payloads,
    Layer.STREAM: _streams,
    Layer.CONVERSATION: lambda _: [
        Exchange(moves=list(map(move_of, frames))).to_bytes() for frames in dialogues()
    ],
    Layer.BRIDGE: _courses,
    Layer.SERVER: _courses,
    Layer.CHOICES: _choices,
}

_MANY: Final = 16  # courses of events, one for each way to begin


def _sender(frame: Frame) -> Side | None:
    return None if frame.code not in BY_CODE else BY_CODE[frame.code].spec.sender
