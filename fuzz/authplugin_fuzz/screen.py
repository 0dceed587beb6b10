"""How a campaign looks while it runs, and when it is over."""

from __future__ import annotations

import shlex
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.table import Table

from .campaign import Campaign, Tally
from .slices import Ending

_EVERY = 10.0  # seconds between two lines, where there is no terminal
_WIDE = 300  # characters of what was found


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
    past = monotonic() - campaign.started
    return (
        f"{past:.0f} of {campaign.duration:.0f} seconds, {campaign.engine}, "
        f"{campaign.jobs} jobs, seed {campaign.seed}"
    )


def _cells(tally: Tally, jobs: int) -> tuple[str, str, str, str, str, str]:
    if tally.running:
        state = f"{tally.running} running"
    elif Ending.STOPPED in tally.endings:
        state = "stopped"
    else:
        state = "done" if len(tally.endings) == jobs else "waiting"
    edges = "-" if tally.edges is None else str(tally.edges)
    return (
        state,
        str(tally.executions),
        f"{tally.rate:.0f}",
        edges,
        str(tally.corpus) if tally.corpus else "-",
        str(len(tally.findings)),
    )


def table(campaign: Campaign) -> Table:
    """Return how things stand as a table."""
    made = Table(title=_title(campaign), title_justify="left")
    made.add_column("target")
    made.add_column("state")
    for name in ("executions", "per second", "edges", "corpus", "findings"):
        made.add_column(name, justify="right")
    for name, tally in campaign.tallies.items():
        style = "bold red" if tally.findings else None
        made.add_row(name, *_cells(tally, campaign.jobs), style=style)
    return made


def lines(campaign: Campaign) -> list[str]:
    """Return how things stand as lines of text."""
    said = [_title(campaign)]
    for name, tally in campaign.tallies.items():
        state, executions, rate, edges, corpus, findings = _cells(tally, campaign.jobs)
        said.append(
            f"  {name}: {state}, {executions} executions, {rate} per second, {edges} edges, "
            f"corpus {corpus}, findings {findings}"
        )
    return said


def report(campaign: Campaign) -> list[str]:
    """Return what is to be said of a campaign below its last table."""
    said = []
    for finding in campaign.findings:
        title = finding.title[:_WIDE] + "..." * (len(finding.title) > _WIDE)
        said += ["", f"{finding.target}: {title}", f"  kept as    {finding.path}"]
        if finding.reproduce is not None:
            said.append(f"  reproduce  {shlex.join(finding.reproduce)}")
    for each in campaign.idle:
        said += ["", f"{each.target}: {campaign.engine} did not really run; see {each.log}"]
        said += [f"  {line}" for line in _last_lines(each.log.read_text(errors="replace"))]
    for name, tally in campaign.tallies.items():
        if tally.earlier:
            said += ["", f"{name}: {tally.earlier} inputs found earlier are kept, and were tried"]
    return said


def _last_lines(text: str, count: int = 5) -> list[str]:
    return text.splitlines()[-count:]
