"""The conversations that are there to be struck, and what all faults strike of them."""

import authplugin
from authplugin import Limits
from authplugin_corpus.faults import (
    FAULTS,
    Conversation,
    pairs,
    plain,
    sample,
    stock_conversations,
)
from authplugin_properties.oracles import cursor, turns

from .receiving import LENIENT, LIMITS, TIGHT, name_of, speaker_of

STRICTEST = Limits(frame=64, text=20, count=3)


def replayed(frames: Conversation, limits: Limits = STRICTEST) -> list[turns.Situation]:
    return turns.replay(
        (speaker_of(frame), name_of(frame), cursor.decode(frame, limits)) for frame in frames
    )


def everything() -> list[Conversation]:
    return [frames for frames_of_one in stock_conversations().values() for frames in frames_of_one]


def test_every_message_is_led_to() -> None:
    stock = stock_conversations()
    assert list(stock) == list(authplugin.MESSAGES)
    for message_type, conversations in stock.items():
        assert conversations
        for frames in conversations:
            assert name_of(frames[-1]) == message_type.spec.name
    assert len(set(everything())) == len(everything())


def test_stock_conversations_are_right() -> None:
    for frames in everything():
        assert [situation.refusal for situation in replayed(frames)] == [None] * len(frames)


def shortest() -> dict[str, int]:
    """Return how many messages it takes to have each said, by the table of the oracle."""
    found: dict[str, int] = {}
    reached = {"START": 0}
    todo = ["START"]
    while todo:
        state = todo.pop(0)
        for (leaves, name), enters in turns.TRANSITIONS.items():
            if leaves == state:
                found[name] = reached[state] + 1
                if enters not in reached:
                    reached[enters] = found[name]
                    todo.append(enters)
    return found


def test_the_first_is_the_shortest() -> None:
    stock = stock_conversations()
    assert {kind.spec.name: len(leads[0]) for kind, leads in stock.items()} == shortest()
    for leads in stock.values():
        assert [len(frames) for frames in leads] == sorted(len(frames) for frames in leads)


def test_nothing_is_empty_in_the_first() -> None:
    for leads in stock_conversations().values():
        fields = cursor.decode(leads[0][-1])
        assert all(fields.values())
        for prompt, _ in fields.get("prompts", ()):
            assert prompt
        assert all(fields.get("responses", ()))
        assert len(fields.get("prompts", "two")) in (2, 3)
        if "prompts" in fields:
            assert [echo for _, echo in fields["prompts"]] in ([False, True], [True, False])
        if "responses" in fields:
            assert len(fields["responses"]) == 2


def test_both_pairs_are_open_with_different_counts() -> None:
    open_counts = set()
    for frames in everything():
        situation = replayed(frames)[-1]
        if situation.state == "ASKING_USER":
            open_counts.add((situation.server_prompts, situation.user_prompts))
    assert open_counts == {(2, 2), (2, 3)}


def test_something_was_said_before_wherever_that_can_be() -> None:
    for kind, leads in stock_conversations().items():
        speakers = [[speaker_of(frame) for frame in frames] for frames in leads]
        assert any(said[-1] in said[:-1] for said in speakers) == (
            kind.spec.leaves not in (authplugin.State.START, authplugin.State.INITIALISING)
        )


def test_samples_and_plain_messages_can_be_said() -> None:
    for message_type in authplugin.MESSAGES:
        for message in (plain(message_type), sample(message_type), sample(message_type, 3)):
            frame = authplugin.encode(message, STRICTEST)
            assert authplugin.decode(frame, STRICTEST) == message
            assert cursor.decode(frame, STRICTEST)["type"] == message_type.spec.code


# All that can be struck.


def test_every_fault_and_every_part_are_in_the_pairs() -> None:
    for limits in LIMITS.values():
        found = pairs(limits)
        struck = {fault for _, _, fault in found}
        missing = {"bad-boolean"} if limits is LENIENT else set()
        assert struck == {fault.name for fault in FAULTS} - missing
        flipped: dict[str, set[str]] = {}
        for message, part, fault in found:
            if fault == "bit-flip":
                flipped.setdefault(message, set()).add(part)
        assert flipped == PARTS


_REQUEST = {
    *("name", "instructions", "language", "prompts"),
    *("prompts[].prompt", "prompts[].echo"),
}
_RESPONSE = {"responses", "responses[]"}

PARTS = {
    name: {"length", "type", *parts}
    for name, parts in {
        "PLUGIN_INIT": {"version", "hostname", "port", "username"},
        "PLUGIN_INIT_RESPONSE": {"version", "username"},
        "PLUGIN_INIT_FAILURE": {"message"},
        "PLUGIN_PROTOCOL": {"method"},
        "PLUGIN_PROTOCOL_REJECT": {"message"},
        "PLUGIN_PROTOCOL_ACCEPT": set[str](),
        "PLUGIN_KI_SERVER_REQUEST": _REQUEST,
        "PLUGIN_KI_SERVER_RESPONSE": _RESPONSE,
        "PLUGIN_KI_USER_REQUEST": _REQUEST,
        "PLUGIN_KI_USER_RESPONSE": _RESPONSE,
        "PLUGIN_AUTH_SUCCESS": set[str](),
        "PLUGIN_AUTH_FAILURE": set[str](),
    }.items()
}
"""The parts of every message."""


def test_the_pairs_are_found_once() -> None:
    assert pairs(TIGHT) is pairs(TIGHT)
    assert ("PLUGIN_KI_USER_REQUEST", "prompts[].echo", "bad-boolean") in pairs(TIGHT)
    assert ("PLUGIN_KI_USER_REQUEST", "prompts[].echo", "bad-boolean") not in pairs(LENIENT)
