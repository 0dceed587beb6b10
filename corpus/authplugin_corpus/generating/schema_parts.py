"""What the JSON Schemas of the vectors' files have in common, made from tables of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from authplugin import ErrorCode
from authplugin.kinds import (
    BooleanKind,
    ConstantKind,
    CountedKind,
    Encoding,
    RestKind,
    StringKind,
    UInt32Kind,
)
from authplugin.table import WireField, WireMessage, WireSpec

from ..message_json import constants_of
from ..model import Result
from ..protocols import label_of

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FORMAT: Final = 1

WORDS: Final = "^[a-z0-9]+(-[a-z0-9]+)*$"
HEX: Final = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
TRUE: Final = {"const": True}


def object_of(
    required: dict[str, Any], optional: dict[str, Any] | None = None, about: str | None = None
) -> dict[str, Any]:
    """Return the schema of an object that has these members and no others."""
    described = {} if about is None else {"description": about}
    return {
        **described,
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": {**required, **(optional or {})},
    }


def list_of(items: Any, about: str, least: int = 1) -> dict[str, Any]:
    """Return the schema of an array."""
    return {"description": about, "type": "array", "minItems": least, "items": items}


def ref(name: str) -> dict[str, str]:
    """Return what stands for a definition."""
    return {"$ref": f"#/$defs/{name}"}


def named(about_result: str) -> dict[str, Any]:
    """Return the schemas of the members that every vector has."""
    return {
        "id": {
            "description": "Names what is tested, and never changes its meaning.",
            "type": "string",
            "pattern": WORDS,
        },
        "sentence": {
            "description": "What is tested, for people.",
            "type": "string",
            "minLength": 1,
        },
        "clause": {
            "description": "Where that is stated: a section of the published text, or of an RFC.",
            "type": "string",
            "pattern": r"^(H(\.\d+)+|RFC \d{4} \d+(\.\d+)*)$",
        },
        "result": {
            "description": f"{about_result} acceptable: refusing is right, and accepting is too.",
            "enum": [each.value for each in Result],
        },
        "flags": list_of(
            {"type": "string", "pattern": WORDS}, "Names in the register of flags, each once."
        )
        | {"uniqueItems": True},
    }


def value_name(field: WireField) -> str:
    """Return the name of the definition of a field's values."""
    match field.kind:
        case UInt32Kind():
            return "uint32"
        case BooleanKind():
            return "boolean"
        case StringKind(encoding=Encoding.OPAQUE) | RestKind():
            return "opaque"
        case StringKind():
            return "text"
    return field.name


def message_schema(spec: WireSpec) -> dict[str, Any]:
    """Return the schema of a message."""
    constants = constants_of(spec)
    fields = {
        each.name: {"const": constants[each.name]}
        if isinstance(each.kind, ConstantKind)
        else ref(value_name(each))
        for each in spec.fields
    }
    return object_of({"type": {"const": spec.name}, **fields})


def expected_schema(spec: WireSpec) -> dict[str, Any]:
    """Return the schema of what is expected of a message."""
    constraints = {each.name: ref(f"{value_name(each)}Constraint") for each in spec.variables}
    return object_of({"type": {"const": spec.name}}, constraints)


def constraint_of(**relations: Any) -> dict[str, Any]:
    """Return the schema of what a field must be like."""
    return object_of({}, relations) | {"minProperties": 1}


_PROMPT: Final = object_of({"prompt": ref("text"), "echo": {"type": "boolean"}})


def counted(messages: Sequence[type[WireMessage]]) -> dict[str, Any]:
    """Return the schemas of the values of counted fields, by their name."""
    return {
        field.name: {
            "type": "array",
            "items": _PROMPT if len(field.kind.element) > 1 else ref("text"),
        }
        for each in messages
        for field in each.spec.fields
        if isinstance(field.kind, CountedKind)
    }


def values_of(messages: Sequence[type[WireMessage]]) -> dict[str, Any]:
    """Return the definitions of messages, of their values, and of what can be wrong with them."""
    return {
        "uint32": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        "text": {
            "oneOf": [{"type": "string"}, object_of({"hex": HEX}, about="Text that is not UTF-8.")]
        },
        **counted(messages),
        "message": {
            "description": "A message: its name, and all its fields.",
            "oneOf": [message_schema(each.spec) for each in messages],
        },
        "struck": object_of(
            {
                "message": {"enum": [label_of(each.spec) for each in messages]},
                "part": {"type": "string", "minLength": 1},
                "fault": {"type": "string", "pattern": WORDS},
            },
            about="What was made wrong in a right message, and how.",
        ),
        "strikes": list_of(ref("struck"), "What the vector stands for in the table of faults."),
        "code": {"enum": [each.value for each in ErrorCode]},
    }


def file_of(
    title: str, about: str, kind: str, definitions: dict[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """Return the schema of a file.

    Args:
        title: its title.
        about: what it describes.
        kind: the kind of the vectors.
        definitions: those of the vectors.
        values: those of what is in them.
    """
    version = {"description": "The version of the format.", "const": FORMAT}
    vectors = {"type": "array", "items": ref("vector")}
    return {
        "$schema": DIALECT,
        "title": title,
        **object_of({"format": version, "kind": {"const": kind}, "vectors": vectors}, about=about),
        "$defs": {**definitions, **values},
    }


def of_messages(members: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of a vector of one message.

    Args:
        members: the bytes.
        more: what is optional, beyond what it always is.
    """
    limits = object_of(
        {},
        {name: ref("uint32") for name in ("frame", "text", "count")},
        "The receiver's limits, where they are not 262144, 65536 and 1024.",
    )
    error = object_of(
        {"code": ref("code")},
        {
            "field": {"description": "Such as prompts[1].echo.", "type": "string"},
            "offset": {"description": "Bytes from the start."} | ref("uint32"),
        },
        "What a strict decoder refuses the bytes with.",
    )
    vector = object_of(
        {**named("What a strict decoder makes of it."), **members},
        {
            "strikes": ref("strikes"),
            "limits": limits,
            **(more or {}),
            "error": error,
            "message": ref("message"),
        },
    )
    vector["oneOf"] = [
        {
            "properties": {"result": {"const": result}},
            "required": present,
            "not": {"anyOf": [{"required": [name]} for name in absent]},
        }
        for result, present, absent in (
            ("valid", ["message"], ["error"]),
            ("invalid", ["error"], ["message"]),
        )
    ] + [{"properties": {"result": {"const": "acceptable"}}, "required": ["message", "error"]}]
    return vector


FAULT: Final = object_of(
    {
        "code": ref("code") | {"description": "What a strict receiver refuses it with."},
        "sentence": {"type": "string", "minLength": 1},
    },
    about="What is wrong.",
)
"""The schema of what is wrong with what is sent."""
