"""One message, read: what it is taken for, and what it is refused for."""

from __future__ import annotations

from authplugin_properties.laws import agrees_with_cursor, only_protocol_error
from authplugin_properties.subjects import WHOLE

from ..layers import Terms, frame_of


def run(raw: bytes) -> None:
    """Try what reads a message; at times also what explains it, and a frame that is not whole."""
    limits, _, number = Terms.of(raw)
    frame = frame_of(raw)
    agrees_with_cursor(frame, limits)
    if number % 8 == 0:
        # Explaining is for people, and slow.
        only_protocol_error(frame, limits, WHOLE)
    elif number % 8 == 1:
        agrees_with_cursor(frame[: -1 - number // 8 % len(frame)], limits)
        agrees_with_cursor(frame + b"\0", limits)
