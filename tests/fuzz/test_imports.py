"""Who imports what: the same laws have to run where an engine is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

import authplugin_fuzz

LOADED = "import sys; {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
MODULES = sorted(path.stem for path in Path(authplugin_fuzz.__file__).parent.glob("*.py"))


def loaded_by(statement: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED.format(statement)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(ended.stdout.split())


def test_the_laws_need_no_engine() -> None:
    loaded = loaded_by("import authplugin_properties.laws, authplugin_properties.conversation")
    assert "authplugin" in loaded
    assert not loaded & {"hypothesis", "atheris"}


def test_only_the_harness_imports_atheris() -> None:
    others = [f"authplugin_fuzz.{name}" for name in MODULES if name not in ("harness", "__init__")]
    assert len(others) > 10
    assert "atheris" not in loaded_by(f"import {', '.join(others)}")


@pytest.mark.parametrize("module", ["targets", "mutator", "worker"])
def test_what_the_harness_imports_needs_no_hypothesis(module: str) -> None:
    assert "hypothesis" not in loaded_by(f"import authplugin_fuzz.{module}")
