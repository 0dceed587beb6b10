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

# Nothing else counts as covered, and tracing costs five times what the code itself does.
with atheris.instrument_imports(include=["authplugin"]):
    # First, so that whoever needs them finds them instrumented.
    import authplugin
    import authplugin.userauth  # noqa: F401

from authplugin_fuzz import worker
from authplugin_fuzz.mutator import cross, mutate
from authplugin_fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until libFuzzer's options say to stop; never returns."""
    name, options, noting = worker.arguments(sys.argv[1:])
    target = TARGETS[name]
    layer = target.layer

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        return mutate(layer, data, max_size, seed, atheris.Mutate)

    def mix(first: bytes, second: bytes, max_size: int, seed: int) -> bytes:
        return cross(layer, first, second, max_size, seed)

    atheris.Setup(
        [sys.argv[0], f"--target={name}", *options],
        worker.noted(target.run, noting),
        custom_mutator=change,
        custom_crossover=mix,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
