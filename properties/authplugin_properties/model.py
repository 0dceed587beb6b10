"""What a role must do, by the oracles alone: the model that both roles are held against.

`Model` is one role, told step by step what it is to say and what comes to it. `script` runs it over
a whole *conversation*: the frames of both sides in the order in which they were said, as bytes. The
role on trial says its own messages where it is its turn and it could say them; every other byte
comes to it from its peer. So any bytes at all are a conversation, and what each comes to is settled
here without a line of the code on trial.
"""

from __future__ import annotations

from collections import deque
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


class Model:
    """One role, as the oracles have it.

    Attributes:
        side: "client" or "plugin".
        situation: where the conversation stands.
        violation: what the peer did wrong, or None.
        ended: whether the peer has ended its output in a way that it may.
        version: the protocol version agreed on, or None before it is.
        inbox: what was heard and not yet taken, each as an item of an `Outcome`.
    """

    def __init__(self, side: str, limits: cursor.LimitsLike) -> None:
        self.side = side
        self.situation = turns.Situation()
        self.violation: Problem | None = None
        self.ended = False
        self.version: int | None = None
        self.inbox: deque[tuple[str, object]] = deque()
        self._peer = "plugin" if side == "client" else "client"
        self._limits = limits
        self._any_size = cursor.Limits(
            frame=1 << 32,
            text=limits.text,
            count=limits.count,
            nonzero_is_true=limits.nonzero_is_true,
            any_bytes=limits.any_bytes,
        )
        self._rest = bytearray()

    @property
    def turn(self) -> str | None:
        """The side that is to speak next; None where nobody may."""
        return None if self.violation or self.ended else self.situation.turn

    @property
    def held(self) -> int:
        """Bytes that have come of a frame that is not whole."""
        return len(self._rest)

    @property
    def method(self) -> str | None:
        """The authentication method that is under way, or None."""
        if self.situation.state not in ("AUTHENTICATING", "CHALLENGED", "ASKING_USER"):
            return None
        return (self.situation.method or b"").decode()

    def say(self, frame: bytes) -> Problem | None:
        """Say a frame of a known type; return why the role must refuse to, having said nothing.

        The offset of a refusal is always None: what was not sent has no bytes.
        """
        if (closed := self._closed()) is not None:
            return closed
        if self.inbox:
            return Problem("wrong-turn")
        name = cursor.NAMES[frame[TYPE_AT]]
        if (wrong := self._out_of_place(name, self.side)) is not None:
            return Problem(wrong.code)
        try:
            message = cursor.decode(frame, self._any_size)
        except cursor.Refused as refused:
            return Problem(refused.code, refused.field)
        if len(frame) - LENGTH_SIZE > self._limits.frame:
            return Problem("frame-too-long")
        after = turns.step(self.situation, self.side, name, message)
        if after.refusal is not None:
            return Problem(after.refusal, _GUARDS[after.refusal][0])
        if name == "PLUGIN_INIT" and message["version"] not in _SPOKEN:
            return Problem("version-unsupported", "version")
        self._go_on(after, message)
        return None

    def hear(self, data: bytes) -> Problem | None:
        """Take in a chunk; return why the role must refuse to, as misuse, having taken nothing."""
        if not data:
            return Problem("bad-value")
        if (closed := self._closed()) is not None:
            return closed
        self._rest += data
        while self._rest and self.violation is None:
            frame = self._next_frame()
            if frame is None:
                break
            self._receive(frame)
        if self.violation is not None:
            self._rest.clear()
        return None

    def end_of_file(self) -> Problem | None:
        """End the peer's output; return why the role must refuse that, as misuse."""
        if (closed := self._closed()) is not None:
            return closed
        premature = self.turn == self._peer
        if self._rest:
            self.violation = Problem("end-truncated", None, len(self._rest))
            self._rest.clear()
        elif premature and self._peer == "plugin":
            # A client may close at any time (H.5).
            self.violation = Problem("end-premature")
        else:
            self.ended = True
            self.inbox.append(("ended", "premature" if premature else "clean"))
        return None

    def _closed(self) -> Problem | None:
        if self.violation is not None:
            return Problem("poisoned")
        return Problem("session-over") if self.ended else None

    def _out_of_place(self, name: str, speaker: str) -> Problem | None:
        if self.turn != speaker:
            return Problem("session-over" if self.turn is None else "wrong-turn")
        if turns.SENDERS[name] != speaker:
            return Problem("wrong-side", None, TYPE_AT)
        if (self.situation.state, name) not in turns.TRANSITIONS:
            return Problem("wrong-state", None, TYPE_AT)
        return None

    def _next_frame(self) -> bytes | None:
        """Cut a whole frame off what has come; None where there is none, or a violation."""
        rest = self._rest
        if self.turn != self._peer:
            self.violation = Problem("session-over" if self.turn is None else "wrong-turn")
            return None
        if len(rest) < LENGTH_SIZE:
            return None
        length = int.from_bytes(rest[:LENGTH_SIZE], "big")
        if length == 0:
            self.violation = Problem("frame-empty", None, 0)
            return None
        if length > self._limits.frame:
            self.violation = Problem("frame-too-long", None, 0)
            return None
        stop = LENGTH_SIZE + length
        if len(rest) < stop:
            return None
        frame = bytes(rest[:stop])
        del rest[:stop]
        return frame

    def _receive(self, frame: bytes) -> None:
        name = cursor.NAMES.get(frame[TYPE_AT])
        if name is None:
            self.violation = Problem("unknown-type", None, TYPE_AT)
            return
        self.violation = self._out_of_place(name, self._peer)
        if self.violation is not None:
            return
        try:
            message = cursor.decode(frame, self._limits)
        except cursor.Refused as refused:
            self.violation = Problem(refused.code, refused.field, refused.offset)
            return
        after = turns.step(self.situation, self._peer, name, message)
        if after.refusal is not None:
            self.violation = Problem(after.refusal, *_GUARDS[after.refusal])
            return
        self._go_on(after, message)
        self.inbox.append(("heard", message))

    def _go_on(self, after: turns.Situation, message: Neutral) -> None:
        if (self.situation.state, after.state) == ("INITIALISING", "IDLE"):
            self.version = message["version"]
        self.situation = after


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
    model = Model(side, limits)
    steps: list[Say | Hear] = []
    items: list[tuple[str, object]] = []
    at = 0
    for frame in split(conversation):
        if _is_said(frame, model):
            try:
                cursor.decode(frame, limits)
            except cursor.Refused:
                pass  # no message, so nothing that this side could say
            else:
                refusal = model.say(frame)
                items.append(("said", frame) if refusal is None else ("refused", refusal.code))
                steps.append(Say(frame))
        else:
            model.hear(frame)
            # What is behind a violation must not matter any more, so all of it comes.
            come = frame if model.violation is None else conversation[at:]
            if steps and isinstance(last := steps[-1], Hear):
                steps[-1] = Hear(last.data + come)
            else:
                steps.append(Hear(come))
            items += _taken(model)
            if model.violation is not None:
                break
        at += len(frame)
    else:
        model.end_of_file()
        items += _taken(model)
    return Script(tuple(steps), Outcome(tuple(items), model.violation, model.situation.state))


def _taken(model: Model) -> list[tuple[str, object]]:
    taken = [*model.inbox]
    model.inbox.clear()
    return taken


def _is_said(frame: bytes, model: Model) -> bool:
    """Say whether a frame of a conversation is the role's own, to be said."""
    if model.turn != model.side or not _whole(frame):
        return False
    name = cursor.NAMES.get(frame[TYPE_AT])
    return name is not None and turns.SENDERS[name] == model.side


def _whole(frame: bytes) -> bool:
    return len(frame) > LENGTH_SIZE and len(frame) == LENGTH_SIZE + int.from_bytes(
        frame[:LENGTH_SIZE], "big"
    )
