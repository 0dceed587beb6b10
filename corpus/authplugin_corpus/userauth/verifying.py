"""The linter's rules for vectors of SSH's user authentication, and what they cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TypeAlias

from authplugin import Limits, RemoteProtocolError
from authplugin.userauth.codec import decode_payload, encode_payload

from ..described import Result
from ..faults import USER_AUTH_FAULTS, stock_user_auth
from ..message_json import message_to_json
from .events import events_in, events_to_hear
from .model import UserAuthDialogue, UserAuthMessageVector
from .playing import problems_of_play

TYPE_AT = 4
"""Where the type byte of a frame stands, which is the first of a payload."""

UserAuthVector: TypeAlias = UserAuthMessageVector | UserAuthDialogue


def can_play() -> bool:
    """Say whether dialogues can be played: their signatures take a package that may be missing."""
    return find_spec("cryptography") is not None


def problems_of(vector: UserAuthVector) -> Iterator[str]:
    """Yield what is wrong with a vector of SSH's user authentication."""
    faults = {fault.name for fault in USER_AUTH_FAULTS}
    for strike in vector.strikes:
        if strike.fault not in faults:
            yield f"there is no fault {strike.fault!r}"
    if isinstance(vector, UserAuthMessageVector):
        yield from _message_problems(vector)
    elif can_play():
        yield from problems_of_play(vector)


def _message_problems(vector: UserAuthMessageVector) -> Iterator[str]:
    try:
        message = decode_payload(vector.data, vector.limits, vector.method)
    except RemoteProtocolError as error:
        at = None if error.offset is None else max(error.offset - TYPE_AT, 0)
        if (error.code, error.field, at) != (vector.code, vector.field, vector.offset):
            yield f"this library refuses the payload with {error}"
        return
    if vector.result is not Result.VALID:
        yield "this library takes the payload"
    elif vector.message is None or message_to_json(message) != message_to_json(vector.message):
        yield f"this library reads {message_to_json(message)}"
    elif encode_payload(vector.message, vector.limits) != vector.data:
        yield "this library writes the message as other bytes"


def events_covered(vectors: Sequence[UserAuthVector]) -> tuple[set[tuple[str, str]], ...]:
    """Return each (state, event) of a server that there is, and that some vectors have."""
    dialogues = [each for each in vectors if isinstance(each, UserAuthDialogue)]
    return set(events_to_hear()), {event for each in dialogues for event in events_in(each)}


def strikes_covered(
    vectors: Sequence[UserAuthVector],
) -> tuple[set[tuple[str, str, str]], ...]:
    """Return each (message, part, fault) that a payload shows, and those of some vectors."""
    wanted = {
        (faulty.message, faulty.part, fault.name)
        for fault in USER_AUTH_FAULTS
        for protocol, frame in stock_user_auth().values()
        for faulty in fault.strike([frame], Limits(), protocol)
        if faulty.payload is not None
    }
    struck = {
        (each.message, each.part, each.fault) for vector in vectors for each in vector.strikes
    }
    return wanted, struck
