"""The JSON Schemas of the vectors' files, each whole by itself, made from the message table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from authplugin import MESSAGES, Side

from ..model import Delivery
from .schema_parts import (
    FAULT,
    HEX,
    TRUE,
    constraint_of,
    counted,
    expected_schema,
    file_of,
    list_of,
    named,
    object_of,
    of_messages,
    ref,
    value_name,
    values_of,
)
from .user_auth_schema import user_auth_schema


def _messages_schema() -> dict[str, Any]:
    data = {"description": "One frame, behind which the input ends."} | HEX
    return file_of(
        "Messages",
        "Bytes, and the message that they are or the error that they are refused with.",
        "messages",
        {"vector": of_messages({"bytes": data})},
        values_of(MESSAGES),
    )


def _dialogues_schema(program: Side, other: Side) -> dict[str, Any]:
    turns = {
        "send": object_of(
            {"send": {"description": "Bytes to write."} | HEX | {"minLength": 2}},
            {
                "messages": list_of(ref("message"), "The good messages that they begin with."),
                "fault": ref("fault"),
                "hold_back": {
                    "description": "So many of the last bytes go out once silence was seen.",
                    "type": "integer",
                    "minimum": 1,
                },
                "edges": list_of(ref("uint32"), "Where the delivery field-edges cuts.", 0),
            },
        )
        | {"anyOf": [{"required": ["messages"]}, {"required": ["fault"]}]},
        "expect": object_of(
            {"expect": ref("expected")}, about=f"The {program} must say this, and nothing before."
        ),
        "allow": object_of(
            {"allow": list_of(ref("expected"), f"The {program} may say one of these.")},
            {"lenient": {"description": "A strict one says none of them.", "const": True}},
        ),
        "expectSilence": object_of(
            {"expect_silence": TRUE}, about=f"The {program} says nothing, and goes on waiting."
        ),
        "endOfInput": object_of(
            {"end_of_input": TRUE}, {"fault": ref("fault")}, "The input is closed."
        ),
        "endOfOutput": object_of(
            {"end_of_output": TRUE}, about=f"Nobody reads any more what the {program} writes."
        ),
        "expectEnd": object_of(
            {"expect_end": TRUE}, about=f"The {program} says nothing more, and ends."
        ),
    }
    if program is Side.CLIENT:
        turns |= _beside_the_pipes()
    vector = object_of(
        {
            **named(f"What a strict {program} makes of it."),
            "deliveries": list_of(
                {"enum": [each.value for each in Delivery]}, "In which pieces it is to be tried."
            )
            | {"uniqueItems": True},
            "turns": list_of(ref("turn"), "What to do, in order.", 2)
            | {"contains": {"required": ["end_of_input"]}, "minContains": 1, "maxContains": 1},
        },
        {"strikes": ref("strikes")},
    )
    said = [each.spec for each in MESSAGES if each.spec.sender is program]
    definitions = {
        "vector": vector,
        "turn": {"oneOf": [ref(name) for name in turns]},
        **turns,
        "fault": FAULT,
        "expected": {
            "description": f"A message of the {program}, and what matters in it.",
            "oneOf": [expected_schema(spec) for spec in said],
        },
        "uint32Constraint": constraint_of(
            equals=ref("uint32"), at_least=ref("uint32"), at_most=ref("uint32")
        ),
        "textConstraint": constraint_of(equals={"type": "string"}),
        **{
            f"{name}Constraint": constraint_of(equals=ref(name), count=ref("uint32"))
            for name in counted(MESSAGES)
        },
    }
    about = (
        f"Conversations with a {program} from the {other}'s side, each from its start to its end."
    )
    kind = f"{program}-dialogues"
    return file_of(f"Dialogues with a {program}", about, kind, definitions, values_of(MESSAGES))


def _beside_the_pipes() -> dict[str, Any]:
    request: Sequence[Any] = next(
        e for e in MESSAGES if "SERVER_REQUEST" in e.spec.name
    ).spec.fields
    challenge = object_of({f.name: ref(value_name(f)) for f in request})
    outcome = object_of({"success": {"type": "boolean"}}, about="How the attempt went.")
    asks = object_of({"challenge": challenge}, about="SSH_MSG_USERAUTH_INFO_REQUEST.")
    return {
        "server": object_of(
            {"server": {"oneOf": [asks, outcome]}}, about="The SSH server says this to the client."
        ),
        "user": object_of(
            {"user": list_of({"type": "string"}, "What the user answers to each prompt.", 0)}
        ),
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Return the generated schemas, by the name of their file."""
    return {
        "messages.schema.json": _messages_schema(),
        "plugin-dialogues.schema.json": _dialogues_schema(Side.PLUGIN, Side.CLIENT),
        "client-dialogues.schema.json": _dialogues_schema(Side.CLIENT, Side.PLUGIN),
        "userauth.schema.json": user_auth_schema(),
    }
