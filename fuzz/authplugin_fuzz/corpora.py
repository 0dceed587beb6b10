"""The corpora of a folder: what is kept of each target, and made as small as it can be.

    FOLDER/TARGET/corpus/    inputs that reached something new, each under the SHA-1 of its bytes
    FOLDER/TARGET/new/       where an engine leaves such inputs, in its own way

An engine may write half a file, and delete what it takes for superseded. So what it leaves is
taken over when it is whole, and stays: whenever a process is killed or the disk is full, everything
that was once in a corpus is in it. Only `minimise` takes inputs away, those that reach nothing
that others do not reach, and only when it has been seen that nothing is lost.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from . import engines, files

CORPUS: Final = "corpus"

_SCRATCH: Final = "merge-"

_ROUNDS: Final = 4
"""So often, at most, a merge is looked over for what it has missed."""

_PER_FEATURE: Final = 8
"""libFuzzer's features of an edge: how often an input took it, in so many steps."""

_MERGED = re.compile(r"MERGE-OUTER: successful in 1 attempt")


def sha1(data: bytes) -> str:
    """Return what an input is called."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class Corpus:
    """The corpus of one target.

    Args:
        folder: the target's; it is made where it is not there.

    Attributes:
        folder: the same.
        path: where the inputs are.
        new: where an engine leaves them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self.path: Final = folder / CORPUS
        self.new: Final = folder / engines.NEW
        for each in (self.path, self.new):
            each.mkdir(parents=True, exist_ok=True)
        self._taken: set[str] = set()

    def inputs(self) -> list[Path]:
        """Return the inputs, in order."""
        return sorted(
            path
            for path in self.path.iterdir()
            if path.is_file() and not path.name.startswith(files.TEMPORARY)
        )

    def add(self, data: bytes) -> Path:
        """Keep an input; return where it is.

        Raises:
            OSError: where it cannot be written.
        """
        path = self.path / sha1(data)
        if not path.exists():
            files.write(path, data)
        return path

    def adopt(self) -> int:
        """Take over what an engine has left whole; return how many inputs that was.

        Raises:
            OSError: where something cannot be kept.
        """
        count = 0
        with os.scandir(self.new) as found:
            names = [each.name for each in found if each.name not in self._taken]
        for name in names:
            path = self.new / name
            try:
                if sha1(path.read_bytes()) != name:
                    continue  # it is being written, or its writer has died
            except FileNotFoundError:
                continue  # the engine has found a smaller one
            try:
                # No byte is written anew, so a full disk is no obstacle.
                os.link(path, self.path / name)
            except FileExistsError:
                pass
            except OSError:
                with suppress(FileNotFoundError):
                    self.add(path.read_bytes())
            self._taken.add(name)
            count += 1
        return count

    def clear(self) -> None:
        """Take over what is left, and remove what an engine has left in pieces; none may run."""
        self.adopt()
        for path in self.new.iterdir():
            path.unlink()
        for path in self.path.glob(f"{files.TEMPORARY}*"):
            path.unlink()
        for path in self.folder.glob(f"{_SCRATCH}*"):
            shutil.rmtree(path)
        self._taken.clear()


class MergeError(RuntimeError):
    """A corpus could not be merged, and stays as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Minimised:
    """What has become of a corpus.

    Attributes:
        before: how many inputs it had.
        after: how many it has.
        edges: how many edges of the code they reach, as before.
        features: the same, and how often.
    """

    before: int
    after: int
    edges: int
    features: int


def minimise(corpus: Corpus, target: str, others: Iterable[Path] = ()) -> Minimised:
    """Make a corpus as small as it can be without losing coverage.

    Only atheris can. Whatever happens meanwhile, the corpus reaches what it reached. It must hold
    no input that breaks something.

    Args:
        corpus: the corpus.
        target: the target's name.
        others: further inputs to choose from, such as seeds, under the SHA-1 of their bytes.

    Raises:
        MergeError: where the merge did not do what it should; the corpus is as it was.
        OSError: where something cannot be written.
    """
    before = corpus.inputs()
    given = {path.name: path for path in (*others, *before)}
    if not given:
        return Minimised(0, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=corpus.folder) as made:
        scratch = Path(made)
        for name in ("given", "kept"):
            (scratch / name).mkdir()
        for name, path in given.items():
            _copy(path, scratch / "given" / name)
        (scratch / "harness.py").symlink_to(engines.HARNESS)
        reached = _merge(scratch, target)
        for _ in range(_ROUNDS):
            kept = _names(scratch / "kept")
            if not kept:
                raise MergeError("nothing was kept")
            for name in kept:
                (scratch / "given" / name).unlink(missing_ok=True)
            if not any((scratch / "given").iterdir()):
                break
            # Both are run by one process, which alone counts all of them in the same numbers, and
            # what is missing is added to what is kept.
            reached = _merge(scratch, target)
            if reached.of(kept) == reached.of(reached.features):
                break
        edges = _edges(reached.of(kept))
        if edges != _edges(reached.of(reached.features)):
            raise MergeError("what was kept does not reach all that was reached before")
        kept = _names(scratch / "kept")
        for name in kept:
            corpus.add((scratch / "kept" / name).read_bytes())
    # All that is needed is there; what goes now, one by one, is not.
    for path in before:
        if path.name not in kept:
            path.unlink()
    return Minimised(len(before), len(corpus.inputs()), len(edges), len(reached.of(kept)))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _edges(features: Collection[int]) -> set[int]:
    return {feature // _PER_FEATURE for feature in features}


def _copy(path: Path, copy: Path) -> None:
    try:
        os.link(path, copy)
    except OSError:
        shutil.copyfile(path, copy)


class _Reached(NamedTuple):
    """What each input reaches, by its name."""

    features: dict[str, frozenset[int]]

    def of(self, names: Collection[str]) -> frozenset[int]:
        return frozenset[int]().union(*(self.features.get(name, ()) for name in names))


def _merge(scratch: Path, target: str) -> _Reached:
    """Have libFuzzer copy into `kept` what of `given` reaches something that `kept` does not."""
    control = scratch / "control"
    control.unlink(missing_ok=True)
    environment = engines.environment() | {
        # The harness is not to be imported from, and its folder in place of this one neither.
        "PYTHONSAFEPATH": "1",
    }
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own files
        engines.merging(target, "kept", ["given"], control.name),
        cwd=scratch,
        # Nothing is ever written to it; see `worker.end_with_parent`.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode or not _MERGED.search(said):
        end = "\n".join(said.splitlines()[-8:])
        raise MergeError(f"libFuzzer did not merge it (status {process.returncode}):\n{end}")
    reached = _read(control)
    missing = {path.name for path in (scratch / "given").iterdir()} - reached.features.keys()
    if missing:
        raise MergeError(f"{len(missing)} inputs were not looked at")
    return reached


def _read(control: Path) -> _Reached:
    """Read what libFuzzer has written of a merge.

    First come two numbers of files, of all and of those in the first folder; then their names, a
    line each; then `FT`, the number of a file and the features that it reaches.
    """
    lines = control.read_text().splitlines()
    count = int(lines[0])
    names = [Path(line).name for line in lines[2 : 2 + count]]
    features: dict[str, frozenset[int]] = {}
    for line in lines[2 + count :]:
        kind, *numbers = line.split()
        if kind == "FT":
            at, *found = map(int, numbers)
            features[names[at]] = frozenset(found) | features.get(names[at], frozenset())
    return _Reached(features)
