"""Which engine finds which planted bug, and how soon: what is run, and what is known of it.

Nothing here prints. A run is one engine that searches one target with one seed for one bug. A race
is one engine against one bug: the targets of the bug's layer one after the other, each with every
seed, until one of them finds it in at most the seconds that it has, in the median of the seeds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import product
from math import inf
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from authplugin_fuzz.layers import Layer
from authplugin_fuzz.targets import TARGETS

from . import searching
from .planted import ROOT, Bug, copy, environment

_NEXT: Final = {Layer.CONVERSATION: (Layer.CHOICES,)}
"""The layers whose targets search behind those of a bug's own layer."""

JUDGED_BY: Final = ("codec", "properties", "fuzz")
"""The folders on which the results depend. (The patches are looked at one by one.)"""

_SEARCHING: Final = Path(searching.__file__)
_TAIL: Final = 2000  # characters of what a process printed
_LAST: Final = 200  # and of its last line


class SearchError(Exception):
    """A search did not take place: its process ended before the first input, or searched other
    code than it was to."""


def targets_for(layer: str) -> list[str]:
    """Return the targets that search for bugs of a layer, in this order whatever the engine."""
    own = Layer(layer)
    layers = (own, *_NEXT.get(own, ()))
    return [target.name for each in layers for target in TARGETS.values() if target.layer is each]


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        bug: the bug's name; None for the code as it is.
        engine: one of `searching.ENGINES`.
        target: the target's name.
        seed: what the engine begins with; from 1.
    """

    bug: str | None
    engine: str
    target: str
    seed: int


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        run: the run.
        found: the seconds of the processor, from the first input on, after which an input broke
            a law or ended the process; None where none did.
        begun: the seconds of the processor before that.
        executions: inputs tried; None where one of them ended the process.
        says: what the law said, or how the process ended.
        digest: what identifies the patch that was applied.
    """

    run: Run
    found: float | None
    begun: float
    executions: int | None
    says: str | None
    digest: str


class _Ended(NamedTuple):
    """A process that has ended: its status, the seconds of the processor that it took, what it
    wrote into its result by event, and what it printed."""

    status: int
    seconds: float
    events: Mapping[str, Mapping[str, Any]]
    printed: str


class Searcher:
    """Carries out runs, each in a process of its own, until it is told to stop.

    No such process outlives this one, however it ends.
    """

    def __init__(self) -> None:
        self._under_way: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """End all runs that are under way; what comes of them means nothing."""
        for process in list(self._under_way):
            # Not process.kill(), which would reap a process that has just ended.
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def __call__(self, run: Run, bug: Bug | None, seconds: float) -> Result:
        """Carry out a run.

        Raises:
            DoesNotApplyError: where the patch does not fit the code.
            SearchError: where nothing was searched.
        """
        with TemporaryDirectory(prefix="hunt-") as folder:
            first = copy(Path(folder), bug)
            ended = self._search(run, first, seconds, Path(folder))
        if "begun" not in ended.events:
            raise SearchError(f"{run} ended with status {ended.status}:\n{ended.printed[-_TAIL:]}")
        begun = ended.events["begun"]["at"]
        module = Path(ended.events["begun"]["module"])
        if not module.is_relative_to(first):
            raise SearchError(f"{run} searched {module}, not the copy")
        end = ended.events.get("ended")
        if end is None:
            last = ended.printed.rpartition("\n")[2][:_LAST]
            says = f"the process ended with status {ended.status}: {last}"
            return Result(run, ended.seconds - begun, begun, None, says, digest_of(bug))
        found = None if end["says"] is None else end["seconds"]
        return Result(run, found, begun, end["executions"], end["says"], digest_of(bug))

    def _search(self, run: Run, first: Path, seconds: float, folder: Path) -> _Ended:
        """Search what is in `first`, with a folder to work in."""
        lines = folder / "result"
        lines.touch()
        printed = folder / "printed"
        command = [sys.executable, "-P", str(_SEARCHING), run.engine, run.target, str(run.seed)]
        with (
            printed.open("wb") as output,
            subprocess.Popen(
                [*_repeatable(), *command, str(seconds), str(lines)],
                cwd=folder,
                env=environment(first),
                stdin=subprocess.PIPE,  # it ends with this process, which holds the other end
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            self._under_way.add(process)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self._under_way.remove(process)
        events = map(json.loads, lines.read_text(encoding="utf-8").splitlines())
        return _Ended(
            process.returncode,
            used.ru_utime + used.ru_stime,
            {each["event"]: each for each in events},
            printed.read_text(encoding="utf-8", errors="replace").strip(),
        )


def _repeatable() -> list[str]:
    """Return what makes libFuzzer's runs with one seed alike, where there is such a thing."""
    setarch = shutil.which("setarch")
    return [setarch, "-R"] if setarch else []


def digest_of(bug: Bug | None) -> str:
    """Return what identifies a patch; nothing does the absence of one."""
    return "" if bug is None else hashlib.sha256(bug.text.encode()).hexdigest()


def digest_of_code() -> str:
    """Return what identifies the code that is searched, and the code that searches."""
    whole = hashlib.sha256(_SEARCHING.read_bytes())
    for room in JUDGED_BY:
        for path in sorted((ROOT / room).rglob("*.py")):
            whole.update(str(path.relative_to(ROOT)).encode() + b"\0")
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


class Results:
    """What is known, kept in a file so that a run that was stopped goes on.

    Args:
        path: the file. What it holds of other code, of another time limit or of a patch that has
            changed is not taken over.
        bugs: the bugs that can be planted, by name.
        seconds: the time limit of each run, of the processor.
    """

    def __init__(self, path: Path, bugs: Mapping[str, Bug], seconds: float) -> None:
        self.path = path
        self.seconds = seconds
        self.code = digest_of_code()
        self._known: dict[Run, Result] = {}
        for result in self._kept():
            bug = bugs.get(result.run.bug or "")
            if result.digest == digest_of(bug) and (bug is None) == (result.run.bug is None):
                self._known[result.run] = result

    def _kept(self) -> Iterator[Result]:
        if not self.path.exists():
            return
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        if (kept["code"], kept["seconds"]) == (self.code, self.seconds):
            for each in kept["runs"]:
                yield Result(**{**each, "run": Run(**each["run"])})

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

    def write(self, summary: object) -> None:
        """Write the file, whole or not at all."""
        kept = {
            "code": self.code,
            "seconds": self.seconds,
            "summary": summary,
            "runs": [asdict(result) for result in self],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        beside.replace(self.path)


@dataclass(frozen=True)
class Standing:
    """How a race stands.

    Attributes:
        next: the run to carry out next; None where the race is over.
        target: the target that finds the bug; None where none does, or none has yet.
        seconds: of the processor, in the median of the seeds, that this target took.
        executions: the inputs that it tried, likewise; None where the process died of one.
        tried: the targets that came before it, in order: all where none finds the bug.
        runs: how many runs it has taken.
    """

    next: Run | None
    target: str | None = None
    seconds: float | None = None
    executions: int | None = None
    tried: tuple[str, ...] = ()
    runs: int = 0


@dataclass(frozen=True)
class Race:
    """One engine against one bug.

    Attributes:
        bug: the bug.
        engine: one of `searching.ENGINES`.
        seeds: the seeds.
    """

    bug: Bug
    engine: str
    seeds: Sequence[int]

    def standing(self, results: Results) -> Standing:
        """Return what the results say of it.

        As soon as the median of a target's seeds is known to be over the limit the next target's
        turn comes. Where one finds the bug all seeds are run.
        """
        tried: tuple[str, ...] = ()
        runs = 0
        misses_to_miss = len(self.seeds) - len(self.seeds) // 2
        for target in targets_for(self.bug.layer):
            came: list[tuple[float, int | None]] = []
            for seed in self.seeds:
                run = Run(self.bug.name, self.engine, target, seed)
                result = results.get(run)
                if result is None:
                    return Standing(run, tried=tried, runs=runs)
                runs += 1
                late = result.found is None or result.found > results.seconds
                came.append((inf if late else result.found or 0.0, result.executions))
                if [seconds for seconds, _ in came].count(inf) == misses_to_miss:
                    tried += (target,)
                    break
            else:
                seconds, executions = sorted(came, key=itemgetter(0))[len(came) // 2]
                return Standing(None, target, seconds, executions, tried, runs)
        return Standing(None, tried=tried, runs=runs)


def controls(engines: Sequence[str], seeds: Sequence[int]) -> list[Run]:
    """Return the runs over the code as it is: every target, by every engine, with every seed.

    Whoever finds something there is wrong himself.
    """
    return [Run(None, *each, seed) for seed in seeds for each in product(engines, TARGETS)]


def summary_of(races: Sequence[Race], results: Results) -> list[dict[str, Any]]:
    """Return how each race stands, as plain data."""
    summary = []
    for race in races:
        standing = race.standing(results)
        summary.append(
            {
                "bug": race.bug.name,
                "layer": race.bug.layer,
                "engine": race.engine,
                "over": standing.next is None,
                "target": standing.target,
                "seconds": standing.seconds,
                "executions": standing.executions,
                "tried": standing.tried,
            }
        )
    return summary
