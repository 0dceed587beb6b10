"""An input as people read it, layer by layer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from authplugin import Limits
from authplugin_properties.model import split

from . import bridging, serving
from .anatomy import payload_told
from .attempts import Attempts
from .courses import Course
from .layers import PAYLOAD_LIMITS, Exchange, Layer, Terms, frame_of, sizes_of


def explained(raw: bytes, layer: Layer, judging: Attempts) -> Iterator[str]:
    """Yield what an input of a layer is, a line or a paragraph at a time.

    Args:
        raw: the input.
        layer: what its bytes mean.
        judging: explains frames, with the code on trial.
    """
    return _EXPLAINED[layer](raw, judging)


def _body(raw: bytes, judging: Attempts) -> Iterator[str]:
    terms = Terms.of(raw)
    yield _accepted(terms.limits)
    yield judging.explained(frame_of(raw), terms.limits)


def _payload(raw: bytes, judging: Attempts) -> Iterator[str]:
    yield _accepted(Terms.of(raw, PAYLOAD_LIMITS).limits)
    yield payload_told(raw)


def _stream(raw: bytes, judging: Attempts) -> Iterator[str]:
    terms = Terms.of(raw)
    yield f"{_accepted(terms.limits)}; {_chunks(terms.sizes)}"
    yield from (judging.explained(frame, terms.limits) for frame in split(raw))


def _conversation(raw: bytes, judging: Attempts) -> Iterator[str]:
    exchange = Exchange.from_bytes(raw)
    yield _accepted(exchange.limits)
    for move in exchange.moves:
        how = f"{move.how.name.lower()}{', and not looked at' if move.unseen else ''}"
        chunks = _chunks(sizes_of(move.chunking, len(move.data)))
        yield f"the {move.side}'s output: {how}; {chunks}"
        yield from (judging.explained(frame, exchange.limits) for frame in split(move.data))


def _bridge(raw: bytes, judging: Attempts) -> Iterator[str]:
    course = Course.from_bytes(raw)
    start = bridging.Start.of(course)
    yield f"{_accepted(start.limits)}; {start.username or 'nobody'} is to log in"
    yield from map(bridging.told, course.events)


def _server(raw: bytes, judging: Attempts) -> Iterator[str]:
    course = Course.from_bytes(raw)
    yield str(serving.setup_of(course))
    yield from map(serving.told, course.events)


def _choices(raw: bytes, judging: Attempts) -> Iterator[str]:
    yield f"{len(raw)} bytes from which a state machine makes its choices"


_EXPLAINED: Final[Mapping[Layer, Callable[[bytes, Attempts], Iterator[str]]]] = {
    Layer.BODY: _body,
    Layer.PAYLOAD: _payload,
    Layer.STREAM: _stream,
    Layer.CONVERSATION: _conversation,
    Layer.BRIDGE: _bridge,
    Layer.SERVER: _server,
    Layer.CHOICES: _choices,
}


def _chunks(sizes: Sequence[int]) -> str:
    return f"in chunks of {', '.join(map(str, sizes))}" if sizes else "in one chunk"


def _accepted(limits: Limits) -> str:
    return f"accepted: {json.dumps({name: getattr(limits, name) for name in Limits.__slots__})}"
