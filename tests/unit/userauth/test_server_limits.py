"""How much a client may try, and when nothing counts any more."""

from typing import Any

import pytest

from authplugin import LocalProtocolError
from authplugin.userauth import (
    SSHUserAuthRequest,
    UserAuthBanner,
    UserAuthLimits,
    UserAuthServer,
)

from .clients import (
    NONE,
    PASSWORD,
    REFUSED,
    SESSION_ID,
    Client,
    Handler,
    Key,
    accepting,
    partly,
)


def test_after_success_requests_are_ignored() -> None:
    client = Client(Handler(accepting("password")))
    client.say(PASSWORD)
    client.server.receive(b"\x32 anything")
    assert client.say(NONE, PASSWORD) == []
    assert client.server.disconnect is None


def test_every_refusal_is_an_attempt_and_partial_successes_are() -> None:
    key = Key()
    client = Client(
        partly("password", "publickey", "keyboard-interactive"),
        user_auth_limits=UserAuthLimits(attempts=3),
    )
    assert len(client.say(NONE, PASSWORD)) == 2
    assert client.server.disconnect is None
    assert len(client.say(key.request())) == 1
    assert client.server.disconnect is not None
    assert client.server.disconnect.code == 14
    with pytest.raises(LocalProtocolError):
        client.say(NONE)


def test_requests_may_be_pipelined_until_the_last_attempt() -> None:
    client = Client(Handler(), user_auth_limits=UserAuthLimits(attempts=2))
    assert client.say(NONE, PASSWORD) == [REFUSED, REFUSED]
    assert client.server.disconnect is not None


def test_time_is_limited() -> None:
    now = [0.0]
    handler = Handler()
    client = Client(handler, clock=lambda: now[0], user_auth_limits=UserAuthLimits(seconds=10.0))
    now[0] = 9.9
    assert client.say(NONE) == [REFUSED]
    now[0] = 10.0
    assert client.say(NONE) == []
    assert len(handler.events) == 1
    assert client.server.disconnect is not None
    assert client.server.disconnect.code == 14


def test_time_does_not_matter_once_logged_in() -> None:
    now = [0.0]
    client = Client(Handler(accepting("password")), clock=lambda: now[0])
    client.say(PASSWORD)
    now[0] = 1e6
    client.server.check_time()
    assert client.server.disconnect is None


def test_a_banner_is_sent_before_the_success_only() -> None:
    client = Client(Handler(accepting("password")))
    client.server.send_banner("Welcome", "en")
    assert client.replies() == [UserAuthBanner("Welcome", "en")]
    client.say(PASSWORD)
    with pytest.raises(LocalProtocolError, match="session-over"):
        client.server.send_banner("Welcome")


@pytest.mark.parametrize(
    "wrong", [{"algorithms": ("ssh-ed25519", "rot13")}, {"methods": "password,,publickey"}]
)
def test_a_server_that_makes_no_sense_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"rot13|password,,publickey"):
        UserAuthServer(Handler(), session_id=SESSION_ID, **wrong)  # type: ignore[arg-type]


def test_a_hostile_client_holds_no_memory_and_never_gets_in() -> None:
    client = Client(
        Handler(), user_auth_limits=UserAuthLimits(attempts=10_001, seconds=float("inf"))
    )
    for _ in range(10_000):
        assert client.say(PASSWORD) == [REFUSED]
        assert client.server.held == 0
    assert client.server.disconnect is None
    client.say(PASSWORD)
    assert client.server.disconnect is not None


def test_what_takes_a_handler_too_long_counts_for_nothing() -> None:
    now = [0.0]

    def decide(event: SSHUserAuthRequest) -> None:
        now[0] = 600.0
        event.accept = True

    client = Client(Handler(decide), clock=lambda: now[0])
    assert client.say(PASSWORD) == []
    assert client.server.authenticated is None
    assert client.server.disconnect is not None


def test_a_client_that_goes_while_the_handler_is_at_it_gets_nothing() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = True
        client.server.connection_lost()

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == []
    assert client.server.authenticated is None


def test_a_handler_that_leaves_refuses_and_one_that_is_interrupted_lets_nobody_in() -> None:
    def leave(event: SSHUserAuthRequest) -> None:
        event.accept = True
        raise SystemExit

    assert Client(Handler(leave)).say(PASSWORD) == [REFUSED]

    def interrupt(event: SSHUserAuthRequest) -> None:
        event.accept = True
        if event.auth_method == "password":
            raise KeyboardInterrupt
        event.accept = False

    client = Client(Handler(interrupt))
    for _ in range(client.server.user_auth_limits.attempts):  # which do not count
        with pytest.raises(KeyboardInterrupt):
            client.say(PASSWORD)
    assert client.say(NONE) == [REFUSED]
    assert client.server.authenticated is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, value)
            for name in ("attempts", "rounds", "prompts", "waiting")
            for value in (-1, 1.0, True, None)
        ),
        ("attempts", 0),
        *(("seconds", value) for value in (-0.1, float("nan"), "1", True)),
    ],
)
def test_limits_are_numbers(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"UserAuthLimits\.{name} is .*, and must be a"):
        UserAuthLimits(**{name: value})


def test_the_least_limits() -> None:
    limits = UserAuthLimits(attempts=1, seconds=0, rounds=0, prompts=0, waiting=0)
    assert UserAuthLimits(seconds=float("inf")) != limits


def test_a_session_identifier_is_bytes() -> None:
    with pytest.raises(TypeError, match="session_id must be bytes, not str"):
        UserAuthServer(Handler(), session_id="session")  # type: ignore[arg-type]


def test_the_limits_that_hold_unless_others_are_said() -> None:
    limits = UserAuthLimits()
    assert (limits.attempts, limits.seconds) == (20, 600.0)  # RFC 4252, section 4 says so
    assert (limits.rounds, limits.prompts, limits.waiting) == (16, 64, 16)
