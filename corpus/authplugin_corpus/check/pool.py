"""Several worker processes, each with a thread that gives it cases and takes what came of them."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol, Self, TypeVar

from .play import Replay, Settings
from .script import Script
from .worker import Work
from .workers import DiedError, ForkedWorker, SpawnedWorker, Worker, can_fork, undisturbed

_News = TypeVar("_News")


class Failure(NamedTuple):
    """Nothing is known of a case, as the check itself failed; `reason` says why.

    Attributes:
        id: of the case.
        reason: for people.
        start: whether the program could not be started.
    """

    id: str
    reason: str
    start: bool = False


class Listener(Protocol):
    """Who is told how the cases of a pool get on: by several threads, but one at a time."""

    def started(self, case_id: str) -> None:
        """Take note that a case is being played."""

    def done(self, report: Replay | Failure) -> None:
        """Take in what came of a case."""


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
        self._ends: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._todo = deque(range(len(self._work.scripts)))
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._stopped = False
        self._threads: list[threading.Thread] = []
        self._idle: list[Worker] = []
        self._jobs = min(jobs, len(self._todo))
        if can_fork():
            # Before there is any thread; whoever takes the place of one that dies is spawned.
            with undisturbed():
                for _ in range(self._jobs):
                    self._idle.append(ForkedWorker(self._work, self._idle))

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

    def run(self, listener: Listener) -> None:
        """Play the scripts, and tell what comes of them as it comes.

        Raises:
            OSError: where a worker cannot be started.
            BaseException: whatever the listener raises; it is told nothing more then.
        """
        self._threads = [
            threading.Thread(target=self._drive, args=[listener], daemon=True)
            for _ in range(self._jobs)
        ]
        with undisturbed():
            for thread in self._threads:
                thread.start()
        try:
            for _ in self._threads:
                if (error := self._ends.get()) is not None:
                    raise error
        finally:
            self._stopped = True

    def _drive(self, listener: Listener) -> None:
        """Give a worker, and another one where it dies, what is to do."""
        worker: Worker | None = None
        given: deque[int] = deque()
        problem: BaseException | None = None
        try:
            while True:
                worker = worker or self._start()
                if worker is None or not self._give(worker, given):
                    return
                self._tell(listener.started, self._work.scripts[given[0]].id)
                try:
                    result = worker.result()
                except DiedError:
                    died = self._work.scripts[given.popleft()].id
                    self._forget(worker)
                    how, worker = worker.end(), None
                    self._todo.extendleft(reversed(given))
                    given.clear()
                    reason = f"the worker process that played it {how}"
                    self._tell(listener.done, Failure(died, reason))
                    continue
                report = _report(self._work.scripts[given.popleft()].id, result)
                self._tell(listener.done, report)
        except BaseException as error:
            problem = error
        finally:
            if worker is not None:
                self._forget(worker)
                worker.end()
            self._ends.put(problem)

    def _tell(self, tell: Callable[[_News], None], news: _News) -> None:
        with self._telling:
            if not self._stopped:
                tell(news)

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
