"""Vectors of single frames: every message, right and with every fault that bytes alone show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from authplugin import Limits, Message, RemoteProtocolError, decode, encode
from authplugin.errors import ErrorCode
from authplugin.table import WireMessage

from ..faults import FAULTS, ILL_FORMED, Fault, Faulty, Scope, plain
from ..message_json import message_to_json
from ..segments import segments_of
from . import house
from .words import WORDINGS, ambiguity, part_phrase, part_words, short

TIGHT: Final = Limits(frame=128, text=20, count=2)
"""Limits that the house's messages just keep to, so that going beyond them takes few bytes."""

_LIMITS_JSON: Final = {"frame": TIGHT.frame, "text": TIGHT.text, "count": TIGHT.count}
OVER_LIMITS: Final = frozenset({"oversized-claim", "oversized-string", "oversized-count"})

Chosen = Iterator[tuple[str, Faulty]]
Choice = Callable[[WireMessage, Sequence[Faulty]], Chosen]


def frames() -> list[dict[str, Any]]:
    """Return all generated vectors of messages, in their JSON form."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for vector in (*_right(), *_wrong()):
        known = found.setdefault((vector["bytes"], str(vector.get("limits"))), vector)
        for each in vector.get("strikes", ()):
            if each not in known["strikes"]:
                known["strikes"].append(each)
    return list(found.values())


def _right() -> Iterator[dict[str, Any]]:
    for filled in house.ONE_OF_EACH:
        name = filled.spec.name
        yield _vector(
            f"message-{short(name)}", f"{name} with every field filled.", filled.spec.clause, filled
        )
        if filled.spec.fields:
            empty = plain(type(filled))
            sentence = f"{name} in which every number is 0 and everything else is empty."
            yield _vector(f"message-{short(name)}-empty", sentence, filled.spec.clause, empty)


def _vector(id_: str, sentence: str, clause: str, message: Message) -> dict[str, Any]:
    return {
        "id": id_,
        "sentence": sentence,
        "clause": clause,
        "result": "valid",
        "flags": ["clean"],
        "bytes": encode(message).hex(),
        "message": message_to_json(message),
    }


def _wrong() -> Iterator[dict[str, Any]]:
    for fault in FAULTS:
        if fault.scope is Scope.FRAME:
            for right in house.ONE_OF_EACH:
                yield from _struck(fault, right, Limits())
                if fault.name in OVER_LIMITS:
                    yield from _struck(fault, right, TIGHT)


def _struck(fault: Fault, right: Message, limits: Limits) -> Iterator[dict[str, Any]]:
    by_part: dict[str, list[Faulty]] = {}
    for faulty in fault.strike([encode(right)], limits):
        by_part.setdefault(faulty.part, []).append(faulty)
    for found in by_part.values():
        choice = beyond if limits is TIGHT else CHOICES[fault.name]
        for words, faulty in choice(right, found):
            yield _faulty_vector(fault, right, faulty, words, limits)


def _faulty_vector(
    fault: Fault, right: Message, faulty: Faulty, words: str, limits: Limits
) -> dict[str, Any]:
    part = "" if faulty.part == "frame" else f"-{part_words(faulty.part)}"
    suffix = f"-{words}" if words else ""
    open_question = ambiguity(type(right), faulty.part, faulty.code)
    flags = [WORDINGS[fault.name].flag]
    if open_question is not None and open_question not in flags:
        flags = [open_question]
    vector: dict[str, Any] = {
        "id": f"message-{short(faulty.message)}{part}-{fault.name}{suffix}",
        "sentence": _sentence(fault, faulty, words),
        "clause": fault.clause,
        "result": "invalid" if open_question is None else "acceptable",
        "flags": [*flags, "limits"] if limits is TIGHT else flags,
        "strikes": [{"message": faulty.message, "part": faulty.part, "fault": fault.name}],
        "bytes": faulty.data.hex(),
    }
    if limits is TIGHT:
        vector["limits"] = _LIMITS_JSON
    vector["error"] = _error(faulty.data, limits)
    if open_question is not None:
        vector["message"] = _as_taken(right, faulty)
    return vector


def _sentence(fault: Fault, faulty: Faulty, words: str) -> str:
    phrase = PHRASES.get(fault.name, WORDINGS[fault.name].phrase)
    text = phrase.format(message=faulty.message, part=part_phrase(faulty.part))
    how = f" ({HOW.get(words, words.replace('-', ' '))})" if words else ""
    return f"{text[0].upper()}{text[1:]}{how}."


HOW: Final = {
    "before": "nothing of it is there",
    "length-only": "its length is there, and nothing of what it is of",
    "one-short": "its last byte is missing",
    "by-one": "by one",
    "by-far": "by as much as can be said",
    "over-limit": "by one",
    "00": "a zero",
    "ff": "all bits set",
}

PHRASES: Final = {
    "truncate": "{message}, and the input ends at {part}",
    "oversized-claim": "{message} that claims more bytes than a frame may have",
    "oversized-string": "{message} with more bytes for {part} than a string may have",
    "oversized-count": "{message} with more elements claimed for {part} than there may be",
}


def _error(data: bytes, limits: Limits) -> dict[str, Any]:
    try:
        decode(data, limits)
    except RemoteProtocolError as error:
        form: dict[str, Any] = {"code": str(error.code)}
        if error.field is not None:
            form["field"] = error.field
        if error.offset is not None:
            form["offset"] = error.offset
        return form
    raise AssertionError("a fault that is none")


def _as_taken(right: Message, faulty: Faulty) -> dict[str, Any]:
    """Return what a lenient receiver reads, who takes the wrong field as it is."""
    form = message_to_json(right)
    if faulty.code is ErrorCode.BAD_BOOLEAN:
        lenient = decode(faulty.data, Limits(nonzero_is_true=True))
        form = message_to_json(lenient)
        for prompt in form["prompts"]:
            prompt["echo"] = bool(prompt["echo"])
        return form
    before = b"".join(_fields_before(right, faulty.part))
    at = 5 + len(before)
    text = faulty.data[at + 4 : at + 4 + int.from_bytes(faulty.data[at : at + 4], "big")]
    try:
        form[faulty.part] = text.decode()
    except UnicodeDecodeError:
        form[faulty.part] = {"hex": text.hex()}
    return form


def _fields_before(message: Message, part: str) -> Iterator[bytes]:
    for segment in segments_of(decode(encode(message))):
        if segment.part == part:
            return
        yield segment.data


# Which of the places that a fault finds in a part are stored, and the words for each.


def _only(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    yield "", found[0]


def _edges(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    """Yield what leaves nothing of a part, its length alone, and all of it but a byte."""
    yield "before", found[0]
    if len(found) > 5 and found[0].part not in ("length", "type"):
        yield "length-only", found[4]
    if len(found) > 1:
        yield "one-short", found[-1]


def _extremes(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    yield "by-one", found[0]
    yield "by-far", found[-1]


def beyond(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    """Yield what goes beyond tight limits by one: of a string, one that is there."""
    there = [each for each in found if b"x" * (TIGHT.text + 1) in each.data]
    yield "over-limit", (there or found)[0]


def _placed(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    for faulty in found:
        yield faulty.place.split()[-1], faulty


def _types(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    for faulty in found:
        if message.spec is house.INIT.spec or faulty.place == "type 9":
            yield faulty.place.split()[-1], faulty


def _booleans(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    yield from zip(("2", "255"), found, strict=False)


def _texts(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    everything = found[0].part in ("prompts[].prompt", "responses[]")
    for name, faulty in zip(ILL_FORMED, found, strict=False):
        if everything or name == "lead-alone":
            yield name, faulty


def _letters(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    yield from zip(("byte-80", "letter"), found, strict=False)


CHOICES: Final[dict[str, Choice]] = {
    "truncate": _edges,
    "truncated-body": _edges,
    "empty-frame": _only,
    "oversized-claim": _placed,
    "oversized-string": _only,
    "lying-length": _extremes,
    "oversized-count": _extremes,
    "lying-count": _extremes,
    "trailing-byte": _placed,
    "bad-boolean": _booleans,
    "bad-utf8": _texts,
    "bad-ascii": _letters,
    "unknown-type": _types,
}
