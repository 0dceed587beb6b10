"""The twelve messages of PuTTY's authentication plugin protocol, version 2 (H.6).

This is the message table and the transition table in one: decoders, encoders, sessions,
strategies, mutators and vectors all read it. Edit a class here, then run `make generate`.
"""

from __future__ import annotations

from typing import Final

from .kinds import AsciiText, Prompts, Responses, Text, UInt32, UnstatedText
from .table import Message, Side, State, message

KEYBOARD_INTERACTIVE: Final = "keyboard-interactive"
"""The one SSH authentication method that the protocol covers (RFC 4256)."""

VERSIONS: Final = (2,)
"""The protocol versions that this library implements (H.4)."""

_table: list[type[Message]] = []


@message(
    _table,
    "PLUGIN_INIT",
    code=1,
    clause="H.6.1",
    sender=Side.CLIENT,
    leaves=State.START,
    enters=State.INITIALISING,
)
class PluginInit(Message):
    """The client opens the conversation.

    Attributes:
        version: the highest protocol version that the client speaks.
        hostname: the logical name of the SSH server.
        port: its port.
        username: the user name that the client means to use; empty where it has no opinion.
    """

    version: UInt32
    hostname: UnstatedText
    port: UInt32
    username: UnstatedText


@message(
    _table,
    "PLUGIN_INIT_RESPONSE",
    code=2,
    clause="H.6.2",
    sender=Side.PLUGIN,
    leaves=State.INITIALISING,
    enters=State.IDLE,
)
class PluginInitResponse(Message):
    """The plugin is willing.

    Attributes:
        version: the protocol version chosen, at most the client's.
        username: the user name to log in with; empty where the plugin has no opinion.
    """

    version: UInt32
    username: UnstatedText


@message(
    _table,
    "PLUGIN_INIT_FAILURE",
    code=8,
    clause="H.6.3",
    sender=Side.PLUGIN,
    leaves=State.INITIALISING,
    enters=State.ENDED,
)
class PluginInitFailure(Message):
    """The plugin cannot serve, and the plugin session is over.

    Attributes:
        message: the reason, for the user.
    """

    message: UnstatedText


@message(
    _table,
    "PLUGIN_PROTOCOL",
    code=3,
    clause="H.6.4",
    sender=Side.CLIENT,
    leaves=State.IDLE,
    enters=State.OFFERED,
)
class PluginProtocol(Message):
    """The client is about to try an authentication method.

    Attributes:
        method: the method's SSH name, such as `"keyboard-interactive"`.
    """

    method: AsciiText


@message(
    _table,
    "PLUGIN_PROTOCOL_REJECT",
    code=5,
    clause="H.6.5",
    sender=Side.PLUGIN,
    leaves=State.OFFERED,
    enters=State.IDLE,
)
class PluginProtocolReject(Message):
    """The plugin will not help with this method.

    Attributes:
        message: the reason, for the user; empty where the method is simply not supported.
    """

    message: UnstatedText


@message(
    _table,
    "PLUGIN_PROTOCOL_ACCEPT",
    code=4,
    clause="H.6.6",
    sender=Side.PLUGIN,
    leaves=State.OFFERED,
    enters=State.AUTHENTICATING,
)
class PluginProtocolAccept(Message):
    """The plugin will help with this method."""


@message(
    _table,
    "PLUGIN_KI_SERVER_REQUEST",
    code=20,
    clause="H.6.7",
    method=KEYBOARD_INTERACTIVE,
    sender=Side.CLIENT,
    leaves=State.AUTHENTICATING,
    enters=State.CHALLENGED,
)
class PluginKIServerRequest(Message):
    """The body of the SSH_MSG_USERAUTH_INFO_REQUEST that the server sent (RFC 4256, 3.2).

    Attributes:
        name: a title.
        instructions: a text to show above the prompts.
        language: a language tag, deprecated and mostly empty.
        prompts: (prompt, echo) pairs; echo says whether what the user types may be seen.
    """

    name: Text
    instructions: Text
    language: AsciiText
    prompts: Prompts


@message(
    _table,
    "PLUGIN_KI_SERVER_RESPONSE",
    code=21,
    clause="H.6.8",
    method=KEYBOARD_INTERACTIVE,
    sender=Side.PLUGIN,
    leaves=State.CHALLENGED,
    enters=State.AUTHENTICATING,
)
class PluginKIServerResponse(Message):
    """The body of the SSH_MSG_USERAUTH_INFO_RESPONSE to send to the server (RFC 4256, 3.4).

    Attributes:
        responses: one for each prompt of the server's request, in its order. Secret.
    """

    responses: Responses


@message(
    _table,
    "PLUGIN_KI_USER_REQUEST",
    code=22,
    clause="H.6.9",
    method=KEYBOARD_INTERACTIVE,
    sender=Side.PLUGIN,
    leaves=State.CHALLENGED,
    enters=State.ASKING_USER,
)
class PluginKIUserRequest(Message):
    """The plugin has prompts of its own for the user. The fields are those of the server's."""

    name: Text
    instructions: Text
    language: AsciiText
    prompts: Prompts


@message(
    _table,
    "PLUGIN_KI_USER_RESPONSE",
    code=23,
    clause="H.6.10",
    method=KEYBOARD_INTERACTIVE,
    sender=Side.CLIENT,
    leaves=State.ASKING_USER,
    enters=State.CHALLENGED,
)
class PluginKIUserResponse(Message):
    """What the user answered.

    Attributes:
        responses: one for each prompt of the plugin's request, in its order. Secret.
    """

    responses: Responses


@message(
    _table,
    "PLUGIN_AUTH_SUCCESS",
    code=6,
    clause="H.6.11",
    sender=Side.CLIENT,
    leaves=State.AUTHENTICATING,
    enters=State.IDLE,
)
class PluginAuthSuccess(Message):
    """The method succeeded, if only in part (RFC 4252, 5.1). No reply follows."""


@message(
    _table,
    "PLUGIN_AUTH_FAILURE",
    code=7,
    clause="H.6.12",
    sender=Side.CLIENT,
    leaves=State.AUTHENTICATING,
    enters=State.IDLE,
)
class PluginAuthFailure(Message):
    """The method failed. No reply follows."""


MESSAGES: Final[tuple[type[Message], ...]] = tuple(_table)
"""All messages, in the order of the published text."""

METHODS: Final = tuple(dict.fromkeys(m.spec.method for m in MESSAGES if m.spec.method is not None))
"""The authentication methods for which messages are declared."""

SPEAKER: Final = {m.spec.leaves: m.spec.sender for m in MESSAGES}
"""Whose turn it is in each state. Nobody speaks in a state that is not here."""

REQUEST_OF: Final[dict[type[Message], type[Message]]] = {
    PluginKIServerResponse: PluginKIServerRequest,
    PluginKIUserResponse: PluginKIUserRequest,
}
"""Which request each response answers. The two pairs are counted apart: a question to the user in
between does not change how many responses the server is owed (H.6.8, H.6.10)."""
