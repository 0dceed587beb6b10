"""Real SSH servers on loopback, which ask keyboard-interactive questions.

Two servers that share no code with each other, asyncssh and paramiko, play the same `Login`.
Each runs in threads of its own, listens on a port that the system picks, and is gone when its
`with` block ends: every connection closed, every thread joined.
"""

import asyncio
import concurrent.futures
import contextlib
import io
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import asyncssh
import paramiko  # type: ignore[import-untyped]
from asyncssh.auth import KbdIntChallenge, KbdIntResponse

LIMIT = 20.0
"""Seconds that a server may take to start or to stop."""


@dataclass(frozen=True)
class Challenge:
    """One round of questions (RFC 4256 section 3.2) and the answers that are right."""

    name: str = ""
    instructions: str = ""
    prompts: tuple[tuple[str, bool], ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Login:
    """What a server asks of whom, and what its remote command prints."""

    user: str = "bob"
    challenges: tuple[Challenge, ...] = (
        Challenge(
            "One-time password",
            "Look at your token.",
            (("Code: ", True), ("PIN: ", False)),
            ("492816", "käse"),
        ),
        Challenge(instructions="Your token expires in 3 days."),
    )
    output: str = "the remote command ran\n"


@dataclass
class Seen:
    """What a server saw, in order, over all its connections."""

    users: list[str] = field(default_factory=list)
    """The user of each request for keyboard-interactive."""
    responses: list[list[str]] = field(default_factory=list)
    verdicts: list[bool] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    """A server that is listening on 127.0.0.1."""

    port: int
    fingerprint: str
    """Of its host key, as OpenSSH and PuTTY write it: `SHA256:` and base64."""
    seen: Seen


ServerFactory = Callable[[Login, asyncssh.SSHKey], AbstractContextManager[Server]]
"""What `asyncssh_server` and `paramiko_server` are."""


class Conversation:
    """The authentication of one connection: the rules that both servers follow."""

    def __init__(self, login: Login, seen: Seen) -> None:
        self._login = login
        self._seen = seen
        self._user = ""
        self._round = 0
        self.open = True
        """Whether keyboard-interactive is still on offer: it is, until it was decided."""

    def begin(self, user: str) -> Challenge | bool:
        self._seen.users.append(user)
        self._user = user
        self._round = 0
        return self._ask()

    def answer(self, responses: list[str]) -> Challenge | bool:
        self._seen.responses.append(responses)
        right = tuple(responses) == self._login.challenges[self._round].answers
        self._round += 1
        # RFC 4256 section 3.1: an unknown user is asked as well, and fails only then.
        if right and self._user == self._login.user:
            return self._ask()
        return self._decide(False)

    def _ask(self) -> Challenge | bool:
        if self._round < len(self._login.challenges):
            return self._login.challenges[self._round]
        return self._decide(True)

    def _decide(self, success: bool) -> bool:
        self._seen.verdicts.append(success)
        # A client may go on trying for as long as the method is listed, without bound.
        self.open = False
        return success


class _AsyncsshConnection(asyncssh.SSHServer):
    def __init__(
        self, conversation: Conversation, connections: list[asyncssh.SSHServerConnection]
    ) -> None:
        self._conversation = conversation
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def kbdint_auth_supported(self) -> bool:
        return self._conversation.open

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> KbdIntChallenge:
        return self._put(self._conversation.begin(username))

    def validate_kbdint_response(self, username: str, responses: KbdIntResponse) -> KbdIntChallenge:
        return self._put(self._conversation.answer(list(responses)))

    @staticmethod
    def _put(turn: Challenge | bool) -> KbdIntChallenge:
        if isinstance(turn, bool):
            return turn
        return turn.name, turn.instructions, "", turn.prompts


@contextlib.contextmanager
def asyncssh_server(login: Login, key: asyncssh.SSHKey) -> Iterator[Server]:
    """Play `login` with asyncssh, in a thread and an event loop of its own."""
    seen = Seen()
    started: concurrent.futures.Future[tuple[int, Callable[[], object]]]
    started = concurrent.futures.Future()

    async def remote_command(process: asyncssh.SSHServerProcess[str]) -> None:
        await process.stdin.read()
        seen.commands.append(process.command or "")
        process.stdout.write(login.output)
        process.exit(0)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        connections: list[asyncssh.SSHServerConnection] = []
        async with asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _AsyncsshConnection(Conversation(login, seen), connections),
            process_factory=remote_command,
            server_host_keys=[key],
        ) as acceptor:
            started.set_result((acceptor.get_port(), lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    with concurrent.futures.ThreadPoolExecutor(1, "asyncssh server") as threads:
        running = threads.submit(run)
        port, stop = started.result(LIMIT)
        try:
            yield Server(port, key.get_fingerprint(), seen)
        finally:
            stop()
            running.result(LIMIT)


class _ParamikoConnection(paramiko.ServerInterface):  # type: ignore[misc]
    def __init__(self, login: Login, seen: Seen) -> None:
        self._login = login
        self._seen = seen
        self._conversation = Conversation(login, seen)
        self.commands: list[threading.Thread] = []

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive" if self._conversation.open else ""

    def check_auth_interactive(self, username: str, submethods: str) -> object:
        return self._put(self._conversation.begin(username))

    def check_auth_interactive_response(self, responses: list[str]) -> object:
        return self._put(self._conversation.answer(responses))

    @staticmethod
    def _put(turn: Challenge | bool) -> object:
        if isinstance(turn, Challenge):
            return paramiko.InteractiveQuery(turn.name, turn.instructions, *turn.prompts)
        return paramiko.AUTH_SUCCESSFUL if turn else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> object:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        thread = threading.Thread(target=self._remote_command, args=(channel, command.decode()))
        self.commands.append(thread)
        thread.start()
        return True

    def _remote_command(self, channel: paramiko.Channel, command: str) -> None:
        # The client ends its input only when it has been told that the command runs, so waiting
        # for that end keeps the output from overtaking the reply that the transport's thread
        # still has to send.
        while channel.recv(1024):
            pass
        self._seen.commands.append(command)
        with contextlib.suppress(OSError):  # The client may have gone.
            channel.sendall(self._login.output.encode())
            channel.send_exit_status(0)
        channel.close()


@contextlib.contextmanager
def paramiko_server(login: Login, key: asyncssh.SSHKey) -> Iterator[Server]:
    """Play `login` with paramiko: a thread that accepts, and three for each connection."""
    seen = Seen()
    host_key = _paramiko_key(key)
    transports: list[paramiko.Transport] = []

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = _ParamikoConnection(login, seen)
            with paramiko.Transport(self.request) as transport:
                transports.append(transport)
                transport.add_server_key(host_key)
                transport.start_server(event=threading.Event(), server=connection)
                transport.join()
            for command in connection.commands:
                command.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as listener:
        accepting = threading.Thread(target=listener.serve_forever, args=(0.01,))
        accepting.start()
        try:
            yield Server(listener.server_address[1], key.get_fingerprint(), seen)
        finally:
            listener.shutdown()
            accepting.join(LIMIT)
            for transport in transports:
                transport.close()


def _paramiko_key(key: asyncssh.SSHKey) -> paramiko.PKey:
    kinds = {"ssh-ed25519": paramiko.Ed25519Key, "ssh-rsa": paramiko.RSAKey}
    text = key.export_private_key("openssh").decode()
    return kinds[key.get_algorithm()](file_obj=io.StringIO(text))
