"""The law that what has refused, or has ended, stays so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from authplugin import (
    MESSAGES,
    FrameDecoder,
    Limits,
    LocalProtocolError,
    Message,
    MessageDecoder,
    ProtocolError,
    RemoteProtocolError,
    Side,
    decode,
)
from authplugin.kinds import CountedKind, UInt32Kind
from authplugin.limits import DEFAULT_LIMITS
from authplugin.session import Session
from authplugin.table import Field

from ..breaking import broken, guarded
from ..model import Say, script
from ..subjects import DECODERS, SESSIONS, chunks, problem_of

_LAW = "poisoned stays poisoned"

_ENDS: Final[Mapping[bool, str]] = MappingProxyType({True: "poisoned", False: "session-over"})
"""The code of each further call to a session, by whether its peer has broken the protocol."""


def _plainest(field: Field) -> Any:
    if isinstance(field.kind, UInt32Kind):
        return 2
    return [] if isinstance(field.kind, CountedKind) else ""


_ONE_OF_EACH: Final[tuple[Message, ...]] = tuple(
    each(*map(_plainest, each.spec.fields)) for each in MESSAGES
)


def poisoned_stays_poisoned(
    data: bytes,
    limits: Limits = DEFAULT_LIMITS,
    sizes: Sequence[int] = (),
    more: bytes = b"\0\0\0\1\6",
    roles: Sequence[Side] = tuple(Side),
) -> None:
    """Check that after a refusal, or the end of file, nothing more goes in or out.

    Every further call is refused in the way that is documented: feeding and sending with a
    `LocalProtocolError` of the code "poisoned", or "session-over" where a peer has ended its output
    as it may (H.5); `next_event` with the violation, again and again. No call changes anything, and
    the good events before a violation can still be taken after calls that were refused.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        limits: what to accept.
        sizes: the sizes of the chunks in which they come; none: as few as can be.
        more: what comes then, at least one byte.
        roles: the roles to try beside the decoders.
    """
    for name, decoder in DECODERS.items():
        guarded(name, data, partial(_decoder, name, decoder(limits), data, sizes, more))
    for side in roles:
        what = f"the {side}'s session"
        guarded(what, data, partial(_session, what, side, data, limits, sizes, more))


def _decoder(
    name: str,
    decoder: FrameDecoder | MessageDecoder,
    data: bytes,
    sizes: Sequence[int],
    more: bytes,
) -> None:
    try:
        for chunk in chunks(data, sizes):
            for _ in decoder.feed(chunk):
                pass
        decoder.end_of_file()
    except RemoteProtocolError:
        pass
    held = decoder.held
    calls: dict[str, Callable[[], object]] = {
        "feed": lambda: list(decoder.feed(more)),
        "feed without bytes": lambda: list(decoder.feed(b"")),
        "end_of_file": decoder.end_of_file,
    }
    for _ in range(2):
        for call, run in calls.items():
            _check(f"{name}: {call}", _refusal(run), (LocalProtocolError, "poisoned"), data)
        left = list(decoder)
        if left or decoder.held != held:
            what = f"{name} changed: {len(left)} items came, {decoder.held} bytes are held"
            broken(_LAW, f"{what}, not none and {held}", data)


def _session(
    what: str, side: Side, data: bytes, limits: Limits, sizes: Sequence[int], more: bytes
) -> None:
    expected = script(data, side, limits)
    session = SESSIONS[side](limits)
    taken = 0
    for step in expected.steps:
        if isinstance(step, Say):
            _refusal(partial(session.send, decode(step.frame, limits)))
            continue
        for chunk in chunks(step.data, sizes):
            if not _refused(session):
                session.receive_data(chunk)
                if _refused(session):
                    # Before what was good is taken: nothing of it may be lost.
                    _check_calls(what, session, more, data)
                taken += _take(session)
    if not _refused(session):
        session.receive_end_of_file()
        _check_calls(what, session, more, data)
        taken += _take(session)
    wanted = sum(kind in ("heard", "ended") for kind, _ in expected.outcome.items)
    if taken != wanted:
        broken(_LAW, f"{what}: {taken} events came, not {wanted}", data)
    before = _stands(session)
    problem = None if session.violation is None else problem_of(session.violation)
    for _ in range(2):
        came = _refusal(session.next_event)
        if (None if came is None else (type(came), problem_of(came))) != (
            None if problem is None else (RemoteProtocolError, problem)
        ):
            broken(_LAW, f"{what}: next_event raised {came!r}, the violation is {problem}", data)
        _check_calls(what, session, more, data)
    if _stands(session) != before:
        broken(_LAW, f"{what} was {before} and is {_stands(session)}", data)


def _refused(session: Session) -> bool:
    return session.violation is not None


def _take(session: Session) -> int:
    taken = 0
    try:
        for _ in session.events():
            taken += 1
    except RemoteProtocolError:
        pass
    return taken


def _check_calls(what: str, session: Session, more: bytes, data: bytes) -> None:
    before = _stands(session)
    wanted = (LocalProtocolError, _ENDS[_refused(session)])
    calls: dict[str, Callable[[], object]] = {
        "receive_data": lambda: session.receive_data(more),
        "receive_end_of_file": session.receive_end_of_file,
    }
    for message in _ONE_OF_EACH:
        calls[f"send {message.spec.name}"] = partial(session.send, message)
    for call, run in calls.items():
        _check(f"{what}: {call}", _refusal(run), wanted, data)
    if _stands(session) != before:
        broken(_LAW, f"{what} was {before} and is {_stands(session)}", data)


def _stands(session: Session) -> tuple[object, ...]:
    return (
        session.state,
        session.turn,
        session.version,
        session.method,
        session.held,
        None if session.violation is None else problem_of(session.violation),
    )


def _refusal(run: Callable[[], object]) -> ProtocolError | None:
    try:
        run()
    except ProtocolError as error:
        return error
    return None


def _check(
    what: str, came: ProtocolError | None, wanted: tuple[type[ProtocolError], str], data: bytes
) -> None:
    kind, code = wanted
    if type(came) is not kind or came.code != code:
        broken(_LAW, f"{what} raised {came!r}, not {kind.__name__} with {code}", data)
