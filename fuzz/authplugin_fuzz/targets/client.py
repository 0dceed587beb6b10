"""The client's role beside its model, under any peer."""

from __future__ import annotations

from authplugin import Side

from ..playing import play


def run(raw: bytes) -> None:
    """Play a conversation with the client's role on trial."""
    play(raw, Side.CLIENT)
