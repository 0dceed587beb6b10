"""`authplugin serve` as it is called: what it prints, and how it ends."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
import pytest
from click.testing import CliRunner, Result

from authplugin.userauth import UserAuthNone, encode_payload
from authplugin.userauth.transport import ClientAuthentication
from authplugin_corpus.command import main

COMMAND = (sys.executable, "-c", "from authplugin_corpus.command import main; main()")
KIND = "ssh-rsa"
LIMIT = 30.0
"""Seconds that a command may take."""

USERS = """
banner = "Willkommen"

[[user]]
name = "alice"
password = "swordfish"
home_dir = "/home/alice"

[[user]]
name = "slow"
password = "swordfish"
delay = 0.01

[[user]]
name = "raises"
password = "swordfish"
fail = "raise"

[[user]]
name = "asked"

[[user.round]]
prompt = [{ text = "Code: ", answer = "492816" }]
"""


@dataclass
class Running:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int = 0
    fingerprint: str = ""
    lines: list[str] = field(default_factory=list)

    def until(self, pattern: str) -> str:
        """Return the next line that the pattern is found in."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"it never said {pattern}: {self.lines}")

    def end(self, number: int) -> tuple[int, str, str]:
        """Have a signal end it; return its status, and all that it printed."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, "".join(self.lines) + output, errors


@contextlib.contextmanager
def serving(*arguments: str | Path, cwd: Path | None = None) -> Iterator[Running]:
    """Run `authplugin serve` for the block."""
    with subprocess.Popen(
        [*COMMAND, "serve", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        running = Running(process)
        try:
            running.port = int(running.until(r"^listening on ").split()[-1])
            running.fingerprint = running.until(r"^host key ").split()[-1]
            yield running
        finally:
            process.kill()


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.toml"
    path.write_text(USERS, encoding="utf-8")
    return path


def connect(running: Running) -> paramiko.Transport:
    transport = paramiko.Transport(("127.0.0.1", running.port))
    transport.start_client(timeout=LIMIT)
    return transport


def log_in(running: Running, user: str, password: str = "swordfish") -> bool:
    """Try to log in by password, and if that does, run a command."""
    with connect(running) as transport:
        try:
            transport.auth_password(user, password, fallback=False)
        except paramiko.AuthenticationException:
            return False
        channel = transport.open_session(timeout=LIMIT)
        channel.exec_command("echo hello")
        assert channel.makefile().read() == b"echo hello\n"
        return True


def test_what_is_told(users: Path) -> None:
    with serving(users) as running:
        assert log_in(running, "alice")
        assert not log_in(running, "alice", "marlin")
        assert log_in(running, "slow")
        assert not log_in(running, "raises")
        for _ in range(4):
            running.until(r"^connection \d: closed")
        status, output, errors = running.end(signal.SIGINT)
    assert status == 128 + signal.SIGINT
    assert errors == ""
    lines = output.splitlines()
    event = "connection 1: 'alice' password, parameter not shown: accepted"
    assert f"{event}; available password" in lines
    ran = "connection 1: 'alice' by password, in '/home/alice': echoed: 'echo hello'"
    assert ran in lines
    assert "connection 1: closed, 'alice' was logged in" in lines
    assert any(line.endswith("not shown: refused; available password") for line in lines)
    assert "connection 2: closed, nobody had logged in" in lines
    # Deferred is what it is until it is decided, and no refusal.
    slow = [line for line in lines if line.startswith("connection 3: 'slow' password")]
    assert [line.partition("not shown: ")[2] for line in slow] == [
        "deferred",
        "accepted; available password",
    ]
    assert "connection 4: the handler raised RuntimeError, which refuses:" in lines
    assert "swordfish" not in output
    assert "marlin" not in output


def test_why_a_request_was_refused_and_a_client_dropped(users: Path) -> None:
    """Each is told where no event says it: the event itself has accepted what it was shown."""
    key = paramiko.RSAKey.generate(2048)
    with users.open("a", encoding="utf-8") as file:
        file.write(f'\n[[user]]\nname = "key"\nauthorized_keys = ["{KIND} {key.get_base64()}"]\n')
    forged = key.sign_ssh_data(b"another session", "rsa-sha2-256")
    key.sign_ssh_data = lambda *_: forged
    with serving(users) as running:
        with connect(running) as transport:
            with pytest.raises(paramiko.AuthenticationException):
                transport.auth_interactive("asked", lambda *_: ["294618"])
            with pytest.raises(paramiko.AuthenticationException):
                transport.auth_publickey("key", key)
            transport._send_message(paramiko.Message(b"\x50" + bytes(8)))
            transport.join(LIMIT)
        running.until("^connection 1: closed")
        _, output, errors = running.end(signal.SIGTERM)
    assert errors == ""
    told = [line.removeprefix("connection 1: ") for line in output.splitlines()]
    assert "'asked' keyboard-interactive-1, parameter not shown: refused; available " in output
    assert "'keyboard-interactive' refused: not every response was accepted" in told
    [accepted] = [line for line in told if line.startswith("'key' publickey, rsa-sha2-")]
    assert accepted.endswith("(not shown): accepted; available publickey")
    [refused] = [line for line in told if line.startswith("'publickey' refused: ")]
    assert "signature" in refused
    assert told.index(refused) == told.index(accepted) + 1
    assert "disconnected: message 80 came before authentication" in told


def test_who_breaks_the_protocol_leaves_no_traceback_and_others_are_served(users: Path) -> None:
    with serving(users) as running:
        for first in (b"", b"no SSH at all\r\n", b"SSH-2.0-x\r\n" + bytes(64)):
            with socket.create_connection(("127.0.0.1", running.port), LIMIT) as connection:
                connection.sendall(first)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        with connect(running) as transport:
            transport._send_message(paramiko.Message(encode_payload(UserAuthNone("a", "b"))))
            transport.join(LIMIT)
        with connect(running) as transport:
            raw = ClientAuthentication(transport)
            raw.send(b"\x32garbage")
            transport.join(LIMIT)
        assert log_in(running, "alice")
        for _ in range(6):
            running.until(r"^connection \d: closed")
        status, output, errors = running.end(signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    assert errors == ""
    assert "Traceback" not in output
    assert output.count("nobody had logged in") == 5
    why = "connection 4: disconnected: ssh-userauth has to be asked for first"
    assert why in output.splitlines()
    assert "connection 5: the client broke the protocol: " in output


HANDLER = """
import warnings


class Users:
    def __init__(self):
        self.name = "alice"

    def prompts(self, wanted):
        return None

    def user_auth_request(self, event):
        if event.user == "raises":
            raise ValueError(event.auth_param)
        warnings.warn("of no use to whoever tests a client")
        event.accept = event.user == self.name and event.auth_param == "swordfish"


def broken():
    raise ValueError("no database\\n\\x1b[2J")


three = 3
"""


def test_a_handler_in_python(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HANDLER, encoding="utf-8")
    with serving("--handler", "mine:Users", cwd=tmp_path) as running:
        assert not log_in(running, "bob")
        assert log_in(running, "alice")
        assert not log_in(running, "raises")
        running.until("^connection 3: closed")
        _, output, errors = running.end(signal.SIGTERM)
    assert errors == ""
    assert "the handler raised ValueError" in output
    assert ", in user_auth_request" in output
    assert "swordfish" not in output


def test_a_handler_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HANDLER, encoding="utf-8")
    with serving("--handler", "mine:broken", cwd=tmp_path) as running:
        with pytest.raises(paramiko.SSHException):
            connect(running)
        assert "closed: ValueError: no database??[2J\n" in running.until("^connection 1: closed")
        _, _, errors = running.end(signal.SIGTERM)
    assert errors == ""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["serve", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give either FILE or --handler."),
        (("{users}", "--handler", "a:b"), "Give either FILE or --handler."),
        (("{folder}/none.toml",), "none.toml' does not exist"),
        (("{folder}/wrong.toml",), "wrong.toml: user[0].password: expected a string"),
        (("{users}", "--host", "0.0.0.0"), "0.0.0.0 is no loopback address"),
        (("{users}", "--host", "::"), ":: is no loopback address"),
        (("{users}", "--host", "no such host"), "--host"),
        (("{users}", "--port", "65536"), "--port"),
        (("{users}", "--host-key", "{users}"), "no private key"),
        (("--handler", "colon"), "expected MODULE:NAME, not colon"),
        (("--handler", "no_such_module:x"), "No module named 'no_such_module'"),
        (("--handler", "handlers:none"), "has no attribute 'none'"),
        (("--handler", "handlers:three"), "handlers:three cannot be called"),
        (("--handler", "broken_module:x"), "broken_module:x cannot be imported: ZeroDivisionError"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...],
    said: str,
    users: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path)
    (tmp_path / "handlers.py").write_text(HANDLER, encoding="utf-8")
    (tmp_path / "broken_module.py").write_text("1 / 0", encoding="utf-8")
    wrong = '[[user]]\nname = "a"\npassword = 3'
    (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
    result = call(*(each.format(users=users, folder=tmp_path) for each in arguments))
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert said in " ".join(result.output.split())


def test_a_port_in_use(users: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call(users, "--port", str(port))
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1, port {port}: " in result.output


def test_other_loopback_addresses(users: Path) -> None:
    with serving(users, "--host", "localhost", "--not-only-loopback") as running:
        assert log_in(running, "alice")
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 loopback address")
    with serving(users, "--host", "::1") as running:
        transport = paramiko.Transport(socket.create_connection(("::1", running.port)))
        transport.start_client(timeout=LIMIT)
        transport.close()


def test_a_host_key_of_ones_own(users: Path, tmp_path: Path) -> None:
    key = paramiko.RSAKey.generate(2048)
    path = tmp_path / "key"
    key.write_private_key_file(str(path))
    with serving(users, "--host-key", path) as running:
        assert running.fingerprint == key.fingerprint
