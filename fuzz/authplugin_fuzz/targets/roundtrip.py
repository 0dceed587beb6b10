"""One message, read and written again, and the other way about."""

from __future__ import annotations

from authplugin import Limits
from authplugin_properties.laws import round_trip, round_trip_message
from authplugin_properties.oracles import cursor

from ..anatomy import sayable
from ..layers import Terms, frame_of


def run(raw: bytes) -> None:
    """Try that what is read is written as it was, and that what is written is read as it was."""
    limits = Terms.of(raw).limits
    frame = frame_of(raw)
    round_trip(frame, limits)
    message = sayable(frame)
    if message is not None and _is_within(frame, limits):
        round_trip_message(message, limits)


def _is_within(frame: bytes, limits: Limits) -> bool:
    try:
        cursor.decode(frame, limits)
    except cursor.Refused:
        return False
    return True
