"""Each fault, on each message that it fits, against the codec and against the oracles."""

import re
from collections.abc import Callable
from typing import Any

import pytest

import authplugin
from authplugin import Limits
from authplugin_corpus.faults import FAULTS, ILL_FORMED, Fault, Faulty, Scope, fault_named, plain
from authplugin_properties.oracles import Refused, cursor, turns

from .dialogues import CONVERSATIONS, FRAMES, LEADS

DEFAULT = Limits()
SMALL = Limits(frame=64, text=30, count=3)
LENIENT = Limits(nonzero_is_true=True, any_bytes=True)

ALL = set(cursor.NAMES.values())
REQUESTS = {"PLUGIN_KI_SERVER_REQUEST", "PLUGIN_KI_USER_REQUEST"}
RESPONSES = {"PLUGIN_KI_SERVER_RESPONSE", "PLUGIN_KI_USER_RESPONSE"}
BARE = {"PLUGIN_PROTOCOL_ACCEPT", "PLUGIN_AUTH_SUCCESS", "PLUGIN_AUTH_FAILURE"}
BY_PLUGIN = {name for name, side in turns.SENDERS.items() if side == "plugin"}

FITS = {
    "truncate": ALL,
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
    "wrong-turn": ALL
    - {
        # It stays the client's turn after these, and nobody's after the first.
        *("PLUGIN_INIT_FAILURE", "PLUGIN_AUTH_SUCCESS", "PLUGIN_AUTH_FAILURE"),
    },
    "premature-end": BY_PLUGIN,
}
"""Which messages each fault fits."""

OF_FRAMES = [fault for fault in FAULTS if fault.scope is Scope.FRAME]
OF_CONVERSATIONS = [fault for fault in FAULTS if fault.scope is Scope.CONVERSATION]


def named(faults: list[Fault]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.name)


def test_faults_are_named_once_and_described() -> None:
    assert {fault.name for fault in FAULTS} == FITS.keys()
    assert len(FAULTS) == len(FITS)
    for fault in FAULTS:
        assert fault_named(fault.name) is fault
        assert re.fullmatch(r"[A-Z][^.]*\.", fault.sentence)
        assert re.fullmatch(r"H\.\d(\.\d+)?", fault.clause)


def test_every_message_has_a_conversation() -> None:
    assert FRAMES.keys() == ALL
    for conversation in CONVERSATIONS:
        assert all(situation.refusal is None for situation in replayed(conversation))


@named(list(FAULTS))
def test_a_fault_fits_the_messages_that_it_should(fault: Fault) -> None:
    fitting = {name for name, lead in LEADS.items() if list(fault.strike(lead, DEFAULT))}
    assert fitting == FITS[fault.name]


# Faults of a frame.


def refusal_by_codec(data: bytes, limits: Limits) -> tuple[str, str | None]:
    with pytest.raises(authplugin.RemoteProtocolError) as caught:
        authplugin.decode(data, limits)
    return caught.value.code.value, caught.value.field


def refusal_by_oracle(data: bytes, limits: Limits) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        cursor.decode(data, limits)
    return caught.value.code, caught.value.field


@pytest.mark.parametrize("limits", [DEFAULT, SMALL, LENIENT], ids=["default", "small", "lenient"])
@pytest.mark.parametrize("name", sorted(ALL))
@named(OF_FRAMES)
def test_codec_and_oracle_refuse_a_frame_with_the_code_of_the_fault(
    fault: Fault, name: str, limits: Limits
) -> None:
    for faulty in fault.strike([FRAMES[name]], limits):
        by_codec = refusal_by_codec(faulty.data, limits)
        assert by_codec == refusal_by_oracle(faulty.data, limits)
        code, field = by_codec
        assert code == fault.code
        if field is not None:
            assert field == faulty.place


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
        assert caught.value.code == fault.code


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
    struck = {faulty.place for faulty in fault_named("bad-utf8").strike(response, DEFAULT)}
    assert struck == {"responses[0]", "responses[1]"}


def test_truncation_cuts_everywhere() -> None:
    frame = FRAMES["PLUGIN_INIT"]
    cuts = [faulty.data for faulty in fault_named("truncate").strike([frame], DEFAULT)]
    assert cuts == [frame[:stop] for stop in range(1, len(frame))]


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


# Faults of a conversation.


def moves(frames: list[bytes]) -> list[tuple[str, str, dict[str, Any]]]:
    read = [cursor.decode(frame) for frame in frames]
    names = [cursor.NAMES[message["type"]] for message in read]
    return [(turns.SENDERS[name], name, fields) for name, fields in zip(names, read, strict=True)]


def replayed(frames: list[bytes]) -> list[turns.Situation]:
    return turns.replay(moves(frames))


def receiving_session(lead: list[bytes]) -> authplugin.ClientSession | authplugin.PluginSession:
    """Return the session of whoever hears the last frame of `lead`, brought to just before it."""
    listener = "plugin" if moves(lead)[-1][0] == "client" else "client"
    session = authplugin.PluginSession() if listener == "plugin" else authplugin.ClientSession()
    for (side, _, _), frame in zip(moves(lead)[:-1], lead[:-1], strict=True):
        if side == listener:
            assert session.send(authplugin.decode(frame)) == frame
        else:
            session.receive_data(frame)
            assert len(list(session.events())) == 1
    return session


def refusal_by_session(lead: list[bytes], faulty: Faulty) -> str:
    session = receiving_session(lead)
    if faulty.data:
        session.receive_data(faulty.data)
    if faulty.ends:
        session.receive_end_of_file()
    with pytest.raises(authplugin.RemoteProtocolError) as caught:
        list(session.events())
    return caught.value.code.value


@pytest.mark.parametrize("name", sorted(ALL))
@named(OF_CONVERSATIONS)
def test_session_and_oracle_refuse_with_the_code_of_the_fault(fault: Fault, name: str) -> None:
    lead = LEADS[name]
    for faulty in fault.strike(lead, DEFAULT):
        assert refusal_by_session(lead, faulty) == fault.code
        if faulty.ends:
            # The oracle knows no ends of files, but whose turn it is.
            assert fault.code == "end-premature"
            assert replayed(lead[:-1])[-1].turn == "plugin"
            continue
        before = [*lead[:-1], *split(faulty.data)]
        speaker = moves(lead)[-1][0]
        said = moves(before)
        spoken = [(speaker, what, fields) for _, what, fields in said[len(lead) - 1 :]]
        refusals = [each.refusal for each in turns.replay([*said[: len(lead) - 1], *spoken])]
        assert refusals[:-1] == [None] * (len(refusals) - 1)
        assert refusals[-1] == fault.code


@pytest.mark.parametrize("name", sorted(ALL))
@named(OF_FRAMES)
def test_a_session_refuses_a_bad_frame_with_the_code_of_the_fault(fault: Fault, name: str) -> None:
    for faulty in fault.strike(LEADS[name], DEFAULT):
        assert refusal_by_session(LEADS[name], faulty) == fault.code


def split(data: bytes) -> list[bytes]:
    frames = []
    while data:
        size = 4 + int.from_bytes(data[:4], "big")
        frames.append(data[:size])
        data = data[size:]
    return frames


def test_plain_messages_can_be_encoded() -> None:
    for message_type in authplugin.MESSAGES:
        message = plain(message_type)
        assert authplugin.decode(authplugin.encode(message)) == message
