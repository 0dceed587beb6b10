"""A zoo of wrong plugins: `authplugin check plugin` catches each, and names the mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from authplugin_corpus.command import main
from tests.corpus.zoo.table import ANIMALS, RIGHT, Animal, Language

ZOO = Path(__file__).parent / "zoo"

TIMEOUT = "30"
"""Seconds that a plugin may take about which the time limit does not decide."""

SHORT = "2"
"""Seconds to wait where only the time limit can decide."""

Keeper = Callable[[Language, str], list[str]]
"""Returns the command that starts an animal."""


@pytest.fixture(scope="session")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    starts: dict[Language, list[str]] = {}

    def start(language: Language, name: str) -> list[str]:
        if language not in starts:
            starts[language] = STARTS[language](tmp_path_factory.mktemp("zoo"))
        return [*starts[language], name]

    return start


def in_python(folder: Path) -> list[str]:
    return [sys.executable, "-E", "-s", "-S", str(ZOO / "animal.py")]


def in_c(folder: Path) -> list[str]:
    if os.name == "nt":
        pytest.skip("animal.c needs POSIX")
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("there is no cc")
    program = folder / "animal"
    # What is written behind the end of an array on the stack is seen by the program itself.
    options = ["-std=gnu99", "-O1", "-fno-inline", "-fstack-protector-all", "-w"]
    subprocess.run([compiler, *options, "-o", program, ZOO / "animal.c"], check=True, timeout=60)
    return [str(program)]


def in_javascript(folder: Path) -> list[str]:
    if (node := shutil.which("node")) is None:
        pytest.skip("there is no node")
    # What fills the memory is to end before it has filled all of the machine's.
    return [node, "--max-old-space-size=64", str(ZOO / "animal.mjs")]


STARTS: dict[Language, Callable[[Path], list[str]]] = {
    "python": in_python,
    "c": in_c,
    "javascript": in_javascript,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: its exit status, all it printed, the cases of its JSON report."""

    status: int
    output: str
    cases: list[dict[str, Any]]

    def findings(self) -> list[str]:
        """Return, for each finding, the reason and the sentence of the case."""
        findings = [each for each in self.cases if each["standing"] == "finding"]
        return [f"{each['reason']}. {each['sentence']}" for each in findings]


def check(
    command: list[str], cases: Iterable[str], timeout: str, folder: Path, *, strict: bool = False
) -> Checked:
    report = folder / "report.json"
    options = ["--jobs", "2", "--timeout", timeout, "--report", f"json={report}"]
    options += ["--strict"] if strict else []
    for case in cases:
        options += ["--select", case]
    result = CliRunner().invoke(main, ["check", "plugin", *options, "--", *command])
    assert report.exists(), result.output
    loaded = json.loads(report.read_text(encoding="utf-8"))
    return Checked(result.exit_code, result.output, loaded["cases"])


@pytest.mark.parametrize("language", STARTS)
def test_every_mistake_is_in_the_table(language: Language, keeper: Keeper) -> None:
    command = keeper(language, "--list")
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    known = [name for each, name in RIGHT if each == language]
    known += [animal.name for animal in ANIMALS if animal.language == language]
    assert sorted(run.stdout.split()) == sorted(known)


@pytest.mark.parametrize(
    ("language", "name"), RIGHT, ids=[f"{language}-{name}" for language, name in RIGHT]
)
def test_nothing_is_found_where_there_is_no_mistake(
    language: Language, name: str, keeper: Keeper, tmp_path: Path
) -> None:
    cases = {case for animal in ANIMALS if animal.language == language for case in animal.cases}
    checked = check(keeper(language, name), sorted(cases), TIMEOUT, tmp_path)
    assert checked.status == 0, checked.output
    assert {each["outcome"] for each in checked.cases} <= {"pass", "unsupported"}, checked.output


def test_nothing_is_found_behind_a_shell(keeper: Keeper, tmp_path: Path) -> None:
    if (shell := shutil.which("sh")) is None:
        pytest.skip("there is no sh")
    command = [shell, "-c", '"$@"; true', "sh", *keeper("python", "right")]
    cases = {case for animal in ANIMALS[:40] for case in animal.cases}
    checked = check(command, sorted(cases), TIMEOUT, tmp_path)
    assert checked.status == 0, checked.output


@pytest.mark.parametrize("animal", ANIMALS, ids=[f"{a.language}-{a.name}" for a in ANIMALS])
def test_the_mistake_is_caught_and_named(animal: Animal, keeper: Keeper, tmp_path: Path) -> None:
    if animal.linux_only and sys.platform != "linux":
        pytest.skip("can be seen on Linux alone")
    timeout = SHORT if animal.waits else TIMEOUT
    command = keeper(animal.language, animal.name)
    checked = check(command, animal.cases, timeout, tmp_path, strict=animal.strict)
    assert checked.status == 1, checked.output
    assert any(re.search(animal.words, each) for each in checked.findings()), checked.output
