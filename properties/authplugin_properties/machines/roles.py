"""One role under a hostile peer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from authplugin import Message, Side, encode
from authplugin_corpus.faults import Faulty

from ..strategies import chunkings, damaged, messages
from ..subjects import chunks
from ..trial import Trial
from .base import BEYOND, STRICT, ConversationMachine, step


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
    @rule(message=messages(limits=BEYOND))
    @step
    def say_anything(self, message: Message) -> None:
        """Say any message, mostly where it has no place."""
        if self.trial.say(message) is not None:
            self.go_on_with(message)

    @precondition(ConversationMachine.is_open)
    @rule(choice=st.data())
    @step
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
    @step
    def hear_what_is_damaged(self, choice: st.DataObject) -> None:
        """Hear a message with a few bytes changed."""
        frame = encode(choice.draw(messages(limits=self.limits)), self.limits)
        data = choice.draw(damaged(frame))
        self.trial.hear(chunks(data, choice.draw(chunkings(data))))
        self.conversation = None

    @precondition(ConversationMachine.is_open)
    @rule(data=st.binary(max_size=8))
    @step
    def end(self, data: bytes) -> None:
        """Let the peer end its output, behind what may be the beginning of a frame."""
        self.trial.end_of_file(data)
        self.conversation = None

    @precondition(lambda self: not self.is_open())
    @rule(message=messages(limits=STRICT), data=st.binary(min_size=1, max_size=8))
    @step
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
