"""What the README shows works as it stands there."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from authplugin import (
    PluginAuthSuccess,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProcess,
    PluginProtocol,
    PluginProtocolAccept,
)
from authplugin.session import Session
from authplugin.userauth import UserAuthPassword, encode_payload

README = Path(__file__).resolve().parents[2] / "README.md"
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    [source] = [each for each in EXAMPLES if "authplugin.run(" in each]
    path = tmp_path / "my-plugin"
    path.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_every_example_is_tested() -> None:
    assert len(EXAMPLES) == 5


def test_the_plugin_logs_in(plugin: Path) -> None:
    with PluginProcess([sys.executable, str(plugin)]) as process:
        answer = process.request(PluginInit(2, "login.example.com", 22, ""))
        assert answer == PluginInitResponse(2, "alice")
        assert process.request(PluginProtocol("keyboard-interactive")) == PluginProtocolAccept()
        question = process.request(PluginKIServerRequest("", "", "", [("Code: ", False)]))
        assert isinstance(question, PluginKIUserRequest)
        answer = process.request(PluginKIUserResponse(["42"]))
        assert answer == PluginKIServerResponse(["42123456"])
        process.send(PluginAuthSuccess())
        assert process.close() == 0
        assert process.process.error_output == b"logged in\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the example starts a script by its first line")
def test_the_client_drives_it(
    plugin: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [source] = [each for each in EXAMPLES if "PluginProcess(" in each]
    monkeypatch.chdir(plugin.parent)
    exec(source, {})
    assert capsys.readouterr().out.splitlines() == [
        "PluginInitResponse(version=2, username='alice')",
        "PluginProtocolAccept()",
    ]


def test_the_codec_does_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    [source] = [each for each in EXAMPLES if "MessageDecoder(" in each]
    exec(source, {})
    lines = capsys.readouterr().out.splitlines()
    message = "PluginInit(version=2, hostname='login.example.com', port=22, username='alice')"
    assert lines[0] == "alice"
    assert lines[1].startswith("PLUGIN_INIT, ")
    assert lines[-2:] == [message, message]


def test_the_server_lists_the_methods(capsys: pytest.CaptureFixture[str]) -> None:
    [source] = [each for each in EXAMPLES if "UserAuthServer(" in each]
    names: dict[str, Any] = {}
    exec(source, names)
    methods = b"password,keyboard-interactive"
    failure = b"\x33" + len(methods).to_bytes(4, "big") + methods + b"\0"
    assert capsys.readouterr().out == f"{[failure]!r}\n"
    names["server"].receive(
        encode_payload(UserAuthPassword("alice", "ssh-connection", "swordfish"))
    )
    assert names["server"].authenticated is not None


def test_the_strategies_test_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    [source] = [each for each in EXAMPLES if "faulty(" in each]
    exec(source, {})
    # And it fails where what it tests is wrong.
    monkeypatch.setattr(Session, "_check_turn", lambda *_: None)
    with pytest.raises(AssertionError):
        exec(source, {})
