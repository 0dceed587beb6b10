"""Searches that only say what is to come of them, and contests that are held with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from . import planted
from .parts import BY_NAME, Part
from .planted import Bug
from .running import Result, Run


class Code:
    """Stands for a snapshot; whatever it is of, results say so."""

    def __init__(self, folder: Path = planted.ROOT, name: str = "code") -> None:
        self.folder = folder
        self.name = name

    def digest(self, part: Part, bug: Bug | None, seconds: float) -> str:
        """Return what identifies all that a result depends on."""
        return f"{self.name} {part.name} {seconds:g} {'' if bug is None else bug.text}"


class Searches:
    """Stands for a searcher, in this process.

    Args:
        found: says of a run after how many seconds it finds something, or None.
        most: so many runs are carried out, and then somebody presses Ctrl-C.
        code: what is searched.
    """

    def __init__(
        self,
        found: Callable[[Run], float | None],
        most: int = 100_000,
        code: Code | None = None,
    ) -> None:
        self.runs: list[Run] = []
        self.stopped = False
        self._found = found
        self._most = most
        self.code = code or Code()

    def stop(self) -> None:
        """Note that it was stopped."""
        self.stopped = True

    def __call__(self, run: Run, bug: Bug | None, seconds: float) -> Result:
        """Carry out a run."""
        if len(self.runs) == self._most:
            raise KeyboardInterrupt
        assert (None if bug is None else bug.name) == run.bug
        self.runs.append(run)
        part = BY_NAME[run.part]
        found = self._found(run)
        by = run.target if part.has_targets else f"what {part.name} try"
        digest = self.code.digest(part, bug, seconds)
        says = None if found is None else "it is [wrong]"
        return Result(run, found, 0.5, 10 * (run.seed + 1), by, says, 0.5 + (found or 1), digest)


def rows(output: str) -> Mapping[str, list[str]]:
    """Return the rows of a table by what stands in the first column."""
    cut = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines()]
    return {cells[0]: cells[1:] for cells in cut if len(cells) > 1}
