"""What is fuzzed: bytes in, laws out.

A target takes one input (see `inputs`) and raises `LawBroken` where a law does not hold of it. It
knows no engine: atheris, Hypothesis, a test or a person can run it, the last with
`python -m authplugin_fuzz.targets TARGET FILE...`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from authplugin import Side
from authplugin_properties.laws import (
    agrees_with_cursor,
    agrees_with_model,
    chunking_changes_nothing,
    only_protocol_error,
    round_trip,
)
from authplugin_properties.model import split
from authplugin_properties.subjects import STREAMS, WHOLE

from .inputs import Input


@dataclass(frozen=True, slots=True)
class Target:
    """A thing to fuzz.

    Attributes:
        name: as on the command line.
        purpose: what it tries, for people.
        run: called with an input; raises `LawBroken`.
    """

    name: str
    purpose: str
    run: Callable[[bytes], None]


def messages(raw: bytes) -> None:
    """Try what reads and writes messages, knowing nothing of turns."""
    given = Input.from_bytes(raw)
    limits = given.limits
    frames = split(given.data)
    for frame in frames:
        round_trip(frame, limits)
        agrees_with_cursor(frame, limits)
    # Explaining is for people, and slow: the frame that a mutator changes most will do.
    only_protocol_error(frames[-1] if frames else b"", limits, WHOLE)
    if given.sizes:
        chunking_changes_nothing(given.data, given.sizes, limits, STREAMS)
    else:
        only_protocol_error(given.data, limits, STREAMS)


def client(raw: bytes) -> None:
    """Try the client's role, in one chunk for each of the plugin's turns and in chunks."""
    _role(raw, Side.CLIENT)


def plugin(raw: bytes) -> None:
    """Try the plugin's role, in one chunk for each of the client's turns and in chunks."""
    _role(raw, Side.PLUGIN)


def _role(raw: bytes, side: Side) -> None:
    # Both agree with the model, so they agree with each other: chunking changes nothing.
    given = Input.from_bytes(raw)
    agrees_with_model(given.data, side, given.limits)
    if given.sizes:
        agrees_with_model(given.data, side, given.limits, given.sizes)


TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target("messages", "decoding, encoding, streams", messages),
            Target("client", "the client's role under any plugin", client),
            Target("plugin", "the plugin's role under any client", plugin),
        )
    }
)
"""All targets, by name."""


def main(arguments: Sequence[str]) -> int:
    """Run a target on files, and let what it raises through."""
    if len(arguments) < 2 or arguments[0] not in TARGETS:
        names = "|".join(TARGETS)
        print(f"usage: python -m authplugin_fuzz.targets {names} FILE...", file=sys.stderr)
        return 2
    target = TARGETS[arguments[0]]
    for name in arguments[1:]:
        target.run(Path(name).read_bytes())
        print(f"{name}: every law holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
