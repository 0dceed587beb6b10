"""What happens to a server of SSH's user authentication, as plain data, step by step."""

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from .cursor import Limits, LimitsLike

__all__ = [
    "RAISED",
    "Answer",
    "Asked",
    "Decide",
    "Lost",
    "Receive",
    "Say",
    "SendBanner",
    "Setup",
    "Step",
    "Wait",
]

ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)

DEFAULT_LIMITS = Limits()

RAISED = (True, "exit", "cancelled", "interrupt")
"""What a handler can raise: an error; what ends a program; what ends a task; what a user types to
end a program, which alone is raised again."""


class _Shown:
    """What shows only what is not as usual."""

    def __repr__(self) -> str:
        made: Any = self
        shown = (
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(made)
            if getattr(self, each.name) != each.default
        )
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class Setup(_Shown):
    """How the server is set up.

    Attributes:
        limits: what messages it takes.
        attempts: how many requests may be refused.
        seconds: how long the client may take.
        rounds: of prompts in one exchange.
        prompts: in one round.
        waiting: how many messages may wait while a decision is deferred.
        methods: the methods that a client may try, unless an event says otherwise.
        root_directory: the first directory of sessions for which the handler sets none.
        algorithms: the public key algorithms to take; no certificates.
        services: the services that there are.
        session_id: what signatures cover.
        connection_id: what events call the connection.
    """

    limits: LimitsLike = DEFAULT_LIMITS
    attempts: int = 20
    seconds: float = 600.0
    rounds: int = 16
    prompts: int = 64
    waiting: int = 16
    methods: str = "publickey,password,keyboard-interactive"
    root_directory: str = "/"
    algorithms: tuple[str, ...] = ALGORITHMS
    services: tuple[str, ...] = ("ssh-connection",)
    session_id: bytes = b"the session"
    connection_id: int = 0


@dataclass(frozen=True, repr=False)
class Answer(_Shown):
    """What a handler does with one event: it sets attributes, defers, decides, raises, in order.

    Attributes:
        accept: what it sets.
        partial_success: what it sets.
        available_methods: what it sets; None for leaving it as it is.
        home_dir: what it sets.
        change_password: what it sets.
        defers: how often it defers.
        decides: whether it says within its own call that it has decided.
        raises: whether it raises then: False, or what of `RAISED`.
        takes: how many seconds all that takes.
    """

    accept: object = False
    partial_success: object = False
    available_methods: object = None
    home_dir: str | None = None
    change_password: object = None
    defers: int = 0
    decides: bool = False
    raises: bool | str = False
    takes: float = 0.0


@dataclass(frozen=True, repr=False)
class Asked(_Shown):
    """What a handler says when it is asked for prompts.

    Attributes:
        prompts: (prompt, echo) pairs, or something that is none.
        name: a title.
        instructions: a text above the prompts.
        raises: whether it raises instead: False, or what of `RAISED`.
        nothing: whether it returns something that is no prompts at all instead.
        defers: whether it defers, and what it returns is ignored.
    """

    prompts: object = ()
    name: object = ""
    instructions: object = ""
    raises: bool | str = False
    nothing: bool = False
    defers: bool = False


@dataclass(frozen=True, repr=False)
class Receive(_Shown):
    """The client sends a message, or any bytes.

    Attributes:
        payload: of an SSH packet: type byte and fields.
        answers: what the handler does with the events that this leads to, in order; it refuses
            those for which there is none.
        rounds: what it says to the questions for prompts, in order; None for no more, which it
            also says where nothing is left here.
    """

    payload: bytes
    answers: tuple[Answer, ...] = ()
    rounds: tuple[Asked | None, ...] = ()


@dataclass(frozen=True, repr=False)
class Decide(_Shown):
    """A decision is made on an event, deferred or not, by its number from 0, round and round.

    Attributes:
        event: the number; nothing happens where there was no event yet.
        answer: what is set.
        answers: as for `Receive`, for the events that this leads to.
        rounds: likewise.
    """

    event: int
    answer: Answer = Answer()
    answers: tuple[Answer, ...] = ()
    rounds: tuple[Asked | None, ...] = ()


@dataclass(frozen=True, repr=False)
class Say(_Shown):
    """It is said what to ask in a round, deferred or not, by its number from 0, round and round.

    Attributes:
        round: the number of the question for prompts; nothing happens where there was none yet.
        asked: what to ask; None for nothing more. It does not raise.
        answers: as for `Receive`, for the events that this leads to.
        rounds: likewise.
    """

    round: int
    asked: Asked | None = None
    answers: tuple[Answer, ...] = ()
    rounds: tuple[Asked | None, ...] = ()


@dataclass(frozen=True, repr=False)
class Wait(_Shown):
    """Time passes.

    Attributes:
        seconds: how much.
        looks: whether the server is told to look at the clock then.
    """

    seconds: float
    looks: bool = True


@dataclass(frozen=True, repr=False)
class SendBanner(_Shown):
    """Whoever runs the server has a text shown.

    Attributes:
        message: the text.
        language: its language tag.
    """

    message: str
    language: str = ""


@dataclass(frozen=True, repr=False)
class Lost(_Shown):
    """The client is gone."""


Step: TypeAlias = Receive | Decide | Say | Wait | SendBanner | Lost
