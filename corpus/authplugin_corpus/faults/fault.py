"""What a fault is: plain data, and a function that makes wrong conversations of a right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from authplugin import ErrorCode, Limits


class Scope(StrEnum):
    """What a receiver has to know to see that something is wrong."""

    FRAME = "frame"
    """The bytes themselves."""
    CONVERSATION = "conversation"
    """What was said before them."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """What the last speaker of a conversation says instead of what it should have said.

    Attributes:
        message: the published name of the message that the fault has struck: the conversation's
            last.
        part: where in it: `"length"` or `"type"`, a field without its index (`"hostname"`,
            `"prompts"` for the count, `"prompts[].echo"`), or `"frame"` for the message as a
            whole.
        place: the same to the byte or the element, for people, such as `"prompts[1].echo"`.
        data: the bytes.
        code: what a strict receiver refuses them with; None where it takes them.
        kept: how many frames of the right conversation come before `data`. The next one is the
            same speaker's.
        ends: whether the end of file follows the data.
    """

    message: str
    part: str
    place: str
    data: bytes
    code: ErrorCode | None
    kept: int
    ends: bool = False


Strike: TypeAlias = Callable[[Sequence[bytes], Limits], Iterator[Faulty]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to be wrong.

    Attributes:
        name: a stable name.
        sentence: what is wrong, for people.
        codes: what a strict receiver may refuse it with; which, each `Faulty` says.
        clause: the section of the published text that it breaks.
        scope: whether the wrong bytes can be told from right ones by themselves.
        strike: called with a right conversation and the limits of its receiver, gives every
            wrong one that this fault makes of it; none where the fault does not fit. The
            conversation is the frames of both sides in order, from the first; it is the last
            speaker who is at fault. Faults of scope `FRAME` look at the last frame only, and one
            frame will do.
    """

    name: str
    sentence: str
    codes: frozenset[ErrorCode]
    clause: str
    scope: Scope
    strike: Strike
