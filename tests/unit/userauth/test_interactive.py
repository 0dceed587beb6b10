"""Keyboard-interactive: rounds, events, counts, abandoned exchanges."""

import logging

import pytest

from authplugin import LocalProtocolError, RemoteProtocolError
from authplugin.userauth import (
    Prompts,
    SSHUserAuthRequest,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthLimits,
    UserAuthNone,
    UserAuthSuccess,
)

from .clients import (
    CODE,
    INTERACTIVE,
    NONE,
    PASSWORD,
    REFUSED,
    TWO,
    Client,
    Handler,
    accepting,
    answer,
)


def test_keyboard_interactive_asks_in_rounds() -> None:
    wanted = ("keyboard-interactive-1", "keyboard-interactive-2", "keyboard-interactive")
    handler = Handler(accepting(*wanted), [TWO, Prompts([]), CODE])
    client = Client(handler)
    assert client.say(INTERACTIVE) == [
        UserAuthInfoRequest("Login", "Twice", "", [("Code: ", True), ("PIN: ", False)])
    ]
    assert client.say(answer("1", "2")) == [UserAuthInfoRequest("", "", "", [])]
    assert client.say(answer()) == [UserAuthInfoRequest("", "", "", [("Code: ", True)])]
    assert client.say(answer("3")) == [UserAuthSuccess()]
    assert handler.methods == [wanted[0], wanted[1], wanted[0], wanted[2]]
    assert [event.auth_param for event in handler.events] == ["1", "2", "3", ""]
    assert [each.number for each in handler.asked] == [1, 2, 3, 4]
    assert {each.submethods for each in handler.asked} == {"pam"}


def test_without_prompts_the_bare_event_decides() -> None:
    handler = Handler(accepting("keyboard-interactive"))
    client = Client(handler)
    assert client.say(INTERACTIVE) == [UserAuthSuccess()]
    assert handler.methods == ["keyboard-interactive"]


@pytest.mark.parametrize(
    "refused", ["keyboard-interactive-1", "keyboard-interactive-2", "keyboard-interactive"]
)
def test_every_response_must_be_accepted_and_all_are_asked_of(refused: str) -> None:
    handler = Handler(lambda event: setattr(event, "accept", event.auth_method != refused), [TWO])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(answer("1", "2")) == [REFUSED]
    assert handler.methods == [
        "keyboard-interactive-1",
        "keyboard-interactive-2",
        "keyboard-interactive",
    ]


def test_a_refused_response_shows_in_the_next_round_alone() -> None:
    handler = Handler(
        lambda event: setattr(event, "accept", event.auth_param != "bad"), [CODE, CODE]
    )
    client = Client(handler)
    client.say(INTERACTIVE, answer("bad"))
    assert [each.accepted for each in handler.asked] == [True, False]
    assert client.say(answer("good")) == [REFUSED]


def test_a_response_that_is_refused_is_not_mended_by_partial_success() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.partial_success = True
        event.accept = event.auth_param != "bad"

    client = Client(Handler(decide, [CODE]))
    assert client.say(INTERACTIVE, answer("bad"))[1:] == [REFUSED]
    assert client.say(INTERACTIVE, answer("good"))[1:] == [
        UserAuthFailure("publickey,password", True)
    ]


@pytest.mark.parametrize("responses", [(), ("1",), ("1", "2", "3")])
def test_a_wrong_count_fails_and_asks_nobody(responses: tuple[str, ...]) -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [TWO])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(answer(*responses)) == [REFUSED]
    assert handler.events == []
    with pytest.raises(RemoteProtocolError):
        client.say(answer("1", "2"))


def test_a_response_that_nothing_asked_for_ends_the_connection() -> None:
    client = Client(Handler(lambda event: setattr(event, "accept", True), [CODE]))
    with pytest.raises(RemoteProtocolError, match="unknown-type"):
        client.say(answer("1"))
    assert client.server.violation is not None
    with pytest.raises(LocalProtocolError):
        client.say(NONE)


@pytest.mark.parametrize(
    "prompts",
    [
        Prompts([("", True)]),
        Prompts([("\ud800", True)]),
        Prompts([(3, True)]),  # type: ignore[list-item]
        Prompts([("a", True)] * 65),
        Prompts(3),  # type: ignore[arg-type]
        "no prompts",
    ],
)
def test_prompts_that_cannot_be_asked_refuse(prompts: object) -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [prompts])  # type: ignore[list-item]
    client = Client(handler)
    assert client.say(INTERACTIVE) == [REFUSED]
    assert handler.events == []


def test_too_many_rounds_refuse() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [CODE] * 9)
    client = Client(handler, user_auth_limits=UserAuthLimits(rounds=2))
    client.say(INTERACTIVE, answer("1"))
    assert client.say(answer("2")) == [REFUSED]


def test_a_new_request_abandons_an_exchange_without_a_failure_of_its_own() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [CODE])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(PASSWORD) == [UserAuthSuccess()]


def test_the_response_to_an_abandoned_exchange_is_out_of_place() -> None:
    client = Client(Handler(rounds=[CODE]))
    client.say(INTERACTIVE)
    assert client.say(PASSWORD) == [REFUSED]
    with pytest.raises(RemoteProtocolError):
        client.say(answer("1"))


def test_a_handler_that_raises_in_the_middle_is_asked_of_the_rest() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "keyboard-interactive-1":
            raise RuntimeError
        event.accept = True

    handler = Handler(decide, [TWO])
    client = Client(handler)
    assert client.say(INTERACTIVE, answer("1", "2"))[1:] == [REFUSED]
    assert len(handler.events) == 3


def test_what_a_handler_does_with_its_list_later_changes_nothing() -> None:
    prompts = [("Code: ", True), ("PIN: ", False)]
    handler = Handler(accepting("keyboard-interactive"), [Prompts(prompts)])
    client = Client(handler)
    client.say(INTERACTIVE)
    del prompts[1]
    assert client.say(answer("1")) == [REFUSED]
    assert handler.events == []


def test_prompts_that_never_end_refuse() -> None:
    endless = (("Code: ", True) for _ in iter(int, 1))
    client = Client(Handler(rounds=[Prompts(endless)]))  # type: ignore[arg-type]
    assert client.say(INTERACTIVE) == [REFUSED]


@pytest.mark.parametrize("count", [64, 65])
def test_as_many_prompts_as_the_limit(count: int) -> None:
    client = Client(Handler(rounds=[Prompts([("Code: ", True)] * count)]))
    [reply] = client.say(INTERACTIVE)
    assert isinstance(reply, UserAuthInfoRequest) == (count == 64)


def test_an_exchange_is_abandoned_for_a_service_that_there_is_not_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client = Client(Handler(accepting("keyboard-interactive-1", "keyboard-interactive"), [CODE]))
    client.say(INTERACTIVE)
    client.say(UserAuthNone("alice", "ssh-other"))
    assert "exchange abandoned: the client went on to another request" in caplog.text
    with pytest.raises(RemoteProtocolError, match="unknown-type"):
        client.say(answer("1"))
