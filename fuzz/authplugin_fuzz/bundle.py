"""What ClusterFuzzLite, as OSS-Fuzz, wants to find beside each fuzz target.

    python -m authplugin_fuzz.bundle OUT HARNESSES

For each target it writes into the folder OUT

    TARGET_seed_corpus.zip   inputs to begin with, none of them in a folder
    TARGET.dict              words of the protocol; found by this name
    TARGET.options           options for libFuzzer

and into the folder HARNESSES a program, TARGET.py, which is then frozen. A frozen program cannot
look for its target by name: so there is one program for each, and it names what it needs.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from . import seeding
from .engines import LONGEST, Bounds
from .layers import Layer
from .targets import TARGETS

_OPTIONS: Final = f"""\
[libfuzzer]
max_len = {LONGEST}
timeout = {Bounds().seconds}
"""

# Where coverage is measured, lines are put in front of it: nothing here has to come first. It runs
# where nothing can be written but temporary files; Hypothesis would write into the current folder.
_HARNESS: Final = """\
#!/usr/bin/env python3
import os
import sys
import tempfile

os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.path.join(tempfile.gettempdir(), "hypothesis")

from authplugin_fuzz import harness
import authplugin_fuzz.targets.{name}

sys.argv.insert(1, "--target={name}")
harness.main()
"""


def write(out: Path, harnesses: Path) -> None:
    """Write everything for all targets into two folders, which are made where they are missing.

    Raises:
        OSError: where something cannot be written.
    """
    for folder in (out, harnesses):
        folder.mkdir(parents=True, exist_ok=True)
    words = seeding.dictionary(seeding.words())
    for target in TARGETS.values():
        _write_seeds(out / f"{target.name}_seed_corpus.zip", target.layer)
        (out / f"{target.name}.dict").write_text(words, "ascii", newline="\n")
        (out / f"{target.name}.options").write_text(_OPTIONS, "ascii", newline="\n")
        harness = harnesses / f"{target.name}.py"
        harness.write_text(_HARNESS.format(name=target.name), "ascii", newline="\n")


@cache
def _inputs(layer: Layer) -> list[bytes]:
    return seeding.inputs(layer)


def _write_seeds(path: Path, layer: Layer) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for raw in _inputs(layer):
            # The time that is noted is that of ZIP's first day: the same seeds, the same file.
            name = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
            archive.writestr(ZipInfo(name), raw, ZIP_DEFLATED)


def main(arguments: Sequence[str]) -> int:
    """Write what is wanted into the two folders that are named."""
    if len(arguments) != 2:
        print("usage: python -m authplugin_fuzz.bundle OUT HARNESSES", file=sys.stderr)
        return 2
    write(Path(arguments[0]), Path(arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
