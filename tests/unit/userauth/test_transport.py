"""Both ends over paramiko's transports, on a pair of sockets."""

from time import monotonic
from typing import Any

import paramiko
import pytest

from authplugin.userauth import (
    Disconnect,
    UserAuthBanner,
    UserAuthLimits,
    UserAuthNone,
    UserAuthPassword,
    encode_payload,
)

from .clients import SERVICE, Handler, accepting
from .transports import WAIT, Raw, connected


def test_paramikos_own_client_logs_in_and_opens_a_session() -> None:
    with connected(Handler(accepting("password"))) as (client, server):
        assert client.auth_password("alice", "swordfish") == []
        assert client.is_authenticated()
        assert server.authenticated is not None
        assert server.authenticated.user == server.get_username() == "alice"
        client.open_session(timeout=WAIT).close()


def test_before_that_no_session_is_opened() -> None:
    with connected(Handler()) as (client, server):
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_password("alice", "swordfish")
        assert server.get_username() is None
        with pytest.raises(paramiko.SSHException):
            client.open_session(timeout=WAIT)


def test_the_server_tells_what_it_takes_signatures_of() -> None:
    with connected(Handler(), algorithms=("rsa-sha2-256",)) as (client, _):
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_none("alice")
        assert client.server_extensions == {"server-sig-algs": b"rsa-sha2-256"}


def test_a_banner() -> None:
    with connected(Handler(accepting("password")), banner="Welcome") as (client, _):
        client.auth_password("alice", "x")
        assert client.get_banner() == b"Welcome"


def test_a_deferred_decision_holds_nothing_up() -> None:
    handler = Handler(lambda event: event.defer())
    with connected(handler) as (transport, server):
        raw = Raw(transport)
        raw.client.send(encode_payload(UserAuthPassword("alice", SERVICE, "x")))
        # The transport goes on: it answers this before the decision is made.
        transport.renegotiate_keys()
        [event] = handler.events
        event.accept = True
        assert event.decide()
        assert raw.read() == b"\x34"
        assert server.is_authenticated()


def test_a_client_that_breaks_the_protocol_is_shown_out() -> None:
    with connected(
        Handler(),
    ) as (transport, server):
        raw = Raw(transport)
        raw.client.send(b"\x32garbage")
        assert raw.ends()
        assert not server.is_authenticated()


def test_attempts_are_limited() -> None:
    limits = UserAuthLimits(attempts=2)
    with connected(Handler(), user_auth_limits=limits) as (transport, _):
        raw = Raw(transport)
        for _ in range(4):
            raw.client.send(encode_payload(UserAuthNone("alice", SERVICE)))
        assert raw.read()[:1] == raw.read()[:1] == b"\x33"
        assert raw.ends()


def test_time_is_limited() -> None:
    with connected(Handler(), user_auth_limits=UserAuthLimits(seconds=0.05)) as (transport, _):
        assert Raw(transport).ends()


def test_only_user_authentication_can_be_asked_for() -> None:
    with connected(Handler()) as (transport, _):
        message: Any = paramiko.Message()
        message.add_byte(b"\5")
        message.add_string("ssh-connection")
        transport._send_message(message)
        transport.join(WAIT)
        assert not transport.is_active()


def test_requests_wait_for_the_service() -> None:
    with connected(Handler(accepting("password"))) as (transport, server):
        payload = encode_payload(UserAuthPassword("alice", SERVICE, "x"))
        transport._send_message(paramiko.Message(payload))
        transport.join(WAIT)
        assert not transport.is_active()
        assert not server.is_authenticated()


def test_the_service_can_be_asked_for_twice() -> None:
    handler = Handler()
    with connected(handler) as (transport, _):
        Raw(transport)
        raw = Raw(transport)
        raw.client.send(encode_payload(UserAuthNone("alice", SERVICE)))
        assert raw.read()[:1] == b"\x33"


def test_a_client_that_hangs_up_leaves_nothing_to_decide() -> None:
    handler = Handler(lambda event: event.defer())
    with connected(handler) as (transport, server):
        raw = Raw(transport)
        raw.client.send(encode_payload(UserAuthPassword("alice", SERVICE, "x")))
        transport.renegotiate_keys()
        transport.close()
        server.transport.join(WAIT)
        [event] = handler.events
        event.accept = True
        assert not event.decide()
        assert not server.is_authenticated()


def test_a_client_may_hang_up_before_it_asks_for_anything() -> None:
    with connected(Handler()) as (transport, server):
        transport.close()
        server.transport.join(WAIT)
        assert not server.is_authenticated()


def test_what_is_decided_on_a_closed_connection_goes_nowhere() -> None:
    handler = Handler(lambda event: event.defer())
    with connected(handler) as (transport, server):
        raw = Raw(transport)
        raw.client.send(encode_payload(UserAuthPassword("alice", SERVICE, "x")))
        transport.renegotiate_keys()
        server.transport.close()  # of which paramiko tells nobody
        handler.events[0].decide()
        assert raw.ends()


def ask_for(transport: paramiko.Transport, service: bytes) -> None:
    """Send a SSH_MSG_SERVICE_REQUEST."""
    transport._send_message(paramiko.Message(b"\5" + service))


@pytest.mark.parametrize(
    "service",
    [b"", b"\0\0\0\x0cssh-userauth\0", b"\0\0\0\4\xff\xff\xff\xff", b"\xff\xff\xff\xff"],
    ids=["nothing", "more", "no text", "truncated"],
)
def test_a_service_that_is_none_is_refused_without_a_traceback(
    service: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(Handler()) as (transport, _):
        ask_for(transport, service)
        transport.join(WAIT)
        assert not transport.is_active()
    assert "Traceback" not in caplog.text


def test_a_banner_is_shown_once_and_asking_again_does_no_harm() -> None:
    with connected(Handler(accepting("password")), banner="Welcome") as (transport, server):
        raw = Raw(transport)
        assert raw.read() == encode_payload(UserAuthBanner("Welcome", ""))
        raw.client.send(encode_payload(UserAuthPassword("alice", SERVICE, "x")))
        assert raw.read() == b"\x34"
        raw = Raw(transport)
        raw.client.send(encode_payload(UserAuthNone("alice", SERVICE)))
        transport.renegotiate_keys()
        assert raw.client.messages.empty()
        assert server.is_authenticated()


def test_time_is_limited_for_a_client_that_asks_for_nothing() -> None:
    with connected(Handler(), user_auth_limits=UserAuthLimits(seconds=0.5)) as (transport, server):
        transport.join(WAIT)
        assert not transport.is_active()
        assert not server.is_authenticated()


def test_the_time_begins_with_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(Handler(), user_auth_limits=UserAuthLimits(seconds=600.0)) as (
        transport,
        server,
    ):
        later = monotonic() + 100.0
        monkeypatch.setattr("authplugin.userauth.transport.monotonic", lambda: later)
        raw = Raw(transport)
        raw.client.send(encode_payload(UserAuthNone("alice", SERVICE)))
        assert raw.read()[:1] == b"\x33"
        assert server._server is not None
        assert server._server.user_auth_limits.seconds <= 500.0


def test_a_decision_that_cannot_be_sent_any_more_raises_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(message: object) -> None:
        raise EOFError

    handler = Handler(lambda event: event.defer())
    with connected(handler) as (transport, server):
        Raw(transport).client.send(encode_payload(UserAuthPassword("alice", SERVICE, "x")))
        transport.renegotiate_keys()
        monkeypatch.setattr(server.transport, "_send_message", gone)
        assert handler.events[0].decide()
        server.leave(Disconnect(11, "gone"))
        assert not server.transport.is_active()


def test_time_need_not_be_limited() -> None:
    limits = UserAuthLimits(seconds=float("inf"))
    with connected(Handler(accepting("password")), user_auth_limits=limits) as (client, server):
        assert server._timer.is_alive()
        assert client.auth_password("alice", "swordfish") == []


def test_compression_begins_with_the_success() -> None:
    with connected(Handler(accepting("password")), compressed=True) as (client, server):
        client.auth_password("alice", "swordfish")
        assert client.remote_compression == "zlib@openssh.com"
        client.open_session(timeout=WAIT).close()
        assert server.transport.is_active()
