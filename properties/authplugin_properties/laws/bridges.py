"""The law of a bridge between a server and a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Final

from authplugin import Limits
from authplugin.limits import DEFAULT_LIMITS

from ..bridge_trial import BRIDGE, EVENTS, ROWS
from ..oracles import cursor, grammar
from ..tally import CURRENT
from ..trio import Deed, Pipe, Step, Trio


def three_agree(steps: Iterable[Step], username: str = "", limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that server, bridge and plugin do what they must, whatever happens between them.

    The bridge does what its model does, and so does the plugin's role (see `bridge_trial` and
    `trial`): what one asks the other is asked, byte for byte; what the server decides the plugin is
    told; where the plugin declines, breaks the protocol or is gone, the user is asked, and nothing
    is heard of it any more. Nobody is in whom the server's handler has not accepted, nothing but a
    `ProtocolError` is raised, and no text tells a response.

    Args:
        steps: what happens.
        username: who is to log in; empty where nobody has said so.
        limits: what all of them take and send.
    """
    trio = Trio(username, limits)
    for step in steps:
        trio.take(step)


def put(pipe: Pipe, data: bytes) -> list[Step]:
    """Return the steps in which something comes out of a pipe, and what follows waits."""
    return [Step(Deed.PUT, pipe, data, held=True), Step(Deed.CARRY, pipe, held=True)]


def _plugin_says(code: int, **fields: object) -> list[Step]:
    usual: dict[str, object] = {"version": 2, "port": 22, "prompts": [(b"PIN: ", False)]}
    usual |= {"responses": [b"1234"]}
    made = {name: usual.get(name, b"") for name in cursor.FIELDS[code]} | fields
    return put(Pipe.PLUGIN_TO_BRIDGE, grammar.build({"type": code, **made}))


_STRING = b"\0\0\0\1x"
_REQUEST: Final = b"\x3c" + 3 * bytes(4) + b"\0\0\0\1" + _STRING + b"\1"
_SAID_BY_SERVER: Final = {
    "FAILURE": b"\x33" + _STRING + b"\0",
    "SUCCESS": b"\x34",
    "BANNER": b"\x35" + _STRING + bytes(4),
    "INFO_REQUEST": _REQUEST,
    "something else": b"\x3d" + bytes(4),
}
_ASKED: Final = put(Pipe.SERVER_TO_BRIDGE, _REQUEST)
_IN: Final = put(Pipe.SERVER_TO_BRIDGE, b"\x34")
_BEGIN: Final = [Step(Deed.AUTHENTICATE, held=True)]
_BROKEN: Final = put(Pipe.PLUGIN_TO_BRIDGE, bytes(4))

_READY: Final = _plugin_says(2)
_OFFERED: Final = [*_READY, *_BEGIN]
_WAITING: Final = [*_OFFERED, *_plugin_says(4)]
_CHALLENGED: Final = [*_WAITING, *_ASKED]
_DECLINED: Final = [*_OFFERED, *_plugin_says(5)]

LEADS: Final[Mapping[str, list[Step]]] = {
    "starting": [],
    "ready": _READY,
    "offered": _OFFERED,
    "waiting": _WAITING,
    "challenged": _CHALLENGED,
    "done": [*_WAITING, *_IN],
    "asking the user": [*_CHALLENGED, *_plugin_says(22)],
    "waiting, declined": _DECLINED,
    "challenged, declined": [*_DECLINED, *_ASKED],
    "ready, alone": _BROKEN,
    "waiting, alone": [*_WAITING, *_BROKEN],
    "challenged, alone": [*_CHALLENGED, *_BROKEN],
    "done, alone": [*_WAITING, *_IN, *_BROKEN],
}
"""For each place where a bridge can stand, what leads there."""

_HAPPENINGS: Final[Mapping[str, list[Step]]] = {
    "authenticate": _BEGIN,
    "set the user name": [Step(Deed.NAME, data=b"bob", held=True)],
    "answer": [Step(Deed.ANSWER, data=b"x\0", held=True)],
    "the plugin ends": [Step(Deed.END, Pipe.PLUGIN_TO_BRIDGE, held=True)],
    "the plugin says something else": put(Pipe.PLUGIN_TO_BRIDGE, b"\0\0\0\1\x63"),
    **{
        f"the server says {name}": put(Pipe.SERVER_TO_BRIDGE, payload)
        for name, payload in _SAID_BY_SERVER.items()
    },
    **{f"the plugin says {name}": _plugin_says(code) for code, name in cursor.NAMES.items()},
}


def every_bridge_pair(limits: Limits = DEFAULT_LIMITS) -> int:
    """Try every event wherever a bridge can stand, and then go on as usual.

    Returns:
        how many pairs there are.

    Raises:
        LawBroken: as `three_agree`; and where a lead does not lead where it should.
    """
    pairs = list(product(ROWS, EVENTS))
    for row, event in pairs:
        before = CURRENT.events[BRIDGE, row, event]
        steps = [*LEADS[row], *_HAPPENINGS[event], *_BEGIN, *_ASKED, Step(Deed.CARRY)]
        three_agree(steps, "alice", limits)
        if CURRENT.events[BRIDGE, row, event] == before:
            raise AssertionError(f"nothing leads to {event!r} in {row!r}")
    return len(pairs)
