"""What a strict program hears in a dialogue: which events, in which states, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from authplugin import (
    KEYBOARD_INTERACTIVE,
    MESSAGES,
    ClientSession,
    ErrorCode,
    Message,
    PluginSession,
    RemoteProtocolError,
    Side,
    State,
    decode,
)
from authplugin.messages import SPEAKER, VERSIONS

from .constraints import Expected, Relation
from .delivery import pieces
from .faults import plain
from .model import ClientDialogue, Delivery, EndOfInput, Expect, PluginDialogue, Send

END: Final = "end between frames"
END_INSIDE: Final = "end inside a frame"


@dataclass(slots=True)
class Heard:
    """What a strict program has heard in a dialogue.

    Attributes:
        events: (state, event), where the event is a message's name, `END` or `END_INSIDE`.
        code: what the program refused in the end; None where nothing.
    """

    events: set[tuple[State, str]] = field(default_factory=set)
    code: ErrorCode | None = None


def program_of(vector: PluginDialogue | ClientDialogue) -> Side:
    """Return the side under test."""
    return Side.PLUGIN if isinstance(vector, PluginDialogue) else Side.CLIENT


def hear(vector: PluginDialogue | ClientDialogue, delivery: Delivery = Delivery.WHOLE) -> Heard:
    """Return what this library's own session hears in a dialogue.

    Args:
        vector: the dialogue.
        delivery: in which pieces its bytes come.

    Raises:
        ProtocolError: where the dialogue lets the program say what it cannot, or the right
            messages in it are not.
    """
    program = program_of(vector)
    session: PluginSession | ClientSession = (
        PluginSession() if program is Side.PLUGIN else ClientSession()
    )
    heard = Heard()
    rest = b""
    for turn in vector.turns:
        if isinstance(turn, Expect):
            session.send(example_of(turn.expected))
        elif isinstance(turn, Send):
            state = session.state
            for piece in pieces(turn.data, delivery):
                if session.violation is None:
                    session.receive_data(piece)
            for message in turn.messages:
                heard.events.add((state, message.spec.name))
                if session.next_event() != message:
                    raise RemoteProtocolError(
                        ErrorCode.BAD_VALUE, f"the bytes are not those of {message.spec.name}"
                    )
                state = message.spec.enters
            _expect_no_more(session)
            rest = _behind(turn)
            if rest and (name := _name_of(rest)) is not None:
                heard.events.add((state, name))
        elif isinstance(turn, EndOfInput):
            inside = bool(rest) and len(rest) < 4 + int.from_bytes(rest[:4], "big")
            if session.violation is None or inside:
                heard.events.add((session.state, END_INSIDE if inside else END))
            if session.violation is None:
                session.receive_end_of_file()
    heard.code = None if session.violation is None else session.violation.code
    return heard


def _expect_no_more(session: PluginSession | ClientSession) -> None:
    """Refuse a session that has heard more than was said."""
    try:
        event = session.next_event()
    except RemoteProtocolError:
        return  # the violation, which stays
    if event is not None:
        raise RemoteProtocolError(ErrorCode.BAD_VALUE, "more is heard than the good messages")


def _behind(turn: Send) -> bytes:
    """Return the bytes behind the right messages of a turn."""
    rest = turn.data
    for _ in turn.messages:
        rest = rest[4 + int.from_bytes(rest[:4], "big") :]
    return rest


def _name_of(data: bytes) -> str | None:
    try:
        return decode(data[: 4 + int.from_bytes(data[:4], "big")]).spec.name
    except RemoteProtocolError:
        return None


def example_of(expected: Expected) -> Message:
    """Return a message that is as expected, plain where that leaves a choice."""
    message = plain(expected.message_type)
    values: dict[str, Any] = {
        each.name: getattr(message, each.name) for each in message.spec.fields
    }
    for name, usual in (("version", VERSIONS[-1]), ("method", KEYBOARD_INTERACTIVE)):
        if name in values:
            values[name] = usual
    for constraint in expected.constraints:
        name, bound = constraint.field, constraint.value
        match constraint.relation:
            case Relation.EQUALS:
                values[name] = list(bound) if isinstance(bound, tuple) else bound
            case Relation.COUNT:
                values[name] = [("", False) if name == "prompts" else ""] * int(str(bound))
            case Relation.AT_LEAST:
                values[name] = max(values[name], bound)
            case Relation.AT_MOST:
                values[name] = min(values[name], bound)
    return expected.message_type(**values)


def events_to_hear(program: Side) -> Iterator[tuple[State, str]]:
    """Yield every (state, event) of a role.

    Every message in every state in which the program listens, and both kinds of end in every
    state. A plugin that has declined (ENDED) has ended itself, and hears nothing more.
    """
    for state in State:
        if SPEAKER.get(state) is program.other:
            yield from ((state, each.spec.name) for each in MESSAGES)
        if state is not State.ENDED or program is Side.CLIENT:
            yield from ((state, END), (state, END_INSIDE))
