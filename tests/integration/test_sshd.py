"""`authplugin login` with a plugin, against OpenSSH's own server: with PAM, and without."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .plink import REMOTE_COMMAND
from .sshd import Sshd, find_sshd, pam_service, sshd

COMMAND = (sys.executable, "-c", "from authplugin_corpus.command import main; main()")

LIMIT = 60.0
"""Seconds that a login may take."""

PLUGIN = """
import sys

import authplugin


class Codes(authplugin.Plugin):
    def keyboard_interactive(self, request, ask_user):
        print(f"asked {[prompt.prompt for prompt in request.prompts]}", file=sys.stderr)
        return [codes.pop(0) for _ in request.prompts]

    def result(self, success):
        print("succeeded" if success else "failed", file=sys.stderr)


codes = sys.argv[1:]
authplugin.run(Codes())
"""


@pytest.fixture
def pam(tmp_path: Path) -> Iterator[Sshd]:
    """Yield an sshd whose PAM service asks for a code, and takes 492816."""
    check = tmp_path / "check"
    check.write_text("#!/bin/sh\ntest \"$(tr -d '\\0')\" = 492816\n", encoding="utf-8")
    check.chmod(0o700)
    service = (
        f"auth requisite pam_exec.so expose_authtok quiet {check}\n"
        "auth required pam_permit.so\n"
        "account required pam_permit.so\n"
        "session required pam_permit.so\n"
    )
    with pam_service(service) as name, sshd(tmp_path, name, UsePAM="yes") as server:
        yield server


def log_in(server: Sshd, folder: Path, *codes: str) -> subprocess.CompletedProcess[str]:
    path = folder / "plugin.py"
    path.write_text(PLUGIN, encoding="utf-8")
    return subprocess.run(
        [
            *COMMAND,
            *("login", f"{server.user}@127.0.0.1"),
            *("--port", str(server.port), "--fingerprint", server.fingerprint),
            *("--command", REMOTE_COMMAND),
            *("--", sys.executable, str(path), *codes),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def test_a_plugin_answers_what_pam_asks(pam: Sshd, tmp_path: Path) -> None:
    ran = log_in(pam, tmp_path, "492816")
    assert (ran.returncode, ran.stdout) == (0, "hello\n"), ran.stderr + pam.log.read_text()
    # sshd ends with a round of no prompts, which is answered too.
    assert ran.stderr.splitlines() == [
        "plugin: asked ['Password: ']",
        "plugin: asked []",
        "plugin: succeeded",
        f"logged in as {pam.user}",
    ]


def test_a_second_attempt_with_the_right_code(pam: Sshd, tmp_path: Path) -> None:
    ran = log_in(pam, tmp_path, "1", "492816")
    assert (ran.returncode, ran.stdout) == (0, "hello\n"), ran.stderr + pam.log.read_text()
    assert "plugin: failed\n" in ran.stderr
    assert "plugin: succeeded\n" in ran.stderr


def test_wrong_codes(pam: Sshd, tmp_path: Path) -> None:
    ran = log_in(pam, tmp_path, "1", "2", "3")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("refused; the server goes on with keyboard-interactive") == 3
    assert "PAM: " in pam.log.read_text()


def test_without_pam_sshd_has_nothing_to_ask(tmp_path: Path) -> None:
    with sshd(tmp_path, "sshd", UsePAM="no") as server:
        ran = log_in(server, tmp_path, "492816")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "refused; the server goes on with" in ran.stderr
    assert "plugin: asked" not in ran.stderr


def test_a_missing_sshd_is_a_visible_skip_or_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    monkeypatch.delenv("AUTHPLUGIN_REQUIRE_SSHD", raising=False)
    with pytest.raises(pytest.skip.Exception, match="the program sshd is not there"):
        find_sshd()
    monkeypatch.setenv("AUTHPLUGIN_REQUIRE_SSHD", "1")
    with pytest.raises(pytest.fail.Exception, match="openssh-server"):
        find_sshd()
