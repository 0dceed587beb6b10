"""A harness with a target or none, and with the mutator of a layer or libFuzzer's own.

alone.py TARGET|nothing LAYER|bytes [libFuzzer's options]
"""

import sys
import time

import atheris

with atheris.instrument_imports(include=["authplugin"]):
    import authplugin  # noqa: F401 - as in the harness

from authplugin_fuzz.layers import Layer
from authplugin_fuzz.mutator import cross, mutate
from authplugin_fuzz.targets import TARGETS


def nothing(data: bytes) -> None:
    """Do nothing."""


def main() -> None:
    """Run until the options say to stop; never returns."""
    program, name, mutator, *options = sys.argv
    run = nothing if name == "nothing" else TARGETS[name].run
    if mutator == "bytes":
        atheris.Setup([program, *options], run)
    else:
        layer = Layer(mutator)
        atheris.Setup(
            [program, *options],
            run,
            custom_mutator=lambda data, most, seed: mutate(layer, data, most, seed, atheris.Mutate),
            custom_crossover=lambda one, other, most, seed: cross(layer, one, other, most, seed),
        )
    print(f"STARTED {time.process_time()}", file=sys.stderr, flush=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
