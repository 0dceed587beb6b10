"""What the files of the corpus have in common, and the register of flags, as they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from authplugin import ErrorCode, Limits

from .described import Result, Struck
from .model import Ambiguity, Delivery, Flag, Known
from .places import Place, parse

FORMAT: Final = 1
"""The version of the format that this module reads."""


_CLAUSE = re.compile(r"H(?:\.\d+)+|RFC \d{4} \d+(?:\.\d+)*")
_NOTHING: Final[frozenset[str]] = frozenset()


def document(place: Place, *names: str) -> Mapping[str, Place]:
    """Return the members of a file, whose version of the format is the one read here.

    Raises:
        VectorError: where it is of another version, or has other members.
    """
    version = place.member("format")
    if version.number() != FORMAT:
        raise version.wrong(f"expected {FORMAT}: other versions of the format are not known here")
    return place.members(frozenset({"format", *names}), _NOTHING)


def read_flags(text: str, file: str) -> Mapping[str, Flag]:
    """Return the flags of a register, by name.

    Args:
        text: its contents.
        file: its name, for the errors.

    Raises:
        VectorError: where it is not as its schema says.
    """
    members = document(parse(text, file), "flags")
    optional = frozenset({"ambiguity", "deliveries"})
    flags = {}
    for name, place in members["flags"].mapping().items():
        parts = place.members(frozenset({"bug_type", "effect"}), optional)
        flags[name] = Flag(
            name,
            parts["bug_type"].text(),
            parts["effect"].text(),
            _ambiguity(parts["ambiguity"]) if "ambiguity" in parts else None,
            deliveries_at(parts["deliveries"]) if "deliveries" in parts else (),
        )
    return flags


def _ambiguity(place: Place) -> Ambiguity:
    parts = place.members(frozenset({"question", "clause", "here", "known"}), _NOTHING)
    return Ambiguity(
        parts["question"].text(),
        clause_at(parts["clause"]),
        parts["here"].text(),
        tuple(_known(item) for item in parts["known"].items()),
    )


def _known(place: Place) -> Known:
    parts = place.members(frozenset({"program", "does", "seen"}), _NOTHING)
    return Known(parts["program"].text(), parts["does"].text(), parts["seen"].text())


def clause_at(place: Place) -> str:
    """Return a section of the published text, or of an RFC; raises VectorError."""
    return place.matching(_CLAUSE, "a clause such as 'H.6.1' or 'RFC 4251 5'")


def deliveries_at(place: Place) -> tuple[Delivery, ...]:
    """Return at least one delivery, none of them twice; raises VectorError."""
    deliveries = tuple(item.one_of(Delivery) for item in place.items())
    if not deliveries or len(set(deliveries)) < len(deliveries):
        raise place.wrong("expected at least one delivery, and none twice")
    return deliveries


# Vectors.

Names: TypeAlias = tuple[str, str, str, Result, tuple[str, ...]]
"""The values of the members that every vector has: id, sentence, clause, result, flags."""

Read = TypeVar("Read", covariant=True)


class VectorForm(NamedTuple, Generic[Read]):
    """The form of a kind of vectors.

    Attributes:
        required: the members that it has beyond those that every vector has.
        optional: those that may be there.
        read: makes a vector of the members, and of the values of those that every vector has.
    """

    required: frozenset[str]
    optional: frozenset[str]
    read: Callable[[Mapping[str, Place], Names], Read]


OF_MESSAGES: Final = frozenset({"limits", "message", "error", "strikes"})
"""The optional members of a vector of one message."""

_MESSAGE_AND_ERROR: Final = {
    Result.VALID: (True, False),
    Result.INVALID: (False, True),
    Result.ACCEPTABLE: (True, True),
}
"""Whether the message, and the error, are there."""


def check_message_and_error(members: Mapping[str, Place], named: Names) -> None:
    """Refuse a vector of one message that lacks what its result wants, or has what it does not."""
    if ("message" in members, "error" in members) != _MESSAGE_AND_ERROR[named[3]]:
        vector = members["id"].above
        assert vector is not None
        raise vector.wrong("'valid' has a 'message', 'invalid' an 'error', 'acceptable' both")


def error_at(
    members: Mapping[str, Place],
) -> tuple[ErrorCode | None, str | None, int | None]:
    """Return what the message of a vector is refused with: code, field, offset."""
    if "error" not in members:
        return None, None, None
    parts = members["error"].members(frozenset({"code"}), frozenset({"field", "offset"}))
    return (
        parts["code"].one_of(ErrorCode),
        parts["field"].text() if "field" in parts else None,
        parts["offset"].number() if "offset" in parts else None,
    )


def limits_at(members: Mapping[str, Place]) -> Limits:
    """Return the limits of a vector of one message."""
    if "limits" not in members:
        return Limits()
    place = members["limits"]
    stated = place.members(_NOTHING, frozenset({"frame", "text", "count"}))
    given: dict[str, Any] = {name: member.number() for name, member in stated.items()}
    try:
        return Limits(**given)
    except ValueError as error:
        raise place.wrong(str(error)) from None


def strikes_at(members: Mapping[str, Place], known: Container[str]) -> tuple[Struck, ...]:
    """Return what a vector stands for in the table of faults.

    Args:
        members: those of the vector.
        known: the names of messages.
    """
    if "strikes" not in members:
        return ()
    place = members["strikes"]
    strikes = tuple(_struck(item, known) for item in place.items())
    if not strikes or len(set(strikes)) < len(strikes):
        raise place.wrong("expected at least one, and none twice")
    return strikes


def _struck(place: Place, known: Container[str]) -> Struck:
    members = place.members(frozenset({"message", "part", "fault"}), _NOTHING)
    if members["message"].text() not in known:
        raise members["message"].wrong(f"{members['message'].value!r} is no message")
    return Struck(members["message"].text(), members["part"].text(), members["fault"].text())
