"""Vectors for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from authplugin import Side, explain

from .frames import split_frames
from .message_json import message_to_json
from .model import (
    Allow,
    Delivery,
    EndOfInput,
    EndOfOutput,
    Expect,
    ExpectEnd,
    ExpectSilence,
    Flag,
    MessageVector,
    PluginDialogue,
    Send,
    Server,
    Turn,
    User,
    Vector,
)
from .userauth.model import UserAuthDialogue, UserAuthMessageVector
from .userauth.show import user_auth_lines
from .vectors import load_flags


def list_lines(vectors: Sequence[Vector]) -> Iterator[str]:
    """Yield a line for each vector."""
    width = max((len(vector.id) for vector in vectors), default=0)
    for vector in vectors:
        yield f"{vector.id:<{width}}  {vector.result:<10}  {vector.sentence}"


def show_lines(vector: Vector) -> Iterator[str]:
    """Yield all there is to a vector, as lines."""
    yield vector.id
    yield f"  {vector.sentence}"
    yield f"  {vector.result} by {vector.clause}"
    for name in vector.flags:
        flag = load_flags()[name]
        yield f"  {name} ({flag.bug_type}): {flag.effect}"
        if flag.ambiguity is not None:
            yield f"    left open: {flag.ambiguity}"
    if isinstance(vector, MessageVector):
        yield from _message_lines(vector)
    elif isinstance(vector, (UserAuthMessageVector, UserAuthDialogue)):
        yield from user_auth_lines(vector)
    else:
        if vector.deliveries != (Delivery.WHOLE,):
            yield f"  delivered {', '.join(vector.deliveries)}"
        side = Side.PLUGIN if isinstance(vector, PluginDialogue) else Side.CLIENT
        for turn in vector.turns:
            yield from _turn_lines(turn, side)


def flag_lines(flag: Flag, vectors: Sequence[Vector]) -> Iterator[str]:
    """Yield all there is to a flag, as lines, and the ids of the vectors that carry it."""
    yield f"{flag.name} ({flag.bug_type})"
    yield f"  {flag.effect}"
    if flag.ambiguity is not None:
        yield f"  left open by {flag.ambiguity.clause}: {flag.ambiguity}"
        yield f"  this project: {flag.ambiguity.here}"
        for known in flag.ambiguity.known:
            yield f"  {known.program}: {known.does} ({known.seen})"
    if flag.deliveries:
        yield f"  carried by every case that is delivered {' or '.join(flag.deliveries)}"
    yield from (vector.id for vector in vectors if flag.name in vector.flags)


def _explained(data: bytes) -> Iterator[str]:
    for piece in split_frames(data):
        # The corpus knows its own secrets.
        yield from (f"  {line}" for line in explain(piece, secrets=True).splitlines())


def _message_lines(vector: MessageVector) -> Iterator[str]:
    yield "bytes:"
    yield from _explained(vector.data)
    if vector.code is not None:
        at = "" if vector.offset is None else f" at byte {vector.offset}"
        where = "" if vector.field is None else f" in {vector.field}"
        yield f"a strict decoder refuses them: {vector.code}{at}{where}"
    if vector.message is not None:
        form = json.dumps(message_to_json(vector.message), ensure_ascii=False)
        yield f"{'they are read' if vector.code is None else 'a lenient one reads them'} as {form}"


def _turn_lines(turn: Turn, side: Side) -> Iterator[str]:
    there, back = f"{side.other} to {side}", f"{side} to {side.other}"
    match turn:
        case Send(data, _, fault, hold_back):
            yield f"{there}:"
            yield from _explained(data)
            if hold_back:
                yield f"  the last {hold_back} only when the {side} was silent about the others"
            if fault is not None:
                yield f"  a strict {side} refuses {fault.sentence}: {fault.code}"
        case Expect(expected):
            yield f"{back}: {expected}"
        case Allow(choices, lenient):
            names = " or ".join(map(str, choices))
            yield f"{back}, perhaps: {names}{' (lenient)' if lenient else ''}"
        case ExpectSilence():
            yield f"the {side} says nothing, and waits"
        case EndOfInput(fault):
            yield f"the plugin's {'input' if side is Side.PLUGIN else 'output'} is closed"
            if fault is not None:
                yield f"  a strict {side} refuses {fault.sentence}: {fault.code}"
        case EndOfOutput():
            yield f"nobody reads any more what the {side} writes"
        case ExpectEnd():
            yield f"the {side} says nothing more, and ends"
        case Server() | User():
            yield _beside(turn)


def _beside(turn: Server | User) -> str:
    """Return what is said beside the plugin's pipes."""
    if isinstance(turn, User):
        return f"the user answers {json.dumps(turn.answers, ensure_ascii=False)}"
    if turn.challenge is None:
        return f"the server {'lets the user in' if turn.success else 'refuses the attempt'}"
    form = message_to_json(turn.challenge)
    del form["type"]
    return f"the server asks {json.dumps(form, ensure_ascii=False)}"
