"""What is done with a target's inputs when its time is over: replayed, minimised, measured.

    python -m authplugin_fuzz.finishing TARGET FOLDER SECONDS MEBIBYTES STEP...

does it in a process of its own, and prints a line of JSON. `finish_all` runs several at a time.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Any

from . import engines
from .attempts import Attempts
from .corpora import Corpus, MergeError, Minimised, minimise
from .engines import Bounds
from .findings import Findings
from .parent import end_with_parent
from .targets import TARGETS

_LOOK = 0.2  # seconds between two looks whether all is to end


class Step(StrEnum):
    """What can be done with a target's inputs."""

    REPLAY = "replay"
    """Run all of them, and the findings, by themselves; what breaks something is a finding."""
    MINIMISE = "minimise"
    """Make the corpus as small as it can be without losing coverage."""
    MEASURE = "measure"
    """Measure the branches and the part of the state map that they reach."""


@dataclass(slots=True)
class Outcome:
    """What came of a target's inputs.

    Attributes:
        target: its name.
        replayed: how many inputs were run, seeds and findings among them.
        right: the files of seeds and of the corpus that break nothing.
        failing: the names of the findings that break something.
        minimised: what has become of the corpus; None where it stayed as it was.
        tally: what of the state map the corpus exercises, as JSON; None where that was not
            measured.
        data: the file with the branches taken, for coverage.py; None likewise.
        wrong: what could not be done, each in a line or more.
        seconds: how long all of it took.
    """

    target: str
    replayed: int = 0
    right: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    minimised: Minimised | None = None
    tally: dict[str, Any] | None = None
    data: str | None = None
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def replay(target: str, folder: Path, bounds: Bounds) -> Outcome:
    """Run every input of a target's corpus, seeds and findings by itself.

    What breaks something is kept as a finding, and is in the corpus no more.

    Args:
        target: the target's name.
        folder: the campaigns' folder.
        bounds: what an input may take.

    Raises:
        OSError: where a finding cannot be kept.
    """
    outcome = Outcome(target)
    findings = Findings(folder)
    known = findings.all([target])
    with Attempts(target, seconds=bounds.seconds, mebibytes=bounds.mebibytes) as attempts:
        for finding in known:
            if finding.path is None:
                continue
            outcome.replayed += 1
            if attempts.violation(finding.path.read_bytes()) is not None:
                outcome.failing.append(finding.name)
        seeds = folder / "seeds" / TARGETS[target].layer
        corpus = Corpus(folder / target)
        for path in (*seeds.glob("*"), *corpus.inputs()):
            outcome.replayed += 1
            violation = attempts.violation(data := path.read_bytes())
            if violation is None:
                outcome.right.append(str(path))
                continue
            kept = findings.add(target, violation.kind, violation.title, found=data)
            if path.parent == corpus.path:
                path.unlink()
            if kept.name not in outcome.failing:
                outcome.failing.append(kept.name)
    return outcome


def measure(target: str, folder: Path, outcome: Outcome) -> None:
    """Measure what a corpus reaches, and put it into the outcome."""
    data = folder / target / "coverage"
    data.unlink(missing_ok=True)
    inputs = Corpus(folder / target).inputs()
    ended = subprocess.run(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-m", "authplugin_fuzz.measuring", target, str(data)],
        input="".join(f"{path.absolute()}\n" for path in inputs),
        capture_output=True,
        text=True,
        errors="replace",
        env=engines.environment(),
        check=False,
    )
    try:
        said = json.loads(ended.stdout)
    except ValueError:
        end = "\n".join(ended.stderr.splitlines()[-5:])
        outcome.wrong.append(f"its coverage was not measured (status {ended.returncode}): {end}")
        return
    outcome.tally = said["tally"]
    outcome.data = str(data)


def finish(target: str, folder: Path, bounds: Bounds, steps: Sequence[Step]) -> Outcome:
    """Do these steps with a target's inputs, in the order of `Step`.

    What is to be minimised or measured must break nothing, so it must have been replayed.

    Args:
        target: the target's name.
        folder: the campaigns' folder; no campaign may be at work in it.
        bounds: what an input may take.
        steps: what to do.

    Raises:
        OSError: where something cannot be written.
    """
    started = monotonic()
    corpus = Corpus(folder / target)
    corpus.clear()
    outcome = replay(target, folder, bounds) if Step.REPLAY in steps else Outcome(target)
    if Step.MINIMISE in steps:
        try:
            outcome.minimised = minimise(corpus, target, map(Path, outcome.right))
        except MergeError as error:
            outcome.wrong.append(f"its corpus stays as it is: {error}")
    if Step.MEASURE in steps:
        measure(target, folder, outcome)
    outcome.seconds = monotonic() - started
    return outcome


# Several at a time.


def finish_all(
    targets: Sequence[str],
    folder: Path,
    bounds: Bounds,
    steps: Sequence[Step],
    jobs: int,
    done: Callable[[Outcome], None],
    check: Callable[[], None],
) -> dict[str, Outcome]:
    """Do these steps with the inputs of several targets, and return what came of each.

    Whatever happens, no process is left.

    Args:
        targets: their names.
        folder: the campaigns' folder; no campaign may be at work in it.
        bounds: what an input may take.
        steps: what to do; see `finish`.
        jobs: with how many targets at a time.
        done: called with each outcome when it is there.
        check: called now and then; what it raises ends everything.
    """
    waiting = list(reversed(targets))
    running: dict[str, _Apart] = {}
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    outcomes: dict[str, Outcome] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop()
                running[name] = _Apart(name, folder, bounds, steps, ended)
            try:
                name = ended.get(timeout=_LOOK)
            except queue.Empty:
                check()
                continue
            outcomes[name] = running.pop(name).outcome()
            done(outcomes[name])
    finally:
        for each in running.values():
            each.kill()
    return outcomes


class _Apart:
    """Does what `finish` does in a process of its own."""

    def __init__(
        self,
        target: str,
        folder: Path,
        bounds: Bounds,
        steps: Sequence[Step],
        ended: queue.SimpleQueue[str],
    ) -> None:
        self._target = target
        self._said = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is reaped
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [
                *(sys.executable, "-m", __name__, target, str(folder)),
                *(str(bounds.seconds), str(bounds.mebibytes), *steps),
            ],
            # Nothing is ever written to it; see `end_with_parent`.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C is for the process that has started it.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, args=(ended,), daemon=True)
        self._reader.start()

    def _listen(self, ended: queue.SimpleQueue[str]) -> None:
        assert self._process.stdout is not None
        self._said = self._process.stdout.read()
        ended.put(self._target)

    def outcome(self) -> Outcome:
        """Return what came of it, when it has no more to say."""
        status = self._reap()
        self._errors.seek(0)
        complaint = self._errors.read().decode(errors="replace").strip()[-1000:]
        self._errors.close()
        try:
            return _outcome(json.loads(self._said))
        except ValueError:
            wrong = f"its inputs were not looked at (status {status}): {complaint}"
            return Outcome(self._target, wrong=[wrong])

    def kill(self) -> None:
        """End it, and what it has started."""
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._reap()
        self._errors.close()

    def _reap(self) -> int:
        status = self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return status


def _outcome(said: dict[str, Any]) -> Outcome:
    if said["minimised"] is not None:
        said["minimised"] = Minimised(**said["minimised"])
    return Outcome(**said)


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say with one target's inputs."""
    target, folder, seconds, mebibytes, *steps = arguments
    end_with_parent()
    bounds = Bounds(int(seconds), int(mebibytes))
    outcome = finish(target, Path(folder), bounds, [Step(each) for each in steps])
    print(json.dumps(asdict(outcome)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
