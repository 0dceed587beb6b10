"""The vectors are what they say, and the loader says what is wrong with those that are not."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import authplugin
import authplugin_corpus
from authplugin import MESSAGES, ErrorCode
from authplugin.kinds import CountedKind, StringKind, UInt32Kind
from authplugin_corpus.message_json import message_from_json, message_to_json
from authplugin_corpus.model import (
    Allow,
    EndOfInput,
    Expect,
    ExpectEnd,
    PluginDialogue,
    Result,
    Send,
)
from authplugin_corpus.places import Place
from authplugin_corpus.vectors import (
    VectorError,
    load_flags,
    load_vectors,
    read_flags,
    read_vectors,
)
from authplugin_properties.oracles import Refused, cursor, grammar, turns

DATA = files("authplugin_corpus")
FILES = sorted(file.name for file in (DATA / "vectors").iterdir())
VECTORS = load_vectors()

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)


def read_json(*path: str) -> Any:
    return json.loads(DATA.joinpath(*path).read_text("utf-8"))


# The files.


@pytest.mark.parametrize("name", ["plugin-dialogues", "flags"])
def test_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(read_json("schema", f"{name}.schema.json"))


@pytest.mark.parametrize("file", FILES)
def test_vectors_fit_their_schema(file: str) -> None:
    schema = read_json("schema", "plugin-dialogues.schema.json")
    jsonschema.Draft202012Validator(schema).validate(read_json("vectors", file))


def test_flags_fit_their_schema() -> None:
    schema = read_json("schema", "flags.schema.json")
    jsonschema.Draft202012Validator(schema).validate(read_json("flags.json"))


def test_the_schema_knows_the_messages_of_the_table() -> None:
    kinds = {UInt32Kind: "uint32", StringKind: "text"}
    definitions = read_json("schema", "plugin-dialogues.schema.json")["$defs"]
    known = {each["properties"]["type"]["const"]: each for each in definitions["message"]["oneOf"]}
    assert known.keys() == {each.spec.name for each in MESSAGES}
    for each in MESSAGES:
        schema = known[each.spec.name]
        assert schema["required"] == ["type", *(field.name for field in each.spec.fields)]
        for field in each.spec.fields:
            counted = isinstance(field.kind, CountedKind)
            kind = field.name if counted else kinds[type(field.kind)]
            assert schema["properties"][field.name] == {"$ref": f"#/$defs/{kind}"}
    expected = {each["properties"]["type"]["const"] for each in definitions["expected"]["oneOf"]}
    assert expected == {each.spec.name for each in MESSAGES if each.spec.sender == "plugin"}


@pytest.mark.parametrize("file", [*(f"vectors/{name}" for name in FILES), "flags.json"])
def test_files_are_written_in_one_way(file: str) -> None:
    text = DATA.joinpath(file).read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_every_flag_is_carried() -> None:
    assert load_flags().keys() == {flag for vector in VECTORS for flag in vector.flags}


def test_vectors_load_from_an_archive(tmp_path: Path) -> None:
    # As from a wheel: nothing of the checkout, and nothing installed, can be found.
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for package in (authplugin, authplugin_corpus):
            folder = Path(str(package.__file__)).parent
            for path in folder.rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    packed.write(path, path.relative_to(folder.parent))
    program = """
import sys
sys.path.append(sys.argv[1])
from authplugin_corpus.vectors import load_vectors
print(*(vector.id for vector in load_vectors()))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(archive)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [vector.id for vector in VECTORS]


# What they say, judged by oracles.


@each_vector
def test_bytes_are_those_of_the_messages(vector: PluginDialogue) -> None:
    for turn in sends(vector):
        built = b"".join(grammar.build(neutral(message)) for message in turn.messages)
        assert turn.data.startswith(built)
        assert (turn.data == built) is (turn.fault is None)


@each_vector
def test_a_fault_is_the_one_that_the_oracles_find(vector: PluginDialogue) -> None:
    situation = turns.Situation()
    for turn in vector.turns:
        if isinstance(turn, Send):
            rest = turn.data
            for message in turn.messages:
                frame = rest[: len(grammar.build(neutral(message)))]
                situation = said(situation, "client", frame)
                assert situation.refusal is None
                rest = rest[len(frame) :]
            if turn.fault is not None:
                assert refusal(situation, rest) == turn.fault.code
        elif isinstance(turn, Expect):
            situation = said(situation, "plugin", authplugin.encode(answer_to(turn, situation)))
            assert situation.refusal is None


@each_vector
def test_the_plugin_session_does_as_the_vector_says(vector: PluginDialogue) -> None:
    session = authplugin.PluginSession()
    situation = turns.Situation()
    fault: str | None = None
    for turn in vector.turns:
        if isinstance(turn, Send):
            session.receive_data(turn.data)
            fault = turn.fault and turn.fault.code
            for message in turn.messages:
                assert session.next_event() == message
                situation = said(situation, "client", authplugin.encode(message))
            if fault is None:
                assert session.next_event() is None
        elif isinstance(turn, Expect):
            data = session.send(answer_to(turn, situation))
            situation = said(situation, "plugin", data)
        elif isinstance(turn, EndOfInput) and session.violation is None:
            session.receive_end_of_file()
    if fault is None:
        assert isinstance(session.next_event(), authplugin.EndOfFile)
    else:
        with pytest.raises(authplugin.RemoteProtocolError) as caught:
            list(session.events())
        assert caught.value.code == fault


@each_vector
def test_the_clause_is_one_of_the_text(vector: PluginDialogue) -> None:
    clauses = {each.spec.clause for each in MESSAGES}
    clauses |= {f"H.{number}" for number in range(1, 8)}
    assert vector.clause in clauses or vector.clause.startswith("RFC ")


def test_the_first_things_that_go_wrong_are_covered() -> None:
    codes = {turn.fault.code for vector in VECTORS for turn in sends(vector) if turn.fault}
    assert codes >= {
        ErrorCode.FRAME_EMPTY,
        ErrorCode.FRAME_TOO_LONG,
        ErrorCode.END_TRUNCATED,
        ErrorCode.UNKNOWN_TYPE,
        ErrorCode.FIELD_TRUNCATED,
        ErrorCode.STRING_TOO_LONG,
        ErrorCode.COUNT_TOO_LARGE,
        ErrorCode.COUNT_IMPOSSIBLE,
        ErrorCode.TRAILING_BYTES,
        ErrorCode.BAD_BOOLEAN,
        ErrorCode.BAD_UTF8,
        ErrorCode.BAD_ASCII,
        ErrorCode.WRONG_TURN,
        ErrorCode.WRONG_SIDE,
        ErrorCode.WRONG_STATE,
    }
    assert {vector.result for vector in VECTORS} == set(Result)


def sends(vector: PluginDialogue) -> list[Send]:
    return [turn for turn in vector.turns if isinstance(turn, Send)]


def neutral(message: authplugin.Message) -> dict[str, Any]:
    """Return a message in the form of the oracles, by way of its JSON form."""
    form = message_to_json(message)
    codes = {name: code for code, name in cursor.NAMES.items()}
    made: dict[str, Any] = {"type": codes[form.pop("type")]}
    for name, value in form.items():
        if name == "prompts":
            made[name] = [(each["prompt"].encode(), each["echo"]) for each in value]
        elif name == "responses":
            made[name] = [each.encode() for each in value]
        else:
            made[name] = value if isinstance(value, int) else value.encode()
    return made


def said(situation: turns.Situation, side: str, frame: bytes) -> turns.Situation:
    fields = cursor.decode(frame)
    return turns.step(situation, side, cursor.NAMES[fields["type"]], fields)


def refusal(situation: turns.Situation, data: bytes) -> str | None:
    """Return why the oracles refuse bytes from a client, which the end of the input follows."""
    try:
        length = int.from_bytes(data[:4], "big")
        return said(situation, "client", data[: 4 + length] if length else data[:4]).refusal
    except Refused as refused:
        return refused.code


def answer_to(turn: Expect, situation: turns.Situation) -> authplugin.Message:
    """Return the plainest message that a turn of a dialogue expects."""
    prompts = situation.server_prompts or 0
    answers: dict[str, authplugin.Message] = {
        "PLUGIN_INIT_RESPONSE": authplugin.PluginInitResponse(2, ""),
        "PLUGIN_PROTOCOL_ACCEPT": authplugin.PluginProtocolAccept(),
        "PLUGIN_PROTOCOL_REJECT": authplugin.PluginProtocolReject(""),
        "PLUGIN_KI_SERVER_RESPONSE": authplugin.PluginKIServerResponse(["x"] * prompts),
    }
    answer = answers[turn.expected.message_type.spec.name]
    assert turn.expected.broken_by(answer) is None
    return answer


# The JSON form of messages.


@pytest.mark.parametrize(
    ("message", "form"),
    [
        (
            authplugin.PluginInit(2, "höst", 22, b"b\xff"),
            {
                "type": "PLUGIN_INIT",
                "version": 2,
                "hostname": "höst",
                "port": 22,
                "username": {"hex": "62ff"},
            },
        ),
        (
            authplugin.PluginKIUserRequest("n", "i", "", [("p", False), ("", True)]),
            {
                "type": "PLUGIN_KI_USER_REQUEST",
                "name": "n",
                "instructions": "i",
                "language": "",
                "prompts": [{"prompt": "p", "echo": False}, {"prompt": "", "echo": True}],
            },
        ),
        (
            authplugin.PluginKIServerResponse(["a", ""]),
            {"type": "PLUGIN_KI_SERVER_RESPONSE", "responses": ["a", ""]},
        ),
        (authplugin.PluginAuthFailure(), {"type": "PLUGIN_AUTH_FAILURE"}),
    ],
)
def test_json_form(message: authplugin.Message, form: dict[str, Any]) -> None:
    assert message_to_json(message) == form
    assert message_from_json(Place(form, "file")) == message
    json.dumps(form)


# What is not as it should be.

FLAGS = read_flags(
    json.dumps(
        {
            "format": 1,
            "flags": {
                "clean": {"bug_type": "b", "effect": "e"},
                "open": {"bug_type": "b", "effect": "e", "ambiguity": "a"},
            },
        }
    ),
    "flags.json",
)

SEND = {"send": "0000000106", "messages": [{"type": "PLUGIN_AUTH_SUCCESS"}]}
WRONG = {"send": "00", "fault": {"code": "end-truncated", "sentence": "half a frame"}}
ACCEPT = {"type": "PLUGIN_PROTOCOL_ACCEPT"}
EXPECT = {"expect": ACCEPT}
ALLOW = {"allow": [ACCEPT], "lenient": True}
CLOSE = {"end_of_input": True}
END = {"expect_end": True}


def vector(**changes: Any) -> dict[str, Any]:
    made = {
        "id": "an-id",
        "sentence": "What it is for.",
        "clause": "H.6.1",
        "result": "valid",
        "flags": ["clean"],
        "turns": [SEND, EXPECT, CLOSE, END],
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def with_turns(*turns: Any, result: str = "valid") -> dict[str, Any]:
    return vector(turns=list(turns), result=result)


def expecting(**expected: Any) -> dict[str, Any]:
    return with_turns(SEND, {"expect": expected}, CLOSE, END)


def document(*vectors: Any, **changes: Any) -> str:
    return json.dumps({"format": 1, "kind": "plugin-dialogues", "vectors": vectors} | changes)


def test_a_good_file_is_read() -> None:
    good = [vector(), with_turns(SEND, EXPECT, WRONG, CLOSE, ALLOW, END, result="invalid")]
    first, second = read_vectors(document(*good), "f.json", FLAGS)
    assert (first.id, first.clause, first.result, first.flags) == (
        *("an-id", "H.6.1", Result.VALID, ("clean",)),
    )
    assert first.file == "f.json"
    assert isinstance(first.turns[0], Send)
    assert first.turns[0].data == b"\0\0\0\x01\x06"
    assert first.turns[2:] == (EndOfInput(), ExpectEnd())
    assert isinstance(second.turns[4], Allow)
    assert second.turns[4].lenient


FAULTY_DOCUMENTS = [
    ("{", "line 1, column 2", "no JSON"),
    ("[]", "", "expected an object"),
    ("{}", "", "lacks 'format'"),
    ('{"format": 1, "format": 1}', "", "'format' twice"),
    (document(format=2), "format", "expected 1"),
    (document(format="1"), "format", "expected a whole number"),
    (document(kind="messages"), "kind", "expected 'plugin-dialogues'"),
    (document(more=1), "", "has 'more'"),
    (json.dumps({"format": 1, "kind": "plugin-dialogues"}), "", "lacks 'vectors'"),
    (document("x"), "vectors[0]", "expected an object"),
    (document(vector(), vector(clause=None)), "vectors[1]", "lacks 'clause'"),
    (document(vector(extra=1)), "vectors[0]", "has 'extra'"),
    (document(vector(id="An_Id")), "vectors[0].id", "lower-case words"),
    (document(vector(sentence="")), "vectors[0].sentence", "not empty"),
    (document(vector(clause="chapter 6")), "vectors[0].clause", "a clause such as"),
    (document(vector(result="good")), "vectors[0].result", "'valid', 'invalid', 'acceptable'"),
    (document(vector(flags=[])), "vectors[0].flags", "at least one flag"),
    (document(vector(flags=["clean", "clean"])), "vectors[0].flags", "twice"),
    (document(vector(flags=["none"])), "vectors[0].flags[0]", "'none' is not in the register"),
    (document(vector(flags=["open"])), "vectors[0].flags", "belongs to 'acceptable'"),
    (document(vector(result="acceptable")), "vectors[0].flags", "belongs to 'acceptable'"),
    (document(vector(turns={})), "vectors[0].turns", "expected an array"),
    (document(vector(turns=[])), "vectors[0].turns", "'expect_end' as the last turn"),
    (document(with_turns(SEND, CLOSE)), "vectors[0].turns", "'expect_end' as the last turn"),
    (document(with_turns(CLOSE, END, END)), "vectors[0].turns", "nowhere else"),
    (document(with_turns(SEND, END)), "vectors[0].turns[1]", "'end_of_input' before it"),
    (document(with_turns(CLOSE, CLOSE, END)), "vectors[0].turns[1]", "end but once"),
    (document(with_turns(CLOSE, SEND, END)), "vectors[0].turns[1]", "nothing can be sent"),
    (document(with_turns(CLOSE, EXPECT, END)), "vectors[0].turns[1]", "but be allowed"),
    (document(with_turns(SEND, ALLOW, CLOSE, END)), "vectors[0].turns[1]", "allowed behind"),
    (
        document(with_turns(WRONG, SEND, CLOSE, END, result="invalid")),
        "vectors[0].turns[1]",
        "nothing can be sent",
    ),
    (document(with_turns(WRONG, CLOSE, END)), "vectors[0].turns", "has no 'fault'"),
    (
        document(with_turns(SEND, CLOSE, END, result="invalid")),
        "vectors[0].turns",
        "everything else has one",
    ),
    (document(with_turns({"say": 1}, CLOSE, END)), "vectors[0].turns[0]", "'send', 'expect'"),
    (document(with_turns(CLOSE, {"expect_end": 1})), "vectors[0].turns[1].expect_end", "true"),
    (document(with_turns({"end_of_input": False}, END)), "turns[0].end_of_input", "true"),
    (document(with_turns(SEND | {"send": "0"})), "turns[0].send", "hexadecimal"),
    (document(with_turns(SEND | {"send": "AB"})), "turns[0].send", "lower-case"),
    (document(with_turns(SEND | {"send": ""})), "turns[0].send", "at least one byte"),
    (document(with_turns({"send": "00"})), "turns[0]", "neither which 'messages'"),
    (document(with_turns(SEND | {"delivery": "slow"})), "turns[0].delivery", "'byte-by-byte'"),
    (document(with_turns(SEND | {"fault": {"code": "x"}})), "turns[0].fault", "lacks 'sentence'"),
    (
        document(with_turns(SEND | {"fault": {"code": "x", "sentence": "y"}})),
        "turns[0].fault.code",
        "expected one of 'frame-empty'",
    ),
    (document(with_turns({"allow": []})), "turns[0].allow", "at least one message"),
    (document(with_turns(SEND | {"messages": [{}]})), "turns[0].messages[0]", "lacks 'type'"),
    (
        document(with_turns(SEND | {"messages": [{"type": "PING"}]})),
        "turns[0].messages[0].type",
        "'PING' is no message",
    ),
    (
        document(with_turns(SEND | {"messages": [{"type": "PLUGIN_PROTOCOL", "method": 1}]})),
        "turns[0].messages[0].method",
        "expected a string",
    ),
    (document(expecting(type="PLUGIN_AUTH_SUCCESS")), "turns[1].expect", "not sent by a plugin"),
    (
        document(expecting(type="PLUGIN_INIT_RESPONSE", version=2)),
        "turns[1].expect.version",
        "expected an object",
    ),
    (
        document(expecting(type="PLUGIN_INIT_RESPONSE", version={})),
        "turns[1].expect.version",
        "at least one of equals, at_least, at_most",
    ),
    (
        document(expecting(type="PLUGIN_INIT_RESPONSE", version={"at_most": -1})),
        "turns[1].expect.version.at_most",
        "from 0 to 4294967295",
    ),
    (
        document(expecting(type="PLUGIN_INIT_RESPONSE", username={"count": 1})),
        "turns[1].expect.username",
        "only 'equals' may be",
    ),
    (
        document(expecting(type="PLUGIN_INIT_RESPONSE", port={"equals": 1})),
        "turns[1].expect",
        "has 'port'",
    ),
]


@pytest.mark.parametrize(("text", "place", "problem"), FAULTY_DOCUMENTS)
def test_an_error_names_file_and_place(text: str, place: str, problem: str) -> None:
    with pytest.raises(VectorError, match=re.escape(problem)) as caught:
        read_vectors(text, "f.json", FLAGS)
    assert caught.value.file == "f.json"
    assert caught.value.place.endswith(place)
    assert str(caught.value).startswith("f.json: ")


def test_an_id_is_there_once_in_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vectors").mkdir()
    flags = {"clean": {"bug_type": "b", "effect": "e"}}
    (tmp_path / "flags.json").write_text(json.dumps({"format": 1, "flags": flags}))
    (tmp_path / "vectors" / "a.json").write_text(document(vector()))
    monkeypatch.setattr("authplugin_corpus.vectors.files", lambda package: tmp_path)
    load_flags.cache_clear()
    try:
        assert [each.id for each in load_vectors.__wrapped__()] == ["an-id"]
        (tmp_path / "vectors" / "b.json").write_text(document(vector()))
        with pytest.raises(VectorError, match=r"b\.json: an-id: is in a\.json as well"):
            load_vectors.__wrapped__()
    finally:
        load_flags.cache_clear()


@pytest.mark.parametrize(
    ("flags", "place"),
    [
        ({"x": {"bug_type": "b"}}, "flags.x"),
        ({"x": {"bug_type": "", "effect": "e"}}, "flags.x.bug_type"),
        ({"x": {"bug_type": "b", "effect": "e", "ambiguity": None}}, "flags.x.ambiguity"),
    ],
)
def test_an_error_in_the_register_names_its_place(flags: Mapping[str, Any], place: str) -> None:
    with pytest.raises(VectorError) as caught:
        read_flags(json.dumps({"format": 1, "flags": flags}), "flags.json")
    assert caught.value.place == place
