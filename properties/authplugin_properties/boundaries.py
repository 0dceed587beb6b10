"""The values at which implementations break, for strategies and mutators alike."""

from __future__ import annotations

from typing import Final

from authplugin_corpus.faults import ILL_FORMED as _ILL_FORMED

UINT32S: Final = (0, 1, 2, 3, 10, 13, 22, 26, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
"""Numbers, lengths and counts. As a byte, 10, 13 and 26 are what text-mode pipes mangle."""

SIZES: Final = (0, 1, 10, 13, 26, 127, 128, 255, 256)
"""Sizes of text, in bytes, for the same reasons."""

TEXTS: Final = (
    "",
    "a",
    "\0",
    "\n",
    "\r\n",
    "\x1a",
    "\x1b[2J",
    "\x7f",
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
