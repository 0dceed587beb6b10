"""Decisions that come later, and what waits for them."""

import threading

import pytest

from authplugin import RemoteProtocolError
from authplugin.userauth import (
    SSHUserAuthRequest,
    UserAuthLimits,
    UserAuthOther,
    UserAuthSuccess,
    encode_payload,
)

from .clients import (
    CODE,
    INTERACTIVE,
    NONE,
    PASSWORD,
    REFUSED,
    SERVICE,
    Client,
    Handler,
    Key,
    answer,
)


def deferring() -> tuple[Handler, Client, list[None]]:
    """Return a handler that defers all, its client, and what is told of output."""
    told: list[None] = []
    handler = Handler(lambda event: event.defer(), [CODE])
    return handler, Client(handler, on_output=lambda: told.append(None)), told


def test_a_decision_can_come_later_and_from_another_thread() -> None:
    handler, client, told = deferring()
    assert client.say(PASSWORD) == []
    [event] = handler.events
    event.accept = True
    counted: list[bool] = []
    thread = threading.Thread(target=lambda: counted.append(event.decide()))
    thread.start()
    thread.join()
    assert counted == [True]
    assert told == [None]
    assert client.replies() == [UserAuthSuccess()]


def test_what_comes_meanwhile_waits_and_is_answered_in_order() -> None:
    handler, client, _ = deferring()
    assert client.say(PASSWORD, NONE) == []
    assert client.server.held > 0
    assert len(handler.events) == 1
    assert handler.events[0].decide()
    assert client.replies() == [REFUSED]
    assert handler.methods == ["password", "none"]
    assert handler.events[1].decide()
    assert client.replies() == [REFUSED]
    assert client.server.held == 0


def test_responses_can_be_deferred_one_by_one() -> None:
    handler, client, _ = deferring()
    client.say(INTERACTIVE, answer("1"))
    for _ in range(2):
        handler.events[-1].accept = True
        assert handler.events[-1].decide()
    assert client.replies() == [UserAuthSuccess()]


def test_a_decision_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    handler, client, _ = deferring()
    client.say(PASSWORD)
    [event] = handler.events
    assert event.decide()
    event.accept = True
    assert not event.decide()
    assert "came too late, and is discarded" in caplog.text
    assert client.replies() == [REFUSED]


def test_nobody_has_to_be_told_of_output() -> None:
    handler = Handler(lambda event: event.defer())
    client = Client(handler)
    client.say(PASSWORD)
    assert handler.events[0].decide()
    assert client.replies() == [REFUSED]


def test_a_decision_within_the_call_is_none_that_is_deferred() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.defer()
        event.accept = True
        assert event.decide()

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [UserAuthSuccess()]


def test_a_decision_after_the_client_is_gone_is_discarded() -> None:
    handler, client, told = deferring()
    client.say(PASSWORD, NONE)
    client.server.connection_lost()
    assert client.server.held == 0
    handler.events[0].accept = True
    assert not handler.events[0].decide()
    assert (client.server.authenticated, told, client.replies()) == (None, [], [])


def test_a_decision_after_the_time_is_discarded() -> None:
    now = [0.0]
    handler = Handler(lambda event: event.defer())
    client = Client(handler, clock=lambda: now[0])
    client.say(PASSWORD)
    now[0] = 601.0
    client.server.check_time()
    handler.events[0].accept = True
    assert not handler.events[0].decide()
    assert client.server.authenticated is None


def test_what_waits_is_bounded_in_number() -> None:
    _, client, _ = deferring()
    client.say(PASSWORD)
    client.say(*[NONE] * 16)
    with pytest.raises(RemoteProtocolError):
        client.say(NONE)
    assert client.server.held == 0


def test_what_waits_is_bounded_in_bytes() -> None:
    _, client, _ = deferring()
    client.say(PASSWORD)
    large = UserAuthOther("alice", SERVICE, "x", bytes(200 * 1024))
    client.say(large)
    with pytest.raises(RemoteProtocolError):
        client.say(large)


def test_what_waits_is_judged_when_it_is_its_turn() -> None:
    handler, client, _ = deferring()
    client.say(PASSWORD)
    client.server.receive(b"\x32 not a request")
    assert client.server.violation is None
    handler.events[0].decide()
    assert client.server.violation is not None
    assert client.replies() == [REFUSED]


def test_what_waits_behind_a_success_is_ignored() -> None:
    handler, client, _ = deferring()
    client.say(PASSWORD, NONE)
    handler.events[0].accept = True
    handler.events[0].decide()
    assert client.replies() == [UserAuthSuccess()]
    assert len(handler.events) == 1


def test_a_decision_after_the_time_is_discarded_though_nobody_looked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    told: list[None] = []
    handler = Handler(lambda event: event.defer())
    client = Client(handler, clock=lambda: now[0], on_output=lambda: told.append(None))
    client.say(PASSWORD)
    now[0] = 600.0
    handler.events[0].accept = True
    assert not handler.events[0].decide()
    assert client.replies() == []
    assert client.server.disconnect is not None
    assert told == [None]
    assert "came too late, and is discarded" in caplog.text


@pytest.mark.parametrize("end", ["time", "attempts", "crowd", "violation", "gone", "success"])
def test_nothing_waits_once_it_is_over(end: str) -> None:
    now = [0.0]
    handler = Handler(lambda event: event.defer())
    client = Client(handler, clock=lambda: now[0], user_auth_limits=UserAuthLimits(attempts=2))
    client.say(PASSWORD)
    if end == "violation":
        client.server.receive(b"\x32 not a request")
    client.say(*[NONE] * 3)
    assert client.server.held > 0
    if end == "time":
        now[0] = 600.0
        client.server.check_time()
    elif end == "gone":
        client.server.connection_lost()
    elif end == "crowd":
        with pytest.raises(RemoteProtocolError):
            client.say(*[NONE] * 17)
    else:
        handler.events[0].accept = end == "success"
        assert handler.events[0].decide()
        if end == "attempts":
            assert handler.events[1].decide()
            assert client.server.disconnect is not None
    assert client.server.held == 0
    assert len(handler.events) == (2 if end == "attempts" else 1)


def test_none_may_wait_where_the_limit_is_none() -> None:
    handler = Handler(lambda event: event.defer())
    client = Client(handler, user_auth_limits=UserAuthLimits(waiting=0))
    client.say(NONE)
    handler.events[0].decide()
    assert client.say() == [REFUSED]
    client.say(NONE)
    with pytest.raises(RemoteProtocolError):
        client.say(NONE)


def test_each_decision_is_told_of_once_and_when_it_is_made() -> None:
    decided: list[tuple[str, bool]] = []

    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "password":
            event.defer()
        elif event.auth_method == "publickey":
            event.accept = True
            raise ValueError

    handler = Handler(decide)
    client = Client(
        handler, on_decision=lambda event: decided.append((event.auth_method, event.accept))
    )
    client.say(NONE)
    client.say(Key().request())
    client.say(PASSWORD)
    assert [event.deferred for event in handler.events] == [False, False, True]
    assert decided == [("none", False), ("publickey", False)]
    handler.events[2].accept = True
    handler.events[2].decide()
    assert decided[2:] == [("password", True)]


def test_a_handler_that_defers_and_raises_has_refused() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.defer()
        event.accept = True
        raise ValueError

    handler = Handler(decide)
    client = Client(handler)
    assert client.say(PASSWORD) == [REFUSED]
    handler.events[0].accept = True
    assert not handler.events[0].decide()
    assert client.server.authenticated is None


def test_nobody_is_told_of_output_while_the_handler_is_called() -> None:
    now, told = [0.0], list[str]()

    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "password":
            event.defer()
        else:  # a decision that is too late by then, in more than one way
            now[0] = 1000.0
            assert not handler.events[0].decide()
            told.append("decided")

    handler = Handler(decide)
    client = Client(handler, clock=lambda: now[0], on_output=lambda: told.append("output"))
    client.say(PASSWORD)
    handler.events[0].decide()
    told.clear()
    client.server.receive(encode_payload(NONE))
    assert client.server.disconnect is not None
    assert told == ["decided"]


def test_an_interrupt_on_the_way_takes_no_output_with_it() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "none":
            raise KeyboardInterrupt
        event.defer()

    told: list[str] = []
    handler = Handler(decide)
    client = Client(handler, on_output=lambda: told.append("output"))
    client.say(PASSWORD, NONE)
    with pytest.raises(KeyboardInterrupt):
        handler.events[0].decide()
    assert told == ["output"]
    assert client.replies() == [REFUSED]
