"""One search by one part of the suite, in a process of its own, until it finds something.

    python -P searching.py PART TARGET SEED SECONDS RESULT

It adds lines of JSON to the file RESULT: `begun` when the search begins, `tried` whenever there is
something to tell of it, and `ended` when something was found or everything was tried. A search by
a fuzz target ends by itself as well when SECONDS of the processor have passed since it began; the
others are ended from outside, where the time of all their processes can be seen. The code on trial
is imported from wherever `PYTHONPATH` says, and `begun` says where that was. A process that ends
without `ended` has died of what it tried. It ends with the process above it, or when its standard
input does.
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
from tests.hunt.parts import BY_NAME, BYTES, HYPOTHESIS, USERS, Part

LONGEST = 40_000
"""Bytes of an input at most, for libFuzzer; Hypothesis takes the size that it likes."""

_SAID = 300  # characters of what is said about what was found


class Meter:
    """Counts what a search takes, and ends it.

    Args:
        result: the file that is added to.
        seconds: of the processor, from the beginning on, for what looks at the time itself.
    """

    def __init__(self, result: Path, seconds: float) -> None:
        self._result = result
        self._seconds = seconds
        self._tried = 0
        self._begun = 0.0

    def begin(self) -> None:
        """Say that what follows is the search."""
        self._begun = process_time()
        module = sys.modules["authplugin"].__file__
        self._write({"event": "begun", "at": self._begun, "module": module})

    def count(self) -> None:
        """Say that one more example, test or vector is tried."""
        self._tried += 1

    def tell(self, by: str) -> None:
        """Write down how many have been tried, and what is tried now."""
        self._write({"event": "tried", "tried": self._tried, "by": by})

    def end(self, by: str, says: str | None) -> None:
        """End the process.

        Args:
            by: the test, law or target that the search ended with.
            says: what it says about the code; None where it found nothing.
        """
        seconds = process_time() - self._begun
        says = None if says is None else says[:_SAID]
        end = {"event": "ended", "seconds": seconds, "tried": self._tried, "by": by, "says": says}
        self._write(end)
        sys.stdout.flush()
        os._exit(0)

    def watched(self, run: Callable[[bytes], None], by: str) -> Callable[[bytes], None]:
        """Return `run`, which then ends the process where it raises or the time is over."""

        def watch(data: bytes) -> None:
            if not self._tried:
                self._begin_with_limit()
            elif process_time() - self._begun >= self._seconds:
                self.end(by, None)
            self.count()
            try:
                run(data)
            except BaseException as error:
                self.end(by, said(error))

        return watch

    def _begin_with_limit(self) -> None:
        import resource  # only Unix has it, and atheris

        # An input that is still under way when twice the time is over ends by a signal, whatever
        # the engine's own limits are.
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        limit = int(process_time() + 2 * self._seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (limit, most))
        self.begin()

    def _write(self, line: dict[str, Any]) -> None:
        with self._result.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def said(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def search_with_atheris(part: Part, target: str, seed: int, meter: Meter) -> None:
    """Run the harness itself, as a campaign does; without its mutator where that is asked for."""
    import atheris

    setup = atheris.Setup

    def set_up(arguments: list[str], run: Callable[[bytes], None], **own: Any) -> object:
        if part is BYTES:
            own.pop("custom_mutator", None)
            own.pop("custom_crossover", None)
        return setup(arguments, meter.watched(run, target), **own)

    atheris.Setup = set_up
    # Found without being imported: it has to be the harness that does that, to instrument it.
    spec = find_spec("authplugin_fuzz")
    assert spec is not None
    assert spec.origin is not None
    harness = str(Path(spec.origin).with_name("harness.py"))
    # libFuzzer takes the seed 0 for any.
    sys.argv = [harness, target, f"-seed={seed + 1}", f"-max_len={LONGEST}", "-rss_limit_mb=1024"]
    runpy.run_path(harness, run_name="__main__")


def search_with_hypothesis(target: str, seed: int, meter: Meter) -> None:
    """Try what Hypothesis makes of "some bytes", until the meter ends it."""
    import hypothesis
    from hypothesis import strategies as st

    from authplugin_fuzz.targets import TARGETS

    run = meter.watched(TARGETS[target].run, target)
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


def search_with_suite(part: Part, target: str, seed: int, meter: Meter) -> None:
    """Run what else the suite consists of, until something goes wrong."""
    import authplugin  # noqa: F401  # so that it is known which one

    meter.begin()
    by = part.name
    try:
        from tests.hunt.suite import attempts

        for name, attempt in attempts(part, seed, meter, users_first=target == USERS):
            by = name
            meter.tell(by)
            attempt()
    except BaseException as error:
        meter.end(by, said(error))
    meter.end(by, None)


def main(arguments: list[str]) -> None:
    """Search; never returns."""
    name, target, seed, seconds, result = arguments
    end_with_parent()
    meter = Meter(Path(result), float(seconds))
    part = BY_NAME[name]
    if not part.has_targets:
        search_with_suite(part, target, int(seed), meter)
    elif part is HYPOTHESIS:
        search_with_hypothesis(target, int(seed), meter)
    else:
        search_with_atheris(part, target, int(seed), meter)


if __name__ == "__main__":
    main(sys.argv[1:])
