"""What a server of SSH's user authentication decides, and what it then says; see `server`."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from . import userauth, userauth_grammar
from .cursor import Refused
from .server_steps import Answer, Setup

__all__ = [
    "KEYBOARD_INTERACTIVE",
    "Came",
    "Interrupted",
    "Then",
    "Verdicts",
    "accepts",
    "listed",
    "octets",
]

KEYBOARD_INTERACTIVE: Final = "keyboard-interactive"

NO_MORE_METHODS: Final = 14
"""The reason code of RFC 4253 section 11.1."""

LONGEST_NAME: Final = 64
"""How many characters the name of a method may have (RFC 4251 section 6)."""


class Interrupted(Exception):  # noqa: N818 - no error of the model's
    """Whoever runs the server interrupts it while the handler is asked."""


@dataclass
class Came:
    """What must come of one step.

    Attributes:
        refusal: the code, field and offset of the error that is raised; None for none.
        misuse: the code with which the caller is refused; None where it is not.
        calls: what the handler is asked, in order: "event" and the attributes, "round" and those.
        sent: the payloads that are sent.
        errors: how many errors are logged.
        late: how many decisions are reported as too late.
        reasons: how many refusals are logged of which the reason is not the handler's.
        ends: how many reports there are that it is over with the client.
        interrupted: whether the interrupt is raised again.
        counted: whether the decision that was made counts; None where none was.
        decided: the decisions that count, in order: accept, partial_success, change_password.
    """

    refusal: tuple[str, str | None, int | None] | None = None
    misuse: str | None = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    errors: int = 0
    late: int = 0
    reasons: int = 0
    ends: int = 0
    interrupted: bool = False
    counted: bool | None = None
    decided: list[tuple[object, object, object]] = field(default_factory=list)


Then: TypeAlias = Callable[[Answer], None]


class Verdicts:
    """What a server knows, and how it comes to a verdict and says it.

    Attributes:
        authenticated: user, service, methods and first directory, once a user has logged in.
        disconnect: the reason code, once the server is done with the client.
        violation: code, field and offset, once the client has broken the protocol.
        events: how many events there were.
        deferred: the number of the one whose decision is awaited.
        came: what comes of the step that is under way.
    """

    def __init__(self, setup: Setup) -> None:
        self.authenticated: tuple[str, str, tuple[str, ...], str] | None = None
        self.disconnect: int | None = None
        self.violation: tuple[str, str | None, int | None] | None = None
        self.events = 0
        self.deferred: int | None = None
        self.came = Came()
        self._setup = setup
        self._gone = False
        self._now = 0.0
        self._queue: deque[bytes] = deque()
        self._refused = 0
        self._user = self._service = self._tried = ""
        self._available = self._kept = setup.methods
        self._completed: tuple[str, ...] = ()
        self._home: str | None = None
        self._then: Then | None = None
        self._set: object = None  # the methods that the handler has set before it deferred
        self._about = ""  # the method of the event that was deferred last
        self._answers: Iterator[Answer] = iter(())

    def _is_over(self) -> bool:
        return self._gone or self.violation is not None or self.disconnect is not None

    def _look_at_the_clock(self) -> None:
        is_late = self._now >= self._setup.seconds
        if is_late and not self._is_over() and self.authenticated is None:
            self._disconnect()

    def _is_in_time(self) -> bool:
        """Say whether a reply may still be sent: the handler may have taken too long."""
        self._look_at_the_clock()
        return not self._is_over()

    def _disconnect(self) -> None:
        self._stop()
        self.disconnect = NO_MORE_METHODS
        self.came.ends += 1

    def _stop(self) -> None:
        self._queue.clear()
        self._then = self.deferred = None

    def _fire(self, method: str, parameter: str | bytes, then: Then, **more: Any) -> None:
        """Ask the handler for a decision."""
        event = {
            "connection_id": self._setup.connection_id,
            "user": self._user,
            "service": self._service,
            "auth_method": method,
            "auth_param": parameter,
            "key_algorithm": "",
            "new_password": None,
            "is_query": False,
            "round": 0,
            "completed": self._completed,
            "accept": False,
            "partial_success": False,
            "available_methods": self._available,
            "home_dir": self._home,
            "change_password": None,
        }
        self.came.calls.append(("event", {**event, **more}))
        number = self.events
        self.events += 1
        answer = next(self._answers, Answer())
        self._now += answer.takes
        if answer.raises == "interrupt":
            raise Interrupted
        if answer.raises:
            self.came.errors += 1
            refusal = Answer(available_methods=answer.available_methods)
            self._settle(refusal, then)
        elif answer.defers and not answer.decides:
            self.deferred, self._then, self._set = number, then, answer.available_methods
            self._about = method
        else:
            self._settle(answer, then)

    def _settle(self, answer: Answer, then: Then) -> None:
        """Go on with a decision, of which the methods stay for the events that follow."""
        methods = self._available if answer.available_methods is None else answer.available_methods
        is_bool = {*map(type, (answer.accept, answer.partial_success))} == {bool}
        if is_bool and self._is_list(methods):
            assert isinstance(methods, str)
            grants = answer.accept is True or answer.partial_success is True
            if not grants and methods != self._available:
                self._kept = methods
            self._available = methods
            self._home = answer.home_dir if grants and answer.home_dir else self._home
        else:
            self.came.errors += 1
            answer = replace(answer, accept=False, partial_success=False, change_password=None)
        decision = (answer.accept, answer.partial_success, answer.change_password)
        self.came.decided.append(decision)
        then(answer)

    def _is_list(self, methods: object) -> bool:
        """Say whether something is a list of names that a client can be told."""
        if not isinstance(methods, str) or not methods.isascii():
            return False
        failure = {"type": 51, "methods": methods.encode(), "partial_success": False}
        names = listed(methods)
        are_names = all(
            0 < len(name) <= LONGEST_NAME and " " not in name and name.isprintable()
            for name in names
        )
        return are_names and self._written(failure) is not None

    def _end_request(self, *, counts: bool) -> None:
        """Keep what was said of methods with a grant, or forget it where that came to nothing."""
        if counts:
            self._kept = self._available
        else:
            self._available = self._kept

    def _judge_password(self, answer: Answer) -> None:
        if not self._is_in_time():
            return
        if answer.change_password is None:
            self._judge(answer)
            return
        self._end_request(counts=False)
        prompt = octets(answer.change_password)
        if not self._send({"type": 60, "prompt": prompt, "language": b""}):
            self.came.errors += 1
            self._refuse(reason=True)

    def _judge(self, answer: Answer) -> None:
        if not self._is_in_time():
            return
        if answer.partial_success is True:
            if self._tried not in self._completed:
                self._completed += (self._tried,)
            self._refuse(partial=True)
        elif accepts(answer):
            self._end_request(counts=True)
            home = self._home or self._setup.root_directory
            methods = (*self._completed, self._tried)
            self.authenticated = (self._user, self._service, methods, home)
            self._queue.clear()
            self._send({"type": 52})
        else:
            self._refuse()

    def _refuse(self, *, partial: bool = False, reason: bool = False) -> None:
        """Refuse a request (RFC 4252 section 5.1)."""
        if not self._is_in_time():
            return
        self._end_request(counts=partial)
        done = ("none", *self._completed)
        left = ",".join(name for name in listed(self._available) if name not in done)
        self._send({"type": 51, "methods": left.encode(), "partial_success": partial})
        self.came.reasons += reason
        self._count_attempt()

    def _count_attempt(self) -> None:
        self._refused += 1
        if self._refused >= self._setup.attempts:
            self._disconnect()

    def _send(self, message: dict[str, Any]) -> bool:
        payload = self._written(message)
        if payload is not None:
            self.came.sent.append(payload)
        return payload is not None

    def _written(self, message: dict[str, Any]) -> bytes | None:
        """Return the payload of a message; None where there is none, or a client may refuse it."""
        method = {"prompt": "password", "algorithm": "publickey", "name": KEYBOARD_INTERACTIVE}
        under_way = next((method[each] for each in message if each in method), None)
        try:
            frame = userauth_grammar.build(message, under_way)
            userauth.decode(frame, self._setup.limits, under_way)
        except (userauth_grammar.ConstructError, ValueError, TypeError, Refused):
            return None
        return frame[4:]


def accepts(answer: Answer) -> bool:
    """Say whether a decision is that the request was enough: of two answers the smaller counts."""
    return answer.accept is True and answer.partial_success is not True


def listed(names: str) -> list[str]:
    """Return the names of a list (RFC 4251 section 5)."""
    return names.split(",") if names else []


def octets(value: object) -> object:
    """Return text as it is written; what is no text stays what it is, and cannot be written."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
