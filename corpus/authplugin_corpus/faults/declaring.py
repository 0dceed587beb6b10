"""How a fault is declared: a function that is told of a right conversation, and what is said of it.

And how one fault is put on top of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from authplugin import ErrorCode, Limits, Message, MessageSpec, decode
from authplugin.kinds import RestKind, StringKind
from authplugin.table import WireMessage, WireSpec

from ..protocols import PLUGIN, Protocol
from ..segments import segments_of
from .fault import Fault, Faulty, Scope
from .judging import judge


@dataclass(frozen=True, slots=True)
class Span:
    """Where a part of a frame stands.

    Attributes:
        part: the part, as a `Faulty` names it.
        start: its first byte, from the first of the frame.
        stop: the byte behind its last.
        text_at: where a string's text starts, behind its length; None for other parts.
    """

    part: str
    start: int
    stop: int
    text_at: int | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A right conversation whose last speaker is about to be at fault.

    Attributes:
        frames: the frames of both sides in order.
        limits: those of the receiver.
        protocol: the protocol of the last frame.
        message: the last frame, decoded.
        label: what tells it from all other messages.
        frame: what stands in its place: itself, or what another fault has made of it.
        kept: how many of the frames come before it.
    """

    frames: Sequence[bytes]
    limits: Limits
    protocol: Protocol
    message: WireMessage
    label: str
    frame: bytes
    kept: int

    @classmethod
    def to(cls, frames: Sequence[bytes], limits: Limits, protocol: Protocol) -> Lead:
        """Return what leads to, and has, the last of the frames."""
        message = protocol.decode(frames[-1], limits)
        label = protocol.labels[type(message)]
        return cls(frames, limits, protocol, message, label, frames[-1], len(frames) - 1)

    @property
    def spec(self) -> WireSpec:
        """What is declared of the last message."""
        return self.message.spec

    @property
    def said(self) -> MessageSpec:
        """The same, in a conversation of the plugin protocol."""
        assert isinstance(self.message, Message)
        return self.message.spec

    def earlier(self) -> list[Message]:
        """Return what was said before the last message, in one of the plugin protocol."""
        return [decode(frame, self.limits) for frame in self.frames[:-1]]

    def spans(self) -> list[Span]:
        """Return where the parts of the right frame stand, without a gap."""
        spans = [Span("length", 0, 4), Span("type", 4, 5)]
        for segment in segments_of(self.message):
            at = spans[-1].stop
            text_at = at + 4 if isinstance(segment.kind, StringKind) else None
            spans.append(Span(segment.part, at, at + len(segment.data), text_at))
        return spans

    @property
    def takes_any_end(self) -> bool:
        """Whether the last field takes whatever comes, and nothing too."""
        fields = self.message.spec.fields
        return bool(fields) and isinstance(fields[-1].kind, RestKind)

    def parts(self) -> list[str]:
        """Return the part in which each byte of the frame stands; "frame" behind the right one."""
        parts = [span.part for span in self.spans() for _ in range(span.start, span.stop)]
        return parts + ["frame"] * (len(self.frame) - len(parts))

    def says(
        self, part: str, place: str, data: bytes, code: ErrorCode | None, *, ends: bool = False
    ) -> Faulty:
        """Return what the last speaker says instead; the parameters are those of `Faulty`."""
        return Faulty(self.label, part, place, data, code, self.kept, ends)

    def judged(self, part: str, place: str, data: bytes, *, ends: bool = False) -> Faulty:
        """Return the same with the code that `judge` gives it."""
        code = judge(self.frames, self.kept, data, ends, self.limits, self.protocol)
        return self.says(part, place, data, code, ends=ends)


Declared: TypeAlias = Callable[[Lead], Iterator[Faulty]]

_seconds: dict[str, Declared] = {}


def fault(
    table: list[Fault],
    name: str,
    codes: ErrorCode | set[ErrorCode],
    clause: str,
    sentence: str,
    scope: Scope,
    *,
    second: bool = False,
) -> Callable[[Declared], Declared]:
    """Make the decorated function a fault, and enter it in `table`.

    The parameters are those of `Fault`. Where `second`, the function takes `Lead.frame` as bytes
    and no more, so that it can strike whatever another fault has made.
    """

    def declare(declared: Declared) -> Declared:
        def strike(
            frames: Sequence[bytes], limits: Limits, protocol: Protocol = PLUGIN
        ) -> Iterator[Faulty]:
            if scope is Scope.CONVERSATION and protocol is not PLUGIN:
                return iter(())
            return declared(Lead.to(frames, limits, protocol))

        several = {codes} if isinstance(codes, ErrorCode) else codes
        table.append(Fault(name, sentence, frozenset(several), clause, scope, strike))
        if second:
            _seconds[name] = declared
        return declared

    return declare


_ENDS: Final = {ErrorCode.END_TRUNCATED, ErrorCode.END_PREMATURE}

NOT_OF_A_PEER: Final = frozenset({ErrorCode.BAD_VALUE, ErrorCode.POISONED, ErrorCode.BAD_NAME_LIST})
"""What is said to a caller, or of SSH's own messages; never of a peer in the plugin protocol."""


def compose(first: Fault, second: Fault) -> Fault:
    """Return the fault that strikes with `second` what `first` has made of a frame.

    Its name is those of both with a plus sign between them, and so is what it says of the places;
    the parts are those that `first` has struck. What a receiver says to both at once only the
    judge knows, so `codes` are all that a peer can be refused with; what `first` has made that
    ends the file is left out.

    Raises:
        ValueError: where `first` is an end of file, behind which nothing can come, or where
            `second` needs a right frame to strike, and not just bytes.
    """
    if first.codes <= _ENDS:
        raise ValueError(f"{first.name} ends the file: nothing can come behind it")
    if second.name not in _seconds:
        known = ", ".join(_seconds)
        raise ValueError(f"{second.name} strikes right frames only; what can come second: {known}")
    declared = _seconds[second.name]

    def strike(
        frames: Sequence[bytes], limits: Limits, protocol: Protocol = PLUGIN
    ) -> Iterator[Faulty]:
        lead = Lead.to(frames, limits, protocol)
        for one in first.strike(frames, limits, protocol):
            if one.ends:
                continue
            struck = replace(lead, frame=one.data, kept=one.kept)
            for other in declared(struck):
                place = f"{one.place} + {other.place}"
                yield struck.judged(one.part, place, other.data, ends=other.ends)

    return Fault(
        name=f"{first.name}+{second.name}",
        sentence=f"{first.sentence} And on top of it: {second.sentence}",
        codes=(frozenset(ErrorCode) - NOT_OF_A_PEER) | first.codes,
        clause=second.clause,
        scope=Scope.FRAME if first.scope is second.scope is Scope.FRAME else Scope.CONVERSATION,
        strike=strike,
    )
