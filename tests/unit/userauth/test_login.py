"""Logging in by a plugin over paramiko's transports."""

import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authplugin import SupervisedProcess
from authplugin.userauth import (
    AskUser,
    Outcome,
    Prompts,
    SSHUserAuthRequest,
    UserAuthBanner,
    UserAuthLimits,
    encode_payload,
)
from authplugin.userauth.transport import ClientAuthentication, ServerAuthentication, login

from .clients import Handler
from .transports import WAIT, connected

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

    def result(self, success):
        print("told", success, file=sys.stderr)


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
PRIVATE = (
    Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    .decode()
)


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
        assert process.wait(WAIT) == 0  # its input was closed
    assert process.error_output == (b"" if arguments == ("ends",) else b"told True\n")


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


def test_a_server_that_never_stops_talking_is_left(
    plugin: Callable[..., SupervisedProcess],
) -> None:
    with connected(Handler()) as (transport, _):
        client = ClientAuthentication(transport)
        # As the transport does; a server that sends so much may be shown out before it has.
        hear = client._handler_table[UserAuthBanner.spec.code]
        heard = 0
        while transport.is_active() and heard < 100:
            hear(paramiko.Message(encode_payload(UserAuthBanner("!", ""))[1:]))
            heard += 1
        assert not transport.is_active()
        assert client.messages.qsize() <= 66  # those, and that it is over


def test_a_server_that_does_not_offer_it_is_asked_once(
    plugin: Callable[..., SupervisedProcess],
) -> None:
    handler = Handler()
    with connected(handler, methods="publickey") as (transport, _), plugin() as process:
        outcome = login(
            transport,
            process,
            hostname="example.com",
            port=22,
            ask=lambda asked: [],
            timeout=WAIT,
        )
        assert outcome == Outcome(success=False, methods=("publickey",))
        assert handler.methods == []


@pytest.mark.parametrize("first", ["publickey", "keyboard-interactive"])
def test_two_factors_one_of_them_by_plugin(
    first: str, plugin: Callable[..., SupervisedProcess]
) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_param == "123456" or event.completed:
            event.accept = True
        elif event.auth_method == first:
            event.partial_success = True

    def by_plugin(transport: paramiko.Transport) -> Outcome:
        with plugin() as process:
            return login(
                transport,
                process,
                hostname="example.com",
                port=22,
                ask=lambda asked: [],
                timeout=WAIT,
            )

    key = paramiko.Ed25519Key.from_private_key(StringIO(PRIVATE))
    offered = "publickey,keyboard-interactive"
    with connected(Handler(decide, [CODE]), methods=offered) as (transport, server):
        if first == "publickey":
            assert transport.auth_publickey("alice", key) == ["keyboard-interactive"]
            assert by_plugin(transport).success
        else:
            assert by_plugin(transport) == Outcome(False, partial=True, methods=("publickey",))
            assert transport.auth_publickey("alice", key) == []
        assert server.authenticated is not None
        assert len(server.authenticated.methods) == 2
        transport.open_session(timeout=WAIT).close()


def test_compression_begins_with_the_success(plugin: Callable[..., SupervisedProcess]) -> None:
    with (
        connected(Handler(knowing, [CODE]), compressed=True) as (transport, _),
        plugin() as process,
    ):
        outcome = login(
            transport,
            process,
            hostname="example.com",
            port=22,
            ask=lambda asked: [],
            timeout=WAIT,
        )
        assert outcome.success
        transport.open_session(timeout=WAIT).close()
