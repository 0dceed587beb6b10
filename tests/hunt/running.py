"""Searches in processes of their own: what is run, what comes of it, and where that is kept.

Nothing here prints. A run is one part of the suite that searches for one bug, in a copy of the code
in which it is planted, or in a copy that is as it should be.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, Protocol

from authplugin.keeper import descendants

from .parts import BY_NAME, Part
from .planted import Bug, environment, plant, snapshot

_HUNT: Final = "tests/hunt"
_SEARCHING: Final = f"{_HUNT}/searching.py"
_SEARCHES_WITH: Final = (_SEARCHING, f"{_HUNT}/parts.py", f"{_HUNT}/suite.py")
_LOOK: Final = 0.5  # seconds between two looks at the time that a search has taken
_TICK: Final = os.sysconf("SC_CLK_TCK")  # of the times in /proc, in a second
_TAIL: Final = 2000  # characters of what a process printed
_LAST: Final = 200  # and of its last line


class SearchError(Exception):
    """A search did not take place: its process ended before it began, or searched other code than
    it was to."""


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        bug: the bug's name; None for the code as it is.
        part: the name of the part.
        target: that of the fuzz target, for a part that has them; otherwise where it begins.
        seed: what chance begins with; `parts.FIXED` where the same is tried each time.
    """

    bug: str | None
    part: str
    target: str
    seed: int


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        run: the run.
        found: the seconds of the processor after which something was wrong, from the beginning of
            the search on; None where nothing was.
        begun: the seconds of the processor before that.
        tried: examples, tests, vectors or executions; None where that is not known.
        by: the test, law, vector or target that the search ended with.
        says: what that says, or how the process ended; None where nothing was wrong.
        seconds: the seconds of the processor of all its processes together.
        digest: what identifies the code and the bug; see `Snapshot.digest`.
    """

    run: Run
    found: float | None
    begun: float
    tried: int | None
    by: str
    says: str | None
    seconds: float
    digest: str


class Snapshot:
    """The code as it was at one moment; what happens to it later is of no consequence.

    Args:
        folder: where to copy it; a folder that is not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = snapshot(folder)
        self._digest_of_part = cache(self._digest_part)

    def _digest_part(self, part: Part) -> str:
        whole = hashlib.sha256()
        for name in (*_SEARCHES_WITH, *part.depends_on):
            path = self.folder / name
            files = [path] if path.is_file() else sorted(path.rglob("*"))
            for file in files:
                if file.is_file() and file.suffix != ".pyc":
                    whole.update(str(file.relative_to(self.folder)).encode() + b"\0")
                    whole.update(hashlib.sha256(file.read_bytes()).digest())
        return whole.hexdigest()

    def digest(self, part: Part, bug: Bug | None, seconds: float) -> str:
        """Return what identifies all that a result depends on."""
        text = "" if bug is None else bug.text
        all_of_it = f"{seconds:g}\0{self._digest_of_part(part)}\0{text}"
        return hashlib.sha256(all_of_it.encode()).hexdigest()


class _Ended(NamedTuple):
    """A process that has ended: its status, None where its time was over; the seconds of the
    processor that it took; what it wrote into its result by event, and what it printed."""

    status: int | None
    seconds: float
    events: Mapping[str, Mapping[str, Any]]
    printed: str


class Search(Protocol):
    """What carries out runs; see `Searcher`."""

    def __call__(self, run: Run, bug: Bug | None, seconds: float) -> Result:
        """Carry out one, for so many seconds of the processor."""

    def stop(self) -> None:
        """End all that are under way."""


class Searcher:
    """Carries out runs, each in a process of its own, until it is told to stop.

    No such process outlives this one, however it ends.

    Args:
        code: what to plant bugs in copies of.
    """

    def __init__(self, code: Snapshot) -> None:
        self.code = code
        self._under_way: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """End all runs that are under way; what comes of them means nothing."""
        for process in list(self._under_way):
            _kill(process.pid)

    def __call__(self, run: Run, bug: Bug | None, seconds: float) -> Result:
        """Carry out a run.

        Raises:
            DoesNotApplyError: where the patch does not fit the code.
            SearchError: where nothing was searched.
        """
        with TemporaryDirectory(prefix="hunt-", ignore_cleanup_errors=True) as name:
            copied = Path(name) / "copy"
            shutil.copytree(self.code.folder, copied)
            if bug is not None:
                plant(bug, copied)
            ended = self._search(run, copied, seconds)
        if "begun" not in ended.events:
            raise SearchError(f"{run} ended with status {ended.status}:\n{ended.printed[-_TAIL:]}")
        begun = ended.events["begun"]["at"]
        module = Path(ended.events["begun"]["module"])
        if not module.is_relative_to(copied):
            raise SearchError(f"{run} searched {module}, not the copy")
        found: float | None = ended.seconds - begun
        if (end := ended.events.get("ended")) is not None:
            by, tried, says = end["by"], end["tried"], end["says"]
            found = None if says is None else end["seconds"]
        else:
            told = ended.events.get("tried", {})
            by, tried = told.get("by", run.target or run.part), told.get("tried")
            last = ended.printed.rpartition("\n")[2][:_LAST]
            says = f"the process ended with status {ended.status}: {last}"
            if ended.status is None:
                found = says = None
        digest = self.code.digest(BY_NAME[run.part], bug, seconds)
        return Result(run, found, begun, tried, by, says, ended.seconds, digest)

    def _search(self, run: Run, copied: Path, seconds: float) -> _Ended:
        lines = copied.with_name("result")
        lines.touch()
        printed = copied.with_name("printed")
        command = [sys.executable, "-P", str(copied / _SEARCHING), run.part, run.target]
        with (
            printed.open("wb") as output,
            subprocess.Popen(
                [*_repeatable(), *command, str(run.seed), str(seconds), str(lines)],
                cwd=copied,
                env=environment(copied) | {"TMPDIR": str(copied.parent)},
                stdin=subprocess.PIPE,  # it ends with this process, which holds the other end
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            self._under_way.add(process)
            # A target looks at the time itself, more often than can be done from here.
            limit = None if BY_NAME[run.part].has_targets else seconds
            late = _wait(process.pid, limit)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self._under_way.remove(process)
        events = map(json.loads, lines.read_text(encoding="utf-8").splitlines())
        return _Ended(
            None if late else process.returncode,
            used.ru_utime + used.ru_stime,
            {each["event"]: each for each in events},
            printed.read_text(encoding="utf-8", errors="replace").strip(),
        )


def _repeatable() -> list[str]:
    """Return what makes libFuzzer's runs with one seed alike, where there is such a thing."""
    setarch = shutil.which("setarch")
    return [setarch, "-R"] if setarch else []


def _wait(pid: int, limit: float | None) -> bool:
    """Wait for a process to end; end it and say so where its processes take too much time."""
    if limit is None:
        return False
    process = os.pidfd_open(pid)
    try:
        while not select.select([process], [], [], _LOOK)[0]:
            if sum(map(_seconds_of, {pid, *descendants(pid)})) >= limit:
                _kill(pid)
                return True
    finally:
        os.close(process)
    return False


def _seconds_of(pid: int) -> float:
    """Return what a process, and those that it has waited for, have had of the processor."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    return sum(map(int, stat.rpartition(") ")[2].split()[11:15])) / _TICK


def _kill(pid: int) -> None:
    """Kill a process that was not waited for yet, and what it has started."""
    for each in (pid, *descendants(pid)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


class Results:
    """What is known, kept in a file to which lines are added, so that a hunt that was stopped goes
    on, and several hunts can share it.

    Args:
        path: the file.
        digest: says by what the result of a run would be known; what the file holds of other code,
            another limit or another patch is not taken over.
    """

    def __init__(self, path: Path, digest: Callable[[Run], str | None]) -> None:
        self.path = path
        self._digest = digest
        self._known: dict[Run, Result] = {}
        for result in self._kept():
            if result.digest == digest(result.run):
                self._known[result.run] = result

    def _kept(self) -> Iterator[Result]:
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            # What a hunt wrote as it was killed may be cut off.
            with suppress(json.JSONDecodeError):
                kept = json.loads(line)
                yield Result(**{**kept, "run": Run(**kept["run"])})

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._known.values())

    def get(self, run: Run) -> Result | None:
        """Return what came of a run, or None where it has not been carried out."""
        return self._known.get(run)

    def add(self, result: Result) -> None:
        """Keep what came of a run."""
        self._known[result.run] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = b"\n" + json.dumps(asdict(result)).encode()
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, line)
        finally:
            os.close(file)


def carry_out(
    take: Callable[[], tuple[Run, Bug | None, float] | None],
    search: Search,
    results: Results,
    workers: int,
    say: Callable[[str], None],
) -> None:
    """Carry out runs until there are no more, several at a time.

    Args:
        take: returns the next run, its bug and its limit; None where there is none at present.
        search: carries them out; it is stopped where anything goes wrong.
        results: what comes of them is added to it.
        workers: how many at a time.
        say: is told of each as it begins.
    """
    under_way: set[Future[Result]] = set()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while len(under_way) < workers and (taken := take()) is not None:
                    run = taken[0]
                    target = f", {run.target}" if run.target else ""
                    say(f"{run.bug or 'clean'}: {run.part}{target}, seed {run.seed}")
                    under_way.add(pool.submit(search, *taken))
                if not under_way:
                    return
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    results.add(future.result())
        except BaseException:
            search.stop()
            raise
