"""One search of one target by one engine, in a process of its own, until it finds something.

    python -P searching.py ENGINE TARGET SEED SECONDS RESULT

It adds lines of JSON to the file RESULT: `begun` when the first input is tried, and `ended` when an
input breaks a law or SECONDS of the processor have passed since then. It imports the code on trial
from wherever `PYTHONPATH` says, and says where that was. A process that ends without the second
line has died of an input. It ends with the process above it, or when its standard input does.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any

# The one module of it that leaves the code on trial to be imported by the harness.
from authplugin_fuzz.parent import end_with_parent

OURS = "our targets"
BYTES = "atheris on bytes"
HYPOTHESIS = "Hypothesis on bytes"

ENGINES = (OURS, BYTES, HYPOTHESIS)
"""The structure-aware fuzzer as it is; the same without mutator and crossover of its own; and
Hypothesis, which knows nothing of coverage. All of them run the same targets, begin with nothing,
and stop at the first finding."""

LONGEST = 40_000
"""Bytes of an input at most, for libFuzzer; Hypothesis takes the size that it likes."""

_SAID = 300  # characters of what a law says


class Meter:
    """Counts what a search takes, and ends it.

    Args:
        result: the file that is added to.
        seconds: of the processor, from the first input on.
    """

    def __init__(self, result: Path, seconds: float) -> None:
        self._result = result
        self._seconds = seconds
        self._executions = 0
        self._begun = 0.0

    def watched(self, run: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Return `run`, which then ends the process where it raises or the time is over."""

        def watch(data: bytes) -> None:
            now = process_time()
            if not self._executions:
                self._begin(now)
            elif now - self._begun >= self._seconds:
                self._end(now, None)
            self._executions += 1
            try:
                run(data)
            except BaseException as error:
                self._end(process_time(), error)

        return watch

    def _begin(self, now: float) -> None:
        self._begun = now
        import resource  # only Unix has it, and atheris

        # An input that is still under way when twice the time is over ends by a signal, whatever
        # the engine's own limits are.
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(now + 2 * self._seconds) + 2, most))
        self._write({"event": "begun", "at": now, "module": sys.modules["authplugin"].__file__})

    def _end(self, now: float, error: BaseException | None) -> None:
        says = None if error is None else f"{type(error).__name__}: {error}"[:_SAID]
        seconds = now - self._begun
        self._write(
            {"event": "ended", "seconds": seconds, "executions": self._executions, "says": says}
        )
        os._exit(0)

    def _write(self, line: dict[str, Any]) -> None:
        with self._result.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def search_with_atheris(engine: str, target: str, seed: int, meter: Meter) -> None:
    """Run the harness itself, as a campaign does; without its mutator where that is asked for."""
    import atheris

    setup = atheris.Setup

    def set_up(arguments: list[str], run: Callable[[bytes], None], **own: Any) -> object:
        if engine == BYTES:
            own.pop("custom_mutator", None)
            own.pop("custom_crossover", None)
        return setup(arguments, meter.watched(run), **own)

    atheris.Setup = set_up
    # Found without being imported: it has to be the harness that does that, to instrument it.
    spec = find_spec("authplugin_fuzz")
    assert spec is not None
    assert spec.origin is not None
    harness = str(Path(spec.origin).with_name("harness.py"))
    sys.argv = [harness, target, f"-seed={seed}", f"-max_len={LONGEST}", "-rss_limit_mb=1024"]
    runpy.run_path(harness, run_name="__main__")


def search_with_hypothesis(target: str, seed: int, meter: Meter) -> None:
    """Try what Hypothesis makes of "some bytes", until the meter ends it."""
    import hypothesis
    from hypothesis import strategies as st

    from authplugin_fuzz.targets import TARGETS

    run = meter.watched(TARGETS[target].run)
    number = seed
    while True:

        @hypothesis.seed(number)
        @hypothesis.settings(
            max_examples=2000,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(st.binary())
        def try_some(data: bytes) -> None:
            run(data)

        try_some()
        number += 1000


def main(arguments: list[str]) -> None:
    """Search; never returns."""
    engine, target, seed, seconds, result = arguments
    end_with_parent()
    meter = Meter(Path(result), float(seconds))
    if engine == HYPOTHESIS:
        search_with_hypothesis(target, int(seed), meter)
    else:
        search_with_atheris(engine, target, int(seed), meter)


if __name__ == "__main__":
    main(sys.argv[1:])
