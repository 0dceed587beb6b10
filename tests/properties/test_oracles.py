"""The two readers among the oracles, against bytes written by hand and against each other."""

import itertools
import re
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authplugin_properties.oracles import Limits, Refused, cursor, grammar

from .frames import CODES, DEFAULT, LENIENT, NO_TEXTS, REFUSED, SMALL, UNLIMITED, VALID, Neutral

# The two readers against bytes.


@pytest.mark.parametrize(("frame", "message"), VALID)
def test_a_good_frame_is_read_and_built_as_written_by_hand(frame: bytes, message: Neutral) -> None:
    # repr as well, since True == 1.
    for read in (cursor.decode(frame), grammar.parse(frame)):
        assert read == message
        assert repr(read) == repr(message)
    assert grammar.build(message) == frame


def test_every_message_is_among_the_good_frames() -> None:
    assert {frame[4] for frame, _ in VALID} == set(cursor.FIELDS) == set(grammar.BODIES)


@pytest.mark.parametrize(("frame", "code", "field", "offset", "limits"), REFUSED)
def test_a_bad_frame_is_refused_with_code_field_and_offset(
    frame: bytes, code: str, field: str | None, offset: int, limits: Limits
) -> None:
    with pytest.raises(Refused) as caught:
        cursor.decode(frame, limits)
    assert (caught.value.code, caught.value.field, caught.value.offset) == (code, field, offset)


def test_every_code_is_among_the_bad_frames() -> None:
    assert {code for _, code, _, _, _ in REFUSED} == CODES


def test_what_fills_the_limits_is_taken() -> None:
    full = b"\0\0\0\x28\x14\0\0\0\x04name\0\0\0\x04inst\0\0\0\x01l\0\0\0\x02" + (
        b"\0\0\0\x02ab\x00\0\0\0\x02cd\x01"
    )
    assert len(full) == 4 + 40
    assert cursor.decode(full, SMALL)["prompts"] == [(b"ab", False), (b"cd", True)]
    longest = b"\0\x01\0\x05\x08\0\x01\0\x00" + b"m" * 65536
    assert cursor.decode(longest)["message"] == b"m" * 65536
    most = b"\0\0\x10\x05\x15\0\0\x04\x00" + bytes(4096)
    assert cursor.decode(most)["responses"] == [b""] * 1024


def test_leniency_takes_other_booleans_as_true() -> None:
    frame = b"\0\0\0\x20\x14" + NO_TEXTS + b"\0\0\0\x03\0\0\0\0\x02\0\0\0\0\xff\0\0\0\0\x00"
    taken = cursor.decode(frame, Limits(nonzero_is_true=True))["prompts"]
    assert repr(taken) == repr([(b"", True), (b"", True), (b"", False)])


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        (b"\0\0\0\x12\x01\0\0\0\x02\0\0\0\x01\xff\0\0\0\0\0\0\0\0", "hostname"),
        (b"\0\0\0\x12\x01\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\x01\xff", "username"),
        (b"\0\0\0\x0a\x02\0\0\0\x02\0\0\0\x01\xff", "username"),
        (b"\0\0\0\x06\x05\0\0\0\x01\xff", "message"),
        (b"\0\0\0\x06\x08\0\0\0\x01\xff", "message"),
    ],
)
def test_leniency_takes_any_bytes_where_no_encoding_is_stated(frame: bytes, field: str) -> None:
    assert cursor.decode(frame, Limits(any_bytes=True))[field] == b"\xff"


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(Refused) as caught:
        cursor.decode(b"\0\0\0\x10\x15\0\0\0\x01\0\0\0\x07secret\xff")
    assert str(caught.value) == "bad-utf8 at offset 19 (responses[0])"
    assert caught.value.__suppress_context__
    assert b"secret" not in caught.value.args


@pytest.mark.parametrize(
    "message",
    [
        {"type": 5},
        {"type": 4, "message": b""},
        {"type": 2, "version": 2, "username": b"", "hostname": b""},
    ],
)
def test_the_grammar_builds_nothing_from_the_wrong_fields(message: Neutral) -> None:
    with pytest.raises(ValueError, match="has the fields"):
        grammar.build(message)


@pytest.mark.parametrize(
    "message",
    [
        {"type": 9},
        {"type": 2, "version": 2**32, "username": b""},
        {"type": 2, "version": -1, "username": b""},
        {
            "type": 20,
            "name": b"",
            "instructions": b"",
            "language": b"",
            "prompts": [(b"", 2)],
        },
    ],
)
def test_the_grammar_builds_nothing_that_does_not_fit(message: Neutral) -> None:
    with pytest.raises(grammar.ConstructError):
        grammar.build(message)


# The two readers against each other.


def value_at(message: Neutral, field: str) -> Any:
    """Return what a field's full name, such as prompts[0].prompt, stands for."""
    parts = re.fullmatch(r"(\w+)(?:\[(\d+)\](?:\.(prompt|echo))?)?", field)
    assert parts is not None
    name, index, part = parts.groups()
    value = message[name] if index is None else message[name][int(index)]
    return value if part is None else value[("prompt", "echo").index(part)]


def well_formed(value: bytes, encoding: str) -> bool:
    return value.decode(encoding, "ignore").encode(encoding) == value


def judged(frame: bytes, limits: Limits) -> Neutral | Refused:
    try:
        return cursor.decode(frame, limits)
    except Refused as refusal:
        return refusal


def compare(frame: bytes, limits: Limits) -> str | None:
    """Hold the readers against each other and return the cursor's code.

    The grammar is laxer in two things only: it judges no text, and it knows no limits. What it
    takes and the cursor does not must fail by one of them, as can be seen in what it read.
    """
    verdict = judged(frame, limits)
    try:
        parsed = grammar.parse(frame)
    except grammar.ConstructError:
        assert isinstance(verdict, Refused), frame
        assert 0 <= verdict.offset <= len(frame)
        return verdict.code
    if not isinstance(verdict, Refused):
        assert parsed == verdict
        assert grammar.build(verdict) == frame
        return None
    if verdict.code == "frame-too-long":
        assert len(frame) - 4 > limits.frame
        return verdict.code
    assert verdict.field is not None, frame
    value = value_at(parsed, verdict.field)
    match verdict.code:
        case "string-too-long":
            assert len(value) > limits.text
        case "count-too-large":
            assert len(value) > limits.count
        case "bad-utf8":
            assert not well_formed(value, "utf-8")
        case "bad-ascii":
            assert not well_formed(value, "ascii")
        case code:
            pytest.fail(f"{code}, but the grammar takes it: {frame!r}")
    return verdict.code


def with_length(frame: bytes) -> bytes:
    return struct.pack(">I", len(frame) - 4) + frame[4:]


NUMBERS = (0, 1, 2, 4, 5, 2**31, 2**32 - 1)


def test_the_readers_agree_on_every_small_damage_to_the_good_frames() -> None:
    seen = set()
    for frame, _ in VALID:
        damaged = [frame, frame + b"\0", with_length(frame + b"\0")]
        for at in range(len(frame) + 1):
            damaged.append(frame[:at])
            if at > 4:
                damaged.append(with_length(frame[:at]))
            for value in (0, 1, 2, 0x15, 0x7F, 0x80, 0xFF):
                damaged.append(frame[:at] + bytes([value]) + frame[at + 1 :])
            old = int.from_bytes(frame[at : at + 4], "big")
            for number in (*NUMBERS, max(old, 1) - 1, min(old, 2**32 - 2) + 1):
                damaged.append(frame[:at] + struct.pack(">I", number) + frame[at + 4 :])
        for bad, limits in itertools.product(damaged, (DEFAULT, SMALL, UNLIMITED)):
            seen.add(compare(bad, limits))
    assert seen == {None, *CODES}


uint32 = st.sampled_from(NUMBERS) | st.integers(0, 2**32 - 1)
# Some text is well-formed, some is not, some is only ASCII.
text = (
    st.text(max_size=8).map(lambda value: value.encode())
    | st.text(st.characters(max_codepoint=127), max_size=8).map(lambda value: value.encode())
    | st.binary(max_size=6)
)
FIELD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "version": uint32,
    "port": uint32,
    "prompts": st.lists(st.tuples(text, st.booleans()), max_size=4),
    "responses": st.lists(text, max_size=4),
}
# The layout by name comes from the grammar, so that a slip in the cursor's own table shows.
messages = st.sampled_from(sorted(grammar.BODIES)).flatmap(
    lambda code: st.fixed_dictionaries(
        {
            "type": st.just(code),
            **{
                field.name: FIELD_VALUES.get(field.name, text)
                for field in grammar.BODIES[code].subcons
            },
        }
    )
)
limits_of_any_size = st.builds(
    Limits,
    frame=st.integers(1, 60) | st.just(262_144),
    text=st.integers(0, 8) | st.just(65_536),
    count=st.integers(0, 4) | st.just(1_024),
)


@st.composite
def near_valid_frames(draw: st.DrawFn) -> bytes:
    frame = grammar.build(draw(messages))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(frame)))
        match draw(st.sampled_from(["byte", "number", "cut", "insert", "remove"])):
            case "byte":
                frame = frame[:at] + bytes([draw(st.integers(0, 255))]) + frame[at + 1 :]
            case "number":
                frame = frame[:at] + struct.pack(">I", draw(uint32)) + frame[at + 4 :]
            case "cut":
                frame = frame[:at]
            case "insert":
                frame = frame[:at] + draw(st.binary(min_size=1, max_size=5)) + frame[at:]
            case "remove":
                frame = frame[:at] + frame[at + draw(st.integers(1, 5)) :]
        if len(frame) >= 4 and draw(st.booleans()):
            frame = with_length(frame)
    return frame


@settings(deadline=None)
@given(messages)
def test_the_cursor_reads_what_the_grammar_builds(message: Neutral) -> None:
    frame = grammar.build(message)
    assert grammar.parse(frame) == message
    compare(frame, DEFAULT)


@settings(deadline=None, max_examples=300)
@given(near_valid_frames(), limits_of_any_size)
@example(b"\0\0\0\x01\x04", DEFAULT)
def test_the_readers_agree_on_near_valid_frames(frame: bytes, limits: Limits) -> None:
    compare(frame, limits)


@settings(deadline=None, max_examples=300)
@given(near_valid_frames())
def test_leniency_changes_nothing_but_what_it_names(frame: bytes) -> None:
    """What is taken strictly is taken leniently too, as the same message."""
    strict = judged(frame, DEFAULT)
    if not isinstance(strict, Refused):
        assert cursor.decode(frame, LENIENT) == strict
