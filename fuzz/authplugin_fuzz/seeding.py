"""What any fuzzer can begin with: inputs of a layer, and the words of the protocol.

The inputs are those that a campaign begins with, and what the vectors of the corpus hold of that
layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from authplugin import MESSAGES, Message, Side, encode
from authplugin.kinds import BooleanKind, CountedKind, Kind, StringKind
from authplugin.messages import METHODS
from authplugin_corpus.constraints import Expected, Relation
from authplugin_corpus.model import (
    Allow,
    ClientDialogue,
    Dialogue,
    EndOfInput,
    Expect,
    MessageVector,
    PluginDialogue,
    Send,
)
from authplugin_corpus.userauth.model import Say, UserAuthDialogue, UserAuthMessageVector
from authplugin_corpus.vectors import load_vectors
from authplugin_properties.boundaries import ILL_FORMED, TEXTS, UINT32S
from authplugin_properties.model import LENGTH_SIZE

from . import serving
from .courses import LONGEST_EVENT, Course
from .layers import LONGEST_MOVE, Exchange, How, Layer, Move
from .making import seeds

_PEERS: Final = {PluginDialogue: Side.CLIENT, ClientDialogue: Side.PLUGIN}
"""Who sends in a dialogue; the other side is the program that the vector is for."""


def inputs(layer: Layer) -> list[bytes]:
    """Return inputs of a layer to begin with, each of them once.

    They are always the same, for the same vectors. None is empty: every fuzzer tries that unasked.
    """
    ways = _OF_VECTORS.get(layer, {})
    vectors = load_vectors() if ways else ()
    held = (ways[type(vector)](vector) for vector in vectors if type(vector) in ways)
    return sorted(filter(None, {*seeds(layer), *held}))


def _stream(vector: Dialogue) -> bytes:
    return b"".join(turn.data for turn in vector.turns if isinstance(turn, Send))


def _conversation(vector: Dialogue) -> bytes:
    moves = list(_moves(vector))
    longest = max((len(move.data) for move in moves), default=0)
    return Exchange(moves=moves).to_bytes() if longest <= LONGEST_MOVE else b""


def _served(vector: UserAuthDialogue) -> bytes:
    """Return what the client of a dialogue sends, with a handler that accepts all."""
    said = [turn.data for turn in vector.turns if isinstance(turn, Say)]
    if max(map(len, said), default=0) > LONGEST_EVENT:
        return b""
    accepts, asks = bytes((1,) * 4), bytes((1, 1, 4))
    events = [
        event
        for data in said
        for event in (
            serving.event_of(serving.Deed.ROUNDS, asks),
            serving.event_of(serving.Deed.ANSWERS, accepts),
            serving.event_of(serving.Deed.RECEIVE, data),
        )
    ]
    return Course(events=events).to_bytes()


_OF_VECTORS: Final[Mapping[Layer, Mapping[type, Callable[[Any], bytes]]]] = {
    Layer.BODY: {MessageVector: lambda vector: vector.data[LENGTH_SIZE:]},
    Layer.PAYLOAD: {UserAuthMessageVector: lambda vector: vector.data},
    Layer.STREAM: {
        MessageVector: lambda vector: vector.data,
        **dict.fromkeys((PluginDialogue, ClientDialogue), _stream),
    },
    Layer.CONVERSATION: dict.fromkeys((PluginDialogue, ClientDialogue), _conversation),
    Layer.SERVER: {UserAuthDialogue: _served},
}
"""What a vector holds for each layer, where it holds anything."""


def _moves(vector: Dialogue) -> Iterator[Move]:
    """Yield what happens in a dialogue whose subject says the plainest that is right."""
    peer = _PEERS[type(vector)]
    subject = Side.PLUGIN if peer is Side.CLIENT else Side.CLIENT
    for turn in vector.turns:
        if isinstance(turn, Send):
            yield Move(peer, data=turn.data)
        elif isinstance(turn, Expect):
            yield Move(subject, data=encode(_plainest(turn.expected)))
        elif isinstance(turn, Allow):
            yield Move(subject, data=encode(_plainest(turn.choices[0])))
        elif isinstance(turn, EndOfInput):
            yield Move(peer, How.END)


def _plainest(expected: Expected) -> Message:
    """Return a message that is like that."""
    spec = expected.message_type.spec
    values = {field.name: _plain(field.kind) for field in spec.fields}
    kinds = {field.name: field.kind for field in spec.fields}
    for each in expected.constraints:
        kind = kinds[each.field]
        if each.relation is Relation.COUNT and isinstance(kind, CountedKind):
            parts = tuple(_plain(part) for _, part in kind.element)
            values[each.field] = [parts if len(parts) > 1 else parts[0]] * int(str(each.value))
        else:
            values[each.field] = each.value
    return expected.message_type(**values)


def _plain(kind: Kind | BooleanKind) -> Any:
    if isinstance(kind, CountedKind):
        return []
    if isinstance(kind, StringKind):
        return ""
    return False if isinstance(kind, BooleanKind) else 0


def words() -> list[bytes]:
    """Return what the messages are made of, for a fuzzer that puts bytes together, each once.

    Those are the frame and the body of each message with as little in its fields as may be, and
    numbers, lengths and texts at which implementations break.
    """
    frames = [encode(_plainest(Expected(each))) for each in MESSAGES]
    texts = [text.encode() for text in (*METHODS, *TEXTS)] + list(ILL_FORMED)
    found: dict[bytes, None] = {}
    found.update(dict.fromkeys(frames))
    found.update(dict.fromkeys(frame[LENGTH_SIZE:] for frame in frames))
    found.update(dict.fromkeys(_uint32(number) for number in UINT32S))
    found.update(dict.fromkeys(_uint32(len(text)) + text for text in texts))
    found.update(dict.fromkeys(filter(None, texts)))
    return list(found)


def dictionary(tokens: Iterable[bytes]) -> str:
    """Return words in the form that libFuzzer's `-dict` and AFL++'s `-x` read."""
    quoted = ("".join(f"\\x{byte:02x}" for byte in token) for token in tokens)
    return "".join(f'"{token}"\n' for token in quoted)


def _uint32(value: int) -> bytes:
    return value.to_bytes(4, "big")
