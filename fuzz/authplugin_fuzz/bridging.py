"""What the events between a server, a bridge and a plugin mean; see `layers` and `courses`.

The control byte of an event: bits 0 to 3 are what happens, a `Deed`; 4 and 5 to which pipe, where
it happens to one; bit 6, that what is then said stays in its pipe; bit 7, that the first bytes to
or from the plugin come one by one. The data is as each `Deed` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from authplugin import Limits
from authplugin.messages import (
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginProtocolAccept,
    PluginProtocolReject,
)
from authplugin.userauth.messages import (
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthSuccess,
)
from authplugin_properties.trio import SECRET, Deed, Pipe, Step

from .anatomy import Declared, Items, Number, Text, body_of, frame_bytes, payload_told, read_frame
from .courses import Course, Event, Holds, Language
from .making import Maker

LIMITS: Final = (
    Limits(),
    Limits(frame=192, text=48, count=3),
    Limits(nonzero_is_true=True, any_bytes=True),
    Limits(frame=192, text=48, count=3, nonzero_is_true=True, any_bytes=True),
)
"""What all three accept. The small ones have room for a request."""

_HELD, _ONE_BY_ONE = 64, 128
_FEW: Final = (1,) * 63 + (1 << 16,)  # the sizes of chunks where bytes come one by one, at first


class Start(NamedTuple):
    """How the three begin: what byte 0 of the input says.

    Attributes:
        username: who is to log in, from bit 2: "bob", or nobody yet.
        limits: what all three accept, from bits 0 and 1: an index into `LIMITS`.
    """

    username: str
    limits: Limits

    @classmethod
    def of(cls, course: Course) -> Start:
        """Return how a course begins."""
        return cls("bob" if course.start & 4 else "", LIMITS[course.start & 3])


def step_of(event: Event) -> Step:
    """Return what an event means."""
    control = event.control
    sizes = _FEW if control & _ONE_BY_ONE else ()
    deed, pipe = Deed(control & 15), Pipe(control >> 4 & 3)
    return Step(deed, pipe, event.data, sizes, bool(control & _HELD))


def event_of(deed: Deed, data: bytes = b"", pipe: int = 0, *, held: bool = False) -> Event:
    """Return the event in which something happens."""
    return Event(deed | pipe << 4 | _HELD * held, data)


def told(event: Event) -> str:
    """Return an event as people read it."""
    step = step_of(event)
    parts = [step.deed.name.lower().replace("_", " ")]
    if step.deed >= Deed.CARRY:
        parts.append(f"({step.pipe.name.lower().replace('_', ' ')})")
    if _holds(event.control) is Holds.PAYLOAD:
        parts.append(payload_told(event.data))
    elif event.data:
        parts.append(event.data.hex())
    if step.held:
        parts.append("(what is then said waits)")
    return " ".join(parts)


_TO_SERVER: Final = (Pipe.SERVER_TO_BRIDGE, Pipe.BRIDGE_TO_SERVER)


def _holds(control: int) -> Holds:
    deed = Deed(control & 15)
    if deed is Deed.SAY:
        return Holds.FRAMES
    if deed is Deed.PUT:
        return Holds.PAYLOAD if Pipe(control >> 4 & 3) in _TO_SERVER else Holds.FRAMES
    return Holds.TEXT if deed in (Deed.NAME, Deed.ANSWER, Deed.BANNER) else Holds.BYTES


_TEXTS: Final = (b"", b"x", b"alice", b"\xc3\xa9", b"a" * 48)
_RESPONSES: Final = (SECRET.encode(), SECRET.encode(), *_TEXTS)
_NO_TEXTS: Final = (b"\xff", b"a" * 49)  # the second where limits are small
_SAID_BY_PLUGINS: Final[Sequence[Declared]] = (
    PluginInitResponse,
    PluginInitFailure,
    PluginProtocolAccept,
    PluginProtocolReject,
    PluginKIServerResponse,
    PluginKIUserRequest,
)
_SAID_BY_SERVERS: Final[Sequence[Declared]] = (
    UserAuthFailure,
    UserAuthSuccess,
    UserAuthBanner,
    UserAuthInfoRequest,
)


def _anything(make: Maker) -> Event:
    dice = make.dice
    deed = dice.pick((*Deed, Deed.AUTHENTICATE, Deed.SAY, Deed.PUT, Deed.PUT, Deed.DECIDE))
    pipe = dice.upto(3)
    holds = _holds(deed | pipe << 4)
    if holds is Holds.FRAMES:
        data = frame_bytes(make.frame(dice.pick(_SAID_BY_PLUGINS)))
    elif holds is Holds.PAYLOAD:
        data = body_of(make.frame(dice.pick(_SAID_BY_SERVERS)))
    elif holds is Holds.TEXT:
        given = _RESPONSES if deed is Deed.ANSWER else _TEXTS
        texts = [dice.pick((*given, *_NO_TEXTS))] * (1 + dice.upto(1))
        data = b"".join(text + b"\0" for text in texts) if deed is Deed.ANSWER else texts[0]
    else:
        data = dice.randbytes(dice.upto(4))
    return event_of(deed, data, pipe, held=dice.chance(0.3))


def _befalls(event: Event, make: Maker) -> Sequence[Event]:
    """Let what is said in an event stay in its pipe, and something happen there."""
    dice = make.dice
    event.control |= _HELD
    deed = dice.pick((Deed.LOSE, Deed.DOUBLE, Deed.SWAP, Deed.CUT, Deed.CHANGE, Deed.END))
    data = bytes((dice.upto(40), 1 << dice.upto(7))) if deed in (Deed.CUT, Deed.CHANGE) else b""
    # What the plugin says is in its pipe now; what others say comes where that has been heard.
    pipe = Pipe.PLUGIN_TO_BRIDGE if dice.chance(0.4) else dice.upto(3)
    return [event_of(deed, data, pipe)]


def _say(make: Maker, message: Declared, **fields: object) -> Event:
    """Make the event in which the plugin says a message."""
    frame = make.frame(message)
    for value, each in zip(frame.values, message.spec.fields, strict=True):
        given = fields.get(each.name)
        if isinstance(value, Number):
            value.value = 2
        elif isinstance(value, Text) and isinstance(given, bytes):
            value.data = given
        elif isinstance(value, Items) and isinstance(given, list):
            value.elements = [[Text(each)] for each in given]
    return event_of(Deed.SAY, frame_bytes(frame))


def _begin(make: Maker) -> list[Event]:
    """Make logins, mostly right ones: one attempt after the other, in rounds of prompts."""
    dice = make.dice
    events = [event_of(Deed.CARRY)]
    first = PluginInitFailure if dice.chance(0.1) else PluginInitResponse
    name = dice.pick((b"", b"alice", b"alice"))
    events.append(_say(make, first, username=name))
    if dice.chance(0.3 if first is PluginInitFailure else 0.05):
        # It says so twice, in one breath, though its turn is over.
        events[-1].control |= _HELD
        events.append(event_of(Deed.DOUBLE, pipe=Pipe.PLUGIN_TO_BRIDGE))
    if not name or dice.chance(0.2):
        events.append(event_of(Deed.NAME, b"carol"))
    for _ in range(1 + dice.upto(2)):
        events += _attempt(make)
    return events


def _attempt(make: Maker) -> list[Event]:
    dice = make.dice
    counts = [dice.upto(3) for _ in range(dice.pick((0, 1, 1, 1, 2)))]
    script = bytearray()
    events = [event_of(Deed.AUTHENTICATE)]
    declines = dice.chance(0.15)
    events.append(_say(make, PluginProtocolReject if declines else PluginProtocolAccept))
    if dice.chance(0.2):
        # Another server would ask something else, before this one has heard anything.
        events[-1].control |= _HELD
        other = make.frame(UserAuthInfoRequest)
        events += [
            event_of(Deed.CARRY, pipe=Pipe.PLUGIN_TO_BRIDGE, held=True),
            event_of(Deed.PUT, body_of(other), Pipe.SERVER_TO_BRIDGE),
        ]
    for number in counts:
        script.append(number | dice.upto(7) << 4)
        script += bytes(1 - dice.chance(0.1) for _ in range(number))
        responses = [dice.pick(_RESPONSES) for _ in range(number)]
        answers = event_of(Deed.ANSWER, b"".join(each + b"\0" for each in responses))
        if declines:
            events.append(answers)
            continue
        if dice.chance(0.3):
            asked = _say(make, PluginKIUserRequest)
            prompts = read_frame(asked.data[4], asked.data[5:]).values[-1]
            assert isinstance(prompts, Items)
            events += [asked, event_of(Deed.ANSWER, b"1234\0" * len(prompts.elements))]
        events.append(_say(make, PluginKIServerResponse, responses=responses))
    script += bytes((4, dice.pick((0, 1, 1, 1, 1, 2, 2, 3, 4, 9))))
    return [event_of(Deed.DECIDE, bytes(script), held=True), *events]


LANGUAGE: Final = Language(_holds, _anything, _befalls, _begin)
