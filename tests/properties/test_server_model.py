"""The model of the server says what the RFCs and the text of the event say, written out by hand."""

import pytest

from authplugin_properties.oracles import Limits
from authplugin_properties.oracles.server import ServerModel
from authplugin_properties.oracles.server_steps import (
    Answer,
    Asked,
    Decide,
    Lost,
    Receive,
    SendBanner,
    Setup,
    Step,
    Wait,
)

ALL = b"publickey,password,keyboard-interactive"
YES, NO = Answer(accept=True), Answer()
OTHERS = Answer(available_methods="password,x")
PARTLY, LATER = Answer(partial_success=True), Answer(defers=1)


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def request(method: bytes, rest: bytes = b"", user: bytes = b"alice") -> bytes:
    return b"\x32" + string(user) + string(b"ssh-connection") + string(method) + rest


def refused(methods: bytes = ALL, partial: bytes = b"\0") -> bytes:
    return b"\x33" + string(methods) + partial


def responses(*texts: bytes) -> bytes:
    return b"\x3d" + len(texts).to_bytes(4, "big") + b"".join(map(string, texts))


NONE = request(b"none")
PASSWORD = request(b"password", b"\0" + string(b"secret"))
CHANGE = request(b"password", b"\1" + string(b"old") + string(b"new"))
ASK = request(b"keyboard-interactive", bytes(8))
PROMPT = b"\x3c" + bytes(12) + b"\0\0\0\1" + string(b"p") + b"\0"
ONE = (Asked((("p", False),)),)
SUCCESS = b"\x34"
ASKED = [Receive(ASK, rounds=ONE)]
DEFERRED = Receive(PASSWORD, (LATER,))


def play(*steps: Step, setup: Setup | None = None) -> tuple[ServerModel, list[bytes]]:
    model = ServerModel(setup or Setup())
    return model, [payload for step in steps for payload in model.take(step).sent]


@pytest.mark.parametrize(
    ("steps", "sent", "state"),
    [
        ([Receive(NONE, (NO,))], [refused()], "OPEN"),
        (
            [Receive(NONE, (Answer(available_methods="password,x"),))],
            [refused(b"password,x")],
            "OPEN",
        ),
        ([Receive(PASSWORD, (YES,))], [SUCCESS], "AUTHENTICATED"),
        ([Receive(PASSWORD, (YES,)), Receive(b"rubbish")], [SUCCESS], "AUTHENTICATED"),
        ([Receive(PASSWORD, (Answer(accept=True, raises=True),))], [refused()], "OPEN"),
        ([Receive(PASSWORD, (Answer(accept=1),))], [refused()], "OPEN"),
        (
            [Receive(PASSWORD, (Answer(change_password="new"),)), Receive(CHANGE, (YES,))],
            [b"\x3c" + string(b"new") + string(b""), SUCCESS],
            "AUTHENTICATED",
        ),
        # What is done is not listed again, until user or service change.
        (
            [Receive(PASSWORD, (PARTLY,)), Receive(NONE), Receive(request(b"none", user=b"bob"))],
            [
                refused(b"publickey,keyboard-interactive", b"\1"),
                refused(b"publickey,keyboard-interactive"),
                refused(),
            ],
            "OPEN",
        ),
        # Every response is asked about, then the bare name.
        (
            [Receive(ASK, rounds=ONE), Receive(responses(b"r"), (YES, YES))],
            [PROMPT, SUCCESS],
            "AUTHENTICATED",
        ),
        (
            [Receive(ASK, rounds=ONE), Receive(responses(b"r"), (NO, YES))],
            [PROMPT, refused()],
            "OPEN",
        ),
        ([Receive(ASK, rounds=ONE), Receive(responses(), (YES,))], [PROMPT, refused()], "OPEN"),
        ([Receive(ASK, (YES,), (Asked(), None))], [b"\x3c" + bytes(16)], "ASKED"),
        # A new request abandons what awaits the client, and waits for what awaits the handler.
        ([Receive(ASK, rounds=ONE), Receive(NONE)], [PROMPT, refused()], "OPEN"),
        ([Receive(PASSWORD, (LATER,)), Receive(NONE)], [], "DEFERRED"),
        (
            [Receive(PASSWORD, (LATER,)), Receive(NONE), Decide(0, NO)],
            [refused(), refused()],
            "OPEN",
        ),
        ([Receive(PASSWORD, (LATER,)), Lost(), Decide(0, YES)], [], "GONE"),
        (
            [Receive(PASSWORD, (LATER,)), Wait(600.0, looks=False), Decide(0, YES)],
            [],
            "DISCONNECTED",
        ),
        ([Receive(responses(b"r"), (YES,))], [], "POISONED"),
        ([Receive(SUCCESS)], [], "POISONED"),
        ([Receive(b"")], [], "POISONED"),
        ([SendBanner("Hi"), Wait(600.0)], [b"\x35" + string(b"Hi") + string(b"")], "DISCONNECTED"),
        ([Receive(request(b"x", b"rest"), (YES,))], [refused()], "OPEN"),
    ],
)
def test_what_is_sent_and_where_it_stands(steps: list[Step], sent: list[bytes], state: str) -> None:
    model, payloads = play(*steps)
    assert payloads == sent
    assert model.state == state


def test_the_last_of_so_many_refusals_ends_it() -> None:
    model, sent = play(*[Receive(NONE)] * 3, setup=Setup(attempts=2))
    assert sent == [refused()] * 2
    assert (model.state, model.disconnect) == ("DISCONNECTED", 14)


def test_events_have_what_the_client_shows() -> None:
    model = ServerModel(Setup(connection_id=3))
    model.take(Receive(ASK, rounds=(Asked((("p", False), ("q", True))),)))
    calls = model.take(Receive(responses(b"r", b"s"), (NO, YES))).calls
    assert [what for what, _ in calls] == ["event", "event", "round", "event"]
    shown = [(each["auth_method"], each["auth_param"]) for what, each in calls if what == "event"]
    assert shown == [
        ("keyboard-interactive-1", "r"),
        ("keyboard-interactive-2", "s"),
        ("keyboard-interactive", ""),
    ]
    assert calls[2][1]["number"] == 2
    assert calls[2][1]["accepted"] is False
    assert calls[0][1]["connection_id"] == 3


def test_a_late_decision_is_reported_and_does_not_count() -> None:
    model, _ = play(Receive(PASSWORD, (NO,)))
    came = model.take(Decide(0, YES))
    assert (came.counted, came.late, came.sent, model.authenticated) == (False, 1, [], None)


def test_more_than_may_wait_breaks_it() -> None:
    setup = Setup(waiting=1, limits=Limits(frame=100, text=64))
    steps = [Receive(PASSWORD, (LATER,)), Receive(NONE)]
    assert play(*steps, setup=setup)[0].held == len(NONE)
    model, _ = play(*steps, Receive(NONE), setup=setup)
    assert (model.violation, model.held) == (("frame-too-long", None, None), 0)


def test_who_has_logged_in_and_how() -> None:
    last = Answer(accept=True, home_dir="/home/alice")
    model, _ = play(Receive(PASSWORD, (PARTLY,)), Receive(ASK, (last,)))
    methods = ("password", "keyboard-interactive")
    assert model.authenticated == ("alice", "ssh-connection", methods, "/home/alice")


def test_secrets_are_known() -> None:
    model, _ = play(Receive(CHANGE), Receive(ASK, rounds=ONE), Receive(responses(b"r")))
    assert model.secrets == {b"old", b"new", b"r"}
