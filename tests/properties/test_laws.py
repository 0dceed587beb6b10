"""The laws: they hold of the codec, and each is broken by code that is wrong on purpose."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authplugin import Side
from authplugin_properties import laws, strategies
from authplugin_properties.laws import LawBroken
from authplugin_properties.properties import PROPERTIES

from .breaks import BREAKS, Break
from .frames import ACCEPT, ANSWER_1, ASK_1, ASK_USER_0, INIT, METHOD, READY, SUCCESS, USER_0
from .mistakes import forget_a_message, take_any_bytes_for_utf8

CONVERSATION = INIT + READY + METHOD + ACCEPT + ASK_1 + ASK_USER_0 + USER_0 + ANSWER_1 + SUCCESS


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_law_holds(name: str) -> None:
    PROPERTIES[name].test()()


@given(st.binary(max_size=64), st.sampled_from(Side), st.data())
def test_the_laws_hold_of_any_bytes(data: bytes, side: Side, choice: st.DataObject) -> None:
    sizes = choice.draw(strategies.chunkings(data))
    laws.only_protocol_error(data)
    laws.chunking_changes_nothing(data, sizes)
    laws.good_before_bad(data, sizes)
    laws.poisoned_stays_poisoned(data, sizes=sizes)
    laws.round_trip(data)
    laws.agrees_with_cursor(data)
    laws.agrees_with_grammar(data)
    laws.agrees_with_model(data, side, sizes=sizes)
    laws.held_is_bounded(data, sizes)
    laws.work_is_linear(data, sizes)


@pytest.mark.parametrize("sizes", [(), (1,)])
def test_no_prefix_of_a_conversation_yields_anything_else(sizes: tuple[int, ...]) -> None:
    for data in (CONVERSATION, CONVERSATION[:-1] + b"\7", INIT + READY + ASK_1 + b"\0"):
        laws.prefix_yields_nothing_else(data, None, sizes=sizes)


def test_every_law_has_a_property_and_a_break() -> None:
    named = {name for name in laws.__all__ if name.islower()}
    # Server, bridge and plugin together are tried by a machine of their own.
    assert {each.law.__name__ for each in PROPERTIES.values()} == named - {"three_agree"}
    assert {each.law for each in BREAKS} == set(PROPERTIES)


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_fuzzer_can_try_the_law(name: str) -> None:
    tried = [PROPERTIES[name].fuzz_one_input(bytes([byte]) * 1000) for byte in range(0, 250, 25)]
    # What it takes for arguments is what it gives back, to be kept.
    kept = [data for data in tried if data is not None]
    assert kept
    assert PROPERTIES[name].fuzz_one_input(kept[0]) == kept[0]


@pytest.mark.parametrize("each", BREAKS, ids=lambda each: each.name)
def test_the_law_is_broken_by_wrong_code(each: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    each.broken.law(**each.example)
    each.make(monkeypatch)
    with pytest.raises(LawBroken, match=each.says):
        each.broken.law(**each.example)


def fuzz(name: str, tries: int) -> None:
    random = Random(0)
    for _ in range(tries):
        PROPERTIES[name].fuzz_one_input(random.randbytes(500))


def test_a_fuzzer_finds_wrong_code(monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz("agrees_with_cursor", 10)
    forget_a_message(monkeypatch)
    with pytest.raises(LawBroken):
        fuzz("agrees_with_cursor", 1000)


def test_a_broken_law_says_for_what_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    take_any_bytes_for_utf8(monkeypatch)
    with pytest.raises(LawBroken) as caught:
        laws.agrees_with_cursor(b"\0\0\0\x06\x05\0\0\0\x01\xff")
    assert str(caught.value).endswith("\n10 bytes: 000000060500000001ff")
    assert "bad-utf8" in str(caught.value)
