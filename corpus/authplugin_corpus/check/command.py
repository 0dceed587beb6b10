"""`authplugin check`: replay the corpus against a program."""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from .. import output
from ..model import Case, cases
from ..quantity import Quantity
from ..vectors import load_dialogues
from .answers import with_answers
from .display import PlainDisplay
from .expected import Expectation, read_expected
from .options import (
    Environment,
    Question,
    ReportFiles,
    ReportTarget,
    rerun_options,
    selected,
)
from .parameters import Answer, Parameters, Prompt
from .play import TIMEOUT, Settings
from .report import CONFORMANT, FINDINGS, NOT_RUN, summary_lines, verdict_lines
from .result import Results
from .run import CannotStartError, Plan, clean_case, run
from .script import script_of
from .tables import TableError

_Content = TypeVar("_Content")

_VERDICT_COLOURS: Final = {CONFORMANT: "green", FINDINGS: "red", NOT_RUN: "red"}

_INTERRUPTED = 130  # what a shell says of a command that an interrupt ended


@click.group()
def check() -> None:
    """Find out whether a program speaks the plugin protocol as it must."""


_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)

_OPTIONS: list[Callable[[Any], Any]] = [
    click.option(
        "--select",
        "wanted",
        metavar="ID|FLAG",
        multiple=True,
        help="Run the cases of this id or with this flag alone; * and ? fit anything. Repeatable.",
    ),
    click.option("--list", "listed", is_flag=True, help="List the cases, and run nothing."),
    click.option(
        "--jobs",
        metavar="N",
        type=click.IntRange(min=1, max=256),
        default=os.cpu_count() or 1,
        help="How many cases to run at a time.  [default: one for each processor]",
    ),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=Quantity(min=0, min_open=True, max=3600),
        default=TIMEOUT,
        show_default=True,
        help="How long the plugin may take to answer, and to end, where nothing else tells.",
    ),
    click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(min=0),
        help="The order that the cases run in.  [default: another one each time]",
    ),
    click.option("--strict", is_flag=True, help="Count lenient cases as findings."),
    click.option(
        "--expected",
        metavar="FILE",
        type=_PATH,
        help="Known outcomes, with the reason for each; see the README.",
    ),
    click.option(
        "--report",
        "targets",
        metavar="FORMAT=PATH",
        type=ReportTarget(),
        multiple=True,
        help="Write a report, json=PATH or junit=PATH. Repeatable.",
    ),
    click.option(
        "--env",
        "environment",
        metavar="NAME=VALUE",
        type=Environment(),
        multiple=True,
        help="Set a variable in the plugin's environment. Repeatable.",
    ),
    click.option(
        "--answers",
        metavar="FILE",
        type=_PATH,
        help="What the server asks and what the user answers; see the README.",
    ),
    click.option("--hostname", metavar="NAME", help="The server's name, as the client says it."),
    click.option(
        "--port",
        metavar="N",
        type=click.IntRange(0, 0xFFFF_FFFF),
        help="The server's port, as the client says it.",
    ),
    click.option("--username", metavar="NAME", help="The user's name, as the client says it."),
    click.option("--method", metavar="NAME", help="The SSH method that the client offers."),
    click.option(
        "--prompt",
        "prompts",
        metavar="TEXT",
        type=Question(),
        multiple=True,
        help="What the server asks. Repeatable: the first question, the second...",
    ),
    click.option(
        "--answer",
        "given",
        metavar="TEXT",
        help="What the user answers to whatever the plugin asks.",
    ),
]


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@check.command(context_settings={"help_option_names": ["-h", "--help"]})
@_with_options
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def plugin(command: Sequence[str], **options: Any) -> None:
    """Replay the corpus against a plugin, which is started anew for each case.

    COMMAND is the plugin and its arguments; write -- before it.

    The exit status is 0 where the plugin is conformant, 1 where there are findings, and 2 where the
    check could not be made.
    """
    every = list(cases(load_dialogues("plugin")))
    chosen = selected(every, options["wanted"])
    if options["listed"]:
        if options["targets"]:
            raise click.UsageError("--list runs nothing, so that there is nothing to report")
        width = max(len(case.id) for case in chosen)
        for case in chosen:
            click.echo(f"{case.id:<{width}}  {case.vector.sentence}")
        return
    if not command:
        raise click.UsageError("Missing the plugin's command: authplugin check plugin -- COMMAND")
    sys.exit(_run(every, chosen, command, options))


def _parameters(options: Mapping[str, Any]) -> Parameters:
    parameters = Parameters(
        hostname=options["hostname"],
        port=options["port"],
        username=options["username"],
        method=options["method"],
        prompts=tuple(Prompt(text) for text in options["prompts"]),
    )
    if options["answers"] is not None:
        parameters = _read(lambda: with_answers(parameters, options["answers"]))
    if options["given"] is not None:
        answers = (*parameters.answers, Answer("*", options["given"]))
        parameters = parameters._replace(answers=answers)
    return parameters


def _expectations(every: Sequence[Case], path: Path | None) -> tuple[Expectation, ...]:
    if path is None:
        return ()
    return _read(lambda: read_expected(path, [case.id for case in every]))


def _read(reader: Callable[[], _Content]) -> _Content:
    """Return what a file of the user's says, or end the command with what is wrong with it."""
    try:
        return reader()
    except (TableError, OSError) as error:
        raise click.UsageError(str(error)) from None


def _run(
    every: Sequence[Case], chosen: Sequence[Case], command: Sequence[str], options: dict[str, Any]
) -> int:
    parameters = _parameters(options)
    expectations = _expectations(every, options["expected"])
    clean = clean_case(load_dialogues("plugin"))
    settings = Settings(
        tuple(command),
        options["timeout"],
        {**os.environ, **dict(options["environment"])},
        None if clean is None else script_of(clean, parameters),
    )
    seed = options["seed"]
    if seed is None:
        seed = random.randrange(2**32)  # noqa: S311 - no secret
    results = Results(
        settings, rerun_options(options, {"timeout": TIMEOUT}), options["strict"], seed
    )
    plan = Plan(chosen, parameters, expectations, options["jobs"])
    many = "1 case" if len(chosen) == 1 else f"{len(chosen)} cases"
    click.echo(f"{many}, {min(options['jobs'], len(chosen))} at a time, --seed {seed}")
    # What is there by now stays to the end: no collection is to look at it again, nor one of the
    # workers, for which all of it would be copied then.
    gc.freeze()
    with ReportFiles(options["targets"]) as files:
        try:
            _play(plan, results)
        except CannotStartError as error:
            from .unstartable import reason_for

            hint = reason_for(command[0])
            words = f"{error} ({hint})" if hint else str(error)
            click.echo(f"Error: cannot start {command[0]!r}: {words}", err=True)
            return NOT_RUN
        except KeyboardInterrupt:
            click.echo("\nInterrupted: nothing is left running.", err=True)
            return _INTERRUPTED
        except OSError as error:
            if output.trouble() is not None:
                raise
            click.echo(f"Error: the check cannot go on: {error}", err=True)
            return NOT_RUN
        unwritten = files.write(results)
    for line in summary_lines(results):
        click.echo(line)
    status, words = verdict_lines(results)
    click.secho(words, fg=_VERDICT_COLOURS[status], err=status == NOT_RUN)
    for problem in unwritten:
        click.echo(f"Error: {problem}", err=True)
    return NOT_RUN if unwritten else status


def _play(plan: Plan, results: Results) -> None:
    if not sys.stdout.isatty():
        run(plan, results, PlainDisplay(len(plan.cases)))
        return
    # Takes a while to load, and is of use on terminals alone.
    from rich.console import Console

    from .progress import LiveDisplay

    run(plan, results, LiveDisplay(Console(highlight=False), len(plan.cases)))
