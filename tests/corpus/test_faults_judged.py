"""Each fault, in whole conversations, against the oracles and against this library's sessions."""

from collections.abc import Iterable
from typing import Any

import pytest

from authplugin import MessageDecoder, RemoteProtocolError
from authplugin_corpus.faults import (
    FAULTS,
    Fault,
    Faulty,
    Scope,
    fault_named,
    judge,
    stock_conversations,
)
from authplugin_corpus.faults.stock import ELSEWHERE, stock_messages

from .dialogues import ACCEPT, FAILURE, FRAMES, INIT, INIT_RESPONSE, LEADS, REJECT
from .receiving import (
    DEFAULT,
    LENIENT,
    LIMITS,
    SMALL,
    TIGHT,
    byte_by_byte,
    name_of,
    refusal_by_oracles,
    refusal_by_session,
    whole,
)
from .test_faults import ALL, named

OTHER = b"\0\0\0\x06\x03\0\0\0\x01x"

RIGHT = [
    *(frames for conversations in stock_conversations().values() for frames in conversations),
    *LEADS.values(),
]


def each(fault: Fault, limits: Any) -> Iterable[tuple[Any, Faulty]]:
    for frames in RIGHT:
        for faulty in fault.strike(frames, limits):
            yield frames, faulty


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS.keys())
@named(list(FAULTS))
def test_oracles_refuse_with_the_code_of_the_fault(fault: Fault, limits: Any) -> None:
    for frames, faulty in each(fault, limits):
        assert refusal_by_oracles(frames, faulty, limits) == faulty.code, (frames, faulty)
        if faulty.code in ("end-truncated", "end-premature"):
            # The input ends behind every conversation of the model; here somebody has to say so.
            assert faulty.ends


@pytest.mark.parametrize("limits", [TIGHT, SMALL, LENIENT], ids=["tight", "small", "lenient"])
@named(list(FAULTS))
def test_a_session_refuses_with_the_code_of_the_fault(fault: Fault, limits: Any) -> None:
    for frames, faulty in each(fault, limits):
        for cut in (whole, byte_by_byte):
            code = refusal_by_session(frames, faulty, limits, cut(faulty.data))
            assert code == faulty.code, (frames, faulty)


@named(list(FAULTS))
def test_the_judge_says_what_the_fault_says(fault: Fault) -> None:
    for frames, faulty in each(fault, SMALL):
        assert judge(frames, faulty.kept, faulty.data, faulty.ends, SMALL) == faulty.code


@named([fault for fault in FAULTS if fault.scope is Scope.FRAME])
def test_the_judge_of_one_frame_says_the_same(fault: Fault) -> None:
    for frame in FRAMES.values():
        for faulty in fault.strike([frame], DEFAULT):
            assert judge([frame], 0, faulty.data, faulty.ends, DEFAULT) == faulty.code


def test_the_judge_takes_what_is_right() -> None:
    for frames in RIGHT:
        assert judge(frames, len(frames) - 1, frames[-1], False, DEFAULT) is None


def test_the_judge_refuses_what_comes_before_for_itself() -> None:
    assert judge([INIT, ACCEPT[:-1]], 1, b"\0", False, DEFAULT) == "end-truncated"
    draft = b"\0\0\0\x11\x01\0\0\0\x01" + bytes(12)
    assert judge([draft, INIT_RESPONSE], 1, b"\0", False, DEFAULT) == "version-unsupported"


# What single faults make.


def places(name: str, frames: list[bytes]) -> dict[str, bytes]:
    faulty = fault_named(name).strike(frames, DEFAULT)
    return {each.place: each.data for each in faulty}


def codes(name: str, frames: list[bytes]) -> list[str | None]:
    return [faulty.code for faulty in fault_named(name).strike(frames, DEFAULT)]


def test_only_a_plugin_must_not_close_early() -> None:
    assert codes("premature-end", LEADS["PLUGIN_PROTOCOL"]) == [None]
    assert codes("premature-end", LEADS["PLUGIN_PROTOCOL_ACCEPT"]) == ["end-premature"]


def test_only_an_offer_may_come_in_one_chunk_with_what_is_before_it() -> None:
    for name, frames in LEADS.items():
        allowed = name in {"PLUGIN_AUTH_SUCCESS", "PLUGIN_AUTH_FAILURE"}
        expected = {None} if allowed else {"wrong-turn"}
        assert set(codes("coalesced", frames)) == (
            set() if name == "PLUGIN_INIT_FAILURE" else expected
        )


def test_what_follows_is_what_the_same_side_would_say_next() -> None:
    def behind(name: str) -> set[str]:
        frames = LEADS[name]
        made = places("coalesced", frames).values()
        return {name_of(data[len(frames[-1]) :]) for data in made}

    assert behind("PLUGIN_INIT") == {"PLUGIN_PROTOCOL"}
    assert behind("PLUGIN_AUTH_FAILURE") == {"PLUGIN_PROTOCOL"}
    assert behind("PLUGIN_INIT_RESPONSE") == {"PLUGIN_PROTOCOL_ACCEPT", "PLUGIN_PROTOCOL_REJECT"}
    assert behind("PLUGIN_KI_USER_REQUEST") == {
        "PLUGIN_KI_SERVER_RESPONSE",
        "PLUGIN_KI_USER_REQUEST",
    }


def test_the_twice_said_is_out_of_turn_or_place() -> None:
    assert codes("duplicated", LEADS["PLUGIN_INIT"]) == ["wrong-turn"]
    assert codes("duplicated", LEADS["PLUGIN_AUTH_SUCCESS"]) == ["wrong-state"]
    assert codes("duplicated", LEADS["PLUGIN_INIT_FAILURE"]) == ["session-over"]


def test_another_frame_is_begun_with_every_part_of_its_head() -> None:
    made = places("begun-early", [INIT])
    assert [len(data) - len(INIT) for data in made.values()] == [1, 3, 4, len(INIT) - 1]


def test_the_frame_before_of_the_same_speaker_is_lost_or_late() -> None:
    talk = [INIT, INIT_RESPONSE, OTHER, REJECT, FRAMES["PLUGIN_PROTOCOL"], ACCEPT]
    [lost] = fault_named("dropped").strike(talk, DEFAULT)
    assert (lost.kept, lost.data, lost.code) == (3, ACCEPT, "method-unknown")
    [late] = fault_named("reordered").strike(talk, DEFAULT)
    assert (late.kept, late.data, late.code) == (3, ACCEPT + REJECT, "method-unknown")
    [lost] = fault_named("dropped").strike([*talk, FAILURE], DEFAULT)
    assert (lost.kept, lost.data, lost.code) == (4, FAILURE, "wrong-state")


def test_frames_that_are_the_same_do_not_change_places() -> None:
    talk = [INIT, INIT_RESPONSE, OTHER, REJECT, OTHER]
    assert list(fault_named("reordered").strike(talk, DEFAULT)) == []
    assert codes("dropped", talk) == [None]


def test_what_is_spliced_in_was_said_elsewhere() -> None:
    said = {frame for _, frame in stock_messages(DEFAULT)}
    for frames in LEADS.values():
        assert set(places("spliced", frames).values()) <= said
    assert {type(message).spec.name for message in ELSEWHERE} == {
        "PLUGIN_INIT",
        "PLUGIN_INIT_RESPONSE",
    }


def test_versions_that_must_not_be_chosen() -> None:
    frames = LEADS["PLUGIN_INIT_RESPONSE"]
    assert list(places("version-above-offer", frames)) == ["version 3", "version 4294967295"]
    assert list(places("version-unsupported", frames)) == ["version 0", "version 1"]
    # Nothing is above what was offered, here. (What was offered is not ours to say.)
    highest = INIT[:5] + b"\xff\xff\xff\xff" + INIT[9:]
    assert list(places("version-above-offer", [highest, frames[-1]])) == []
    assert list(places("version-unsupported", [highest, frames[-1]])) == [
        *("version 0", "version 1", "version 4294967295"),
    ]


def test_a_method_without_messages_must_not_be_accepted() -> None:
    assert list(fault_named("method-unknown").strike([INIT, INIT_RESPONSE], DEFAULT)) == []
    known = FRAMES["PLUGIN_PROTOCOL"]
    assert list(places("method-unknown", [INIT, INIT_RESPONSE, known, REJECT])) == []
    assert places("method-unknown", [INIT, INIT_RESPONSE, OTHER, REJECT]) == {"accepted": ACCEPT}
    # Of several, the one that is on offer counts.
    talk = [INIT, INIT_RESPONSE, OTHER, REJECT, known, REJECT]
    assert list(places("method-unknown", talk)) == []


def test_responses_are_counted_against_each_pair() -> None:
    conversations = stock_conversations()
    asked_both = {
        frozenset(places("response-count", list(frames)))
        for kind, leads in conversations.items()
        if kind.spec.name == "PLUGIN_KI_USER_RESPONSE"
        for frames in leads
    }
    # Two prompts each; then three for the user while the server's two are open.
    assert asked_both == {frozenset({"1 of 2", "3 of 2"}), frozenset({"2 of 3", "4 of 3"})}
    server = {
        frozenset(places("response-count", list(frames)))
        for kind, leads in conversations.items()
        if kind.spec.name == "PLUGIN_KI_SERVER_RESPONSE"
        for frames in leads
    }
    assert frozenset({"0 of 1", "2 of 1", "3 of 1"}) in server


def test_fewer_than_no_responses_cannot_come() -> None:
    none = b"\0\0\0\x05\x15\0\0\0\0"
    assert list(places("response-count", [none])) == ["1 of 0"]


def test_bits_are_flipped_at_the_edges_of_every_part() -> None:
    made = list(fault_named("bit-flip").strike([INIT], DEFAULT))
    # Length, type, version, hostname (its length and its text), port, username.
    edges = [0, 3, 4, 5, 8, 9, 12, 13, 14, 15, 18, 19, 22, 23, 25]
    flips = [[at for at in range(len(INIT)) if faulty.data[at] != INIT[at]] for faulty in made]
    assert [at for at, *_ in flips] == [at for at in edges for _ in range(8)]
    changed = [faulty.data[at] ^ INIT[at] for faulty, [at] in zip(made, flips, strict=True)]
    assert changed == [1 << bit for _ in edges for bit in range(8)]
    parts = ["length"] * 2 + ["type"] + ["version"] * 2 + ["hostname"] * 4
    parts += ["port"] * 2 + ["username"] * 4
    assert [faulty.part for faulty in made[::8]] == parts


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_flipped_frame_alone_is_judged_by_itself(name: str) -> None:
    for faulty in fault_named("bit-flip").strike([FRAMES[name]], DEFAULT):
        decoder = MessageDecoder()
        code = None
        try:
            list(decoder.feed(faulty.data))
            if faulty.ends:
                decoder.end_of_file()
        except RemoteProtocolError as error:
            code = error.code
        # The first frame is a conversation of its own, which tells what others cannot.
        if name == "PLUGIN_INIT" and faulty.part == "type":
            code = faulty.code
        assert faulty.code == code
