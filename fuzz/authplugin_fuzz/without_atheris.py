"""Run one target under Hypothesis, where there is no atheris: the same laws for the same time.

    python -m authplugin_fuzz.without_atheris TARGET [--with-parent] --seconds=N --seed=N
        --findings=FOLDER --examples=FOLDER [CORPUS...]

It ends, and says how it ended, as the harness does under libFuzzer, so that a campaign reads both
alike. There is no coverage to guide it, and none to report.
"""

from __future__ import annotations

import hashlib
import signal
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from authplugin import Limits, Side, encode
from authplugin_properties import strategies

from . import worker
from .engines import LONGEST
from .inputs import LIMITS, MOST_SIZES, Input
from .making import seeds
from .mutator import mutate
from .targets import TARGETS

FOUND: Final = 77
"""The exit status where a law was broken, as under libFuzzer."""

_BATCH = 50  # examples between two looks at the clock
_MUTATIONS = 12  # of one input, at most


def inputs() -> st.SearchStrategy[bytes]:
    """Generate inputs: what the strategies say, whole or damaged, and what the mutator makes."""
    generated = [_generated(index, limits) for index, limits in enumerate(LIMITS)]
    mutations = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=_MUTATIONS)
    mutated = st.tuples(st.sampled_from(seeds()), mutations).map(lambda drawn: _mutated(*drawn))
    return st.one_of(mutated, *generated)


def _mutated(raw: bytes, numbers: list[int]) -> bytes:
    for number in numbers:
        raw = mutate(raw, LONGEST, number)
    return raw


def _generated(index: int, limits: Limits) -> st.SearchStrategy[bytes]:
    sides = (None, *Side)
    said = st.one_of(
        *(strategies.dialogues(side, limits, max_size=12) for side in sides),
        st.lists(strategies.messages(limits=limits), max_size=4),
    )
    data = said.map(lambda messages: b"".join(encode(message, limits) for message in messages))
    data |= data.flatmap(strategies.damaged)
    sizes = st.lists(st.integers(1, 256), max_size=MOST_SIZES)
    return st.builds(Input, sizes, st.just(index), data).map(Input.to_bytes)


class Search:
    """Looks for an input that breaks a law, for a while.

    Attributes:
        executions: inputs tried so far.
        failing: the input that broke a law last, which after the search is the smallest known.
    """

    def __init__(self, run: Callable[[bytes], None], examples: Path) -> None:
        self.executions = 0
        self.failing: bytes | None = None
        self._run = worker.counted(run)
        self._inputs = inputs()
        self._database = DirectoryBasedExampleDatabase(examples)

    def one(self, raw: bytes) -> None:
        """Try an input."""
        self.executions += 1
        try:
            self._run(raw)
        except Exception:
            self.failing = raw
            raise

    def batch(self, number: int) -> None:
        """Try some inputs that follow from a number; raise what the smallest failing one does."""

        @seed(number)
        @settings(
            max_examples=_BATCH,
            database=self._database,
            deadline=None,
            derandomize=False,
            phases=(Phase.reuse, Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        @given(self._inputs)
        def try_some(raw: bytes) -> None:
            self.one(raw)

        try_some()

    def known(self, folders: Iterable[Path]) -> None:
        """Try the inputs that are there already."""
        for folder in folders:
            for path in sorted(folder.iterdir()):
                self.one(path.read_bytes())


def main(given_arguments: Sequence[str]) -> int:
    """Search until the time is over or a law is broken."""
    # There is no engine that ends in good order at SIGTERM; this unwinds, and so does Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    name, options = worker.arguments(given_arguments)
    parser = ArgumentParser(prog=f"without_atheris {name}")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("corpus", type=Path, nargs="*")
    chosen = parser.parse_args(options)

    search = Search(TARGETS[name].run, chosen.examples)
    started = monotonic()
    try:
        search.known(chosen.corpus)
        number = chosen.seed
        while monotonic() - started < chosen.seconds:
            search.batch(number)
            number += 1
    except Exception as error:
        failing = search.failing if search.failing is not None else b""
        path = chosen.findings / f"crash-{hashlib.sha1(failing, usedforsecurity=False).hexdigest()}"
        path.write_bytes(failing)
        print(f"{worker.PROGRESS}{search.executions}", file=sys.stderr)
        print(f"Test unit written to {path}", file=sys.stderr)
        print(f"{worker.UNCAUGHT}\n{type(error).__name__}: {error}\n", file=sys.stderr)
        traceback.print_exc()
        return FOUND
    print(
        f"Done {search.executions} runs in {monotonic() - started:.0f} second(s)", file=sys.stderr
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
