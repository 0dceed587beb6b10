"""The faults, as mutations: something right struck with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from authplugin import Limits
from authplugin_corpus.faults import FAULTS, USER_AUTH_FAULTS, Fault, Faulty, Scope
from authplugin_corpus.protocols import PLUGIN, Protocol, protocol_of

from ..anatomy import read_frame
from ..dice import Dice
from ..layers import LIMITS

OF_FRAMES: Final = tuple(each for each in FAULTS if each.scope is Scope.FRAME)
"""The faults that need no more than a frame to strike."""

_MOST = 9.0  # the binary logarithm of how many places of a fault are tried


def strike_frame(frame: bytes, dice: Dice) -> bytes | None:
    """Strike a frame with a fault that needs no more; None where nothing comes of it."""
    message = read_frame(frame[4], frame[5:]).message if len(frame) > 4 else None
    protocol = PLUGIN if message is None else protocol_of(message)
    faults = OF_FRAMES if protocol is PLUGIN else USER_AUTH_FAULTS
    struck = strike(dice.pick(faults), [frame], dice.pick(LIMITS), dice, protocol)
    return None if struck is None else struck.data


def strike(
    fault: Fault,
    frames: Sequence[bytes],
    limits: Limits,
    dice: Dice,
    protocol: Protocol = PLUGIN,
) -> Faulty | None:
    """Return what a fault makes of a right conversation, in one of the places where it can strike.

    The first places are likelier, as they are cheaper to reach. None where the fault does not fit,
    or where the conversation is not right.
    """
    tried = 1 + int(2 ** (_MOST * dice.random()))
    try:
        places = list(islice(fault.strike(frames, limits, protocol), tried))
    except Exception:
        # What is on trial here decodes the frames first. Where it is wrong, a target finds out.
        return None
    return dice.pick(places) if places else None
