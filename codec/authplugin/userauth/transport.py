"""Both ends of user authentication over a paramiko `Transport` (an extra: `authplugin[ssh]`).

paramiko's own server interface renames algorithms, takes unknown methods for `none` and disconnects
where the user changes; and its client cannot be asked in rounds by somebody else. So both ends get
an authentication handler of their own, which passes raw payloads on. The seam is what paramiko's
transport asks of such a handler: `_handler_table`, `is_authenticated`, `get_username`, `banner`,
`abort`; and of the transport: `session_id`, `_send_message`, `_send_user_message`, `clear_to_send`
and its lock, `_auth_trigger`, `preferred_pubkeys`, and its packetizer's `read_message`.
"""

from __future__ import annotations

import queue
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from paramiko import Message, Transport

from ..errors import ProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from ..messages import KEYBOARD_INTERACTIVE
from ..process import SupervisedProcess
from .account import UserAuthLimits
from .bridge import Bridge
from .bridge_events import AskUser, Event, Outcome, Phase
from .event import Authenticated, Disconnect, UserAuthHandler
from .messages import UserAuthSuccess
from .server import NO_MORE_METHODS, UserAuthServer, logger
from .signatures import DEFAULT_ALGORITHMS

USERAUTH_SERVICE: Final = "ssh-userauth"

_DISCONNECT, _SERVICE_REQUEST, _SERVICE_ACCEPT = 1, 5, 6
_PROTOCOL_ERROR, _SERVICE_NOT_AVAILABLE = 2, 7  # reason codes (RFC 4253, section 11.1)
_SERVICE = len(USERAUTH_SERVICE).to_bytes(4, "big") + USERAUTH_SERVICE.encode()
_MOST_WAITING = 64  # messages that nobody has read yet, or that wait for an exchange of keys
_GRACE = 5.0  # seconds in which a client may read why it is disconnected
_FROM_CLIENT = range(50, 80)
_FROM_SERVER = range(51, 80)
_AFTER_SUCCESS = 80  # and every number behind it (RFC 4252, section 6)


class _Handler(ABC):
    """What a transport asks of an authentication handler."""

    banner: bytes | None = None

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._handler_table: dict[int, Callable[[Message], None]] = {}
        transport.auth_handler = self

    def leave(self, disconnect: Disconnect) -> None:
        """Tell the other side why, where it still listens, and close the connection.

        At once: this may be said while keys are exchanged too (RFC 4253, section 7.1).
        """
        message: Any = Message()
        message.add_byte(bytes((_DISCONNECT,)))
        message.add_int(disconnect.code)
        message.add_string(disconnect.text)
        message.add_string("")
        with suppress(EOFError, OSError):
            self.transport._send_message(message)
        self.transport.close()
        self.abort()  # of which paramiko tells nobody where it is this side that closes

    @abstractmethod
    def abort(self) -> None:
        """Take in that the connection is closed."""


def _payload(code: int, message: Message) -> bytes:
    """Return the payload that paramiko has taken the type byte from."""
    rest: bytes = message.get_remainder()
    return bytes((code,)) + rest


class ServerAuthentication(_Handler):
    """Authenticates the client of a server's `Transport`; make it before the transport starts.

    The time that a client has begins now, with the exchange of keys. Whoever closes the transport
    calls `abort`, which ends the wait for that time.

    Args:
        transport: the transport, in which `start_server` has not been called yet.
        handler: who decides.
        connection_id: what events and the log call the connection.
        algorithms: the public key algorithms to take, which clients are told of.
        user_auth_limits: how much the client may try.
        banner: a text to show to every user; empty for none.
        options: further parameters of `UserAuthServer`.

    Attributes:
        transport: the transport.

    Raises:
        ValueError, TypeError: where `UserAuthServer` does.
        LocalProtocolError: where the banner cannot be sent.
    """

    def __init__(
        self,
        transport: Transport,
        handler: UserAuthHandler,
        *,
        connection_id: int = 0,
        algorithms: Collection[str] = DEFAULT_ALGORITHMS,
        user_auth_limits: UserAuthLimits | None = None,
        banner: str = "",
        **options: Any,
    ) -> None:
        limits = user_auth_limits or UserAuthLimits()
        until = monotonic() + limits.seconds

        def make(session_id: bytes) -> UserAuthServer:
            server = UserAuthServer(
                handler,
                session_id=session_id,
                connection_id=connection_id,
                algorithms=algorithms,
                user_auth_limits=replace(limits, seconds=max(until - monotonic(), 0.0)),
                on_output=self._flush,
                **options,
            )
            if banner:
                server.send_banner(banner)
            return server

        # Its session has no identifier yet; but what is wrong is to be seen here, and not later in
        # the transport's thread.
        make(b"")
        super().__init__(transport)
        # What the transport tells a client that it may sign with (RFC 8308, server-sig-algs).
        transport._preferred_pubkeys = tuple(algorithms)
        self._make = make
        self._connection_id = connection_id
        self._server: UserAuthServer | None = None
        self._held: deque[bytes] = deque()  # what waits for the exchange of keys to end
        self._sending = threading.Lock()
        self._has_output = False
        self._succeeded = False
        self._read_message = transport.packetizer.read_message
        transport.packetizer.read_message = self._read
        seconds = min(limits.seconds, threading.TIMEOUT_MAX)
        self._timer = threading.Timer(seconds, self._time_over)
        self._timer.daemon = True
        self._timer.start()
        self._handler_table = {
            _SERVICE_REQUEST: self._service_request,
            **{code: self._receiver(code) for code in _FROM_CLIENT},
        }

    @property
    def authenticated(self) -> Authenticated | None:
        """Who has logged in; None before anybody has."""
        return self._server.authenticated if self._server else None

    def is_authenticated(self) -> bool:
        """Say whether anybody has logged in, and has been told of it."""
        return self._succeeded

    def get_username(self) -> str | None:
        """Return the name of the account, or None."""
        return self.authenticated.user if self.authenticated else None

    def abort(self) -> None:
        """Take in that the connection is closed."""
        self._timer.cancel()
        if self._server is not None:
            self._server.connection_lost()

    def send(self, payload: bytes) -> None:
        """Send a message, once no keys are being exchanged."""
        self._held.append(payload)
        self._flush()

    def _read(self) -> tuple[int, Message]:
        """Read for the transport, in its thread: it comes by here whenever keys were exchanged."""
        if self._held:
            self._flush()
        number, message = self._read_message()
        if number >= _AFTER_SUCCESS and not self._succeeded:
            self._show_out(_PROTOCOL_ERROR, f"message {number} came before authentication")
            raise EOFError
        return number, message

    def _show_out(self, code: int, text: str) -> None:
        """Leave a client of whom the server knows nothing that it would have logged."""
        logger.info("connection %d: disconnected: %s", self._connection_id, text)
        self.leave(Disconnect(code, text))

    def _service_request(self, message: Any) -> None:
        if message.get_remainder() != _SERVICE:
            self._show_out(_SERVICE_NOT_AVAILABLE, "only ssh-userauth can be asked for")
            return
        if self._server is None:
            self._server = self._make(self.transport.session_id)
        self.send(bytes((_SERVICE_ACCEPT,)) + _SERVICE)

    def _receiver(self, code: int) -> Callable[[Message], None]:
        return lambda message: self._receive(_payload(code, message))

    def _receive(self, payload: bytes) -> None:
        server = self._server
        if server is None:
            self._show_out(_PROTOCOL_ERROR, "ssh-userauth has to be asked for first")
            return
        with suppress(ProtocolError):  # `_flush` closes the connection
            server.receive(payload)
        self._flush()

    def _time_over(self) -> None:
        server = self._server
        if server is not None:
            server.check_time()
            if server.disconnect is None:
                return
        # A client that does not read would have everybody wait who tells it something.
        closing = threading.Timer(_GRACE, self.transport.close)
        closing.daemon = True
        closing.start()
        if server is None:
            self._show_out(NO_MORE_METHODS, "authentication took too long")
        else:
            self._flush()

    def _flush(self) -> None:
        """Have sent what there is to send, in its order; in whatever thread, and never waiting.

        Where another thread is about it, that one goes on with what has come meanwhile.
        """
        self._has_output = True
        while self._has_output and self._sending.acquire(blocking=False):
            try:
                self._has_output = False
                self._send_output()
            finally:
                self._sending.release()

    def _send_output(self) -> None:
        server = self._server
        if not self.transport.is_active():
            self.abort()
            return
        if server is not None:
            self._held.extend(server.data_to_send())
        with suppress(EOFError, OSError):  # the transport's thread sees to that
            self._send_held()
        if len(self._held) > _MOST_WAITING:
            self._show_out(_PROTOCOL_ERROR, "more replies are due than may wait")
        elif server is None:
            return
        elif server.violation is not None:
            self.leave(Disconnect(_PROTOCOL_ERROR, str(server.violation)))
        elif server.disconnect is not None:
            self.leave(server.disconnect)

    def _send_held(self) -> None:
        """Send what is held, unless keys are being exchanged (RFC 4253, section 7.1)."""
        transport = self.transport
        with transport.clear_to_send_lock:
            while self._held and transport.clear_to_send.is_set():
                payload = self._held.popleft()
                is_success = payload[0] == UserAuthSuccess.spec.code
                if is_success:
                    self._timer.cancel()
                    self._succeeded = True  # now, for the client may be quick to go on
                transport._send_message(Message(payload))
                if is_success:
                    transport._auth_trigger()


class ClientAuthentication(_Handler):
    """Passes the user authentication messages of a client's `Transport` on to whoever reads them.

    Make it once the keys have been exchanged (`start_client`).
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.username: str | None = None
        self._handler_table = {
            code: self._receiver(code) for code in (_SERVICE_ACCEPT, *_FROM_SERVER)
        }
        self.send(bytes((_SERVICE_REQUEST,)) + _SERVICE)

    def send(self, payload: bytes) -> None:
        """Send a message, once no keys are being exchanged; not in the transport's thread."""
        self.transport._send_user_message(Message(payload))

    def is_authenticated(self) -> bool:
        """Say whether the user has logged in."""
        return self.username is not None

    def get_username(self) -> str | None:
        """Return the name that the user has logged in with, or None."""
        return self.username

    def abort(self) -> None:
        """Take in that the connection is closed."""
        self.messages.put(None)

    def logged_in(self, username: str) -> None:
        """Let the transport know that the user has logged in."""
        self.username = username
        self.transport._auth_trigger()

    def _receiver(self, code: int) -> Callable[[Message], None]:
        return lambda message: self._receive(_payload(code, message))

    def _receive(self, payload: bytes) -> None:
        if self.messages.qsize() < _MOST_WAITING:
            self.messages.put(payload)
        else:
            self.leave(Disconnect(_PROTOCOL_ERROR, "more messages than anybody reads"))


def login(
    transport: Transport,
    plugin: SupervisedProcess,
    *,
    hostname: str,
    port: int,
    username: str = "",
    ask: Callable[[AskUser], list[str]],
    show: Callable[[Event], None] = lambda event: None,
    attempts: int = 3,
    timeout: float = 60.0,
    limits: Limits = DEFAULT_LIMITS,
) -> Outcome:
    """Log in to a server by keyboard-interactive, with a plugin to answer it.

    Args:
        transport: a client's transport whose keys have been exchanged (`start_client`), the
            server's key checked.
        plugin: the plugin, just started. Its input is closed at the end, which tells it to end.
        hostname: the logical name of the server, for the plugin.
        port: its port.
        username: the user name, unless the plugin has one.
        ask: answers the prompts that are for the user: the plugin's, and the server's where the
            plugin does not help.
        show: called with everything else that happens.
        attempts: how often to try.
        timeout: seconds in which the server, and the plugin, must say something.
        limits: what to take from both.

    Returns:
        The last outcome: of the success, of a partial one, of the last attempt, or of one after
        which the server does not go on with keyboard-interactive.

    Raises:
        TimeoutError: where one of them says nothing in time.
        RemoteProtocolError: where the server breaks the protocol.
        EOFError: where the server closes the connection.
        paramiko.SSHException: where it does not end an exchange of keys.
    """
    client = ClientAuthentication(transport)
    if _next(client, timeout)[0] != _SERVICE_ACCEPT:
        raise EOFError("the server does not offer user authentication")
    bridge = Bridge(hostname, port, username, limits=limits)
    while True:
        plugin.write(bridge.data_for_plugin())
        for payload in bridge.data_for_server():
            client.send(payload)
        event = bridge.next_event()
        if isinstance(event, AskUser):
            bridge.answer(ask(event))
        elif isinstance(event, Outcome):
            show(event)
            attempts -= 1
            if event.success:
                client.logged_in(bridge.username)
            over = event.success or event.partial or attempts < 1
            if over or KEYBOARD_INTERACTIVE not in event.methods:
                plugin.close_input()
                return event
        elif event is not None:
            show(event)
        elif bridge.phase is Phase.READY:
            bridge.authenticate()
        elif bridge.awaits_plugin:
            data = plugin.read(timeout)
            if data:
                bridge.receive_from_plugin(data)
            else:
                bridge.plugin_ended()
        else:
            bridge.receive_from_server(_next(client, timeout))


def _next(client: ClientAuthentication, timeout: float) -> bytes:
    try:
        payload = client.messages.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError(f"the server said nothing within {timeout:g} seconds") from None
    if payload is None:
        raise EOFError("the server has closed the connection")
    return payload
