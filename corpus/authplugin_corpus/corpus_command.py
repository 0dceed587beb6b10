"""`authplugin corpus`: look at the vectors, check them, export them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from .exporting import Form, export
from .model import Kind
from .show import flag_lines, list_lines, show_lines
from .userauth.verifying import can_play
from .vectors import load_flags, load_vectors
from .verifying import (
    counts,
    problems_of_corpus,
    problems_of_files,
    retired_ids,
    summary,
)


@click.group()
def corpus() -> None:
    """Look at the vectors: messages and conversations, with a verdict on each."""


_KIND = click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    help="Only vectors of this kind. Can be given more than once.",
)


@corpus.command("list")
@_KIND
def list_(kinds: Sequence[str]) -> None:
    """List the vectors: id, result, sentence."""
    for line in list_lines([each for each in load_vectors() if each.kind in (kinds or Kind)]):
        click.echo(line)


@corpus.command()
@click.argument("name", metavar="ID|FLAG")
def show(name: str) -> None:
    """Show one vector, what it is for and its bytes; or a flag, and what carries it."""
    for vector in load_vectors():
        if vector.id == name:
            _echo(show_lines(vector))
            return
    if name in load_flags():
        _echo(flag_lines(load_flags()[name], load_vectors()))
        return
    if name in retired_ids():
        instead = retired_ids()[name]
        hint = "" if instead is None else f"; see {instead}"
        raise click.ClickException(f"the id {name!r} is retired{hint}")
    raise click.ClickException(
        f"no vector and no flag is called {name!r}; `authplugin corpus list` lists all vectors"
    )


@corpus.command()
@click.argument(
    "paths",
    metavar="[FILE]...",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def verify(paths: Sequence[Path]) -> None:
    """Check files of vectors, or else the whole corpus, against its rules.

    The exit status is 1 where something in them is wrong.
    """
    try:
        texts = {str(path): path.read_text("utf-8") for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(str(error)) from error
    problems = list(problems_of_files(texts) if paths else problems_of_corpus())
    _echo(problems)
    if not can_play():
        click.echo(
            "the dialogues with a server were not played, which takes cryptography: "
            "pip install 'authplugin[ssh]'",
            err=True,
        )
    if paths and not problems:
        click.echo(f"{len(paths)} {'file' if len(paths) == 1 else 'files'}, nothing wrong")
    if not paths and not problems:
        _echo(summary(load_vectors()))
        missing = [line for count in counts(load_vectors()) for line in count.lines()]
        _echo(missing)
        problems += missing
    if problems:
        raise click.exceptions.Exit(1)


@corpus.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.JSON.value,
    show_default=True,
    help="One JSON document, or raw inputs, one a file, named by their SHA-1.",
)
@_KIND
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_(form: str, kinds: Sequence[str], folder: Path) -> None:
    """Write the corpus into FOLDER, for programs in other languages and for fuzzers.

    An input is the bytes of a message, or all that the program under test reads in a dialogue; of
    SSH's user authentication a payload, or what a server reads, each payload behind its length.
    """
    try:
        written = export(Form(form), [Kind(kind) for kind in kinds or Kind], folder)
    except OSError as error:
        raise click.ClickException(f"cannot write to {folder}: {error.strerror}") from error
    click.echo(f"{written} {'file' if written == 1 else 'files'} in {folder}")


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
