#!/usr/bin/env python3
"""Run one target under atheris. The only file here that imports it.

    harness.py TARGET [--with-parent] [libFuzzer's options] [CORPUS...]

The file runs by its path and has the run bit, because libFuzzer starts it again by that path for
-merge, -jobs, -fork and -minimize_crash; the target's name then stands in --target=TARGET, which
libFuzzer passes on and otherwise ignores.
"""

import os
import sys

# The folder of this file is no place to import from: its modules have plain names.
if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    del sys.path[0]

import atheris

# The mutator comes after it, so that only what is tried counts as covered.
with atheris.instrument_imports(include=["authplugin", "authplugin_properties"]):
    from authplugin_fuzz.targets import TARGETS

from authplugin_fuzz import worker
from authplugin_fuzz.mutator import cross, mutate


def _mutate(data: bytes, max_size: int, seed: int) -> bytes:
    return mutate(data, max_size, seed, atheris.Mutate)


def main() -> None:
    """Fuzz until libFuzzer's options say to stop; never returns."""
    name, options = worker.arguments(sys.argv[1:])
    run = worker.counted(TARGETS[name].run)
    atheris.Setup(
        [sys.argv[0], f"--target={name}", *options],
        run,
        custom_mutator=_mutate,
        custom_crossover=cross,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
