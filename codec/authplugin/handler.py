"""The handler layer: a plugin as a class with three methods, in plain strings.

class Token(authplugin.Plugin):
    def keyboard_interactive(self, request, ask_user):
        [pin] = ask_user(["PIN: "])
        return [one_time_password(pin) for prompt in request.prompts]

authplugin.run(Token())
"""

from __future__ import annotations

import os
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from .errors import RemoteProtocolError
from .kinds import TextValue
from .limits import DEFAULT_LIMITS, Limits
from .messages import (
    METHODS,
    VERSIONS,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
)
from .session import EndOfFile, PluginSession
from .stdio import claim_stdio, write_all
from .table import Message

CHUNK = 64 * 1024
"""Bytes read in one go."""

_Refused: TypeAlias = type[PluginInitFailure] | type[PluginProtocolReject]

_BROKEN = "the plugin failed; its standard error says why"


class Refusal(Exception):  # noqa: N818  # not an error: a decision
    """Raised by a handler that will not serve.

    In `init` the plugin session is over, in `protocol` the client goes on without the plugin.

    Args:
        message: the reason, for the user; may be empty in `protocol`.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class ClientGone(EOFError):  # noqa: N818  # not an error: the client's right
    """Raised by `ask_user` where the client has ended the session. Let it pass."""


@dataclass(frozen=True, slots=True)
class Client:
    """What a client says of itself (H.6.1).

    Attributes:
        version: the highest protocol version that it speaks.
        hostname: the logical name of the SSH server.
        port: its port.
        username: the user name that it means to use; empty where it has no opinion.
    """

    version: int
    hostname: str
    port: int
    username: str


class Prompt(NamedTuple):
    """A question, and whether what is typed in answer may be seen."""

    prompt: str
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What the server wants to know (RFC 4256, section 3.2)."""

    name: str
    instructions: str
    language: str
    prompts: tuple[Prompt, ...]


class AskUser(Protocol):
    """Asks the user; what `Plugin.keyboard_interactive` gets for the purpose."""

    def __call__(
        self,
        prompts: Iterable[str | tuple[str, bool]],
        *,
        name: str = "",
        instructions: str = "",
        language: str = "",
    ) -> list[str]:
        """Show prompts to the user, and return what was typed, one string for each.

        Args:
            prompts: each a (prompt, echo) pair, or a string where nothing typed may be seen.
            name: a title.
            instructions: a text to show above the prompts.
            language: a language tag.

        Raises:
            ClientGone: where the client has ended the session instead.
        """


class Plugin(ABC):
    """An authentication plugin. Give it to `run`.

    An exception in a handler goes to standard error as a traceback, and to the client as far as
    the protocol can carry it: INIT_FAILURE, or PROTOCOL_REJECT; in `keyboard_interactive`, where
    it has no such message, the plugin ends.
    """

    def init(self, client: Client) -> str | None:
        """Begin, and return the user name to log in with; None or empty for no opinion.

        Raises:
            Refusal: to end the plugin session, with a message for the user.
        """
        return None

    def protocol(self, method: str) -> None:
        """Agree to help with a method, `"keyboard-interactive"`, by returning.

        Raises:
            Refusal: to leave the method to the client.
        """

    @abstractmethod
    def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
        """Return the responses to the server's prompts, one for each."""

    def result(self, success: bool) -> None:
        """Learn whether the method succeeded, if only in part."""


def run(plugin: Plugin, limits: Limits = DEFAULT_LIMITS) -> None:
    """Serve one client over standard input and output, until it closes the plugin's input.

    Standard output belongs to the protocol: whatever else prints, prints to standard error.

    Raises:
        SystemExit: with status 1, where the client broke the protocol or a handler failed. The
            reason is on standard error by then.
    """
    source, sink = claim_stdio()
    try:
        sound = serve(
            plugin, lambda: os.read(source, CHUNK), lambda data: write_all(sink, data), limits
        )
    finally:
        os.close(source)
        os.close(sink)
    if not sound:
        raise SystemExit(1)


def serve(
    plugin: Plugin,
    read: Callable[[], bytes],
    write: Callable[[bytes], None],
    limits: Limits = DEFAULT_LIMITS,
) -> bool:
    """Serve one client over any two byte streams, until it closes the plugin's input.

    Args:
        plugin: the handlers.
        read: waits for bytes and returns them; `b""` at the end of file.
        write: writes all of its argument.
        limits: what to accept and what to send.

    Returns:
        Whether all went well: no handler failed, and the client kept to the protocol. Where not,
        the reason is on standard error.
    """
    conversation = _Conversation(plugin, read, write, limits)
    try:
        while True:
            message = conversation.receive()
            _HANDLERS[type(message)](conversation, message)
    except ClientGone:
        pass
    except RemoteProtocolError as error:
        print(f"authplugin: the client broke the protocol: {error}", file=sys.stderr)
        return False
    except Exception:
        traceback.print_exc()
        return False
    return conversation.sound


class _Conversation:
    """A session with its two streams, and the handlers to call."""

    def __init__(
        self,
        plugin: Plugin,
        read: Callable[[], bytes],
        write: Callable[[bytes], None],
        limits: Limits,
    ) -> None:
        self.plugin = plugin
        self.read = read
        self.write = write
        self.session = PluginSession(limits)
        self.sound = True

    def receive(self) -> Message:
        """Wait for the client's next message; raise ClientGone at its end."""
        while (event := self.session.next_event()) is None:
            data = self.read()
            if data:
                self.session.receive_data(data)
            else:
                self.session.receive_end_of_file()
        if isinstance(event, EndOfFile):
            raise ClientGone("the client has ended the session")
        return event.detach()

    def send(self, message: Message) -> None:
        data = self.session.send(message)
        try:
            self.write(data)
        except BrokenPipeError:
            raise ClientGone("the client has closed the plugin's output") from None

    def handle(self, call: Callable[[], Any], refused: _Refused) -> tuple[bool, Any]:
        """Call a handler; where it refuses or fails say so to the client. Return (done, result)."""
        try:
            return True, call()
        except Refusal as refusal:
            self.send(refused(refusal.message))
        except Exception:
            traceback.print_exc()
            self.sound = False
            self.send(refused(_BROKEN))
        return False, None

    def init(self, message: PluginInit) -> None:
        client = Client(
            message.version, _text(message.hostname), message.port, _text(message.username)
        )
        if client.version < min(VERSIONS):
            self.send(
                PluginInitFailure(
                    f"this plugin speaks version {min(VERSIONS)} of the protocol, "
                    f"and the client only up to version {client.version}"
                )
            )
            return
        done, username = self.handle(lambda: self.plugin.init(client), PluginInitFailure)
        if done:
            version = max(each for each in VERSIONS if each <= client.version)
            self.send(PluginInitResponse(version, username or ""))

    def protocol(self, message: PluginProtocol) -> None:
        method = str(message.method)
        if method not in METHODS:
            self.send(PluginProtocolReject(""))
            return
        done, _ = self.handle(lambda: self.plugin.protocol(method), PluginProtocolReject)
        if done:
            self.send(PluginProtocolAccept())

    def challenge(self, message: PluginKIServerRequest) -> None:
        request = Request(
            str(message.name),
            str(message.instructions),
            str(message.language),
            tuple(Prompt(str(prompt), bool(echo)) for prompt, echo in message.prompts),
        )
        responses = self.plugin.keyboard_interactive(request, self.ask_user)
        if isinstance(responses, (str, bytes)):
            raise TypeError(
                "keyboard_interactive returned one string: expected a list, one for each prompt"
            )
        self.send(PluginKIServerResponse(list(responses)))

    def ask_user(
        self,
        prompts: Iterable[str | tuple[str, bool]],
        *,
        name: str = "",
        instructions: str = "",
        language: str = "",
    ) -> list[str]:
        if isinstance(prompts, str):
            raise TypeError("ask_user was given one string: expected a list of prompts")
        pairs = [(each, False) if isinstance(each, str) else each for each in prompts]
        self.send(PluginKIUserRequest(name, instructions, language, pairs))
        answer = self.receive()
        assert isinstance(answer, PluginKIUserResponse)  # nothing else may come in this state
        return [str(response) for response in answer.responses]

    def result(self, message: Message) -> None:
        try:
            self.plugin.result(isinstance(message, PluginAuthSuccess))
        except Exception:
            traceback.print_exc()
            self.sound = False


def _text(value: TextValue) -> str:
    """Return a detached text field as a string; bytes that are not UTF-8 as surrogates."""
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "surrogateescape")


_HANDLERS: dict[type[Message], Callable[[_Conversation, Any], None]] = {
    PluginInit: _Conversation.init,
    PluginProtocol: _Conversation.protocol,
    PluginKIServerRequest: _Conversation.challenge,
    PluginAuthSuccess: _Conversation.result,
    PluginAuthFailure: _Conversation.result,
}
