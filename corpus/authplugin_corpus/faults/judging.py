"""What a strict receiver makes of wrong bytes, asked of this library's own sessions.

For the faults whose code cannot be told from how they are made: flipped bits, lost frames, and one
fault on top of another. The tests hold what is said here against oracles of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from authplugin import (
    ClientSession,
    ErrorCode,
    FrameDecoder,
    Limits,
    Message,
    PluginSession,
    ProtocolError,
    Side,
    State,
)

from ..protocols import PLUGIN, Protocol

_RECEIVERS = {Side.CLIENT: PluginSession, Side.PLUGIN: ClientSession}
"""Who hears what each side says."""


def judge(
    frames: Sequence[bytes],
    kept: int,
    data: bytes,
    ends: bool,
    limits: Limits,
    protocol: Protocol = PLUGIN,
) -> ErrorCode | None:
    """Return the code with which wrong bytes are refused, or None where they are taken.

    Args:
        frames: the right conversation; it is its last speaker who says `data`. Where it does not
            begin with the first frame of the plugin protocol, `data` is judged by itself: without
            turns, states and guards.
        kept: how many of the frames come before `data`.
        data: the bytes, which come in one chunk.
        ends: whether the end of file follows them.
        limits: those of the receiver.
        protocol: the protocol of the frames.

    A conversation that this library refuses by itself, such as one of another version, or as it may
    where the library is wrong, is refused with the code for that.
    """
    try:
        first, last = (protocol.decode(frames[at], limits) for at in (0, -1))
        if isinstance(first, Message) and first.spec.leaves is State.START:
            assert isinstance(last, Message)
            return _judged(frames[:kept], last.spec.sender, data, ends, limits)
        return _judge_alone(data, ends, limits, protocol)
    except ProtocolError as refused:
        return refused.code


def _judged(
    before: Sequence[bytes], speaker: Side, data: bytes, ends: bool, limits: Limits
) -> ErrorCode | None:
    session = _RECEIVERS[speaker](limits)
    for frame in before:
        message = PLUGIN.decode(frame, limits)
        assert isinstance(message, Message)
        if message.spec.sender is session.side:
            session.send(message)
        else:
            session.receive_data(frame)
            session.next_event()
    if data:
        session.receive_data(data)
    if ends and session.violation is None:
        session.receive_end_of_file()
    return None if session.violation is None else session.violation.code


def _judge_alone(data: bytes, ends: bool, limits: Limits, protocol: Protocol) -> ErrorCode | None:
    decoder = FrameDecoder(limits)
    for frame in decoder.feed(data):
        protocol.decode(bytes(frame), limits)
    if ends:
        decoder.end_of_file()
    return None
