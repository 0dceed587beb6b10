"""The table of turns among the oracles, against a grid and conversations written by hand."""

import ast
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import authplugin_properties.oracles
from authplugin_properties.oracles import cursor, turns
from authplugin_properties.oracles.turns import Situation

Move = tuple[str, str, Mapping[str, Any]]

NAMES = (
    "PLUGIN_INIT",
    "PLUGIN_INIT_RESPONSE",
    "PLUGIN_PROTOCOL",
    "PLUGIN_PROTOCOL_ACCEPT",
    "PLUGIN_PROTOCOL_REJECT",
    "PLUGIN_AUTH_SUCCESS",
    "PLUGIN_AUTH_FAILURE",
    "PLUGIN_INIT_FAILURE",
    "PLUGIN_KI_SERVER_REQUEST",
    "PLUGIN_KI_SERVER_RESPONSE",
    "PLUGIN_KI_USER_REQUEST",
    "PLUGIN_KI_USER_RESPONSE",
)

# What each side may say in each state: + right, s wrong-side, t wrong-turn, w wrong-state,
# o session-over. The columns are the codes 1 to 8 and 20 to 23, as in NAMES.
GRID = """
    START           client  + s w s s w w s  w s s w
    START           plugin  t t t t t t t t  t t t t
    INITIALISING    client  t t t t t t t t  t t t t
    INITIALISING    plugin  s + s w w s s +  s w w s
    IDLE            client  w s + s s w w s  w s s w
    IDLE            plugin  t t t t t t t t  t t t t
    OFFERED         client  t t t t t t t t  t t t t
    OFFERED         plugin  s w s + + s s w  s w w s
    AUTHENTICATING  client  w s w s s + + s  + s s w
    AUTHENTICATING  plugin  t t t t t t t t  t t t t
    CHALLENGED      client  t t t t t t t t  t t t t
    CHALLENGED      plugin  s w s w w s s w  s + + s
    ASKING_USER     client  w s w s s w w s  w s s +
    ASKING_USER     plugin  t t t t t t t t  t t t t
    ENDED           client  o o o o o o o o  o o o o
    ENDED           plugin  o o o o o o o o  o o o o
"""
MARKS = {
    "+": None,
    "s": "wrong-side",
    "t": "wrong-turn",
    "w": "wrong-state",
    "o": "session-over",
}


KNOWN = b"keyboard-interactive"
INIT: Move = ("client", "PLUGIN_INIT", {"version": 2})
CHOICE: Move = ("plugin", "PLUGIN_INIT_RESPONSE", {"version": 2})
REFUSAL: Move = ("plugin", "PLUGIN_INIT_FAILURE", {})
OFFER: Move = ("client", "PLUGIN_PROTOCOL", {"method": KNOWN})
ACCEPT: Move = ("plugin", "PLUGIN_PROTOCOL_ACCEPT", {})
REJECT: Move = ("plugin", "PLUGIN_PROTOCOL_REJECT", {})
SUCCESS: Move = ("client", "PLUGIN_AUTH_SUCCESS", {})
FAILURE: Move = ("client", "PLUGIN_AUTH_FAILURE", {})


def challenge(count: int) -> Move:
    return "client", "PLUGIN_KI_SERVER_REQUEST", {"prompts": [(b"p", True)] * count}


def answer(count: int) -> Move:
    return "plugin", "PLUGIN_KI_SERVER_RESPONSE", {"responses": [b"r"] * count}


def question(count: int) -> Move:
    return "plugin", "PLUGIN_KI_USER_REQUEST", {"prompts": [(b"q", False)] * count}


def reply(count: int) -> Move:
    return "client", "PLUGIN_KI_USER_RESPONSE", {"responses": [b"s"] * count}


# A way into each state.
WAYS: dict[str, list[Move]] = {
    "START": [],
    "INITIALISING": [INIT],
    "IDLE": [INIT, CHOICE],
    "OFFERED": [INIT, CHOICE, OFFER],
    "AUTHENTICATING": [INIT, CHOICE, OFFER, ACCEPT],
    "CHALLENGED": [INIT, CHOICE, OFFER, ACCEPT, challenge(1)],
    "ASKING_USER": [INIT, CHOICE, OFFER, ACCEPT, challenge(1), question(1)],
    "ENDED": [INIT, REFUSAL],
}

# Fields with which every message passes its guard wherever it is right.
HARMLESS = {"version": 2, "method": KNOWN, "prompts": [(b"", True)], "responses": [b""]}


def after(*moves: Move) -> Situation:
    return turns.replay(moves)[-1] if moves else Situation()


@pytest.mark.parametrize("row", GRID.strip().splitlines())
def test_every_state_side_and_message_is_judged_as_in_the_grid(row: str) -> None:
    state, side, *marks = row.split()
    before = after(*WAYS[state])
    assert (before.state, before.refusal) == (state, None)
    judged = [turns.step(before, side, name, HARMLESS).refusal for name in NAMES]
    assert judged == [MARKS[mark] for mark in marks]


def test_the_grid_is_whole() -> None:
    rows = [tuple(row.split()[:2]) for row in GRID.strip().splitlines()]
    assert rows == [(state, side) for state in WAYS for side in ("client", "plugin")]
    assert GRID.count("+") == len(turns.TRANSITIONS) == len(NAMES)


@pytest.mark.parametrize(
    ("moves", "states"),
    [
        ([INIT, REFUSAL], "INITIALISING ENDED"),
        (
            [INIT, CHOICE, OFFER, REJECT, OFFER, ACCEPT, SUCCESS, OFFER, ACCEPT, FAILURE, OFFER],
            "INITIALISING IDLE OFFERED IDLE OFFERED AUTHENTICATING IDLE OFFERED AUTHENTICATING "
            "IDLE OFFERED",
        ),
        (
            [*WAYS["AUTHENTICATING"], challenge(2), answer(2), challenge(0), answer(0), SUCCESS],
            "INITIALISING IDLE OFFERED AUTHENTICATING CHALLENGED AUTHENTICATING CHALLENGED "
            "AUTHENTICATING IDLE",
        ),
        (
            [
                *WAYS["AUTHENTICATING"],
                *(challenge(2), question(1), reply(1), question(3), reply(3), answer(2), FAILURE),
            ],
            "INITIALISING IDLE OFFERED AUTHENTICATING CHALLENGED ASKING_USER CHALLENGED "
            "ASKING_USER CHALLENGED AUTHENTICATING IDLE",
        ),
    ],
)
def test_a_right_conversation_goes_through_its_states(moves: list[Move], states: str) -> None:
    situations = turns.replay(moves)
    assert [now.state for now in situations] == states.split()
    assert {now.refusal for now in situations} == {None}
    # Half-duplex (H.1): whoever spoke had the turn.
    turn = [Situation().turn, *(now.turn for now in situations)]
    assert [side for side, _, _ in moves] == turn[:-1]


@pytest.mark.parametrize(
    ("offered", "chosen", "refusal"),
    [
        (2, 2, None),
        (3, 2, None),
        (2**32 - 1, 2, None),
        (2, 3, "version-above-offer"),
        (1, 2, "version-above-offer"),
        (0, 1, "version-above-offer"),
        (2, 1, "version-unsupported"),
        (2, 0, "version-unsupported"),
        (1, 1, "version-unsupported"),
        (4, 4, "version-unsupported"),
    ],
)
def test_the_version_is_guarded(offered: int, chosen: int, refusal: str | None) -> None:
    now = after(
        ("client", "PLUGIN_INIT", {"version": offered}),
        ("plugin", "PLUGIN_INIT_RESPONSE", {"version": chosen}),
    )
    assert now.refusal == refusal


@pytest.mark.parametrize("method", [b"", b"password", b"Keyboard-interactive", KNOWN + b"\0"])
def test_only_a_known_method_can_be_accepted(method: bytes) -> None:
    offer: Move = ("client", "PLUGIN_PROTOCOL", {"method": method})
    assert after(INIT, CHOICE, offer, ACCEPT).refusal == "method-unknown"
    assert after(INIT, CHOICE, offer, REJECT).refusal is None
    assert after(INIT, CHOICE, offer, REJECT, OFFER, ACCEPT).refusal is None
    assert after(INIT, CHOICE, OFFER, REJECT, offer, ACCEPT).refusal == "method-unknown"


@pytest.mark.parametrize(
    "moves",
    [
        [challenge(2), answer(1)],
        [challenge(2), answer(3)],
        [challenge(0), answer(1)],
        [challenge(1), answer(0)],
        [challenge(2), question(1), reply(2)],
        [challenge(1), question(1), reply(0)],
        # The server is owed two, whatever the user was asked in between.
        [challenge(2), question(1), reply(1), answer(1)],
        [challenge(2), question(1), reply(1), question(3), reply(3), answer(3)],
        # Each pair anew.
        [challenge(2), question(2), reply(2), question(1), reply(2)],
        [challenge(2), answer(2), challenge(1), answer(2)],
    ],
)
def test_each_pair_has_its_own_count(moves: list[Move]) -> None:
    *before, now = turns.replay([INIT, CHOICE, OFFER, ACCEPT, *moves])
    assert {earlier.refusal for earlier in before} == {None}
    assert now.refusal == "response-count"


def test_a_refusal_changes_nothing_else_and_poisons() -> None:
    before = after(INIT, CHOICE)
    refused = turns.step(before, *ACCEPT)
    assert refused == before._replace(refusal="wrong-turn")
    assert refused.turn is None
    for move in (OFFER, ACCEPT):
        assert turns.step(refused, *move) == before._replace(refusal="poisoned")
    # For whom it was never sent, nothing has happened.
    assert turns.step(before, *OFFER).state == "OFFERED"


def test_an_ended_session_stays_over() -> None:
    ended = after(INIT, REFUSAL)
    assert ended.turn is None
    assert [now.refusal for now in turns.replay([INIT, REFUSAL, INIT, INIT])] == [
        None,
        None,
        "session-over",
        "poisoned",
    ]


def test_what_is_no_message_is_misuse() -> None:
    with pytest.raises(KeyError):
        turns.step(Situation(), "client", "PLUGIN_HELLO", {})
    with pytest.raises(KeyError):
        turns.step(Situation(), "client", "PLUGIN_INIT", {})


def test_neutral_messages_can_be_played_as_they_are() -> None:
    frames = [
        b"\0\0\0\x11\x01\0\0\0\x02\0\0\0\0\0\0\0\x16\0\0\0\0",
        b"\0\0\0\x09\x02\0\0\0\x02\0\0\0\0",
        b"\0\0\0\x19\x03\0\0\0\x14keyboard-interactive",
        b"\0\0\0\x01\x04",
        b"\0\0\0\x16\x14" + bytes(12) + b"\0\0\0\x01\0\0\0\0\x01",
        b"\0\0\0\x09\x15\0\0\0\x01\0\0\0\0",
        b"\0\0\0\x01\x06",
    ]
    now = Situation()
    for frame in frames:
        message = cursor.decode(frame)
        name = cursor.NAMES[message["type"]]
        now = turns.step(now, turns.SENDERS[name], name, message)
    assert now == Situation("IDLE", None, 2, KNOWN, 1, None)


def test_the_tables_fit_together() -> None:
    assert tuple(cursor.NAMES.values()) == NAMES
    assert set(cursor.NAMES) == set(cursor.FIELDS)
    assert set(turns.SENDERS) == set(NAMES)
    for (state, name), entered in turns.TRANSITIONS.items():
        assert turns.SPEAKERS[state] == turns.SENDERS[name]
        assert entered in turns.SPEAKERS


# All oracles.


def test_no_oracle_imports_what_it_judges() -> None:
    folder = Path(authplugin_properties.oracles.__file__).parent
    files = sorted(folder.glob("**/*.py"))
    assert {"cursor.py", "grammar.py", "turns.py", "server.py"} <= {file.name for file in files}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                # One dot stays in the folder; two would leave it.
                assert node.level <= 1, (file, node.lineno)
                names = [] if node.level else [str(node.module)]
            else:
                continue
            for name in names:
                root = name.partition(".")[0]
                allowed = {"construct", "cryptography", *sys.stdlib_module_names}
                assert root in allowed, (file, name)
