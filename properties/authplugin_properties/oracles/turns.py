"""Who may say what when (H.4, H.5, H.6): a table and the few lines that read it.

This knows no sessions, no bytes and no roles: it is told what was said, by whom, in order, and
answers with the situation that this leads to. States, sides and messages are plain strings.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["SENDERS", "SPEAKERS", "TRANSITIONS", "Situation", "replay", "step"]

TRANSITIONS: dict[tuple[str, str], str] = {
    ("START", "PLUGIN_INIT"): "INITIALISING",
    ("INITIALISING", "PLUGIN_INIT_RESPONSE"): "IDLE",
    ("INITIALISING", "PLUGIN_INIT_FAILURE"): "ENDED",
    ("IDLE", "PLUGIN_PROTOCOL"): "OFFERED",
    ("OFFERED", "PLUGIN_PROTOCOL_ACCEPT"): "AUTHENTICATING",
    ("OFFERED", "PLUGIN_PROTOCOL_REJECT"): "IDLE",
    ("AUTHENTICATING", "PLUGIN_KI_SERVER_REQUEST"): "CHALLENGED",
    ("AUTHENTICATING", "PLUGIN_AUTH_SUCCESS"): "IDLE",
    ("AUTHENTICATING", "PLUGIN_AUTH_FAILURE"): "IDLE",
    ("CHALLENGED", "PLUGIN_KI_USER_REQUEST"): "ASKING_USER",
    ("CHALLENGED", "PLUGIN_KI_SERVER_RESPONSE"): "AUTHENTICATING",
    ("ASKING_USER", "PLUGIN_KI_USER_RESPONSE"): "CHALLENGED",
}
"""The state that a message enters, by the state it leaves and its name."""

SPEAKERS: dict[str, str | None] = {
    "START": "client",
    "INITIALISING": "plugin",
    "IDLE": "client",
    "OFFERED": "plugin",
    "AUTHENTICATING": "client",
    "CHALLENGED": "plugin",
    "ASKING_USER": "client",
    "ENDED": None,
}
"""Whose turn it is in each state."""

SENDERS: dict[str, str] = {
    "PLUGIN_INIT": "client",
    "PLUGIN_INIT_RESPONSE": "plugin",
    "PLUGIN_INIT_FAILURE": "plugin",
    "PLUGIN_PROTOCOL": "client",
    "PLUGIN_PROTOCOL_ACCEPT": "plugin",
    "PLUGIN_PROTOCOL_REJECT": "plugin",
    "PLUGIN_KI_SERVER_REQUEST": "client",
    "PLUGIN_KI_SERVER_RESPONSE": "plugin",
    "PLUGIN_KI_USER_REQUEST": "plugin",
    "PLUGIN_KI_USER_RESPONSE": "client",
    "PLUGIN_AUTH_SUCCESS": "client",
    "PLUGIN_AUTH_FAILURE": "client",
}
"""The side that sends each message; the other side never may."""

_IMPLEMENTED_VERSIONS = (2,)
_KNOWN_METHODS = (b"keyboard-interactive",)


class Situation(NamedTuple):
    """Where a conversation stands.

    Attributes:
        state: the state's name.
        refusal: the code with which the last message was refused; None where it was right.
        offer: the version that the client offered.
        method: the method offered last.
        server_prompts: how many responses the last PLUGIN_KI_SERVER_REQUEST asked for.
        user_prompts: how many responses the last PLUGIN_KI_USER_REQUEST asked for.

    """

    state: str = "START"
    refusal: str | None = None
    offer: int | None = None
    method: bytes | None = None
    server_prompts: int | None = None
    user_prompts: int | None = None

    @property
    def turn(self) -> str | None:
        """The side that may speak; None where nobody may, after a refusal too."""
        return SPEAKERS[self.state] if self.refusal is None else None


def step(now: Situation, side: str, name: str, fields: Mapping[str, Any]) -> Situation:
    """Return the situation after `side` has said the message `name` with these fields.

    Of the fields, version, method (bytes), prompts and responses (sequences) are looked at, where
    the message has them; a neutral message will do. A refused message changes nothing but
    `refusal`, and whatever follows in that situation is refused as ``"poisoned"``; a caller for
    whom the refused message was never sent goes on from the situation before it.

    Where several codes would do, the first of these is given: poisoned, session-over, wrong-turn,
    wrong-side (that side never sends it), wrong-state, and then the guards.

    Raises:
        KeyError: there is no such message, or it lacks a field that a guard looks at.

    """
    code = _out_of_order(now, side, name) or _guarded(now, name, fields)
    if code is not None:
        return now._replace(refusal=code)
    now = now._replace(state=TRANSITIONS[now.state, name])
    match name:
        case "PLUGIN_INIT":
            return now._replace(offer=fields["version"])
        case "PLUGIN_PROTOCOL":
            return now._replace(method=fields["method"])
        case "PLUGIN_KI_SERVER_REQUEST":
            return now._replace(server_prompts=len(fields["prompts"]))
        case "PLUGIN_KI_USER_REQUEST":
            return now._replace(user_prompts=len(fields["prompts"]))
    return now


def replay(moves: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[Situation]:
    """Return the situation after each of the moves (side, message name, fields) from the start."""
    now = Situation()
    situations = []
    for side, name, fields in moves:
        now = step(now, side, name, fields)
        situations.append(now)
    return situations


def _out_of_order(now: Situation, side: str, name: str) -> str | None:
    if now.refusal is not None:
        return "poisoned"
    if now.state == "ENDED":
        return "session-over"
    if SPEAKERS[now.state] != side:
        return "wrong-turn"
    if SENDERS[name] != side:
        return "wrong-side"
    if (now.state, name) not in TRANSITIONS:
        return "wrong-state"
    return None


def _guarded(now: Situation, name: str, fields: Mapping[str, Any]) -> str | None:
    match name:
        case "PLUGIN_INIT_RESPONSE":
            # Above the offer is wrong by the text (H.4), whatever is implemented here.
            if now.offer is None or fields["version"] > now.offer:
                return "version-above-offer"
            if fields["version"] not in _IMPLEMENTED_VERSIONS:
                return "version-unsupported"
        case "PLUGIN_PROTOCOL_ACCEPT":
            if now.method not in _KNOWN_METHODS:
                return "method-unknown"
        # The pairs are counted apart: a question to the user changes nothing of what the server
        # is owed (H.6.8, H.6.10).
        case "PLUGIN_KI_SERVER_RESPONSE":
            if len(fields["responses"]) != now.server_prompts:
                return "response-count"
        case "PLUGIN_KI_USER_RESPONSE":
            if len(fields["responses"]) != now.user_prompts:
                return "response-count"
    return None
