"""Tries mutants: one after another in a copy of the repository, each in a fork of its own.

Everything that tests need but this repository has not written is imported once, before the fork;
the codec is imported in the fork, from the copy, where the mutant has been written to its file. So
a mutant may be anywhere, also where only the import of a module runs it, or a process that a test
starts. The code that is generated is written anew where the mutant is in what writes it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import io
import json
import math
import os
import resource
import runpy
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final

import pytest

from .baseline import OPTIONS, Baseline, file_of
from .mutants import GENERATOR, Mutant

ROOT: Final = Path(__file__).resolve().parents[2]

COPIED: Final = (
    *("codec", "corpus", "examples", "fuzz", "properties", "tests"),
    *("Makefile", "README.md", "CONTRIBUTING.md", "pyproject.toml"),
)
"""What a copy of the repository has."""

ROOMS: Final = ("codec", "corpus", "properties", "fuzz")
WIRES: Final = ("authplugin/wire.py", "authplugin/userauth/wire.py")

GENERATED_FROM: Final = (
    *GENERATOR,
    *(f"authplugin/{name}.py" for name in ("errors", "kinds", "limits", "messages", "reading")),
    *(f"authplugin/{name}.py" for name in ("table", "text", "userauth/messages")),
)
"""What the generator consists of or imports."""

KEEPER: Final = "authplugin/keeper.py"
KEPT_BY: Final = "authplugin/process.py"
"""The keeper is isolated from all that would measure it; who calls this one runs it."""

WARM: Final = (
    *("pytest", "pytest_timeout", "hypothesis", "hypothesis.strategies", "construct", "paramiko"),
    *("click", "rich.console", "rich.table", "cryptography.x509"),
)
"""What is imported once."""

MEMORY: Final = 4 * 1024**3
START: Final = 0.2  # seconds that pytest takes to begin and to end
TOGETHER: Final = 1.5  # seconds of tests that one run of it has, if not of a single file
SLOW: Final = 3.0  # seconds of the processor that any test may take, and
SLOWER: Final = 10  # times what it takes without a mutant
SILENT: Final = 30  # seconds that a test may wait; pytest-timeout ends it
LOST: Final = 600  # seconds after which whatever runs is ended


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        mutant: its digest.
        verdict: `killed`; `timeout`, which is as good; `survived`; or `same`, where it writes
            code that does the same, in other words for people at most.
        by: the test that found it, or what else did; empty where nothing did.
        seconds: of the processor.
        files: the files of tests that were run, with a digest of each.
    """

    mutant: str
    verdict: str
    by: str
    seconds: float
    files: Mapping[str, str]

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self)) + "\n"


def warm() -> None:
    """Import what all mutants share; what is not installed is not needed."""
    for name in WARM:
        with suppress(ImportError):
            importlib.import_module(name)
    # What pytest imports as it starts, and again as it ends, it then has.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-ppytest_timeout", "-c/dev/null", f"--rootdir={folder}", folder])
    gc.collect()
    gc.freeze()  # pytest collects garbage at its end, and would look through all of this


def copies(folder: Path, number: int, tests: Iterable[str]) -> list[Path]:
    """Make copies of the repository in which mutants are tried, compiled; return their folders."""
    shutil.rmtree(folder, ignore_errors=True)
    made = [folder / str(each) for each in range(number)]
    made[0].mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, made[0] / name, ignore=ignored)
        else:
            shutil.copy(source, made[0])
    subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "--collect-only", *tests],
        cwd=made[0],
        env=environment(made[0]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,  # what is wrong with the tests shows when they are run
    )
    for each in made[1:]:
        shutil.copytree(made[0], each)
    return made


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which a copy is what is imported, and pytest has no more plugins."""
    path = os.pathsep.join(path_of(folder))
    return {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def path_of(folder: Path) -> list[str]:
    """Return what comes first on the path where a copy is what is imported."""
    return [str(folder), *(str(folder / room) for room in ROOMS)]


class Bench:
    """Where one worker tries its mutants.

    Args:
        folder: the copy.
        baseline: what the tests see.
        digests: of each file of tests, what it and all that it shares with others says.
    """

    def __init__(self, folder: Path, baseline: Baseline, digests: Mapping[str, str]) -> None:
        self.folder = folder
        self.baseline = baseline
        self.digests = digests
        self.kills: Counter[tuple[str, str]] = Counter()
        self.trials = 0
        self.report = folder / "report"
        keeper = importlib.util.spec_from_file_location(
            "mutation_keeper", ROOT / "codec" / "authplugin" / "keeper.py"
        )
        assert keeper is not None
        assert keeper.loader is not None
        self.keeper = importlib.util.module_from_spec(keeper)
        keeper.loader.exec_module(self.keeper)
        self.keeper.become_subreaper()

    def attempt(self, mutant: Mutant, known: Mapping[str, str], limit: float = math.inf) -> Outcome:
        """Try a mutant, but not on files of tests that it is known to survive, as they are.

        After so many seconds of the processor it has survived, for now, what it was tried on.
        """
        target = self.folder / "codec" / mutant.module
        changed = [target, *(self.folder / "codec" / wire for wire in WIRES)]
        before = {path: (path.read_bytes(), path.stat()) for path in changed}
        self.trials += 1
        try:
            target.write_text(mutant.text, encoding="utf-8")
            self._age(target, before[target][1])
            return self._judge(mutant, known, before, limit)
        finally:
            for path, (contents, status) in before.items():
                path.write_bytes(contents)
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _age(self, path: Path, status: os.stat_result) -> None:
        """Have nobody take what was compiled before for what is there now."""
        later = status.st_mtime_ns + self.trials * 10**9
        os.utime(path, ns=(later, later))

    def _judge(
        self, mutant: Mutant, known: Mapping[str, str], before: Mapping[Path, Any], limit: float
    ) -> Outcome:
        seconds = 0.0
        rewritten = False
        if mutant.module in GENERATED_FROM:
            status, seconds = self._apart(self._generate, LOST / 10)
            if status:
                return Outcome(mutant.digest, "killed", "the generator fails", seconds, {})
            for wire in WIRES:
                path = self.folder / "codec" / wire
                self._age(path, before[path][1])
                meaning = _meaning(path.read_bytes())
                if meaning is None:
                    by = "what is generated is not Python"
                    return Outcome(mutant.digest, "killed", by, seconds, {})
                rewritten |= meaning != _meaning(before[path][0])
        chosen = self._chosen(mutant, rewritten=rewritten)
        tried = {file: self.digests[file] for file in map(file_of, chosen)}
        new = [test for test in chosen if known.get(file_of(test)) != self.digests[file_of(test)]]
        for tests in self._batches(mutant.module, new):
            if seconds > limit:
                tried = {
                    file: said for file, said in tried.items() if file not in map(file_of, tests)
                }
                continue
            status, more = self._apart(partial(self._test, tests), LOST)
            seconds += more
            if status not in (0, 5):  # 5 is what pytest says where it found no test
                verdict, by = self._said()
                found = [by] if by in self.baseline.seconds else tests
                files = {file_of(test): self.digests[file_of(test)] for test in found}
                self.kills.update((mutant.module, file) for file in files)
                return Outcome(mutant.digest, verdict, by, seconds, files)
        same = mutant.module in GENERATOR and not rewritten
        return Outcome(mutant.digest, "same" if same else "survived", "", seconds, tried)

    def _batches(self, module: str, chosen: Iterable[str]) -> list[list[str]]:
        """Return tests in the order in which they are to be tried, cut into runs of pytest.

        First come the files that have found most mutants of the module for the time they take. To
        begin is what takes most time for most files, so that short ones are run together.
        """
        files: dict[str, list[str]] = {}
        for test in sorted(chosen, key=lambda test: self.baseline.seconds[test]):
            files.setdefault(file_of(test), []).append(test)
        costs = {file: sum(map(self.baseline.seconds.__getitem__, files[file])) for file in files}
        worth = {file: (self.kills[module, file] + 1) / (costs[file] + START) for file in files}
        batches: list[list[str]] = []
        room = 0.0
        for file in sorted(files, key=worth.__getitem__, reverse=True):
            if costs[file] > room:
                batches.append([])
                room = TOGETHER
            batches[-1] += files[file]
            room -= costs[file]
        return batches

    def _said(self) -> tuple[str, str]:
        """Return what the report says became of the mutant, and by what."""
        lines = self.report.read_text(encoding="utf-8").splitlines()
        verdict, _, by = (lines[-1] if lines else "killed the start of pytest").partition(" ")
        return "timeout" if verdict == "begun" else verdict, by

    def _chosen(self, mutant: Mutant, *, rewritten: bool) -> set[str]:
        """Return the tests that could see a mutant."""
        first, last = mutant.lines
        chosen = self.baseline.of_lines(mutant.module, range(first, last + 1))
        if mutant.module == KEEPER:
            chosen = self.baseline.of_calls(KEPT_BY)
        if "" in chosen:
            chosen = set(self.baseline.seconds)
        if rewritten:
            chosen |= {test for wire in WIRES for test in self.baseline.of_calls(wire)}
        if mutant.module in GENERATOR:
            chosen |= {test for test in self.baseline.seconds if "test_generated" in test}
        return chosen

    def _apart(self, call: Callable[[], int], limit: float) -> tuple[int, float]:
        """Call in a fork, and end all that it leaves; return its status and seconds."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = call()
            except SystemExit as leaving:
                status = leaving.code if isinstance(leaving.code, int) else 1
            finally:
                os._exit(status)
        ended = os.pidfd_open(pid)
        in_time: list[int] = []
        try:
            in_time = select.select([ended], [], [], limit)[0]
        finally:
            os.close(ended)
            if not in_time:
                os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            while left := self.keeper.descendants(os.getpid()):
                for each in left:
                    with suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)
                self._collect()
            self._collect()
        return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime

    def _collect(self) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _enter(self) -> None:
        """In the fork: leave the work tree and go to the copy."""
        os.setsid()
        os.chdir(self.folder)
        output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.path[:0] = path_of(self.folder)
        os.environ.update(environment(self.folder), PYTHONDONTWRITEBYTECODE="1")
        sys.dont_write_bytecode = True
        for name in list(sys.modules):
            if name.split(".")[0] in ("tests", "authplugin", "authplugin_corpus"):
                del sys.modules[name]

    def _generate(self) -> int:
        self._enter()
        signal.setitimer(signal.ITIMER_PROF, SLOW)
        sys.argv = ["generate.py"]
        os.chdir("codec")
        runpy.run_path("generate.py", run_name="__main__")
        return 0

    def _test(self, tests: list[str]) -> int:
        self._enter()
        self.report.write_text("", encoding="utf-8")
        watch = _Watch(self.report, {test: at for at, test in enumerate(tests)}, self.baseline)
        files = dict.fromkeys(map(file_of, tests))
        return int(pytest.main([*OPTIONS, "-x", f"--timeout={SILENT}", *files], plugins=[watch]))


def _meaning(code: bytes) -> str | None:
    """Return what code says to Python, not to people; None where it says nothing to Python."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [each for each in body if not _is_documentation(each)]
    return ast.dump(tree)


def _is_documentation(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return False
    return isinstance(node.value.value, str)


class _Watch:
    """The plugin for pytest: runs the tests that are chosen, the fast ones first."""

    def __init__(self, report: Path, order: Mapping[str, int], baseline: Baseline) -> None:
        self.report = os.open(report, os.O_WRONLY | os.O_APPEND)
        self.order = order
        self.baseline = baseline
        self.tests: Iterable[str] = ()
        signal.signal(signal.SIGPROF, self._over)
        self._say("begun", "the import of the tests")
        signal.setitimer(signal.ITIMER_PROF, 2 * SLOW)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        chosen = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(chosen, key=lambda item: self.order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._say("begun", nodeid)
        limit = SLOW + SLOWER * self.baseline.seconds[nodeid]
        signal.setitimer(signal.ITIMER_PROF, limit)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._say("killed", report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._say("killed", f"the import of {report.nodeid}")

    def _say(self, verdict: str, test: str) -> None:
        os.write(self.report, f"{verdict} {test}\n".encode())

    def _over(self, _signal: int, _frame: FrameType | None) -> None:
        os._exit(1)
