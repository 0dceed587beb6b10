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
from typing import TYPE_CHECKING, Final, Literal, cast, overload

from authplugin import Side

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
from .registers import (
    FORMAT,
    OF_MESSAGES,
    Names,
    VectorForm,
    check_message_and_error,
    clause_at,
    deliveries_at,
    document,
    error_at,
    limits_at,
    read_flags,
    strikes_at,
)
from .turns import check_turns, turn_from_json

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from .userauth.model import UserAuthDialogue, UserAuthMessageVector

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
    "load_user_auth",
    "load_vectors",
    "read_flags",
    "read_vectors",
]


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


def load_user_auth() -> tuple[UserAuthMessageVector | UserAuthDialogue, ...]:
    """Return the vectors of SSH's user authentication; see `load_vectors`."""
    return cast("tuple[UserAuthMessageVector | UserAuthDialogue, ...]", _load(Kind.USERAUTH))


@cache
def load_flags() -> Mapping[str, Flag]:
    """Return the register of flags, by name.

    Raises:
        VectorError: where its file is not as its schema says.
    """
    file = _FOLDER / "flags.json"
    return read_flags(file.read_text("utf-8"), file.name)


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


_NAMED = frozenset({"id", "sentence", "clause", "result", "flags"})


def _vector(place: Place, kind: Kind, flags: Mapping[str, Flag]) -> Vector:
    form = _form_at(place, kind)
    members = place.members(_NAMED | form.required, form.optional)
    named = (
        members["id"].matching(_ID, "lower-case words joined by hyphens"),
        members["sentence"].text(),
        clause_at(members["clause"]),
        members["result"].one_of(Result),
        _flags(members["flags"], flags),
    )
    _check_flags(members["flags"], named[3], [flags[name] for name in named[4]])
    return form.read(members, named)


def _form_at(place: Place, kind: Kind) -> VectorForm[Vector]:
    if kind is Kind.USERAUTH:
        # Its messages take longer to load than all that only concerns plugins and clients.
        from .userauth.reading import form_at

        return form_at(place)
    return _FORMS[kind]


def _message_vector(members: Mapping[str, Place], named: Names) -> MessageVector:
    code, field, offset = error_at(members)
    message = message_from_json(members["message"]) if "message" in members else None
    check_message_and_error(members, named)
    return MessageVector(
        *named,
        data=members["bytes"].octets(),
        limits=limits_at(members),
        message=message,
        code=code,
        field=field,
        offset=offset,
        file=members["id"].file,
        strikes=strikes_at(members, TYPES),
    )


def _plugin_dialogue(members: Mapping[str, Place], named: Names) -> PluginDialogue:
    return PluginDialogue(*named, *_rest_of_dialogue(members, named, Side.PLUGIN))


def _client_dialogue(members: Mapping[str, Place], named: Names) -> ClientDialogue:
    return ClientDialogue(*named, *_rest_of_dialogue(members, named, Side.CLIENT))


def _rest_of_dialogue(
    members: Mapping[str, Place], named: Names, speaker: Side
) -> tuple[tuple[Turn, ...], str, tuple[Delivery, ...], tuple[Struck, ...]]:
    items = tuple(members["turns"].items())
    turns = tuple(turn_from_json(item, speaker) for item in items)
    deliveries = deliveries_at(members["deliveries"])
    check_turns(members["turns"], items, turns, named[3])
    _check_edges(items, turns, deliveries)
    return turns, members["id"].file, deliveries, strikes_at(members, TYPES)


_OF_DIALOGUES: Final = frozenset({"deliveries", "turns"})
_STRIKES: Final = frozenset({"strikes"})
_FORMS: Final[Mapping[Kind, VectorForm[Vector]]] = {
    Kind.MESSAGES: VectorForm(frozenset({"bytes"}), OF_MESSAGES, _message_vector),
    Kind.PLUGIN_DIALOGUES: VectorForm(_OF_DIALOGUES, _STRIKES, _plugin_dialogue),
    Kind.CLIENT_DIALOGUES: VectorForm(_OF_DIALOGUES, _STRIKES, _client_dialogue),
}


def _check_edges(
    items: Sequence[Place], turns: Sequence[Turn], deliveries: Sequence[Delivery]
) -> None:
    """Refuse edges where nothing is cut there, and the lack of them where something is."""
    wanted = Delivery.FIELD_EDGES in deliveries
    for turn, item in zip(turns, items, strict=True):
        if isinstance(turn, Send):
            if ("edges" in item.names()) is not wanted:
                raise item.wrong("'edges' belong to the delivery 'field-edges', and only there")
            if turn.hold_back and deliveries != (Delivery.WHOLE,):
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
