"""How a process of a campaign is judged, whatever it does."""

import os
import queue
import sys
from pathlib import Path

import pytest

from authplugin_fuzz import slices, under_way
from authplugin_fuzz.corpora import sha1
from authplugin_fuzz.engines import Bounds
from authplugin_fuzz.findings import Kind
from authplugin_fuzz.slices import Ended, Ending, Order, Report, Slice

from .campaigns import gone, until

# As libFuzzer prints them; the first and the last but one without instrumentation.
LINES = [
    ("#2\tINITED exec/s: 0 rss: 42Mb", 2, None, 0),
    ("#13\tINITED cov: 393 ft: 1006 corp: 12/1754b exec/s: 0 rss: 51Mb", 13, 393, 12),
    (
        "#16\tNEW    cov: 425 ft: 1049 corp: 14/2156b lim: 4096 exec/s: 0 rss: 51Mb L: 337/348 "
        "MS: 1 Custom-",
        16,
        425,
        14,
    ),
    (
        "#28\tREDUCE cov: 17 ft: 17 corp: 2/57b lim: 4096 exec/s: 0 rss: 44Mb L: 56/56 MS: 2 "
        "EraseBytes-Custom-",
        28,
        17,
        2,
    ),
    (
        "#8192\tpulse  cov: 529 ft: 2665 corp: 296/129Kb lim: 4096 exec/s: 910 rss: 53Mb",
        8192,
        529,
        296,
    ),
    ("#524288\tpulse  corp: 1/1b lim: 4096 exec/s: 262144 rss: 42Mb", 524288, None, 1),
    (
        "#16140\tDONE   cov: 529 ft: 2730 corp: 329/165Kb lim: 4096 exec/s: 768 rss: 54Mb",
        16140,
        529,
        329,
    ),
    ("Done 16140 runs in 21 second(s)", 16140, None, 0),
    ("INFO: Instrumenting authplugin.codec", 0, None, 0),
]


@pytest.mark.parametrize(("line", "executions", "edges", "corpus"), LINES)
def test_a_line_is_read(line: str, executions: int, edges: int | None, corpus: int) -> None:
    report = Report()
    report.read(line)
    assert (report.executions, report.edges, report.corpus) == (executions, edges, corpus)


def test_a_crash_is_read() -> None:
    report = Report()
    for line in (
        "",
        " === Uncaught Python exception: ===",
        "LawBroken: round trip: it is other",
        "Traceback (most recent call last):",
        "==7== ERROR: libFuzzer: fuzz target exited",
        "artifact_prefix='a/'; Test unit written to a/crash-e3553a26",
    ):
        report.read(line)
    assert report.title == "LawBroken: round trip: it is other"
    assert report.finding == Path("a/crash-e3553a26")


def test_an_end_without_an_exception_is_read() -> None:
    report = Report()
    report.read("==28443== ERROR: libFuzzer: timeout after 26 seconds")
    assert report.title == "timeout after 26 seconds"


POSIX = pytest.mark.skipif(os.name != "posix", reason="there are no such signals, and no forks")

RUNNING = r"print('#9\tNEW    cov: 3 ft: 1 corp: 1/1b exec/s: 1 rss: 1Mb', flush=True);"
DONE = "print('Done 9 runs in 1 second(s)');"
FOUND = "print('Test unit written to x/crash-1');"

ENDINGS = [
    (RUNNING + DONE, Ending.RAN, ""),
    (RUNNING + FOUND + "exit(77)", Ending.FOUND, "crash-1"),
    # A target that ends the process, in whatever way, is a finding; and so is an engine that goes.
    (RUNNING + "exit(0)", Ending.FOUND, "the process ended with status 0"),
    (RUNNING + "exit(1)", Ending.FOUND, "the process ended with status 1"),
    pytest.param(
        RUNNING + "os.kill(os.getpid(), 9)",
        Ending.FOUND,
        "the process ended with SIGKILL",
        marks=POSIX,
    ),
    # An input that was there already did it, before anything else ran.
    (FOUND + "exit(77)", Ending.FOUND, "crash-1"),
    # The engine did not really run.
    ("", Ending.IDLE, ""),
    ("exit(1)", Ending.IDLE, ""),
    ("raise ImportError", Ending.IDLE, ""),
    ("print('Done 0 runs in 1 second(s)')", Ending.IDLE, ""),
    (r"print('#9\tINITED exec/s: 0 rss: 1Mb');" + DONE, Ending.IDLE, ""),
]


def started(
    code: str, folder: Path, *, seconds: float = 60, patience: float = 60, mebibytes: int = 1024
) -> tuple[Slice, Ended]:
    ended: Ended = queue.SimpleQueue()
    noted = folder / "under-way"
    made = f"""
import os, sys, threading
from pathlib import Path
from authplugin_fuzz.under_way import UnderWay
note = UnderWay(Path({str(noted)!r}))
"""
    order = Order(
        "any",
        [sys.executable, "-c", made + code],
        seconds,
        1,
        folder / "log",
        noted,
        bounds=Bounds(3, mebibytes),
        patience=patience,
    )
    return Slice(order, ended), ended


@pytest.mark.parametrize(("code", "ending", "title"), ENDINGS)
def test_how_it_ended(code: str, ending: Ending, title: str, tmp_path: Path) -> None:
    running, ended = started(code, tmp_path)
    assert ended.get(timeout=60) is running
    verdict = running.reap()
    assert (verdict.ending, verdict.title, verdict.found) == (ending, title, None)
    if code.startswith(RUNNING):
        assert b"#9\tNEW" in (tmp_path / "log").read_bytes()


def test_without_a_measure_no_edges_are_asked_for(tmp_path: Path) -> None:
    ended: Ended = queue.SimpleQueue()
    command = [sys.executable, "-c", DONE]
    noted = tmp_path / "under-way"
    order = Order("any", command, 60, 1, tmp_path / "log", noted, measured=False)
    running = Slice(order, ended)
    assert ended.get(timeout=60) is running
    assert running.reap().ending is Ending.RAN


def test_the_input_under_way_is_known_where_the_process_dies(tmp_path: Path) -> None:
    running, ended = started(
        "note.begin(b'first'); note.end(); note.begin(b'second'); os._exit(3)", tmp_path
    )
    ended.get(timeout=60)
    verdict = running.reap()
    assert verdict == (Ending.FOUND, Kind.CRASH, "the process ended with status 3", b"second")
    assert running.report.executions == 2


@pytest.mark.parametrize("written", [b"the input", b"the in", b"", None])
def test_an_input_that_was_not_written_whole_is_the_one_under_way(
    written: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / f"crash-{sha1(b'the input')}"
    if written is not None:
        path.write_bytes(written)
    code = f"note.begin(b'the input'); print('Test unit written to {path}'); exit(77)"
    running, ended = started(code, tmp_path)
    ended.get(timeout=60)
    assert running.reap().found == b"the input"


WAIT = RUNNING + "note.begin(b'it'); threading.Event().wait(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAIT


def ready(running: Slice) -> None:
    until(lambda: under_way.look(running.order.under_way).begun and running.report.executions)


@POSIX
def test_what_does_not_end_when_asked_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_IN_GOOD_ORDER", 0.2)
    running, ended = started(STUBBORN, tmp_path)
    ready(running)
    running.stop()
    assert running.reap().ending is Ending.STOPPED
    assert ended.get(timeout=60) is running
    assert gone(running.process_id)
    assert running.seconds < 60


def test_what_is_long_overdue_is_killed_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_ON_ITS_OWN", 0.0)
    running, ended = started(STUBBORN, tmp_path, seconds=0)
    ready(running)
    running.watch()
    running.watch()
    ended.get(timeout=60)
    verdict = running.reap()
    assert (verdict.ending, verdict.kind, verdict.found) == (Ending.FOUND, Kind.TIMEOUT, b"it")
    assert verdict.title == "the process did not end when its time was over"


def test_an_input_that_takes_too_long_is_found(tmp_path: Path) -> None:
    running, ended = started(STUBBORN, tmp_path, patience=0)
    ready(running)
    until(lambda: running.watch() or not ended.empty())
    verdict = running.reap()
    assert (verdict.ending, verdict.kind, verdict.found) == (Ending.FOUND, Kind.TIMEOUT, b"it")
    assert verdict.title == "it took more than 3 seconds"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nobody says how much it has")
def test_an_input_that_takes_too_much_is_found(tmp_path: Path) -> None:
    code = RUNNING + "note.begin(b'it'); much = b'x' * 2**26; threading.Event().wait(60)"
    running, ended = started(code, tmp_path, mebibytes=40)
    until(lambda: running.watch() or not ended.empty())
    verdict = running.reap()
    assert (verdict.ending, verdict.kind, verdict.found) == (Ending.FOUND, Kind.OOM, b"it")
    assert running.peak > 40 * 2**20


@POSIX
def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    code = RUNNING + "child = os.fork(); print('child', child, flush=True)\n"
    code += "if not child: threading.Event().wait(60)\n"
    code += "exit(1)"
    running, ended = started(code, tmp_path)
    log = tmp_path / "log"
    until(lambda: log.exists() and b"child" in log.read_bytes())
    (child,) = {
        int(line.split()[1]) for line in log.read_text().splitlines() if "child " in line
    } - {0}
    # Its output stays open as long as anybody has it.
    until(lambda: gone(running.process_id))
    assert running.reap().ending is Ending.FOUND
    until(lambda: gone(child))
    assert ended.get(timeout=60) is running


def test_a_log_that_cannot_be_written_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    running, ended = started("print('x' * 2**20);" + RUNNING + DONE, tmp_path)
    assert ended.get(timeout=60) is running
    assert running.reap().ending is Ending.RAN


def test_samples_stay_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "_EVERY", 0.0)
    monkeypatch.setattr(slices, "_MOST_SAMPLES", 8)
    running, _ = started(WAIT, tmp_path)
    ready(running)
    for _ in range(100):
        running.watch()
    assert 4 <= len(running.samples) < 8
    assert running.samples == sorted(running.samples)
    running.stop()
    assert running.reap().ending is Ending.STOPPED
