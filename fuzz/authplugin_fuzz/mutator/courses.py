"""Courses of events, changed: events put in, lost, repeated, and what they hold changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from authplugin.userauth.messages import MESSAGES as USER_AUTH_MESSAGES

from ..courses import LONGEST_EVENT, Course, Event, Holds, Language, languages
from ..dice import Dice
from ..layers import Layer
from ..making import Maker
from . import streams
from .bodies import changed
from .mere_bytes import MereBytes
from .streams import Stream

_MOST_EVENTS = 40
_MOST_CHANGES = 3


class _Changing:
    """A course while it is changed."""

    def __init__(self, data: bytes, language: Language, dice: Dice) -> None:
        self.dice = dice
        self.language = language
        self.course = Course.from_bytes(data)
        self.make = Maker(dice)

    @property
    def events(self) -> list[Event]:
        return self.course.events

    def index(self) -> int:
        """Choose an event, rather the last; make some where there is none."""
        if not self.events:
            self.renew()
        last = len(self.events) - 1
        return last if self.dice.random() < 0.3 else self.dice.upto(last)

    def change_data(self) -> None:
        """Change what an event holds."""
        event = self.events[self.index()]
        event.data = _CHANGED[self.language.holds(event.control)](event.data, self.dice)
        event.data = event.data[:LONGEST_EVENT]

    def change_control(self) -> None:
        """Let something else happen, or as something else."""
        event = self.events[self.index()]
        event.control ^= 1 << self.dice.upto(7)

    def start_anew(self) -> None:
        """Let it begin otherwise."""
        self.course.head = bytes((self.dice.upto(15),))

    def befall(self) -> None:
        """Let something come of an event, or between it and the next."""
        index = self.index()
        further = self.language.befalls(self.events[index], self.make)
        self.events[index + 1 : index + 1] = further

    def insert(self) -> None:
        """Let anything happen."""
        at = self.dice.pick((len(self.events), self.dice.upto(len(self.events))))
        self.events.insert(at, self.language.anything(self.make))

    def drop(self) -> None:
        """Take an event out."""
        del self.events[self.index()]

    def repeat(self) -> None:
        """Put some events in once more, right behind themselves or elsewhere."""
        start = self.index()
        stop = start + 1 + self.dice.upto(2)
        at = self.dice.pick((stop, self.dice.upto(len(self.events))))
        self.events[at:at] = [replace(event) for event in self.events[start:stop]]

    def swap(self) -> None:
        """Let two events change places."""
        one, other = self.index(), self.index()
        events = self.events
        events[one], events[other] = events[other], events[one]

    def renew(self) -> None:
        """Begin another course, a right one."""
        self.events[:] = self.language.begin(self.make)
        self.course.rest = b""

    def go_on(self) -> None:
        """Let another course, a right one, follow."""
        self.events.extend(self.language.begin(self.make))


_Change: TypeAlias = Callable[[_Changing], None]

_CHANGES: Final[tuple[_Change, ...]] = (
    *(_Changing.change_data,) * 6,
    *(_Changing.change_control,) * 2,
    _Changing.start_anew,
    *(_Changing.befall,) * 4,
    *(_Changing.insert,) * 3,
    _Changing.drop,
    _Changing.repeat,
    _Changing.swap,
    *(_Changing.renew,) * 4,
    *(_Changing.go_on,) * 2,
)
"""What can be done to a course, as often as it is to be done."""


def _changed_frames(data: bytes, dice: Dice) -> bytes:
    stream = Stream(data, dice)
    dice.pick(streams.OF_A_FRAME)(stream)
    return b"".join(stream.frames)


def _changed_text(data: bytes, dice: Dice) -> bytes:
    text = dice.pick((b"", b"x", b"\xc3\xa9", b"\xff", b"a" * 65))
    return dice.pick((text, data + text, data + text + b"\0", data[:-1]))


_CHANGED: Final[dict[Holds, Callable[[bytes, Dice], bytes]]] = {
    Holds.FRAMES: _changed_frames,
    Holds.PAYLOAD: lambda data, dice: changed(data, USER_AUTH_MESSAGES, dice),
    Holds.TEXT: _changed_text,
    Holds.BYTES: lambda data, dice: MereBytes(dice)(data, len(data) + 2),
}


def mutate(layer: Layer, data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change a course of events of a layer."""
    changing = _Changing(data, languages()[layer], dice)
    for _ in range(1 + dice.upto(_MOST_CHANGES - 1)):
        dice.pick(_CHANGES)(changing)
    return _within(changing.course, max_size, dice)


def _within(course: Course, max_size: int, dice: Dice) -> bytes:
    """Put a course together, without some of its events where it is too long."""
    events = course.events
    del events[_MOST_EVENTS:]
    while len(made := course.to_bytes()) > max_size and events:
        del events[dice.upto(len(events) - 1)]
    return made


def cross(first: bytes, second: bytes, max_size: int, dice: Dice) -> bytes:
    """Return the beginning of one course, and the end of the other."""
    one, other = Course.from_bytes(first), Course.from_bytes(second)
    at, start = dice.upto(len(one.events)), dice.upto(len(other.events))
    one.events[at:] = other.events[start:]
    one.rest = other.rest
    return _within(one, max_size, dice)
