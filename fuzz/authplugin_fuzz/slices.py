"""One process of a campaign: started, listened to, watched, judged and reaped."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from . import engines, under_way
from .corpora import sha1
from .engines import Bounds
from .findings import Kind
from .keeping import kind_of
from .worker import UNCAUGHT

_STATUS = re.compile(r"#(\d+)\t[A-Za-z]+ +(?:cov: (\d+) .*?)?(?:corp: (\d+)/|exec/s)")
_DONE = re.compile(r"Done (\d+) runs in \d+ second")
_WRITTEN = re.compile(r"Test unit written to (.+)")
_ERROR = re.compile(r"==\d+== ?ERROR: libFuzzer: (.+)")

_ON_ITS_OWN = 60.0
"""Seconds that a process may take beyond its time: to start, and to end an input that hangs."""

_IN_GOOD_ORDER = 5.0
"""Seconds that a process may take to end when asked to."""

_EVERY = 0.2  # seconds between two samples, at first
_MOST_SAMPLES = 600  # of a process, however long it runs

_MEMORY = re.compile(rb"^Vm(HWM|RSS):\s+(\d+) kB", re.MULTILINE)


class Ending(StrEnum):
    """How a slice ended."""

    RAN = "ran"
    """Its time is over, and nothing was found."""
    FOUND = "found"
    """An input broke a law, or the process; or the process is gone."""
    STOPPED = "stopped"
    """The campaign stopped it."""
    IDLE = "idle"
    """The engine did not really run: nothing was executed, or nothing measured."""


class Verdict(NamedTuple):
    """How a slice ended, and what it found.

    Attributes:
        ending: how it ended.
        kind: what was found, where something was.
        title: the same, in a line.
        found: the input, where it is known.
    """

    ending: Ending
    kind: Kind = Kind.CRASH
    title: str = ""
    found: bytes | None = None


@dataclass(slots=True)
class Report:
    """What a process has said of itself.

    Attributes:
        executions: inputs tried.
        edges: edges of the code that they reached; None where nothing measures them.
        corpus: inputs kept.
        done: inputs tried by the end, where the engine came to its end.
        finding: the file that it left, of an input that broke something.
        title: what the input broke, in a line.
    """

    executions: int = 0
    edges: int | None = None
    corpus: int = 0
    done: int | None = None
    finding: Path | None = None
    title: str = ""
    _title_next: bool = False

    def read(self, line: str) -> None:
        """Take in a line of its output."""
        if self._title_next:
            self.title, self._title_next = line, False
        elif match := _STATUS.match(line):
            executions, edges, corpus = match.groups()
            self.executions = max(self.executions, int(executions))
            self.edges = self.edges if edges is None else int(edges)
            self.corpus = self.corpus if corpus is None else int(corpus)
        elif match := _DONE.match(line):
            self.done = int(match[1])
            self.executions = max(self.executions, self.done)
        elif match := _WRITTEN.search(line):
            self.finding = Path(match[1])
        elif match := _ERROR.match(line):
            self.title = self.title or match[1]
        elif line == UNCAUGHT:
            self._title_next = True


class Sample(NamedTuple):
    """How things stood at a moment.

    Attributes:
        at: when, in seconds since the process began.
        executions: inputs tried by this process.
        edges: edges of the code that it has reached.
        corpus: inputs that it keeps.
        resident: bytes of memory that it has.
    """

    at: float
    executions: int
    edges: int
    corpus: int
    resident: int


Ended = queue.SimpleQueue["Slice"]
"""The slices of a campaign that have no more to say."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a slice is to do.

    Attributes:
        target: the target's name.
        command: what to run.
        seconds: for how long it means to run.
        seed: what its inputs follow from.
        log: the file that keeps all that it says.
        under_way: the file in which it notes the input under way; it need not be there.
        measured: whether it reports the edges that it reaches.
        bounds: what an input may take.
        patience: seconds after which an input is ended from outside; the engine may do so before.
    """

    target: str
    command: list[str]
    seconds: float
    seed: int
    log: Path
    under_way: Path
    measured: bool = True
    bounds: Bounds = field(default_factory=Bounds)
    patience: float = 60.0


class Slice:
    """A process that fuzzes one target for a while.

    Args:
        order: what it is to do.
        ended: where it goes when it has no more to say.

    Attributes:
        report: what it has said of itself so far.
        samples: how it stood now and then.
        peak: bytes of memory that it has had at most.

    Raises:
        OSError: where it cannot be started.
    """

    def __init__(self, order: Order, ended: Ended) -> None:
        self.order: Final = order
        self.report: Final = Report()
        self.samples: Final[list[Sample]] = []
        self.peak = 0
        under_way.create(order.under_way)
        self._stopped = False
        self._killed: tuple[Kind, str] | None = None
        self._begun = 0
        self._every = _EVERY
        self._sampled_at = float("-inf")
        self._begun_at = self._started = monotonic()
        self._ended: float | None = None
        self._due = self._started + order.seconds + _ON_ITS_OWN
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own files
            order.command,
            # Nothing is ever written to it: it tells the process that the campaign is there.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=engines.environment(),
            # Ctrl-C is for the campaign, which then ends its processes in good order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, args=(ended,), daemon=True)
        self._reader.start()

    @property
    def target(self) -> str:
        """The target's name."""
        return self.order.target

    @property
    def seconds(self) -> float:
        """For how long it has run."""
        return (monotonic() if self._ended is None else self._ended) - self._started

    @property
    def process_id(self) -> int:
        """The process's id."""
        return self._process.pid

    def _listen(self, ended: Ended) -> None:
        output = self._process.stdout
        assert output is not None
        # Whatever becomes of the log, such as a full disk, the process must be listened to.
        with suppress(OSError), self.order.log.open("wb", buffering=0) as log:
            for line in output:
                self._hear(line)
                log.write(line)
        for line in output:
            self._hear(line)
        ended.put(self)

    def _hear(self, line: bytes) -> None:
        self.report.read(line.decode(errors="replace").rstrip("\n"))

    def watch(self) -> None:
        """See how it stands, and end it where it or its input takes too long or too much."""
        now = monotonic()
        begun, size = under_way.look(self.order.under_way)
        self.report.executions = max(self.report.executions, begun)
        if begun != self._begun or size is None:
            self._begun, self._begun_at = begun, now
        resident = self._measure()
        # A process that has ended has no memory.
        if now - self._sampled_at >= self._every and self._process.poll() is None:
            self._sampled_at = now
            self._sample(now - self._started, resident)
        bounds = self.order.bounds
        if self._killed is not None:
            return
        if now - self._begun_at > self.order.patience:
            self._end(Kind.TIMEOUT, f"it took more than {bounds.seconds} seconds")
        elif resident > bounds.mebibytes * 2**20 * 5 // 4:
            # An engine looks for itself too, but not often, and says where the memory has gone.
            self._end(Kind.OOM, f"the process had more than {bounds.mebibytes} MiB of memory")
        elif now > self._due:
            self._end(Kind.TIMEOUT, "the process did not end when its time was over")

    def _sample(self, at: float, resident: int) -> None:
        report = self.report
        self.samples.append(
            Sample(at, report.executions, report.edges or 0, report.corpus, resident)
        )
        if len(self.samples) >= _MOST_SAMPLES:
            del self.samples[1::2]
            self._every *= 2

    def _measure(self) -> int:
        """Return the bytes of memory that it has; 0 where that cannot be told."""
        try:
            status = Path("/proc", str(self._process.pid), "status").read_bytes()
        except OSError:
            return 0
        found = {name: int(size) * 1024 for name, size in _MEMORY.findall(status)}
        self.peak = max(self.peak, found.get(b"HWM", 0))
        return found.get(b"RSS", 0)

    def _end(self, kind: Kind, title: str) -> None:
        self._killed = kind, title
        self._kill()

    def stop(self) -> None:
        """Ask the process to end."""
        self._stopped = True
        self._process.terminate()

    def reap(self) -> Verdict:
        """End whatever is left of the process, and say how it ended; to be called once."""
        try:
            status = self._process.wait(_IN_GOOD_ORDER)
        except subprocess.TimeoutExpired:
            self._end(Kind.TIMEOUT, "the process did not end")
            status = self._process.wait()
        # What it has started goes with it.
        self._kill()
        self._reader.join(_IN_GOOD_ORDER)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._ended = monotonic()
        begun = under_way.look(self.order.under_way).begun
        self.report.executions = max(self.report.executions, begun)
        return self._judge(status)

    def _kill(self) -> None:
        """Kill the process, and what it may have started."""
        with suppress(ProcessLookupError, PermissionError):  # where nobody is left
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _judge(self, status: int) -> Verdict:
        report = self.report
        if report.finding is not None:
            return self._found(report.finding)
        if self._stopped:
            return Verdict(Ending.STOPPED)
        if self._killed is None and status == 0 and report.done:
            measured = report.edges or not self.order.measured
            return Verdict(Ending.RAN if measured else Ending.IDLE)
        if not report.executions:
            return Verdict(Ending.IDLE)
        kind, title = self._killed or (Kind.CRASH, f"the process ended with {_how(status)}")
        found = under_way.last(self.order.under_way)
        return Verdict(Ending.FOUND, kind, report.title or title, found)

    def _found(self, path: Path) -> Verdict:
        """Return the verdict on a process that has left an input in a file."""
        kind, named = kind_of(path)
        found: bytes | None
        try:
            found = path.read_bytes()
        except OSError:
            found = None
        if found is None or sha1(found) != named:
            # It could not be written whole, as where the disk is full.
            found = under_way.last(self.order.under_way) or found
        return Verdict(Ending.FOUND, kind, self.report.title or path.name, found)


def _how(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
