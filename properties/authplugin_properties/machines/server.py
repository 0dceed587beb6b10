"""A server of SSH's user authentication under a hostile client and a strange handler."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from authplugin import Limits
from authplugin.userauth import UserAuthServer
from authplugin_corpus.faults import USER_AUTH_FAULTS

from ..oracles.server_steps import Answer, Decide, Lost, Receive, Say, SendBanner, Setup, Wait
from ..server_conversations import (
    ENDS,
    LIMITS,
    WAYS,
    answers,
    decisions,
    faulty_payloads,
    keys_shown,
    payloads,
    questions,
    requests,
    responses,
    rounds,
    setups,
    wrong_payloads,
)
from ..server_trial import MakeServer, ServerTrial
from ..tally import CURRENT, Run

FEW: Final = 3
"""Events to which a step may bring answers."""

KEYS_SHOWN: Final = 4
"""Keys that are shown in one step."""

FLOOD: Final = 40
"""Messages of a flood: more than any server here takes of what it refuses, or lets wait."""

SAID: Final = 4
"""How often it is said in one step what to ask, of one round or several."""

PART_STRUCK: Final = 3
"""One in so many faults is tried in one step that strikes."""

STRUCK: Final = tuple(
    each.name for each in USER_AUTH_FAULTS if faulty_payloads(LIMITS[0], each.name)
)
"""The faults that can be shown as a payload, which says nothing of its length."""

_few: Any = st.lists(answers(), min_size=1, max_size=FEW).map(tuple)


class UserAuthServerMachine(RuleBasedStateMachine):
    """A server under a hostile client: whatever either does, the server does what its model says.

    Attributes:
        run: where its steps are counted.
        trial: the server on trial.
    """

    make: ClassVar[MakeServer] = UserAuthServer
    """What makes the server. A subclass can put another on trial."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run = CURRENT.run(type(self).__name__)
        self.setup = Setup()
        self.trial = ServerTrial(self.setup, self.run, type(self).make)
        self._next_fault: int | None = None
        self.run.strikes.update(dict.fromkeys(STRUCK, 0))

    @initialize(setup=setups())
    def set_up(self, setup: Setup) -> None:
        """Choose how the servers are set up."""
        self.setup = setup
        self._begin()

    def _begin(self) -> None:
        self.trial = ServerTrial(self.setup, self.run, type(self).make)

    def is_open(self) -> bool:
        """Say whether anything can come of what the client sends."""
        return self.trial.model.state not in ENDS

    def _receive(self, payload: bytes, answers: Any = (), rounds: Any = ()) -> None:
        self.trial.take(Receive(payload, answers, rounds))

    @rule(way=st.sampled_from((*WAYS,)))
    def begin(self, way: str) -> None:
        """Begin with another client, and go on to where something is under way."""
        self._begin()
        for step in WAYS[way]:
            self.trial.take(step)

    @precondition(is_open)
    @rule(payload=requests(), few=_few, asked=rounds())
    def request(self, payload: bytes, few: tuple[Answer, ...], asked: Any) -> None:
        """Send a right request."""
        self._receive(payload, few, asked)

    @rule(choice=st.data(), answer=answers(), count=st.integers(1, KEYS_SHOWN))
    def show_keys(self, choice: st.DataObject, answer: Answer, count: int) -> None:
        """Ask about keys, or sign with them, rightly or wrongly, where the keys are accepted."""
        for _ in range(count):
            # Where a decision is owed, keys only wait.
            if self.trial.model.state in {*ENDS, "DEFERRED"}:
                self.begin("nothing was asked")
            few = choice.draw(st.sampled_from(((Answer(accept=True),), (answer,))))
            self._receive(choice.draw(keys_shown(self.setup.session_id)), few)

    @precondition(lambda self: self.trial.model.prompts_due is not None)
    @rule(choice=st.data(), few=_few, asked=rounds())
    def respond(self, choice: st.DataObject, few: tuple[Answer, ...], asked: Any) -> None:
        """Answer prompts, mostly as many as there are."""
        self._receive(choice.draw(responses(self.trial.model.prompts_due)), few, asked)

    @rule(choice=st.data(), few=_few, asked=rounds())
    def send_anything(self, choice: st.DataObject, few: tuple[Answer, ...], asked: Any) -> None:
        """Send anything, rightly or not, also after the end."""
        payload = choice.draw(payloads(self.trial.model, self.setup))
        self._receive(payload, few, asked)

    @precondition(is_open)
    @rule(choice=st.data())
    def send_what_is_wrong(self, choice: st.DataObject) -> None:
        """Send what nobody sends."""
        self._receive(choice.draw(wrong_payloads(self._limits)))

    @precondition(is_open)
    @rule(choice=st.data())
    def strike(self, choice: st.DataObject) -> None:
        """Send what some faults make of messages, one after the other, each to another server."""
        # In turn, beginning anywhere, rather than any: so none is much rarer than the others.
        if self._next_fault is None:
            self._next_fault = choice.draw(st.sampled_from(range(len(STRUCK))))
        for _ in range(len(STRUCK) // PART_STRUCK):
            if not self.is_open():
                self.begin(choice.draw(st.sampled_from((*WAYS,))))
            fault = STRUCK[self._next_fault]
            self._next_fault = (self._next_fault + 1) % len(STRUCK)
            faulty = choice.draw(st.sampled_from(faulty_payloads(self._limits, fault)))
            self.run.strikes[fault] += 1
            self._receive(faulty.data[4:])

    @property
    def _limits(self) -> Limits:
        assert isinstance(self.setup.limits, Limits)
        return self.setup.limits

    @precondition(is_open)
    @rule(payload=requests(), answer=answers(), count=st.integers(2, FLOOD))
    def flood(self, payload: bytes, answer: Answer, count: int) -> None:
        """Send the same over and over without waiting, until nobody listens."""
        for _ in range(count):
            self.trial.take(Receive(payload, (answer,)))
            if not self.is_open():
                break

    @precondition(lambda self: self.trial.model.events)
    @rule(choice=st.data(), answer=answers(), few=_few, asked=rounds())
    def decide(
        self, choice: st.DataObject, answer: Answer, few: tuple[Answer, ...], asked: Any
    ) -> None:
        """Decide what was deferred, or once more what nobody waits for any more."""
        number = choice.draw(decisions(self.trial.model))
        self.trial.take(Decide(number, answer, few, asked))

    @precondition(lambda self: self.trial.model.questions)
    @rule(choice=st.data(), few=_few, asked=rounds())
    def say(self, choice: st.DataObject, few: tuple[Answer, ...], asked: Any) -> None:
        """Say what to ask, where that was deferred, or where nobody waits for it any more."""
        first = asked[0] if asked else None
        numbers = questions(self.trial.model)
        for number in choice.draw(st.lists(numbers, min_size=1, max_size=SAID)):
            self.trial.take(Say(number, first, few, asked[1:]))

    @rule(part=st.sampled_from((0.0, 0.1, 0.1, 0.5, 1.0)), looks=st.booleans())
    def wait(self, part: float, looks: bool) -> None:
        """Let time pass: a part of what the client has."""
        self.trial.take(Wait(self.setup.seconds * part, looks))

    @rule(message=st.sampled_from(("Hello", "", "x" * 600, "\ud800")))
    def send_banner(self, message: str) -> None:
        """Show a text."""
        self.trial.take(SendBanner(message))

    @rule(gone=st.sampled_from((False, False, False, True)))
    def lose(self, gone: bool) -> None:
        """Lose the client, and mostly begin with another one at once."""
        self.trial.take(Lost())
        if not gone:
            self._begin()
