"""Who imports what: the same laws have to run where an engine is missing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import authplugin_fuzz
from authplugin_fuzz.targets import TARGETS

LOADED = "import sys; {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
CODEC = (
    "import sys; "
    "codec = lambda: {name for name in sys.modules if name.partition('.')[0] == 'authplugin'}"
)
FOLDER = Path(authplugin_fuzz.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(FOLDER).with_suffix("").parts)
    for path in FOLDER.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


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
    others = [f"authplugin_fuzz.{name}" for name in MODULES if name != "harness"]
    assert len(others) > 10
    assert "atheris" not in loaded_by(f"import {', '.join(others)}")


@pytest.mark.parametrize("module", ["targets", "mutator", "worker"])
def test_what_the_harness_imports_needs_no_hypothesis(module: str) -> None:
    assert "hypothesis" not in loaded_by(f"import authplugin_fuzz.{module}")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_loads_hypothesis_only_where_it_needs_it(target: str) -> None:
    loaded = loaded_by(f"from authplugin_fuzz.targets import TARGETS; TARGETS[{target!r}].run")
    assert "authplugin" in loaded
    assert ("hypothesis" in loaded) is (target == "stateful")


def test_no_target_loads_what_the_harness_has_not_instrumented() -> None:
    harness = (FOLDER / "harness.py").read_text()
    imported = re.findall(r"^    (import authplugin[.\w]*)", harness, re.MULTILINE)
    run = "[target.run for target in TARGETS.values()]"
    statement = (
        f"{'; '.join(imported)}; {CODEC}; before = codec(); "
        f"from authplugin_fuzz.targets import TARGETS; {run}; print(*codec() - before)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.split() == []
