"""What the page on the test server shows works as it stands there."""

import queue
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import paramiko
import pytest

from authplugin.userauth import (
    Authenticated,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthSuccess,
    decode_payload,
    encode_payload,
)
from authplugin.userauth.transport import ClientAuthentication
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


def test_a_server_of_ones_own() -> None:
    names: dict[str, Any] = {}
    exec(example("python", "def serve("), names)
    key = paramiko.RSAKey.generate(2048)
    ours, theirs = socket.socketpair()
    served: queue.SimpleQueue[Authenticated | None] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: served.put(names["serve"](theirs, 7, key)))
    thread.start()
    with paramiko.Transport(ours) as transport:
        transport.start_client(timeout=20)
        client = ClientAuthentication(transport)
        assert client.messages.get(timeout=20) is not None  # the service is there

        def say(message: UserAuthMessage) -> UserAuthMessage:
            client.send(encode_payload(message))
            payload = client.messages.get(timeout=20)
            assert payload is not None
            method = getattr(message, "method", "keyboard-interactive")
            return decode_payload(payload, method=method).detach()

        who = ("alice", "ssh-connection")
        demand = UserAuthPasswordChangeRequired("Choose another password.", "")
        left = UserAuthFailure("keyboard-interactive", True)
        wrong = UserAuthFailure("password,keyboard-interactive", False)
        assert say(UserAuthPassword(*who, "marlin")) == wrong
        assert say(UserAuthPassword(*who, "swordfish")) == demand
        assert say(UserAuthPasswordChange(*who, "swordfish", "swordfish")) == demand
        assert say(UserAuthPasswordChange(*who, "swordfish", "marlin")) == left
        asked = UserAuthInfoRequest("", "", "", [("Code: ", False)])
        assert say(UserAuthKeyboardInteractive(*who, "", "")) == asked
        assert say(UserAuthInfoResponse(["492816"])) == UserAuthSuccess()
        client.logged_in("alice")
        transport.open_session(timeout=20)
    methods = ("password", "keyboard-interactive")
    assert served.get(timeout=20) == Authenticated(*who, methods, "/home/alice")
    thread.join(20)
    assert not thread.is_alive()


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
