"""What the laws of secrecy share: two secrets, what is made of frames, and texts compared."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import zip_longest
from types import MappingProxyType
from typing import Final, TypeAlias

from authplugin import ProtocolError

from ..breaking import broken, short
from ..listening import listening
from ..model import FIELDS_AT, LENGTH_SIZE, TYPE_AT, Problem
from ..subjects import problem_of

LAW: Final = "no secret in any text"
"""The name of the laws."""

ONE, OTHER = b"hunter22", b"pa55word"
"""Two secrets of one size, which have no byte in common at any place."""

NAMING: Final = frozenset({"version-above-offer", "version-unsupported", "response-count"})
"""The codes whose text names a number that came, out of a frame that is well-formed."""

Texts: TypeAlias = list[tuple[Problem | None, str]]
"""What could be seen, each beside the error whose text it is."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")

SPOILT: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        "a frame": lambda frame: frame,
        "a frame that is cut": lambda frame: frame[:-1],
        "a frame with a byte behind it": lambda frame: frame + b"h",
        "a frame of no type": lambda frame: frame[:TYPE_AT] + b"\x63" + frame[FIELDS_AT:],
        "a frame that is not UTF-8": lambda frame: frame[:-1] + b"\xff",
        "a frame of a byte more": lambda frame: _framed(frame[LENGTH_SIZE:] + b"h"),
        "a frame of a byte less": lambda frame: _framed(frame[LENGTH_SIZE:-1]),
    }
)
"""What is made of a frame whose responses are secret."""


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(LENGTH_SIZE, "big") + body


def text_of(error: ProtocolError) -> tuple[Problem, str]:
    """Return all that an error shows, beside the error without its text."""
    told = "".join(traceback.format_exception(error))
    return problem_of(error), f"{told}{error!r}{error}"


def shown(thing: object) -> str:
    """Return what a thing shows of itself, but for where it is."""
    return _ADDRESS.sub(">", f"{thing!r} {thing}")


@contextmanager
def logged(texts: Texts) -> Iterator[None]:
    """Add everything that is logged within to the texts."""
    formatter = logging.Formatter()
    with listening(
        "", logging.DEBUG, lambda record: texts.append((None, formatter.format(record)))
    ):
        yield


def compare(what: str, ours: Texts, theirs: Texts, data: bytes, *, anywhere: bool = False) -> None:
    """Check that the texts of two runs that differ in a secret are the same.

    Args:
        what: of what they are, for the text of a broken law.
        ours: those of the one.
        theirs: those of the other.
        data: the bytes of the one.
        anywhere: whether the secret stands where it may decide what comes of the bytes.

    Raises:
        LawBroken: where they are not.
    """
    for (one, text), (other, changed) in zip_longest(ours, theirs, fillvalue=(None, "")):
        if one != other:
            if anywhere:
                return  # the secret stood where it decides what comes of it
            broken(LAW, f"one {what} gives {one}, another {other}", data)
        if text != changed and (one is None or one.code not in NAMING):
            at = next(at for at, pair in enumerate(zip_longest(text, changed)) if len({*pair}) > 1)
            told = short(text[max(0, at - 40) : at + 40])
            broken(LAW, f"a text {what} tells something of it: ...{told}...", data)
