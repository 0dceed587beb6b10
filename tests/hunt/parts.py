"""The parts of the suite that search for planted bugs, and the engines that are raced for it.

It imports nothing but the standard library: a harness has to import the code on trial itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Part:
    """Something that searches.

    Attributes:
        name: for people.
        depends_on: the folders, and files, that decide what comes of it.
        is_random: whether another seed makes it try something else.
        has_targets: whether it searches one fuzz target at a time.
        is_costly: whether it is the last to be asked, where one that finds a bug is enough.
        layers: the layers of bugs that it searches for; all where there are none.
    """

    name: str
    depends_on: tuple[str, ...]
    is_random: bool = False
    has_targets: bool = False
    is_costly: bool = False
    layers: tuple[str, ...] = ()


_TESTS = ("tests/conftest.py", "pyproject.toml")
_PROPERTIES = ("codec", "corpus", "properties")
_FUZZING = (*_PROPERTIES, "fuzz")

UNIT: Final = Part("unit tests", ("codec", "tests/unit", *_TESTS))
LAWS: Final = Part("laws", _PROPERTIES, is_random=True)
MACHINES: Final = Part("machines", _PROPERTIES, is_random=True, is_costly=True)
ENUMERATION: Final = Part("enumeration", _PROPERTIES)
VECTORS: Final = Part("vectors", ("codec", "corpus", "tests/corpus", *_TESTS))
TARGETS: Final = Part("fuzz targets", _FUZZING, is_random=True, has_targets=True)
INTEGRATION: Final = Part(
    "integration tests",
    ("codec", "corpus", "tests/integration", *_TESTS),
    # Other people's programs are slow, and say nothing of a message that other parts do not.
    layers=("handler", "process", "server", "bridge", "transport"),
)

PARTS: Final = (UNIT, LAWS, MACHINES, ENUMERATION, VECTORS, TARGETS, INTEGRATION)
"""The parts of the suite."""

BYTES: Final = Part("atheris on bytes", _FUZZING, is_random=True, has_targets=True)
HYPOTHESIS: Final = Part("Hypothesis on bytes", _FUZZING, is_random=True, has_targets=True)

ENGINES: Final = (TARGETS, BYTES, HYPOTHESIS)
"""The structure-aware fuzzer as it is; the same without mutator and crossover of its own; and
Hypothesis, which knows nothing of coverage. All of them run the same targets, begin with nothing,
and stop at the first finding."""

BY_NAME: Final[Mapping[str, Part]] = MappingProxyType(
    {part.name: part for part in (*PARTS, *ENGINES)}
)
"""All of them."""

USERS: Final = "userauth"
"""What a part without targets is told to begin with what has to do with user authentication: it may
have no time for all."""

FIXED: Final = 0
"""The seed that stands for the profile `ci`: what it tries is the same each time."""
