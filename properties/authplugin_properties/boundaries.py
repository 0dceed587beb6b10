"""The values at which implementations break, for strategies and mutators alike."""

from __future__ import annotations

from typing import Final

from authplugin import Limits
from authplugin_corpus.faults import ILL_FORMED as _ILL_FORMED

UINT32S: Final = (0, 1, 2, 3, 10, 13, 22, 26, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
"""Numbers, lengths and counts. As a byte, 10, 13 and 26 are what text-mode pipes mangle."""

SIZES: Final = (0, 1, 10, 13, 26, 127, 128, 255, 256)
"""Sizes of text, in bytes, for the same reasons."""

MANGLED: Final = (10, 13, 26, 0x0A0A, 0x0D0A, 0x1A00)
"""Lengths and counts that have a 10, 13 or 26 in their lowest byte, or in a higher one."""

FILLERS: Final = ("a", "é", "€", "😀")
"""A character of each size in UTF-8, to fill a text with."""

TEXTS: Final = (
    "",
    "a",
    "\0",
    "\n",
    "\r\n",
    "\x1a",
    "\x1b[2J",
    "\x7f",
    "\x9b2J",
    # The ends of every range of well-formed UTF-8, two, three and four bytes long.
    "\x80",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
    # What a careless display or comparison makes something else of.
    "\ufeff",
    "\u202e",
    "e\u0301",
)
"""Well-formed text."""

ILL_FORMED: Final = tuple(_ILL_FORMED.values())
"""One string of each way in which bytes fail to be UTF-8."""

_MAXIMUM = 2**32 - 1  # what a limit can be


def beyond(limits: Limits, by: int = 1) -> Limits:
    """Return limits that allow a little more, and are not strict.

    A message within them that is at them is refused by who has the first ones.

    Args:
        limits: those of the receiver.
        by: how many bytes of frame and of text, and how many elements, there are more.
    """
    frame, text, count = (
        min(limit + by, _MAXIMUM) for limit in (limits.frame, limits.text, limits.count)
    )
    return Limits(frame, text, count, nonzero_is_true=True, any_bytes=True)
