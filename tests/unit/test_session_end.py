"""The three ends of input, in every state, for both roles (H.5)."""

import pytest

from authplugin import EndKind, EndOfFile, PluginAuthSuccess
from authplugin.session import Session
from authplugin_properties.oracles import grammar, turns

from .dialogues import fields_of, moves, way_to
from .samples import built, framed
from .talk import (
    each_side,
    each_state,
    in_state,
    misused,
    session_of,
    violated,
    visible,
)

OTHER = {"client": "plugin", "plugin": "client"}


def partial_frames() -> list[bytes]:
    """Return the beginnings of a good frame of each message."""
    whole = [grammar.build(fields_of(name, 1)) for name in turns.SENDERS]
    return sorted({f[:size] for f in whole for size in (1, 3, 4, 5, len(f) - 1) if size < len(f)})


@each_side
@each_state
def test_the_end_between_frames(side: str, state: str) -> None:
    session, now = in_state(side, state)
    owed = now.turn == OTHER[side]
    session.receive_end_of_file()
    if owed and side == "client":
        # A plugin that ends while it owes a message has failed.
        error = violated(session, "end-premature")
        assert (error.field, error.offset) == (None, None)
        assert "the plugin ended its output while it owed a message" in str(error)
        assert state in str(error)
        return
    # A client may close at any time, for any reason.
    assert session.next_event() == EndOfFile(EndKind.PREMATURE if owed else EndKind.CLEAN)
    assert session.next_event() is None
    assert list(session.events()) == []
    assert session.violation is None
    over(session, state)


def over(session: Session, state: str) -> None:
    """Hold that a session that has ended takes and gives nothing more."""
    assert session.turn is None
    before = visible(session)
    for name in turns.SENDERS:
        message = fields_of(name, 2)
        misused(session, "session-over", session.send, built(message))
        misused(session, "session-over", session.receive_data, grammar.build(message))
    error = misused(session, "session-over", session.receive_end_of_file)
    assert "has ended the session" in str(error)
    assert visible(session) == before
    assert session.state == state
    assert session.next_event() is None


@each_side
@each_state
def test_the_end_inside_a_frame(side: str, state: str) -> None:
    if turns.SPEAKERS[state] != OTHER[side]:
        return  # where nothing may come, half a frame is out of turn: see test_session
    for start in partial_frames():
        session, _ = in_state(side, state)
        session.receive_data(start)
        assert session.next_event() is None
        assert session.held == len(start)
        session.receive_end_of_file()
        error = violated(session, "end-truncated")
        assert (error.field, error.offset) == (None, len(start))
        assert f"the {OTHER[side]} ended its output inside a frame" in str(error)


@each_side
@each_state
def test_half_a_frame_out_of_turn_is_told_before_its_end(side: str, state: str) -> None:
    speaker = turns.SPEAKERS[state]
    if speaker == OTHER[side]:
        return
    session, _ = in_state(side, state)
    session.receive_data(b"\0\0")
    misused(session, "poisoned", session.receive_end_of_file)
    violated(session, "wrong-turn" if speaker else "session-over")


@each_side
def test_events_come_before_the_end(side: str) -> None:
    for state in turns.SPEAKERS:
        way = moves(way_to(state))
        if not way or way[-1][0] == side:
            continue
        session = session_of(side)
        for who, _, message in way:
            if who == side:
                list(session.events())
                session.send(built(message))
            else:
                session.receive_data(grammar.build(message))
        session.receive_end_of_file()
        misused(session, "session-over", session.send, built(way[-1][2]))
        *events, end = session.events()
        assert events[-1] == built(way[-1][2])
        # The peer has spoken, so it owes nothing; unless it may go on.
        assert end == EndOfFile(EndKind.CLEAN)


def test_an_event_comes_before_a_bad_end() -> None:
    client, _ = in_state("client", "CHALLENGED")
    client.receive_end_of_file()
    violated(client, "end-premature")
    plugin, _ = in_state("plugin", "AUTHENTICATING")
    plugin.receive_data(framed(b"\x06") + b"\0")
    plugin.receive_end_of_file()
    assert plugin.violation is not None
    assert plugin.next_event() == PluginAuthSuccess()
    violated(plugin, "end-truncated")


def test_a_client_may_leave_between_two_messages_of_its_own() -> None:
    plugin, _ = in_state("plugin", "AUTHENTICATING")
    plugin.receive_data(framed(b"\x06"))
    plugin.receive_end_of_file()
    assert list(plugin.events()) == [PluginAuthSuccess(), EndOfFile(EndKind.PREMATURE)]


@pytest.mark.parametrize("side", ["client", "plugin"])
def test_an_end_after_the_last_word_is_clean(side: str) -> None:
    session, _ = in_state(side, "ENDED")
    session.receive_end_of_file()
    assert list(session.events()) == [EndOfFile(EndKind.CLEAN)]
