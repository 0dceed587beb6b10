"""Server, bridge and plugin in one conversation, and pipes between them that anything happens to.

The server is the codec's own, with a handler that does as it is told; the bridge and the plugin's
role stand beside their models (see `bridge_trial` and `trial`). What happens is a list of steps of
plain data: a state machine, a fuzzer or a test makes them, and the law `three_agree` judges them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from authplugin import MESSAGES, Limits, Message, RemoteProtocolError, Side
from authplugin.errors import LocalProtocolError
from authplugin.userauth import (
    Prompts,
    Round,
    SSHUserAuthRequest,
    UserAuthLimits,
    UserAuthServer,
)

from .bridge_trial import BridgeTrial
from .listening import listening
from .model import split
from .oracles import cursor
from .subjects import chunks
from .trial import Trial


class Pipe(IntEnum):
    """What is said and not yet heard."""

    SERVER_TO_BRIDGE = 0
    BRIDGE_TO_SERVER = 1
    BRIDGE_TO_PLUGIN = 2
    PLUGIN_TO_BRIDGE = 3


_OF_BYTES: Final = (Pipe.BRIDGE_TO_PLUGIN, Pipe.PLUGIN_TO_BRIDGE)


class Deed(IntEnum):
    """What happens: the first seven are somebody's, the others happen to a pipe."""

    AUTHENTICATE = 0
    """The bridge is to begin an attempt."""
    NAME = 1
    """The bridge is told who is to log in: the data, as UTF-8 that may hold surrogates."""
    ANSWER = 2
    """The user answers: texts like that, each ended by a zero byte."""
    SAY = 3
    """The plugin is to say frames; what its role cannot say comes all the same."""
    DECIDE = 4
    """What the server's handler does next, a byte for each time that it is asked; see `Script`."""
    BANNER = 5
    """The server shows a text: the data, as UTF-8."""
    WAIT = 6
    """As many seconds pass as the first byte says, times 8."""
    CARRY = 7
    """What is in the pipe is heard."""
    CARRY_ONE = 8
    """The first thing in it is heard."""
    LOSE = 9
    """The first thing in it is lost."""
    DOUBLE = 10
    """The first thing in it comes twice."""
    SWAP = 11
    """The first two things in it change places."""
    CUT = 12
    """The first thing in it loses as many bytes at its end as the first byte says, and one."""
    CHANGE = 13
    """In the first thing, for each two bytes of the data: at the one, the bits of the other."""
    PUT = 14
    """The data comes behind what is in it, as one thing."""
    END = 15
    """It ends behind what is in it, for both directions where it leads to the server."""


@dataclass(slots=True)
class Step:
    """What happens next.

    Attributes:
        deed: what.
        pipe: to which pipe, where it happens to one.
        data: with what.
        sizes: the sizes of the chunks in which bytes come to or from the plugin; see `chunks`.
        held: whether what then is said stays in its pipe. Otherwise all pipes are emptied, until
            nobody has anything to say.
    """

    deed: Deed
    pipe: Pipe = Pipe.SERVER_TO_BRIDGE
    data: bytes = b""
    sizes: Sequence[int] = ()
    held: bool = False


SECRET: Final = "hunter22"  # noqa: S105 - it is made up
"""A response that no text may tell."""

_SECRETIVE: Final = (21, 23)  # the types of the messages that hold responses

_PROMPTS: Final = ("Code: ", "é", "\n", "P" * 40)
_METHODS: Final = ("password,keyboard-interactive", "keyboard-interactive", "", "none,,é")
_ATTEMPTS: Final = 6
_SECONDS: Final = 1000.0

_BY_CODE: Final = {each.spec.code: each for each in MESSAGES}
_ANY: Final = cursor.Limits(frame=1 << 32, text=1 << 32, count=1 << 32, any_bytes=True)


class Script:
    """The server's handler: each byte of what it is told says what it does when it is next asked.

    Asked what to ask, bits 0 and 1 are the number of prompts, 2 that there is nothing more to ask,
    3 that it fails, 4 and 5 which prompt, 6 whether it echoes. Asked to decide, bit 0 accepts, 1 is
    a partial success, 2 that it fails, 3 that it says which methods there are, 4 and 5 which.

    Where it is told nothing it asks for one thing in the first round, and accepts all.

    Attributes:
        accepted: whether the last thing that it decided is that the user is in.
    """

    def __init__(self) -> None:
        self.told = bytearray()
        self.accepted = False
        self._all = True

    def prompts(self, wanted: Round) -> Prompts | None:
        """Say what to ask."""
        self.accepted = False
        if wanted.number == 1:
            self._all = True
        does = self._next(0x01 if wanted.number == 1 else 0x04)
        if does & 8:
            raise ValueError(SECRET)
        if does & 4:
            return None
        prompt = (_PROMPTS[does >> 4 & 3], bool(does & 64))
        return Prompts([prompt] * (does & 3), "Login", "é")

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        """Decide."""
        self.accepted = False
        does = self._next(0x01)
        if does & 4:
            self._all = False
            event.accept = True  # it fails all the same
            raise ValueError(str(event.auth_param))
        event.accept, event.partial_success = bool(does & 1), bool(does & 2)
        sane = True
        if does & 8:
            event.available_methods = _METHODS[does >> 4 & 3]
            sane = event.available_methods != _METHODS[3]
        accepts = event.accept and sane
        if event.auth_method.startswith("keyboard-interactive-"):
            self._all &= accepts
        else:
            interactive = event.auth_method == "keyboard-interactive"
            self.accepted = accepts and not event.partial_success and (self._all or not interactive)

    def _next(self, usual: int) -> int:
        return self.told.pop(0) if self.told else usual


class Trio:
    """The three, and the pipes between them; every method raises `LawBroken`.

    To be left with `close`.

    Args:
        username: who is to log in; empty where nobody has said so.
        limits: what all of them take and send.

    Attributes:
        bridge: the bridge, on trial.
        plugin: the plugin's role, on trial.
        server: the server.
        pipes: what is in each pipe, thing by thing; None for one that has ended.
    """

    def __init__(self, username: str, limits: Limits) -> None:
        self._time = 0.0
        self._script = Script()
        self.server = UserAuthServer(
            self._script,
            session_id=b"session",
            limits=limits,
            user_auth_limits=UserAuthLimits(attempts=_ATTEMPTS, seconds=_SECONDS),
            clock=lambda: self._time,
        )
        self.bridge = BridgeTrial(username, limits)
        self.plugin = Trial(Side.PLUGIN, limits)
        self.pipes: dict[Pipe, list[bytes] | None] = {pipe: [] for pipe in Pipe}
        self._plain = SECRET in username
        self._texts: list[str] = []
        with self._listening():
            self._collect()

    def _listening(self) -> AbstractContextManager[None]:
        """Note what is logged."""
        return listening(
            "authplugin", logging.INFO, lambda record: self._texts.append(record.getMessage())
        )

    def take(self, step: Step) -> None:
        """Take a step, and see that what must hold does."""
        with self._listening():
            self._take(step)

    def _take(self, step: Step) -> None:
        self._watch_secret(step)
        if step.deed < Deed.CARRY:
            self._act(step)
        else:
            self._befall(step)
        self._collect()
        while not step.held and any(self.pipes.values()):
            for pipe in Pipe:
                self._carry(pipe, step.sizes)
        self._judge()

    def _act(self, step: Step) -> None:
        data = step.data
        match step.deed:
            case Deed.AUTHENTICATE:
                self.bridge.authenticate()
            case Deed.NAME:
                self.bridge.set_username(data.decode("utf-8", "surrogateescape"))
            case Deed.ANSWER:
                texts = data.decode("utf-8", "surrogateescape").split("\0")
                self.bridge.answer(texts if texts[-1] else texts[:-1])
            case Deed.SAY:
                for frame in split(data):
                    self._say(frame)
            case Deed.DECIDE:
                self._script.told += data
            case Deed.WAIT:
                self._time += 8 * (data[0] if data else 1)
                self.server.check_time()
            case _:
                try:
                    self.server.send_banner(data.decode("utf-8", "replace"))
                except LocalProtocolError as error:
                    self._texts.append(str(error))

    def _say(self, frame: bytes) -> None:
        message = _message(frame)
        self.plugin.take()
        said = frame if message is None else self.plugin.say(message, frame)
        pipe = self.pipes[Pipe.PLUGIN_TO_BRIDGE]
        if said and pipe is not None:
            pipe.append(said)

    def _befall(self, step: Step) -> None:
        things = self.pipes[step.pipe]
        if things is None:
            return
        data = step.data
        match step.deed:
            case Deed.CARRY:
                self._carry(step.pipe, step.sizes)
            case Deed.PUT:
                things.append(data)
            case Deed.END:
                self._carry(step.pipe, step.sizes)
                self._end(step.pipe)
            case Deed.SWAP:
                things[:2] = things[1::-1] if len(things) > 1 else things[:1]
            case _ if things:
                first = things[0]
                match step.deed:
                    case Deed.CARRY_ONE:
                        self._hear(step.pipe, things.pop(0), step.sizes)
                    case Deed.LOSE:
                        del things[0]
                    case Deed.DOUBLE:
                        things.insert(0, first)
                    case Deed.CUT:
                        things[0] = first[: max(0, len(first) - 1 - (data[0] if data else 0))]
                    case _:
                        things[0] = changed(first, data)

    def _carry(self, pipe: Pipe, sizes: Sequence[int]) -> None:
        things = self.pipes[pipe]
        if things and pipe in _OF_BYTES:
            # Whoever reads a pipe of bytes does not see where one thing ends.
            things[:] = [b"".join(things)]
        while things:
            self._hear(pipe, things.pop(0), sizes)
            things = self.pipes[pipe]

    def _hear(self, pipe: Pipe, thing: bytes, sizes: Sequence[int]) -> None:
        if pipe is Pipe.SERVER_TO_BRIDGE:
            self.bridge.server_says(thing)
        elif pipe is Pipe.BRIDGE_TO_SERVER:
            self._server_hears(thing)
        elif pipe is Pipe.BRIDGE_TO_PLUGIN:
            self.plugin.hear(chunks(thing, sizes))
            self.plugin.take()
        else:
            self.bridge.plugin_says(chunks(thing, sizes))
        self._collect()

    def _server_hears(self, payload: bytes) -> None:
        over = self.server.violation is not None or self.server.disconnect is not None
        try:
            self.server.receive(payload)
        except (RemoteProtocolError, LocalProtocolError) as error:
            self._texts += (str(error), repr(error))
            if isinstance(error, LocalProtocolError) and not over:
                raise self.bridge.broken(f"the server raised {error!r}") from error
        except Exception as error:
            raise self.bridge.broken(f"the server raised {error!r}") from error

    def _end(self, pipe: Pipe) -> None:
        if pipe is Pipe.PLUGIN_TO_BRIDGE:
            self.bridge.plugin_ends()
        elif pipe is Pipe.BRIDGE_TO_PLUGIN:
            self.plugin.end_of_file()
            self.plugin.take()
        else:
            self.server.connection_lost()
            self.pipes[Pipe.SERVER_TO_BRIDGE] = self.pipes[Pipe.BRIDGE_TO_SERVER] = None
            return
        self.pipes[pipe] = None

    def _collect(self) -> None:
        """Put into the pipes what there is to say."""
        for payload in self.server.data_to_send():
            if payload[:1] == b"\x34" and not self._script.accepted:
                raise self.bridge.broken("the server lets a user in whom nobody has accepted")
            self._put(Pipe.SERVER_TO_BRIDGE, payload)
        for payload in self.bridge.for_server():
            self._put(Pipe.BRIDGE_TO_SERVER, payload)
        if data := self.bridge.for_plugin():
            self._put(Pipe.BRIDGE_TO_PLUGIN, data)

    def _put(self, pipe: Pipe, thing: bytes) -> None:
        things = self.pipes[pipe]
        if things is not None:
            things.append(thing)

    # Secrets.

    def _watch_secret(self, step: Step) -> None:
        """See whether the secret stands where it is none."""
        if step.deed in (Deed.CHANGE, Deed.CUT):
            things = self.pipes[step.pipe] or [b""]
            self._plain |= SECRET.encode() in things[0]
        elif SECRET.encode() in step.data and step.deed is not Deed.ANSWER:
            frames = split(step.data)
            responses = all(frame[4:5] and frame[4] in _SECRETIVE for frame in frames)
            whole = all(_message(frame) is not None for frame in frames)
            self._plain |= not (step.deed is Deed.SAY and responses and whole)

    def _judge(self) -> None:
        texts = (*self._texts, *self.bridge.texts)
        self._texts.clear()
        self.bridge.texts.clear()
        for text in texts:
            if SECRET in text and not self._plain:
                raise self.bridge.broken(f"a text tells a secret: {text}")


def changed(thing: bytes, data: bytes) -> bytes:
    """Return bytes with some of them changed; see `Deed.CHANGE`."""
    made = bytearray(thing)
    for at, bits in _pairs(data):
        if made:
            made[at % len(made)] ^= bits
    return bytes(made)


def _pairs(data: bytes) -> Iterator[tuple[int, int]]:
    return zip(data[::2], data[1::2], strict=False)


def _message(frame: bytes) -> Message | None:
    """Return the message that bytes are, whatever its size; None where they are none."""
    try:
        read = cursor.decode(frame, _ANY)
    except cursor.Refused:
        return None
    return _BY_CODE[read["type"]](*(read[name] for name in cursor.FIELDS[read["type"]]))
