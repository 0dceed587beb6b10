"""The laws of frames of SSH's user authentication that are those of streams in the plugin protocol.

Where frames come from is not for this library to say there: so what it takes to read one, and what
its texts tell of it, is asked of each frame for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

from authplugin import Limits, LocalProtocolError, ProtocolError, RemoteProtocolError
from authplugin.limits import DEFAULT_LIMITS
from authplugin.table import WireMessage
from authplugin_corpus.protocols import PLUGIN, Protocol

from ..breaking import broken, guarded
from ..model import TYPE_AT, Problem
from ..oracles import cursor, grammar
from ..references import reference_of
from .costs import allowed_lines, allowed_memory, peak_of
from .counting import counted
from .texts import ONE, OTHER, SPOILT, Texts, compare, logged, text_of

SECRETS: Final = ("password", "new_password", "rest", "responses")
"""The names of the fields that nobody else may see."""

_FAILURE: Final = b"\x33"
"""The type byte of the message that has a list of names."""

_UNBOUNDED: Final = cursor.Limits(2**32, 2**32, 2**32)


def no_secret_in_a_frame(
    frame: bytes, limits: Limits = DEFAULT_LIMITS, protocol: Protocol = PLUGIN
) -> None:
    """Check that every text about a frame stays the same where only its secrets change.

    The texts are `repr` and `str` of messages and errors, tracebacks, and what is logged: where the
    frame is read and written, and where it is spoilt in several ways.

    Args:
        frame: any bytes; those of a frame with secrets in it are of interest.
        limits: what to accept.
        protocol: the protocol of the frame.
    """
    one, other = (_overwritten(frame, secret, protocol) for secret in (ONE, OTHER))
    for wrong, spoil in SPOILT.items():
        ours, theirs = (
            guarded(f"what reads {wrong}", each, partial(_texts, spoil(each), limits, protocol))
            for each in (one, other)
        )
        compare(f"of {wrong}", ours, theirs, one)


def _overwritten(frame: bytes, secret: bytes, protocol: Protocol) -> bytes:
    """Return a frame with its secrets, if it has any, made of another one of the same size."""
    reference = reference_of(protocol)
    try:
        message = reference.read(frame, _UNBOUNDED)
        made = {
            name: _made_of(secret, value) if name in SECRETS else value
            for name, value in message.items()
        }
        return reference.build(made)
    except (cursor.Refused, grammar.ConstructError):
        return frame


def _made_of(secret: bytes, value: Any) -> Any:
    if isinstance(value, list):
        return [_made_of(secret, each) for each in value]
    return (secret * (len(value) // len(secret) + 1))[: len(value)]


def _texts(frame: bytes, limits: Limits, protocol: Protocol) -> Texts:
    texts: Texts = []
    with logged(texts):
        try:
            message = protocol.decode(frame, limits)
        except RemoteProtocolError as error:
            texts.append(text_of(error))
        else:
            texts += [(None, f"{each!r} {each}") for each in (message, message.detach())]
            texts += _texts_of_misuse(message, limits, protocol)
    return texts


def _texts_of_misuse(
    message: WireMessage, limits: Limits, protocol: Protocol
) -> Iterator[tuple[Problem | None, str]]:
    """Give the texts where what a message holds does not fit, or is of another kind."""
    owned = message.detach()
    fields = {each.name: getattr(owned, each.name) for each in message.spec.variables}
    kind: Any = type(message)
    for name in fields.keys() & set(SECRETS):
        for given in (fields[name], [fields[name]], (fields[name],), f"{fields[name]}\ud800"):
            made = kind(**{**fields, name: given})
            yield None, repr(made)
            for bounds in (limits, replace(limits, text=1), replace(limits, frame=1)):
                try:
                    protocol.encode(made, bounds)
                except LocalProtocolError as error:
                    yield text_of(error)


def a_frame_costs_what_it_holds(
    frame: bytes, limits: Limits = DEFAULT_LIMITS, protocol: Protocol = PLUGIN
) -> None:
    """Check that reading a frame takes memory and lines in proportion to what is there of it.

    Neither to what a length or count in it claims.

    Args:
        frame: any bytes.
        limits: what to accept.
        protocol: the protocol of the frame.
    """
    law = "a frame costs what it holds"

    def read() -> None:
        with suppress(ProtocolError):
            protocol.decode(frame, limits).detach()

    guarded("decode", frame, read)  # once before, so that what is made once is there
    elements = _elements(frame, limits, protocol)
    with counted() as work:
        read()
    lines = allowed_lines(frame, elements)
    if work.lines > lines:
        broken(law, f"it ran {work.lines} lines, and {lines} would do", frame)
    most = allowed_memory(frame, elements)
    peak = peak_of(read)
    if peak > most:
        broken(law, f"it took {peak} bytes, and {most} would do", frame)


def _elements(frame: bytes, limits: Limits, protocol: Protocol) -> int:
    """Return how many elements a frame holds, or could hold where it is refused, and names."""
    names = frame.count(b",") if frame[TYPE_AT : TYPE_AT + 1] == _FAILURE else 0
    try:
        message = reference_of(protocol).read(frame, limits)
    except cursor.Refused:
        return names + min(limits.count, len(frame) // 4)
    return names + sum(len(value) for value in message.values() if isinstance(value, list))
