"""A case made ready to be played: all that is known before the program runs.

Scripts are made once, and go to the worker processes as they are.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from authplugin import (
    ErrorCode,
    Limits,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
)

from ..delivery import pieces as pieces_of
from ..frames import split_frames
from ..model import (
    Allow,
    Case,
    Delivery,
    EndOfInput,
    EndOfOutput,
    Expect,
    ExpectEnd,
    ExpectSilence,
    PluginDialogue,
    Send,
)
from .parameters import Parameters


class Before(Enum):
    """What a program may still say when it is spoken to, or when its input is closed."""

    NOTHING = auto()
    """It has said all that was due."""
    SILENCE = auto()
    """It was told something that has no answer: whether it keeps to that is to be seen first."""
    ANSWER = auto()
    """It was told something that has one: the client does not wait for it."""


class Say(NamedTuple):
    """Bytes to write.

    Attributes:
        pieces: one write each; a piece is written when the one before it has been read.
        held_back: whether the last piece waits until the program has been seen to say nothing about
            those before it.
        before: what the program may still say to what came before.
        fault: what is wrong with the bytes, with a stable code; None where nothing is.
        mistake: the same as it follows "answered"; None where nothing is.
        heard: what the program hears, as it follows "after".
        delivery: in what way it is hard to read: whole where it is not.
        begins: whether it is PLUGIN_INIT, and nothing wrong with it.
    """

    pieces: tuple[bytes, ...]
    held_back: bool
    before: Before
    fault: str | None
    mistake: str | None
    heard: str
    delivery: Delivery
    begins: bool = False

    @property
    def data(self) -> bytes:
        """All that is written."""
        return b"".join(self.pieces)


class Close(NamedTuple):
    """The program's input is closed.

    Attributes:
        mistake: what is wrong with that; None where nothing is.
        before: what the program may still say to what came before.
        patient: whether the program is given time to wait first: what it takes for a claim shows
            while it waits for the rest.
    """

    mistake: str | None
    before: Before
    patient: bool = False


Step: TypeAlias = Say | Expect | Allow | ExpectSilence | Close | EndOfOutput | ExpectEnd


class Script(NamedTuple):
    """A case made ready.

    Attributes:
        id: of the case.
        steps: what to do, in order.
        parameters: for the user's answers; everything else is in the steps.
        careful: whether to see, before each message, that the program has nothing more to say.
    """

    id: str
    steps: tuple[Step, ...]
    parameters: Parameters
    careful: bool = False

    @property
    def mistakes(self) -> list[str]:
        """All that is wrong with what the client says in it."""
        wrong = (step.mistake for step in self.steps if isinstance(step, (Say, Close)))
        return [mistake for mistake in wrong if mistake is not None]

    @property
    def size(self) -> int:
        """How many bytes the client says, but for what its user answers."""
        return sum(len(step.data) for step in self.steps if isinstance(step, Say))

    @property
    def delivery(self) -> Delivery:
        """In what way what the client says is hard to read; whole where it is not."""
        ways = (step.delivery for step in self.steps if isinstance(step, Say))
        return next((each for each in ways if each is not Delivery.WHOLE), Delivery.WHOLE)

    def eased(self) -> Script:
        """Return the same with each message by itself, and whole."""
        return self._replace(steps=tuple(map(_eased, self.steps)))

    @property
    def opening(self) -> bytes | None:
        """The client's first words, where they are PLUGIN_INIT and nothing is wrong with them."""
        first = next((step for step in self.steps if isinstance(step, Say)), None)
        return first.data if first is not None and first.begins else None

    @property
    def is_talk(self) -> bool:
        """Whether the program has to say anything in it."""
        return any(isinstance(step, Expect) for step in self.steps)


def script_of(case: Case, parameters: Parameters) -> Script:
    """Return a case of a plugin's, made ready with what is set in the conversation.

    Raises:
        ValueError: where it is not a plugin's.
    """
    if not isinstance(case.vector, PluginDialogue):
        raise ValueError(f"{case.id} is no conversation with a plugin")
    steps: list[Step] = []
    before = Before.NOTHING
    claims = False
    for turn in case.turns:
        match turn:
            case Send():
                claims = turn.fault is not None and turn.fault.code is ErrorCode.FRAME_TOO_LONG
                steps.append(_say(parameters.in_send(turn), case.delivery, before))
                before = _before_next(turn)
                continue
            case EndOfInput(fault):
                sentence = None if fault is None else fault.sentence
                steps.append(Close(sentence, before, patient=claims))
            case Expect() | Allow() | ExpectSilence() | EndOfOutput() | ExpectEnd():
                steps.append(turn)
            case _:
                raise ValueError(f"{case.id} has a turn that no plugin takes part in: {turn}")
        before = Before.NOTHING
    return Script(case.id, tuple(steps), parameters, _SILENCE in case.vector.flags)


_SILENCE: Final = "silence"
"""The flag of what shows whether a program speaks where it has nothing to say."""

_MANNERS: Final = {
    Delivery.WHOLE: "",
    Delivery.BYTE_BY_BYTE: " byte by byte",
    Delivery.FIELD_EDGES: " field by field",
    Delivery.COALESCED: "",
}


def _before_next(send: Send) -> Before:
    last = send.messages[-1] if send.messages and send.fault is None else None
    outcome = isinstance(last, (PluginAuthSuccess, PluginAuthFailure))
    return Before.SILENCE if outcome else Before.ANSWER


def _say(send: Send, delivery: Delivery, before: Before) -> Say:
    pieces = pieces_of(send.data, delivery)
    # A message in pieces must not be answered before the last; a fault may be refused at any.
    held_back = send.fault is None and len(pieces) > 1
    if send.hold_back:
        pieces = [send.data[: -send.hold_back], send.data[-send.hold_back :]]
        held_back = True
    if send.fault is not None:
        heard = send.fault.sentence
    else:
        heard = " and ".join(message.spec.name for message in send.messages)
        several = len(send.messages) > 1 and len(pieces) == 1
        heard += " in one piece" if several else _MANNERS[delivery]
    if len(pieces) == 1:
        delivery = Delivery.COALESCED if len(send.messages) > 1 else Delivery.WHOLE
    return Say(
        tuple(pieces),
        held_back,
        before,
        None if send.fault is None else f"{send.fault.code}: {send.fault.sentence}",
        None if send.fault is None else send.fault.sentence,
        heard,
        delivery,
        send.fault is None and len(send.messages) == 1 and isinstance(send.messages[0], PluginInit),
    )


_LIMITS: Final = Limits(frame=2**24)


def _eased(step: Step) -> Step:
    if not isinstance(step, Say) or step.delivery is Delivery.WHOLE:
        return step
    pieces = tuple(split_frames(step.data, _LIMITS))
    return step._replace(pieces=pieces, held_back=False, delivery=Delivery.WHOLE)
