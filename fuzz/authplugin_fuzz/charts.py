"""Line charts for a page, as the numbers that an SVG element wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final, NamedTuple

WIDTH: Final = 340.0
HEIGHT: Final = 150.0
LEFT: Final = 44.0
"""Room for the figures beside the chart; all in the units of the SVG element."""
BELOW: Final = 20.0
ABOVE: Final = 8.0

_MOST_POINTS: Final = 240


class Point(NamedTuple):
    """A point of a line, in the units of what is shown."""

    x: float
    y: float


class Tick(NamedTuple):
    """A mark on an axis: where it is, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        label: what it shows.
        points: where it goes, as the attribute of a `polyline`.
        last: where it ends.
    """

    label: str
    points: str
    last: Point


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        title: what it shows.
        unit: of the second axis; the first is in seconds.
        lines: its lines.
        across: the marks of the first axis.
        up: the marks of the second axis.
    """

    title: str
    unit: str
    lines: list[Line]
    across: list[Tick]
    up: list[Tick]


def chart(title: str, unit: str, series: Iterable[tuple[str, Sequence[Point]]]) -> Chart:
    """Return a chart of several lines, both of whose axes begin at 0.

    Args:
        title: what it shows.
        unit: of the second axis.
        series: of each line a label, and its points from left to right.
    """
    shown = [(label, _thinned(points)) for label, points in series if points]
    across = _marks(max((points[-1].x for _, points in shown), default=0))
    up = _marks(max((point.y for _, points in shown for point in points), default=0))

    def place(point: Point) -> Point:
        return Point(
            LEFT + (WIDTH - LEFT - 8) * point.x / across[-1],
            HEIGHT - BELOW - (HEIGHT - BELOW - ABOVE) * point.y / up[-1],
        )

    lines = []
    for label, points in shown:
        placed = [place(point) for point in points]
        path = " ".join(f"{point.x:.1f},{point.y:.1f}" for point in placed)
        lines.append(Line(label, path, placed[-1]))
    return Chart(
        title,
        unit,
        lines,
        [Tick(place(Point(mark, 0)).x, f"{mark:g}") for mark in across],
        [Tick(place(Point(0, mark)).y, f"{mark:g}") for mark in up],
    )


def _marks(most: float) -> list[float]:
    """Return the marks of an axis from 0 to at least `most`: round numbers, about five of them."""
    if most <= 0:
        return [0, 1]
    size = 10.0 ** floor(log10(most))
    step = next(part * size for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if most <= 5 * part * size)
    return [step * number for number in range(ceil(most / step - 1e-9) + 1)]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    step = ceil(len(points) / _MOST_POINTS)
    return [*points[:-1:step], points[-1]]
