"""Every valid dialogue of the table of turns, up to a length, as frames and as neutral messages."""

from collections import Counter
from collections.abc import Iterator

from authplugin_properties.oracles import cursor, grammar, turns

from .samples import Neutral

CODES = {name: code for code, name in cursor.NAMES.items()}

# A text of one to four bytes a character, short, since streams are cut at every pair of places.
TEXT = "a\u00e9\u20ac\U0001f600".encode()

Move = tuple[str, str, Neutral]
"""Who says what: a side, a message's name, and the message."""


Names = tuple[str, ...]
"""What is said in a dialogue: the names of its messages, in order."""


def fields_of(name: str, prompts: int) -> Neutral:
    """Return a message that passes every guard after requests of `prompts` prompts each."""
    request = {
        "name": b"N",
        "instructions": TEXT,
        "language": b"",
        "prompts": [(b"p" * index, index % 2 == 0) for index in range(prompts)],
    }
    response = {"responses": [b"r" * index for index in range(prompts)]}
    fields: dict[str, Neutral] = {
        "PLUGIN_INIT": {"version": 2, "hostname": TEXT, "port": 22, "username": b""},
        "PLUGIN_INIT_RESPONSE": {"version": 2, "username": TEXT},
        "PLUGIN_INIT_FAILURE": {"message": TEXT},
        "PLUGIN_PROTOCOL": {"method": b"keyboard-interactive"},
        "PLUGIN_PROTOCOL_REJECT": {"message": b""},
        "PLUGIN_KI_SERVER_REQUEST": request,
        "PLUGIN_KI_SERVER_RESPONSE": response,
        "PLUGIN_KI_USER_REQUEST": request,
        "PLUGIN_KI_USER_RESPONSE": response,
    }
    return {"type": CODES[name], **fields.get(name, {})}


def moves(names: Names, prompts: int = 2) -> list[Move]:
    """Return what is said, given the names of the messages."""
    return [(turns.SENDERS[name], name, fields_of(name, prompts)) for name in names]


def frames(said: list[Move]) -> list[bytes]:
    return [grammar.build(message) for _, _, message in said]


def walks(times: int, state: str = "START", said: Names = ()) -> Iterator[Names]:
    """Yield the names of each dialogue that takes no edge more often than so many times.

    Only those that cannot go on are given: each of the others is the beginning of one of them.
    """
    ended = True
    for (leaves, name), enters in turns.TRANSITIONS.items():
        if leaves == state and Counter(said)[name] < times:
            ended = False
            yield from walks(times, enters, (*said, name))
    if ended:
        yield said


def way_to(state: str) -> Names:
    """Return the shortest dialogue that leads to a state."""
    ways: dict[str, Names] = {"START": ()}
    while state not in ways:
        for (leaves, name), enters in turns.TRANSITIONS.items():
            if leaves in ways:
                ways.setdefault(enters, (*ways[leaves], name))
    return ways[state]
