"""How a process of a campaign is judged, whatever it does."""

import queue
import sys
from pathlib import Path

import pytest

from authplugin_fuzz import slices
from authplugin_fuzz.slices import Ending, Heard, Report, Slice

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
    ("EXECUTIONS: 640", 640, None, 0),
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
        "artifact_prefix='a/'; Test unit written to a/crash-e3553a26",
    ):
        report.read(line)
    assert report.title == "LawBroken: round trip: it is other"
    assert report.finding == Path("a/crash-e3553a26")


RUNNING = r"print('#9\tNEW    cov: 3 ft: 1 corp: 1/1b exec/s: 1 rss: 1Mb', flush=True);"
DONE = "print('Done 9 runs in 1 second(s)');"
FOUND = "print('Test unit written to x/crash-1');"

ENDINGS = [
    (RUNNING + DONE, Ending.RAN),
    (RUNNING + FOUND + "exit(77)", Ending.FOUND),
    # A target that ends the process, in whatever way, is a finding.
    (RUNNING + "exit(0)", Ending.FOUND),
    (RUNNING + "exit(1)", Ending.FOUND),
    (RUNNING + "import os; os.kill(os.getpid(), 9)", Ending.FOUND),
    # An input that was there already did it, before anything else ran.
    (FOUND + "exit(77)", Ending.FOUND),
    # The engine did not really run.
    ("", Ending.IDLE),
    ("exit(1)", Ending.IDLE),
    ("raise ImportError", Ending.IDLE),
    ("print('Done 0 runs in 1 second(s)')", Ending.IDLE),
    (r"print('#9\tINITED exec/s: 0 rss: 1Mb');" + DONE, Ending.IDLE),
]


def wait(running: Slice, heard: Heard) -> None:
    while True:
        said, line = heard.get(timeout=60)
        assert said is running
        if line is None:
            return
        running.report.read(line)


@pytest.mark.parametrize(("code", "ending"), ENDINGS)
def test_how_it_ended(code: str, ending: Ending, tmp_path: Path) -> None:
    heard: Heard = queue.SimpleQueue()
    log = tmp_path / "log"
    running = Slice("any", [sys.executable, "-c", code], 60, log, heard, measured=True)
    wait(running, heard)
    assert running.reap() is ending
    assert running.report.title or ending is not Ending.FOUND or "crash" in code
    if code.startswith(RUNNING):
        assert log.read_bytes().startswith(b"#9\tNEW")


def test_without_a_measure_no_edges_are_asked_for(tmp_path: Path) -> None:
    heard: Heard = queue.SimpleQueue()
    running = Slice(
        "any", [sys.executable, "-c", DONE], 60, tmp_path / "log", heard, measured=False
    )
    wait(running, heard)
    assert running.reap() is Ending.RAN


STUBBORN = (
    "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    + RUNNING
    + "threading.Event().wait(60)"
)


def started(code: str, tmp_path: Path, seconds: int = 60) -> tuple[Slice, Heard]:
    heard: Heard = queue.SimpleQueue()
    running = Slice(
        "any", [sys.executable, "-c", code], seconds, tmp_path / "log", heard, measured=True
    )
    said, line = heard.get(timeout=60)
    assert line is not None
    said.report.read(line)
    return running, heard


def test_what_does_not_end_when_asked_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_IN_GOOD_ORDER", 0.2)
    running, heard = started(STUBBORN, tmp_path)
    running.stop()
    assert running.reap() is Ending.STOPPED
    wait(running, heard)
    assert running.seconds < 60


def test_what_is_long_overdue_is_killed_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_ON_ITS_OWN", 0.0)
    running, heard = started(STUBBORN, tmp_path, seconds=0)
    running.check_time()
    running.check_time()
    wait(running, heard)
    assert running.reap() is Ending.FOUND
    assert running.report.title == "the process hung, and left no input"
