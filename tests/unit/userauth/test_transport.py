"""Both ends over paramiko's transports, on loopback sockets."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest

from authplugin import SupervisedProcess
from authplugin.userauth import (
    AskUser,
    Outcome,
    Prompts,
    SSHUserAuthRequest,
    UserAuthLimits,
    UserAuthNone,
    UserAuthPassword,
    encode_payload,
)
from authplugin.userauth.transport import ClientAuthentication, ServerAuthentication, login

from .clients import SERVICE, Handler, accepting

KEY = paramiko.RSAKey.generate(2048)
WAIT = 20.0  # seconds


class Server(paramiko.ServerInterface):  # type: ignore[misc]
    """Lets a client that has logged in open a session."""

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


@contextmanager
def connected(
    handler: Handler, **options: Any
) -> Iterator[tuple[paramiko.Transport, ServerAuthentication]]:
    """Yield a client's transport whose keys have been exchanged, and the server's end."""
    ours, theirs = socket.socketpair()
    with paramiko.Transport(ours) as client, paramiko.Transport(theirs) as server:
        server.add_server_key(KEY)
        authentication = ServerAuthentication(server, handler, **options)
        server.start_server(server=Server(), event=threading.Event())
        client.start_client(timeout=WAIT)
        yield client, authentication
    server.join(WAIT)
    client.join(WAIT)
    assert not server.is_alive()
    assert not client.is_alive()


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


class Raw:
    """A client that sends what it likes, and reads payloads."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self.client = ClientAuthentication(transport)
        assert self.read()[:1] == b"\x06"

    def read(self) -> bytes:
        payload = self.client.messages.get(timeout=WAIT)
        assert payload is not None
        return payload

    def ends(self) -> bool:
        return self.client.messages.get(timeout=WAIT) is None


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


PLUGIN = """
import sys

import authplugin


class Fixture(authplugin.Plugin):
    def init(self, client):
        return "alice"

    def keyboard_interactive(self, request, ask_user):
        if "asks" in sys.argv:
            return ask_user([prompt.prompt for prompt in request.prompts])
        return ["123456" for _ in request.prompts]


if "ends" not in sys.argv:
    authplugin.run(Fixture())
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., SupervisedProcess]:
    path = tmp_path / "plugin.py"
    path.write_text(PLUGIN)
    return lambda *arguments: SupervisedProcess([sys.executable, str(path), *arguments])


def knowing(event: SSHUserAuthRequest) -> None:
    event.accept = event.auth_param in ("", "123456")


CODE = Prompts([("Code: ", True)])


@pytest.mark.parametrize("arguments", [(), ("asks",), ("ends",)])
def test_a_login_by_plugin(
    arguments: tuple[str, ...], plugin: Callable[..., SupervisedProcess]
) -> None:
    asked: list[AskUser] = []
    shown: list[object] = []

    def ask(question: AskUser) -> list[str]:
        asked.append(question)
        return ["123456"]

    with (
        connected(Handler(knowing, [CODE])) as (transport, server),
        plugin(*arguments) as process,
    ):
        outcome = login(
            transport,
            process,
            hostname="example.com",
            port=22,
            username="bob",
            ask=ask,
            show=shown.append,
            timeout=WAIT,
        )
        assert outcome == Outcome(success=True)
        assert server.get_username() == transport.get_username()
        assert server.get_username() == ("bob" if arguments == ("ends",) else "alice")
        assert transport.is_authenticated()
        assert [each.by_plugin for each in asked] == {
            (): [],
            ("asks",): [True],
            ("ends",): [False],
        }[arguments]
        assert shown[-1] == outcome
        transport.open_session(timeout=WAIT).close()


def test_a_refused_login_is_tried_again_and_ends(
    plugin: Callable[..., SupervisedProcess],
) -> None:
    handler = Handler(rounds=[CODE])
    with connected(handler) as (transport, server), plugin() as process:
        outcome = login(
            transport,
            process,
            hostname="example.com",
            port=22,
            ask=lambda asked: [],
            attempts=2,
            timeout=WAIT,
        )
        assert not outcome.success
        assert handler.methods.count("keyboard-interactive") == 2
        assert not server.is_authenticated()
        assert transport.get_username() is None


def test_a_server_that_closes_the_connection(plugin: Callable[..., SupervisedProcess]) -> None:
    limits = UserAuthLimits(attempts=1)
    with (
        connected(Handler(rounds=[CODE]), user_auth_limits=limits) as (transport, _),
        plugin() as process,
        pytest.raises(EOFError),
    ):
        login(
            transport,
            process,
            hostname="example.com",
            port=22,
            ask=lambda asked: [],
            timeout=WAIT,
        )


def test_a_server_that_is_silent(plugin: Callable[..., SupervisedProcess]) -> None:
    handler = Handler(lambda event: event.defer())
    with (
        connected(handler) as (transport, _),
        plugin() as process,
        pytest.raises(TimeoutError, match="the server said nothing"),
    ):
        login(
            transport,
            process,
            hostname="example.com",
            port=22,
            ask=lambda asked: [],
            timeout=2.0,
        )


@pytest.mark.parametrize(
    ("code", "says"),
    [(5, lambda server: server.send(b"\x34")), (50, lambda server: server.transport.close())],
    ids=["no service", "hangs up"],
)
def test_a_server_that_does_something_else(
    code: int,
    says: Callable[[ServerAuthentication], None],
    plugin: Callable[..., SupervisedProcess],
) -> None:
    with connected(Handler()) as (transport, server), plugin() as process:
        server._handler_table[code] = lambda message: says(server)
        with pytest.raises(EOFError):
            login(
                transport,
                process,
                hostname="example.com",
                port=22,
                ask=lambda asked: [],
                timeout=WAIT,
            )
