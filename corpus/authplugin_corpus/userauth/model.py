"""What a vector of SSH's user authentication is, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from authplugin import ErrorCode, Limits
from authplugin.userauth.messages import UserAuthMessage

from ..described import Kind, Named, SentFault, Struck
from .forms import ServerSays


@dataclass(frozen=True, slots=True)
class UserAuthMessageVector(Named):
    """A payload, and what a decoder makes of it.

    Attributes:
        data: the payload of an SSH packet.
        method: the authentication method under way; None where none is.
        limits: those of the receiver.
        message: what it is read as; None where it is refused in any case.
        code: what a strict receiver refuses it with; None where it does not.
        field: the field concerned; None where no single one is.
        offset: where in the payload; None where no byte is to blame.
        file: the name of the file that it stands in.
        strikes: what in the table of faults makes such bytes.
    """

    kind = Kind.USERAUTH
    data: bytes
    method: str | None
    limits: Limits
    message: UserAuthMessage | None
    code: ErrorCode | None
    field: str | None
    offset: int | None
    file: str
    strikes: tuple[Struck, ...] = ()


class Question(NamedTuple):
    """A prompt, and the response that is right.

    Attributes:
        prompt: what is asked.
        echo: whether what is typed may be seen.
        answer: the right response; None where any is.
    """

    prompt: str
    echo: bool
    answer: str | None


class Account(NamedTuple):
    """Somebody whom a server knows.

    Attributes:
        name: the name of the account.
        password: None where none is right.
        change: a text that asks for another password, where the right one has to be changed.
        keys: the blobs of public keys that may log in.
        rounds: what keyboard-interactive asks, round by round; None where it is not offered.
        requires: the methods that are needed, in this order; any one of them where there are none.
    """

    name: str
    password: str | None = None
    change: str | None = None
    keys: tuple[bytes, ...] = ()
    rounds: tuple[tuple[Question, ...], ...] | None = None
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSetup:
    """What a server under test is to know.

    Attributes:
        session_id: the session identifier of the connection, which signatures cover.
        accounts: everybody that it knows.
        methods: what it offers to those whom it does not know.
        algorithms: the public key algorithms that it takes; None for those that it takes anyway.
        attempts: refused requests until it closes the connection; None for no matter how many.
    """

    session_id: bytes
    accounts: tuple[Account, ...]
    methods: tuple[str, ...]
    algorithms: tuple[str, ...] | None = None
    attempts: int | None = None


class Say(NamedTuple):
    """A payload that the client sends.

    Attributes:
        data: the payload.
        message: what it is; None where it is no message of a client.
        fault: what is wrong with it; None where nothing is.
    """

    data: bytes
    message: UserAuthMessage | None
    fault: SentFault | None = None


class Hear(NamedTuple):
    """A message that the server must say, and nothing but banners in front of it."""

    expected: ServerSays


class HearNothing(NamedTuple):
    """The server says nothing, and keeps the connection."""


class Refuse(NamedTuple):
    """The server does not go along: it says no SSH_MSG_USERAUTH_SUCCESS, and may disconnect.

    Where the client is logged in already, it says no SSH_MSG_USERAUTH_FAILURE either.
    """


class Disconnected(NamedTuple):
    """The server closes the connection.

    Attributes:
        reason: with which reason code of SSH_MSG_DISCONNECT.
    """

    reason: int


ServerTurn: TypeAlias = Say | Hear | HearNothing | Refuse | Disconnected


@dataclass(frozen=True, slots=True)
class UserAuthDialogue(Named):
    """A conversation with a server under test, from the client's side.

    Attributes:
        setup: what the server is to know.
        turns: what to do, in order.
        file: the name of the file that it stands in.
        strikes: none: conversations are written, not made from the table of faults.
    """

    kind = Kind.USERAUTH
    setup: ServerSetup
    turns: tuple[ServerTurn, ...]
    file: str
    strikes: tuple[Struck, ...] = ()
