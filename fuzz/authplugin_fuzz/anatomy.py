"""Bytes taken apart into frames and fields by the message table, and put together again.

Nothing is lost: whatever the bytes are, putting the parts together gives them back. A length or a
count that does not tell the truth is kept as a claim, so that a lie survives while what is around
it is changed, and can be put right.

The messages of the plugin protocol and those of SSH's user authentication have no type byte in
common, so it says whose a message is. Which of the latter it is, the fields behind it say; where
they do not (60, of which each method has one), it is the one that they fit best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from authplugin import MESSAGES, Message
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
from authplugin.table import WireMessage
from authplugin.userauth.messages import MESSAGES as USER_AUTH_MESSAGES

LENGTH_SIZE = 4

BY_CODE: Final = {each.spec.code: each for each in MESSAGES}
"""The messages of the plugin protocol by type byte; there is one method so far, so each byte is
one message."""

Declared: TypeAlias = type[Message] | type[WireMessage]

_CANDIDATES: Final[dict[int, list[Declared]]] = {code: [each] for code, each in BY_CODE.items()}
for _each in USER_AUTH_MESSAGES:
    _CANDIDATES.setdefault(_each.spec.code, []).append(_each)


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


@dataclass(slots=True)
class Rest:
    """All bytes up to the end of the message."""

    data: bytes


Value: TypeAlias = Number | Flag | Text | Items | Rest


@dataclass(slots=True)
class Frame:
    """A frame.

    Attributes:
        code: the type byte; None where there is none.
        values: the fields that could be read, in order.
        tail: the bytes behind them.
        claim: what the length says where that is not the truth.
        message: the message whose fields they are; None where the type byte is that of none.
    """

    code: int | None
    values: list[Value] = field(default_factory=list)
    tail: bytes = b""
    claim: int | None = None
    message: Declared | None = None

    def __post_init__(self) -> None:
        if self.message is None and self.code in _CANDIDATES:
            self.message = _CANDIDATES[self.code][0]

    def is_sound(self) -> bool:
        """Say whether nothing lies, nothing is missing and nothing is left over."""
        if self.message is None or self.claim is not None or self.tail:
            return False
        fields = self.message.spec.fields
        return len(self.values) == len(fields) and all(
            _is_sound(value, each.kind) for value, each in zip(self.values, fields, strict=True)
        )

    def leaves(self) -> Iterator[tuple[Value, WireKind]]:
        """Iterate over all values, elements after what counts them, each with its own kind."""
        if self.message is not None:
            for value, each in zip(self.values, self.message.spec.fields, strict=False):
                yield value, each.kind.kind if isinstance(each.kind, ConstantKind) else each.kind
                if isinstance(value, Items) and isinstance(each.kind, CountedKind):
                    for element in value.elements:
                        for part, (_, kind) in zip(element, each.kind.element, strict=False):
                            yield part, kind


def _is_sound(value: Value, kind: WireKind) -> bool:
    if isinstance(kind, ConstantKind):
        return bytes_of(value) == kind.data
    if isinstance(value, Flag):
        return value.value <= 1
    if isinstance(value, (Number, Rest)):
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
    candidates = _CANDIDATES.get(code, ()) if code is not None else ()
    best = Frame(code, tail=fields, claim=claim)
    for each in candidates:
        read = _read_as(each, fields, claim)
        if len(candidates) == 1 or _fit(read) > _fit(best):
            best = read
    return best


def _read_as(message: Declared, fields: bytes, claim: int | None) -> Frame:
    frame = Frame(message.spec.code, claim=claim, message=message)
    reader = _Reader(fields)
    for each in message.spec.fields:
        value = reader.read(each.kind)
        if value is None:
            break
        frame.values.append(value)
    frame.tail = fields[reader.at :]
    return frame


def _fit(frame: Frame) -> tuple[bool, int, bool, int]:
    """Say how well the fields of a frame are those of its message: the more, the better."""
    if frame.message is None:
        return False, 0, False, 0
    kinds = [each.kind for each in frame.message.spec.fields]
    pairs = list(zip(frame.values, kinds, strict=False))
    constants = [
        bytes_of(value) == kind.data for value, kind in pairs if isinstance(kind, ConstantKind)
    ]
    return (
        all(constants),
        len(constants),
        len(pairs) == len(kinds) and not frame.tail,
        sum(_is_sound(value, kind) for value, kind in pairs),
    )


@dataclass(slots=True)
class _Reader:
    """Reads values as long as there are bytes for them."""

    data: bytes
    at: int = 0

    def read(self, kind: WireKind) -> Value | None:
        if len(self.data) - self.at < kind_size(kind):
            return None
        if isinstance(kind, ConstantKind):
            return self.read(kind.kind)
        if isinstance(kind, RestKind):
            start, self.at = self.at, len(self.data)
            return Rest(self.data[start:])
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


def constant(kind: ConstantKind) -> Value:
    """Return the value that a field always has."""
    value = _Reader(kind.data).read(kind.kind)
    assert value is not None
    return value


def kind_size(kind: WireKind) -> int:
    """Return how many bytes there must be to read anything of a kind."""
    return kind.kind.least_size if isinstance(kind, ConstantKind) else kind.least_size


def bytes_of(value: Value) -> bytes:
    """Put a value together."""
    if isinstance(value, Flag):
        return bytes((value.value,))
    if isinstance(value, Number):
        return _uint32(value.value)
    if isinstance(value, Rest):
        return value.data
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
    """Return the message of the plugin protocol that a well-formed frame is.

    It does not ask the codec.

    Raises:
        KeyError: where the type byte is that of no such message.
    """
    return BY_CODE[frame.code if frame.code is not None else -1](*map(_held, frame.values))


def user_auth_message_of(frame: Frame) -> WireMessage | None:
    """Return the message of SSH's user authentication that a frame is; None where it is none.

    What its texts are, and how large anything is, is left to whoever is to say it.
    """
    if frame.code in BY_CODE or not frame.is_sound() or frame.message is None:
        return None
    values = [
        _held(value)
        for value, each in zip(frame.values, frame.message.spec.fields, strict=True)
        if not isinstance(each.kind, ConstantKind)
    ]
    return frame.message(*values)


def payload_told(data: bytes) -> str:
    """Return a payload of SSH's user authentication as people read it."""
    message = user_auth_message_of(read_frame(data[0], data[1:])) if data else None
    return f"{data.hex()} {message!r}" if message is not None else data.hex() or "(nothing)"


def sayable(frame: bytes) -> Message | None:
    """Return the message of the plugin protocol that bytes are, as far as their layout goes.

    None where they are none.

    What its texts are, and how large anything is, is left to whoever is to say it.
    """
    frames, rest = frames_of(frame)
    if rest or len(frames) != 1:
        return None
    (read,) = frames
    if read.code not in BY_CODE or not read.is_sound():
        return None
    return message_of(read)


def _held(value: Value) -> object:
    if isinstance(value, Flag):
        return bool(value.value)
    if isinstance(value, Number):
        return value.value
    if isinstance(value, (Text, Rest)):
        return value.data
    elements = [tuple(map(_held, element)) for element in value.elements]
    return [element if len(element) > 1 else element[0] for element in elements]


Fill: TypeAlias = Callable[[WireKind], Value]


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


def _mended(data: bytes, encoding: Encoding) -> bytes:
    if encoding is Encoding.OPAQUE:
        return data
    if encoding is Encoding.NAMES:
        return b",".join(filter(None, bytes(byte for byte in data if byte < 128).split(b",")))
    codec = "ascii" if encoding is Encoding.ASCII else "utf-8"
    return data.decode(codec, "ignore").encode()


def _repair_value(value: Value, kind: WireKind, fill: Fill) -> None:
    if isinstance(kind, ConstantKind):
        right = constant(kind)
        if isinstance(value, Flag) and isinstance(right, Flag):
            value.value = right.value
        elif isinstance(value, Text) and isinstance(right, Text):
            value.data, value.claim = right.data, None
    elif isinstance(value, Flag):
        value.value &= 1
    elif isinstance(value, Text) and isinstance(kind, StringKind):
        value.claim = None
        value.data = _mended(value.data, kind.encoding)
    elif isinstance(value, Items) and isinstance(kind, CountedKind):
        value.claim = None
        for element in value.elements:
            element += [fill(part) for _, part in kind.element[len(element) :]]
            for part_value, (_, part) in zip(element, kind.element, strict=True):
                _repair_value(part_value, part, fill)
