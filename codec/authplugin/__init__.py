"""A strict codec, both roles, and the means to write either, of PuTTY's authentication plugins.

The protocol is that of appendix H of PuTTY's manual, version 2. Bytes to messages: `decode`,
`MessageDecoder`; messages to bytes: `encode`; whole conversations: `ClientSession`,
`PluginSession`; to write a plugin: `Plugin`, `run`; to drive one: `PluginProcess`.
"""

from .codec import decode, encode
from .errors import ErrorCode, LocalProtocolError, ProtocolError, RemoteProtocolError
from .explain import explain
from .handler import AskUser, Client, ClientGone, Plugin, Prompt, Refusal, Request, run, serve
from .limits import Limits
from .messages import (
    KEYBOARD_INTERACTIVE,
    MESSAGES,
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
from .process import PluginProcess, SupervisedProcess
from .session import ClientSession, EndKind, EndOfFile, Event, PluginSession
from .stream import FrameDecoder, MessageDecoder
from .table import Message, MessageSpec, Side, State

__all__ = [
    "KEYBOARD_INTERACTIVE",
    "MESSAGES",
    "AskUser",
    "Client",
    "ClientGone",
    "ClientSession",
    "EndKind",
    "EndOfFile",
    "ErrorCode",
    "Event",
    "FrameDecoder",
    "Limits",
    "LocalProtocolError",
    "Message",
    "MessageDecoder",
    "MessageSpec",
    "Plugin",
    "PluginAuthFailure",
    "PluginAuthSuccess",
    "PluginInit",
    "PluginInitFailure",
    "PluginInitResponse",
    "PluginKIServerRequest",
    "PluginKIServerResponse",
    "PluginKIUserRequest",
    "PluginKIUserResponse",
    "PluginProcess",
    "PluginProtocol",
    "PluginProtocolAccept",
    "PluginProtocolReject",
    "PluginSession",
    "Prompt",
    "ProtocolError",
    "Refusal",
    "RemoteProtocolError",
    "Request",
    "Side",
    "State",
    "SupervisedProcess",
    "decode",
    "encode",
    "explain",
    "run",
    "serve",
]
