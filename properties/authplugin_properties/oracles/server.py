"""What a server of SSH's user authentication must do (RFC 4252, RFC 4256), step by step.

`ServerModel` is told what happens, as `server_steps` has it, and says what must come of it: what
the handler is asked, what is sent, what is logged, and where the server then stands. It knows
nothing of the server on trial; it reads messages with `userauth`, writes them with
`userauth_grammar`, and checks keys and signatures with `signatures`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from . import signatures, userauth
from .cursor import Refused
from .server_steps import (
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
from .server_verdicts import (
    KEYBOARD_INTERACTIVE,
    Came,
    Interrupted,
    Verdicts,
    accepts,
    listed,
    octets,
)

__all__ = ["SENT_BY_SERVERS", "STATES", "Came", "ServerModel"]

STATES: Final = (
    "OPEN",
    "PARTIAL",
    "ASKED",
    "DEFERRED",
    "AUTHENTICATED",
    "DISCONNECTED",
    "POISONED",
    "GONE",
)
"""Where a server can stand: nothing is under way, and no method or some had partial success; the
client owes responses; the handler owes a decision; and the four ends."""

SENT_BY_SERVERS: Final = frozenset(
    {"FAILURE", "SUCCESS", "BANNER", "PASSWD_CHANGEREQ", "PK_OK", "INFO_REQUEST"}
)
"""The messages that a server may send and a client may not, by their names in `userauth`."""


class Request(NamedTuple):
    """A request for `keyboard-interactive` that is under way."""

    submethods: str
    number: int = 1
    accepted: bool = True
    prompts: int = 0


class ServerModel(Verdicts):
    """A server, as the RFCs and the text of the event have it.

    Attributes:
        secrets: what the client has shown that nobody else may see.
        questions: how many questions for prompts there were.
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.secrets: set[bytes] = set()
        self.questions = 0
        self._asked: Request | None = None
        self._to_ask: Request | None = None
        self._rounds: Iterator[Asked | None] = iter(())

    @property
    def state(self) -> str:
        """Where the server stands: one of `STATES`."""
        if self._gone:
            return "GONE"
        if self.violation is not None:
            return "POISONED"
        if self.disconnect is not None:
            return "DISCONNECTED"
        if self.authenticated is not None:
            return "AUTHENTICATED"
        if self.is_awaited:
            return "DEFERRED"
        if self._asked is not None:
            return "ASKED"
        return "PARTIAL" if self._completed else "OPEN"

    @property
    def is_awaited(self) -> bool:
        """Whether the handler owes a decision, or what to ask."""
        return self.deferred is not None or self._to_ask is not None

    @property
    def round_due(self) -> int | None:
        """The number of the question for prompts whose answer is awaited; None for none."""
        return None if self._to_ask is None else self.questions - 1

    @property
    def held(self) -> int:
        """Bytes of messages that wait."""
        return sum(map(len, self._queue))

    @property
    def method(self) -> str | None:
        """The method under way, to which the client's 60 and 61 belong."""
        return None if self._asked is None else KEYBOARD_INTERACTIVE

    @property
    def tried(self) -> str:
        """The method of the last request, to which the server's 60 belongs."""
        return self._tried

    @property
    def prompts_due(self) -> int | None:
        """How many responses the client owes; None where it owes no message."""
        return None if self._asked is None else self._asked.prompts

    def summary(self) -> tuple[Any, ...]:
        """Return all that decides what can come of further steps, but for the number of events."""
        methods = (self._available, self._kept, self._completed)
        account = (self._user, self._service, *methods, self._home)
        awaited = (self._tried, self._about, self._set) if self.is_awaited else ()
        counts = (self._refused, self._now)
        under_way = (self._asked, self._to_ask)
        return (self.state, *account, *under_way, *awaited, tuple(self._queue), *counts)

    def take(self, step: Step) -> Came:
        """Take a step, and return what must come of it."""
        came = self.came = Came()
        if isinstance(step, (Receive, Decide, Say)):
            self._answers, self._rounds = iter(step.answers), iter(step.rounds)
        try:
            self._take(step)
        except Interrupted:
            self._drop()
            came.errors += 1
            came.interrupted, came.counted = True, None
        return came

    def _take(self, step: Step) -> None:
        match step:
            case Receive(payload):
                self._receive(payload)
            case Decide(event, answer) if self.events:
                self._decide(event % self.events, answer)
            case Say(number, asked) if self.questions:
                self._say(number % self.questions, asked)
            case Wait(seconds, looks):
                self._now += seconds
                if looks:
                    self._look_at_the_clock()
            case SendBanner():
                self._show(step)
            case Lost():
                self._gone = True
                self._stop()

    # What comes in.

    def _receive(self, payload: bytes) -> None:
        if self._is_over():
            self.came.misuse = "session-over"
            return
        if self.authenticated is not None:
            return  # RFC 4252 section 5.1
        full = self.is_awaited and len(self._queue) >= self._setup.waiting
        if full or self.held + len(payload) > self._setup.limits.frame:
            self._break(("frame-too-long", None, None))
        else:
            self._queue.append(payload)
            self._work()
        self.came.refusal = self.violation

    def _decide(self, event: int, answer: Answer) -> None:
        self._look_at_the_clock()
        self.came.counted = event == self.deferred
        if not self.came.counted:
            self.came.late += 1
            return
        then, self._then, self.deferred = self._then, None, None
        assert then is not None
        if answer.available_methods is None:
            answer = replace(answer, available_methods=self._set)
        self._settle(answer, then)
        self._work()

    def _say(self, number: int, asked: Asked | None) -> None:
        self._look_at_the_clock()
        request = self._to_ask
        self.came.counted = request is not None and number == self.questions - 1
        if not self.came.counted:
            self.came.late += 1
            return
        assert request is not None
        self._to_ask = None
        self._put(request, asked)
        self._work()

    def _show(self, banner: SendBanner) -> None:
        if self._is_over() or self.authenticated is not None:
            self.came.misuse = "session-over"
            return
        fields = {"message": octets(banner.message), "language": octets(banner.language)}
        if not self._send({"type": 53, **fields}):
            self.came.misuse = "any"

    def _break(self, violation: tuple[str, str | None, int | None]) -> None:
        self._stop()
        self.violation = violation
        self.came.ends += 1

    def _stop(self) -> None:
        super()._stop()
        self._asked = self._to_ask = None

    def _drop(self) -> None:
        """Forget the request under way; what waits goes on waiting."""
        self._then = self.deferred = self._asked = self._to_ask = None
        self._end_request(counts=False)

    def _work(self) -> None:
        """Take up what waits, in its order, as long as no decision is awaited."""
        self._look_at_the_clock()
        while self._queue and not self.is_awaited:
            payload = self._queue.popleft()
            frame = len(payload).to_bytes(4, "big") + payload
            try:
                message = userauth.decode(frame, self._setup.limits, self.method)
                name = userauth.name_of(message, self.method)
                if name in SENT_BY_SERVERS:
                    raise Refused("wrong-side", None, 4)
            except Refused as refused:
                self._break((refused.code, refused.field, refused.offset))
                return
            if name == "INFO_RESPONSE":
                self._respond(message["responses"])
            else:
                self._begin(name, message, payload)

    # Requests.

    def _begin(self, name: str, message: dict[str, Any], payload: bytes) -> None:
        if self._asked is not None:
            self._drop()
            self._count_attempt()
            if self._is_over():
                return
        user, service, method = (message[each].decode() for each in ("user", "service", "method"))
        if (user, service) != (self._user, self._service):
            self._available = self._kept = self._setup.methods
            self._completed, self._home = (), None
        self._user, self._service, self._tried = user, service, method
        self.secrets.update(message[each] for each in _SECRET if each in message)
        is_offered = method == "none" or method in listed(self._kept)
        if service not in self._setup.services or not is_offered:
            self._refuse(reason=True)
            return
        match name:
            case "none":
                self._fire("none", "", self._judge)
            case "password" | "password change":
                new = message.get("new_password")
                more = {} if new is None else {"new_password": new.decode()}
                self._fire("password", message["password"].decode(), self._judge_password, **more)
            case "publickey query" | "publickey":
                self._show_key(name == "publickey query", message, payload)
            case "keyboard-interactive":
                self._ask(Request(message["submethods"].decode()))
            case _ if method.startswith(KEYBOARD_INTERACTIVE):
                self._refuse(reason=True)
            case _:
                self._fire(method, message["rest"], self._judge)

    def _show_key(self, is_query: bool, message: dict[str, Any], payload: bytes) -> None:
        algorithm, blob = message["algorithm"].decode(), message["blob"]
        is_on = algorithm in self._setup.algorithms
        if not is_on or signatures.key_of(algorithm, blob) is None:
            self._refuse(reason=True)
            return

        def judge(answer: Answer) -> None:
            if not accepts(answer) and answer.partial_success is not True:
                self._judge(answer)
            elif is_query and self._is_in_time():
                self._end_request(counts=False)
                self._send({"type": 60, "algorithm": message["algorithm"], "blob": blob})
            elif not is_query:
                signature = message["signature"]
                session = self._setup.session_id
                # RFC 4252 section 7: the session, and the request up to the signature.
                covered = len(session).to_bytes(4, "big") + session
                covered += payload[: len(payload) - 4 - len(signature)]
                if signatures.verifies(algorithm, blob, signature, covered):
                    self._judge(answer)
                else:
                    self._refuse(reason=True)

        self._fire("publickey", blob, judge, key_algorithm=algorithm, is_query=is_query)

    def _ask(self, request: Request) -> None:
        """Ask the handler for a round of prompts, and the client to answer them."""
        wanted = {
            "connection_id": self._setup.connection_id,
            "user": self._user,
            "service": self._service,
            "number": request.number,
            "submethods": request.submethods,
            "accepted": request.accepted,
        }
        self.came.calls.append(("round", wanted))
        self.questions += 1
        asked = next(self._rounds, None)
        if asked is not None and asked.raises == "interrupt":
            raise Interrupted
        if asked is not None and asked.defers and not asked.raises:
            self._to_ask = request
        else:
            self._put(request, asked)

    def _put(self, request: Request, asked: Asked | None) -> None:
        """Go on with what the handler says is to be asked."""
        if asked is None:
            self._fire(
                KEYBOARD_INTERACTIVE,
                "",
                self._judge if request.accepted else lambda _: self._refuse(reason=True),
            )
            return
        count = _count(asked)
        if count is None:
            self.came.errors += 1
            self._refuse(reason=True)
            return
        most = min(self._setup.prompts, self._setup.limits.count)
        if request.number > self._setup.rounds or count > most:
            self._refuse(reason=True)
            return
        prompts = [(octets(prompt), echo) for prompt, echo in asked.prompts]  # type: ignore[attr-defined]
        fields = {"name": octets(asked.name), "instructions": octets(asked.instructions)}
        if self._send({"type": 60, **fields, "language": b"", "prompts": prompts}):
            self._asked = request._replace(prompts=count)
        else:
            self.came.errors += 1
            self._refuse(reason=True)

    def _respond(self, responses: Sequence[bytes]) -> None:
        request, self._asked = self._asked, None
        assert request is not None
        self.secrets.update(responses)
        if len(responses) != request.prompts:
            self._refuse(reason=True)
        else:
            self._settle_responses(request, [each.decode() for each in responses], 0)

    def _settle_responses(self, request: Request, responses: Sequence[str], done: int) -> None:
        if done == len(responses):
            self._ask(request._replace(number=request.number + 1))
            return

        def judge(answer: Answer) -> None:
            accepted = request.accepted and answer.accept is True
            self._settle_responses(request._replace(accepted=accepted), responses, done + 1)

        named = f"{KEYBOARD_INTERACTIVE}-{done + 1}"
        self._fire(named, responses[done], judge, round=request.number)


_SECRET: Final = ("password", "new_password", "rest")


def _count(asked: Asked) -> int | None:
    """Return how many prompts a handler asks for; None where what it says makes no sense."""
    prompts = asked.prompts
    if asked.raises or asked.nothing or not isinstance(prompts, (tuple, list)):
        return None
    for pair in prompts:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not pair[0]:
            return None
    return len(prompts)
