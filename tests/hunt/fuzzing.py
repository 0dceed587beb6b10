"""How soon the fuzz targets find the planted bugs, and how soon plain fuzzing does.

`python -m tests.hunt.fuzzing` plants each of `bugs` in a copy of the rooms and lets three engines
search for it, each with several seeds, in turn: the fuzz targets with their mutator, atheris on
bytes without it, and Hypothesis on bytes. All of them run the same targets, from nothing. What
counts is the time of the processor from the first input on. A clean control comes first: whoever
finds something in the code as it is, is wrong himself, and nothing is compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

from .contests import MISSED, WIDTH, Contest, chosen_bugs, digests, hold
from .parts import ENGINES, HYPOTHESIS, TARGETS, Part
from .races import Race, controls, summary_of, targets_for
from .running import Results, Searcher, Snapshot


def table_of(races: Sequence[Race], results: Results, engines: Sequence[Part]) -> Table:
    """Return a row for each bug: which target of each engine finds it first, and how soon."""
    table = Table(
        title=f"Planted bugs: seconds of the processor until one is found, "
        f"{races[0].seconds:g} at most",
        caption=(
            "The median of all seeds, from the first input on, of the first target in order that "
            "finds it; in brackets how many targets before it did not."
        ),
    )
    table.add_column("bug", overflow="fold")
    table.add_column("layer")
    for engine in engines:
        table.add_column(engine.name, justify="right")
    rows: dict[str, list[str]] = {}
    found = dict.fromkeys(engines, 0)
    for race in races:
        standing = race.standing(results)
        row = rows.setdefault(race.bug.name, [race.bug.name, race.bug.layer])
        if standing.next is not None:
            row.append("not yet run")
        elif standing.won is None:
            row.append("-")
        else:
            found[race.part] += 1
            before = f" ({len(standing.tried)})" if standing.tried else ""
            row.append(f"{standing.won.found:.2f} {standing.won.by}{before}")
    for row in rows.values():
        table.add_row(*row)
    table.add_section()
    table.add_row("found", "", *(f"{found[engine]} of {len(rows)}" for engine in engines))
    table.add_row("seconds to start", "", *(_begun(results, engine) for engine in engines))
    return table


def _begun(results: Results, engine: Part) -> str:
    begun = [result.begun for result in results if result.run.part == engine.name]
    return f"{median(begun):.2f}" if begun else "-"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", metavar="[BUG]...", nargs=-1)
@click.option(
    "--runs",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="build/planted.jsonl",
    show_default=True,
    help="Where each run is kept; what was stopped goes on from there.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="build/planted.json",
    show_default=True,
    help="Where the figures go.",
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
    "--engine",
    "engines",
    type=click.Choice([engine.name for engine in ENGINES]),
    multiple=True,
    help="Default: all.",
)
@click.option(
    "--no-control", is_flag=True, help="Take it for granted that the clean code is right."
)
def main(
    names: tuple[str, ...],
    runs: Path,
    output: Path,
    seeds: int,
    seconds: float,
    workers: int,
    engines: tuple[str, ...],
    no_control: bool,
) -> None:
    """Let the fuzz targets, and plain fuzzing, search for planted bugs.

    Those for which there is no target are left out. The status is 0 where the fuzz targets found
    each of them in time, 1 where not, and 2 where the figures mean nothing.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    chosen = [each for each in ENGINES if each.name in engines] or list(ENGINES)
    if set(chosen) != {HYPOTHESIS} and find_spec("atheris") is None:
        raise click.UsageError("atheris cannot be imported; --engine names others")
    bugs = [bug for bug in chosen_bugs(names) if targets_for(TARGETS, bug.layer)]
    numbers = range(1, seeds + 1)
    races = [Race(bug, engine, numbers, seconds) for bug in bugs for engine in chosen]
    limits = dict.fromkeys(chosen, seconds)
    with TemporaryDirectory(prefix="hunt-") as folder:
        code = Snapshot(Path(folder) / "code")
        results = Results(runs, digests(code, {bug.name: bug for bug in bugs}, limits))
        contest = Contest(results, races, limits, Searcher(code), workers)
        control = [] if no_control else controls(chosen, dict.fromkeys(chosen, numbers))
        hold(contest, control, console)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(summary_of(races, results), indent=1) + "\n", encoding="utf-8")
    console.print(table_of(races, results, chosen))
    console.print(f"All figures are in {output}", highlight=False, soft_wrap=True)
    ours = [race for race in races if race.part is TARGETS]
    if any(race.standing(results).won is None for race in ours):
        sys.exit(MISSED)


if __name__ == "__main__":
    main()
