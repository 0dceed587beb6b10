"""Races against planted bugs: how they are run, judged, kept and gone on with."""

import json
from math import inf
from pathlib import Path

import pytest

from authplugin_fuzz.targets import TARGETS as EVERY_TARGET

from . import races
from .contests import Contest, Relay, digests
from .faking import Code, Searches
from .parts import BYTES, ENGINES, FIXED, HYPOTHESIS, LAWS, MACHINES, TARGETS
from .planted import bugs
from .races import Race
from .running import Result, Results, Run, Snapshot

EASY = bugs()["explain-looks-behind-the-header"]
CHOSEN = ("echo-lost", "memory-by-claim", "last-event-first")
LIMITS = dict.fromkeys((*ENGINES, LAWS, MACHINES), 10.0)


def results_in(path: Path, code: Code | None = None, seconds: float = 10.0) -> Results:
    limits = dict.fromkeys(LIMITS, seconds)
    return Results(path, digests(code or Code(), bugs(), limits))  # type: ignore[arg-type]


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return results_in(tmp_path / "results.jsonl")


RACE = Race(EASY, TARGETS, (1, 2, 3), 10)
FIRST, SECOND, *_ = races.targets_for(TARGETS, "body")


def add(results: Results, part: str, target: str, *found: float | None) -> None:
    for seed, each in enumerate(found, 1):
        run = Run(EASY.name, part, target, seed)
        results.add(Result(run, each, 0.5, 100 * seed, target, "says", 1.0, "digest"))


# Who searches for what, and who has found it.


def test_targets_search_for_bugs_of_their_layers() -> None:
    assert races.targets_for(TARGETS, "stream") == ["frames"]
    assert races.targets_for(TARGETS, "process") == []
    assert races.targets_for(LAWS, "body") == [""]
    assert races.targets_for(LAWS, "server") == ["userauth"]


def test_the_control_is_of_every_target_part_and_seed() -> None:
    runs = races.controls(ENGINES, dict.fromkeys(ENGINES, (1, 2)))
    assert len(set(runs)) == len(runs) == len(ENGINES) * len(EVERY_TARGET) * 2
    assert {run.bug for run in runs} == {None}
    # Other parts' turns come before the same one's next.
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)


def test_a_race_begins_with_the_first_target_and_seed(results: Results) -> None:
    standing = RACE.standing(results)
    assert standing.next == Run(EASY.name, TARGETS.name, FIRST, 1)
    assert (standing.won, standing.tried) == (None, ())


def test_a_target_that_misses_with_most_seeds_is_done(results: Results) -> None:
    add(results, TARGETS.name, FIRST, None)
    assert RACE.standing(results).next == Run(EASY.name, TARGETS.name, FIRST, 2)
    add(results, TARGETS.name, FIRST, None, None)
    standing = RACE.standing(results)
    assert standing.next == Run(EASY.name, TARGETS.name, SECOND, 1)
    assert standing.tried == (FIRST,)


def test_what_is_found_takes_the_median(results: Results) -> None:
    add(results, TARGETS.name, FIRST, 7, None)
    assert RACE.standing(results).next == Run(EASY.name, TARGETS.name, FIRST, 3)
    add(results, TARGETS.name, FIRST, 7, None, 2)
    standing = RACE.standing(results)
    assert standing.won is not None
    assert (standing.next, standing.won.by, standing.tried) == (None, FIRST, ())
    assert (standing.won.found, standing.won.tried) == (7, 100)


def test_what_is_found_too_late_is_missed(results: Results) -> None:
    add(results, TARGETS.name, FIRST, 7, 10.5, 11)
    assert RACE.standing(results).tried == (FIRST,)
    add(results, TARGETS.name, SECOND, 0.1, 0.3, 0.2)
    standing = RACE.standing(results)
    assert standing.won is not None
    assert (standing.won.by, standing.won.found, standing.won.tried) == (SECOND, 0.2, 300)
    assert standing.tried == (FIRST,)


def test_a_race_that_nobody_wins_ends(results: Results) -> None:
    for target in races.targets_for(TARGETS, "body"):
        add(results, TARGETS.name, target, None, inf)
    standing = RACE.standing(results)
    assert (standing.next, standing.won) == (None, None)
    assert list(standing.tried) == races.targets_for(TARGETS, "body")


def test_a_relay_goes_on_until_one_part_finds_it(results: Results) -> None:
    relay = Relay([Race(EASY, part, (1,), 10) for part in (TARGETS, LAWS, MACHINES)])
    for target in races.targets_for(TARGETS, "body"):
        assert relay.standing(results).next == Run(EASY.name, TARGETS.name, target, 1)
        add(results, TARGETS.name, target, None)
    assert relay.standing(results).next == Run(EASY.name, LAWS.name, "", 1)
    add(results, LAWS.name, "", 3)
    standing = relay.standing(results)
    assert standing.won is not None
    assert (standing.next, standing.won.run.part) == (None, LAWS.name)


# Runs that are interrupted, and what is kept of them.


def ours_alone(run: Run) -> float | None:
    """Find everything with the first target of ours, nothing with any other engine."""
    return 0.1 * run.seed if run.part == TARGETS.name and run.bug else None


def contest(path: Path, searches: Searches, workers: int = 1) -> Contest:
    chosen = [Race(bugs()[name], each, (1, 2, 3), 10) for name in CHOSEN for each in ENGINES]
    return Contest(results_in(path, searches.code), chosen, LIMITS, searches, workers)


def hold_all(held: Contest) -> None:
    control = races.controls(ENGINES, dict.fromkeys(ENGINES, (1,)))
    assert held.control(control, lambda what: None) == []
    held.race(lambda what: None)


def test_all_races_take_a_step_before_one_takes_its_second(tmp_path: Path) -> None:
    searches = Searches(ours_alone)
    hold_all(contest(tmp_path / "results.jsonl", searches))
    steps = [run for run in searches.runs if run.bug]
    assert len({(run.bug, run.part) for run in steps[:9]}) == 9
    assert {run.seed for run in steps[:9]} == {1}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_races_are_the_same_with_more_workers(tmp_path: Path, workers: int) -> None:
    searches = Searches(ours_alone)
    contest(tmp_path / "results.jsonl", searches, workers).race(lambda what: None)
    # Ours three seeds of one target; the others two seeds of all of them.
    others = sum(len(races.targets_for(BYTES, bugs()[name].layer)) for name in CHOSEN)
    assert len(searches.runs) == len(set(searches.runs)) == 3 * 3 + 2 * 2 * others


def test_who_accuses_the_code_as_it_is_is_named(tmp_path: Path) -> None:
    wrong = Run(None, HYPOTHESIS.name, "client", 1)
    held = contest(tmp_path / "results.jsonl", Searches(lambda run: 1 if run == wrong else None))
    control = races.controls(ENGINES, dict.fromkeys(ENGINES, (1,)))
    assert [each.run for each in held.control(control, lambda what: None)] == [wrong]


def test_what_was_stopped_goes_on(tmp_path: Path) -> None:
    whole = Searches(ours_alone)
    hold_all(contest(tmp_path / "whole.jsonl", whole))
    path = tmp_path / "results.jsonl"
    first, second, third = (Searches(ours_alone, most) for most in (10, 30, 100_000))
    for searches in (first, second):
        with pytest.raises(KeyboardInterrupt):
            hold_all(contest(path, searches))
        assert searches.stopped
    # As where the power fails in the middle of a line.
    with path.open("a") as file:
        file.write('\n{"run": {"bug": "echo')
    hold_all(contest(path, third))
    assert not third.stopped
    # What was under way when it was stopped is run again.
    assert first.runs + second.runs + third.runs == whole.runs
    again = Searches(ours_alone)
    hold_all(contest(path, again))
    assert again.runs == []
    one, other = results_in(path), results_in(tmp_path / "whole.jsonl")
    assert list(one) == list(other)


def test_two_hunts_can_add_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    one, other = results_in(path), results_in(path)
    for each, seed in ((one, 1), (other, 2), (one, 3)):
        run = Run("echo-lost", LAWS.name, "", seed)
        digest = Code().digest(LAWS, bugs()["echo-lost"], 10)
        each.add(Result(run, None, 0.5, 1, "law", None, 1.0, digest))
    assert {result.run.seed for result in results_in(path)} == {1, 2, 3}


def test_a_bug_that_was_changed_is_searched_again(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    hold_all(contest(path, Searches(ours_alone)))
    path.write_text(path.read_text().replace("An echo", "The echo").replace("echo that", "echo,"))
    again = Searches(ours_alone)
    hold_all(contest(path, again))
    assert {run.bug for run in again.runs} == {"echo-lost"}


def test_a_bug_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    hold_all(contest(path, Searches(ours_alone)))
    left = {name: bug for name, bug in bugs().items() if name != "echo-lost"}
    known = Results(path, digests(Code(), left, LIMITS))  # type: ignore[arg-type]
    assert {result.run.bug for result in known} == {None, *CHOSEN} - {"echo-lost"}


@pytest.mark.parametrize("what", ["code", "seconds"])
def test_what_was_found_under_other_terms_is_forgotten(tmp_path: Path, what: str) -> None:
    path = tmp_path / "results.jsonl"
    hold_all(contest(path, Searches(ours_alone)))
    assert len(results_in(path))
    code = Code(name="other") if what == "code" else Code()
    assert len(results_in(path, code, 10 if what == "code" else 5)) == 0


def test_a_part_depends_on_its_own_folders_and_on_how_it_searches(tmp_path: Path) -> None:
    code = Snapshot(tmp_path / "code")
    before = {part: code.digest(part, None, 1) for part in (LAWS, TARGETS)}
    assert before[LAWS] != code.digest(LAWS, None, 2)
    assert before[LAWS] != code.digest(LAWS, EASY, 1)

    def changed(name: str) -> set[str]:
        path = code.folder / name
        text = path.read_text()
        path.write_text(f"{text}#")
        code._digest_of_part.cache_clear()  # a snapshot does not change otherwise
        found = {part.name for part in before if code.digest(part, None, 1) != before[part]}
        path.write_text(text)
        return found

    assert changed("fuzz/authplugin_fuzz/dice.py") == {TARGETS.name}
    assert changed("codec/authplugin/text.py") == {LAWS.name, TARGETS.name}
    assert changed("tests/hunt/suite.py") == {LAWS.name, TARGETS.name}
    assert changed("tests/unit/samples.py") == set()


def test_the_file_is_one_of_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    hold_all(contest(path, Searches(ours_alone)))
    lines = [json.loads(line) for line in path.read_text().splitlines() if line]
    assert {line["run"]["seed"] for line in lines} == {1, 2, 3}
    assert FIXED not in {line["run"]["seed"] for line in lines}
