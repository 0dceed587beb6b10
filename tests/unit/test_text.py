"""Whether bytes are text: against `bytes.decode`, and without a copy that grows with them."""

from collections.abc import Callable, Iterator

import pytest

import authplugin
from authplugin import Limits, RemoteProtocolError
from authplugin.text import (
    STEP,
    are_names,
    are_utf8,
    empty_name_at,
    ill_formed_at,
    is_ascii,
    not_ascii_at,
)

from .samples import framed, told, uint32
from .test_bounds import KIB, MIB, cost_of
from .test_errors import ILL_FORMED

WELL_FORMED = ["\u00e9".encode(), "\u20ac".encode(), "\U0001f600".encode(), b"\xf4\x8f\xbf\xbf"]
AROUND = [*range(-6, 7)]


def oracle(data: bytes, encoding: str = "utf-8") -> int | None:
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def around_the_steps(part: bytes) -> Iterator[bytes]:
    """Yield texts in which a part stands before, across and behind the end of each step."""
    for step in (0, STEP, 2 * STEP, 3 * STEP):
        for shift in AROUND:
            if step + shift >= 0:
                before = b"a" * (step + shift)
                yield before + part
                yield before + part + b"b" * 10
                # Where the sequences before it leave the steps' ends in the middle of one.
                yield ("\u20ac".encode() * (len(before) // 3 + 1)) + part + b"b" * 3


def test_a_step_is_what_is_looked_at_in_one_go() -> None:
    assert STEP == 16 * KIB


@pytest.mark.parametrize("part", WELL_FORMED, ids=bytes.hex)
def test_sequences_across_the_end_of_a_step_are_well_formed(part: bytes) -> None:
    for data in around_the_steps(part):
        assert oracle(data) is None
        assert ill_formed_at(memoryview(data)) is None
        assert are_utf8([data], len(data))


@pytest.mark.parametrize("part", ILL_FORMED.values(), ids=ILL_FORMED)
def test_ill_formed_sequences_are_found_wherever_they_stand(part: bytes) -> None:
    for data in around_the_steps(part):
        assert oracle(data) is not None
        assert ill_formed_at(memoryview(data)) == oracle(data)
        assert not are_utf8([data], len(data))


def test_the_empty_text_is_well_formed() -> None:
    assert ill_formed_at(memoryview(b"")) is None
    assert not_ascii_at(memoryview(b"")) is None
    assert is_ascii(memoryview(b""))
    assert are_utf8([], 0)
    assert are_utf8([], STEP + 1)
    assert are_utf8([memoryview(b"")], STEP + 1)


@pytest.mark.parametrize("size", [1, 5, STEP - 1, STEP, STEP + 1, 2 * STEP, 2 * STEP + 1])
def test_a_byte_that_is_not_ascii_is_found_wherever_it_stands(size: int) -> None:
    plain = b"\x7f" * size
    assert is_ascii(memoryview(plain))
    assert not_ascii_at(memoryview(plain)) is None
    places = {0, size // 2, size - 1, *(STEP + shift for shift in AROUND)}
    for at in sorted(place for place in places if place < size):
        data = plain[:at] + b"\x80" + plain[at + 1 :]
        assert not is_ascii(memoryview(data))
        assert not_ascii_at(memoryview(data)) == oracle(data, "ascii") == at


@pytest.mark.parametrize("size", [10, STEP, STEP + 1, 100 * KIB])
@pytest.mark.parametrize("part", [*WELL_FORMED, *ILL_FORMED.values()], ids=bytes.hex)
def test_strings_are_judged_one_by_one(part: bytes, size: int) -> None:
    """Whatever the size that decides how: halves of a sequence do not make a whole one."""
    for half in range(1, len(part)):
        assert not are_utf8([part[:half], part[half:]], size)
        assert not are_utf8([b"a", memoryview(part[:half]), part[half:], b"b"], size)
    good = oracle(part) is None
    assert are_utf8([part, b"a", part], size) is good
    assert are_utf8([b"a", b"\0", memoryview(part)], size) is good


@pytest.mark.parametrize(
    ("names", "at"),
    [
        (b"", None),
        (b"a", None),
        (b"bb,a,ccc", None),
        (b",", 0),
        (b",a", 0),
        (b"a,", 2),
        (b"bb,a,", 5),
        (b"bb,a,,ccc", 5),
    ],
)
def test_where_a_name_is_missing(names: bytes, at: int | None) -> None:
    assert empty_name_at(memoryview(names)) == at
    assert are_names(names) == (at is None)


def message_of(text: bytes) -> bytes:
    return framed(b"\x05" + uint32(len(text)) + text)


def request_of(texts: list[bytes]) -> bytes:
    strings = b"".join(uint32(len(text)) + text for text in (texts[0], texts[1], b""))
    prompts = b"".join(uint32(len(text)) + text + b"\x01" for text in texts[2:])
    return framed(b"\x14" + strings + uint32(len(texts) - 2) + prompts)


LARGE = Limits(frame=MIB, text=MIB)


@pytest.mark.parametrize("ill", [b"\xe2\x82", b"\xff", b"\xed\xa0\x80"], ids=bytes.hex)
@pytest.mark.parametrize("size", [STEP - 20, STEP - 9, STEP - 8, STEP, STEP + 1, 5 * STEP])
def test_large_frames_are_judged_like_small_ones(ill: bytes, size: int) -> None:
    good = "\u20ac".encode() * (size // 3)
    assert authplugin.decode(message_of(good), LARGE) == authplugin.PluginProtocolReject(good)
    for at in (0, len(good) // 2, len(good)):
        bad = good[:at] + ill + good[at:]
        with pytest.raises(RemoteProtocolError) as caught:
            authplugin.decode(message_of(bad), LARGE)
        assert told(caught.value) == ("bad-utf8", "message", 9 + (oracle(bad) or 0))
    for field, wrong in enumerate(
        ["name", "instructions", "prompts[0].prompt", "prompts[1].prompt"]
    ):
        texts = [good] * 4
        authplugin.decode(request_of(texts), LARGE)
        texts[field] += ill
        with pytest.raises(RemoteProtocolError) as caught:
            authplugin.decode(request_of(texts), LARGE)
        assert (caught.value.code, caught.value.field) == ("bad-utf8", wrong)


@pytest.mark.parametrize("mark", ["", "\u00e9", "\u20ac", "\U0001f600"], ids=["1", "2", "3", "4"])
@pytest.mark.parametrize("size", [MIB, 8 * MIB])
def test_what_is_copied_to_look_at_does_not_grow_with_the_text(mark: str, size: int) -> None:
    unit = (mark * 3 + "a").encode()
    data = memoryview(unit * (size // len(unit)))
    checks: list[Callable[[], object]] = [
        lambda: ill_formed_at(data),
        lambda: is_ascii(data),
        lambda: are_utf8([data, b"", data], len(data)),
    ]
    for check in checks:
        cost = cost_of(check)
        # A step, and what it is decoded to: at most four bytes for each of its characters.
        assert cost.peak <= 6 * STEP
        assert cost.left <= KIB
