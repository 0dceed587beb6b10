"""How a campaign looks while it runs, and when it is over."""

from __future__ import annotations

import shlex
from time import monotonic

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from .campaign import Campaign, Tally
from .findings import Finding, reproduce
from .slices import Ending, Slice

_EVERY = 10.0  # seconds between two lines, where there is no terminal
_WIDE = 300  # characters of what was found

COLUMNS = ("executions", "per second", "edges", "corpus", "findings", "MiB", "last new")
"""What is shown of each target, behind its name and state: the memory is what one process had at
most, and the last new input came so long ago."""


class Screen:
    """Shows a campaign: on a terminal a table that is kept up to date, elsewhere lines.

    Use it as a context manager, and call `show` as often as there may be something new.
    """

    def __init__(self, campaign: Campaign, console: Console) -> None:
        self._campaign = campaign
        self._console = console
        self._live: Live | None = None
        self._due = monotonic() + _EVERY

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self) -> None:
        """Show how things stand."""
        if self._live is not None:
            self._live.update(table(self._campaign), refresh=True)
        elif monotonic() >= self._due:
            self._due += _EVERY
            for line in lines(self._campaign):
                self._console.out(line, highlight=False)


def _title(campaign: Campaign) -> str:
    past = monotonic() - campaign.started if campaign.fuzzed is None else campaign.fuzzed
    return (
        f"{past:.0f} of {campaign.duration:.0f} seconds, {campaign.engine}, "
        f"{campaign.jobs} jobs, seed {campaign.seed}"
    )


def state(tally: Tally, jobs: int) -> str:
    """Return how a target stands, in a word or two."""
    if tally.running:
        return "running" if tally.running == 1 else f"{tally.running} run"
    if Ending.STOPPED in tally.endings.values():
        return "stopped"
    if tally.findings:
        return "found"
    return "done" if len(tally.endings) >= jobs else "waiting"


def since_last_new(tally: Tally) -> str:
    """Return how long ago a running target's corpus grew last; a dash where none runs."""
    running = [each for each in tally.slices if each not in tally.endings and each.samples]
    if not running:
        return "-"
    return f"{min(map(_since_last_new, running)):.0f} s"


def _since_last_new(running: Slice) -> float:
    corpus = running.samples[-1].corpus
    grown = next(each.at for each in running.samples if each.corpus == corpus)
    return running.seconds - grown


def _cells(tally: Tally, jobs: int) -> tuple[str, ...]:
    return (
        state(tally, jobs),
        str(tally.executions),
        f"{tally.rate:.0f}",
        str(tally.edges or "-"),
        str(tally.kept or "-"),
        str(len(tally.findings)),
        f"{tally.peak / 2**20:.0f}" if tally.peak else "-",
        since_last_new(tally),
    )


def table(campaign: Campaign) -> Table:
    """Return how things stand as a table."""
    made = Table(title=_title(campaign), title_justify="left", box=SIMPLE_HEAD)
    made.collapse_padding, made.pad_edge = True, False
    made.add_column("target", no_wrap=True)
    made.add_column("state", no_wrap=True)
    for name in COLUMNS:
        # Whatever has two words takes two lines: all of it has room in 80 columns.
        made.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    for name, tally in campaign.tallies.items():
        style = "bold red" if tally.findings else None
        made.add_row(name, *_cells(tally, campaign.jobs), style=style)
    return made


def lines(campaign: Campaign) -> list[str]:
    """Return how things stand as lines of text."""
    said = [_title(campaign)]
    for name, tally in campaign.tallies.items():
        how, *cells = _cells(tally, campaign.jobs)
        told = (f"{label} {cell}" for label, cell in zip(COLUMNS, cells, strict=True))
        said.append(f"  {name}: {how}, {', '.join(told)}")
    return said


def report(campaign: Campaign) -> list[str]:
    """Return what is to be said of a campaign below its last table."""
    said: list[str] = []
    for finding in campaign.findings:
        said += ["", *described(finding)]
    for each in campaign.idle:
        log = each.order.log
        said += ["", f"{each.target}: {campaign.engine} did not really run; see {log}"]
        said += [f"  {line}" for line in _last_lines(log.read_text(errors="replace"))]
    for name, tally in campaign.tallies.items():
        if tally.mended:
            said += ["", f"{name}: {tally.mended} inputs found earlier are kept; every law holds"]
        said += [f"{name}: {note}" for note in tally.notes]
    return said


def described(finding: Finding) -> list[str]:
    """Return what is to be said of a finding."""
    title = finding.title[:_WIDE] + "..." * (len(finding.title) > _WIDE)
    said = [f"{finding.target}: {title}", f"  kept as    {finding.path or finding.log}"]
    if finding.path is not None:
        said.append(f"  reproduce  {shlex.join(reproduce(finding.target, finding.path))}")
    return said


def _last_lines(text: str, count: int = 5) -> list[str]:
    return text.splitlines()[-count:]
