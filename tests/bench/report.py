"""What was measured, against what was asked for: as tables and as a file.

bench.json is one object:

    schema      1; goes up where anything here changes its meaning
    python      {"version", "implementation"}
    machine     {"system", "machine", "processor", "cpus", "allocator_held"}: the last says whether
                large blocks came from where `allocator` wants them
    libraries   the version of each library that took part, by name
    rounds      samples of everybody for each case
    decode      by case, then by name: {"strict", "nanoseconds", "ratio"}
    encode      likewise
    stream      likewise, by "chunks of N"; nanoseconds are those of the whole stream
    by_length   {"short", "long"}: nanoseconds a byte in one-byte chunks; {"ratio"}: long to short
    memory      bytes of extra memory, by figure
    targets     what is asked for: {"name", "value", "unit", "at_least", "floor", "goal", "verdict"}

Nanoseconds are of CPU time, the median over all rounds. A ratio is {"median", "low", "high"}: the
median and the quartiles, over all rounds, of the time that somebody takes divided by the time that
authplugin takes in the same round. So 2 means that authplugin is twice as fast.

A target is met where its value is at least (`at_least`) or at most its floor. `goal` is what to go
on for, or null. `verdict` is "goal", "floor" or "missed".
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from . import cases, memory
from .measuring import Race
from .peers import ASYNCSSH_STRICT, DISPATCHED_MINIMUM, MINIMUM, OURS, PEERS

LIBRARIES: Final = ("authplugin", "asyncssh", "paramiko", "construct", "h11")

STRICT: Final = {peer.name: peer.strict for peer in (OURS, *PEERS)}


@dataclass(frozen=True)
class Target:
    """One figure that is asked for.

    Attributes:
        name: as shown.
        value: what was measured.
        floor: what it must be.
        goal: what it is to become; None where the floor is all that is asked.
        at_least: whether more is better.
        unit: `"x"` or `"bytes"`.
    """

    name: str
    value: float
    floor: float
    goal: float | None = None
    at_least: bool = True
    unit: str = "x"

    def _meets(self, bound: float) -> bool:
        return self.value >= bound if self.at_least else self.value <= bound

    @property
    def verdict(self) -> str:
        """What has been reached."""
        if not self._meets(self.floor):
            return "missed"
        return "goal" if self._meets(self.floor if self.goal is None else self.goal) else "floor"


@dataclass
class Results:
    """All that was measured.

    Attributes:
        rounds: samples of everybody for each case.
        allocator_held: whether the C library let `allocator` decide.
        decode: by case.
        encode: likewise.
        stream: by size of chunks.
        by_length: see `memory.by_length`.
        memory: see `memory.measured`.
    """

    rounds: int
    allocator_held: bool = False
    decode: dict[str, Race] = field(default_factory=dict)
    encode: dict[str, Race] = field(default_factory=dict)
    stream: dict[int, Race] = field(default_factory=dict)
    by_length: Race = field(default_factory=lambda: Race({}))
    memory: dict[str, int] = field(default_factory=dict)

    def targets(self) -> list[Target]:
        """Return what is asked for, beside what was measured."""
        return [*self._decode_targets(), *self._encode_targets(), *self._other_targets()]

    def _decode_targets(self) -> list[Target]:
        targets = []
        for case, floor, goal in (
            (cases.INIT_CASE, 2.0, 3.0),
            (cases.TWO_CASE, 1.9, 3.0),
            (cases.HUNDRED_CASE, 2.6, 4.0),
            (cases.MIB_CASE, 8.0, 12.0),
        ):
            ratio = self.decode[case.name].ratio(ASYNCSSH_STRICT.name, OURS.name).median
            name = f"decode {case.name}: times as fast as {ASYNCSSH_STRICT.name}"
            targets.append(Target(name, ratio, floor, goal))
        for case, floor, goal in (
            (cases.INIT_CASE, 2.5, 1.8),
            (cases.TWO_CASE, 1.7, 1.4),
            (cases.HUNDRED_CASE, 1.2, 1.0),
        ):
            ratio = self.decode[case.name].ratio(OURS.name, MINIMUM).median
            name = f"decode {case.name}: times the {MINIMUM}"
            targets.append(Target(name, ratio, floor, goal, at_least=False))
        return targets

    def _encode_targets(self) -> list[Target]:
        targets = []
        for case in (cases.INIT_CASE, cases.TWO_CASE, cases.HUNDRED_CASE, cases.MIB_CASE):
            measured = self.encode[case.name]
            ratios = {
                peer.name: measured.ratio(peer.name, OURS.name).median
                for peer in PEERS
                if peer.name in measured.samples
            }
            fastest = min(ratios, key=lambda name: ratios[name])
            name = f"encode {case.name}: times as fast as the fastest, {fastest}"
            targets.append(Target(name, ratios[fastest], 1.0))
        return targets

    def _other_targets(self) -> list[Target]:
        targets = []
        for size, floor in zip(cases.CHUNK_SIZES, (1.6, 1.5, 3.0), strict=True):
            ratio = self.stream[size].ratio(ASYNCSSH_STRICT.name, OURS.name).median
            name = f"stream in chunks of {size}: times as fast as {ASYNCSSH_STRICT.name}, h11"
            targets.append(Target(name, ratio, floor))
        ratio = self.by_length.ratio("long", "short").median
        name = "one-byte chunks: CPU time a byte at 4 MiB to that at 16 KiB"
        targets.append(Target(name, ratio, 1.2, at_least=False))
        for name, size in self.memory.items():
            most = most_memory(name)
            if most is not None:
                targets.append(Target(name, size, most, at_least=False, unit="bytes"))
        return targets


def most_memory(name: str) -> int | None:
    """Return the most bytes that a figure of memory may be; None where it is there to compare."""
    if ASYNCSSH_STRICT.name in name:
        return None
    if "claims" in name:
        return 4 * memory.KIB
    if "chunks" in name:
        # An eighth of the frame, and a chunk.
        return (memory.FIELD + memory.HEAD) // 8 + memory.CHUNK
    return 128 * memory.KIB


def as_json(results: Results) -> dict[str, Any]:
    """Return the contents of bench.json."""
    measured = results.by_length
    return {
        "schema": 1,
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
        },
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "processor": platform.processor(),
            "cpus": os.cpu_count(),
            "allocator_held": results.allocator_held,
        },
        "libraries": {name: version(name) for name in LIBRARIES},
        "rounds": results.rounds,
        "decode": {case: _race(measured) for case, measured in results.decode.items()},
        "encode": {case: _race(measured) for case, measured in results.encode.items()},
        "stream": {f"chunks of {size}": _race(race) for size, race in results.stream.items()},
        "by_length": {
            **{name: measured.nanoseconds(name) for name in measured.samples},
            "ratio": asdict(measured.ratio("long", "short")),
        },
        "memory": results.memory,
        "targets": [{**asdict(target), "verdict": target.verdict} for target in results.targets()],
    }


def _race(measured: Race) -> dict[str, Any]:
    return {
        name: {
            "strict": STRICT.get(name, False),
            "nanoseconds": measured.nanoseconds(name),
            "ratio": asdict(measured.ratio(name, OURS.name)),
        }
        for name in measured.samples
    }


def show(results: Results, console: Console) -> None:
    """Print all tables."""
    for title, races in (("Decode", results.decode), ("Encode", results.encode)):
        console.print(_times(f"{title}: CPU time of one frame", races))
    streams = {f"chunks of {size}": race for size, race in results.stream.items()}
    console.print(_times(f"Stream: CPU time of {cases.STREAM_LENGTH} messages", streams))
    console.print(_others(results))
    console.print(_targets(results))


def _times(title: str, races: Mapping[str, Race]) -> Table:
    """Return a table of the times of everybody as multiples of ours."""
    table = Table(title=f"{title}; the others as multiples of ours", title_justify="left")
    table.add_column("", no_wrap=True)
    for case in races:
        table.add_column(case, justify="right")
    ours = (_duration(measured.nanoseconds(OURS.name)) for measured in races.values())
    table.add_row(OURS.name, *ours, style="bold", end_section=True)
    for name in (*(peer.name for peer in PEERS), MINIMUM, DISPATCHED_MINIMUM):
        cells = [
            f"{measured.ratio(name, OURS.name).median:.2f}" if name in measured.samples else ""
            for measured in races.values()
        ]
        if any(cells):
            table.add_row(name, *cells, end_section=name == PEERS[-1].name)
    return table


def _others(results: Results) -> Table:
    """Return a table of what is there only to compare with."""
    table = Table(title="Memory, to compare with", title_justify="left")
    table.add_column("")
    table.add_column("bytes", justify="right")
    for name, size in results.memory.items():
        if most_memory(name) is None:
            table.add_row(name, f"{size:,}")
    return table


def _targets(results: Results) -> Table:
    table = Table(title="What is asked for", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("measured", "floor", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("reached")
    colours = {"goal": "green", "floor": "yellow", "missed": "bold red"}
    for target in results.targets():
        sign = "≥" if target.at_least else "≤"
        table.add_row(
            target.name,
            _value(target.value, target.unit),
            f"{sign} {_value(target.floor, target.unit)}",
            "" if target.goal is None else f"{sign} {_value(target.goal, target.unit)}",
            "yes" if target.goal is None and target.verdict == "goal" else target.verdict,
            style=colours[target.verdict],
        )
    return table


def _value(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit == "x" else f"{value:,.0f} B"


def _duration(nanoseconds: float) -> str:
    for unit, size in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"
