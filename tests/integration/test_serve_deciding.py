"""What a server decides by its file, without any connection."""

import threading
from collections.abc import Sequence

import pytest

from authplugin.userauth import (
    Authenticated,
    Prompts,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthServer,
    UserAuthSuccess,
    decode_payload,
    encode_payload,
)
from authplugin_corpus.serve.deciding import ConfiguredHandler
from authplugin_corpus.serve.users import Configuration, Failure, Question, User

SERVICE = "ssh-connection"
CODE = Question(Prompts([("Code: ", True)]), ("492816",))
ANY = Question(Prompts([("Favourite colour: ", True)]), (None,))


class Conversation:
    """A client of a server that knows some users."""

    def __init__(self, *users: User) -> None:
        self.output = threading.Event()
        self.server = UserAuthServer(
            ConfiguredHandler(Configuration({user.name: user for user in users})),
            session_id=b"session",
            root_directory="/srv",
            on_output=self.output.set,
        )

    def say(self, message: UserAuthMessage) -> UserAuthMessage:
        self.server.receive(encode_payload(message))
        return self.reply(getattr(message, "method", "keyboard-interactive"))

    def reply(self, method: str) -> UserAuthMessage:
        [payload] = self.server.data_to_send()
        return decode_payload(payload, method=method).detach()

    def ask(self, user: str, *rounds: Sequence[str]) -> UserAuthMessage:
        """Log in by keyboard-interactive, with these answers; return the last reply."""
        said = self.say(UserAuthKeyboardInteractive(user, SERVICE, "", ""))
        for responses in rounds:
            assert isinstance(said, UserAuthInfoRequest)
            said = self.say(UserAuthInfoResponse(list(responses)))
        return said


def refused(methods: str) -> UserAuthFailure:
    return UserAuthFailure(methods, False)


ALL = "publickey,password,keyboard-interactive"


@pytest.mark.parametrize("rounds", [None, (), (CODE,), (ANY,)])
def test_nobody_logs_in_whom_the_file_does_not_know(rounds: tuple[Question, ...] | None) -> None:
    known = User("alice", password="swordfish", rounds=rounds)
    talk = Conversation(known)
    answers = [["492816"]] if rounds else []
    assert talk.ask("mallory", *answers) == refused(ALL)
    assert talk.say(UserAuthPassword("mallory", SERVICE, "swordfish")) == refused(ALL)
    assert talk.say(UserAuthNone("mallory", SERVICE)) == refused(ALL)


def test_whoever_is_not_known_is_asked_the_same() -> None:
    users = (User("alice", rounds=(CODE, ANY)), User("bob", password="swordfish"))
    asked = [
        Conversation(*users).ask(name, *answers)
        for name in ("alice", "bob", "mallory")
        for answers in ([], [["1"]])
    ]
    assert asked[:2] == asked[2:4] == asked[4:]


def test_rounds() -> None:
    alice = User("alice", rounds=(CODE, Question(Prompts([]), ()), ANY), home_dir="/home/alice")
    assert Conversation(alice).ask("alice", ["492816"], [], ["red"]) == UserAuthSuccess()
    assert Conversation(alice).ask("alice", ["492817"], [], ["red"]) == refused(
        "keyboard-interactive"
    )
    talk = Conversation(alice, User("bob", rounds=()))
    assert talk.ask("bob") == UserAuthSuccess()
    assert talk.server.authenticated == Authenticated(
        "bob", SERVICE, ("keyboard-interactive",), "/srv"
    )


def test_methods_in_their_order_and_no_other() -> None:
    alice = User(
        "alice",
        password="swordfish",
        rounds=(CODE,),
        requires=("password", "keyboard-interactive"),
        home_dir="/home/alice",
    )
    talk = Conversation(alice)
    assert talk.say(UserAuthNone("alice", SERVICE)) == refused("password")
    assert talk.ask("alice") == refused("password")  # at once, for it is not offered
    password = UserAuthPassword("alice", SERVICE, "swordfish")
    assert talk.say(password) == UserAuthFailure("keyboard-interactive", True)
    assert talk.say(password) == refused("keyboard-interactive")
    assert talk.ask("alice", ["492816"]) == UserAuthSuccess()
    assert talk.server.authenticated == Authenticated(
        "alice", SERVICE, ("password", "keyboard-interactive"), "/home/alice"
    )


def test_a_password_that_has_to_be_changed() -> None:
    talk = Conversation(User("alice", password="swordfish", new_password="Choose"))
    password = UserAuthPassword("alice", SERVICE, "swordfish")
    assert talk.say(password) == UserAuthPasswordChangeRequired("Choose", "")
    wrong = UserAuthPasswordChange("alice", SERVICE, "marlin", "tuna")
    assert talk.say(wrong) == refused("password")
    assert talk.say(UserAuthPassword("alice", SERVICE, "tuna")) == refused("password")
    right = UserAuthPasswordChange("alice", SERVICE, "swordfish", "tuna")
    assert talk.say(right) == UserAuthSuccess()


@pytest.mark.parametrize("delay", [0.0, 3600.0])
def test_raising_is_no_decision_and_takes_no_time(
    delay: float, caplog: pytest.LogCaptureFixture
) -> None:
    talk = Conversation(User("alice", password="x", fail=Failure.RAISE, delay=delay))
    assert talk.say(UserAuthPassword("alice", SERVICE, "x")) == refused(ALL)
    assert "the handler raised RuntimeError" in caplog.text


def test_refusing() -> None:
    talk = Conversation(User("alice", password="x", fail=Failure.REFUSE))
    assert talk.say(UserAuthPassword("alice", SERVICE, "x")) == refused("password")


@pytest.mark.parametrize("shown", ["swordfish", "marlin"])
def test_a_delay(shown: str) -> None:
    talk = Conversation(User("alice", password="swordfish", delay=0.001))
    talk.server.receive(encode_payload(UserAuthPassword("alice", SERVICE, shown)))
    assert talk.output.wait(20)
    right = shown == "swordfish"
    assert talk.reply("password") == (UserAuthSuccess() if right else refused("password"))
