"""A test SSH server: it authenticates, and runs nothing but an echo of the command."""

from __future__ import annotations

import itertools
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import paramiko

from authplugin import KEYBOARD_INTERACTIVE
from authplugin.userauth import SSHUserAuthRequest, UserAuthHandler
from authplugin.userauth.messages import NONE
from authplugin.userauth.transport import ServerAuthentication

from ..output import harmless

HandlerFactory = Callable[[], UserAuthHandler]
Tell = Callable[[str], None]

LINES = "\n"
"""What may stay in a text of somebody else's that may have more lines than one."""

_CHANNEL_REQUEST = 98

_ENDS = (EOFError, OSError)
"""What ends a connection that says nothing of either side."""

MOST_CONNECTIONS = 64
"""At one time; further clients wait."""


class ToldLogs(logging.Handler):
    """Tells what is logged of authentication: why a request was refused, what a handler raised.

    Args:
        tell: called with a text for each record.
    """

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.INFO)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of a record."""
        self._tell(harmless(record.getMessage().rstrip(), LINES))


class _Telling:
    """A handler that tells of each event whose decision comes later."""

    def __init__(self, handler: UserAuthHandler, tell: Tell) -> None:
        self._handler = handler
        self._tell = tell
        self.prompts = handler.prompts

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        self._handler.user_auth_request(event)
        if event.deferred:
            self._tell(f"{_named(event)}: deferred")


def described(event: SSHUserAuthRequest) -> str:
    """Return an event that is decided as a line, without what the client has shown."""
    verdict = "refused"
    if event.change_password is not None:
        verdict = "password change required"
    elif event.partial_success:
        verdict = "partial success"
    elif event.accept:
        verdict = "accepted"
    return f"{_named(event)}: {verdict}; available {event.available_methods or 'nothing'}"


def _named(event: SSHUserAuthRequest) -> str:
    shown = [f"connection {event.connection_id}: {event.user!r:.100} {harmless(event.auth_method)}"]
    if event.key_algorithm:
        shown.append(event.key_algorithm + (" (query)" if event.is_query else ""))
    if event.new_password is not None:
        shown.append("with a new password (not shown)")
    if event.key_algorithm:
        shown.append(f"parameter of {len(event.auth_param)} (not shown)")
    elif event.auth_method not in (NONE, KEYBOARD_INTERACTIVE):
        shown.append("parameter not shown")  # nor how long it is: it is a secret
    return ", ".join(shown)


class _Channels(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko has no types
    """What a client may do once it has logged in: have its command echoed.

    The echo begins once the client has been told that its request is granted, which paramiko does
    behind the call that grants it: so it is begun by what calls that.
    """

    def __init__(self, authentication: ServerAuthentication, tell: Tell) -> None:
        self._authentication = authentication
        self._tell = tell
        self._granted: dict[Any, bytes] = {}
        transport = authentication.transport
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
        who = self._authentication.authenticated
        assert who is not None  # paramiko grants nothing before
        asked = f"echoed: {command.decode(errors='replace')!r}" if command else "a shell, echoed"
        self._tell(f"{who.user!r} by {', '.join(who.methods)}, in {who.home_dir!r}: {asked}")
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
        tell: called with a line for each thing that happens, in whatever thread.
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
        tell: Tell = lambda line: None,
        host: str = "127.0.0.1",
        port: int = 0,
        host_key: paramiko.PKey | None = None,
        **options: Any,
    ) -> None:
        self._handler = handler
        self._tell = tell
        self._options = options
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._listener = socket.create_server(address[:2], family=family)
        self.host_key = host_key or paramiko.RSAKey.generate(3072)
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
            self._room.acquire()
            try:
                connection, address = self._listener.accept()
            except OSError:
                return  # closed
            self._tell(f"connection {number}: from {address[0]}")
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        def tell(line: str) -> None:
            self._tell(f"connection {number}: {line}")

        try:
            with connection:
                tell(self._converse(connection, number, tell))
        except Exception as error:
            # What makes handlers is somebody else's; its text may hold anything.
            tell(f"closed: {type(error).__name__}: {harmless(str(error))}")
        finally:
            self._room.release()

    def _converse(self, connection: socket.socket, number: int, tell: Tell) -> str:
        """Serve a client until the connection is closed; return how that came."""
        handler = _Telling(self._handler(), self._tell)
        transport = paramiko.Transport(connection)
        authentication = ServerAuthentication(
            transport,
            handler,
            connection_id=number,
            on_decision=lambda event: self._tell(described(event)),
            **self._options,
        )
        self._transports.add(transport)
        try:
            transport.add_server_key(self.host_key)
            server = _Channels(authentication, tell)
            transport.start_server(event=threading.Event(), server=server)
            transport.join()
        finally:
            authentication.abort()
            self._transports.discard(transport)
        who = authentication.authenticated
        error = transport.get_exception()
        ended = f"{who.user!r} was logged in" if who else "nobody had logged in"
        because = "" if error is None or isinstance(error, _ENDS) else f" ({error})"
        return f"closed, {ended}{harmless(because)}"

    def close(self) -> None:
        """Close every connection, and stop listening."""
        self._closed.set()
        # A thread that is waiting in accept() is not woken by close() alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._room.release()
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
