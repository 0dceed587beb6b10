"""The races of engines against planted bugs: how they are run, judged and kept."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from click.testing import CliRunner

from authplugin_fuzz.targets import TARGETS

from . import fuzzing, races
from .fuzzing import Hunt
from .planted import LAYERS, Bug, DoesNotApplyError, bugs
from .races import Race, Result, Results, Run
from .searching import BYTES, ENGINES, HYPOTHESIS, OURS

EASY = "explain-looks-behind-the-header"  # the empty input shows it


# Who searches for what, and who has found it.


def test_every_target_searches_for_bugs_of_some_layer() -> None:
    assert {target for layer in LAYERS for target in races.targets_for(layer)} == set(TARGETS)
    assert all(
        len(set(races.targets_for(layer))) == len(races.targets_for(layer)) for layer in LAYERS
    )


def test_the_control_is_of_every_target_engine_and_seed() -> None:
    runs = races.controls(ENGINES, [1, 2])
    assert len(set(runs)) == len(runs) == len(ENGINES) * len(TARGETS) * 2
    assert {run.bug for run in runs} == {None}
    # Other engines' turns come before the same one's next.
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results.json", bugs(), 10)


RACE = Race(bugs()[EASY], OURS, (1, 2, 3))
FIRST, SECOND, *_ = races.targets_for("body")


def add(results: Results, target: str, *found: float | None) -> None:
    for seed, each in enumerate(found, 1):
        run = Run(EASY, OURS, target, seed)
        digest = races.digest_of(bugs()[EASY])
        results.add(Result(run, each, 0.5, 100 * seed, "says", digest))


def test_a_race_begins_with_the_first_target_and_seed(results: Results) -> None:
    standing = RACE.standing(results)
    assert standing.next == Run(EASY, OURS, FIRST, 1)
    assert (standing.target, standing.tried) == (None, ())


def test_a_target_that_misses_with_most_seeds_is_done(results: Results) -> None:
    add(results, FIRST, None)
    assert RACE.standing(results).next == Run(EASY, OURS, FIRST, 2)
    add(results, FIRST, None, None)
    standing = RACE.standing(results)
    assert standing.next == Run(EASY, OURS, SECOND, 1)
    assert standing.tried == (FIRST,)


def test_what_is_found_takes_the_median(results: Results) -> None:
    add(results, FIRST, 7, None)
    assert RACE.standing(results).next == Run(EASY, OURS, FIRST, 3)
    add(results, FIRST, 7, None, 2)
    standing = RACE.standing(results)
    assert (standing.next, standing.target, standing.tried) == (None, FIRST, ())
    assert (standing.seconds, standing.executions) == (7, 100)


def test_what_is_found_too_late_is_missed(results: Results) -> None:
    add(results, FIRST, 7, 10.5, 11)
    assert RACE.standing(results).tried == (FIRST,)
    add(results, SECOND, 0.1, 0.3, 0.2)
    standing = RACE.standing(results)
    assert (standing.target, standing.seconds, standing.executions) == (SECOND, 0.2, 300)
    assert standing.tried == (FIRST,)


def test_a_race_that_nobody_wins_ends(results: Results) -> None:
    for target in races.targets_for("body"):
        add(results, target, None, inf)
    standing = RACE.standing(results)
    assert (standing.next, standing.target, standing.seconds) == (None, None, None)
    assert list(standing.tried) == races.targets_for("body")


# Runs that are interrupted, and what is kept of them.

CHOSEN = ("echo-lost", "memory-by-claim", "last-event-first")


class Searches:
    """Finds everything with the first target of ours, nothing with any other engine."""

    def __init__(
        self, most: int = 10_000, change: Callable[[Result], Result] = lambda result: result
    ) -> None:
        self.runs: list[Run] = []
        self._most = most
        self._change = change
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True

    def __call__(self, run: Run, bug: Bug | None, seconds: float) -> Result:
        if len(self.runs) == self._most:
            raise KeyboardInterrupt
        self.runs.append(run)
        assert (None if bug is None else bug.name) == run.bug
        found = 0.1 * run.seed if run.engine == OURS and run.bug else None
        says = "says" if found else None
        return self._change(Result(run, found, 0.5, 10, says, races.digest_of(bug)))


def hunt(path: Path, searches: Searches) -> Hunt:
    known = dict(bugs())
    chosen = [Race(known[name], engine, (1, 2, 3)) for name in CHOSEN for engine in ENGINES]
    return Hunt(Results(path, known, 10), known, chosen, searches)


def run_all(hunting: Hunt) -> None:
    assert hunting.control(races.controls(ENGINES, [1]), 1, lambda what: None) == []
    hunting.race(1, lambda what: None)


def test_all_races_take_a_step_before_one_takes_its_second(tmp_path: Path) -> None:
    searches = Searches()
    run_all(hunt(tmp_path / "results.json", searches))
    steps = [run for run in searches.runs if run.bug]
    assert len({(run.bug, run.engine) for run in steps[:9]}) == 9
    assert {run.seed for run in steps[:9]} == {1}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_races_are_the_same_with_more_workers(tmp_path: Path, workers: int) -> None:
    searches = Searches()
    hunting = hunt(tmp_path / "results.json", searches)
    hunting.race(workers, lambda what: None)
    # Ours three seeds of one target; the others two seeds of all of them.
    others = sum(len(races.targets_for(bugs()[name].layer)) for name in CHOSEN)
    assert len(searches.runs) == len(set(searches.runs)) == 3 * 3 + 2 * 2 * others


def test_what_was_stopped_goes_on(tmp_path: Path) -> None:
    whole = Searches()
    run_all(hunt(tmp_path / "whole.json", whole))
    path = tmp_path / "results.json"
    first, second, third = Searches(10), Searches(30), Searches()
    for searches in (first, second):
        with pytest.raises(KeyboardInterrupt):
            run_all(hunt(path, searches))
        assert searches.stopped
    run_all(hunt(path, third))
    assert not third.stopped
    # What was under way when it was stopped is run again.
    assert first.runs + second.runs + third.runs == whole.runs
    again = Searches()
    run_all(hunt(path, again))
    assert again.runs == []
    assert json.loads(path.read_text()) == json.loads((tmp_path / "whole.json").read_text())


def test_a_bug_that_was_changed_is_searched_again(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    run_all(hunt(path, Searches()))
    kept = json.loads(path.read_text())
    for each in kept["runs"]:
        if each["run"]["bug"] == "echo-lost":
            each["digest"] = "0" * 64
    path.write_text(json.dumps(kept))
    again = Searches()
    run_all(hunt(path, again))
    assert {run.bug for run in again.runs} == {"echo-lost"}


def test_a_bug_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    run_all(hunt(path, Searches()))
    left = {name: bug for name, bug in bugs().items() if name != "echo-lost"}
    assert {result.run.bug for result in Results(path, left, 10)} == {None, *CHOSEN} - {"echo-lost"}


@pytest.mark.parametrize("what", ["code", "seconds"])
def test_what_was_found_under_other_terms_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = tmp_path / "results.json"
    run_all(hunt(path, Searches()))
    assert len(Results(path, bugs(), 10))
    if what == "code":
        monkeypatch.setattr(races, "digest_of_code", lambda: "other")
    assert len(Results(path, bugs(), 10 if what == "code" else 5)) == 0


def test_the_digest_is_that_of_all_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in races.JUDGED_BY:
        (tmp_path / room / "deep").mkdir(parents=True)
        (tmp_path / room / "deep" / "x.py").write_text("1\n")
    monkeypatch.setattr(races, "ROOT", tmp_path)
    digests = {races.digest_of_code()}
    for room in races.JUDGED_BY:
        (tmp_path / room / "deep" / "x.py").write_text("2\n")
        digests.add(races.digest_of_code())
    assert len(digests) == 1 + len(races.JUDGED_BY)


# The command.


def command(
    monkeypatch: pytest.MonkeyPatch, output: Path, searches: Searches, *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(races, "Searcher", lambda: searches)
    monkeypatch.setattr(fuzzing, "find_spec", lambda name: name)
    ran = CliRunner().invoke(fuzzing.main, [*arguments, "--output", str(output)])
    return ran.exit_code, ran.output


def rows(output: str) -> dict[str, list[str]]:
    cut = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines()]
    return {cells[0]: cells[1:] for cells in cut if len(cells) > 1}


def test_the_table_says_who_found_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    status, output = command(monkeypatch, path, Searches(), *CHOSEN)
    assert status == 0
    table = rows(output)
    assert table["echo-lost"] == ["body", "0.20 messages", "-", "-"]
    assert table["memory-by-claim"] == ["stream", "0.20 frames", "-", "-"]
    assert table["last-event-first"] == ["conversation", "0.20 client", "-", "-"]
    assert table["found"] == ["", "3 of 3", "0 of 3", "0 of 3"]
    assert table["seconds to start"] == ["", "0.50", "0.50", "0.50"]
    kept = json.loads(path.read_text())
    assert len(kept["summary"]) == 9
    assert kept["summary"][0] == {
        "bug": "echo-lost",
        "layer": "body",
        "engine": OURS,
        "over": True,
        "target": "messages",
        "seconds": 0.2,
        "executions": 10,
        "tried": [],
    }
    assert len({run["run"]["bug"] for run in kept["runs"]}) == 4


def test_a_bug_that_ours_miss_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def misses_one(result: Result) -> Result:
        late = result.run.target in ("messages", "differential")
        return replace(result, found=None) if late else result

    path = tmp_path / "results.json"
    status, output = command(monkeypatch, path, Searches(change=misses_one), "echo-lost")
    assert (status, rows(output)["echo-lost"][1]) == (0, "0.20 roundtrip (1)")

    def misses(result: Result) -> Result:
        return replace(result, found=None) if result.run.bug == "echo-lost" else result

    other = tmp_path / "other.json"
    status, output = command(monkeypatch, other, Searches(change=misses), *CHOSEN)
    assert (status, rows(output)["echo-lost"][1]) == (fuzzing.MISSED, "-")
    # What the others miss is no failure.
    assert rows(output)["memory-by-claim"][2:] == ["-", "-"]


@pytest.mark.parametrize("engine", ENGINES)
def test_who_accuses_the_code_as_it_is_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    def accuses(result: Result) -> Result:
        wrong = result.run == Run(None, engine, "client", 2)
        return replace(result, found=1.0, says="it is [wrong]") if wrong else result

    searches = Searches(change=accuses)
    status, output = command(monkeypatch, tmp_path / "results.json", searches, *CHOSEN)
    assert status == fuzzing.WRONG
    assert f"{engine}, client, seed 2: it is [wrong]" in output
    assert {run.bug for run in searches.runs} == {None}
    assert rows(output) == {}


def test_a_patch_that_does_not_apply_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(result: Result) -> Result:
        raise DoesNotApplyError("echo-lost.patch does not apply any more")

    searches = Searches(change=stale)
    status, output = command(monkeypatch, tmp_path / "results.json", searches, "--no-control")
    assert status == fuzzing.WRONG
    assert "echo-lost.patch does not apply any more" in output


def test_code_that_changes_meanwhile_spoils_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = iter(["before", "after"])
    monkeypatch.setattr(races, "digest_of_code", lambda: next(digests))
    status, output = command(monkeypatch, tmp_path / "results.json", Searches(), *CHOSEN)
    assert status == fuzzing.WRONG
    assert "The code has changed" in output


def test_a_bug_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, output = command(monkeypatch, tmp_path / "results.json", Searches(), "no-such-bug")
    assert status == 2
    assert "no bug called no-such-bug" in output


def test_some_engines_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searches = Searches()
    arguments = ("echo-lost", "--engine", HYPOTHESIS, "--seeds", "1")
    status, _ = command(monkeypatch, tmp_path / "results.json", searches, *arguments)
    assert status == 0
    assert {run.engine for run in searches.runs} == {HYPOTHESIS}
    assert {run.seed for run in searches.runs} == {1}


def test_atheris_is_asked_for_where_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzing, "find_spec", lambda name: None)
    ran = CliRunner().invoke(fuzzing.main, ["--engine", BYTES, "--output", str(tmp_path / "x")])
    assert ran.exit_code == 2
    assert "atheris cannot be imported" in ran.output
