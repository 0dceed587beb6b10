"""Vectors made of what was found say what the corpus says, and what the oracles do."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from authplugin import Limits, Side, encode
from authplugin_corpus.hearing import example_of, program_of
from authplugin_corpus.model import (
    ClientDialogue,
    Delivery,
    Dialogue,
    EndOfInput,
    Expect,
    PluginDialogue,
    Send,
)
from authplugin_corpus.vectors import load_dialogues, load_flags, load_messages, read_vectors
from authplugin_corpus.verifying import problems_of
from authplugin_fuzz.dialogues import dialogue, leads, plain_twin
from authplugin_fuzz.layers import Exchange, How, Layer, Move, Terms, frame_of
from authplugin_fuzz.regressions import file_of
from authplugin_fuzz.steps import End, Hear, Say, Step, played, settled, told
from authplugin_fuzz.vectors import Made, content_of, message_vector
from authplugin_properties.laws import LawBroken
from authplugin_properties.model import script, split
from authplugin_properties.oracles import cursor
from authplugin_properties.trial import Trial

from .inputs import made

DATA = Path(str(files("authplugin_corpus")))

STORED: dict[str, Any] = {
    form["id"]: form
    for path in (DATA / "vectors").glob("*.json")
    for form in json.loads(path.read_text("utf-8"))["vectors"]
}

SCHEMAS = {
    kind: jsonschema.Draft202012Validator(
        json.loads((DATA / "schema" / f"{kind}.schema.json").read_text("utf-8"))
    )
    for kind in ("messages", "plugin-dialogues", "client-dialogues")
}


def check(vector: Made) -> None:
    """Check that the linter and the schema take a vector."""
    text = file_of([{"id": vector.id} | vector.form], str(vector.kind))
    SCHEMAS[vector.kind].validate(json.loads(text))
    (read,) = read_vectors(text, "made", load_flags())
    assert list(problems_of(read)) == []


# Of what the corpus has already.


def test_a_frame_becomes_the_vector_that_it_is() -> None:
    for vector in load_messages():
        ours = message_vector(vector.data, vector.limits)
        stored = STORED[vector.id]
        for name in ("result", "error", "message"):
            assert ours.form.get(name) == stored.get(name), (vector.id, name)
        assert ours.content() == content_of(stored), vector.id
        check(ours)


def told_alike(form: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the turns of a dialogue up to the end of the input, and those behind it.

    What follows each other is one turn. How many responses of the user a plugin wants is left out:
    that matters only where it gets some.
    """
    turns: list[Any] = []
    for turn in deepcopy(content_of(form))["turns"]:
        if turn.get("expect", {}).get("type") == "PLUGIN_KI_USER_REQUEST":
            turn["expect"].pop("prompts", None)
        if "send" in turn and turns and "send" in turns[-1]:
            last = turns[-1]
            last["send"] += turn["send"]
            last["messages"] = last.get("messages", []) + turn.get("messages", [])
            last |= {name: turn[name] for name in ("fault",) if name in turn}
        else:
            turns.append({"messages": []} | turn if "send" in turn else turn)
    (at,) = (at for at, turn in enumerate(turns) if "end_of_input" in turn)
    return turns[: at + 1], turns[at + 1 :]


def steps_of(vector: Dialogue) -> Iterator[Step]:
    for turn in vector.turns:
        if isinstance(turn, Send):
            yield Hear(turn.data)
        elif isinstance(turn, Expect):
            yield Say(encode(example_of(turn.expected)))
        elif isinstance(turn, EndOfInput):
            yield End()


def test_a_conversation_becomes_the_dialogue_that_it_is() -> None:
    left_out = []
    dialogues: tuple[PluginDialogue | ClientDialogue, ...] = load_dialogues("plugin")
    for vector in (*dialogues, *load_dialogues("client")):
        if not vector.file.startswith("generated-"):
            continue
        ours = dialogue(program_of(vector), list(steps_of(vector)))
        if ours is None:
            left_out.append(vector.id)
            continue
        assert ours.form["result"] == vector.result, vector.id
        up_to_the_end, behind = told_alike(ours.form)
        stored, stored_behind = told_alike(STORED[vector.id])
        assert up_to_the_end == stored, vector.id
        # A client that has had its last word expected of it may say another one here.
        assert behind == stored_behind or (vector.result == "valid" and "allow" in behind[0])
        check(ours)
    # A client that offers what has no messages is none that there is (H.5).
    assert left_out == ["client-protocol-reject-method-unknown"]


# Of what a fuzzer makes.


def test_whatever_frame_it_is_the_vector_is_right() -> None:
    results = set()
    for raw in made(Layer.BODY, 300):
        for limits in (Limits(), Terms.of(raw).limits):
            vector = message_vector(frame_of(raw), limits)
            check(vector)
            results.add((vector.form["result"], "limits" in vector.form))
    assert len(results) >= 5


def test_whatever_conversation_it_is_the_dialogue_is_right() -> None:
    results = set()
    for raw in made(Layer.CONVERSATION, 60):
        for side, steps in played(Exchange.from_bytes(raw), *Side).items():
            for deliveries in ([Delivery.WHOLE], [Delivery.BYTE_BY_BYTE, Delivery.FIELD_EDGES]):
                vector = dialogue(side, steps, deliveries)
                if vector is not None:
                    check(vector)
                    results.add((side, vector.form["result"]))
    assert len(results) == 6


def test_what_no_program_can_be_made_to_say_is_no_dialogue() -> None:
    refused = STORED["client-initialising-hears-init-failure"]["turns"]
    frames = [bytes.fromhex(turn["send"]) for turn in refused if "send" in turn]
    (lead,) = [each for each in leads(Side.CLIENT) if len(each) == 1]
    heard = dialogue(Side.CLIENT, [*lead, Hear(frames[-1]), End()])
    assert heard is not None
    (begun,) = [step.frame for step in lead if isinstance(step, Say)]
    # The same seen by a plugin, which would have to decline.
    assert dialogue(Side.PLUGIN, [Hear(begun), Say(frames[-1]), End()]) is None


def said(step: Step) -> bytes:
    assert not isinstance(step, End)
    return step.frame if isinstance(step, Say) else step.data


def test_the_leads_of_a_program_end_where_its_peer_speaks() -> None:
    for side, states in ((Side.PLUGIN, 4), (Side.CLIENT, 3)):
        found = list(leads(side))
        assert len(found) == states
        for lead in found:
            assert settled(side, lead, Limits()) == list(lead)
            data = b"".join(map(said, lead))
            outcome = script(data, side, Limits()).outcome
            assert outcome.problem is None or outcome.problem.code == "end-premature"


def test_a_plain_twin_keeps_what_a_conversation_hangs_on() -> None:
    for raw in made(Layer.STREAM, 200):
        for frame in split(raw):
            try:
                message = cursor.decode(frame)
            except cursor.Refused:
                assert plain_twin(frame) == frame
                continue
            twin = cursor.decode(plain_twin(frame))
            assert twin["type"] == message["type"]
            assert twin.get("version") == message.get("version")
            for name in ("prompts", "responses"):
                assert len(twin.get(name, "")) == len(message.get(name, ""))
            if "method" in message:
                usual = b"keyboard-interactive"
                assert (twin["method"] == usual) is (message["method"] == usual)


def test_what_is_played_is_what_a_role_can_say_and_what_comes_to_it() -> None:
    begun, chosen, offered, asked = (
        said(step) for step in max(leads(Side.CLIENT), key=len)[:4] if not isinstance(step, End)
    )
    moves = [
        Move(Side.CLIENT, How.SAID, begun),
        Move(Side.CLIENT, How.SAID, begun),
        Move(Side.PLUGIN, How.SAID, chosen, unseen=True),
        Move(Side.CLIENT, How.SAID, offered),
        Move(Side.PLUGIN, How.LOST, asked),
        Move(Side.PLUGIN, How.END, b"\0"),
        Move(Side.PLUGIN, How.PUT, asked),
    ]
    both = played(Exchange(b"", moves), *Side)
    # The second is out of turn; what was not looked at keeps the client from going on.
    client = [Say(begun), Hear(chosen), Hear(b"\0"), End()]
    assert both[Side.CLIENT][: len(client)] == client
    assert both[Side.PLUGIN] == [Hear(begun), Say(chosen), End()]
    seen = [replace(move, unseen=False) for move in moves]
    told_again = played(Exchange(b"", seen), Side.CLIENT)[Side.CLIENT]
    assert told_again[:3] == [Say(begun), Hear(chosen), Say(offered)]


def test_what_a_trial_tells_is_what_it_did() -> None:
    hello = next(said(lead[0]) for lead in leads(Side.PLUGIN) if lead)
    trial = Trial(Side.PLUGIN, Limits())
    trial.hear([hello[:7], hello[7:]])
    trial.end_of_file()
    with pytest.raises(LawBroken) as broken:
        trial.refuses_with("end-premature")
    steps = told(str(broken.value))
    assert steps == {Side.PLUGIN: [Hear(hello[:7]), Hear(hello[7:]), End(), End()]}
    assert settled(Side.PLUGIN, steps[Side.PLUGIN], Limits()) == [Hear(hello), End()]
    assert told("another law: something else") == {}
