"""The planted bugs, each a patch in `bugs`, and copies of the codec that have one of them.

A patch begins with prose: the mistake as its author would make it, and what it lets a peer do. A
line `Layer: NAME` says where the bug shows first: in the body of one message, in the stream of one
side, or in the conversation of both. The rest is a unified diff against the repository's root. To
plant another one: make the mistake, put what `git diff` says below the prose, and undo it.

`python -m tests.hunt.planted` applies each of them, and names those that do not apply any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

FOLDER: Final = Path(__file__).with_name("bugs")

LAYERS: Final = ("body", "stream", "conversation")
"""Where a bug can show first, from the smallest piece to the largest."""

PLANTED_IN: Final = ("codec",)
"""The folders in which bugs are planted, and so those that are copied."""

_LAYER: Final = "Layer: "
_DIFF: Final = "--- a/"


class DoesNotApplyError(Exception):
    """The code has moved on: a patch does not fit it any more."""


@dataclass(frozen=True)
class Bug:
    """A planted bug.

    Attributes:
        path: its patch.
    """

    path: Path

    @property
    def name(self) -> str:
        """What it is called: the name of its patch."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """The whole patch, prose and all."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """What somebody did wrong, and what that lets a peer do."""
        return self.text.partition(f"\n{_LAYER}")[0].strip()

    @property
    def layer(self) -> str:
        """Where it shows first: one of `LAYERS`.

        Raises:
            ValueError: where the patch does not say so above its diff.
        """
        head = self.text.partition(f"\n{_DIFF}")[0]
        found = head.rpartition(f"\n{_LAYER}")[2].strip()
        if found not in LAYERS:
            raise ValueError(f"{self.path.name} names no layer, one of {', '.join(LAYERS)}")
        return found

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it changes, from the repository's root."""
        lines = self.text.splitlines()
        return tuple(line.removeprefix(_DIFF) for line in lines if line.startswith(_DIFF))


def bugs() -> Mapping[str, Bug]:
    """Return all planted bugs by name, those of the smallest layer first."""
    found = map(Bug, FOLDER.glob("*.patch"))
    ordered = sorted(found, key=lambda bug: (LAYERS.index(bug.layer), bug.name))
    return {bug.name: bug for bug in ordered}


def copy(folder: Path, bug: Bug | None = None) -> Path:
    """Copy the code into `folder`, and plant a bug in the copy; none makes a clean one.

    Returns:
        The folder to put in front of `PYTHONPATH`, so that the copy is what is imported. What an
        editable install adds to the path comes behind it.

    Raises:
        DoesNotApplyError: where the patch does not fit the code, exactly as it is.
    """
    for room in PLANTED_IN:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    if bug is not None:
        _apply(bug, folder)
    return folder / PLANTED_IN[0]


def _apply(bug: Bug, folder: Path) -> None:
    before = {name: _contents(folder / name) for name in bug.files}
    applied = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", str(bug.path)],
        cwd=folder,
        # Inside a repository, what is not below the current folder would be skipped, silently.
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    unchanged = [name for name, was in before.items() if _contents(folder / name) == was]
    if applied.returncode or unchanged or not before:
        reason = applied.stderr.strip() or f"it changes nothing in {', '.join(unchanged) or 'it'}"
        raise DoesNotApplyError(f"{bug.path.name} does not apply any more: {reason}")


def _contents(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def environment(first: Path) -> dict[str, str]:
    """Return an environment in which `first` is where Python looks for modules before all else.

    `make coverage` measures nothing in it: what runs there is a copy, and wrong.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return kept | {"PYTHONPATH": str(first), "PYTHONHASHSEED": "0"}


def main() -> int:
    """Plant every bug, and say of each whether it can be."""
    stale = 0
    for bug in bugs().values():
        with TemporaryDirectory() as folder:
            try:
                copy(Path(folder), bug)
            except DoesNotApplyError as error:
                stale += 1
                print(error, file=sys.stderr)
            else:
                print(f"{bug.layer:<13} {bug.name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
