"""A test SSH server: it authenticates, and runs nothing but an echo of the command."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import paramiko

from authplugin.userauth import SSHUserAuthRequest, UserAuthHandler
from authplugin.userauth.transport import ServerAuthentication

HandlerFactory = Callable[[], UserAuthHandler]

_CHANNEL_REQUEST = 98

MOST_CONNECTIONS = 64
"""At one time; further clients wait."""


class _Telling:
    """A handler that tells of each event, and of what another one decides."""

    def __init__(self, handler: UserAuthHandler, tell: Callable[[str], None]) -> None:
        self._handler = handler
        self._tell = tell
        self.prompts = handler.prompts

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        try:
            self._handler.user_auth_request(event)
        finally:
            self._tell(described(event))


def described(event: SSHUserAuthRequest) -> str:
    """Return an event as a line, without what the client has shown."""
    shown = [f"connection {event.connection_id}: {event.user!r} {event.auth_method}"]
    if event.key_algorithm:
        shown.append(event.key_algorithm + (" (query)" if event.is_query else ""))
    if event.auth_param:
        shown.append(f"parameter of {len(event.auth_param)} (not shown)")
    verdict = "refused"
    if event.partial_success:
        verdict = "partial success"
    elif event.accept:
        verdict = "accepted"
    elif event.change_password is not None:
        verdict = "password change required"
    return f"{', '.join(shown)}: {verdict}; available {event.available_methods or 'nothing'}"


class _Channels(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko has no types
    """What a client may do once it has logged in: have its command echoed.

    The echo begins once the client has been told that its request is granted, which paramiko does
    behind the call that grants it: so it is begun by what calls that.
    """

    def __init__(self, transport: paramiko.Transport) -> None:
        self._granted: dict[Any, bytes] = {}
        table = dict(transport._channel_handler_table)
        grant = table[_CHANNEL_REQUEST]

        def request(channel: Any, message: Any) -> None:
            grant(channel, message)
            if channel in self._granted:
                arguments = (channel, self._granted.pop(channel))
                threading.Thread(target=_echo, args=arguments, daemon=True).start()

        transport._channel_handler_table = {**table, _CHANNEL_REQUEST: request}

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind == "session":
            return int(paramiko.OPEN_SUCCEEDED)
        return int(paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_pty_request(self, *_: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: Any) -> bool:
        return self.check_channel_exec_request(channel, b"")

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        self._granted[channel] = command
        return True


def _echo(channel: Any, command: bytes) -> None:
    with suppress(OSError):  # the client has gone
        channel.sendall(command + b"\n")
        channel.send_exit_status(0)
        channel.close()


class TestServer:
    """Listens on an address, and authenticates whoever connects. A context manager.

    Args:
        handler: makes a handler for each connection.
        tell: called with a line for each thing that happens.
        host: the address to listen on.
        port: the port; 0 for a free one.
        host_key: the server's key; None for a new one.
        options: further parameters of `ServerAuthentication`.

    Raises:
        OSError: where the address cannot be listened on.
    """

    __test__ = False  # no test for pytest to collect

    def __init__(
        self,
        handler: HandlerFactory,
        *,
        tell: Callable[[str], None] = lambda line: None,
        host: str = "127.0.0.1",
        port: int = 0,
        host_key: paramiko.PKey | None = None,
        banner: str = "",
        **options: Any,
    ) -> None:
        self._handler = handler
        self._tell = tell
        self._options = options
        self._banner = banner
        self.host_key = host_key or paramiko.RSAKey.generate(3072)
        self._listener = socket.create_server((host, port))
        self.host, self.port = self._listener.getsockname()[:2]
        self._room = threading.Semaphore(MOST_CONNECTIONS)
        self._transports: set[paramiko.Transport] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def fingerprint(self) -> str:
        """The host key's fingerprint, as OpenSSH and PuTTY write it."""
        return str(self.host_key.fingerprint)

    def _accept(self) -> None:
        for number in itertools.count(1):
            try:
                connection, address = self._listener.accept()
            except OSError:
                return  # closed
            self._room.acquire()
            self._tell(f"connection {number}: from {address[0]}")
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            transport = paramiko.Transport(connection)
            self._transports.add(transport)
            transport.add_server_key(self.host_key)
            authentication = ServerAuthentication(
                transport,
                _Telling(self._handler(), self._tell),
                connection_id=number,
                banner=self._banner,
                **self._options,
            )
            transport.start_server(event=threading.Event(), server=_Channels(transport))
            transport.join()
            who = authentication.authenticated
            ended = f"{who.user!r} was logged in" if who else "nobody had logged in"
            self._tell(f"connection {number}: closed, {ended}")
            self._transports.discard(transport)
        finally:
            self._room.release()

    def close(self) -> None:
        """Close every connection, and stop listening."""
        self._closed.set()
        # A thread that is waiting in accept() is not woken by close() alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in list(self._transports):
            transport.close()
            transport.join(5)
        self._thread.join(5)

    def wait(self) -> None:
        """Wait until somebody closes the server."""
        self._closed.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
