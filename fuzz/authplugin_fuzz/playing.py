"""Conversations played: the roles on trial, each beside its model, and the pipes between them."""

from __future__ import annotations

from collections.abc import Iterator

from authplugin import Side
from authplugin_properties.model import split
from authplugin_properties.subjects import chunks
from authplugin_properties.trial import Trial, stand_in_the_same_place

from .anatomy import sayable
from .layers import Exchange, How, Move, sizes_of

_CUT = 256
"""Bytes of a move that come in chunks; the others come behind them in one. A trial compares
everything after each chunk."""


class Play:
    """Plays an exchange with some of the roles on trial; who is not on trial says anything.

    Args:
        exchange: what happens.
        sides: whose roles are on trial.
    """

    def __init__(self, exchange: Exchange, *sides: Side) -> None:
        self._exchange = exchange
        self._trials = {side: Trial(side, exchange.limits) for side in sides}
        self._whole = len(sides) == len(Side)  # nothing has come that was not said, or was lost

    def run(self) -> None:
        """Play it; every output ends at last.

        Raises:
            LawBroken: where a role is not what its model is, or the two stand in different places
                though each has heard what the other has said.
        """
        for move in self._exchange.moves:
            self._make(move)
            if self._whole:
                stand_in_the_same_place(*(self._trials[side] for side in Side))
        for trial in self._trials.values():
            trial.take()
            trial.end_of_file()
            trial.take()

    def _make(self, move: Move) -> None:
        data = move.data
        if move.how in (How.SAID, How.LOST):
            data = b"".join(self._said(move))
        if move.how is not How.SAID:
            self._whole = False
        listener = self._trials.get(move.side.other)
        if listener is None or move.how is How.LOST:
            return
        listener.hear(chunks(data[:_CUT], sizes_of(move.chunking, len(data[:_CUT]))))
        if len(data) > _CUT:
            listener.hear([data[_CUT:]])
        if move.how is How.END:
            listener.end_of_file()
        if not move.unseen:
            listener.take()

    def _said(self, move: Move) -> Iterator[bytes]:
        """Have the frames said that a role can say; yield what then comes."""
        speaker = self._trials.get(move.side)
        for frame in split(move.data):
            message = None if speaker is None else sayable(frame)
            if speaker is None or message is None:
                self._whole = False
                yield frame
            elif (said := speaker.say(message, frame)) is not None:
                yield said


def play(raw: bytes, *sides: Side) -> None:
    """Play a conversation, of which the bytes are given, with some of the roles on trial.

    Raises:
        LawBroken: as `Play.run`.
    """
    Play(Exchange.from_bytes(raw), *sides).run()
