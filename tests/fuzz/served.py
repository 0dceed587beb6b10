"""Mistakes in SSH's user authentication, on purpose: in its messages, a server and a bridge."""

import pytest

from authplugin.messages import PluginAuthFailure
from authplugin.userauth import Bridge, bridge, codec, exchanges
from authplugin.userauth.account import Account
from authplugin.userauth.exchanges import Verdict

Patch = pytest.MonkeyPatch


def read_a_banner_as_a_failure(patch: Patch) -> None:
    decoders = codec._DECODERS[None]
    patch.setitem(decoders, 53, decoders[51])  # type: ignore[arg-type]


def read_every_request_as_another(patch: Patch) -> None:
    variants = codec._variants
    patch.setattr(codec, "_variants", lambda frame: (codec._OTHER, variants(frame)[1]))


def accept_whatever_is_said(patch: Patch) -> None:
    patch.setattr(exchanges, "_verdict", lambda event: Verdict(accept=True))


def list_what_is_done(patch: Patch) -> None:
    patch.setattr(Account, "remaining", property(lambda self: self.available))


def take_any_signature(patch: Patch) -> None:
    patch.setattr(exchanges, "verify", lambda *_: None)


def tell_of_a_failure(patch: Patch) -> None:
    patch.setattr(bridge, "PluginAuthSuccess", PluginAuthFailure)


def take_no_name_of_the_plugin(patch: Patch) -> None:
    patch.setattr(Bridge, "_name", lambda self, given: "")
