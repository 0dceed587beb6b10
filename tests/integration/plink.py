"""Run a real PuTTY client, plink, against a server and with a plugin of ours."""

import contextlib
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import pytest

from .ssh_servers import Server

LIMIT = 30.0
"""Seconds that a run may take, from the start of plink to the end of its last descendant."""

FIRST_WITH_PLUGINS = (0, 78)

REMOTE_COMMAND = "echo hello"

_SESSION = "lab"


@dataclass(frozen=True)
class Finished:
    """What a run of plink left behind."""

    stdout: str
    stderr: str
    status: int


def find_plink() -> str:
    """The path of a plink that can start plugins.

    Skips the test where there is none, saying which program is missing; fails it instead where
    the environment variable AUTHPLUGIN_REQUIRE_PLINK is 1.
    """
    path = shutil.which("plink")
    if path is None:
        _missing("the program plink is not on PATH (on Debian and Ubuntu: package putty-tools)")
    if os.name != "posix":
        _missing("the program plink reads its settings from files only on Unix")
    text = subprocess.run(
        [path, "-V"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
    ).stdout
    # A development snapshot has a date in place of the number, and is newer than any of these.
    release = re.search(r"Release (\d+)\.(\d+)", text)
    if release and (int(release[1]), int(release[2])) < FIRST_WITH_PLUGINS:
        _missing(f"the program plink is too old to start plugins: {release[0]}; 0.78 is the first")
    return path


def _missing(reason: str) -> NoReturn:
    if os.environ.get("AUTHPLUGIN_REQUIRE_PLINK") == "1":
        pytest.fail(f"{reason}, and AUTHPLUGIN_REQUIRE_PLINK is 1")
    pytest.skip(reason)


def run_plink(
    folder: Path,
    server: Server,
    plugin: Sequence[str] | None,
    *,
    user: str | None = "bob",
    settings: Mapping[str, str] | None = None,
    options: Sequence[str] = ("-batch",),
    answers: Sequence[tuple[str, str]] = (),
    limit: float = LIMIT,
) -> Finished:
    """Let plink log in to `server` with the help of `plugin`, and run a command there.

    `folder` gets plink's settings, `settings` among them. `user` is the user name in them; None
    leaves it out, and None for `plugin` does without one.
    `answers` are pairs: when the first has been printed, the second is typed, with a newline;
    then the input ends.

    Returns when plink and everything that it started have ended. After `limit` seconds the test
    fails, and what has not ended is killed. It fails, too, if a prompt never came.
    """
    _write_session(folder, server, plugin, user, settings or {})
    command = [find_plink(), *options, "-no-antispoof", _SESSION, REMOTE_COMMAND]
    # plink and the processes that it starts all inherit this pipe's end: it reads as ended when
    # the last of them has, and whatever they write to files is then complete.
    alive, inherited = os.pipe()
    with contextlib.closing(os.fdopen(alive, "rb", buffering=0)) as alive_until:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(folder),
                pass_fds=(inherited,),
                # A group that can be killed; and no terminal, so that plink asks on the pipes.
                start_new_session=True,
            )
        finally:
            os.close(inherited)
        with process:
            try:
                stdout, stderr = _converse(process, alive_until, answers, limit)
                return Finished(stdout, stderr, process.wait(limit))
            except BaseException:
                # plink is not reaped yet, so this number is its group's and nobody else's.
                os.killpg(process.pid, signal.SIGKILL)
                raise


def _write_session(
    folder: Path,
    server: Server,
    plugin: Sequence[str] | None,
    user: str | None,
    more: Mapping[str, str],
) -> None:
    settings = {
        "HostName": "127.0.0.1",
        "PortNumber": str(server.port),
        "Protocol": "ssh",
        "SSHManualHostKeys": server.fingerprint,
        **more,
    }
    if plugin is not None:
        # Run by a shell: without `exec` that would stay between plink and the plugin.
        settings["AuthPlugin"] = f"exec {shlex.join(plugin)}"
    if user is not None:
        settings["UserName"] = user
    sessions = folder / "sessions"
    sessions.mkdir(exist_ok=True)
    assert not any("\n" in value for value in settings.values()), "a setting is one line"
    text = "".join(f"{key}={value}\n" for key, value in settings.items())
    (sessions / _SESSION).write_text(text, encoding="utf-8")


def _environment(folder: Path) -> dict[str, str]:
    environment = {**os.environ, "PUTTYDIR": str(folder), "LC_ALL": "C.UTF-8"}
    # The keys of an agent would be tried before anything that the plugin can help with.
    environment.pop("SSH_AUTH_SOCK", None)
    return environment


def _converse(
    process: subprocess.Popen[bytes],
    alive_until: IO[bytes],
    answers: Sequence[tuple[str, str]],
    limit: float,
) -> tuple[str, str]:
    """Type the answers; return what was printed, when every one of the pipes has ended."""
    assert process.stdin
    assert process.stdout
    assert process.stderr
    deadline = time.monotonic() + limit
    stdout, stderr = bytearray(), bytearray()
    pending = list(answers)
    asked = 0  # Where the prompt that was answered last ends in the standard error.
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, stdout)
        selector.register(process.stderr, selectors.EVENT_READ, stderr)
        selector.register(alive_until, selectors.EVENT_READ, bytearray())
        while selector.get_map():
            if pending and pending[0][0].encode() in stderr[asked:]:
                process.stdin.write(pending.pop(0)[1].encode() + b"\n")
                asked = len(stderr)
            if not pending:
                process.stdin.close()
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                pytest.fail(
                    f"plink, or what it started, was still running after {limit} seconds;\n"
                    f"stdout: {bytes(stdout)!r}\nstderr: {bytes(stderr)!r}"
                )
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
    if pending:
        pytest.fail(f"plink never asked {pending[0][0]!r}; stderr: {bytes(stderr)!r}")
    return stdout.decode(), stderr.decode()
