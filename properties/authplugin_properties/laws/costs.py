"""The laws of what it takes to receive: memory within the limits, and work in proportion.

Nothing here is measured in seconds. What is allowed is stated in named numbers, each about half as
much again as what good code was seen to take, so that only what grows faster breaks a law.
"""

from __future__ import annotations

import tracemalloc
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from authplugin import FrameDecoder, Limits, Message, MessageDecoder, ProtocolError, Side, decode
from authplugin.limits import DEFAULT_LIMITS

from ..breaking import broken, guarded
from ..model import LENGTH_SIZE, Hear, script, split
from ..oracles import cursor
from ..subjects import DECODERS, SESSIONS, Subject, chunks
from .counting import counted
from .streams import CHUNKED, OF_THE_FRAME

KIB: Final = 1024

LEAST_MEMORY: Final = 8 * KIB
"""Bytes that a decoder, a session and an error with its traceback may take."""

MEMORY_PER_BYTE: Final = 2
"""Bytes for each byte of a frame: a bytearray that grows reserves an eighth more than it holds, and
what `send` returns stands beside its parts."""

CHECKED: Final = 16 * KIB
"""Bytes of text that are looked at in one go."""

MEMORY_PER_BYTE_CHECKED: Final = 8
"""Bytes for each of those: copies of the frame and of the text, and a str of up to 4 bytes for
each character."""

MEMORY_PER_ELEMENT: Final = 640
"""Bytes for each prompt or response: a view and its tuple, or what a refusal names it by."""

LEAST_LINES: Final = 300
"""Lines to begin, to end, and to say what was wrong."""

LINES_PER_CHUNK: Final = 45
"""Lines to take a chunk in; a session looks besides whose turn it is."""

LINES_PER_FRAME: Final = 140
"""Lines to decode or encode a message without elements and to judge it."""

LINES_PER_ELEMENT: Final = 70
"""Lines for each prompt or response; a refusal reads them one by one again."""

LINES_PER_KIB: Final = 16
"""Lines for each KiB: long text is looked at in steps of 16 KiB."""

LINES_PER_BYTE_REFUSED: Final = 2
"""Lines for each byte of a frame that is refused: where it is not ASCII is found byte by byte."""

COPIED_PER_BYTE: Final = 2
"""Copies of each byte: into what is held, and one more."""

COPIED_PER_CHUNK: Final = 24
"""Bytes for each chunk: a length field is put together of what is held and the chunk, to see if the
frame is whole, and again to take it."""


def held_is_bounded(
    data: bytes,
    sizes: Sequence[int] = (),
    limits: Limits = DEFAULT_LIMITS,
    roles: Sequence[Side] = tuple(Side),
) -> None:
    """Check that `held` is what came in and has not gone out, and never more than the limit.

    Between two chunks that is at most the largest frame, length field and all; while a chunk is
    taken, the chunk besides. After a refusal nothing is held, nor by a session after the end of
    file. The published text bounds no frame, so it is for the limit to do.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        sizes: the sizes of the chunks, in bytes, from 1, taken over and over; none: one chunk.
        limits: what to accept.
        roles: the roles to try beside the decoders.
    """
    most = LENGTH_SIZE + limits.frame
    for name, kind in DECODERS.items():
        guarded(name, data, partial(_decoder_holds, name, kind(limits), data, sizes, most))
    for side in roles:
        what = f"the {side}'s session"
        guarded(what, data, partial(_session_holds, what, side, data, sizes, limits))


def _decoder_holds(
    name: str,
    decoder: FrameDecoder | MessageDecoder,
    data: bytes,
    sizes: Sequence[int],
    most: int,
) -> None:
    frames = iter(split(data))
    came = gone = 0
    try:
        for chunk in chunks(data, sizes):
            came += len(chunk)
            items = decoder.feed(chunk)
            _check_held(name, decoder.held, came - gone, most + len(chunk), data)
            for _ in items:
                gone += len(next(frames))
                _check_held(name, decoder.held, came - gone, most + len(chunk), data)
            _check_held(name, decoder.held, came - gone, most, data)
    except ProtocolError:
        _check_held(f"{name}, which has refused,", decoder.held, 0, most, data)


def _session_holds(
    what: str, side: Side, data: bytes, sizes: Sequence[int], limits: Limits
) -> None:
    session = SESSIONS[side](limits)
    most = LENGTH_SIZE + limits.frame
    for step in script(data, side, limits).steps:
        if not isinstance(step, Hear):
            _quietly(partial(session.send, decode(step.frame, limits)))
            continue
        ends = _ends(step.data)
        came = 0
        for chunk in chunks(step.data, sizes):
            session.receive_data(chunk)
            if session.violation is not None:
                _check_held(f"{what}, which has refused,", session.held, 0, most, data)
                return
            came += len(chunk)
            gone = ends[bisect_right(ends, came) - 1]
            _check_held(what, session.held, came - gone, most, data)
            deque(session.events(), maxlen=0)
    session.receive_end_of_file()
    _check_held(f"{what}, at the end of file,", session.held, 0, most, data)


def _ends(data: bytes) -> list[int]:
    """Return where whole frames end, the first of them after none."""
    ends = [0]
    for frame in split(data):
        if len(frame) == LENGTH_SIZE + int.from_bytes(frame[:LENGTH_SIZE], "big"):
            ends.append(ends[-1] + len(frame))
    return ends


def _check_held(what: str, held: int, wanted: int, most: int, data: bytes) -> None:
    if held != wanted or held > most:
        text = f"{what} says it holds {held} bytes, not {wanted}, of at most {most}"
        broken("held is bounded", text, data)


def memory_is_bounded(
    data: bytes, sizes: Sequence[int] = (), limits: Limits = DEFAULT_LIMITS
) -> None:
    """Check that memory grows with what has come, up to the limits, and with no claim of more.

    Neither with the length that a header claims, up to 4 GiB, nor with how many frames there are.
    What is allocated is traced, which takes its time: this is for engines that want it.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        sizes: the sizes of the chunks, in bytes, from 1, taken over and over; none: one chunk.
        limits: what to accept.
    """
    pieces = list(chunks(data, sizes))
    most = _most_memory(data, pieces, limits)
    for name, kind in DECODERS.items():
        _check_memory(name, partial(_decode_all, kind, pieces, limits), most, data)
    for side in Side:
        moves: list[list[bytes] | Message] = [
            list(chunks(step.data, sizes)) if isinstance(step, Hear) else decode(step.frame, limits)
            for step in script(data, side, limits).steps
        ]
        run = partial(_converse_all, side, moves, limits)
        _check_memory(f"the {side}'s session", run, most, data)


def _most_memory(data: bytes, pieces: Sequence[bytes], limits: Limits) -> int:
    frames = split(data)
    # One frame at a time, and of it no more than has come.
    largest = min(LENGTH_SIZE + limits.frame, max(map(len, frames), default=0))
    return (
        LEAST_MEMORY
        + MEMORY_PER_BYTE * (largest + max(map(len, pieces), default=0))
        + MEMORY_PER_BYTE_CHECKED * min(CHECKED, largest)
        + MEMORY_PER_ELEMENT * max((_elements(frame, limits) for frame in frames), default=0)
    )


def _check_memory(name: str, run: Callable[[], None], most: int, data: bytes) -> None:
    # Once before, so that what is made once and kept for good is there.
    guarded(name, data, partial(_quietly, run))
    peak = peak_of(partial(_quietly, run))
    if peak > most:
        broken("memory is bounded", f"{name} took {peak} bytes, and {most} would do", data)


def allowed_lines(frame: bytes, elements: int) -> int:
    """Return how many lines may run to read one frame of so many elements, or to refuse it."""
    return (
        LEAST_LINES
        + LINES_PER_FRAME
        + LINES_PER_ELEMENT * elements
        + LINES_PER_BYTE_REFUSED * len(frame)
    )


def allowed_memory(frame: bytes, elements: int) -> int:
    """Return how many bytes it may take to read one frame of so many elements, and to detach it."""
    return (
        LEAST_MEMORY
        + MEMORY_PER_BYTE * len(frame)
        + MEMORY_PER_BYTE_CHECKED * min(CHECKED, len(frame))
        + MEMORY_PER_ELEMENT * elements
    )


def peak_of(run: Callable[[], object]) -> int:
    """Return how many bytes more than before are allocated at the most while this runs."""
    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not traced:
            tracemalloc.stop()
    return peak - before


def _decode_all(
    kind: type[FrameDecoder | MessageDecoder], pieces: Sequence[bytes], limits: Limits
) -> None:
    decoder = kind(limits)
    for piece in pieces:
        deque(decoder.feed(piece), maxlen=0)
    decoder.end_of_file()


def _converse_all(side: Side, moves: Sequence[list[bytes] | Message], limits: Limits) -> None:
    session = SESSIONS[side](limits)
    for move in moves:
        if isinstance(move, list):
            for piece in move:
                session.receive_data(piece)
                deque(session.events(), maxlen=0)
        else:
            _quietly(partial(session.send, move))
    session.receive_end_of_file()


def _quietly(run: Callable[[], object]) -> None:
    with suppress(ProtocolError):
        run()


def work_is_linear(
    data: bytes,
    sizes: Sequence[int] = (),
    limits: Limits = DEFAULT_LIMITS,
    subjects: Mapping[str, Subject] = CHUNKED,
) -> None:
    """Check that the work is in proportion to chunks, frames, elements and bytes.

    Work is the lines of the codec that run, and the bytes that it copies into and out of what it
    holds; what it may be is stated beside this law. Whatever grows faster breaks it where some
    hundreds of bytes come one by one.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        sizes: the sizes of the chunks, in bytes, from 1, taken over and over; none: one chunk.
        limits: what to accept.
        subjects: what to try, by name.
    """
    frames = split(data)
    elements = sum(_elements(frame, limits) for frame in frames)
    # For a role the chunks begin anew with each of its peer's turns.
    arrivals = sum(1 for _ in chunks(data, sizes)) + len(frames)
    for name, subject in subjects.items():
        with counted() as work:
            outcome = guarded(name, data, partial(subject, data, sizes, limits))
        refused = 0 if outcome.problem is None else min(len(data), LENGTH_SIZE + limits.frame)
        lines = (
            LEAST_LINES
            + LINES_PER_CHUNK * arrivals
            + LINES_PER_FRAME * len(frames)
            + LINES_PER_ELEMENT * elements
            + LINES_PER_KIB * len(data) // KIB
            + LINES_PER_BYTE_REFUSED * refused
        )
        copied = COPIED_PER_CHUNK * arrivals + COPIED_PER_BYTE * len(data)
        if work.lines > lines:
            text = f"{name}, in chunks of {list(sizes)}, ran {work.lines} lines, not {lines}"
            broken("work is linear", text, data)
        if work.copied > copied:
            text = f"{name}, in chunks of {list(sizes)}, copied {work.copied} bytes, not {copied}"
            broken("work is linear", text, data)


def _elements(frame: bytes, limits: Limits) -> int:
    """Return how many prompts or responses a frame holds, or could hold where it is refused."""
    try:
        message = cursor.decode(frame, limits)
    except cursor.Refused as refused:
        if refused.code in OF_THE_FRAME:
            return 0
        return min(limits.count, len(frame) // 4)
    return sum(len(value) for value in message.values() if isinstance(value, list))
