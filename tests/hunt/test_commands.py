"""The commands: the hunt by all parts, and the race of fuzzing engines."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from . import fuzzing, hunting, planted
from .contests import MISSED, WRONG
from .faking import Code, Searches, rows
from .parts import BYTES, ENUMERATION, FIXED, HYPOTHESIS, LAWS, PARTS, TARGETS, UNIT
from .planted import DoesNotApplyError, bugs
from .running import Run

CHOSEN = ("echo-lost", "memory-by-claim", "last-event-first")
SCHEMA = json.loads(Path(__file__).with_name("hunt.schema.json").read_text())


@dataclass
class Commands:
    """Runs the commands with searches that only say what is to come of them."""

    folder: Path
    patch: pytest.MonkeyPatch

    def __call__(
        self, module: object, searches: Searches, *arguments: str
    ) -> tuple[int, str, Path]:
        self.patch.setattr(module, "Snapshot", lambda folder: Code())
        self.patch.setattr(module, "Searcher", lambda code: searches)
        self.patch.setattr(fuzzing, "find_spec", lambda name: name)
        output = self.folder / "out.json"
        options = ("--runs", str(self.folder / "runs.jsonl"), "--output", str(output))
        main = module.main  # type: ignore[attr-defined]
        ran = CliRunner().invoke(main, [*arguments, *options, "--workers", "1"])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.exit_code, ran.output, output


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setattr(planted, "stale_bugs", lambda root: {})
    return Commands(tmp_path, monkeypatch)


def ours_alone(run: Run) -> float | None:
    return 0.1 * run.seed if run.part == TARGETS.name and run.bug else None


def everything(run: Run) -> float | None:
    return 0.5 if run.bug else None


def but(misses: Callable[[Run], bool]) -> Callable[[Run], float | None]:
    """Find everything, except where `misses` says so."""
    return lambda run: None if misses(run) else everything(run)


# The hunt.


def test_the_hunt_tells_who_finds_what(run: Commands) -> None:
    searches = Searches(everything)
    status, output, path = run(hunting, searches, *CHOSEN)
    assert status == 0, output
    told = json.loads(path.read_text())
    # It has no annotations.
    jsonschema: Any = import_module("jsonschema")
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert told["problems"] == []
    assert [each["bug"] for each in told["bugs"]] == [*CHOSEN]
    first = told["bugs"][0]
    assert first["found_by"] == [part.name for part in PARTS if not part.layers]
    assert first["ci"][TARGETS.name] == {
        "found": True,
        "part": TARGETS.name,
        "by": "messages",
        "says": "it is [wrong]",
        "tried": 10,
        "seconds": 1.0,
    }
    assert first["found_with"] == [1, 2, 3, 4, 5]
    assert told["summary"]["found_by_two"] == 3
    table = rows(output)
    assert table["echo-lost"][0] == "body"
    assert table["echo-lost"][1:3] == ["10 / 1.0 s"] * 2
    assert table["found"][1] == "3 of 3"


def test_the_control_comes_first_with_several_seeds(run: Commands) -> None:
    searches = Searches(everything)
    run(hunting, searches, *CHOSEN)
    control = [each for each in searches.runs if each.bug is None]
    assert searches.runs[: len(control)] == control
    for part in PARTS:
        seeds = {each.seed for each in control if each.part == part.name}
        assert seeds == ({FIXED, 1, 2, 3} if part.is_random else {FIXED})


def test_with_a_seed_one_part_is_enough(run: Commands) -> None:
    searches = Searches(but(lambda run: run.part == TARGETS.name and run.seed != FIXED))
    run(hunting, searches, "echo-lost", "--no-control")
    tried = [each.part for each in searches.runs if each.seed == 1]
    assert [tried.count(name) for name in (TARGETS.name, LAWS.name)] == [len(tried) - 1, 1]


def test_who_accuses_the_code_as_it_is_ends_the_hunt(run: Commands) -> None:
    wrong = Run(None, LAWS.name, "", 2)
    searches = Searches(lambda run: 1.0 if run == wrong else None)
    status, output, path = run(hunting, searches, *CHOSEN)
    assert status == WRONG
    assert "laws, what laws try, seed 2: it is [wrong]" in output
    assert {each.bug for each in searches.runs} == {None}
    assert not path.exists()


@pytest.mark.parametrize(
    ("misses", "sentence"),
    [
        (lambda run: run.bug == "echo-lost", "echo-lost is not found."),
        (
            lambda run: run.bug == "echo-lost" and run.part != LAWS.name,
            "echo-lost is found by the laws alone, and alone.toml does not say why.",
        ),
        (
            lambda run: (
                run.part not in (UNIT.name, ENUMERATION.name, LAWS.name)
                or (run.bug == "echo-lost" and run.part != LAWS.name)
                or (run.bug == "echo-lost" and run.seed in (2, 4))
            ),
            "echo-lost is found with 3 of 5.",
        ),
    ],
    ids=["by nobody", "by one part", "by chance"],
)
def test_what_falls_short_fails_the_hunt(
    run: Commands, misses: Callable[[Run], bool], sentence: str
) -> None:
    status, output, path = run(hunting, Searches(but(misses)), *CHOSEN)
    assert status == MISSED
    assert sentence in output
    assert sentence.removesuffix(".") in json.loads(path.read_text())["problems"]


def test_a_reason_will_do_for_one_in_ten(run: Commands, tmp_path: Path) -> None:
    reasons = tmp_path / "alone.toml"
    reasons.write_text('echo-lost = "because"\nmemory-by-claim = "because"\n')
    run.patch.setattr(hunting, "ALONE", reasons)
    many = [*list(bugs())[:20], "memory-by-claim"]
    alone = but(lambda run: run.bug == "echo-lost" and run.part != LAWS.name)
    assert "echo-lost" in many
    status, output, _ = run(hunting, Searches(alone), *many, "--no-control")
    assert status == MISSED
    assert "alone.toml has memory-by-claim, which more than one part finds." in output
    assert "echo-lost is" not in output
    reasons.write_text('echo-lost = "because"\n')
    status, output, _ = run(hunting, Searches(alone), *many, "--no-control")
    assert status == 0, output
    status, output, _ = run(hunting, Searches(alone), "echo-lost", "--no-control", "--seeds", "0")
    assert status == MISSED
    assert "only 0 of 1 are found by two parts." in output


def test_a_reason_is_of_a_bug_that_there_is() -> None:
    assert hunting.reasons().keys() <= bugs().keys()
    assert all(len(reason.split()) > 5 for reason in hunting.reasons().values())


def test_shards_hunt_every_bug_once(run: Commands) -> None:
    hunted: list[str | None] = []
    for shard in ("1/3", "2/3", "3/3"):
        searches = Searches(everything)
        _, _, path = run(hunting, searches, "--shard", shard, "--no-control", "--seeds", "0")
        hunted += {each.bug for each in searches.runs}
    assert sorted(filter(None, hunted)) == sorted(bugs())
    # What the shards have found is known to whoever looks at all of it.
    searches = Searches(everything)
    status, _, path = run(hunting, searches, "--no-control", "--seeds", "0")
    assert status == 0
    assert searches.runs == []
    assert len(json.loads(path.read_text())["bugs"]) == len(bugs())


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b"])
def test_what_is_no_shard_is_said(run: Commands, shard: str) -> None:
    status, output, _ = run(hunting, Searches(everything), "--shard", shard)
    assert status == 2
    assert "such as 1/4" in output


def test_a_patch_that_does_not_apply_ends_the_hunt(run: Commands) -> None:
    stale = {"echo-lost": "echo-lost.patch does not apply any more: [why]"}
    run.patch.setattr(planted, "stale_bugs", lambda root: stale)
    searches = Searches(everything)
    status, output, _ = run(hunting, searches, "memory-by-claim")
    assert status == WRONG
    assert "echo-lost.patch does not apply any more: [why]" in output
    assert searches.runs == []


def test_what_is_known_can_be_told_without_a_run(run: Commands) -> None:
    searches = Searches(everything)
    status, output, _ = run(hunting, searches, "echo-lost", "--no-run")
    assert status == MISSED
    assert searches.runs == []
    assert rows(output)["echo-lost"][1] == "not yet run"


# The race of engines.


def test_the_race_tells_who_is_how_soon(run: Commands) -> None:
    status, output, path = run(fuzzing, Searches(ours_alone), *CHOSEN)
    assert status == 0
    table = rows(output)
    assert table["echo-lost"] == ["body", "0.20 messages", "-", "-"]
    assert table["memory-by-claim"] == ["stream", "0.20 frames", "-", "-"]
    assert table["last-event-first"] == ["conversation", "0.20 client", "-", "-"]
    assert table["found"] == ["", "3 of 3", "0 of 3", "0 of 3"]
    assert table["seconds to start"] == ["", "0.50", "0.50", "0.50"]
    kept = json.loads(path.read_text())
    assert len(kept) == 9
    assert kept[0] == {
        "bug": "echo-lost",
        "layer": "body",
        "part": TARGETS.name,
        "over": True,
        "by": "messages",
        "says": "it is [wrong]",
        "seconds": 0.2,
        "tried": 30,
        "before": [],
    }


def test_a_bug_that_ours_miss_is_a_failure(run: Commands) -> None:
    late = Searches(
        lambda run: None if run.target in ("messages", "differential") else ours_alone(run)
    )
    status, output, _ = run(fuzzing, late, "echo-lost")
    assert (status, rows(output)["echo-lost"][1]) == (0, "0.20 roundtrip (1)")
    # What the others miss is no failure.
    misses = Searches(lambda run: None if run.bug == CHOSEN[1] else ours_alone(run))
    status, output, _ = run(fuzzing, misses, *CHOSEN)
    assert (status, rows(output)[CHOSEN[1]][1]) == (MISSED, "-")


def test_bugs_for_which_there_is_no_target_are_no_race(run: Commands) -> None:
    searches = Searches(ours_alone)
    run(fuzzing, searches, "echo-lost", "output-is-shared", "--no-control")
    assert {each.bug for each in searches.runs} == {"echo-lost"}


def test_a_patch_that_turns_out_not_to_apply_ends_it(run: Commands) -> None:
    def stale(run: Run) -> float:
        raise DoesNotApplyError("echo-lost.patch does not apply any more")

    status, output, _ = run(fuzzing, Searches(stale), "--no-control")
    assert status == WRONG
    assert "echo-lost.patch does not apply any more" in output


def test_a_bug_that_does_not_exist_is_named(run: Commands) -> None:
    for module in (hunting, fuzzing):
        status, output, _ = run(module, Searches(everything), "no-such-bug")
        assert status == 2
        assert "no bug called no-such-bug" in output


def test_some_engines_will_do(run: Commands) -> None:
    searches = Searches(everything)
    run(fuzzing, searches, "echo-lost", "--engine", HYPOTHESIS.name, "--seeds", "1")
    assert {each.part for each in searches.runs} == {HYPOTHESIS.name}
    assert {each.seed for each in searches.runs} == {1}


def test_atheris_is_asked_for_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "find_spec", lambda name: None)
    ran = CliRunner().invoke(fuzzing.main, ["--engine", BYTES.name])
    assert ran.exit_code == 2
    assert "atheris cannot be imported" in ran.output
