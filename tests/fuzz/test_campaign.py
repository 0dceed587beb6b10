"""Real campaigns, very short: over the codec, over a codec that is wrong, and ended early."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

import authplugin
from authplugin_fuzz import engines
from authplugin_fuzz.engines import Engine
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS

FUZZ = (sys.executable, "-m", "authplugin_fuzz.command")
LIMIT = 100  # seconds, for a campaign of a few: other tests run beside it
HARNESS = Path(engines.__file__).with_name("harness.py")

# What the last table says of a target: name, state, executions, rate, edges, corpus, findings.
ROW = re.compile(r"│ (\w+) +│ (\w+) +│ +(\d+) │ +(\d+) │ +(\d+|-) │ +(\d+|-) │ +(\d+) │")


@pytest.fixture(scope="session")
def atheris() -> None:
    if engines.available() is not Engine.ATHERIS:
        pytest.skip("atheris cannot be imported")


def environment(*first: Path) -> dict[str, str]:
    """Return an environment in which these folders are looked into first.

    `make coverage` measures nothing in it: what runs may be a copy of the codec, and wrong.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return kept | {
        "PYTHONPATH": os.pathsep.join(map(str, first)),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), kept["PATH"])),
    }


def fuzz(*arguments: str | Path, before: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FUZZ, *map(str, arguments)],
        env=environment(*before) | {"COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def rows(output: str) -> dict[str, dict[str, str]]:
    names = ("state", "executions", "rate", "edges", "corpus", "findings")
    return {found[0]: dict(zip(names, found[1:], strict=True)) for found in ROW.findall(output)}


def without_atheris(folder: Path) -> Path:
    (folder / "atheris.py").write_text("raise ImportError('none here')\n")
    return folder


def wrong_codec(folder: Path) -> Path:
    """Make a copy of the codec in which a plugin may end its output at any time."""
    source = Path(authplugin.__file__).parent
    copy = folder / "authplugin"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "session.py").open("a") as code:
        code.write("\n\nMAY_END = {side: tuple(EndKind) for side in Side}\n")
    return folder


@pytest.mark.usefixtures("atheris")
def test_a_campaign_runs_and_the_next_goes_on(tmp_path: Path) -> None:
    ended = fuzz("--minutes", "0.05", "--jobs", "2", "--folder", tmp_path, "--seed", "7")
    print(ended.stdout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert "seed 7" in ended.stdout
    told = rows(ended.stdout)
    assert list(told) == list(TARGETS)
    for name, row in told.items():
        assert (row["state"], row["findings"]) == ("done", "0")
        assert int(row["executions"]) > len(seeds())
        assert int(row["edges"]) > 300
        assert any((tmp_path / name / "corpus").iterdir())
        for number in range(2):
            assert "\nDone " in (tmp_path / name / f"slice-{number}.log").read_text()

    kept = {path.name for path in (tmp_path / "client" / "corpus").iterdir()}
    again = fuzz("client", "--minutes", "0.02", "--jobs", "1", "--folder", tmp_path)
    assert again.returncode == 0, again.stdout
    assert list(rows(again.stdout)) == ["client"]
    assert (
        f"{len(kept)} files found in {tmp_path}/client/corpus"
        in (tmp_path / "client" / "slice-0.log").read_text()
    )


def test_without_atheris_hypothesis_runs_and_is_named(tmp_path: Path) -> None:
    ended = fuzz(
        "--minutes",
        "0.05",
        "--folder",
        tmp_path / "kept",
        before=(without_atheris(tmp_path),),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "atheris cannot be imported here, so Hypothesis tries the same laws" in ended.stdout
    for row in rows(ended.stdout).values():
        assert int(row["executions"]) > len(seeds())
        assert row["edges"] == "-"


@pytest.mark.parametrize("engine", list(Engine))
def test_what_is_found_is_kept_and_can_be_shown_again(
    engine: Engine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wrong = wrong_codec(tmp_path)
    if engine is Engine.HYPOTHESIS:
        without_atheris(tmp_path)
    else:
        request.getfixturevalue("atheris")
    folder = tmp_path / "kept"
    ended = fuzz("client", "--minutes", "0.05", "--folder", folder, before=(wrong,))
    print(ended.stdout)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "client: LawBroken: agreement with the model: " in ended.stdout
    assert "end-premature" in ended.stdout
    (kept, *_) = (folder / "client" / "findings").iterdir()
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
    mended = subprocess.run(
        reproduce, env=environment(), capture_output=True, text=True, timeout=LIMIT
    )
    assert (mended.returncode, mended.stdout) == (0, f"{kept}: every law holds\n")

    # What was found before is tried first, and is no finding once it has been mended.
    (wrong / "authplugin").rename(tmp_path / "mended")
    again = fuzz("client", "--minutes", "0.02", "--folder", folder, before=(tmp_path,))
    assert again.returncode == 0, again.stdout
    assert "inputs found earlier are kept, and were tried" in again.stdout
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


@pytest.mark.usefixtures("atheris")
def test_an_engine_that_measures_nothing_is_no_success(tmp_path: Path) -> None:
    # Loaded before it is instrumented, the codec is not.
    (tmp_path / "sitecustomize.py").write_text("import authplugin, authplugin_properties.laws\n")
    ended = fuzz("plugin", "--minutes", "0.02", "--folder", tmp_path / "kept", before=(tmp_path,))
    assert ended.returncode == 2, ended.stdout
    assert "plugin: atheris did not really run" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [["decoder"], ["--minutes", "0"], ["--jobs", "0"], ["--seed", "0"], ["--folder", __file__]],
)
def test_bad_use_says_what_is_wrong(arguments: list[str]) -> None:
    ended = fuzz(*arguments)
    assert ended.returncode == 2
    assert "Error: Invalid value for" in ended.stderr


# Ended early.


@contextmanager
def running(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """Start a campaign that is far from its end, and give the processes that it has started."""
    campaign = subprocess.Popen(
        [*FUZZ, "--minutes", "30", "--jobs", "2", "--folder", str(folder)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        logs = [folder / "messages" / "slice-0.log", folder / "client" / "slice-0.log"]
        until(lambda: all("EXECUTIONS" in text(log) for log in logs))
        children = Path(f"/proc/{campaign.pid}/task/{campaign.pid}/children").read_text()
        yield campaign, [int(child) for child in children.split()]
    finally:
        campaign.kill()
        campaign.communicate()


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    pause = 0.001
    while not true():
        assert monotonic() < deadline
        sleep(pause)
        pause = min(2 * pause, 0.1)


def gone(process: int) -> bool:
    """Say whether a process is no more, or waits for nothing but to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_campaign_that_is_interrupted_ends_in_good_order(
    sent: signal.Signals, tmp_path: Path
) -> None:
    with running(tmp_path) as (campaign, children):
        assert len(children) == 2
        campaign.send_signal(sent)
        output, _ = campaign.communicate(timeout=LIMIT)
        assert campaign.returncode == 130, output
        assert rows(output)["messages"]["state"] == "stopped"
        # It has reaped them itself.
        assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.usefixtures("atheris")
def test_a_campaign_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    with running(tmp_path) as (campaign, children):
        assert len(children) == 2
        campaign.kill()
        campaign.communicate(timeout=LIMIT)
        until(lambda: all(gone(child) for child in children))
        assert any((tmp_path / "client" / "corpus").iterdir())


# The harness by itself, as libFuzzer runs it.


@pytest.mark.usefixtures("atheris")
@pytest.mark.skipif(os.name != "posix", reason="there is no run bit")
def test_the_harness_runs_by_its_path_again_and_again(tmp_path: Path) -> None:
    assert os.access(HARNESS, os.X_OK)
    assert HARNESS.read_text().startswith("#!/usr/bin/env python3\n")
    given, kept = tmp_path / "given", tmp_path / "kept"
    for folder in (given, kept):
        folder.mkdir()
    for number, seed in enumerate(seeds()):
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
    assert "name a target first: messages, client, plugin" in ended.stderr
