"""Harnesses run as processes of their own, and what they took."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from authplugin_fuzz.engines import HARNESS, LONGEST

_DONE: Final = re.compile(r"^Done (\d+) runs in ", re.MULTILINE)
_STARTED: Final = re.compile(r"^STARTED ([\d.]+)$", re.MULTILINE)
_EDGES: Final = re.compile(r"^#\d+\s+\w+ +cov: (\d+) ", re.MULTILINE)

HOUR: Final = 3600.0
"""Seconds of the clock after which nothing is waited for any more."""


class HarnessError(RuntimeError):
    """A harness did not do what it was asked to; the text is the end of what it said."""


@dataclass(frozen=True)
class Ran:
    """What came of a run.

    Attributes:
        runs: inputs tried.
        seconds: CPU time, user and system, the start included.
        edges: edges reached; None where nothing measures them.
        start: of the CPU time, what passed before the first input; 0 where nobody says it.
    """

    runs: int
    seconds: float
    edges: int | None
    start: float


def run(command: Sequence[object]) -> Ran:
    """Run a harness to its end.

    Raises:
        HarnessError: where it does not come to its end.
    """
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=environment,
        )  # fmt: skip
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        log.seek(0)
        said = log.read().decode(errors="replace")
    done = _DONE.search(said)
    if process.returncode or done is None:
        raise HarnessError(f"{command}\n{said[-2000:]}")
    edges = _EDGES.findall(said)
    started = _STARTED.search(said)
    return Ran(
        int(done[1]),
        usage.ru_utime + usage.ru_stime,
        int(edges[-1]) if edges else None,
        float(started[1]) if started else 0.0,
    )


def harness(target: str, *options: str | Path) -> list[str | Path]:
    """Return the command that runs the harness itself."""
    return [sys.executable, HARNESS, target, f"-max_len={LONGEST}", *options]


def replayed(target: str, *folders: Path) -> int:
    """Return how many edges the inputs of some folders reach together.

    Raises:
        HarnessError: where one of them breaks a law, or nothing is measured.
    """
    ran = run(harness(target, "-runs=0", *folders))
    if ran.edges is None:
        raise HarnessError(f"{target}: nothing was measured")
    return ran.edges
