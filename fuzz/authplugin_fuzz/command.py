"""`authplugin fuzz`: campaigns, and what is done with what they have found, as commands."""

from __future__ import annotations

import importlib
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import click
from rich.console import Console

from authplugin_corpus.quantity import Quantity

from . import engines
from .apart import ApartError
from .attempts import AttemptError
from .campaign import Campaign
from .covering import Covered, total
from .ending import End, end, measure_all, told
from .engines import Bounds, Engine
from .findings import Findings, FindingsError
from .finishing import Step, finish_all
from .keeping import FolderError, alone
from .page import PAGE, write_page
from .screen import Screen, described, report, table
from .targets import TARGETS

FOUND = 1
"""The exit status where something was found."""

IDLE = 2
"""The exit status where nothing was found, but an engine did not really run, or what it did could
not be kept."""

INTERRUPTED = 130
"""The exit status where nothing was found before somebody stopped the campaign."""

MOST_JOBS = 1024
MOST_SEED = 2**31 - 4 * MOST_JOBS
"""Each slice of a target adds one, each that is begun again as many as there are jobs, and
libFuzzer takes 31 bits."""

_CAMPAIGN: Final = "campaign"

_ELSEWHERE: Final = MappingProxyType(
    dict.fromkeys(("promote", "dismiss", "findings"), "authplugin_fuzz.promote_command")
)
"""The modules of commands that are imported when they are used."""

Command = TypeVar("Command", bound=Callable[..., Any])


class _CampaignFirst(click.Group):
    """A group that is its campaign, unless another of its commands is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or not (args[0] in self.list_commands(ctx) or args[0] == "--help"):
            args = [_CAMPAIGN, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_ELSEWHERE]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _ELSEWHERE:
            return super().get_command(ctx, name)
        command: click.Command = getattr(importlib.import_module(_ELSEWHERE[name]), name)
        return command

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS] [TARGET]...", "| COMMAND [ARGS]..."]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        campaign = self.commands[_CAMPAIGN]
        with click.Context(campaign, parent=ctx) as inner:
            click.Command.format_options(campaign, inner, formatter)
        self.format_commands(ctx, formatter)


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


def _shared(command: Command) -> Command:
    """Add what all commands that run targets take."""
    for option in (
        click.option(
            "--input-memory",
            type=click.IntRange(min=128),
            default=Bounds().mebibytes,
            show_default=True,
            help="MiB of memory that a process may have under an input.",
        ),
        click.option(
            "--input-seconds",
            type=click.IntRange(min=1),
            default=Bounds().seconds,
            show_default=True,
            help="Seconds that an input may take.",
        ),
        click.option(
            "--folder",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path(".fuzz"),
            show_default=True,
            help="Where corpora and findings are kept.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(min=1, max=MOST_JOBS),
            default=_processors,
            show_default="one for each processor",
            help="How many processes run at a time.",
        ),
        click.argument("targets", metavar="[TARGET]...", nargs=-1, type=click.Choice([*TARGETS])),
    ):
        command = option(command)
    return command


@click.group(cls=_CampaignFirst, epilog=_targets())
def fuzz() -> None:
    """Fuzz the codec and both roles.

    Without TARGET, all of them. What is found is kept in the folder, with the inputs that reached
    something new, and the next campaign goes on from there. The same seed makes the same choices
    in the same order, but time and the other processes decide how far they lead.

    At the end the corpora are minimised, replayed and measured, and the folder has a page that
    tells all of it, report.html.

    Exits with 0 where nothing was found, 1 where something was, or is still there, 2 where the
    engine did not really run, or not all could be kept and measured, 130 where it was interrupted
    before anything was found.
    """


@fuzz.command(_CAMPAIGN, epilog=_targets())
@click.option(
    "--minutes",
    type=Quantity(min=0, min_open=True, max=60 * 24 * 7),
    default=1.0,
    show_default=True,
    help="How long it fuzzes; the targets share it.",
)
@_shared
@click.option(
    "--seed",
    type=click.IntRange(min=1, max=MOST_SEED),
    default=None,
    help="What the inputs follow from.  [default: another each time]",
)
@click.option(
    "--report/--no-report",
    "reports",
    default=True,
    show_default=True,
    help="Minimise, replay and measure the corpora at the end, and write the page.",
)
@click.pass_context
def campaign_command(
    context: click.Context,
    targets: tuple[str, ...],
    minutes: float,
    jobs: int,
    folder: Path,
    seed: int | None,
    input_seconds: int,
    input_memory: int,
    reports: bool,
) -> None:
    """Run a campaign: what is done where no other command is named."""
    with _interruptible() as check:
        engine = engines.available()
        if engine is Engine.HYPOTHESIS:
            click.echo(
                "atheris cannot be imported here, so Hypothesis tries the same laws for the same "
                "time; coverage does not guide it, and none is measured."
            )
        with _complaining(context):
            campaign = Campaign(
                list(dict.fromkeys(targets)) or list(TARGETS),
                minutes=minutes,
                jobs=jobs,
                folder=folder,
                seed=seed or secrets.randbelow(MOST_SEED) + 1,
                engine=engine,
                bounds=Bounds(input_seconds, input_memory),
            )
            context.exit(_run(campaign, check, reports=reports))


def _run(campaign: Campaign, check: Callable[[], None], *, reports: bool) -> int:
    """Run a campaign, show it, tell of it, and return the exit status."""
    console = Console()
    interrupted = False
    ended = End()
    try:
        try:
            with Screen(campaign, console) as screen:

                def show() -> None:
                    screen.show()
                    check()

                campaign.run(show)
            if reports:
                ended = end(campaign, click.echo, check)
        except KeyboardInterrupt:
            interrupted = True
    finally:
        console.print(table(campaign))
        for line in report(campaign):
            click.echo(line)
    if reports:
        write_page(campaign, ended, campaign.folder / PAGE)
        click.echo(f"\nthe page: {campaign.folder / PAGE}")
    if campaign.findings:
        return FOUND
    if campaign.idle or any(outcome.wrong for outcome in ended.outcomes.values()):
        return IDLE
    return INTERRUPTED if interrupted else 0


@fuzz.command()
@_shared
@click.option("--coverage", "covers", is_flag=True, help="Measure the branches that they take.")
@click.pass_context
def replay(
    context: click.Context,
    targets: tuple[str, ...],
    jobs: int,
    folder: Path,
    input_seconds: int,
    input_memory: int,
    covers: bool,
) -> None:
    """Run every input of the corpora and findings by itself.

    No engine is needed. An input of a corpus that breaks something becomes a finding.

    Exits with 0 where every law holds, 1 where one does not, 2 where not all could be run.
    """
    steps = [Step.REPLAY, Step.MEASURE] if covers else [Step.REPLAY]
    bounds = Bounds(input_seconds, input_memory)
    context.exit(_finish(context, targets, folder, bounds, steps, jobs))


@fuzz.command()
@_shared
@click.pass_context
def minimise(
    context: click.Context,
    targets: tuple[str, ...],
    jobs: int,
    folder: Path,
    input_seconds: int,
    input_memory: int,
) -> None:
    """Make the corpora as small as they can be without losing coverage.

    Inputs that break something become findings first. Needs atheris.

    Exits as `replay` does.
    """
    if engines.available() is not Engine.ATHERIS:
        raise click.ClickException("only atheris can minimise corpora, and cannot be imported here")
    bounds = Bounds(input_seconds, input_memory)
    steps = [Step.REPLAY, Step.MINIMISE]
    context.exit(_finish(context, targets, folder, bounds, steps, jobs))


def _finish(
    context: click.Context,
    targets: Sequence[str],
    folder: Path,
    bounds: Bounds,
    steps: Sequence[Step],
    jobs: int,
) -> int:
    """Do these steps with the inputs of some targets, or all; return the exit status."""
    names = list(dict.fromkeys(targets)) or list(TARGETS)
    if not folder.is_dir():
        raise click.ClickException(f"{folder} is no folder of a campaign")
    try:
        with _interruptible() as check, _complaining(context), alone(folder):
            outcomes = finish_all(
                names,
                folder.absolute(),
                bounds,
                steps,
                jobs,
                lambda each: click.echo(told(each)),
                check,
            )
    except KeyboardInterrupt:
        context.exit(INTERRUPTED)
    ended = End(outcomes)
    measure_all(ended, folder, click.echo)
    for line in covered(ended.files):
        click.echo(line)
    for finding in Findings(folder).all(names):
        if finding.name in outcomes[finding.target].failing:
            for line in ("", *described(finding)):
                click.echo(line)
    if any(each.failing for each in outcomes.values()):
        return FOUND
    return IDLE if any(each.wrong for each in outcomes.values()) else 0


def covered(files: Sequence[Covered]) -> list[str]:
    """Return the branches that were taken, as lines; none where that was not measured."""
    loaded = [each for each in files if each.loaded]
    return [
        f"  {each.name}: {each.taken} of {each.branches} branches, "
        f"{each.taken_statements} of {each.statements} statements"
        for each in (*loaded, *([total(files)] if loaded else ()))
    ]


@contextmanager
def _complaining(context: click.Context) -> Iterator[None]:
    """Where nothing can be kept, or no input be run, say why, and exit loudly."""
    try:
        yield
    except (FolderError, FindingsError, AttemptError, ApartError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        context.exit(IDLE)


@contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """Have Ctrl-C and SIGTERM end things in good order.

    Yields:
        What raises `KeyboardInterrupt` where somebody has asked for the end; to be called wherever
        nothing is half done. Who asks twice ends it wherever it is.
    """
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


if __name__ == "__main__":
    fuzz(prog_name="authplugin fuzz")
