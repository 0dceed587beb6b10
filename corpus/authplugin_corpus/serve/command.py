"""`authplugin serve` and `authplugin login`."""

from __future__ import annotations

import getpass
import importlib
import ipaddress
import logging
import signal
import socket
import sys
import warnings
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from ..output import harmless
from ..places import VectorError
from ..quantity import Quantity
from .users import Configuration, read_configuration

if TYPE_CHECKING:
    from authplugin import SupervisedProcess
    from authplugin.userauth import AskUser

LINES = "\n"
"""What may stay in a text that is shown to the user: it may have more lines than one."""

_GRACE = 5.0
"""Seconds that a plugin has to end in, once it has been told what came of it."""

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
    Interrupt it to end it.
    """
    paramiko = _paramiko()
    from .deciding import ConfiguredHandler
    from .listening import TestServer, ToldLogs

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
        server = TestServer(make, tell=_tell, host=host, port=port, host_key=key, **options)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}, port {port}: {error}") from None
    told = logging.getLogger("authplugin.userauth")
    told.setLevel(logging.INFO)
    told.addHandler(ToldLogs(_tell))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with server:
        click.echo(f"listening on {server.host} port {server.port}")
        click.echo(f"host key {server.fingerprint}")
        server.wait()


def _tell(line: str) -> None:
    with suppress(OSError):  # nobody reads it any more; the server goes on
        click.echo(line)


def _paramiko() -> ModuleType:
    """Return paramiko, which keeps to itself what it has to say of a connection.

    So does all else that would warn: of a key's age, say, or that there is no terminal. Whoever
    wants to see that says so (`python -W`).
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        import cryptography  # noqa: F401 - what signatures and host keys need
        import paramiko
    except ImportError as error:
        raise click.ClickException(f"{error}; {_NEEDS}") from None
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    found: ModuleType = paramiko
    return found


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
    if not module or not attribute:
        raise click.BadParameter(f"expected MODULE:NAME, not {name}", param_hint="--handler")
    sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing runs the module
        text = f"{name} cannot be imported: {type(error).__name__}: {error}"
        raise click.BadParameter(text, param_hint="--handler") from None
    if not callable(found):
        raise click.BadParameter(f"{name} cannot be called", param_hint="--handler")
    return found


class _NotReached(click.ClickException):
    """It has not come to a login, or to a refusal."""

    exit_code = 2


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("destination", metavar="[USER@]HOST")
@click.argument("plugin", metavar="-- PLUGIN...", nargs=-1, required=True)
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True)
@click.option(
    "--fingerprint",
    metavar="SHA256:...",
    help="The fingerprint of the server's key. [default: shown, and asked about]",
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
    paramiko = _paramiko()
    from authplugin import ProtocolError, SupervisedProcess
    from authplugin.userauth.transport import login as log_in

    user, _, host = destination.rpartition("@")
    try:
        with (
            closing(socket.create_connection((host, port), timeout)) as connection,
            paramiko.Transport(connection) as transport,
        ):
            transport.start_client(timeout=timeout)
            _check_key(transport.get_remote_server_key().fingerprint, fingerprint)
            with SupervisedProcess(plugin) as process:
                outcome = log_in(
                    transport,
                    process,
                    hostname=host,
                    port=port,
                    username=user,
                    ask=_ask,
                    show=_show,
                    timeout=timeout,
                )
                with suppress(TimeoutError):
                    process.wait(_GRACE)
            _show_error_output(process)
            if outcome.success:
                _run(transport, run, timeout)
    except (OSError, EOFError, ProtocolError, paramiko.SSHException) as error:
        raise _NotReached(harmless(str(error)) or "the server has closed the connection") from None
    sys.exit(0 if outcome.success else 1)


def _check_key(found: str, fingerprint: str | None) -> None:
    if fingerprint is not None and fingerprint != found:
        raise _NotReached(f"the host key is {found}, and not {fingerprint}")
    try:
        if fingerprint is not None or click.confirm(f"The host key is {found}. Go on?", err=True):
            return
    except click.Abort:
        click.echo(err=True)  # nobody is there who answers, and ends the line
    raise _NotReached("nobody says that the host key is right (--fingerprint does)")


def _ask(asked: AskUser) -> list[str]:
    for text in filter(None, (asked.name, asked.instructions)):
        click.echo(harmless(text, LINES), err=True)
    try:
        return [_answer(harmless(prompt, LINES), echo) for prompt, echo in asked.prompts]
    except EOFError:
        click.echo(err=True)
        raise _NotReached("the input has ended where an answer was due") from None


def _answer(prompt: str, echo: bool) -> str:
    if not echo:
        return getpass.getpass(prompt)
    click.echo(prompt, nl=False, err=True)
    return input()


def _show(event: object) -> None:
    from authplugin.userauth import Banner, Declined, Outcome, PluginGone, Ready

    match event:
        case Banner(message):
            click.echo(harmless(message, LINES), err=True)
        case Ready("", _, _):
            raise _NotReached("neither the plugin nor you name a user: say USER@HOST")
        case Ready(_, False, message) | Declined(message):
            because = f": {harmless(message, LINES)}" if message else ""
            click.echo(f"the plugin does not help{because}", err=True)
        case PluginGone(violation):
            click.echo(f"the plugin has ended{f': {violation}' if violation else ''}", err=True)
        case Outcome(False, partial, methods):
            said = "more is needed" if partial else "refused"
            goes_on = harmless(", ".join(methods)) or "nothing"
            click.echo(f"{said}; the server goes on with {goes_on}", err=True)


def _show_error_output(process: SupervisedProcess) -> None:
    for line in process.error_output.decode(errors="replace").splitlines():
        click.echo(f"plugin: {harmless(line)}", err=True)


def _run(transport: Any, command: str, timeout: float) -> None:
    username = transport.get_username()
    if username is None:
        raise EOFError("the server has closed the connection behind its success")
    click.echo(f"logged in as {harmless(username)}", err=True)
    if command:
        channel = transport.open_session(timeout=timeout)
        channel.settimeout(timeout)
        channel.exec_command(command)
        while data := channel.recv(65536):
            sys.stdout.buffer.write(data)
        sys.stdout.flush()
