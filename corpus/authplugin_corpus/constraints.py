"""What a message must be like, where it need not be one message and no other.

The JSON form is an object with the message's name as `"type"` and, for each field that matters, an
object with one or more of: `equals` (the field's value, in the JSON form of messages), `at_least`,
`at_most` (numbers), `count` (how many elements), `names` (of a list of names, in any order).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from authplugin import Message
from authplugin.kinds import (
    CountedKind,
    Encoding,
    StringKind,
    UInt32Kind,
    WireKind,
)
from authplugin.table import WireMessage

from .message_json import field_from_json, type_at
from .places import Place


class Relation(StrEnum):
    """How a field relates to a value."""

    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    COUNT = "count"
    NAMES = "names"


_WORDS: Final = {
    Relation.EQUALS: "",
    Relation.AT_LEAST: "at least ",
    Relation.AT_MOST: "at most ",
    Relation.COUNT: "",
    Relation.NAMES: "the names ",
}


class Constraint(NamedTuple):
    """What one field must be like."""

    field: str
    relation: Relation
    value: int | str | bytes | tuple[object, ...]

    def __str__(self) -> str:
        if self.relation is Relation.COUNT:
            return _counted(self.value, self.field)
        return f"{self.field} {_WORDS[self.relation]}{self.value!r}"

    def broken_by(self, message: WireMessage) -> str | None:
        """Return in which way a message breaks the constraint, or None."""
        value = getattr(message.detach(), self.field)
        value = tuple(value) if isinstance(value, list) else value
        if self.relation is Relation.COUNT:
            wrong, has = len(value) != self.value, _counted(len(value), self.field)
        else:
            wrong, has = not _holds(self.relation, value, self.value), f"{self.field} {value!r}"
        return f"has {has} (due: {self})" if wrong else None


def _counted(count: object, field: str) -> str:
    return f"{count} {field.removesuffix('s') if count == 1 else field}"


def _holds(relation: Relation, value: Any, bound: Any) -> bool:
    if relation is Relation.AT_LEAST:
        return bool(value >= bound)
    if relation is Relation.AT_MOST:
        return bool(value <= bound)
    if relation is Relation.NAMES:
        return sorted(filter(None, str(value).split(","))) == sorted(bound)
    return bool(value == bound)


class Expected(NamedTuple):
    """A message, as far as it matters."""

    message_type: type[Message]
    constraints: tuple[Constraint, ...] = ()

    def __str__(self) -> str:
        name = self.message_type.spec.name
        return f"{name} ({', '.join(map(str, self.constraints))})" if self.constraints else name

    def broken_by(self, message: Message) -> str | None:
        """Return in which way a message of the type breaks a constraint, or None."""
        for constraint in self.constraints:
            if (text := constraint.broken_by(message)) is not None:
                return text
        return None


def expected_from_json(place: Place) -> Expected:
    """Return what a value in the JSON form expects.

    Raises:
        VectorError: where it is not in that form.
    """
    message_type = type_at(place)
    return Expected(message_type, constraints_at(place, message_type))


def constraints_at(place: Place, message_type: type[WireMessage]) -> tuple[Constraint, ...]:
    """Return what an object expects of the fields of a message.

    Raises:
        VectorError: where it is not in the JSON form.
    """
    kinds = {field.name: field.kind for field in message_type.spec.variables}
    members = place.members(frozenset({"type"}), frozenset(kinds))
    return tuple(
        constraint
        for name, member in members.items()
        if name != "type"
        for constraint in _constraints(name, kinds[name], member)
    )


def fitting(kind: WireKind) -> tuple[Relation, ...]:
    """Return how a field of a kind can relate to a value."""
    if isinstance(kind, StringKind) and kind.encoding is Encoding.NAMES:
        return (Relation.EQUALS, Relation.NAMES)
    return _FITTING.get(type(kind), (Relation.EQUALS,))


def _constraints(name: str, kind: WireKind, place: Place) -> Iterator[Constraint]:
    relations = fitting(kind)
    members = place.members(frozenset(), frozenset(relation.value for relation in relations))
    if not members:
        raise place.wrong(f"expected at least one of {', '.join(relations)}")
    for relation, member in members.items():
        yield Constraint(name, Relation(relation), _bound(kind, Relation(relation), member))


def _bound(
    kind: WireKind, relation: Relation, place: Place
) -> int | str | bytes | tuple[object, ...]:
    if relation is Relation.COUNT or isinstance(kind, UInt32Kind):
        return place.number()
    if relation is Relation.NAMES:
        return tuple(item.text() for item in place.items())
    if isinstance(kind, CountedKind):
        return tuple(field_from_json(place, kind))
    if isinstance(kind, StringKind) and kind.encoding is not Encoding.OPAQUE:
        return place.any_text()
    value: bool | bytes = field_from_json(place, kind)
    return value


_FITTING: Final = {
    UInt32Kind: (Relation.EQUALS, Relation.AT_LEAST, Relation.AT_MOST),
    CountedKind: (Relation.EQUALS, Relation.COUNT),
}
