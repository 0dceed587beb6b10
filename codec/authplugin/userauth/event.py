"""User authentication as one event: what is asked of whoever knows the users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Parameter: TypeAlias = str | bytes
"""What a client shows: text, or the bytes of a public key or of a method that nobody declared."""


@dataclass(slots=True, kw_only=True, eq=False)
class SSHUserAuthRequest:
    """A client attempts to authenticate a connection.

    A handler looks at the upper half, and answers in the lower one. What it leaves as it is
    refuses.

    Attributes:
        connection_id: which connection.
        user: the name of the account.
        service: the service that the client wants, such as `"ssh-connection"`.
        auth_method: `"none"`, `"password"`, `"publickey"`, the name of a method that this library
            does not know, or for `keyboard-interactive` a name with the number of the response in
            its round, from `"keyboard-interactive-1"`; and at the end the bare name.
        auth_param: the password; the public key (an SSH2 key blob); the response; empty for `none`
            and for the bare `keyboard-interactive`; the method's own bytes for any other.
        key_algorithm: for `publickey`, the algorithm of the signature; empty otherwise. Behind the
            name of one that begins with `x509v3-sign`, the key is a certificate (a string of DER),
            and whether to trust it is the handler's to decide.
        new_password: what the password is to be changed to, where that is what is asked; None
            otherwise. To accept then means that it has been changed.
        is_query: whether a key is only asked about: whoever has it has yet to sign.
        round: for a response of `keyboard-interactive`, its round of prompts, from 1; 0 otherwise.
        completed: the methods by which this user has had partial success so far.
        accept: set it where the parameter is acceptable, and nothing more is needed.
        partial_success: set it, and not `accept`, where the parameter is acceptable, and another
            method is needed too.
        available_methods: the methods that the client may go on with, with commas between them; any
            other is refused without an event. What is set stays for the next events of the same
            user; where the event grants something (`accept`, `partial_success`), once that has
            counted, and not for example where the signature turns out to be wrong. `none`, and what
            is completed, is never told to the client.
        home_dir: the first directory of the session, where it is not to be the server's
            `root_directory`; what is set with a grant stays for the next events of the same user.
        change_password: set it to a text for the user where a password is right and has to be
            changed; neither `accept` nor `partial_success` counts then.
    """

    connection_id: int
    user: str
    service: str
    auth_method: str
    auth_param: Parameter = field(repr=False)
    key_algorithm: str = ""
    new_password: str | None = field(default=None, repr=False)
    is_query: bool = False
    round: int = 0
    completed: tuple[str, ...] = ()

    accept: bool = False
    partial_success: bool = False
    available_methods: str = ""
    home_dir: str | None = None
    change_password: str | None = None

    _deferred: bool = field(default=False, init=False, repr=False)
    _decide: Callable[[SSHUserAuthRequest], bool] | None = field(
        default=None, init=False, repr=False
    )

    def defer(self) -> None:
        """Say that the decision comes later: the handler may return, and `decide` is called then.

        Only within the handler's call.
        """
        self._deferred = True

    @property
    def deferred(self) -> bool:
        """Whether the decision is to come later."""
        return self._deferred

    def decide(self) -> bool:
        """Say, from any thread, that the attributes now hold the decision.

        Returns:
            Whether it counted. It does not where the exchange was abandoned meanwhile, the client
            is gone, the time was over, or the event has been decided before.
        """
        return self._decide is not None and self._decide(self)


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a server asks in one round of `keyboard-interactive` (RFC 4256, section 3.2).

    Attributes:
        prompts: (prompt, echo) pairs; there may be none, which is then answered with nothing.
        name: a title.
        instructions: a text to show above the prompts.
    """

    prompts: Sequence[tuple[str, bool]]
    name: str = ""
    instructions: str = ""


@dataclass(slots=True, eq=False)
class Round:
    """The client of `keyboard-interactive` is ready for a round of prompts.

    Attributes:
        connection_id: which connection.
        user: the name of the account.
        service: the service that the client wants.
        number: which round, from 1.
        submethods: what the client would like to be asked for, as a hint.
        accepted: whether every response so far was accepted.
    """

    connection_id: int
    user: str
    service: str
    number: int
    submethods: str
    accepted: bool

    _prompts: Prompts | None = field(default=None, init=False, repr=False)
    _deferred: bool = field(default=False, init=False, repr=False)
    _decide: Callable[[Round], bool] | None = field(default=None, init=False, repr=False)

    def defer(self) -> None:
        """Say that the prompts come later: the handler may return, and `ask` is called then.

        Only within the handler's call.
        """
        self._deferred = True

    def ask(self, prompts: Prompts | None) -> bool:
        """Say, from any thread, what to ask in a round that was deferred; None for nothing more.

        Returns:
            Whether it counted; it does not where `SSHUserAuthRequest.decide` would not.
        """
        self._prompts = prompts
        return self._decide is not None and self._decide(self)


class UserAuthHandler(Protocol):
    """Who knows the users."""

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        """Decide, by setting the attributes of the event, or `defer` it.

        Whatever it raises refuses the request, and is logged.
        """

    def prompts(self, wanted: Round) -> Prompts | None:
        """Return what to ask next, or None where there is nothing more to ask; or `defer` it.

        Whatever it raises refuses the request, and is logged.

        It should ask the same whether or not the user exists, and whatever was accepted so far, so
        that the client learns nothing from it.
        """


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who has logged in.

    Attributes:
        user: the name of the account.
        service: the service to start.
        methods: the methods that led here, in their order.
        home_dir: the first directory of the session.
    """

    user: str
    service: str
    methods: tuple[str, ...]
    home_dir: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Why the server is done with the client.

    Attributes:
        code: the reason code of SSH_MSG_DISCONNECT (RFC 4253, section 11.1).
        text: the same for people.
    """

    code: int
    text: str
