"""The dialogues with a server go as an oracle has it, which shares no code with the server.

The handler here is written anew, from FORMAT.md: what the vectors say a server is to know.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from authplugin import ErrorCode, RemoteProtocolError
from authplugin_corpus.userauth import playing
from authplugin_corpus.userauth.model import Account, ServerSetup, UserAuthDialogue
from authplugin_corpus.userauth.playing import problems_of_play
from authplugin_corpus.vectors import load_user_auth
from authplugin_properties.oracles.server import ServerModel
from authplugin_properties.oracles.server_steps import ALGORITHMS, Answer, Asked, Receive, Setup

DIALOGUES = [each for each in load_user_auth() if isinstance(each, UserAuthDialogue)]

OF_THE_ORACLE = [
    # It knows no certificates.
    each
    for each in DIALOGUES
    if not any(name.startswith("x509v3") for name in each.setup.algorithms or ())
]


class Knowing:
    """What a server knows, as answers to what the oracle asks its handler.

    The oracle takes answers one by one, when it has noted what it asks.
    """

    def __init__(self, setup: ServerSetup) -> None:
        self.setup = setup
        self.model: ServerModel
        self.round = 0

    @property
    def asked(self) -> dict[str, Any]:
        return self.model.came.calls[-1][1]

    def answers(self) -> Iterator[Answer]:
        while True:
            yield self.decide(self.asked)

    def rounds(self) -> Iterator[Asked | None]:
        while True:
            self.round = self.asked["number"]
            rounds = self.rounds_of(self.asked["user"])
            known = self.round <= len(rounds)
            asked = [(each.prompt, each.echo) for each in rounds[self.round - 1]] if known else []
            yield Asked(asked) if known else None

    def account(self, name: str) -> Account | None:
        return next((each for each in self.setup.accounts if each.name == name), None)

    def rounds_of(self, name: str) -> Any:
        account = self.account(name)
        if account is not None and account.rounds is not None:
            return account.rounds
        return next((each.rounds for each in self.setup.accounts if each.rounds), ())

    def decide(self, event: dict[str, Any]) -> Answer:
        account = self.account(event["user"])
        if account is None:
            return Answer()
        named = event["auth_method"]
        method = "keyboard-interactive" if named.startswith("keyboard-interactive") else named
        has = {
            "publickey": bool(account.keys),
            "password": account.password is not None,
            "keyboard-interactive": account.rounds is not None,
        }
        left = [each for each in account.requires if each not in event["completed"]]
        offered = left[:1] if account.requires else [each for each, there in has.items() if there]
        listed = ",".join(offered)
        if method not in offered or not self.is_right(account, named, event["auth_param"]):
            return Answer(available_methods=listed)
        if named.startswith("keyboard-interactive-"):
            return Answer(accept=True, available_methods=listed)
        if method == "password" and account.change is not None and event["new_password"] is None:
            return Answer(change_password=account.change, available_methods=listed)
        if left[1:]:
            return Answer(partial_success=True, available_methods=left[1])
        return Answer(accept=True, available_methods=listed)

    def is_right(self, account: Account, named: str, shown: object) -> bool:
        if named == "publickey":
            return shown in account.keys
        if named == "password":
            return shown == account.password
        if named == "keyboard-interactive":
            return True
        question = self.rounds_of(account.name)[self.round - 1][int(named.rsplit("-", 1)[1]) - 1]
        return question.answer in (None, shown)


class Lazily:
    """Gives an iterator each time that it is asked for one."""

    def __init__(self, make: Any) -> None:
        self.make = make

    def __iter__(self) -> Any:
        return self.make()


class ModelServer:
    """The oracle behind the methods that are called of a server."""

    def __init__(self, setup: ServerSetup) -> None:
        knowing = Knowing(setup)
        algorithms = ALGORITHMS if setup.algorithms is None else setup.algorithms
        attempts = 20 if setup.attempts is None else setup.attempts
        self.model = knowing.model = ServerModel(
            Setup(
                session_id=setup.session_id,
                methods=",".join(setup.methods),
                algorithms=algorithms,
                attempts=attempts,
            )
        )
        self.knowing = knowing
        self.sent: list[bytes] = []

    def receive(self, payload: bytes) -> None:
        answers: Any = Lazily(self.knowing.answers)
        rounds: Any = Lazily(self.knowing.rounds)
        came = self.model.take(Receive(payload, answers, rounds))
        self.sent += came.sent
        if came.refusal is not None:
            raise RemoteProtocolError(ErrorCode(came.refusal[0]), "the oracle says so")

    def data_to_send(self) -> list[bytes]:
        sent, self.sent = self.sent, []
        return sent

    @property
    def authenticated(self) -> object:
        return self.model.authenticated

    @property
    def disconnect(self) -> object:
        reason = self.model.disconnect
        return None if reason is None else SimpleNamespace(code=reason)


@pytest.mark.parametrize("vector", OF_THE_ORACLE, ids=lambda each: each.id)
def test_the_oracle_does_as_the_vector_says(
    vector: UserAuthDialogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "server_of", ModelServer)
    assert list(problems_of_play(vector)) == []


def test_few_are_left_out() -> None:
    assert len(DIALOGUES) - len(OF_THE_ORACLE) == 1
