"""What may be said when: nothing else before authentication, nor while keys are exchanged."""

import logging
import socket
import threading
from typing import Any

import paramiko
import pytest

from authplugin import LocalProtocolError
from authplugin.userauth import (
    SSHUserAuthRequest,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthLimits,
    UserAuthNone,
    UserAuthPassword,
    UserAuthSuccess,
    encode_payload,
)
from authplugin.userauth.transport import ServerAuthentication

from .clients import SERVICE, Handler, accepting
from .transports import WAIT, Raw, connected

EXT_INFO, KEXINIT, NEWKEYS = 7, 20, 21
SUCCESS = UserAuthSuccess.spec.code
FAILURE = UserAuthFailure.spec.code
PASSWORD = encode_payload(UserAuthPassword("alice", SERVICE, "swordfish"))


class Told:
    """Notes with which codes a client is disconnected."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self.codes: list[int] = []
        transport._parse_disconnect = lambda message: self.codes.append(message.get_int())


@pytest.mark.parametrize("asked", [False, True], ids=["at once", "service asked for"])
@pytest.mark.parametrize("number", [80, 82, 89, 90, 92, 93, 98, 100, 101, 192, 255])
def test_no_message_of_a_session_comes_before_authentication(
    number: int, asked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "authplugin.userauth")
    with connected(Handler(accepting("password")), connection_id=7) as (transport, server):
        told = Told(transport)
        if asked:
            Raw(transport)
        transport._send_message(paramiko.Message(bytes((number,)) + bytes(8)))
        transport.join(WAIT)
        assert not transport.is_active()
        server.transport.join(WAIT)
        assert not server.transport.is_alive()
    assert told.codes == [2]
    said = f"connection 7: disconnected: message {number} came before authentication"
    assert caplog.messages == [said]


def test_nor_while_a_decision_is_deferred() -> None:
    with connected(Handler(lambda event: event.defer())) as (transport, server):
        told = Told(transport)
        raw = Raw(transport)
        raw.client.send(PASSWORD)
        raw.client.send(b"\x50" + bytes(8))
        assert raw.ends()
        assert told.codes == [2]
        assert not server.is_authenticated()


def test_afterwards_paramiko_answers_them() -> None:
    with connected(Handler(accepting("password"))) as (client, _):
        client.auth_password("alice", "swordfish")
        assert client.global_request("nothing@example.com") is None
        client.open_session(timeout=WAIT).close()
        assert client.is_active()


def test_a_limit_that_is_over_just_then_leaves_who_has_logged_in_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with connected(Handler(accepting("password"))) as (client, server):
        client.auth_password("alice", "swordfish")
        made = server._server
        assert made is not None
        made._until = 0.0  # long ago
        with monkeypatch.context() as patch:
            patch.setattr(threading, "Timer", None)  # which would close the connection
            server._time_over()
        assert made.disconnect is None
        assert client.global_request("nothing@example.com") is None
        assert client.is_active()


class Stalling:
    """Has a client stop where the server's SSH_MSG_KEXINIT comes, and notes what it reads."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self.read: list[int] = []
        self.stopped = threading.Event()
        self.go_on = threading.Event()
        read_message = transport.packetizer.read_message

        def read() -> tuple[int, Any]:
            number, message = read_message()
            if number != EXT_INFO:  # which paramiko sends behind every SSH_MSG_NEWKEYS
                self.read.append(number)
            if number == KEXINIT:
                self.stopped.set()
                assert self.go_on.wait(WAIT)
            return number, message

        transport.packetizer.read_message = read


@pytest.mark.parametrize("accept", [True, False])
def test_a_decision_waits_for_the_end_of_the_exchange_of_keys(accept: bool) -> None:
    asked = threading.Event()

    def decide(event: SSHUserAuthRequest) -> None:
        event.defer()
        asked.set()

    handler = Handler(decide)
    with connected(handler) as (transport, server):
        stalling = Stalling(transport)
        raw = Raw(transport)
        raw.client.send(PASSWORD)
        assert asked.wait(WAIT)
        transport._send_kex_init()
        # Who has sent SSH_MSG_KEXINIT itself is who must not send anything else.
        assert stalling.stopped.wait(WAIT)
        [event] = handler.events
        event.accept = accept
        assert event.decide()
        assert not server.is_authenticated()
        stalling.go_on.set()
        reply = SUCCESS if accept else FAILURE
        assert raw.read()[0] == reply
        assert server.is_authenticated() is accept
        after = stalling.read[stalling.read.index(KEXINIT) :]
        assert after[-2:] == [NEWKEYS, reply]
        assert all(number == KEXINIT or 30 <= number <= 49 for number in after[1:-2])


def test_replies_wait_in_their_order_and_the_transport_goes_on() -> None:
    taken = threading.Event()

    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.auth_method == "password"
        if event.accept:
            taken.set()

    with connected(Handler(decide), banner="Welcome") as (transport, server):
        stalling = Stalling(transport)
        raw = Raw(transport)
        assert raw.read()[0] == 53
        server.transport._send_kex_init()
        # The client has not read of it yet, for all that the server knows.
        raw.client.send(encode_payload(UserAuthNone("alice", SERVICE)))
        raw.client.send(PASSWORD)
        assert taken.wait(WAIT)
        assert stalling.stopped.wait(WAIT)
        stalling.go_on.set()
        assert raw.read()[0] == FAILURE
        assert raw.read()[0] == SUCCESS
        after = stalling.read[stalling.read.index(KEXINIT) :]
        assert after[-3:] == [NEWKEYS, FAILURE, SUCCESS]


SERVICE_REQUEST = b"\5\0\0\0\x0cssh-userauth"


@pytest.mark.parametrize(
    ("payloads", "code"),
    [([PASSWORD], 14), ([SERVICE_REQUEST] * 65, 2)],
    ids=["attempts", "more than may wait"],
)
def test_a_disconnect_does_not_wait(payloads: list[bytes], code: int) -> None:
    limits = UserAuthLimits(attempts=1)
    with connected(Handler(), user_auth_limits=limits) as (transport, server):
        told = Told(transport)
        read_message = transport.packetizer.read_message

        def no_answer() -> tuple[int, Any]:
            number, message = read_message()
            return read_message() if number == KEXINIT else (number, message)

        transport.packetizer.read_message = no_answer
        raw = Raw(transport)
        server.transport._send_kex_init()
        for payload in payloads:
            raw.client.send(payload)
        assert raw.ends()
        assert told.codes == [code]


def test_decisions_of_several_threads_hold_nobody_up() -> None:
    """Each of two threads has its decision sent; neither waits for the other."""
    handler = Handler(lambda event: event.defer())
    with connected(handler) as (transport, server):
        raw = Raw(transport)
        raw.client.send(PASSWORD)
        transport.renegotiate_keys()
        with server._sending:  # as if another thread were about to send
            handler.events[0].decide()
            assert raw.client.messages.empty()
            server._has_output = False
            server._flush()
            assert server._has_output
        server._flush()
        assert raw.read()[0] == FAILURE


@pytest.mark.parametrize("sending", [True, False], ids=["while it is sent to", "alone"])
def test_time_is_limited_for_a_client_that_does_not_read(
    sending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authplugin.userauth.transport._GRACE", 0.05)
    now = 0.0
    with connected(Handler(), clock=lambda: now) as (transport, server):
        raw = Raw(transport)
        go_on = threading.Event()
        read_message = transport.packetizer.read_message

        def later() -> tuple[int, Any]:
            assert go_on.wait(WAIT)
            number, message = read_message()
            return number, message

        transport.packetizer.read_message = later
        banner = encode_payload(UserAuthBanner("x" * 60_000, ""))
        server._held.extend([banner] * 60)  # more than the socket takes
        thread = threading.Thread(target=server._flush)
        if sending:
            thread.start()
            while not server._sending.locked():
                pass  # it has hardly begun
        now = 1e9
        server._time_over()
        if sending:
            thread.join(WAIT)
            assert not thread.is_alive()
        server.transport.join(WAIT)
        assert not server.transport.is_alive()
        go_on.set()
        while raw.client.messages.get(timeout=WAIT) is not None:
            pass


MISTAKES: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "unknown option": ({"metods": "password"}, TypeError),
    "option that is not the caller's": ({"session_id": b""}, TypeError),
    "unknown algorithm": ({"algorithms": ["bogus"]}, ValueError),
    "methods that are no list": ({"methods": "a,,b"}, ValueError),
    "limits that are none": ({"user_auth_limits": 3}, AttributeError),
    "banner that is too long": ({"banner": "x" * 100_000}, LocalProtocolError),
}


@pytest.mark.parametrize(("options", "raised"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_seen_where_it_is_made(
    options: dict[str, Any], raised: type[Exception]
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = paramiko.Transport(ours)
        before = set(threading.enumerate())
        with pytest.raises(raised):
            ServerAuthentication(transport, Handler(), **options)
        assert transport.auth_handler is None
        assert set(threading.enumerate()) == before
