"""What is generated is what is stored, covers what it is there to cover, and is named for good."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from authplugin import MESSAGES, Side
from authplugin_corpus.faults import FAULTS
from authplugin_corpus.generating import generated
from authplugin_corpus.hearing import END, END_INSIDE, events_to_hear, hear, program_of
from authplugin_corpus.model import (
    ClientDialogue,
    Delivery,
    MessageVector,
    PluginDialogue,
)
from authplugin_corpus.vectors import Case, cases, flags_of, load_dialogues, load_vectors
from authplugin_corpus.verifying import counts
from authplugin_properties.oracles import turns

CORPUS = Path(str(files("authplugin_corpus")))
GENERATOR = Path(__file__).parents[2] / "corpus" / "generate.py"
PLUGINS = [
    each
    for each in load_vectors()
    if isinstance(each, (MessageVector, PluginDialogue, ClientDialogue))
]
GENERATED = [vector for vector in load_vectors() if vector.file.startswith("generated-")]


def test_the_stored_files_are_fresh() -> None:
    for path, text in generated().items():
        assert CORPUS.joinpath(path).read_text("utf-8") == text, f"{path} is stale: make generate"
    stored = {f"vectors/{path.name}" for path in CORPUS.glob("vectors/generated-*")}
    assert stored <= generated().keys()


def test_the_generator_makes_the_same_in_another_process() -> None:
    # Whatever the order of sets and hashes is there.
    done = subprocess.run(
        [sys.executable, str(GENERATOR), "--check"],
        env={"PYTHONHASHSEED": "4711"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


# Everything is covered.


def test_everything_is_covered() -> None:
    found = counts(load_vectors())
    assert [(count.what, count.missing) for count in found] == [(each.what, ()) for each in found]
    # N of these: so much is known to be there to cover.
    assert [count.total for count in found] == [62, 52, 192, 177, 178, 72, 246]


def test_what_there_is_to_hear_follows_from_an_oracle() -> None:
    ends = {END, END_INSIDE}
    for program, peer in ((Side.PLUGIN, "client"), (Side.CLIENT, "plugin")):
        wanted = {
            (state, event)
            for state, speaker in turns.SPEAKERS.items()
            for event in (ends | (turns.SENDERS.keys() if speaker == peer else set()))
            if not (state == "ENDED" and program is Side.PLUGIN)
        }
        assert {(str(state), event) for state, event in events_to_hear(program)} == wanted


def test_a_missing_vector_is_missed() -> None:
    without = {"plugin-idle-hears-init", "plugin-second-init", "plugin-init-type-bit-flip"}
    less = [each for each in load_vectors() if each.id not in without]
    missing = {count.what: count.missing for count in counts(less)}
    assert missing["(state, event) of a plugin"] == (("IDLE", "PLUGIN_INIT"),)
    struck = missing["(message, part, fault) that a plugin can hear"]
    assert struck == (("PLUGIN_INIT", "type", "bit-flip"),)
    assert missing["(state, event) of a client"] == ()


def test_what_a_strike_says_was_struck_is_what_is_wrong() -> None:
    codes = {fault.name: fault.codes for fault in FAULTS}
    struck = 0
    for vector in PLUGINS:
        code = vector.code if isinstance(vector, MessageVector) else hear(vector).code
        for each in vector.strikes:
            struck += 1
            # What is no fault where it struck is taken: a flipped bit of a port is another port.
            assert code is None or code in codes[each.fault], vector.id
    assert struck > 500


# Names.


def words() -> set[str]:
    """Return the words that ids may be made of: those of the tables, and a few for places."""
    names = [each.spec.name.lower() for each in MESSAGES]
    names += [str(state).lower() for state in turns.SPEAKERS]
    names += [fault.name for fault in FAULTS]
    fields = [field.name for each in MESSAGES for field in each.spec.fields]
    text = " ".join([*names, *fields, "prompt echo response frame length type"])
    places = "before length only one short by one far over limit hears end inside frame empty"
    texts = "byte 80 letter stray continuation lead alone overlong two three four surrogate"
    rest = "above 10ffff never used cut at the message plugin client 00 ff to questions"
    return set(re.split(r"[\s_-]+", f"{text} {places} {texts} {rest}"))


# Numbers that name what is sent, and do not count vectors.
NUMBERS = {"0", "2", "9", "19", "24", "128", "255", "262145", "2147483648", "4294967295"}


def test_ids_are_made_of_words_and_never_of_a_position() -> None:
    known = words() | NUMBERS
    made = [each for each in GENERATED if each in PLUGINS]
    assert len(made) > 700
    assert [each.id for each in made if not set(each.id.split("-")) <= known] == []


def test_the_numbers_of_cases_stay_payable() -> None:
    # Each one starts a process.
    assert 200 <= len(list(cases(load_dialogues("plugin")))) <= 310
    assert 150 <= len(list(cases(load_dialogues("client")))) <= 300


# Cases.


def test_ids_of_cases() -> None:
    (vector,) = (
        each for each in load_dialogues("plugin") if each.id == "plugin-outcome-then-method"
    )
    assert [case.id for case in cases([vector])] == [
        "plugin-outcome-then-method",
        "plugin-outcome-then-method/byte-by-byte",
        "plugin-outcome-then-method/field-edges",
        "plugin-outcome-then-method/coalesced",
    ]


def test_a_delivery_brings_its_flag() -> None:
    brought = {
        "byte-by-byte": "short-reads",
        "field-edges": "short-reads",
        "coalesced": "coalesced",
    }
    for case in every_case():
        flag = brought.get(case.delivery.value)
        assert set(flags_of(case)) == {*case.vector.flags, *([flag] if flag else [])}


def every_case() -> Iterator[Case]:
    yield from cases((*load_dialogues("plugin"), *load_dialogues("client")))


def test_cases_have_ids_of_their_own() -> None:
    ids = [case.id for case in every_case()]
    assert len(set(ids)) == len(ids)
    assert {program_of(case.vector) for case in every_case()} == set(Side)
    assert {case.delivery for case in every_case()} == set(Delivery)


def test_generated_files_hold_one_kind_each() -> None:
    kinds = {vector.file: vector.kind for vector in GENERATED}
    for file, kind in kinds.items():
        assert json.loads((CORPUS / "vectors" / file).read_text("utf-8"))["kind"] == kind
    assert len(kinds) == 5
