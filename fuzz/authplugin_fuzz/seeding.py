"""What any fuzzer can begin with: inputs of a layer, and the words of the protocol.

The inputs are those that a campaign begins with, and what the vectors of the corpus hold of that
layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    Vector,
)
from authplugin_corpus.vectors import load_vectors
from authplugin_properties.boundaries import ILL_FORMED, TEXTS, UINT32S
from authplugin_properties.model import LENGTH_SIZE

from .layers import LONGEST_MOVE, Exchange, How, Layer, Move
from .making import seeds

_PEERS: Final = {PluginDialogue: Side.CLIENT, ClientDialogue: Side.PLUGIN}
"""Who sends in a dialogue; the other side is the program that the vector is for."""


def inputs(layer: Layer) -> list[bytes]:
    """Return inputs of a layer to begin with, each of them once.

    They are always the same, for the same vectors. None is empty: every fuzzer tries that unasked.
    """
    found = {*seeds(layer), *(raw for vector in load_vectors() for raw in _of(vector, layer))}
    return sorted(filter(None, found))


def _of(vector: Vector, layer: Layer) -> Iterator[bytes]:
    if isinstance(vector, MessageVector):
        if layer is Layer.STREAM:
            yield vector.data
        elif layer is Layer.BODY:
            yield vector.data[LENGTH_SIZE:]
    elif layer is Layer.STREAM:
        yield b"".join(turn.data for turn in vector.turns if isinstance(turn, Send))
    elif layer is Layer.CONVERSATION:
        moves = list(_moves(vector))
        if all(len(move.data) <= LONGEST_MOVE for move in moves):
            yield Exchange(moves=moves).to_bytes()


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
