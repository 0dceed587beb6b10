"""What the workflows, the Makefile and `.ci/run` promise one another.

`make lint` checks the workflows with tools made for it; here is what those cannot know, and what
must hold even where they are not installed.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CI_RUN = (ROOT / ".ci" / "run").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TARGETS = {
    *("setup", "test", "properties", "fuzz", "bench", "lint", "coverage", "generate", "clean"),
    "help",
}

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def jobs_of(text: str) -> dict[str, str]:
    """Split a workflow into its jobs' texts, by name; the form is held by `make lint`."""
    _, _, body = text.partition("\njobs:\n")
    pieces = re.split(r"^  (\w[\w-]*):\n", body, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def supported_pythons() -> list[str]:
    found = [re.fullmatch(r".*:: (3\.\d+)", line) for line in PROJECT["classifiers"]]
    return [match[1] for match in found if match]


def test_there_is_a_workflow() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml"]


@every_workflow
def test_actions_are_pinned_by_commit_with_the_tag_beside_it(path: Path) -> None:
    used = re.findall(r"\buses:\s*(.+)", path.read_text("utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@every_workflow
def test_an_action_has_one_pin(path: Path) -> None:
    used = set(re.findall(r"\buses:\s*(.+)", path.read_text("utf-8")))
    assert len(used) == len({action.partition("@")[0] for action in used}), used


@every_workflow
def test_workflow_has_no_permission_and_each_job_only_reads(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    for name, job in jobs_of(text).items():
        granted = re.search(r"^    permissions:\n((?: {6}.+\n)+)", job, re.MULTILINE)
        assert granted, f"{name} must state its permissions"
        assert re.fullmatch(r" {6}contents: read( #.*)?\n", granted[1]), name


@every_workflow
def test_each_job_ends_in_time_and_keeps_no_credentials(path: Path) -> None:
    jobs = jobs_of(path.read_text("utf-8"))
    assert jobs
    for name, job in jobs.items():
        assert re.search(r"^    timeout-minutes: \d+$", job, re.MULTILINE), name
        checkouts = job.count("uses: actions/checkout@")
        assert checkouts == job.count("persist-credentials: false") == 1, name


@every_workflow
def test_nothing_from_outside_reaches_a_command(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if "run:" in line:
            assert "${{" not in line, line
        assert "pull_request_target" not in line
        assert "secrets." not in line


def test_matrix_is_what_pyproject_supports() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    pythons = supported_pythons()
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    matrices = re.findall(r"^ +python: (\[.*\])$", text, re.MULTILINE)
    assert matrices == [str(pythons).replace("'", '"')] * 2
    for system in ("ubuntu", "macos", "windows"):
        assert f"{system}-latest" in text


def test_makefile_has_its_targets_and_explains_them() -> None:
    rules = set(re.findall(r"^([a-z]+):(?!=)", MAKEFILE, re.MULTILINE))
    assert rules == TARGETS
    phony = re.search(r"^\.PHONY: (help .+)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == TARGETS
    assert re.search(r"^\.DEFAULT_GOAL := help$", MAKEFILE, re.MULTILINE)
    explained = set(re.findall(r"'make ([a-z]+) ", MAKEFILE))
    assert explained == TARGETS - {"help"}


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_only_targets_that_exist_are_made(path: Path) -> None:
    commands = [line for line in path.read_text("utf-8").splitlines() if "#" not in line]
    made = re.findall(r"(?:run: |^)make ([a-z]+)", "\n".join(commands), re.MULTILINE)
    assert set(made) <= TARGETS


def test_makefile_and_workflow_install_every_extra() -> None:
    extras = set(PROJECT["optional-dependencies"])
    stated = re.search(r"^EXTRAS := (\S+)$", MAKEFILE, re.MULTILINE)
    assert stated
    assert set(stated[1].split(",")) == extras
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    for installed in re.findall(r'"\.\[(.+)\]"', text):
        assert set(installed.split(",")) == extras


def test_ci_runs_everything_and_lets_no_plink_test_skip() -> None:
    for target in ("test", "lint", "coverage", "fuzz"):
        assert re.search(rf"^make {target}\b", CI_RUN, re.MULTILINE), target
    assert "export AUTHPLUGIN_REQUIRE_PLINK=1\n" in CI_RUN
    assert "\nset -euo pipefail\n" in CI_RUN


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_ci_run_can_be_executed() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
