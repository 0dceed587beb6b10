"""A stream in chunks, cut into frames and read as messages."""

from __future__ import annotations

from authplugin_properties.laws import (
    good_before_bad,
    held_is_bounded,
    poisoned_stays_poisoned,
    work_is_linear,
)
from authplugin_properties.subjects import STREAMS

from ..layers import Terms

_LONG = 4096
"""Bytes that are enough to see how costs grow, and few enough to count them."""


def run(raw: bytes) -> None:
    """Try what cuts streams; at times also what that costs, and what comes behind a refusal."""
    limits, sizes, number = Terms.of(raw)
    good_before_bad(raw, sizes, limits)
    # These take longer, the last one many times.
    match number % 128:
        case 0 | 1 | 2 | 3:
            held_is_bounded(raw, sizes, limits, roles=())
        case 4 | 5 | 6 | 7:
            poisoned_stays_poisoned(raw, limits, sizes, roles=())
        case 8 if len(raw) <= _LONG:
            work_is_linear(raw, sizes, limits, STREAMS)
