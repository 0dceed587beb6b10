"""Four real SSH clients that share no code with each other, and one way to have each log in."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import paramiko  # type: ignore[import-untyped]
import pytest

from .plink import REMOTE_COMMAND, run_plink
from .ssh_servers import Seen, Server

LIMIT = 60.0
"""Seconds that a login may take."""

ANSWERS = {"Code: ": "492816", "PIN: ": "käse", "Again: ": "492816"}
"""What a user answers to a prompt."""

PLUGIN = Path(__file__).parent / "plugins" / "answers.py"


@dataclass(frozen=True)
class Attempt:
    """How to log in.

    Attributes:
        user: the name of the account.
        methods: the methods to use, and no others.
        password: for `password`.
        key: the private key's file, for `publickey`.
        algorithm: the algorithm to sign with; None for the client's choice.
    """

    user: str
    methods: Sequence[str]
    password: str = "swordfish"
    key: Path | None = None
    algorithm: str | None = None


@dataclass(frozen=True)
class Where:
    """A server that listens on 127.0.0.1."""

    port: int
    fingerprint: str
    folder: Path = field(repr=False)


Client = Callable[[Where, Attempt], str]
"""Logs in, runs `REMOTE_COMMAND`, and returns what that has printed; empty where it did not come to
that."""


def openssh(where: Where, attempt: Attempt) -> str:
    """Log in with `ssh`, which asks a program for passwords and answers."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("the program ssh is not on PATH (on Debian and Ubuntu: openssh-client)")
    ask = where.folder / "ask"
    cases = {**ANSWERS, "password": attempt.password}
    lines = "".join(f"*'{prompt}'*) echo '{answer}';;\n" for prompt, answer in cases.items())
    ask.write_text(f'#!/bin/sh\ncase "$1" in\n{lines}esac\n', encoding="utf-8")
    ask.chmod(0o700)
    options = {
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
        "NumberOfPasswordPrompts": "1",
        "PreferredAuthentications": ",".join(attempt.methods),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": str(attempt.key or "none"),
        "PubkeyAcceptedAlgorithms": attempt.algorithm or "+ssh-rsa,ssh-dss",
    }
    return subprocess.run(
        [
            ssh,
            "-F",
            "none",
            *(f"-o{name}={value}" for name, value in options.items()),
            "-p",
            str(where.port),
            f"{attempt.user}@127.0.0.1",
            REMOTE_COMMAND,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=os.environ
        | {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "LC_ALL": "C.UTF-8"},
    ).stdout


def plink(where: Where, attempt: Attempt) -> str:
    """Log in with PuTTY's client; a plugin answers keyboard-interactive."""
    settings = {
        "SshNoUserAuth": "0",
        "TryAgent": "0",
        "AuthKI": str(int("keyboard-interactive" in attempt.methods)),
    }
    if attempt.key is not None and "publickey" in attempt.methods:
        puttygen = shutil.which("puttygen")
        if puttygen is None:
            pytest.skip("the program puttygen is not on PATH (on Debian and Ubuntu: putty-tools)")
        key = where.folder / "key.ppk"
        subprocess.run(
            [puttygen, str(attempt.key), "-O", "private", "-o", str(key)], check=True, timeout=LIMIT
        )
        settings["PublicKeyFile"] = str(key)
    asks = "keyboard-interactive" in attempt.methods
    finished = run_plink(
        where.folder,
        Server(where.port, where.fingerprint, Seen()),
        [sys.executable, str(PLUGIN)] if asks else None,
        user=attempt.user,
        settings=settings,
        options=("-batch", *(("-pw", attempt.password) if "password" in attempt.methods else ())),
        limit=LIMIT,
    )
    return finished.stdout


def paramikos(where: Where, attempt: Attempt) -> str:
    """Log in with paramiko's own client."""
    disabled = [name for name in _RSA if attempt.algorithm not in (None, name)]
    with paramiko.Transport(
        ("127.0.0.1", where.port), disabled_algorithms={"pubkeys": disabled}
    ) as transport:
        transport.start_client(timeout=LIMIT)
        try:
            for method in attempt.methods:
                if method == "password":
                    transport.auth_password(attempt.user, attempt.password, fallback=False)
                elif method == "publickey":
                    assert attempt.key is not None
                    transport.auth_publickey(attempt.user, paramiko.PKey.from_path(attempt.key))
                else:
                    transport.auth_interactive(attempt.user, _answer)
        except paramiko.AuthenticationException:
            return ""
        channel = transport.open_session(timeout=LIMIT)
        channel.settimeout(LIMIT)
        channel.exec_command(REMOTE_COMMAND)
        return channel.makefile().read().decode()


_RSA = ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512")


def _answer(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
    return [ANSWERS[prompt] for prompt, _ in prompts]


class _Asked(asyncssh.SSHClient):
    """Answers what it is asked."""

    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: list[tuple[str, bool]]
    ) -> list[str]:
        return [ANSWERS[prompt] for prompt, _ in prompts]


def asyncsshs(where: Where, attempt: Attempt) -> str:
    """Log in with asyncssh's client."""
    options: dict[str, Any] = {}
    if attempt.algorithm is not None:
        options["signature_algs"] = [attempt.algorithm]

    async def run() -> str:
        try:
            async with asyncssh.connect(
                "127.0.0.1",
                where.port,
                client_factory=_Asked,
                config=None,
                known_hosts=None,
                username=attempt.user,
                password=attempt.password if "password" in attempt.methods else None,
                client_keys=[str(attempt.key)] if "publickey" in attempt.methods else None,
                agent_path=None,
                preferred_auth=list(attempt.methods),
                **options,
            ) as connection:
                done = await connection.run(REMOTE_COMMAND, stdin=asyncssh.DEVNULL)
                return str(done.stdout)
        except asyncssh.PermissionDenied:
            return ""

    return asyncio.run(asyncio.wait_for(run(), LIMIT))


CLIENTS: dict[str, Client] = {
    "plink": plink,
    "openssh": openssh,
    "paramiko": paramikos,
    "asyncssh": asyncsshs,
}
