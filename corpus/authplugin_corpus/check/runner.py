"""One vector, replayed against a plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from authplugin import (
    Message,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocolAccept,
    PluginProtocolReject,
    encode,
)
from authplugin.process import SupervisedProcess

from ..constraints import Expected
from ..model import (
    Allow,
    Delivery,
    EndOfInput,
    Expect,
    ExpectEnd,
    PluginDialogue,
    Send,
    SentFault,
)
from .peer import PLUGIN_LIMITS, Peer, Said, UnreadableError
from .verdicts import Outcome, Verdict, crashed, ending

USER_ANSWER = "secret"
"""What the user answers to each prompt of a plugin."""

MOST_QUESTIONS = 32
"""How many times in a row a plugin may ask the user; the text sets no bound."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a vector.

    Attributes:
        vector: which one.
        verdict: how the plugin did.
        conversation: what was said, in order.
        expected: what was due from the plugin at the end of that.
        error_output: the end of what it wrote to standard error.
    """

    vector: PluginDialogue
    verdict: Verdict
    conversation: tuple[Said, ...]
    expected: str
    error_output: bytes


class _Judged(Exception):  # noqa: N818 - not an error: the case is decided
    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.verdict = Verdict(outcome, reason)


def replay(vector: PluginDialogue, command: str | Sequence[str], timeout: float) -> Replay:
    """Start a plugin, hold the conversation, and judge what the plugin did.

    Args:
        vector: the conversation.
        command: the plugin: a program and its arguments, or a line for the shell.
        timeout: seconds within which it must answer, and within which it must end.

    Raises:
        OSError: where the plugin cannot be started.
    """
    with SupervisedProcess(command) as process:
        conversation = _Conversation(vector, Peer(process, timeout))
        verdict = conversation.play()
        left = process.close()
        if left and not verdict.outcome.is_finding:
            many = "a process" if len(left) == 1 else f"{len(left)} processes"
            verdict = Verdict(Outcome.FAIL, f"left {many} running when it had ended")
        return Replay(
            vector,
            verdict,
            tuple(conversation.peer.said),
            conversation.due,
            process.error_output,
        )


@dataclass(slots=True)
class _Conversation:
    vector: PluginDialogue
    peer: Peer
    fault: SentFault | None = None
    due: str = "nothing"  # from the plugin
    heard: str | None = None  # by the plugin, last
    lenient: str | None = None

    def play(self) -> Verdict:
        try:
            for turn in self.vector.turns:
                match turn:
                    case Send():
                        self._send(turn)
                    case Expect(expected):
                        self._expect(expected)
                    case Allow(choices, lenient):
                        self._allow(choices, lenient=lenient)
                    case EndOfInput():
                        self.peer.close_input()
                    case ExpectEnd():
                        self._expect_end()
            return self._fine()
        except _Judged as judged:
            return self._with_ending(judged.verdict)
        except UnreadableError as error:
            return self._with_ending(Verdict(Outcome.FAIL, f"{error}{self._after()}"))
        except TimeoutError:
            return self._with_ending(self._late())

    # What the client does.

    def _send(self, turn: Send) -> None:
        if self.peer.has_spoken():
            self.due = "nothing: it was the client's turn"
            try:
                message = self.peer.take()
            except TimeoutError:
                message = None  # it has begun to speak, and not gone on
            name = "something" if message is None else message.spec.name
            raise self._failed(f"said {name} out of turn")
        self.fault = turn.fault
        self.heard = _described(turn)
        fault = turn.fault and f"{turn.fault.code}: {turn.fault.sentence}"
        self.peer.send(turn.data, fault or None, delivery=turn.delivery)

    def _answer_for_user(self, request: PluginKIUserRequest) -> None:
        answer = PluginKIUserResponse([USER_ANSWER] * len(request.prompts))
        self.heard = answer.spec.name
        self.peer.send(encode(answer, PLUGIN_LIMITS), delivery=Delivery.WHOLE)

    # What the plugin does.

    def _expect(self, expected: Expected) -> None:
        self.due = str(expected)
        message = self.peer.take()
        questions = 0
        while expected.message_type is PluginKIServerResponse and isinstance(
            message, PluginKIUserRequest
        ):
            questions += 1
            if questions > MOST_QUESTIONS:
                raise self._failed(f"asked the user more than {MOST_QUESTIONS} times in a row")
            self._answer_for_user(message)
            message = self.peer.take()
        if message is None:
            raise self._failed(f"{self._how_it_ended()} where {self.due} was due")
        self._check_declined(expected, message)
        if type(message) is not expected.message_type:
            raise self._failed(f"said {message.spec.name} where {self.due} was due")
        if (broken := expected.broken_by(message)) is not None:
            raise self._failed(f"{message.spec.name} {broken}")

    def _check_declined(self, expected: Expected, message: Message) -> None:
        wanted = expected.message_type
        if (wanted is PluginInitResponse and isinstance(message, PluginInitFailure)) or (
            wanted is PluginProtocolAccept and isinstance(message, PluginProtocolReject)
        ):
            text = message.detach().message
            raise _Judged(Outcome.UNSUPPORTED, f"declined with {message.spec.name} ({text!r})")

    def _allow(self, choices: tuple[Expected, ...], *, lenient: bool) -> None:
        self.due = f"nothing, or {' or '.join(map(str, choices))}"
        message = self.peer.peek()
        for choice in choices:
            if choice.message_type is type(message) and not choice.broken_by(message):
                self.peer.take()
                if lenient and self.fault is not None:
                    self.lenient = f"answered {self.fault.sentence} with {message.spec.name}"
                return

    def _expect_end(self) -> None:
        self.due = "nothing, and the end"
        if (message := self.peer.take()) is None:
            return
        if self.fault is not None:
            reason = f"answered {self.fault.sentence} with {message.spec.name}"
            raise _Judged(Outcome.FAIL, reason)
        raise self._failed(f"said {message.spec.name} where it owed nothing")

    # Verdicts.

    def _failed(self, reason: str) -> _Judged:
        return _Judged(Outcome.FAIL, reason + self._after())

    def _after(self) -> str:
        """Return behind what in the conversation something happened."""
        return "" if self.heard is None else f", after {self.heard}"

    def _how_it_ended(self) -> str:
        try:
            return ending(self.peer.wait())
        except TimeoutError:
            return "closed its output"

    def _fine(self) -> Verdict:
        """Return the verdict on a plugin that has said nothing wrong, and ended its output."""
        try:
            status = self.peer.wait()
        except TimeoutError:
            return Verdict(Outcome.HANG, self._still_running())
        if crashed(status):
            return Verdict(Outcome.CRASH, f"{ending(status)}{self._after()}")
        if self.lenient is not None:
            return Verdict(Outcome.LENIENT, self.lenient)
        return Verdict(Outcome.PASS, ending(status))

    def _late(self) -> Verdict:
        """Return the verdict on a plugin that has not spoken, or not ended, in time."""
        if self.peer.input_closed:
            try:
                self.peer.process.wait(0)
            except TimeoutError:
                return Verdict(Outcome.HANG, self._still_running())
            return Verdict(
                Outcome.FAIL, "has ended, but something that it started holds its output open"
            )
        part = f" but {self.peer.begun} bytes of a message" if self.peer.begun else ""
        within = f"within {self.peer.timeout:g} s"
        reason = f"said nothing{part} {within} where {self.due} was due{self._after()}"
        self.peer.close_input()
        try:
            if self.peer.take() is not None:
                reason += "; it came when the input was closed: output has to be flushed"
        except UnreadableError:
            pass
        except TimeoutError:
            return Verdict(Outcome.HANG, f"{reason}; nor did it end with its input")
        return Verdict(Outcome.FAIL, reason)

    def _still_running(self) -> str:
        seconds = f"{self.peer.timeout:g} s"
        return f"was still running {seconds} after its input was closed{self._after()}"

    def _with_ending(self, verdict: Verdict) -> Verdict:
        """Return the verdict, or a graver one where the plugin also crashes or does not end."""
        if verdict.outcome is Outcome.HANG:
            return verdict
        self.peer.close_input()
        try:
            status = self.peer.wait()
        except TimeoutError:
            return Verdict(Outcome.HANG, f"{verdict.reason}; and did not end with its input")
        if not crashed(status):
            return verdict
        how = ending(status)
        reason = verdict.reason if how in verdict.reason else f"{how}: {verdict.reason}"
        return Verdict(Outcome.CRASH, reason)


def _described(turn: Send) -> str:
    """Return in words what a turn says to the plugin."""
    if turn.fault is not None:
        return turn.fault.sentence
    names = " and ".join(message.spec.name for message in turn.messages)
    if turn.delivery is Delivery.BYTE_BY_BYTE:
        return f"{names} byte by byte"
    return f"{names} in one piece" if len(turn.messages) > 1 else names
