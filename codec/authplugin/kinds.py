"""The wire kinds that a field of a message can have (RFC 4251 section 5, H.3).

A field is declared by an annotation that carries its kind (`hostname: UnstatedText`). Everything
that has to know what a message looks like reads the kinds from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, TypeAlias, cast


class Encoding(StrEnum):
    """What the bytes of a string must be."""

    UTF8 = "utf-8"
    ASCII = "ascii"
    UNSTATED = "unstated"
    """UTF-8, unless `Limits.any_bytes`: text for which no encoding is published."""
    NAMES = "name-list"
    """ASCII names, none of them empty, with commas between them; nothing at all is an empty list
    (RFC 4251, section 5)."""
    OPAQUE = "opaque"
    """Anything: no text at all."""


@dataclass(frozen=True, slots=True)
class UInt32Kind:
    """Four bytes, big-endian."""

    least_size = 4


@dataclass(frozen=True, slots=True)
class BooleanKind:
    """One byte, 0 or 1."""

    least_size = 1


@dataclass(frozen=True, slots=True)
class StringKind:
    """A uint32 length, which excludes itself, and that many bytes."""

    encoding: Encoding
    secret: bool = False
    """Whether the contents stay out of `repr`, errors, dumps and recordings."""

    least_size = 4


ElementKind: TypeAlias = BooleanKind | StringKind


@dataclass(frozen=True, slots=True)
class CountedKind:
    """A uint32 count, then that many elements.

    An element of one part is that part's value; one of more parts is a tuple of their values.
    """

    element: tuple[tuple[str, ElementKind], ...]

    least_size = 4

    @property
    def least_element_size(self) -> int:
        """The fewest bytes that one element can take."""
        return sum(kind.least_size for _, kind in self.element)


@dataclass(frozen=True, slots=True)
class RestKind:
    """All bytes up to the end of the message, whatever they are."""

    secret: bool = False
    least_size = 0


@dataclass(frozen=True, slots=True)
class ConstantKind:
    """Bytes that are always the same: what tells one message from others of its type byte.

    Attributes:
        kind: the wire kind of the value.
        data: the value, on the wire.
    """

    kind: BooleanKind | StringKind
    data: bytes

    @property
    def least_size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    @classmethod
    def of(cls, kind: BooleanKind | StringKind, value: bool | str) -> ConstantKind:
        """Return the kind of a field that always has this value."""
        if isinstance(value, str):
            return cls(kind, len(value).to_bytes(4, "big") + value.encode("ascii"))
        return cls(kind, bytes((value,)))


Kind: TypeAlias = UInt32Kind | BooleanKind | StringKind | CountedKind
"""What the fields of the plugin protocol are."""

WireKind: TypeAlias = Kind | RestKind | ConstantKind
"""What any field is."""

TextValue: TypeAlias = str | bytes | memoryview
"""What a text field holds: whatever its owner put there, or a read-only view of what came in."""

BOOLEANS: Final = {
    False: (False, True),
    True: cast("tuple[bool, ...]", (False, True, *range(2, 256))),
}
"""By `Limits.nonzero_is_true`: what each byte of a boolean is read as. A byte over 1 stays what it
is, true and not equal to True, so that encoding gives it again."""

OCTETS: Final = {
    lenient: {value: bytes((value,)) for value in values} for lenient, values in BOOLEANS.items()
}
"""By `Limits.nonzero_is_true`: the byte that each boolean is written as."""

UInt32 = Annotated[int, UInt32Kind()]
Boolean = Annotated[bool, BooleanKind()]
Names = Annotated[TextValue, StringKind(Encoding.NAMES)]
Opaque = Annotated[bytes | memoryview, StringKind(Encoding.OPAQUE)]
SecretText = Annotated[TextValue, StringKind(Encoding.UTF8, secret=True)]
SecretRest = Annotated[bytes | memoryview, RestKind(secret=True)]
Name = Annotated[str, StringKind(Encoding.ASCII)]
Text = Annotated[TextValue, StringKind(Encoding.UTF8)]
AsciiText = Annotated[TextValue, StringKind(Encoding.ASCII)]
UnstatedText = Annotated[TextValue, StringKind(Encoding.UNSTATED)]
Prompts = Annotated[
    Sequence[tuple[TextValue, bool]],
    CountedKind((("prompt", StringKind(Encoding.UTF8)), ("echo", BooleanKind()))),
]
Responses = Annotated[
    Sequence[TextValue], CountedKind((("response", StringKind(Encoding.UTF8, secret=True)),))
]
