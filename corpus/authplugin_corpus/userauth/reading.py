"""The vectors of SSH's user authentication, read and checked. FORMAT.md says how they look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from authplugin import ErrorCode
from authplugin.userauth import ALGORITHMS
from authplugin.userauth.codec import encode_payload
from authplugin.userauth.messages import METHODS, Sender, UserAuthSuccess

from ..described import Result, SentFault
from ..places import Place
from ..protocols import USER_AUTH, label_of
from ..registers import (
    OF_MESSAGES,
    Names,
    VectorForm,
    check_message_and_error,
    error_at,
    limits_at,
    strikes_at,
)
from .forms import message_from_json, server_says_from_json
from .model import (
    Account,
    Disconnected,
    Hear,
    HearNothing,
    Question,
    Refuse,
    Say,
    ServerSetup,
    ServerTurn,
    UserAuthDialogue,
    UserAuthMessageVector,
)

_NOTHING: Final[frozenset[str]] = frozenset()
_LABELS: Final = frozenset(
    label_of(each.spec) for protocol in USER_AUTH.values() for each in protocol.messages
)


def form_at(place: Place) -> VectorForm[UserAuthMessageVector | UserAuthDialogue]:
    """Return the form of a vector: of a dialogue where it has turns, else of a message."""
    return _OF_DIALOGUES if "turns" in place.names() else _OF_MESSAGES


def _message_vector(members: Mapping[str, Place], named: Names) -> UserAuthMessageVector:
    message = message_from_json(members["message"]) if "message" in members else None
    check_message_and_error(members, named)
    return UserAuthMessageVector(
        *named,
        members["payload"].octets(),
        _method(members["method"]) if "method" in members else None,
        limits_at(members),
        message,
        *error_at(members),
        file=members["id"].file,
        strikes=strikes_at(members, _LABELS),
    )


def _method(place: Place) -> str:
    if place.value not in METHODS:
        raise place.wrong(f"expected one of {', '.join(METHODS)}")
    return place.text()


def _dialogue(members: Mapping[str, Place], named: Names) -> UserAuthDialogue:
    items = tuple(members["turns"].items())
    turns = tuple(map(_turn, items))
    _check_turns(members["turns"], items, turns, named[3])
    return UserAuthDialogue(*named, _setup(members["server"]), turns, members["id"].file)


_OF_MESSAGES: Final = VectorForm(
    frozenset({"payload"}), OF_MESSAGES | frozenset({"method"}), _message_vector
)
_OF_DIALOGUES: Final = VectorForm(frozenset({"server", "turns"}), _NOTHING, _dialogue)


def _setup(place: Place) -> ServerSetup:
    members = place.members(
        frozenset({"session_id", "users", "methods"}), frozenset({"algorithms", "attempts"})
    )
    accounts = tuple(map(_account, members["users"].items()))
    if len({each.name for each in accounts}) < len(accounts):
        raise members["users"].wrong("has a name twice")
    algorithms = None
    if "algorithms" in members:
        algorithms = tuple(map(_algorithm, members["algorithms"].items()))
    return ServerSetup(
        members["session_id"].octets(),
        accounts,
        tuple(each.text() for each in members["methods"].items()),
        algorithms,
        members["attempts"].number() if "attempts" in members else None,
    )


def _algorithm(place: Place) -> str:
    if place.value not in ALGORITHMS:
        raise place.wrong(f"expected one of {', '.join(ALGORITHMS)}")
    return place.text()


def _account(place: Place) -> Account:
    members = place.members(
        frozenset({"name"}), frozenset({"password", "change", "keys", "rounds", "requires"})
    )
    texts = {name: members[name].any_text() for name in ("password", "change") if name in members}
    return Account(
        members["name"].any_text(),
        keys=tuple(each.octets() for each in members["keys"].items()) if "keys" in members else (),
        rounds=tuple(
            tuple(map(_question, questions.items())) for questions in members["rounds"].items()
        )
        if "rounds" in members
        else None,
        requires=tuple(each.text() for each in members["requires"].items())
        if "requires" in members
        else (),
        **texts,
    )


def _question(place: Place) -> Question:
    members = place.members(frozenset({"prompt", "echo"}), frozenset({"answer"}))
    answer = members["answer"].any_text() if "answer" in members else None
    return Question(members["prompt"].text(), members["echo"].flag(), answer)


def _turn(place: Place) -> ServerTurn:
    for name, read in _TURNS.items():
        if name in place.names():
            return read(place)
    raise place.wrong(f"expected an object with one of {', '.join(map(repr, _TURNS))}")


def _say(place: Place) -> Say:
    members = place.members(frozenset({"send"}), frozenset({"message", "fault"}))
    message = message_from_json(members["message"]) if "message" in members else None
    fault = None
    if "fault" in members:
        parts = members["fault"].members(frozenset({"code", "sentence"}), _NOTHING)
        fault = SentFault(parts["code"].one_of(ErrorCode), parts["sentence"].text())
    if (message is None) is (fault is None):
        raise place.wrong("has either a 'message' or a 'fault'")
    said = Say(members["send"].octets(), message, fault)
    if message is not None:
        if message.spec.sender is not Sender.CLIENT:
            raise members["message"].wrong(f"{message.spec.name} is not sent by a client")
        if encode_payload(message) != said.data:
            raise members["send"].wrong(f"is not this {message.spec.name}")
    return said


def _hear(place: Place) -> Hear:
    expected = server_says_from_json(place.members(frozenset({"expect"}), _NOTHING)["expect"])
    if expected.message_type.spec.sender is not Sender.SERVER:
        raise place.wrong(f"{expected.message_type.spec.name} is not sent by a server")
    return Hear(expected)


def _hear_nothing(place: Place) -> HearNothing:
    place.members(frozenset({"expect_silence"}), _NOTHING)["expect_silence"].true()
    return HearNothing()


def _refuse(place: Place) -> Refuse:
    place.members(frozenset({"expect_refusal"}), _NOTHING)["expect_refusal"].true()
    return Refuse()


def _disconnected(place: Place) -> Disconnected:
    members = place.members(frozenset({"expect_disconnect"}), _NOTHING)
    return Disconnected(members["expect_disconnect"].number())


_TURNS: Final[Mapping[str, Callable[[Place], ServerTurn]]] = {
    "send": _say,
    "expect": _hear,
    "expect_silence": _hear_nothing,
    "expect_refusal": _refuse,
    "expect_disconnect": _disconnected,
}


def is_in(message: type, turns: Sequence[ServerTurn]) -> bool:
    """Say whether a message is expected in a dialogue."""
    return any(isinstance(turn, Hear) and turn.expected.message_type is message for turn in turns)


def _check_turns(
    place: Place, items: Sequence[Place], turns: Sequence[ServerTurn], result: Result
) -> None:
    """Refuse turns that are at odds with each other, or with the result."""
    if not turns or isinstance(turns[-1], Say):
        raise place.wrong("expected something of the server at the end")
    for turn, item in zip(turns[:-1], items, strict=False):
        if isinstance(turn, (Refuse, Disconnected)):
            raise item.wrong("nothing comes behind a refusal or the end of the connection")
    logs_in = is_in(UserAuthSuccess, turns)
    if result is not Result.ACCEPTABLE and logs_in is not (result is Result.VALID):
        raise place.wrong("what is 'valid' logs in, and what is 'invalid' does not")
