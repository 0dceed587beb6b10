"""One session that goes through a dialogue, the other side's part being played from frames."""

from collections.abc import Sequence
from typing import Any

import pytest

from authplugin import (
    ClientSession,
    Limits,
    LocalProtocolError,
    Message,
    PluginSession,
    RemoteProtocolError,
)
from authplugin.session import Session
from authplugin_properties.oracles import grammar, turns
from authplugin_properties.oracles.turns import Situation

from .dialogues import Move, moves, way_to
from .samples import built, neutral

SIDES = ("client", "plugin")
STATES = tuple(turns.SPEAKERS)

each_side = pytest.mark.parametrize("side", SIDES)
each_state = pytest.mark.parametrize("state", STATES)


def session_of(side: str, limits: Limits | None = None) -> Session:
    kinds: dict[str, type[Session]] = {"client": ClientSession, "plugin": PluginSession}
    return kinds[side](limits or Limits())


def play(session: Session, said: Sequence[Move], now: Situation | None = None) -> Situation:
    """Take a session through what is said, and hold it against the table of turns on the way."""
    now = now or Situation()
    for side, name, message in said:
        frame = grammar.build(message)
        if side == session.side:
            assert session.send(built(message)) == frame
        else:
            session.receive_data(frame)
            assert [neutral(event) for event in events_of(session)] == [message]
        now = turns.step(now, side, name, message)
        assert now.refusal is None, "the dialogue itself is wrong"
        assert (session.state, session.turn) == (now.state, now.turn)
    return now


def in_state(side: str, state: str, prompts: int = 2) -> tuple[Session, Situation]:
    """Return a session of a side that has come to a state, and the situation there."""
    session = session_of(side)
    now = play(session, moves(way_to(state), prompts))
    assert session.state == state
    return session, now


def events_of(session: Session) -> list[Message]:
    """Return the events that are there, all of which have to be messages."""
    events = list(session.events())
    assert all(isinstance(event, Message) for event in events)
    return events  # type: ignore[return-value]  # as was just seen


def visible(session: Session) -> tuple[Any, ...]:
    """Return all that can be seen of a session without changing it."""
    return (
        session.state,
        session.turn,
        session.version,
        session.method,
        session.violation,
        session.held,
    )


def violated(session: Session, code: str, events: int = 0) -> RemoteProtocolError:
    """Hold that a session is poisoned by the peer, after so many good events."""
    for _ in range(events):
        assert isinstance(session.next_event(), Message)
    with pytest.raises(RemoteProtocolError) as caught:
        session.next_event()
    assert caught.value.code == code
    assert session.violation is caught.value
    assert session.turn is None
    assert session.held == 0 or code == "end-truncated"
    # It says so again and again, and nothing goes in or out.
    for take in (session.next_event, lambda: list(session.events())):
        with pytest.raises(RemoteProtocolError) as again:
            take()
        assert again.value is caught.value
    before = visible(session)
    for state in STATES:
        for _, _, message in moves(way_to(state))[-1:]:
            misused(session, "poisoned", session.send, built(message))
            misused(session, "poisoned", session.receive_data, grammar.build(message))
    misused(session, "poisoned", session.receive_end_of_file)
    assert visible(session) == before
    return caught.value


def misused(session: Session, code: str, call: Any, *arguments: Any) -> LocalProtocolError:
    """Hold that a call is refused, and changes nothing."""
    before = visible(session)
    with pytest.raises(LocalProtocolError) as caught:
        call(*arguments)
    assert caught.value.code == code
    assert visible(session) == before
    return caught.value
