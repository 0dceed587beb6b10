"""What can be wrong with what one side says: data and functions that make it so.

A fault turns a right conversation into wrong ones, and knows with which code a strict receiver
refuses them. It needs nothing but the codec, so that whoever wants to can wrap it: a strategy, a
mutator, a generator of vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from authplugin import MESSAGES, ErrorCode, Limits, Message, decode, encode
from authplugin.kinds import BooleanKind, CountedKind, Encoding, Kind, StringKind, UInt32Kind
from authplugin.messages import SPEAKER
from authplugin.session import MAY_END, EndKind

from .segments import LARGEST, Segment, segments_of, string, uint32

ILL_FORMED: Final = {
    "stray-continuation": b"\x80",
    "lead-alone": b"\xc3a",
    "overlong-two": b"\xc0\x80",
    "overlong-three": b"\xe0\x9f\xbf",
    "overlong-four": b"\xf0\x8f\xbf\xbf",
    "surrogate": b"\xed\xa0\x80",
    "above-10ffff": b"\xf4\x90\x80\x80",
    "never-used": b"\xff",
    "cut-at-the-end": b"\xe2\x82",
}
"""One string of each way in which bytes fail to be UTF-8 (RFC 3629, section 3)."""


class Scope(StrEnum):
    """What a receiver has to know to see that something is wrong."""

    FRAME = "frame"
    """The bytes themselves."""
    CONVERSATION = "conversation"
    """What was said before them."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """What the last speaker of a conversation says instead of its last frame.

    Attributes:
        place: what was made wrong, such as `"prompts[1].echo"`, or how.
        data: the bytes.
        ends: whether the end of file follows them.
    """

    place: str
    data: bytes
    ends: bool = False


Strike: TypeAlias = Callable[[Sequence[bytes], Limits], Iterator[Faulty]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to be wrong.

    Attributes:
        name: a stable name.
        sentence: what is wrong, for people.
        code: what a strict receiver refuses it with.
        clause: the section of the published text that it breaks.
        scope: whether the wrong bytes can be told from right ones by themselves.
        strike: called with a right conversation and the limits of its receiver, gives every
            wrong one that this fault makes of it; none where the fault does not fit. The
            conversation is the frames of both sides in order, from the first; only its last frame
            becomes wrong. Faults of scope `FRAME` look at no other, and one frame will do.
    """

    name: str
    sentence: str
    code: ErrorCode
    clause: str
    scope: Scope
    strike: Strike


_faults: list[Fault] = []


def _fault(
    name: str, code: ErrorCode, clause: str, sentence: str, scope: Scope = Scope.FRAME
) -> Callable[[Strike], Strike]:
    def declare(strike: Strike) -> Strike:
        _faults.append(Fault(name, sentence, code, clause, scope, strike))
        return strike

    return declare


# The faults of a frame.


def _with(
    frame: bytes, limits: Limits, change: Callable[[Segment, int], Iterator[bytes]]
) -> Iterator[Faulty]:
    """Yield the frame with each segment changed in each way; its length is right again.

    `change` is called with a segment and how many bytes follow the segment's first four.
    """
    segments = segments_of(decode(frame, limits))
    body = [segment.data for segment in segments]
    for index, segment in enumerate(segments):
        before, after = b"".join(body[:index]), b"".join(body[index + 1 :])
        left = len(segment.data) + len(after) - 4
        for changed in change(segment, left):
            data = string(frame[4:5] + before + changed + after)
            if len(data) <= 4 + limits.frame:
                yield Faulty(segment.name, data)


@_fault("truncate", ErrorCode.END_TRUNCATED, "H.3", "The input ends inside a frame.")
def _truncate(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    for stop in range(1, len(frames[-1])):
        yield Faulty(f"at byte {stop}", frames[-1][:stop], ends=True)


@_fault("empty-frame", ErrorCode.FRAME_EMPTY, "H.3", "A frame has no type byte.")
def _empty_frame(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    yield Faulty("length", uint32(0))


@_fault(
    "oversized-claim",
    ErrorCode.FRAME_TOO_LONG,
    "H.3",
    "A frame says that it is longer than its receiver takes.",
)
def _oversized_claim(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    for length in sorted({limits.frame + 1, 2**31, LARGEST}):
        if limits.frame < length <= LARGEST:
            yield Faulty(f"length {length}", uint32(length) + frames[-1][4:])


@_fault(
    "oversized-string",
    ErrorCode.STRING_TOO_LONG,
    "H.3",
    "A string is, or says that it is, longer than its receiver takes.",
)
def _oversized_string(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and limits.text < LARGEST:
            yield uint32(LARGEST) + segment.data[4:]
            yield string(b"x" * (limits.text + 1))

    yield from _with(frames[-1], limits, change)


@_fault(
    "lying-length",
    ErrorCode.FIELD_TRUNCATED,
    "H.3",
    "A string says that it is longer than what is left of its frame.",
)
def _lying_length(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind):
            for length in sorted({left + 1, limits.text}):
                if left < length <= limits.text:
                    yield uint32(length) + segment.data[4:]

    yield from _with(frames[-1], limits, change)


@_fault(
    "oversized-count",
    ErrorCode.COUNT_TOO_LARGE,
    "H.6.7",
    "A count is of more elements than its receiver takes.",
)
def _oversized_count(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, CountedKind):
            for count in sorted({limits.count + 1, 2**31, LARGEST}):
                if limits.count < count <= LARGEST:
                    yield uint32(count)

    yield from _with(frames[-1], limits, change)


@_fault(
    "lying-count",
    ErrorCode.COUNT_IMPOSSIBLE,
    "H.6.7",
    "A count is of more elements than what is left of the frame can hold.",
)
def _lying_count(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, CountedKind):
            least = left // segment.kind.least_element_size + 1
            for count in sorted({least, limits.count}):
                if least <= count <= limits.count:
                    yield uint32(count)

    yield from _with(frames[-1], limits, change)


@_fault(
    "trailing-byte", ErrorCode.TRAILING_BYTES, "H.3", "A byte is left over behind the last field."
)
def _trailing_byte(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    for byte in (0x00, 0xFF):
        data = string(frames[-1][4:] + bytes((byte,)))
        if len(data) <= 4 + limits.frame:
            yield Faulty(f"byte {byte:02x}", data)


@_fault("bad-boolean", ErrorCode.BAD_BOOLEAN, "H.3", "A boolean is neither 0 nor 1.")
def _bad_boolean(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, BooleanKind) and not limits.nonzero_is_true:
            yield b"\x02"
            yield b"\xff"

    yield from _with(frames[-1], limits, change)


@_fault("bad-utf8", ErrorCode.BAD_UTF8, "H.6.7", "A text is not UTF-8.")
def _bad_utf8(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and _must_be_utf8(segment.kind, limits):
            for ill_formed in ILL_FORMED.values():
                if len(ill_formed) <= limits.text:
                    yield string(ill_formed)

    yield from _with(frames[-1], limits, change)


@_fault("bad-ascii", ErrorCode.BAD_ASCII, "H.6.4", "A name of a method or language is not ASCII.")
def _bad_ascii(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and segment.kind.encoding is Encoding.ASCII:
            for text in (b"\x80", "é".encode()):
                if len(text) <= limits.text:
                    yield string(text)

    yield from _with(frames[-1], limits, change)


def _must_be_utf8(kind: StringKind, limits: Limits) -> bool:
    return kind.encoding is Encoding.UTF8 or (
        kind.encoding is Encoding.UNSTATED and not limits.any_bytes
    )


@_fault("unknown-type", ErrorCode.UNKNOWN_TYPE, "H.6", "The type byte is that of no message.")
def _unknown_type(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    for code in _UNKNOWN_TYPES:
        yield Faulty(f"type {code}", frames[-1][:4] + bytes((code,)) + frames[-1][5:])


_UNKNOWN_TYPES = sorted({0, 9, 19, 24, 128, 255} - {each.spec.code for each in MESSAGES})


# The faults of a conversation.


@_fault(
    "wrong-side",
    ErrorCode.WRONG_SIDE,
    "H.6",
    "One side says what only the other may say.",
    Scope.CONVERSATION,
)
def _wrong_side(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    sender = decode(frames[-1], limits).spec.sender
    for each in MESSAGES:
        if each.spec.sender is not sender:
            yield Faulty(each.spec.name, encode(plain(each), limits))


@_fault(
    "wrong-state",
    ErrorCode.WRONG_STATE,
    "H.5",
    "A message comes where the conversation has no place for it.",
    Scope.CONVERSATION,
)
def _wrong_state(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    spec = decode(frames[-1], limits).spec
    for each in MESSAGES:
        if each.spec.sender is spec.sender and each.spec.leaves is not spec.leaves:
            yield Faulty(each.spec.name, encode(plain(each), limits))


@_fault(
    "wrong-turn",
    ErrorCode.WRONG_TURN,
    "H.1",
    "One side speaks again where it is the other's turn.",
    Scope.CONVERSATION,
)
def _wrong_turn(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    spec = decode(frames[-1], limits).spec
    if SPEAKER.get(spec.enters) is spec.sender.other:
        yield Faulty(f"{spec.name} twice", frames[-1] + frames[-1])


@_fault(
    "premature-end",
    ErrorCode.END_PREMATURE,
    "H.5",
    "The plugin's output ends, between two frames, while it owes a message.",
    Scope.CONVERSATION,
)
def _premature_end(frames: Sequence[bytes], limits: Limits) -> Iterator[Faulty]:
    # A client owes nothing: it may close at any time (H.5).
    spec = decode(frames[-1], limits).spec
    if EndKind.PREMATURE not in MAY_END[spec.sender]:
        yield Faulty(f"instead of {spec.name}", b"", ends=True)


def plain(message_type: type[Message]) -> Message:
    """Return the plainest message of a type: zero, and nothing."""
    return message_type(*(_plain_value(field.kind) for field in message_type.spec.fields))


def _plain_value(kind: Kind) -> object:
    if isinstance(kind, UInt32Kind):
        return 0
    return b"" if isinstance(kind, StringKind) else []


FAULTS: Final[tuple[Fault, ...]] = tuple(_faults)
"""All faults."""


def fault_named(name: str) -> Fault:
    """Return a fault by its name.

    Raises:
        KeyError: where there is none of that name.
    """
    return {fault.name: fault for fault in FAULTS}[name]
