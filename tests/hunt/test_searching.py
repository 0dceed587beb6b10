"""Real searches for planted bugs, short ones, in processes of their own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from time import monotonic

import pytest

from authplugin_properties.properties import PROPERTIES

from . import races, running
from .parts import (
    BYTES,
    ENGINES,
    FIXED,
    HYPOTHESIS,
    LAWS,
    PARTS,
    TARGETS,
    UNIT,
    VECTORS,
    Part,
)
from .planted import LAYERS, ROOT, Bug, bugs, environment
from .running import Run, Searcher, SearchError, Snapshot
from .test_planted import patch

SHORT = 0.25  # seconds of the processor
EASY = "explain-looks-behind-the-header"  # the empty input shows it
STREAM = "codec/authplugin/stream.py"


@pytest.fixture(scope="session")
def atheris() -> None:
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed")


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return Searcher(Snapshot(tmp_path_factory.mktemp("code") / "code"))


name_of = attrgetter("name")
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=name_of)


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize(
    "run",
    races.controls(ENGINES, dict.fromkeys(ENGINES, (1,))),
    ids=lambda run: f"{run.target}-{run.part}",
)
def test_no_engine_accuses_the_code_as_it_is(searcher: Searcher, run: Run) -> None:
    result = searcher(run, None, SHORT)
    assert (result.found, result.says) == (None, None)
    assert result.tried is not None
    assert result.tried > 1
    assert result.begun > 0


@pytest.mark.usefixtures("atheris")
@every_engine
def test_every_engine_finds_what_is_easily_found(searcher: Searcher, engine: Part) -> None:
    result = searcher(Run(EASY, engine.name, "messages", 1), bugs()[EASY], 10)
    assert result.found is not None
    assert 0 <= result.found < 10  # a clock may stand still for so long
    assert result.tried is not None
    assert result.tried > 0
    assert result.by == "messages"
    assert result.says is not None
    assert result.says.startswith("LawBroken: only ProtocolError: explain raised IndexError")


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize(
    "name",
    [
        "numbers-read-as-signed",
        "end-within-a-header-swallowed",
        "user-response-skips-the-plugin",
    ],
)
def test_what_the_mutator_makes_finds_a_bug_of_each_layer(searcher: Searcher, name: str) -> None:
    bug = bugs()[name]
    target = races.targets_for(TARGETS, bug.layer)[0]
    result = searcher(Run(bug.name, TARGETS.name, target, 1), bug, 10)
    assert result.found is not None
    assert result.says is not None
    assert result.says.startswith("LawBroken")


# The other parts. What finds a bug is named, and says what is wrong.

RETURN = "        return self._pending or iter(())\n"


@pytest.mark.parametrize("part", [part for part in PARTS if not part.has_targets], ids=name_of)
def test_every_part_finds_what_nobody_can_miss(
    searcher: Searcher, part: Part, tmp_path: Path
) -> None:
    # Whatever comes in chunks dies of it.
    now = (ROOT / STREAM).read_text()
    first = "        if type(data) is not bytes:\n            data = view_of(data)\n"
    assert now.count(first) == 1
    wrong = f"        raise ZeroDivisionError('planted')\n{first}"
    bug = patch(tmp_path / "own.patch", now, now.replace(first, wrong))
    result = searcher(Run("own", part.name, "", FIXED), bug, 60)
    assert result.found is not None
    assert result.by
    assert result.tried is not None
    assert result.says is not None
    assert "planted" in result.says
    assert result.seconds >= result.begun + result.found - 0.1


def test_a_fixed_search_does_the_same_again_and_a_random_one_does_not(
    searcher: Searcher, tmp_path: Path
) -> None:
    line = "        partial = self._partial\n        total"
    bug = planted_in(tmp_path, line, "assert len(data) != 37, data.hex()")
    fixed, again = (searcher(Run("own", LAWS.name, "", FIXED), bug, 60) for _ in range(2))
    assert fixed.by in PROPERTIES
    assert (fixed.by, fixed.tried, fixed.says) == (again.by, again.tried, again.says)
    first, second, third = (
        searcher(Run("own", LAWS.name, "", seed), bug, 60) for seed in (1, 2, 1)
    )
    assert (first.tried, first.says) == (third.tried, third.says)
    assert first.says != second.says


def test_the_vectors_are_not_accused_by_the_code_as_it_is(searcher: Searcher) -> None:
    result = searcher(Run(None, VECTORS.name, "", FIXED), None, 60)
    assert (result.found, result.says) == (None, None)
    assert result.tried is not None
    assert result.tried > 800


# How a search ends.


def test_a_search_that_takes_too_long_finds_nothing(searcher: Searcher, tmp_path: Path) -> None:
    # The time of what it has started counts: this waits for a process that does not end.
    endless = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while 1: pass'])"
    bug = planted_in(tmp_path, "        partial = self._partial\n        total", endless)
    result = searcher(Run("own", VECTORS.name, "", FIXED), bug, 1)
    assert (result.found, result.says) == (None, None)
    assert result.seconds < 5


@pytest.mark.usefixtures("atheris")
def test_a_process_that_dies_has_found_something(searcher: Searcher, tmp_path: Path) -> None:
    bug = planted_in(tmp_path, RETURN, "os.abort()")
    result = searcher(Run("own", HYPOTHESIS.name, "frames", 1), bug, 10)
    assert result.found is not None
    assert result.tried is None
    assert result.says is not None
    assert result.says.startswith("the process ended with status -6: ")


@pytest.mark.usefixtures("atheris")
@every_engine
def test_a_run_that_is_stopped_ends_at_once(searcher: Searcher, engine: Part) -> None:
    with ThreadPoolExecutor(1) as pool:
        run = Run(None, engine.name, "messages", 1)
        future = pool.submit(searcher, run, None, 10_000)
        while not future.done():
            searcher.stop()
    with suppress(SearchError):
        assert future.result().tried is None


LEAVES = """
import os, threading
from pathlib import Path
from tests.hunt.running import Run, Searcher, Snapshot

searcher = Searcher(Snapshot(Path(os.environ["TMPDIR"]) / "code"))
run = Run(None, {part!r}, {target!r}, 1)
threading.Thread(target=searcher, args=(run, None, 10_000.0), daemon=True).start()
while not searcher._under_way:
    threading.Event().wait(0.01)  # and not busily: the search is begun in the other thread
[process] = searcher._under_way
print(process.pid, flush=True)
os._exit(0)
"""


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize(
    ("part", "target"),
    [(TARGETS, "messages"), (BYTES, "messages"), (LAWS, ""), (UNIT, "")],
    ids=lambda each: getattr(each, "name", each),
)
def test_a_search_ends_with_the_process_above_it(part: Part, target: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LEAVES.format(part=part.name, target=target)],
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
def test_an_input_that_never_ends_is_found_too_late(searcher: Searcher, tmp_path: Path) -> None:
    bug = planted_in(tmp_path, RETURN, "while True: pass")
    result = searcher(Run("own", HYPOTHESIS.name, "frames", 1), bug, 1)
    assert result.found is not None
    assert result.found > 1
    assert result.says is not None
    assert result.says.startswith("the process ended with status -24: ")


@pytest.mark.usefixtures("atheris")
def test_what_cannot_be_imported_was_not_searched(searcher: Searcher, tmp_path: Path) -> None:
    bug = planted_in(tmp_path, "class StreamDecoder", "raise SystemExit('no')", indent="")
    with pytest.raises(SearchError, match=r"ended with status 1:\n(.*\n)*no"):
        searcher(Run("own", HYPOTHESIS.name, "frames", 1), bug, SHORT)


def test_other_code_than_the_copy_was_not_searched(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "environment", lambda folder: environment(ROOT))
    with pytest.raises(SearchError, match=r"searched .*, not the copy"):
        searcher(Run(None, VECTORS.name, "", FIXED), None, SHORT)


def test_every_layer_is_searched_by_several_parts() -> None:
    for layer in LAYERS:
        able = [part for part in PARTS if races.targets_for(part, layer)]
        assert len(able) >= len(PARTS) - 2


def planted_in(folder: Path, line: str, wrong: str, indent: str = "        ") -> Bug:
    """Plant a bug of this test's own: a statement in front of a line of `stream`."""
    now = (ROOT / STREAM).read_text()
    assert line in now
    after = now.replace(line, f"{indent}{wrong}\n{line}", 1).replace(
        "from coll", "import os\nfrom coll", 1
    )
    return patch(folder / "own.patch", now, after)
