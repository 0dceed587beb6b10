"""What the events between a client, a server and its handler mean; see `layers` and `courses`.

The control byte of an event: bits 0 to 2 are what happens, a `Deed`; what the others mean follows
from that, and mostly it is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any, Final

from authplugin import Limits
from authplugin.kinds import BooleanKind, ConstantKind, CountedKind, RestKind, WireKind
from authplugin.userauth.messages import (
    MESSAGES,
    Sender,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPublicKey,
    UserAuthPublicKeyQuery,
)
from authplugin_properties.oracles.server_steps import (
    Answer,
    Asked,
    Decide,
    Lost,
    Receive,
    SendBanner,
    Setup,
    Step,
    Wait,
)
from authplugin_properties.server_trial import SECRET
from authplugin_properties.signing import KEYS, string

from .anatomy import (
    LENGTH_SIZE,
    Declared,
    Flag,
    Frame,
    Items,
    Rest,
    Text,
    Value,
    body_of,
    constant,
    payload_told,
    read_frame,
    repair,
)
from .courses import Course, Event, Holds, Language
from .making import Maker

LIMITS: Final = (
    Limits(),
    Limits(frame=512, text=64, count=3),
    Limits(nonzero_is_true=True, any_bytes=True),
    Limits(frame=512, text=64, count=3, nonzero_is_true=True, any_bytes=True),
)
"""What messages the server takes."""

SETUPS: Final = (
    Setup(),
    Setup(attempts=3, seconds=100, rounds=2, prompts=2, waiting=2),
    Setup(methods="password", services=("ssh-connection", "other"), attempts=6),
    Setup(algorithms=("ssh-ed25519",), waiting=1, root_directory="/srv"),
)
"""How the server is set up, but for what messages it takes."""


class Deed(IntEnum):
    """What happens."""

    RECEIVE = 0
    """The client sends the data, a payload."""
    SIGNED = 1
    """The same; a request with a signature gets one. Bits 4 to 6 say by which key, an index into
    `ALGORITHMS`, taken round and round; bit 3, that it is over another session; bit 7, that it is
    over the request of another user."""
    ANSWERS = 2
    """What the handler does with the events that the next message or decision leads to, a byte
    each; see `answer_of`."""
    ROUNDS = 3
    """What the handler then says where it is asked for prompts; see `round_of`."""
    DECIDE = 4
    """The handler decides on an event: byte 0 is its number, byte 1 what is set, as in ANSWERS."""
    WAIT = 5
    """As many seconds pass as the first byte says, times 4; bit 3, that nobody looks at the
    clock."""
    BANNER = 6
    """A text is to be shown: the data, as UTF-8."""
    LOST = 7
    """The client is gone."""


ALGORITHMS: Final = tuple(sorted(KEYS))
"""What `Deed.SIGNED` can sign with."""

_METHODS: Final = (None, "publickey,keyboard-interactive", "", "none,,x")
_PROMPTS: Final = ("Code: ", "é", "", "P" * 65)


def answer_of(byte: int) -> Answer:
    """Return what a handler does with an event.

    Bit 0 accepts, 1 is a partial success, 2 raises, 3 defers; bits 4 and 5 say which methods there
    are, 6 has the password changed, 7 sets the first directory. 255 accepts with what is no bool.
    """
    if byte == 255:
        return Answer(accept=1)
    return Answer(
        accept=bool(byte & 1),
        partial_success=bool(byte & 2),
        raises=bool(byte & 4),
        defers=byte >> 3 & 1,
        available_methods=_METHODS[byte >> 4 & 3],
        change_password="Change it." if byte & 64 else None,
        home_dir="/home" if byte & 128 else None,
    )


def round_of(byte: int) -> Asked | None:
    """Return what a handler asks for.

    Bits 0 and 1 are the number of prompts, 2 says that there is nothing more to ask, 3 that it
    fails, 4 and 5 which prompt, 6 whether it echoes, 7 that it says what is no prompts.
    """
    if byte & 4:
        return None
    prompt = (_PROMPTS[byte >> 4 & 3], bool(byte & 64))
    return Asked((prompt,) * (byte & 3), "Login", "é", bool(byte & 8), bool(byte & 128))


def setup_of(course: Course) -> Setup:
    """Return how a server is set up: bits 0 and 1 say its limits, 2 and 3 which of `SETUPS`."""
    return replace(SETUPS[course.start >> 2 & 3], limits=LIMITS[course.start & 3])


def steps_of(course: Course) -> list[Step]:
    """Return what the events of a course mean."""
    setup = setup_of(course)
    steps: list[Step] = []
    told: dict[str, Any] = {}
    for event in course.events:
        deed = Deed(event.control & 7)
        data = event.data
        match deed:
            case Deed.ANSWERS:
                told["answers"] = tuple(map(answer_of, data))
            case Deed.ROUNDS:
                told["rounds"] = tuple(map(round_of, data))
            case Deed.RECEIVE | Deed.SIGNED:
                payload = _signed(event, setup) if deed is Deed.SIGNED else data
                steps.append(Receive(_discreet(payload), **told))
                told = {}
            case Deed.DECIDE:
                number, byte = (*data[:2], 0, 0)[:2]
                steps.append(Decide(number, answer_of(byte), **told))
                told = {}
            case Deed.WAIT:
                steps.append(Wait(4.0 * (data[0] if data else 1), not event.control & 8))
            case Deed.BANNER:
                steps.append(SendBanner(data.decode("utf-8", "replace").replace(SECRET, "")))
            case _:
                steps.append(Lost())
    return steps


def _signed(event: Event, setup: Setup) -> bytes:
    """Put a signature into a request that is to have one."""
    data = event.data
    frame = read_frame(data[0], data[1:]) if data else None
    if frame is None or frame.message is not UserAuthPublicKey or not frame.is_sound():
        return data
    user, service = frame.values[:2]
    assert isinstance(user, Text)
    assert isinstance(service, Text)
    key = KEYS[ALGORITHMS[(event.control >> 4 & 7) % len(ALGORITHMS)]]
    session = setup.session_id + b"!" * (event.control >> 3 & 1)

    def unsigned(user: bytes) -> bytes:
        algorithm = key.algorithm.encode()
        fields = {"user": user, "service": service.data, "algorithm": algorithm, "blob": key.blob}
        return payload(UserAuthPublicKey, **fields)[:-LENGTH_SIZE]

    covered = unsigned(b"mallory" if event.control & 128 else user.data)
    return unsigned(user.data) + string(key.signature(string(session) + covered))


def payload(message: Declared, /, **fields: bytes | list[bytes]) -> bytes:
    """Return the payload of a message with these texts or responses in it; others are empty."""
    frame = Frame(message.spec.code, message=message)
    repair(frame, _empty)
    for value, each in zip(frame.values, message.spec.fields, strict=True):
        given = None if isinstance(each.kind, ConstantKind) else fields.get(each.name)
        if isinstance(given, list) and isinstance(value, Items):
            value.elements = [[Text(text)] for text in given]
        elif isinstance(given, bytes) and isinstance(value, (Text, Rest)):
            value.data = given
    return body_of(frame)


def _empty(kind: WireKind) -> Value:
    if isinstance(kind, ConstantKind):
        return constant(kind)
    if isinstance(kind, BooleanKind):
        return Flag(0)
    if isinstance(kind, RestKind):
        return Rest(b"")
    return Items() if isinstance(kind, CountedKind) else Text(b"")


def _discreet(data: bytes) -> bytes:
    """Put something else in the place of the secret, where it stands elsewhere than it may."""
    secret = SECRET.encode()
    if secret not in data:
        return data
    frame = read_frame(data[0], data[1:])
    hidden = sum(
        value.data.count(secret)
        for value, kind in frame.leaves()
        if isinstance(value, (Text, Rest)) and getattr(kind, "secret", False)
    )
    if frame.is_sound() and hidden == data.count(secret):
        return data
    return data.replace(secret, b"hunter00")


def told(event: Event) -> str:
    """Return an event as people read it."""
    deed = Deed(event.control & 7)
    is_payload = _holds(event.control) is Holds.PAYLOAD
    data = payload_told(event.data) if is_payload else event.data.hex()
    more = f" {event.control >> 3:#07b}" if event.control >> 3 else ""
    return f"{deed.name.lower()}{more} {data}".rstrip()


# For whoever changes them.


def event_of(deed: Deed, data: bytes = b"", more: int = 0) -> Event:
    """Return the event in which something happens; `more` are the other bits of its control."""
    return Event(deed | more << 3, data)


def _holds(control: int) -> Holds:
    deed = Deed(control & 7)
    if deed in (Deed.RECEIVE, Deed.SIGNED):
        return Holds.PAYLOAD
    return Holds.TEXT if deed is Deed.BANNER else Holds.BYTES


_ALL_THE_TIME: Final = tuple(bytes((int(each.seconds) // 4,)) for each in SETUPS)
"""As long as a client may take, for `Deed.WAIT`."""

_USERS: Final = (b"alice", b"alice", b"alice", b"bob")
_SERVICES: Final = (b"ssh-connection",) * 6 + (b"other", b"")
_SECRETS: Final = (SECRET.encode(), SECRET.encode(), b"", b"x", b"\xc3\xa9", b"a" * 64)
_SAID_BY_CLIENTS: Final = tuple(each for each in MESSAGES if each.spec.sender is Sender.CLIENT)
_VERDICTS: Final = (0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 8, 9, 10, 16, 18, 34, 48, 64, 65, 129, 255)


def _request(make: Maker, message: Declared) -> bytes:
    """Make a request that is right by itself; where it has a signature, `Deed.SIGNED` makes it."""
    dice = make.dice
    key = KEYS[dice.pick(ALGORITHMS)]
    return payload(
        message,
        user=dice.pick(_USERS),
        service=dice.pick(_SERVICES),
        method=dice.pick((b"hostbased", b"publickey", b"keyboard-interactive-1", b"none,")),
        password=dice.pick(_SECRETS),
        new_password=dice.pick(_SECRETS),
        algorithm=dice.pick((key.algorithm, key.algorithm, "ssh-rsa")).encode(),
        blob=key.blob,
        signature=key.blob,
        rest=dice.pick(_SECRETS),
    )


def _anything(make: Maker) -> Event:
    dice = make.dice
    deed = dice.pick((*Deed, Deed.RECEIVE, Deed.RECEIVE, Deed.DECIDE, Deed.ANSWERS))
    if deed is Deed.SIGNED:
        return event_of(deed, _request(make, UserAuthPublicKey), dice.upto(31))
    if deed is Deed.RECEIVE:
        message = dice.pick(_SAID_BY_CLIENTS if dice.chance(0.8) else MESSAGES)
        return event_of(deed, body_of(make.frame(message)))
    if deed in (Deed.ANSWERS, Deed.ROUNDS):
        return event_of(deed, bytes(dice.pick(_VERDICTS) for _ in range(1 + dice.upto(3))))
    if deed is Deed.DECIDE:
        return event_of(deed, bytes((dice.upto(4), dice.pick(_VERDICTS))))
    return event_of(deed, dice.pick((b"", b"\1", *_ALL_THE_TIME, b"\xff", b"a" * 65)), dice.upto(1))


def _befalls(event: Event, make: Maker) -> Sequence[Event]:
    """Let the handler defer what an event leads to, and something happen meanwhile."""
    meanwhile = [_anything(make) for _ in range(make.dice.upto(2))]
    return [
        *meanwhile,
        event_of(Deed.DECIDE, bytes((make.dice.upto(3), make.dice.pick(_VERDICTS)))),
    ]


def _begin(make: Maker) -> list[Event]:
    """Make a client that tries one method after the other, mostly as it should."""
    return [event for _ in range(1 + make.dice.upto(3)) for event in _attempt(make)]


def _attempt(make: Maker) -> Iterator[Event]:
    dice = make.dice
    message = dice.pick(_REQUESTS)
    if message is UserAuthKeyboardInteractive:
        yield from _rounds(make)
        return
    yield event_of(Deed.ANSWERS, bytes((dice.pick(_VERDICTS),)))
    signed = message is UserAuthPublicKey and dice.chance(0.9)
    # Mostly over this session and this request.
    more = dice.upto(7) << 1 | (dice.pick((0, 0, 0, 1, 16)))
    yield event_of(
        Deed.SIGNED if signed else Deed.RECEIVE, _request(make, message), more if signed else 0
    )


_REQUESTS: Final = (
    UserAuthNone,
    UserAuthPassword,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPublicKeyQuery,
    *(UserAuthPublicKey,) * 3,
    *(UserAuthKeyboardInteractive,) * 4,
    UserAuthOther,
)


def _rounds(make: Maker) -> Iterator[Event]:
    dice = make.dice
    counts = [dice.upto(3) for _ in range(dice.pick((0, 1, 1, 2, 2, 3)))]
    asked = [number | dice.pick((0, 16, 64)) for number in (*counts, 4)]
    if not counts:
        yield event_of(Deed.ANSWERS, bytes((dice.pick(_VERDICTS),)))
    yield event_of(Deed.ROUNDS, bytes(asked[:1]))
    yield event_of(Deed.RECEIVE, _request(make, UserAuthKeyboardInteractive))
    for number, following in zip(counts, asked[1:], strict=True):
        verdicts = [dice.pick((1, 1, 1, 1, 1, 1, 0, 9)) for _ in range(number)]
        yield event_of(Deed.ROUNDS, bytes((following,)))
        yield event_of(Deed.ANSWERS, bytes((*verdicts, dice.pick(_VERDICTS))))
        given = number if dice.chance(0.9) else dice.upto(4)
        responses = [dice.pick(_SECRETS) for _ in range(given)]
        yield event_of(Deed.RECEIVE, payload(UserAuthInfoResponse, responses=responses))


LANGUAGE: Final = Language(_holds, _anything, _befalls, _begin)
