"""One role on trial: a session and its model side by side, compared after every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from authplugin import EndOfFile, Limits, Message, ProtocolError, Side
from authplugin.session import Session

from .breaking import LawBroken
from .model import Model, Problem
from .oracles import grammar
from .subjects import SESSIONS, neutral, problem_of
from .tally import CURRENT, END_BETWEEN, END_INSIDE, INPUT_ENDED, POISONED, Run

Result = TypeVar("Result")

_COMPARED: Final = ("the state", "the turn", "the version", "the method", "what is held")

_MANY: Final = 4096  # bytes of what came, in the text of a disagreement


class Trial:
    """A session and its model: each step is taken by both, and what they then are is compared.

    Compared are the refusal, or the bytes sent; what was delivered; and state, turn, version,
    method, violation and the bytes held. Every method raises `LawBroken` where they differ.

    Args:
        side: the role.
        limits: what to accept and to send.
        run: where to count the messages that are said and heard.
        session: the session; one of this library's where none is given. Another needs the methods
            and properties of `authplugin.session.Session`.

    Attributes:
        refused: how often the role refused to do what it was asked to (`LocalProtocolError`).
    """

    def __init__(
        self, side: Side, limits: Limits, run: Run | None = None, session: Session | None = None
    ) -> None:
        self.side = side
        self.limits = limits
        self.session: Session = session or SESSIONS[side](limits)
        self.model = Model(side, limits)
        self.refused = 0
        self._run = run or Run()
        self._log: list[str] = []
        self._compare()

    @property
    def row(self) -> str:
        """Where the role stands: a state, or what has ended it; see `tally`."""
        if self.model.violation is not None:
            return POISONED
        return INPUT_ENDED if self.model.ended else self.model.situation.state

    def say(self, message: Message, frame: bytes | None = None) -> bytes | None:
        """Say a message; return the frame, or None where the role refuses to.

        Args:
            message: the message.
            frame: what it has to come to; None where the grammar is to say that.
        """
        if frame is None:
            frame = grammar.build(neutral(message))
        name = message.spec.name
        CURRENT.events[str(self.side), self.row, f"say {name}"] += 1
        self._log.append(f"say {name} {frame.hex()}")
        wanted = self.model.say(frame)
        before = None if wanted is None else _held_by(self.session)
        said = self._step(lambda: self.session.send(message), wanted)
        if wanted is not None:
            self._agree("what a refused message leaves", _held_by(self.session), before)
            return None
        self._run.messages[name] += 1
        self._agree("the frame that was sent", said, frame)
        return frame

    def hear(self, chunks: Iterable[bytes]) -> None:
        """Take in bytes from the peer, chunk by chunk."""
        for chunk in chunks:
            self._log.append(f"hear {chunk.hex()}")
            wanted = self.model.hear(chunk)
            self._step(lambda chunk=chunk: self.session.receive_data(chunk), wanted)  # type: ignore[misc]

    def hear_message(self, name: str, chunks: Iterable[bytes]) -> None:
        """Take in the frame of one message, of which the published name is given."""
        CURRENT.events[str(self.side), self.row, f"hear {name}"] += 1
        self._run.messages[name] += 1
        self.hear(chunks)

    def end_of_file(self, inside: bytes = b"") -> None:
        """Let the peer end its output, behind the beginning of a frame that is given."""
        event = END_INSIDE if inside or self.model.held else END_BETWEEN
        CURRENT.events[str(self.side), self.row, event] += 1
        if inside:
            self.hear([inside])
        self._log.append("end of file")
        self._step(self.session.receive_end_of_file, self.model.end_of_file())

    def refuses_with(self, code: str | None) -> None:
        """Compare the violation's code with what whoever struck has foretold; None for none."""
        violation = self.model.violation
        self._agree("the code foretold", code, violation and violation.code)

    def take(self) -> None:
        """Take everything that was delivered, and the violation behind it."""
        while self.model.inbox:
            wanted = self.model.inbox.popleft()
            self._agree("what was delivered", self._next(), wanted)
        self._agree("what comes behind all that was delivered", self._next(), self.model.violation)
        self._compare()

    def _next(self) -> object:
        """Return the next thing that the session delivers, in the form of the model."""
        try:
            event = self.session.next_event()
        except ProtocolError as error:
            return problem_of(error)
        except Exception as error:
            raise self._broken(f"{type(error).__name__}: {error}") from error
        if isinstance(event, EndOfFile):
            return "ended", str(event.kind)
        return None if event is None else ("heard", neutral(event))

    def _step(self, act: Callable[[], Result], wanted: Problem | None) -> Result | None:
        """Do what the model has done already, and compare."""
        came: Problem | None = None
        result = None
        try:
            result = act()
        except ProtocolError as error:
            came = Problem(str(error.code), error.field)
        except Exception as error:
            raise self._broken(f"{type(error).__name__}: {error}") from error
        self.refused += wanted is not None
        self._agree("the refusal", came, wanted)
        self._compare()
        return result

    def _compare(self) -> None:
        session, model = self.session, self.model
        violation = session.violation and problem_of(session.violation)
        ours = (session.state, session.turn, session.version, session.method, session.held)
        wanted = (model.situation.state, model.turn, model.version, model.method, model.held)
        if (*ours, violation) != (*wanted, model.violation):
            self._agree("the violation", violation, model.violation)
            for what, one, other in zip(_COMPARED, ours, wanted, strict=True):
                self._agree(what, one, other)

    def _agree(self, what: str, ours: object, wanted: object) -> None:
        if ours != wanted:
            raise self._broken(f"{what} is {ours!r}, and should be {wanted!r}")

    def _broken(self, text: str) -> LawBroken:
        steps = "\n".join(f"  {line[:_MANY]}" for line in self._log)
        return LawBroken(f"agreement with the model: the {self.side}: {text}, after\n{steps}")


def _held_by(session: Session) -> list[object]:
    """Return all that a session remembers, to see whether it changes."""
    return [
        (name, value.copy() if isinstance(value, dict) else value)
        for name, value in vars(session).items()
        if not hasattr(value, "feed") and not hasattr(value, "popleft")
    ]


def stand_in_the_same_place(client: Trial, plugin: Trial) -> None:
    """Check that two roles agree on all, where each has heard what the other has said (H.5).

    Raises:
        LawBroken: where they do not.
    """
    for name in ("state", "turn", "version", "method"):
        ours, theirs = getattr(client.session, name), getattr(plugin.session, name)
        if ours != theirs and not (name == "turn" and None in (ours, theirs)):
            raise LawBroken(f"the client's {name} is {ours!r}, the plugin's {theirs!r}")
