"""Real campaigns for tests, very short, over the codec or over one that is wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import authplugin
from authplugin_fuzz.screen import COLUMNS
from authplugin_fuzz.targets import TARGETS

FUZZ = (sys.executable, "-m", "authplugin_fuzz.command")
LIMIT = 100  # seconds, for a campaign of a few: other tests run beside it

HEARS_AN_ANSWER = """


_receive = Session.receive_data


def _wrong(self, data):
    if self.state is State.OFFERED:
        import ctypes, os, sys, time

        {}
    return _receive(self, data)


Session.receive_data = _wrong
"""
"""What to append to the codec so that something happens when the client hears an answer."""


def environment(*first: Path) -> dict[str, str]:
    """Return an environment in which these folders are looked into first.

    `make coverage` measures nothing in it: what runs may be a copy of the codec, and wrong.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return kept | {
        "PYTHONPATH": os.pathsep.join(map(str, first)),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), kept["PATH"])),
        "COLUMNS": "120",
    }


def fuzz(*arguments: str | Path, before: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run `authplugin fuzz` to its end."""
    return subprocess.run(
        [*FUZZ, *map(str, arguments)],
        env=environment(*before),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def rows(output: str) -> dict[str, dict[str, str]]:
    """Return what the last table says, by target and column."""
    words = (line.split() for line in output.splitlines())
    return {
        row[0]: dict(zip(("state", *COLUMNS), row[1:], strict=True))
        for row in words
        if row and row[0] in TARGETS and len(row) == 2 + len(COLUMNS)
    }


def wrong_codec(folder: Path, code: str) -> Path:
    """Make a copy of the codec with some code at the end of its sessions; return its folder."""
    source = Path(authplugin.__file__).parent
    copy = folder / "authplugin"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "session.py").open("a") as file:
        file.write(code)
    return folder


def whole(path: Path) -> bool:
    """Say whether a file of a corpus, or of a finding, is what its name says."""
    named = path.name.rpartition("-")[2]
    return named == hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def inputs(folder: Path) -> dict[Path, bytes]:
    """Return the inputs of a folder, whatever else is there."""
    return {
        path: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix not in (".json", ".log") and not path.name.startswith(".")
    }


@contextmanager
def running(
    folder: Path, *targets: str, before: tuple[Path, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Start a campaign that is far from its end; it is killed in the end, whatever happens."""
    campaign = subprocess.Popen(
        [*FUZZ, *targets, "--minutes", "30", "--jobs", "2", "--folder", str(folder)],
        env=environment(*before),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    children: set[int] = set()
    try:
        yield campaign
        children = descendants(campaign.pid)
    finally:
        campaign.kill()
        campaign.communicate()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def descendants(process: int) -> set[int]:
    """Return the ids of all processes that one has started, and those that they have."""
    found: set[int] = set()
    todo = [process]
    while todo:
        each = todo.pop()
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                new = {int(child) for child in (task / "children").read_text().split()} - found
                found |= new
                todo += new
    return found


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is true."""
    deadline = monotonic() + seconds
    pause = 0.001
    while not true():
        assert monotonic() < deadline, "it never came true"
        sleep(pause)
        pause = min(2 * pause, 0.1)


def gone(process: int) -> bool:
    """Say whether a process is no more, or waits for nothing but to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
