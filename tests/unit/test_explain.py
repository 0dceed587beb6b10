"""Frames for people: each field named where it stands, and no secret unless asked for."""

import re

import pytest

from authplugin import ErrorCode, Limits, LocalProtocolError, explain
from authplugin_properties.oracles import cursor

from .samples import EVERY, PLAIN, RICH, SECRET, Sample, framed, problem_in, uint32

ROW = re.compile(
    r"  (?P<at>[0-9a-f]{6})  (?P<octets>(?:(?:[0-9a-f]{2}|\*\*) ?){1,16}) *(?P<rest>.*)"
)


def rows(text: str) -> list[tuple[int, list[str], str]]:
    """Return offset, octets and what is said of them, for each row of a dump."""
    found = []
    for line in text.splitlines()[1:]:
        if not line.startswith("  wrong: "):
            match = ROW.fullmatch(line)
            assert match is not None, line
            found.append((int(match["at"], 16), match["octets"].split(), match["rest"]))
    return found


def test_a_small_frame() -> None:
    assert explain(framed(b"\x02" + uint32(2) + uint32(3) + b"b\xc3\xa9")) == (
        "PLUGIN_INIT_RESPONSE, 16 bytes\n"
        "  000000  00 00 00 0c                                      length                   12\n"
        "  000004  02                                               type                     "
        "2 PLUGIN_INIT_RESPONSE\n"
        "  000005  00 00 00 02                                      version                  2\n"
        "  000009  00 00 00 03                                      username length          3\n"
        "  00000d  62 c3 a9                                         username                 b.."
    )


def test_secrets_are_hidden_unless_asked_for() -> None:
    frame = framed(b"\x17" + uint32(1) + uint32(18) + b"hunter2 and more~\x7f")
    head = (
        "PLUGIN_KI_USER_RESPONSE, 31 bytes\n"
        "  000000  00 00 00 1b                                      length                   27\n"
        "  000004  17                                               type                     "
        "23 PLUGIN_KI_USER_RESPONSE\n"
        "  000005  00 00 00 01                                      responses count          1\n"
        "  000009  00 00 00 12                                      responses[0] length      18\n"
    )
    assert explain(frame) == head + (
        "  00000d  ** ** ** ** ** ** ** ** ** ** ** ** ** ** ** **  responses[0]\n  00001d  ** **"
    )
    assert explain(frame, secrets=True) == head + (
        "  00000d  68 75 6e 74 65 72 32 20 61 6e 64 20 6d 6f 72 65  responses[0]             "
        "hunter2 and more\n"
        "  00001d  7e 7f                                                                     ~."
    )


def test_what_is_wrong_is_pointed_out() -> None:
    frame = framed(b"\x14" + bytes(12) + uint32(1) + uint32(1) + b"p\x02")
    assert explain(frame) == (
        "PLUGIN_KI_SERVER_REQUEST, 27 bytes\n"
        "  000000  00 00 00 17                                      length                   23\n"
        "  000004  14                                               type                     "
        "20 PLUGIN_KI_SERVER_REQUEST\n"
        "  000005  00 00 00 00                                      name length              0\n"
        "  000009  00 00 00 00                                      instructions length      0\n"
        "  00000d  00 00 00 00                                      language length          0\n"
        "  000011  00 00 00 01                                      prompts count            1\n"
        "  000015  00 00 00 01                                      prompts[0].prompt length 1\n"
        "  000019  70                                               prompts[0].prompt        p\n"
        "  00001a  **                                               not understood\n"
        "  wrong: bad-boolean: a boolean is 0 or 1 (at byte 26 of the frame, in prompts[0].echo)"
    )
    lenient = explain(frame, Limits(nonzero_is_true=True))
    assert lenient.endswith("02" + " " * 47 + "prompts[0].echo          true")
    assert "false" in explain(frame[:-1] + b"\0")


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"", "no message, 0 bytes\n  wrong: end-truncated: the input ends before the frame does "
         "(at byte 0 of the frame)"),
        (b"\0\0", "no message, 2 bytes\n"
         "  000000  ** **                                            not understood\n"
         "  wrong: end-truncated: the input ends before the frame does (at byte 2 of the frame)"),
        (b"\0\0\0\0", "no message, 4 bytes\n"
         "  000000  00 00 00 00                                      length                   0\n"
         "  wrong: frame-empty: a frame holds at least its type byte (at byte 0 of the frame)"),
        (b"\0\0\0\2\x63s", "unknown type 99, 6 bytes\n"
         "  000000  00 00 00 02                                      length                   2\n"
         "  000004  63                                               type                     "
         "unknown type 99\n"
         "  000005  **                                               not understood\n"
         "  wrong: unknown-type: the type byte is that of no message (at byte 4 of the frame)"),
        (b"\0\0\0\1\4\0", "PLUGIN_PROTOCOL_ACCEPT, 6 bytes\n"
         "  000000  00 00 00 01                                      length                   1\n"
         "  000004  04                                               type                     "
         "4 PLUGIN_PROTOCOL_ACCEPT\n"
         "  000005  **                                               not understood\n"
         "  wrong: trailing-bytes: 1 byte follows the frame (at byte 5 of the frame)"),
    ],
    ids=["empty", "no length", "empty frame", "unknown", "two frames"],
)  # fmt: skip
def test_bytes_that_are_no_frame(frame: bytes, text: str) -> None:
    assert explain(frame) == text
    assert explain(bytearray(frame)) == text
    assert explain(memoryview(frame)) == text


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_every_field_is_named_where_it_stands(sample: Sample) -> None:
    text = explain(sample.frame, secrets=True)
    assert text.startswith(f"{cursor.NAMES[sample.code]}, {len(sample.frame)} bytes\n")
    assert "wrong" not in text
    shown = rows(text)
    assert b"".join(bytes.fromhex("".join(octets)) for _, octets, _ in shown) == sample.frame
    named = {at: rest for at, _, rest in shown}
    for span in sample.spans:
        suffix = {"length": " length", "count": " count"}.get(span.kind, "")
        if span.size:
            assert re.match(rf"{re.escape(span.field + suffix)}( |$)", named[span.offset])
    for at in sample.of_kind("uint32", "length", "count"):
        value = int.from_bytes(sample.pieces[at].data, "big")
        assert named[sample.spans[at].offset].split()[-1] == str(value)
    for at in sample.of_kind("boolean"):
        wanted = ["false", "true"][sample.pieces[at].data[0]]
        assert named[sample.spans[at].offset].split()[-1] == wanted


def octets_of_secrets(sample: Sample) -> set[int]:
    """Return where the bytes of responses stand."""
    return {
        at
        for span in sample.spans
        if span.kind == "utf8" and span.field.startswith("responses")
        for at in range(span.offset, span.offset + span.size)
    }


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_only_responses_are_hidden_in_a_good_frame(sample: Sample) -> None:
    hidden = octets_of_secrets(sample)
    for start, octets, _ in rows(explain(sample.frame)):
        for at, octet in enumerate(octets, start):
            assert octet == ("**" if at in hidden else f"{sample.frame[at]:02x}")
    assert SECRET[:3] not in explain(sample.frame)


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_bad_frames_are_shown_whole_with_their_problem_and_without_secrets(sample: Sample) -> None:
    damaged = [sample.frame[:size] for size in range(len(sample.frame))]
    damaged += [framed(sample.frame[4:size]) for size in range(4, len(sample.frame))]
    damaged += [sample.frame + b"hunter2", framed(sample.body + b"hunter2")]
    damaged += [uint32(length) + sample.body for length in (0, 1, 3, 2**31, 2**32 - 1)]
    damaged += [
        sample.with_piece(at, wrong).frame
        for at in sample.of_kind("length", "count")
        for wrong in (uint32(1), uint32(2**32 - 1))
    ]
    for frame in damaged:
        problem = problem_in(frame)
        text = explain(frame)
        assert ("\n  wrong: " in text) is (problem is not None)
        if problem is not None:
            assert f"\n  wrong: {problem[0]}: " in text
        bare = rows(explain(frame, secrets=True))
        assert b"".join(bytes.fromhex("".join(octets)) for _, octets, _ in bare) == frame
        at = 0
        for start, octets, _ in rows(text):
            assert start == at
            at += len(octets)
        assert at == len(frame)
        # What was not understood could be anything.
        unread = [octets for _, octets, rest in rows(text) if rest.startswith("not understood")]
        assert all(set(octets) == {"**"} for octets in unread)
        for part in (SECRET[:3], SECRET[-3:]):
            assert part not in text
            assert part.encode().hex(" ") not in text


def test_the_method_says_what_the_codes_mean() -> None:
    frame = PLAIN[9].frame
    text = explain(frame, method=None)
    assert text.startswith("unknown type 21, ")
    assert text.count("** ") > len(frame) - 10
    assert "wrong: unknown-type" in text
    with pytest.raises(LocalProtocolError, match="no messages are known") as caught:
        explain(frame, method="password")
    assert caught.value.code is ErrorCode.METHOD_UNKNOWN
    with pytest.raises(LocalProtocolError, match="expected bytes"):
        explain("text")  # type: ignore[arg-type]


def test_nothing_beyond_the_frame_is_taken_for_a_field() -> None:
    frame = uint32(9) + b"\x17" + uint32(1) + uint32(3) + b"abc"
    shown = rows(explain(frame))
    assert shown[-1] == (9, ["**"] * 7, "not understood")


def test_limits_are_those_that_are_given() -> None:
    frame = RICH[0].frame
    assert "wrong: frame-too-long" in explain(frame, Limits(frame=len(frame) - 5))
    assert "wrong" not in explain(frame, Limits(frame=len(frame) - 4))
    assert "wrong: string-too-long" in explain(frame, Limits(text=10))
    assert "wrong" not in explain(framed(b"\x05" + uint32(1) + b"\xff"), Limits(any_bytes=True))


def test_a_long_field_takes_many_rows_and_one_name() -> None:
    text = explain(framed(b"\x08" + uint32(40) + bytes(range(0x41, 0x41 + 40))))
    assert [(at, len(octets), rest) for at, octets, rest in rows(text)][3:] == [
        (9, 16, "message                  ABCDEFGHIJKLMNOP"),
        (25, 16, "QRSTUVWXYZ[\\]^_`"),
        (41, 8, "abcdefgh"),
    ]
