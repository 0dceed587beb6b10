"""What depends on what was said before: versions, methods, counts; and misuse of a session."""

from array import array
from collections.abc import Callable
from typing import Any

import pytest

from authplugin import (
    ErrorCode,
    LocalProtocolError,
    Message,
    PluginAuthFailure,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginSession,
    RemoteProtocolError,
    State,
    encode,
)
from authplugin.session import Session
from authplugin_properties.oracles import grammar, turns

from .dialogues import Move, fields_of, moves, way_to
from .samples import SECRET, built, framed
from .talk import each_side, in_state, misused, play, session_of, violated

KNOWN = b"keyboard-interactive"


def init(version: int) -> Move:
    return "client", "PLUGIN_INIT", {**fields_of("PLUGIN_INIT", 0), "version": version}


def choice(version: int) -> Move:
    name = "PLUGIN_INIT_RESPONSE"
    return "plugin", name, {**fields_of(name, 0), "version": version}


def offer(method: bytes) -> Move:
    return "client", "PLUGIN_PROTOCOL", {"type": 3, "method": method}


def said(name: str, count: int = 0) -> Move:
    return turns.SENDERS[name], name, fields_of(name, count)


ACCEPT = said("PLUGIN_PROTOCOL_ACCEPT")
REJECT = said("PLUGIN_PROTOCOL_REJECT")
SUCCESS = said("PLUGIN_AUTH_SUCCESS")


def judged(side: str, before: list[Move], last: Move) -> tuple[Session, Any]:
    """Hold a session against the table of turns at the last of some moves.

    Returns the session and the error with which the move was refused, or None.
    """
    session = session_of(side)
    now = play(session, before)
    refusal = turns.step(now, *last).refusal
    who, _, message = last
    if refusal is None:
        play(session, [last], now)
        return session, None
    if who == side:
        return session, misused(session, refusal, session.send, built(message))
    session.receive_data(grammar.build(message))
    return session, violated(session, refusal)


# Versions (H.4).


@each_side
@pytest.mark.parametrize("chosen", [0, 1, 2, 3, 4, 5, 2**32 - 1])
@pytest.mark.parametrize("offered", [2, 3, 4, 2**32 - 1])
def test_the_version_is_chosen_among_those_offered_and_known(
    side: str, offered: int, chosen: int
) -> None:
    if side == "client" and offered != 2:
        return  # see below: this library's client offers no more than it can speak
    session, error = judged(side, [init(offered)], choice(chosen))
    if chosen == 2:
        assert error is None
        assert session.version == 2
    else:
        wanted = "version-above-offer" if chosen > offered else "version-unsupported"
        assert (error.code, error.field, error.offset) == (wanted, "version", 5)
        assert session.version is None


@pytest.mark.parametrize("offered", [0, 1])
def test_a_plugin_has_nothing_to_choose_below_version_2(offered: int) -> None:
    for chosen in (0, 1, 2):
        _, error = judged("plugin", [init(offered)], choice(chosen))
        assert error.code == ("version-above-offer" if chosen > offered else "version-unsupported")
    play(session_of("plugin"), [init(offered), said("PLUGIN_INIT_FAILURE")])


@pytest.mark.parametrize("offered", [0, 1, 3, 4, 2**32 - 1])
def test_a_client_offers_what_this_library_speaks(offered: int) -> None:
    session = session_of("client")
    message = PluginInit(offered, "h", 22, "")
    error = misused(session, "version-unsupported", session.send, message)
    assert error.field == "version"
    assert "(2,)" in str(error)
    session.send(PluginInit(2, "h", 22, ""))


# Methods.


@each_side
@pytest.mark.parametrize("method", [b"", b"password", b"Keyboard-interactive", KNOWN + b"2"])
def test_only_a_known_method_can_be_accepted(side: str, method: bytes) -> None:
    start = [init(2), choice(2)]
    session, error = judged(side, [*start, offer(method)], ACCEPT)
    assert (error.code, error.field, error.offset) == ("method-unknown", None, 4)
    assert "keyboard-interactive" in str(error)
    assert session.method is None
    for before, last, method_then in (
        ([*start, offer(method)], REJECT, None),
        ([*start, offer(method), REJECT, offer(KNOWN)], ACCEPT, "keyboard-interactive"),
        ([*start, offer(KNOWN), ACCEPT, SUCCESS], offer(method), None),
    ):
        session, error = judged(side, before, last)
        assert error is None
        assert session.method == method_then
    assert judged(side, [*start, offer(KNOWN), REJECT, offer(method)], ACCEPT)[1] is not None


@each_side
@pytest.mark.parametrize("hold", [bytes.decode, bytes, memoryview])
def test_the_method_is_under_way_until_its_result(side: str, hold: Callable[[bytes], Any]) -> None:
    session, now = in_state(side, "IDLE")
    if side == "client":
        session.send(PluginProtocol(hold(KNOWN)))
    else:
        session.receive_data(framed(b"\x03\0\0\0\x14" + KNOWN))
        list(session.events())
    assert session.method is None
    now = turns.step(now, *offer(KNOWN))
    for name in (
        "PLUGIN_PROTOCOL_ACCEPT",
        "PLUGIN_KI_SERVER_REQUEST",
        "PLUGIN_KI_USER_REQUEST",
        "PLUGIN_KI_USER_RESPONSE",
        "PLUGIN_KI_SERVER_RESPONSE",
    ):
        now = play(session, [said(name, 1)], now)
        assert session.method == "keyboard-interactive"
    play(session, [SUCCESS], now)
    assert session.method is None


# Counts: each pair for itself (H.6.8, H.6.10).

BEGUN = [init(2), choice(2), offer(KNOWN), ACCEPT]
COUNTS = (0, 1, 2, 5)


def ask(count: int) -> list[Move]:
    return [said("PLUGIN_KI_USER_REQUEST", count), said("PLUGIN_KI_USER_RESPONSE", count)]


@each_side
@pytest.mark.parametrize("came", COUNTS)
@pytest.mark.parametrize("wanted", COUNTS)
@pytest.mark.parametrize("asked", [(), (0,), (1,), (5, 2)])
def test_the_server_is_owed_as_many_responses_as_it_had_prompts(
    side: str, asked: tuple[int, ...], wanted: int, came: int
) -> None:
    between = [move for count in asked for move in ask(count)]
    before = [*BEGUN, said("PLUGIN_KI_SERVER_REQUEST", wanted), *between]
    _, error = judged(side, before, said("PLUGIN_KI_SERVER_RESPONSE", came))
    assert (error is None) is (came == wanted)
    if error is not None:
        assert (error.code, error.field, error.offset) == ("response-count", "responses", 5)
        assert f"{wanted} prompts take {wanted} responses, not {came}" in str(error)


@each_side
@pytest.mark.parametrize("came", COUNTS)
@pytest.mark.parametrize("wanted", COUNTS)
@pytest.mark.parametrize("earlier", [(), (0,), (5, 2)])
def test_the_user_is_asked_as_many_times_as_answered(
    side: str, earlier: tuple[int, ...], wanted: int, came: int
) -> None:
    between = [move for count in earlier for move in ask(count)]
    before = [*BEGUN, said("PLUGIN_KI_SERVER_REQUEST", 3), *between]
    before.append(said("PLUGIN_KI_USER_REQUEST", wanted))
    _, error = judged(side, before, said("PLUGIN_KI_USER_RESPONSE", came))
    assert (error is None) is (came == wanted)
    if error is not None:
        assert (error.code, error.field, error.offset) == ("response-count", "responses", 5)


@each_side
def test_each_challenge_counts_anew(side: str) -> None:
    first = [said("PLUGIN_KI_SERVER_REQUEST", 2), said("PLUGIN_KI_SERVER_RESPONSE", 2)]
    again = [*BEGUN, *first, SUCCESS, *BEGUN[2:]]
    for before in ([*BEGUN, *first], again):
        for came, code in ((0, None), (2, "response-count")):
            second = [*before, said("PLUGIN_KI_SERVER_REQUEST", 0)]
            _, error = judged(side, second, said("PLUGIN_KI_SERVER_RESPONSE", came))
            assert (error and error.code) == code


def test_what_is_refused_can_be_put_right() -> None:
    session, now = in_state("plugin", "CHALLENGED", prompts=2)
    for count in (0, 1, 3):
        wrong = PluginKIServerResponse([SECRET] * count)
        error = misused(session, "response-count", session.send, wrong)
        assert SECRET not in str(error)
    play(session, [said("PLUGIN_KI_SERVER_RESPONSE", 2)], now)


# Misuse.


class Opaque:
    """Nothing that a session knows."""


@each_side
@pytest.mark.parametrize(
    "wrong", [None, "PLUGIN_INIT", 1, b"\0\0\0\1\4", PluginAuthFailure, Opaque(), Message()]
)
def test_what_is_no_message_cannot_be_sent(side: str, wrong: Any) -> None:
    for state in ("START", "AUTHENTICATING", "CHALLENGED"):
        session, now = in_state(side, state)
        if isinstance(wrong, Message) and now.turn != side:
            continue
        error = misused(session, "bad-value", session.send, wrong)
        assert "expected a message" in str(error)


BAD_CONTENT: list[tuple[str, str, Any, str]] = [
    # A state, the side whose turn it is, a message, and the field that is wrong.
    ("START", "client", PluginInit("2", "h", 22, ""), "version"),  # type: ignore[arg-type]
    ("START", "client", PluginInit(None, "h", 22, ""), "version"),  # type: ignore[arg-type]
    ("START", "client", PluginInit([2], "h", 22, ""), "version"),  # type: ignore[arg-type]
    ("START", "client", PluginInit(2, None, 22, ""), "hostname"),  # type: ignore[arg-type]
    ("INITIALISING", "plugin", PluginInitResponse("2", ""), "version"),  # type: ignore[arg-type]
    ("INITIALISING", "plugin", PluginInitResponse(None, ""), "version"),  # type: ignore[arg-type]
    ("INITIALISING", "plugin", PluginInitResponse(-1, ""), "version"),
    ("IDLE", "client", PluginProtocol(None), "method"),  # type: ignore[arg-type]
    ("IDLE", "client", PluginProtocol("m\u00e9thode"), "method"),
    ("AUTHENTICATING", "client", PluginKIServerRequest("", "", "", None), "prompts"),  # type: ignore[arg-type]
    ("CHALLENGED", "plugin", PluginKIServerResponse(None), "responses"),  # type: ignore[arg-type]
    ("CHALLENGED", "plugin", PluginKIServerResponse(5), "responses"),  # type: ignore[arg-type]
    ("CHALLENGED", "plugin", PluginKIServerResponse("pw"), "responses"),
    ("CHALLENGED", "plugin", PluginKIServerResponse(iter("pw")), "responses"),  # type: ignore[arg-type]
    ("CHALLENGED", "plugin", PluginKIServerResponse(["a", None]), "responses[1]"),  # type: ignore[list-item]
]  # fmt: skip


@pytest.mark.parametrize(("state", "side", "message", "field"), BAD_CONTENT)
def test_what_cannot_be_encoded_is_not_sent(
    state: str, side: str, message: Any, field: str
) -> None:
    session, now = in_state(side, state)
    before = session.state
    with pytest.raises(LocalProtocolError) as caught:
        session.send(message)
    assert caught.value.field == field
    assert session.state is before
    right = next(name for leaves, name in turns.TRANSITIONS if leaves == state)
    play(session, [said(right, 2)], now)


@each_side
@pytest.mark.parametrize("wrong", [None, "text", 5, array("B", b"ab"), [0]])
def test_what_is_no_bytes_cannot_be_received(side: str, wrong: Any) -> None:
    session, _ = in_state(side, "IDLE")
    misused(session, "bad-value", session.receive_data, wrong)


@each_side
@pytest.mark.parametrize("empty", [b"", bytearray(), memoryview(b"")])
def test_an_empty_read_is_the_end_of_file_and_has_to_be_said(side: str, empty: Any) -> None:
    session, _ = in_state(side, "IDLE")
    error = misused(session, "bad-value", session.receive_data, empty)
    assert "receive_end_of_file" in str(error)


def test_events_are_taken_before_anything_is_sent() -> None:
    client, now = in_state("client", "INITIALISING")
    client.receive_data(grammar.build(choice(2)[2]))
    message = PluginProtocol("keyboard-interactive")
    error = misused(client, "wrong-turn", client.send, message)
    assert "take the 1 events" in str(error)
    assert "next_event" in str(error)
    assert client.next_event() == PluginInitResponse(2, built(choice(2)[2]).username)  # type: ignore[attr-defined]
    play(client, [offer(KNOWN)], turns.step(now, *choice(2)))


def test_events_may_gather() -> None:
    plugin, _ = in_state("plugin", "AUTHENTICATING")
    plugin.receive_data(framed(b"\x07"))
    plugin.receive_data(framed(b"\x03\0\0\0\x14" + KNOWN))
    assert plugin.state is State.OFFERED
    misused(plugin, "wrong-turn", plugin.send, PluginProtocolAccept())
    assert list(plugin.events()) == [PluginAuthFailure(), PluginProtocol(KNOWN)]
    plugin.send(PluginProtocolAccept())


def test_input_is_looked_at_where_it_is_or_copied() -> None:
    frame = encode(PluginInit(2, "host", 22, "bob"))
    session = PluginSession()
    session.receive_data(frame)
    event = session.next_event()
    assert isinstance(event, PluginInit)
    assert isinstance(event.hostname, memoryview)
    assert event.hostname.obj is frame
    session = PluginSession()
    buffer = bytearray(frame)
    session.receive_data(buffer)
    buffer[:] = bytes(len(buffer))
    assert session.next_event() == PluginInit(2, "host", 22, "bob")


def test_telling_a_violation_again_costs_nothing() -> None:
    session = PluginSession()
    session.receive_data(framed(b"\x63"))
    for _ in range(100):
        with pytest.raises(RemoteProtocolError) as caught:
            session.next_event()
        assert caught.value.code is ErrorCode.UNKNOWN_TYPE
    depth = 0
    trace = caught.value.__traceback__
    while trace is not None:
        depth, trace = depth + 1, trace.tb_next
    assert depth < 10


def test_the_ways_are_right() -> None:
    assert play(session_of("client"), moves(way_to("ASKING_USER"))).user_prompts == 2
