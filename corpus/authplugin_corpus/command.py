"""The command `authplugin`, and those of its subcommands that need no room but this one.

A room registers its subcommands as entry points of the group `authplugin.commands`; none is
imported before it is used.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import sys
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points, version
from typing import BinaryIO

import click

from authplugin import Limits, RemoteProtocolError, explain
from authplugin import decode as decode_frame

from .frames import FrameStream
from .show import list_lines, show_lines
from .vectors import load_vectors

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
    """Look at the vectors: conversations, right and wrong, with a verdict on each."""


@corpus.command("list")
def list_() -> None:
    """List the vectors: id, result, sentence."""
    for line in list_lines(load_vectors()):
        click.echo(line)


@corpus.command()
@click.argument("id_", metavar="ID")
def show(id_: str) -> None:
    """Show one vector: what it is for, and its bytes."""
    for vector in load_vectors():
        if vector.id == id_:
            for line in show_lines(vector):
                click.echo(line)
            return
    raise click.ClickException(f"no vector is called {id_!r}; `authplugin corpus list` lists all")
