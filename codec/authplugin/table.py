"""How a message is declared: one class, from which everything else about it follows.

A declaration says what the message looks like (its fields, each with a wire kind) and where it
stands in the conversation (who sends it, which state it leaves and which it enters).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_type_hints

from .kinds import CountedKind, Kind, StringKind


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
class Field:
    """A field of a message: its name and its wire kind."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """All that is declared of one message.

    Attributes:
        name: as published, such as `"PLUGIN_INIT"`.
        code: the type byte.
        clause: the section of the published text that defines it.
        method: the authentication method to which the code belongs; None where it belongs to
            the protocol itself. Codes from 20 up mean something else under each method (H.6).
        sender: the side that sends it.
        leaves: the state in which it may be sent.
        enters: the state that it leads to.
        fields: in the order of the wire.
    """

    name: str
    code: int
    clause: str
    method: str | None
    sender: Side
    leaves: State
    enters: State
    fields: tuple[Field, ...] = ()


class Message:
    """The base of all messages.

    Text fields take `str`, `bytes` or `memoryview`; decoding gives read-only views. Two messages
    are equal where their contents are, whatever holds the text. The contents of secret fields
    never show in `repr`.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # mutable, so not hashable

    spec: ClassVar[MessageSpec]

    def detach(self) -> Self:
        """Return the same message with values of its own, which pin no chunk of input.

        Text becomes `str`; text that is not UTF-8 (see `Limits.any_bytes`) becomes `bytes`.
        """
        return type(self)(*self._owned_values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message) or type(self) is not type(other):
            return NotImplemented
        return self._owned_values() == other._owned_values()

    def _owned_values(self) -> list[Any]:
        return [_owned_field(getattr(self, field.name), field.kind) for field in self.spec.fields]

    def __repr__(self) -> str:
        shown = (
            f"{field.name}={_shown(getattr(self, field.name), field.kind)}"
            for field in self.spec.fields
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def _owned_field(value: Any, kind: Kind) -> Any:
    """Copy what a field holds into plain objects; what does not belong there stays as it is."""
    if isinstance(kind, CountedKind) and isinstance(value, (tuple, list)):
        return [_owned(item) for item in value]
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


def _shown(value: Any, kind: Kind) -> str:
    if isinstance(kind, CountedKind) and any(
        isinstance(part, StringKind) and part.secret for _, part in kind.element
    ):
        return f"<{len(value)} not shown>" if isinstance(value, (tuple, list)) else "<not shown>"
    return repr(_owned_field(value, kind))


MessageType = TypeVar("MessageType", bound=Message)


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
    """Make the decorated class a message, and enter it in `table`.

    The parameters are those of `MessageSpec`; the fields are read from the class's annotations.
    """

    def declare(declared: type[MessageType]) -> type[MessageType]:
        made = dataclass(slots=True, eq=False, repr=False)(declared)
        kinds = get_type_hints(made, include_extras=True)
        made.spec = MessageSpec(
            name=name,
            code=code,
            clause=clause,
            method=method,
            sender=sender,
            leaves=leaves,
            enters=enters,
            fields=tuple(
                Field(field.name, kinds[field.name].__metadata__[0])
                for field in fields(made)  # type: ignore[arg-type]  # made by dataclass() above
            ),
        )
        table.append(made)
        return made

    return declare
