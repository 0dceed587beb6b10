"""Each fault: what it is called, what it fits, and what it does to one frame."""

import re
from collections.abc import Callable
from typing import Any

import pytest

import authplugin
from authplugin import Limits
from authplugin_corpus.faults import (
    FAULTS,
    ILL_FORMED,
    Fault,
    Scope,
    fault_named,
    stock_conversations,
)
from authplugin_properties.oracles import Refused, cursor, turns

from .dialogues import CONVERSATIONS, FRAMES, LEADS
from .receiving import DEFAULT, LENIENT, LIMITS, SMALL, name_of

ALL = set(cursor.NAMES.values())
REQUESTS = {"PLUGIN_KI_SERVER_REQUEST", "PLUGIN_KI_USER_REQUEST"}
RESPONSES = {"PLUGIN_KI_SERVER_RESPONSE", "PLUGIN_KI_USER_RESPONSE"}
BARE = {"PLUGIN_PROTOCOL_ACCEPT", "PLUGIN_AUTH_SUCCESS", "PLUGIN_AUTH_FAILURE"}
RESULTS = {"PLUGIN_AUTH_SUCCESS", "PLUGIN_AUTH_FAILURE"}  # it stays the client's turn after these
OPENING = {"PLUGIN_INIT", "PLUGIN_INIT_RESPONSE", "PLUGIN_INIT_FAILURE"}

FITS = {
    "truncate": ALL,
    "truncated-body": ALL,
    "empty-frame": ALL,
    "oversized-claim": ALL,
    "oversized-string": ALL - BARE,
    "lying-length": ALL - BARE,
    "oversized-count": REQUESTS | RESPONSES,
    "lying-count": REQUESTS | RESPONSES,
    "trailing-byte": ALL,
    "bad-boolean": REQUESTS,
    "bad-utf8": ALL - BARE - {"PLUGIN_PROTOCOL"},
    "bad-ascii": {"PLUGIN_PROTOCOL"} | REQUESTS,
    "unknown-type": ALL,
    "wrong-side": ALL,
    "wrong-state": ALL,
    "premature-end": ALL,
    "duplicated": ALL,
    "wrong-turn": ALL - RESULTS,
    "coalesced": ALL - {"PLUGIN_INIT_FAILURE"},
    "begun-early": ALL - RESULTS,
    "dropped": ALL - OPENING,
    "reordered": ALL - OPENING,
    "spliced": ALL,
    "version-above-offer": {"PLUGIN_INIT_RESPONSE"},
    "version-unsupported": {"PLUGIN_INIT_RESPONSE"},
    "method-unknown": {"PLUGIN_PROTOCOL_REJECT"},
    "response-count": RESPONSES,
    "bit-flip": ALL,
}
"""Which messages each fault fits."""

OF_FRAMES = [fault for fault in FAULTS if fault.scope is Scope.FRAME]

IN_A_FIELD = {
    *("oversized-string", "lying-length", "oversized-count", "lying-count"),
    *("bad-boolean", "bad-utf8", "bad-ascii"),
}
"""The faults that are wholly within a field, which the receiver then names."""


def named(faults: list[Fault]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.name)


def without_index(field: str) -> str:
    return re.sub(r"\d+", "", field)


def struck(fault: Fault, limits: Limits = DEFAULT) -> list[Any]:
    return [
        faulty
        for conversations in stock_conversations().values()
        for frames in conversations
        for faulty in fault.strike(frames, limits)
    ]


def test_faults_are_named_once_and_described() -> None:
    assert [fault.name for fault in FAULTS if fault.name not in FITS] == []
    assert len(FAULTS) == len(FITS)
    for fault in FAULTS:
        assert fault_named(fault.name) is fault
        assert re.fullmatch(r"[A-Z][^.]*\.( [A-Z][^.]*\.)?", fault.sentence)
        assert re.fullmatch(r"H\.\d(\.\d+)?", fault.clause)


def test_no_fault_has_a_name_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        fault_named("truncated")


def test_every_message_has_a_conversation() -> None:
    assert FRAMES.keys() == ALL
    for conversation in CONVERSATIONS:
        read = [cursor.decode(frame) for frame in conversation]
        names = [cursor.NAMES[message["type"]] for message in read]
        moves = [(turns.SENDERS[name], name, each) for name, each in zip(names, read, strict=True)]
        assert all(situation.refusal is None for situation in turns.replay(moves))


@named(list(FAULTS))
def test_a_fault_fits_the_messages_that_it_should(fault: Fault) -> None:
    assert {faulty.message for faulty in struck(fault)} == FITS[fault.name]


@named(list(FAULTS))
def test_a_fault_has_the_codes_that_it_says(fault: Fault) -> None:
    assert {faulty.code for faulty in struck(fault)} - {None} == fault.codes


@named(list(FAULTS))
def test_a_fault_says_which_message_and_which_part_it_has_struck(fault: Fault) -> None:
    for frames in LEADS.values():
        fields = cursor.FIELDS[frames[-1][4]]
        for faulty in fault.strike(frames, DEFAULT):
            assert faulty.message == name_of(frames[-1])
            field = re.match(r"\w+", faulty.part)
            assert field is not None
            assert field.group() in {"length", "type", "frame", *fields}
            assert faulty.part == without_index(faulty.part)
            assert faulty.kept < len(frames)
            speaker = turns.SENDERS[faulty.message]
            assert turns.SENDERS[name_of(frames[faulty.kept])] == speaker


@named(list(FAULTS))
def test_what_is_right_is_no_fault(fault: Fault) -> None:
    for name, frames in LEADS.items():
        for faulty in fault.strike(frames, DEFAULT):
            same = faulty.data == frames[-1] and faulty.kept == len(frames) - 1
            assert faulty.ends or not same, name


# Faults of a frame.


def refusal_by_codec(data: bytes, limits: Limits) -> tuple[str, str | None]:
    with pytest.raises(authplugin.RemoteProtocolError) as caught:
        authplugin.decode(data, limits)
    return caught.value.code.value, caught.value.field


def refusal_by_oracle(data: bytes, limits: Limits) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        cursor.decode(data, limits)
    return caught.value.code, caught.value.field


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("name", sorted(ALL))
@named(OF_FRAMES)
def test_codec_and_oracle_refuse_a_frame_with_the_code_of_the_fault(
    fault: Fault, name: str, limits: Limits
) -> None:
    for faulty in fault.strike([FRAMES[name]], limits):
        by_codec = refusal_by_codec(faulty.data, limits)
        assert by_codec == refusal_by_oracle(faulty.data, limits)
        code, field = by_codec
        assert code == faulty.code
        if fault.name in IN_A_FIELD:
            assert field == faulty.place
            assert without_index(field) == faulty.part


@pytest.mark.parametrize("name", sorted(ALL))
@named(OF_FRAMES)
def test_a_stream_gives_what_came_before_the_fault(fault: Fault, name: str) -> None:
    for faulty in fault.strike(LEADS[name], DEFAULT):
        decoder = authplugin.MessageDecoder()
        items = decoder.feed(FRAMES["PLUGIN_INIT"] + faulty.data)
        assert next(items) == authplugin.PluginInit(2, "ab", 22, "bob")
        if faulty.ends:
            assert list(items) == []
            refuse: Callable[[], Any] = decoder.end_of_file
        else:
            refuse = items.__next__
        with pytest.raises(authplugin.RemoteProtocolError) as caught:
            refuse()
        assert caught.value.code == faulty.code


def test_every_string_count_and_boolean_is_struck() -> None:
    request = LEADS["PLUGIN_KI_SERVER_REQUEST"]

    def places(name: str) -> set[str]:
        return {faulty.place for faulty in fault_named(name).strike(request, DEFAULT)}

    texts = {"name", "instructions", "prompts[0].prompt", "prompts[1].prompt"}
    assert places("bad-utf8") == texts
    assert places("oversized-string") == places("lying-length") == texts | {"language"}
    assert places("bad-ascii") == {"language"}
    assert places("lying-count") == places("oversized-count") == {"prompts"}
    assert places("bad-boolean") == {"prompts[0].echo", "prompts[1].echo"}
    response = LEADS["PLUGIN_KI_SERVER_RESPONSE"]
    texts = {faulty.place for faulty in fault_named("bad-utf8").strike(response, DEFAULT)}
    assert texts == {"responses[0]", "responses[1]"}


@pytest.mark.parametrize("name", sorted(ALL))
def test_truncation_cuts_everywhere(name: str) -> None:
    frame = FRAMES[name]
    cuts = list(fault_named("truncate").strike([frame], DEFAULT))
    assert [faulty.data for faulty in cuts] == [frame[:stop] for stop in range(1, len(frame))]
    assert [faulty.part for faulty in cuts[:4]] == ["length", "length", "length", "type"]
    bodies = list(fault_named("truncated-body").strike([frame], DEFAULT))
    assert [faulty.data[4:] for faulty in bodies] == [
        frame[4:stop] for stop in range(4, len(frame))
    ]
    assert [faulty.part for faulty in bodies] == [faulty.part for faulty in cuts[3:]]
    for faulty in bodies:
        code, field = refusal_by_oracle(faulty.data, DEFAULT)
        if code == "field-truncated":
            assert field is not None
            assert without_index(field) == faulty.part
        elif code == "count-impossible":
            assert field is not None
            assert faulty.part.startswith(f"{field}[]")
        else:
            assert (code, faulty.part) == ("frame-empty", "type")


def test_lies_are_of_all_sizes() -> None:
    lies = fault_named("lying-length").strike([b"\0\0\0\x06\x05\0\0\0\x01n"], SMALL)
    lengths = [int.from_bytes(faulty.data[5:9], "big") for faulty in lies]
    assert lengths == [2, SMALL.text]
    lies = fault_named("lying-count").strike([b"\0\0\0\x09\x15\0\0\0\x01\0\0\0\0"], SMALL)
    counts = [int.from_bytes(faulty.data[5:9], "big") for faulty in lies]
    assert counts == [2, SMALL.count]


def test_every_ill_formed_text_is_ill_formed() -> None:
    for text in ILL_FORMED.values():
        with pytest.raises(UnicodeDecodeError):
            text.decode()


def test_what_a_lenient_receiver_takes_is_no_fault_to_it() -> None:
    request = LEADS["PLUGIN_KI_SERVER_REQUEST"]
    assert list(fault_named("bad-boolean").strike(request, LENIENT)) == []
    assert list(fault_named("bad-utf8").strike(LEADS["PLUGIN_INIT"], LENIENT)) == []
    assert list(fault_named("bad-utf8").strike(request, LENIENT)) != []
