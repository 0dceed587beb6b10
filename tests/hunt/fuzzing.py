"""How soon the fuzz targets find the planted bugs, and how soon plain fuzzing does.

`python -m tests.hunt.fuzzing` plants each of `bugs` in a copy of the codec and lets three engines
search for it, each with several seeds, in turn: the fuzz targets with their mutator, atheris on
bytes without it, and Hypothesis on bytes. All of them run the same targets, from nothing. What
counts is the time of the processor from the first input on. A clean control comes first: whoever
finds something in the code as it is, is wrong himself, and nothing is compared.
"""

from __future__ import annotations

import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Protocol

import click
from rich.console import Console
from rich.status import Status
from rich.table import Table

from . import planted, races
from .planted import Bug, DoesNotApplyError
from .races import Race, Result, Results, Run, SearchError
from .searching import ENGINES, HYPOTHESIS, OURS

MISSED, WRONG = 1, 2
"""The exit statuses: the fuzz targets did not find each bug in time, or the figures mean nothing:
the control found something, a patch does not apply, nothing was searched."""

WIDTH = 144
"""Columns of the table where the output is no terminal."""


class Search(Protocol):
    """What carries out runs; see `races.Searcher`."""

    def __call__(self, run: Run, bug: Bug | None, seconds: float) -> Result:
        """Carry out one."""

    def stop(self) -> None:
        """End all that are under way."""


class Hunt:
    """Carries out runs, several at a time, and keeps what comes of them.

    Args:
        results: what is known already, and is added to.
        bugs: the bugs by name.
        chosen: the races.
        search: carries them out.
    """

    def __init__(
        self,
        results: Results,
        bugs: dict[str, Bug],
        chosen: Sequence[Race],
        search: Search,
    ) -> None:
        self.results = results
        self.races = chosen
        self._bugs = bugs
        self._search = search

    def control(
        self, runs: Sequence[Run], workers: int, say: Callable[[str], None]
    ) -> list[Result]:
        """Run the control; return what found something in code that is right."""
        due = deque(run for run in runs if self.results.get(run) is None)

        def take() -> Run | None:
            return due.popleft() if due else None

        self._carry_out(take, workers, say)
        known = map(self.results.get, runs)
        return [result for result in known if result is not None and result.found is not None]

    def race(self, workers: int, say: Callable[[str], None]) -> None:
        """Run all races, each a step at a time, so that a change of the machine meets them all."""
        open_races = list(self.races)
        under_way: set[Run] = set()

        def take() -> Run | None:
            standings = [(race, race.standing(self.results)) for race in open_races]
            open_races[:] = [race for race, standing in standings if standing.next]
            due = [standing for _, standing in standings if standing.next not in {None, *under_way}]
            if not due:
                return None
            run = min(due, key=lambda standing: standing.runs).next
            assert run is not None
            under_way.add(run)
            return run

        self._carry_out(take, workers, say)

    def _carry_out(
        self, take: Callable[[], Run | None], workers: int, say: Callable[[str], None]
    ) -> None:
        under_way: set[Future[Result]] = set()
        with ThreadPoolExecutor(workers) as pool:
            try:
                while True:
                    while len(under_way) < workers and (run := take()) is not None:
                        say(f"{run.bug or 'clean'}: {run.engine}, {run.target}, seed {run.seed}")
                        bug = None if run.bug is None else self._bugs[run.bug]
                        seconds = self.results.seconds
                        under_way.add(pool.submit(self._search, run, bug, seconds))
                    if not under_way:
                        return
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        self.results.add(future.result())
                    self.write()
            except BaseException:
                self._search.stop()
                raise

    def write(self) -> None:
        """Write what is known."""
        self.results.write(races.summary_of(self.races, self.results))


def table_of(hunt: Hunt, engines: Sequence[str]) -> Table:
    """Return a row for each bug: which target of each engine finds it first, and how soon."""
    seconds = hunt.results.seconds
    table = Table(
        title=f"Planted bugs: seconds of the processor until one is found, {seconds:g} at most",
        caption=(
            "The median of all seeds, from the first input on, of the first target in order that "
            "finds it; in brackets how many targets before it did not."
        ),
    )
    table.add_column("bug", overflow="fold")
    table.add_column("layer")
    for engine in engines:
        table.add_column(engine, justify="right")
    rows: dict[str, list[str]] = {}
    found = dict.fromkeys(engines, 0)
    for race in hunt.races:
        standing = race.standing(hunt.results)
        row = rows.setdefault(race.bug.name, [race.bug.name, race.bug.layer])
        if standing.next is not None:
            row.append("not yet run")
        elif standing.target is None or standing.seconds is None:
            row.append("-")
        else:
            found[race.engine] += 1
            before = f" ({len(standing.tried)})" if standing.tried else ""
            row.append(f"{standing.seconds:.2f} {standing.target}{before}")
    for row in rows.values():
        table.add_row(*row)
    table.add_section()
    table.add_row("found", "", *(f"{found[engine]} of {len(rows)}" for engine in engines))
    table.add_row("seconds to start", "", *(_begun(hunt.results, engine) for engine in engines))
    return table


def _begun(results: Results, engine: str) -> str:
    begun = [result.begun for result in results if result.run.engine == engine]
    return f"{median(begun):.2f}" if begun else "-"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", metavar="[BUG]...", nargs=-1)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="build/planted.json",
    show_default=True,
    help="Where the results are kept; a run that was stopped goes on from there.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="How many.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Of the processor, for each target and seed.",
)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option(
    "--engine", "engines", type=click.Choice(ENGINES), multiple=True, help="Default: all."
)
@click.option(
    "--no-control", is_flag=True, help="Take it for granted that the clean code is right."
)
def main(
    names: tuple[str, ...],
    output: Path,
    seeds: int,
    seconds: float,
    workers: int,
    engines: tuple[str, ...],
    no_control: bool,
) -> None:
    """Let the fuzz targets, and plain fuzzing, search for planted bugs.

    The status is 0 where the fuzz targets found each of them in time, 1 where not, and 2 where the
    figures mean nothing.
    """
    # Ends as Ctrl-C does: with what is under way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    chosen_engines = tuple(engine for engine in ENGINES if engine in (engines or ENGINES))
    if set(chosen_engines) != {HYPOTHESIS} and find_spec("atheris") is None:
        raise click.UsageError("atheris cannot be imported; --engine names others")
    bugs = dict(planted.bugs())
    if unknown := [name for name in names if name not in bugs]:
        raise click.UsageError(f"there is no bug called {', '.join(unknown)}")
    numbers = range(1, seeds + 1)
    chosen = [
        Race(bugs[name], engine, numbers) for name in names or bugs for engine in chosen_engines
    ]
    hunt = Hunt(Results(output, bugs, seconds), bugs, chosen, races.Searcher())
    if len(hunt.results):
        console.print(f"{len(hunt.results)} runs are known from {output}", highlight=False)
    with Console(stderr=True).status("") as status:
        try:
            accused = _run(hunt, [] if no_control else numbers, chosen_engines, workers, status)
        except (DoesNotApplyError, SearchError) as error:
            console.print(str(error), style="red", markup=False, highlight=False)
            sys.exit(WRONG)
        except KeyboardInterrupt:
            console.print("Stopped; the same command goes on from here.")
            raise
    if accused:
        console.print("The code as it is was accused, so nothing was compared:", style="red")
        for each in accused:
            where = f"{each.run.engine}, {each.run.target}, seed {each.run.seed}"
            console.print(f"  {where}: {each.says}", markup=False, highlight=False)
        sys.exit(WRONG)
    hunt.write()
    console.print(table_of(hunt, chosen_engines))
    console.print(f"All figures are in {output}", highlight=False, soft_wrap=True)
    if races.digest_of_code() != hunt.results.code:
        console.print("The code has changed in the meantime: the figures mean nothing.")
        sys.exit(WRONG)
    ours = [race for race in chosen if race.engine == OURS]
    if any(race.standing(hunt.results).target is None for race in ours):
        sys.exit(MISSED)


def _run(
    hunt: Hunt, control: Sequence[int], engines: Sequence[str], workers: int, status: Status
) -> list[Result]:
    """Run the control, and then, unless it found something, the races."""

    def say(what: str) -> None:
        status.update(f"{len(hunt.results)} runs known; {what}")

    accused = hunt.control(races.controls(engines, control), workers, say)
    if not accused:
        hunt.race(workers, say)
    return accused


if __name__ == "__main__":
    main()
