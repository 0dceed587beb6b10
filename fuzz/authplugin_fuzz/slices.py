"""One process of a campaign: started, listened to, judged and reaped."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import monotonic

from .worker import PROGRESS, UNCAUGHT

_STATUS = re.compile(r"#(\d+)\t[A-Za-z]+ +(?:cov: (\d+) .*?)?(?:corp: (\d+)/|exec/s)")
_DONE = re.compile(r"Done (\d+) runs in \d+ second")
_WRITTEN = re.compile(r"Test unit written to (.+)")

_ON_ITS_OWN = 60.0
"""Seconds that a process may take beyond its time: to start, and to end an input that hangs."""

_IN_GOOD_ORDER = 5.0
"""Seconds that a process may take to end when asked to."""


class Ending(StrEnum):
    """How a slice ended."""

    RAN = "ran"
    """Its time is over, and nothing was found."""
    FOUND = "found"
    """An input broke a law, or the process."""
    STOPPED = "stopped"
    """The campaign stopped it."""
    IDLE = "idle"
    """The engine did not really run: nothing was executed, or nothing measured."""


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
        elif line.startswith(PROGRESS):
            self.executions = max(self.executions, int(line.removeprefix(PROGRESS)))
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
        elif line == UNCAUGHT:
            self._title_next = True


Heard = queue.SimpleQueue["tuple[Slice, str | None]"]
"""What the slices of a campaign say: lines, and None when one has no more to say."""


class Slice:
    """A process that fuzzes one target for a while.

    Args:
        target: the target's name.
        command: what to run.
        seconds: for how long it means to run.
        log: the file that keeps all that it says.
        heard: where its lines go.
        measured: whether it reports the edges that it reaches.
    """

    def __init__(
        self,
        target: str,
        command: list[str],
        seconds: int,
        log: Path,
        heard: Heard,
        *,
        measured: bool,
    ) -> None:
        self.target = target
        self.command = command
        self.log = log
        self.report = Report()
        self._measured = measured
        self._stopped = False
        self._overdue = False
        self._started = monotonic()
        self._ended: float | None = None
        self._due = self._started + seconds + _ON_ITS_OWN
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own files
            command,
            # Nothing is ever written to it: it tells the process that the campaign is there.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONHASHSEED": "0"},
            # Ctrl-C is for the campaign, which then ends its processes in good order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self._reader.start()

    @property
    def seconds(self) -> float:
        """For how long it has run."""
        return (monotonic() if self._ended is None else self._ended) - self._started

    @property
    def process_id(self) -> int:
        """The process's id."""
        return self._process.pid

    def _listen(self, heard: Heard) -> None:
        output = self._process.stdout
        assert output is not None
        with self.log.open("wb") as log:
            for line in output:
                log.write(line)
                heard.put((self, line.decode(errors="replace").rstrip("\n")))
        heard.put((self, None))

    def check_time(self) -> None:
        """End the process where it is long overdue; what it says then ends too."""
        if monotonic() > self._due and not self._overdue:
            self._overdue = True
            self._kill()

    def stop(self) -> None:
        """Ask the process to end."""
        self._stopped = True
        self._process.terminate()

    def reap(self) -> Ending:
        """End whatever is left of the process, and say how it ended."""
        try:
            status = self._process.wait(_IN_GOOD_ORDER)
        except subprocess.TimeoutExpired:
            status = None
            self._kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._ended = monotonic()
        return self._judge(status)

    def _kill(self) -> None:
        """Kill the process, and what it may have started."""
        try:
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left

    def _judge(self, status: int | None) -> Ending:
        report = self.report
        if report.finding is not None:
            return Ending.FOUND
        if self._stopped:
            return Ending.STOPPED
        if status == 0 and report.done:
            return Ending.RAN if report.edges or not self._measured else Ending.IDLE
        if not report.executions:
            return Ending.IDLE
        how = "hung" if self._overdue or status is None else f"ended with status {status}"
        report.title = report.title or f"the process {how}, and left no input"
        return Ending.FOUND
