"""Where a server can stand and what can happen to it there: its share of the map."""

from __future__ import annotations

from itertools import product
from typing import Final

from .oracles import userauth
from .oracles.cursor import LimitsLike, Refused
from .oracles.server import SENT_BY_SERVERS, STATES, ServerModel
from .oracles.server_steps import Decide, Receive, Say, SendBanner, Step, Wait

__all__ = ["EVENTS", "PAIRS", "RIGHT", "SERVER", "STATES", "event_of", "heard_as"]

SERVER: Final = "server"
"""The role, on the map."""

MALFORMED: Final = "what is malformed"
OF_A_SERVER: Final = "what a server sends"

HEARD: Final = (
    *(f"request {name}" for name in (*userauth.FIELDS,)[:7]),
    "INFO_RESPONSE",
    OF_A_SERVER,
    MALFORMED,
)
"""What a client's payload can be: a request by its name in `userauth.FIELDS`, or one of these."""

IN_TIME: Final = "decision in time"

EVENTS: Final = (
    *(f"hear {each}" for each in HEARD),
    IN_TIME,
    "decision too late",
    "banner",
    "time passes",
    "client gone",
)
"""What can happen to a server."""

PAIRS: Final = frozenset(
    (SERVER, state, event)
    for state, event in product(STATES, EVENTS)
    # A decision is in time where one is awaited.
    if event != IN_TIME or state == "DEFERRED"
)
"""Every (role, state, event) that there is."""

RIGHT: Final = frozenset(
    {
        *((state, f"hear {each}") for state in STATES[:4] for each in HEARD[:7]),
        ("ASKED", "hear INFO_RESPONSE"),
        ("DEFERRED", IN_TIME),
    }
)
"""The events that the RFCs have in each state, as (state, event)."""


def heard_as(payload: bytes, limits: LimitsLike) -> str:
    """Return what a client's payload is, of `HEARD`, whatever the server's state."""
    frame = len(payload).to_bytes(4, "big") + payload
    for method in (None, *userauth.METHODS[1:]):
        try:
            name = userauth.name_of(userauth.decode(frame, limits, method), method)
        except Refused:
            continue
        if name in SENT_BY_SERVERS:
            return OF_A_SERVER
        return name if name == "INFO_RESPONSE" else f"request {name}"
    return MALFORMED


def event_of(step: Step, model: ServerModel, limits: LimitsLike) -> str | None:
    """Return which of `EVENTS` a step is for a server that stands where the model does."""
    match step:
        case Receive(payload):
            return f"hear {heard_as(payload, limits)}"
        case Decide(number):
            if not model.events:
                return None
            return IN_TIME if number % model.events == model.deferred else "decision too late"
        case Say(number):
            if not model.questions:
                return None
            return IN_TIME if number % model.questions == model.round_due else "decision too late"
        case Wait():
            return "time passes"
        case SendBanner():
            return "banner"
    return "client gone"
