"""The measurements of the fuzz targets: that they measure what they say, not how fast it is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from authplugin_fuzz import engines
from authplugin_fuzz.engines import Engine
from authplugin_fuzz.layers import Layer
from authplugin_fuzz.making import seeds

from ..bench.fuzz.covered import arcs
from ..bench.fuzz.edges import search
from ..bench.fuzz.process import HarnessError, harness, replayed, run

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="CPU time is read from /proc"),
    pytest.mark.skipif(
        engines.available() is not Engine.ATHERIS, reason="atheris cannot be imported"
    ),
]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    folder = tmp_path / "stored"
    folder.mkdir()
    for number, seed in enumerate(seeds(Layer.BODY)):
        (folder / str(number)).write_bytes(seed)
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_search_from_nothing_reaches_what_is_stored(stored: Path, scratch: Path) -> None:
    reached = search("messages", stored, scratch, seed=1, limit=60)
    assert reached.missing == 0
    assert reached.stored == replayed("messages", stored) > 100
    assert 0 < reached.seconds < 60
    assert reached.runs > 10
    assert replayed("messages", scratch, stored) == replayed("messages", scratch)


def test_a_search_that_is_given_up_says_what_is_missing(stored: Path, scratch: Path) -> None:
    reached = search("messages", stored, scratch, seed=1, limit=0)
    assert reached.missing > 100
    assert reached.missing <= reached.stored


def test_what_is_missing_has_a_name(stored: Path, scratch: Path) -> None:
    (scratch / "one").write_bytes(seeds(Layer.BODY)[0])
    missing = arcs("messages", stored) - arcs("messages", scratch)
    assert any(each.startswith("wire.py:") for each in missing)
    assert all(re.fullmatch(r"\w+\.py:\d+-\d+", each) for each in missing)


def test_a_harness_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="name a target first"):
        run(harness("nothing", "-runs=1"))


def test_rates_are_those_of_the_same_run() -> None:
    command = ["-m", "tests.bench.fuzz", "rates", "messages", "--rounds=1", "--seconds=0.1"]
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode in (0, 1), ended.stderr
    rows = re.findall(r"│ (\w+) +│ (\w+) +│ (\d+) +│ 1/([\d.]+) +│ 1/([\d.]+) +│", ended.stdout)
    assert [row[:2] for row in rows] == [
        ("nothing", "bytes"),
        ("nothing", "body"),
        ("messages", "body"),
        ("messages", "bytes"),
    ]
    (bare, *others) = rows
    assert bare[3:] == ("1.0", "1.0")
    assert all(float(bytes_ratio) > 1 for *_, bytes_ratio in others)
