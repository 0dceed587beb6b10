"""Bytes cut into the pieces of a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from authplugin import MESSAGES
from authplugin.kinds import BooleanKind, CountedKind, Kind, StringKind, UInt32Kind

from .model import Delivery

_FIELDS = {each.spec.code: [field.kind for field in each.spec.fields] for each in MESSAGES}


def pieces(data: bytes, delivery: Delivery) -> list[bytes]:
    """Return the pieces in which bytes are written; none of them is empty.

    What `coalesced` writes together has been put together before (`Case.turns`).
    """
    if delivery is Delivery.BYTE_BY_BYTE:
        return [data[at : at + 1] for at in range(len(data))]
    if delivery is Delivery.FIELD_EDGES:
        return [data[start:stop] for start, stop in pairwise([0, *edges(data), len(data)])]
    return [data] if data else []


def edges(data: bytes) -> list[int]:
    """Return where bytes are cut by the delivery `field-edges`, ascending.

    That is behind each frame's length, behind its type, and behind each number, boolean, length,
    text and count in it. Where the bytes are no message, as many edges as can be told.
    """
    found = sorted(set(_edges(data)) - {0, len(data)})
    return [at for at in found if at < len(data)]


def _edges(data: bytes) -> Iterator[int]:
    at = 0
    while at + 4 <= len(data):
        stop = at + 4 + int.from_bytes(data[at : at + 4], "big")
        yield at + 4
        if stop > at + 4:
            yield at + 5
            yield from _inside(data[: min(stop, len(data))], at + 4)
        yield stop
        at = stop


def _inside(data: bytes, type_at: int) -> Iterator[int]:
    at = type_at + 1
    todo: list[Kind | BooleanKind] = []
    if at <= len(data):
        todo += _FIELDS.get(data[type_at], ())
    while todo and at < len(data):
        kind = todo.pop(0)
        if isinstance(kind, BooleanKind):
            at += 1
        else:
            number = int.from_bytes(data[at : at + 4], "big")
            at += 4
            yield at
            if isinstance(kind, StringKind):
                at += number
            elif isinstance(kind, CountedKind):
                # No more elements than there is room for, whatever the count says.
                count = min(number, (len(data) - at) // kind.least_element_size + 1)
                todo = [part for _, part in kind.element] * count + todo
            else:
                assert isinstance(kind, UInt32Kind)
        yield at
