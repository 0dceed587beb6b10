"""What the server replies to each request, and what it asks of the handler."""

import logging
import sys

import pytest

from authplugin import Limits, RemoteProtocolError
from authplugin.userauth import (
    Authenticated,
    SSHUserAuthRequest,
    UserAuthFailure,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthSuccess,
)

from .clients import (
    NONE,
    PASSWORD,
    REFUSED,
    SERVICE,
    Client,
    Handler,
    Key,
    accepting,
)


def test_none_is_refused_with_the_methods_that_are_there() -> None:
    handler = Handler()
    client = Client(handler, connection_id=7)
    assert client.say(NONE) == [REFUSED]
    [event] = handler.events
    assert (event.connection_id, event.user, event.service) == (7, "alice", SERVICE)
    assert (event.auth_method, event.auth_param, event.key_algorithm) == ("none", "", "")


def test_none_can_be_accepted() -> None:
    client = Client(Handler(accepting("none")))
    assert client.say(NONE) == [UserAuthSuccess()]


def test_what_a_handler_makes_available_is_told_and_stays() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "none":
            event.available_methods = "none,password,hostbased"

    client = Client(Handler(decide))
    offered = UserAuthFailure("password,hostbased", False)
    assert client.say(NONE, PASSWORD) == [offered, offered]
    assert client.say(UserAuthNone("bob", SERVICE)) == [offered]
    assert client.say(UserAuthPassword("carol", SERVICE, "x")) == [REFUSED]


@pytest.mark.parametrize("wrong", ["a,,b", ",", "é", None, 3])
def test_what_is_no_list_of_names_refuses(wrong: object, caplog: pytest.LogCaptureFixture) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = True
        event.available_methods = wrong  # type: ignore[assignment]

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [REFUSED]
    assert "available_methods is no list of names" in caplog.text


@pytest.mark.parametrize("accept", [True, False])
def test_password(accept: bool) -> None:
    handler = Handler(lambda event: setattr(event, "accept", accept))
    client = Client(handler, root_directory="/srv")
    assert client.say(PASSWORD) == [UserAuthSuccess() if accept else REFUSED]
    [event] = handler.events
    assert (event.auth_method, event.auth_param, event.new_password) == (
        "password",
        "swordfish",
        None,
    )
    assert "swordfish" not in repr(event)
    expected = Authenticated("alice", SERVICE, ("password",), "/srv") if accept else None
    assert client.server.authenticated == expected


@pytest.mark.parametrize("almost", ["yes", 1, "True", [True]])
@pytest.mark.parametrize("name", ["accept", "partial_success"])
def test_only_true_is_true(name: str, almost: object) -> None:
    client = Client(Handler(lambda event: setattr(event, name, almost)))
    assert client.say(PASSWORD) == [REFUSED]


def test_the_home_directory_is_the_handlers() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept, event.home_dir = True, "/home/alice"

    client = Client(Handler(decide), root_directory="/srv")
    client.say(PASSWORD)
    assert client.server.authenticated is not None
    assert client.server.authenticated.home_dir == "/home/alice"


def test_a_password_has_to_be_changed() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.new_password is None:
            event.change_password = "Choose another one"
            event.accept = True  # counts for nothing
        else:
            event.accept = (event.auth_param, event.new_password) == ("swordfish", "marlin")

    handler = Handler(decide)
    client = Client(handler)
    assert client.say(PASSWORD) == [UserAuthPasswordChangeRequired("Choose another one", "")]
    changed = UserAuthPasswordChange("alice", SERVICE, "swordfish", "marlin")
    assert client.say(changed) == [UserAuthSuccess()]
    assert "marlin" not in repr(changed) + repr(handler.events)


def test_public_key_query_then_signature() -> None:
    key = Key()
    handler = Handler(accepting("publickey"))
    client = Client(handler)
    query = UserAuthPublicKeyQuery("alice", SERVICE, key.algorithm, key.blob)
    assert client.say(query) == [UserAuthPublicKeyOk(key.algorithm, key.blob)]
    assert client.server.authenticated is None
    assert client.say(key.request()) == [UserAuthSuccess()]
    assert [event.is_query for event in handler.events] == [True, False]
    assert {event.key_algorithm for event in handler.events} == {"ssh-ed25519"}
    assert {event.auth_param for event in handler.events} == {key.blob}


def test_a_key_that_the_handler_refuses() -> None:
    key = Key()
    client = Client(Handler())
    query = UserAuthPublicKeyQuery("alice", SERVICE, key.algorithm, key.blob)
    assert client.say(query, key.request()) == [REFUSED, REFUSED]


def test_a_signature_is_over_this_session_user_and_key() -> None:
    key, other = Key(), Key()
    client = Client(Handler(accepting("publickey")), services=(SERVICE, "ssh-other"))
    replayed = key.request(session_id=b"another session")
    assert client.say(replayed) == [REFUSED]
    other_user = key.request("bob")
    other_user.user = "alice"
    assert client.say(other_user) == [REFUSED]
    for name, value in (("user", "bob"), ("service", "ssh-other")):
        moved = key.request()
        setattr(moved, name, value)
        assert client.say(moved) == [REFUSED]
    other_key = key.request()
    other_key.blob = other.blob
    assert client.say(other_key) == [REFUSED]
    assert client.say(key.request()) == [UserAuthSuccess()]


def test_an_algorithm_that_is_off_is_refused_unasked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    key = Key()
    handler = Handler(accepting("publickey"))
    client = Client(handler, algorithms=("rsa-sha2-256",))
    assert client.say(key.request()) == [REFUSED]
    assert handler.events == []
    assert "'publickey' refused: the public key algorithm is not one that is switched on" in (
        caplog.text
    )


def test_a_key_that_is_none_is_refused_unasked() -> None:
    handler = Handler(accepting("publickey"))
    client = Client(handler)
    request = UserAuthPublicKeyQuery("alice", SERVICE, "ssh-ed25519", b"no key")
    assert client.say(request) == [REFUSED]
    assert handler.events == []


def test_a_reply_that_cannot_be_sent_is_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(Handler(lambda event: setattr(event, "change_password", "\ud800")))
    assert client.say(PASSWORD) == [REFUSED]
    assert "bad-value" in caplog.text


def test_what_only_a_server_says_ends_the_connection() -> None:
    client = Client(Handler())
    with pytest.raises(RemoteProtocolError, match="wrong-side"):
        client.server.receive(b"\x34")


def test_an_unknown_service_is_refused() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True))
    client = Client(handler)
    assert client.say(UserAuthPassword("alice", "ssh-other", "x")) == [REFUSED]
    assert handler.events == []


def test_an_unknown_method_is_refused_unless_it_is_offered() -> None:
    handler = Handler(accepting("hostbased"))
    request = UserAuthOther("alice", SERVICE, "hostbased", b"raw \xff")
    assert Client(handler).say(request) == [REFUSED]
    assert handler.events == []
    client = Client(handler, methods="hostbased,password")
    assert client.say(request) == [UserAuthSuccess()]
    assert handler.events[0].auth_param == b"raw \xff"


def test_no_method_passes_for_a_response() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True))
    name = "keyboard-interactive-1"
    client = Client(handler, methods=f"password,{name}")
    client.say(UserAuthOther("alice", SERVICE, name, b""))
    assert handler.events == []
    assert client.server.authenticated is None


def test_a_handler_that_raises_refuses_and_shows_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.partial_success = True
        event.change_password = "x"
        raise ValueError(event.auth_param)

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [REFUSED]
    assert "the handler raised ValueError" in caplog.text
    assert "in decide" in caplog.text
    assert "swordfish" not in caplog.text


def test_an_event_that_no_server_made_cannot_be_decided() -> None:
    event = SSHUserAuthRequest(
        connection_id=0, user="", service="", auth_method="none", auth_param=""
    )
    assert not event.decide()


@pytest.mark.parametrize(
    "methods", ["m" * 40 + ",password", b"password"], ids=["too long", "no text"]
)
def test_methods_that_cannot_be_told_of_refuse(methods: object) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.change_password = "Choose another one"
        event.available_methods = methods  # type: ignore[assignment]

    client = Client(Handler(decide), limits=Limits(text=46))
    assert client.say(PASSWORD) == [REFUSED]


def test_a_method_without_a_name_is_never_offered() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True))
    client = Client(handler, methods="")
    [reply] = client.say(UserAuthOther("alice", SERVICE, "", b""))
    assert reply == UserAuthFailure("", False)
    assert handler.events == []


def test_no_name_of_a_method_makes_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = Client(Handler())
    client.say(UserAuthOther("alice", SERVICE, "x\nconnection 0: all is well" + "y" * 999, b""))
    [record] = caplog.records
    text = record.getMessage()
    assert "\n" not in text
    assert len(text) < 200


def test_without_cryptography_keys_are_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    request = Key().request()
    module = "cryptography.hazmat.primitives.asymmetric.ed25519"
    monkeypatch.setitem(sys.modules, module, None)
    client = Client(Handler(accepting("publickey")))
    assert client.say(request) == [REFUSED]
    assert "pip install 'authplugin[ssh]'" in caplog.text
