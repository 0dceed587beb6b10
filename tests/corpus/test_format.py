"""The reader says what is wrong with a file, and where, and the JSON form of messages."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import authplugin
from authplugin import Limits
from authplugin_corpus import vectors as vectors_module
from authplugin_corpus.message_json import message_from_json, message_to_json
from authplugin_corpus.model import (
    Allow,
    ClientDialogue,
    Delivery,
    EndOfInput,
    EndOfOutput,
    ExpectEnd,
    ExpectSilence,
    MessageVector,
    PluginDialogue,
    Result,
    Send,
    Server,
    Struck,
    User,
)
from authplugin_corpus.places import Place
from authplugin_corpus.vectors import (
    VectorError,
    load_flags,
    load_vectors,
    read_flags,
    read_vectors,
)

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


# Files that are as they should be.

FLAGS = read_flags(
    json.dumps(
        {
            "format": 1,
            "flags": {
                "clean": {"bug_type": "b", "effect": "e"},
                "open": {
                    "bug_type": "b",
                    "effect": "e",
                    "ambiguity": {"question": "q", "clause": "H.3", "here": "h", "known": []},
                },
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
SILENT = {"expect_silence": True}
CLOSE = {"end_of_input": True}
END = {"expect_end": True}
GONE = {"end_of_output": True}


def vector(**changes: Any) -> dict[str, Any]:
    made = {
        "id": "an-id",
        "sentence": "What it is for.",
        "clause": "H.6.1",
        "result": "valid",
        "flags": ["clean"],
        "deliveries": ["whole"],
        "turns": [SEND, EXPECT, CLOSE, END],
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def of_bytes(**changes: Any) -> dict[str, Any]:
    right = {"bytes": "0000000106", "message": {"type": "PLUGIN_AUTH_SUCCESS"}}
    return vector(**({"turns": None, "deliveries": None} | right | changes))


def with_turns(*turns: Any, result: str = "valid") -> dict[str, Any]:
    return vector(turns=list(turns), result=result)


def expecting(**expected: Any) -> dict[str, Any]:
    return with_turns(SEND, {"expect": expected}, CLOSE, END)


def document(*vectors: Any, **changes: Any) -> str:
    return json.dumps({"format": 1, "kind": "plugin-dialogues", "vectors": vectors} | changes)


def messages(*vectors: Any) -> str:
    return document(*vectors, kind="messages")


def client(*turns: Any) -> str:
    return document(with_turns(*turns, CLOSE, END), kind="client-dialogues")


def test_a_good_file_is_read() -> None:
    strikes = [{"message": "PLUGIN_INIT", "part": "frame", "fault": "truncate"}]
    good = [
        vector(deliveries=["whole", "byte-by-byte"]),
        with_turns(SEND | {"hold_back": 4}, SILENT, WRONG, CLOSE, ALLOW, END, result="invalid"),
        vector(strikes=strikes),
        with_turns(SEND, GONE, SEND, CLOSE, END),
    ]
    first, second, third, fourth = read_vectors(document(*good), "f.json", FLAGS)
    assert isinstance(first, PluginDialogue)
    assert (first.id, first.clause, first.result, first.flags) == (
        *("an-id", "H.6.1", Result.VALID, ("clean",)),
    )
    assert first.file == "f.json"
    assert first.deliveries == (Delivery.WHOLE, Delivery.BYTE_BY_BYTE)
    assert isinstance(first.turns[0], Send)
    assert first.turns[0].data == b"\0\0\0\x01\x06"
    assert first.turns[2:] == (EndOfInput(), ExpectEnd())
    assert isinstance(second, PluginDialogue)
    assert isinstance(second.turns[0], Send)
    assert second.turns[0].hold_back == 4
    assert second.turns[1] == ExpectSilence()
    assert isinstance(second.turns[4], Allow)
    assert second.turns[4].lenient
    assert third.strikes == (Struck("PLUGIN_INIT", "frame", "truncate"),)
    assert isinstance(fourth, PluginDialogue)
    assert fourth.turns[1] == EndOfOutput()


def test_a_good_file_of_messages_is_read() -> None:
    error = {"code": "bad-boolean", "field": "prompts[0].echo", "offset": 12}
    good = [
        of_bytes(limits={"text": 5}),
        of_bytes(result="invalid", message=None, error=error),
        of_bytes(result="acceptable", flags=["open"], error={"code": "bad-utf8"}),
    ]
    first, second, third = read_vectors(messages(*good), "f.json", FLAGS)
    assert isinstance(first, MessageVector)
    assert (first.data, first.limits) == (b"\0\0\0\x01\x06", Limits(text=5))
    assert first.message == authplugin.PluginAuthSuccess()
    assert isinstance(second, MessageVector)
    assert (second.code, second.field, second.offset) == ("bad-boolean", "prompts[0].echo", 12)
    assert (second.message, second.limits) == (None, Limits())
    assert isinstance(third, MessageVector)
    assert third.message is not None


def test_a_good_file_of_dialogues_with_a_client_is_read() -> None:
    request = {"name": "n", "instructions": "", "language": "", "prompts": []}
    turns = [
        {"expect": {"type": "PLUGIN_PROTOCOL", "method": {"equals": "m"}}},
        {"server": {"challenge": request}},
        {"server": {"success": True}},
        {"user": ["a", ""]},
        {"expect": {"type": "PLUGIN_KI_USER_RESPONSE", "responses": {"equals": ["a", ""]}}},
    ]
    (read,) = read_vectors(client(*turns), "f.json", FLAGS)
    assert isinstance(read, ClientDialogue)
    asked = authplugin.PluginKIServerRequest("n", "", "", [])
    assert read.turns[1:4] == (Server(asked), Server(None, success=True), User(("a", "")))


# What is not as it should be.

FAULTY_DOCUMENTS = [
    ("{", "line 1, column 2", "no JSON"),
    ("[]", "", "expected an object"),
    ("{}", "", "lacks 'format'"),
    ('{"format": 1, "format": 1}', "", "'format' twice"),
    (document(format=2), "format", "expected 1"),
    (document(format="1"), "format", "expected a whole number"),
    (document(kind="sounds"), "kind", "expected one of 'messages', 'plugin-dialogues'"),
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
    (document(with_turns(SEND, ALLOW, CLOSE, END)), "vectors[0].turns[1]", "is allowed behind"),
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
    (document(with_turns(GONE, EXPECT, CLOSE, END)), "vectors[0].turns[1]", "nothing can be heard"),
    (document(with_turns(GONE, CLOSE, ALLOW, END)), "vectors[0].turns[2]", "nothing can be heard"),
    (document(with_turns(GONE, GONE, CLOSE, END)), "vectors[0].turns[1]", "end but once"),
    (document(with_turns({"say": 1}, CLOSE, END)), "vectors[0].turns[0]", "'send', 'expect'"),
    (document(with_turns(CLOSE, {"expect_end": 1})), "vectors[0].turns[1].expect_end", "true"),
    (document(with_turns({"end_of_input": False}, END)), "turns[0].end_of_input", "true"),
    (document(with_turns(SEND | {"send": "0"})), "turns[0].send", "hexadecimal"),
    (document(with_turns(SEND | {"send": "AB"})), "turns[0].send", "lower-case"),
    (document(with_turns(SEND | {"send": ""})), "turns[0].send", "at least one byte"),
    (document(with_turns({"send": "00"})), "turns[0]", "neither which 'messages'"),
    (document(vector(deliveries=["slow"])), "vectors[0].deliveries[0]", "'byte-by-byte'"),
    (document(vector(deliveries=[])), "vectors[0].deliveries", "at least one delivery"),
    (document(vector(deliveries=["whole"] * 2)), "vectors[0].deliveries", "none twice"),
    (document(vector(deliveries=["field-edges"])), "turns[0]", "'edges' belong"),
    (document(with_turns(SEND | {"edges": [4]}, CLOSE, END)), "turns[0]", "'edges' belong"),
    (document(with_turns(SEND | {"edges": [3]})), "turns[0].edges", "expected [4]"),
    (document(with_turns(SEND | {"hold_back": 5})), "turns[0].hold_back", "fewer bytes"),
    (
        document(vector(deliveries=["byte-by-byte"], turns=[SEND | {"hold_back": 1}, CLOSE, END])),
        "turns[0]",
        "the delivery 'whole' alone",
    ),
    (document(with_turns(SEND, CLOSE, SILENT, END)), "turns[2]", "nothing is waited for"),
    (document(with_turns({"user": ["x"]}, CLOSE, END)), "turns[0]", "expected an object with"),
    (
        document(with_turns(WRONG, CLOSE | {"fault": WRONG["fault"]}, END, result="invalid")),
        "turns[1]",
        "a fault already",
    ),
    (document(vector(strikes=[])), "vectors[0].strikes", "at least one"),
    (
        document(vector(strikes=[{"message": "PING", "part": "p", "fault": "f"}])),
        "strikes[0].message",
        "'PING' is no message",
    ),
    (client({"server": {"success": 1}}), "server.success", "true or false"),
    (client({"server": {"challenge": {}}}), "server.challenge", "lacks"),
    (client({"user": [1]}), "user[0]", "expected a string"),
    (client(EXPECT), "turns[0].expect", "not sent by a client"),
    (messages(of_bytes(message=None)), "vectors[0]", "'valid' has a 'message'"),
    (messages(of_bytes(error={"code": "bad-utf8"})), "vectors[0]", "'valid' has a 'message'"),
    (messages(of_bytes(result="invalid")), "vectors[0]", "'invalid' an 'error'"),
    (messages(of_bytes(result="acceptable", flags=["open"])), "vectors[0]", "'acceptable' both"),
    (messages(of_bytes(bytes="zz")), "vectors[0].bytes", "hexadecimal"),
    (messages(of_bytes(limits={"frame": 0})), "vectors[0].limits", "must be an int from 1"),
    (messages(of_bytes(turns=[])), "vectors[0]", "has 'turns'"),
    (messages(of_bytes(error={"code": "odd"})), "vectors[0].error.code", "expected one of"),
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
    monkeypatch.setattr(vectors_module, "_FOLDER", tmp_path)
    monkeypatch.setattr(vectors_module, "_load", vectors_module._load.__wrapped__)
    load_flags.cache_clear()
    try:
        assert [each.id for each in load_vectors()] == ["an-id"]
        (tmp_path / "vectors" / "b.json").write_text(document(vector()))
        with pytest.raises(VectorError, match=r"b\.json: an-id: is in a\.json as well"):
            load_vectors()
    finally:
        load_flags.cache_clear()


@pytest.mark.parametrize(
    ("flags", "place"),
    [
        ({"x": {"bug_type": "b"}}, "flags.x"),
        ({"x": {"bug_type": "", "effect": "e"}}, "flags.x.bug_type"),
        ({"x": {"bug_type": "b", "effect": "e", "ambiguity": "a"}}, "flags.x.ambiguity"),
        ({"x": {"bug_type": "b", "effect": "e", "deliveries": ["slow"]}}, "flags.x.deliveries[0]"),
    ],
)
def test_an_error_in_the_register_names_its_place(flags: Mapping[str, Any], place: str) -> None:
    with pytest.raises(VectorError) as caught:
        read_flags(json.dumps({"format": 1, "flags": flags}), "flags.json")
    assert caught.value.place == place
