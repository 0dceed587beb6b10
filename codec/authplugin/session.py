"""Both roles of a conversation: whose turn it is, what may come next, and how it may end.

Neither class does any input or output. What came is judged at once, so that a peer that speaks out
of turn is found out even if its bytes lie in the same chunk as a good message; what was good
before it is still delivered first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from .codec import TYPE_AT, Data, contents_decoder, encode, view_of
from .errors import ErrorCode, LocalProtocolError, ProtocolError, RemoteProtocolError
from .limits import DEFAULT_LIMITS, Limits
from .messages import (
    MESSAGES,
    METHODS,
    REQUEST_OF,
    SPEAKER,
    VERSIONS,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
)
from .refusing import refuse_message
from .stream import FrameDecoder
from .table import Message, MessageSpec, Side, State
from .wire import ENCODERS


class EndKind(StrEnum):
    """How the peer's output ended."""

    CLEAN = "clean"
    """Between frames, while the peer owed nothing."""
    PREMATURE = "premature"
    """Between frames, while the peer owed a message."""
    TRUNCATED = "truncated"
    """Inside a frame."""


@dataclass(frozen=True, slots=True)
class EndOfFile:
    """The peer has closed its output, in a way that its role allows."""

    kind: EndKind


Event: TypeAlias = Message | EndOfFile

MAY_END = {
    Side.CLIENT: (EndKind.CLEAN, EndKind.PREMATURE),
    Side.PLUGIN: (EndKind.CLEAN,),
}
"""How each side may end its output. A client may close at any time, for any reason (H.5); a plugin
that ends while it owes a message has failed; and half a frame is no farewell."""

_END_CODES = {
    EndKind.PREMATURE: ErrorCode.END_PREMATURE,
    EndKind.TRUNCATED: ErrorCode.END_TRUNCATED,
}

_FIRST_FIELD = 5  # where the first field of a frame stands


def _find(code: int, method: str | None) -> MessageSpec | None:
    """Return the message of a type code, given the method agreed on (None: none yet)."""
    for each in MESSAGES:
        if each.spec.code == code and (method is None or each.spec.method in (None, method)):
            return each.spec
    return None


class Session:
    """One side's view of a conversation; use `ClientSession` or `PluginSession`.

    Feed what comes with `receive_data` and `receive_end_of_file`, take what it means with
    `next_event` or `events`, and send the bytes that `send` returns. Once the peer has broken the
    protocol the session is poisoned: nothing more goes in or out.

    Args:
        limits: what to accept and what to send.
    """

    side: Side

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._state = State.START
        self._frames = FrameDecoder(limits)
        self._events: deque[Event] = deque()
        self._violation: RemoteProtocolError | None = None
        self._ended = False
        self._offer = 0
        self._version: int | None = None
        self._offered: str | None = None
        self._method: str | None = None
        self._asked: dict[type[Message], int] = {}

    @property
    def state(self) -> State:
        """Where the conversation stands, after all that was sent and received."""
        return self._state

    @property
    def turn(self) -> Side | None:
        """The side that is to speak next; None where nobody may, because the session is over."""
        if self._violation is not None or self._ended:
            return None
        return SPEAKER.get(self._state)

    @property
    def version(self) -> int | None:
        """The protocol version agreed on, or None before it is."""
        return self._version

    @property
    def method(self) -> str | None:
        """The authentication method that is under way, or None."""
        return self._method

    @property
    def violation(self) -> RemoteProtocolError | None:
        """What the peer did wrong, or None."""
        return self._violation

    @property
    def held(self) -> int:
        """Bytes of an incomplete frame that are held: at most the frame limit and a chunk.

        None are once the session is poisoned.
        """
        return self._frames.held

    def send(self, message: Message) -> bytes:
        """Return the bytes that say `message`, and move on to the state that it leads to.

        Raises:
            LocalProtocolError: where the message must not be sent now, or cannot be encoded.
                Nothing has changed then.
        """
        if type(message) not in ENCODERS:
            raise refuse_message(message, self.limits, ENCODERS)
        self._check_open()
        if self._events:
            raise LocalProtocolError(
                ErrorCode.WRONG_TURN,
                f"take the {len(self._events)} events that have come (next_event) before sending",
            )
        self._check_turn(self.side, LocalProtocolError)
        self._check_place(message.spec, self.side, LocalProtocolError)
        data = encode(message, self.limits)
        self._check_guards(message, LocalProtocolError)
        if isinstance(message, PluginInit) and message.version not in VERSIONS:
            raise LocalProtocolError(
                ErrorCode.VERSION_UNSUPPORTED,
                f"version {message.version} is not one that this library speaks: {VERSIONS}",
                field="version",
            )
        self._advance(message)
        return data

    def receive_data(self, data: Data) -> None:
        """Take in bytes from the peer, and judge them.

        What they mean, be it good or bad, comes from `next_event`.

        Raises:
            LocalProtocolError: where the session is poisoned or its input has ended, or `data`
                is empty (an empty read is the end of file) or no buffer of bytes.
        """
        chunk = view_of(data)
        if not chunk:
            raise LocalProtocolError(
                ErrorCode.BAD_VALUE, "no bytes came: say receive_end_of_file() at the end of file"
            )
        self._check_open()
        try:
            self._check_turn(self.side.other, RemoteProtocolError)
            for frame in self._frames.feed(chunk):
                self._receive(frame)
                if self._frames.held:
                    self._check_turn(self.side.other, RemoteProtocolError)
        except RemoteProtocolError as error:
            self._poison(error)

    def receive_end_of_file(self) -> None:
        """Take in that the peer has closed its output.

        Raises:
            LocalProtocolError: where the session is poisoned or its input has ended already.
        """
        self._check_open()
        peer = self.side.other
        if self._frames.held:
            kind = EndKind.TRUNCATED
        elif self.turn is peer:
            kind = EndKind.PREMATURE
        else:
            kind = EndKind.CLEAN
        if kind in MAY_END[peer]:
            self._events.append(EndOfFile(kind))
            self._ended = True
        else:
            owed = "inside a frame" if self._frames.held else "while it owed a message"
            self._poison(
                RemoteProtocolError(
                    _END_CODES[kind],
                    f"the {peer} ended its output {owed}, in state {self._state}",
                    offset=self._frames.held or None,
                )
            )

    def next_event(self) -> Event | None:
        """Return the next thing that the peer did, or None where there is none yet.

        Raises:
            RemoteProtocolError: where the next thing broke the protocol; and again at each call
                from then on.
        """
        if self._events:
            return self._events.popleft()
        if self._violation is not None:
            raise self._violation.with_traceback(None)
        return None

    def events(self) -> Iterator[Event]:
        """Iterate over the events that are there; raises as `next_event` does."""
        while (event := self.next_event()) is not None:
            yield event

    def _receive(self, frame: memoryview) -> None:
        spec = _find(frame[TYPE_AT], self._method)
        if spec is None:
            raise RemoteProtocolError(
                ErrorCode.UNKNOWN_TYPE, "the type byte is that of no message", offset=TYPE_AT
            )
        self._check_place(spec, self.side.other, RemoteProtocolError)
        message = contents_decoder(self.limits, spec.method)(frame)
        self._check_guards(message, RemoteProtocolError)
        self._advance(message)
        self._events.append(message)

    def _poison(self, violation: RemoteProtocolError) -> None:
        # Let go of what came behind it, and of the chunk that a traceback would keep.
        self._violation = violation.with_traceback(None)
        self._frames = FrameDecoder(self.limits)

    def _check_open(self) -> None:
        if self._violation is not None:
            raise LocalProtocolError(
                ErrorCode.POISONED, f"the session ended with {self._violation.code}"
            )
        if self._ended:
            raise LocalProtocolError(
                ErrorCode.SESSION_OVER, f"the {self.side.other} has ended the session"
            )

    def _check_turn(self, speaker: Side, error: type[ProtocolError]) -> None:
        """Raise where it is not the turn of `speaker`."""
        if self.turn is speaker:
            return
        if self.turn is None:
            raise error(
                ErrorCode.SESSION_OVER, f"the {speaker} may say nothing in state {self._state}"
            )
        raise error(
            ErrorCode.WRONG_TURN,
            f"in state {self._state} it is the {self.turn}'s turn, not the {speaker}'s",
        )

    def _check_place(self, spec: MessageSpec, speaker: Side, error: type[ProtocolError]) -> None:
        """Raise where `speaker`, whose turn it is, may not send this message now."""
        if spec.sender is not speaker:
            raise error(
                ErrorCode.WRONG_SIDE, f"{spec.name} is sent by the {spec.sender}", offset=TYPE_AT
            )
        if spec.leaves is not self._state:
            raise error(
                ErrorCode.WRONG_STATE,
                f"{spec.name} is sent in state {spec.leaves}, not in {self._state}",
                offset=TYPE_AT,
            )

    def _check_guards(self, message: Message, error: type[ProtocolError]) -> None:
        """Raise where the message does not fit what was said before it."""
        if isinstance(message, PluginInitResponse):
            self._check_version(message.version, error)
        elif isinstance(message, PluginProtocolAccept) and self._offered not in METHODS:
            raise error(
                ErrorCode.METHOD_UNKNOWN,
                f"only a known method can be accepted: {', '.join(METHODS)}",
                offset=TYPE_AT,
            )
        elif isinstance(message, (PluginKIServerResponse, PluginKIUserResponse)):
            wanted, came = self._asked[REQUEST_OF[type(message)]], len(message.responses)
            if came != wanted:
                raise error(
                    ErrorCode.RESPONSE_COUNT,
                    f"{wanted} prompts take {wanted} responses, not {came}",
                    field="responses",
                    offset=_FIRST_FIELD,
                )

    def _check_version(self, version: int, error: type[ProtocolError]) -> None:
        """Raise where a version must not be chosen (H.4)."""
        if version > self._offer:
            code, text = ErrorCode.VERSION_ABOVE_OFFER, f"the client offered {self._offer} at most"
        elif version not in VERSIONS:
            code, text = ErrorCode.VERSION_UNSUPPORTED, f"this library speaks {VERSIONS}"
        else:
            return
        raise error(
            code, f"version {version} was chosen; {text}", field="version", offset=_FIRST_FIELD
        )

    def _advance(self, message: Message) -> None:
        """Enter the state that the message leads to, and remember what later ones depend on."""
        self._state = message.spec.enters
        if self._state is State.IDLE:
            self._method = None
        if isinstance(message, PluginInit):
            self._offer = message.version
        elif isinstance(message, PluginInitResponse):
            self._version = message.version
        elif isinstance(message, PluginProtocol):
            self._offered = str(message.detach().method)
        elif isinstance(message, PluginProtocolAccept):
            self._method = self._offered
        elif isinstance(message, (PluginKIServerRequest, PluginKIUserRequest)):
            self._asked[type(message)] = len(message.prompts)


class ClientSession(Session):
    """The SSH client's role."""

    side = Side.CLIENT


class PluginSession(Session):
    """The plugin's role."""

    side = Side.PLUGIN
