"""A campaign: every target in processes of its own, each for its share of the time.

Each target's time is cut into as many slices as there are jobs, and the slices of all targets take
turns. What is found stays in a folder, and with it the inputs that reached something new, so that
the next campaign goes on from there:

    FOLDER/seeds/                 valid conversations, written anew each time
    FOLDER/TARGET/corpus/         inputs that reached something new
    FOLDER/TARGET/examples/       the same for Hypothesis, in its own form
    FOLDER/TARGET/findings/       inputs that broke a law, or the process
    FOLDER/TARGET/slice-N.log     what the engine said in the last campaign
"""

from __future__ import annotations

import hashlib
import queue
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from . import engines
from .engines import Engine
from .making import seeds
from .slices import Ending, Heard, Slice

_LOOK = 0.2  # seconds between two looks at the clock


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke something.

    Attributes:
        target: the target that it broke.
        title: what it broke, in a line.
        path: the input, or the engine's log where no input is left.
        reproduce: the command that shows it again, or None where there is no input.
    """

    target: str
    title: str
    path: Path
    reproduce: tuple[str, ...] | None


@dataclass(slots=True)
class Tally:
    """What came of one target so far.

    Attributes:
        slices: what runs, or has run.
        endings: how those that are over ended.
        findings: what was found.
        earlier: how many findings of earlier campaigns are kept.
    """

    slices: list[Slice] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    findings: dict[Path, Finding] = field(default_factory=dict)
    earlier: int = 0

    @property
    def running(self) -> int:
        """How many slices run now."""
        return len(self.slices) - len(self.endings)

    @property
    def executions(self) -> int:
        """Inputs tried."""
        return sum(each.report.executions for each in self.slices)

    @property
    def rate(self) -> float:
        """Inputs tried in a second of one process, its start included."""
        seconds = sum(each.seconds for each in self.slices)
        return self.executions / seconds if seconds else 0.0

    @property
    def edges(self) -> int | None:
        """Edges of the code that were reached, or None where nothing measures them."""
        return max((each.report.edges or 0 for each in self.slices), default=0) or None

    @property
    def corpus(self) -> int:
        """Inputs kept."""
        return max((each.report.corpus for each in self.slices), default=0)


class Campaign:
    """Fuzzes targets for a while.

    Args:
        targets: their names.
        minutes: for how long, all together.
        jobs: how many processes at a time.
        folder: where everything is kept.
        seed: what the inputs follow from; see `engines.command`.
        engine: what makes the inputs.

    Attributes:
        tallies: what came of each target so far, by name.
    """

    def __init__(
        self,
        targets: Sequence[str],
        *,
        minutes: float,
        jobs: int,
        folder: Path,
        seed: int,
        engine: Engine,
    ) -> None:
        self.engine: Final = engine
        self.jobs: Final = jobs
        self.seed: Final = seed
        self.tallies: Final = {name: Tally() for name in targets}
        self.started = monotonic()
        # The targets take turns, and each has had as many slices as the next before it has more.
        self._waiting = deque((name, number) for number in range(jobs) for name in targets)
        self._seconds: Final = max(1, round(60 * minutes / len(self.tallies)))
        self._folder: Final = folder.absolute()
        self._running: list[Slice] = []
        self._heard: Final[Heard] = queue.SimpleQueue()

    @property
    def duration(self) -> float:
        """For how many seconds the campaign is to run, as planned."""
        return self._seconds * len(self.tallies)

    @property
    def findings(self) -> list[Finding]:
        """All that was found."""
        return [each for tally in self.tallies.values() for each in tally.findings.values()]

    @property
    def idle(self) -> list[Slice]:
        """The slices in which the engine did not really run."""
        return [
            each
            for tally in self.tallies.values()
            for each, ending in zip(tally.slices, tally.endings, strict=False)
            if ending is Ending.IDLE
        ]

    def run(self, show: Callable[[], None]) -> None:
        """Run until the time is over; whatever happens, leave no process.

        Args:
            show: called now and then.
        """
        try:
            self._prepare()
            self.started = monotonic()
            while self._waiting or self._running:
                while self._waiting and len(self._running) < self.jobs:
                    self._start(*self._waiting.popleft())
                self._listen()
                show()
        finally:
            self._stop()

    def _prepare(self) -> None:
        """Make the folders, and write the seeds."""
        made = self._folder / "seeds"
        made.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            name = hashlib.sha1(seed, usedforsecurity=False).hexdigest()
            (made / name).write_bytes(seed)
        for name, tally in self.tallies.items():
            for kept in ("corpus", "findings", "examples"):
                (self._folder / name / kept).mkdir(parents=True, exist_ok=True)
            tally.earlier = sum(1 for _ in (self._folder / name / "findings").iterdir())

    def _start(self, name: str, number: int) -> None:
        folder = self._folder / name
        corpora = [self._folder / "seeds"]
        if number == 0:
            # What was found before is tried first; the other slices look past it.
            corpora.append(folder / "findings")
        command = engines.command(
            self.engine,
            name,
            seconds=self._seconds,
            seed=self.seed + number,
            folder=folder,
            corpora=corpora,
        )
        started = Slice(
            name,
            command,
            self._seconds,
            folder / f"slice-{number}.log",
            self._heard,
            measured=self.engine is Engine.ATHERIS,
        )
        self._running.append(started)
        self.tallies[name].slices.append(started)

    def _listen(self) -> None:
        """Take in what the slices say, for a moment."""
        until = monotonic() + _LOOK
        while (left := until - monotonic()) > 0:
            try:
                said, line = self._heard.get(timeout=left)
            except queue.Empty:
                break
            if line is not None:
                said.report.read(line)
            elif said in self._running:
                self._end(said)
                break
        for each in self._running:
            each.check_time()

    def _end(self, ended: Slice) -> None:
        ending = ended.reap()
        self._running.remove(ended)
        tally = self.tallies[ended.target]
        # Kept in the order in which they ended, so that the two lists go together.
        tally.slices.remove(ended)
        tally.slices.insert(len(tally.endings), ended)
        tally.endings.append(ending)
        if ending is Ending.FOUND:
            path = ended.report.finding
            reproduce = None
            if path is not None:
                reproduce = (
                    sys.executable,
                    "-m",
                    "authplugin_fuzz.targets",
                    ended.target,
                    str(path),
                )
            found = Finding(ended.target, ended.report.title, path or ended.log, reproduce)
            tally.findings[found.path] = found

    def _stop(self) -> None:
        """End everything that runs."""
        self._waiting.clear()
        for each in self._running:
            each.stop()
        for each in list(self._running):
            self._end(each)
