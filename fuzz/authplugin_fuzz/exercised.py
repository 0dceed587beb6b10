"""What of the state map an input exercises; see `authplugin_properties.coverage_map`.

A trial counts what is said and where an output ends, and the state machines count all they do. What
comes as bytes they cannot name; here the models alone play it once more, and each whole frame that
comes counts as heard.
"""

from __future__ import annotations

from collections.abc import Iterator

from authplugin import Side
from authplugin_properties.model import Model, split
from authplugin_properties.oracles import cursor
from authplugin_properties.tally import CURRENT, INPUT_ENDED, POISONED

from .anatomy import sayable
from .layers import Exchange, How, Layer
from .targets import Target

_TYPE_AT = 4

_ON_TRIAL = {"client": (Side.CLIENT,), "plugin": (Side.PLUGIN,)}
"""Whose roles a target plays, where it does not play both."""


def count(target: Target, raw: bytes) -> None:
    """Count in `tally.CURRENT` what is heard when a target runs an input."""
    if target.layer is Layer.CONVERSATION:
        _play(Exchange.from_bytes(raw), _ON_TRIAL.get(target.name, tuple(Side)))


def _play(exchange: Exchange, sides: tuple[Side, ...]) -> None:
    models = {side: Model(side, exchange.limits) for side in sides}
    for move in exchange.moves:
        frames = split(move.data)
        if move.how in (How.SAID, How.LOST):
            frames = list(_said(models.get(move.side), frames))
        listener = models.get(move.side.other)
        if listener is None or move.how is How.LOST:
            continue
        for frame in frames:
            _hear(listener, frame)
        if move.how is How.END:
            listener.end_of_file()
        if not move.unseen:
            listener.inbox.clear()


def _said(speaker: Model | None, frames: list[bytes]) -> Iterator[bytes]:
    """Yield what comes of the frames that a side is to say."""
    for frame in frames:
        if speaker is None or sayable(frame) is None or speaker.say(frame) is None:
            yield frame


def _hear(listener: Model, frame: bytes) -> None:
    whole = len(frame) > _TYPE_AT and len(frame) == 4 + int.from_bytes(frame[:4], "big")
    name = cursor.NAMES.get(frame[_TYPE_AT]) if whole and not listener.held else None
    if name is not None:
        CURRENT.events[str(listener.side), _row(listener), f"hear {name}"] += 1
    listener.hear(frame)


def _row(model: Model) -> str:
    if model.violation is not None:
        return POISONED
    return INPUT_ENDED if model.ended else model.situation.state
