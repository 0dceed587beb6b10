"""A run: many cases, in an order of their own, and what is shown meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ..model import Case, Delivery, Expect, PluginDialogue
from ..model import Result as VectorResult
from .expected import Expectation, expectation_for, standing_of
from .parameters import Parameters
from .play import Replay
from .pool import Failure, Pool, Started
from .report import details_of
from .result import Result, Results
from .script import Script, script_of
from .verdicts import Outcome


class Display(Protocol):
    """Where a run shows how it is getting on."""

    def live(self) -> AbstractContextManager[None]:
        """Show it while something runs."""

    def started(self, case_id: str) -> None:
        """Show that a case is being played."""

    def done(self, result: Result) -> None:
        """Show that a case has been played."""

    def show(self, result: Result, details: Sequence[str]) -> None:
        """Show what came of a case, in the order of the run."""


class CannotStartError(Exception):
    """The program cannot be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        cases: in the order of the corpus.
        parameters: of the conversations.
        expectations: known outcomes.
        jobs: how many cases at a time.
    """

    cases: Sequence[Case]
    parameters: Parameters
    expectations: Sequence[Expectation]
    jobs: int


def clean_case(vectors: Sequence[PluginDialogue]) -> Case | None:
    """Return a conversation with nothing wrong in it, that most of a program takes part in."""
    right = [
        vector
        for vector in vectors
        if vector.result is VectorResult.VALID and Delivery.WHOLE in vector.deliveries
    ]
    if not right:
        return None
    most = max(right, key=lambda each: sum(isinstance(turn, Expect) for turn in each.turns))
    return Case(most, Delivery.WHOLE)


def run(plan: Plan, results: Results, display: Display) -> None:
    """Run a plan; fill in what came of it.

    Raises:
        CannotStartError: where the program cannot be started.
        OSError: where the check itself cannot start what it needs.
    """
    start = time.monotonic()
    order = list(plan.cases)
    random.Random(results.seed).shuffle(order)  # noqa: S311 - no secret
    by_id = {case.id: case for case in order}
    shown = _Shown([case.id for case in order], results, display)
    scripts = _scripts(order, plan.parameters)
    # The workers come first: threads, such as that of a display, would be in their way.
    with Pool(results.settings, scripts, plan.jobs) as pool, display.live():
        for report in pool.run():
            if isinstance(report, Started):
                display.started(report.id)
                continue
            if isinstance(report, Failure) and report.start:
                raise CannotStartError(report.reason)
            result = _result(by_id[report.id], report, plan, strict=results.strict)
            results.results.append(result)
            display.done(result)
            shown.add(result)
    places = {case.id: place for place, case in enumerate(plan.cases)}
    results.results.sort(key=lambda each: places[each.case.id])
    results.seconds = time.monotonic() - start


def _scripts(cases: Sequence[Case], parameters: Parameters) -> Iterator[Script]:
    return (script_of(case, parameters) for case in cases)


def _result(case: Case, report: Replay | Failure, plan: Plan, *, strict: bool) -> Result:
    outcome = Outcome.ERROR if isinstance(report, Failure) else report.verdict.outcome
    expectation = expectation_for(case.id, plan.expectations)
    standing = standing_of(outcome, expectation, strict=strict)
    return Result(case, report, expectation, standing)


class _Shown:
    """Shows results in the order of the run, however they come; what is alike but once in full."""

    def __init__(self, order: Sequence[str], results: Results, display: Display) -> None:
        self._order = iter(order)
        self._next = next(self._order, None)
        self._waiting: dict[str, Result] = {}
        self._alike: dict[object, str] = {}
        self._results = results
        self._show: Callable[[Result, Sequence[str]], None] = display.show

    def add(self, result: Result) -> None:
        """Take in a result; show it, and those that have waited for it, when its turn comes."""
        self._waiting[result.case.id] = result
        while self._next is not None and (ready := self._waiting.pop(self._next, None)):
            self._show(ready, self._details(ready))
            self._next = next(self._order, None)

    def _details(self, result: Result) -> list[str]:
        if result.outcome is Outcome.PASS:
            return []
        key = (result.outcome, result.reason)
        first = self._alike.setdefault(key, result.case.id)
        like = None if first == result.case.id else first
        if like is not None and result.outcome is Outcome.UNSUPPORTED:
            return []
        return list(details_of(result, self._results, like))
