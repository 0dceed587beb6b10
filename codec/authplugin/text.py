"""Whether bytes are text, without a copy that grows with them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Final

STEP = 16 * 1024
"""Bytes looked at in one go: what is copied to look at is never more."""


def is_ascii(data: memoryview) -> bool:
    """Say whether all bytes of `data` are below 0x80."""
    if len(data) <= STEP:
        return data.tobytes().isascii()
    return all(
        data[start : start + STEP].tobytes().isascii() for start in range(0, len(data), STEP)
    )


def are_utf8(strings: Sequence[memoryview | bytes], size: int) -> bool:
    """Say whether each of `strings` is well-formed UTF-8; `size` is an upper bound of their sum.

    NUL ends any sequence that is under way, so strings that are joined by it are well-formed
    where each of them is.
    """
    if size > STEP:
        return all(ill_formed_at(memoryview(string)) is None for string in strings)
    try:
        b"\0".join(strings).decode()
    except UnicodeDecodeError:
        return False
    return True


def ill_formed_at(data: memoryview) -> int | None:
    """Return the offset of the first byte of `data` that starts no well-formed UTF-8, or None."""
    start = 0
    while start < len(data):
        stop = start + STEP
        try:
            start += codecs.utf_8_decode(data[start:stop], "strict", stop >= len(data))[1]
        except UnicodeDecodeError as error:
            return start + error.start
    return None


_NAMES: Final = re.compile(rb"(?:[^,\x80-\xff]+(?:,[^,\x80-\xff]+)*)?")


def are_names(data: memoryview | bytes) -> bool:
    """Say whether `data` is a list of names (RFC 4251, section 5)."""
    return _NAMES.fullmatch(data) is not None


def empty_name_at(data: memoryview) -> int | None:
    """Return the offset at which a name of a list ought to begin and none does, or None."""
    start = 0
    for name in bytes(data).split(b",") if data else ():
        if not name:
            return start
        start += len(name) + 1
    return None


def not_ascii_at(data: memoryview) -> int | None:
    """Return the offset of the first byte of `data` that is above 0x7F, or None."""
    return next((at for at, byte in enumerate(data) if byte > 0x7F), None)
