"""Courses of events as a file holds them, whatever the events mean; see `layers`.

A layer whose inputs are courses says in a `Language` what its events mean, as far as whoever
changes them has to know it: then they are changed, crossed and made smaller like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from .layers import Layer
from .making import Maker

_HEAD_SIZE: Final = 3  # bytes in front of an event's data

LONGEST_EVENT: Final = 2**16 - 1
"""Bytes of an event's data at most."""


@dataclass(slots=True)
class Event:
    """What happens next.

    Attributes:
        control: a byte that says what.
        data: with what; at most `LONGEST_EVENT` bytes.
    """

    control: int
    data: bytes = b""

    def to_bytes(self) -> bytes:
        """Put the event together."""
        return bytes((self.control,)) + len(self.data).to_bytes(2, "big") + self.data


@dataclass(slots=True)
class Course:
    """A course of events, taken apart.

    Attributes:
        head: the first byte, where there is one.
        events: what happens.
        rest: what is no whole event.
    """

    head: bytes = b"\0"
    events: list[Event] = field(default_factory=list)
    rest: bytes = b""

    @property
    def start(self) -> int:
        """The first byte as a number; 0 where there is none."""
        return self.head[0] if self.head else 0

    @classmethod
    def from_bytes(cls, raw: bytes) -> Course:
        """Take any bytes apart."""
        events = []
        at = 1
        while len(raw) - at >= _HEAD_SIZE:
            start = at + _HEAD_SIZE
            stop = start + int.from_bytes(raw[at + 1 : start], "big")
            if stop > len(raw):
                break
            events.append(Event(raw[at], raw[start:stop]))
            at = stop
        return cls(raw[:1], events, raw[at:])

    def to_bytes(self) -> bytes:
        """Put it together again; nothing is lost."""
        events = b"".join(event.to_bytes() for event in self.events)
        head = self.head or (b"\0" if events or self.rest else b"")
        return head + events + self.rest


class Holds(Enum):
    """What the data of an event is."""

    FRAMES = auto()
    """Frames of the plugin protocol."""
    PAYLOAD = auto()
    """A payload of SSH's user authentication."""
    TEXT = auto()
    """A text, or some, each ended by a zero byte."""
    BYTES = auto()
    """Bytes, each of which means something by itself."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the events of a layer mean, as far as whoever changes them has to know it.

    Attributes:
        holds: says what the data of an event with such a control byte is.
        anything: makes any event.
        befalls: makes events to put in behind one that is given, which they may change.
        begin: makes a right course of events.
    """

    holds: Callable[[int], Holds]
    anything: Callable[[Maker], Event]
    befalls: Callable[[Event, Maker], Sequence[Event]]
    begin: Callable[[Maker], list[Event]]


def languages() -> Mapping[Layer, Language]:
    """Return the language of each layer whose inputs are courses."""
    from . import bridging, serving

    return {Layer.BRIDGE: bridging.LANGUAGE, Layer.SERVER: serving.LANGUAGE}
