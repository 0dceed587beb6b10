"""What a vector is, once it has been read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from authplugin import ErrorCode, Limits, Message

from .constraints import Expected
from .described import Kind, Named, Result, SentFault, Struck

if TYPE_CHECKING:
    from .userauth.model import UserAuthDialogue, UserAuthMessageVector

__all__ = [
    "Allow",
    "Ambiguity",
    "Case",
    "ClientDialogue",
    "Delivery",
    "Dialogue",
    "EndOfInput",
    "EndOfOutput",
    "Expect",
    "ExpectEnd",
    "ExpectSilence",
    "Flag",
    "Kind",
    "Known",
    "MessageVector",
    "PluginDialogue",
    "Result",
    "Send",
    "SentFault",
    "Server",
    "Struck",
    "Turn",
    "User",
    "Vector",
    "cases",
]


class Delivery(StrEnum):
    """In which pieces bytes are written."""

    WHOLE = "whole"
    """Each send in one write."""
    BYTE_BY_BYTE = "byte-by-byte"
    """Each byte by itself."""
    FIELD_EDGES = "field-edges"
    """Cut where fields begin and end, and between a length or count and what it is of."""
    COALESCED = "coalesced"
    """Sends between which nothing is expected in one write."""


class Known(NamedTuple):
    """What somebody's program does where the text leaves something open.

    Attributes:
        program: its name and version.
        does: what it does.
        seen: how that is known.
    """

    program: str
    does: str
    seen: str


class Ambiguity(NamedTuple):
    """Something that the published text leaves open; as a `str`, what.

    Attributes:
        question: what, and how.
        clause: where the text leaves it open.
        here: what this project's own programs do.
        known: what others do; empty where nothing is known of anybody.
    """

    question: str
    clause: str
    here: str
    known: tuple[Known, ...] = ()

    def __str__(self) -> str:
        return self.question


class Flag(NamedTuple):
    """What the vectors that carry it have in common.

    Attributes:
        name: a stable name.
        bug_type: what kind of mistake they find.
        effect: what such a mistake leads to.
        ambiguity: what the published text leaves open; None where it does not.
        deliveries: a case in one of these carries the flag too, whatever its vector.
    """

    name: str
    bug_type: str
    effect: str
    ambiguity: Ambiguity | None = None
    deliveries: tuple[Delivery, ...] = ()


class Send(NamedTuple):
    """Bytes to write: `messages`, and behind them whatever `fault` is about.

    Attributes:
        data: the bytes.
        messages: the good messages that they begin with.
        fault: what is wrong with the bytes behind those; None where there are none.
        hold_back: so many of the last bytes are written only after the program has been seen to
            say nothing about those before them.
    """

    data: bytes
    messages: tuple[Message, ...]
    fault: SentFault | None
    hold_back: int = 0


class Expect(NamedTuple):
    """A message that must come."""

    expected: Expected


class Allow(NamedTuple):
    """Messages of which one may come; a strict program says none where `lenient`."""

    choices: tuple[Expected, ...]
    lenient: bool


@dataclass(frozen=True, slots=True)
class ExpectSilence:
    """Nothing is said, and the program goes on waiting."""


class EndOfInput(NamedTuple):
    """The program's input is closed; `fault` says what is wrong with that, if anything."""

    fault: SentFault | None = None


@dataclass(frozen=True, slots=True)
class EndOfOutput:
    """Nobody reads any more what the program writes, as where the other side has gone."""


@dataclass(frozen=True, slots=True)
class ExpectEnd:
    """Nothing more is said, and the program ends: a plugin its process, a client its output."""


class Server(NamedTuple):
    """The SSH server asks the client (a PLUGIN_KI_SERVER_REQUEST's fields), or lets it in or not.

    Attributes:
        challenge: the request, with the fields of SSH_MSG_USERAUTH_INFO_REQUEST; or None.
        success: the outcome, where there is no challenge.
    """

    challenge: Message | None
    success: bool = False


class User(NamedTuple):
    """What the client's user answers, a text for each prompt."""

    answers: tuple[str, ...]


Turn: TypeAlias = (
    Send | Expect | Allow | ExpectSilence | EndOfInput | EndOfOutput | ExpectEnd | Server | User
)


@dataclass(frozen=True, slots=True)
class MessageVector(Named):
    """Bytes, and what a decoder of exactly one frame makes of them.

    Attributes:
        data: the bytes, behind which the input ends.
        limits: those of the receiver.
        message: what they are read as; None where they are refused in any case.
        code: what a strict receiver refuses them with; None where it does not.
        field: the field concerned, such as `"prompts[1].echo"`; None where no single one is.
        offset: where in the frame; None where no byte is to blame.
        strikes: what in the table of faults makes such bytes; none where written by hand.
    """

    kind = Kind.MESSAGES
    data: bytes
    limits: Limits
    message: Message | None
    code: ErrorCode | None
    field: str | None
    offset: int | None
    file: str
    strikes: tuple[Struck, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue(Named):
    """A conversation with a program under test, from the other side.

    Attributes:
        turns: what to do, in order.
        file: the name of the file that it stands in.
        deliveries: in which pieces it is to be tried, at least one.
        strikes: what in the table of faults makes such a conversation; none where written by hand.
    """

    turns: tuple[Turn, ...]
    file: str
    deliveries: tuple[Delivery, ...] = (Delivery.WHOLE,)
    strikes: tuple[Struck, ...] = ()


class PluginDialogue(Dialogue):
    """A conversation with a plugin, from the client's side."""

    __slots__ = ()
    kind = Kind.PLUGIN_DIALOGUES


class ClientDialogue(Dialogue):
    """A conversation with an SSH client, from the plugin's side."""

    __slots__ = ()
    kind = Kind.CLIENT_DIALOGUES


# Its own messages take longer to load than most of what only concerns plugins and clients.
Vector: TypeAlias = (
    "MessageVector | PluginDialogue | ClientDialogue | UserAuthMessageVector | UserAuthDialogue"
)


class Case(NamedTuple):
    """A dialogue in one delivery: what is run, and what a verdict is on."""

    vector: PluginDialogue | ClientDialogue
    delivery: Delivery

    @property
    def id(self) -> str:
        """The vector's id, with the delivery behind a slash where it is not `whole`."""
        whole = self.delivery is Delivery.WHOLE
        return self.vector.id if whole else f"{self.vector.id}/{self.delivery}"

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The vector's turns; those that `coalesced` puts together are one `Send` already."""
        if self.delivery is not Delivery.COALESCED:
            return self.vector.turns
        return tuple(_together(self.vector.turns))


def cases(vectors: Iterable[PluginDialogue | ClientDialogue]) -> Iterator[Case]:
    """Yield every case of some dialogues, in their order."""
    for vector in vectors:
        for delivery in vector.deliveries:
            yield Case(vector, delivery)


def _together(turns: Iterable[Turn]) -> Iterator[Turn]:
    held: Send | None = None
    for turn in turns:
        if isinstance(turn, Send) and held is not None:
            held = held._replace(
                data=held.data + turn.data,
                messages=held.messages + turn.messages,
                fault=turn.fault,
            )
            continue
        if held is not None:
            yield held
        held = turn if isinstance(turn, Send) else None
        if held is None:
            yield turn
    if held is not None:
        yield held
