"""What a server hears in a dialogue: which events, in which states."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from authplugin import KEYBOARD_INTERACTIVE, RemoteProtocolError
from authplugin.userauth.codec import decode_payload
from authplugin.userauth.messages import (
    MESSAGES,
    Sender,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKeyOk,
    UserAuthSuccess,
)

from ..constraints import Relation
from ..protocols import label_of
from .forms import ServerSays
from .model import Hear, Say, UserAuthDialogue

ILL_FORMED: Final = "ill-formed"
"""The event of a payload that is no message."""


class ServerState(StrEnum):
    """What a client has last heard."""

    WAITING = "waiting"
    """Nothing, or that a request was refused."""
    CHANGE_WANTED = "change-wanted"
    """SSH_MSG_USERAUTH_PASSWD_CHANGEREQ."""
    KEY_WELCOME = "key-welcome"
    """SSH_MSG_USERAUTH_PK_OK."""
    ASKING = "asking"
    """SSH_MSG_USERAUTH_INFO_REQUEST."""
    PARTIAL = "partial"
    """SSH_MSG_USERAUTH_FAILURE with partial success."""
    LOGGED_IN = "logged-in"
    """SSH_MSG_USERAUTH_SUCCESS."""


_STATES: Final = {
    UserAuthPasswordChangeRequired: ServerState.CHANGE_WANTED,
    UserAuthPublicKeyOk: ServerState.KEY_WELCOME,
    UserAuthInfoRequest: ServerState.ASKING,
    UserAuthSuccess: ServerState.LOGGED_IN,
}


def state_behind(expected: ServerSays, before: ServerState) -> ServerState:
    """Return the state that something expected of a server leads to."""
    if expected.message_type is UserAuthFailure:
        partial = any(
            each.field == "partial_success" and each.relation is Relation.EQUALS and each.value
            for each in expected.constraints
        )
        return ServerState.PARTIAL if partial else ServerState.WAITING
    return _STATES.get(expected.message_type, before)


def events_in(vector: UserAuthDialogue) -> set[tuple[str, str]]:
    """Return each (state, event) of a dialogue.

    Of what a client sends without waiting only the first counts: in which state the server hears
    the rest, it alone knows.
    """
    found = set()
    state = ServerState.WAITING
    waited = True
    for turn in vector.turns:
        if isinstance(turn, Say):
            if waited:
                found.add((str(state), event_of(turn)))
            waited = False
        else:
            waited = True
            if isinstance(turn, Hear):
                state = state_behind(turn.expected, state)
    return found


def event_of(turn: Say) -> str:
    """Return the label of the message that a client sends, or `ILL_FORMED`."""
    if turn.message is not None:
        return label_of(turn.message.spec)
    for method in (None, KEYBOARD_INTERACTIVE):  # of which one message is a client's
        try:
            return label_of(decode_payload(turn.data, method=method).spec)
        except RemoteProtocolError:
            continue
    return ILL_FORMED


def events_to_hear() -> Iterator[tuple[str, str]]:
    """Yield every (state, event) of a server.

    Every message of a client in every state, and every message of a server that has its type byte
    for itself.
    """
    for state in ServerState:
        for each in MESSAGES:
            if each.spec.sender is Sender.CLIENT or each.spec.method is None:
                yield str(state), label_of(each.spec)
        yield str(state), ILL_FORMED
