"""A number that an option takes."""

from __future__ import annotations

import math
from typing import Any

import click


class Quantity(click.FloatRange):
    """A number within a range: what is no number, such as `nan`, is in none."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number that a text gives."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number
