"""The dialogues with a server, played with this library's own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from authplugin import ErrorCode, ProtocolError
from authplugin.userauth import DEFAULT_ALGORITHMS, Prompts, UserAuthLimits, UserAuthServer
from authplugin.userauth.codec import decode_payload
from authplugin.userauth.messages import (
    UserAuthBanner,
    UserAuthFailure,
    UserAuthMessage,
    UserAuthSuccess,
)

from ..serve import users
from ..serve.deciding import ConfiguredHandler
from .model import (
    Account,
    Disconnected,
    Hear,
    HearNothing,
    Question,
    Refuse,
    Say,
    ServerSetup,
    UserAuthDialogue,
)


def server_of(setup: ServerSetup) -> UserAuthServer:
    """Return a server that knows what a dialogue says it is to know."""
    accounts = {each.name: _user(each) for each in setup.accounts}
    configuration = users.Configuration(accounts, methods=",".join(setup.methods))
    limits = UserAuthLimits() if setup.attempts is None else UserAuthLimits(setup.attempts)
    return UserAuthServer(
        ConfiguredHandler(configuration),
        session_id=setup.session_id,
        methods=configuration.methods,
        algorithms=DEFAULT_ALGORITHMS if setup.algorithms is None else setup.algorithms,
        user_auth_limits=limits,
    )


def _user(account: Account) -> users.User:
    return users.User(
        account.name,
        password=account.password,
        new_password=account.change,
        keys=frozenset(account.keys),
        rounds=None if account.rounds is None else tuple(map(_round, account.rounds)),
        requires=account.requires,
    )


def _round(questions: tuple[Question, ...]) -> users.Question:
    prompts = Prompts([(each.prompt, each.echo) for each in questions])
    return users.Question(prompts, tuple(each.answer for each in questions))


@dataclass(slots=True)
class Play:
    """A server, and what it has said that nobody has heard yet."""

    server: UserAuthServer
    said: deque[bytes] = field(default_factory=deque)
    refused: ErrorCode | None = None

    def say(self, data: bytes) -> None:
        """Send the server a payload, where it still listens: a client may not know yet."""
        if self.is_closed:
            return
        try:
            self.server.receive(data)
        except ProtocolError as error:
            self.refused = error.code
        self.said += (each for each in self.server.data_to_send() if not _is_banner(each))

    @property
    def is_closed(self) -> bool:
        """Whether the server is done with the client."""
        return self.refused is not None or self.server.disconnect is not None


def _is_banner(payload: bytes) -> bool:
    return payload[0] == UserAuthBanner.spec.code


def problems_of_play(vector: UserAuthDialogue) -> Iterator[str]:
    """Yield where this library's server does something else than a dialogue expects of a server."""
    play = Play(server_of(vector.setup))
    fault: ErrorCode | None = None
    for number, turn in enumerate(vector.turns, 1):
        problem = None
        match turn:
            case Say(data, _, wrong):
                play.say(data)
                fault = None if wrong is None else wrong.code
            case Hear():
                problem = _problem_of_hearing(play, turn)
            case HearNothing():
                if play.said or play.is_closed:
                    problem = f"it says something, or is done ({play.refused})"
            case Refuse():
                over = play.server.authenticated is not None
                if any(payload[0] == UserAuthSuccess.spec.code for payload in play.said):
                    problem = "it lets the client in"
                elif over and any(payload[0] == UserAuthFailure.spec.code for payload in play.said):
                    problem = "it takes back that the client is in"
                elif not over and play.refused != fault:
                    problem = f"it refuses with {play.refused}, not {fault}"
                play.said.clear()
            case Disconnected(reason):
                done = play.server.disconnect
                if done is None or done.code != reason or play.said:
                    problem = "it does not close the connection, or for another reason"
        if problem is not None:
            yield f"turn {number}: {problem}"
            return
    if play.said:
        yield f"it says more: {play.said[0].hex()}"


def _problem_of_hearing(play: Play, turn: Hear) -> str | None:
    expected = turn.expected
    if not play.said:
        return f"it says nothing ({play.refused}), not {expected}"
    heard = _read(play.said.popleft(), expected.message_type)
    return heard if isinstance(heard, str) else expected.broken_by(heard)


def _read(payload: bytes, wanted: type[UserAuthMessage]) -> UserAuthMessage | str:
    try:
        return decode_payload(payload, method=wanted.spec.method)
    except ProtocolError as error:
        return f"it says {payload.hex()}, which is no {wanted.spec.name}: {error}"
