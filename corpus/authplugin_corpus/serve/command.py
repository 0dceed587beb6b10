"""`authplugin serve` and `authplugin login`."""

from __future__ import annotations

import getpass
import importlib
import ipaddress
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import click

from ..output import harmless
from ..places import VectorError
from ..quantity import Quantity
from .users import Configuration, read_configuration

LINES = "\n"
"""What may stay in a text that is shown to the user: it may have more lines than one."""

_NEEDS = "this needs paramiko and cryptography: pip install 'authplugin[ssh]'"


@click.command()
@click.argument(
    "configuration",
    metavar="FILE",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--handler",
    metavar="MODULE:NAME",
    help="A class, or a function without parameters, that makes a UserAuthHandler.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
@click.option(
    "--host-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The server's private key, as ssh-keygen writes it. [default: a new one]",
)
@click.option(
    "--not-only-loopback", is_flag=True, help="Let --host be an address that others can reach."
)
def serve(
    configuration: Path | None,
    handler: str | None,
    host: str,
    port: int,
    host_key: Path | None,
    not_only_loopback: bool,
) -> None:
    """Run a test SSH server, which authenticates users and echoes their commands.

    FILE is TOML, and says who can log in and how; or --handler names Python code that decides. Each
    event is shown, without what the client has sent. Nothing but an echo of the command is run.
    """
    try:
        import paramiko

        from .deciding import ConfiguredHandler
        from .listening import TestServer
    except ImportError as error:
        raise click.ClickException(f"{error}; {_NEEDS}") from None
    if (configuration is None) == (handler is None):
        raise click.UsageError("Give either FILE or --handler.")
    if not not_only_loopback and not _is_loopback(host):
        raise click.UsageError(
            f"{host} is no loopback address: others could reach the server. "
            "Say --not-only-loopback if that is meant."
        )
    options: dict[str, Any] = {}
    if configuration is not None:
        known = _read(configuration)
        options = {
            "methods": known.methods,
            "algorithms": known.algorithms,
            "root_directory": known.root_directory,
            "banner": known.banner,
        }
        make: Any = lambda: ConfiguredHandler(known)  # noqa: E731
    else:
        assert handler is not None
        make = _imported(handler)
    key = None
    if host_key is not None:
        try:
            key = paramiko.PKey.from_path(host_key)
        except Exception as error:
            raise click.BadParameter(f"no private key: {error}", param_hint="--host-key") from None
    try:
        server = TestServer(make, tell=click.echo, host=host, port=port, host_key=key, **options)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}, port {port}: {error}") from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with server:
        click.echo(f"listening on {server.host} port {server.port}")
        click.echo(f"host key {server.fingerprint}")
        server.wait()


def _is_loopback(host: str) -> bool:
    try:
        return all(
            ipaddress.ip_address(found[4][0]).is_loopback
            for found in socket.getaddrinfo(host, None)
        )
    except OSError as error:
        raise click.BadParameter(f"{host}: {error}", param_hint="--host") from None


def _read(path: Path) -> Configuration:
    try:
        return read_configuration(path)
    except (VectorError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--handler") from None
    finally:
        del sys.path[0]
    if not callable(found):
        raise click.BadParameter(f"{name} cannot be called", param_hint="--handler")
    return found


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("destination", metavar="[USER@]HOST")
@click.argument("plugin", metavar="-- PLUGIN...", nargs=-1, required=True)
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True)
@click.option(
    "--fingerprint",
    metavar="SHA256:...",
    help="The host key's fingerprint. [default: shown, and asked about]",
)
@click.option("--command", "run", metavar="TEXT", default="", help="A command to run there.")
@click.option("--timeout", type=Quantity(min=0, min_open=True), default=60.0, show_default=True)
def login(
    destination: str,
    plugin: tuple[str, ...],
    port: int,
    fingerprint: str | None,
    run: str,
    timeout: float,
) -> None:
    """Log in to an SSH server with a plugin, by keyboard-interactive.

    What the plugin wants to know, and what the server asks where the plugin does not help, is asked
    on the terminal. Exits with 0 where the user has logged in, 1 where not, 2 where it did not come
    to that.
    """
    try:
        import paramiko
    except ImportError as error:
        raise click.ClickException(f"{error}; {_NEEDS}") from None
    from authplugin import ProtocolError, SupervisedProcess
    from authplugin.userauth import AskUser, Banner, Declined, Outcome, PluginGone, Ready
    from authplugin.userauth.transport import login as log_in

    user, _, host = destination.rpartition("@")

    def ask(asked: AskUser) -> list[str]:
        for text in filter(None, (asked.name, asked.instructions)):
            click.echo(harmless(text, LINES), err=True)
        return [
            input(harmless(prompt, LINES)) if echo else getpass.getpass(harmless(prompt, LINES))
            for prompt, echo in asked.prompts
        ]

    def show(event: object) -> None:
        match event:
            case Banner(message):
                click.echo(harmless(message, LINES), err=True)
            case Ready(_, False, message) | Declined(message):
                click.echo(f"the plugin does not help: {harmless(message, LINES)}", err=True)
            case PluginGone(violation):
                click.echo(f"the plugin has ended{f': {violation}' if violation else ''}", err=True)
            case Outcome(False):
                click.echo("refused" if not event.partial else "more is needed", err=True)

    try:
        with paramiko.Transport((host, port)) as transport, SupervisedProcess(plugin) as process:
            transport.start_client(timeout=timeout)
            found = transport.get_remote_server_key().fingerprint
            if fingerprint is None:
                click.confirm(f"The host key is {found}. Go on?", abort=True, err=True)
            elif fingerprint != found:
                raise click.ClickException(f"the host key is {found}, and not {fingerprint}")
            outcome = log_in(
                transport,
                process,
                hostname=host,
                port=port,
                username=user,
                ask=ask,
                show=show,
                timeout=timeout,
            )
            if outcome.success:
                _run(transport, run, timeout)
    except (OSError, EOFError, ProtocolError, paramiko.SSHException) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(0 if outcome.success else 1)


def _run(transport: Any, command: str, timeout: float) -> None:
    click.echo(f"logged in as {transport.get_username()}", err=True)
    if command:
        channel = transport.open_session(timeout=timeout)
        channel.settimeout(timeout)
        channel.exec_command(command)
        while data := channel.recv(65536):
            sys.stdout.buffer.write(data)
        sys.stdout.flush()
