"""A conversation that is right until a fault strikes it: what all machines share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from authplugin import (
    MESSAGES,
    Limits,
    Message,
    Side,
    State,
    decode,
    encode,
)
from authplugin.session import Session
from authplugin_corpus.faults import FAULTS, Fault, Faulty

from ..boundaries import beyond
from ..conversation import Conversation
from ..routes import targets, towards
from ..strategies import chunkings, following, struck
from ..subjects import SESSIONS
from ..tally import CURRENT, Run
from ..trial import Trial

STRICT: Final = Limits(frame=2048, text=130, count=8)
LENIENT: Final = replace(STRICT, nonzero_is_true=True, any_bytes=True)
"""What the roles accept: small bounds, which faults can pass at little cost."""

BEYOND: Final = replace(beyond(STRICT), nonzero_is_true=False)
"""What a role is asked to say keeps to: a little more than it may, but for booleans, which a sender
has as 0 or 1."""

Step = TypeVar("Step", bound=Callable[..., None])


def step(take: Step) -> Step:
    """Count a rule's executions, and those in which a role refused what the machine asked for."""

    @wraps(take)
    def counted(self: ConversationMachine, *args: Any, **kwargs: Any) -> None:
        before = self.refused()
        take(self, *args, **kwargs)
        self.run.steps += 1
        self.run.refused += self.refused() > before

    return counted  # type: ignore[return-value]  # wraps keeps the signature


class ConversationMachine(RuleBasedStateMachine):
    """A conversation that is right until something strikes it; what all machines share.

    Attributes:
        run: where its steps are counted.
        trials: the roles on trial, by side.
        frames: the right conversation so far, of both sides.
        conversation: the same, as what may follow it; None once something has struck.
    """

    strikers: ClassVar[tuple[Side, ...]]
    """The sides whose bytes faults may strike: those whose receiver is on trial."""
    on_trial: ClassVar[tuple[Side, ...]]
    """The sides whose roles are on trial."""
    part_struck: ClassVar[int] = 2
    """One in so many of the faults that fit is tried in one step that strikes; all take turns."""
    sessions: ClassVar[Mapping[str, Callable[[Limits], Session]]] = SESSIONS
    """What takes the roles, by side. A subclass can put others on trial; see `Trial`."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run = CURRENT.run(type(self).__name__)
        self.limits = STRICT
        self.trials: dict[Side, Trial] = {}
        self.frames: list[bytes] = []
        self.conversation: Conversation | None = None
        self._refused = 0
        self._next_fault: int | None = None
        self.run.messages.update(dict.fromkeys((each.spec.name for each in MESSAGES), 0))
        self.run.strikes.update(dict.fromkeys((each.name for each in self._fitting()), 0))

    def refused(self) -> int:
        """Return how often roles on trial have refused to do what they were asked to."""
        return self._refused + sum(trial.refused for trial in self.trials.values())

    @property
    def spoken(self) -> Limits:
        """What right messages keep to: a sender's boolean is 0 or 1, whatever a receiver takes."""
        return replace(self.limits, nonzero_is_true=False)

    @initialize(limits=st.sampled_from((STRICT,) * 7 + (LENIENT,)))
    def choose_limits(self, limits: Limits) -> None:
        """Choose what the roles accept."""
        self.limits = limits
        self.start()

    def start(self) -> None:
        """Start a conversation."""
        self.teardown()
        self._refused = self.refused()
        self.trials = {
            side: Trial(side, self.limits, self.run, self.sessions[side](self.limits))
            for side in self.on_trial
        }
        self.frames = []
        self.conversation = Conversation()

    def teardown(self) -> None:
        """Count the conversation that is over."""
        if self.frames:
            self.run.lengths[len(self.frames)] += 1

    def take_all(self) -> None:
        """Take everything that was delivered to the roles on trial."""
        for trial in self.trials.values():
            trial.take()

    def play(self, message: Message, sizes: Sequence[int] = ()) -> None:
        """Have a message said that may come next, and heard in chunks of these sizes."""
        assert self.conversation is not None
        self.take_all()
        self.pass_on(message, sizes)
        self.go_on_with(message)

    def go_on_with(self, message: Message) -> None:
        """Go on with a message that was right, where all before it was."""
        if self.conversation is not None:
            self.conversation.add(message)
            self.frames.append(encode(message, self.limits))

    def pass_on(self, message: Message, sizes: Sequence[int]) -> None:
        """Have one side say a right message and the other hear it."""
        raise NotImplementedError

    def receive(self, faulty: Faulty, right: Message, sizes: Sequence[int]) -> Trial:
        """Have what is faulty heard instead of what is right; return the trial that heard it."""
        raise NotImplementedError

    def walk(self, choice: st.DataObject, goal: State) -> None:
        """Go on with right messages until the conversation is in a state."""
        while self.conversation is not None and self.conversation.state is not goal:
            among = towards(self.conversation, goal)
            self.play(choice.draw(following(self.conversation, among, limits=self.spoken)))

    @rule(choice=st.data(), goal=st.sampled_from((*State, State.ENDED)))
    @step
    def begin(self, choice: st.DataObject, goal: State) -> None:
        """Start anew, and bring the conversation into a state."""
        self.start()
        self.walk(choice, goal)

    def is_open(self) -> bool:
        """Say whether anything may still be said."""
        return any(trial.model.turn is not None for trial in self.trials.values())

    def is_whole(self) -> bool:
        """Say whether nothing but right messages was said, and all of them were heard."""
        return self.conversation is not None

    def may_talk(self) -> bool:
        """Say whether a right message may follow."""
        return self.is_whole() and bool(self.conversation and self.conversation.options())

    @precondition(may_talk)
    @rule(choice=st.data(), count=st.integers(1, 4))
    @step
    def talk(self, choice: st.DataObject, count: int) -> None:
        """Go on with right messages, in any chunks."""
        for _ in range(count):
            if not self.may_talk():
                return
            assert self.conversation is not None
            message = choice.draw(following(self.conversation, limits=self.spoken))
            frame = encode(message, self.limits)
            self.play(message, choice.draw(chunkings(frame)))

    @rule()
    @step
    def take(self) -> None:
        """Take what was delivered."""
        self.take_all()

    @rule(choice=st.data())
    def strike(self, choice: st.DataObject) -> None:
        """Strike conversations with some faults, one after the other. Each counts as a step."""
        fitting = self._fitting()
        # In turn, beginning anywhere, rather than any: so none is much rarer than the others.
        if self._next_fault is None:
            self._next_fault = choice.draw(st.sampled_from(range(len(fitting))))
        for _ in range(max(1, len(fitting) // self.part_struck)):
            self._strike(choice, fitting[self._next_fault])
            self._next_fault = (self._next_fault + 1) % len(fitting)

    def _fitting(self) -> list[Fault]:
        """Return the faults that can strike here."""
        return [each for each in FAULTS if targets(each.name, self.strikers, self.limits)]

    def _strike(self, choice: st.DataObject, fault: Fault) -> None:
        fitting = targets(fault.name, self.strikers, self.limits)
        target = choice.draw(st.sampled_from(fitting))
        going_on = self.conversation if self.is_whole() else None
        frames, faulty = choice.draw(struck(fault, target, self.limits, going_on, self.frames))
        if not self.is_whole() or frames[: faulty.kept] != self.frames:
            self.start()
            for frame in frames[: faulty.kept]:
                self.play(decode(frame, self.limits))
        self.take_all()
        right = decode(frames[faulty.kept], self.limits)
        trial = self.receive(faulty, right, choice.draw(chunkings(faulty.data)))
        self.conversation = None
        self.run.steps += 1
        self.run.strikes[fault.name] += 1
        CURRENT.faults[faulty.message, faulty.part, fault.name] += 1
        trial.refuses_with(faulty.code)
