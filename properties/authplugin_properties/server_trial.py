"""A server of SSH's user authentication on trial: it and its model side by side, step by step."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from authplugin import LocalProtocolError, ProtocolError, RemoteProtocolError
from authplugin.limits import Limits
from authplugin.userauth import (
    Prompts,
    Round,
    SSHUserAuthRequest,
    UserAuthLimits,
    UserAuthServer,
)

from .breaking import LawBroken, short
from .listening import listening
from .oracles.server import Came, ServerModel
from .oracles.server_steps import (
    Answer,
    Asked,
    Decide,
    Lost,
    Receive,
    Say,
    SendBanner,
    Setup,
    Step,
    Wait,
)
from .server_events import SERVER, event_of
from .tally import CURRENT, Run

SECRET: Final = "hunter22"  # noqa: S105 - what tests show for one
"""What marks a secret: where it is in what a client shows, no text of the server may have it."""

_EVENT: Final = (
    "connection_id",
    "user",
    "service",
    "auth_method",
    "auth_param",
    "key_algorithm",
    "new_password",
    "is_query",
    "round",
    "completed",
    "accept",
    "partial_success",
    "available_methods",
    "home_dir",
    "change_password",
)
_ROUND: Final = ("connection_id", "user", "service", "number", "submethods", "accepted")
_DECIDED: Final = ("accept", "partial_success", "home_dir", "change_password")


MakeServer = Callable[..., UserAuthServer]
"""What makes a server: called as `UserAuthServer` is."""


class HandlerFailedError(Exception):
    """What the handler raises; its text has the secret that it was shown."""


class HandlerCancelledError(BaseException):
    """The same, where it is none of the usual errors."""


class HandlerInterruptedError(KeyboardInterrupt):
    """The same, where somebody has interrupted the program."""


_RAISED: Final[dict[bool | str, type[BaseException]]] = {
    True: HandlerFailedError,
    "exit": SystemExit,
    "cancelled": HandlerCancelledError,
    "interrupt": HandlerInterruptedError,
}


class _Handler:
    """Does what the steps say, and notes what it was asked.

    Attributes:
        events: all events so far.
        rounds: all questions for prompts so far.
        calls: what it was asked by the step that is under way.
        decided: what the server then told it of decisions that count.
        decided_inside: what came of deciding within its own call.
        spend: lets time pass.
    """

    def __init__(self, spend: Callable[[float], None]) -> None:
        self.spend = spend
        self.decided: list[tuple[object, object, object]] = []
        self.events: list[SSHUserAuthRequest] = []
        self.rounds: list[Round] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.decided_inside: list[bool] = []
        self._answers: Iterator[Answer] = iter(())
        self._rounds: Iterator[Asked | None] = iter(())

    def follow(self, answers: Sequence[Answer], rounds: Sequence[Asked | None]) -> None:
        self._answers, self._rounds = iter(answers), iter(rounds)

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        self.calls.append(("event", {name: getattr(event, name) for name in _EVENT}))
        self.events.append(event)
        answer = next(self._answers, Answer())
        self.spend(answer.takes)
        set_answer(event, answer)
        for _ in range(answer.defers):
            event.defer()
        if answer.decides:
            self.decided_inside.append(event.decide())
        if answer.raises:
            raise _RAISED[answer.raises](event.auth_param, event.new_password)

    def on_decision(self, event: SSHUserAuthRequest) -> None:
        self.decided.append((event.accept, event.partial_success, event.change_password))

    def prompts(self, wanted: Round) -> Prompts | None:
        self.calls.append(("round", {name: getattr(wanted, name) for name in _ROUND}))
        self.rounds.append(wanted)
        asked = next(self._rounds, None)
        if asked is not None and asked.defers:
            wanted.defer()
        if asked is not None and asked.raises:
            raise _RAISED[asked.raises](SECRET)
        return prompts_of(asked)


def prompts_of(asked: Asked | None) -> Prompts | None:
    """Return what a handler says is to be asked."""
    if asked is None:
        return None
    if asked.nothing or asked.raises:
        return "no prompts at all"  # type: ignore[return-value]  # what a handler may do
    return Prompts(asked.prompts, asked.name, asked.instructions)  # type: ignore[arg-type]


def set_answer(event: SSHUserAuthRequest, answer: Answer) -> None:
    """Set the attributes of an event as an answer has them."""
    made: Any = event
    for name in _DECIDED:
        setattr(made, name, getattr(answer, name))
    if answer.available_methods is not None:
        made.available_methods = answer.available_methods


class ServerTrial:
    """A server and its model: each step is taken by both, and what comes of it is compared.

    Compared are what is raised; what the handler is asked, with every attribute; what is sent, byte
    for byte; which decisions are told of; how many errors, late decisions, refusals with reasons
    and ends are logged; whether a decision counts, and an interrupt goes on; who has logged in; why
    the connection is to be closed; and the bytes held.
    Besides nothing but a `ProtocolError` may be raised, and no secret be in any text.

    Args:
        setup: how the server is set up.
        run: where to count the steps.
        make: makes the server; another needs the methods and properties of `UserAuthServer`.

    Attributes:
        server: the server.
        model: its model.
    """

    def __init__(
        self, setup: Setup, run: Run | None = None, make: MakeServer = UserAuthServer
    ) -> None:
        self.setup = setup
        self.model = ServerModel(setup)
        self._now = 0.0
        self._handler = _Handler(self._spend)
        self._run = run or Run()
        self._log: list[Step] = []
        self._records: list[logging.LogRecord] = []
        self._told: list[str] = []
        self._outputs = 0
        self._public: set[str] = set()
        self.server = make(
            self._handler,
            session_id=setup.session_id,
            connection_id=setup.connection_id,
            methods=setup.methods,
            root_directory=setup.root_directory,
            algorithms=setup.algorithms,
            services=setup.services,
            limits=_limits(setup),
            user_auth_limits=UserAuthLimits(
                setup.attempts, setup.seconds, setup.rounds, setup.prompts, setup.waiting
            ),
            on_output=self._noticed,
            on_decision=self._handler.on_decision,
            clock=lambda: self._now,
        )

    @property
    def events(self) -> int:
        """How many events there were so far."""
        return len(self._handler.events)

    def _spend(self, seconds: float) -> None:
        self._now += seconds

    def _noticed(self) -> None:
        self._outputs += 1

    def take(self, step: Step) -> Came:
        """Take a step; return what came of it.

        Raises:
            LawBroken: where something else came of it than the model says.
        """
        self._log.append(step)
        before = self._outputs
        self._count(step)
        wanted = self.model.take(step)
        self._run.refused += (wanted.refusal or wanted.misuse) is not None
        self._records.clear()
        self._handler.calls.clear()
        self._handler.decided.clear()
        self._handler.decided_inside.clear()
        self._interrupted = False
        with listening("authplugin.userauth", logging.DEBUG, self._records.append):
            came = self._act(step)
        self._agree("what is raised", came, (wanted.refusal, wanted.misuse))
        self._agree("whether it is interrupted", self._interrupted, wanted.interrupted)
        self._agree("whether the decision counts", self._counted, wanted.counted)
        if wanted.counted:
            self._agree("how often output is told of", self._outputs - before, 1)
        self._agree("what the handler is asked", self._handler.calls, wanted.calls)
        if not all(self._handler.decided_inside):
            raise self._broken("a decision within the handler's call does not count")
        self._agree("what is said to be decided", self._handler.decided, wanted.decided)
        self._agree("what is sent", self.server.data_to_send(), wanted.sent)
        self._compare_logs(wanted)
        self._compare()
        self._look_for_secrets()
        return wanted

    def _act(self, step: Step) -> tuple[object, object]:
        """Do what the step says; return the refusal, and the misuse."""
        self._counted: bool | None = None
        if isinstance(step, (Receive, Decide, Say)):
            self._handler.follow(step.answers, step.rounds)
        try:
            match step:
                case Receive(payload):
                    self.server.receive(payload)
                case Decide(number, answer) if self._handler.events:
                    event = self._handler.events[number % len(self._handler.events)]
                    set_answer(event, answer)
                    self._counted = event.decide()
                case Say(number, asked) if self._handler.rounds:
                    wanted = self._handler.rounds[number % len(self._handler.rounds)]
                    self._counted = wanted.ask(prompts_of(asked))
                case Decide() | Say():
                    pass
                case Wait(seconds, looks):
                    self._now += seconds
                    if looks:
                        self.server.check_time()
                case SendBanner(message, language):
                    self.server.send_banner(message, language)
                case Lost():
                    self.server.connection_lost()
        except RemoteProtocolError as error:
            self._tell(error)
            return (str(error.code), error.field, error.offset), None
        except LocalProtocolError as error:
            self._tell(error)
            over = str(error.code) == "session-over"
            if isinstance(step, SendBanner):
                return None, "session-over" if over else "any"
            return None, str(error.code)
        except HandlerInterruptedError:
            self._interrupted = True
        except (Exception, SystemExit, HandlerCancelledError) as error:
            raise self._broken(f"{type(error).__name__}: {short(error)}") from error
        return None, None

    def _tell(self, error: ProtocolError) -> None:
        self._told.append("".join(traceback.format_exception(error)) + repr(error))

    def _compare_logs(self, wanted: Came) -> None:
        levels = [record.levelno for record in self._records]
        self._agree("how many errors are logged", levels.count(logging.ERROR), wanted.errors)
        self._agree("how many late decisions are", levels.count(logging.WARNING), wanted.late)
        refused = sum(" refused: " in str(record.msg) for record in self._records)
        self._agree("how many refusals with a reason are", refused, wanted.reasons)
        ends = sum(any(each in str(record.msg) for each in _ENDS) for record in self._records)
        self._agree("how many reports that it is over are", ends, wanted.ends)

    def _compare(self) -> None:
        server, model = self.server, self.model
        who = server.authenticated
        named = who and (who.user, who.service, who.methods, who.home_dir)
        self._agree("who has logged in", named, model.authenticated)
        self._agree(
            "why it is over", server.disconnect and server.disconnect.code, model.disconnect
        )
        violation = server.violation
        found = violation and (str(violation.code), violation.field, violation.offset)
        self._agree("the violation", found, model.violation)
        self._agree("what is held", server.held, model.held)
        if server.held > self.setup.limits.frame:
            raise self._broken(f"{server.held} bytes are held")

    def _look_for_secrets(self) -> None:
        public = (getattr(event, name) for event in self._handler.events[-1:] for name in _PUBLIC)
        self._public.update(map(str, public))
        if not any(SECRET.encode() in secret for secret in self.model.secrets):
            return
        formatter = logging.Formatter()
        texts = [formatter.format(record) for record in self._records]
        texts += [repr(event) for event in self._handler.events[-1:]]
        texts += [repr(self.server), repr(self.server.violation), repr(self.server.authenticated)]
        texts += self._told
        self._told = []
        if any(SECRET in text for text in self._public):
            return  # what is asked for by that name can be told
        for text in texts:
            if SECRET in text or SECRET.encode().hex() in text:
                at = text.find(SECRET)
                raise self._broken(f"a text has a secret: ...{text[max(0, at - 60) : at + 20]}...")

    def _count(self, step: Step) -> None:
        self._run.steps += 1
        event = event_of(step, self.model, self.setup.limits)
        if event is not None:
            CURRENT.events[SERVER, self.model.state, event] += 1
            self._run.messages[event] += 1

    def _agree(self, what: str, ours: object, wanted: object) -> None:
        if ours != wanted:
            raise self._broken(f"{what}: {short(ours)}, and should be {short(wanted)}")

    def _broken(self, text: str) -> LawBroken:
        steps = "\n".join(f"  {short(step)}" for step in self._log)
        return LawBroken(f"the server agrees with its model: {text}, after\n{steps}")


_ENDS: Final = ("disconnected: ", "the client broke the protocol: ")

_PUBLIC: Final = ("user", "service", "auth_method", "key_algorithm", "available_methods")


def _limits(setup: Setup) -> Limits:
    given = setup.limits
    return Limits(given.frame, given.text, given.count, given.nonzero_is_true, given.any_bytes)
