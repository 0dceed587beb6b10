"""The protocols whose frames the corpus knows: what bytes are read as, and messages written as.

A frame says nothing about which protocol it is of; and in SSH's user authentication, what a type
byte from 60 up is follows from the method that is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import authplugin
from authplugin import Limits
from authplugin.table import WireMessage, WireSpec
from authplugin.userauth import codec as userauth
from authplugin.userauth.messages import MESSAGES as USER_AUTH_MESSAGES
from authplugin.userauth.messages import METHODS

from .message_json import constants_of


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the frames of one conversation, or of one part of it, are read.

    Attributes:
        name: `"plugin"`; or `"userauth"`, with the method under way behind a slash where there is
            one.
        messages: what can come.
        elsewhere: the messages of the same protocol that belong to other methods.
        decode: reads exactly one frame, as `authplugin.decode` does.
        encode: writes one, as `authplugin.encode` does.
        unknown: type bytes that no message has, next to those of messages, and far from them.
        labels: by message, what `label_of` gives it.
    """

    name: str
    messages: tuple[type[WireMessage], ...]
    elsewhere: tuple[type[WireMessage], ...]
    decode: Callable[[bytes, Limits], WireMessage] = field(repr=False)
    encode: Callable[[Any, Limits], bytes] = field(repr=False)
    unknown: tuple[int, ...]
    labels: Mapping[type[WireMessage], str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", {each: label_of(each.spec) for each in self.messages})


def label_of(spec: WireSpec) -> str:
    """Return what tells a message from all others: its published name, and what never varies in it.

    Such as `"SSH_MSG_USERAUTH_REQUEST method=password change=false"`.
    """
    constants = (f"{name}={str(value).lower()}" for name, value in constants_of(spec).items())
    return " ".join((spec.name, *constants))


def _unknown(codes: set[int], messages: tuple[type[WireMessage], ...]) -> tuple[int, ...]:
    return tuple(sorted(codes - {each.spec.code for each in messages}))


PLUGIN: Final = Protocol(
    "plugin",
    authplugin.MESSAGES,
    (),
    authplugin.decode,
    authplugin.encode,
    _unknown({0, 9, 19, 24, 128, 255}, authplugin.MESSAGES),
)
"""The plugin protocol, with all its messages."""


def _user_auth(method: str | None) -> Protocol:
    here = tuple(each for each in USER_AUTH_MESSAGES if each.spec.method in (None, method))
    return Protocol(
        "userauth" if method is None else f"userauth/{method}",
        here,
        tuple(each for each in USER_AUTH_MESSAGES if each not in here),
        partial(userauth.decode, method=method),
        userauth.encode,
        _unknown({0, 20, 49, 54, 59, 60, 61, 62, 128, 255}, here),
    )


USER_AUTH: Final[Mapping[str | None, Protocol]] = {
    method: _user_auth(method) for method in (None, *METHODS)
}
"""SSH's user authentication, by the method under way; None where none is."""

PROTOCOLS: Final[Mapping[str, Protocol]] = {
    each.name: each for each in (PLUGIN, *USER_AUTH.values())
}
"""All protocols, by name."""


def protocol_of(message_type: type[WireMessage]) -> Protocol:
    """Return the protocol in which a message comes; of several, that of no method."""
    if message_type in PLUGIN.messages:
        return PLUGIN
    return USER_AUTH[message_type.spec.method]
