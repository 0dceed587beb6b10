"""Real searches for planted bugs, short ones, in processes of their own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

import pytest

from . import races
from .planted import LAYERS, ROOT, Bug, bugs, environment
from .races import Run, Searcher, SearchError
from .searching import ENGINES, HYPOTHESIS, OURS
from .test_planted import patch

SHORT = 0.25  # seconds of the processor
EASY = "explain-looks-behind-the-header"  # the empty input shows it


@pytest.fixture(scope="session")
def atheris() -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed")


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize(
    "run", races.controls(ENGINES, [1]), ids=lambda run: f"{run.target}-{run.engine}"
)
def test_nobody_accuses_the_code_as_it_is(run: Run) -> None:
    result = Searcher()(run, None, SHORT)
    assert (result.found, result.says) == (None, None)
    assert result.executions is not None
    assert result.executions > 1
    assert result.begun > 0


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_finds_what_is_easily_found(engine: str) -> None:
    result = Searcher()(Run(EASY, engine, "messages", 1), bugs()[EASY], 10)
    assert result.found is not None
    assert 0 < result.found < 10
    assert result.executions is not None
    assert result.executions > 0
    assert result.says is not None
    assert result.says.startswith("LawBroken: only ProtocolError: explain raised IndexError")


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize("layer", LAYERS)
def test_what_the_mutator_makes_finds_a_bug_of_each_layer(layer: str) -> None:
    names = {
        "body": "numbers-read-as-signed",
        "stream": "end-within-a-header-swallowed",
        "conversation": "user-response-skips-the-plugin",
    }
    bug = bugs()[names[layer]]
    assert bug.layer == layer
    target = races.targets_for(layer)[0]
    result = Searcher()(Run(bug.name, OURS, target, 1), bug, 10)
    assert result.found is not None
    assert result.says is not None
    assert result.says.startswith("LawBroken")


@pytest.mark.usefixtures("atheris")
def test_a_process_that_dies_has_found_something(tmp_path: Path) -> None:
    bug = planted_in(tmp_path, "        return self._pending or iter(())\n", "os.abort()")
    result = Searcher()(Run("own", HYPOTHESIS, "frames", 1), bug, 10)
    assert result.found is not None
    assert result.executions is None
    assert result.says is not None
    assert result.says.startswith("the process ended with status -6: ")


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_that_is_stopped_ends_at_once(engine: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        searcher = Searcher()
        future = pool.submit(searcher, Run(None, engine, "messages", 1), None, 10_000)
        while not future.done():
            searcher.stop()
    with suppress(SearchError):
        assert future.result().executions is None


LEAVES = """
import os, threading
from tests.hunt.races import Run, Searcher

searcher = Searcher()
run = Run(None, {engine!r}, "messages", 1)
threading.Thread(target=searcher, args=(run, None, 10_000.0), daemon=True).start()
while not searcher._under_way:
    pass
[process] = searcher._under_way
print(process.pid, flush=True)
os._exit(0)
"""


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_search_ends_with_the_process_above_it(engine: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LEAVES.format(engine=engine)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    deadline = monotonic() + 60
    while _lives(int(ran.stdout)):
        assert monotonic() < deadline
        os.sched_yield()


def _lives(pid: int) -> bool:
    """Say whether a process runs; one that waits to be collected by whoever does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(") ")[2][0] not in "ZX"


@pytest.mark.usefixtures("atheris")
def test_an_input_that_never_ends_is_found_too_late(tmp_path: Path) -> None:
    bug = planted_in(tmp_path, "        return self._pending or iter(())\n", "while True: pass")
    result = Searcher()(Run("own", HYPOTHESIS, "frames", 1), bug, SHORT)
    assert result.found is not None
    assert result.found > SHORT
    assert result.says is not None
    assert result.says.startswith("the process ended with status -24: ")


@pytest.mark.usefixtures("atheris")
def test_what_cannot_be_imported_was_not_searched(tmp_path: Path) -> None:
    bug = planted_in(tmp_path, "class StreamDecoder", "raise SystemExit('no')", indent="")
    with pytest.raises(SearchError, match=r"ended with status 1:\n(.*\n)*no"):
        Searcher()(Run("own", HYPOTHESIS, "frames", 1), bug, SHORT)


@pytest.mark.usefixtures("atheris")
def test_other_code_than_the_copy_was_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(races, "environment", lambda first: environment(ROOT / "codec"))
    with pytest.raises(SearchError, match=r"searched .*, not the copy"):
        Searcher()(Run(None, HYPOTHESIS, "frames", 1), None, SHORT)


def planted_in(folder: Path, line: str, wrong: str, indent: str = "        ") -> Bug:
    """Plant a bug of this test's own: a statement in front of a line of `stream`."""
    now = (ROOT / "codec/authplugin/stream.py").read_text()
    assert line in now
    after = now.replace(line, f"{indent}{wrong}\n{line}", 1).replace(
        "from coll", "import os\nfrom coll", 1
    )
    return patch(folder / "own.patch", now, after)
