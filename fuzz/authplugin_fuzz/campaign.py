"""A campaign: every target in processes of its own, each for its share of the time.

Each target's time is cut into as many slices as there are jobs, and the slices of all targets take
turns. A slice that ends early, because it found something, is begun again for what is left of it.
What is found stays in a folder, and with it the inputs that reached something new, so that the next
campaign goes on from there, however this one ends:

    FOLDER/seeds/LAYER/            valid inputs of a layer, always the same
    FOLDER/TARGET/corpus/          inputs that reached something new; see `corpora`
    FOLDER/TARGET/examples/        the same for Hypothesis, in its own form
    FOLDER/TARGET/findings/        inputs that broke something; see `findings`
    FOLDER/TARGET/slice-N.log      what the engine said in the last campaign
    FOLDER/TARGET/new/, left/, under-way-N
                                   what an engine leaves, until the campaign has taken it over
    FOLDER/campaign.lock           held by the campaign that works in the folder
"""

from __future__ import annotations

import errno
import os
import queue
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from . import engines
from .apart import write_seeds
from .attempts import Attempts
from .corpora import Corpus, sha1
from .engines import Bounds, Engine
from .findings import FINDINGS, Finding, Findings
from .keeping import alone, recover, still_there
from .layers import Layer
from .slices import Ended, Ending, Order, Sample, Slice, Verdict
from .targets import TARGETS

_LOOK = 0.2  # seconds between two looks at the clock
_ADOPT = 1.0  # seconds between two looks at what the engines leave
_ROOM = 64 * 1024  # bytes of the disk; with less nothing can be kept

_MOST_AGAIN: Final = 3
"""So often is a slice begun again that ends early; what it finds is mostly the same."""

_SHORTEST: Final = 2.0
"""Seconds that are worth beginning a slice again for."""


@dataclass(slots=True)
class Tally:
    """What came of one target so far.

    Attributes:
        corpus: its inputs.
        slices: what runs, or has run, in the order in which it began.
        endings: how those that are over ended.
        findings: what was found, or was found earlier and is still there, by its name.
        mended: how many inputs of earlier findings break nothing any more.
        kept: how many inputs the corpus holds.
        notes: what else there is to say, each in a line.
    """

    corpus: Corpus
    slices: list[Slice] = field(default_factory=list)
    endings: dict[Slice, Ending] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    mended: int = 0
    kept: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def running(self) -> int:
        """How many slices run now."""
        return len(self.slices) - len(self.endings)

    @property
    def seconds(self) -> float:
        """For how long it has run, all processes together."""
        return sum(each.seconds for each in self.slices)

    @property
    def executions(self) -> int:
        """Inputs tried."""
        return sum(each.report.executions for each in self.slices)

    @property
    def rate(self) -> float:
        """Inputs tried in a second of one process, its start included."""
        return self.executions / self.seconds if self.slices else 0.0

    @property
    def edges(self) -> int | None:
        """Edges of the code that were reached, or None where nothing measures them."""
        return max((each.report.edges or 0 for each in self.slices), default=0) or None

    @property
    def peak(self) -> int:
        """Bytes of memory that one of its processes has had at most; 0 where it is not known."""
        return max((each.peak for each in self.slices), default=0)

    @property
    def growth(self) -> int:
        """Bytes of memory by which one of its processes has grown at most, from its middle on."""
        grown = (_grown(each.samples) for each in self.slices)
        return max(grown, default=0)


def _grown(samples: Sequence[Sample]) -> int:
    resident = [each.resident for each in samples if each.resident]
    return resident[-1] - resident[len(resident) // 2] if resident else 0


class Campaign:
    """Fuzzes targets for a while.

    Args:
        targets: their names.
        minutes: for how long, all together.
        jobs: how many processes at a time.
        folder: where everything is kept.
        seed: what the inputs follow from; see `engines.command`.
        engine: what makes the inputs.
        bounds: what an input may take.

    Attributes:
        tallies: what came of each target so far, by name.
        began: when it was made.
        started: when it began, in seconds of the clock that `time.monotonic` reads.
        fuzzed: for how many seconds it ran; None while it does.

    Raises:
        FolderError: where another campaign works in the folder.
        OSError: where the folder cannot be made.
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
        bounds: Bounds | None = None,
    ) -> None:
        self.engine: Final = engine
        self.minutes: Final = minutes
        self.jobs: Final = jobs
        self.seed: Final = seed
        self.folder: Final = folder.absolute()
        self.bounds: Final = bounds or Bounds()
        self.kept: Final = Findings(self.folder)
        self.began: Final = datetime.now(UTC)
        self.started = monotonic()
        self.fuzzed: float | None = None
        self.tallies: Final = {name: Tally(Corpus(self.folder / name)) for name in targets}
        # The targets take turns, and each has had as many slices as the next before it has more.
        self._waiting = deque((name, number) for number in range(jobs) for name in targets)
        self._seconds: Final = max(1, round(60 * minutes / len(self.tallies)))
        self._running: list[Slice] = []
        self._places: dict[Slice, int] = {}
        self._again: dict[tuple[str, int], int] = {}
        self._ended: Final[Ended] = queue.SimpleQueue()
        self._adopt_at = 0.0
        self._stopping = False

    @property
    def duration(self) -> float:
        """For how many seconds the campaign is to run, as planned."""
        return self._seconds * len(self.tallies)

    @property
    def findings(self) -> list[Finding]:
        """All that was found, or was found earlier and is still there."""
        return [each for tally in self.tallies.values() for each in tally.findings.values()]

    @property
    def idle(self) -> list[Slice]:
        """The slices in which the engine did not really run."""
        return [
            each
            for tally in self.tallies.values()
            for each, ending in tally.endings.items()
            if ending is Ending.IDLE
        ]

    def run(self, show: Callable[[], None]) -> None:
        """Run until the time is over; whatever happens, leave no process.

        Args:
            show: called now and then, when all that was found is kept; what it raises ends
                everything.

        Raises:
            FolderError: where another campaign works in the folder, or nothing can be kept in it.
            OSError: the same.
        """
        with ExitStack() as held:
            held.callback(alone(self.folder).close)
            try:
                self._prepare(show)
                self.started = monotonic()
                while self._waiting or self._running:
                    while self._waiting and len(self._running) < self.jobs:
                        self._start(*self._waiting.popleft(), self._seconds)
                    self._listen()
                    show()
            finally:
                self._stop()
                self.fuzzed = monotonic() - self.started

    # Before.

    def _prepare(self, show: Callable[[], None]) -> None:
        """Make the folders, write the seeds, and take over what an earlier campaign has left."""
        layers = {TARGETS[name].layer for name in self.tallies}
        write_seeds(self.folder / "seeds", sorted(layers))
        for name, tally in self.tallies.items():
            show()
            for each in (engines.LEFT, FINDINGS, "examples"):
                (self.folder / name / each).mkdir(parents=True, exist_ok=True)
            with self._attempts(name) as attempts:
                recover(tally.corpus, self.kept, attempts)
                there, mended = still_there(tally.corpus, self.kept, attempts)
            tally.findings = {finding.name: finding for finding in there}
            tally.mended = len(mended)
            tally.kept = len(tally.corpus.inputs())

    def _seeds(self, layer: Layer) -> Path:
        return self.folder / "seeds" / layer

    def _attempts(self, name: str) -> Attempts:
        return Attempts(name, seconds=self.bounds.seconds, mebibytes=self.bounds.mebibytes)

    # Meanwhile.

    def _start(self, name: str, number: int, seconds: float) -> None:
        folder = self.folder / name
        noted = folder / f"under-way-{number}"
        again = self._again.get((name, number), 0)
        seed = self.seed + number + again * self.jobs
        command = engines.command(
            self.engine,
            name,
            seconds=max(1, round(seconds)),
            seed=seed,
            folder=folder,
            corpora=[self.tallies[name].corpus.path, self._seeds(TARGETS[name].layer)],
            bounds=self.bounds,
            under_way=noted,
        )
        measured = self.engine is Engine.ATHERIS
        order = Order(
            name,
            command,
            seconds,
            seed,
            folder / (f"slice-{number}.log" if not again else f"slice-{number}-{again}.log"),
            noted,
            measured=measured,
            bounds=self.bounds,
            # libFuzzer looks every half of the time, and says where it was spent.
            patience=self.bounds.seconds * (2 if measured else 1) + 1,
        )
        started = Slice(order, self._ended)
        self._running.append(started)
        self._places[started] = number
        self.tallies[name].slices.append(started)

    def _listen(self) -> None:
        """Wait for a moment, or until a slice ends; see how all of them stand."""
        try:
            ended = self._ended.get(timeout=_LOOK)
        except queue.Empty:
            pass
        else:
            if ended in self._running:
                self._end(ended)
        for each in self._running:
            each.watch()
        if monotonic() >= self._adopt_at:
            self._adopt_at = monotonic() + _ADOPT
            if shutil.disk_usage(self.folder).free < _ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))
            for name in {each.target for each in self._running}:
                self._adopt(name)

    def _adopt(self, name: str) -> None:
        tally = self.tallies[name]
        tally.corpus.adopt()
        with os.scandir(tally.corpus.path) as entries:
            tally.kept = sum(1 for _ in entries)

    def _end(self, ended: Slice) -> None:
        self._running.remove(ended)
        verdict = ended.reap()
        name = ended.target
        tally = self.tallies[name]
        tally.endings[ended] = verdict.ending
        self._adopt(name)
        news = verdict.ending is Ending.FOUND and self._keep(name, verdict, ended)
        # Only now: until it is kept elsewhere, the input is here.
        ended.order.under_way.unlink(missing_ok=True)
        if ended.report.finding is not None:
            ended.report.finding.unlink(missing_ok=True)
        if news:
            self._begin_again(name, ended)

    def _keep(self, name: str, verdict: Verdict, ended: Slice) -> bool:
        """Keep what a slice has found, and say whether this campaign did not know it yet."""
        tally = self.tallies[name]
        title = verdict.title
        log = ended.order.log
        found = verdict.found
        by_itself = found is not None
        if found is not None and ended.report.finding is None:
            # Nobody but the process itself has judged it.
            with self._attempts(name) as attempts:
                violation = attempts.violation(found)
            by_itself = violation is not None
            if not by_itself:
                title += "; the input that was under way does no such thing by itself"
        finding = self.kept.add(
            name, verdict.kind, title, found=found, log=log if log.exists() else None
        )
        news = finding.name not in tally.findings
        tally.findings[finding.name] = finding
        if found is not None and by_itself:
            # An engine would end at it each time that it begins.
            (tally.corpus.path / sha1(found)).unlink(missing_ok=True)
            (tally.corpus.new / sha1(found)).unlink(missing_ok=True)
        return news

    def _begin_again(self, name: str, ended: Slice) -> None:
        place = name, self._places[ended]
        left = ended.order.seconds - ended.seconds
        again = self._again.get(place, 0)
        if not self._stopping and left >= _SHORTEST and again < _MOST_AGAIN:
            self._again[place] = again + 1
            self._start(*place, left)

    # After.

    def _stop(self) -> None:
        """End everything that runs, and take over what it leaves."""
        self._stopping = True
        self._waiting.clear()
        stopped = list(self._running)
        for each in stopped:
            each.stop()
        failed: OSError | None = None
        for each in stopped:
            try:
                self._end(each)
            except OSError as error:
                failed = error
        for tally in self.tallies.values():
            try:
                tally.corpus.clear()
            except OSError as error:
                failed = error
        if failed is not None:
            raise failed
