"""A plugin under test: what is said to it, and what it says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from authplugin import ErrorCode, Limits, Message, RemoteProtocolError, Side, decode
from authplugin.process import SupervisedProcess

from ..frames import FrameStream
from ..model import Delivery
from .delivery import write_byte_by_byte

PLUGIN_LIMITS: Final = Limits(frame=2**24, text=2**24, count=2**20, any_bytes=True)
"""What is taken from a plugin: far more than any needs, as the text sets no bounds."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said.

    Attributes:
        side: who.
        data: the bytes.
        fault: what is wrong with them, for people; None where nothing is.
    """

    side: Side
    data: bytes
    fault: str | None = None


class UnreadableError(Exception):
    """What the plugin has said is no message of a plugin; the text says why."""


class Peer:
    """Talks to a plugin, and keeps what was said.

    Args:
        process: the plugin.
        timeout: seconds that each wait for it may take.

    Attributes:
        said: the conversation so far.
    """

    def __init__(self, process: SupervisedProcess, timeout: float) -> None:
        self.process = process
        self.timeout = timeout
        self.said: list[Said] = []
        self._stream = FrameStream(PLUGIN_LIMITS)
        self._input_closed = False
        self._output_ended = False

    @property
    def input_closed(self) -> bool:
        """Whether `close_input` has been called."""
        return self._input_closed

    @property
    def begun(self) -> int:
        """Bytes that have come of a frame that is not whole."""
        return len(self._stream.rest)

    def send(self, data: bytes, fault: str | None = None, *, delivery: Delivery) -> None:
        """Say something to the plugin."""
        self.said.append(Said(Side.CLIENT, data, fault))
        if delivery is Delivery.BYTE_BY_BYTE:
            write_byte_by_byte(self.process, data, time.monotonic() + self.timeout)
        else:
            self.process.write(data)

    def close_input(self) -> None:
        """Close the plugin's input, unless it is closed already."""
        if not self._input_closed:
            self._input_closed = True
            self.process.close_input()

    def peek(self) -> Message | None:
        """Return what the plugin says next, without taking it; None where it has ended its output.

        Raises:
            TimeoutError: where it says nothing whole in time.
            UnreadableError: where what it says is no message, or none of a plugin's.
        """
        deadline = time.monotonic() + self.timeout
        while self._may_come():
            self._read(deadline - time.monotonic())
        if self._stream.ready:
            return self._decoded(self._stream.ready[0])
        if self._stream.problem is not None:
            rest = bytes(self._stream.rest)
            self.said.append(Said(Side.PLUGIN, rest, str(self._stream.problem)))
            if _is_text(rest[:4]):
                raise UnreadableError(
                    "wrote text to its standard output, which belongs to the protocol"
                )
            if self._stream.problem.code is ErrorCode.END_TRUNCATED:
                raise UnreadableError("ended its output inside a message")
            raise UnreadableError(f"wrote what is no message ({self._stream.problem})")
        return None

    def take(self) -> Message | None:
        """Return what the plugin says next, and enter it in the conversation; see `peek`."""
        message = self.peek()
        if message is not None:
            self.said.append(Said(Side.PLUGIN, self._stream.ready.popleft()))
        return message

    def has_spoken(self) -> bool:
        """Say whether anything has come that was not taken, be it whole or not."""
        if self._may_come() and not self._stream.rest:
            try:
                self._read(0)
            except TimeoutError:
                return False
        return bool(self._stream.ready or self._stream.rest)

    def wait(self) -> int:
        """Return the plugin's exit status; what it still says is lost.

        Raises:
            TimeoutError: where it does not end in time.
        """
        deadline = time.monotonic() + self.timeout
        while not self._output_ended:
            self._output_ended = not self.process.read(deadline - time.monotonic())
        return self.process.wait(deadline - time.monotonic())

    def _may_come(self) -> bool:
        return not (self._stream.ready or self._stream.problem or self._output_ended)

    def _read(self, timeout: float) -> None:
        data = self.process.read(timeout)
        if data:
            self._stream.feed(data)
        else:
            self._output_ended = True
            self._stream.end_of_file()

    def _decoded(self, frame: bytes) -> Message:
        try:
            message = decode(frame, PLUGIN_LIMITS)
            if message.spec.sender is Side.PLUGIN:
                return message
            problem = f"said {message.spec.name}, which only a client says"
        except RemoteProtocolError as error:
            problem = f"wrote what is no message ({error})"
        self.said.append(Said(Side.PLUGIN, frame, problem))
        raise UnreadableError(problem)


def _is_text(data: bytes) -> bool:
    return len(data) > 0 and all(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in data)
