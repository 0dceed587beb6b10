"""Which methods a client is offered, and what a grant that comes to nothing leaves behind."""

import logging
from collections.abc import Callable

import pytest

from authplugin import RemoteProtocolError
from authplugin.userauth import (
    SSHUserAuthRequest,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthLimits,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthSuccess,
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
    accepting,
    answer,
)

Decide = Callable[[SSHUserAuthRequest], None]


def then(next_method: str) -> Decide:
    """Return what grants everything in part, and says what comes next."""

    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "none":
            return
        event.accept = event.auth_method.startswith("keyboard-interactive-")
        event.partial_success = not event.accept
        event.available_methods = next_method

    return decide


def test_a_query_grants_nothing() -> None:
    key = Key()
    client = Client(Handler(then("password")))
    query = UserAuthPublicKeyQuery("alice", SERVICE, key.algorithm, key.blob)
    assert client.say(query) == [UserAuthPublicKeyOk(key.algorithm, key.blob)]
    assert client.say(NONE) == [REFUSED]
    assert client.say(key.request()) == [UserAuthFailure("password", True)]
    assert client.say(NONE) == [UserAuthFailure("password", False)]


def test_a_forged_signature_grants_nothing() -> None:
    client = Client(Handler(then("password")))
    assert client.say(Key().request(session_id=b"another")) == [REFUSED]
    assert client.say(NONE) == [REFUSED]


def test_responses_that_are_refused_grant_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def decide(event: SSHUserAuthRequest) -> None:
        then("password")(event)
        if event.auth_method == "keyboard-interactive-1":
            event.accept = False
            event.available_methods = "publickey,password,keyboard-interactive"

    client = Client(Handler(decide, [CODE]))
    client.say(INTERACTIVE)
    assert client.say(answer("0")) == [REFUSED]
    assert "not every response was accepted" in caplog.text


def test_an_abandoned_exchange_grants_nothing() -> None:
    handler = Handler(then("password"), [CODE, CODE])
    client = Client(handler)
    client.say(INTERACTIVE, answer("1"))
    assert handler.events[0].available_methods == "password"
    assert client.say(NONE) == [REFUSED]


def test_a_password_that_has_to_be_changed_grants_nothing() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        then("publickey")(event)
        if event.auth_method == "password":
            event.change_password = "It is old."

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [UserAuthPasswordChangeRequired("It is old.", "")]
    assert client.say(NONE) == [REFUSED]


def test_what_one_event_grants_the_next_of_the_exchange_starts_with() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "keyboard-interactive-1":
            event.accept, event.available_methods = True, "password"
        else:
            event.partial_success = True

    handler = Handler(decide, [CODE])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(answer("1")) == [UserAuthFailure("password", True)]
    assert handler.events[-1].available_methods == "password"


def test_a_method_that_is_not_offered_is_refused_without_an_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    handler = Handler(accepting("password", "keyboard-interactive", "hostbased"))
    client = Client(handler, methods="publickey")
    for request in (PASSWORD, INTERACTIVE, UserAuthOther("alice", SERVICE, "hostbased", b"")):
        assert client.say(request) == [UserAuthFailure("publickey", False)]
    assert handler.events == []
    assert caplog.text.count("the method is not one that is offered") == 3


def test_the_second_factor_does_not_do_for_the_first() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "password":
            event.partial_success, event.available_methods = True, "publickey"
        event.accept = event.auth_method == "publickey"

    client = Client(Handler(decide), methods="password")
    key = Key()
    assert client.say(key.request()) == [UserAuthFailure("password", False)]
    assert client.say(PASSWORD) == [UserAuthFailure("publickey", True)]
    assert client.say(key.request()) == [UserAuthSuccess()]


def test_an_abandoned_exchange_counts_as_an_attempt() -> None:
    handler = Handler(rounds=[CODE])
    client = Client(handler, user_auth_limits=UserAuthLimits(attempts=3))
    question = UserAuthInfoRequest("", "", "", [("Code: ", True)])
    assert [client.say(INTERACTIVE) for _ in range(3)] == [[question]] * 3
    assert client.say(INTERACTIVE) == []
    assert client.server.disconnect is not None
    assert len(handler.asked) == 3


@pytest.mark.parametrize("where", ["password", "keyboard-interactive-1"])
def test_the_first_directory_stays(where: str) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == where:
            event.home_dir = "/home/alice"
        if event.auth_method == "password":
            event.partial_success, event.available_methods = True, "keyboard-interactive"
        else:
            event.accept = True

    handler = Handler(decide, [CODE])
    client = Client(handler)
    client.say(PASSWORD, INTERACTIVE, answer("1"))
    assert client.server.authenticated is not None
    assert client.server.authenticated.home_dir == "/home/alice"
    assert handler.events[-1].home_dir == "/home/alice"


def test_the_first_directory_of_another_user_does_not_stay() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.user == "bob"
        event.partial_success = not event.accept
        event.home_dir = "" if event.user == "bob" else "/home/alice"

    client = Client(Handler(decide), root_directory="/srv")
    client.say(PASSWORD, UserAuthPassword("bob", SERVICE, "swordfish"))
    assert client.server.authenticated is not None
    assert client.server.authenticated.home_dir == "/srv"


def test_a_refusal_sets_no_first_directory() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "none":
            event.home_dir = "/home/mallory"
        event.accept = event.auth_method == "password"

    client = Client(Handler(decide))
    client.say(NONE, PASSWORD)
    assert client.server.authenticated is not None
    assert client.server.authenticated.home_dir == "/"


@pytest.mark.parametrize(
    "methods", ["password, publickey", "a\x00b", "a\x7f", "x" * 65, "a,,b", "naïve", None, b"none"]
)
def test_a_list_that_makes_no_sense_refuses(
    methods: object, caplog: pytest.LogCaptureFixture
) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = True
        event.available_methods = methods  # type: ignore[assignment]

    assert Client(Handler(decide)).say(PASSWORD) == [REFUSED]
    assert "available_methods is no list of names" in caplog.text
    if isinstance(methods, str):
        with pytest.raises(ValueError, match="no list of names"):
            Client(Handler(), methods=methods)


def test_a_name_of_64_characters_is_one() -> None:
    client = Client(Handler(), methods=f"{'x' * 64},password@example.com")
    assert client.say(NONE) == [UserAuthFailure(f"{'x' * 64},password@example.com", False)]


@pytest.mark.parametrize("name", ["accept", "partial_success"])
@pytest.mark.parametrize("value", [1, "yes", None])
def test_a_decision_that_is_no_bool_refuses(
    name: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        setattr(event, name, value)

    assert Client(Handler(decide)).say(PASSWORD) == [REFUSED]
    assert "accept and partial_success have to be True or False" in caplog.text


def test_events_are_told_apart_by_identity() -> None:
    handler = Handler()
    Client(handler).say(PASSWORD, PASSWORD)
    one, two = handler.events
    assert one != two
    assert len({one, two}) == 2


def test_an_event_knows_its_round() -> None:
    handler = Handler(rounds=[CODE, CODE])
    Client(handler).say(NONE, INTERACTIVE, answer("1"), answer("2"))
    assert [(event.auth_method, event.round) for event in handler.events] == [
        ("none", 0),
        ("keyboard-interactive-1", 1),
        ("keyboard-interactive-1", 2),
        ("keyboard-interactive", 0),
    ]


class CancelledError(BaseException):
    """What is no Exception, as asyncio's."""


def test_whatever_a_handler_raises_refuses(caplog: pytest.LogCaptureFixture) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = True
        event.defer()
        raise CancelledError

    handler = Handler(decide)
    client = Client(handler)
    assert client.say(PASSWORD) == [REFUSED]
    assert not handler.events[0].decide()
    assert client.say(NONE) == [REFUSED]
    assert "CancelledError, which refuses" in caplog.text


def test_why_a_client_is_left_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Client(Handler(), user_auth_limits=UserAuthLimits(attempts=1)).say(NONE)
    assert "disconnected: too many attempts" in caplog.text
    client = Client(Handler())
    with pytest.raises(RemoteProtocolError):
        client.server.receive(b"\x42")
    assert "the client broke the protocol: " in caplog.text
