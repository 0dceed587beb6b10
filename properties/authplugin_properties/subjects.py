"""The parts of the codec that the laws judge, each run over bytes and brought to one form.

Messages are compared after the last chunk has gone in, not as they come: so a view into a buffer
that was used again shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from authplugin import (
    ClientSession,
    EndOfFile,
    Event,
    FrameDecoder,
    Limits,
    LocalProtocolError,
    Message,
    MessageDecoder,
    PluginSession,
    ProtocolError,
    RemoteProtocolError,
    Side,
    decode,
    explain,
)
from authplugin.kinds import BooleanKind, ConstantKind, RestKind, StringKind, UInt32Kind, WireKind
from authplugin.session import Session
from authplugin.table import WireMessage

from .model import Hear, Neutral, Outcome, Problem, Say, script

Subject: TypeAlias = Callable[[bytes, Sequence[int], Limits], Outcome]
"""Called with bytes, the sizes of the chunks in which they come (see `chunks`), and limits."""

SESSIONS: Final = MappingProxyType({"client": ClientSession, "plugin": PluginSession})
"""The roles, by side."""


DECODERS: Final = MappingProxyType({"FrameDecoder": FrameDecoder, "MessageDecoder": MessageDecoder})
"""The decoders of streams, by name."""


def chunks(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """Cut bytes into chunks of these sizes, taken over and over; without sizes, into one."""
    if not sizes:
        if data:
            yield data
        return
    at = 0
    for size in cycle(sizes):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def problem_of(error: ProtocolError) -> Problem:
    """Return an error without its text, which no law compares."""
    return Problem(str(error.code), error.field, error.offset)


def neutral(message: WireMessage) -> Neutral:
    """Return a message in the form of the oracles."""
    made: Neutral = {"type": message.spec.code}
    for field in message.spec.fields:
        made[field.name] = _plain(getattr(message, field.name), field.kind)
    return made


def _plain(value: Any, kind: WireKind) -> object:
    if isinstance(kind, ConstantKind):
        return _plain(value, kind.kind)
    if isinstance(kind, RestKind):
        return bytes(value)
    if isinstance(kind, UInt32Kind):
        return value
    if isinstance(kind, BooleanKind):
        return bool(value)  # a lenient receiver keeps a byte over 1 as it is
    if isinstance(kind, StringKind):
        return value.encode() if isinstance(value, str) else bytes(value)
    kinds = [part for _, part in kind.element]
    if len(kinds) == 1:
        return [_plain(part, kinds[0]) for part in value]
    return [tuple(map(_plain, item, kinds)) for item in value]


def one_frame(data: bytes, sizes: Sequence[int], limits: Limits) -> Outcome:
    """Decode the bytes as exactly one frame; `sizes` changes nothing."""
    try:
        return Outcome((("message", neutral(decode(data, limits))),))
    except RemoteProtocolError as error:
        return Outcome((), problem_of(error))


def explained(data: bytes, sizes: Sequence[int], limits: Limits) -> Outcome:
    """Explain the bytes as one frame; `sizes` changes nothing."""
    return Outcome((("text", explain(data, limits)),))


def frame_stream(data: bytes, sizes: Sequence[int], limits: Limits) -> Outcome:
    """Cut the bytes, as a stream that then ends, into frames."""
    frames: list[memoryview] = []
    problem = _drain(FrameDecoder(limits), data, sizes, frames)
    return Outcome(tuple(("frame", bytes(frame)) for frame in frames), problem)


def message_stream(data: bytes, sizes: Sequence[int], limits: Limits) -> Outcome:
    """Decode the bytes, as a stream that then ends, into messages."""
    messages: list[Message] = []
    problem = _drain(MessageDecoder(limits), data, sizes, messages)
    return Outcome(tuple(("message", neutral(message)) for message in messages), problem)


def _drain(
    decoder: FrameDecoder | MessageDecoder, data: bytes, sizes: Sequence[int], taken: list[Any]
) -> Problem | None:
    try:
        for chunk in chunks(data, sizes):
            for item in decoder.feed(chunk):
                taken.append(item)  # those before an error are kept
        decoder.end_of_file()
    except RemoteProtocolError as error:
        return problem_of(error)
    return None


def client_session(data: bytes, sizes: Sequence[int], limits: Limits) -> Outcome:
    """Take the client's part in a conversation; see `model`."""
    return converse(Side.CLIENT, script(data, Side.CLIENT, limits).steps, sizes, limits)


def plugin_session(data: bytes, sizes: Sequence[int], limits: Limits) -> Outcome:
    """Take the plugin's part in a conversation; see `model`."""
    return converse(Side.PLUGIN, script(data, Side.PLUGIN, limits).steps, sizes, limits)


def converse(
    side: str, steps: Sequence[Say | Hear], sizes: Sequence[int], limits: Limits
) -> Outcome:
    """Take one side's part in a conversation, step by step.

    The chunks begin anew with each run of bytes that come.
    """
    session = SESSIONS[side](limits)
    taken: list[tuple[str, object]] = []
    problem = None
    try:
        for step in steps:
            if isinstance(step, Hear):
                for chunk in chunks(step.data, sizes):
                    session.receive_data(chunk)
                    _take(session, taken)
            else:
                message = decode(step.frame, limits)
                try:
                    taken.append(("said", session.send(message)))
                except LocalProtocolError as refused:
                    taken.append(("refused", str(refused.code)))
        session.receive_end_of_file()
        _take(session, taken)
    except RemoteProtocolError as error:
        problem = problem_of(error)
    return Outcome(tuple(_settled(*item) for item in taken), problem, str(session.state))


def cut_short(steps: Sequence[Say | Hear], size: int) -> tuple[Say | Hear, ...]:
    """Return the steps up to where `size` bytes have come, and what is said until then."""
    kept: list[Say | Hear] = []
    for step in steps:
        if isinstance(step, Hear):
            if len(step.data) > size:
                kept.append(Hear(step.data[:size]))
                break
            size -= len(step.data)
        kept.append(step)
    return tuple(kept)


def _take(session: Session, taken: list[tuple[str, object]]) -> None:
    for event in session.events():
        taken.append(("heard", event))  # those before an error are kept


def _settled(what: str, thing: Event | bytes | str | object) -> tuple[str, object]:
    if isinstance(thing, EndOfFile):
        return "ended", str(thing.kind)
    return what, neutral(thing) if isinstance(thing, Message) else thing


WHOLE: Final[Mapping[str, Subject]] = MappingProxyType({"decode": one_frame, "explain": explained})
"""What takes one whole frame."""

STREAMS: Final[Mapping[str, Subject]] = MappingProxyType(
    {"FrameDecoder": frame_stream, "MessageDecoder": message_stream}
)
"""What takes one side's bytes as they come."""

ROLES: Final[Mapping[str, Subject]] = MappingProxyType(
    {"ClientSession": client_session, "PluginSession": plugin_session}
)
"""What takes part in a conversation."""
