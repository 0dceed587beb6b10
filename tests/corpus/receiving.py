"""What receives faults in the tests: the oracles, and this library's own sessions."""

from collections.abc import Iterable, Sequence

import authplugin
from authplugin import Limits
from authplugin_corpus.faults import Faulty
from authplugin_properties.model import script
from authplugin_properties.oracles import cursor, turns

DEFAULT = Limits()
TIGHT = Limits(frame=2048, text=130, count=8)
SMALL = Limits(frame=64, text=30, count=3)
LENIENT = Limits(frame=2048, text=130, count=8, nonzero_is_true=True, any_bytes=True)

LIMITS = {"default": DEFAULT, "tight": TIGHT, "small": SMALL, "lenient": LENIENT}


def name_of(frame: bytes) -> str:
    return cursor.NAMES[frame[4]]


def speaker_of(frame: bytes) -> str:
    return turns.SENDERS[name_of(frame)]


def receiver_of(frames: Sequence[bytes]) -> str:
    return "plugin" if speaker_of(frames[-1]) == "client" else "client"


def refusal_by_oracles(frames: Sequence[bytes], faulty: Faulty, limits: Limits) -> str | None:
    """Return the code that the model has, behind whose every conversation the input ends."""
    conversation = b"".join(frames[: faulty.kept]) + faulty.data
    problem = script(conversation, receiver_of(frames), limits).outcome.problem
    return None if problem is None else problem.code


def refusal_by_session(
    frames: Sequence[bytes], faulty: Faulty, limits: Limits, chunks: Iterable[bytes]
) -> str | None:
    """Return the code that a session has, which is given the faulty bytes in chunks."""
    side = receiver_of(frames)
    roles = {"plugin": authplugin.PluginSession, "client": authplugin.ClientSession}
    session = roles[side](limits)
    for frame in frames[: faulty.kept]:
        if speaker_of(frame) == side:
            assert session.send(authplugin.decode(frame, limits)) == frame
        else:
            session.receive_data(frame)
            assert len(list(session.events())) == 1
    for chunk in chunks:
        if session.violation is None:
            session.receive_data(chunk)
    if faulty.ends and session.violation is None:
        session.receive_end_of_file()
    try:
        list(session.events())
    except authplugin.RemoteProtocolError as error:
        return error.code.value
    return None


def whole(data: bytes) -> list[bytes]:
    return [data] if data else []


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]
