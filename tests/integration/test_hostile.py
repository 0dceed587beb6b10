"""A hostile client on a real connection: it never gets in, and others are served meanwhile."""

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import paramiko  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512

from authplugin.userauth import (
    Prompts,
    UserAuthBanner,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthLimits,
    UserAuthMessage,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPublicKey,
    UserAuthPublicKeyQuery,
    UserAuthSuccess,
    encode_payload,
)
from authplugin.userauth.transport import ClientAuthentication
from authplugin_corpus.serve.deciding import ConfiguredHandler
from authplugin_corpus.serve.listening import TestServer
from authplugin_corpus.serve.users import Configuration, Question, User

SERVICE = "ssh-connection"
LIMIT = 30.0
"""Seconds to wait for what the server says, or does."""

HOST_KEY = paramiko.RSAKey.generate(2048)
ATTEMPTS = 50
SUCCESS, FAILURE, ASKED = 52, 51, 60


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


class Key:
    """An RSA key that is authorised, or an Ed25519 key that is not."""

    def __init__(self, name: str) -> None:
        self.name = name
        if name == "ssh-ed25519":
            key = ed25519.Ed25519PrivateKey.generate()
            self.sign: Callable[[bytes], bytes] = key.sign
            self.blob = string(name.encode()) + string(key.public_key().public_bytes_raw())
        else:
            made = rsa.generate_private_key(65537, 2048)
            self.sign = lambda data: made.sign(data, padding.PKCS1v15(), SHA512())
            numbers = made.public_key().public_numbers()
            self.blob = string(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n)

    def request(
        self, session: bytes, user: str = "alice", algorithm: str = "", signed: str = ""
    ) -> UserAuthPublicKey:
        """Return a signed request.

        Args:
            session: the session that the signature covers.
            user: the user that it covers, and names.
            algorithm: what it names; this key's own where it is left out.
            signed: what the signature names; the same where it is left out.
        """
        made = UserAuthPublicKey(user, SERVICE, algorithm or self.name, self.blob, b"")
        covered = string(session) + encode_payload(made)[:-4]
        name = signed or algorithm or self.name
        made.signature = string(name.encode()) + string(self.sign(covered))
        return made


ALICE = Key("rsa-sha2-512")
MALLORY = Key("ssh-ed25519")
CODE = (Question(Prompts([("Code: ", True)]), ("492816",)),)
USERS = (
    User("alice", password="swordfish", keys=frozenset({ALICE.blob}), rounds=CODE),
    User("mallory", password="x", keys=frozenset({MALLORY.blob}), requires=("publickey",)),
    User("slow", password="swordfish", delay=60.0),
    User(
        "factors",
        password="swordfish",
        keys=frozenset({ALICE.blob}),
        rounds=CODE,
        requires=("publickey", "keyboard-interactive"),
    ),
)


class Hostile:
    """A client that says what it likes."""

    def __init__(self, port: int) -> None:
        self.transport = paramiko.Transport(("127.0.0.1", port))
        self.transport.start_client(timeout=LIMIT)
        self.client = ClientAuthentication(self.transport)
        assert self.read() == 6

    @property
    def session(self) -> bytes:
        return bytes(self.transport.session_id)

    def say(self, *messages: UserAuthMessage | bytes) -> None:
        """Say all, or as much as the server listens to."""
        with suppress(EOFError, OSError):
            for message in messages:
                payload = message if isinstance(message, bytes) else encode_payload(message)
                self.client.send(payload)

    def read(self) -> int | None:
        """Return the type of the next message; None where the connection was closed."""
        payload = self.client.messages.get(timeout=LIMIT)
        return None if payload is None else payload[0]

    def hear(self, count: int) -> list[int | None]:
        return [self.read() for _ in range(count)]

    def rest(self) -> list[int | None]:
        """Return the types of all messages up to the end of the connection.

        The last ones may be lost, where the server closes it without reading all that was said.
        """
        return list(iter(self.read, None))


@pytest.fixture
def server(caplog: pytest.LogCaptureFixture) -> Iterator[TestServer]:
    caplog.set_level(logging.WARNING)
    configuration = Configuration({user.name: user for user in USERS})
    with TestServer(
        lambda: ConfiguredHandler(configuration),
        host_key=HOST_KEY,
        user_auth_limits=UserAuthLimits(attempts=ATTEMPTS),
    ) as server:
        yield server
        # It goes on serving others.
        with paramiko.Transport(("127.0.0.1", server.port)) as other:
            other.start_client(timeout=LIMIT)
            other.auth_password("alice", "swordfish")
            assert other.is_authenticated()
    assert "Traceback" not in caplog.text


@pytest.fixture
def hostile(server: TestServer) -> Iterator[Hostile]:
    made = Hostile(server.port)
    yield made
    assert not made.transport.is_authenticated()
    made.transport.close()


PASSWORD = UserAuthPassword("alice", SERVICE, "swordfish")
WRONG = UserAuthPassword("alice", SERVICE, "marlin")
INTERACTIVE = UserAuthKeyboardInteractive("alice", SERVICE, "", "")
NONE = UserAuthNone("alice", SERVICE)
GOOD = encode_payload(PASSWORD)

UNREADABLE = {
    "empty request": b"\x32",
    "truncated": GOOD[:-1],
    "with more": GOOD + b"\0",
    "a length beyond the end": b"\x32\xff\xff\xff\xff",
    "a signed length": b"\x32\x80\0\0\0" + GOOD[5:],
    "oversized": encode_payload(UserAuthPassword("alice", SERVICE, "x" * 60_000))
    .replace(b"\0\0\xea\x60", b"\0\1\x11\x70")
    .ljust(70_040, b"x"),
    "no text": GOOD.replace(b"alice", b"\xff\xfe\xfd\xfc\xfb"),
    "a boolean of 2": GOOD.replace(b"password\0", b"password\2"),
    "a response to nothing": encode_payload(UserAuthInfoResponse(["492816"])),
    "what a server says": encode_payload(UserAuthSuccess()),
    "a banner": encode_payload(UserAuthBanner("I am the server", "")),
    "a question": encode_payload(UserAuthInfoRequest("", "", "", [("Code: ", True)])),
    "a type that is none": b"\x4f",
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("first", [[], [INTERACTIVE]], ids=["at once", "when asked"])
def test_who_breaks_the_protocol_is_shown_out(
    payload: bytes, first: list[UserAuthMessage], hostile: Hostile
) -> None:
    if first and payload == UNREADABLE["a response to nothing"]:
        payload += b"\0"  # where it would be one to something
    hostile.say(*first)
    assert hostile.hear(len(first)) == [ASKED] * len(first)
    hostile.say(payload, PASSWORD)
    assert hostile.rest() == []


def test_a_signature_over_something_else(hostile: Hostile) -> None:
    session = hostile.session
    theirs = MALLORY.request(session, "mallory")
    theirs.user = "alice"
    moved = ALICE.request(session, "mallory")
    moved.user = "alice"
    other_key = MALLORY.request(session)
    other_key.blob = ALICE.blob
    cut = ALICE.request(session)
    cut.signature = bytes(cut.signature)[:-1]
    of_query = ALICE.request(session)
    of_query.signature = string(b"rsa-sha2-512") + string(
        ALICE.sign(
            string(session)
            + encode_payload(UserAuthPublicKeyQuery("alice", SERVICE, "rsa-sha2-512", ALICE.blob))
        )
    )
    wrong = [
        ALICE.request(b"another session"),
        theirs,
        moved,
        MALLORY.request(session),
        other_key,
        cut,
        of_query,
        ALICE.request(session, algorithm="rsa-sha2-256"),
        ALICE.request(session, algorithm="ssh-rsa"),
        ALICE.request(session, signed="rsa-sha2-256"),
        ALICE.request(session, algorithm="rsa-sha2-256", signed="rsa-sha2-512"),
        UserAuthPublicKey("alice", SERVICE, "rsa-sha2-512", ALICE.blob, b""),
    ]
    hostile.say(*wrong)
    assert hostile.hear(len(wrong)) == [FAILURE] * len(wrong)


def test_a_signature_of_another_connection(hostile: Hostile, server: TestServer) -> None:
    other = Hostile(server.port)
    hostile.say(ALICE.request(other.session))
    assert hostile.read() == FAILURE
    other.say(ALICE.request(other.session))
    assert other.read() == SUCCESS
    other.transport.close()


def test_another_method_in_the_middle(hostile: Hostile) -> None:
    query = UserAuthPublicKeyQuery("alice", SERVICE, "rsa-sha2-512", ALICE.blob)
    hostile.say(INTERACTIVE, query, INTERACTIVE, WRONG, query)
    assert hostile.hear(5) == [ASKED, ASKED, ASKED, FAILURE, ASKED]
    # The answer to a question that a request has taken back.
    hostile.say(INTERACTIVE, WRONG)
    assert hostile.hear(2) == [ASKED, FAILURE]
    hostile.say(UserAuthInfoResponse(["492816"]), PASSWORD)
    assert hostile.rest() == []


def test_a_second_factor_of_another_user(hostile: Hostile) -> None:
    hostile.say(ALICE.request(hostile.session, "factors"), NONE)
    assert hostile.hear(2) == [FAILURE, FAILURE]
    other = UserAuthKeyboardInteractive("factors", SERVICE, "", "")
    hostile.say(other, UserAuthInfoResponse(["492816"]))
    assert hostile.hear(2) == [ASKED, FAILURE]


def test_responses_of_another_count(hostile: Hostile) -> None:
    for responses in ([], ["492816", "492816"], ["492816"] * 1000):
        hostile.say(INTERACTIVE, UserAuthInfoResponse(responses))
        assert hostile.hear(2) == [ASKED, FAILURE]


def test_methods_and_services_that_nobody_knows(hostile: Hostile) -> None:
    names = ["", "keyboard-interactive-1", "hostbased", "Password", "none ", "x" * 60_000]
    hostile.say(*(UserAuthOther("alice", SERVICE, name, b"\xff") for name in names))
    hostile.say(UserAuthPassword("alice", "ssh-connectio", "swordfish"))
    hostile.say(UserAuthPassword("Alice", SERVICE, "swordfish"))
    hostile.say(UserAuthPassword("alice\0", SERVICE, "swordfish"))
    assert hostile.hear(9) == [FAILURE] * 9


def test_ten_thousand_requests(hostile: Hostile) -> None:
    kinds = itertools.cycle([WRONG, NONE, MALLORY.request(hostile.session)])

    requests = itertools.islice(kinds, 10_000)
    thread = threading.Thread(target=lambda: hostile.say(*requests))
    thread.start()
    heard = hostile.rest()
    assert heard == [FAILURE] * len(heard)
    assert len(heard) <= ATTEMPTS
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_more_than_may_wait(hostile: Hostile) -> None:
    slow = UserAuthPassword("slow", SERVICE, "swordfish")
    hostile.say(slow, *[PASSWORD] * 17)
    assert hostile.rest() == []


def test_what_only_those_may_who_have_logged_in(hostile: Hostile) -> None:
    hostile.say(WRONG)
    assert hostile.read() == FAILURE
    with pytest.raises(paramiko.SSHException):
        hostile.transport.open_session(timeout=LIMIT)
    # RFC 4252, section 6: it is not refused, but disconnected.
    hostile.transport.join(LIMIT)
    assert not hostile.transport.is_active()


def test_requests_before_the_service_is_asked_for(server: TestServer) -> None:
    with paramiko.Transport(("127.0.0.1", server.port)) as transport:
        transport.start_client(timeout=LIMIT)
        transport._send_message(paramiko.Message(encode_payload(PASSWORD)))
        transport.join(LIMIT)
        assert not transport.is_active()
