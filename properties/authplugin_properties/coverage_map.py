"""The map: what there is to exercise, and how much of it a run has; see also `map_page`.

It has two halves. The pairs of events are (role, state, event): everything that can be heard or
said in each state, whether it is right there or not. The pairs of faults are (message, part of it,
fault): every place that each fault can strike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple, TypeAlias

from authplugin import MESSAGES, Limits, State
from authplugin_corpus.faults import pairs, user_auth_pairs

from . import bridge_trial, server_events
from .tally import END_BETWEEN, END_INSIDE, INPUT_ENDED, POISONED, ROLES, Run, Tally

__all__ = [
    "CHARTS",
    "EVENTS",
    "EVENT_PAIRS",
    "NAMES",
    "RARE",
    "STATES",
    "Chart",
    "Missing",
    "Pair",
    "Share",
    "fault_pairs",
    "missing",
    "part_of",
    "percent",
    "shares",
    "summary",
]

Pair: TypeAlias = tuple[str, str, str]

STATES: Final = (*(state.value for state in State), POISONED, INPUT_ENDED)
"""Where a client or a plugin can stand."""

NAMES: Final = tuple(message.spec.name for message in MESSAGES)
"""The published names of the messages of the plugin protocol."""

EVENTS: Final = (
    *(f"{verb} {name}" for verb, name in product(("hear", "say"), NAMES)),
    END_BETWEEN,
    END_INSIDE,
)
"""What can happen to a client or a plugin, or what it can try; each in each state."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One role's share of the map.

    Attributes:
        role: the role.
        states: where it can stand.
        events: what can happen to it.
        right: the (state, event) pairs that the published text has.
        pairs: every (role, state, event) that can be tried.
    """

    role: str
    states: tuple[str, ...]
    events: tuple[str, ...]
    right: frozenset[tuple[str, str]]
    pairs: frozenset[Pair]


def _conversing(role: str) -> Chart:
    right = frozenset(
        (spec.leaves.value, f"{'say' if spec.sender == role else 'hear'} {spec.name}")
        for spec in (message.spec for message in MESSAGES)
    )
    return Chart(role, STATES, EVENTS, right, frozenset(product((role,), STATES, EVENTS)))


CHARTS: Final = (
    *map(_conversing, ROLES),
    Chart(
        server_events.SERVER,
        server_events.STATES,
        server_events.EVENTS,
        server_events.RIGHT,
        server_events.PAIRS,
    ),
    Chart(
        bridge_trial.BRIDGE,
        bridge_trial.ROWS,
        bridge_trial.EVENTS,
        frozenset(),
        frozenset(product((bridge_trial.BRIDGE,), bridge_trial.ROWS, bridge_trial.EVENTS)),
    ),
)
"""The roles: client and plugin, the server of SSH's user authentication, and the bridge."""

EVENT_PAIRS: Final = frozenset(pair for chart in CHARTS for pair in chart.pairs)
"""Every (role, state, event)."""

RARE: Final = 0.01
"""A fault or message with a smaller share of a run's steps is named as rare."""


class Missing(NamedTuple):
    """What was not exercised, in order."""

    events: list[Pair]
    faults: list[Pair]


def fault_pairs() -> frozenset[Pair]:
    """Return every (message, part of it, fault) that there is within the default limits."""
    return pairs(Limits()) | user_auth_pairs(Limits())


def missing(tally: Tally, faults: Collection[Pair] | None = None) -> Missing:
    """Return the pairs that were not exercised.

    Args:
        tally: what was.
        faults: the pairs of faults that there are; `fault_pairs()` where they are not given.
    """
    faults = fault_pairs() if faults is None else faults
    return Missing(
        sorted(pair for pair in EVENT_PAIRS if not tally.events[pair]),
        sorted(pair for pair in faults if not tally.faults[pair]),
    )


def summary(tally: Tally, faults: Collection[Pair] | None = None) -> str:
    """Return what was exercised as text: of both halves how much, and what each run was like.

    Args:
        tally: what was exercised.
        faults: the pairs of faults that there are; `fault_pairs()` where they are not given.
    """
    faults = fault_pairs() if faults is None else faults
    untouched = missing(tally, faults)
    done = len(EVENT_PAIRS) - len(untouched.events), len(faults) - len(untouched.faults)
    lines = [f"states: {done[0]} of {len(EVENT_PAIRS)}, faults: {done[1]} of {len(faults)}"]
    unknown = sorted((tally.events.keys() - EVENT_PAIRS) | (tally.faults.keys() - set(faults)))
    lines += [f"counted, but not on the map: {', '.join(pair)}" for pair in unknown]
    for name, run in sorted(tally.runs.items()):
        lines += [f"{name}:", *(f"  {line}" for line in _described(run))]
    return "\n".join(lines)


# What a run was like.


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was in a run.

    Attributes:
        name: of what.
        count: how often.
        part: the same as a part of the run's steps, from 0 to 1.
    """

    name: str
    count: int
    part: float

    @property
    def rare(self) -> bool:
        """Whether it is under `RARE`."""
        return self.part < RARE


def shares(run: Run) -> dict[str, list[Share]]:
    """Return the shares of each `"message"` and of each `"fault"`, the rarest first."""
    return {
        kind: sorted(
            (Share(name, count, part_of(count, run.steps)) for name, count in counts.items()),
            key=lambda share: (share.count, share.name),
        )
        for kind, counts in (("message", run.messages), ("fault", run.strikes))
    }


def part_of(count: int, whole: int) -> float:
    """Return which part of a whole that is, from 0 to 1; nothing of nothing is 0."""
    return count / whole if whole else 0.0


def percent(part: float) -> str:
    """Return a part as people read it.

    It is cut, not rounded, so that what is under a bound never looks as if it reached it; nor does
    what is more than nothing look like nothing.
    """
    if part < 0.0001:
        return "<0.01%" if part else "0%"
    digits = 2 if part < RARE else 1
    # The addend is for parts such as 0.29, which times 100 is a little less than 29.
    cut = math.floor(part * 100 * 10**digits + 1e-9) / 10**digits
    return f"{cut:.{digits}f}%"


def _described(run: Run) -> Iterator[str]:
    refused = percent(part_of(run.refused, run.steps))
    yield f"{run.steps:,} steps, {run.refused:,} refused as invalid ({refused})"
    if total := run.lengths.total():
        bins = ((label, percent(part_of(count, total))) for label, count in _bins(run.lengths))
        spread = ", ".join(f"{label}: {part}" for label, part in bins)
        yield f"{total:,} conversations; messages in each: {spread}"
    for kind, found in shares(run).items():
        seen = [share for share in found if share.count]
        if seen:
            least = seen[0]
            rarest = f"{least.name}, {least.count:,} times, {percent(least.part)} of steps"
            yield f"rarest {kind}: {rarest}"
        rare = [f"{share.name} {percent(share.part)}" for share in seen if share.rare]
        if rare:
            yield f"{kind}s under {RARE:.0%} of steps: {', '.join(rare)}"
        never = [share.name for share in found if not share.count]
        if never:
            yield f"{kind}s that never came: {', '.join(never)}"


def _bins(lengths: Counter[int]) -> Iterator[tuple[str, int]]:
    """Yield how many conversations have 0, 1, 2 to 3, 4 to 7, ... messages, up to the longest."""
    counts = Counter[int]()
    for length, count in lengths.items():
        counts[length.bit_length()] += count
    for bits in range(max(counts, default=-1) + 1):
        first, last = 2**bits // 2, 2**bits - 1
        yield str(first) if first == last else f"{first}-{last}", counts[bits]
