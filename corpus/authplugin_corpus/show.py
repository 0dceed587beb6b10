"""Vectors for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from authplugin import explain

from .frames import split_frames
from .model import Allow, Delivery, EndOfInput, Expect, ExpectEnd, PluginDialogue, Send, Turn
from .vectors import load_flags


def list_lines(vectors: Sequence[PluginDialogue]) -> Iterator[str]:
    """Yield a line for each vector."""
    width = max((len(vector.id) for vector in vectors), default=0)
    for vector in vectors:
        yield f"{vector.id:<{width}}  {vector.result:<10}  {vector.sentence}"


def show_lines(vector: PluginDialogue) -> Iterator[str]:
    """Yield all there is to a vector, as lines."""
    yield vector.id
    yield f"  {vector.sentence}"
    yield f"  {vector.result} by {vector.clause}"
    for name in vector.flags:
        flag = load_flags()[name]
        yield f"  {name} ({flag.bug_type}): {flag.effect}"
        if flag.ambiguity is not None:
            yield f"    left open: {flag.ambiguity}"
    for turn in vector.turns:
        yield from _turn_lines(turn)


def _turn_lines(turn: Turn) -> Iterator[str]:
    match turn:
        case Send(data, _, fault, delivery):
            yield "client to plugin:" if delivery is Delivery.WHOLE else f"client, {delivery}:"
            for piece in split_frames(data):
                # The corpus knows its own secrets.
                yield from (f"  {line}" for line in explain(piece, secrets=True).splitlines())
            if fault is not None:
                yield f"  a strict plugin refuses {fault.sentence}: {fault.code}"
        case Expect(expected):
            yield f"plugin to client: {expected}"
        case Allow(choices, lenient):
            names = " or ".join(map(str, choices))
            yield f"plugin to client, perhaps: {names}{' (lenient)' if lenient else ''}"
        case EndOfInput():
            yield "the plugin's input is closed"
        case ExpectEnd():
            yield "the plugin says nothing more, and ends"
