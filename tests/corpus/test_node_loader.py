"""A loader in another language, written from FORMAT.md alone, agrees with this one."""

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from authplugin_corpus.vectors import cases, load_dialogues, load_messages, load_user_auth

LOADER = Path(__file__).parent / "loader.mjs"
CORPUS = Path(str(files("authplugin_corpus")))


def load(folder: Path) -> tuple[int, dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    done = subprocess.run(
        [node, str(LOADER), str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert not done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a corpus of a few vectors, to be changed."""
    (tmp_path / "vectors").mkdir()
    for name in ("flags.json", "retired.json"):
        shutil.copy(CORPUS / name, tmp_path / name)
    return tmp_path


def vector(file: str, id_: str) -> Any:
    stored = json.loads((CORPUS / "vectors" / f"{file}.json").read_text("utf-8"))
    return next(each for each in stored["vectors"] if each["id"] == id_)


def store(folder: Path, *vectors: Any, kind: str = "plugin-dialogues", version: int = 1) -> None:
    text = json.dumps({"format": version, "kind": kind, "vectors": vectors})
    (folder / "vectors" / "file.json").write_text(text, "utf-8")


def test_it_reads_and_checks_everything() -> None:
    status, found = load(CORPUS)
    assert found["problems"] == []
    assert status == 0
    assert found["leftOut"] == []
    assert found["checked"] == {
        "messages": len(load_messages()),
        "plugin-dialogues": len(load_dialogues("plugin")),
        "client-dialogues": len(load_dialogues("client")),
        "userauth": len(load_user_auth()),
    }
    ours = [case.id for case in cases((*load_dialogues("plugin"), *load_dialogues("client")))]
    assert sorted(found["cases"]) == sorted(ours)


# It finds what is wrong.


def broken_message(**changes: Any) -> Any:
    return vector("generated-messages", "message-init") | changes


def broken_dialogue(index: int, **changes: Any) -> Any:
    right = vector("plugin-clean", "plugin-success")
    right["turns"][index] |= changes
    return right


def user_auth(id_: str, **changes: Any) -> Any:
    family = "dialogues" if id_.startswith("userauth-server-") else "messages"
    return vector(f"generated-userauth-{family}", id_) | changes


def other_turn(id_: str, index: int, **changes: Any) -> Any:
    right = user_auth(id_)
    right["turns"][index] |= changes
    return right


BROKEN = {
    "payload": ("userauth", user_auth("userauth-none", payload="34"), "is read as"),
    "list": (
        "userauth",
        user_auth("userauth-failure-at-methods-bad-name-list-last", error={"code": "bad-ascii"}),
        "bad-name-list at",
    ),
    "method": ("userauth", user_auth("userauth-public-key-ok", method="password"), "at "),
    "boolean": (
        "userauth",
        user_auth(
            "userauth-password-change-at-change-bad-boolean-2",
            payload=user_auth("userauth-password-empty")["payload"],
        ),
        "is taken",
    ),
    "said": (
        "userauth",
        other_turn("userauth-server-password-right", 0, send="34"),
        "sends no SSH_MSG_USERAUTH_REQUEST",
    ),
    "fault": (
        "userauth",
        other_turn("userauth-server-waiting-hears-ill-formed", 0, send="34"),
        "sends SSH_MSG_USERAUTH_SUCCESS, which is right",
    ),
    "login": (
        "userauth",
        user_auth("userauth-server-password-right", result="invalid"),
        "does not fit its result",
    ),
    "message": ("messages", broken_message(bytes="0000000106"), "is read as"),
    "refused": ("messages", broken_message(bytes="0000000109"), "unknown-type at 4"),
    "taken": (
        "messages",
        vector("generated-messages", "message-init-trailing-byte-00")
        | {"bytes": broken_message()["bytes"]},
        "is taken",
    ),
    "code": (
        "messages",
        vector("generated-messages", "message-init-trailing-byte-00")
        | {"error": {"code": "bad-utf8"}},
        "trailing-bytes at",
    ),
    "bytes": ("plugin-dialogues", broken_dialogue(0, send="0000000106"), "sends no PLUGIN_INIT"),
    "turn": (
        "plugin-dialogues",
        broken_dialogue(1, expect={"type": "PLUGIN_INIT_FAILURE"}),
        "session-over",
    ),
    "count": (
        "plugin-dialogues",
        broken_dialogue(5, expect={"type": "PLUGIN_KI_SERVER_RESPONSE", "responses": {"count": 3}}),
        "response-count",
    ),
    "result": (
        "plugin-dialogues",
        vector("plugin-clean", "plugin-success") | {"result": "invalid"},
        "does not fit its result",
    ),
    "retired": (
        "plugin-dialogues",
        vector("plugin-clean", "plugin-success") | {"id": "plugin-byte-by-byte"},
        "is retired",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_it_finds_what_is_wrong(folder: Path, case: str) -> None:
    kind, broken, problem = BROKEN[case]
    store(folder, broken, kind=kind)
    status, found = load(folder)
    assert status == 1
    assert any(problem in each for each in found["problems"]), found


# It copes with what it does not know, as FORMAT.md says.

SUCCESS = vector("plugin-clean", "plugin-success")
UNKNOWN = {
    "member": (SUCCESS | {"colour": "red"}, 0),
    "flag": (SUCCESS | {"flags": ["clean", "new"]}, 0),
    "delivery": (SUCCESS | {"deliveries": ["whole", "shaken"]}, 1),
    "result": (SUCCESS | {"result": "debatable"}, 1),
    "turn": (SUCCESS | {"turns": [{"sing": True}, *SUCCESS["turns"]]}, 1),
    "member of a turn": (SUCCESS | {"turns": [SUCCESS["turns"][0] | {"loud": True}]}, 1),
    "constraint": (
        broken_dialogue(1, expect={"type": "PLUGIN_INIT_RESPONSE", "version": {"odd": True}}),
        1,
    ),
    "message": (broken_dialogue(1, expect={"type": "PLUGIN_PING"}), 1),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_it_copes_with_what_it_does_not_know(folder: Path, case: str) -> None:
    unknown, left_out = UNKNOWN[case]
    store(folder, unknown)
    status, found = load(folder)
    assert (status, found["problems"]) == (0, [])
    assert len(found["leftOut"]) == left_out


def test_it_leaves_out_files_of_other_kinds_and_refuses_later_versions(folder: Path) -> None:
    store(folder, {"whatever": 1}, kind="server-dialogues")
    status, found = load(folder)
    assert (status, found["checked"], found["problems"]) == (0, {}, [])
    assert found["leftOut"] == ["file.json: kind server-dialogues"]
    store(folder, SUCCESS, version=2)
    status, found = load(folder)
    assert (status, found["problems"]) == (1, ["file.json: format 2"])
