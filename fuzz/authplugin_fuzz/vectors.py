"""Vectors of what was found: what a correct program makes of it, by the oracles alone.

A vector is made in the form in which it is stored; see FORMAT.md of the corpus. Nothing here asks
the code on trial, which may be wrong.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from authplugin import ErrorCode, Limits
from authplugin_corpus.generating.words import ambiguity, part_phrase, part_words, short
from authplugin_corpus.message_json import TYPES
from authplugin_corpus.model import Kind
from authplugin_corpus.verifying import PREFIXES
from authplugin_properties.model import FIELDS_AT, LENGTH_SIZE, TYPE_AT, Neutral, Problem
from authplugin_properties.oracles import cursor

from .anatomy import Text, read_frame

JSON: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A vector to be.

    Attributes:
        kind: in which kind of file it stands.
        words: the words of its id behind the kind's own.
        form: the vector in its JSON form, without `id`.
    """

    kind: Kind
    words: str
    form: JSON

    def content(self) -> JSON:
        """Return what is tested, apart from all that is said of it."""
        return content_of(self.form)

    @property
    def id(self) -> str:
        """The id that it has where nobody wants another."""
        told = json.dumps(self.content(), sort_keys=True).encode()
        digest = hashlib.sha1(told, usedforsecurity=False).hexdigest()
        return f"{PREFIXES[self.kind]}{self.words}-found-{digest[:8]}"


DEFAULT_LIMITS: Final = Limits()

_LIMITS_JSON: Final = {name: getattr(DEFAULT_LIMITS, name) for name in ("frame", "text", "count")}
"""The limits of a receiver of which a vector says nothing."""


def limits_json(limits: Limits) -> JSON:
    """Return limits as a vector has them."""
    return {name: getattr(limits, name) for name in _LIMITS_JSON}


def content_of(form: Mapping[str, Any]) -> JSON:
    """Return what a vector in its JSON form tests, however that is worded or delivered."""
    told = ("bytes", "payload", "method", "server", "turns")
    content = {name: form[name] for name in told if name in form}
    if "bytes" in content or "payload" in content:
        content["limits"] = _LIMITS_JSON | form.get("limits", {})
    if "turns" in content:
        content["turns"] = [_bare(turn) for turn in content["turns"]]
    return content


def _bare(turn: Mapping[str, Any]) -> JSON:
    bare = {name: value for name, value in turn.items() if name != "edges"}
    if "fault" in bare:
        bare["fault"] = bare["fault"]["code"]
    return bare


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What is said of a vector whose bytes are refused: flag, clause, and what it is a fault of."""

    flag: str
    clause: str
    phrase: str


_REFUSALS: Final[Mapping[str, _Refusal]] = {
    "end-truncated": _Refusal("truncated", "H.3", "a {message} that the input ends inside of"),
    "frame-empty": _Refusal("empty-frame", "H.3", "a frame without a type byte"),
    "frame-too-long": _Refusal("oversized-claim", "H.3", "a frame that claims too many bytes"),
    "trailing-bytes": _Refusal("trailing-bytes", "H.3", "a {message} with bytes left over"),
    "unknown-type": _Refusal("unknown-type", "H.6", "a type that no message has"),
    "field-truncated": _Refusal("short-frame", "H.3", "a {message} whose frame ends before {part}"),
    "string-too-long": _Refusal(
        "lying-length", "H.3", "a {message} with more bytes for {part} than there may be"
    ),
    "count-too-large": _Refusal(
        "lying-count",
        "H.6.7",
        "a {message} with more elements claimed for {part} than there may be",
    ),
    "count-impossible": _Refusal(
        "lying-count",
        "H.6.7",
        "a {message} with more elements claimed for {part} than there is room for",
    ),
    "bad-name-list": _Refusal("bad-name-list", "RFC 4251 5", "a {message} with no list for {part}"),
    "bad-boolean": _Refusal("bad-boolean", "H.3", "a {message} with neither 0 nor 1 for {part}"),
    "bad-utf8": _Refusal("bad-text", "H.6.7", "a {message} with what is not UTF-8 for {part}"),
    "bad-ascii": _Refusal("bad-text", "H.6.4", "a {message} with what is not ASCII for {part}"),
    "wrong-turn": _Refusal("wrong-state", "H.1", "a {message} out of turn"),
    "wrong-side": _Refusal("wrong-side", "H.6", "a {message}, a message of its own side"),
    "wrong-state": _Refusal("wrong-state", "H.5", "a {message}, which has no place there"),
    "session-over": _Refusal(
        "wrong-state", "H.5", "a {message} behind the end of the conversation"
    ),
    "end-premature": _Refusal("end-of-input", "H.5", "the end of the input instead of a message"),
    "version-above-offer": _Refusal("version", "H.4", "a version above the client's offer"),
    "version-unsupported": _Refusal("version", "H.4", "a version that the client does not speak"),
    "method-unknown": _Refusal(
        "method", "H.6.6", "the acceptance of a method that has no messages"
    ),
    "response-count": _Refusal(
        "response-count", "H.6.8", "a {message} with the wrong number of responses"
    ),
}
"""By the code that a strict receiver refuses something with."""

_LYING: Final = _Refusal("lying-length", "H.3", "a {message} with {part} longer than what is left")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a correct receiver makes of a frame that it refuses, or may refuse.

    Attributes:
        problem: what a strict one refuses it with.
        flag: the flag of its vectors.
        clause: the section of the text that it breaks.
        phrase: what is wrong with it, as it would follow "accepts".
        words: the same for an id.
        open_question: the flag of what the text leaves open; None where every receiver refuses.
        read: what a lenient receiver reads; None where there is none, or no message.
    """

    problem: Problem
    flag: str
    clause: str
    phrase: str
    words: str
    open_question: str | None
    read: Neutral | None


def judged(frame: bytes, problem: Problem) -> Judgement:
    """Return what there is to say of a frame, or the beginning of one, that is refused."""
    name = name_of(frame)
    part = None if problem.field is None else re.sub(r"\[\d+\]", "[]", problem.field)
    refusal = _REFUSALS[problem.code]
    if problem.code == "field-truncated" and len(frame) - (problem.offset or 0) >= LENGTH_SIZE:
        refusal = _LYING  # the length of a string is there, and not what it is of
    flag = refusal.flag
    read = question = None
    if name is not None:
        question = ambiguity(TYPES[name], part or "frame", ErrorCode(problem.code))
    if question is not None:
        read, last = _read_leniently(frame)
        # Where a lenient receiver refuses the frame too, that is for something else.
        flag = question if last is None else flag_of(last)
        question = None if last is not None else question
    return Judgement(
        problem,
        flag,
        refusal.clause,
        refusal.phrase.format(
            message=name or "frame", part="it" if part is None else part_phrase(part)
        ),
        "-".join(filter(None, (part and part_words(part), problem.code))),
        question,
        read,
    )


def flag_of(code: str) -> str:
    """Return the flag of what is refused with a code, and leaves no question open."""
    return _REFUSALS[code].flag


def name_of(frame: bytes) -> str | None:
    """Return the name of the message whose type a frame has, if it has that of any."""
    return cursor.NAMES.get(frame[TYPE_AT]) if len(frame) > TYPE_AT else None


def _read_leniently(frame: bytes) -> tuple[Neutral | None, str | None]:
    """Return what a lenient receiver reads, or the code with which that refuses the frame too."""
    patched = bytearray(frame)
    while True:
        try:
            message = cursor.decode(bytes(patched), _LENIENT)
            break
        except cursor.Refused as refused:
            if refused.code != "bad-ascii":
                return None, refused.code
            # No oracle takes such bytes; so they are taken out, and put back in what is read.
            patched[refused.offset] = ord("a")
    values = read_frame(frame[TYPE_AT], frame[FIELDS_AT:]).values
    for name, value in zip(cursor.FIELDS[frame[TYPE_AT]], values, strict=True):
        if isinstance(value, Text):
            message[name] = value.data
    return message, None


_LENIENT: Final = cursor.Limits(nonzero_is_true=True, any_bytes=True)


def message_vector(frame: bytes, limits: Limits = DEFAULT_LIMITS) -> Made:
    """Return the vector of a frame and its receiver's limits, which are strict in any case."""
    strict = Limits(limits.frame, limits.text, limits.count)
    name = name_of(frame)
    form: JSON = {}
    try:
        message: Neutral | None = cursor.decode(frame, strict)
    except cursor.Refused as refused:
        judgement = judged(frame, Problem(refused.code, refused.field, refused.offset))
        what, words, clause = judgement.phrase, judgement.words, judgement.clause
        flags = [judgement.flag]
        result = "invalid" if judgement.open_question is None else "acceptable"
        message = None if judgement.open_question is None else judgement.read
        form["error"] = _error_json(judgement.problem)
    else:
        assert name is not None
        what, words, clause = f"{name}, right in every part", "right", TYPES[name].spec.clause
        flags, result = ["clean"], "valid"
    if message is not None:
        form["message"] = message_json(message)
    if strict != DEFAULT_LIMITS:
        flags = [*(flag for flag in flags if flag != "clean"), "limits"]
        form["limits"] = limits_json(strict)
    named = "frame" if name is None else short(name)
    return Made(
        Kind.MESSAGES,
        f"{named}-{words}",
        {
            "sentence": found(what),
            "clause": clause,
            "result": result,
            "flags": flags,
            "bytes": frame.hex(),
        }
        | form,
    )


def found(what: str) -> str:
    """Return the sentence of a vector where nobody has written another."""
    return f"{what[0].upper()}{what[1:]}, as a fuzzer found it."


def _error_json(problem: Problem) -> JSON:
    return {name: value for name, value in problem._asdict().items() if value is not None}


def message_json(message: Neutral) -> JSON:
    """Return a neutral message in the JSON form of the corpus."""
    fields = {name: _json(value) for name, value in message.items() if name != "type"}
    return {"type": cursor.NAMES[message["type"]], **fields}


def _json(value: object) -> object:
    if isinstance(value, list):
        return [_json(each) for each in value]
    if isinstance(value, tuple):
        prompt, echo = value
        return {"prompt": _json(prompt), "echo": echo}
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    return value
