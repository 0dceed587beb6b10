"""A client and a handler for tests of the server: what one says, and what the other decides."""

from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authplugin.userauth import (
    Prompts,
    Round,
    SSHUserAuthRequest,
    UserAuthFailure,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthPassword,
    UserAuthPublicKey,
    UserAuthServer,
    decode_payload,
    encode_payload,
)

SERVICE = "ssh-connection"
SESSION_ID = b"the session identifier"

REFUSED = UserAuthFailure("publickey,password,keyboard-interactive", False)
NONE = UserAuthNone("alice", SERVICE)
PASSWORD = UserAuthPassword("alice", SERVICE, "swordfish")
INTERACTIVE = UserAuthKeyboardInteractive("alice", SERVICE, "", "pam")
CODE = Prompts([("Code: ", True)])
TWO = Prompts([("Code: ", True), ("PIN: ", False)], "Login", "Twice")


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


class Handler:
    """Notes what it is asked, and does what it is told to.

    Args:
        decide: called with each event.
        rounds: what to ask, round by round.
    """

    def __init__(
        self,
        decide: Callable[[SSHUserAuthRequest], None] = lambda event: None,
        rounds: Sequence[Prompts] = (),
    ) -> None:
        self.decide = decide
        self.rounds = rounds
        self.events: list[SSHUserAuthRequest] = []
        self.asked: list[Round] = []

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        self.events.append(event)
        self.decide(event)

    def prompts(self, wanted: Round) -> Prompts | None:
        self.asked.append(wanted)
        return self.rounds[wanted.number - 1] if wanted.number <= len(self.rounds) else None

    @property
    def methods(self) -> list[str]:
        return [event.auth_method for event in self.events]


def accepting(*methods: str) -> Callable[[SSHUserAuthRequest], None]:
    """Return what accepts these methods, whatever they show."""

    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.auth_method in methods

    return decide


class Client:
    """Says messages to a server, and reads what it replies."""

    def __init__(self, handler: Handler, **options: Any) -> None:
        self.server = UserAuthServer(handler, session_id=SESSION_ID, **options)
        self.method: str | None = None

    def say(self, *messages: UserAuthMessage) -> list[UserAuthMessage]:
        for message in messages:
            self.method = getattr(message, "method", self.method)
            self.server.receive(encode_payload(message))
        return self.replies()

    def replies(self) -> list[UserAuthMessage]:
        known = self.method in ("none", "password", "publickey", "keyboard-interactive")
        method = self.method if known else None
        return [
            decode_payload(payload, method=method).detach()
            for payload in self.server.data_to_send()
        ]


class Key:
    """An Ed25519 key pair."""

    algorithm = "ssh-ed25519"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.blob = string(b"ssh-ed25519") + string(self._key.public_key().public_bytes_raw())

    def request(self, user: str = "alice", session_id: bytes = SESSION_ID) -> UserAuthPublicKey:
        """Return a request with a signature."""
        made = UserAuthPublicKey(user, SERVICE, self.algorithm, self.blob, b"")
        covered = string(session_id) + encode_payload(made)[:-4]
        made.signature = string(b"ssh-ed25519") + string(self._key.sign(covered))
        return made


def answer(*responses: str) -> UserAuthInfoResponse:
    """Return what a user answers."""
    return UserAuthInfoResponse(list(responses))


def partly(*methods: str) -> Handler:
    """Return a handler for which these methods, in this order, are needed."""

    def decide(event: SSHUserAuthRequest) -> None:
        missing = [name for name in methods if name not in event.completed]
        if event.auth_method.startswith(missing[0]):
            event.accept = len(missing) == 1 or event.auth_method != missing[0]
            event.partial_success = not event.accept

    return Handler(decide, [CODE])
