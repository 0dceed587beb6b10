"""For pytest: the map of what a run has exercised, and a seed for a run that is random.

`pytest -p authplugin_properties.pytest_plugin` has it. The map is of what the tests marked `map`
count in `tally.CURRENT`, each from none, in all of pytest-xdist's processes. Where there was such
a test, what they exercised is printed and drawn as a page. Where that is not everything the run
fails, if it was a whole one; see `_Part`.

Where the profile that Hypothesis goes by is random, and no `--hypothesis-seed` is given, all tests
begin with one seed. It is printed with the command that repeats the run.

With pytest-xdist, pytest-timeout's stacks of a test that hangs are printed too.
"""

from __future__ import annotations

import faulthandler
import json
import os
import shlex
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from . import tally
from .tally import Tally

# The rest is imported where it is needed: every run of pytest loads this module, also one of tests
# that have nothing to do with the map.

MARKER: Final = "map"
_NAME: Final = "authplugin-map"
_SEED: Final = "authplugin_seed"
_PAGE: Final = "build/map.html"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the map."""
    group = parser.getgroup("authplugin")
    group.addoption(
        "--map",
        metavar="PATH",
        type=Path,
        help=f"where the map of what was exercised is written (default: {_PAGE})",
    )
    group.addoption(
        "--whole-map",
        action="store_true",
        help="fail where anything on the map is untouched, even if only some tests are run",
    )


@pytest.hookimpl(trylast=True)  # when Hypothesis has loaded the profile and knows its options
def pytest_configure(config: pytest.Config) -> None:
    """Begin the map, and choose the seed."""
    config.addinivalue_line(
        "markers", f"{MARKER}: what this test counts as exercised goes into the map"
    )
    worker = getattr(config, "workerinput", None)
    seed = _seed(config) if worker is None else worker[_SEED]
    if seed is not None:
        from .profiles import use_seed

        use_seed(seed)
    counted = _Map(config, seed)
    config.pluginmanager.register(counted, _NAME)
    if worker is not None:
        config.pluginmanager.register(_Worker(), f"{_NAME}-worker")
    elif config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Controller(counted), f"{_NAME}-controller")


def _seed(config: pytest.Config) -> int | None:
    """Choose a seed where none is given and the tests are random."""
    from .profiles import choose_seed, is_random

    given = config.getoption("--hypothesis-seed", None)
    return choose_seed() if given is None and is_random() else None


@dataclass
class _Part:
    """Which of the marked tests a process has collected.

    A run is whole where the marked tests of all the folders that it was asked for are run: none is
    deselected, as by `-k`, `-m` or `--last-failed`, no file or test was asked for by name, and
    nothing is ignored.
    """

    collected: int = 0
    deselected: int = 0


class _Map:
    """Counts in a process that runs tests, and reports in the one that the user has started."""

    def __init__(self, config: pytest.Config, seed: int | None) -> None:
        self.config = config
        self.seed = seed
        self.tally = Tally()
        self.part = _Part()
        self.lines: list[str] = []
        self.untouched: list[str] = []

    # Counting.

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if item.get_closest_marker(MARKER) is None:
            return (yield)
        _clear(tally.CURRENT)
        try:
            return (yield)
        finally:
            self.tally.add(tally.CURRENT)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.part.deselected += _marked(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.part.collected = _marked(session.items)

    # Reporting.

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            # As text: pytest-xdist takes nothing but plain objects, and a role may be an enum's.
            counted = json.dumps(self.tally.to_json())
            output[_NAME] = [counted, self.part.collected, self.part.deselected]
        elif not self.config.option.collectonly and (self._is_demanded() or self.part.collected):
            try:
                self._report(session)
            except Exception as error:
                # What there is to strike is asked of the code under test, which may be broken: then
                # its tests have failed, and what they say is not to be lost.
                self.lines = [f"The map cannot be drawn: {type(error).__name__}: {error}"]
                if session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _report(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.INTERRUPTED:
            self.lines = ["The map was not drawn: the run was interrupted"]
            return
        self._draw()
        if session.exitstatus == pytest.ExitCode.OK and self._is_demanded():
            self._demand(session)
        elif session.exitstatus != pytest.ExitCode.OK:
            self.lines.append("A test has failed, so some of this may be missing.")

    def _is_demanded(self) -> bool:
        """Whether everything must have been exercised."""
        option = self.config.option
        last_failed = self.config.getoption("--last-failed", False)
        narrowed = self.part.deselected or last_failed or option.ignore or option.ignore_glob
        paths = [self.config.invocation_params.dir / name for name in self.config.args]
        # "file.py::test" is no path, and so no folder either.
        whole = bool(self.part.collected) and not narrowed and all(path.is_dir() for path in paths)
        return whole or bool(option.whole_map)

    def _draw(self) -> None:
        from .coverage_map import summary
        from .map_page import write_html

        path = self.config.rootpath / _PAGE
        if self.config.option.map is not None:
            path = self.config.invocation_params.dir / self.config.option.map
        path.parent.mkdir(parents=True, exist_ok=True)
        write_html(self.tally, path)
        self.lines = [*summary(self.tally).splitlines(), f"The map: {path}"]

    def _demand(self, session: pytest.Session) -> None:
        from .coverage_map import missing

        self.untouched = [", ".join(pair) for pairs in missing(self.tally) for pair in pairs]
        if self.untouched:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_report_header(self) -> list[str]:
        return list(self._repetition())

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.lines:
            terminalreporter.section("map")
            for line in self.lines:
                terminalreporter.write_line(line)
        if self.untouched:
            terminalreporter.section("untouched", red=True)
            for line in self.untouched:
                terminalreporter.write_line(line)
        for line in self._repetition():
            terminalreporter.write_line(line)

    def _repetition(self) -> Iterator[str]:
        if self.seed is not None:
            given = shlex.join(self.config.invocation_params.args)
            yield f"seed: {self.seed}"
            python = shlex.quote(_python(self.config.invocation_params.dir))
            yield f"the same again: {python} -m pytest {given} --hypothesis-seed={self.seed}"


class _Controller:
    """What the process that the user has started has to do with those that pytest-xdist starts."""

    def __init__(self, whole: _Map) -> None:
        self.map = whole

    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[_SEED] = self.map.seed

    def pytest_testnodedown(self, node: Any) -> None:
        # One that has crashed hands over nothing; the test that it ran has failed.
        output = getattr(node, "workeroutput", {})
        if _NAME in output:
            counted, collected, deselected = output[_NAME]
            self.map.tally.add(Tally.from_json(json.loads(counted)))
            # Each of them collects everything.
            self.map.part = _Part(collected, deselected)


class _Worker:
    """Where a test hangs, for the processes that pytest-xdist starts.

    pytest-timeout writes all stacks to a standard output that nobody reads there, and ends the
    process. Here the same goes to the standard error, which all these processes share.
    """

    def __init__(self) -> None:
        # pytest replaces the one with that number while a test runs.
        self.error = os.dup(2)

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(self, settings: Any) -> bool | None:
        if settings.method != "thread":
            return None
        faulthandler.dump_traceback_later(settings.timeout, exit=True, file=self.error)
        return True

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_cancel_timer(self) -> None:
        faulthandler.cancel_dump_traceback_later()


def _python(folder: Path) -> str:
    """Return what starts this Python, seen from a folder."""
    python = Path(sys.executable)
    return str(python.relative_to(folder) if python.is_relative_to(folder) else python)


def _marked(items: Sequence[pytest.Item]) -> int:
    return sum(item.get_closest_marker(MARKER) is not None for item in items)


def _clear(counted: Tally) -> None:
    counted.events.clear()
    counted.faults.clear()
    counted.runs.clear()
