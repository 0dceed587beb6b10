"""What must hold of the codec and both roles, whatever comes in.

Each law is stated once, as a plain function of plain data, so that every engine can run it: a test,
a fuzzer, an explorer. It returns None where the law holds and raises `LawBroken` where it does not.
Every law asks besides that nothing but a `ProtocolError` is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Final, NoReturn, TypeVar

from authplugin import Limits, Message, ProtocolError, RemoteProtocolError, Side, decode, encode
from authplugin.limits import DEFAULT_LIMITS

from .model import Neutral, Outcome, Problem, script
from .oracles import cursor
from .subjects import (
    ROLES,
    STREAMS,
    WHOLE,
    Subject,
    converse,
    neutral,
    problem_of,
)

_SHOWN = 1000  # characters of a value, and bytes of the data, in the text of a broken law

Result = TypeVar("Result")


class LawBroken(AssertionError):  # noqa: N818 - what it says is that a law was broken
    """A law does not hold. The text says which, for what bytes, and what came instead.

    Unlike the codec's own errors it shows the bytes, so it is for data that was made up.
    """


ALL: Final[Mapping[str, Subject]] = {**WHOLE, **STREAMS, **ROLES}
"""Every subject that the laws know."""

CHUNKED: Final[Mapping[str, Subject]] = {**STREAMS, **ROLES}
"""The subjects to which bytes come in chunks."""


def only_protocol_error(
    data: bytes, limits: Limits = DEFAULT_LIMITS, subjects: Mapping[str, Subject] = ALL
) -> None:
    """Check that a peer can cause a RemoteProtocolError and nothing else, whatever it sends.

    Args:
        data: any bytes: a frame, a stream and a conversation (see `model`) in one.
        limits: what to accept.
        subjects: what to try, by name.
    """
    for name, subject in subjects.items():
        _outcome(name, subject, data, (), limits)


def chunking_changes_nothing(
    data: bytes,
    sizes: Sequence[int],
    limits: Limits = DEFAULT_LIMITS,
    subjects: Mapping[str, Subject] = CHUNKED,
) -> None:
    """Check that the same comes of the same bytes, whatever the chunks.

    The same messages and events, and behind them the same error with the same code, field and
    offset.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        sizes: the sizes of the chunks, in bytes, from 1, taken over and over.
        limits: what to accept.
        subjects: what to try, by name.
    """
    for name, subject in subjects.items():
        whole = _outcome(name, subject, data, (), limits)
        cut = _outcome(name, subject, data, sizes, limits)
        if whole != cut:
            _broken(
                "chunking changes nothing",
                f"{name}, in chunks of {list(sizes)} rather than one: {_difference(cut, whole)}",
                data,
            )


def round_trip(frame: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that what decodes encodes to the same bytes, detached or not."""
    try:
        message = _decoded(frame, limits)
    except RemoteProtocolError:
        return
    for form, made in (("", message), ("detached ", message.detach())):
        again = _encoded(made, limits, f"the {form}message that decode gave", frame)
        if again != frame:
            _broken("round trip", f"the {form}message encodes to other bytes: {_hex(again)}", frame)


def round_trip_message(message: Message, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that a message within the limits encodes, and decodes to an equal one."""
    frame = _encoded(message, limits, "a message within the limits", b"")
    try:
        again = _decoded(frame, limits)
    except RemoteProtocolError as error:
        _broken("round trip of a message", f"its frame is refused: {error}", frame)
    if again != message or again.detach() != message:
        _broken("round trip of a message", f"{message!r} came back as {again!r}", frame)


def agrees_with_cursor(frame: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that the codec and the cursor decoder accept the same frames, as the same messages.

    What they refuse they refuse with the same code, field and offset.
    """
    ours: Neutral | Problem
    theirs: Neutral | Problem
    try:
        ours = neutral(_decoded(frame, limits))
    except RemoteProtocolError as error:
        ours = problem_of(error)
    try:
        theirs = cursor.decode(frame, limits)
    except cursor.Refused as refused:
        theirs = Problem(refused.code, refused.field, refused.offset)
    if ours != theirs:
        _broken(
            "agreement with the cursor decoder",
            f"decode gives {_short(ours)}, the cursor decoder {_short(theirs)}",
            frame,
        )


def agrees_with_model(
    conversation: bytes,
    side: str,
    limits: Limits = DEFAULT_LIMITS,
    sizes: Sequence[int] = (),
) -> None:
    """Check that a role makes of a conversation what the model makes of it.

    The model is the transition table and the cursor decoder of the oracles; see `model`. The role
    delivers the same messages, says and refuses to say the same, refuses the same with the same
    code, field and offset, sees the same end of file, and ends in the same state.

    Args:
        conversation: any bytes; see `model`.
        side: the role: "client" or "plugin".
        limits: what to accept and to send.
        sizes: the sizes of the chunks in which the peer's bytes come; none: as few as can be.
    """
    role = Side(side)
    expected = script(conversation, role, limits)
    wanted = expected.outcome
    ours = _guarded(
        f"the {role}'s session",
        conversation,
        lambda: converse(role, expected.steps, sizes, limits),
    )
    if ours != wanted:
        _broken(
            "agreement with the model",
            f"the {role}'s session, in chunks of {list(sizes)}: {_difference(ours, wanted)}",
            conversation,
        )


def _outcome(
    name: str, subject: Subject, data: bytes, sizes: Sequence[int], limits: Limits
) -> Outcome:
    return _guarded(name, data, lambda: subject(data, sizes, limits))


def _guarded(
    name: str,
    data: bytes,
    run: Callable[[], Result],
    allowed: tuple[type[RemoteProtocolError], ...] = (),
) -> Result:
    try:
        return run()
    except allowed:
        raise
    except Exception as error:
        text = f"{name} raised {type(error).__name__}: {_short(error)}"
        raise LawBroken(_text("only ProtocolError", text, data)) from error


def _decoded(frame: bytes, limits: Limits) -> Message:
    return _guarded("decode", frame, lambda: decode(frame, limits), (RemoteProtocolError,))


def _encoded(message: Message, limits: Limits, what: str, data: bytes) -> bytes:
    try:
        return encode(message, limits)
    except ProtocolError as error:
        _broken("round trip", f"{what} cannot be encoded: {error}", data)
    except Exception as error:
        text = f"encode raised {type(error).__name__}: {_short(error)}"
        raise LawBroken(_text("only ProtocolError", text, data)) from error


def _difference(ours: Outcome, wanted: Outcome) -> str:
    """Say where two outcomes first differ, from the view of the first."""
    pairs = zip_longest(_happened(ours), _happened(wanted), fillvalue="nothing")
    for index, (one, other) in enumerate(pairs):
        if one != other:
            return f"item {index} is {_short(one)}, not {_short(other)}"
    return f"the state is {ours.state}, not {wanted.state}"


def _happened(outcome: Outcome) -> list[object]:
    return [*outcome.items, *([] if outcome.problem is None else [outcome.problem])]


def _broken(law: str, what: str, data: bytes) -> NoReturn:
    raise LawBroken(_text(law, what, data))


def _text(law: str, what: str, data: bytes) -> str:
    return f"{law}: {what}\n{len(data)} bytes: {_hex(data)}"


def _hex(data: bytes) -> str:
    return data[:_SHOWN].hex() + ("..." if len(data) > _SHOWN else "")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
