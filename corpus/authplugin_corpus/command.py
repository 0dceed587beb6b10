"""The command `authplugin`, and those of its subcommands that need no room but this one.

A room registers its subcommands as entry points of the group `authplugin.commands`; none is
imported before it is used.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import BinaryIO

import click

from authplugin import Limits, RemoteProtocolError, explain
from authplugin import decode as decode_frame

from .exporting import Form, export
from .frames import FrameStream
from .model import Kind
from .show import flag_lines, list_lines, show_lines
from .vectors import load_flags, load_vectors
from .verifying import (
    counts,
    kind_of,
    problems_of_corpus,
    problems_of_files,
    retired_ids,
    summary,
)

_GROUP = "authplugin.commands"
_CHUNK = 64 * 1024


class LazyGroup(click.Group):
    """A group whose commands are entry points, imported when they are used."""

    @cached_property
    def points(self) -> Mapping[str, EntryPoint]:
        """The entry points, by the name of the command."""
        return {point.name: point for point in entry_points(group=_GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands; imports none."""
        return sorted(self.points)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, imported now; None where there is none of that name.

        Raises:
            click.ClickException: where it cannot be imported; says what has to be installed.
        """
        point = self.points.get(name)
        if point is None:
            return None
        try:
            command: click.Command = point.load()
        except ImportError as error:
            raise click.ClickException(_missing(point, error)) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _first_line(self.points[name])) for name in self.list_commands(ctx)]
            )


def _missing(point: EntryPoint, error: ImportError) -> str:
    """Return what to do about a command that cannot be imported.

    The extra with what a room needs has the room's name.
    """
    package = point.module.partition(".")[0]
    room = package.removeprefix("authplugin_")
    text = f"the command {point.name!r} cannot be used: {error}."
    ours = (error.name or "").partition(".")[0] == package
    extras = point.dist.metadata.get_all("Provides-Extra") or () if point.dist else ()
    if point.dist is not None and room in extras and not ours:
        text += f" Install what it needs: pip install '{point.dist.name}[{room}]'"
    return text


def _first_line(point: EntryPoint) -> str:
    """Return the first line of a command's docstring, from its source."""
    try:
        spec = importlib.util.find_spec(point.module)
        source = None if spec is None else spec.loader.get_source(point.module)  # type: ignore[union-attr]
        tree = ast.parse(source or "")
    except (ImportError, AttributeError, SyntaxError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == point.attr:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


@click.group(cls=LazyGroup)
@click.version_option(version("authplugin"), prog_name="authplugin")
def main() -> None:
    """Harden programs that speak PuTTY's authentication plugin protocol."""
    for stream in (sys.stdout, sys.stderr):
        # Texts of all languages are shown, if need be as escapes.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--hex", "is_hex", is_flag=True, help="The input is hexadecimal digits.")
@click.option("--secrets", is_flag=True, help="Show responses, and what could not be read.")
def decode(file: BinaryIO, is_hex: bool, secrets: bool) -> None:
    """Show a byte stream as messages.

    FILE is what one side of a conversation said; standard input where it is left out. The exit
    status is 1 where something in it is wrong.
    """
    stream = FrameStream(Limits())
    good = True
    offset = 0
    while stream.problem is None and (data := _read(file, is_hex)):
        stream.feed(data)
        while stream.ready:
            frame = stream.ready.popleft()
            click.echo(f"at byte {offset}: {explain(frame, secrets=secrets)}")
            good = good and _is_message(frame)
            offset += len(frame)
    stream.end_of_file()
    if stream.problem is not None:
        click.echo(f"at byte {offset}: {explain(bytes(stream.rest), secrets=secrets)}")
    if stream.problem is not None or not good:
        raise click.exceptions.Exit(1)


def _is_message(frame: bytes) -> bool:
    try:
        decode_frame(frame)
    except RemoteProtocolError:
        return False
    return True


def _read(file: BinaryIO, is_hex: bool) -> bytes:
    """Return some of a file's bytes; none at its end."""
    if not is_hex:
        return file.read(_CHUNK)
    try:
        return bytes.fromhex(file.read().decode("ascii"))
    except ValueError:
        raise click.ClickException("the input is not pairs of hexadecimal digits") from None


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
    for line in list_lines([each for each in load_vectors() if kind_of(each) in (kinds or Kind)]):
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

    An input is the bytes of a message, or all that the program under test reads in a dialogue.
    """
    try:
        written = export(Form(form), [Kind(kind) for kind in kinds or Kind], folder)
    except OSError as error:
        raise click.ClickException(f"cannot write to {folder}: {error.strerror}") from error
    click.echo(f"{written} {'file' if written == 1 else 'files'} in {folder}")


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
