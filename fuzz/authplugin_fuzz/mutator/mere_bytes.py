"""Bytes changed without a thought for what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from authplugin_properties.boundaries import UINT32S

from ..dice import Dice

BytesMutator: TypeAlias = Callable[[bytes, int], bytes]
"""Changes bytes that mean nothing to it, into no more than so many."""

_MOST = 4  # changes of one input


class MereBytes:
    """Changes bytes where there is no engine that does."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice

    def __call__(self, data: bytes, max_size: int) -> bytes:
        """Return the bytes with a few of them changed."""
        dice = self._dice
        changed = bytearray(data)
        for _ in range(1 + dice.upto(_MOST - 1)):
            at = dice.upto(len(changed))
            removed = dice.pick((0, 0, 1, 1, 2, 4))
            patch = dice.pick(
                (
                    b"",
                    bytes(changed[at : at + 1]) * 2,
                    dice.randbytes(1 + dice.upto(3)),
                    dice.pick(UINT32S).to_bytes(4, "big"),
                )
            )
            changed[at : at + removed] = patch
        return bytes(changed[:max_size])
