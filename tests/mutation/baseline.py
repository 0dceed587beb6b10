"""What the tests see while nothing is wrong: which lines each of them runs, and how long it takes.

Run as a program, in a copy of the repository, it writes that to a file, as JSON:

    python -m tests.mutation.baseline RESULT TESTS...
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Self

CONFIG: Final = """\
[run]
parallel = true
patch = _exit, subprocess
disable_warnings = module-not-imported, no-data-collected
"""
"""For coverage.py. Plugins and keepers run in processes of their own, and some are forks."""


Part = dict[str, Any]
"""What is known of one file of tests, for JSON: `seconds` and `red` as in `Baseline`, and `seen`,
by module and line, with numbers in the order of `seconds`, or None for an import."""


@dataclass(frozen=True)
class Baseline:
    """The tests, and what they see.

    Attributes:
        seconds: what each test takes, by its address, in the order of the run.
        seen: by module, from the folder `codec`, and line: the tests that run it. What runs while
            a module is imported has the test "".
        red: tests that fail without a mutant, and so are no use.
    """

    seconds: Mapping[str, float]
    seen: Mapping[str, Mapping[int, Set[str]]]
    red: Sequence[str]

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Self:
        """Put together what is known of each file of tests."""
        seconds: dict[str, float] = {}
        seen: dict[str, dict[int, set[str]]] = {}
        red: list[str] = []
        for part in parts:
            names = list(part["seconds"])
            seconds |= part["seconds"]
            red += part["red"]
            for module, lines in part["seen"].items():
                known = seen.setdefault(module, {})
                for line, tests in lines.items():
                    found = ("" if at is None else names[at] for at in tests)
                    known.setdefault(int(line), set()).update(found)
        return cls(seconds, seen, red)

    def of_lines(self, module: str, lines: range) -> set[str]:
        """Return the tests that run one of these lines."""
        known = self.seen.get(module, {})
        return {test for line in lines for test in known.get(line, ())}

    def of_calls(self, module: str) -> set[str]:
        """Return the tests that run anything of a module once it is imported."""
        return {test for tests in self.seen.get(module, {}).values() for test in tests} - {""}


class _Watch:
    """The plugin for pytest: tells coverage.py which test is under way."""

    def __init__(self, measuring: Any) -> None:
        self.measuring = measuring
        self.seconds: dict[str, float] = {}
        self.red: list[str] = []

    def pytest_runtest_protocol(self, item: Any) -> None:
        # Seen before the protocol of pytest itself, since it returns nothing.
        self._begin(item.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if nodeid not in self.red:
            self.seconds[nodeid] = perf_counter() - self.begun
        self.measuring.switch_context("")

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.red.append(report.nodeid)

    def _begin(self, nodeid: str) -> None:
        self.begun = perf_counter()
        self.measuring.switch_context(nodeid)
        # The processes that it starts measure themselves, under its name.
        config = self.measuring.config
        config.context = nodeid
        os.environ["COVERAGE_PROCESS_CONFIG"] = config.serialize()
        config.context = None


def measure(tests: list[str], codec: Path) -> tuple[int, dict[str, Part]]:
    """Run tests; return pytest's status, and what is known of each of their files."""
    import coverage
    import pytest

    config = Path("coverage.ini")
    config.write_text(CONFIG + f"source = {codec}\n", encoding="utf-8")
    measuring = coverage.Coverage(config_file=str(config))
    watch = _Watch(measuring)
    measuring.start()
    status = int(pytest.main([*OPTIONS, *tests], plugins=[watch]))
    measuring.stop()
    measuring.save()
    measuring.combine()
    data = measuring.get_data()
    seen = {
        Path(file).relative_to(codec).as_posix(): data.contexts_by_lineno(file)
        for file in data.measured_files()
    }
    files: dict[str, Part] = {}
    for test, seconds in watch.seconds.items():
        part = files.setdefault(file_of(test), {"seconds": {}, "seen": {}, "red": []})
        part["seconds"][test] = seconds
    for part in files.values():
        numbers = {test: at for at, test in enumerate(part["seconds"])}
        for module, lines in seen.items():
            known = part["seen"][module] = {}
            for line, names in lines.items():
                # A name may be that of a process and of what it ran: `test|`.
                bare = {name.strip("|") for name in names}
                mine = [numbers[name] for name in bare if name in numbers]
                if mine or "" in bare:
                    known[line] = [*mine, *([None] if "" in bare else [])]
    for test in watch.red:
        files.setdefault(file_of(test), {"seconds": {}, "seen": {}, "red": []})["red"].append(test)
    return status, files


def file_of(test: str) -> str:
    """Return the file of a test, given its address."""
    return test.partition("::")[0]


OPTIONS: Final = (
    "-q",
    "-pno:cacheprovider",
    "-pno:randomly",
    "-ppytest_timeout",
    "--basetemp=tmp",
    "-Wignore::pytest.PytestAssertRewriteWarning",
)
"""How the tests are run, here and with a mutant."""


def main(arguments: list[str]) -> int:
    """Measure, and write what was measured."""
    result, *tests = arguments
    status, contents = measure(tests, Path("codec").resolve())
    Path(result).write_text(json.dumps(contents), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
