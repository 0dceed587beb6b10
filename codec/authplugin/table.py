"""How a message is declared: one class, from which everything else about it follows.

A declaration says what the message looks like (its fields, each with a wire kind) and where it
stands in the conversation (who sends it, which state it leaves and which it enters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from .kinds import ConstantKind, CountedKind, Encoding, Kind, RestKind, StringKind, WireKind


class Side(StrEnum):
    """Who speaks."""

    CLIENT = "client"
    PLUGIN = "plugin"

    @property
    def other(self) -> Side:
        """The side at the other end of the pipes."""
        return Side.PLUGIN if self is Side.CLIENT else Side.CLIENT


class State(StrEnum):
    """Where a conversation stands. The state alone says whose turn it is (H.1, half-duplex)."""

    START = "START"
    INITIALISING = "INITIALISING"
    IDLE = "IDLE"
    OFFERED = "OFFERED"
    AUTHENTICATING = "AUTHENTICATING"
    CHALLENGED = "CHALLENGED"
    ASKING_USER = "ASKING_USER"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class WireField:
    """A field of any message: its name and its wire kind."""

    name: str
    kind: WireKind


@dataclass(frozen=True, slots=True)
class Field(WireField):
    """A field of a message of the plugin protocol."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class WireSpec:
    """What is declared of any message: how it looks on the wire.

    Attributes:
        name: as published, such as `"PLUGIN_INIT"`.
        code: the type byte.
        clause: the section of the published text that defines it.
        method: the authentication method to which the code belongs; None where it belongs to
            the protocol itself.
        fields: in the order of the wire, those that never vary included.
        variables: those that a message of this kind has a value for.
    """

    name: str
    code: int
    clause: str
    method: str | None
    fields: tuple[WireField, ...]
    variables: tuple[WireField, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        varying = (each for each in self.fields if not isinstance(each.kind, ConstantKind))
        object.__setattr__(self, "variables", tuple(varying))


@dataclass(frozen=True, slots=True)
class MessageSpec(WireSpec):
    """All that is declared of one message of the plugin protocol.

    Codes from 20 up mean something else under each method (H.6).

    Attributes:
        sender: the side that sends it.
        leaves: the state in which it may be sent.
        enters: the state that it leads to.
    """

    fields: tuple[Field, ...]
    sender: Side
    leaves: State
    enters: State


class WireMessage:
    """The base of all messages, of the plugin protocol and of SSH's user authentication.

    Text fields take `str`, `bytes` or `memoryview`; decoding gives read-only views. Two messages
    are equal where their contents are, whatever holds the text. The contents of secret fields
    never show in `repr`.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # mutable, so not hashable

    spec: ClassVar[WireSpec]

    def detach(self) -> Self:
        """Return the same message with values of its own, which pin no chunk of input.

        Text becomes `str`; text that is not UTF-8 (see `Limits.any_bytes`) becomes `bytes`.
        """
        return type(self)(*self._owned_values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WireMessage) or type(self) is not type(other):
            return NotImplemented
        return self._owned_values() == other._owned_values()

    def _owned_values(self) -> list[Any]:
        return [_owned_field(getattr(self, each.name), each.kind) for each in self.spec.variables]

    def __repr__(self) -> str:
        shown = (
            f"{each.name}={_shown(getattr(self, each.name), each.kind)}"
            for each in self.spec.variables
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class Message(WireMessage):
    """The base of all messages of the plugin protocol."""

    __slots__ = ()

    spec: ClassVar[MessageSpec]


def _owned_field(value: Any, kind: WireKind) -> Any:
    """Copy what a field holds into plain objects; what does not belong there stays as it is."""
    if isinstance(kind, CountedKind) and isinstance(value, (tuple, list)):
        return [_owned(item) for item in value]
    opaque = isinstance(kind, RestKind) or getattr(kind, "encoding", None) is Encoding.OPAQUE
    if opaque and isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return _owned(value)


def _owned(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError:
            return bytes(value)
    if isinstance(value, (tuple, list)):
        return tuple(_owned(item) for item in value)
    return value


def _shown(value: Any, kind: WireKind) -> str:
    if isinstance(kind, CountedKind) and any(
        isinstance(part, StringKind) and part.secret for _, part in kind.element
    ):
        return f"<{len(value)} not shown>" if isinstance(value, (tuple, list)) else "<not shown>"
    if getattr(kind, "secret", False):
        return "<not shown>"
    return repr(_owned_field(value, kind))


MessageType = TypeVar("MessageType", bound=WireMessage)


def declare(
    declared: type[MessageType], make_spec: Callable[[tuple[Any, ...]], WireSpec]
) -> type[MessageType]:
    """Make a class a message: a dataclass whose annotations carry the wire kinds of its fields.

    A class variable with a wire kind is a field that always has that value.

    Args:
        declared: the class.
        make_spec: called with its fields, returns the declaration.
    """
    made = dataclass(slots=True, eq=False, repr=False)(declared)
    made.spec = make_spec(tuple(_fields(made)))
    return made


def _fields(made: type) -> Iterator[WireField]:
    for name, hint in get_type_hints(made, include_extras=True).items():
        constant = get_origin(hint) is ClassVar
        inner = get_args(hint)[0] if constant else hint
        if get_origin(inner) is Annotated:
            kind = inner.__metadata__[0]
            if constant:
                yield WireField(name, ConstantKind.of(kind, getattr(made, name)))
            else:
                yield Field(name, kind)


@dataclass_transform(eq_default=False)
def message(
    table: list[type[Message]],
    name: str,
    *,
    code: int,
    clause: str,
    sender: Side,
    leaves: State,
    enters: State,
    method: str | None = None,
) -> Callable[[type[MessageType]], type[MessageType]]:
    """Make the decorated class a message of the plugin protocol, and enter it in `table`.

    The parameters are those of `MessageSpec`; the fields are read from the class's annotations.
    """

    def decorate(declared: type[MessageType]) -> type[MessageType]:
        made = declare(
            declared,
            lambda fields: MessageSpec(name, code, clause, method, fields, sender, leaves, enters),
        )
        table.append(made)  # type: ignore[arg-type]
        return made

    return decorate
