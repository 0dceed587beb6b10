"""Both roles talking to each other, through pipes that faults strike."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from authplugin import Message, Side
from authplugin_corpus.faults import Faulty

from ..strategies import damaged, following, messages
from ..subjects import chunks
from ..trial import Trial, stand_in_the_same_place
from .base import BEYOND, ConversationMachine, step


class PairMachine(ConversationMachine):
    """Both roles talking to each other, through two pipes that faults strike.

    Attributes:
        pipes: what each side has said and the other has not yet heard.
    """

    on_trial = tuple(Side)
    strikers = tuple(Side)

    def start(self) -> None:
        """Start a conversation through empty pipes."""
        super().start()
        self.pipes: dict[Side, bytearray] = {side: bytearray() for side in Side}

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
    @step
    def say_and_leave_in_the_pipe(self, choice: st.DataObject) -> None:
        """Say the next right message, which is not heard yet."""
        assert self.conversation is not None
        self.take_all()
        message = choice.draw(following(self.conversation, limits=self.spoken))
        self._say(message)
        self.go_on_with(message)

    @precondition(ConversationMachine.is_open)
    @rule(message=messages(limits=BEYOND))
    @step
    def say_anything(self, message: Message) -> None:
        """Have its sender say any message, mostly where it has no place."""
        self.take_all()
        if self._say(message):
            self.go_on_with(message)

    @precondition(lambda self: any(self.pipes.values()))
    @rule(choice=st.data(), speaker=st.sampled_from(Side))
    @step
    def deliver(self, choice: st.DataObject, speaker: Side) -> None:
        """Let some of what is in a pipe be heard."""
        if self.pipes[speaker]:
            count = choice.draw(st.integers(1, len(self.pipes[speaker])))
            self._deliver(speaker, count)

    @precondition(lambda self: any(self.pipes.values()))
    @rule(choice=st.data(), speaker=st.sampled_from(Side))
    @step
    def damage(self, choice: st.DataObject, speaker: Side) -> None:
        """Change a few bytes of what is in a pipe."""
        if self.pipes[speaker]:
            self.pipes[speaker][:] = choice.draw(damaged(bytes(self.pipes[speaker])))
            self.conversation = None

    @precondition(ConversationMachine.is_open)
    @rule(speaker=st.sampled_from(Side))
    @step
    def end(self, speaker: Side) -> None:
        """Let a side end its output, wherever that is; what is in its pipe comes first."""
        if self.pipes[speaker]:
            self._deliver(speaker)
        self.trials[speaker.other].end_of_file()
        self.conversation = None

    @invariant()
    def both_stand_in_the_same_place(self) -> None:
        """Where nothing was struck or ended, and nothing is under way, both roles agree on all."""
        if self.is_whole():
            stand_in_the_same_place(*(self.trials[side] for side in Side))
