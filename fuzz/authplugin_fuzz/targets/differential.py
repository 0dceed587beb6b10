"""One message, read by the codec and by two readers that share no code with it."""

from __future__ import annotations

from authplugin_properties.laws import agrees_with_cursor, agrees_with_grammar

from ..layers import Terms, frame_of


def run(raw: bytes) -> None:
    """Try that the codec, the `construct` grammar and the cursor decoder read the same."""
    limits = Terms.of(raw).limits
    frame = frame_of(raw)
    agrees_with_grammar(frame, limits)
    agrees_with_cursor(frame, limits)
