"""What a conversation comes to, by the oracles alone: the model that both roles are held against.

A *conversation* is the frames of both sides in the order in which they were said, as bytes. One
role is on trial. It says its own messages where it is its turn and it could say them; every other
byte comes to it from its peer. So any bytes at all are a conversation, and what each comes to is
settled here without a line of the code on trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from .oracles import cursor, turns

Neutral: TypeAlias = dict[str, Any]
"""A message without its class; see `oracles`."""


class Problem(NamedTuple):
    """Why something is refused: the code, the field and the offset of a `ProtocolError`."""

    code: str
    field: str | None = None
    offset: int | None = None


class Outcome(NamedTuple):
    """What comes of some bytes.

    Attributes:
        items: what happened, each as a pair of what and with what: "message" or "heard" and a
            neutral message, "frame" or "said" and a frame, "refused" and the code with which the
            role on trial must not say something, "ended" and the kind of end of file.
        problem: what was refused, behind all of them.
        state: where a conversation then stood.
    """

    items: tuple[tuple[str, object], ...]
    problem: Problem | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """The role on trial is to say a frame, a well-formed one, whether it may or not."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Hear:
    """Bytes come from the peer, in whatever chunks."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to the role on trial, and what must come of it.

    Attributes:
        steps: what it is to say and what it hears, in order. Behind the last one the input ends.
        outcome: what must come of it.
    """

    steps: tuple[Say | Hear, ...]
    outcome: Outcome


LENGTH_SIZE = 4
TYPE_AT = 4
FIELDS_AT = 5

_SPOKEN = (2,)  # the versions that the role on trial speaks, and so may offer

_GUARDS = {
    "version-above-offer": ("version", FIELDS_AT),
    "version-unsupported": ("version", FIELDS_AT),
    "method-unknown": (None, TYPE_AT),
    "response-count": ("responses", FIELDS_AT),
}
"""Which field and offset a message that does not fit what was said before it is refused with."""


def split(data: bytes) -> list[bytes]:
    """Cut bytes into frames by their length fields; what is no whole frame comes last."""
    frames = []
    at = 0
    while at < len(data):
        stop = at + LENGTH_SIZE + int.from_bytes(data[at : at + LENGTH_SIZE], "big")
        frames.append(data[at:stop])
        at = stop
    return frames


def script(conversation: bytes, side: str, limits: cursor.LimitsLike) -> Script:
    """Return what the role `side` ("client" or "plugin") is to make of a conversation."""
    return _Trial(side, limits).of(conversation)


class _Trial:
    def __init__(self, side: str, limits: cursor.LimitsLike) -> None:
        self._side = side
        self._peer = "plugin" if side == "client" else "client"
        self._limits = limits
        self._now = turns.Situation()
        self._steps: list[Say | Hear] = []
        self._items: list[tuple[str, object]] = []

    def of(self, conversation: bytes) -> Script:
        problem = None
        frame = b""
        at = 0
        for frame in split(conversation):
            if not self._say(frame):
                problem = self._hear(frame)
                if problem is not None:
                    # What is behind it must not matter any more, so all of it comes.
                    self._come(conversation[at:])
                    break
                self._come(frame)
            at += len(frame)
        if problem is None:
            problem = self._end(b"" if _whole(frame) else frame)
        return Script(tuple(self._steps), Outcome(tuple(self._items), problem, self._now.state))

    def _say(self, frame: bytes) -> bool:
        """Say the frame, where it is this side's; return whether it is."""
        if self._now.turn != self._side or not _whole(frame):
            return False
        name = cursor.NAMES.get(frame[TYPE_AT])
        if name is None or turns.SENDERS[name] != self._side:
            return False
        try:
            message = cursor.decode(frame, self._limits)
        except cursor.Refused:
            return True  # no message, so nothing that this side could say
        after = turns.step(self._now, self._side, name, message)
        refusal = after.refusal
        if name == "PLUGIN_INIT" and refusal is None and message["version"] not in _SPOKEN:
            refusal = "version-unsupported"
        if refusal is None:
            self._now = after
            self._items.append(("said", frame))
        else:
            self._items.append(("refused", refusal))
        self._steps.append(Say(frame))
        return True

    def _hear(self, frame: bytes) -> Problem | None:
        """Take the frame, or return what is wrong with it."""
        if self._now.turn != self._peer:
            return Problem("session-over" if self._now.turn is None else "wrong-turn")
        if len(frame) < LENGTH_SIZE:
            return None
        length = int.from_bytes(frame[:LENGTH_SIZE], "big")
        if length == 0:
            return Problem("frame-empty", None, 0)
        if length > self._limits.frame:
            return Problem("frame-too-long", None, 0)
        return self._take(frame) if _whole(frame) else None

    def _take(self, frame: bytes) -> Problem | None:
        name = cursor.NAMES.get(frame[TYPE_AT])
        if name is None:
            return Problem("unknown-type", None, TYPE_AT)
        if turns.SENDERS[name] != self._peer:
            return Problem("wrong-side", None, TYPE_AT)
        if (self._now.state, name) not in turns.TRANSITIONS:
            return Problem("wrong-state", None, TYPE_AT)
        try:
            message = cursor.decode(frame, self._limits)
        except cursor.Refused as refused:
            return Problem(refused.code, refused.field, refused.offset)
        after = turns.step(self._now, self._peer, name, message)
        if after.refusal is not None:
            return Problem(after.refusal, *_GUARDS[after.refusal])
        self._now = after
        self._items.append(("heard", message))
        return None

    def _end(self, rest: bytes) -> Problem | None:
        """End the input, `rest` of a frame behind the last whole one."""
        if rest:
            return Problem("end-truncated", None, len(rest))
        premature = self._now.turn == self._peer
        if premature and self._peer == "plugin":
            return Problem("end-premature")  # a client may close at any time (H.5)
        self._items.append(("ended", "premature" if premature else "clean"))
        return None

    def _come(self, data: bytes) -> None:
        """Let bytes come, in the same run as those that came right before them."""
        last = self._steps[-1] if self._steps else None
        if isinstance(last, Hear):
            self._steps[-1] = Hear(last.data + data)
        else:
            self._steps.append(Hear(data))


def _whole(frame: bytes) -> bool:
    return len(frame) > LENGTH_SIZE and len(frame) == LENGTH_SIZE + int.from_bytes(
        frame[:LENGTH_SIZE], "big"
    )
