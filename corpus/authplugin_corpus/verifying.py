"""The linter of the corpus: what a file of vectors must keep to beyond its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

from authplugin import Limits, ProtocolError, RemoteProtocolError, Side, decode, encode

from .faults import FAULTS, Scope, pairs
from .hearing import events_to_hear, hear, program_of
from .layout import laid_out
from .message_json import TYPES, message_to_json
from .model import (
    Case,
    ClientDialogue,
    Delivery,
    Kind,
    MessageVector,
    PluginDialogue,
    Result,
    Vector,
    cases,
)
from .places import Place, VectorError, parse
from .registers import document
from .userauth import verifying as userauth
from .userauth.model import UserAuthDialogue, UserAuthMessageVector
from .vectors import flags_of, load_flags, load_vectors, read_vectors

CLAUSES: Final = frozenset(
    {
        *(f"H.{number}" for number in range(1, 8)),
        *(f"H.6.{number}" for number in range(1, 13)),
        *("RFC 3629 3", "RFC 3629 6", "RFC 4250 4.6.1", "RFC 4251 5", "RFC 4251 6"),
        *("RFC 4252 4", *(f"RFC 4252 5.{number}" for number in range(1, 5))),
        *(f"RFC 4252 {number}" for number in range(5, 9)),
        *(f"RFC 4256 3.{number}" for number in range(1, 5)),
        *("RFC 4253 6", "RFC 4253 6.6", "RFC 8332 3", "RFC 8332 3.2", "RFC 8709 4", "RFC 8709 6"),
        *("RFC 5656 3.1", "RFC 6187 3"),
    }
)
"""The sections that a vector may name: all of the published text, and those of RFCs."""

PREFIXES: Final = {
    Kind.MESSAGES: "message-",
    Kind.PLUGIN_DIALOGUES: "plugin-",
    Kind.CLIENT_DIALOGUES: "client-",
    Kind.USERAUTH: "userauth-",
}
"""What the ids of each kind begin with, so that they are unique over all files."""

_SENTENCE = re.compile(r"[A-Z0-9](?:\S| (?! ))*\S\.")


@dataclass(frozen=True, slots=True)
class Count:
    """How much of something the corpus covers.

    Attributes:
        what: of what.
        total: everything that there is to cover.
        missing: what of it no vector stands for.
    """

    what: str
    total: int
    missing: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"{self.total - len(self.missing)} of {self.total} {self.what}"

    def lines(self) -> Iterator[str]:
        """Yield, for people, each of what is missing."""
        yield from (f"missing: {', '.join(each)}, {self.what}" for each in self.missing)


def problems_of_corpus() -> Iterator[str]:
    """Yield what is wrong with the vectors and registers of this package."""
    root = files(__package__)
    texts = {
        file.name: file.read_text("utf-8")
        for file in sorted((root / "vectors").iterdir(), key=lambda each: each.name)
    }
    yield from problems_of_files(texts)
    registers = {
        name: root.joinpath(name).read_text("utf-8") for name in ("flags.json", "retired.json")
    }
    for file, text in (*texts.items(), *registers.items()):
        if text != laid_out(parse(text, file).value):
            yield f"{file}: not laid out as `make generate` does it"
    for file, text in registers.items():
        yield from _schema_problems(file, text)
    try:
        vectors = load_vectors()
    except VectorError:
        return  # said above
    carried = {name for vector in vectors for name in vector.flags}
    carried |= {name for case in all_cases(vectors) for name in flags_of(case)}
    for name in sorted(load_flags().keys() - carried):
        yield f"flags.json: flags.{name}: no vector carries it"
    for flag in load_flags().values():
        if not _SENTENCE.fullmatch(flag.effect):
            yield f"flags.json: flags.{flag.name}.effect: no sentence"
        if flag.ambiguity is not None and flag.ambiguity.clause not in CLAUSES:
            yield f"flags.json: flags.{flag.name}.ambiguity.clause: no such section"
    for id_, instead in retired_ids().items():
        if instead is not None and instead not in {vector.id for vector in vectors}:
            yield f"retired.json: retired.{id_}.instead: there is no {instead!r}"


def problems_of_files(texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with files of vectors, each problem with its file and place.

    Args:
        texts: the files' contents, by their names.
    """
    seen: dict[str, str] = {}
    for file, text in texts.items():
        try:
            vectors = read_vectors(text, file, load_flags())
        except VectorError as error:
            yield str(error)
            continue
        yield from _schema_problems(file, text)
        for vector in vectors:
            if vector.id in seen:
                yield f"{file}: {vector.id}: is in {seen[vector.id]} as well"
            seen[vector.id] = file
            yield from (f"{file}: {vector.id}: {each}" for each in problems_of(vector))


def problems_of(vector: Vector) -> Iterator[str]:
    """Yield what is wrong with a vector that its schema does not show."""
    prefix = PREFIXES[vector.kind]
    if not vector.id.startswith(prefix):
        yield f"the id does not begin with {prefix!r}"
    if vector.id in retired_ids():
        yield "the id is retired"
    if not _SENTENCE.fullmatch(vector.sentence):
        yield "no sentence: expected a capital letter first, a full stop last, single spaces"
    if vector.clause not in CLAUSES:
        yield f"there is no section {vector.clause!r}"
    if isinstance(vector, (UserAuthMessageVector, UserAuthDialogue)):
        yield from userauth.problems_of(vector)
        return
    faults = {fault.name for fault in FAULTS}
    for strike in vector.strikes:
        if strike.fault not in faults:
            yield f"there is no fault {strike.fault!r}"
    if isinstance(vector, MessageVector):
        yield from _message_problems(vector)
    else:
        yield from _dialogue_problems(vector)


def all_cases(vectors: Iterable[Vector]) -> Iterator[Case]:
    """Yield every case of the dialogues among some vectors."""
    return cases(each for each in vectors if isinstance(each, (PluginDialogue, ClientDialogue)))


def counts(vectors: Iterable[Vector]) -> list[Count]:
    """Return how much of the tables of states and faults some vectors cover."""
    known = list(vectors)
    found = []
    for program in (Side.PLUGIN, Side.CLIENT):
        heard = {
            (str(state), event)
            for vector in known
            if isinstance(vector, (PluginDialogue, ClientDialogue))
            and program_of(vector) is program
            for state, event in hear(vector).events
        }
        wanted = {(str(state), event) for state, event in events_to_hear(program)}
        found.append(_count(f"(state, event) of a {program}", wanted, heard))
    frames = {fault.name for fault in FAULTS if fault.scope is Scope.FRAME}
    for kind, what in _STRUCK.items():
        struck = {
            (each.message, each.part, each.fault)
            for vector in known
            if isinstance(vector, kind)
            for each in vector.strikes
        }
        wanted_rows = {
            row
            for row in pairs(Limits())
            if (row[2] in frames if what is None else TYPES[row[0]].spec.sender is what)
        }
        said = "that a frame alone shows" if what is None else f"that a {what.other} can hear"
        found.append(_count(f"(message, part, fault) {said}", wanted_rows, struck))
    user_auth = [
        each for each in known if isinstance(each, (UserAuthMessageVector, UserAuthDialogue))
    ]
    heard_of = "(state, event) of a server"
    found.append(_count(heard_of, *userauth.events_covered(user_auth)))
    shown = "(message, part, fault) of SSH's user authentication that a payload shows"
    found.append(_count(shown, *userauth.strikes_covered(user_auth)))
    return found


_STRUCK: Final[dict[type[Vector], Side | None]] = {
    MessageVector: None,
    PluginDialogue: Side.CLIENT,
    ClientDialogue: Side.PLUGIN,
}
"""Whose messages the vectors of a kind make wrong; None: everybody's, one frame at a time."""


def _count(what: str, wanted: set[Any], found: set[Any]) -> Count:
    return Count(what, len(wanted), tuple(sorted(wanted - found)))


@cache
def retired_ids() -> Mapping[str, str | None]:
    """Return the ids that no vector may have again, each with that of its successor, if any.

    Raises:
        VectorError: where the register is not as its schema says.
    """
    file = files(__package__) / "retired.json"
    members = document(parse(file.read_text("utf-8"), file.name), "retired")
    return {id_: _successor(place) for id_, place in members["retired"].mapping().items()}


def _successor(place: Place) -> str | None:
    parts = place.members(frozenset({"reason"}), frozenset({"instead"}))
    parts["reason"].text()
    return parts["instead"].text() if "instead" in parts else None


def _message_problems(vector: MessageVector) -> Iterator[str]:
    try:
        message = decode(vector.data, vector.limits)
    except RemoteProtocolError as error:
        found = (error.code, error.field, error.offset)
        if found != (vector.code, vector.field, vector.offset):
            yield f"this library refuses the bytes with {error}"
        return
    if vector.result is not Result.VALID:
        yield "this library takes the bytes"
    elif vector.message is None or message_to_json(message) != message_to_json(vector.message):
        yield f"this library reads {message_to_json(message)}"
    elif encode(vector.message, vector.limits) != vector.data:
        yield "this library writes the message as other bytes"


def _dialogue_problems(vector: PluginDialogue | ClientDialogue) -> Iterator[str]:
    faults = [fault for turn in vector.turns if (fault := getattr(turn, "fault", None)) is not None]
    wanted = faults[0].code if faults else None
    for delivery in vector.deliveries:
        how = "" if delivery is Delivery.WHOLE else f", {delivery}"
        try:
            code = hear(vector, delivery).code
        except ProtocolError as error:
            yield f"the dialogue cannot be held{how}: {error}"
            continue
        if code != wanted:
            yield f"this library refuses it with {code}{how}, not {wanted}"


def _schema_problems(file: str, text: str) -> Iterator[str]:
    """Yield where a file is not as its schema says, if there is something to find out with."""
    try:
        jsonschema: Any = import_module("jsonschema")
    except ImportError:
        return
    document_ = json.loads(text)
    name = document_.get("kind", file.removesuffix(".json"))
    schema = files(__package__).joinpath("schema", f"{name}.schema.json").read_text("utf-8")
    validator: Any = jsonschema.Draft202012Validator(json.loads(schema))
    for error in validator.iter_errors(document_):
        yield f"{file}: {error.json_path}: {error.message[:200]}"


def summary(vectors: Sequence[Vector]) -> Iterator[str]:
    """Yield how many vectors and cases there are, and what they cover."""
    for kind in Kind:
        of_kind = [vector for vector in vectors if vector.kind is kind]
        line = f"{len(of_kind)} {kind.replace('-', ' ')}"
        if kind is Kind.USERAUTH:
            dialogues = sum(isinstance(each, UserAuthDialogue) for each in of_kind)
            line += f", {dialogues} of them dialogues with a server"
        elif kind is not Kind.MESSAGES:
            line += f", {len(list(all_cases(of_kind)))} cases with their deliveries"
        yield line
    yield from map(str, counts(vectors))
