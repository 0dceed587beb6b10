"""Vectors of payloads that were found: what a correct reader makes of them, by the oracles alone.

A vector is made in the form in which it is stored; see FORMAT.md of the corpus. Nothing here asks
the code on trial, which may be wrong.
"""

from __future__ import annotations

from typing import Any, Final

from authplugin import Limits
from authplugin.kinds import BooleanKind, CountedKind, Encoding, RestKind, StringKind, WireKind
from authplugin.table import WireMessage
from authplugin_corpus.generating.user_auth_frames import clause_of, phrase, short
from authplugin_corpus.message_json import constants_of
from authplugin_corpus.model import Kind
from authplugin_corpus.protocols import USER_AUTH
from authplugin_properties.model import LENGTH_SIZE, Neutral, Problem
from authplugin_properties.oracles import cursor
from authplugin_properties.references import reference_of

from .layers import frame_of
from .vectors import DEFAULT_LIMITS, JSON, Made, flag_of, found, limits_json

_CLAUSES: Final = {
    "frame-empty": "RFC 4252 6",
    "frame-too-long": "RFC 4253 6",
    "unknown-type": "RFC 4252 6",
    "count-too-large": "RFC 4256 3.2",
    "count-impossible": "RFC 4256 3.2",
}
"""The section that a refusal is for, where that is not the one on the encoding of fields."""

_OPEN: Final = ("bad-ascii", "bad-boolean")
"""With these a strict reader refuses what a lenient one may take: no vector is made of that."""


def payload_vector(data: bytes, method: str | None, limits: Limits = DEFAULT_LIMITS) -> Made | None:
    """Return the vector of a payload; None where what it is to be is left open.

    Args:
        data: the payload.
        method: the method under way; None for none.
        limits: those of the reader, which is strict in any case.
    """
    strict = Limits(limits.frame, limits.text, limits.count)
    form: JSON = {}
    try:
        read = reference_of(USER_AUTH[method]).read(frame_of(data), strict)
    except cursor.Refused as refused:
        if refused.code in _OPEN:
            return None
        problem = Problem(refused.code, refused.field, refused.offset)
        what = "a payload that is no message"
        clause, flags = _CLAUSES.get(refused.code, "RFC 4251 5"), [flag_of(refused.code)]
        result, named = "invalid", f"payload-{refused.code}"
        form["error"] = _error_json(problem)
    else:
        message_type = _type_of(read, method)
        what = f"{phrase(message_type)}, right in every part"
        clause, flags = clause_of(message_type), ["clean"]
        result, named = "valid", f"{short(message_type)}-right"
        form["message"] = _message_json(read, message_type)
    if strict != DEFAULT_LIMITS:
        flags = [*(flag for flag in flags if flag != "clean"), "limits"]
        form["limits"] = limits_json(strict)
    if method is not None:
        form["method"] = method
    shown = {"sentence": found(what), "clause": clause, "result": result, "flags": flags}
    return Made(Kind.USERAUTH, named, shown | {"payload": data.hex()} | form)


def _error_json(problem: Problem) -> JSON:
    error: JSON = {"code": problem.code}
    if problem.field is not None:
        error["field"] = problem.field
    if problem.offset is not None:
        error["offset"] = max(problem.offset - LENGTH_SIZE, 0)
    return error


def _type_of(read: Neutral, method: str | None) -> type[WireMessage]:
    """Return the message that a neutral one is; that in which most never varies comes first."""
    fitting = [each for each in USER_AUTH[method].messages if each.spec.code == read["type"]]
    fitting.sort(key=lambda each: -len(constants_of(each.spec)))
    return next(
        each
        for each in fitting
        if all(_plain(read[name]) == value for name, value in constants_of(each.spec).items())
    )


def _plain(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def _message_json(read: Neutral, message_type: type[WireMessage]) -> JSON:
    spec = message_type.spec
    constants = constants_of(spec)
    fields = {
        each.name: constants[each.name]
        if each.name in constants
        else _json(read[each.name], each.kind)
        for each in spec.fields
    }
    return {"type": spec.name, **fields}


def _json(value: Any, kind: WireKind) -> object:
    if isinstance(kind, BooleanKind):
        return value
    if isinstance(kind, CountedKind):
        names = [name for name, _ in kind.element]
        if len(names) == 1:
            return [each.decode() for each in value]
        return [dict(zip(names, map(_plain, each), strict=True)) for each in value]
    opaque = isinstance(kind, RestKind) or (
        isinstance(kind, StringKind) and kind.encoding is Encoding.OPAQUE
    )
    return {"hex": value.hex()} if opaque else value.decode()
