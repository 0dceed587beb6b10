"""Real clients log in to the test server: every method, every algorithm that the client can do."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from authplugin.userauth import ALGORITHMS, Prompts
from authplugin_corpus.serve.deciding import ConfiguredHandler
from authplugin_corpus.serve.listening import TestServer
from authplugin_corpus.serve.users import Configuration, Question, User

from .plink import REMOTE_COMMAND
from .ssh_clients import ANSWERS, CLIENTS, Attempt, Client, Where

PRINTED = f"{REMOTE_COMMAND}\n"

KEYS: dict[str, Callable[[], Any]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "nistp256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "nistp384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "nistp521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}
"""What makes a key of each kind."""

SIGNED = {
    "ssh-ed25519": "ed25519",
    "ecdsa-sha2-nistp256": "nistp256",
    "ecdsa-sha2-nistp384": "nistp384",
    "ecdsa-sha2-nistp521": "nistp521",
    "rsa-sha2-256": "rsa",
    "rsa-sha2-512": "rsa",
    "ssh-rsa": "rsa",
    "ssh-dss": "dsa",
}
"""Algorithms, and the kind of key that each takes."""

CANNOT = {
    ("paramiko", "ssh-dss"),  # given up in paramiko 4
    ("paramiko", "ssh-rsa"),  # given up in paramiko 5
    ("plink", "ssh-rsa"),  # takes SHA-2 where the server can
    ("plink", "rsa-sha2-256"),  # takes SHA-512 where the server can
}
"""What a client cannot do, or cannot be told to."""

CAN = [
    (name, algorithm) for name in CLIENTS for algorithm in SIGNED if (name, algorithm) not in CANNOT
]

ROUNDS = (
    Question(
        Prompts([("Code: ", True), ("PIN: ", False)], "Login", "From your token"),
        (ANSWERS["Code: "], ANSWERS["PIN: "]),
    ),
    Question(Prompts([], "", "Your token expires soon."), ()),
    Question(Prompts([("Again: ", False)]), (ANSWERS["Again: "],)),
)


@pytest.fixture(params=list(CLIENTS))
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


def write_key(kind: str, path: Path) -> bytes:
    """Write a new private key, and return the public key's blob."""
    if kind == "dsa":  # which cryptography does not write any more
        made = asyncssh.generate_private_key("ssh-dss")
        made.write_private_key(str(path), "openssh")
        path.chmod(0o600)
        return made.public_data
    key = KEYS[kind]()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """Return the blobs of public keys, by the files of the private ones."""
    folder = tmp_path_factory.mktemp("keys")
    return {folder / kind: write_key(kind, folder / kind) for kind in (*KEYS, "dsa")}


@pytest.fixture(scope="session")
def keys(blobs: dict[Path, bytes]) -> dict[str, Path]:
    """Return the files of private keys, by kind."""
    return {path.name: path for path in blobs}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def where(blobs: dict[Path, bytes], told: list[str], tmp_path: Path) -> Iterator[Where]:
    known = frozenset(blobs.values())
    users = (
        User("password", password="swordfish"),
        User("key", keys=known),
        User("asked", rounds=ROUNDS),
        User("nothing", rounds=(Question(Prompts([]), ()),)),
        User("unasked", rounds=()),
        User("factors", keys=known, rounds=ROUNDS, requires=("publickey", "keyboard-interactive")),
        User("slow", password="swordfish", delay=0.3),
    )
    configuration = Configuration({user.name: user for user in users})
    with TestServer(
        lambda: ConfiguredHandler(configuration), tell=told.append, algorithms=tuple(ALGORITHMS)
    ) as server:
        yield Where(server.port, server.fingerprint, tmp_path)


def test_password(client: Client, where: Where) -> None:
    assert client(where, Attempt("password", ["password"])) == PRINTED


def test_wrong_password(client: Client, where: Where) -> None:
    assert client(where, Attempt("password", ["password"], "marlin")) == ""


def test_a_decision_that_takes_its_time(client: Client, where: Where) -> None:
    assert client(where, Attempt("slow", ["password"])) == PRINTED


@pytest.mark.parametrize(("name", "algorithm"), CAN)
def test_publickey(
    name: str, algorithm: str, where: Where, keys: dict[str, Path], told: list[str]
) -> None:
    attempt = Attempt("key", ["publickey"], key=keys[SIGNED[algorithm]], algorithm=algorithm)
    assert CLIENTS[name](where, attempt) == PRINTED
    assert any(f"publickey, {algorithm}," in line and "accepted" in line for line in told)


def test_a_key_that_is_not_authorised(client: Client, where: Where, tmp_path: Path) -> None:
    path = tmp_path / "other"
    write_key("ed25519", path)
    assert client(where, Attempt("key", ["publickey"], key=path)) == ""


@pytest.mark.parametrize("user", ["asked", "nothing", "unasked"])
def test_keyboard_interactive(user: str, client: Client, where: Where) -> None:
    assert client(where, Attempt(user, ["keyboard-interactive"])) == PRINTED


def test_two_factors(client: Client, where: Where, keys: dict[str, Path], told: list[str]) -> None:
    methods = ["publickey", "keyboard-interactive"]
    assert client(where, Attempt("factors", methods, key=keys["ed25519"])) == PRINTED
    signed = [line for line in told if "(query)" not in line]
    assert sum("partial success" in line for line in signed) == 1
    assert any("keyboard-interactive: accepted" in line for line in told)


def test_one_factor_of_two(client: Client, where: Where, keys: dict[str, Path]) -> None:
    attempt = Attempt("factors", ["publickey"], key=keys["ed25519"])
    if client is CLIENTS["paramiko"]:
        with pytest.raises(Exception, match=r"Unable to open channel|Channel|session|closed|SSH"):
            client(where, attempt)
    else:
        assert client(where, attempt) == ""


def test_no_secret_is_told(client: Client, where: Where, told: list[str]) -> None:
    client(where, Attempt("password", ["password"]))
    client(where, Attempt("asked", ["keyboard-interactive"]))
    assert told
    text = "\n".join(told)
    assert "swordfish" not in text
    assert ANSWERS["PIN: "] not in text
    assert ANSWERS["Code: "] not in text
