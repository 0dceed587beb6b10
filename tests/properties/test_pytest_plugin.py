"""Runs of pytest inside the tests: the map over all processes, and when an untouched pair fails."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from authplugin_properties.coverage_map import EVENT_PAIRS, fault_pairs

pytest_plugins = ["pytester"]

Runner = Callable[..., pytest.RunResult]

# Half of the pairs each, so that only both together make the whole.
HALVES = """
import pytest
from authplugin import Side
from authplugin_properties.coverage_map import EVENT_PAIRS, fault_pairs
from authplugin_properties import tally

# A role may be an enum's.
SIDES = {str(side): side for side in Side}
PAIRS = [((SIDES.get(role, role), *rest), True) for role, *rest in sorted(EVENT_PAIRS)]
PAIRS += [(pair, False) for pair in sorted(fault_pairs())]
LEFT_OUT = ("client", "IDLE", "hear PLUGIN_INIT")

@pytest.mark.map
@pytest.mark.parametrize("half", [0, 1])
def test_half(half):
    for pair, is_event in PAIRS[half::2]:
        (tally.CURRENT.events if is_event else tally.CURRENT.faults)[pair] += 1
    tally.CURRENT.run("a machine").steps += 7
"""
GAP = f"{HALVES}\nPAIRS.remove((LEFT_OUT, True))\n"
LEFT_OUT = "client, IDLE, hear PLUGIN_INIT"
WHOLE = f"states: {len(EVENT_PAIRS)} of {len(EVENT_PAIRS)}, "
processes = pytest.mark.parametrize("processes", ["0", "2"])


@pytest.fixture
def run(pytester: pytest.Pytester) -> Runner:
    """Run pytest with the plugin and nothing of this repository's configuration."""

    def run(*arguments: str) -> pytest.RunResult:
        pytester.makepyprojecttoml("[tool.pytest.ini_options]\naddopts = ['--strict-markers']\n")
        return pytester.runpytest("-p", "authplugin_properties.pytest_plugin", *arguments)

    return run


@processes
def test_whole_map_passes_and_is_written(
    pytester: pytest.Pytester, run: Runner, processes: str
) -> None:
    pytester.makepyfile(HALVES)
    done = run("-n", processes)
    assert done.ret == pytest.ExitCode.OK
    done.stdout.fnmatch_lines(
        [
            f"{WHOLE}faults: {len(fault_pairs())} of {len(fault_pairs())}",
            "a machine:",
            "  14 steps, *",
            f"The map: {pytester.path / 'build' / 'map.html'}",
        ]
    )
    done.stdout.no_fnmatch_line("*untouched*")
    page = (pytester.path / "build" / "map.html").read_text("utf-8")
    assert f"{len(EVENT_PAIRS)} of {len(EVENT_PAIRS)}" in page


@processes
def test_an_untouched_pair_fails_a_whole_run(
    pytester: pytest.Pytester, run: Runner, processes: str
) -> None:
    pytester.makepyfile(GAP)
    done = run("-n", processes)
    done.assert_outcomes(passed=2)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["*= untouched =*", LEFT_OUT])
    assert done.stdout.str().splitlines().count(LEFT_OUT) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["-k", "half and 1"],
        ["-k", "half and 1", "-n", "2"],
        ["--deselect", "test_it.py::test_half[1]"],
        ["test_it.py"],
        ["test_it.py::test_half[0]"],
        ["--ignore", "elsewhere"],
    ],
    ids=" ".join,
)
def test_part_of_the_tests_need_not_touch_everything(
    pytester: pytest.Pytester, run: Runner, arguments: list[str]
) -> None:
    pytester.makepyfile(test_it=GAP)
    done = run(*arguments)
    assert done.ret == pytest.ExitCode.OK
    done.stdout.fnmatch_lines(["states: * of *, faults: * of *"])
    done.stdout.no_fnmatch_line("*untouched*")


def test_a_folder_that_is_asked_for_is_whole(pytester: pytest.Pytester, run: Runner) -> None:
    pytester.makepyfile(**{"tests/test_it": GAP})
    assert run("tests").ret == pytest.ExitCode.TESTS_FAILED


def test_the_option_demands_everything_of_any_tests(pytester: pytest.Pytester, run: Runner) -> None:
    pytester.makepyfile(test_it="def test_nothing_of_the_map(): pass")
    assert run().ret == pytest.ExitCode.OK
    done = run("--whole-map")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines([f"states: 0 of {len(EVENT_PAIRS)}, *", LEFT_OUT])


def test_only_marked_tests_count(pytester: pytest.Pytester, run: Runner) -> None:
    pytester.makepyfile(HALVES.replace("@pytest.mark.map\n", ""))
    done = run("--whole-map")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines([f"states: 0 of {len(EVENT_PAIRS)}, *"])


def test_a_failed_test_is_what_fails(pytester: pytest.Pytester, run: Runner) -> None:
    pytester.makepyfile(GAP + "\ndef test_wrong(): assert False\n")
    done = run()
    done.assert_outcomes(passed=2, failed=1)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["states: * of *, faults: * of *"])
    done.stdout.no_fnmatch_line("*untouched*")


def test_what_failed_alone_need_not_touch_everything(
    pytester: pytest.Pytester, run: Runner
) -> None:
    marked = "import pytest\n@pytest.mark.map\ndef test_it(): assert {}\n"
    pytester.makepyfile(test_a=GAP, test_b=marked.format(False))
    assert run().ret == pytest.ExitCode.TESTS_FAILED
    pytester.makepyfile(test_b=marked.format(True))
    done = run("--last-failed")
    done.assert_outcomes(passed=1)
    assert done.ret == pytest.ExitCode.OK


def test_tests_without_a_map_write_none(pytester: pytest.Pytester, run: Runner) -> None:
    pytester.makepyfile("def test_it(): pass")
    done = run()
    assert done.ret == pytest.ExitCode.OK
    done.stdout.no_fnmatch_line("*= map =*")
    assert not (pytester.path / "build").exists()


def test_nothing_is_demanded_where_tests_are_only_listed(
    pytester: pytest.Pytester, run: Runner
) -> None:
    pytester.makepyfile(GAP)
    assert run("--collect-only", "--whole-map").ret == pytest.ExitCode.OK


def test_the_map_is_written_where_it_is_asked_for(pytester: pytest.Pytester, run: Runner) -> None:
    pytester.makepyfile(HALVES)
    done = run("--map", "new/folder/page.html")
    assert done.ret == pytest.ExitCode.OK
    path = pytester.path / "new" / "folder" / "page.html"
    done.stdout.fnmatch_lines([f"The map: {path}"])
    assert path.is_file()
    assert not (pytester.path / "build").exists()


@processes
def test_a_hanging_test_is_stopped_and_shows_where_it_hung(
    pytester: pytest.Pytester, processes: str
) -> None:
    # As pyproject.toml has it, but for the length. Waiting is the point here.
    pytester.makepyfile(
        """
        import threading

        def wait_for_what_never_comes():
            threading.Event().wait()

        def test_it():
            wait_for_what_never_comes()
        """
    )
    done = pytester.runpytest_subprocess(
        "-p",
        "authplugin_properties.pytest_plugin",
        *("-n", processes, "--timeout=1", "--timeout-method=thread"),
        timeout=60,
    )
    assert done.ret != pytest.ExitCode.OK
    printed = done.stdout.str() + done.stderr.str()
    assert re.search("timeout", printed, re.IGNORECASE)
    # Its file and line, as a stack has them.
    assert re.search(r'File ".*test_a_hanging\w+\.py", line 4,? in wait_for_what', printed)


BROKEN = """
import pytest
from authplugin.session import Session
from authplugin_corpus import faults

@pytest.fixture(autouse=True, scope="session")
def broken():
    # As a mistake in the code, which is there to the end of the run.
    def refuse(*_):
        raise TypeError("sloppy")
    Session._advance = refuse
    faults.pairs.cache_clear()

@pytest.mark.map
def test_that_fails():
    assert not "what it says"

@pytest.mark.map
def test_that_holds():
    pass
"""


def test_no_report_is_lost_where_the_code_is_broken(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BROKEN)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    # In a process of its own, which stays broken.
    done = pytester.runpytest_subprocess("-p", "authplugin_properties.pytest_plugin")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(
        [
            "*assert not 'what it says'",
            "The map cannot be drawn: TypeError: sloppy",
            "FAILED *test_that_fails*",
        ]
    )
    done = pytester.runpytest_subprocess("-p", "authplugin_properties.pytest_plugin", "-k", "holds")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
