"""The page that tells of a campaign: one file that needs nothing else, no network and no script."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as resources
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined

from . import charts, covering, files
from .campaign import Campaign, Tally
from .charts import Chart, Point
from .covering import Covered
from .ending import End
from .engines import Engine
from .findings import Finding, reproduce
from .finishing import Outcome
from .screen import state
from .slices import Ending, Slice

PAGE: Final = "report.html"
"""The page's name in the folder of the campaigns."""

_MOST_LOG: Final = 6000  # characters of what the engine said
_PACKAGES: Final = ("authplugin", "atheris", "hypothesis", "coverage", "rich", "click", "jinja2")


@dataclass(frozen=True, slots=True)
class _Target:
    """What the page tells of a target."""

    name: str
    state: str
    tally: Tally
    outcome: Outcome | None
    charts: list[Chart]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the page tells of a finding."""

    finding: Finding
    reproduce: str
    commands: list[str]
    log: str


@dataclass(frozen=True, slots=True)
class _Gaps:
    """What was not taken of a file."""

    file: Covered
    lines: str
    branches: str


def write_page(campaign: Campaign, ended: End, path: Path) -> None:
    """Write the page of a campaign.

    Args:
        campaign: one that has run.
        ended: what came of its inputs at the end.
        path: the file.

    Raises:
        OSError: where it cannot be written; then the one that was there is still there.
    """
    files.write(path, to_page(campaign, ended).encode())


def to_page(campaign: Campaign, ended: End) -> str:
    """Return the page that `write_page` writes."""
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {"mib": _mib, "span": _span, "number": "{:,}".format}
    page = resources(__package__).joinpath("page.html.jinja").read_text("utf-8")
    loaded = [each for each in ended.files if each.loaded]
    return environment.from_string(page).render(
        campaign=campaign,
        ended=ended,
        verdict=_verdict(campaign),
        targets=[
            _Target(
                name,
                state(tally, campaign.jobs),
                tally,
                ended.outcomes.get(name),
                list(_charts(campaign, tally)),
            )
            for name, tally in campaign.tallies.items()
        ],
        executions=sum(tally.executions for tally in campaign.tallies.values()),
        findings=[_found(each) for each in campaign.findings],
        covered=[_gaps(each) for each in loaded],
        covered_total=covering.total(loaded),
        unloaded=[each.name for each in ended.files if not each.loaded],
        map=ended.map,
        slices=[
            (each, tally.endings.get(each))
            for tally in campaign.tallies.values()
            for each in tally.slices
        ],
        command=_command(campaign),
        join=shlex.join,
        versions=list(_versions()),
        size=charts,
    )


def _verdict(campaign: Campaign) -> str:
    if count := len(campaign.findings):
        return f"{count} finding{'s' * (count > 1)}"
    if campaign.idle:
        return f"{campaign.engine} did not really run"
    stopped = any(
        Ending.STOPPED in tally.endings.values() or not tally.slices
        for tally in campaign.tallies.values()
    )
    return "no finding before it was stopped" if stopped else "no finding"


def _charts(campaign: Campaign, tally: Tally) -> Iterator[Chart]:
    """Yield what each of a target's processes reached and took, over the time that it ran."""

    def line(each: Slice, name: str, unit: float = 1) -> tuple[str, list[Point]]:
        label = f"seed {each.order.seed}"
        return label, [Point(sample.at, getattr(sample, name) / unit) for sample in each.samples]

    if campaign.engine is Engine.ATHERIS:
        yield charts.chart("Edges", "", [line(each, "edges") for each in tally.slices])
    else:
        yield charts.chart("Executions", "", [line(each, "executions") for each in tally.slices])
    yield charts.chart("Memory", "MiB", [line(each, "resident", 2**20) for each in tally.slices])


def _found(finding: Finding) -> _Found:
    log = ""
    if finding.log is not None:
        log = finding.log.read_text("utf-8", errors="replace")[-_MOST_LOG:]
    return _Found(
        finding,
        "" if finding.path is None else shlex.join(reproduce(finding.target, finding.path)),
        [shlex.join(command) for command in finding.commands()],
        log,
    )


def _gaps(file: Covered) -> _Gaps:
    branches = ", ".join(
        f"{first} to {then}" if then > 0 else f"{first} to the end" for first, then in file.missing
    )
    return _Gaps(file, ", ".join(_runs(file.missing_lines)), branches)


def _runs(lines: tuple[int, ...]) -> Iterator[str]:
    """Yield lines that follow one another as one run."""
    first = last = None
    for line in (*lines, None):
        if last is not None and line != last + 1:
            yield str(first) if first == last else f"{first}-{last}"
            first = None
        first, last = line if first is None else first, line


def _command(campaign: Campaign) -> str:
    """Return the command that does the same again, from nothing."""
    return shlex.join(
        (
            *("authplugin", "fuzz", *campaign.tallies),
            *("--minutes", f"{campaign.minutes:g}", "--jobs", str(campaign.jobs)),
            *("--seed", str(campaign.seed), "--folder", "another-folder"),
        )
    )


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"
    yield "system", platform.platform()
    yield "processors", str(os.cpu_count())


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f}"


def _span(seconds: float) -> str:
    """Return a time as people read it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
