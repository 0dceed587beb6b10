"""Real PuTTY logs in, with plugins written with this library, to servers that we did not write.

An exit status of 0 does not prove a login: plink has it at the end of its input, too. What the
remote command printed does.
"""

import json
import os
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from .plink import REMOTE_COMMAND, find_plink, run_plink
from .ssh_servers import Login, Server, ServerFactory, asyncssh_server, paramiko_server

PLUGINS = Path(__file__).parent / "plugins"

LOGIN = Login()
FIRST, SECOND = LOGIN.challenges
RIGHT = FIRST.answers
WRONG = (FIRST.answers[0], "wrong")
TYPED = tuple((prompt, answer) for (prompt, _), answer in zip(FIRST.prompts, RIGHT, strict=True))
"""For a user who is asked the first challenge: each prompt, and what is typed at it."""

FIRST_NOTED = ["challenge", FIRST.name, FIRST.instructions, [list(p) for p in FIRST.prompts]]
SECOND_NOTED = ["challenge", SECOND.name, SECOND.instructions, []]


@pytest.fixture(scope="session")
def plink() -> str:
    return find_plink()


@pytest.fixture(scope="session")
def host_key(request: pytest.FixtureRequest) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(getattr(request, "param", "ssh-ed25519"))


@pytest.fixture(params=[asyncssh_server, paramiko_server], ids=["asyncssh", "paramiko"])
def server(
    request: pytest.FixtureRequest, plink: str, host_key: asyncssh.SSHKey
) -> Iterator[Server]:
    start: ServerFactory = request.param
    with start(LOGIN, host_key) as running:
        yield running


@dataclass(frozen=True)
class Plugin:
    """The command that starts one_time_password.py, and what it noted."""

    log: Path

    def command(self, *arguments: str) -> list[str]:
        script = str(PLUGINS / "one_time_password.py")
        return [sys.executable, script, "--log", str(self.log), *arguments]

    def noted(self) -> list[list[object]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path / "log")


def init_noted(server: Server) -> list[object]:
    # plink tells the plugin no user name, although its settings hold one.
    return ["init", 2, "127.0.0.1", server.port, ""]


def assert_logged_in(server: Server, stdout: str) -> None:
    assert stdout == LOGIN.output
    assert server.seen.users == [LOGIN.user]
    assert server.seen.responses == [list(RIGHT), []]
    assert server.seen.verdicts == [True]
    assert server.seen.commands == [REMOTE_COMMAND]


def assert_nobody_logged_in(server: Server, stdout: str) -> None:
    assert stdout == ""
    assert True not in server.seen.verdicts
    assert server.seen.commands == []


@pytest.mark.parametrize("host_key", ["ssh-ed25519", "ssh-rsa"], indirect=True)
def test_plugin_answers_both_challenges(tmp_path: Path, server: Server, plugin: Plugin) -> None:
    finished = run_plink(tmp_path, server, plugin.command(*RIGHT))
    assert_logged_in(server, finished.stdout)
    assert (finished.status, finished.stderr) == (0, "")
    assert plugin.noted() == [init_noted(server), FIRST_NOTED, SECOND_NOTED, ["success"]]


def test_plugin_is_told_that_the_login_failed(
    tmp_path: Path, server: Server, plugin: Plugin
) -> None:
    finished = run_plink(tmp_path, server, plugin.command(*WRONG))
    assert_nobody_logged_in(server, finished.stdout)
    assert server.seen.responses == [list(WRONG)]
    assert finished.status == 1
    denied, fatal = finished.stderr.splitlines()
    assert denied == "Access denied"
    assert fatal.startswith("FATAL ERROR: No supported authentication methods available")
    assert plugin.noted() == [init_noted(server), FIRST_NOTED, ["failure"]]


@pytest.mark.parametrize("configured", [None, "carol"])
def test_plugin_supplies_the_user_name(
    tmp_path: Path, server: Server, plugin: Plugin, configured: str | None
) -> None:
    command = plugin.command("--username", LOGIN.user, *RIGHT)
    finished = run_plink(tmp_path, server, command, user=configured)
    # The plugin's user name is the one that counts, even where plink's settings hold another.
    assert_logged_in(server, finished.stdout)
    assert plugin.noted() == [init_noted(server), FIRST_NOTED, SECOND_NOTED, ["success"]]


def test_plugin_asks_the_user(tmp_path: Path, server: Server, plugin: Plugin) -> None:
    finished = run_plink(tmp_path, server, plugin.command("--ask"), options=(), answers=TYPED)
    assert_logged_in(server, finished.stdout)
    assert finished.status == 0
    assert plugin.noted() == [init_noted(server), FIRST_NOTED, SECOND_NOTED, ["success"]]
    header, *asked, footer = finished.stderr.splitlines()
    assert header.startswith("-- Keyboard-interactive authentication prompts from plugin: --")
    assert asked == ["| Token", "| Type what it shows.", "| Code: | PIN: "]
    assert footer.startswith("-- End of keyboard-interactive prompts from plugin --")


def test_plugin_asks_where_nobody_may_be_asked(
    tmp_path: Path, server: Server, plugin: Plugin
) -> None:
    finished = run_plink(tmp_path, server, plugin.command("--ask"), options=["-batch"])
    assert_nobody_logged_in(server, finished.stdout)
    assert finished.status == 1
    assert finished.stderr.endswith(
        "FATAL ERROR: Cannot answer interactive prompts in batch mode\n"
    )
    # Standard input closes with the plugin's question open: it is told no result, and ends.
    assert plugin.noted() == [init_noted(server), FIRST_NOTED]


def test_plugin_asks_and_the_user_walks_away(
    tmp_path: Path, server: Server, plugin: Plugin
) -> None:
    finished = run_plink(tmp_path, server, plugin.command("--ask"), options=(), answers=TYPED[:1])
    assert_nobody_logged_in(server, finished.stdout)
    assert finished.status == 0
    assert plugin.noted() == [init_noted(server), FIRST_NOTED]


def chatty(log: Path) -> list[str]:
    return [sys.executable, str(PLUGINS / "chatty.py"), str(log), *RIGHT]


def test_printing_handlers_do_not_disturb_the_protocol(tmp_path: Path, server: Server) -> None:
    finished = run_plink(tmp_path, server, chatty(tmp_path / "log"), options=["-batch", "-v"])
    assert_logged_in(server, finished.stdout)
    # With -v, plink shows the plugin's standard error, which is where the prints have gone.
    shown = [line for line in finished.stderr.splitlines() if line.startswith("plugin: ")]
    assert shown == [
        "plugin: printed by init",
        "plugin: printed by a child",
        "plugin: printed by keyboard_interactive",
        "plugin: printed by keyboard_interactive",
    ]


def test_printing_to_nobody_does_not_stop_a_handler(tmp_path: Path, server: Server) -> None:
    log = tmp_path / "log"
    finished = run_plink(tmp_path, server, chatty(log))
    assert_logged_in(server, finished.stdout)
    assert log.read_text() == "success"


def unwilling(handler: str, kind: str, message: str) -> list[str]:
    return [sys.executable, str(PLUGINS / "unwilling.py"), handler, kind, message]


@pytest.mark.parametrize(
    ("handler", "shown"),
    [
        ("init", "Authentication plugin failed to initialise:"),
        (
            "protocol",
            "Authentication plugin failed to set up keyboard-interactive authentication:",
        ),
    ],
)
def test_plugin_refuses_and_plink_goes_on_without_it(
    tmp_path: Path, server: Server, handler: str, shown: str
) -> None:
    command = unwilling(handler, "refusal", "No token is plugged in.")
    finished = run_plink(tmp_path, server, command, options=(), answers=TYPED)
    assert_logged_in(server, finished.stdout)
    lines = finished.stderr.splitlines()
    assert lines[:2] == [shown, "No token is plugged in."]
    assert lines[2].startswith("-- Keyboard-interactive authentication prompts from server: --")


def test_plugin_rejects_the_method_without_a_word(tmp_path: Path, server: Server) -> None:
    command = unwilling("protocol", "refusal", "")
    finished = run_plink(tmp_path, server, command, options=(), answers=TYPED)
    assert_logged_in(server, finished.stdout)
    assert finished.stderr.startswith(
        "-- Keyboard-interactive authentication prompts from server: --"
    )


@pytest.mark.parametrize("handler", ["init", "protocol"])
def test_plugin_refuses_where_nobody_may_be_asked(
    tmp_path: Path, server: Server, handler: str
) -> None:
    command = unwilling(handler, "refusal", "No token is plugged in.")
    finished = run_plink(tmp_path, server, command)
    assert_nobody_logged_in(server, finished.stdout)
    assert finished.status == 1
    assert finished.stderr.splitlines()[1:] == [
        "No token is plugged in.",
        "Keyboard-interactive authentication prompts from server:",
        "FATAL ERROR: Cannot answer interactive prompts in batch mode",
    ]


@pytest.mark.parametrize("handler", ["init", "protocol"])
def test_mistake_that_the_protocol_can_carry_is_shown_to_the_user(
    tmp_path: Path, server: Server, handler: str
) -> None:
    command = unwilling(handler, "mistake", "a detail for the plugin's author")
    finished = run_plink(tmp_path, server, command, options=["-v"], answers=TYPED)
    assert_logged_in(server, finished.stdout)
    assert "plugin: RuntimeError: a detail for the plugin's author" in finished.stderr
    assert "the plugin failed; its standard error says why" in finished.stderr


def test_mistake_that_the_protocol_cannot_carry_ends_the_login(
    tmp_path: Path, server: Server
) -> None:
    command = unwilling("keyboard_interactive", "mistake", "a detail for the plugin's author")
    finished = run_plink(tmp_path, server, command, options=["-v"])
    assert_nobody_logged_in(server, finished.stdout)
    assert finished.status == 1
    assert "plugin: RuntimeError: a detail for the plugin's author" in finished.stderr
    assert finished.stderr.splitlines()[-1] == (
        "FATAL ERROR: Unexpected end of file from auth helper plugin "
        "(expected PLUGIN_KI_SERVER_RESPONSE or PLUGIN_PROTOCOL_USER_REQUEST)"
    )


def test_what_hangs_is_killed(tmp_path: Path, host_key: asyncssh.SSHKey, plink: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # This plugin never answers, and does not notice that its input has ended.
    script = "import signal, sys; f = open(sys.argv[1], 'wb', 0); f.write(b'.'); signal.pause()"
    command = [sys.executable, "-c", script, str(pipe)]
    # Opened so, it does not wait for the other side, and reads as ended when that has ended.
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as alive:
        with (
            asyncssh_server(LOGIN, host_key) as server,
            pytest.raises(pytest.fail.Exception, match="still running after 5 seconds"),
        ):
            run_plink(tmp_path, server, command, limit=5)
        assert alive.read() == b"."
        assert select.select([alive], [], [], 10)[0]
        assert alive.read() == b""


def test_missing_plink_is_a_visible_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AUTHPLUGIN_REQUIRE_PLINK", raising=False)
    with pytest.raises(pytest.skip.Exception, match="plink is not on PATH"):
        find_plink()


def test_missing_plink_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AUTHPLUGIN_REQUIRE_PLINK", "1")
    with pytest.raises(pytest.fail.Exception, match="plink is not on PATH"):
        find_plink()
