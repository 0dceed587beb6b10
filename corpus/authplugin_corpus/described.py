"""What all kinds of vectors have in common."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

from authplugin import ErrorCode


class Kind(StrEnum):
    """What the vectors of a file are."""

    MESSAGES = "messages"
    PLUGIN_DIALOGUES = "plugin-dialogues"
    CLIENT_DIALOGUES = "client-dialogues"
    USERAUTH = "userauth"


class Result(StrEnum):
    """What a strict receiver makes of a vector."""

    VALID = "valid"
    INVALID = "invalid"
    ACCEPTABLE = "acceptable"
    """The text is silent or at odds with itself: refusing is right, and accepting is too."""


class SentFault(NamedTuple):
    """What is wrong with bytes that are sent, or with the end of them.

    Attributes:
        code: what a strict receiver refuses them with.
        sentence: the same for people, as it would follow "accepts" or "answers".
    """

    code: ErrorCode
    sentence: str


class Struck(NamedTuple):
    """What was made wrong in a right conversation: one row of the table of faults.

    Attributes:
        message: the message's name.
        part: `"frame"`, `"length"`, `"type"`, or a field without its index.
        fault: the fault's name.
    """

    message: str
    part: str
    fault: str


@dataclass(frozen=True, slots=True)
class Named:
    """What every vector has.

    Attributes:
        kind: the kind of file that it stands in.
        id: names what is tested, and never changes its meaning.
        sentence: what is tested, for people.
        clause: where that is stated: a section of the published text, or of an RFC.
        result: what a strict receiver makes of it.
        flags: names in the register of flags.
    """

    kind: ClassVar[Kind]
    id: str
    sentence: str
    clause: str
    result: Result
    flags: tuple[str, ...]
