"""The right conversations that generated vectors are made from: one host, user, method and prompts.

Who replays them can put others in their place, since every right message stands in the vectors as
JSON too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

from authplugin import (
    KEYBOARD_INTERACTIVE,
    Message,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
    Side,
    State,
)

Messages: TypeAlias = tuple[Message, ...]

INIT: Final = PluginInit(2, "ssh.example.com", 22, "alice")
READY: Final = PluginInitResponse(2, "alice")
DECLINE: Final = PluginInitFailure("No token was found.")
OFFER: Final = PluginProtocol(KEYBOARD_INTERACTIVE)
OTHER: Final = PluginProtocol("password")
REJECT: Final = PluginProtocolReject("Not this one.")
ACCEPT: Final = PluginProtocolAccept()
ASK: Final = PluginKIServerRequest(
    "Login", "Two-factor login", "en", [("Password: ", False), ("Code: ", True)]
)
ANSWER: Final = PluginKIServerResponse(["secret", "123456"])
ASK_AGAIN: Final = PluginKIServerRequest("Login", "Once more", "en", [("Code: ", True)])
ANSWER_AGAIN: Final = PluginKIServerResponse(["654321"])
ASK_USER: Final = PluginKIUserRequest("Token", "Unlock it", "en", [("PIN: ", False)])
USER_ANSWER: Final = PluginKIUserResponse(["1234"])
ASK_TWICE: Final = PluginKIUserRequest(
    "Login", "Two-factor login", "en", [("Password: ", False), ("Code: ", True)]
)
BOTH_ANSWERS: Final = PluginKIUserResponse(["secret", "123456"])
SUCCESS: Final = PluginAuthSuccess()
FAILURE: Final = PluginAuthFailure()

ONE_OF_EACH: Final[Messages] = (
    *(INIT, READY, DECLINE, OFFER, REJECT, ACCEPT),
    *(ASK, ANSWER, ASK_USER, USER_ANSWER, SUCCESS, FAILURE),
)
"""A message of each type, in the order of the table."""

_ACCEPTED: Final = (INIT, READY, OFFER, ACCEPT)

_COMMON: Final[Sequence[Messages]] = (
    (INIT, DECLINE),
    (*_ACCEPTED, SUCCESS, OFFER),
    (*_ACCEPTED, FAILURE, OFFER, ACCEPT, SUCCESS, OFFER),
    (*_ACCEPTED, ASK, ANSWER, SUCCESS),
    # The two pairs ask for different numbers of responses.
    (*_ACCEPTED, ASK, ASK_USER, USER_ANSWER, ANSWER, ASK_AGAIN, ANSWER_AGAIN, FAILURE),
)

TWO_QUESTIONS: Final[Messages] = (*_ACCEPTED, ASK, ASK_TWICE, BOTH_ANSWERS)
"""What leads to the responses of a user to two questions, for plugins that ask so many."""

_REJECTED: Final[dict[Side, Messages]] = {
    # A plugin rejects what it does not know. A client never offers what the protocol does not
    # cover (H.5), so to a client the plugin says no to what it might well accept.
    Side.PLUGIN: (INIT, READY, OTHER, REJECT, OFFER, ACCEPT, SUCCESS),
    Side.CLIENT: (INIT, READY, OFFER, REJECT, OFFER, ACCEPT, SUCCESS),
}

UNHEARD_OF: Final[Messages] = (INIT, READY, OTHER, REJECT)
"""What leads to a plugin's answer to a method that the protocol does not cover."""

LEADS: Final[dict[State, Messages]] = {
    State.START: (),
    State.INITIALISING: (INIT,),
    State.IDLE: (INIT, READY),
    State.OFFERED: (INIT, READY, OFFER),
    State.AUTHENTICATING: _ACCEPTED,
    State.CHALLENGED: (*_ACCEPTED, ASK),
    State.ASKING_USER: (*_ACCEPTED, ASK, ASK_USER),
    State.ENDED: (INIT, DECLINE),
}
"""What leads to each state."""


def conversations(program: Side) -> Iterator[Messages]:
    """Yield right conversations that end with a message of the peer of a program under test.

    Shortest first, and each once.
    """
    wholes = (*_COMMON, _REJECTED[program], UNHEARD_OF)
    found: dict[str, Messages] = {}
    for whole in wholes:
        for lead in accumulate(((message,) for message in whole), tuple.__add__):
            if lead[-1].spec.sender is program.other:
                found.setdefault(repr(lead), lead)
    yield from sorted(found.values(), key=len)
