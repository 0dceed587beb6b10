"""Choices that follow from a seed, made quickly: most of what a mutator does is to choose."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Dice(Random):
    """A random generator with what the mutators ask of it. The same seed makes the same choices."""

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        return items[int(self.random() * len(items))]

    def upto(self, most: int) -> int:
        """Return a number from 0 to `most`."""
        return int(self.random() * (most + 1))

    def chance(self, probability: float) -> bool:
        """Say yes as often as that."""
        return self.random() < probability
