"""Layouts typed in anew, frames made from them, and what a stream of frames must come to.

Nothing here is read from the codec's tables: the twelve messages stand as `wire-facts` has them,
and what is right is what the cursor oracle says.
"""

import itertools
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import authplugin
from authplugin import Message, RemoteProtocolError
from authplugin_properties.oracles import Limits, Refused, cursor

Neutral = dict[str, Any]

CLASSES: dict[int, Any] = {
    1: authplugin.PluginInit,
    2: authplugin.PluginInitResponse,
    3: authplugin.PluginProtocol,
    4: authplugin.PluginProtocolAccept,
    5: authplugin.PluginProtocolReject,
    6: authplugin.PluginAuthSuccess,
    7: authplugin.PluginAuthFailure,
    8: authplugin.PluginInitFailure,
    20: authplugin.PluginKIServerRequest,
    21: authplugin.PluginKIServerResponse,
    22: authplugin.PluginKIUserRequest,
    23: authplugin.PluginKIUserResponse,
}
CODES = {kind: code for code, kind in CLASSES.items()}
NAMED = {cursor.NAMES[code]: kind for code, kind in CLASSES.items()}

# In every response, and nowhere else: what no text may show.
SECRET = "hunter2"


def uint32(value: int) -> bytes:
    return struct.pack(">I", value)


def framed(body: bytes) -> bytes:
    """Return a frame whose length field is true; the body begins with the type byte."""
    return uint32(len(body)) + body


class Piece(NamedTuple):
    """A run of bytes: `kind` is uint32, length, utf8, ascii, unstated, count or boolean."""

    field: str
    kind: str
    data: bytes


class Span(NamedTuple):
    """Where a piece stands in its frame."""

    field: str
    kind: str
    offset: int
    size: int


@dataclass(frozen=True)
class Sample:
    """A good frame of one message, and where everything in it stands."""

    code: int
    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        return cursor.NAMES[self.code]

    @property
    def body(self) -> bytes:
        return bytes([self.code]) + b"".join(piece.data for piece in self.pieces)

    @property
    def frame(self) -> bytes:
        return framed(self.body)

    @property
    def spans(self) -> list[Span]:
        offset = 5
        spans = []
        for piece in self.pieces:
            spans.append(Span(piece.field, piece.kind, offset, len(piece.data)))
            offset += len(piece.data)
        return spans

    def of_kind(self, *kinds: str) -> list[int]:
        """Return the indexes of the pieces of some kinds."""
        return [at for at, piece in enumerate(self.pieces) if piece.kind in kinds]

    def with_piece(self, at: int, data: bytes) -> "Sample":
        """Return the sample with other bytes in one place; a text's length stays true."""
        pieces = list(self.pieces)
        pieces[at] = pieces[at]._replace(data=data)
        if pieces[at].kind in TEXTS:
            pieces[at - 1] = pieces[at - 1]._replace(data=uint32(len(data)))
        return Sample(self.code, tuple(pieces))


TEXTS = ("utf8", "ascii", "unstated")


def _text(field: str, value: str, kind: str) -> list[Piece]:
    data = value.encode()
    return [Piece(field, "length", uint32(len(data))), Piece(field, kind, data)]


def _request(code: int, name: str, instructions: str, prompts: list[tuple[str, int]]) -> Sample:
    pieces = [
        *_text("name", name, "utf8"),
        *_text("instructions", instructions, "utf8"),
        *_text("language", "en", "ascii"),
        Piece("prompts", "count", uint32(len(prompts))),
    ]
    for index, (prompt, echo) in enumerate(prompts):
        pieces += _text(f"prompts[{index}].prompt", prompt, "utf8")
        pieces.append(Piece(f"prompts[{index}].echo", "boolean", bytes([echo])))
    return Sample(code, tuple(pieces))


def _response(code: int, responses: list[str]) -> Sample:
    pieces = [Piece("responses", "count", uint32(len(responses)))]
    for index, response in enumerate(responses):
        pieces += _text(f"responses[{index}]", response, "utf8")
    return Sample(code, tuple(pieces))


def samples(mark: str) -> list[Sample]:
    """Return one sample of each message, with `mark` in every text that need not be ASCII."""
    message = tuple(_text("message", f"n{mark}", "unstated"))
    return [
        Sample(
            1,
            (
                Piece("version", "uint32", uint32(2)),
                *_text("hostname", f"h{mark}st", "unstated"),
                Piece("port", "uint32", uint32(22)),
                *_text("username", f"b{mark}b", "unstated"),
            ),
        ),
        Sample(2, (Piece("version", "uint32", uint32(2)), *_text("username", mark, "unstated"))),
        Sample(3, tuple(_text("method", "keyboard-interactive", "ascii"))),
        Sample(4, ()),
        Sample(5, message),
        Sample(6, ()),
        Sample(7, ()),
        Sample(8, message),
        _request(20, f"N{mark}", f"I{mark}", [(f"P{mark}", 0), (f"Q{mark}", 1)]),
        _response(21, [SECRET + mark, mark + SECRET]),
        _request(22, f"N{mark}", f"I{mark}", [(f"P{mark}", 1)]),
        _response(23, [mark + SECRET]),
    ]


PLAIN = samples("x")
RICH = samples("\u00e9\u20ac\U0001f600")  # sequences of two, three and four bytes
EVERY = [*PLAIN, *(sample for sample in RICH if sample.of_kind("utf8", "unstated"))]


def neutral(message: Message) -> Neutral:
    """Return what a message holds as the oracles put it."""
    code = CODES[type(message)]
    values: Neutral = {"type": code}
    for name in cursor.FIELDS[code]:
        value = getattr(message, name)
        if name == "prompts":
            value = [(bytes(prompt), bool(echo)) for prompt, echo in value]
        elif name == "responses":
            value = [bytes(response) for response in value]
        elif not isinstance(value, int):
            value = bytes(value)
        values[name] = value
    return values


def built(values: Neutral) -> Message:
    """Return the message that a neutral one stands for."""
    message: Message = CLASSES[values["type"]](
        *(values[name] for name in cursor.FIELDS[values["type"]])
    )
    return message


Problem = tuple[str, str | None, int | None] | None
"""A code, a field and an offset."""


def problem_in(frame: bytes, limits: Limits | None = None) -> Problem:
    """Return what is wrong with bytes that should be one frame, by the oracle."""
    try:
        cursor.decode(frame, limits)
    except Refused as refused:
        return refused.code, refused.field, refused.offset
    return None


def told(error: RemoteProtocolError) -> Problem:
    return str(error.code), error.field, error.offset


def judged(stream: bytes, limits: Limits | None = None) -> tuple[list[Neutral], Problem, int]:
    """Return the messages of a stream, what is wrong behind them, and what is left unread."""
    limits = limits or Limits()
    messages: list[Neutral] = []
    at = 0
    while len(stream) - at >= 4:
        stop = at + 4 + int.from_bytes(stream[at : at + 4], "big")
        problem = problem_in(stream[at:stop], limits)
        if problem is not None and problem[0] == "end-truncated":
            break
        if problem is not None:
            return messages, problem, 0
        messages.append(cursor.decode(stream[at:stop], limits))
        at = stop
    return messages, None, len(stream) - at


def heard(
    chunks: Iterable[bytes], limits: authplugin.Limits | None = None
) -> tuple[list[Neutral], Problem, int]:
    """Return what the codec's own decoder makes of a stream that comes in chunks."""
    decoder = authplugin.MessageDecoder(limits or authplugin.Limits())
    messages: list[Neutral] = []
    try:
        for chunk in chunks:
            for message in decoder.feed(chunk):
                messages.append(neutral(message))
    except RemoteProtocolError as error:
        return messages, told(error), decoder.held
    return messages, None, decoder.held


def pieces_of(stream: bytes, size: int) -> list[bytes]:
    """Return a stream in chunks of one size."""
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def cut(stream: bytes, *places: int) -> list[bytes]:
    """Return a stream cut in places."""
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]
