"""`authplugin fuzz promote`, `dismiss` and `findings`: what becomes of what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from authplugin_corpus.quantity import Quantity

from . import attempts, files, telling
from .findings import DISMISSED, FINDINGS, PROMOTED, Finding, Findings, FindingsError, finding_at
from .regressions import NothingBrokenError, Regression, regression
from .shelves import Kept, Shelf, ShelfError
from .targets import TARGETS

KEPT = 1
"""The exit status where something was not dealt with, and stays what it is."""

_FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".fuzz"),
    show_default=True,
    help="Where campaigns keep what they find.",
)


@dataclass(frozen=True, slots=True)
class _Input:
    """An input to promote.

    Attributes:
        path: where it is.
        target: the name of the target that it is said to break.
        finding: the finding that it is; None where it is any file.
    """

    path: Path
    target: str
    finding: Finding | None


@click.command()
@click.argument("given", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Promote all findings of the folder.")
@_FOLDER
@click.option(
    "--target",
    type=click.Choice(list(TARGETS)),
    default=None,
    help="What FILE breaks, where it lies in no folder of findings.",
)
@click.option("--id", "id_", default=None, help="What to call it. [default: made of what it is]")
@click.option("--sentence", default=None, help="What it is. [default: made of what it is]")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write into this folder, with the text of an issue, and leave FILE where it is.",
)
@click.option(
    "--repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="The checkout to write into. [default: that which this runs from]",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option(
    "--seconds",
    type=Quantity(min=0),
    default=30.0,
    show_default=True,
    help="How long to look for a smaller input.",
)
@click.option(
    "--time-limit",
    type=Quantity(min=0, min_open=True),
    default=attempts.SECONDS,
    show_default=True,
    help="Processor time in seconds that an input may take.",
)
@click.option(
    "--memory-limit",
    type=click.IntRange(min=1),
    default=attempts.MEBIBYTES,
    show_default=True,
    help="Memory in MiB that an input may take.",
)
@click.pass_context
def promote(
    context: click.Context,
    given: tuple[Path, ...],
    everything: bool,
    folder: Path,
    target: str | None,
    id_: str | None,
    sentence: str | None,
    into: Path | None,
    repository: Path | None,
    dry_run: bool,
    seconds: float,
    time_limit: float,
    memory_limit: int,
) -> None:
    """Make a vector and a pinned test of what was found.

    FILE is an input that broke something. It is made as small as can be, and kept in the
    repository: as a vector of the corpus, as far as a vector can show the mistake, and as an input
    that a test replays. What is there already stays as it is. FILE then moves to what has been
    promoted.

    An input that breaks nothing any more, or not each time, stays where it is.

    Exits with 0 where everything is kept in the repository, 1 where something is not.
    """
    if into is not None and repository is not None:
        raise click.UsageError("--into and --repository exclude each other.")
    inputs = list(_inputs(given, target))
    stays = False
    for finding in _all(folder) if everything else ():
        if finding.path is not None and finding.target in TARGETS:
            inputs.append(_Input(finding.path, finding.target, finding))
            continue
        stays = True
        why = "left no input" if finding.path is None else "is of no target that there is"
        click.echo(f"{finding.target}: {finding.path or finding.log}: {why}, so it stays")
    if not inputs and not everything:
        raise click.UsageError("Name a FILE, or say --all.")
    if len(inputs) > 1 and (id_ is not None or sentence is not None):
        raise click.UsageError("--id and --sentence go with one FILE.")
    try:
        shelf = Shelf.of_folder(into) if into is not None else Shelf.of_repository(repository)
    except ShelfError as error:
        raise click.UsageError(f"{error}; say --into FOLDER, or --repository FOLDER.") from None
    if not inputs:
        click.echo("Nothing that was found waits to be promoted.")
    for each in inputs:
        click.echo(f"{each.target}: {each.path}")
        try:
            found = regression(
                each.target,
                each.path.read_bytes(),
                seconds=seconds,
                limit=time_limit,
                mebibytes=memory_limit,
            )
            _say(telling.facts(found))
            for line in "\n".join(found.explained).split("\n"):
                click.echo(f"    {line}".rstrip())
            if dry_run:
                continue
            kept = shelf.keep(found, id_=id_, sentence=sentence)
            _say(telling.kept_lines(kept))
            if into is not None:
                _say([("issue", str(_write_issue(into, found, kept)))])
            elif each.finding is not None:
                moved = Findings(each.finding.campaigns).promote(each.finding)
                _say([("moved", f"to {moved}")])
        except (NothingBrokenError, ShelfError, attempts.AttemptError, OSError) as problem:
            stays = True
            _say([("kept", f"as it was: {problem}")])
    context.exit(KEPT if stays else 0)


def _inputs(given: tuple[Path, ...], target: str | None) -> Iterator[_Input]:
    """Yield what is to be promoted, and of which target it is."""
    for path in given:
        if not path.is_file():
            raise click.UsageError(f"There is no file {path}.")
        finding = finding_at(path)
        own = _target_of(path)
        if own is not None and target not in (None, own):
            raise click.UsageError(f"{path} was found with {own}, not with {target}.")
        name = own or target
        if name is None:
            raise click.UsageError(f"Say with --target what {path} breaks.")
        if finding is not None and finding.path is None:
            raise click.UsageError(f"{path} is a log: that process left no input.")
        yield _Input(path, name, finding)


def _target_of(path: Path) -> str | None:
    """Return the target with which a file was found, by where it lies."""
    folder = path.absolute().parent
    if folder.name in (FINDINGS, PROMOTED, DISMISSED) and folder.parent.name in TARGETS:
        return folder.parent.name
    return None


def _all(folder: Path) -> list[Finding]:
    try:
        return Findings(folder).all()
    except FindingsError as error:
        raise click.ClickException(str(error)) from None


def _write_issue(folder: Path, found: Regression, kept: Kept) -> Path:
    path = folder / "issues" / f"{kept.pin.stem}.md"
    files.write(path, telling.issue(found, kept).encode())
    return path


def _say(pairs: Any) -> None:
    for line in telling.laid_out(pairs):
        click.echo(line)


@click.command()
@click.argument(
    "given", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--reason", required=True, help="Why it does not count; kept with it.")
def dismiss(given: tuple[Path, ...], reason: str) -> None:
    """Dismiss what was found, for a reason.

    FILE is an input in a folder of findings, or a log where a process left no input. It moves to
    what has been dismissed, and the reason is kept.
    """
    if not reason.strip():
        raise click.UsageError("Without a reason nothing is dismissed.")
    for path in given:
        finding = finding_at(path)
        if finding is None:
            raise click.UsageError(f"{path} lies in no folder of findings.")
        try:
            Findings(finding.campaigns).dismiss(finding, reason)
        except (FindingsError, OSError) as problem:
            raise click.ClickException(f"{path} is kept as it was: {problem}") from None
        click.echo(f"{finding.target}: {finding.name} dismissed: {reason.strip()}")


@click.command()
@click.argument("targets", metavar="[TARGET]...", nargs=-1, type=click.Choice(list(TARGETS)))
@_FOLDER
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="markdown is the text of an issue.",
)
def findings(targets: tuple[str, ...], folder: Path, form: str) -> None:
    """List what was found and waits to be dealt with, and the commands that do so.

    Without TARGET, of all of them.
    """
    kept = Findings(folder)
    try:
        waiting = kept.all(targets or None)
        dismissed = [each for each in kept.dismissed() if not targets or each.target in targets]
    except FindingsError as error:
        raise click.ClickException(str(error)) from None
    if form == "json":
        click.echo(json.dumps(telling.as_json(waiting, dismissed), indent=2))
        return
    for line in telling.summary(waiting, dismissed, markdown=form == "markdown"):
        click.echo(line)
