"""The stored vectors, and how they are read. FORMAT.md says what their files look like.

A plugin may, as in any conversation, ask the user before it answers the server (H.6.9): who replays
a dialogue answers PLUGIN_KI_USER_REQUEST where PLUGIN_KI_SERVER_RESPONSE is expected. It may also
decline, which leaves the rest of the dialogue untested: PLUGIN_INIT_FAILURE where
PLUGIN_INIT_RESPONSE is expected (H.6.3), PLUGIN_PROTOCOL_REJECT where PLUGIN_PROTOCOL_ACCEPT is
(H.6.5), and where PLUGIN_KI_USER_REQUEST is expected, PLUGIN_KI_SERVER_RESPONSE or a request with
other prompts (H.6.9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast, overload

from authplugin import ErrorCode, Limits, Side

from .message_json import TYPES, message_from_json
from .model import (
    Allow,
    Ambiguity,
    Case,
    ClientDialogue,
    Delivery,
    EndOfInput,
    EndOfOutput,
    Expect,
    ExpectEnd,
    ExpectSilence,
    Flag,
    Kind,
    Known,
    MessageVector,
    PluginDialogue,
    Result,
    Send,
    SentFault,
    Server,
    Struck,
    Turn,
    User,
    Vector,
    cases,
)
from .places import Place, VectorError, parse
from .turns import check_turns, turn_from_json

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = [
    "FORMAT",
    "Allow",
    "Ambiguity",
    "Case",
    "ClientDialogue",
    "Delivery",
    "EndOfInput",
    "EndOfOutput",
    "Expect",
    "ExpectEnd",
    "ExpectSilence",
    "Flag",
    "Kind",
    "Known",
    "MessageVector",
    "PluginDialogue",
    "Result",
    "Send",
    "SentFault",
    "Server",
    "Struck",
    "Turn",
    "User",
    "Vector",
    "VectorError",
    "cases",
    "flags_of",
    "load_dialogues",
    "load_flags",
    "load_messages",
    "load_vectors",
    "read_flags",
    "read_vectors",
]

FORMAT: Final = 1
"""The version of the format that this module reads."""


def _folder() -> Traversable:
    """Return where the package's data are: in a folder or, as the code may be, in an archive."""
    here = Path(__file__).parent
    if here.is_dir():
        return here
    # To load it takes as long as to read a quarter of the vectors.
    from importlib.resources import files

    return files(__package__)


_FOLDER: Final = _folder()

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CLAUSE = re.compile(r"H(?:\.\d+)+|RFC \d{4} \d+(?:\.\d+)*")
_NOTHING: Final[frozenset[str]] = frozenset()


def load_vectors() -> tuple[Vector, ...]:
    """Return all vectors of the package, in the order of their files' names.

    Raises:
        VectorError: where a file is not as its schema says, or an id is there twice.
    """
    return _load(*Kind)


@cache
def _load(*kinds: Kind) -> tuple[Vector, ...]:
    """Return the vectors of some kinds; see `load_vectors`."""
    flags = load_flags()
    found: dict[str, Vector] = {}
    for file in sorted((_FOLDER / "vectors").iterdir(), key=lambda each: each.name):
        data = file.read_bytes()
        if not any(f'"{kind}"'.encode() in data for kind in kinds):
            continue  # a file of one of these kinds says so
        for vector in _vectors(parse(data.decode(), file.name), flags, kinds):
            if vector.id in found:
                raise VectorError(file.name, vector.id, f"is in {found[vector.id].file} as well")
            found[vector.id] = vector
    return tuple(found.values())


@overload
def load_dialogues(program: Literal["plugin"]) -> tuple[PluginDialogue, ...]: ...
@overload
def load_dialogues(program: Literal["client"]) -> tuple[ClientDialogue, ...]: ...
def load_dialogues(
    program: Literal["plugin", "client"],
) -> tuple[PluginDialogue, ...] | tuple[ClientDialogue, ...]:
    """Return the dialogues with one kind of program under test; see `load_vectors`."""
    if program == "plugin":
        return cast(tuple[PluginDialogue, ...], _load(Kind.PLUGIN_DIALOGUES))
    return cast(tuple[ClientDialogue, ...], _load(Kind.CLIENT_DIALOGUES))


def load_messages() -> tuple[MessageVector, ...]:
    """Return the vectors of single frames; see `load_vectors`."""
    return cast(tuple[MessageVector, ...], _load(Kind.MESSAGES))


@cache
def load_flags() -> Mapping[str, Flag]:
    """Return the register of flags, by name.

    Raises:
        VectorError: where its file is not as its schema says.
    """
    file = _FOLDER / "flags.json"
    return read_flags(file.read_text("utf-8"), file.name)


def read_flags(text: str, file: str) -> Mapping[str, Flag]:
    """Return the flags of a register; see `load_flags`."""
    members = document(parse(text, file), "flags")
    optional = frozenset({"ambiguity", "deliveries"})
    flags = {}
    for name, place in members["flags"].mapping().items():
        parts = place.members(frozenset({"bug_type", "effect"}), optional)
        flags[name] = Flag(
            name,
            parts["bug_type"].text(),
            parts["effect"].text(),
            _ambiguity(parts["ambiguity"]) if "ambiguity" in parts else None,
            _deliveries(parts["deliveries"]) if "deliveries" in parts else (),
        )
    return flags


def _ambiguity(place: Place) -> Ambiguity:
    parts = place.members(frozenset({"question", "clause", "here", "known"}), _NOTHING)
    return Ambiguity(
        parts["question"].text(),
        _clause(parts["clause"]),
        parts["here"].text(),
        tuple(_known(item) for item in parts["known"].items()),
    )


def _known(place: Place) -> Known:
    parts = place.members(frozenset({"program", "does", "seen"}), _NOTHING)
    return Known(parts["program"].text(), parts["does"].text(), parts["seen"].text())


def _clause(place: Place) -> str:
    return place.matching(_CLAUSE, "a clause such as 'H.6.1' or 'RFC 4251 5'")


def read_vectors(text: str, file: str, flags: Mapping[str, Flag]) -> tuple[Vector, ...]:
    """Return the vectors of a file.

    Args:
        text: its contents.
        file: its name, for the errors.
        flags: the register of flags.

    Raises:
        VectorError: where it is not as its schema says.
    """
    return tuple(_vectors(parse(text, file), flags, tuple(Kind)))


def _vectors(place: Place, flags: Mapping[str, Flag], kinds: Sequence[Kind]) -> Iterator[Vector]:
    """Yield the vectors of a file, where it is of one of these kinds."""
    members = document(place, "vectors", "kind")
    kind = members["kind"].one_of(Kind)
    if kind in kinds:
        yield from (_vector(item, kind, flags) for item in members["vectors"].items())


def document(place: Place, *names: str) -> Mapping[str, Place]:
    """Return the members of a file, whose version of the format is the one read here.

    Raises:
        VectorError: where it is of another version, or has other members.
    """
    version = place.member("format")
    if version.number() != FORMAT:
        raise version.wrong(f"expected {FORMAT}: other versions of the format are not known here")
    return place.members(frozenset({"format", *names}), _NOTHING)


_NAMED = frozenset({"id", "sentence", "clause", "result", "flags"})
_DIALOGUE = _NAMED | {"deliveries", "turns"}
_OF_MESSAGES = frozenset({"limits", "message", "error", "strikes"})


def _vector(place: Place, kind: Kind, flags: Mapping[str, Flag]) -> Vector:
    if kind is Kind.MESSAGES:
        members = place.members(_NAMED | {"bytes"}, _OF_MESSAGES)
    else:
        members = place.members(_DIALOGUE, frozenset({"strikes"}))
    named = (
        members["id"].matching(_ID, "lower-case words joined by hyphens"),
        members["sentence"].text(),
        _clause(members["clause"]),
        members["result"].one_of(Result),
        _flags(members["flags"], flags),
    )
    _check_flags(members["flags"], named[3], [flags[name] for name in named[4]])
    strikes = _strikes(members["strikes"]) if "strikes" in members else ()
    vector: Vector
    if kind is Kind.MESSAGES:
        vector = _message_vector(members, named, strikes)
        wrong = (vector.code is None, vector.message is None)
        if wrong != _MESSAGE_AND_ERROR[vector.result]:
            raise place.wrong("'valid' has a 'message', 'invalid' an 'error', 'acceptable' both")
    else:
        speaker = Side.PLUGIN if kind is Kind.PLUGIN_DIALOGUES else Side.CLIENT
        items = tuple(members["turns"].items())
        turns = tuple(turn_from_json(item, speaker) for item in items)
        rest = (turns, place.file, _deliveries(members["deliveries"]), strikes)
        vector = (
            PluginDialogue(*named, *rest)
            if speaker is Side.PLUGIN
            else ClientDialogue(*named, *rest)
        )
        check_turns(members["turns"], items, turns, vector.result)
        _check_edges(items, vector)
    return vector


_Names = tuple[str, str, str, Result, tuple[str, ...]]

_MESSAGE_AND_ERROR: Final = {
    Result.VALID: (True, False),
    Result.INVALID: (False, True),
    Result.ACCEPTABLE: (False, False),
}
"""Whether the error, and the message, are missing."""


def _message_vector(
    members: Mapping[str, Place], named: _Names, strikes: tuple[Struck, ...]
) -> MessageVector:
    code, field, offset = None, None, None
    if "error" in members:
        parts = members["error"].members(frozenset({"code"}), frozenset({"field", "offset"}))
        code = parts["code"].one_of(ErrorCode)
        field = parts["field"].text() if "field" in parts else None
        offset = parts["offset"].number() if "offset" in parts else None
    return MessageVector(
        *named,
        data=members["bytes"].octets(),
        limits=_limits(members["limits"]) if "limits" in members else Limits(),
        message=message_from_json(members["message"]) if "message" in members else None,
        code=code,
        field=field,
        offset=offset,
        file=members["id"].file,
        strikes=strikes,
    )


def _limits(place: Place) -> Limits:
    members = place.members(_NOTHING, frozenset({"frame", "text", "count"}))
    given: dict[str, Any] = {name: member.number() for name, member in members.items()}
    try:
        return Limits(**given)
    except ValueError as error:
        raise place.wrong(str(error)) from None


def _strikes(place: Place) -> tuple[Struck, ...]:
    strikes = tuple(_struck(item) for item in place.items())
    if not strikes or len(set(strikes)) < len(strikes):
        raise place.wrong("expected at least one, and none twice")
    return strikes


def _struck(place: Place) -> Struck:
    members = place.members(frozenset({"message", "part", "fault"}), _NOTHING)
    if members["message"].text() not in TYPES:
        raise members["message"].wrong(f"{members['message'].value!r} is no message")
    return Struck(members["message"].text(), members["part"].text(), members["fault"].text())


def _deliveries(place: Place) -> tuple[Delivery, ...]:
    deliveries = tuple(item.one_of(Delivery) for item in place.items())
    if not deliveries or len(set(deliveries)) < len(deliveries):
        raise place.wrong("expected at least one delivery, and none twice")
    return deliveries


def _check_edges(items: Sequence[Place], vector: PluginDialogue | ClientDialogue) -> None:
    """Refuse edges where nothing is cut there, and the lack of them where something is."""
    wanted = Delivery.FIELD_EDGES in vector.deliveries
    for turn, item in zip(vector.turns, items, strict=True):
        if isinstance(turn, Send):
            if ("edges" in item.names()) is not wanted:
                raise item.wrong("'edges' belong to the delivery 'field-edges', and only there")
            if turn.hold_back and vector.deliveries != (Delivery.WHOLE,):
                raise item.wrong("'hold_back' goes with the delivery 'whole' alone")


def _flags(place: Place, flags: Mapping[str, Flag]) -> tuple[str, ...]:
    found = []
    for item in place.items():
        if item.text() not in flags:
            raise item.wrong(f"{item.value!r} is not in the register of flags")
        found.append(item.text())
    return tuple(found)


def _check_flags(place: Place, result: Result, flags: Sequence[Flag]) -> None:
    if not flags:
        raise place.wrong("expected at least one flag")
    if len({flag.name for flag in flags}) < len(flags):
        raise place.wrong("has a flag twice")
    open_question = any(flag.ambiguity is not None for flag in flags)
    if (result is Result.ACCEPTABLE) is not open_question:
        raise place.wrong("a flag that names an ambiguity belongs to 'acceptable', and only there")


def flags_of(case: Case) -> tuple[str, ...]:
    """Return the flags of a case: its vector's, and those that its delivery brings along."""
    brought = [flag.name for flag in load_flags().values() if case.delivery in flag.deliveries]
    return tuple(dict.fromkeys((*case.vector.flags, *brought)))
