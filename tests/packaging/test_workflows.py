"""What the workflows, the Makefile and `.ci/run` promise one another.

Tools made for it check the workflows, here and in `make lint`; the other tests are of what those
cannot know, and must hold even where they are not installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from authplugin_fuzz.findings import FINDINGS as FOUND
from authplugin_fuzz.page import PAGE

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CI_RUN = (ROOT / ".ci" / "run").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TARGETS = {
    *("setup", "test", "properties", "crosshair", "fuzz", "replay", "findings"),
    *("bench", "hunt", "mutants", "lint", "coverage", "generate", "clean", "help"),
}
NAMES = ["cflite_batch", "cflite_cron", "cflite_pr", "ci", "nightly", "weekly"]

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def jobs_of(text: str) -> dict[str, str]:
    """Split a workflow into its jobs' texts, by name; the form is held by `make lint`."""
    _, _, body = text.partition("\njobs:\n")
    pieces = re.split(r"^  (\w[\w-]*):\n", body, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def supported_pythons() -> list[str]:
    found = [re.fullmatch(r".*:: (3\.\d+)", line) for line in PROJECT["classifiers"]]
    return [match[1] for match in found if match]


def runs_of(text: str) -> list[str]:
    """Return what a workflow's steps run."""
    return re.findall(r"^ +(?:- )?run: (.+)$", text, re.MULTILINE)


def steps_of(text: str, action: str) -> list[dict[str, str]]:
    """Return the inputs of each step that uses an action, where they are of one line."""
    pieces = re.split(r"^      - ", text, flags=re.MULTILINE)
    used = [piece for piece in pieces if piece.startswith(f"uses: {action}@")]
    return [dict(re.findall(r"^ {10}([\w-]+): (.+)$", each, re.MULTILINE)) for each in used]


def test_the_workflows_are_these() -> None:
    assert [path.name for path in WORKFLOWS] == [f"{name}.yml" for name in NAMES]


@pytest.mark.parametrize(
    "command",
    [
        ["zizmor", "--offline", "--pedantic", "--strict-collection", "--no-progress", "--quiet"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    ],
    ids=lambda command: command[0],
)
@every_workflow
def test_the_tools_have_nothing_to_say(path: Path, command: list[str]) -> None:
    tool = shutil.which(command[0], path=str(Path(sys.executable).parent))
    if tool is None:
        pytest.skip(f"{command[0]} is not installed")
    ran = subprocess.run(
        [tool, *command[1:], str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


@every_workflow
def test_actions_are_pinned_by_commit_with_the_tag_beside_it(path: Path) -> None:
    used = re.findall(r"\buses:\s*(.+)", path.read_text("utf-8"))
    assert used
    for action in used:
        # ClusterFuzzLite has a single tag.
        tag = "v1" if action.startswith("google/clusterfuzzlite/") else r"v\d+\.\d+\.\d+"
        assert re.fullmatch(rf"[\w-]+/[\w./-]+@[0-9a-f]{{40}} # {tag}", action), action


def test_a_repository_of_actions_has_one_pin() -> None:
    texts = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    used = set(re.findall(r"\buses:\s*([\w-]+/[\w-]+)\S*(@.+)", texts))
    assert len(used) == len({repository for repository, _ in used}), used


@every_workflow
def test_workflow_has_no_permission_and_each_job_only_reads(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    for name, job in jobs_of(text).items():
        granted = re.search(r"^    permissions:\n((?: {6}.+\n)+)", job, re.MULTILINE)
        assert granted, f"{name} must state its permissions"
        # Each says what for. Artifacts are read by whoever has no repository of corpora.
        reads = "(?:contents|actions)" if path.stem == "cflite_pr" else "contents"
        assert re.fullmatch(rf"(?: {{6}}{reads}: read # .+\n)+", granted[1]), name


@every_workflow
def test_each_job_ends_in_time_and_keeps_no_credentials(path: Path) -> None:
    jobs = jobs_of(path.read_text("utf-8"))
    assert jobs
    for name, job in jobs.items():
        assert re.search(r"^    timeout-minutes: \d+$", job, re.MULTILINE), name
        checkouts = steps_of(job, "actions/checkout")
        # What ClusterFuzzLite tries it clones itself.
        assert len(checkouts) == (0 if path.stem.startswith("cflite") else 1), name
        assert all(each.get("persist-credentials") == "false" for each in checkouts), name


@every_workflow
def test_nothing_from_outside_reaches_a_command(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if "run:" in line:
            assert "${{" not in line, line
        assert "pull_request_target" not in line


@every_workflow
def test_the_one_secret_goes_to_the_corpus_repository_alone(path: Path) -> None:
    text = path.read_text("utf-8")
    for job in jobs_of(text).values():
        lines = [line for line in job.splitlines() if "secrets" in line]
        if lines:
            assert not re.search(r"^  pull_request", text, re.MULTILINE)
            # In an environment of its own, and only where there is such a repository.
            assert "\n    environment: clusterfuzzlite\n" in job
            assert "\n    if: ${{ vars.CORPUS_REPOSITORY != '' }}\n" in job
        for line in lines:
            assert re.fullmatch(
                r" +storage-repo: https://\$\{\{ secrets\.CORPUS_TOKEN \}\}"
                r"@github\.com/\$\{\{ vars\.CORPUS_REPOSITORY \}\}\.git",
                line,
            ), line


@every_workflow
def test_every_step_is_a_command_that_a_laptop_has(path: Path) -> None:
    given = set(re.findall(r"^([A-Z]+) \?= ", MAKEFILE, re.MULTILINE))
    for name, job in jobs_of(path.read_text("utf-8")).items():
        commands = runs_of(job)
        assert "run: |" not in job
        assert "run: >" not in job
        assert bool(commands) is not path.stem.startswith("cflite"), name
        for command in commands:
            made = re.fullmatch(r"make ([a-z]+)((?: [A-Z]+=[\w.]+)*)", command)
            if made:
                assert made[1] in TARGETS, command
                variables = {each.partition("=")[0] for each in made[2].split()}
                assert variables <= given, command
            elif name == "windows":
                # There is no make; CONTRIBUTING.md has the same commands.
                assert command.startswith(("python -m venv", ".venv\\Scripts\\")), command
            else:
                assert command == ".ci/run"


def test_clusterfuzzlite_builds_what_it_runs() -> None:
    modes = {}
    for path in WORKFLOWS:
        for job in jobs_of(path.read_text("utf-8")).values():
            builds = steps_of(job, "google/clusterfuzzlite/actions/build_fuzzers")
            runs = steps_of(job, "google/clusterfuzzlite/actions/run_fuzzers")
            assert len(builds) == len(runs)
            for built, ran in zip(builds, runs, strict=True):
                assert built["language"] == ran["language"] == "python"
                assert built["sanitizer"] == ran["sanitizer"]
                modes[ran["mode"]] = (path.stem, ran["sanitizer"], ran["fuzz-seconds"])
                assert "storage-repo" in ran
    # Where there are batches, their corpora have to be pruned.
    assert modes == {
        "code-change": ("cflite_pr", "address", "600"),
        "batch": ("cflite_batch", "address", "3600"),
        "prune": ("cflite_cron", "address", "600"),
        "coverage": ("cflite_cron", "coverage", "600"),
    }


def test_what_a_night_keeps_the_next_one_and_pull_requests_begin_with() -> None:
    nightly, ci = ((ROOT / ".github" / "workflows" / f"{n}.yml") for n in ("nightly", "ci"))
    jobs = jobs_of(nightly.read_text("utf-8"))
    for name, folder in {"fuzz": ".fuzz", "properties": ".hypothesis"}.items():
        (restored,) = steps_of(jobs[name], "actions/cache/restore")
        (saved,) = steps_of(jobs[name], "actions/cache/save")
        assert (
            restored.pop("restore-keys") + "${{ github.run_id }}-${{ github.run_attempt }}"
            == (saved["key"])
        )
        assert restored == saved
        assert saved["path"] == folder
    (read,) = steps_of(jobs_of(ci.read_text("utf-8"))["fuzz"], "actions/cache/restore")
    # The path is part of what a cache is found by.
    assert read == steps_of(jobs["fuzz"], "actions/cache/restore")[0]
    assert "actions/cache/save" not in ci.read_text("utf-8")


def test_what_workflows_take_for_kept_is_what_is_kept() -> None:
    """The folders in the workflows are those of the Makefile and of the campaign."""
    assert re.search(r"^FOLDER := \.fuzz$", MAKEFILE, re.MULTILINE)
    assert re.search(r"^FINDINGS := build/findings$", MAKEFILE, re.MULTILINE)
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text("utf-8")
    assert f".fuzz/{PAGE}\n" in text
    assert f".fuzz/*/{FOUND}\n" in text
    assert "build/findings\n" in text


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
    phony = re.search(r"^\.PHONY: (help .+)$", MAKEFILE.replace("\\\n", ""), re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == TARGETS
    assert re.search(r"^\.DEFAULT_GOAL := help$", MAKEFILE, re.MULTILINE)
    explained = set(re.findall(r"'make ([a-z]+) ", MAKEFILE))
    assert explained == TARGETS - {"help"}


def test_only_targets_that_exist_are_made() -> None:
    assert set(re.findall(r"^make ([a-z]+)", CI_RUN, re.MULTILINE)) <= TARGETS


def test_makefile_and_workflow_install_every_extra() -> None:
    # The solver's is installed by the one target that needs it.
    extras = set(PROJECT["optional-dependencies"]) - {"crosshair"}
    assert re.search(r"^\t.+ pip install .+ '\.\[crosshair\]'$", MAKEFILE, re.MULTILINE)
    stated = re.search(r"^EXTRAS := (\S+)$", MAKEFILE, re.MULTILINE)
    assert stated
    assert set(stated[1].split(",")) == extras
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    for installed in re.findall(r'"\.\[(.+)\]"', text):
        assert set(installed.split(",")) == extras


def test_ci_runs_everything_and_lets_nothing_skip_that_can_run() -> None:
    for target in ("test", "lint", "coverage", "fuzz"):
        assert re.search(rf"^make {target}\b", CI_RUN, re.MULTILINE), target
    assert "\nexport AUTHPLUGIN_REQUIRE_PLINK=1 AUTHPLUGIN_REQUIRE_SSHD=1\n" in CI_RUN
    assert "^SKIPPED .*PyInstaller" in CI_RUN
    assert "\nset -euo pipefail\n" in CI_RUN


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_ci_run_can_be_executed() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
