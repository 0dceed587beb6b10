"""Every dialogue with a plugin, played by the handler layer in this process, without pipes."""

from collections.abc import Sequence

import pytest

from authplugin import AskUser, Limits, Message, Plugin, Request, decode, serve
from authplugin.messages import PluginAuthFailure, PluginAuthSuccess, PluginKIUserRequest
from authplugin_corpus.constraints import Expected, Relation
from authplugin_corpus.delivery import pieces
from authplugin_corpus.frames import split_frames
from authplugin_corpus.model import (
    Allow,
    Case,
    EndOfInput,
    EndOfOutput,
    Expect,
    ExpectEnd,
    ExpectSilence,
    PluginDialogue,
    Send,
    Turn,
)
from authplugin_corpus.vectors import cases, load_vectors

CASES = list(cases(each for each in load_vectors() if isinstance(each, PluginDialogue)))


class Played(Plugin):
    """A plugin that does what a dialogue expects of it next, where handlers decide on that.

    It is its own client too: what it reads is what the dialogue sends.
    """

    def __init__(self, case: Case) -> None:
        self.turns = list(case.turns)
        self.delivery = case.delivery
        self.chunks: list[bytes] = []
        self.said: list[Message] = []
        self.is_heard = True
        self.results: list[bool] = []

    def result(self, success: bool) -> None:
        self.results.append(success)

    def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
        assert all(type(prompt.echo) is bool for prompt in request.prompts)
        while (wanted := self.questions()) is not None:
            assert len(ask_user(["question"] * wanted)) == wanted
        return ["response"] * len(request.prompts)

    def questions(self) -> int | None:
        """Return how many questions to the user are expected now; None where none is."""
        expected = next((turn.expected for turn in self.turns if isinstance(turn, Expect)), None)
        if expected is None or expected.message_type is not PluginKIUserRequest:
            return None
        counts = [each for each in expected.constraints if each.relation is Relation.COUNT]
        return int(str(counts[0].value)) if counts else 1

    def read(self) -> bytes:
        while not self.chunks:
            turn = self.turns.pop(0) if self.turns else EndOfInput()
            match turn:
                case Send():
                    self.chunks = list(pieces(turn.data, self.delivery))
                case EndOfInput():
                    return b""
                case EndOfOutput():
                    self.is_heard = False
                case ExpectEnd():
                    pytest.fail("it reads where it had to end")
                case _:
                    self.judge(turn)
        return self.chunks.pop(0)

    def write(self, data: bytes) -> None:
        if not self.is_heard:
            raise BrokenPipeError
        messages = [decode(frame) for frame in split_frames(data, Limits(frame=2**24))]
        self.said += messages
        for message in messages:
            if isinstance(message, PluginKIUserRequest):
                assert not any(echo for _, echo in message.prompts), "what is typed must not show"

    def judge(self, turn: Turn) -> None:
        """See that what was said is what is expected now."""
        match turn:
            case Expect(expected):
                assert self.said, f"it said nothing where {expected} was due"
                assert fits(expected, self.said.pop(0))
            case Allow(choices) if self.said:
                message = self.said.pop(0)
                assert any(fits(each, message) for each in choices)
            case ExpectSilence():
                assert not self.said


def fits(expected: Expected, message: Message) -> bool:
    return type(message) is expected.message_type and expected.broken_by(message) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_handler_layer_plays_it(case: Case) -> None:
    played = Played(case)
    sound = serve(played, played.read, played.write)
    for turn in played.turns:
        played.judge(turn)
    assert not played.said
    outcomes = [
        isinstance(message, PluginAuthSuccess)
        for turn in case.turns
        if isinstance(turn, Send)
        for message in turn.messages
        if isinstance(message, (PluginAuthSuccess, PluginAuthFailure))
    ]
    # A client that has gone tells nothing more.
    assert played.results == outcomes[: len(outcomes) if played.is_heard else len(played.results)]
    assert sound is all(getattr(turn, "fault", None) is None for turn in case.turns)
