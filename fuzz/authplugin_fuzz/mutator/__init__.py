"""Mutators and crossovers that know what an input consists of, one pair for each layer.

An input is taken apart, as far as it is to be changed, by the message table; it is changed at the
level of fields, messages, turns or chunks, struck with one of the faults, and put together again.
Sometimes it is changed as mere bytes. All of it follows from the seed that is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from ..dice import Dice
from ..layers import Layer
from . import bodies, choices, conversations, courses, streams
from .mere_bytes import BytesMutator, MereBytes

__all__ = ["BytesMutator", "cross", "mutate"]

Change: TypeAlias = Callable[[bytes, int, Dice], bytes]
"""Called with an input, the most bytes to return, and what makes the choices."""

Mix: TypeAlias = Callable[[bytes, bytes, int, Dice], bytes]
"""The same with two inputs."""


class _Ways(NamedTuple):
    """How the inputs of a layer are changed.

    Attributes:
        mutate: changes one.
        cross: makes one of two.
        as_bytes: how often one is changed as mere bytes.
    """

    mutate: Change
    cross: Mix
    as_bytes: float


_WAYS: Final[Mapping[Layer, _Ways]] = MappingProxyType(
    {
        Layer.BODY: _Ways(bodies.mutate, bodies.cross, 0.1),
        Layer.PAYLOAD: _Ways(bodies.mutate_payload, bodies.cross, 0.1),
        Layer.STREAM: _Ways(streams.mutate, streams.cross, 0.1),
        Layer.CONVERSATION: _Ways(conversations.mutate, conversations.cross, 0.02),
        **{
            layer: _Ways(partial(courses.mutate, layer), courses.cross, 0.02)
            for layer in (Layer.BRIDGE, Layer.SERVER)
        },
        Layer.CHOICES: _Ways(choices.mutate, choices.cross, 0.2),
    }
)

_CROSSED_ALONE = 0.5
"""How often what was made of two inputs is not mutated besides. libFuzzer crosses as often as it
mutates."""


def mutate(
    layer: Layer,
    data: bytes,
    max_size: int,
    seed: int,
    mutate_bytes: BytesMutator | None = None,
) -> bytes:
    """Return an input that is near another.

    Args:
        layer: what the bytes are.
        data: the input; any bytes.
        max_size: the most bytes to return.
        seed: decides everything.
        mutate_bytes: changes mere bytes; None for one that follows from `seed` too.
    """
    dice = Dice(seed)
    ways = _WAYS[layer]
    if dice.random() < ways.as_bytes:
        return (mutate_bytes or MereBytes(dice))(data, max_size)[:max_size]
    return ways.mutate(data, max_size, dice)[:max_size]


def cross(
    layer: Layer,
    first: bytes,
    second: bytes,
    max_size: int,
    seed: int,
) -> bytes:
    """Return an input made of two: the beginning of one, and what fits behind it of the other.

    The parameters are those of `mutate`.
    """
    dice = Dice(seed)
    ways = _WAYS[layer]
    crossed = ways.cross(first, second, max_size, dice)[:max_size]
    if dice.random() < _CROSSED_ALONE:
        return crossed
    return ways.mutate(crossed, max_size, dice)[:max_size]
