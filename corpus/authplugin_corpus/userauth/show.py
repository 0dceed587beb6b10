"""Vectors of SSH's user authentication for people."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..message_json import message_to_json
from .model import (
    Account,
    Disconnected,
    Hear,
    HearNothing,
    Refuse,
    Say,
    ServerSetup,
    ServerTurn,
    UserAuthDialogue,
    UserAuthMessageVector,
)


def user_auth_lines(vector: UserAuthMessageVector | UserAuthDialogue) -> Iterator[str]:
    """Yield what is in a vector, behind what every vector has, as lines."""
    if isinstance(vector, UserAuthMessageVector):
        yield from _message_lines(vector)
        return
    yield from _setup_lines(vector.setup)
    for turn in vector.turns:
        yield from _turn_lines(turn)


def _message_lines(vector: UserAuthMessageVector) -> Iterator[str]:
    under = "" if vector.method is None else f", while {vector.method} is under way"
    yield f"payload{under}:"
    yield from _dump(vector.data)
    if vector.code is not None:
        at = "" if vector.offset is None else f" at byte {vector.offset}"
        where = "" if vector.field is None else f" in {vector.field}"
        yield f"a strict decoder refuses it: {vector.code}{at}{where}"
    if vector.message is not None:
        form = json.dumps(message_to_json(vector.message), ensure_ascii=False)
        yield f"{'it is read' if vector.code is None else 'a lenient one reads it'} as {form}"


def _dump(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        yield f"  {start:>4}  {piece.hex(' '):<47}  {text}"


def _setup_lines(setup: ServerSetup) -> Iterator[str]:
    yield f"the server offers {', '.join(setup.methods)}; the session is {setup.session_id.hex()}"
    if setup.algorithms is not None:
        yield f"  it takes keys for {', '.join(setup.algorithms)}"
    if setup.attempts is not None:
        yield f"  it closes the connection at the refused request number {setup.attempts}"
    for account in setup.accounts:
        yield f"  it knows {json.dumps(account.name, ensure_ascii=False)}: {_knows(account)}"


def _knows(account: Account) -> str:
    # The corpus knows its own secrets.
    parts = []
    if account.password is not None:
        parts.append(f"password {account.password!r}")
    if account.change is not None:
        parts.append("which has to be changed")
    if account.keys:
        parts.append(f"{len(account.keys)} {'key' if len(account.keys) == 1 else 'keys'}")
    for number, questions in enumerate(account.rounds or (), 1):
        asked = [(each.prompt, each.answer) for each in questions]
        parts.append(f"round {number} {asked!r}")
    if account.requires:
        parts.append(f"needs {', then '.join(account.requires)}")
    return "; ".join(parts) or "nothing"


def _turn_lines(turn: ServerTurn) -> Iterator[str]:
    match turn:
        case Say(data, message, fault):
            yield "client to server:"
            if message is not None:
                yield f"  {json.dumps(message_to_json(message), ensure_ascii=False)}"
            yield from _dump(data)
            if fault is not None:
                yield f"  a strict server refuses {fault.sentence}: {fault.code}"
        case Hear(expected):
            yield f"server to client: {expected}"
        case HearNothing():
            yield "the server says nothing, and waits"
        case Refuse():
            yield "the server does not let the client in, and may close the connection"
        case Disconnected(reason):
            yield f"the server closes the connection, for reason {reason}"
