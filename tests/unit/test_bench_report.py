"""What the bench says is what it measured. Nothing here asks how fast anything is."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authplugin import Message, PluginKIServerResponse
from tests.bench import cases, measuring, memory, report
from tests.bench.measuring import Race
from tests.bench.peers import OURS, PEERS, minimums
from tests.bench.report import Target

ROOT = Path(__file__).resolve().parents[2]

LIMIT = 100.0
"""Seconds that a quick run may take."""

# Measuring.


class FakeClock:
    """A clock that moves only when a function says how long it takes."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def taking(self, *nanoseconds: int) -> Callable[[], None]:
        """Return a function that takes so long in its first call, its second, and so on."""
        durations = iter(nanoseconds)

        def function() -> None:
            self.now += next(durations)

        return function


def test_ratios_are_medians_of_the_pairs_of_each_round() -> None:
    clock = FakeClock()
    functions = {
        # The first call finds out how many make a sample.
        "one": clock.taking(9, 10, 30, 90),
        "two": clock.taking(9, 20, 30, 30),
    }
    measured = measuring.race(functions, (), rounds=3, least=1, clock=clock)
    assert measured.samples == {"one": [10, 30, 90], "two": [20, 30, 30]}
    assert measured.nanoseconds("one") == 30
    assert measured.ratio("one", "two") == measuring.Ratio(median=1.0, low=0.75, high=2.0)
    assert Race({"one": [3], "two": [2]}).ratio("one", "two") == measuring.Ratio(1.5, 1.5, 1.5)


def test_a_sample_is_long_enough_and_counts_one_call() -> None:
    clock = FakeClock()
    calls = 0

    def function(step: int) -> None:
        nonlocal calls
        calls += 1
        clock.now += step

    measured = measuring.race({"f": function}, (5,), rounds=2, least=100, clock=clock)
    assert measured.samples == {"f": [5, 5]}
    # 1 + 2 + 4 + 8 + 16 + 32 to find out that 32 calls last long enough, then two samples.
    assert calls == 63 + 2 * 32


def test_everybody_comes_once_in_a_round_and_after_everybody_else_in_time() -> None:
    calls = []
    names = "abc"
    functions = {name: lambda name=name: calls.append(name) for name in names}
    measuring.race(functions, (), rounds=40, least=0, clock=lambda: 0)
    sampled = "".join(calls[3:])  # behind one call of each to find out how many make a sample
    rounds = [sampled[start : start + 3] for start in range(0, len(sampled), 3)]
    assert len(rounds) == 40
    assert set(rounds) == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_the_collector_is_off_in_a_sample_and_on_again_afterwards() -> None:
    seen: list[bool] = []
    assert gc.isenabled()
    measuring.race({"f": lambda: seen.append(gc.isenabled())}, (), rounds=2, least=0)
    assert not any(seen)
    assert gc.isenabled()


def test_memory_is_the_peak_of_what_is_allocated() -> None:
    def passing() -> None:
        bytearray(1024 * 1024)

    kept = memory.extra_memory(lambda: bytearray(1024 * 1024))
    assert 0 <= kept - 1024 * 1024 < 4096
    passed = memory.extra_memory(passing)
    assert 0 <= passed - 1024 * 1024 < 4096
    assert memory.extra_memory(lambda: None) < 1024


def test_what_should_be_refused_and_is_not_is_no_figure() -> None:
    with pytest.raises(AssertionError, match="had to be refused"):
        memory.refused(lambda: None)()


@pytest.mark.parametrize(("size", "frames"), [(64, 1), (200, 3)])
def test_frames_come_byte_by_byte(size: int, frames: int) -> None:
    chunks = list(memory.single_bytes(size, frames))
    assert [len(chunk) for chunk in chunks] == [1] * size * frames
    taken = memory.feed_all(chunks)
    assert taken == [PluginKIServerResponse(["x" * (size - memory.HEAD)])] * frames


# The report.


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("", 3.0, 2.0, 3.0), "goal"),
        (Target("", 2.9, 2.0, 3.0), "floor"),
        (Target("", 2.0, 2.0, 3.0), "floor"),
        (Target("", 1.9, 2.0, 3.0), "missed"),
        (Target("", 2.0, 2.0), "goal"),
        (Target("", 1.8, 2.5, 1.8, at_least=False), "goal"),
        (Target("", 2.5, 2.5, 1.8, at_least=False), "floor"),
        (Target("", 2.6, 2.5, 1.8, at_least=False), "missed"),
    ],
)
def test_a_target_says_what_has_been_reached(target: Target, verdict: str) -> None:
    assert target.verdict == verdict


def results(nanoseconds: Callable[[str], float]) -> report.Results:
    """Return results in which everybody takes the time that his name gives."""

    def race(operation: str, message: Message | None = None) -> Race:
        everybody = (OURS, *PEERS, *(() if message is None else minimums(message)))
        return Race(
            {
                peer.name: [nanoseconds(peer.name)] * 2
                for peer in everybody
                if getattr(peer, operation) is not None
            }
        )

    return report.Results(
        rounds=2,
        decode={case.name: race("decode", case.message) for case in cases.CASES},
        encode={case.name: race("encode", case.message) for case in cases.CASES},
        stream={size: race("decode_stream") for size in cases.CHUNK_SIZES},
        by_length=Race({"short": [2.0], "long": [3.0]}),
        memory={"16 MiB field (ASCII), fed whole": 5, "16 MiB field, asyncssh, strict": 6},
    )


def test_the_targets_are_the_ratios_that_are_asked_for() -> None:
    times = {"authplugin": 100.0, "asyncssh, strict": 250.0, "unchecked minimum": 50.0}
    times |= {"paramiko": 110.0}
    targets = results(lambda name: times.get(name, 1000.0)).targets()
    found = {target.name: (target.value, target.floor, target.goal) for target in targets}
    assert found == {
        "decode INIT: times as fast as asyncssh, strict": (2.5, 2.0, 3.0),
        "decode 2 prompts: times as fast as asyncssh, strict": (2.5, 1.9, 3.0),
        "decode 100 prompts: times as fast as asyncssh, strict": (2.5, 2.6, 4.0),
        "decode 1 MiB: times as fast as asyncssh, strict": (2.5, 8.0, 12.0),
        "decode INIT: times the unchecked minimum": (2.0, 2.5, 1.8),
        "decode 2 prompts: times the unchecked minimum": (2.0, 1.7, 1.4),
        "decode 100 prompts: times the unchecked minimum": (2.0, 1.2, 1.0),
        **{
            f"encode {case}: times as fast as the fastest, paramiko": (1.1, 1.0, None)
            for case in ("INIT", "2 prompts", "100 prompts", "1 MiB")
        },
        "stream in chunks of 1: times as fast as asyncssh, strict, h11": (2.5, 1.6, None),
        "stream in chunks of 7: times as fast as asyncssh, strict, h11": (2.5, 1.5, None),
        "stream in chunks of 4096: times as fast as asyncssh, strict, h11": (2.5, 3.0, None),
        "one-byte chunks: CPU time a byte at 4 MiB to that at 16 KiB": (1.5, 1.2, None),
        "16 MiB field (ASCII), fed whole": (5, 128 * 1024, None),
    }
    missed = {target.name for target in targets if target.verdict == "missed"}
    assert missed == {
        "decode 100 prompts: times as fast as asyncssh, strict",
        "decode 1 MiB: times as fast as asyncssh, strict",
        "decode 2 prompts: times the unchecked minimum",
        "decode 100 prompts: times the unchecked minimum",
        "stream in chunks of 4096: times as fast as asyncssh, strict, h11",
        "one-byte chunks: CPU time a byte at 4 MiB to that at 16 KiB",
    }


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("16 MiB field (ASCII), decode()", 128 * 1024),
        ("16 MiB field (ASCII), in 64 KiB chunks, beyond the frame", 2 * 1024 * 1024 + 64 * 1024),
        ("frame claims 4 GiB, raised limits", 4096),
        ("16 MiB field (ASCII), asyncssh, strict", None),
    ],
)
def test_memory_has_the_bound_of_its_kind(name: str, most: int | None) -> None:
    bound = report.most_memory(name)
    # The head of a frame counts too.
    assert bound == most or (bound is not None and most is not None and 0 < bound - most < 4)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Return what a quick run prints, and bench.json."""
    output = tmp_path_factory.mktemp("bench") / "bench.json"
    options = ["--quick", "--rounds", "2", "--output", str(output)]
    command = [sys.executable, "-m", "tests.bench", *options]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=LIMIT, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(output.read_text(encoding="utf-8"))


def documented_keys() -> set[str]:
    """Return the keys that the docstring of the report gives bench.json."""
    text = report.__doc__ or ""
    lines = text.partition("one object:\n")[2].partition("\nNanoseconds")[0].splitlines()
    return {line.split()[0] for line in lines if line[:4].isspace() and not line[4:5].isspace()}


def test_the_command_writes_what_is_documented(bench: tuple[str, dict[str, Any]]) -> None:
    _, written = bench
    assert set(written) == documented_keys()
    assert written["schema"] == 1
    assert written["rounds"] == 2
    assert set(written["libraries"]) == {"authplugin", "asyncssh", "paramiko", "construct", "h11"}
    names = [case.name for case in cases.CASES]
    assert list(written["decode"]) == list(written["encode"]) == names
    assert list(written["stream"]) == [f"chunks of {size}" for size in (1, 7, 4096)]
    for operation in ("decode", "encode", "stream"):
        for measured in written[operation].values():
            assert measured[OURS.name]["ratio"] == {"median": 1, "low": 1, "high": 1}
            for each in measured.values():
                assert set(each) == {"strict", "nanoseconds", "ratio"}
                ratio = each["ratio"]
                assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
                assert each["nanoseconds"] > 0
    assert set(written["by_length"]) == {"short", "long", "ratio"}


def test_the_command_shows_every_target_and_everybody(bench: tuple[str, dict[str, Any]]) -> None:
    shown, written = bench
    for target in written["targets"]:
        assert target["name"] in shown
    for peer in PEERS:
        assert peer.name in shown


def test_no_figure_of_memory_grows_with_what_is_claimed_or_fed(
    bench: tuple[str, dict[str, Any]],
) -> None:
    _, written = bench
    sizes = [target for target in written["targets"] if target["unit"] == "bytes"]
    assert len(sizes) == 10
    for target in sizes:
        # A header costs an error and little else; how much that is, is Python's business.
        most = max(target["floor"], 16 * 1024)
        assert target["value"] <= most, target["name"]
