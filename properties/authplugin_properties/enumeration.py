"""What can be tried one by one, rather than sampled: every event in every state, every sequence.

Each is taken by a role and its model side by side; see `trial`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from authplugin import Limits, Message, Side, State, decode, encode
from authplugin.limits import DEFAULT_LIMITS
from authplugin.messages import (
    KEYBOARD_INTERACTIVE,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
)
from authplugin_corpus.faults import FAULTS

from .routes import stock_strikes, targets
from .subjects import chunks
from .tally import CURRENT, Run
from .trial import Trial

LENGTH: Final = 8
"""How many events the longest sequences have that `every_sequence` settles."""

WALKED: Final = 3
"""How many events the longest sequences have that are walked through, every one to its end."""

VARIANTS: Final[tuple[Message, ...]] = (
    PluginInit(2, "h", 22, "u"),
    PluginInit(1, "h", 22, "u"),
    PluginInit(3, "h", 22, "u"),
    PluginInitResponse(2, "u"),
    PluginInitResponse(1, "u"),
    PluginInitResponse(3, "u"),
    PluginInitFailure("no"),
    PluginProtocol(KEYBOARD_INTERACTIVE),
    PluginProtocol("password"),
    PluginProtocolReject("no"),
    PluginProtocolAccept(),
    PluginKIServerRequest("", "", "", []),
    PluginKIServerRequest("n", "i", "", [("p", False), ("q", True)]),
    PluginKIServerResponse([]),
    PluginKIServerResponse(["r"]),
    PluginKIServerResponse(["r", "s"]),
    PluginKIUserRequest("n", "i", "", [("p", False)]),
    PluginKIUserResponse([]),
    PluginKIUserResponse(["r"]),
    PluginKIUserResponse(["r", "s"]),
    PluginAuthSuccess(),
    PluginAuthFailure(),
)
"""Every message, in every way in which it can fit or not fit what was said before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a role.

    Attributes:
        message: what is said or heard; None for the end of file.
        said: whether the role is to say it; otherwise it hears it.
        frame: the message's frame, or what comes of one before the end of file.
    """

    message: Message | None
    said: bool
    frame: bytes

    def befall(self, trial: Trial) -> None:
        """Let it happen to the role on trial, which then takes what was delivered to it."""
        if self.message is None:
            trial.end_of_file(self.frame)
        elif self.said:
            trial.say(self.message)
        else:
            trial.hear_message(self.message.spec.name, [self.frame])
        trial.take()


EVENTS: Final[tuple[Event, ...]] = (
    *(Event(message, True, encode(message)) for message in VARIANTS),
    *(Event(message, False, encode(message)) for message in VARIANTS),
    Event(None, False, b""),
    Event(None, False, b"\0\0\0"),
)
"""Everything that can happen to a role: each variant said and heard, and two ends of file."""

_LEADS: Final[dict[State, Sequence[int]]] = {
    State.START: (),
    State.INITIALISING: (0,),
    State.IDLE: (0, 3),
    State.OFFERED: (0, 3, 7),
    State.AUTHENTICATING: (0, 3, 7, 10),
    State.CHALLENGED: (0, 3, 7, 10, 12),
    State.ASKING_USER: (0, 3, 7, 10, 12, 16),
    State.ENDED: (0, 6),
}
"""The shortest way to each state, in `VARIANTS`."""


def _brought(side: Side, state: State) -> Trial:
    """Return a role that has come to a state."""
    trial = Trial(side, DEFAULT_LIMITS)
    for index in _LEADS[state]:
        message = VARIANTS[index]
        Event(message, message.spec.sender is side, encode(message)).befall(trial)
    assert trial.model.situation.state == state
    return trial


def every_pair(side: Side) -> int:
    """Try every event in every state, and what comes after it; return how many were tried.

    After it: every event once more where the peer has then broken the protocol or ended its
    output, so that poisoned is seen to stay poisoned, and ended ended, from every state.
    """
    run = CURRENT.run(f"every event in every state, {side}")
    tried = 0
    for state in State:
        for event in EVENTS:
            trial = _brought(side, state)
            event.befall(trial)
            tried += 1
            if trial.model.turn is None:
                for another in EVENTS:
                    another.befall(trial)
                    tried += 1
            _count(run, trial)
    return tried


def every_sequence(side: Side, length: int = LENGTH, walked: int = WALKED) -> int:
    """Try every sequence of events up to a length; return how many were walked through.

    Up to the length `walked` that is every sequence of `EVENTS`. The longer ones are settled by
    their beginnings: what a role refuses to do changes nothing (all that it holds is compared), and
    a role that is poisoned, or whose input has ended, refuses all (`every_pair` tries that in every
    state). So nothing new comes behind either, and only sequences without either go on.
    """
    run = CURRENT.run(f"every sequence of at most {length} events, {side}")
    tried = 0
    beginnings: list[tuple[Event, ...]] = [()]
    for size in range(1, length + 1):
        going_on = []
        for beginning in beginnings:
            for event in EVENTS:
                trial = Trial(side, DEFAULT_LIMITS)
                for earlier in beginning:
                    earlier.befall(trial)
                event.befall(trial)
                tried += 1
                _count(run, trial)
                if size < walked or not (trial.refused or trial.model.turn is None):
                    going_on.append((*beginning, event))
        beginnings = going_on
    return tried


def _count(run: Run, trial: Trial) -> None:
    run.steps += 1
    run.refused += trial.refused > 0


def every_fault(side: Side, limits: Limits) -> int:
    """Strike a role with every fault in every place of the stock conversations.

    Returns how many struck. Each comes in one chunk and byte by byte.
    """
    run = CURRENT.run(f"every fault, {side}")
    tried = 0
    for fault in FAULTS:
        for target in targets(fault.name, (side.other,), limits):
            struck = stock_strikes(fault.name, limits)[target]
            cases = ((frames, faulty) for frames, made in struck for faulty in made)
            for (frames, faulty), sizes in product(cases, ((), (1,))):
                trial = Trial(side, limits)
                for frame in frames[: faulty.kept]:
                    message = decode(frame, limits)
                    Event(message, message.spec.sender is side, frame).befall(trial)
                trial.hear(chunks(faulty.data, sizes))
                if faulty.ends:
                    trial.end_of_file()
                trial.refuses_with(faulty.code)
                trial.take()
                CURRENT.faults[faulty.message, faulty.part, fault.name] += 1
                tried += 1
                _count(run, trial)
    return tried
