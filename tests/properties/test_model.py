"""The model of both roles, against conversations that were settled by hand."""

import pytest

from authplugin_properties.model import Hear, Outcome, Problem, Say, script, split
from authplugin_properties.oracles import Limits

from .frames import (
    ACCEPT,
    ANSWER_1,
    ASK_1,
    ASK_USER_0,
    INIT,
    METHOD,
    OTHER,
    READY,
    SUCCESS,
    USER_0,
)

INIT_1 = b"\0\0\0\x11\x01\0\0\0\x01\0\0\0\0\0\0\0\x16\0\0\0\0"
READY_3 = b"\0\0\0\x09\x02\0\0\0\x03\0\0\0\0"
FAILED = b"\0\0\0\x05\x08\0\0\0\0"
ANSWER_0 = b"\0\0\0\x05\x15\0\0\0\0"

INIT_SAID = {"type": 1, "version": 2, "hostname": b"", "port": 22, "username": b""}
READY_SAID = {"type": 2, "version": 2, "username": b""}

Case = tuple[str, bytes, list[Say | Hear], Outcome]

CASES: list[Case] = [
    ("plugin", b"", [], Outcome((("ended", "premature"),), None, "START")),
    ("client", b"", [], Outcome((("ended", "clean"),), None, "START")),
    (
        "plugin",
        INIT + READY,
        [Hear(INIT), Say(READY)],
        Outcome((("heard", INIT_SAID), ("said", READY), ("ended", "premature")), None, "IDLE"),
    ),
    (
        "client",
        INIT + READY,
        [Say(INIT), Hear(READY)],
        Outcome((("said", INIT), ("heard", READY_SAID), ("ended", "clean")), None, "IDLE"),
    ),
    # A plugin that ends while it owes a message.
    (
        "client",
        INIT,
        [Say(INIT)],
        Outcome((("said", INIT),), Problem("end-premature"), "INITIALISING"),
    ),
    # What ends inside a frame.
    (
        "client",
        INIT + READY[:6],
        [Say(INIT), Hear(READY[:6])],
        Outcome((("said", INIT),), Problem("end-truncated", None, 6), "INITIALISING"),
    ),
    # Two frames on one turn: what is behind the wrong one comes too, and changes nothing.
    (
        "plugin",
        INIT + METHOD + READY,
        [Hear(INIT + METHOD + READY)],
        Outcome((("heard", INIT_SAID),), Problem("wrong-turn"), "INITIALISING"),
    ),
    # A role does not say what it must not, and the conversation goes on as if it had not tried.
    (
        "plugin",
        INIT + READY_3 + READY,
        [Hear(INIT), Say(READY_3), Say(READY)],
        Outcome(
            (
                ("heard", INIT_SAID),
                ("refused", "version-above-offer"),
                ("said", READY),
                ("ended", "premature"),
            ),
            None,
            "IDLE",
        ),
    ),
    (
        "client",
        INIT_1 + METHOD,
        [Say(INIT_1), Say(METHOD)],
        Outcome(
            (("refused", "version-unsupported"), ("refused", "wrong-state"), ("ended", "clean")),
            None,
            "START",
        ),
    ),
    # What its side could not say is left out.
    ("client", INIT[:-1] + b"\1", [], Outcome((("ended", "clean"),), None, "START")),
]


@pytest.mark.parametrize(("side", "conversation", "steps", "outcome"), CASES)
def test_a_conversation_comes_to_what_was_settled_by_hand(
    side: str, conversation: bytes, steps: list[Say | Hear], outcome: Outcome
) -> None:
    made = script(conversation, side, Limits())
    assert list(made.steps) == steps
    assert made.outcome == outcome


PROBLEMS: list[tuple[str, bytes, Problem]] = [
    ("client", INIT + READY_3, Problem("version-above-offer", "version", 5)),
    ("client", INIT + FAILED + FAILED, Problem("session-over")),
    ("client", INIT + INIT, Problem("wrong-side", None, 4)),
    ("client", INIT + ACCEPT, Problem("wrong-state", None, 4)),
    ("client", INIT + READY + OTHER + ACCEPT, Problem("method-unknown", None, 4)),
    ("client", INIT + b"\0\0\0\1\x63", Problem("unknown-type", None, 4)),
    ("client", INIT + b"\0\0\0\0", Problem("frame-empty", None, 0)),
    ("client", INIT + b"\xff\xff\xff\xff", Problem("frame-too-long", None, 0)),
    ("client", INIT + b"\0\0\0\x01\x02", Problem("field-truncated", "version", 5)),
    ("plugin", INIT + b"\0", Problem("wrong-turn")),
    (
        "client",
        INIT + READY + METHOD + ACCEPT + ASK_1 + ANSWER_0,
        Problem("response-count", "responses", 5),
    ),
    # A question to the user in between does not change how many responses the server is owed.
    (
        "client",
        INIT + READY + METHOD + ACCEPT + ASK_1 + ASK_USER_0 + USER_0 + ANSWER_0,
        Problem("response-count", "responses", 5),
    ),
]


@pytest.mark.parametrize(("side", "conversation", "problem"), PROBLEMS)
def test_what_is_wrong_is_refused(side: str, conversation: bytes, problem: Problem) -> None:
    assert script(conversation, side, Limits()).outcome.problem == problem


def test_a_whole_conversation_is_heard_by_one_side_as_the_other_says_it() -> None:
    frames = [INIT, READY, METHOD, ACCEPT, ASK_1, ASK_USER_0, USER_0, ANSWER_1, SUCCESS]
    conversation = b"".join(frames)
    assert split(conversation) == frames
    client = script(conversation, "client", Limits())
    plugin = script(conversation, "plugin", Limits())
    assert [step.frame for step in client.steps if isinstance(step, Say)] == [
        INIT,
        METHOD,
        ASK_1,
        USER_0,
        SUCCESS,
    ]
    assert [step.data for step in client.steps if isinstance(step, Hear)] == [
        step.frame for step in plugin.steps if isinstance(step, Say)
    ]
    assert client.outcome.state == plugin.outcome.state == "IDLE"
    assert client.outcome.problem is plugin.outcome.problem is None
