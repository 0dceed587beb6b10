"""The command: `python -m tests.bench.fuzz`."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from authplugin_fuzz.targets import TARGETS

from . import edges as from_nothing
from . import rates as side_by_side
from .covered import arcs_elsewhere
from .rates import BYTES, LEAST, NOTHING, Contender

_SHOWN = 12  # of what is missing

_named = click.argument(
    "targets", nargs=-1, type=click.Choice(list(TARGETS)), metavar="[TARGET]..."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure the fuzz targets, in CPU time."""


@main.command()
@_named
@click.option("--rounds", default=5, show_default=True, help="Samples of each; medians count.")
@click.option("--seconds", default=2.0, show_default=True, help="CPU time of a sample.")
def rates(targets: tuple[str, ...], rounds: int, seconds: float) -> None:
    """Compare executions per CPU second with a target that does nothing.

    Without TARGET, of frames and messages. The status is 1 where one of them, with the mutator that
    it is fuzzed with, has less than 1/25 of the rate that doing nothing has with the same one.
    """
    names = targets or ("frames", "messages")
    race = side_by_side.race(names, rounds=rounds, seconds=seconds)
    table = Table("target", "mutator", "per CPU s", "of nothing, same mutator", "of nothing, bytes")
    slow = []
    for each in side_by_side.contenders(names):
        same = race.ratio(str(Contender(NOTHING, each.mutator)), str(each)).median
        bare = race.ratio(str(Contender(NOTHING, BYTES)), str(each)).median
        rate = 1e9 / race.nanoseconds(str(each))
        table.add_row(
            each.target, each.mutator, f"{rate:.0f}", f"1/{1 / same:.1f}", f"1/{1 / bare:.1f}"
        )
        if same < LEAST and each.mutator != BYTES:
            slow.append(str(each))
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(f"Median of {rounds} samples of {seconds:g} CPU seconds, without the start")
    console.print(table)
    for name in slow:
        console.print(f"{name}: less than 1/25", style="red")
    sys.exit(bool(slow))


@main.command()
@_named
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".fuzz",
    show_default=True,
    help="A campaign's; the stored corpora are in it.",
)
@click.option("--seeds", default=3, show_default=True, help="Searches of each; medians count.")
@click.option("--limit", default=from_nothing.LIMIT, show_default=True, help="CPU s of a search.")
def edges(targets: tuple[str, ...], folder: Path, seeds: int, limit: float) -> None:
    """Measure how soon each target reaches, from nothing, all that its stored corpus reaches.

    Without TARGET, all that have one. The status is 1 where one of them takes longer than the
    limit.
    """
    console = Console(width=None if sys.stdout.isatty() else 100)
    table = Table(
        "target", "edges", "CPU s, each seed", "median", "executions", "missing", "beyond"
    )
    errors = Console(stderr=True)
    late = False
    for name in targets or tuple(TARGETS):
        stored = folder / name / "corpus"
        if not stored.is_dir() or not any(stored.iterdir()):
            console.print(f"{name}: nothing is stored in {stored}")
            continue
        results = []
        for seed in range(1, seeds + 1):
            with tempfile.TemporaryDirectory() as scratch:
                reached = from_nothing.search(name, stored, Path(scratch), seed=seed, limit=limit)
                results.append(reached)
                errors.print(f"{name}, seed {seed}: {reached}", highlight=False, soft_wrap=True)
                if reached.missing:
                    missing = arcs_elsewhere(name, stored) - arcs_elsewhere(name, Path(scratch))
                    shown = " ".join(sorted(missing)[:_SHOWN])
                    console.print(f"{name}, seed {seed}, misses {reached.missing}: {shown}")
        late = late or any(each.missing for each in results)
        table.add_row(
            name,
            str(results[0].stored),
            " ".join(f"{each.seconds:.1f}{'+' if each.missing else ''}" for each in results),
            f"{statistics.median(each.seconds for each in results):.1f}",
            str(round(statistics.median(each.runs for each in results))),
            str(max(each.missing for each in results)),
            str(max(each.further for each in results)),
        )
    console.print(f"CPU seconds from an empty corpus, the start included; the limit is {limit:g}")
    console.print(table)
    sys.exit(late)


if __name__ == "__main__":
    main()
