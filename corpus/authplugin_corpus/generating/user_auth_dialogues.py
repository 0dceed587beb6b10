"""Dialogues with a server: every (state, event), and every rule that a server keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from authplugin.userauth.codec import encode_payload
from authplugin.userauth.messages import (
    Sender,
    UserAuthInfoResponse,
    UserAuthMessage,
    UserAuthRequest,
)

from ..userauth.events import ILL_FORMED, ServerState
from . import user_auth_house as house
from .user_auth_frames import phrase, short
from .user_auth_rules import rules
from .user_auth_turns import (
    ALICE,
    CHANGE,
    INFO_REQUEST,
    PARTIAL_TO_PUBLICKEY,
    PK_OK,
    SUCCESS,
    TWO_FACTORS,
    WANTS_CHANGE,
    dialogue,
    failure,
    say,
    server,
    wrong,
)

_ONE_OF_EACH: Final = {
    type(each): each
    for each in (
        *house.one_of_each(),
        UserAuthInfoResponse(["123456"]),
    )
}

_PASSWORD, _PASSWORD_CHANGE, _QUERY, _SIGNED, _INTERACTIVE = (
    "password",
    "password-change",
    "public-key-query",
    "public-key",
    "keyboard-interactive",
)

_LEADS: Final[dict[ServerState, tuple[dict[str, Any], list[Any]]]] = {
    ServerState.WAITING: (server(ALICE), []),
    ServerState.CHANGE_WANTED: (server(WANTS_CHANGE), [_PASSWORD, CHANGE]),
    ServerState.KEY_WELCOME: (server(ALICE), [_QUERY, PK_OK]),
    ServerState.ASKING: (server(ALICE), [_INTERACTIVE, INFO_REQUEST]),
    ServerState.PARTIAL: (server(TWO_FACTORS), [_PASSWORD, PARTIAL_TO_PUBLICKEY]),
    ServerState.LOGGED_IN: (server(ALICE), [_PASSWORD, SUCCESS]),
}
"""What a server knows, and what leads to each state."""

_ALL: Final = failure("publickey", "password", "keyboard-interactive")
_LEFT: Final = failure("publickey")

_REPLIES: Final[dict[str, dict[str, Any]]] = {
    "none": _ALL,
    _PASSWORD: SUCCESS,
    _PASSWORD_CHANGE: SUCCESS,
    _QUERY: PK_OK,
    _SIGNED: SUCCESS,
    _INTERACTIVE: INFO_REQUEST,
    "other": _ALL,
}
"""What a request gets, wherever it comes: it ends whatever was under way."""

_INSTEAD: Final[dict[ServerState, dict[str, dict[str, Any]]]] = {
    ServerState.CHANGE_WANTED: {_PASSWORD: CHANGE},
    ServerState.PARTIAL: dict.fromkeys(
        ("none", _PASSWORD, _PASSWORD_CHANGE, _INTERACTIVE, "other"), _LEFT
    ),
}
"""What it gets in some states instead: a password that has to be changed is no more right the
second time, and where something is done, only the next method goes on."""

_CLAUSES: Final = {
    ServerState.WAITING: "RFC 4252 5.1",
    ServerState.CHANGE_WANTED: "RFC 4252 8",
    ServerState.KEY_WELCOME: "RFC 4252 7",
    ServerState.ASKING: "RFC 4256 3.1",
    ServerState.PARTIAL: "RFC 4252 5.1",
    ServerState.LOGGED_IN: "RFC 4252 5.3",
}


def user_auth_dialogues() -> list[dict[str, Any]]:
    """Return all generated dialogues with a server, in their JSON form."""
    return [*_events(), *rules()]


def _by_name(name: str) -> UserAuthMessage:
    return next(each for kind, each in _ONE_OF_EACH.items() if short(kind) == name)


def _events() -> Iterator[dict[str, Any]]:
    for state, (setup, lead) in _LEADS.items():
        turns = [say(_by_name(each)) if isinstance(each, str) else each for each in lead]
        heard = f"in the state {state}"
        for kind, message in _ONE_OF_EACH.items():
            spec = kind.spec
            id_ = f"{state}-hears-{short(kind)}"
            if spec.sender is Sender.CLIENT:
                yield dialogue(
                    id_,
                    f"{phrase(kind)} comes {heard}.",
                    _CLAUSES[state],
                    [*turns, *_answered(state, message)],
                    setup=setup,
                    flag="clean" if isinstance(message, UserAuthRequest) else "wrong-state",
                )
            elif spec.method is None:
                yield dialogue(
                    id_,
                    f"{spec.name}, which a server says, comes from the client {heard}.",
                    "RFC 4252 6",
                    [
                        *turns,
                        wrong(encode_payload(message), "wrong-side", f"{spec.name} of a client"),
                        {"expect_refusal": True},
                    ],
                    setup=setup,
                    flag="wrong-side",
                )
        data = encode_payload(_by_name("none"))[:-1]
        yield dialogue(
            f"{state}-hears-{ILL_FORMED}",
            f"A request that ends too early comes {heard}.",
            "RFC 4251 5",
            [
                *turns,
                wrong(data, "field-truncated", "a request that ends too early"),
                {"expect_refusal": True},
            ],
            setup=setup,
            flag="short-frame",
        )


def _answered(state: ServerState, message: UserAuthMessage) -> list[Any]:
    """Return the turns in which a message of a client is said, and answered."""
    name = short(type(message))
    if isinstance(message, UserAuthRequest):
        if state is ServerState.LOGGED_IN:
            return [say(message), {"expect_silence": True}]
        return [say(message), _INSTEAD.get(state, {}).get(name, _REPLIES[name])]
    if state is ServerState.ASKING:
        return [say(message), SUCCESS]
    # Its type byte is that of no message while nothing is asked.
    told = "responses to nothing"
    return [wrong(encode_payload(message), "unknown-type", told), {"expect_refusal": True}]
