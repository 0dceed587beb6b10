"""The hunt: which parts of the suite find the planted bugs, by what, and how soon.

Every part searches for every bug by the profile `ci`, which tries the same each time. Then, with
each of some seeds, the parts that chance decides about search one after the other until one of them
finds it. A clean control comes first: a part that accuses the code as it is, is wrong itself.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from . import planted
from .contests import MISSED, WIDTH, WRONG, Contest, Relay, chosen_bugs, digests, hold
from .parts import FIXED, PARTS, TARGETS, Part
from .planted import LAYERS, Bug
from .races import Race, controls, targets_for
from .running import Results, Searcher, Snapshot

SECONDS: Final = 60.0
"""What a part has of the processor for a bug. The targets of a layer have equal shares of it."""

ALONE: Final = Path(__file__).with_name("alone.toml")
"""Says of bugs that only one part finds why that is so."""

ENOUGH: Final = 0.8
"""In how many of the seeds a bug has to be found, as a share of all: four of five."""

TWICE: Final = 0.9
"""How many of the bugs have to be found by two parts at least, as a share of all."""

_CONTROLS: Final = 3  # seeds beside the fixed one
_RELAY: Final = sorted(
    (part for part in PARTS if part.is_random), key=lambda part: (part.is_costly, part.name)
)


@dataclass(frozen=True)
class Hunted:
    """All races against one bug.

    Attributes:
        bug: the bug.
        fixed: those by the profile `ci`, one for each part.
        random: those with each seed.
    """

    bug: Bug
    fixed: Sequence[Race]
    random: Mapping[int, Relay]

    def finders(self, results: Results) -> list[Race]:
        """Return the races by the profile `ci` that find it."""
        return [race for race in self.fixed if race.standing(results).won is not None]

    def seeds(self, results: Results) -> list[int]:
        """Return the seeds with which it is found: all, where a part does that leaves no choice."""
        if any(not race.part.is_random for race in self.finders(results)):
            return list(self.random)
        return [
            seed for seed, relay in self.random.items() if relay.standing(results).won is not None
        ]

    def is_over(self, results: Results) -> bool:
        """Say whether all of it is known."""
        every: list[Race | Relay] = [*self.fixed, *self.random.values()]
        return all(each.standing(results).next is None for each in every)

    def to_json(self, results: Results) -> dict[str, Any]:
        """Return what the results say, as plain data; see `hunt.schema.json`."""
        return {
            "bug": self.bug.name,
            "layer": self.bug.layer,
            "files": list(self.bug.files),
            "prose": " ".join(self.bug.prose.split()),
            "over": self.is_over(results),
            "found_by": [race.part.name for race in self.finders(results)],
            "ci": {race.part.name: _outcome([race], results) for race in self.fixed},
            "found_with": self.seeds(results),
            "hunt": {
                str(seed): _outcome(relay.races, results) for seed, relay in self.random.items()
            },
        }


def _outcome(races: Sequence[Race], results: Results) -> dict[str, Any]:
    """Return what came of one race, or of several of which the last that was run counts."""
    run = [each for race in races for each in race.results(results)]
    won = next((race.standing(results).won for race in races if race.standing(results).won), None)
    tried = [each.tried for each in run if each.tried is not None]
    return {
        "found": won is not None,
        "part": won and won.run.part,
        "by": won and won.by,
        "says": won and won.says,
        "tried": sum(tried),
        "seconds": round(sum(each.seconds for each in run), 2),
    }


def reasons() -> Mapping[str, str]:
    """Return why only one part finds some bugs, by their names."""
    found: Mapping[str, str] = tomllib.loads(ALONE.read_text(encoding="utf-8"))
    return found


def problems(hunted: Sequence[Hunted], results: Results) -> list[str]:
    """Return in what the suite falls short, a sentence each."""
    found = {each.bug.name: each.finders(results) for each in hunted}
    why = reasons()
    sentences = [f"{name} is not found" for name, by in found.items() if not by]
    for each in hunted:
        seeds = each.seeds(results)
        if len(seeds) < ENOUGH * len(each.random):
            sentences.append(f"{each.bug.name} is found with {len(seeds)} of {len(each.random)}")
    alone = {name: by[0].part.name for name, by in found.items() if len(by) == 1}
    sentences += [
        f"{name} is found by the {part} alone, and {ALONE.name} does not say why"
        for name, part in alone.items()
        if name not in why
    ]
    sentences += [
        f"{ALONE.name} has {name}, which more than one part finds"
        for name, by in found.items()
        if name in why and len(by) > 1
    ]
    twice = sum(len(by) > 1 for by in found.values())
    if twice < TWICE * len(found):
        sentences.append(f"only {twice} of {len(found)} are found by two parts")
    return sentences


def table_of(hunted: Sequence[Hunted], results: Results, parts: Sequence[Part]) -> Table:
    """Return a row for each bug: what each part finds it by, how soon, and with how many seeds."""
    table = Table(
        title="Planted bugs: what finds them",
        caption="For each part the examples, tests, vectors or executions that it takes, and the "
        "seconds of the processor; `-` where it finds nothing. The seeds are those with which some "
        "part finds the bug.",
    )
    table.add_column("bug", overflow="fold")
    table.add_column("layer")
    for part in parts:
        table.add_column(part.name, justify="right")
    table.add_column("seeds", justify="right")
    for each in hunted:
        row = [each.bug.name, each.bug.layer]
        for race in each.fixed:
            standing = race.standing(results)
            if standing.next is not None:
                row.append("not yet run")
            elif standing.won is None:
                row.append("-")
            else:
                row.append(f"{standing.won.tried or '?'} / {standing.won.seconds:.1f} s")
        row.append(f"{len(each.seeds(results))}/{len(each.random)}")
        table.add_row(*row)
    table.add_section()
    counts = [
        sum(part in {race.part for race in each.finders(results)} for each in hunted)
        for part in parts
    ]
    total = len(hunted)
    table.add_row("found", "", *(f"{count} of {total}" for count in counts), "")
    return table


def summary_of(hunted: Sequence[Hunted], results: Results) -> dict[str, Any]:
    """Return how many bugs are found, in what ways."""
    finders = [each.finders(results) for each in hunted]
    return {
        "bugs": len(hunted),
        "found": sum(bool(by) for by in finders),
        "found_by_two": sum(len(by) > 1 for by in finders),
        "found_with_enough_seeds": sum(
            len(each.seeds(results)) >= ENOUGH * len(each.random) for each in hunted
        ),
        "by_part": {
            part.name: sum(part in {race.part for race in by} for by in finders) for part in PARTS
        },
        "seconds": round(sum(each.seconds for each in results), 1),
    }


def _shard(_: click.Context, __: click.Parameter, value: str) -> tuple[int, int]:
    """Take a shard such as `1/4` apart."""
    found = re.fullmatch(r"(\d+)/(\d+)", value)
    number, many = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= many:
        raise click.BadParameter(f"{value!r} is none; such as 1/4")
    return number, many


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", metavar="[BUG]...", nargs=-1)
@click.option(
    "--runs",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="build/hunt.jsonl",
    show_default=True,
    help="Where each run is kept; a hunt that was stopped goes on from there.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="hunt.json",
    show_default=True,
    help="Where the outcome goes.",
)
@click.option(
    "--seeds", type=click.IntRange(min=0), default=5, show_default=True, help="Beside `ci`."
)
@click.option("--shard", callback=_shard, default="1/1", help="Every N-th bug, such as 1/4.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option(
    "--part",
    "chosen",
    type=click.Choice([part.name for part in PARTS]),
    multiple=True,
    help="Default: all.",
)
@click.option(
    "--no-control", is_flag=True, help="Take it for granted that the clean code is right."
)
@click.option("--no-run", is_flag=True, help="Only tell what is known.")
def main(
    names: tuple[str, ...],
    runs: Path,
    output: Path,
    seeds: int,
    shard: tuple[int, int],
    workers: int,
    chosen: tuple[str, ...],
    no_control: bool,
    no_run: bool,
) -> None:
    """Let every part of the suite search for planted bugs.

    The status is 0 where each of them is found as it should be, 1 where one is not, and 2 where
    the figures mean nothing: a part accuses the code as it is, or a patch does not apply any more.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    parts = [part for part in PARTS if not chosen or part.name in chosen]
    number, many = shard
    bugs = chosen_bugs(names)[number - 1 :: many]
    seconds = {part: SECONDS / (_most_targets() if part.has_targets else 1) for part in parts}
    hunted = [_hunted(bug, parts, range(1, seeds + 1), seconds) for bug in bugs]
    runners = [race for each in hunted for race in each.fixed]
    relays = [relay for each in hunted for relay in each.random.values()]
    random = range(FIXED, min(seeds, _CONTROLS) + 1)
    control = controls(parts, {part: random if part.is_random else (FIXED,) for part in parts})
    with TemporaryDirectory(prefix="hunt-") as folder:
        code = Snapshot(Path(folder) / "code")
        if stale := planted.stale_bugs(code.folder):
            console.print("\n".join(stale.values()), style="red", markup=False, highlight=False)
            sys.exit(WRONG)
        results = Results(runs, digests(code, planted.bugs(), seconds))
        # What is the same each time first: it says most.
        for each in () if no_run else (runners, relays):
            contest = Contest(results, each, seconds, Searcher(code), workers)
            hold(contest, [] if no_control else control, console)
    told: dict[str, Any] = {
        "seconds": SECONDS,
        "seeds": list(range(1, seeds + 1)),
        "summary": summary_of(hunted, results),
        "problems": problems(hunted, results),
        "control": [
            {
                "part": result.run.part,
                "target": result.run.target or None,
                "seed": result.run.seed,
                "tried": result.tried,
                "seconds": round(result.seconds, 2),
            }
            for result in results
            if result.run.bug is None
        ],
        "bugs": [each.to_json(results) for each in hunted],
    }
    output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    console.print(table_of(hunted, results, parts))
    for sentence in told["problems"]:
        console.print(f"{sentence}.", style="red", markup=False, highlight=False, soft_wrap=True)
    console.print(f"All figures are in {output}", highlight=False, soft_wrap=True)
    if told["problems"]:
        sys.exit(MISSED)


def _most_targets() -> int:
    return max(len(targets_for(TARGETS, layer)) for layer in LAYERS)


def _hunted(
    bug: Bug, parts: Sequence[Part], seeds: Sequence[int], seconds: Mapping[Part, float]
) -> Hunted:
    fixed = [Race(bug, part, (FIXED,), seconds[part]) for part in parts]
    order = [part for part in _RELAY if part in parts]
    relays = {
        seed: Relay([Race(bug, part, (seed,), seconds[part]) for part in order])
        for seed in seeds
        if order
    }
    return Hunted(bug, fixed, relays)
