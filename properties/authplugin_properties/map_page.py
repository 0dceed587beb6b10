"""The map of what a run has exercised as a page, for people; see `coverage_map`."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined

from authplugin import MESSAGES, Side
from authplugin.userauth import MESSAGES as USER_AUTH_MESSAGES
from authplugin_corpus.faults import FAULTS, USER_AUTH_FAULTS, Scope
from authplugin_corpus.protocols import label_of

from .coverage_map import (
    CHARTS,
    EVENT_PAIRS,
    RARE,
    Chart,
    Pair,
    fault_pairs,
    missing,
    part_of,
    percent,
    shares,
)
from .tally import END_BETWEEN, END_INSIDE, ROLES, Run, Tally

__all__ = ["to_html", "write_html"]

_FAULTS: Final = tuple(dict.fromkeys((*FAULTS, *USER_AUTH_FAULTS)))
_SPECS: Final = [message.spec for message in MESSAGES]
_BEGINNINGS: Final = {
    "hear request ": "hears a request",
    "hear ": "hears",
    "the server says ": "the server says",
    "the plugin says PLUGIN_": "the plugin says",
    "the plugin says ": "the plugin says besides",
    "": "happens",
}
_SHADES: Final = 7
_BARS: Final = 40  # of a histogram, at most


@dataclass(frozen=True, slots=True)
class _Cell:
    """One pair.

    Attributes:
        count: how often it was exercised.
        shade: how dark that is; 0 for an untouched one.
        title: the pair in full.
        right: whether the protocol has the event there.
    """

    count: int
    shade: int
    title: str
    right: bool


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns that belong together: their heading, and of each its own, short and in full."""

    heading: str
    events: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that belong together: their heading, and of each the heading and its cells.

    A cell is None where there is nothing to exercise.
    """

    heading: str
    rows: list[tuple[str, list[_Cell | None]]]


@dataclass(frozen=True, slots=True)
class _Grid:
    """A table of pairs.

    Attributes:
        columns: in groups.
        rows: in groups.
        done: how many of its pairs were exercised.
        total: how many it has.
        legend: of each shade the counts that it stands for.
    """

    columns: list[_Columns]
    rows: list[_Rows]
    done: int
    total: int
    legend: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar of a histogram: the lengths it stands for, how many had them, and how high it is."""

    label: str
    count: int
    height: float


def write_html(tally: Tally, path: Path, faults: Collection[Pair] | None = None) -> None:
    """Write the map as one page that needs nothing else: no network, no other file, no script.

    Args:
        tally: what was exercised.
        path: the file; its folder must be there.
        faults: the pairs of faults that there are; `fault_pairs()` where they are not given.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(to_html(tally, faults), encoding="utf-8", newline="\n")


def to_html(tally: Tally, faults: Collection[Pair] | None = None) -> str:
    """Return the page that `write_html` writes. The same tally makes the same page."""
    faults = fault_pairs() if faults is None else faults
    untouched = missing(tally, faults)
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {"percent": percent, "short": _short}
    page = files(__package__).joinpath("map_page.html.jinja").read_text("utf-8")
    return environment.from_string(page).render(
        halves=[
            ("states", len(EVENT_PAIRS) - len(untouched.events), len(EVENT_PAIRS)),
            ("faults", len(faults) - len(untouched.faults), len(faults)),
        ],
        untouched=[*untouched.events, *untouched.faults],
        roles=[(chart.role, _events_of(tally, chart)) for chart in CHARTS],
        faults=_faults_of(tally, faults),
        runs=[
            (name, run, part_of(run.refused, run.steps), _bars(run), shares(run))
            for name, run in sorted(tally.runs.items())
        ],
        rare=RARE,
    )


def _events_of(tally: Tally, chart: Chart) -> _Grid:
    """Return the grid of what can happen to one role in each state."""
    columns = _columns_of_messages(chart.role) if chart.role in ROLES else _columns_of(chart.events)
    events = [event for group in columns for _, event in group.events]
    bounds = _bounds(tally.events[pair] for pair in chart.pairs)

    def row(state: str) -> list[_Cell | None]:
        pairs = [(chart.role, state, event) for event in events]
        return [
            _cell(tally.events[pair], bounds, pair, pair[1:] in chart.right)
            if pair in chart.pairs
            else None
            for pair in pairs
        ]

    rows = [_Rows("", [(state, row(state)) for state in chart.states])]
    done = sum(tally.events[pair] > 0 for pair in chart.pairs)
    return _Grid(columns, rows, done, len(chart.pairs), _legend(bounds))


def _columns_of_messages(role: str) -> list[_Columns]:
    """Return what a client or a plugin can hear, say and see end."""
    own = Side(role)
    whose = {own: "its own", own.other: f"the {own.other}'s"}
    columns = [
        _Columns(
            f"{verb}s {whose[sender]} messages",
            [
                (spec.name.removeprefix("PLUGIN_"), f"{verb} {spec.name}")
                for spec in _SPECS
                if spec.sender is sender
            ],
        )
        for verb, usual in (("hear", own.other), ("say", own))
        for sender in (usual, usual.other)
    ]
    columns.append(
        _Columns("input ends", [("between frames", END_BETWEEN), ("inside a frame", END_INSIDE)])
    )
    return columns


def _columns_of(events: Iterable[str]) -> list[_Columns]:
    """Return events by what their names begin with, in their own order."""
    begun = (
        (next(each for each in _BEGINNINGS if event.startswith(each)), event) for event in events
    )
    return [
        _Columns(
            _BEGINNINGS[beginning], [(event.removeprefix(beginning), event) for _, event in group]
        )
        for beginning, group in groupby(begun, key=lambda pair: pair[0])
    ]


def _faults_of(tally: Tally, faults: Collection[Pair]) -> _Grid:
    """Return the grid of where each fault can strike."""
    known = set(faults)
    columns = _fault_columns({fault for _, _, fault in faults})
    names = [name for group in columns for name, _ in group.events]
    bounds = _bounds(tally.faults[pair] for pair in faults)

    def row(message: str, part: str) -> list[_Cell | None]:
        pairs = [(message, part, name) for name in names]
        return [
            _cell(tally.faults[pair], bounds, pair) if pair in known else None for pair in pairs
        ]

    # In the order of the published text, and of the fields in each message; what is no field of
    # its own, such as the length, comes first.
    fields = {
        label_of(spec): [field.name for field in spec.fields]
        for spec in (each.spec for each in (*MESSAGES, *USER_AUTH_MESSAGES))
    }
    labels = [*fields]

    def place(key: tuple[str, str]) -> tuple[int, int, str]:
        message, part = key
        stem, own = part.partition("[")[0], fields.get(message, [])
        first = labels.index(message) if message in labels else len(labels)
        return first, own.index(stem) if stem in own else -1, part

    parts = sorted({(message, part) for message, part, _ in faults}, key=place)
    rows = [
        _Rows(message, [(part, row(message, part)) for _, part in group])
        for message, group in groupby(parts, key=lambda key: key[0])
    ]
    done = sum(tally.faults[pair] > 0 for pair in known)
    return _Grid(columns, rows, done, len(known), _legend(bounds))


def _fault_columns(names: set[str]) -> list[_Columns]:
    """Return the faults by what a receiver has to know to see them; first in their own order."""
    columns = [
        _Columns(
            heading,
            [
                (fault.name, f"{fault.name}: {fault.sentence}")
                for fault in _FAULTS
                if fault.scope is scope and fault.name in names
            ],
        )
        for heading, scope in (
            ("wrong in itself", Scope.FRAME),
            ("wrong after what was said before", Scope.CONVERSATION),
        )
    ]
    others = sorted(names - {fault.name for fault in _FAULTS})
    columns.append(_Columns("others", [(name, name) for name in others]))
    return [group for group in columns if group.events]


def _cell(count: int, bounds: list[int], pair: Pair, right: bool = False) -> _Cell:
    return _Cell(count, bisect_right(bounds, count), ", ".join(pair), right)


def _bounds(counts: Iterable[int]) -> list[int]:
    """Return the smallest count of each shade, and one that is above all: a logarithmic scale."""
    above = max(counts, default=0) + 1
    # The subtrahend is for powers that are a little more than the whole number that they are.
    return [math.ceil(above ** (shade / _SHADES) - 1e-9) for shade in range(_SHADES + 1)]


def _legend(bounds: list[int]) -> list[tuple[int, str]]:
    return [
        (shade, _short(first) if last == first else f"{_short(first)}\N{EN DASH}{_short(last)}")
        for shade, (first, last) in enumerate(
            ((bounds[i], bounds[i + 1] - 1) for i in range(_SHADES)), start=1
        )
        if first <= last
    ]


def _bars(run: Run) -> list[_Bar]:
    """Return the lengths of conversations, several to a bar where there are too many of them."""
    lengths = +run.lengths
    width = math.ceil((max(lengths, default=0) + 1) / _BARS)
    counts = [0] * (max(lengths, default=-width) // width + 1)
    for length, count in lengths.items():
        counts[length // width] += count
    return [
        _Bar(
            str(index) if width == 1 else f"{index * width} to {(index + 1) * width - 1}",
            count,
            part_of(count, max(counts)),
        )
        for index, count in enumerate(counts)
    ]


def _short(count: int) -> str:
    """Return a count in at most four characters, cut."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            tenths = count * 10 // size
            return f"{tenths // 10}{unit}" if tenths >= 100 else f"{tenths / 10:.1f}{unit}"
    return str(count)
