"""A client and a server over paramiko's transports, on a pair of sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko

from authplugin.userauth.transport import ClientAuthentication, ServerAuthentication

from .clients import Handler

KEY = paramiko.RSAKey.generate(2048)
WAIT = 20.0  # seconds


class Server(paramiko.ServerInterface):  # type: ignore[misc]
    """Lets a client that has logged in open a session."""

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


@contextmanager
def connected(
    handler: Handler, *, compressed: bool = False, **options: Any
) -> Iterator[tuple[paramiko.Transport, ServerAuthentication]]:
    """Yield a client's transport whose keys have been exchanged, and the server's end."""
    ours, theirs = socket.socketpair()
    with paramiko.Transport(ours) as client, paramiko.Transport(theirs) as server:
        server.add_server_key(KEY)
        for each in (client, server) if compressed else ():
            each.use_compression()
        authentication = ServerAuthentication(server, handler, **options)
        server.start_server(server=Server(), event=threading.Event())
        client.start_client(timeout=WAIT)
        yield client, authentication
    server.join(WAIT)
    client.join(WAIT)
    assert not server.is_alive()
    assert not client.is_alive()


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
