"""How hard Hypothesis tries: its profiles, and the seed of a random run.

`pytest --hypothesis-profile=NAME` takes one of them, once `register` has been called. None has a
deadline: how long an example takes says more about the machine than about the code, and whole tests
have a time limit of their own.
"""

from __future__ import annotations

from random import Random, SystemRandom
from typing import Any, Final

from hypothesis import HealthCheck, Verbosity, core, settings

__all__ = ["PROFILES", "choose_seed", "is_random", "register", "use_seed"]

PROFILES: Final[dict[str, dict[str, Any]]] = {
    # The same examples each time, and no file that one run leaves to the next.
    "ci": {"derandomize": True, "database": None, "max_examples": 75},
    # Other examples each night. What failed is tried first in the next run: the examples are kept
    # where Hypothesis keeps them by itself, in `.hypothesis/examples`.
    "nightly": {"derandomize": False, "max_examples": 5000, "stateful_step_count": 100},
    # Few examples, and every one of them printed.
    "debug": {"derandomize": False, "max_examples": 10, "verbosity": Verbosity.verbose},
}
"""What each profile has that differs from Hypothesis's own defaults, beside what all share."""

_SHARED: Final[dict[str, Any]] = {
    "deadline": None,
    # The line that repeats a failure, @reproduce_failure(...), goes above a test, or the class of a
    # state machine; for a law: reproduce_failure(...)(PROPERTIES["name"].test())().
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}


def register() -> None:
    """Make the profiles known to Hypothesis by their names; none is loaded.

    They build on the profile `default` even where CI is set. Hypothesis then takes another one by
    itself, with which every night would try the same examples and keep none.
    """
    for name, changes in PROFILES.items():
        settings.register_profile(name, settings.get_profile("default"), **_SHARED, **changes)


def is_random() -> bool:
    """Whether the profile that is loaded tries other examples in each run."""
    return settings.default is not None and not settings.default.derandomize


def choose_seed() -> int:
    """Return a seed to use and to print: a number that is short enough to be typed."""
    return SystemRandom().getrandbits(32)


class _Constant(Random):
    """What Hypothesis takes for its source of seeds: each one is the same."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def getrandbits(self, k: int, /) -> int:
        """Return the seed."""
        return self._seed


def use_seed(seed: int) -> None:
    """Have every test of this thread that Hypothesis would seed by chance begin with this seed.

    It tries what `--hypothesis-seed` makes it try, and `@hypothesis.seed` for one test. But those
    two turn the database of examples off, as nothing else may decide what a repeated run tries; a
    run that is to be repeatable and is no repetition itself can do with it.
    """
    # No public name leads there.
    core.threadlocal._hypothesis_global_random = _Constant(seed)
