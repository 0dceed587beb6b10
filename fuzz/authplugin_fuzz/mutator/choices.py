"""Choices that only Hypothesis can read: blocks of bytes, of which there have to be enough."""

from __future__ import annotations

from typing import Final

from ..dice import Dice

_ENOUGH: Final = (256, 512, 1024, 2048, 4096)
"""How many bytes a run of a machine may take; where there are too few, it is none at all."""

_BLOCKS: Final = (1, 1, 2, 4, 8, 16, 64, 256)


def mutate(data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change, take out, put in or repeat blocks, and see that there are bytes enough."""
    changed = bytearray(data or dice.randbytes(1))
    for _ in range(1 + dice.upto(3)):
        at = dice.upto(len(changed))
        size = dice.pick(_BLOCKS)
        block = changed[at : at + size]
        way = dice.upto(5)
        if way <= 1:
            changed[at : at + size] = dice.randbytes(len(block))
        elif way == 2:
            changed[at : at + size] = bytes((dice.pick((0, 1, 127, 255)),)) * len(block)
        elif way == 3:
            del changed[at : at + size]
        elif way == 4:
            changed[at:at] = dice.randbytes(size)
        else:
            to = dice.upto(len(changed))
            changed[to:to] = block
    missing = dice.pick(_ENOUGH) - len(changed)
    if missing > 0:
        changed += dice.randbytes(missing)
    return bytes(changed[:max_size])


def cross(first: bytes, second: bytes, max_size: int, dice: Dice) -> bytes:
    """Return the beginning of one and the end of the other."""
    at = dice.upto(min(len(first), max_size))
    return (first[:at] + second[dice.pick((at, dice.upto(len(second)))) :])[:max_size]
