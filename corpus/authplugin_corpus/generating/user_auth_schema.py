"""The JSON Schema of the vectors of SSH's user authentication, made from their message table."""

from __future__ import annotations

from typing import Any, Final

from authplugin.userauth import ALGORITHMS
from authplugin.userauth.messages import MESSAGES, METHODS, Sender

from ..described import Kind
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
    values_of,
)

_NAMES: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}
_TEXT: Final = {"type": "string"}


def _server() -> dict[str, Any]:
    question = object_of(
        {"prompt": {"type": "string", "minLength": 1}, "echo": {"type": "boolean"}},
        {"answer": {"description": "The right response; any, where missing."} | _TEXT},
    )
    user = object_of(
        {"name": _TEXT},
        {
            "password": {"description": "The right password."} | _TEXT,
            "change": {"description": "Why the right password has to be changed."} | _TEXT,
            "keys": list_of(HEX, "The blobs of the user's public keys."),
            "rounds": list_of(
                list_of(question, "What is asked at once.", 0),
                "What keyboard-interactive asks, round by round.",
            ),
            "requires": {"description": "The methods that are needed, in order."} | _NAMES,
        },
    )
    return object_of(
        {
            "session_id": {"description": "The session that signatures cover."} | HEX,
            "methods": {"description": "What is offered to those who are not known."} | _NAMES,
            "users": list_of(user, "Everybody who is known.", 0),
        },
        {
            "algorithms": {
                "description": "The public key algorithms that are on.",
                "type": "array",
                "items": {"enum": list(ALGORITHMS)},
            },
            "attempts": {
                "description": "How many requests are refused until the connection is closed.",
                "type": "integer",
                "minimum": 1,
            },
        },
        "What the server under test is to know.",
    )


def _turns() -> dict[str, Any]:
    payload = {"description": "The payload to send."} | HEX
    return {
        "send": object_of({"send": payload, "message": ref("message")}),
        "sendFault": object_of({"send": payload, "fault": ref("fault")}),
        "expect": object_of(
            {"expect": ref("expected")}, about="The server must say this, and nothing before."
        ),
        "expectSilence": object_of(
            {"expect_silence": TRUE}, about="The server says nothing, and goes on waiting."
        ),
        "expectRefusal": object_of(
            {"expect_refusal": TRUE}, about="The server does not let the client in."
        ),
        "expectDisconnect": object_of(
            {"expect_disconnect": ref("uint32")},
            about="The server closes the connection, for this reason.",
        ),
    }


def user_auth_schema() -> dict[str, Any]:
    """Return the schema of a file of kind `userauth`."""
    turns = _turns()
    dialogue = object_of(
        {
            **named("What a strict server makes of it."),
            "server": ref("server"),
            "turns": list_of(ref("turn"), "What to do, in order.", 2),
        },
    )
    message = of_messages(
        {"payload": {"description": "The payload of an SSH packet."} | HEX},
        {"method": {"description": "The method under way.", "enum": list(METHODS)}},
    )
    said = [each.spec for each in MESSAGES if each.spec.sender is Sender.SERVER]
    definitions = {
        "vector": {
            "if": {"required": ["turns"]},
            "then": ref("dialogue"),
            "else": ref("ofMessage"),
        },
        "ofMessage": message,
        "dialogue": dialogue,
        "server": _server(),
        "turn": {"oneOf": [ref(name) for name in turns]},
        **turns,
        "fault": FAULT,
        "expected": {
            "description": "A message of the server, and what matters in it.",
            "oneOf": [expected_schema(spec) for spec in said],
        },
        "textConstraint": constraint_of(equals=_TEXT, names=_NAMES),
        "booleanConstraint": constraint_of(equals={"type": "boolean"}),
        "opaqueConstraint": constraint_of(equals=ref("opaque")),
        **{
            f"{name}Constraint": constraint_of(equals=ref(name), count=ref("uint32"))
            for name in counted(MESSAGES)
        },
        "boolean": {"type": "boolean"},
        "opaque": object_of({"hex": HEX}, about="Any bytes."),
    }
    return file_of(
        "SSH's user authentication",
        "Payloads, and what they are or are refused with; and conversations with a server.",
        Kind.USERAUTH,
        definitions,
        values_of(MESSAGES),
    )
