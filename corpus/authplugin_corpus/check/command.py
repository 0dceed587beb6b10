"""`authplugin check`: replay the corpus against a program."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import click

from ..model import Expect, PluginDialogue
from ..vectors import load_flags, load_vectors
from .report import details_of, line_of, summary
from .runner import Replay, replay
from .verdicts import Outcome

_COLOURS = {
    Outcome.PASS: "green",
    Outcome.LENIENT: "yellow",
    Outcome.UNSUPPORTED: "yellow",
    Outcome.FAIL: "red",
    Outcome.HANG: "red",
    Outcome.CRASH: "red",
}

CONFORMANT, FINDINGS, NOT_RUN = 0, 1, 2
"""The command's exit statuses."""


@click.group()
def check() -> None:
    """Find out whether a program speaks the plugin protocol as it must."""


@check.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--select",
    "selected",
    metavar="ID",
    multiple=True,
    help="Run this case, or the cases with this flag, alone. Can be given more than once.",
)
@click.option("--list", "listed", is_flag=True, help="List the cases, and run nothing.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=10.0,
    show_default=True,
    help="How long the plugin may take to answer, and to end when its input has been closed.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help="How many cases to run at a time (default: one for each processor).",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def plugin(
    selected: Sequence[str], listed: bool, timeout: float, jobs: int, command: Sequence[str]
) -> None:
    """Replay the corpus against a plugin, which is started anew for each case.

    COMMAND is the plugin and its arguments; write -- before it.

    The exit status is 0 where the plugin is conformant, 1 where there are findings, and 2 where the
    check could not be made.
    """
    vectors = _selected(selected)
    if listed:
        width = max(len(vector.id) for vector in vectors)
        for vector in vectors:
            click.echo(f"{vector.id:<{width}}  {vector.sentence}")
        return
    if not command:
        raise click.UsageError("Missing the plugin's command: authplugin check plugin -- COMMAND")
    sys.exit(_run(vectors, list(command), timeout, jobs))


def _selected(wanted: Sequence[str]) -> list[PluginDialogue]:
    vectors = load_vectors()
    ids = {vector.id for vector in vectors}
    for each in wanted:
        if each not in ids and each not in load_flags():
            near = difflib.get_close_matches(each, [*ids, *load_flags()], n=3)
            hint = f" Did you mean {', '.join(near)}?" if near else " --list lists all."
            raise click.BadParameter(f"no case and no flag is called {each!r}.{hint}")
    return [
        vector
        for vector in vectors
        if not wanted or vector.id in wanted or not set(wanted).isdisjoint(vector.flags)
    ]


def _run(
    vectors: Sequence[PluginDialogue], command: Sequence[str], timeout: float, jobs: int
) -> int:
    width = max(len(vector.id) for vector in vectors)
    outcomes: list[Outcome] = []
    seen: dict[object, Replay] = {}
    try:
        for done in _replays(vectors, command, timeout, jobs):
            outcome = done.verdict.outcome
            outcomes.append(outcome)
            click.secho(line_of(done, width), fg=_COLOURS[outcome])
            if outcome is not Outcome.PASS:
                like = seen.setdefault((done.verdict, done.conversation), done)
                for line in details_of(done, command, None if like is done else like.vector):
                    click.echo(f"    {line}")
    except OSError as error:
        reason = error.strerror or str(error)
        click.echo(f"Error: cannot start {command[0]!r}: {reason}", err=True)
        return NOT_RUN
    click.echo(summary(outcomes))
    if any(outcome.is_finding for outcome in outcomes):
        return FINDINGS
    talks = [any(isinstance(turn, Expect) for turn in vector.turns) for vector in vectors]
    if any(talks) and all(
        outcome is Outcome.UNSUPPORTED
        for outcome, is_talk in zip(outcomes, talks, strict=True)
        if is_talk
    ):
        click.echo("Error: the plugin declined every conversation that it was to have", err=True)
        return NOT_RUN
    return CONFORMANT


def _replays(
    vectors: Sequence[PluginDialogue], command: Sequence[str], timeout: float, jobs: int
) -> Iterator[Replay]:
    """Yield what comes of the vectors, in their order, several under way at a time."""
    with ThreadPoolExecutor(jobs) as executor:
        try:
            yield from executor.map(lambda each: replay(each, command, timeout), vectors)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
