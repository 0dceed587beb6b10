"""More methods than one: what is done, what remains, and what flushes it."""

import pytest

from authplugin.userauth import (
    SSHUserAuthRequest,
    UserAuthFailure,
    UserAuthNone,
    UserAuthSuccess,
)

from .clients import (
    INTERACTIVE,
    NONE,
    PASSWORD,
    REFUSED,
    SERVICE,
    Client,
    Handler,
    Key,
    answer,
    partly,
)


def test_a_partial_success_by_key_takes_a_good_signature_too() -> None:
    key = Key()
    client = Client(Handler(lambda event: setattr(event, "partial_success", True)))
    assert client.say(key.request(session_id=b"another session")) == [REFUSED]
    [reply] = client.say(key.request())
    assert reply == UserAuthFailure("password,keyboard-interactive", True)


def test_two_factors() -> None:
    key = Key()
    client = Client(partly("publickey", "keyboard-interactive"))
    assert client.say(PASSWORD) == [REFUSED]
    left = UserAuthFailure("password,keyboard-interactive", True)
    assert client.say(key.request()) == [left]
    client.say(INTERACTIVE)
    assert client.say(answer("1")) == [UserAuthSuccess()]
    assert client.server.authenticated is not None
    assert client.server.authenticated.methods == ("publickey", "keyboard-interactive")


def test_what_is_done_survives_a_refusal_and_is_not_listed_again() -> None:
    client = Client(partly("password", "publickey"))
    client.say(PASSWORD)
    refused = UserAuthFailure("publickey,keyboard-interactive", False)
    assert client.say(PASSWORD, NONE) == [refused, refused]
    assert client.say(Key().request()) == [UserAuthSuccess()]


@pytest.mark.parametrize("change", [("bob", SERVICE), ("alice", "another")])
def test_what_is_done_is_flushed_with_user_or_service(change: tuple[str, str]) -> None:
    client = Client(partly("password", "keyboard-interactive"), services=(SERVICE, "another"))
    client.say(PASSWORD)
    assert client.say(UserAuthNone(*change)) == [REFUSED]
    client.say(INTERACTIVE)
    assert client.say(answer("1")) == [REFUSED]


def test_both_set_is_the_smaller_of_the_two() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.partial_success = True

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [UserAuthFailure("publickey,keyboard-interactive", True)]
