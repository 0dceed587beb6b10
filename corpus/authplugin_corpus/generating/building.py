"""Conversations, right up to their last words, as the turns of a dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authplugin import (
    MESSAGES,
    ClientSession,
    ErrorCode,
    Limits,
    Message,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginSession,
    Side,
    State,
    decode,
    encode,
)
from authplugin.messages import SPEAKER

from ..delivery import edges
from ..message_json import message_to_json

_RECEIVERS: Final = {Side.PLUGIN: PluginSession, Side.CLIENT: ClientSession}
"""What hears like a program under test."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a strict receiver makes of the last words of a conversation.

    Attributes:
        good: the right messages that they begin with.
        rest: the bytes behind those.
        code: what `rest`, or the end behind it, is refused with; None where it is taken.
        state: where the conversation stands after the right messages.
        turn: whether `rest` comes while it is the receiver's turn to speak.
    """

    good: tuple[Message, ...]
    rest: bytes
    code: ErrorCode | None
    state: State
    turn: bool


def hear(program: Side, lead: Sequence[Message], data: bytes, *, ends: bool) -> Hearing:
    """Return what a strict program makes of bytes behind a right conversation."""
    session = _RECEIVERS[program](Limits())
    for message in lead:
        if message.spec.sender is program:
            session.send(message)
        else:
            session.receive_data(encode(message))
            session.next_event()
    good: list[Message] = []
    while data:
        frame = data[: 4 + int.from_bytes(data[:4], "big")]
        trial = frame if len(data) >= 4 and len(frame) >= 5 else data
        before = session.state
        session.receive_data(trial)
        if session.violation is not None or session.state is before:
            break
        message = decode(trial)
        session.next_event()
        good.append(message.detach())
        data = data[len(trial) :]
    if ends and session.violation is None:
        session.receive_end_of_file()
    code = None if session.violation is None else session.violation.code
    state = good[-1].spec.enters if good else (lead[-1].spec.enters if lead else State.START)
    return Hearing(tuple(good), data, code, state, SPEAKER.get(state) is program)


def right_turns(program: Side, messages: Sequence[Message], *, cut: bool = False) -> list[Any]:
    """Return the turns of a right conversation.

    Args:
        program: the side under test.
        messages: what both sides say, in order, from the first.
        cut: whether it is delivered cut at field edges, too.
    """
    turns: list[Any] = []
    for at, message in enumerate(messages):
        if message.spec.sender is program:
            turns += beside(message) if program is Side.CLIENT else []
            turns.append({"expect": expected(message, messages[:at])})
        else:
            turns.append(send((message,), cut=cut))
    return turns


def send(
    messages: Sequence[Message], rest: bytes = b"", fault: Any = None, *, cut: bool = False
) -> dict[str, Any]:
    """Return a turn that sends messages, and wrong bytes behind them."""
    data = b"".join(encode(message) for message in messages) + rest
    turn: dict[str, Any] = {"send": data.hex()}
    if messages:
        turn["messages"] = [message_to_json(message) for message in messages]
    if fault is not None:
        turn["fault"] = fault
    if cut:
        turn["edges"] = edges(data)
    return turn


def beside(message: Message) -> Iterator[dict[str, Any]]:
    """Yield what the server or the user does before a client can say a message."""
    if isinstance(message, PluginKIServerRequest):
        form = message_to_json(message)
        del form["type"]
        yield {"server": {"challenge": form}}
    elif isinstance(message, (PluginAuthSuccess, PluginAuthFailure)):
        yield {"server": {"success": isinstance(message, PluginAuthSuccess)}}
    elif isinstance(message, PluginKIUserResponse):
        yield {"user": message_to_json(message)["responses"]}


def expected(message: Message, before: Sequence[Message]) -> dict[str, Any]:
    """Return what is expected where a right conversation has a message."""
    form = message_to_json(message)
    wanted: dict[str, Any] = {"type": form["type"]}
    match message:
        case PluginInit():
            wanted["version"] = {"at_least": 2}
        case PluginInitResponse():
            offers = [each.version for each in before if isinstance(each, PluginInit)]
            above = offers != [2]
            wanted["version"] = {"at_least": 1, "at_most": 2} if above else {"equals": 2}
        case PluginKIServerResponse():
            wanted["responses"] = {"count": len(message.responses)}
        case PluginKIUserRequest():
            wanted["prompts"] = {"count": len(message.prompts)}
        case PluginProtocol() | PluginKIServerRequest() | PluginKIUserResponse():
            wanted |= {name: {"equals": value} for name, value in form.items() if name != "type"}
    return wanted


def allowed(state: State, program: Side) -> list[dict[str, Any]]:
    """Return what a program may say in a state."""
    return [
        {"type": each.spec.name}
        for each in MESSAGES
        if each.spec.leaves is state and each.spec.sender is program
    ]


def after_fault(program: Side, lead: Sequence[Message], heard: Hearing) -> list[Any]:
    """Return the `allow` turns behind the end of the input that follows a fault."""
    if heard.turn:
        return list(_answers_to_early(program, heard))
    if program is Side.PLUGIN and heard.state is State.START:
        return [{"allow": [{"type": PluginInitFailure.spec.name}], "lenient": True}]
    return []


def as_if_right(program: Side, state: State) -> list[Any]:
    """Return the `allow` turns for a program that took what a strict one refuses."""
    choices = allowed(state, program)
    return [{"allow": choices, "lenient": True}] if choices else []


def _answers_to_early(program: Side, heard: Hearing) -> Iterator[dict[str, Any]]:
    """Yield what a program may say that cannot see what came too early, one message at a time."""
    replies = allowed(heard.state, program)
    yield {"allow": replies}
    try:
        early = decode(heard.rest)
    except ValueError:
        return
    spec = early.spec
    states = {each.spec.enters for each in MESSAGES if {"type": each.spec.name} in replies}
    if spec.sender is program or spec.leaves not in states:
        return
    further = allowed(spec.enters, program)
    if further:
        yield {"allow": further}
