"""Bytes taken apart into frames and fields by the message table, and put together again.

Nothing is lost: whatever the bytes are, putting the parts together gives them back. A length or a
count that does not tell the truth is kept as a claim, so that a lie survives while what is around
it is changed, and can be put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from authplugin import MESSAGES, Message
from authplugin.kinds import BooleanKind, CountedKind, Kind, StringKind, UInt32Kind

LENGTH_SIZE = 4

BY_CODE: Final = {each.spec.code: each for each in MESSAGES}
"""The messages by type byte; there is one method so far, so each byte is one message."""


@dataclass(slots=True)
class Number:
    """A uint32."""

    value: int


@dataclass(slots=True)
class Flag:
    """A boolean, as its byte."""

    value: int


@dataclass(slots=True)
class Text:
    """A string; `claim` is what its length says where that is not the truth."""

    data: bytes
    claim: int | None = None


@dataclass(slots=True)
class Items:
    """A count and elements; `claim` is what the count says where that is not the truth."""

    elements: list[list[Value]] = field(default_factory=list)
    claim: int | None = None


Value: TypeAlias = Number | Flag | Text | Items


@dataclass(slots=True)
class Frame:
    """A frame.

    Attributes:
        code: the type byte; None where there is none.
        values: the fields that could be read, in order.
        tail: the bytes behind them.
        claim: what the length says where that is not the truth.
    """

    code: int | None
    values: list[Value] = field(default_factory=list)
    tail: bytes = b""
    claim: int | None = None

    @property
    def message(self) -> type[Message] | None:
        """The message that the type byte names."""
        return None if self.code is None else BY_CODE.get(self.code)

    def is_sound(self) -> bool:
        """Say whether nothing lies, nothing is missing and nothing is left over."""
        if self.message is None or self.claim is not None or self.tail:
            return False
        fields = self.message.spec.fields
        return len(self.values) == len(fields) and all(
            _is_sound(value, each.kind) for value, each in zip(self.values, fields, strict=True)
        )

    def leaves(self) -> Iterator[tuple[Value, Kind | BooleanKind]]:
        """Iterate over all values, elements after what counts them."""
        if self.message is not None:
            for value, each in zip(self.values, self.message.spec.fields, strict=False):
                yield value, each.kind
                if isinstance(value, Items) and isinstance(each.kind, CountedKind):
                    for element in value.elements:
                        for part, (_, kind) in zip(element, each.kind.element, strict=False):
                            yield part, kind


def _is_sound(value: Value, kind: Kind | BooleanKind) -> bool:
    if isinstance(value, Flag):
        return value.value <= 1
    if isinstance(value, Number):
        return True
    if value.claim is not None:
        return False
    if isinstance(value, Items) and isinstance(kind, CountedKind):
        kinds = [part for _, part in kind.element]
        return all(
            len(element) == len(kinds) and all(map(_is_sound, element, kinds))
            for element in value.elements
        )
    return True


def frames_of(data: bytes) -> tuple[list[Frame], bytes]:
    """Take bytes apart into frames, and what is left where not even a length is whole."""
    frames = []
    at = 0
    while len(data) - at >= LENGTH_SIZE:
        length = int.from_bytes(data[at : at + LENGTH_SIZE], "big")
        start = at + LENGTH_SIZE
        at = min(start + length, len(data))
        frames.append(_frame(data[start:at], length))
    return frames, data[at:]


def _frame(body: bytes, length: int) -> Frame:
    return read_frame(body[0] if body else None, body[1:], None if length == len(body) else length)


def read_frame(code: int | None, fields: bytes, claim: int | None = None) -> Frame:
    """Take apart what is behind a frame's type byte, as the fields of that type."""
    frame = Frame(code, claim=claim)
    reader = _Reader(fields)
    if frame.message is not None:
        for each in frame.message.spec.fields:
            value = reader.read(each.kind)
            if value is None:
                break
            frame.values.append(value)
    frame.tail = fields[reader.at :]
    return frame


@dataclass(slots=True)
class _Reader:
    """Reads values as long as there are bytes for them."""

    data: bytes
    at: int = 0

    def read(self, kind: Kind | BooleanKind) -> Value | None:
        if len(self.data) - self.at < kind_size(kind):
            return None
        if isinstance(kind, BooleanKind):
            self.at += 1
            return Flag(self.data[self.at - 1])
        number = int.from_bytes(self.data[self.at : self.at + 4], "big")
        self.at += 4
        if isinstance(kind, UInt32Kind):
            return Number(number)
        if isinstance(kind, StringKind):
            start, self.at = self.at, min(self.at + number, len(self.data))
            text = self.data[start : self.at]
            return Text(text, None if len(text) == number else number)
        return self._items(kind, number)

    def _items(self, kind: CountedKind, count: int) -> Items:
        elements: list[list[Value]] = []
        while len(elements) < count:
            element: list[Value] = []
            for _, part in kind.element:
                value = self.read(part)
                if value is None:
                    break
                element.append(value)
            if not element:
                break
            elements.append(element)
        return Items(elements, None if len(elements) == count else count)


def kind_size(kind: Kind | BooleanKind) -> int:
    """Return how many bytes there must be to read anything of a kind."""
    return 1 if isinstance(kind, BooleanKind) else 4


def bytes_of(value: Value) -> bytes:
    """Put a value together."""
    if isinstance(value, Flag):
        return bytes((value.value,))
    if isinstance(value, Number):
        return _uint32(value.value)
    if isinstance(value, Text):
        return _uint32(len(value.data) if value.claim is None else value.claim) + value.data
    count = len(value.elements) if value.claim is None else value.claim
    return _uint32(count) + b"".join(bytes_of(part) for item in value.elements for part in item)


def body_of(frame: Frame) -> bytes:
    """Put together what follows a frame's length."""
    code = b"" if frame.code is None else bytes((frame.code,))
    return code + b"".join(map(bytes_of, frame.values)) + frame.tail


def frame_bytes(frame: Frame) -> bytes:
    """Put a frame together."""
    body = body_of(frame)
    return _uint32(len(body) if frame.claim is None else frame.claim) + body


def stream_bytes(frames: list[Frame], rest: bytes = b"") -> bytes:
    """Put frames, and what is behind them, together."""
    return b"".join(map(frame_bytes, frames)) + rest


def _uint32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def message_of(frame: Frame) -> Message:
    """Return the message that a well-formed frame is, without asking the codec.

    Raises:
        KeyError: where the type byte is that of no message.
    """
    return BY_CODE[frame.code if frame.code is not None else -1](*map(_held, frame.values))


def sayable(frame: bytes) -> Message | None:
    """Return the message that bytes are, as far as their layout goes; None where they are none.

    What its texts are, and how large anything is, is left to whoever is to say it.
    """
    frames, rest = frames_of(frame)
    if rest or len(frames) != 1:
        return None
    (read,) = frames
    if read.message is None or not read.is_sound():
        return None
    return message_of(read)


def _held(value: Value) -> object:
    if isinstance(value, Flag):
        return bool(value.value)
    if isinstance(value, Number):
        return value.value
    if isinstance(value, Text):
        return value.data
    elements = [tuple(map(_held, element)) for element in value.elements]
    return [element if len(element) > 1 else element[0] for element in elements]


Fill: TypeAlias = Callable[[Kind | BooleanKind], Value]


def repair(frame: Frame, fill: Fill) -> None:
    """Make a frame well-formed: nothing lies, nothing is missing, nothing is left over.

    Args:
        frame: a frame; where its type byte names no message, only its length is put right.
        fill: makes a value where one is missing.
    """
    frame.claim = None
    if frame.message is None:
        return
    frame.tail = b""
    fields = frame.message.spec.fields
    for each in fields[len(frame.values) :]:
        frame.values.append(fill(each.kind))
    for value, each in zip(frame.values, fields, strict=True):
        _repair_value(value, each.kind, fill)


def _repair_value(value: Value, kind: Kind | BooleanKind, fill: Fill) -> None:
    if isinstance(value, Flag):
        value.value &= 1
    elif isinstance(value, Text) and isinstance(kind, StringKind):
        value.claim = None
        encoding = "ascii" if kind.encoding == "ascii" else "utf-8"
        value.data = value.data.decode(encoding, "ignore").encode()
    elif isinstance(value, Items) and isinstance(kind, CountedKind):
        value.claim = None
        for element in value.elements:
            element += [fill(part) for _, part in kind.element[len(element) :]]
            for part_value, (_, part) in zip(element, kind.element, strict=True):
                _repair_value(part_value, part, fill)
