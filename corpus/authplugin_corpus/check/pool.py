"""Several worker processes, each with a thread that gives it cases and takes what came of them."""

from __future__ import annotations

import gc
import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self, TypeAlias

from .play import Replay, Settings
from .script import Script
from .worker import Work
from .workers import DiedError, ForkedWorker, SpawnedWorker, Worker, can_fork, undisturbed


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing is known of a case, as the check itself failed; `reason` says why.

    Attributes:
        id: of the case.
        reason: for people.
        start: whether the program could not be started.
    """

    id: str
    reason: str
    start: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A case is being played."""

    id: str


Report: TypeAlias = Replay | Failure | Started


class Pool:
    """Plays scripts, several at a time. A context manager: leaving it ends everything.

    Args:
        settings: of all cases.
        scripts: what to play.
        jobs: how many to play at a time.

    Raises:
        OSError: where a worker cannot be started.
    """

    def __init__(self, settings: Settings, scripts: Iterable[Script], jobs: int) -> None:
        self._work = Work(settings, tuple(scripts))
        self._reports: queue.SimpleQueue[Report | BaseException | None] = queue.SimpleQueue()
        self._todo = deque(range(len(self._work.scripts)))
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._threads: list[threading.Thread] = []
        self._idle: list[Worker] = []
        self._jobs = min(jobs, len(self._todo))
        if can_fork():
            # Before there is any thread; whoever takes the place of one that dies is spawned.
            # Their garbage collections leave alone what is there by now: it would all be copied.
            gc.freeze()
            with undisturbed():
                for _ in range(self._jobs):
                    self._idle.append(ForkedWorker(self._work, self._idle))
            gc.unfreeze()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopped = True
            for worker in self._workers:
                worker.terminate()
            for worker in self._idle:
                worker.terminate()
                worker.end()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def run(self) -> Iterator[Report]:
        """Play the scripts; yield what came of them as it comes.

        Raises:
            OSError: where a worker cannot be started.
        """
        self._threads = [
            threading.Thread(target=self._drive, daemon=True) for _ in range(self._jobs)
        ]
        with undisturbed():
            for thread in self._threads:
                thread.start()
        working = self._jobs
        while working:
            report = self._reports.get()
            if report is None:
                working -= 1
            elif isinstance(report, BaseException):
                raise report
            else:
                yield report

    def _drive(self) -> None:
        """Give a worker, and another one where it dies, what is to do."""
        worker: Worker | None = None
        given: deque[int] = deque()
        try:
            while True:
                worker = worker or self._start()
                if worker is None or not self._give(worker, given):
                    return
                self._reports.put(Started(self._work.scripts[given[0]].id))
                try:
                    result = worker.result()
                except DiedError:
                    died = self._work.scripts[given.popleft()].id
                    self._forget(worker)
                    how, worker = worker.end(), None
                    self._todo.extendleft(reversed(given))
                    given.clear()
                    if not self._stopped:
                        reason = f"the worker process that played it {how}"
                        self._reports.put(Failure(died, reason))
                    continue
                self._reports.put(_report(self._work.scripts[given.popleft()].id, result))
        except BaseException as error:
            self._reports.put(error)
        finally:
            if worker is not None:
                self._forget(worker)
                worker.end()
            self._reports.put(None)

    def _start(self) -> Worker | None:
        with self._lock:
            if self._stopped:
                return None
            worker = self._idle.pop() if self._idle else SpawnedWorker(self._work)
            self._workers.add(worker)
            return worker

    def _forget(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)

    def _give(self, worker: Worker, given: deque[int]) -> bool:
        """Give a worker one script to play and one to go on with; say whether it has any."""
        while len(given) < 2 and not self._stopped:
            try:
                index = self._todo.popleft()
            except IndexError:
                break
            given.append(index)
            worker.give(index)
        return bool(given)


def _report(id_: str, result: object) -> Replay | Failure:
    if isinstance(result, Replay):
        return result
    if isinstance(result, OSError):
        reason = result.strerror or str(result)
        return Failure(id_, f"the program cannot be started: {reason}", start=True)
    return Failure(id_, f"the check itself failed: {result}")
