"""Both roles, each beside its model, with whatever their pipes do to what they say."""

from __future__ import annotations

from authplugin import Side

from ..playing import play


def run(raw: bytes) -> None:
    """Play a conversation with both roles on trial."""
    play(raw, *Side)
