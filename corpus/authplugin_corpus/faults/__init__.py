"""What can be wrong with what one side says: data and functions that make it so.

A fault turns a right conversation into wrong ones, and knows with which code a strict receiver
refuses each of them. It needs nothing but the codec, so that whoever wants to can wrap it: a
strategy, a mutator, a generator of vectors. `compose` puts one fault on top of another; `pairs`
says what there is to strike, and `stock_conversations` has something to strike for each.

SSH's user authentication has frames, and so faults, of its own: `USER_AUTH_FAULTS`, which are
struck with the protocol of the frame (see `protocols`) as a third argument.

Where a code does not follow from how the bytes were made, `judge` asks this library's own receiver.
That takes a conversation which this receiver could have had, from the first frame; what strikes a
frame without one (flipped bits, and two faults at once) is judged by the frame alone.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Final

from authplugin import Limits

from .conversation import FAULTS_OF_CONVERSATIONS
from .declaring import NOT_OF_A_PEER, compose
from .fault import Fault, Faulty, Scope, Strike
from .frame import FAULTS_OF_FRAMES, ILL_FORMED
from .judging import judge
from .stock import Conversation, plain, sample, stock_conversations, stock_user_auth
from .user_auth import FAULTS_OF_USER_AUTH

__all__ = [
    "FAULTS",
    "ILL_FORMED",
    "NOT_OF_A_PEER",
    "USER_AUTH_FAULTS",
    "Conversation",
    "Fault",
    "Faulty",
    "Scope",
    "Strike",
    "compose",
    "fault_named",
    "judge",
    "pairs",
    "plain",
    "sample",
    "stock_conversations",
    "stock_user_auth",
    "user_auth_pairs",
]

FAULTS: Final[tuple[Fault, ...]] = (*FAULTS_OF_FRAMES, *FAULTS_OF_CONVERSATIONS)
"""All faults of the plugin protocol, but for those that `compose` makes."""

USER_AUTH_FAULTS: Final[tuple[Fault, ...]] = (*FAULTS_OF_FRAMES, *FAULTS_OF_USER_AUTH)
"""All faults of the messages of SSH's user authentication; they are of scope `FRAME`."""

_NAMED: Final = {fault.name: fault for fault in (*FAULTS, *FAULTS_OF_USER_AUTH)}


def fault_named(name: str) -> Fault:
    """Return a fault by its name; one of two names, with a plus sign between, is composed.

    Raises:
        KeyError: where there is none of that name.
        ValueError: where the two cannot be composed.
    """
    first, *others = (_named(each) for each in name.split("+"))
    for other in others:
        first = compose(first, other)
    return first


def _named(name: str) -> Fault:
    if name not in _NAMED:
        near = difflib.get_close_matches(name, _NAMED) or _NAMED
        raise KeyError(f"no fault is called {name!r}; there is {', '.join(near)}")
    return _NAMED[name]


@lru_cache(maxsize=16)
def pairs(limits: Limits) -> frozenset[tuple[str, str, str]]:
    """Return all that can be struck: (message name, part, fault name), as a `Faulty` says them.

    These are what all faults make of all stock conversations.

    Args:
        limits: those of the receiver, which have to be such that it takes those conversations.
    """
    return frozenset(
        (faulty.message, faulty.part, fault.name)
        for fault in FAULTS
        for conversations in stock_conversations().values()
        for conversation in conversations
        for faulty in fault.strike(conversation, limits)
    )


@lru_cache(maxsize=16)
def user_auth_pairs(limits: Limits) -> frozenset[tuple[str, str, str]]:
    """Return all that can be struck of SSH's user authentication, as `pairs` does."""
    return frozenset(
        (faulty.message, faulty.part, fault.name)
        for fault in USER_AUTH_FAULTS
        for protocol, frame in stock_user_auth().values()
        for faulty in fault.strike([frame], limits, protocol)
    )
