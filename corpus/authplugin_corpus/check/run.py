"""A run: many cases, in an order of their own, and what is shown meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ..model import Case, Delivery, Expect, PluginDialogue
from ..model import Result as VectorResult
from .expected import Expectation, expectation_for, standing_of
from .parameters import Parameters
from .play import Replay
from .pool import Failure, Pool
from .report import details_of
from .result import Result, Results
from .script import script_of
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


class Plan(NamedTuple):
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
    # What is simple comes first: what goes wrong there is the first to look at.
    order.sort(key=lambda case: (case.delivery is not Delivery.WHOLE, len(case.turns)))
    scripts = (script_of(case, plan.parameters) for case in order)
    # The workers come first: threads, such as that of a display, would be in their way.
    with Pool(results.settings, scripts, plan.jobs) as pool, display.live():
        pool.run(_Listener(order, plan.expectations, results, display))
    places = {case.id: place for place, case in enumerate(plan.cases)}
    results.results.sort(key=lambda each: places[each.case.id])
    results.seconds = time.monotonic() - start


class _Listener:
    """Takes in results as they come, and shows them in the order of the run.

    What is alike is shown but once in full.
    """

    def __init__(
        self,
        order: Sequence[Case],
        expectations: Sequence[Expectation],
        results: Results,
        display: Display,
    ) -> None:
        self._cases = {case.id: case for case in order}
        self._expectations = expectations
        self._results = results
        self._display = display
        self._order = iter(self._cases)
        self._next = next(self._order, None)
        self._waiting: dict[str, Result] = {}
        self._alike: dict[object, str] = {}

    def started(self, case_id: str) -> None:
        """Show that a case is being played."""
        self._display.started(case_id)

    def done(self, report: Replay | Failure) -> None:
        """Take in what came of a case; show it, and those that have waited for it, in their turn.

        Raises:
            CannotStartError: where the program cannot be started.
        """
        if isinstance(report, Failure) and report.start:
            raise CannotStartError(report.reason)
        result = self._result(report)
        self._results.results.append(result)
        self._display.done(result)
        self._waiting[report.id] = result
        while self._next is not None and (ready := self._waiting.pop(self._next, None)):
            self._display.show(ready, self._details(ready))
            self._next = next(self._order, None)

    def _result(self, report: Replay | Failure) -> Result:
        outcome = Outcome.ERROR if isinstance(report, Failure) else report.verdict.outcome
        expectation = expectation_for(report.id, self._expectations)
        standing = standing_of(outcome, expectation, strict=self._results.strict)
        return Result(self._cases[report.id], report, expectation, standing)

    def _details(self, result: Result) -> list[str]:
        if result.outcome is Outcome.PASS:
            return []
        key = (result.outcome, result.reason)
        first = self._alike.setdefault(key, result.case.id)
        like = None if first == result.case.id else first
        if like is not None and result.outcome is Outcome.UNSUPPORTED:
            return []
        return list(details_of(result, self._results, like))
