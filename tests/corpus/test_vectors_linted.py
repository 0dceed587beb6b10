"""The linter of the corpus: its files are without fault, and each rule is one that bites."""

import json
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

import authplugin
import authplugin_corpus
from authplugin import MESSAGES
from authplugin.kinds import CountedKind, StringKind, UInt32Kind
from authplugin.userauth import MESSAGES as USER_AUTH_MESSAGES
from authplugin_corpus.command import main
from authplugin_corpus.layout import laid_out
from authplugin_corpus.vectors import load_flags, load_vectors
from authplugin_corpus.verifying import (
    CLAUSES,
    problems_of_corpus,
    problems_of_files,
    retired_ids,
)

DATA = Path(str(files("authplugin_corpus")))
VECTOR_FILES = sorted(path.name for path in (DATA / "vectors").iterdir())
KINDS = ("messages", "plugin-dialogues", "client-dialogues")
TEXT = Path(__file__).parents[2] / "corpus" / "FORMAT.md"


def read_json(*path: str) -> Any:
    return json.loads(DATA.joinpath(*path).read_text("utf-8"))


# The corpus is without fault.


def test_the_linter_finds_nothing() -> None:
    assert list(problems_of_corpus()) == []


@pytest.mark.parametrize("name", [*KINDS, "userauth", "flags", "retired"])
def test_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(read_json("schema", f"{name}.schema.json"))


@pytest.mark.parametrize("file", [*(f"vectors/{name}" for name in VECTOR_FILES), "flags.json"])
def test_files_fit_their_schema(file: str) -> None:
    stored = read_json(*file.split("/"))
    schema = read_json("schema", f"{stored.get('kind', 'flags')}.schema.json")
    jsonschema.Draft202012Validator(schema).validate(stored)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_knows_the_messages_of_the_table(kind: str) -> None:
    kinds = {UInt32Kind: "uint32", StringKind: "text"}
    definitions = read_json("schema", f"{kind}.schema.json")["$defs"]
    known = {each["properties"]["type"]["const"]: each for each in definitions["message"]["oneOf"]}
    assert known.keys() == {each.spec.name for each in MESSAGES}
    for each in MESSAGES:
        schema = known[each.spec.name]
        assert schema["required"] == ["type", *(field.name for field in each.spec.fields)]
        for field in each.spec.fields:
            counted = isinstance(field.kind, CountedKind)
            name = field.name if counted else kinds[type(field.kind)]
            assert schema["properties"][field.name] == {"$ref": f"#/$defs/{name}"}
    if kind != "messages":
        expected = {
            each["properties"]["type"]["const"] for each in definitions["expected"]["oneOf"]
        }
        speaker = kind.removesuffix("-dialogues")
        assert expected == {each.spec.name for each in MESSAGES if each.spec.sender == speaker}


def test_the_schema_knows_the_messages_of_user_authentication() -> None:
    definitions = read_json("schema", "userauth.schema.json")["$defs"]
    known = [each["required"] for each in definitions["message"]["oneOf"]]
    fields = [[field.name for field in each.spec.fields] for each in USER_AUTH_MESSAGES]
    assert known == [["type", *names] for names in fields]
    expected = [each["properties"]["type"]["const"] for each in definitions["expected"]["oneOf"]]
    assert expected == [
        each.spec.name for each in USER_AUTH_MESSAGES if each.spec.sender == "server"
    ]


def test_format_md_knows_the_messages_and_codes() -> None:
    text = TEXT.read_text("utf-8")
    for each in USER_AUTH_MESSAGES:
        spec = each.spec
        method = "any" if spec.method is None else f"`{spec.method}`"
        assert f"| `{spec.name}` | {spec.code} | {spec.sender} | {method} |" in text
        assert all(f"`{field.name}`" in text for field in spec.fields)
    for each in MESSAGES:
        assert f"| `{each.spec.name}` | {each.spec.code} | {each.spec.sender} |" in text
    local = {"bad-value", "poisoned"}
    for code in set(map(str, authplugin.ErrorCode)) - local:
        assert f"`{code}`" in text


def test_every_clause_of_a_message_is_known() -> None:
    assert {each.spec.clause for each in MESSAGES} <= CLAUSES
    assert {each.spec.clause.replace(",", "") for each in USER_AUTH_MESSAGES} <= CLAUSES


def test_retired_ids_stay_retired() -> None:
    assert {"plugin-byte-by-byte", "plugin-outcome-and-method-together"} <= retired_ids().keys()
    assert retired_ids().keys().isdisjoint(vector.id for vector in load_vectors())


def test_every_ambiguity_says_all() -> None:
    ambiguities = [flag.ambiguity for flag in load_flags().values() if flag.ambiguity]
    assert len(ambiguities) >= 5
    for ambiguity in ambiguities:
        assert ambiguity.clause in CLAUSES
        assert ambiguity.here.endswith(".")
        for known in ambiguity.known:
            assert known.program
            assert known.seen.endswith(".")


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
from authplugin_corpus.verifying import retired_ids, problems_of_corpus
assert retired_ids() and not list(problems_of_corpus())
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
    assert done.stdout.split() == [vector.id for vector in load_vectors()]


# Every rule bites.


def stored(file: str, id_: str) -> Any:
    return next(each for each in read_json("vectors", file)["vectors"] if each["id"] == id_)


def problems(*vectors: Any, kind: str = "plugin-dialogues") -> list[str]:
    text = laid_out({"format": 1, "kind": kind, "vectors": list(vectors)})
    return list(problems_of_files({"f.json": text}))


def success(**changes: Any) -> Any:
    return stored("plugin-clean.json", "plugin-outcome-without-challenge") | changes


def message(**changes: Any) -> Any:
    return stored("generated-messages.json", "message-init") | changes


def test_a_good_vector_has_no_problem() -> None:
    assert problems(success()) == []
    assert problems(message(), kind="messages") == []


def turned(index: int, **changes: Any) -> Any:
    changed = success()
    changed["turns"][index] |= changes
    return changed


@pytest.mark.parametrize(
    ("vectors", "problem"),
    [
        ([success(), success()], "is in f.json as well"),
        ([success(id="success")], "the id does not begin with 'plugin-'"),
        ([success(id="plugin-byte-by-byte")], "the id is retired"),
        ([success(sentence="no capital.")], "no sentence"),
        ([success(sentence="No full stop")], "no sentence"),
        ([success(sentence="Two  spaces.")], "no sentence"),
        ([success(clause="H.6.13")], "there is no section 'H.6.13'"),
        ([success(clause="RFC 4256 9")], "there is no section"),
        ([success(flags=["unheard-of"])], "is not in the register"),
        ([success(flags=["bad-boolean"])], "belongs to 'acceptable'"),
        (
            [success(strikes=[{"message": "PLUGIN_INIT", "part": "frame", "fault": "odd"}])],
            "there is no fault 'odd'",
        ),
        (
            [turned(0, send="000000110100000002000000000000001600000000")],
            "the bytes are not those of PLUGIN_INIT",
        ),
        ([turned(1, expect={"type": "PLUGIN_PROTOCOL_ACCEPT"})], "the dialogue cannot be held"),
        (
            [turned(0, send="00", fault={"code": "bad-utf8", "sentence": "x"})],
            "fault",
        ),
    ],
)
def test_a_rule_for_dialogues_bites(vectors: list[Any], problem: str) -> None:
    assert any(problem in each for each in problems(*vectors)), problems(*vectors)


def test_a_fault_with_the_wrong_code_is_found() -> None:
    wrong = stored("plugin-frames.json", "plugin-frame-empty")
    (send,) = (turn for turn in wrong["turns"] if "fault" in turn)
    send["fault"]["code"] = "trailing-bytes"
    (found,) = problems(wrong)
    assert "this library refuses it with frame-empty, not trailing-bytes" in found


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "plugin-init"}, "does not begin with 'message-'"),
        ({"bytes": "00000000"}, "refuses the bytes with frame-empty"),
        ({"bytes": "0000000106"}, "this library reads {'type': 'PLUGIN_AUTH_SUCCESS'}"),
        (
            {"result": "invalid", "error": {"code": "bad-utf8"}, "message": None},
            "this library takes the bytes",
        ),
        ({"limits": {"text": 3}}, "refuses the bytes with string-too-long"),
    ],
)
def test_a_rule_for_messages_bites(changes: dict[str, Any], problem: str) -> None:
    changed = {name: value for name, value in message(**changes).items() if value is not None}
    assert any(problem in each for each in problems(changed, kind="messages"))


def user_auth(id_: str, **changes: Any) -> list[str]:
    family = "dialogues" if id_.startswith("userauth-server-") else "messages"
    vector = stored(f"generated-userauth-{family}.json", id_) | changes
    return problems(vector, kind="userauth")


LOGIN = "userauth-server-password-right"
LIST = "userauth-failure-at-methods-bad-name-list-last"


@pytest.mark.parametrize(
    ("id_", "changes", "problem"),
    [
        (LOGIN, {"id": "server-login"}, "does not begin with 'userauth-'"),
        (LOGIN, {"clause": "RFC 4252 99"}, "there is no section"),
        (LOGIN, {"flags": ["unknown-user"]}, "belongs to 'acceptable'"),
        (
            "userauth-server-password-wrong",
            {"turns": stored("generated-userauth-dialogues.json", LOGIN)["turns"][:1]},
            "expected something of the server at the end",
        ),
        (
            "userauth-server-none-lists-methods",
            {"server": {"session_id": "", "methods": [], "users": []}},
            "turn 2: has methods '' (due: methods the names",
        ),
        (
            "userauth-server-waiting-hears-ill-formed",
            {
                "turns": [
                    {"send": "32", "fault": {"code": "bad-utf8", "sentence": "it"}},
                    {"expect_refusal": True},
                ]
            },
            "turn 2: it refuses with field-truncated, not bad-utf8",
        ),
        (LIST, {"payload": "3300000000" + "00"}, "this library takes the payload"),
        (LIST, {"error": {"code": "bad-ascii"}}, "refuses the payload with bad-name-list"),
        (
            LIST,
            {"strikes": [{"message": "SSH_MSG_USERAUTH_FAILURE", "part": "x", "fault": "odd"}]},
            "there is no fault 'odd'",
        ),
        ("userauth-none", {"payload": "34"}, "reads {'type': 'SSH_MSG_USERAUTH_SUCCESS'}"),
    ],
)
def test_a_rule_for_user_authentication_bites(id_: str, changes: Any, problem: str) -> None:
    assert user_auth(id_) == []
    found = user_auth(id_, **changes)
    assert any(problem in each for each in found), found


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ([{"expect": {"type": "SSH_MSG_USERAUTH_BANNER"}}], "turn 2: is SSH_MSG_USERAUTH_SUCCESS"),
        ([{"expect_silence": True}], "turn 2: it says something"),
        ([{"expect_refusal": True}], "turn 2: it lets the client in"),
        ([{"expect_disconnect": 14}], "turn 2: it does not close the connection"),
        ([{"expect": {"type": "SSH_MSG_USERAUTH_SUCCESS"}}] * 2, "turn 3: it says nothing"),
        (
            [{"expect": {"type": "SSH_MSG_USERAUTH_PK_OK"}}],
            "turn 2: is SSH_MSG_USERAUTH_SUCCESS",
        ),
    ],
)
def test_a_server_that_does_something_else_is_seen(turns: list[Any], problem: str) -> None:
    right = stored("generated-userauth-dialogues.json", LOGIN)["turns"][:1]
    login = {"type": "SSH_MSG_USERAUTH_SUCCESS"}
    result = "valid" if {"expect": login} in turns else "invalid"
    found = user_auth(LOGIN, turns=[*right, *turns], result=result)
    assert any(problem in each for each in found), found


def test_more_than_is_expected_is_seen() -> None:
    stored_turns = stored("generated-userauth-dialogues.json", LOGIN)["turns"]
    twice = [stored_turns[0], stored_turns[0], stored_turns[1]]
    assert user_auth(LOGIN, turns=twice) == []  # what comes behind a login gets no reply
    wrong = stored("generated-userauth-dialogues.json", "userauth-server-password-wrong")["turns"]
    (found,) = user_auth("userauth-server-password-wrong", turns=[wrong[0], wrong[0], wrong[1]])
    assert "it says more: 33" in found


@pytest.mark.parametrize(
    "changes",
    [{"id": "Userauth"}, {"turns": []}, {"server": {}}, {"deliveries": ["whole"]}, {"more": 1}],
)
def test_the_schema_of_user_authentication_refuses_what_the_reader_refuses(changes: Any) -> None:
    schema = read_json("schema", "userauth.schema.json")
    validator = jsonschema.Draft202012Validator(schema)
    document = {"format": 1, "kind": "userauth"}
    login = stored("generated-userauth-dialogues.json", LOGIN)
    assert validator.is_valid(document | {"vectors": [login]})
    assert not validator.is_valid(document | {"vectors": [login | changes]})
    assert user_auth(LOGIN, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Plugin"},
        {"turns": [{"expect_end": True}]},
        {"deliveries": []},
        {"strikes": [{}]},
        {"more": 1},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(changes: dict[str, Any]) -> None:
    schema = read_json("schema", "plugin-dialogues.schema.json")
    validator = jsonschema.Draft202012Validator(schema)
    document = {"format": 1, "kind": "plugin-dialogues"}
    assert validator.is_valid(document | {"vectors": [success()]})
    assert not validator.is_valid(document | {"vectors": [success(**changes)]})
    assert problems(success(**changes))


# The commands.


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["corpus", *arguments])


def test_verify_prints_what_is_covered() -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "62 of 62 (state, event) of a plugin" in result.output
    assert "177 of 177 (message, part, fault) that a plugin can hear" in result.output
    assert "of them dialogues with a server" in result.output
    assert "72 of 72 (state, event) of a server" in result.output
    assert "246 of 246 (message, part, fault) of SSH's user authentication" in result.output


def test_verify_of_files(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    document = {"format": 1, "kind": "plugin-dialogues"}
    good.write_text(json.dumps(document | {"vectors": [success()]}))
    result = run("verify", str(good))
    assert (result.exit_code, result.output) == (0, "1 file, nothing wrong\n")
    bad.write_text(json.dumps(document | {"vectors": [success(clause="H.9")]}))
    result = run("verify", str(good), str(bad))
    assert result.exit_code == 1
    assert f"{bad}: plugin-outcome-without-challenge: there is no section 'H.9'" in result.output
    assert f"is in {good} as well" in result.output
    bad.write_text("{")
    result = run("verify", str(bad))
    assert result.exit_code == 1
    assert "no JSON" in result.output
