"""The planted bugs, each a patch in `bugs`, and copies of the rooms that have one of them.

A patch begins with prose: the mistake as its author would make it, and what it lets a peer do. A
line `Layer: NAME` says where the bug shows first; see `LAYERS`. The rest is a unified diff against
the repository's root. To plant another one: make the mistake, put what `git diff` says below the
prose, and undo it.

`python -m tests.hunt.planted` applies each of them, and names those that do not apply any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from compileall import compile_dir
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

ROOMS: Final = ("codec", "corpus", "properties", "fuzz")
"""The folders that packages are imported from."""

FOLDER: Final = Path(__file__).with_name("bugs")

LAYERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "body": ("body",),
        "payload": ("payload",),
        "stream": ("stream",),
        "conversation": ("conversation", "choices"),
        "handler": (),
        "process": (),
        "server": ("server",),
        "bridge": ("bridge",),
        "transport": (),
    }
)
"""Where a bug can show first, from the smallest piece to the largest: in the body of one message,
in the stream of one side, in the conversation of both; in the handlers of a plugin, in the process
that it is; in what a server makes of a client, in what stands between server and plugin, in what
carries both. With each the layers of the fuzz targets that search for it, in this order."""

PLANTED_IN: Final = ("codec",)
"""The folders in which bugs are planted."""

_LEFT_OUT: Final = shutil.ignore_patterns(
    *(".git", ".venv", ".fuzz", ".hypothesis", ".*_cache", "build", "dist", "bugs"),
    *("__pycache__", ".coverage*", "*.egg-info"),
)

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
        """Where it shows first: a name in `LAYERS`.

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
    layers = list(LAYERS)
    ordered = sorted(found, key=lambda bug: (layers.index(bug.layer), bug.name))
    return {bug.name: bug for bug in ordered}


def snapshot(folder: Path) -> Path:
    """Copy everything that runs, as it is now, into a folder that is not there yet; return that.

    It is compiled too, so that what is copied from it again need not be.
    """
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    compile_dir(folder, quiet=2)
    return folder


def plant(bug: Bug, folder: Path) -> None:
    """Plant a bug in a copy.

    Raises:
        DoesNotApplyError: where the patch does not fit the code, exactly as it is.
    """
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
    for path in map(folder.joinpath, before):
        # Python tells what it has compiled from what has changed by time and size alone.
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()


def stale_bugs(root: Path) -> dict[str, str]:
    """Return why some bugs can be planted no more in the code in a folder, by their names."""
    stale = {}
    for bug in bugs().values():
        with TemporaryDirectory() as name:
            folder = Path(name)
            for file in bug.files:
                if (root / file).exists():
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(root / file, folder / file)
            try:
                plant(bug, folder)
            except DoesNotApplyError as error:
                stale[bug.name] = str(error)
    return stale


def _contents(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which Python finds the rooms of a copy before all others.

    What an editable install adds to the path comes behind them. `make coverage` measures nothing
    in it: what runs there is a copy, and wrong.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    path = os.pathsep.join(str(folder / room) for room in (*ROOMS, "."))
    return kept | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}


def main() -> int:
    """Plant every bug, and say of each whether it can be."""
    stale = stale_bugs(ROOT)
    for bug in bugs().values():
        if bug.name not in stale:
            print(f"{bug.layer:<13} {bug.name}")
    for reason in stale.values():
        print(reason, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
