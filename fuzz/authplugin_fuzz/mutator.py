"""A mutator and a crossover that know what a conversation consists of.

An input is taken apart into frames and fields by the message table, changed at the level of
fields, frames, turns or chunks, and put together again; sometimes it is changed as mere bytes. All
of it follows from the seed that is given.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Final, TypeAlias

from authplugin.kinds import CountedKind, Encoding, StringKind
from authplugin_properties.boundaries import ILL_FORMED, UINT32S
from authplugin_properties.conversation import LEAVING, Conversation
from authplugin_properties.oracles import cursor

from .anatomy import (
    BY_CODE,
    Flag,
    Frame,
    Items,
    Number,
    Text,
    body_of,
    frame_bytes,
    frames_of,
    message_of,
    read_frame,
    repair,
    stream_bytes,
)
from .inputs import LIMITS, MOST_SIZES, Input
from .making import Maker

BytesMutator: TypeAlias = Callable[[bytes, int], bytes]
"""Changes bytes that mean nothing to it, into no more than so many."""

_UNKNOWN: Final = (0, 9, 10, 13, 19, 24, 26, 128, 255)
_SIZES: Final = (1, 1, 2, 3, 4, 5, 6, 7, 16, 64, 256)
_MOST_FRAMES = 40
_MOST_CHANGES = 4
_AS_BYTES = 0.1  # how often an input is changed as mere bytes
_UNFIT = 0.15  # how often the next message is not made to fit the conversation


def mutate(
    data: bytes, max_size: int, seed: int, mutate_bytes: BytesMutator | None = None
) -> bytes:
    """Return an input that is near another.

    Args:
        data: the input; any bytes.
        max_size: the most bytes to return.
        seed: decides everything.
        mutate_bytes: changes mere bytes; None for one that follows from `seed` too.
    """
    rng = Random(seed)  # noqa: S311 - nothing here is a secret
    if rng.random() < _AS_BYTES:
        return (mutate_bytes or _Bytes(rng))(data, max_size)[:max_size]
    mutation = _Mutation(data, rng)
    for _ in range(rng.randint(1, _MOST_CHANGES)):
        rng.choice(_CHANGES)(mutation)
    return mutation.result(max_size)


def cross(first: bytes, second: bytes, max_size: int, seed: int) -> bytes:
    """Return an input made of two: the frames of one, then some of the other's.

    The parameters are those of `mutate`.
    """
    rng = Random(seed)  # noqa: S311 - nothing here is a secret
    mutation = _Mutation(first, rng)
    others, rest = frames_of(Input.from_bytes(second).data)
    start = rng.randint(0, len(others))
    stop = rng.randint(start, len(others))
    at = rng.randint(0, len(mutation.frames))
    behind = at if rng.getrandbits(1) else len(mutation.frames)
    mutation.frames[at:behind] = others[start:stop]
    mutation.rest = rng.choice((mutation.rest, rest))
    return mutation.result(max_size)


class _Bytes:
    """Changes bytes without a thought for what they mean."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def __call__(self, data: bytes, max_size: int) -> bytes:
        changed = bytearray(data)
        for _ in range(self._rng.randint(1, _MOST_CHANGES)):
            at = self._rng.randint(0, len(changed))
            removed = self._rng.choice((0, 0, 1, 1, 2, 4))
            patch = self._rng.choice(
                (
                    b"",
                    bytes(changed[at : at + 1]) * 2,
                    self._rng.randbytes(self._rng.randint(1, 4)),
                    self._rng.choice(UINT32S).to_bytes(4, "big"),
                )
            )
            changed[at : at + removed] = patch
        return bytes(changed[:max_size])


class _Mutation:
    """An input while it is changed."""

    def __init__(self, data: bytes, rng: Random) -> None:
        self.rng = rng
        self.make = Maker(rng)
        self.input = Input.from_bytes(data)
        self.frames, self.rest = frames_of(self.input.data)

    def result(self, max_size: int) -> bytes:
        del self.frames[_MOST_FRAMES:]
        while True:
            self.input.data = stream_bytes(self.frames, self.rest)
            result = self.input.to_bytes()
            if len(result) <= max_size or not self.frames:
                return result[:max_size]
            self.frames.pop(self.rng.randrange(len(self.frames)))

    def index(self) -> int:
        """Choose a frame, rather the last, where a conversation goes on."""
        if not self.frames:
            self.frames += self.make.dialogue(self.rng.randint(1, 8))
        if self.rng.random() < 0.4:
            return len(self.frames) - 1
        return self.rng.randrange(len(self.frames))

    def frame(self) -> Frame:
        return self.frames[self.index()]

    # Fields.

    def change_value(self) -> None:
        leaves = list(self.frame().leaves())
        if not leaves:
            return
        # By their type first, or what is rare, such as booleans, would hardly be changed.
        types = list(dict.fromkeys(type(value) for value, _ in leaves))
        chosen = self.rng.choice(types)
        value, kind = self.rng.choice([leaf for leaf in leaves if type(leaf[0]) is chosen])
        if isinstance(value, Number):
            near = (value.value + 1, value.value - 1, value.value ^ 1 << self.rng.randrange(32))
            value.value = self.rng.choice((self.make.number(), *near)) & 0xFFFF_FFFF
        elif isinstance(value, Flag):
            value.value = self.rng.choice((0, 1, 2, 255, self.rng.getrandbits(8)))
        elif isinstance(value, Text) and isinstance(kind, StringKind):
            self._change_text(value, kind.encoding)
        elif isinstance(value, Items) and isinstance(kind, CountedKind):
            self._change_items(value, kind)

    def _change_text(self, text: Text, encoding: Encoding) -> None:
        at = self.rng.randint(0, len(text.data))
        way = self.rng.randrange(6)
        if way <= 1:
            text.data = self.make.text(encoding)
        elif way == 2:
            text.data = text.data[:at] + self.make.text(encoding) + text.data[at:]
        elif way == 3:
            text.data = text.data[:at] + self.rng.choice(ILL_FORMED) + text.data[at:]
        elif way == 4:
            text.data = text.data[:at]
        else:
            text.data = text.data[:at] + self.rng.randbytes(1) + text.data[at + 1 :]

    def _change_items(self, items: Items, kind: CountedKind) -> None:
        elements = items.elements
        at = self.rng.randint(0, len(elements))
        way = self.rng.randrange(4)
        if way == 0:
            elements.insert(at, self.make.element(kind))
        elif way == 1:
            del elements[at:]
        elif way == 2:
            elements[at:at] = deepcopy(elements[at : at + 1])
        else:
            self.rng.shuffle(elements)

    def shift(self) -> None:
        """Move the border between two texts, so that one may begin with what the other lacks."""
        texts = [value for value, _ in self.frame().leaves() if isinstance(value, Text)]
        if len(texts) > 1:
            at = self.rng.randrange(len(texts) - 1)
            one, other = texts[at : at + 2]
            both = one.data + self.make.text(Encoding.UTF8) + other.data
            border = self.rng.randint(0, len(both))
            one.data, other.data = both[:border], both[border:]

    def lie(self) -> None:
        """Make a length or a count say what is not so."""
        frame = self.frame()
        values = [value for value, _ in frame.leaves() if isinstance(value, (Text, Items))]
        counts = [value for value in values if isinstance(value, Items)]
        liar = self.rng.choice([frame, *values, *counts])
        if isinstance(liar, Frame):
            truth = len(body_of(liar))
        else:
            truth = len(liar.data if isinstance(liar, Text) else liar.elements)
        near = (truth + 1, truth - 1, truth + 4, truth + 5, truth * 2)
        limits = self.input.limits
        most = (limits.frame + 1, limits.text + 1, limits.count + 1, limits.text, limits.count)
        claim = self.rng.choice((self.rng.choice(near), self.rng.choice(most), self.make.number()))
        liar.claim = claim & 0xFFFF_FFFF

    # Frames.

    def retype(self) -> None:
        index = self.index()
        frame = self.frames[index]
        code = self.rng.choice((self.rng.choice(list(BY_CODE)), self.rng.choice(_UNKNOWN)))
        changed = read_frame(code, body_of(frame)[1:], frame.claim)
        if self.rng.getrandbits(1):
            repair(changed, self.make.value)
        self.frames[index] = changed

    def add_tail(self) -> None:
        self.frame().tail += self.rng.randbytes(self.rng.choice((1, 1, 2, 4)))

    def shorten(self) -> None:
        """Cut a frame's fields off somewhere; its length is right."""
        index = self.index()
        fields = body_of(self.frames[index])[1:]
        self.frames[index] = read_frame(
            self.frames[index].code, fields[: self.rng.randint(0, len(fields))]
        )

    def empty(self) -> None:
        self.frames[self.index()] = Frame(None, claim=self.rng.choice((None, 1, 5)))

    def mend(self) -> None:
        repair(self.frame(), self.make.value)

    # Turns.

    def drop(self) -> None:
        del self.frames[self.index()]

    def duplicate(self) -> None:
        index = self.index()
        self.frames[index:index] = _copied(self.frames[index : index + 1])

    def swap(self) -> None:
        one, other = self.index(), self.index()
        frames = self.frames
        frames[one], frames[other] = frames[other], frames[one]

    def insert(self) -> None:
        message = self.rng.choice(list(BY_CODE.values()))
        self.frames.insert(self.rng.randint(0, len(self.frames)), self.make.frame(message))

    def splice(self) -> None:
        start = self.index()
        stop = self.rng.randint(start, len(self.frames))
        at = self.rng.randint(0, len(self.frames))
        self.frames[at:at] = _copied(self.frames[start:stop])

    def cut(self) -> None:
        """End the input somewhere."""
        index = self.index()
        data = frame_bytes(self.frames[index])
        del self.frames[index:]
        frames, self.rest = frames_of(data[: self.rng.randint(0, len(data))])
        self.frames += frames

    def renew(self) -> None:
        self.frames = self.make.dialogue(self.rng.randint(1, 16))
        self.rest = b""

    def settle(self) -> None:
        """Put right what is wrong with the turns, as far as the types go."""
        self._valid(settle=True)

    def go_on(self) -> None:
        """Let the conversation go on where it is valid no more, or where it ends.

        At times with a message that is right but for what was said before it.
        """
        conversation, at = self._valid(settle=bool(self.rng.getrandbits(1)))
        if self.rng.getrandbits(1):
            del self.frames[at:]
            self.rest = b""
        for index in range(at, at + self.rng.randint(1, 4)):
            leaving = LEAVING[conversation.state]
            if leaving and self.rng.random() < _UNFIT:
                self.frames.insert(index, self.make.frame(self.rng.choice(leaving)))
                break
            frame = self.make.next_frame(conversation)
            if frame is None:
                break
            self.frames.insert(index, frame)

    def _valid(self, *, settle: bool) -> tuple[Conversation, int]:
        """Return the conversation as far as it is valid, and how many frames that is."""
        conversation = Conversation()
        for index, frame in enumerate(self.frames):
            if settle and frame.message in conversation.options():
                repair(frame, self.make.value)
                self.make.bind(frame, conversation)
            # Nothing here asks the codec: where it is wrong, a target has to find out.
            try:
                cursor.decode(frame_bytes(frame))
            except cursor.Refused:
                return conversation, index
            message = message_of(frame)
            if not conversation.fits(message):
                return conversation, index
            conversation.add(message)
        return conversation, len(self.frames)

    # Chunks and limits.

    def rechunk(self) -> None:
        count = self.rng.randint(0, MOST_SIZES)
        self.input.sizes = [self.rng.choice(_SIZES) for _ in range(count)]

    def relimit(self) -> None:
        self.input.limits_index = self.rng.randrange(len(LIMITS))


def _copied(frames: list[Frame]) -> list[Frame]:
    return frames_of(stream_bytes(frames))[0]


_CHANGES: Final = (
    *(_Mutation.change_value,) * 6,
    _Mutation.shift,
    *(_Mutation.lie,) * 4,
    _Mutation.retype,
    _Mutation.add_tail,
    _Mutation.shorten,
    _Mutation.empty,
    *(_Mutation.mend,) * 2,
    _Mutation.drop,
    _Mutation.duplicate,
    _Mutation.swap,
    _Mutation.insert,
    _Mutation.splice,
    _Mutation.cut,
    _Mutation.renew,
    *(_Mutation.settle,) * 2,
    *(_Mutation.go_on,) * 6,
    *(_Mutation.rechunk,) * 2,
    _Mutation.relimit,
)
"""What can be done to an input, as often as it is to be done."""
