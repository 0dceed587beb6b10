"""What one role is told to say and hears, out of an input, by the models alone.

Nothing here asks the code on trial: where that is wrong, this says what should have happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from authplugin import Limits, Side
from authplugin_properties.model import Hear, Model, Say, split

from .anatomy import sayable
from .layers import Exchange, How


@dataclass(frozen=True, slots=True)
class End:
    """The peer's output ends."""


__all__ = ["End", "Hear", "Say", "Step", "played", "settled", "told"]

Step: TypeAlias = Say | Hear | End

_LOGGED: Final = re.compile(r"  (?:say [A-Z_]+ ([0-9a-f]+)|hear ([0-9a-f]+)|(end of file))")
"""A line of what a `Trial` says that it did, behind what was wrong."""


def played(exchange: Exchange, *sides: Side) -> dict[Side, list[Step]]:
    """Return the steps of each role on trial in an exchange; see `playing`."""
    models = {side: Model(side, exchange.limits) for side in sides}
    steps: dict[Side, list[Step]] = {side: [] for side in sides}
    for move in exchange.moves:
        data = move.data
        if move.how in (How.SAID, How.LOST):
            said = list(_said(models.get(move.side), split(data)))
            data = b"".join(frame for frame, _ in said)
            if move.side in steps:
                steps[move.side] += [Say(frame) for frame, by_role in said if by_role]
        listener = models.get(move.side.other)
        if listener is None or move.how is How.LOST:
            continue
        heard = steps[move.side.other]
        if data and listener.hear(data) is None:
            heard.append(Hear(data))
        if move.how is How.END and listener.end_of_file() is None:
            heard.append(End())
        if not move.unseen:
            listener.inbox.clear()
    for each in steps.values():
        each.append(End())
    return steps


def _said(model: Model | None, frames: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each frame that comes, and whether the role says it."""
    for frame in frames:
        if model is None or sayable(frame) is None:
            yield frame, False
        elif model.say(frame) is None:
            yield frame, True


def told(text: str) -> dict[Side, list[Step]]:
    """Return the steps of a role that a broken law tells of; nothing where it tells of none."""
    first, *lines = text.split("\n")
    side = next((side for side in Side if f"the {side}: " in first), None)
    logged = [_LOGGED.fullmatch(line) for line in lines]
    if side is None or not first.endswith("after") or not all(logged):
        return {}
    steps: list[Step] = []
    for line in filter(None, logged):
        said, heard, _ = line.groups()
        if said is not None:
            steps.append(Say(bytes.fromhex(said)))
        else:
            steps.append(End() if heard is None else Hear(bytes.fromhex(heard)))
    return {side: [*steps, End()]}


def settled(side: Side, steps: Sequence[Step], limits: Limits) -> list[Step]:
    """Return the steps that count: without what the role refuses to say, or never comes to it.

    Bytes that follow each other are one step, and nothing follows a violation or an end.
    """
    model = Model(side, limits)
    kept: list[Step] = []
    for step in steps:
        if isinstance(step, Say):
            if model.say(step.frame) is None:
                kept.append(step)
        elif isinstance(step, Hear):
            model.hear(step.data)
            last = kept[-1] if kept else None
            if isinstance(last, Hear):
                kept[-1] = Hear(last.data + step.data)
            else:
                kept.append(step)
        else:
            model.end_of_file()
            kept.append(step)
        model.inbox.clear()
        if model.violation is not None or model.ended:
            break
    return kept
