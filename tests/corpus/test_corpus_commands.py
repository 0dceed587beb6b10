"""`authplugin corpus`: what it lists, shows and exports."""

import ast
import hashlib
import json
import struct
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result

import authplugin_corpus
from authplugin_corpus.command import main
from authplugin_corpus.exporting import go_corpus_file
from authplugin_corpus.model import MessageVector, PluginDialogue, Send
from authplugin_corpus.show import show_lines
from authplugin_corpus.userauth.model import Say, UserAuthDialogue, UserAuthMessageVector
from authplugin_corpus.vectors import load_flags, load_messages, load_vectors

SCHEMAS = Path(str(authplugin_corpus.__file__)).parent / "schema"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["corpus", *arguments])


# verify


@pytest.mark.parametrize("playable", [True, False])
def test_verify_says_what_it_leaves_out(playable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authplugin_corpus.corpus_command.can_play", lambda: playable)
    result = run("verify")
    assert result.exit_code == 0
    assert ("were not played" in result.stderr) is not playable


# list, show


def test_list() -> None:
    result = run("list")
    assert result.exit_code == 0
    listed = [line.split(None, 2) for line in result.output.splitlines()]
    expected = [[each.id, each.result.value, each.sentence] for each in load_vectors()]
    assert listed == expected


def test_list_of_one_kind() -> None:
    result = run("list", "--kind", "messages")
    listed = [line.split()[0] for line in result.output.splitlines()]
    assert listed == [each.id for each in load_messages()]


def test_every_vector_can_be_shown() -> None:
    for vector in load_vectors():
        lines = list(show_lines(vector))
        text = "\n".join(lines)
        for part in (vector.id, vector.sentence, vector.clause, *vector.flags):
            assert part in text
        if isinstance(vector, (MessageVector, UserAuthMessageVector)):
            told = ("they are read as", "it is read as", "a lenient one", "a strict decoder")
            assert lines[-1].startswith(told)
        elif isinstance(vector, UserAuthDialogue):
            assert lines[-1].startswith(("the server ", "server to client: "))
        else:
            program = "plugin" if isinstance(vector, PluginDialogue) else "client"
            assert lines[-1] == f"the {program} says nothing more, and ends"


def test_show_has_bytes_faults_and_what_is_left_open() -> None:
    output = run("show", "plugin-boolean-2").output
    assert "refuses a boolean that is 2: bad-boolean" in output
    assert "left open: " in output
    assert (
        "plugin to client, perhaps: PLUGIN_KI_SERVER_RESPONSE or PLUGIN_KI_USER_REQUEST" in output
    )
    assert "50 61 73 73 77 6f 72 64 3a 20" in output
    assert "delivered whole, byte-by-byte" in run("show", "plugin-success").output
    assert (
        "the last 1 only when the plugin was silent"
        in run("show", "plugin-silent-inside-init").output
    )


def test_show_of_a_client_has_server_and_user() -> None:
    output = run("show", "client-asks-user").output
    assert 'the server asks {"name": "Login"' in output
    assert 'the user answers ["1234"]' in output
    assert "the server lets the user in" in output
    output = run("show", "client-offered-end").output
    assert "the plugin's output is closed\n  a strict client refuses" in output


def test_show_of_a_message_has_field_and_offset() -> None:
    output = run("show", "message-server-request-prompt-echo-bad-boolean-2").output
    assert "a strict decoder refuses them: bad-boolean at byte 58 in prompts[0].echo" in output
    assert 'a lenient one reads them as {"type": "PLUGIN_KI_SERVER_REQUEST"' in output


def test_show_of_a_payload_has_its_method() -> None:
    output = run("show", "userauth-public-key-ok").output
    assert "payload, while publickey is under way:\n     0  3c 00 00 00 0b 73 73 68" in output
    assert 'it is read as {"type": "SSH_MSG_USERAUTH_PK_OK"' in output


def test_show_of_a_dialogue_with_a_server() -> None:
    output = run("show", "userauth-server-factors-two").output
    assert "password 'secret'; 1 key; needs password, then publickey" in output
    assert "server to client: SSH_MSG_USERAUTH_FAILURE (methods the names ('publickey',)" in output
    output = run("show", "userauth-server-password-change").output
    assert "password 'secret'; which has to be changed; 1 key; round 1 [('Code: '" in output
    output = run("show", "userauth-server-attempts-end").output
    assert "it closes the connection at the refused request number 3" in output
    assert output.endswith("the server closes the connection, for reason 14\n")
    output = run("show", "userauth-server-key-ssh-rsa-on").output
    assert "it takes keys for ssh-rsa" in output
    output = run("show", "userauth-server-waiting-hears-ill-formed").output
    assert "a strict server refuses a request that ends too early: field-truncated" in output


@pytest.mark.parametrize("flag", load_flags().values(), ids=lambda flag: flag.name)
def test_show_of_a_flag(flag: object) -> None:
    name = str(getattr(flag, "name", ""))
    result = run("show", name)
    assert result.exit_code == 0
    carried = [vector.id for vector in load_vectors() if name in vector.flags]
    assert [line for line in result.output.splitlines() if not line.startswith(" ")][1:] == carried


def test_show_of_a_flag_has_its_ambiguity() -> None:
    output = run("show", "bad-boolean").output
    assert "left open by H.3: The text knows the bytes 0 and 1 alone" in output
    assert "this project: It takes 0 and 1 alone" in output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no-such-vector", "no vector and no flag is called 'no-such-vector'"),
        ("plugin-byte-by-byte", "the id 'plugin-byte-by-byte' is retired; see plugin-success"),
    ],
)
def test_show_of_what_is_not_there(name: str, text: str) -> None:
    result = run("show", name)
    assert result.exit_code == 1
    assert text in result.output


# export


def inputs() -> set[bytes]:
    found = set()
    for vector in load_vectors():
        if isinstance(vector, (MessageVector, UserAuthMessageVector)):
            found.add(vector.data)
        elif isinstance(vector, UserAuthDialogue):
            said = [turn.data for turn in vector.turns if isinstance(turn, Say)]
            found.add(b"".join(struct.pack(">I", len(data)) + data for data in said))
        else:
            found.add(b"".join(each.data for each in vector.turns if isinstance(each, Send)))
    return found - {b""}


def test_export_as_one_document(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    result = run("export", str(folder))
    assert result.output == f"1 file in {folder}\n"
    document = json.loads((folder / "corpus.json").read_text("utf-8"))
    assert document["flags"].keys() == load_flags().keys()
    assert "plugin-byte-by-byte" in document["retired"]
    ids = []
    for kind in ("messages", "plugin-dialogues", "client-dialogues", "userauth"):
        part = {"format": document["format"], "kind": kind, "vectors": document[kind]}
        schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator(schema).validate(part)
        ids += [vector["id"] for vector in document[kind]]
    assert sorted(ids) == sorted(vector.id for vector in load_vectors())


@pytest.mark.parametrize("form", ["libfuzzer", "afl"])
def test_export_as_raw_files(form: str, tmp_path: Path) -> None:
    result = run("export", "--format", form, str(tmp_path))
    assert result.exit_code == 0
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(found.values()) == inputs()
    assert all(hashlib.sha1(data).hexdigest() == name for name, data in found.items())


def test_export_for_go(tmp_path: Path) -> None:
    run("export", "--format", "go", "--kind", "messages", str(tmp_path))
    read = set()
    for path in tmp_path.iterdir():
        head, line = path.read_text("ascii").splitlines()
        assert head == "go test fuzz v1"
        # A literal of Go, of which only what Python writes the same is used.
        read.add(ast.literal_eval("b" + line.removeprefix("[]byte(").removesuffix(")")))
    assert read == {each.data for each in load_messages()} - {b""}
    assert go_corpus_file(b'a"\\\n\xff') == b'go test fuzz v1\n[]byte("a\\x22\\x5c\\x0a\\xff")\n'


def test_export_to_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("export", str(tmp_path / "file" / "folder"))
    assert result.exit_code == 1
    assert "cannot write to" in result.output
