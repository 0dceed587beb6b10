"""The map counts right, and says in text what it has counted."""

from __future__ import annotations

from collections import Counter

import pytest

from authplugin.userauth import MESSAGES
from authplugin_properties import coverage_map
from authplugin_properties.coverage_map import EVENT_PAIRS, NAMES, missing, percent, summary
from authplugin_properties.oracles import server, turns
from authplugin_properties.tally import Run, Tally

ALL = len(EVENT_PAIRS)
FAULTS = [("PLUGIN_INIT", "hostname", "bent"), ("PLUGIN_INIT", "type", "torn")]


def whole() -> Tally:
    return Tally(Counter(dict.fromkeys(EVENT_PAIRS, 3)), Counter(dict.fromkeys(FAULTS, 2)))


def pairs_of(*roles: str) -> set[tuple[str, str, str]]:
    return {pair for pair in EVENT_PAIRS if pair[0] in roles}


def test_event_pairs_are_everything_that_can_be_tried_anywhere() -> None:
    # Both ends of file, and each message heard and said, in the protocol's states and two more.
    both = pairs_of("client", "plugin")
    assert len(both) == 2 * (len(turns.SPEAKERS) + 2) * (2 * len(turns.SENDERS) + 2)
    assert {event for _, _, event in both} == {
        "end of file between frames",
        "end of file inside a frame",
        *(f"{verb} {name}" for verb in ("hear", "say") for name in turns.SENDERS),
    }
    assert {state for _, state, _ in both} == {*turns.SPEAKERS, "POISONED", "INPUT ENDED"}
    assert {role for role, _, _ in EVENT_PAIRS} == {"client", "plugin", "server", "bridge"}


def test_everything_can_happen_to_a_server_but_a_decision_that_nobody_awaits() -> None:
    # Seven requests, a response, what a server sends, what nobody does; a decision that comes too
    # late, a banner, the time, and the client that goes. And one in time where one is awaited.
    assert len(pairs_of("server")) == len(server.STATES) * (10 + 4) + 1
    assert [state for _, state, event in EVENT_PAIRS if event == "decision in time"] == ["DEFERRED"]


def test_fault_pairs_name_messages_and_parts_of_them() -> None:
    pairs = coverage_map.fault_pairs()
    messages = {message.partition(" ")[0] for message, _, _ in pairs}
    assert messages == {*turns.SENDERS, *(each.spec.name for each in MESSAGES)}
    assert ("PLUGIN_KI_USER_REQUEST", "prompts[].echo") in {pair[:2] for pair in pairs}
    assert ("SSH_MSG_USERAUTH_FAILURE", "methods", "bad-name-list") in pairs


def test_nothing_is_missing_where_everything_was_touched() -> None:
    assert missing(whole(), FAULTS) == ([], [])
    assert summary(whole(), FAULTS) == f"states: {ALL} of {ALL}, faults: 2 of 2"


def test_everything_is_missing_from_an_empty_tally() -> None:
    untouched = missing(Tally(), FAULTS)
    assert untouched.events == sorted(EVENT_PAIRS)
    assert untouched.faults == FAULTS
    assert missing(Tally()).faults == sorted(coverage_map.fault_pairs())


def test_one_untouched_pair_is_found() -> None:
    counted = whole()
    events = ("plugin", "IDLE", "hear PLUGIN_INIT"), ("client", "POISONED", "say PLUGIN_INIT")
    counted.events[events[0]] = 0
    del counted.events[events[1]]
    del counted.faults[FAULTS[1]]
    # Asking for a count of what was never counted must not make it look touched.
    assert counted.faults[FAULTS[1]] == 0
    assert missing(counted, FAULTS) == (sorted(events), [FAULTS[1]])
    assert summary(counted, FAULTS) == f"states: {ALL - 2} of {ALL}, faults: 1 of 2"


def test_what_is_counted_under_a_wrong_name_makes_no_pair_touched() -> None:
    counted = whole()
    counted.events["client", "IDLE", "hear INIT"] = 1
    counted.faults["PLUGIN_INIT", "tpye", "torn"] = 1
    assert summary(counted, FAULTS).splitlines() == [
        f"states: {ALL} of {ALL}, faults: 2 of 2",
        "counted, but not on the map: PLUGIN_INIT, tpye, torn",
        "counted, but not on the map: client, IDLE, hear INIT",
    ]


def test_summary_tells_what_each_run_was_like() -> None:
    counted = whole()
    counted.runs["a machine"] = Run(
        steps=2000,
        refused=333,
        lengths=Counter({0: 1, 1: 1, 2: 2, 3: 2, 9: 4}),
        strikes=Counter({"bent": 20, "torn": 19}),
        messages=Counter({**dict.fromkeys(NAMES, 100), "PLUGIN_INIT": 7}),
    )
    assert summary(counted, FAULTS).splitlines()[1:] == [
        "a machine:",
        "  2,000 steps, 333 refused as invalid (16.6%)",
        "  10 conversations; messages in each:"
        " 0: 10.0%, 1: 10.0%, 2-3: 40.0%, 4-7: 0%, 8-15: 40.0%",
        "  rarest message: PLUGIN_INIT, 7 times, 0.35% of steps",
        "  messages under 1% of steps: PLUGIN_INIT 0.35%",
        "  rarest fault: torn, 19 times, 0.95% of steps",
        "  faults under 1% of steps: torn 0.95%",
    ]


def test_what_never_was_in_a_run_is_named_apart() -> None:
    counted = whole()
    machine = Run(
        100,
        strikes=Counter(bent=50, torn=0),
        messages=Counter({**dict.fromkeys(NAMES, 0), "PLUGIN_INIT": 9}),
    )
    # What never came is not lost where one process hands its counts to another.
    counted.run("a machine").add(Tally.from_json(Tally(runs={"it": machine}).to_json()).run("it"))
    lines = summary(counted, FAULTS).splitlines()
    never = sorted(set(NAMES) - {"PLUGIN_INIT"})
    assert lines[3:] == [
        "  rarest message: PLUGIN_INIT, 9 times, 9.0% of steps",
        f"  messages that never came: {', '.join(never)}",
        "  rarest fault: bent, 50 times, 50.0% of steps",
        "  faults that never came: torn",
    ]


def test_a_run_that_did_nothing_has_a_summary() -> None:
    counted = whole()
    counted.run("idle")
    assert summary(counted, FAULTS).splitlines()[1:] == [
        "idle:",
        "  0 steps, 0 refused as invalid (0%)",
    ]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.0, "0%"),
        (1e-9, "<0.01%"),
        (0.0001, "0.01%"),
        (0.0099999, "0.99%"),
        (0.01, "1.0%"),
        (0.0109, "1.0%"),
        (0.29, "29.0%"),
        (0.9999, "99.9%"),
        (1.0, "100.0%"),
    ],
)
def test_a_part_is_cut_to_a_percentage(part: float, text: str) -> None:
    assert percent(part) == text
