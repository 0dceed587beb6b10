"""The turns of a dialogue, read and checked.

Each is one of

    {"send": HEX}               write these bytes to the program. Beside them stand `messages`, the
                                JSON form of the good messages that they begin with, and `fault`,
                                what is wrong with the bytes behind those: at least one of the two.
                                `hold_back`: so many of the last bytes are written only after the
                                program has been seen to say nothing about those before them.
                                `edges`: where the delivery `field-edges` cuts them
    {"expect": {...}}           the program must say this, and nothing in front of it
    {"allow": [{...}, ...]}     the program may say one of these; `lenient` says that a strict one
                                would not
    {"expect_silence": true}    the program must say nothing, and go on waiting
    {"end_of_input": true}      close the program's input; `fault` says what is wrong with that
    {"end_of_output": true}     close the other end of the program's output: what it writes from
                                then on fails, or is lost
    {"expect_end": true}        the program must say nothing more, and end: a plugin its process, a
                                client what it writes to the plugin. Nothing is stated about an exit
                                status, but no signal may end a plugin

and, in dialogues with a client, which has an SSH server and a user as well,

    {"server": {...}}           the server asks for responses, `{"challenge": {...}}`, or says how
                                the attempt went, `{"success": true}` or false
    {"user": ["...", ...]}      what the user answers to the prompts of PLUGIN_KI_USER_REQUEST
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from authplugin import ErrorCode, PluginKIServerRequest, Side

from .constraints import Expected, expected_from_json
from .delivery import edges
from .message_json import message_from_json
from .model import (
    Allow,
    EndOfInput,
    EndOfOutput,
    Expect,
    ExpectEnd,
    ExpectSilence,
    Result,
    Send,
    SentFault,
    Server,
    Turn,
    User,
)
from .places import Place

_NOTHING: Final[frozenset[str]] = frozenset()


def turn_from_json(place: Place, speaker: Side) -> Turn:
    """Return a turn.

    Args:
        place: its JSON form.
        speaker: the side of the program under test, which says what is expected.

    Raises:
        VectorError: where it is not in that form.
    """
    names = place.names()
    for name, read in _TURNS.items():
        if name in names and (name not in _CLIENT_ONLY or speaker is Side.CLIENT):
            return read(place, speaker)
    known = [name for name in _TURNS if name not in _CLIENT_ONLY or speaker is Side.CLIENT]
    raise place.wrong(f"expected an object with one of {', '.join(map(repr, known))}")


def _send(place: Place, speaker: Side) -> Send:
    members = place.members(
        frozenset({"send"}), frozenset({"messages", "fault", "hold_back", "edges"})
    )
    messages: Iterable[Place] = members["messages"].items() if "messages" in members else ()
    send = Send(
        data=members["send"].octets(),
        messages=tuple(message_from_json(item) for item in messages),
        fault=_fault(members),
        hold_back=members["hold_back"].number() if "hold_back" in members else 0,
    )
    if not send.data:
        raise members["send"].wrong("expected at least one byte")
    if not send.messages and send.fault is None:
        raise place.wrong("says neither which 'messages' are sent nor which 'fault'")
    if send.hold_back >= len(send.data):
        raise members["hold_back"].wrong("expected fewer bytes than are sent")
    if "edges" in members:
        given = [item.number() for item in members["edges"].items()]
        if given != edges(send.data):
            raise members["edges"].wrong(f"expected {edges(send.data)}")
    return send


def _fault(members: Mapping[str, Place]) -> SentFault | None:
    if "fault" not in members:
        return None
    parts = members["fault"].members(frozenset({"code", "sentence"}), _NOTHING)
    return SentFault(parts["code"].one_of(ErrorCode), parts["sentence"].text())


def _expect(place: Place, speaker: Side) -> Expect:
    members = place.members(frozenset({"expect"}), _NOTHING)
    return Expect(_message_of(members["expect"], speaker))


def _allow(place: Place, speaker: Side) -> Allow:
    members = place.members(frozenset({"allow"}), frozenset({"lenient"}))
    choices = tuple(_message_of(item, speaker) for item in members["allow"].items())
    if not choices:
        raise members["allow"].wrong("expected at least one message")
    if "lenient" in members:
        members["lenient"].true()
    return Allow(choices, lenient="lenient" in members)


def _message_of(place: Place, speaker: Side) -> Expected:
    expected = expected_from_json(place)
    if expected.message_type.spec.sender is not speaker:
        raise place.wrong(f"{expected.message_type.spec.name} is not sent by a {speaker}")
    return expected


def _expect_silence(place: Place, speaker: Side) -> ExpectSilence:
    place.members(frozenset({"expect_silence"}), _NOTHING)["expect_silence"].true()
    return ExpectSilence()


def _end_of_input(place: Place, speaker: Side) -> EndOfInput:
    members = place.members(frozenset({"end_of_input"}), frozenset({"fault"}))
    members["end_of_input"].true()
    return EndOfInput(_fault(members))


def _end_of_output(place: Place, speaker: Side) -> EndOfOutput:
    place.members(frozenset({"end_of_output"}), _NOTHING)["end_of_output"].true()
    return EndOfOutput()


def _expect_end(place: Place, speaker: Side) -> ExpectEnd:
    place.members(frozenset({"expect_end"}), _NOTHING)["expect_end"].true()
    return ExpectEnd()


def _server(place: Place, speaker: Side) -> Server:
    said = place.members(frozenset({"server"}), _NOTHING)["server"]
    if "success" in said.names():
        return Server(None, said.members(frozenset({"success"}), _NOTHING)["success"].flag())
    challenge = said.members(frozenset({"challenge"}), _NOTHING)["challenge"]
    named: Any = {"type": PluginKIServerRequest.spec.name, **challenge.mapping()}
    named = {name: getattr(value, "value", value) for name, value in named.items()}
    return Server(message_from_json(Place(named, challenge.file, said, challenge.key)))


def _user(place: Place, speaker: Side) -> User:
    answers = place.members(frozenset({"user"}), _NOTHING)["user"]
    return User(tuple(item.any_text() for item in answers.items()))


_TURNS: Final[Mapping[str, Callable[[Place, Side], Turn]]] = {
    "send": _send,
    "expect": _expect,
    "allow": _allow,
    "expect_silence": _expect_silence,
    "end_of_input": _end_of_input,
    "end_of_output": _end_of_output,
    "expect_end": _expect_end,
    "server": _server,
    "user": _user,
}
_CLIENT_ONLY: Final = frozenset({"server", "user"})


def check_turns(
    place: Place, items: Sequence[Place], turns: Sequence[Turn], result: Result
) -> None:
    """Refuse turns that cannot be played, or are at odds with the result.

    Args:
        place: where they stand.
        items: where each of them stands.
        turns: the turns.
        result: what a strict receiver makes of them.

    Raises:
        VectorError: which says what is wrong with them.
    """
    if [index for index, turn in enumerate(turns, 1) if turn == ExpectEnd()] != [len(turns)]:
        raise place.wrong("expected 'expect_end' as the last turn, and nowhere else")
    closed = False
    unheard = False
    fault = False
    for turn, item in zip(turns, items, strict=True):
        problem = _problem(turn, closed=closed, fault=fault, unheard=unheard)
        if problem is not None:
            raise item.wrong(problem)
        if isinstance(turn, (Send, EndOfInput)):
            fault = fault or turn.fault is not None
            closed = closed or isinstance(turn, EndOfInput)
        unheard = unheard or isinstance(turn, EndOfOutput)
    if fault is (result is Result.VALID):
        raise place.wrong("what is 'valid' has no 'fault', and everything else has one")


def _problem(turn: Turn, *, closed: bool, fault: bool, unheard: bool) -> str | None:
    over = closed or fault
    match turn:
        case Expect() | Allow() if unheard:
            return "nothing can be heard behind the end of the output"
        case EndOfOutput() if unheard:
            return "the output can end but once"
        case Send() | Server() | User() if over:
            return "nothing can be sent behind a fault or the end of the input"
        case Expect() if over:
            return "behind a fault or the end of the input a message can but be allowed"
        case ExpectSilence() if over:
            return "behind a fault or the end of the input nothing is waited for"
        case Allow() if not closed:
            return "a message is allowed behind the end of the input alone"
        case EndOfInput() if closed:
            return "the input can end but once"
        case EndOfInput(fault=SentFault()) if fault:
            return "there is a fault already"
        case ExpectEnd() if not closed:
            return "expected 'end_of_input' before it"
    return None
