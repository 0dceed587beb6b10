"""The conversation of one case: who says what, and what the program says wrong."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Final

from authplugin import (
    Message,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocolAccept,
    PluginProtocolReject,
    Side,
    encode,
)

from ..constraints import Expected
from ..model import Allow, EndOfOutput, Expect, ExpectEnd, ExpectSilence
from .parameters import USER_ANSWER
from .peer import PAUSE, PLUGIN_LIMITS, Heard, Peer, UnreadableError, Utterance
from .script import Before, Close, Say, Script, Step
from .texts import flaw_in
from .verdicts import Said, Speech, ending

MOST_QUESTIONS: Final = 32
"""How many times in a row a plugin may ask the user; the text sets no bound."""

_PATIENCE: Final = 1.0
"""Seconds in which a program may take what it means to take for what is only claimed."""

_UNDECIDED: Final = "undecided, by time limit"

_FLUSH: Final = (
    "output has to be flushed after each message, and no more input waited for than a message has"
)


_NO_RIGHT_ANSWER: Final = (
    "where it asks until the answer is right: --answer, or --answers, can give the right one"
)
_DECLINED_BY: Final[Mapping[type[Message], str]] = {
    PluginInitFailure: "--hostname, --port and --username say what it may insist on, and --env "
    "what it may need",
    PluginProtocolReject: "--method names the one that it may help with",
}
"""What may be done about a plugin that declines, by what it declines with."""

_STAY: Final = "; it has to stay until its input is closed (H.5)"
_UNHEARD: Final = " and the end of its output, which nobody reads any more"
_INPUT_OVER: Final = " and the end of its input"
_NO_ANSWER: Final = "the end of the input is no answer, and nothing may be said after it"


class _Judged(Exception):  # noqa: N818 - not an error: the case is decided
    def __init__(self, speech: Speech, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.said = Said(speech, sentence, advice)


class Conversation:
    """Holds the conversation of a script with a program.

    Args:
        script: what to say, and what to expect.
        peer: the program.
        careful: whether to see, before each message, that the program has nothing more to say.

    Attributes:
        due: what was due from the program, last.
        mistake: what was wrong with what it has been told, last; None where nothing was.
        noise: whether it wrote what is not of the protocol.
        ends_never: whether it is known already that it does not end.
    """

    def __init__(self, script: Script, peer: Peer, *, careful: bool) -> None:
        self.due = "nothing"
        self.mistake: str | None = None
        self.noise = False
        self.ends_never = False
        self._script = script
        self._peer = peer
        self._careful = careful
        self._heard: str | None = None  # by the program, last
        self._earlier: str | None = None  # heard by it before that
        self._lenient: str | None = None
        self._allowed: tuple[Expected, ...] = ()  # instead of the end, by a strict program

    @property
    def after(self) -> str:
        """Behind what in the conversation something happened, to follow a sentence."""
        heard = "" if self._heard is None else f", after {self._heard}"
        return f"{heard}{_UNHEARD}" if self._peer.output_closed else heard

    def hold(self) -> Said:
        """Hold it to its end, or to the program's first mistake; return what was said."""
        steps = self._script.steps
        try:
            for step, following in zip_longest(steps, steps[1:]):
                match step:
                    case Say():
                        self._say(step, following)
                    case Expect(expected):
                        self._expect(expected)
                    case Allow(choices, lenient):
                        self._allow(choices, lenient=lenient)
                    case ExpectSilence():
                        self._expect_silence()
                    case Close():
                        self._close(step)
                    case EndOfOutput():
                        self._peer.close_output()
                    case ExpectEnd():
                        self._expect_end()
        except _Judged as judged:
            return judged.said
        except UnreadableError as error:
            self.noise = error.noise
            return Said(Speech.UNREADABLE, f"{error}{self.after}")
        return Said() if self._lenient is None else Said(Speech.LENIENT, self._lenient)

    # What the client does.

    def _say(self, step: Say, following: Step | None) -> None:
        if step.before is Before.SILENCE or (self._careful and step.before is Before.NOTHING):
            self._see_to_silence()
        self._earlier, self._heard = self._heard, step.heard
        self.mistake = step.mistake
        self._peer.said.append(Utterance(Side.CLIENT, step.data, step.fault))
        if not step.held_back:
            self._peer.write(step.pieces)
            return
        *first, last = step.pieces
        self._peer.write(tuple(first))
        if self._peer.listen(PAUSE) in (Heard.MESSAGE, Heard.UNREADABLE):
            self.due = "nothing yet: the message was not whole"
            message = self._peer.take()
            if not isinstance(following, Expect) or not isinstance(
                message, (following.expected.message_type, PluginKIUserRequest)
            ):
                raise self._out_of_turn(
                    f"said {message.spec.name} out of turn, inside {step.heard}"
                )
            size = len(step.data)
            raise _Judged(
                Speech.TOO_EARLY,
                f"answered {step.heard} with {message.spec.name} before it was complete: "
                f"{size - len(last)} of its {size} bytes had been written",
            )
        self._peer.write((last,))

    def _close(self, step: Close) -> None:
        if self._careful and step.before is not Before.ANSWER:
            self._see_to_silence()
        if step.mistake is not None:
            self._heard = self.mistake = step.mistake
        if step.patient:
            self._peer.listen(_PATIENCE)
        self._peer.close_input()

    def _answer_for_user(self, request: PluginKIUserRequest) -> None:
        if self._careful:
            self._see_to_silence()
        prompts = [prompt for prompt, _ in request.detach().prompts]
        texts = [self._script.parameters.answer(_text(prompt)) for prompt in prompts]
        answer = PluginKIUserResponse(texts)
        self._earlier, self._heard = self._heard, answer.spec.name
        data = encode(answer, PLUGIN_LIMITS)
        secret = any(text != USER_ANSWER for text in texts)
        self._peer.said.append(Utterance(Side.CLIENT, data, secret=secret))
        self._peer.write((data,))

    # What the program does.

    def _see_to_silence(self) -> None:
        """Judge a program that says something when it owes nothing."""
        if self._peer.listen(PAUSE) in (Heard.MESSAGE, Heard.UNREADABLE):
            self.due = "nothing: it was the client's turn"
            message = self._peer.take()
            when = f"out of turn{self.after}" if self._heard else "before it was spoken to"
            raise self._out_of_turn(f"said {message.spec.name} {when}")

    def _out_of_turn(self, sentence: str, advice: str = "") -> _Judged:
        """Return the judgement on the message taken last, and say in the conversation what it is.

        It was said when the program owed nothing.
        """
        self._peer.said[-1] = self._peer.said[-1]._replace(fault=f"out of turn: {sentence}")
        return _Judged(Speech.OUT_OF_TURN, sentence, advice)

    def _expect_silence(self) -> None:
        self.due = "nothing: it has to wait for more"
        heard = self._peer.listen(PAUSE)
        if heard is Heard.ENDED:
            self._peer.finish()
            raise _Judged(
                Speech.WRONG, f"{self._how_it_ended()} where it had to wait for more{self.after}"
            )
        if heard not in (Heard.MESSAGE, Heard.UNREADABLE):
            return
        raise self._unexpected()

    def _expect(self, expected: Expected) -> None:
        self.due = str(expected)
        message = self._next()
        questions = 0
        while expected.message_type is PluginKIServerResponse and isinstance(
            message, PluginKIUserRequest
        ):
            questions += 1
            if questions > MOST_QUESTIONS:
                sentence = f"asked the user more than {MOST_QUESTIONS} times in a row{self.after}"
                raise _Judged(Speech.WRONG, sentence, _NO_RIGHT_ANSWER)
            self._answer_for_user(message)
            message = self._next()
        self._check_declined(expected, message)
        if type(message) is not expected.message_type:
            sentence = f"said {message.spec.name} where {self.due} was due{self.after}"
            raise _Judged(Speech.WRONG, sentence)
        if (broken := expected.broken_by(message)) is not None:
            raise _Judged(Speech.WRONG, f"{message.spec.name} {broken}{self.after}")

    def _next(self) -> Message:
        """Return the message that is due."""
        heard = self._peer.listen()
        if heard is Heard.ENDED:
            self._peer.finish()
            raise _Judged(Speech.MISSING, self._ended_early())
        if heard in (Heard.QUIET, Heard.LATE):
            raise self._missing(late=heard is Heard.LATE)
        message = self._peer.take()
        self._check_texts(message)
        return message

    def _check_texts(self, message: Message) -> None:
        if (flaw := flaw_in(message)) is None:
            return
        sentence = f"{message.spec.name} {flaw.sentence}{self.after}"
        if not flaw.open:
            raise _Judged(Speech.WRONG, sentence)
        self._lenient = self._lenient or sentence

    def _ended_early(self) -> str:
        sentence = f"{self._how_it_ended()} where {self.due} was due"
        if self._peer.subject.unread and self._heard is not None:
            sentence += f", without having read all of {self._heard}"
            sentence += f", after {self._earlier}" if self._earlier is not None else ""
        else:
            sentence += self.after
        return sentence + (_STAY if self._peer.status == 0 else "")

    def _missing(self, *, late: bool) -> Exception:
        """Return the judgement on a program that says nothing whole where a message is due."""
        begun = len(self._peer.begun)
        part = f" but {begun} bytes" if begun else ""
        within = f" within {self._peer.timeout:g} s" if late else ""
        limit = f" ({_UNDECIDED})" if late else ""
        sentence = f"said nothing{part}{within} where {self.due} was due{limit}{self.after}"
        if begun:
            wrong = self._peer.unreadable()
            self.noise = wrong.noise
            return _Judged(Speech.UNREADABLE, f"{sentence}; {wrong}")
        self._peer.close_input()
        heard = self._peer.listen()
        if heard is Heard.MESSAGE:
            came = f"{sentence}; it came when the input was closed"
            return _Judged(Speech.MISSING, came, _FLUSH)
        self.ends_never = heard in (Heard.QUIET, Heard.LATE)
        return _Judged(Speech.MISSING, sentence)

    def _check_declined(self, expected: Expected, message: Message) -> None:
        wanted = expected.message_type
        if wanted is PluginKIUserRequest and (
            isinstance(message, PluginKIServerResponse)
            or (isinstance(message, PluginKIUserRequest) and expected.broken_by(message))
        ):
            needed = f"as the case needs it to: {expected}"
            sentence = f"did not ask the user, {needed}"
            if isinstance(message, PluginKIUserRequest):
                many = len(message.prompts)
                asked = "1 question" if many == 1 else f"{many} questions"
                sentence = f"asked the user {asked}, and not {needed}"
            raise _Judged(Speech.DECLINED, sentence)
        if (wanted is PluginInitResponse and isinstance(message, PluginInitFailure)) or (
            wanted is PluginProtocolAccept and isinstance(message, PluginProtocolReject)
        ):
            text = message.detach().message
            sentence = f"declined with {message.spec.name} ({text!r})"
            raise _Judged(Speech.DECLINED, sentence, _DECLINED_BY[type(message)])

    def _allow(self, choices: tuple[Expected, ...], *, lenient: bool) -> None:
        self.due = f"nothing, or {' or '.join(map(str, choices))}"
        self._allowed = () if lenient else choices
        if self._peer.listen() is not Heard.MESSAGE:
            return
        message = self._peer.peek()
        for choice in choices:
            if choice.message_type is type(message) and not choice.broken_by(message):
                self._allowed = ()
                self._check_texts(self._peer.take())
                if lenient and self.mistake is not None:
                    self._lenient = f"answered {self.mistake} with {message.spec.name}"
                return

    def _expect_end(self) -> None:
        self.due = "nothing, and the end"
        heard = self._peer.listen()
        if heard in (Heard.QUIET, Heard.LATE):
            self.ends_never = True
            return
        if heard is Heard.ENDED:
            return
        raise self._unexpected()

    def _unexpected(self) -> _Judged:
        """Take what was heard where nothing was due, and return what is wrong with it."""
        message = self._peer.take()
        if self.mistake is not None:
            return _Judged(Speech.WRONG, f"answered {self.mistake} with {message.spec.name}")
        for choice in self._allowed:
            if choice.message_type is type(message) and (broken := choice.broken_by(message)):
                return _Judged(Speech.WRONG, f"{message.spec.name} {broken}{self.after}")
        if self._allowed:
            choices = " or ".join(map(str, self._allowed))
            sentence = f"said {message.spec.name} where {choices} was due{self.after}"
            return _Judged(Speech.WRONG, sentence)
        sentence = f"said {message.spec.name} where it owed nothing{self.after}"
        if not self._peer.input_closed:
            return self._out_of_turn(sentence)
        return self._out_of_turn(sentence + _INPUT_OVER, _NO_ANSWER)

    def _how_it_ended(self) -> str:
        return "closed its output" if self._peer.status is None else ending(self._peer.status)


def _text(prompt: str | bytes | memoryview) -> str:
    return prompt if isinstance(prompt, str) else bytes(prompt).decode("utf-8", "replace")
