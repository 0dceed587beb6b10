"""A message as the bytes of its fields, one by one, to be changed and put together again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from authplugin.kinds import (
    BooleanKind,
    ConstantKind,
    Kind,
    RestKind,
    StringKind,
    UInt32Kind,
    WireKind,
)
from authplugin.table import WireMessage

LARGEST: Final = 0xFFFF_FFFF
"""The largest number that a uint32 can hold."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A field's bytes, its length or count included.

    Attributes:
        name: the field, such as `"prompts[1].echo"`.
        kind: its wire kind; of a field that never varies, the kind of its value.
        data: the bytes; of a counted field the count alone, with the elements behind it.
        constant: whether the field tells the message from others of its type, and never varies.
    """

    name: str
    kind: Kind | RestKind
    data: bytes
    constant: bool = False

    @property
    def part(self) -> str:
        """The field without its index, such as `"prompts[].echo"`."""
        return re.sub(r"\[\d+\]", "[]", self.name)


def segments_of(message: WireMessage) -> list[Segment]:
    """Return the fields of a decoded message, in the order of the wire."""
    return [
        segment
        for field in message.spec.fields
        for segment in _segments(field.name, field.kind, getattr(message, field.name))
    ]


def _segments(name: str, kind: WireKind, value: Any) -> Iterator[Segment]:
    if isinstance(kind, ConstantKind):
        yield Segment(name, kind.kind, kind.data, constant=True)
    elif isinstance(kind, RestKind):
        yield Segment(name, kind, bytes(value))
    elif isinstance(kind, UInt32Kind):
        yield Segment(name, kind, uint32(value))
    elif isinstance(kind, BooleanKind):
        yield Segment(name, kind, bytes((value,)))
    elif isinstance(kind, StringKind):
        yield Segment(name, kind, string(bytes(value)))
    else:
        yield Segment(name, kind, uint32(len(value)))
        for index, element in enumerate(value):
            several = len(kind.element) > 1
            parts = element if several else (element,)
            for (part, part_kind), part_value in zip(kind.element, parts, strict=True):
                suffix = f".{part}" if several else ""
                yield from _segments(f"{name}[{index}]{suffix}", part_kind, part_value)


def uint32(value: int) -> bytes:
    """Return a number on the wire (H.3)."""
    return value.to_bytes(4, "big")


def string(value: bytes) -> bytes:
    """Return a string on the wire (H.3)."""
    return uint32(len(value)) + value
