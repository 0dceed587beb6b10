"""Two faults at once."""

import itertools

import pytest

from authplugin import Limits
from authplugin_corpus.faults import (
    FAULTS,
    Fault,
    Scope,
    compose,
    fault_named,
    stock_conversations,
)

from .dialogues import ACCEPT, FRAMES, INIT, LEADS
from .receiving import (
    DEFAULT,
    SMALL,
    byte_by_byte,
    refusal_by_oracles,
    refusal_by_session,
    whole,
)

LAST = {"truncate", "premature-end"}
"""Behind these nothing can come."""

SECONDS = {
    *("truncate", "truncated-body", "oversized-claim", "trailing-byte", "unknown-type"),
    *("duplicated", "wrong-turn", "coalesced", "begun-early"),
}
"""What can be done to any bytes."""

PAIRS = [
    (first, second)
    for first, second in itertools.product(FAULTS, FAULTS)
    if first.name not in LAST and second.name in SECONDS
]

SHORT = [
    *(conversations[0] for conversations in stock_conversations().values()),
    LEADS["PLUGIN_KI_USER_REQUEST"],
]


def by_name(pair: tuple[Fault, Fault]) -> str:
    return "+".join(fault.name for fault in pair)


@pytest.mark.parametrize("pair", PAIRS, ids=by_name)
def test_oracles_and_sessions_refuse_what_two_faults_make(pair: tuple[Fault, Fault]) -> None:
    fault = compose(*pair)
    assert fault.name == by_name(pair)
    tried = 0
    for frames in SHORT:
        # Some of many that are alike, for time; the first of each conversation among them.
        for faulty in itertools.islice(fault.strike(frames, SMALL), 0, 4000, 13):
            tried += 1
            assert refusal_by_oracles(frames, faulty, SMALL) == faulty.code, faulty
            for cut in (whole, byte_by_byte):
                code = refusal_by_session(frames, faulty, SMALL, cut(faulty.data))
                assert code == faulty.code, faulty
            assert faulty.code is None or faulty.code in fault.codes
            if faulty.code in ("end-truncated", "end-premature"):
                assert faulty.ends
    # There is nothing to cut of a frame that is empty.
    assert (tried == 0) == (by_name(pair) == "empty-frame+truncated-body")


def test_what_cannot_be_composed_says_so() -> None:
    for first, second in itertools.product(FAULTS, FAULTS):
        if (first, second) in PAIRS:
            continue
        culprit = first if first.name in LAST else second
        with pytest.raises(ValueError, match=f"^{culprit.name} "):
            compose(first, second)


def made(name: str, frames: list[bytes], limits: Limits = DEFAULT) -> list[tuple[str, bytes]]:
    return [(each.place, each.data) for each in fault_named(name).strike(frames, limits)]


def test_the_second_strikes_what_the_first_has_made() -> None:
    assert made("unknown-type+duplicated", [ACCEPT])[0] == ("type 0 + twice", b"\0\0\0\1\0" * 2)
    assert made("empty-frame+trailing-byte", [ACCEPT])[0] == (
        "length 0 + byte 00",
        b"\0\0\0\1\0",
    )
    assert made("trailing-byte+truncate", [ACCEPT])[4] == ("byte 00 + at byte 5", b"\0\0\0\2\4")


def test_one_frame_will_do_for_two_faults_of_a_frame() -> None:
    [undone, *_] = [
        each
        for each in fault_named("trailing-byte+truncated-body").strike([ACCEPT], DEFAULT)
        if each.data == ACCEPT
    ]
    assert undone.code is None
    for name in ("bad-utf8+trailing-byte", "lying-count+truncated-body"):
        fault = fault_named(name)
        assert fault.scope is Scope.FRAME
        frame = FRAMES["PLUGIN_KI_USER_REQUEST"]
        alone = list(fault.strike([frame], DEFAULT))
        assert [each.code for each in alone] == [
            each.code for each in fault.strike(LEADS["PLUGIN_KI_USER_REQUEST"], DEFAULT)
        ]
    assert fault_named("bad-utf8+duplicated").scope is Scope.CONVERSATION
    assert fault_named("dropped+trailing-byte").scope is Scope.CONVERSATION


def test_the_part_is_what_the_first_struck() -> None:
    [each, *_] = fault_named("bad-utf8+truncate").strike([INIT], DEFAULT)
    assert (each.message, each.part, each.kept) == ("PLUGIN_INIT", "hostname", 0)
    [each, *_] = fault_named("dropped+duplicated").strike(LEADS["PLUGIN_PROTOCOL_ACCEPT"], DEFAULT)
    assert (each.part, each.kept) == ("frame", 1)


def test_what_ends_the_file_is_not_gone_on_with() -> None:
    ends = [each.ends for each in fault_named("bit-flip").strike([ACCEPT], DEFAULT)]
    count = len(list(fault_named("bit-flip+duplicated").strike([ACCEPT], DEFAULT)))
    assert 0 < count == ends.count(False) < len(ends)


def test_more_than_two_faults_can_be_composed() -> None:
    fault = fault_named("unknown-type+trailing-byte+truncate")
    assert fault.name == "unknown-type+trailing-byte+truncate"
    place, data = made(fault.name, [ACCEPT])[0]
    assert (place, data) == ("type 0 + byte 00 + at byte 1", b"\0")
