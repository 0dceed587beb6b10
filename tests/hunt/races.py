"""Races: how one part of the suite, or one engine, does against one bug.

A race takes the targets of the bug's layer one after the other, each with every seed, until one of
them finds it in at most the seconds that it has, in the median of the seeds. A part without targets
has one turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from typing import Any

from authplugin_fuzz.targets import TARGETS

from .parts import USERS, Part
from .planted import LAYERS, Bug
from .running import Result, Results, Run

_OF_USERS = ("payload", "server", "bridge", "transport")
"""The layers of bugs for which a part begins with what has to do with user authentication."""


def targets_for(part: Part, layer: str) -> list[str]:
    """Return what a part searches for bugs of a layer, in this order; nothing where it cannot."""
    if part.layers and layer not in part.layers:
        return []
    if not part.has_targets:
        return [USERS if layer in _OF_USERS else ""]
    layers = LAYERS[layer]
    return [
        target.name for each in layers for target in TARGETS.values() if str(target.layer) == each
    ]


@dataclass(frozen=True)
class Standing:
    """How a race stands.

    Attributes:
        next: the run to carry out next; None where the race is over.
        won: the median of the results of the target that finds the bug; None where none does, or
            none has yet.
        tried: the targets that came before it, in order: all where none finds the bug.
        runs: how many runs it has taken.
    """

    next: Run | None
    won: Result | None = None
    tried: tuple[str, ...] = ()
    runs: int = 0


@dataclass(frozen=True)
class Race:
    """One part against one bug.

    Attributes:
        bug: the bug.
        part: the part.
        seeds: the seeds.
        seconds: what every run has of the processor.
    """

    bug: Bug
    part: Part
    seeds: Sequence[int]
    seconds: float

    def standing(self, results: Results) -> Standing:
        """Return what the results say of it.

        As soon as the median of a target's seeds is known to be over the limit the next target's
        turn comes. Where one finds the bug all seeds are run.
        """
        tried: tuple[str, ...] = ()
        runs = 0
        misses_to_miss = len(self.seeds) - len(self.seeds) // 2
        for target in targets_for(self.part, self.bug.layer):
            came: list[Result] = []
            for seed in self.seeds:
                run = Run(self.bug.name, self.part.name, target, seed)
                result = results.get(run)
                if result is None:
                    return Standing(run, None, tried, runs)
                runs += 1
                came.append(result)
                if [self._time(each) for each in came].count(inf) == misses_to_miss:
                    tried += (target,)
                    break
            else:
                median = sorted(came, key=self._time)[len(came) // 2]
                return Standing(None, median, tried, runs)
        return Standing(None, None, tried, runs)

    def _time(self, result: Result) -> float:
        late = result.found is None or result.found > self.seconds
        return inf if late else result.found or 0.0

    def results(self, results: Results) -> list[Result]:
        """Return what is known of its runs."""
        wanted = product(targets_for(self.part, self.bug.layer), self.seeds)
        runs = (Run(self.bug.name, self.part.name, *each) for each in wanted)
        return [result for run in runs if (result := results.get(run)) is not None]


def controls(parts: Sequence[Part], seeds: Mapping[Part, Sequence[int]]) -> list[Run]:
    """Return the runs over the code as it is: every target of every part, with each of its seeds.

    Whoever finds something there is wrong himself.
    """
    return [
        Run(None, part.name, target, seed)
        for seed in sorted({seed for each in seeds.values() for seed in each})
        for part in parts
        if seed in seeds[part]
        for target in (TARGETS if part.has_targets else ("",))
    ]


def summary_of(races: Sequence[Race], results: Results) -> list[dict[str, Any]]:
    """Return how each race stands, as plain data."""
    summary = []
    for race in races:
        standing = race.standing(results)
        won = standing.won
        summary.append(
            {
                "bug": race.bug.name,
                "layer": race.bug.layer,
                "part": race.part.name,
                "over": standing.next is None,
                "by": won and won.by,
                "says": won and won.says,
                "seconds": won and won.found,
                "tried": won and won.tried,
                "before": standing.tried,
            }
        )
    return summary
