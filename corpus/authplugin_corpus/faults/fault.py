"""What a fault is: plain data, and a function that makes wrong conversations of a right one."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from authplugin import ErrorCode, Limits

from ..protocols import PLUGIN, Protocol


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
        message: the name of the message that the fault has struck, the conversation's last, as
            `protocols.label_of` gives it.
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

    @property
    def payload(self) -> bytes | None:
        """What is behind the length of the data, as in an SSH packet.

        None where the data are not exactly one frame.
        """
        if self.ends or int.from_bytes(self.data[:4], "big") != len(self.data) - 4:
            return None
        return self.data[4:]


class Strike(typing.Protocol):
    """Makes wrong conversations of a right one."""

    def __call__(
        self, frames: Sequence[bytes], limits: Limits, protocol: Protocol = PLUGIN, /
    ) -> Iterator[Faulty]:
        """Yield each; the parameters are those of `Fault.strike`."""


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
            frame will do; they take the frame's protocol as well, if it is not the plugin's, where
            others strike nothing.
    """

    name: str
    sentence: str
    codes: frozenset[ErrorCode]
    clause: str
    scope: Scope
    strike: Strike
