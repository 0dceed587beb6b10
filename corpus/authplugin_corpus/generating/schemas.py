"""The JSON Schemas of the vectors' files, each whole by itself, made from the message table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from authplugin import MESSAGES, ErrorCode, Side
from authplugin.kinds import CountedKind, StringKind, UInt32Kind

from ..model import Delivery, Result

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FORMAT: Final = 1

_WORDS: Final = "^[a-z0-9]+(-[a-z0-9]+)*$"
_HEX: Final = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
_TRUE: Final = {"const": True}


def _object(
    required: dict[str, Any], optional: dict[str, Any] | None = None, about: str | None = None
) -> dict[str, Any]:
    described = {} if about is None else {"description": about}
    return {
        **described,
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": {**required, **(optional or {})},
    }


def _list(items: Any, about: str, least: int = 1) -> dict[str, Any]:
    return {"description": about, "type": "array", "minItems": least, "items": items}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _named(about_result: str) -> dict[str, Any]:
    return {
        "id": {
            "description": "Names what is tested, and never changes its meaning.",
            "type": "string",
            "pattern": _WORDS,
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
        "flags": _list(
            {"type": "string", "pattern": _WORDS}, "Names in the register of flags, each once."
        )
        | {"uniqueItems": True},
    }


_KINDS: Final = {UInt32Kind: "uint32", StringKind: "text"}


def _message(spec: Any) -> dict[str, Any]:
    fields = {field.name: _ref(_KINDS.get(type(field.kind), field.name)) for field in spec.fields}
    return _object({"type": {"const": spec.name}, **fields})


def _expected(spec: Any) -> dict[str, Any]:
    constraints = {
        field.name: _ref(f"{_KINDS.get(type(field.kind), field.name)}Constraint")
        for field in spec.fields
    }
    return _object({"type": {"const": spec.name}}, constraints)


def _constraint(**relations: Any) -> dict[str, Any]:
    return _object({}, relations) | {"minProperties": 1}


_PROMPT: Final = _object({"prompt": _ref("text"), "echo": {"type": "boolean"}})
_COUNTED: Final = {
    field.name: {
        "type": "array",
        "items": _PROMPT if len(field.kind.element) > 1 else _ref("text"),
    }
    for each in MESSAGES
    for field in each.spec.fields
    if isinstance(field.kind, CountedKind)
}

_VALUES: Final[dict[str, Any]] = {
    "uint32": {"type": "integer", "minimum": 0, "maximum": 4294967295},
    "text": {
        "oneOf": [{"type": "string"}, _object({"hex": _HEX}, about="Text that is not UTF-8.")]
    },
    **_COUNTED,
    "message": {
        "description": "A message: its name, and all its fields.",
        "oneOf": [_message(each.spec) for each in MESSAGES],
    },
    "struck": _object(
        {
            "message": {"enum": [each.spec.name for each in MESSAGES]},
            "part": {"type": "string", "minLength": 1},
            "fault": {"type": "string", "pattern": _WORDS},
        },
        about="What was made wrong in a right message, and how.",
    ),
    "strikes": _list(_ref("struck"), "What the vector stands for in the table of faults."),
    "code": {"enum": [each.value for each in ErrorCode]},
}


def _file(title: str, about: str, kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    version = {"description": "The version of the format.", "const": FORMAT}
    vectors = {"type": "array", "items": _ref("vector")}
    return {
        "$schema": DIALECT,
        "title": title,
        **_object({"format": version, "kind": {"const": kind}, "vectors": vectors}, about=about),
        "$defs": {**definitions, **_VALUES},
    }


def _messages_schema() -> dict[str, Any]:
    members = {
        **_named("What a strict decoder makes of it."),
        "bytes": {"description": "One frame, behind which the input ends."} | _HEX,
    }
    limits = _object(
        {},
        {name: _ref("uint32") for name in ("frame", "text", "count")},
        "The receiver's limits, where they are not 262144, 65536 and 1024.",
    )
    error = _object(
        {"code": _ref("code")},
        {
            "field": {"description": "Such as prompts[1].echo.", "type": "string"},
            "offset": {"description": "Bytes from the start of the frame."} | _ref("uint32"),
        },
        "What a strict decoder refuses the bytes with.",
    )
    vector = _object(
        members,
        {
            "strikes": _ref("strikes"),
            "limits": limits,
            "error": error,
            "message": _ref("message"),
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
    return _file(
        "Messages",
        "Bytes, and the message that they are or the error that they are refused with.",
        "messages",
        {"vector": vector},
    )


def _dialogues_schema(program: Side, other: Side) -> dict[str, Any]:
    fault = _object(
        {
            "code": _ref("code") | {"description": "What a strict receiver refuses it with."},
            "sentence": {"type": "string", "minLength": 1},
        },
        about="What is wrong.",
    )
    turns = {
        "send": _object(
            {"send": {"description": "Bytes to write."} | _HEX | {"minLength": 2}},
            {
                "messages": _list(_ref("message"), "The good messages that they begin with."),
                "fault": _ref("fault"),
                "hold_back": {
                    "description": "So many of the last bytes go out once silence was seen.",
                    "type": "integer",
                    "minimum": 1,
                },
                "edges": _list(_ref("uint32"), "Where the delivery field-edges cuts.", 0),
            },
        )
        | {"anyOf": [{"required": ["messages"]}, {"required": ["fault"]}]},
        "expect": _object(
            {"expect": _ref("expected")}, about=f"The {program} must say this, and nothing before."
        ),
        "allow": _object(
            {"allow": _list(_ref("expected"), f"The {program} may say one of these.")},
            {"lenient": {"description": "A strict one says none of them.", "const": True}},
        ),
        "expectSilence": _object(
            {"expect_silence": _TRUE}, about=f"The {program} says nothing, and goes on waiting."
        ),
        "endOfInput": _object(
            {"end_of_input": _TRUE}, {"fault": _ref("fault")}, "The input is closed."
        ),
        "endOfOutput": _object(
            {"end_of_output": _TRUE}, about=f"Nobody reads any more what the {program} writes."
        ),
        "expectEnd": _object(
            {"expect_end": _TRUE}, about=f"The {program} says nothing more, and ends."
        ),
    }
    if program is Side.CLIENT:
        turns |= _beside_the_pipes()
    vector = _object(
        {
            **_named(f"What a strict {program} makes of it."),
            "deliveries": _list(
                {"enum": [each.value for each in Delivery]}, "In which pieces it is to be tried."
            )
            | {"uniqueItems": True},
            "turns": _list(_ref("turn"), "What to do, in order.", 2)
            | {"contains": {"required": ["end_of_input"]}, "minContains": 1, "maxContains": 1},
        },
        {"strikes": _ref("strikes")},
    )
    said = [each.spec for each in MESSAGES if each.spec.sender is program]
    definitions = {
        "vector": vector,
        "turn": {"oneOf": [_ref(name) for name in turns]},
        **turns,
        "fault": fault,
        "expected": {
            "description": f"A message of the {program}, and what matters in it.",
            "oneOf": [_expected(spec) for spec in said],
        },
        "uint32Constraint": _constraint(
            equals=_ref("uint32"), at_least=_ref("uint32"), at_most=_ref("uint32")
        ),
        "textConstraint": _constraint(equals={"type": "string"}),
        **{
            f"{name}Constraint": _constraint(equals=_ref(name), count=_ref("uint32"))
            for name in _COUNTED
        },
    }
    about = (
        f"Conversations with a {program} from the {other}'s side, each from its start to its end."
    )
    return _file(f"Dialogues with a {program}", about, f"{program}-dialogues", definitions)


def _beside_the_pipes() -> dict[str, Any]:
    request: Sequence[Any] = next(
        e for e in MESSAGES if "SERVER_REQUEST" in e.spec.name
    ).spec.fields
    challenge = _object({f.name: _ref(_KINDS.get(type(f.kind), f.name)) for f in request})
    outcome = _object({"success": {"type": "boolean"}}, about="How the attempt went.")
    asks = _object({"challenge": challenge}, about="SSH_MSG_USERAUTH_INFO_REQUEST.")
    return {
        "server": _object(
            {"server": {"oneOf": [asks, outcome]}}, about="The SSH server says this to the client."
        ),
        "user": _object(
            {"user": _list({"type": "string"}, "What the user answers to each prompt.", 0)}
        ),
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Return the generated schemas, by the name of their file."""
    return {
        "messages.schema.json": _messages_schema(),
        "plugin-dialogues.schema.json": _dialogues_schema(Side.PLUGIN, Side.CLIENT),
        "client-dialogues.schema.json": _dialogues_schema(Side.CLIENT, Side.PLUGIN),
    }
