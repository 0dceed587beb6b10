"""State machines: a role under a hostile peer, and both roles with faults between them.

Whatever a machine does, the roles on trial are compared with their models after every step (see
`trial`). Every machine is a `RuleBasedStateMachine`: `machine.TestCase` runs under pytest, and
`hypothesis.stateful.get_state_machine_test(machine)` gives any fuzzer a `fuzz_one_input`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from authplugin import Limits, Message, Side, State, decode, encode
from authplugin_corpus.faults import FAULTS, Fault, Faulty

from .conversation import Conversation
from .laws import LawBroken
from .routes import targets, towards
from .strategies import chunkings, damaged, following, messages, struck
from .subjects import chunks
from .tally import CURRENT, Run
from .trial import Trial

STRICT: Final = Limits(frame=2048, text=130, count=8)
LENIENT: Final = replace(STRICT, nonzero_is_true=True, any_bytes=True)
"""What the roles accept: small bounds, which faults can pass at little cost."""

_BEYOND: Final = Limits(frame=4096, text=131, count=9)
"""What a role is asked to say keeps to: a little more than it may."""

Step = TypeVar("Step", bound=Callable[..., None])


def _step(take: Step) -> Step:
    """Count a rule's executions, and those in which a role refused what the machine asked for."""

    @wraps(take)
    def counted(self: ConversationMachine, *args: Any, **kwargs: Any) -> None:
        before = self.refusals()
        take(self, *args, **kwargs)
        self.run.steps += 1
        self.run.refused += self.refusals() > before

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

    def __init__(self) -> None:
        super().__init__()
        self.run: Run = CURRENT.run(type(self).__name__)
        self.limits = STRICT
        self.trials: dict[Side, Trial] = {}
        self.frames: list[bytes] = []
        self.conversation: Conversation | None = None

    def refusals(self) -> int:
        """Return how often the roles on trial have refused to do what they were asked to."""
        return sum(trial.refused for trial in self.trials.values())

    @property
    def spoken(self) -> Limits:
        """What right messages keep to: a sender's boolean is 0 or 1, whatever a receiver takes."""
        return replace(self.limits, nonzero_is_true=False)

    @initialize(limits=st.sampled_from((STRICT, STRICT, STRICT, LENIENT)))
    def choose_limits(self, limits: Limits) -> None:
        """Choose what the roles accept."""
        self.limits = limits
        self.start()

    def start(self) -> None:
        """Start a conversation."""
        if self.frames:
            self.run.lengths[len(self.frames)] += 1
        self.trials = {side: Trial(side, self.limits, self.run) for side in self.on_trial}
        self.frames = []
        self.conversation = Conversation()

    def teardown(self) -> None:
        """Count the last conversation."""
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

    @rule(choice=st.data(), goal=st.sampled_from(State))
    @_step
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
    @_step
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
    @_step
    def take(self) -> None:
        """Take what was delivered."""
        self.take_all()

    @rule(choice=st.data(), count=st.integers(1, 12))
    def strike(self, choice: st.DataObject, count: int) -> None:
        """Strike some conversations, one after the other. Each counts as a step."""
        fitting = [each for each in FAULTS if targets(each.name, self.strikers, self.limits)]
        several = st.lists(st.sampled_from(fitting), min_size=count, max_size=count, unique=True)
        for fault in choice.draw(several):
            self._strike(choice, fault)

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


class RoleMachine(ConversationMachine):
    """One role under a hostile peer."""

    side: ClassVar[Side]

    @property
    def trial(self) -> Trial:
        """The role on trial."""
        return self.trials[self.side]

    def pass_on(self, message: Message, sizes: Sequence[int]) -> None:
        """Say the message, or hear it."""
        if message.spec.sender is self.side:
            assert self.trial.say(message) is not None
        else:
            frame = encode(message, self.limits)
            self.trial.hear_message(message.spec.name, chunks(frame, sizes))

    def receive(self, faulty: Faulty, right: Message, sizes: Sequence[int]) -> Trial:
        """Hear what is faulty."""
        self.trial.hear(chunks(faulty.data, sizes))
        if faulty.ends:
            self.trial.end_of_file()
        return self.trial

    @precondition(ConversationMachine.is_open)
    @rule(message=messages(limits=_BEYOND))
    @_step
    def say_anything(self, message: Message) -> None:
        """Say any message, mostly where it has no place."""
        if self.trial.say(message) is not None:
            self.go_on_with(message)

    @precondition(ConversationMachine.is_open)
    @rule(choice=st.data())
    @_step
    def hear_anything(self, choice: st.DataObject) -> None:
        """Hear any message, mostly where it has no place."""
        message = choice.draw(messages(limits=self.limits))
        frame = encode(message, self.limits)
        whole = not self.trial.model.held
        self.trial.hear_message(message.spec.name, chunks(frame, choice.draw(chunkings(frame))))
        if whole and self.trial.model.violation is None and not self.trial.model.ended:
            self.go_on_with(message)
        else:
            self.conversation = None

    @precondition(ConversationMachine.is_open)
    @rule(choice=st.data())
    @_step
    def hear_what_is_damaged(self, choice: st.DataObject) -> None:
        """Hear a message with a few bytes changed."""
        frame = encode(choice.draw(messages(limits=self.limits)), self.limits)
        data = choice.draw(damaged(frame))
        self.trial.hear(chunks(data, choice.draw(chunkings(data))))
        self.conversation = None

    @precondition(ConversationMachine.is_open)
    @rule(data=st.binary(max_size=8))
    @_step
    def end(self, data: bytes) -> None:
        """Let the peer end its output, behind what may be the beginning of a frame."""
        self.trial.end_of_file(data)
        self.conversation = None

    @precondition(lambda self: not self.is_open())
    @rule(message=messages(limits=STRICT), data=st.binary(min_size=1, max_size=8))
    @_step
    def go_on_after_the_end(self, message: Message, data: bytes) -> None:
        """Try everything once more where nothing may be said."""
        self.trial.say(message)
        self.trial.hear_message(message.spec.name, [encode(message, STRICT)])
        self.trial.end_of_file(data)
        self.trial.end_of_file()


class ClientMachine(RoleMachine):
    """The client's role under a hostile plugin."""

    side = Side.CLIENT
    on_trial = (Side.CLIENT,)
    strikers = (Side.PLUGIN,)


class PluginMachine(RoleMachine):
    """The plugin's role under a hostile client."""

    side = Side.PLUGIN
    on_trial = (Side.PLUGIN,)
    strikers = (Side.CLIENT,)


class PairMachine(ConversationMachine):
    """Both roles talking to each other, through two pipes that faults strike.

    Attributes:
        pipes: what each side has said and the other has not yet heard.
        struck: whether anything but right messages has gone through the pipes.
    """

    on_trial = tuple(Side)
    strikers = tuple(Side)

    def start(self) -> None:
        """Start a conversation through empty pipes."""
        super().start()
        self.pipes: dict[Side, bytearray] = {side: bytearray() for side in Side}
        self.struck = False

    def is_whole(self) -> bool:
        """Say whether nothing but right messages was said, and all of them were heard."""
        return super().is_whole() and not any(self.pipes.values())

    def pass_on(self, message: Message, sizes: Sequence[int]) -> None:
        """Have the message said, and all that is in its pipe heard."""
        assert self._say(message)
        self._deliver(message.spec.sender, sizes=sizes)

    def receive(self, faulty: Faulty, right: Message, sizes: Sequence[int]) -> Trial:
        """Have the one side say what is right, and the other hear what is faulty."""
        speaker = right.spec.sender
        self._say(right)
        self.struck = True
        self.pipes[speaker][:] = faulty.data
        self._deliver(speaker, sizes=sizes)
        listener = self.trials[speaker.other]
        if faulty.ends:
            listener.end_of_file()
        return listener

    def _say(self, message: Message) -> bool:
        frame = self.trials[message.spec.sender].say(message)
        self.pipes[message.spec.sender] += frame or b""
        return frame is not None

    def _deliver(self, speaker: Side, count: int | None = None, sizes: Sequence[int] = ()) -> None:
        pipe = self.pipes[speaker]
        data = bytes(pipe[:count])
        del pipe[:count]
        self.trials[speaker.other].hear(chunks(data, sizes))

    @precondition(lambda self: self.may_talk())
    @rule(choice=st.data())
    @_step
    def say_and_leave_in_the_pipe(self, choice: st.DataObject) -> None:
        """Say the next right message, which is not heard yet."""
        assert self.conversation is not None
        self.take_all()
        message = choice.draw(following(self.conversation, limits=self.spoken))
        self._say(message)
        self.go_on_with(message)

    @precondition(ConversationMachine.is_open)
    @rule(message=messages(limits=_BEYOND))
    @_step
    def say_anything(self, message: Message) -> None:
        """Have its sender say any message, mostly where it has no place."""
        self.take_all()
        if self._say(message):
            self.go_on_with(message)

    @precondition(lambda self: any(self.pipes.values()))
    @rule(choice=st.data(), speaker=st.sampled_from(Side))
    @_step
    def deliver(self, choice: st.DataObject, speaker: Side) -> None:
        """Let some of what is in a pipe be heard."""
        if self.pipes[speaker]:
            count = choice.draw(st.integers(1, len(self.pipes[speaker])))
            self._deliver(speaker, count)

    @precondition(lambda self: any(self.pipes.values()))
    @rule(choice=st.data(), speaker=st.sampled_from(Side))
    @_step
    def damage(self, choice: st.DataObject, speaker: Side) -> None:
        """Change a few bytes of what is in a pipe."""
        if self.pipes[speaker]:
            self.pipes[speaker][:] = choice.draw(damaged(bytes(self.pipes[speaker])))
            self.struck = True
            self.conversation = None

    @precondition(ConversationMachine.is_open)
    @rule(speaker=st.sampled_from(Side))
    @_step
    def end(self, speaker: Side) -> None:
        """Let a side end its output, wherever that is; what is in its pipe comes first."""
        if self.pipes[speaker]:
            self._deliver(speaker)
        self.trials[speaker.other].end_of_file()
        self.conversation = None

    @invariant()
    def both_stand_in_the_same_place(self) -> None:
        """Where nothing was struck and nothing is under way, both roles agree on all."""
        if self.struck or any(self.pipes.values()):
            return
        client, plugin = (self.trials[side].session for side in Side)
        for name in ("state", "turn", "version", "method"):
            ours, theirs = getattr(client, name), getattr(plugin, name)
            if ours != theirs and not (name == "turn" and None in (ours, theirs)):
                raise LawBroken(f"the client's {name} is {ours!r}, the plugin's {theirs!r}")


MACHINES: Final[Mapping[str, type[ConversationMachine]]] = MappingProxyType(
    {each.__name__: each for each in (ClientMachine, PluginMachine, PairMachine)}
)
"""All machines, by name."""
