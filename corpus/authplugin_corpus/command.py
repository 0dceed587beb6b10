"""The command `authplugin`, which finds its subcommands in all rooms.

Those of other rooms are entry points of the group `authplugin.commands`. None is imported before it
is used.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import io
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from authplugin import Limits, RemoteProtocolError, explain
from authplugin import decode as decode_frame

from . import output
from .frames import FrameStream

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_GROUP = "authplugin.commands"
_CHUNK = 64 * 1024

_NOT_DONE: Final = 2
"""The exit status where what was to be printed could not be."""

_SELDOM: Final = 100_000
"""New objects between two collections of those that only know each other."""

_OWN: Final = {
    "check": "authplugin_corpus.check.command:check",
    "corpus": "authplugin_corpus.corpus_command:corpus",
    "decode": "authplugin_corpus.command:decode",
    "login": "authplugin_corpus.serve.command:login",
    "serve": "authplugin_corpus.serve.command:serve",
}
"""The commands of this room, and where they are."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command; where its output cannot be written, say so in a line, and end."""
        if (standard := sys.stdout) is not None:
            output.fill_gaps()
            try:
                return super().main(*arguments, **options)
            except SystemExit:
                # Where nobody reads the output, click puts another in its place, and ends with 1.
                if sys.stdout is standard:
                    raise
                reason: str | None = ""
            except OSError:
                if (reason := output.trouble()) is None:
                    raise
        else:
            reason = output.trouble()
        output.discard()
        if reason:
            click.echo(f"Error: cannot write to standard output: {reason}", err=True)
        sys.exit(_NOT_DONE)

    @cached_property
    def points(self) -> Mapping[str, EntryPoint]:
        """The commands of other rooms, by their names."""
        # Takes a while to load, of no use to those who use this room alone.
        from importlib.metadata import entry_points

        return {point.name: point for point in entry_points(group=_GROUP)}

    @property
    def places(self) -> Mapping[str, str]:
        """Where all commands are, by their names: as `module:function`."""
        return {**{name: point.value for name, point in self.points.items()}, **_OWN}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands; imports none."""
        return sorted(self.places)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, imported now; None where there is none of that name.

        Raises:
            click.ClickException: where it cannot be imported; says what has to be installed.
        """
        if name in _OWN:
            # What these load stays to the end, and is looked at in vain each time.
            gc.set_threshold(_SELDOM)
            module, _, function = _OWN[name].partition(":")
            own: click.Command = getattr(importlib.import_module(module), function)
            return own
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
                [(name, _first_line(place)) for name, place in sorted(self.places.items())]
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


def _first_line(place: str) -> str:
    """Return the first line of a command's docstring, from its source."""
    module, _, function = place.partition(":")
    try:
        spec = importlib.util.find_spec(module)
        source = None if spec is None else spec.loader.get_source(module)  # type: ignore[union-attr]
        tree = ast.parse(source or "")
    except (ImportError, AttributeError, SyntaxError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


@click.group(cls=LazyGroup)
@click.version_option(package_name="authplugin", prog_name="authplugin")
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
