"""What comes of what a bridge is told, and how far it has got."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from ..errors import RemoteProtocolError


class Phase(StrEnum):
    """How far a bridge has got."""

    STARTING = "starting"
    """The plugin has yet to say whether it will help."""
    READY = "ready"
    """`authenticate` may be called."""
    OFFERED = "offered"
    """The plugin has yet to say whether it will help with the method."""
    WAITING = "waiting"
    """It is the server's turn."""
    CHALLENGED = "challenged"
    """The server has asked; the plugin, or the user in its place, has yet to answer."""
    DONE = "done"
    """The user has logged in."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The plugin will help, or there is none that does: `authenticate` may be called.

    Attributes:
        username: the user name to log in with.
        helped: whether a plugin is there.
        message: what the plugin has to say to the user, where it will not help.
    """

    username: str
    helped: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Declined:
    """The plugin will not help with the method; the user is asked instead.

    Attributes:
        message: what the plugin has to say to the user; it may be empty.
    """

    message: str


@dataclass(frozen=True, slots=True)
class PluginGone:
    """The plugin has ended, or broken the protocol; the user is asked instead.

    Attributes:
        violation: what it did wrong; None where it ended when it might.
    """

    violation: RemoteProtocolError | None


@dataclass(frozen=True, slots=True)
class AskUser:
    """The user is to answer; `answer` takes what they say.

    Attributes:
        by_plugin: whether it is the plugin that asks, and not the server.
        name: a title.
        instructions: a text to show above the prompts.
        prompts: (prompt, echo) pairs.
    """

    by_plugin: bool
    name: str
    instructions: str
    prompts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Banner:
    """A text of the server's, for the user."""

    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The server has decided on the method.

    Attributes:
        success: the user has logged in.
        partial: the method succeeded, and another one has to.
        methods: those that can go on, as the server lists them.
    """

    success: bool
    partial: bool = False
    methods: tuple[str, ...] = ()


Event: TypeAlias = Ready | Declined | PluginGone | AskUser | Banner | Outcome
