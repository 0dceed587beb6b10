"""CPU time of several functions that do the same, side by side.

The machines that this runs on are busy with other things and change their speed. So nothing is
measured on its own: each round takes one sample of everybody, and what counts is the ratio of two
samples of the same round, and of those the median. The order is another in each round, since
whoever comes after somebody that fills the caches is slowed down by it.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Nanoseconds of CPU time that this process has taken, in user and system mode."""

MOST_LOOPS = 1 << 20


@dataclass(frozen=True)
class Ratio:
    """How many times the time of another somebody takes.

    Attributes:
        median: over all rounds.
        low: the lower quartile.
        high: the upper quartile.
    """

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Race:
    """The samples of one case.

    Attributes:
        samples: for each name the nanoseconds that one call took, by round.
    """

    samples: Mapping[str, list[float]]

    def nanoseconds(self, name: str) -> float:
        """Return the median of one call."""
        return statistics.median(self.samples[name])

    def ratio(self, name: str, other: str) -> Ratio:
        """Return the time of `name` over that of `other`, from the pairs of each round."""
        pairs = zip(self.samples[name], self.samples[other], strict=True)
        ratios = [one / two for one, two in pairs]
        if len(ratios) == 1:
            return Ratio(ratios[0], ratios[0], ratios[0])
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return Ratio(median, low, high)


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the garbage collector from running while something is measured."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def sample(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    loops: int,
    clock: Clock = time.process_time_ns,
) -> int:
    """Return the nanoseconds that `loops` calls take together."""
    started = clock()
    for _ in repeat(None, loops):
        function(*arguments)
    return clock() - started


def loops_for(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    least: int,
    clock: Clock = time.process_time_ns,
) -> int:
    """Return how many calls make a sample of `least` nanoseconds or more."""
    loops = 1
    while loops < MOST_LOOPS and sample(function, arguments, loops, clock) < least:
        loops *= 2
    return loops


def race(
    functions: Mapping[str, Callable[..., Any]],
    arguments: tuple[Any, ...],
    *,
    rounds: int,
    least: int,
    clock: Clock = time.process_time_ns,
) -> Race:
    """Measure all functions with the same arguments.

    Args:
        functions: by name.
        arguments: of each call.
        rounds: samples of each function.
        least: nanoseconds that a sample lasts, so that reading the clock does not count.
        clock: what to read.
    """
    names = list(functions)
    samples: dict[str, list[float]] = {name: [] for name in names}
    with collector_off():
        loops = {name: loops_for(functions[name], arguments, least, clock) for name in names}
    order = random.Random(0)
    for _ in range(rounds):
        order.shuffle(names)
        with collector_off():
            for name in names:
                took = sample(functions[name], arguments, loops[name], clock)
                samples[name].append(took / loops[name])
    return Race(samples)
