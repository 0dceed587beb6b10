"""`authplugin fuzz`: a campaign from the command line."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from . import engines
from .campaign import Campaign
from .engines import Engine
from .screen import Screen, report, table
from .targets import TARGETS

FOUND = 1
"""The exit status where something was found."""

IDLE = 2
"""The exit status where nothing was found, but an engine did not really run."""

INTERRUPTED = 130
"""The exit status where nothing was found before somebody stopped the campaign."""

MOST_JOBS = 1024
MOST_SEED = 2**31 - MOST_JOBS
"""Each slice of a target adds one, and libFuzzer takes 31 bits."""


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _targets() -> str:
    """Return what each target tries, as a paragraph that click leaves as it is."""
    wide = max(map(len, TARGETS))
    return "\b\n" + "\n".join(
        ["Targets:", *(f"  {each.name:<{wide}}  {each.purpose}" for each in TARGETS.values())]
    )


@click.command(epilog=_targets())
@click.argument("targets", metavar="[TARGET]...", nargs=-1, type=click.Choice(list(TARGETS)))
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True, max=60 * 24 * 7),
    default=1.0,
    show_default=True,
    help="How long the whole campaign takes; the targets share it.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=MOST_JOBS),
    default=_processors,
    show_default="one for each processor",
    help="How many processes run at a time.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".fuzz"),
    show_default=True,
    help="Where corpora and findings are kept.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=1, max=MOST_SEED),
    default=None,
    help="What the inputs follow from. [default: another each time]",
)
@click.pass_context
def fuzz(
    context: click.Context,
    targets: tuple[str, ...],
    minutes: float,
    jobs: int,
    folder: Path,
    seed: int | None,
) -> None:
    """Fuzz the codec and both roles.

    Without TARGET, all of them. What is found is kept in the folder, with the inputs that reached
    something new, and the next campaign goes on from there. The same seed makes the same choices
    in the same order, but time and the other processes decide how far they lead.

    Exits with 0 where nothing was found, 1 where something was, 2 where the engine did not really
    run, 130 where it was interrupted before anything was found.
    """
    with _terminable():
        try:
            engine = engines.available()
        except KeyboardInterrupt:
            context.exit(INTERRUPTED)
        if engine is Engine.HYPOTHESIS:
            click.echo(
                "atheris cannot be imported here, so Hypothesis tries the same laws for the same "
                "time; coverage does not guide it, and none is measured."
            )
        campaign = Campaign(
            list(dict.fromkeys(targets)) or list(TARGETS),
            minutes=minutes,
            jobs=jobs,
            folder=folder,
            seed=seed or secrets.randbelow(MOST_SEED) + 1,
            engine=engine,
        )
        interrupted = _run(campaign)
    context.exit(_status(campaign, interrupted=interrupted))


def _run(campaign: Campaign) -> bool:
    """Run a campaign, show it, and return whether somebody stopped it."""
    console = Console()
    interrupted = False
    try:
        with Screen(campaign, console) as screen:
            campaign.run(screen.show)
    except KeyboardInterrupt:
        interrupted = True
    console.print(table(campaign))
    for line in report(campaign):
        click.echo(line)
    return interrupted


def _status(campaign: Campaign, *, interrupted: bool) -> int:
    if campaign.findings:
        return FOUND
    if campaign.idle:
        return IDLE
    return INTERRUPTED if interrupted else 0


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the campaign as Ctrl-C does: in good order."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    fuzz(prog_name="authplugin fuzz")
