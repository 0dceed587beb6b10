"""A conversation as it grows, kept valid: what may come next, and what binds it.

For generators, whatever makes their choices. It reads the codec's own table, so it judges nothing;
`model` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from authplugin import MESSAGES, Message, State
from authplugin.messages import (
    METHODS,
    REQUEST_OF,
    VERSIONS,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
)


def _leaving() -> Mapping[State, tuple[type[Message], ...]]:
    table: defaultdict[State, list[type[Message]]] = defaultdict(list)
    for each in MESSAGES:
        table[each.spec.leaves].append(each)
    return MappingProxyType({state: tuple(table[state]) for state in State})


LEAVING: Final = _leaving()
"""The messages that leave each state, in the order of the published text."""


def _depths() -> Mapping[State, int]:
    depths = {State.START: 0}
    for state in (reached := [State.START]):
        for each in LEAVING[state]:
            if each.spec.enters not in depths:
                depths[each.spec.enters] = depths[state] + 1
                reached.append(each.spec.enters)
    return MappingProxyType(depths | {State.ENDED: 0})


DEPTHS: Final = _depths()
"""How many messages it takes to reach each state; none for the one that nothing leaves."""

PLAIN: Final = (
    PluginInit,
    PluginInitResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginKIServerRequest,
    PluginKIServerResponse,
)
"""A login without detours, up to where it begins anew or ends."""


class Conversation:
    """A valid conversation, of which only what binds the next messages is kept.

    Attributes:
        state: where it stands.
    """

    def __init__(self) -> None:
        self.state = State.START
        self._offer = 0
        self._method: str | None = None
        self._asked: dict[type[Message], int] = {}

    def versions(self) -> tuple[int, ...]:
        """Return the versions that the plugin may choose (H.4)."""
        return tuple(version for version in VERSIONS if version <= self._offer)

    def responses_due(self, answer: type[Message]) -> int | None:
        """Return how many responses a message must hold; None for one that holds none."""
        request = REQUEST_OF.get(answer)
        return None if request is None else self._asked[request]

    def options(self) -> tuple[type[Message], ...]:
        """Return the messages that may come next; none where the conversation is over."""
        return tuple(each for each in LEAVING[self.state] if self._allows(each))

    def likely(self) -> tuple[type[Message], ...]:
        """Return `options`, with those that lead deeper into the conversation three times over.

        Whoever chooses among them evenly gets to see all states. Those of `PLAIN` come first:
        whoever prefers the first has the shortest login.
        """
        options = self.options()
        deeper = tuple(each for each in options if DEPTHS[each.spec.enters] > DEPTHS[self.state])
        return tuple(sorted(2 * deeper + options, key=lambda each: each not in PLAIN))

    def _allows(self, each: type[Message]) -> bool:
        if each is PluginInitResponse:
            return bool(self.versions())
        return each is not PluginProtocolAccept or self._method in METHODS

    def fits(self, message: Message) -> bool:
        """Say whether the message may come next, as it is."""
        if type(message) not in self.options():
            return False
        if isinstance(message, PluginInitResponse):
            return message.version in self.versions()
        if isinstance(message, (PluginKIServerResponse, PluginKIUserResponse)):
            return len(message.responses) == self.responses_due(type(message))
        return True

    def add(self, message: Message) -> None:
        """Go on with a message that fits."""
        self.state = message.spec.enters
        if isinstance(message, PluginInit):
            self._offer = message.version
        elif isinstance(message, PluginProtocol):
            self._method = str(message.detach().method)
        elif isinstance(message, (PluginKIServerRequest, PluginKIUserRequest)):
            self._asked[type(message)] = len(message.prompts)
