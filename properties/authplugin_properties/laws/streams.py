"""The laws of bytes that come: streams of one side, and conversations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from authplugin import Limits, Side
from authplugin.limits import DEFAULT_LIMITS

from ..breaking import broken, difference, guarded
from ..model import Hear, Outcome, Problem, Say, script, split
from ..oracles import cursor
from ..subjects import ROLES, STREAMS, WHOLE, Subject, converse, cut_short

ALL: Final[Mapping[str, Subject]] = {**WHOLE, **STREAMS, **ROLES}
"""Every subject that the laws know."""

CHUNKED: Final[Mapping[str, Subject]] = {**STREAMS, **ROLES}
"""The subjects to which bytes come in chunks."""

OF_THE_END: Final = frozenset({"end-truncated", "end-premature"})
"""The codes of what more input would have made good."""

OF_THE_FRAME: Final = frozenset({"frame-empty", "frame-too-long", "end-truncated"})
"""The codes of what is seen before anything in the frame is looked at."""


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
    """Check that the same comes of the same bytes, whatever the chunks: a pipe has no frames (H.3).

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
            broken(
                "chunking changes nothing",
                f"{name}, in chunks of {list(sizes)} rather than one: {difference(cut, whole)}",
                data,
            )


def prefix_yields_nothing_else(
    data: bytes,
    cuts: Sequence[int] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    sizes: Sequence[int] = (),
) -> None:
    """Check that what has come is judged by itself: what follows it changes nothing any more.

    Of a prefix come the first items of what comes of the whole, and no other. Where a prefix is
    refused for anything but its end, the whole is refused with the same code, field and offset,
    behind the same items. For a role a prefix is one of the bytes that come from its peer; what it
    is to say in between stays.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        cuts: the lengths of the prefixes, in bytes; None: every one.
        limits: what to accept.
        sizes: the sizes of the chunks, taken over and over; none: as few chunks as can be.
    """
    lengths = range(len(data)) if cuts is None else cuts
    for name, subject in STREAMS.items():
        whole = _outcome(name, subject, data, sizes, limits)
        for length in lengths:
            part = _outcome(name, subject, data[:length], sizes, limits)
            _check_prefix(f"{name}, of {length} bytes", part, whole, data)
    for side in Side:
        steps = script(data, side, limits).steps
        whole = _converse(side, steps, sizes, limits, data)
        for length in lengths:
            if length < len(data):
                part = _converse(side, cut_short(steps, length), sizes, limits, data)
                what = f"the {side}'s session, of {length} bytes that come"
                _check_prefix(what, part, whole, data)


def _check_prefix(what: str, part: Outcome, whole: Outcome, data: bytes) -> None:
    items = [item for item in part.items if item[0] != "ended"]
    problem = part.problem
    if problem is not None and problem.code not in OF_THE_END:
        wanted = Outcome(whole.items, whole.problem)
    else:
        problem = None
        wanted = Outcome(whole.items[: len(items)])
    came = Outcome(tuple(items), problem)
    if came != wanted:
        text = f"{what}, gives what the whole does not: {difference(came, wanted)}"
        broken("a prefix yields nothing else", text, data)


def good_before_bad(
    data: bytes, sizes: Sequence[int] = (), limits: Limits = DEFAULT_LIMITS
) -> None:
    """Check that the good frames before the first bad one come out, and then its error (H.3, H.6).

    Whatever the chunks. Which frames are good is settled by their length fields and the cursor
    decoder alone. This is of `FrameDecoder` and `MessageDecoder`; for both roles
    `agrees_with_model` says the same, and says it of what is good only in its place.

    Args:
        data: any bytes: what one side says.
        sizes: the sizes of the chunks, in bytes, from 1, taken over and over; none: one chunk.
        limits: what to accept.
    """
    judges = {"FrameDecoder": _framed, "MessageDecoder": _read}
    for name, subject in STREAMS.items():
        wanted = judges[name](data, limits)
        ours = _outcome(name, subject, data, sizes, limits)
        if ours != wanted:
            text = f"{name}, in chunks of {list(sizes)}: {difference(ours, wanted)}"
            broken("good before bad", text, data)


_Judged: TypeAlias = Iterator[tuple[bytes, dict[str, object] | None, Problem | None]]


def _judged(data: bytes, limits: Limits) -> _Judged:
    for frame in split(data):
        try:
            yield frame, cursor.decode(frame, limits), None
        except cursor.Refused as refused:
            yield frame, None, Problem(refused.code, refused.field, refused.offset)


def _framed(data: bytes, limits: Limits) -> Outcome:
    frames: list[tuple[str, object]] = []
    for frame, _, problem in _judged(data, limits):
        if problem is not None and problem.code in OF_THE_FRAME:
            return Outcome(tuple(frames), problem)
        frames.append(("frame", frame))
    return Outcome(tuple(frames))


def _read(data: bytes, limits: Limits) -> Outcome:
    messages: list[tuple[str, object]] = []
    for _, message, problem in _judged(data, limits):
        if problem is not None:
            return Outcome(tuple(messages), problem)
        messages.append(("message", message))
    return Outcome(tuple(messages))


def agrees_with_model(
    conversation: bytes,
    side: str,
    limits: Limits = DEFAULT_LIMITS,
    sizes: Sequence[int] = (),
) -> None:
    """Check that a role makes of a conversation what the model makes of it (H.1, H.4 to H.6).

    The model is the transition table and the cursor decoder of the oracles; see `model`. The role
    delivers the same messages, says and refuses to say the same, refuses the same with the same
    code, field and offset, sees the same end of file, and ends in the same state. So what was good
    before the first bad thing is delivered, and then the error of the bad one.

    Args:
        conversation: any bytes; see `model`.
        side: the role: "client" or "plugin".
        limits: what to accept and to send.
        sizes: the sizes of the chunks in which the peer's bytes come; none: as few as can be.
    """
    role = Side(side)
    expected = script(conversation, role, limits)
    wanted = expected.outcome
    ours = _converse(role, expected.steps, sizes, limits, conversation)
    if ours != wanted:
        broken(
            "agreement with the model",
            f"the {role}'s session, in chunks of {list(sizes)}: {difference(ours, wanted)}",
            conversation,
        )


def _converse(
    role: Side, steps: Sequence[Say | Hear], sizes: Sequence[int], limits: Limits, data: bytes
) -> Outcome:
    return guarded(f"the {role}'s session", data, lambda: converse(role, steps, sizes, limits))


def _outcome(
    name: str, subject: Subject, data: bytes, sizes: Sequence[int], limits: Limits
) -> Outcome:
    return guarded(name, data, lambda: subject(data, sizes, limits))
