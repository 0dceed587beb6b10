"""What a server knows of the account that a client is trying to log in to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..limits import Limits
from .event import Parameter, SSHUserAuthRequest
from .messages import NONE


@dataclass(frozen=True, slots=True)
class UserAuthLimits:
    """How much a client may try.

    Attributes:
        attempts: refused requests, partial successes and `none` among them; at the last one the
            server is done with the client (RFC 4252, section 4).
        seconds: from the beginning to the success.
        rounds: of prompts in one exchange.
        prompts: in one round.
        waiting: messages that may wait while a decision is deferred; together they hold at most
            `Limits.frame` bytes.

    Raises:
        ValueError: where one is not a number from 0 (`attempts`: 1); all but `seconds` are whole.
    """

    attempts: int = 20
    seconds: float = 600.0
    rounds: int = 16
    prompts: int = 64
    waiting: int = 16

    def __post_init__(self) -> None:
        for name in ("attempts", "rounds", "prompts", "waiting"):
            value, least = getattr(self, name), int(name == "attempts")
            if type(value) is not int or value < least:
                raise ValueError(
                    f"UserAuthLimits.{name} is {value!r}, and must be an int from {least}"
                )
        if type(self.seconds) not in (int, float) or not self.seconds >= 0:
            raise ValueError(
                f"UserAuthLimits.seconds is {self.seconds!r}, and must be a number from 0"
            )


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds for a connection as long as it lasts.

    Attributes:
        limits: what messages to take and to send.
        attempts: how much the client may try.
        session_id: what signatures cover.
        algorithms: the public key algorithms that are switched on.
        methods: the methods that a client may try, unless an event says otherwise.
    """

    limits: Limits
    attempts: UserAuthLimits
    session_id: bytes = field(repr=False)
    algorithms: frozenset[str]
    methods: str

    @property
    def prompts(self) -> int:
        """How many prompts a round may have."""
        return min(self.attempts.prompts, self.limits.count)


@dataclass(slots=True)
class Account:
    """An account, and how far a client has got with it.

    Attributes:
        bounds: what holds for the connection.
        connection_id: the connection.
        user: the name of the account.
        service: the service that the client wants.
        available: the methods that the next event starts with, with commas between them.
        offered: the methods that the client may try; what events say of them is provisional while
            it is not known whether what they grant comes to anything.
        home_dir: the first directory of the session; empty for the server's.
        completed: the methods that had partial success.
    """

    bounds: Bounds
    connection_id: int
    user: str = ""
    service: str = ""
    available: str = field(init=False)
    offered: str = field(init=False)
    home_dir: str = ""
    completed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.available = self.offered = self.bounds.methods

    def of(self, user: str, service: str) -> Account:
        """Return the account of a request: this one, or where it is another, a new one.

        What was accumulated is flushed when user or service change (RFC 4252, section 5).
        """
        if (user, service) == (self.user, self.service):
            return self
        return Account(self.bounds, self.connection_id, user, service)

    def event(self, method: str, parameter: Parameter, **more: Any) -> SSHUserAuthRequest:
        """Return an event about this account."""
        return SSHUserAuthRequest(
            connection_id=self.connection_id,
            user=self.user,
            service=self.service,
            auth_method=method,
            auth_param=parameter,
            completed=tuple(self.completed),
            available_methods=self.available,
            home_dir=self.home_dir or None,
            **more,
        )

    def take_over(self, event: SSHUserAuthRequest) -> None:
        """Take over what the handler says of the account in an event that it has decided."""
        granted = event.accept or event.partial_success
        if not granted and event.available_methods != self.available:
            self.offered = event.available_methods
        self.available = event.available_methods
        if granted and event.home_dir:
            self.home_dir = event.home_dir

    def settle(self, *, counted: bool) -> None:
        """End a request: what was granted in it has counted, or has come to nothing."""
        if counted:
            self.offered = self.available
        else:
            self.available = self.offered

    def is_offered(self, method: str) -> bool:
        """Say whether the client may try a method."""
        return method != "" and method in self.offered.split(",")

    @property
    def remaining(self) -> str:
        """The methods that a client is told of: not `none`, nor what is done."""
        done = {"", NONE, *self.completed}
        return ",".join(name for name in self.offered.split(",") if name not in done)
