"""The stored conversations, and how they are read.

A file of vectors is a JSON object: `format` (the version of the format, a number), `kind` (what its
vectors are; here `plugin-dialogues`) and `vectors`. `schema/` says the same as JSON Schemas. In a
plugin dialogue each turn is one of

    {"send": HEX}               write these bytes to the plugin. Beside them stand `messages`, the
                                JSON form of the good messages that they begin with, and `fault`,
                                what is wrong with the bytes behind those: at least one of the two.
                                `delivery` says in which pieces (default: whole)
    {"expect": {...}}           the plugin must say this, and nothing in front of it
    {"allow": [{...}, ...]}     the plugin may say one of these; `lenient` says that a strict one
                                would not
    {"end_of_input": true}      close the plugin's input
    {"expect_end": true}        the plugin must say nothing more, and end; nothing is stated about
                                its exit status, but no signal may end it

A plugin may, as in any conversation, ask the user before it answers the server (H.6.9): who replays
a dialogue answers PLUGIN_KI_USER_REQUEST where PLUGIN_KI_SERVER_RESPONSE is expected. It may also
decline (H.6.3, H.6.5): PLUGIN_INIT_FAILURE where PLUGIN_INIT_RESPONSE is expected, and
PLUGIN_PROTOCOL_REJECT where PLUGIN_PROTOCOL_ACCEPT is, leave the rest of the dialogue untested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from authplugin import ErrorCode, Side

from .constraints import Expected, expected_from_json
from .message_json import message_from_json
from .model import (
    Allow,
    Delivery,
    EndOfInput,
    Expect,
    ExpectEnd,
    Flag,
    PluginDialogue,
    Result,
    Send,
    SentFault,
    Turn,
)
from .places import Place, VectorError, parse

__all__ = [
    "FORMAT",
    "Allow",
    "Delivery",
    "EndOfInput",
    "Expect",
    "ExpectEnd",
    "Flag",
    "PluginDialogue",
    "Result",
    "Send",
    "SentFault",
    "Turn",
    "VectorError",
    "load_flags",
    "load_vectors",
    "read_flags",
    "read_vectors",
]

FORMAT: Final = 1
"""The version of the format that this module reads."""

_KIND = "plugin-dialogues"
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CLAUSE = re.compile(r"H(?:\.\d+)+|RFC \d{4} \d+(?:\.\d+)*")


@cache
def load_vectors() -> tuple[PluginDialogue, ...]:
    """Return all vectors of the package, in the order of their files' names.

    Raises:
        VectorError: where a file is not as its schema says, or an id is there twice.
    """
    flags = load_flags()
    folder = files(__package__) / "vectors"
    found: dict[str, PluginDialogue] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        for vector in read_vectors(file.read_text("utf-8"), file.name, flags):
            if vector.id in found:
                raise VectorError(file.name, vector.id, f"is in {found[vector.id].file} as well")
            found[vector.id] = vector
    return tuple(found.values())


@cache
def load_flags() -> Mapping[str, Flag]:
    """Return the register of flags, by name.

    Raises:
        VectorError: where its file is not as its schema says.
    """
    file = files(__package__) / "flags.json"
    return read_flags(file.read_text("utf-8"), file.name)


def read_flags(text: str, file: str) -> Mapping[str, Flag]:
    """Return the flags of a register; see `load_flags`."""
    members = _document(parse(text, file), "flags")
    flags = {}
    for name, place in members["flags"].mapping().items():
        parts = place.members(frozenset({"bug_type", "effect"}), frozenset({"ambiguity"}))
        ambiguity = parts["ambiguity"].text() if "ambiguity" in parts else None
        flags[name] = Flag(name, parts["bug_type"].text(), parts["effect"].text(), ambiguity)
    return flags


def read_vectors(text: str, file: str, flags: Mapping[str, Flag]) -> tuple[PluginDialogue, ...]:
    """Return the vectors of a file.

    Args:
        text: its contents.
        file: its name, for the errors.
        flags: the register of flags.

    Raises:
        VectorError: where it is not as its schema says.
    """
    members = _document(parse(text, file), "vectors", "kind")
    if members["kind"].text() != _KIND:
        raise members["kind"].wrong(f"expected {_KIND!r}")
    return tuple(_vector(place, flags) for place in members["vectors"].items())


def _document(place: Place, *names: str) -> Mapping[str, Place]:
    """Return the members of a file, whose version of the format is the one read here."""
    version = place.mapping().get("format")
    if version is None:
        raise place.wrong("lacks 'format'")
    if version.number() != FORMAT:
        raise version.wrong(f"expected {FORMAT}: other versions of the format are not known here")
    return place.members(frozenset({"format", *names}), frozenset())


_MEMBERS = frozenset({"id", "sentence", "clause", "result", "flags", "turns"})


def _vector(place: Place, flags: Mapping[str, Flag]) -> PluginDialogue:
    members = place.members(_MEMBERS, frozenset())
    vector = PluginDialogue(
        id=members["id"].matching(_ID, "lower-case words joined by hyphens"),
        sentence=members["sentence"].text(),
        clause=members["clause"].matching(_CLAUSE, "a clause such as 'H.6.1' or 'RFC 4251 5'"),
        result=members["result"].one_of(Result),
        flags=tuple(_flag(item, flags) for item in members["flags"].items()),
        turns=tuple(_turn(item) for item in members["turns"].items()),
        file=place.file,
    )
    _check_flags(members["flags"], vector, flags)
    _check_turns(members["turns"], vector)
    return vector


def _flag(place: Place, flags: Mapping[str, Flag]) -> str:
    if place.text() not in flags:
        raise place.wrong(f"{place.value!r} is not in the register of flags")
    return place.text()


def _turn(place: Place) -> Turn:
    match place.value:
        case {"send": _}:
            return _send(place)
        case {"expect": _}:
            members = place.members(frozenset({"expect"}), frozenset())
            return Expect(_plugins_message(members["expect"]))
        case {"allow": _}:
            members = place.members(frozenset({"allow"}), frozenset({"lenient"}))
            choices = tuple(_plugins_message(item) for item in members["allow"].items())
            if not choices:
                raise members["allow"].wrong("expected at least one message")
            if "lenient" in members:
                members["lenient"].true()
            return Allow(choices, lenient="lenient" in members)
        case {"end_of_input": _}:
            place.members(frozenset({"end_of_input"}), frozenset())["end_of_input"].true()
            return EndOfInput()
        case {"expect_end": _}:
            place.members(frozenset({"expect_end"}), frozenset())["expect_end"].true()
            return ExpectEnd()
    known = "'send', 'expect', 'allow', 'end_of_input', 'expect_end'"
    raise place.wrong(f"expected an object with one of {known}")


def _send(place: Place) -> Send:
    optional = frozenset({"messages", "fault", "delivery"})
    members = place.members(frozenset({"send"}), optional)
    messages: Iterable[Place] = members["messages"].items() if "messages" in members else ()
    fault = None
    if "fault" in members:
        parts = members["fault"].members(frozenset({"code", "sentence"}), frozenset())
        fault = SentFault(parts["code"].one_of(ErrorCode), parts["sentence"].text())
    send = Send(
        data=members["send"].octets(),
        messages=tuple(message_from_json(item) for item in messages),
        fault=fault,
        delivery=(
            members["delivery"].one_of(Delivery) if "delivery" in members else Delivery.WHOLE
        ),
    )
    if not send.data:
        raise members["send"].wrong("expected at least one byte")
    if not send.messages and send.fault is None:
        raise place.wrong("says neither which 'messages' are sent nor which 'fault'")
    return send


def _plugins_message(place: Place) -> Expected:
    expected = expected_from_json(place)
    if expected.message_type.spec.sender is not Side.PLUGIN:
        raise place.wrong(f"{expected.message_type.spec.name} is not sent by a plugin")
    return expected


def _check_flags(place: Place, vector: PluginDialogue, flags: Mapping[str, Flag]) -> None:
    if not vector.flags:
        raise place.wrong("expected at least one flag")
    if len(set(vector.flags)) < len(vector.flags):
        raise place.wrong("has a flag twice")
    open_question = any(flags[name].ambiguity is not None for name in vector.flags)
    if (vector.result is Result.ACCEPTABLE) is not open_question:
        raise place.wrong("a flag that names an ambiguity belongs to 'acceptable', and only there")


def _check_turns(place: Place, vector: PluginDialogue) -> None:
    """Refuse turns that cannot be played, or are at odds with the result."""
    turns = vector.turns
    if [index for index, turn in enumerate(turns, 1) if turn == ExpectEnd()] != [len(turns)]:
        raise place.wrong("expected 'expect_end' as the last turn, and nowhere else")
    closed = False
    fault = False
    for turn, item in zip(turns, place.items(), strict=True):
        if isinstance(turn, Send):
            if closed or fault:
                raise item.wrong("nothing can be sent behind a fault or the end of the input")
            fault = turn.fault is not None
        elif isinstance(turn, Expect) and (closed or fault):
            raise item.wrong("behind a fault or the end of the input a message can but be allowed")
        elif isinstance(turn, Allow) and not (closed and fault):
            raise item.wrong("a message is allowed behind a fault and the end of the input alone")
        elif isinstance(turn, EndOfInput):
            if closed:
                raise item.wrong("the input can end but once")
            closed = True
        elif isinstance(turn, ExpectEnd) and not closed:
            raise item.wrong("expected 'end_of_input' before it")
    if fault is (vector.result is Result.VALID):
        raise place.wrong("what is 'valid' has no 'fault', and everything else has one")
