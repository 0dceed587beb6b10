"""The profiles: what they repeat, what they print, and what they keep for the next run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import settings

from authplugin_properties import profiles

pytest_plugins = ["pytester"]

CONFTEST = """
from authplugin_properties import profiles
from hypothesis import settings

profiles.register()
settings.load_profile("ci")
"""
# Writes down what is tried, whatever process tries it: a test, a machine, and a test that another
# makes.
TESTS = """
import os
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

def note(*what):
    with open(os.environ["TRIED"] + what[0], "a") as file:
        print(*what[1:], file=file)

@settings(max_examples=25)
@given(st.integers())
def test_number(number):
    note("number", number)

class Machine(RuleBasedStateMachine):
    @rule(number=st.integers())
    def step(self, number):
        note("machine", number)

class TestMachine(Machine.TestCase):
    settings = settings(max_examples=25, stateful_step_count=5)

def test_made():
    @settings(max_examples=25)
    @given(st.lists(st.integers()))
    def made(numbers):
        note("made", numbers)
    made()
"""
FAILING = """
from hypothesis import given, strategies as st

TRIED = []

@given(st.integers())
def test_number(number):
    if not TRIED:
        print(f"first: {number}")
    TRIED.append(number)
    assert number < 100_000
"""
processes = pytest.mark.parametrize("processes", ["0", "2"])


class Project:
    """A folder with tests of its own, in which pytest is run."""

    def __init__(self, pytester: pytest.Pytester, patch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self.patch = patch
        pytester.makeconftest(CONFTEST)
        self.runs = 0

    def run(self, *arguments: str) -> pytest.RunResult:
        plugin = ("-p", "authplugin_properties.pytest_plugin")
        return self.pytester.runpytest_subprocess(*plugin, *arguments, timeout=100)

    def tried(self, *arguments: str) -> tuple[dict[str, str], pytest.RunResult]:
        """Return what a run has tried, and the run."""
        self.runs += 1
        folder = Path(self.pytester.mkdir(f"tried{self.runs}"))
        self.patch.setenv("TRIED", f"{folder}/")
        done = self.run(*arguments)
        assert done.ret == pytest.ExitCode.OK
        found = {path.name: path.read_text() for path in folder.iterdir()}
        assert found.keys() == {"number", "machine", "made"}
        return found, done

    def forget(self) -> None:
        """Empty the database of examples."""
        for path in self.pytester.path.glob(".hypothesis/examples/*/*"):
            path.unlink()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    # With it set, Hypothesis repeats itself and keeps nothing unless a profile says otherwise.
    monkeypatch.setenv("CI", "true")
    return Project(pytester, monkeypatch)


def seed_of(done: pytest.RunResult) -> str:
    """Return the seed that a run has printed, at its start and again at its end."""
    found = re.findall(r"^seed: (\d+)$", done.stdout.str(), re.MULTILINE)
    assert len(found) == 2
    assert len(set(found)) == 1
    return str(found[0])


def test_this_run_goes_by_ci_unless_told_otherwise(request: pytest.FixtureRequest) -> None:
    wanted = request.config.getoption("--hypothesis-profile") or "ci"
    assert settings.get_current_profile_name() == wanted


@pytest.mark.parametrize("name", profiles.PROFILES)
def test_no_profile_has_a_deadline(name: str) -> None:
    profile = settings.get_profile(name)
    assert profile.deadline is None
    assert profile.print_blob


def test_nightly_tries_more_than_ci() -> None:
    ci, nightly = settings.get_profile("ci"), settings.get_profile("nightly")
    assert ci.max_examples < nightly.max_examples
    assert ci.stateful_step_count < nightly.stateful_step_count


def test_ci_tries_the_same_twice_and_keeps_nothing(project: Project) -> None:
    project.pytester.makepyfile(TESTS)
    first, done = project.tried()
    second, _ = project.tried()
    assert first == second
    done.stdout.no_fnmatch_line("seed: *")
    assert not list(project.pytester.path.glob(".hypothesis/examples/*/*"))


@processes
def test_nightly_tries_something_else_each_time_and_prints_how_to_repeat_it(
    project: Project, processes: str
) -> None:
    project.pytester.makepyfile(TESTS)
    nightly = ("--hypothesis-profile=nightly", "-n", processes)
    first, done = project.tried(*nightly)
    second, another = project.tried("--hypothesis-profile=nightly")
    assert all(first[name] != second[name] for name in first)
    seed = seed_of(done)
    assert seed != seed_of(another)
    done.stdout.fnmatch_lines(
        [
            "the same again: *python* -m pytest *-p authplugin_properties.pytest_plugin"
            f" --hypothesis-profile=nightly -n {processes} --hypothesis-seed={seed}"
        ]
    )
    project.forget()
    again, repeated = project.tried(*nightly, f"--hypothesis-seed={seed}")
    assert first == again
    # A seed that is given is not chosen.
    repeated.stdout.no_fnmatch_line("seed: *")


def test_nightly_prints_its_reproducer_and_tries_it_first_the_next_night(project: Project) -> None:
    project.pytester.makepyfile(FAILING)
    first = project.run("--hypothesis-profile=nightly")
    first.assert_outcomes(failed=1)
    first.stdout.fnmatch_lines(["*@reproduce_failure('*', b'*')*"])
    first.stdout.fnmatch_lines(["first: 0"])
    second = project.run("--hypothesis-profile=nightly")
    second.assert_outcomes(failed=1)
    assert seed_of(first) != seed_of(second)
    second.stdout.fnmatch_lines(["first: 100000"])


def test_debug_prints_every_example(project: Project) -> None:
    project.pytester.makepyfile(TESTS)
    _, done = project.tried("--hypothesis-profile=debug", "-rP")
    # Every process has Hypothesis print each one.
    assert done.stdout.str().count("number=") >= 25
