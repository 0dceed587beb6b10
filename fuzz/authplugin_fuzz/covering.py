"""The branches of `authplugin` that the corpora take, file by file; measured by `measuring`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coverage import Coverage
from coverage.exceptions import CoverageException

DATA: Final = "coverage"
"""The file of a folder of campaigns in which it is kept for coverage.py."""

_EXCLUDED: Final = (
    r'if sys\.platform == "win32":',
    r'if sys\.platform != "linux":',
    'if __name__ == "__main__":',
)
"""What only another system, or another program, runs."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What was taken of a file.

    Attributes:
        name: the file's name within the package.
        statements: how many it has.
        taken_statements: how many of them ran.
        branches: how many it has: ways out of statements that have several.
        taken: how many of them were taken.
        missing_lines: the lines that did not run.
        missing: the branches that were not taken, each as a line and the one that follows; a
            negative one is the end of what begins in that line.
    """

    name: str
    statements: int
    taken_statements: int
    branches: int
    taken: int
    missing_lines: tuple[int, ...] = ()
    missing: tuple[tuple[int, int], ...] = ()

    @property
    def part(self) -> float:
        """Which part of its branches was taken, or of its statements where it has none."""
        if self.branches:
            return self.taken / self.branches
        return self.taken_statements / self.statements if self.statements else 1.0

    @property
    def loaded(self) -> bool:
        """Whether anything of it ran."""
        return bool(self.taken_statements)


def combined(files: Sequence[str], into: Path) -> list[Covered]:
    """Put together what several targets took, and return it file by file.

    Args:
        files: what `measuring` has written.
        into: the file in which all of it is kept, for coverage.py.

    Raises:
        ValueError: where there is nothing to put together.
        OSError: where something cannot be written.
    """
    measured = Coverage(data_file=str(into), branch=True, config_file=False, messages=False)
    for pattern in _EXCLUDED:
        measured.exclude(pattern)
    try:
        measured.combine(list(files), keep=True)
        measured.save()
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, "report.json")
            measured.json_report(outfile=str(written))
            found = json.loads(written.read_text())["files"]
    except CoverageException as error:
        raise ValueError(str(error)) from error
    return [_covered(name, found[name]) for name in sorted(found)]


def total(files: Sequence[Covered]) -> Covered:
    """Return the same of all files that were loaded, taken as one."""
    loaded = [each for each in files if each.loaded]
    return Covered(
        "all of these",
        *(
            sum(getattr(each, name) for each in loaded)
            for name in ("statements", "taken_statements", "branches", "taken")
        ),
    )


def _covered(name: str, found: dict[str, Any]) -> Covered:
    summary = found["summary"]
    path = Path(name)
    inside = path.parts[path.parts.index("authplugin") + 1 :] if "authplugin" in path.parts else ()
    return Covered(
        "/".join(inside) or path.name,
        summary["num_statements"],
        summary["covered_lines"],
        summary["num_branches"],
        summary["covered_branches"],
        tuple(found["missing_lines"]),
        tuple((first, then) for first, then in found["missing_branches"]),
    )
