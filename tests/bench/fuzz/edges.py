"""How much CPU time it takes, from nothing, to reach all that a corpus is known to reach."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from authplugin_fuzz.worker import WITH_PARENT

from .process import HarnessError, harness, replayed

LIMIT: Final = 60.0
"""Seconds of CPU time in which all of it is to be reached."""

_COVERED: Final = re.compile(rb"^#(\d+)\t[A-Z]+ +cov: (\d+) ", re.MULTILINE)
_LOOK: Final = 0.05  # seconds between two looks at a process


@dataclass(frozen=True)
class Reached:
    """How far a search from nothing came.

    Attributes:
        stored: edges that the stored corpus reaches.
        missing: of those, the edges that the search did not reach.
        further: the edges that the search alone reached.
        seconds: CPU time until nothing was missing, the start included; or all that it took.
        runs: inputs tried until then.
    """

    stored: int
    missing: int
    further: int
    seconds: float
    runs: int


def search(target: str, stored: Path, scratch: Path, *, seed: int, limit: float) -> Reached:
    """Search from an empty corpus for all edges that a stored one reaches.

    Whether they are the same edges, and not just as many, is settled by what both corpora reach
    together.

    Args:
        target: the target's name.
        stored: the stored corpus.
        scratch: an empty folder, for the search's own.
        seed: that of the search.
        limit: seconds of CPU time after which it is given up.

    Raises:
        HarnessError: where the harness ends by itself, as it does with a finding.
    """
    wanted = replayed(target, stored)
    options = [f"-seed={seed}", f"-artifact_prefix={scratch}."]
    command = harness(target, WITH_PARENT, *options, scratch)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            list(map(str, command)),
            # Nothing is ever written to it: it ends with this process, however that ends.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=os.environ | {"PYTHONHASHSEED": "0"},
        )
        try:
            return _watch(process, log.fileno(), target, stored, scratch, wanted, limit)
        finally:
            process.kill()
            process.communicate()


def _watch(
    process: subprocess.Popen[bytes],
    log: int,
    target: str,
    stored: Path,
    scratch: Path,
    wanted: int,
    limit: float,
) -> Reached:
    tried = 0
    while True:
        time.sleep(_LOOK)
        # Held still, so that the corpus, the log and the CPU time belong together.
        os.kill(process.pid, signal.SIGSTOP)
        seconds = cpu_of(process.pid)
        said = os.pread(log, os.fstat(log).st_size, 0)
        covered = _COVERED.findall(said)
        runs, edges = map(int, covered[-1]) if covered else (0, 0)
        if process.poll() is not None:
            raise HarnessError(said[-2000:].decode(errors="replace"))
        late = seconds >= limit
        if late or (edges >= wanted and edges != tried):
            tried = edges
            reached = replayed(target, scratch)
            both = replayed(target, scratch, stored)
            if late or both == reached:
                return Reached(wanted, both - reached, both - wanted, seconds, runs)
        os.kill(process.pid, signal.SIGCONT)


def cpu_of(process_id: int) -> float:
    """Return the seconds of CPU time, user and system, that a running process has taken."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
