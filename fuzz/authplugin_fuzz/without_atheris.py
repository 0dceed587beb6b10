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

from authplugin import Message, Side, encode
from authplugin_properties import strategies

from . import worker
from .anatomy import LENGTH_SIZE, frames_of
from .courses import Course, languages
from .dice import Dice
from .engines import LONGEST
from .layers import CHUNKINGS, LIMITS, Exchange, How, Layer, Move
from .making import Maker, move_of, seeds
from .mutator import mutate
from .targets import TARGETS

FOUND: Final = 77
"""The exit status where a law was broken, as under libFuzzer."""

_BATCH: Final = dict.fromkeys(Layer, 50) | {Layer.CHOICES: 5}
"""Examples between two looks at the clock; a run of a state machine takes its time."""

_MUTATIONS = 12  # of one input, at most


def inputs(layer: Layer) -> st.SearchStrategy[bytes]:
    """Generate inputs of a layer: what the strategies say, and what the mutator makes of seeds."""
    numbers = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=_MUTATIONS)
    given = st.sampled_from(seeds(layer)) | _GENERATED[layer]
    mutated = st.builds(_mutated, st.just(layer), given, numbers)
    return mutated | mutated | _GENERATED[layer]


def _mutated(layer: Layer, raw: bytes, numbers: list[int]) -> bytes:
    for number in numbers:
        raw = mutate(layer, raw, LONGEST, number)
    return raw


def _frames(messages: list[Message]) -> list[bytes]:
    return [encode(message, LIMITS[0]) for message in messages]


def _streams() -> st.SearchStrategy[bytes]:
    messages = st.lists(strategies.messages(), max_size=4)
    said = st.one_of(messages, *(strategies.dialogues(side, max_size=12) for side in (None, *Side)))
    streams = said.map(lambda messages: b"".join(_frames(messages)))
    return streams | streams.flatmap(strategies.damaged)


@st.composite
def _conversations(draw: st.DrawFn) -> bytes:
    frames, faulty = draw(strategies.faulty(limits=LIMITS[1]))
    moves = [move_of(frames_of(frame)[0][0]) for frame in frames[: faulty.kept + 1]]
    right = moves[-1]
    right.how = How.LOST
    for move in moves:
        move.chunking = draw(st.integers(0, len(CHUNKINGS) - 1))
    moves.append(Move(right.side, How.END if faulty.ends else How.PUT, faulty.data))
    head = bytes((draw(st.integers(0, len(LIMITS) - 1)),))
    return Exchange(head, moves).to_bytes()


def _courses(layer: Layer) -> st.SearchStrategy[bytes]:
    """Generate courses of events, right ones as the layer's language makes them."""
    begin = languages()[layer].begin
    numbers = st.integers(0, 2**32 - 1)
    return st.builds(
        lambda number, head: Course(bytes((head,)), begin(Maker(Dice(number)))).to_bytes(),
        numbers,
        st.integers(0, 15),
    )


_BODIES = strategies.frames().map(lambda frame: frame[LENGTH_SIZE:])

_GENERATED: Final = {
    Layer.BODY: _BODIES | _BODIES.flatmap(strategies.damaged),
    Layer.PAYLOAD: st.sampled_from(seeds(Layer.PAYLOAD)).flatmap(strategies.damaged),
    Layer.STREAM: _streams(),
    Layer.CONVERSATION: _conversations(),
    Layer.BRIDGE: _courses(Layer.BRIDGE),
    Layer.SERVER: _courses(Layer.SERVER),
    Layer.CHOICES: st.binary(min_size=256, max_size=2048),
}


class Search:
    """Looks for an input that breaks a law, for a while.

    Attributes:
        executions: inputs tried so far.
        failing: the input that broke a law last, which after the search is the smallest known.
    """

    def __init__(self, layer: Layer, run: Callable[[bytes], None], examples: Path) -> None:
        self.executions = 0
        self.failing: bytes | None = None
        self._run = run
        self._inputs = inputs(layer)
        self._batch = _BATCH[layer]
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
            max_examples=self._batch,
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
    name, options, noting = worker.arguments(given_arguments)
    parser = ArgumentParser(prog=f"without_atheris {name}")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("corpus", type=Path, nargs="*")
    chosen = parser.parse_args(options)

    target = TARGETS[name]
    search = Search(target.layer, worker.noted(target.run, noting), chosen.examples)
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
