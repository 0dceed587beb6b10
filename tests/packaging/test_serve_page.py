"""What the page on the test server shows works as it stands there."""

import re
import sys
from pathlib import Path
from typing import Any

import paramiko  # type: ignore[import-untyped]
import pytest

from authplugin_corpus.serve.deciding import ConfiguredHandler
from authplugin_corpus.serve.listening import TestServer
from authplugin_corpus.serve.users import read_configuration

PAGE = (Path(__file__).resolve().parents[2] / "corpus" / "SERVE.md").read_text("utf-8")
PLUGIN = """
import authplugin


class Codes(authplugin.Plugin):
    def keyboard_interactive(self, request, ask_user):
        return ["492816" for _ in request.prompts]


authplugin.run(Codes())
"""


def example(language: str, part: str) -> str:
    """Return the one example in a language that has something in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [found] = [each for each in blocks if part in each]
    return str(found)


def answers(*_: object) -> list[str]:
    prompts: Any = _[-1]
    return ["492816" for _ in prompts]


def test_whom_the_file_knows(tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    path.write_text(example("toml", "[[user.round]]"), encoding="utf-8")
    known = read_configuration(path)
    assert set(known.users) == {"alice", "bob", "carol", "dave"}
    told: list[str] = []
    with TestServer(lambda: ConfiguredHandler(known), tell=told.append) as server:

        def connect() -> paramiko.Transport:
            transport = paramiko.Transport(("127.0.0.1", server.port))
            transport.start_client(timeout=20)
            return transport

        with connect() as alice:
            assert alice.auth_password("alice", "swordfish", fallback=False) == []
        with connect() as bob:
            assert bob.auth_interactive("bob", answers) == []
        with connect() as carol:
            left = carol.auth_password("carol", "swordfish", fallback=False)
            assert left == ["keyboard-interactive"]
            assert carol.auth_interactive("carol", answers) == []
        with connect() as dave, pytest.raises(paramiko.SSHException):
            dave.auth_password("dave", "swordfish", fallback=False)  # which paramiko cannot change
    # What the page shows a server to print is what it prints.
    for line in example("console", "authplugin serve users.toml").splitlines():
        if "'carol'" in line and "none:" not in line and "echoed" not in line:
            assert re.sub(r"connection \d", "connection 3", line) in told
    # And it lists every key.
    keys = set(re.findall(r"^\| `(?:\[\[)?(\w+)", PAGE, re.MULTILINE))
    assert keys >= {"methods", "algorithms", "root_directory", "banner", "name", "password"}
    assert keys >= {"new_password", "authorized_keys", "round", "requires", "home_dir", "delay"}


def test_a_handler_and_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    exec(example("python", 'class Users:\n    """A password'), names)
    plugin = tmp_path / "plugin.py"
    plugin.write_text(PLUGIN, encoding="utf-8")
    source = example("python", "userauth.transport import login")
    with TestServer(names["Users"]) as server:
        source = source.replace("2222", str(server.port))
        source = source.replace('"my-plugin"', repr([sys.executable, str(plugin)]))
        exec(source, {})
        assert capsys.readouterr().out == "False\n"  # the password is needed first
        # As is said, `login` carries on where another method has gone before.
        before = "    outcome = login("
        assert before in source
        password = '    transport.auth_password("alice", "swordfish", fallback=False)\n'
        exec(source.replace(before, password + before), {})
        assert capsys.readouterr().out == "True\n"
