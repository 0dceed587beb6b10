"""How a run is getting on, shown on a terminal while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .display import COLOURS, Lines
from .result import Result
from .verdicts import Outcome

_PER_SECOND: Final = 8
_BAR: Final = 24


class LiveDisplay:
    """One or two lines at the bottom of a terminal; what is found scrolls by above them."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._counts: Counter[Outcome] = Counter()
        self._running: dict[str, None] = {}
        self._lines = Lines(self._print, total, console.width)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show it, and take it away again."""
        with Live(self, console=self._console, refresh_per_second=_PER_SECOND, transient=True):
            yield

    def _print(self, line: str, colour: str | None) -> None:
        self._console.print(Text(line, style=colour or ""), soft_wrap=True)

    def started(self, case_id: str) -> None:
        """Show that a case is being played."""
        self._running[case_id] = None

    def done(self, result: Result) -> None:
        """Show that a case has been played."""
        self._counts[result.outcome] += 1
        self._running.pop(result.case.id, None)

    def show(self, result: Result, details: Sequence[str]) -> None:
        """Show what came of a case."""
        self._lines.show(result, details)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        done = self._counts.total()
        counts = Text(f"{done}/{self._total}")
        for outcome in Outcome:
            if self._counts[outcome]:
                counts.append("  ")
                counts.append(f"{self._counts[outcome]} {outcome}", style=COLOURS[outcome])
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=self._total, completed=done, width=_BAR), counts)
        yield line
        running = ", ".join(list(self._running))
        text = Text(f"now: {running}" if running else "now: starting", style="dim")
        text.truncate(options.max_width, overflow="ellipsis")
        yield text
