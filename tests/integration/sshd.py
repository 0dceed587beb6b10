"""OpenSSH's own server, one process for each connection, on a port of ours."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko import PKey  # type: ignore[import-untyped]

LIMIT = 20.0
"""Seconds that a server may take to end."""

PAM = Path("/etc/pam.d")
PRIVILEGE_SEPARATION = Path("/run/sshd")
"""An empty folder without which sshd does not start as root. Its own service makes it at boot; it
stays, for whoever else runs these tests at the same time."""


@dataclass(frozen=True)
class Sshd:
    """A server that listens on 127.0.0.1."""

    port: int
    fingerprint: str
    log: Path
    user: str


def find_sshd() -> str:
    """Return the path of sshd.

    Skips the test where there is none; fails it instead where the environment variable
    AUTHPLUGIN_REQUIRE_SSHD is 1.
    """
    path = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        reason = "the program sshd is not there (on Debian and Ubuntu: package openssh-server)"
        if os.environ.get("AUTHPLUGIN_REQUIRE_SSHD") == "1":
            pytest.fail(f"{reason}, and AUTHPLUGIN_REQUIRE_SSHD is 1")
        pytest.skip(reason)
    return path


SERVICE = "authplugin-test-"
"""What the name of a PAM service of these tests begins with; the id of their process follows."""


@contextlib.contextmanager
def pam_service(text: str) -> Iterator[str]:
    """Let there be a PAM service for the block; yields its name.

    Skips the test where only others may do that. Removes what tests have left that were killed.
    """
    if os.geteuid() != 0 or not PAM.is_dir():
        pytest.skip("only root, where there is PAM, can make a PAM service to try it with")
    for left in PAM.glob(f"{SERVICE}*"):
        if not Path("/proc", left.name.removeprefix(SERVICE)).exists():
            left.unlink(missing_ok=True)
    path = PAM / f"{SERVICE}{os.getpid()}"
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    try:
        yield path.name
    finally:
        path.unlink()


@contextlib.contextmanager
def sshd(folder: Path, name: str, **options: str) -> Iterator[Sshd]:
    """Let sshd listen for the block.

    Args:
        folder: for its key, its configuration and its log.
        name: what it is called, which is the name of the PAM service that it uses.
        options: of its configuration, beyond those that keep it to itself.
    """
    program = folder / name
    program.symlink_to(find_sshd())
    made = Ed25519PrivateKey.generate()
    key = folder / "host-key"
    key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key.chmod(0o600)
    settings = {
        "HostKey": str(key),
        "PidFile": "none",
        "PasswordAuthentication": "no",
        "PubkeyAuthentication": "no",
        "KbdInteractiveAuthentication": "yes",
        "PermitRootLogin": "yes",
        "StrictModes": "no",
        "PrintMotd": "no",
        "PrintLastLog": "no",
        "MaxAuthTries": "6",
        **options,
    }
    configuration = folder / "sshd_config"
    lines = (f"{key} {value}\n" for key, value in settings.items())
    configuration.write_text("".join(lines), encoding="utf-8")
    log = folder / "log"
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(0o755, exist_ok=True)
    processes: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("ab") as output:

        def accept() -> None:
            with contextlib.suppress(OSError):  # closed
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        command = [program, "-i", "-e", "-f", configuration]
                        processes.append(
                            subprocess.Popen(
                                command, stdin=connection, stdout=connection, stderr=output
                            )
                        )

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Sshd(
                listener.getsockname()[1],
                str(PKey.from_path(key).fingerprint),
                log,
                getpass.getuser(),
            )
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(LIMIT)
            for process in processes:
                try:
                    process.wait(LIMIT)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
