"""Inputs as an engine without coverage makes them: from the seeds, mutated and crossed."""

from collections.abc import Iterator

from authplugin_fuzz.dice import Dice
from authplugin_fuzz.layers import Layer
from authplugin_fuzz.making import seeds
from authplugin_fuzz.mutator import cross, mutate

LONGEST = 8192
KNOWN = 300


def made(layer: Layer, count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield the seeds of a layer, and then what becomes of them; always the same for a seed."""
    dice = Dice(seed)
    known = seeds(layer)
    yield from known
    for number in range(count):
        one = dice.pick(known)
        if number % 2:
            raw = mutate(layer, one, LONGEST, seed + number)
        else:
            raw = cross(layer, one, dice.pick(known), LONGEST, seed + number)
        yield raw
        known.append(raw)
        if len(known) > KNOWN:
            known.pop(dice.upto(KNOWN))
