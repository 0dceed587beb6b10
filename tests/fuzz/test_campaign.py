"""Real campaigns, very short: over the codec, over a codec that is wrong, and with no engine."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from authplugin_fuzz import engines
from authplugin_fuzz.engines import Engine
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS

from .campaigns import LIMIT, environment, fuzz, inputs, rows, whole, wrong_codec

HARNESS = engines.HARNESS

ENDS_AT_ANY_TIME = "\n\nMAY_END = {side: tuple(EndKind) for side in Side}\n"
"""What to append to the codec so that a plugin may end its output at any time."""


def without_atheris(folder: Path) -> Path:
    (folder / "atheris.py").write_text("raise ImportError('none here')\n")
    return folder


@pytest.mark.usefixtures("atheris")
def test_a_campaign_runs_and_the_next_goes_on(tmp_path: Path) -> None:
    ended = fuzz(
        *("--minutes", "0.05", "--jobs", "1", "--folder", tmp_path, "--seed", "7", "--no-report")
    )
    print(ended.stdout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert "seed 7" in ended.stdout
    told = rows(ended.stdout)
    assert list(told) == list(TARGETS)
    for name, row in told.items():
        assert (row["state"], row["findings"]) == ("done", "0")
        assert int(row["executions"]) > 0
        assert int(row["edges"]) > 100
        assert int(row["MiB"]) > 10
        assert all(map(whole, inputs(tmp_path / name / "corpus")))
        assert row["corpus"] in (str(len(inputs(tmp_path / name / "corpus"))), "-")
        assert row["corpus"] != "-" or name == "stateful"  # the slowest by far
        assert "\nDone " in (tmp_path / name / "slice-0.log").read_text()

    kept = inputs(tmp_path / "client" / "corpus")
    again = fuzz("client", "--minutes", "0.02", "--jobs", "1", "--folder", tmp_path, "--no-report")
    assert again.returncode == 0, again.stdout
    assert list(rows(again.stdout)) == ["client"]
    assert kept.items() <= inputs(tmp_path / "client" / "corpus").items()
    assert (
        f"{len(kept)} files found in {tmp_path}/client/corpus"
        in (tmp_path / "client" / "slice-0.log").read_text()
    )


@pytest.mark.usefixtures("atheris")
def test_at_the_end_all_is_replayed_minimised_measured_and_told(tmp_path: Path) -> None:
    ended = fuzz("messages", "client", "--minutes", "0.1", "--folder", tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for name in ("messages", "client"):
        told = re.search(
            rf"{name}: (\d+) inputs replayed, 0 break something; corpus (\d+) to (\d+), "
            r"all (\d+) edges kept",
            ended.stdout,
        )
        assert told is not None, ended.stdout
        replayed, before, after, edges = map(int, told.groups())
        assert replayed == before + len(seeds(TARGETS[name].layer))
        # The seeds are among what it was made of.
        assert before > 0
        assert after == len(inputs(tmp_path / name / "corpus")) > 0
        assert edges >= int(rows(ended.stdout)[name]["edges"])
    page = (tmp_path / "report.html").read_text()
    for part in ("no finding", "<svg", "<polyline", "wire.py", "srcdoc=", "setarch -R", "atheris"):
        assert part in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page

    # What is replayed reaches, without any engine, the branches that the page tells of.
    again = fuzz("replay", "messages", "client", "--folder", tmp_path, "--coverage")
    assert again.returncode == 0, again.stdout + again.stderr
    told = re.search(r"all of these: (\d+) of (\d+) branches", again.stdout)
    assert told is not None
    assert f"{told[1]} of {told[2]}" in page
    assert int(told[1]) > 100


def test_without_atheris_hypothesis_runs_and_is_named(tmp_path: Path) -> None:
    arguments = ("frames", "client", "--minutes", "0.05", "--folder", tmp_path / "kept")
    ended = fuzz(*arguments, before=(without_atheris(tmp_path),))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "atheris cannot be imported here, so Hypothesis tries the same laws" in ended.stdout
    for name, row in rows(ended.stdout).items():
        assert int(row["executions"]) > len(seeds(TARGETS[name].layer))
        assert row["edges"] == "-"
    assert (tmp_path / "kept" / "report.html").exists()
    small = fuzz("minimise", "--folder", tmp_path / "kept", before=(tmp_path,))
    assert small.returncode == 1
    assert "only atheris can minimise" in small.stderr


@pytest.mark.parametrize("engine", list(Engine))
def test_what_is_found_is_kept_and_can_be_shown_again(
    engine: Engine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wrong = wrong_codec(tmp_path, ENDS_AT_ANY_TIME)
    if engine is Engine.HYPOTHESIS:
        without_atheris(tmp_path)
    else:
        request.getfixturevalue("atheris")
    folder = tmp_path / "kept"
    found = ("client", "--minutes", "0.05", "--folder", folder)
    ended = fuzz(*found, before=(wrong,))
    print(ended.stdout)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "client: LawBroken: agreement with the model: " in ended.stdout
    assert "end-premature" in ended.stdout
    assert "LawBroken: agreement with the model" in (folder / "report.html").read_text()
    (kept, *_) = inputs(folder / "client" / "findings")
    assert whole(kept)
    assert f"  kept as    {kept}\n" in ended.stdout

    reproduce = next(
        shlex.split(line.removeprefix("  reproduce  "))
        for line in ended.stdout.splitlines()
        if line.startswith("  reproduce") and str(kept) in line
    )
    shown = subprocess.run(
        reproduce, env=environment(wrong), capture_output=True, text=True, timeout=LIMIT
    )
    assert shown.returncode == 1
    assert "LawBroken: agreement with the model" in shown.stderr
    again = fuzz("replay", "client", "--folder", folder, before=(wrong,))
    assert again.returncode == 1
    assert f"  kept as    {kept}\n" in again.stdout

    # It is found as long as it is there, and tried when it is mended.
    (wrong / "authplugin").rename(tmp_path / "mended")
    for arguments in (("replay", "client", "--folder", folder), (*found, "--no-report")):
        after = fuzz(*arguments, before=(tmp_path,))
        assert after.returncode == 0, after.stdout
    assert "inputs found earlier are kept; every law holds" in after.stdout
    assert kept.exists()


IDLE_ATHERIS = """
from contextlib import contextmanager

@contextmanager
def instrument_imports(include):
    yield

def Setup(*arguments, **options):
    pass

def Fuzz():
    pass
"""


def test_an_engine_that_does_not_run_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "atheris.py").write_text(IDLE_ATHERIS)
    ended = fuzz("plugin", "--minutes", "0.02", "--folder", tmp_path / "kept", before=(tmp_path,))
    assert ended.returncode == 2, ended.stdout
    assert "plugin: atheris did not really run" in ended.stdout
    assert "did not really run" in (tmp_path / "kept" / "report.html").read_text()


@pytest.mark.usefixtures("atheris")
def test_an_engine_that_measures_nothing_is_no_success(tmp_path: Path) -> None:
    # Loaded before it is instrumented, the codec is not.
    (tmp_path / "sitecustomize.py").write_text("import authplugin, authplugin_properties.laws\n")
    ended = fuzz(
        *("plugin", "--minutes", "0.02", "--folder", tmp_path / "kept", "--no-report"),
        before=(tmp_path,),
    )
    assert ended.returncode == 2, ended.stdout
    assert "plugin: atheris did not really run" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["decoder"],
        ["--minutes", "0"],
        ["--minutes", "nan"],
        ["--jobs", "0"],
        ["--seed", "0"],
        ["--folder", __file__],
        ["replay", "decoder"],
    ],
)
def test_bad_use_says_what_is_wrong(arguments: list[str]) -> None:
    ended = fuzz(*arguments)
    assert ended.returncode == 2
    assert "Error: Invalid value for" in ended.stderr


def test_what_is_not_there_is_not_replayed(tmp_path: Path) -> None:
    ended = fuzz("replay", "--folder", tmp_path / "none")
    assert ended.returncode == 1
    assert "is no folder of a campaign" in ended.stderr


# The harness by itself, as libFuzzer runs it.


@pytest.mark.usefixtures("atheris")
@pytest.mark.skipif(os.name != "posix", reason="there is no run bit")
def test_the_harness_runs_by_its_path_again_and_again(tmp_path: Path) -> None:
    assert os.access(HARNESS, os.X_OK)
    assert HARNESS.read_text().startswith("#!/usr/bin/env python3\n")
    given, kept = tmp_path / "given", tmp_path / "kept"
    for folder in (given, kept):
        folder.mkdir()
    for number, seed in enumerate(seeds(TARGETS["messages"].layer)):
        (given / str(number)).write_bytes(seed)
    # To merge, it starts itself once more, by its path.
    ended = subprocess.run(
        [str(HARNESS), "messages", "-merge=1", str(kept), str(given)],
        env=environment(),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ended.returncode == 0, ended.stderr
    assert "0 new files with 0 new features" not in ended.stderr
    assert any(kept.iterdir())


@pytest.mark.usefixtures("atheris")
def test_the_harness_asks_for_a_target() -> None:
    ended = subprocess.run(
        [sys.executable, str(HARNESS)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ended.returncode == 1
    assert f"name a target first: {', '.join(TARGETS)}" in ended.stderr
