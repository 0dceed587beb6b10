"""What `import authplugin` costs, and what it gives."""

import inspect
import json
import os
import subprocess
import sys
import types
from enum import Enum
from pathlib import Path

import pytest

import authplugin

# Which modules one import adds, seen in a process of its own.
SCRIPT = """
import json, sys
before = set(sys.modules)
import authplugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def unmeasured() -> dict[str, str]:
    """Return the environment without what would have coverage imported too."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "COV_"))}


def test_nothing_but_the_standard_library_is_loaded() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert ran.stderr == ""
    loaded = json.loads(ran.stdout)
    assert "authplugin.codec" in loaded
    roots = {name.partition(".")[0] for name in loaded}
    assert roots - sys.stdlib_module_names == {"authplugin"}


def test_the_names_are_all_there_and_in_order() -> None:
    def order(name: str) -> tuple[int, str]:
        """Constants, then classes, then functions, as ruff sorts them."""
        return (0 if name.isupper() else 1 if name[0].isupper() else 2), name

    assert list(authplugin.__all__) == sorted(set(authplugin.__all__), key=order)
    public = {
        name
        for name, value in vars(authplugin).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(authplugin.__all__)


@pytest.mark.parametrize("name", authplugin.__all__)
def test_every_name_is_explained(name: str) -> None:
    value = getattr(authplugin, name)
    if not inspect.isclass(value) and not inspect.isfunction(value):
        return
    # Not what a dataclass or an enumeration makes up by itself.
    assert value.__doc__
    assert not value.__doc__.startswith((f"{name}(", "An enumeration."))
    if inspect.isclass(value) and not issubclass(value, Enum):
        for method, function in vars(value).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                assert function.__doc__, f"{name}.{method}"


def test_it_says_that_it_is_typed() -> None:
    assert Path(authplugin.__file__).with_name("py.typed").is_file()
