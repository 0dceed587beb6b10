"""What a server holds and takes, whatever a client claims and however much it sends."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from authplugin import LocalProtocolError, RemoteProtocolError
from authplugin.userauth import (
    Prompts,
    Round,
    SSHUserAuthRequest,
    UserAuthKeyboardInteractive,
    UserAuthLimits,
    UserAuthNone,
    UserAuthServer,
    encode_payload,
)
from authplugin_properties.signing import KEYS

KIB = 1024
MANY = 10_000
SERVICE = "ssh-connection"

LEAST = 256 * KIB
"""Bytes that a server may take for an exchange, an event and a reply, and what Python keeps for the
next ones; it would take more to keep as much as 30 bytes of each of so many requests."""


class Handler:
    """Does with each event what it is told to, asks one thing in each round, and keeps nothing."""

    def __init__(self, decide: Callable[[SSHUserAuthRequest], None]) -> None:
        self.decide = decide

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        self.decide(event)

    def prompts(self, wanted: Round) -> Prompts | None:
        return Prompts([("Password: ", False)])


def accept(event: SSHUserAuthRequest) -> None:
    event.accept = True


def refuse(event: SSHUserAuthRequest) -> None:
    pass


def server(decide: Callable[[SSHUserAuthRequest], None]) -> UserAuthServer:
    return UserAuthServer(Handler(decide), session_id=b"session")


@contextmanager
def peak() -> Iterator[list[int]]:
    """Give a list that has, behind the block, how many bytes more it took at its most."""
    taken: list[int] = []
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield taken
        taken.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()


def say_many(trial: UserAuthServer, payload: bytes, count: int) -> int:
    """Send the same many times, and take what is replied; return how many were taken."""
    for number in range(count):
        try:
            trial.receive(payload)
        except (LocalProtocolError, RemoteProtocolError):
            return number
        trial.data_to_send()
    return count


@pytest.mark.parametrize(
    ("payload", "decide", "taken"),
    [
        # Every refused request counts, so the last of twenty ends it.
        (encode_payload(UserAuthNone("alice", SERVICE)), refuse, UserAuthLimits().attempts),
        # Questions about a key are no attempts.
        (KEYS["ssh-ed25519"].query("alice", SERVICE), accept, MANY),
        # Prompts that nobody answers are, once another request takes their place.
        (
            encode_payload(UserAuthKeyboardInteractive("alice", SERVICE, "", "")),
            refuse,
            UserAuthLimits().attempts + 1,
        ),
        # One is deferred, and sixteen wait.
        (encode_payload(UserAuthNone("alice", SERVICE)), SSHUserAuthRequest.defer, 17),
    ],
    ids=["refused", "asked about", "abandoned", "deferred"],
)
def test_ten_thousand_requests_hold_no_more_than_a_few(
    payload: bytes,
    decide: Callable[[SSHUserAuthRequest], None],
    taken: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_many(server(decide), payload, 30)  # what is made once and kept for good
    trial = server(decide)
    with peak() as bytes_taken:
        assert say_many(trial, payload, MANY) == taken
    assert trial.authenticated is None
    assert trial.held <= trial.limits.frame
    print(f"{MANY} requests, {taken} taken: {bytes_taken[0]} bytes at the most")
    assert bytes_taken[0] < LEAST


@pytest.mark.parametrize("at", [1, 10, 28, 33])
def test_a_claim_of_4_gib_allocates_nothing(at: int) -> None:
    payload = bytearray(KEYS["ssh-ed25519"].query("alice", SERVICE))
    payload[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(RemoteProtocolError):
        server(accept).receive(bytes(payload))
    trial = server(accept)
    with peak() as taken, pytest.raises(RemoteProtocolError):
        trial.receive(bytes(payload))
    print(f"a claim of 4 GiB at byte {at}: {taken[0]} bytes at the most")
    assert taken[0] < LEAST
    assert trial.held == 0


def test_what_waits_together_is_at_most_a_frame() -> None:
    trial = server(SSHUserAuthRequest.defer)
    trial.receive(encode_payload(UserAuthNone("alice", SERVICE)))
    large = encode_payload(UserAuthNone("a" * 60_000, SERVICE))
    with peak() as taken:
        for _ in range(4):
            trial.receive(bytearray(large))
        assert trial.limits.frame - len(large) < trial.held <= trial.limits.frame
        with pytest.raises(RemoteProtocolError):
            trial.receive(bytearray(large))
    assert trial.held == 0
    print(f"at most {taken[0]} bytes for {trial.limits.frame} that may wait")
    # A copy of what waits, and of the one that is too much.
    assert taken[0] < trial.limits.frame + len(large) + LEAST
