"""A message as JSON, for people and for programs that do not use the codec.

An object with the message's name as `"type"` and one member for each field: a number, a boolean, a
string, an array of `{"prompt": string, "echo": boolean}`, or an array of strings. Text that is not
UTF-8 is `{"hex": digits}`, and so is whatever is no text. The fields come from the message table;
those that never vary are members too, and tell messages of one name apart.
"""

from __future__ import annotations

from typing import Any, Final

from authplugin import MESSAGES, Message
from authplugin.kinds import (
    BooleanKind,
    ConstantKind,
    CountedKind,
    Encoding,
    StringKind,
    UInt32Kind,
    WireKind,
)
from authplugin.table import WireMessage, WireSpec

from .places import Place

TYPES: Final[dict[str, type[Message]]] = {each.spec.name: each for each in MESSAGES}
"""The messages of the plugin protocol, by name."""


def message_to_json(message: WireMessage) -> dict[str, Any]:
    """Return a message in its JSON form."""
    detached = message.detach()
    fields = {
        field.name: _to_json(getattr(detached, field.name), field.kind)
        for field in message.spec.fields
    }
    return {"type": message.spec.name, **fields}


def message_from_json(place: Place) -> Message:
    """Return the message of the plugin protocol of which a value is the JSON form.

    Raises:
        VectorError: where it is that of none.
    """
    message_type = type_at(place)
    return message_type(*values_at(place, message_type))


def values_at(place: Place, message_type: type[WireMessage]) -> list[Any]:
    """Return the values of a message's fields, of which an object is the JSON form."""
    spec = message_type.spec
    members = place.members(frozenset({"type", *(each.name for each in spec.fields)}), frozenset())
    return [field_from_json(members[field.name], field.kind) for field in spec.variables]


def type_at(place: Place) -> type[Message]:
    """Return the message that the `"type"` of an object names; other members may be there."""
    named = place.member("type")
    name = named.text()
    if name not in TYPES:
        raise named.wrong(f"{name!r} is no message; there are {', '.join(TYPES)}")
    return TYPES[name]


def constants_of(spec: WireSpec) -> dict[str, bool | str]:
    """Return the values of the fields that never vary, by their name."""
    return {
        field.name: _constant(field.kind)
        for field in spec.fields
        if isinstance(field.kind, ConstantKind)
    }


def _constant(kind: ConstantKind) -> bool | str:
    if isinstance(kind.kind, BooleanKind):
        return kind.data != b"\0"
    return kind.data[StringKind.least_size :].decode()


def _to_json(value: Any, kind: WireKind) -> Any:
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


def field_from_json(place: Place, kind: WireKind) -> Any:
    """Return the value of a field of which a value is the JSON form; see `message_from_json`."""
    if isinstance(kind, UInt32Kind):
        return place.number()
    if isinstance(kind, BooleanKind):
        return place.flag()
    if isinstance(kind, CountedKind):
        return [_element_from_json(item, kind) for item in place.items()]
    is_text = isinstance(kind, StringKind) and kind.encoding is not Encoding.OPAQUE
    if is_text and not isinstance(place.value, dict):
        return place.any_text()
    return place.members(frozenset({"hex"}), frozenset())["hex"].octets()


def _element_from_json(place: Place, kind: CountedKind) -> Any:
    if len(kind.element) == 1:
        return field_from_json(place, kind.element[0][1])
    members = place.members(frozenset(name for name, _ in kind.element), frozenset())
    return tuple(field_from_json(members[name], part) for name, part in kind.element)
