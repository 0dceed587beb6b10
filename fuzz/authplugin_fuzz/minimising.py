"""A small input that does what a large one does, made by leaving out and making plain.

An input is taken apart as its layer says, and everything in it is left out or made plain where it
still does the same: moves, frames, elements, texts, numbers, and what is wrong with them. Mere
bytes come last, and for what has no structure they are all there is.

What a receiver accepts follows from a checksum of a body or a stream (see `layers`), so a change
that has nothing to do with it can undo what the input does. Such a change is tried a second time,
with bytes that do not matter chosen so that the same follows from them all as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import product
from time import monotonic
from typing import Final, TypeVar
from zlib import crc32

from authplugin.kinds import BooleanKind, ConstantKind, CountedKind, RestKind, StringKind, WireKind

from .anatomy import (
    BY_CODE,
    Flag,
    Frame,
    Items,
    Number,
    Rest,
    Text,
    Value,
    body_of,
    constant,
    frames_of,
    read_frame,
    stream_bytes,
)
from .courses import Course, Event, Holds, languages
from .layers import Exchange, How, Layer, Move

Sequence = TypeVar("Sequence", bytes, list[Frame], list[Move], list[Event], list[list[Value]])

_PLAIN: Final = (0, 1, ord("a"))
"""The bytes that are as plain as can be."""

_TERMS: Final = 0x3F
"""The bits of the checksum from which limits and chunks follow; see `layers.Terms`."""

_TERMS_AND_MORE: Final = 0xFFF
"""The same, and those from which targets choose what else to try."""

_SHORTEST: Final = min(code for code, each in BY_CODE.items() if not each.spec.fields)
"""The type of a message that has no fields."""

_APART: Final[Mapping[Layer, Callable[[bytes], tuple[list[Frame], bytes]]]] = {
    Layer.BODY: lambda raw: ([read_frame(raw[0], raw[1:])] if raw else [], b""),
    Layer.PAYLOAD: lambda raw: ([read_frame(raw[0], raw[1:])] if raw else [], b""),
    Layer.STREAM: frames_of,
}
"""How an input is taken apart into frames and a rest, where something follows from a checksum."""

_TOGETHER: Final[Mapping[Layer, Callable[[list[Frame], bytes], bytes]]] = {
    Layer.BODY: lambda frames, rest: b"".join(map(body_of, frames)),
    Layer.PAYLOAD: lambda frames, rest: b"".join(map(body_of, frames)),
    Layer.STREAM: stream_bytes,
}
"""How it is put together again."""

_LONG: Final = 64
"""Texts of more bytes are not made plain byte by byte."""


def minimised(
    raw: bytes,
    layer: Layer,
    still: Callable[[bytes], bool],
    *,
    seconds: float = 30.0,
    on_terms: bool = True,
) -> bytes:
    """Return the smallest input that is found to do what an input does, itself perhaps.

    Args:
        raw: the input.
        layer: what its bytes mean.
        still: whether another input does the same.
        seconds: after so many, what has been found has to do.
        on_terms: whether anything follows from a checksum of the bytes.
    """
    until = monotonic() + seconds
    tried: set[bytes | tuple[bytes, int]] = {raw}
    best = raw
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(best, layer):
            if monotonic() > until:
                return best
            likely = _likely(smaller, best, layer if on_terms else None, tried)
            found = next((each for each in likely if still(each)), None)
            if found is not None:
                best, improved = found, True
                break
    return best


def _likely(
    smaller: bytes, best: bytes, layer: Layer | None, tried: set[bytes | tuple[bytes, int]]
) -> Iterator[bytes]:
    """Yield an input, and the same on the terms of another: those that are new, and smaller.

    For no layer nothing follows from a checksum.
    """
    if smaller not in tried and _is_smaller(smaller, best):
        tried.add(smaller)
        yield smaller
    terms = (smaller, crc32(best) & _TERMS_AND_MORE)
    if layer is not None and layer in _APART and terms not in tried and len(smaller) <= len(best):
        tried.add(terms)
        same = _on_the_same_terms(smaller, best, layer)
        if same is not None and same not in tried and _is_smaller(same, best):
            tried.add(same)
            yield same


def _is_smaller(raw: bytes, other: bytes) -> bool:
    """Say whether one input is shorter than another, or as long and plainer."""
    return len(raw) < len(other) or (len(raw) == len(other) and _pomp(raw) < _pomp(other))


def _pomp(raw: bytes) -> tuple[int, bytes]:
    return sum(byte not in _PLAIN for byte in raw), raw


def _smaller(raw: bytes, layer: Layer) -> Iterator[bytes]:
    for way in _WAYS[layer]:
        yield from way(raw)


def _smaller_body(raw: bytes) -> Iterator[bytes]:
    if raw:
        for frame in _smaller_frame(read_frame(raw[0], raw[1:])):
            yield body_of(frame)


def _smaller_stream(raw: bytes) -> Iterator[bytes]:
    frames, rest = frames_of(raw)
    for fewer in _fewer(frames):
        yield stream_bytes(fewer, rest)
    yield stream_bytes(frames)
    for index, frame in enumerate(frames):
        for plainer in _smaller_frame(frame):
            yield stream_bytes([*frames[:index], plainer, *frames[index + 1 :]], rest)


def _smaller_exchange(raw: bytes) -> Iterator[bytes]:
    exchange = Exchange.from_bytes(raw)
    yield replace(exchange, rest=b"").to_bytes()
    for moves in _fewer(exchange.moves):
        yield replace(exchange, moves=moves).to_bytes()
    for head in (b"\0", bytes((exchange.head[0] & 3,)) if exchange.head else b""):
        yield replace(exchange, head=head).to_bytes()
    for index, move in enumerate(exchange.moves):
        changes = [
            replace(move, unseen=False),
            replace(move, chunking=0),
            replace(move, chunking=1),
            replace(move, how=How.SAID),
            replace(move, how=How.PUT),
            *(replace(move, data=data) for data in _smaller_stream(move.data)),
            *(replace(move, data=data) for data in _fewer(move.data)),
        ]
        for changed in changes:
            moves = [*exchange.moves[:index], changed, *exchange.moves[index + 1 :]]
            yield replace(exchange, moves=moves).to_bytes()


def _smaller_course(layer: Layer, raw: bytes) -> Iterator[bytes]:
    course = Course.from_bytes(raw)
    holds = languages()[layer].holds
    yield replace(course, rest=b"").to_bytes()
    for events in _fewer(course.events):
        yield replace(course, events=events).to_bytes()
    for head in (b"\0", *(bytes((course.start & ~(1 << bit),)) for bit in range(8))):
        yield replace(course, head=head).to_bytes()
    for index, event in enumerate(course.events):
        changes = [
            *(replace(event, control=event.control & ~(1 << bit)) for bit in range(8)),
            *(
                replace(event, data=data)
                for data in _SMALLER_DATA[holds(event.control)](event.data)
            ),
            *(replace(event, data=data) for data in _fewer(event.data)),
        ]
        for changed in changes:
            events = [*course.events[:index], changed, *course.events[index + 1 :]]
            yield replace(course, events=events).to_bytes()


_SMALLER_DATA: Final[Mapping[Holds, Callable[[bytes], Iterator[bytes]]]] = {
    Holds.FRAMES: _smaller_stream,
    Holds.PAYLOAD: _smaller_body,
    Holds.TEXT: lambda data: _shorter(data),
    Holds.BYTES: lambda data: _plainer_bytes(data),
}


def _plainer_bytes(raw: bytes) -> Iterator[bytes]:
    """Yield bytes with a piece of them made zero, the largest pieces first, from the end."""
    size = len(raw)
    while size:
        for stop in range(len(raw), 0, -size):
            start = max(0, stop - size)
            yield raw[:start] + bytes(stop - start) + raw[stop:]
        size //= 2


def _fewer(items: Sequence) -> Iterator[Sequence]:
    """Yield a sequence without a piece of it, the largest pieces first, from the end."""
    size = len(items)
    while size:
        for stop in range(len(items), 0, -size):
            yield items[: max(0, stop - size)] + items[stop:]
        size //= 2


_WAYS: Final[Mapping[Layer, tuple[Callable[[bytes], Iterator[bytes]], ...]]] = {
    Layer.BODY: (_smaller_body, _fewer),
    Layer.PAYLOAD: (_smaller_body, _fewer),
    Layer.STREAM: (_smaller_stream, _fewer),
    Layer.CONVERSATION: (_smaller_exchange, _fewer),
    Layer.BRIDGE: (partial(_smaller_course, Layer.BRIDGE), _fewer),
    Layer.SERVER: (partial(_smaller_course, Layer.SERVER), _fewer),
    Layer.CHOICES: (_fewer, _plainer_bytes),
}
"""How the inputs of each layer are made smaller, one way after the other."""


def _smaller_frame(frame: Frame) -> Iterator[Frame]:
    yield Frame(_SHORTEST)
    yield replace(frame, tail=b"", claim=None)
    yield replace(frame, tail=b"")
    yield replace(frame, claim=None)
    yield replace(frame, tail=b"\0" * min(len(frame.tail), 1))
    if frame.message is not None:
        kinds = [each.kind for each in frame.message.spec.fields]
        plain = [_plainest(kind) for kind in kinds[: len(frame.values)]]
        yield replace(frame, values=plain)
        yield replace(frame, values=[], tail=b"")
    for index, (value, kind) in enumerate(frame.leaves()):
        for plainer in _smaller_value(value, kind):
            changed = deepcopy(frame)
            # An element's parts stand behind the field that holds it, and are its own.
            leaf = [each for each, _ in changed.leaves()][index]
            _become(leaf, plainer)
            yield changed


def _smaller_value(value: Value, kind: WireKind) -> Iterator[Value]:
    if isinstance(value, Number):
        for number in (0, 1, 2, value.value >> 1, value.value - 1):
            if 0 <= number < value.value:
                yield Number(number)
    elif isinstance(value, Flag):
        yield from (Flag(byte) for byte in (0, 1, 2) if byte < value.value)
    elif isinstance(value, Text) and isinstance(kind, StringKind):
        if value.claim is not None:
            yield Text(value.data)
            yield from (Text(value.data, claim) for claim in _claims(len(value.data), value.claim))
        for data in (b"", b"a" * len(value.data), *_shorter(value.data)):
            if data != value.data:
                yield Text(data, value.claim)
    elif isinstance(value, Rest):
        yield from map(Rest, _shorter(value.data))
    elif isinstance(value, Items) and isinstance(kind, CountedKind):
        if value.claim is not None:
            yield Items(value.elements)
            claims = _claims(len(value.elements), value.claim)
            yield from (Items(value.elements, claim) for claim in claims)
        for elements in _fewer(value.elements):
            yield Items(elements, value.claim)


def _shorter(data: bytes) -> Iterator[bytes]:
    yield from _fewer(data)
    if len(data) <= _LONG:
        for at, byte in enumerate(data):
            if byte not in _PLAIN:
                yield data[:at] + b"a" + data[at + 1 :]


def _claims(truth: int, claim: int) -> Iterator[int]:
    """Yield lies about a size, from the least."""
    yield from (each for each in (truth + 1, truth + 4, 0) if each != claim)


def _plainest(kind: WireKind) -> Value:
    if isinstance(kind, ConstantKind):
        return constant(kind)
    if isinstance(kind, RestKind):
        return Rest(b"")
    if isinstance(kind, BooleanKind):
        return Flag(0)
    if isinstance(kind, StringKind):
        return Text(b"")
    return Items() if isinstance(kind, CountedKind) else Number(0)


def _become(value: Value, other: Value) -> None:
    for name in other.__slots__:
        setattr(value, name, getattr(other, name))


# The same terms.


def _on_the_same_terms(smaller: bytes, before: bytes, layer: Layer) -> bytes | None:
    """Return an input with bytes changed that do not matter, so that the same follows from it.

    None where that is not needed, or no such bytes are found.
    """
    wanted = crc32(before)
    if not (crc32(smaller) ^ wanted) & _TERMS:
        return None
    found = None
    for filled in _filled(smaller, layer):
        difference = crc32(filled) ^ wanted
        if not difference & _TERMS_AND_MORE:
            return filled
        if found is None and not difference & _TERMS:
            found = filled
    return found


def _filled(raw: bytes, layer: Layer) -> Iterator[bytes]:
    """Yield an input with other values for the last two bytes of a number or a text, or for one."""
    frames, rest = _APART[layer](raw)
    together = _TOGETHER[layer](frames, rest)
    for frame in reversed(frames):
        for value, _ in frame.leaves():
            before = deepcopy(value)
            if isinstance(value, Number):
                value.value ^= 0xFFFF
                size, fillers = 2, range(0x100)
            elif isinstance(value, Text) and value.data.isascii() and value.data:
                size, fillers = min(2, len(value.data)), range(0x20, 0x7F)
                value.data = bytes(byte ^ 0x7F for byte in value.data)
            else:
                continue
            changed = _TOGETHER[layer](frames, rest)
            _become(value, before)
            stop = max(at + 1 for at in range(len(raw)) if changed[at] != together[at])
            for filler in product(fillers, repeat=size):
                yield raw[: stop - size] + bytes(filler) + raw[stop:]
            return
