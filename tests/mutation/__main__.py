"""`make mutants`: what share of small mistakes in the codec the tests see.

    python -m tests.mutation                     all modules
    python -m tests.mutation codec reading       some of them, by any part of their names
    python -m tests.mutation --shard 1/4         the first quarter of the mutants
    python -m tests.mutation --list text         only say what the mutants are
    python -m tests.mutation --report            only say what is known of them, as after an end

A copy of the repository is what is changed, below `build/mutants`. What was found is kept there,
and holds as long as the mutated module and the tests concerned say the same: a run that was ended
goes on where it was, and after a change only what it touches is tried again. `--fresh` forgets all.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import math
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from .baseline import Baseline, Part
from .mutants import Mutant, mutants
from .report import Equivalents, print_report, report
from .trial import ROOT, Bench, Outcome, copies, environment, warm

TESTS: Final = ("tests/unit",)
LEFT_OUT: Final = ("tests/unit/test_bench.py", "tests/unit/test_bench_report.py")
"""What measures time, and would try no mutant but the machine."""

FOLDER: Final = ROOT / "build" / "mutants"
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
RESULT: Final = ROOT / "mutants.json"

_INDEX: Final = struct.Struct("=I")


def modules_of(codec: Path) -> list[str]:
    """Return the modules that can be mutated, from the folder `codec`: all that people write."""
    found = [*codec.glob("*.py"), *codec.glob("authplugin/**/*.py")]
    return sorted(each.relative_to(codec).as_posix() for each in found if each.name != "wire.py")


def digest(paths: Iterable[Path]) -> str:
    """Return a short digest of what files say."""
    made = hashlib.sha256()
    for path in sorted(paths):
        made.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return made.hexdigest()[:16]


def test_digests(folder: Path, tests: Sequence[str]) -> dict[str, str]:
    """Return a digest of each file of tests, and of what it shares with others: helpers."""
    made = {}
    for test in tests:
        found = [folder / test] if test.endswith(".py") else folder.glob(f"{test}/**/test_*.py")
        for file in found:
            name = file.relative_to(folder)
            beside = (each for above in name.parents[:-1] for each in (folder / above).glob("*.py"))
            shared = (each for each in beside if not each.name.startswith("test_"))
            made[name.as_posix()] = digest([file, *shared])
    return made


def measured(folder: Path, chosen: Sequence[str], digests: Mapping[str, str]) -> Baseline:
    """Return what the tests see in a clean copy; measure what is not known yet.

    Args:
        folder: the copy.
        chosen: the modules that are mutated: what is known holds as long as they are the same.
        digests: of the files of tests.
    """
    modules = {module: digest([folder / "codec" / module]) for module in chosen}
    parts: dict[str, Part] = {}
    for path in (FOLDER / "baseline").glob("*.json"):
        known = json.loads(path.read_text(encoding="utf-8"))
        same = known["digest"] == digests.get(known["file"])
        if same and modules.items() <= known["modules"].items():
            parts[known["file"]] = known["part"]
    missing = sorted({*digests} - {*parts} - {*LEFT_OUT})
    if missing:
        print(f"Running {len(missing)} files of tests without a mutant, to see what they see")
        everything = {m: digest([folder / "codec" / m]) for m in modules_of(folder / "codec")}
        for file, part in _measured(folder, missing).items():
            name = hashlib.sha256(file.encode()).hexdigest()[:16]
            known = {"file": file, "digest": digests[file], "modules": everything, "part": part}
            (FOLDER / "baseline").mkdir(exist_ok=True)
            (FOLDER / "baseline" / f"{name}.json").write_text(json.dumps(known), encoding="utf-8")
            parts[file] = part
    return Baseline.of(parts.values())


def _measured(folder: Path, files: Sequence[str]) -> Mapping[str, Part]:
    result = FOLDER / "measured.json"
    result.unlink(missing_ok=True)
    ran = subprocess.run(
        [sys.executable, "-m", "tests.mutation.baseline", str(result), *files],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not result.exists():
        sys.exit(f"The tests cannot be run:\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}")
    parts: Mapping[str, Part] = json.loads(result.read_text(encoding="utf-8"))
    return parts


class Results:
    """What is known of mutants, in a file that only grows.

    Args:
        path: the file.
        digests: of the files of tests, as they are now.
    """

    def __init__(self, path: Path, digests: Mapping[str, str]) -> None:
        self.path = path
        self.digests = digests
        self.known: dict[str, Outcome] = {}
        self.read()

    def read(self) -> None:
        """Read what has been added to the file."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for line in lines:
            outcome = Outcome(**json.loads(line))
            self.known[outcome.mutant] = outcome

    def survived(self, mutant: Mutant) -> Mapping[str, str]:
        """Return the files of tests, with their digests, that a mutant is known to survive."""
        outcome = self.known.get(mutant.digest)
        return outcome.files if outcome and not outcome.by else {}

    def holds(self, mutant: Mutant) -> bool:
        """Say whether a mutant is known to be found by a test that says the same as then.

        One that survives is tried again each time, but only on files of tests that are new to it.
        """
        outcome = self.known.get(mutant.digest)
        if outcome is None or not outcome.by:
            return False
        return all(self.digests.get(file) == said for file, said in outcome.files.items())


def work(
    queue: int, todo: Sequence[Mutant], bench: Bench, results: Results, seconds: float
) -> None:
    """Try the mutants whose numbers come out of a pipe, until there are no more."""
    parent = os.getppid()
    with results.path.open("ab", buffering=0) as file:
        while os.getppid() == parent and (taken := os.read(queue, _INDEX.size)):
            (at,) = _INDEX.unpack(taken)
            outcome = bench.attempt(todo[at], results.survived(todo[at]), seconds)
            file.write(outcome.line().encode())
            if outcome.verdict == "survived":
                print(f"[{at + 1}/{len(todo)}] survived: {todo[at]}", flush=True)
            elif at % 100 == 99:
                print(f"[{at + 1}/{len(todo)}]", flush=True)


def try_all(
    todo: Sequence[Mutant],
    folders: Sequence[Path],
    baseline: Baseline,
    results: Results,
    seconds: float,
) -> None:
    """Try mutants with as many processes as there are copies."""
    queue, feed = os.pipe()
    warm()
    sys.stdout.flush()
    pids = []
    for folder in folders:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(feed)
                bench = Bench(folder, baseline, results.digests)
                work(queue, todo, bench, results, seconds)
                status = 0
            except Exception:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(status)
        pids.append(pid)
    os.close(queue)
    try:
        for at in range(len(todo)):
            os.write(feed, _INDEX.pack(at))
    except BrokenPipeError:
        pass
    os.close(feed)
    failed = [pid for pid in pids if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]
    results.read()
    if failed:
        sys.exit("A worker failed; what it says is above. Run this again to go on.")


def forget() -> None:
    """Forget what is known of mutants, and of what the tests see."""
    (FOLDER / "results.jsonl").unlink(missing_ok=True)
    shutil.rmtree(FOLDER / "baseline", ignore_errors=True)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("modules", nargs="*", help="parts of the names of modules")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="default: %(default)s")
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="one of N parts")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="default: tests/unit")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="of the processor for a mutant, at most"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what is known")
    parser.add_argument("--report", action="store_true", help="try nothing: say what is known")
    parser.add_argument("--list", action="store_true", help="say what the mutants are")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Try the mutants; return 0 where all that survive are listed, with nothing listed in vain."""
    options = parsed(arguments)
    part, parts = map(int, options.shard.split("/"))
    wanted = options.modules or [""]
    modules = modules_of(ROOT / "codec")
    chosen = list(dict.fromkeys(m for some in wanted for m in modules if some in m))

    def made_from(codec: Path) -> list[Mutant]:
        found = [each for name in chosen for each in mutants(codec / name, name)]
        return [each for each in found if int(each.digest, 16) % parts == part - 1]

    if options.list:
        print(*made_from(ROOT / "codec"), sep="\n")
        return 0
    path = FOLDER / "results.jsonl"
    red: Sequence[str] = ()
    if options.report:
        found = made_from(ROOT / "codec")
        results = Results(path, {})
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        with (FOLDER / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # copies are not shared
            if options.fresh:
                forget()
            ignored = (f"--ignore={each}" for each in LEFT_OUT)
            folders = copies(FOLDER / "copies", options.workers, [*options.tests, *ignored])
            found = made_from(folders[0] / "codec")
            digests = test_digests(folders[0], options.tests)
            baseline = measured(folders[0], chosen, digests)
            red = baseline.red
            results = Results(path, digests)
            todo = [each for each in found if not results.holds(each)]
            print(f"{len(found)} mutants, {len(todo)} of them to be tried", flush=True)
            if todo:
                try_all(todo, folders, baseline, results, options.seconds)
    for test in red:
        print(f"left out, since it fails without a mutant: {test}", file=sys.stderr)
    made = report(
        [(each, results.known.get(each.digest)) for each in found],
        Equivalents.read(EQUIVALENT),
        whole=parts == 1,
    )
    RESULT.write_text(json.dumps(made.contents, indent=1) + "\n", encoding="utf-8")
    print_report(made)
    return 1 if red else made.status


if __name__ == "__main__":
    sys.exit(main())
