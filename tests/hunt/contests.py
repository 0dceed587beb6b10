"""Races, all of them at once: the clean control first, then each a step at a time."""

from __future__ import annotations

import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NoReturn, Protocol

import click
from rich.console import Console

from . import planted
from .parts import BY_NAME, Part
from .planted import Bug, DoesNotApplyError
from .races import Race, Standing
from .running import Result, Results, Run, Search, SearchError, Snapshot, carry_out

MISSED, WRONG = 1, 2
"""The exit statuses: a bug was not found as it should be, or the figures mean nothing: the control
found something, a patch does not apply, nothing was searched."""

WIDTH: Final = 144
"""Columns of a table where the output is no terminal."""

Say = Callable[[str], None]


class Runner(Protocol):
    """What takes part: a race, or several of which one is enough."""

    @property
    def bug(self) -> Bug:
        """What is searched for."""

    def standing(self, results: Results) -> Standing:
        """Return what the results say of it."""


class Relay:
    """Races against one bug, run one after the other until one of them finds it.

    Args:
        races: the races, at least one.
    """

    def __init__(self, races: Sequence[Race]) -> None:
        self.races = races
        self.bug = races[0].bug

    def standing(self, results: Results) -> Standing:
        """Return that of the first race that is not over, or that finds the bug, or of the last."""
        runs = 0
        for race in self.races:
            standing = race.standing(results)
            runs += standing.runs
            if standing.next is not None or standing.won is not None:
                break
        return Standing(standing.next, standing.won, standing.tried, runs)


class Contest:
    """Races, and what is known of them.

    Args:
        results: what is known already, and is added to.
        runners: the races.
        seconds: what the runs of each part have of the processor.
        search: carries out runs.
        workers: how many at a time.
    """

    def __init__(
        self,
        results: Results,
        runners: Sequence[Runner],
        seconds: Mapping[Part, float],
        search: Search,
        workers: int,
    ) -> None:
        self.results = results
        self.runners = runners
        self._seconds = seconds
        self._search = search
        self._workers = workers

    def control(self, runs: Sequence[Run], say: Say) -> list[Result]:
        """Carry out runs over the code as it is; return what accuses it."""
        due = deque(run for run in runs if self.results.get(run) is None)
        self._carry_out(lambda: (due.popleft(), None) if due else None, say)
        known = map(self.results.get, runs)
        return [result for result in known if result is not None and result.found is not None]

    def race(self, say: Say) -> None:
        """Run all races, each a step at a time, so that a change of the machine meets them all."""
        standings = [(each, each.standing(self.results)) for each in self.runners]
        under_way: set[Run] = set()

        def take() -> tuple[Run, Bug] | None:
            for index, (runner, standing) in enumerate(standings):
                if standing.next is not None and self.results.get(standing.next) is not None:
                    standings[index] = runner, runner.standing(self.results)
            standings[:] = [each for each in standings if each[1].next]
            due = [each for each in standings if each[1].next not in under_way]
            if not due:
                return None
            runner, standing = min(due, key=lambda each: each[1].runs)
            assert standing.next is not None
            under_way.add(standing.next)
            return standing.next, runner.bug

        self._carry_out(take, say)

    def _carry_out(self, take: Callable[[], tuple[Run, Bug | None] | None], say: Say) -> None:
        def take_with_limit() -> tuple[Run, Bug | None, float] | None:
            taken = take()
            return taken and (*taken, self._seconds[BY_NAME[taken[0].part]])

        def tell(what: str) -> None:
            say(f"{len(self.results)} runs known; {what}")

        carry_out(take_with_limit, self._search, self.results, self._workers, tell)


def digests(
    code: Snapshot, bugs: Mapping[str, Bug], seconds: Mapping[Part, float]
) -> Callable[[Run], str | None]:
    """Return what says by what the result of a run is known; None is one that nobody asks for.

    Args:
        code: what is searched.
        bugs: those that can be planted, by name.
        seconds: what the runs of each part have of the processor.
    """

    def digest(run: Run) -> str | None:
        part = BY_NAME.get(run.part)
        if part is None or part not in seconds or (run.bug is not None and run.bug not in bugs):
            return None
        return code.digest(part, None if run.bug is None else bugs[run.bug], seconds[part])

    return digest


def chosen_bugs(names: Sequence[str]) -> list[Bug]:
    """Return the bugs of some names, or all of them where there are no names.

    Raises:
        click.UsageError: where there is none of a name.
    """
    bugs = planted.bugs()
    if unknown := [name for name in names if name not in bugs]:
        raise click.UsageError(f"there is no bug called {', '.join(unknown)}")
    return [bugs[name] for name in names or bugs]


def hold(contest: Contest, control: Sequence[Run], console: Console) -> None:
    """Hold a contest; end the program where its figures would mean nothing."""
    # Ends as Ctrl-C does: with what is under way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if len(contest.results):
        known = f"{len(contest.results)} runs are known from {contest.results.path}"
        console.print(known, highlight=False)
    with Console(stderr=True).status("") as status:
        try:
            accused = contest.control(control, status.update)
            if not accused:
                contest.race(status.update)
        except (DoesNotApplyError, SearchError) as error:
            _fail(console, [str(error)])
        except KeyboardInterrupt:
            console.print("Stopped; the same command goes on from here.")
            raise
    if accused:
        lines = ["The code as it is was accused, so nothing was searched:"]
        for each in accused:
            run = each.run
            lines.append(f"  {run.part}, {each.by}, seed {run.seed}: {each.says}")
        _fail(console, lines)


def _fail(console: Console, lines: Iterable[str]) -> NoReturn:
    for line in lines:
        console.print(line, style="red", markup=False, highlight=False)
    sys.exit(WRONG)
