"""Executions in a second of CPU time, beside a target that does nothing."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from authplugin_fuzz.targets import TARGETS

from ..measuring import Race
from .process import run

_ALONE: Final = Path(__file__).with_name("alone.py")

NOTHING: Final = "nothing"
BYTES: Final = "bytes"
"""What `alone` calls a target that does nothing, and libFuzzer's own mutator."""

LEAST: Final = 1 / 25
"""What a rate is to be at least, as a part of that of a target that does nothing."""


@dataclass(frozen=True)
class Contender:
    """Somebody whose rate is measured.

    Attributes:
        target: a target's name, or `NOTHING`.
        mutator: a layer, whose mutator makes the inputs, or `BYTES`.
    """

    target: str
    mutator: str

    def __str__(self) -> str:
        return f"{self.target} {self.mutator}"


def contenders(targets: Sequence[str]) -> list[Contender]:
    """Return the targets and those that do nothing, each with both mutators."""
    layers = dict.fromkeys(str(TARGETS[name].layer) for name in targets)
    return [
        Contender(NOTHING, BYTES),
        *(Contender(NOTHING, layer) for layer in layers),
        *(Contender(name, str(TARGETS[name].layer)) for name in targets),
        *(Contender(name, BYTES) for name in targets),
    ]


def race(targets: Sequence[str], *, rounds: int, seconds: float) -> Race:
    """Measure the targets and those that do nothing, one after the other in each round.

    Args:
        targets: their names.
        rounds: samples of each.
        seconds: of CPU time that a sample takes, the start not counted.

    Returns:
        nanoseconds for each execution, by round.
    """
    all_of_them = contenders(targets)
    runs = {each: _enough(each, seconds) for each in all_of_them}
    samples: dict[str, list[float]] = {str(each): [] for each in all_of_them}
    order = random.Random(0)
    for number in range(rounds):
        order.shuffle(all_of_them)
        for each in all_of_them:
            took = _seconds(each, runs[each], number + 1)
            samples[str(each)].append(took / runs[each] * 1e9)
    return Race(samples)


def _enough(each: Contender, seconds: float) -> int:
    runs = 1000
    while (took := _seconds(each, runs, 1)) < seconds / 8:
        runs *= 4
    return max(1000, round(runs * seconds / took))


def _seconds(each: Contender, runs: int, seed: int) -> float:
    """Return the CPU time of so many runs, without the start."""
    command = [sys.executable, _ALONE, each.target, each.mutator, f"-runs={runs}", f"-seed={seed}"]
    ran = run(command)
    return ran.seconds - ran.start
