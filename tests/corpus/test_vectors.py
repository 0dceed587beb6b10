"""The vectors are what they say, judged by oracles that share no code with what made them."""

from collections.abc import Iterator
from typing import Any

import pytest

import authplugin
from authplugin import MESSAGES, ErrorCode
from authplugin_corpus.delivery import pieces
from authplugin_corpus.faults import NOT_OF_A_PEER
from authplugin_corpus.hearing import example_of, program_of
from authplugin_corpus.message_json import message_to_json
from authplugin_corpus.model import (
    Case,
    ClientDialogue,
    Delivery,
    EndOfInput,
    Expect,
    ExpectSilence,
    MessageVector,
    PluginDialogue,
    Result,
    Send,
)
from authplugin_corpus.vectors import cases, load_dialogues, load_messages, load_vectors
from authplugin_properties.oracles import Refused, cursor, grammar, turns

DIALOGUES: tuple[PluginDialogue | ClientDialogue, ...] = (
    *load_dialogues("plugin"),
    *load_dialogues("client"),
)

each_message = pytest.mark.parametrize("vector", load_messages(), ids=lambda each: each.id)
each_dialogue = pytest.mark.parametrize("vector", DIALOGUES, ids=lambda each: each.id)
each_case = pytest.mark.parametrize("case", list(cases(DIALOGUES)), ids=lambda each: each.id)


# Messages.


def read(data: bytes, limits: cursor.LimitsLike) -> dict[str, Any] | Refused:
    try:
        return cursor.decode(data, limits)
    except Refused as refused:
        return refused


@each_message
def test_bytes_are_the_message_or_are_refused(vector: MessageVector) -> None:
    found = read(vector.data, vector.limits)
    if isinstance(found, Refused):
        due = (vector.code, vector.field, vector.offset)
        assert (found.code, found.field, found.offset) == due
        assert vector.result is not Result.VALID
    else:
        assert vector.code is None
        assert vector.message is not None
        assert found == neutral(vector.message)


@pytest.mark.parametrize(
    "vector",
    [each for each in load_messages() if each.result is Result.ACCEPTABLE],
    ids=lambda each: each.id,
)
def test_a_lenient_reader_sees_what_an_acceptable_vector_says(vector: MessageVector) -> None:
    assert vector.message is not None
    found = read(vector.data, cursor.Limits(nonzero_is_true=True, any_bytes=True))
    if isinstance(found, Refused):
        # No oracle reads names that are not ASCII; all but the name is as it was.
        assert found.code == "bad-ascii"
        text = neutral(vector.message)[str(found.field)]
        at = found.offset - next(index for index, byte in enumerate(text) if byte > 127)
        assert vector.data[at:].startswith(text)
    else:
        if "prompts" in found:
            found["prompts"] = [(prompt, bool(echo)) for prompt, echo in found["prompts"]]
        assert found == neutral(vector.message)


# Dialogues.


@each_dialogue
def test_bytes_are_those_of_the_messages(vector: PluginDialogue | ClientDialogue) -> None:
    for turn in sends(vector):
        built = b"".join(grammar.build(neutral(message)) for message in turn.messages)
        assert turn.data.startswith(built)
        assert (turn.data == built) is (turn.fault is None)


@each_dialogue
def test_a_dialogue_goes_as_its_result_says(vector: PluginDialogue | ClientDialogue) -> None:
    program = str(program_of(vector))
    peer = "client" if program == "plugin" else "plugin"
    situation = turns.Situation()
    found: str | None = None
    for turn in vector.turns:
        if isinstance(turn, Send):
            rest = turn.data
            for message in turn.messages:
                frame = rest[: len(grammar.build(neutral(message)))]
                situation = said(situation, peer, frame)
                assert situation.refusal is None
                rest = rest[len(frame) :]
            if turn.fault is not None:
                found = refusal(situation, peer, rest)
                assert found == turn.fault.code
        elif isinstance(turn, Expect):
            situation = said(situation, program, authplugin.encode(example_of(turn.expected)))
            assert situation.refusal is None
        elif isinstance(turn, ExpectSilence):
            assert situation.turn == peer
        elif isinstance(turn, EndOfInput) and found is None:
            owes = peer == "plugin" and situation.turn == "plugin" and situation.state != "START"
            found = "end-premature" if owes else None
            assert found == (turn.fault and turn.fault.code)
    assert (found is None) is (vector.result is Result.VALID)


@each_case
def test_a_session_does_as_the_vector_says(case: Case) -> None:
    plugin = isinstance(case.vector, PluginDialogue)
    session = authplugin.PluginSession() if plugin else authplugin.ClientSession()
    fault: ErrorCode | None = None
    for turn in case.turns:
        if isinstance(turn, Send):
            cut = pieces(turn.data, case.delivery)
            assert b"".join(cut) == turn.data
            assert all(cut)
            heard = []
            for piece in cut:
                if session.violation is None:
                    session.receive_data(piece)
                    while len(heard) < len(turn.messages) and (event := session.next_event()):
                        heard.append(event)
            assert heard == list(turn.messages)
            fault = fault or (turn.fault and turn.fault.code)
        elif isinstance(turn, Expect):
            assert session.next_event() is None
            session.send(example_of(turn.expected))
        elif isinstance(turn, EndOfInput):
            if session.violation is None:
                session.receive_end_of_file()
            fault = fault or (turn.fault and turn.fault.code)
    if fault is None:
        assert isinstance(session.next_event(), authplugin.EndOfFile)
    else:
        with pytest.raises(authplugin.RemoteProtocolError) as caught:
            list(session.events())
        assert caught.value.code == fault


def test_turns_of_every_case_are_those_of_the_vector() -> None:
    for case in cases(DIALOGUES):
        check_turns_of(case)


def check_turns_of(case: Case) -> None:
    sent = b"".join(turn.data for turn in case.turns if isinstance(turn, Send))
    assert sent == b"".join(turn.data for turn in sends(case.vector))
    follows = [
        isinstance(one, Send) and isinstance(other, Send)
        for one, other in zip(case.turns, case.turns[1:], strict=False)
    ]
    # Whether there is anything to put together is what makes it worth a case.
    if case.delivery is Delivery.COALESCED:
        assert len(case.turns) < len(case.vector.turns)
        assert not any(follows)
    else:
        assert case.turns == case.vector.turns


# All of them.


def test_every_error_that_a_peer_can_cause_is_covered() -> None:
    refused = {vector.code for vector in load_messages()}
    for vector in DIALOGUES:
        refused |= {turn.fault.code for turn in sends(vector) if turn.fault}
        refused |= {
            turn.fault.code for turn in vector.turns if isinstance(turn, EndOfInput) and turn.fault
        }
    assert refused - {None} == set(ErrorCode) - NOT_OF_A_PEER


@pytest.mark.parametrize("kind", [MessageVector, PluginDialogue, ClientDialogue])
def test_every_kind_has_every_result(kind: type) -> None:
    results = {vector.result for vector in load_vectors() if isinstance(vector, kind)}
    assert results == set(Result)


def test_every_delivery_is_used() -> None:
    for program in ("plugin", "client"):
        dialogues = [each for each in DIALOGUES if program_of(each) == program]
        used = {case.delivery for case in cases(dialogues)}
        assert used >= {Delivery.WHOLE, Delivery.BYTE_BY_BYTE, Delivery.FIELD_EDGES}
    assert any(case.delivery is Delivery.COALESCED for case in cases(DIALOGUES))


def test_every_message_is_heard_in_a_message_vector() -> None:
    valid = [vector.message for vector in load_messages() if vector.result is Result.VALID]
    assert {type(message) for message in valid} == set(MESSAGES)


# Help.


def sends(vector: PluginDialogue | ClientDialogue) -> list[Send]:
    return [turn for turn in vector.turns if isinstance(turn, Send)]


def neutral(message: authplugin.Message) -> dict[str, Any]:
    """Return a message in the form of the oracles, by way of its JSON form."""
    form = message_to_json(message)
    codes = {name: code for code, name in cursor.NAMES.items()}
    made: dict[str, Any] = {"type": codes[form.pop("type")]}
    for name, value in form.items():
        if name == "prompts":
            made[name] = [(octets(each["prompt"]), each["echo"]) for each in value]
        elif name == "responses":
            made[name] = [octets(each) for each in value]
        else:
            made[name] = value if isinstance(value, int) else octets(value)
    return made


def octets(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else bytes.fromhex(text["hex"])


def said(situation: turns.Situation, side: str, frame: bytes) -> turns.Situation:
    fields = cursor.decode(frame)
    return turns.step(situation, side, cursor.NAMES[fields["type"]], fields)


def frames(data: bytes) -> Iterator[bytes]:
    while data:
        size = 4 + int.from_bytes(data[:4], "big")
        yield data[:size]
        data = data[size:]


def refusal(situation: turns.Situation, peer: str, data: bytes) -> str | None:
    """Return why the oracles refuse bytes from a peer, which the end of the input follows."""
    if situation.turn != peer:
        return "session-over" if situation.turn is None else "wrong-turn"
    try:
        for frame in frames(data):
            situation = said(situation, peer, frame)
            if situation.refusal is not None:
                return situation.refusal
    except Refused as refused:
        return refused.code
    return None
