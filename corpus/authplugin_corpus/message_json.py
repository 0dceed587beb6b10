"""A message as JSON, for people and for programs that do not use the codec.

An object with the message's name as `"type"` and one member for each field: a number, a string, an
array of `{"prompt": string, "echo": boolean}`, or an array of strings. Text that is not UTF-8 is
`{"hex": digits}`. The fields come from the message table.
"""

from __future__ import annotations

from typing import Any, Final

from authplugin import MESSAGES, Message
from authplugin.kinds import BooleanKind, CountedKind, Kind, StringKind, UInt32Kind

from .places import Place

TYPES: Final[dict[str, type[Message]]] = {each.spec.name: each for each in MESSAGES}
"""The messages, by name."""


def message_to_json(message: Message) -> dict[str, Any]:
    """Return a message in its JSON form."""
    detached = message.detach()
    fields = {
        field.name: _to_json(getattr(detached, field.name), field.kind)
        for field in message.spec.fields
    }
    return {"type": message.spec.name, **fields}


def message_from_json(place: Place) -> Message:
    """Return the message of which a value is the JSON form.

    Raises:
        VectorError: where it is that of none.
    """
    message_type = type_at(place)
    fields = message_type.spec.fields
    members = place.members(frozenset({"type", *(field.name for field in fields)}), frozenset())
    return message_type(*(field_from_json(members[field.name], field.kind) for field in fields))


def type_at(place: Place) -> type[Message]:
    """Return the message that the `"type"` of an object names; other members may be there."""
    named = place.member("type")
    name = named.text()
    if name not in TYPES:
        raise named.wrong(f"{name!r} is no message; there are {', '.join(TYPES)}")
    return TYPES[name]


def _to_json(value: Any, kind: Kind | BooleanKind) -> Any:
    if isinstance(kind, CountedKind):
        return [_element_to_json(element, kind) for element in value]
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    # A byte over 1 that was taken as true (`Limits.nonzero_is_true`) is no JSON boolean.
    return value


def _element_to_json(element: Any, kind: CountedKind) -> Any:
    if len(kind.element) == 1:
        return _to_json(element, kind.element[0][1])
    return {
        name: _to_json(value, part)
        for (name, part), value in zip(kind.element, element, strict=True)
    }


def field_from_json(place: Place, kind: Kind | BooleanKind) -> Any:
    """Return the value of a field of which a value is the JSON form; see `message_from_json`."""
    if isinstance(kind, UInt32Kind):
        return place.number()
    if isinstance(kind, BooleanKind):
        return place.flag()
    if isinstance(kind, StringKind):
        if isinstance(place.value, dict):
            return place.members(frozenset({"hex"}), frozenset())["hex"].octets()
        return place.any_text()
    return [_element_from_json(item, kind) for item in place.items()]


def _element_from_json(place: Place, kind: CountedKind) -> Any:
    if len(kind.element) == 1:
        return field_from_json(place, kind.element[0][1])
    members = place.members(frozenset(name for name, _ in kind.element), frozenset())
    return tuple(field_from_json(members[name], part) for name, part in kind.element)
