"""What a vector is, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from authplugin import ErrorCode, Message

from .constraints import Expected


class Result(StrEnum):
    """What a strict receiver makes of a conversation."""

    VALID = "valid"
    INVALID = "invalid"
    ACCEPTABLE = "acceptable"
    """The text is silent or at odds with itself: refusing is right, and accepting is too."""


class Delivery(StrEnum):
    """In which pieces bytes are written."""

    WHOLE = "whole"
    BYTE_BY_BYTE = "byte-by-byte"


@dataclass(frozen=True, slots=True)
class Flag:
    """What the vectors that carry it have in common.

    Attributes:
        name: a stable name.
        bug_type: what kind of mistake they find.
        effect: what such a mistake leads to.
        ambiguity: what the published text leaves open, and how; None where it does not.
    """

    name: str
    bug_type: str
    effect: str
    ambiguity: str | None = None


@dataclass(frozen=True, slots=True)
class SentFault:
    """What is wrong with bytes that are sent.

    Attributes:
        code: what a strict receiver refuses them with.
        sentence: the same for people, as it would follow "accepts" or "answers".
    """

    code: ErrorCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to write: `messages`, and behind them whatever `fault` is about."""

    data: bytes
    messages: tuple[Message, ...]
    fault: SentFault | None
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Expect:
    """A message that must come."""

    expected: Expected


@dataclass(frozen=True, slots=True)
class Allow:
    """Messages of which one may come; a strict plugin says none where `lenient`."""

    choices: tuple[Expected, ...]
    lenient: bool


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """The input is closed."""


@dataclass(frozen=True, slots=True)
class ExpectEnd:
    """Nothing more is said, and the plugin ends."""


Turn: TypeAlias = Send | Expect | Allow | EndOfInput | ExpectEnd


@dataclass(frozen=True, slots=True)
class PluginDialogue:
    """A conversation with a plugin, from the client's side.

    Attributes:
        id: names what is tested, and never changes its meaning.
        sentence: what is tested, for people.
        clause: where that is stated: a section of the published text, or of an RFC.
        result: what a strict plugin makes of it.
        flags: names in the register of flags.
        turns: what to do, in order.
        file: the name of the file that it stands in.
    """

    id: str
    sentence: str
    clause: str
    result: Result
    flags: tuple[str, ...]
    turns: tuple[Turn, ...]
    file: str
