"""Frames written out by hand, good and bad, with what each is or why it must be refused."""

import struct
from typing import Any

from authplugin_properties.oracles import Limits

Neutral = dict[str, Any]

DEFAULT = Limits()
SMALL = Limits(frame=40, text=4, count=2)
LENIENT = Limits(nonzero_is_true=True, any_bytes=True)
UNLIMITED = Limits(frame=2**32, text=2**32, count=2**32)

# At least one frame of each message, written out by hand.
VALID: list[tuple[bytes, Neutral]] = [
    (
        b"\0\0\0\x16\x01\0\0\0\x02\0\0\0\x02ab\0\0\0\x16\0\0\0\x03bob",
        {"type": 1, "version": 2, "hostname": b"ab", "port": 22, "username": b"bob"},
    ),
    (
        b"\0\0\0\x0b\x02\xff\xff\xff\xfe\0\0\0\x02\xc3\xa9",
        {"type": 2, "version": 4294967294, "username": b"\xc3\xa9"},
    ),
    (
        b"\0\0\0\x19\x03\0\0\0\x14keyboard-interactive",
        {"type": 3, "method": b"keyboard-interactive"},
    ),
    (b"\0\0\0\x01\x04", {"type": 4}),
    (b"\0\0\0\x05\x05\0\0\0\0", {"type": 5, "message": b""}),
    (b"\0\0\0\x01\x06", {"type": 6}),
    (b"\0\0\0\x01\x07", {"type": 7}),
    (b"\0\0\0\x08\x08\0\0\0\x03no\0", {"type": 8, "message": b"no\0"}),
    (
        b"\0\0\0\x21\x14\0\0\0\x01n\0\0\0\x02in\0\0\0\x02en\0\0\0\x02\0\0\0\x01p\x00\0\0\0\x00\x01",
        {
            "type": 20,
            "name": b"n",
            "instructions": b"in",
            "language": b"en",
            "prompts": [(b"p", False), (b"", True)],
        },
    ),
    (
        b"\0\0\0\x0f\x15\0\0\0\x02\0\0\0\0\0\0\0\x02pw",
        {"type": 21, "responses": [b"", b"pw"]},
    ),
    (
        b"\0\0\0\x11\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        {"type": 22, "name": b"", "instructions": b"", "language": b"", "prompts": []},
    ),
    (b"\0\0\0\x05\x17\0\0\0\0", {"type": 23, "responses": []}),
    # The ends of every range of well-formed UTF-8 (Unicode, table 3-7).
    (
        b"\0\0\0\x2d\x17\0\0\0\x01\0\0\0\x24"
        b"\x00\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xec\xbf\xbf\xed\x80\x80\xed\x9f\xbf\xee\x80\x80"
        b"\xef\xbf\xbf\xf0\x90\x80\x80\xf3\xbf\xbf\xbf\xf4\x8f\xbf\xbf",
        {
            "type": 23,
            "responses": [
                b"\x00\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xec\xbf\xbf\xed\x80\x80\xed\x9f\xbf"
                b"\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf3\xbf\xbf\xbf\xf4\x8f\xbf\xbf"
            ],
        },
    ),
]

# The messages of a conversation, as plain as they can be.
INIT = b"\0\0\0\x11\x01\0\0\0\x02\0\0\0\0\0\0\0\x16\0\0\0\0"
READY = b"\0\0\0\x09\x02\0\0\0\x02\0\0\0\0"
METHOD = b"\0\0\0\x19\x03\0\0\0\x14keyboard-interactive"
OTHER = b"\0\0\0\x06\x03\0\0\0\x01x"
ACCEPT = b"\0\0\0\x01\x04"
ASK_1 = b"\0\0\0\x17\x14" + bytes(12) + b"\0\0\0\x01\0\0\0\x01p\0"
ASK_USER_0 = b"\0\0\0\x11\x16" + bytes(16)
USER_0 = b"\0\0\0\x05\x17\0\0\0\0"
ANSWER_1 = b"\0\0\0\x0a\x15\0\0\0\x01\0\0\0\x01r"
SUCCESS = b"\0\0\0\x01\x06"

# What is wrong with the frame as a whole: bytes, code, offset, limits. No field is to blame.
BAD_FRAMES: list[tuple[bytes, str, int, Limits]] = [
    (b"", "end-truncated", 0, DEFAULT),
    (b"\0\0\0", "end-truncated", 3, DEFAULT),
    (b"\0\0\0\0", "frame-empty", 0, DEFAULT),
    (b"\0\0\0\0\x04", "frame-empty", 0, DEFAULT),
    (b"\0\0\0\x01", "end-truncated", 4, DEFAULT),
    (b"\0\0\0\x05\x17\0\0\0", "end-truncated", 8, DEFAULT),
    (b"\0\0\0\x01\x04\0", "trailing-bytes", 5, DEFAULT),
    (b"\0\0\0\x05\x17\0\0\0\0\0\0\0\x01\x06", "trailing-bytes", 9, DEFAULT),
    # The frame is looked at before what is in it.
    (b"\0\0\0\x01\x63\0", "trailing-bytes", 5, DEFAULT),
    (b"\0\0\0\x02\x63", "end-truncated", 5, DEFAULT),
    (b"\0\x04\0\x00", "end-truncated", 4, DEFAULT),
    (b"\0\x04\0\x01", "frame-too-long", 0, DEFAULT),
    (b"\x80\0\0\0\x04", "frame-too-long", 0, DEFAULT),
    (b"\xff\xff\xff\xff\x04", "frame-too-long", 0, DEFAULT),
    (b"\0\0\0\x28", "end-truncated", 4, SMALL),
    (b"\0\0\0\x29", "frame-too-long", 0, SMALL),
    (b"\0\0\0\x01\x00", "unknown-type", 4, DEFAULT),
    (b"\0\0\0\x01\x09", "unknown-type", 4, DEFAULT),
    (b"\0\0\0\x01\x13", "unknown-type", 4, DEFAULT),
    (b"\0\0\0\x05\x18\0\0\0\0", "unknown-type", 4, DEFAULT),
]

NO_TEXTS = bytes(12)  # an empty name, empty instructions, no language

# What is wrong inside the frame. The bytes begin with the type byte, which stands at offset 4.
BAD_BODIES: list[tuple[bytes, str, str | None, int, Limits]] = [
    # Numbers.
    (b"\x01", "field-truncated", "version", 5, DEFAULT),
    (b"\x02\0\0\0", "field-truncated", "version", 5, DEFAULT),
    (b"\x01\0\0\0\x02\0\0\0\0\0\0\0", "field-truncated", "port", 13, DEFAULT),
    # Strings: the length cut, then above the limit, then beyond the frame.
    (b"\x02\0\0\0\x02", "field-truncated", "username", 9, DEFAULT),
    (b"\x02\0\0\0\x02\0\0\0", "field-truncated", "username", 9, DEFAULT),
    (b"\x02\0\0\0\x02\0\0\0\x02b", "field-truncated", "username", 9, DEFAULT),
    (b"\x05\0\x01\0\x00", "field-truncated", "message", 5, DEFAULT),
    (b"\x05\0\x01\0\x01", "string-too-long", "message", 5, DEFAULT),
    (b"\x08\x80\0\0\0", "string-too-long", "message", 5, DEFAULT),
    (b"\x08\xff\xff\xff\xff", "string-too-long", "message", 5, DEFAULT),
    (b"\x05\0\0\0\x04abc", "field-truncated", "message", 5, SMALL),
    (b"\x05\0\0\0\x05abcde", "string-too-long", "message", 5, SMALL),
    (b"\x01\0\0\0\x02", "field-truncated", "hostname", 9, DEFAULT),
    (b"\x01\0\0\0\x02\0\0\0\0\0\0\0\x16", "field-truncated", "username", 17, DEFAULT),
    (b"\x03\0\0\0\x01", "field-truncated", "method", 5, DEFAULT),
    (b"\x14\0\0\0\x01", "field-truncated", "name", 5, DEFAULT),
    (b"\x14\0\0\0\0", "field-truncated", "instructions", 9, DEFAULT),
    (b"\x16\0\0\0\0\0\0\0\0", "field-truncated", "language", 13, DEFAULT),
    # Counts: cut, then above the limit, then more than could be there.
    (b"\x14" + NO_TEXTS, "field-truncated", "prompts", 17, DEFAULT),
    (b"\x15\0\0\0", "field-truncated", "responses", 5, DEFAULT),
    (b"\x15\0\0\x04\x00", "count-impossible", "responses", 5, DEFAULT),
    (b"\x15\0\0\x04\x01", "count-too-large", "responses", 5, DEFAULT),
    (b"\x15\x80\0\0\0", "count-too-large", "responses", 5, DEFAULT),
    (b"\x15\xff\xff\xff\xff", "count-too-large", "responses", 5, DEFAULT),
    (b"\x15\0\0\0\x03" + bytes(12), "count-too-large", "responses", 5, SMALL),
    (b"\x16" + NO_TEXTS + b"\0\0\0\x03" + bytes(15), "count-too-large", "prompts", 17, SMALL),
    (b"\x17\0\0\0\x01\0\0\0", "count-impossible", "responses", 5, DEFAULT),
    (b"\x14" + NO_TEXTS + b"\0\0\0\x01\0\0\0\0", "count-impossible", "prompts", 17, DEFAULT),
    (b"\x14" + NO_TEXTS + b"\0\0\0\x02" + bytes(9), "count-impossible", "prompts", 17, DEFAULT),
    # Their elements.
    (b"\x17\0\0\0\x01\0\0\0\x01", "field-truncated", "responses[0]", 9, DEFAULT),
    (b"\x17\0\0\0\x02\0\0\0\x03abc\0\0", "field-truncated", "responses[1]", 16, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x05abcde", "string-too-long", "responses[0]", 9, SMALL),
    (
        b"\x14" + NO_TEXTS + b"\0\0\0\x01\0\0\0\x02p",
        "field-truncated",
        "prompts[0].prompt",
        21,
        DEFAULT,
    ),
    (
        b"\x14" + NO_TEXTS + b"\0\0\0\x01\0\0\0\x01p",
        "field-truncated",
        "prompts[0].echo",
        26,
        DEFAULT,
    ),
    (
        b"\x14" + NO_TEXTS + b"\0\0\0\x02\0\0\0\0\x02\0\0\0\0\x00",
        "bad-boolean",
        "prompts[0].echo",
        25,
        DEFAULT,
    ),
    (
        b"\x16" + NO_TEXTS + b"\0\0\0\x02\0\0\0\0\x01\0\0\0\0\xff",
        "bad-boolean",
        "prompts[1].echo",
        30,
        DEFAULT,
    ),
    # The classes of ill-formed UTF-8: a stray continuation, a lead byte alone, overlong forms, a
    # surrogate, beyond U+10FFFF, bytes that are in no sequence, a cut at the end.
    (b"\x05\0\0\0\x02a\x80", "bad-utf8", "message", 10, DEFAULT),
    (b"\x08\0\0\0\x02\xc3a", "bad-utf8", "message", 9, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x02\xc0\x80", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x02\xc1\xbf", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x03\xe0\x9f\xbf", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x04\xf0\x8f\xbf\xbf", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x04a\xed\xa0\x80", "bad-utf8", "responses[0]", 14, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x03\xed\xbf\xbf", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x04\xf4\x90\x80\x80", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x01\xf5", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\x01\xff", "bad-utf8", "responses[0]", 13, DEFAULT),
    (b"\x02\0\0\0\x02\0\0\0\x03a\xe2\x82", "bad-utf8", "username", 14, DEFAULT),
    # Two fields that would be well-formed together are not so apart.
    (b"\x15\0\0\0\x02\0\0\0\x01\xc3\0\0\0\x01\xa9", "bad-utf8", "responses[0]", 13, DEFAULT),
    # Text in every other field.
    (b"\x01\0\0\0\x02\0\0\0\x02a\xff" + bytes(8), "bad-utf8", "hostname", 14, DEFAULT),
    (b"\x01\0\0\0\x02" + bytes(8) + b"\0\0\0\x01\xff", "bad-utf8", "username", 21, DEFAULT),
    (b"\x16\0\0\0\x01\xfe" + bytes(12), "bad-utf8", "name", 9, DEFAULT),
    (b"\x16\0\0\0\0\0\0\0\x01\xfe" + bytes(8), "bad-utf8", "instructions", 13, DEFAULT),
    (
        b"\x14" + NO_TEXTS + b"\0\0\0\x01\0\0\0\x01\xbf\x00",
        "bad-utf8",
        "prompts[0].prompt",
        25,
        DEFAULT,
    ),
    (b"\x03\0\0\0\x03k\xc3\xa9", "bad-ascii", "method", 10, DEFAULT),
    (b"\x14" + bytes(8) + b"\0\0\0\x01\x80\0\0\0\0", "bad-ascii", "language", 17, DEFAULT),
    # Bytes left over.
    (b"\x04\0", "trailing-bytes", None, 5, DEFAULT),
    (b"\x06\0", "trailing-bytes", None, 5, DEFAULT),
    (b"\x07\0", "trailing-bytes", None, 5, DEFAULT),
    (b"\x05\0\0\0\0\0", "trailing-bytes", None, 9, DEFAULT),
    (b"\x02\0\0\0\x09\0\0\0\x01f\0", "trailing-bytes", None, 14, DEFAULT),
    (b"\x17\0\0\0\x01\0\0\0\0x", "trailing-bytes", None, 13, DEFAULT),
    (b"\x16" + NO_TEXTS + bytes(5), "trailing-bytes", None, 21, DEFAULT),
    # Two problems: the first in reading order counts.
    (b"\x05\0\0\0\x01\xff\0", "bad-utf8", "message", 9, DEFAULT),
    (b"\x01\0\0\0\x02\0\0\0\x01\xff", "bad-utf8", "hostname", 13, DEFAULT),
    (
        b"\x14" + NO_TEXTS + b"\0\0\0\x02\0\0\0\x01\xff\x02\0\0\0\0",
        "bad-utf8",
        "prompts[0].prompt",
        25,
        DEFAULT,
    ),
    (b"\x14" + bytes(8) + b"\0\0\0\x01\x80\xff\xff\xff\xff", "bad-ascii", "language", 17, DEFAULT),
    # Leniency is for what it names and for nothing else.
    (b"\x15\0\0\0\x01\0\0\0\x01\xff", "bad-utf8", "responses[0]", 13, LENIENT),
    (b"\x14\0\0\0\x01\xff" + bytes(12), "bad-utf8", "name", 9, LENIENT),
    (b"\x03\0\0\0\x01\xff", "bad-ascii", "method", 9, LENIENT),
    (
        b"\x14" + NO_TEXTS + b"\0\0\0\x01\0\0\0\0\x02",
        "bad-boolean",
        "prompts[0].echo",
        25,
        Limits(any_bytes=True),
    ),
    (b"\x05\0\0\0\x01\xff", "bad-utf8", "message", 9, Limits(nonzero_is_true=True)),
]

REFUSED = [(frame, code, None, offset, limits) for frame, code, offset, limits in BAD_FRAMES] + [
    (struct.pack(">I", len(body)) + body, code, field, offset, limits)
    for body, code, field, offset, limits in BAD_BODIES
]

CODES = {
    "frame-empty",
    "frame-too-long",
    "end-truncated",
    "unknown-type",
    "field-truncated",
    "string-too-long",
    "count-too-large",
    "count-impossible",
    "trailing-bytes",
    "bad-boolean",
    "bad-utf8",
    "bad-ascii",
}
