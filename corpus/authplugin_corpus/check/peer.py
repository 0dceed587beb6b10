"""A program under test: what is said to it, and what it says."""

from __future__ import annotations

import time
from enum import Enum, auto
from typing import Final, NamedTuple

from authplugin import ErrorCode, Limits, Message, RemoteProtocolError, Side, decode

from ..frames import FrameStream
from .activity import Ended, Output, OutputEnded, Quiet, TimeOver
from .hints import guess, noise_in, stray_line_end
from .subject import Subject

PLUGIN_LIMITS: Final = Limits(frame=2**24, text=2**24, count=2**20, any_bytes=True)
"""What is taken from a plugin: far more than any needs, as the text sets no bounds."""

PAUSE: Final = 0.2
"""Seconds to look out for what must not come, where a program cannot be seen to wait."""

MOST_DRAINED: Final = 8 * 2**20
"""Bytes that a program may still write when nobody listens any more, before it is ended."""

_HEADER: Final = 4


class Utterance(NamedTuple):
    """What one side said.

    Attributes:
        side: who.
        data: the bytes.
        fault: what is wrong with them, for people; None where nothing is.
        secret: whether they hold what somebody has set as a user's answer.
    """

    side: Side
    data: bytes
    fault: str | None = None
    secret: bool = False


class Heard(Enum):
    """What waiting for a program comes to."""

    MESSAGE = auto()
    """It has said something whole."""
    UNREADABLE = auto()
    """What it has said is no frame."""
    ENDED = auto()
    """Its output is over."""
    QUIET = auto()
    """It waits for input, and will say nothing more before there is some."""
    LATE = auto()
    """The time is over, and nobody knows what it is about."""


class UnreadableError(Exception):
    """What the program has said is no message of its side; the text says why.

    Attributes:
        noise: whether it is text that does not belong there.
    """

    def __init__(self, text: str, *, noise: bool = False) -> None:
        super().__init__(text)
        self.noise = noise


class Peer:
    """Talks to a program, and keeps what was said.

    Args:
        subject: the program.
        timeout: seconds that each wait for it may take.

    Attributes:
        said: the conversation so far.
        status: the exit status, or minus the signal's number; None where it is not known to have
            ended.
        undecided: whether a time limit had to decide something.
        waits: whether it was last seen to wait for input for ever.
        flooded: whether it was still writing when it had written far too much.
        input_closed: whether its input has been closed.
        output_closed: whether nobody reads any more what it writes.
    """

    def __init__(self, subject: Subject, timeout: float) -> None:
        self.subject = subject
        self.timeout = timeout
        self.said: list[Utterance] = []
        self.status: int | None = None
        self.undecided = False
        self.waits = False
        self.flooded = False
        self.input_closed = False
        self.output_closed = False
        self._stream = FrameStream(PLUGIN_LIMITS)
        self._output_ended = False

    @property
    def begun(self) -> bytes:
        """The first bytes of a frame that is not whole."""
        return bytes(self._stream.rest)

    def write(self, pieces: tuple[bytes, ...]) -> None:
        """Write to the program, each piece when the one before has been read."""
        if len(pieces) == 1:
            self.subject.write(pieces[0])
        elif pieces:
            self.subject.write_pieces(pieces)

    def close_input(self) -> None:
        """Close the program's input, unless it is closed already."""
        if not self.input_closed:
            self.input_closed = True
            self.subject.close_input()

    def close_output(self) -> None:
        """Read no more of what the program writes."""
        self.output_closed = True
        self.subject.close_output()

    def listen(self, seconds: float | None = None) -> Heard:
        """Wait until the program has said something, or is known to say nothing.

        Args:
            seconds: to wait at most, instead of the time limit; that they are over proves nothing.
        """
        deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        late = False
        self.waits = False
        while True:
            if self._stream.ready:
                return Heard.MESSAGE
            if self._stream.problem is not None:
                return Heard.UNREADABLE
            if self._output_ended:
                return Heard.ENDED
            if late:
                self.undecided |= seconds is None
                return Heard.LATE
            match self.subject.next(max(deadline - time.monotonic(), 0.0)):
                case Output(data):
                    if not self.output_closed:
                        self._stream.feed(data)
                    late = time.monotonic() >= deadline
                case OutputEnded():
                    self._end_of_output()
                case Ended(status):
                    self.status = status
                    self._end_of_output()
                case Quiet():
                    self.waits = True
                    return Heard.QUIET
                case TimeOver():
                    late = True

    def _end_of_output(self) -> None:
        if not self._output_ended:
            self._output_ended = True
            self._stream.end_of_file()

    def take(self) -> Message:
        """Return what `listen` has heard, and enter it in the conversation.

        Raises:
            UnreadableError: where it is no message, or none of a plugin's.
        """
        if self._stream.ready:
            return self._decoded(self._stream.ready.popleft())
        raise self.unreadable()

    def peek(self) -> Message | None:
        """Return the message that `listen` has heard, without taking it; None where it is none."""
        try:
            return decode(self._stream.ready[0], PLUGIN_LIMITS)
        except (IndexError, RemoteProtocolError):
            return None

    def unreadable(self) -> UnreadableError:
        """Enter what is no whole frame in the conversation, and return what is wrong with it."""
        rest, problem = self.begun, self._stream.problem
        error = self._mistake(rest)
        self.said.append(Utterance(Side.PLUGIN, rest, str(problem or error)))
        return error

    def _mistake(self, rest: bytes) -> UnreadableError:
        problem = self._stream.problem
        if stray_line_end(rest, PLUGIN_LIMITS):
            return UnreadableError(
                "wrote the end of a line to its standard output, which belongs to the protocol",
                noise=True,
            )
        if noise_in(rest):
            return UnreadableError(
                "wrote text to its standard output, which belongs to the protocol", noise=True
            )
        if (cause := guess(rest, PLUGIN_LIMITS)) is not None:
            return UnreadableError(f"wrote what is no message: {cause}")
        if problem is None or problem.code is ErrorCode.END_TRUNCATED:
            ended = "ended its output inside a message" if problem else "went no further"
            return UnreadableError(f"{ended}: {_lacking(rest)}")
        return UnreadableError(f"wrote what is no message ({problem})")

    def _decoded(self, frame: bytes) -> Message:
        try:
            message = decode(frame, PLUGIN_LIMITS)
            if message.spec.sender is Side.PLUGIN:
                self.said.append(Utterance(Side.PLUGIN, frame))
                return message
            problem = f"said {message.spec.name}, which only a client says"
        except RemoteProtocolError as error:
            behind = bytes(self._stream.ready[0] if self._stream.ready else self._stream.rest)
            cause = guess(frame + behind, PLUGIN_LIMITS)
            problem = f"wrote what is no message ({error})" + (f": {cause}" if cause else "")
        self.said.append(Utterance(Side.PLUGIN, frame, problem))
        raise UnreadableError(problem)

    def finish(self) -> None:
        """Wait until the program has ended, or is known not to; what it still says is lost."""
        deadline = time.monotonic() + self.timeout
        drained = 0
        self.waits = False
        while self.status is None:
            match self.subject.next(max(deadline - time.monotonic(), 0.0)):
                case Output(data):
                    drained += len(data)
                    self.flooded = drained > MOST_DRAINED
                    if self.flooded:
                        return
                case Ended(status):
                    self.status = status
                case Quiet():
                    self.waits = True
                    return
                case TimeOver():
                    self.undecided = True
                    return
                case OutputEnded():
                    pass
            if time.monotonic() >= deadline and self.status is None:
                self.undecided = True
                return


def _lacking(rest: bytes) -> str:
    if len(rest) < _HEADER:
        return f"{len(rest)} of the 4 bytes of a length"
    claimed = int.from_bytes(rest[:_HEADER], "big")
    return f"{len(rest) - _HEADER} of the {claimed} bytes that its length says"
