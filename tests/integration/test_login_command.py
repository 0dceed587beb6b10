"""`authplugin login` as it is called: what it asks, what it prints, and how it ends."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from authplugin.userauth import Prompts
from authplugin_corpus.serve.deciding import ConfiguredHandler
from authplugin_corpus.serve.listening import TestServer
from authplugin_corpus.serve.users import Configuration, Failure, Question, User

COMMAND = (sys.executable, "-c", "from authplugin_corpus.command import main; main()")
LIMIT = 60.0
"""Seconds that a login may take."""

PLUGIN = """
import sys

import authplugin


class Fixture(authplugin.Plugin):
    def init(self, client):
        if how == "fails":
            raise authplugin.Refusal("No token\\x1b")
        return "asked" if how == "names" else None

    def protocol(self, method):
        if how == "declines":
            raise authplugin.Refusal("Not today")
        if how == "is silent":
            raise authplugin.Refusal("")

    def keyboard_interactive(self, request, ask_user):
        if how == "dies":
            print("on fire", file=sys.stderr)
            sys.exit(3)
        if how == "asks":
            return ask_user([authplugin.Prompt("PIN: ", echo=True)], name="Token")
        return ["492816" for _ in request.prompts]


how = sys.argv[1]
authplugin.run(Fixture())
"""

USERS = (
    User("asked", rounds=(Question(Prompts([("Code: ", True)], "Login"), ("492816",)),)),
    User("key", keys=frozenset({b"x"})),
    User("hidden", rounds=(Question(Prompts([("PIN: ", False)]), ("492816",)),)),
    User("refused", rounds=(), fail=Failure.REFUSE),
    User("more", password="x", rounds=(), requires=("keyboard-interactive", "password")),
)


@pytest.fixture
def server() -> Iterator[TestServer]:
    configuration = Configuration({user.name: user for user in USERS})
    with TestServer(lambda: ConfiguredHandler(configuration), banner="Willkommen\x1b") as server:
        yield server


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "plugin.py"
    path.write_text(PLUGIN, encoding="utf-8")
    return path


def call(
    *arguments: str | Path, port: int, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "login", "--port", str(port), *arguments],
        input=typed,
        stdin=subprocess.DEVNULL if typed is None else None,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        start_new_session=True,  # so that there is no terminal to ask on
    )


def log_in(
    server: TestServer, plugin: Path, user: str, how: str, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    return call(
        *("--fingerprint", server.fingerprint, "--command", "echo hello", user),
        *("--", sys.executable, plugin, how),
        port=server.port,
        typed=typed,
    )


@pytest.mark.parametrize(
    ("user", "how", "typed", "said"),
    [
        ("asked@127.0.0.1", "answers", None, []),
        ("127.0.0.1", "names", None, []),
        ("other@127.0.0.1", "names", None, []),
        ("asked@127.0.0.1", "asks", "492816\n", ["Token", "PIN: "]),
        (
            "asked@127.0.0.1",
            "fails",
            "492816\n",
            ["the plugin does not help: No token?", "Login", "Code: "],
        ),
        (
            "asked@127.0.0.1",
            "declines",
            "492816\n",
            ["the plugin does not help: Not today", "Login", "Code: "],
        ),
        (
            "asked@127.0.0.1",
            "is silent",
            "492816\n",
            ["the plugin does not help\n", "Login", "Code: "],
        ),
        (
            "asked@127.0.0.1",
            "dies",
            "492816\n",
            ["the plugin has ended: end-premature: ", "Login", "Code: ", "plugin: on fire"],
        ),
    ],
)
def test_a_login(
    user: str, how: str, typed: str | None, said: list[str], server: TestServer, plugin: Path
) -> None:
    ran = log_in(server, plugin, user, how, typed)
    assert (ran.returncode, ran.stdout) == (0, "echo hello\n"), ran.stderr
    rest = ran.stderr
    assert "Willkommen?\n" in rest
    for part in (*said, "logged in as asked\n"):
        _, found, rest = rest.partition(part)
        assert found, (part, ran.stderr)
    assert "492816" not in ran.stderr


def test_a_secret_without_a_terminal_is_asked_for_without_a_word_of_python(
    server: TestServer, plugin: Path
) -> None:
    ran = log_in(server, plugin, "hidden@127.0.0.1", "declines", "492816\n")
    assert (ran.returncode, ran.stdout) == (0, "echo hello\n"), ran.stderr
    assert "PIN: " in ran.stderr
    assert "GetPassWarning" not in ran.stderr


@pytest.mark.parametrize(
    ("user", "status", "said"),
    [
        ("refused", 1, "refused; the server goes on with keyboard-interactive\n" * 3),
        ("key", 1, "refused; the server goes on with publickey\n"),
        ("more", 1, "more is needed; the server goes on with password\n"),
    ],
)
def test_no_login(user: str, status: int, said: str, server: TestServer, plugin: Path) -> None:
    ran = log_in(server, plugin, f"{user}@127.0.0.1", "answers")
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, "", f"Willkommen?\n{said}")


def failed(ran: subprocess.CompletedProcess[str], said: str) -> None:
    assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
    assert said in ran.stderr
    assert "Error: " in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr


def test_an_answer_that_does_not_come(server: TestServer, plugin: Path) -> None:
    ran = log_in(server, plugin, "asked@127.0.0.1", "asks")
    failed(ran, "the input has ended where an answer was due")


def test_nobody_is_named(server: TestServer, plugin: Path) -> None:
    failed(log_in(server, plugin, "127.0.0.1", "answers"), "say USER@HOST")


def test_another_host_key(server: TestServer, plugin: Path) -> None:
    ran = call(
        "--fingerprint", "SHA256:x", "a@127.0.0.1", "--", sys.executable, plugin, port=server.port
    )
    failed(ran, f"the host key is {server.fingerprint}, and not SHA256:x")


@pytest.mark.parametrize(("typed", "status"), [("y\n492816\n", 0), ("n\n", 2), (None, 2)])
def test_a_host_key_that_is_not_known(
    typed: str | None, status: int, server: TestServer, plugin: Path
) -> None:
    ran = call(
        *("asked@127.0.0.1", "--", sys.executable, plugin, "asks"), port=server.port, typed=typed
    )
    assert f"The host key is {server.fingerprint}. Go on?" in ran.stderr
    assert ran.returncode == status
    if status:
        failed(ran, "nobody says that the host key is right")


def test_a_plugin_that_cannot_be_started(server: TestServer, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    ran = call(
        *("--fingerprint", server.fingerprint, "asked@127.0.0.1", "--", missing), port=server.port
    )
    failed(ran, "No such file or directory")
    assert missing in ran.stderr


def test_no_server(plugin: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failed(call("a@127.0.0.1", "--", sys.executable, plugin, port=port), "refused")


def test_a_server_that_is_none(plugin: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        ran = call("a@127.0.0.1", "--", sys.executable, plugin, port=listener.getsockname()[1])
        thread.join()
    failed(ran, "SSH protocol banner")


def test_a_server_that_hangs_up_in_the_middle(server: TestServer, plugin: Path) -> None:
    class Leaves(ConfiguredHandler):
        def prompts(self, wanted: object) -> Prompts | None:
            for transport in server._transports:
                transport.close()
            return None

    server._handler = lambda: Leaves(Configuration({}))
    failed(log_in(server, plugin, "asked@127.0.0.1", "answers"), "the server has closed the conn")
