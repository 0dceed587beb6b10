"""Both roles, in every state: whose turn it is, what may come next, and what follows if not."""

from typing import Any

import pytest

from authplugin import (
    ClientSession,
    Limits,
    LocalProtocolError,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginProtocol,
    PluginSession,
    Side,
    State,
)
from authplugin_properties.oracles import cursor, grammar, turns

from .dialogues import Move, Names, fields_of, frames, moves, walks, way_to
from .samples import built, framed, neutral, pieces_of, told, uint32
from .talk import each_side, each_state, events_of, in_state, misused, play, session_of, violated

ONCE = list(walks(1))
TWICE = list(walks(2))
NAMES = tuple(turns.SENDERS)


def other(side: str) -> str:
    return {"client": "plugin", "plugin": "client"}[side]


def test_a_session_begins_at_the_start() -> None:
    for session, side in ((ClientSession(), Side.CLIENT), (PluginSession(), Side.PLUGIN)):
        assert session.side is side
        assert session.state is State.START
        assert session.turn is Side.CLIENT
        assert (session.version, session.method, session.violation) == (None, None, None)
        assert session.held == 0
        assert session.next_event() is None
        assert list(session.events()) == []


# Every state, side and message.


@each_side
@each_state
@pytest.mark.parametrize("name", NAMES)
def test_what_may_be_sent(side: str, state: str, name: str) -> None:
    session, now = in_state(side, state)
    message = fields_of(name, 2)
    after = turns.step(now, side, name, message)
    if after.refusal is None:
        play(session, [(side, name, message)], now)
        return
    error = misused(session, after.refusal, session.send, built(message))
    assert error.offset == (4 if after.refusal in ("wrong-side", "wrong-state") else None)
    assert error.field is None
    # Nothing has changed: whatever is right is still right.
    for (leaves, right), _ in turns.TRANSITIONS.items():
        if leaves == state:
            session, now = in_state(side, state)
            misused(session, after.refusal, session.send, built(message))
            play(session, [(turns.SENDERS[right], right, fields_of(right, 2))], now)


@each_side
@each_state
@pytest.mark.parametrize("name", NAMES)
def test_what_may_be_received(side: str, state: str, name: str) -> None:
    session, now = in_state(side, state)
    message = fields_of(name, 2)
    after = turns.step(now, other(side), name, message)
    if after.refusal is None:
        play(session, [(other(side), name, message)], now)
        return
    session.receive_data(grammar.build(message))
    error = violated(session, after.refusal)
    assert error.offset == (4 if after.refusal in ("wrong-side", "wrong-state") else None)
    assert error.field is None
    assert session.state == state


@pytest.mark.parametrize(
    ("state", "name", "text"),
    [
        ("IDLE", "PLUGIN_INIT", "PLUGIN_INIT is sent in state START, not in IDLE"),
        ("IDLE", "PLUGIN_PROTOCOL_ACCEPT", "PLUGIN_PROTOCOL_ACCEPT is sent by the plugin"),
        (
            "OFFERED",
            "PLUGIN_PROTOCOL",
            "in state OFFERED it is the plugin's turn, not the client's",
        ),
        ("ENDED", "PLUGIN_PROTOCOL", "the client may say nothing in state ENDED"),
    ],
)
def test_an_error_says_what_would_be_right(state: str, name: str, text: str) -> None:
    session, _ = in_state("client", state)
    with pytest.raises(LocalProtocolError) as caught:
        session.send(built(fields_of(name, 2)))
    assert caught.value.text == text


# Whole dialogues.


@each_side
def test_every_dialogue_of_the_table_is_right(side: str) -> None:
    for names in TWICE:
        session = session_of(side)
        now = play(session, moves(names))
        assert session.version == (2 if now.state != "ENDED" else None)
        assert session.violation is None


def turns_of(said: list[Move]) -> list[tuple[str, list[Move]]]:
    """Return what is said in one go: by whom, and the messages."""
    runs: list[tuple[str, list[Move]]] = []
    for move in said:
        if not runs or runs[-1][0] != move[0]:
            runs.append((move[0], []))
        runs[-1][1].append(move)
    return runs


@each_side
@pytest.mark.parametrize("names", [*ONCE, *TWICE[::5]], ids=len)
def test_every_dialogue_gives_the_same_events_cut_anywhere(side: str, names: Names) -> None:
    """What one side says in one go comes in one chunk, cut in two at every place."""
    runs = turns_of(moves(names))
    longest = max(len(b"".join(frames(said))) for who, said in runs if who != side)
    for cut in range(1, longest + 1):
        session = session_of(side)
        for who, said in runs:
            if who == side:
                assert [session.send(built(message)) for _, _, message in said] == frames(said)
                continue
            data = b"".join(frames(said))
            for chunk in filter(None, (data[:cut], data[cut:])):
                session.receive_data(chunk)
            events = [neutral(event) for event in events_of(session)]
            assert events == [message for _, _, message in said], cut
        assert session.held == 0


@each_side
@pytest.mark.parametrize("names", ONCE, ids=len)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_dialogue_gives_the_same_events_in_small_chunks(
    side: str, names: Names, size: int
) -> None:
    session = session_of(side)
    for who, name, message in moves(names):
        if who == side:
            session.send(built(message))
            continue
        frame = grammar.build(message)
        taken: list[Any] = []
        for at, chunk in enumerate(pieces_of(frame, size), 1):
            assert session.next_event() is None
            session.receive_data(chunk)
            assert session.held == (at * size if at * size < len(frame) else 0)
            taken += session.events()
        assert [neutral(event) for event in taken] == [message], name


# Content.


@each_side
@each_state
def test_a_type_of_no_message_is_refused_in_its_turn(side: str, state: str) -> None:
    session, now = in_state(side, state)
    session.receive_data(framed(b"\x63"))
    wanted = {"client": "wrong-turn", "plugin": "wrong-turn", None: "session-over"}
    code = "unknown-type" if now.turn == other(side) else wanted[now.turn]
    error = violated(session, code)
    assert error.offset == (4 if code == "unknown-type" else None)


@each_side
@each_state
def test_a_bad_frame_is_refused_with_its_code_and_place(side: str, state: str) -> None:
    for (leaves, name), _ in turns.TRANSITIONS.items():
        if leaves != state or turns.SENDERS[name] == side:
            continue
        body = grammar.build(fields_of(name, 2))[4:]
        for bad in (framed(body + b"\0"), framed(body[:-1]), uint32(2**20), uint32(0) + body):
            session, _ = in_state(side, state)
            session.receive_data(bad)
            with pytest.raises(cursor.Refused) as wanted:
                cursor.decode(bad)
            error = violated(session, wanted.value.code)
            assert told(error) == (wanted.value.code, wanted.value.field, wanted.value.offset)


def test_what_is_wrong_with_the_place_comes_before_what_is_wrong_inside() -> None:
    session, _ = in_state("client", "INITIALISING")
    session.receive_data(framed(b"\x15\xff\xff\xff\xff"))
    violated(session, "wrong-state")
    session, _ = in_state("client", "INITIALISING")
    session.receive_data(framed(b"\x01\xff\xff\xff\xff"))
    violated(session, "wrong-side")


def test_limits_hold_both_ways() -> None:
    limits = Limits(frame=40, text=8)
    session = session_of("client", limits)
    assert session.limits is limits
    long = PluginInit(2, "h" * 9, 22, "")
    assert misused(session, "string-too-long", session.send, long).field == "hostname"
    session.send(PluginInit(2, "h" * 8, 22, ""))
    session.receive_data(framed(b"\x08" + uint32(9) + b"m" * 9))
    assert violated(session, "string-too-long").field == "message"
    session = session_of("plugin", limits)
    session.receive_data(uint32(41))
    violated(session, "frame-too-long")


# Speaking out of turn.


@each_side
@each_state
@pytest.mark.parametrize(
    "extra", [b"\0", b"\0\0\0\1", framed(b"\x07"), framed(b"\x63"), b"\xff" * 9]
)
def test_bytes_that_come_out_of_turn_in_a_chunk_of_their_own(
    side: str, state: str, extra: bytes
) -> None:
    session, now = in_state(side, state)
    if now.turn == other(side):
        return
    session.receive_data(extra)
    violated(session, "wrong-turn" if now.turn else "session-over")


@each_side
@pytest.mark.parametrize("names", ONCE, ids=len)
@pytest.mark.parametrize("extra", [b"\0", b"\0\0\0\0", framed(b"\x07"), b"\xff" * 9])
def test_bytes_that_come_out_of_turn_behind_a_good_message(
    side: str, names: Names, extra: bytes
) -> None:
    """In the same chunk: the good messages are delivered, then the violation is told."""
    runs = turns_of(moves(names))
    for last, (who, said) in enumerate(runs):
        if who == side:
            continue
        session = session_of(side)
        now = play(session, [move for _, run in runs[:last] for move in run])
        for move in said:
            now = turns.step(now, *move)
        if now.turn == who:
            continue  # it may go on
        session.receive_data(b"".join(frames(said)) + extra)
        for _, _, message in said:
            event = session.next_event()
            assert event is not None
            assert neutral(event) == message  # type: ignore[arg-type]
        violated(session, "wrong-turn" if now.turn else "session-over")


@pytest.mark.parametrize("result", [PluginAuthSuccess(), PluginAuthFailure()])
def test_a_client_may_go_on_after_a_result(result: PluginAuthSuccess | PluginAuthFailure) -> None:
    """Neither result is answered, so PROTOCOL may lie in the same chunk (H.6.11, H.6.12)."""
    client, _ = in_state("client", "AUTHENTICATING")
    plugin, _ = in_state("plugin", "AUTHENTICATING")
    offer = PluginProtocol("keyboard-interactive")
    data = client.send(result) + client.send(offer)
    assert client.state is State.OFFERED
    plugin.receive_data(data + b"\0")
    assert [plugin.next_event(), plugin.next_event()] == [result, offer]
    violated(plugin, "wrong-turn")


def test_half_a_frame_may_come_before_the_rest_of_it() -> None:
    session, _ = in_state("plugin", "AUTHENTICATING")
    session.receive_data(framed(b"\x06") + b"\0\0")
    assert session.next_event() == PluginAuthSuccess()
    assert session.held == 2
    session.receive_data(b"\0\x19\x03" + uint32(20) + b"keyboard-interactive")
    assert session.next_event() == PluginProtocol("keyboard-interactive")
    assert session.next_event() is None


# After PLUGIN_INIT_FAILURE.


def test_nobody_speaks_after_the_plugin_has_refused() -> None:
    refusal = PluginInitFailure("no")
    client, _ = in_state("client", "INITIALISING")
    plugin, _ = in_state("plugin", "INITIALISING")
    client.receive_data(plugin.send(refusal))
    assert client.next_event() == refusal
    for session in (client, plugin):
        assert session.state is State.ENDED
        assert session.turn is None
        for name in NAMES:
            message = built(fields_of(name, 1))
            misused(session, "session-over", session.send, message)
    plugin.receive_data(frames(moves(("PLUGIN_PROTOCOL",)))[0])
    assert violated(plugin, "session-over").offset is None


@pytest.mark.parametrize("extra", [b"\0", framed(b"\x08\0\0\0\0"), framed(b"\x04")])
def test_what_follows_a_refusal_in_the_same_chunk_is_a_violation(extra: bytes) -> None:
    client, _ = in_state("client", "INITIALISING")
    client.receive_data(frames(moves(("PLUGIN_INIT_FAILURE",)))[0] + extra)
    violated(client, "session-over", events=1)


def test_every_state_can_be_come_to() -> None:
    assert {way_to(state)[-1:] for state in turns.SPEAKERS if state != "START"} <= {
        (name,) for name in NAMES
    }
