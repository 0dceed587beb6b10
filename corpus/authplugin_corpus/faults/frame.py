"""What can be wrong with a frame, to be seen from its bytes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from authplugin import ErrorCode, Limits
from authplugin.kinds import BooleanKind, CountedKind, Encoding, StringKind

from ..segments import LARGEST, Segment, segments_of, string, uint32
from .declaring import Lead, fault
from .fault import Fault, Faulty, Scope

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

_table: list[Fault] = []


def changed(
    lead: Lead, code: ErrorCode, change: Callable[[Segment, int], Iterator[bytes]]
) -> Iterator[Faulty]:
    """Yield the frame with each segment changed in each way; its length is right again.

    `change` is called with a segment and how many bytes follow the segment's first four.
    """
    segments = segments_of(lead.message)
    body = [segment.data for segment in segments]
    for index, segment in enumerate(segments):
        before, after = b"".join(body[:index]), b"".join(body[index + 1 :])
        left = len(segment.data) + len(after) - 4
        for changed in change(segment, left):
            data = string(lead.frame[4:5] + before + changed + after)
            if fits(data, lead.limits):
                yield lead.says(segment.part, segment.name, data, code)


def fits(frame: bytes, limits: Limits) -> bool:
    """Say whether a frame keeps to the limit of frames."""
    return len(frame) <= 4 + limits.frame


@fault(
    _table,
    "truncate",
    ErrorCode.END_TRUNCATED,
    "H.3",
    "The input ends inside a frame.",
    Scope.FRAME,
    second=True,
)
def _truncate(lead: Lead) -> Iterator[Faulty]:
    parts = lead.parts()
    for stop in range(1, len(lead.frame)):
        data = lead.frame[:stop]
        yield lead.says(parts[stop], _at(stop), data, ErrorCode.END_TRUNCATED, ends=True)


def _at(stop: int) -> str:
    return f"at byte {stop}"


@fault(
    _table,
    "truncated-body",
    {ErrorCode.FRAME_EMPTY, ErrorCode.FIELD_TRUNCATED, ErrorCode.COUNT_IMPOSSIBLE},
    "H.3",
    "A frame says that it is shorter than its message, and is.",
    Scope.FRAME,
    second=True,
)
def _truncated_body(lead: Lead) -> Iterator[Faulty]:
    parts, short = lead.parts(), _short_of_elements(lead)
    end = len(lead.frame)
    if lead.takes_any_end:
        end = min(end, lead.spans()[-1].start)
    for stop in range(4, end):
        code = ErrorCode.FIELD_TRUNCATED
        if stop == 4:
            code = ErrorCode.FRAME_EMPTY
        elif any(stop in cuts for cuts in short):
            code = ErrorCode.COUNT_IMPOSSIBLE
        yield lead.says(parts[stop], _at(stop), string(lead.frame[4:stop]), code)


def _short_of_elements(lead: Lead) -> list[range]:
    """Return where cuts leave a count, and fewer bytes than that many elements take at least."""
    at = 5
    short = []
    for segment in segments_of(lead.message):
        at += len(segment.data)
        if isinstance(segment.kind, CountedKind):
            count = int.from_bytes(segment.data, "big")
            short.append(range(at, at + count * segment.kind.least_element_size))
    return short


@fault(
    _table,
    "empty-frame",
    ErrorCode.FRAME_EMPTY,
    "H.3",
    "A frame has no type byte.",
    Scope.FRAME,
)
def _empty_frame(lead: Lead) -> Iterator[Faulty]:
    yield lead.says("length", "length 0", uint32(0), ErrorCode.FRAME_EMPTY)


@fault(
    _table,
    "oversized-claim",
    ErrorCode.FRAME_TOO_LONG,
    "H.3",
    "A frame says that it is longer than its receiver takes.",
    Scope.FRAME,
    second=True,
)
def _oversized_claim(lead: Lead) -> Iterator[Faulty]:
    for length in sorted({lead.limits.frame + 1, 2**31, LARGEST}):
        if lead.limits.frame < length <= LARGEST:
            data = uint32(length) + lead.frame[4:]
            yield lead.says("length", f"length {length}", data, ErrorCode.FRAME_TOO_LONG)


@fault(
    _table,
    "oversized-string",
    ErrorCode.STRING_TOO_LONG,
    "H.3",
    "A string is, or says that it is, longer than its receiver takes.",
    Scope.FRAME,
)
def _oversized_string(lead: Lead) -> Iterator[Faulty]:
    longest = lead.limits.text

    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and longest < LARGEST:
            yield uint32(LARGEST) + segment.data[4:]
            yield string(b"x" * (longest + 1))

    yield from changed(lead, ErrorCode.STRING_TOO_LONG, change)


@fault(
    _table,
    "lying-length",
    ErrorCode.FIELD_TRUNCATED,
    "H.3",
    "A string says that it is longer than what is left of its frame.",
    Scope.FRAME,
)
def _lying_length(lead: Lead) -> Iterator[Faulty]:
    longest = lead.limits.text

    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind):
            for length in sorted({left + 1, longest}):
                if left < length <= longest:
                    yield uint32(length) + segment.data[4:]

    yield from changed(lead, ErrorCode.FIELD_TRUNCATED, change)


@fault(
    _table,
    "oversized-count",
    ErrorCode.COUNT_TOO_LARGE,
    "H.6.7",
    "A count is of more elements than its receiver takes.",
    Scope.FRAME,
)
def _oversized_count(lead: Lead) -> Iterator[Faulty]:
    most = lead.limits.count

    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, CountedKind):
            for count in sorted({most + 1, 2**31, LARGEST}):
                if most < count <= LARGEST:
                    yield uint32(count)

    yield from changed(lead, ErrorCode.COUNT_TOO_LARGE, change)


@fault(
    _table,
    "lying-count",
    ErrorCode.COUNT_IMPOSSIBLE,
    "H.6.7",
    "A count is of more elements than what is left of the frame can hold.",
    Scope.FRAME,
)
def _lying_count(lead: Lead) -> Iterator[Faulty]:
    most = lead.limits.count

    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, CountedKind):
            least = left // segment.kind.least_element_size + 1
            for count in sorted({least, most}):
                if least <= count <= most:
                    yield uint32(count)

    yield from changed(lead, ErrorCode.COUNT_IMPOSSIBLE, change)


@fault(
    _table,
    "trailing-byte",
    ErrorCode.TRAILING_BYTES,
    "H.3",
    "A byte is left over behind the last field.",
    Scope.FRAME,
    second=True,
)
def _trailing_byte(lead: Lead) -> Iterator[Faulty]:
    if lead.takes_any_end:
        return
    for byte in (0x00, 0xFF):
        data = string(lead.frame[4:] + bytes((byte,)))
        if fits(data, lead.limits):
            yield lead.says("frame", f"byte {byte:02x}", data, ErrorCode.TRAILING_BYTES)


@fault(
    _table,
    "bad-boolean",
    ErrorCode.BAD_BOOLEAN,
    "H.3",
    "A boolean is neither 0 nor 1.",
    Scope.FRAME,
)
def _bad_boolean(lead: Lead) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        # Where a boolean says which message it is, nobody takes another byte for true.
        strict = segment.constant or not lead.limits.nonzero_is_true
        if isinstance(segment.kind, BooleanKind) and strict:
            yield b"\x02"
            yield b"\xff"

    yield from changed(lead, ErrorCode.BAD_BOOLEAN, change)


@fault(
    _table,
    "bad-utf8",
    ErrorCode.BAD_UTF8,
    "H.6.7",
    "A text is not UTF-8.",
    Scope.FRAME,
)
def _bad_utf8(lead: Lead) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and _must_be_utf8(segment.kind, lead.limits):
            for ill_formed in ILL_FORMED.values():
                if len(ill_formed) <= lead.limits.text:
                    yield string(ill_formed)

    yield from changed(lead, ErrorCode.BAD_UTF8, change)


def _must_be_utf8(kind: StringKind, limits: Limits) -> bool:
    return kind.encoding is Encoding.UTF8 or (
        kind.encoding is Encoding.UNSTATED and not limits.any_bytes
    )


_ASCII: Final = (Encoding.ASCII, Encoding.NAMES)


@fault(
    _table,
    "bad-ascii",
    ErrorCode.BAD_ASCII,
    "H.6.4",
    "A name of a method or language is not ASCII.",
    Scope.FRAME,
)
def _bad_ascii(lead: Lead) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and segment.kind.encoding in _ASCII:
            for text in (b"\x80", "é".encode()):
                if len(text) <= lead.limits.text:
                    yield string(text)

    yield from changed(lead, ErrorCode.BAD_ASCII, change)


@fault(
    _table,
    "unknown-type",
    ErrorCode.UNKNOWN_TYPE,
    "H.6",
    "The type byte is that of no message.",
    Scope.FRAME,
    second=True,
)
def _unknown_type(lead: Lead) -> Iterator[Faulty]:
    for code in lead.protocol.unknown:
        data = lead.frame[:4] + bytes((code,)) + lead.frame[5:]
        yield lead.says("type", f"type {code}", data, ErrorCode.UNKNOWN_TYPE)


FAULTS_OF_FRAMES: Final = tuple(_table)
"""The faults of scope `FRAME`."""
