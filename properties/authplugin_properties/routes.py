"""Ways through the protocol: to a state, and to what a fault can strike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from authplugin import Limits, Message, Side, State
from authplugin_corpus.faults import Faulty, fault_named, stock_conversations

from .conversation import LEAVING, Conversation


def _distances(goal: State) -> Mapping[State, int]:
    distances = {goal: 0}
    while True:
        near = {
            state: 1
            + min(distances[each.spec.enters] for each in leaving if each.spec.enters in distances)
            for state, leaving in LEAVING.items()
            if state not in distances and any(each.spec.enters in distances for each in leaving)
        }
        if not near:
            return MappingProxyType(distances)
        distances |= near


DISTANCES: Final = MappingProxyType({goal: _distances(goal) for goal in State})
"""How many messages it takes from each state, by the state to reach; states from which there is no
way are left out."""


def towards(conversation: Conversation, goal: State) -> tuple[type[Message], ...]:
    """Return the messages that may come next and leave a way to a state, the shortest first.

    The shortest is there three times over, so that whoever chooses evenly arrives.
    """
    distances = DISTANCES[goal]
    options = sorted(
        (each for each in conversation.options() if each.spec.enters in distances),
        key=lambda each: distances[each.spec.enters],
    )
    return (options[0],) * 2 + tuple(options)


@lru_cache(maxsize=1024)
def stock_strikes(
    fault: str, limits: Limits
) -> Mapping[type[Message], Sequence[tuple[Sequence[bytes], Sequence[Faulty]]]]:
    """Return, for each message that a fault can strike, what it makes of stock conversations.

    That is right conversations that end with the message, with what the fault makes of each.
    """
    strike = fault_named(fault).strike
    strikes = {
        target: [(frames, made) for frames in known if (made := tuple(strike(frames, limits)))]
        for target, known in stock_conversations().items()
    }
    return MappingProxyType({target: made for target, made in strikes.items() if made})


def targets(fault: str, senders: Sequence[Side], limits: Limits) -> Sequence[type[Message]]:
    """Return the messages that a fault can strike, of those that the given sides send."""
    return [each for each in stock_strikes(fault, limits) if each.spec.sender in senders]
