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
    Say,
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
NEXT = Answer(partial_success=True, available_methods="x")
WEAK = Answer(accept=True, change_password="new", available_methods="x")
BROKEN_OFF = Answer(accept=True, raises="interrupt")
CHANGEREQ = b"\x3c" + string(b"new") + string(b"")
LATE = (Asked(defers=True),)


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
        # What is said of methods with a grant is told, and stays, once the grant has counted.
        (
            [Receive(PASSWORD, (NEXT,)), Receive(NONE), Receive(PASSWORD, (YES,))],
            [refused(b"x", b"\1"), refused(b"x"), refused(b"x")],
            "PARTIAL",
        ),
        (
            [Receive(ASK, rounds=ONE), Receive(responses(b"r"), (NO, NEXT)), Receive(NONE)],
            [PROMPT, refused(), refused()],
            "OPEN",
        ),
        (
            [Receive(ASK, rounds=ONE), Receive(responses(b"r"), (OTHERS, NEXT)), Receive(NONE)],
            [PROMPT, refused(b"password,x"), refused(b"password,x")],
            "OPEN",
        ),
        (
            [Receive(ASK, rounds=ONE), Receive(responses(b"r"), (NEXT,), ONE), Receive(NONE)],
            [PROMPT, PROMPT, refused()],
            "OPEN",
        ),
        ([Receive(PASSWORD, (WEAK,)), Receive(NONE)], [CHANGEREQ, refused()], "OPEN"),
        # A method that is not offered is refused without an event.
        (
            [Receive(NONE, (OTHERS,)), Receive(ASK, (YES,), ONE), Receive(PASSWORD, (YES,))],
            [refused(b"password,x"), refused(b"password,x"), SUCCESS],
            "AUTHENTICATED",
        ),
        ([Receive(NONE, (YES,))], [SUCCESS], "AUTHENTICATED"),
        # What makes no sense refuses, and changes nothing.
        ([Receive(NONE, (Answer(accept=1, available_methods="x"),))], [refused()], "OPEN"),
        ([Receive(NONE, (Answer(available_methods="a b"),))], [refused()], "OPEN"),
        ([Receive(NONE, (Answer(available_methods="x" * 65),))], [refused()], "OPEN"),
        ([Receive(NONE, (Answer(available_methods="x" * 64),))], [refused(b"x" * 64)], "OPEN"),
        # What is raised refuses, but for what interrupts: then there is no reply.
        ([Receive(PASSWORD, (Answer(accept=True, raises="exit"),))], [refused()], "OPEN"),
        ([Receive(PASSWORD, (Answer(accept=True, raises="cancelled"),))], [refused()], "OPEN"),
        ([Receive(PASSWORD, (BROKEN_OFF,)), Receive(NONE)], [refused()], "OPEN"),
        # Prompts may come later.
        ([Receive(ASK, rounds=LATE), Receive(NONE)], [], "DEFERRED"),
        ([Receive(ASK, rounds=LATE), Say(0, ONE[0])], [PROMPT], "ASKED"),
        ([Receive(ASK, rounds=LATE), Say(0, None, (YES,))], [SUCCESS], "AUTHENTICATED"),
        (
            [Receive(ASK, rounds=LATE), Receive(NONE), Say(0, ONE[0])],
            [PROMPT, refused()],
            "OPEN",
        ),
        ([Receive(ASK), Say(0, ONE[0])], [refused()], "OPEN"),
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


def test_what_is_abandoned_counts_and_at_the_last_attempt_nothing_takes_its_place() -> None:
    setup = Setup(attempts=2)
    steps: list[Step] = [Receive(ASK, rounds=ONE)] * 3
    model, sent = play(*steps, setup=setup)
    assert sent == [PROMPT] * 2
    assert (model.state, model.disconnect, model.questions) == ("DISCONNECTED", 14, 2)
    model, sent = play(*steps[:2], Receive(PASSWORD, (YES,)), setup=setup)
    assert (sent, model.authenticated) == ([PROMPT] * 2, None)
    model, sent = play(*steps[:1], Receive(PASSWORD, (YES,)), setup=setup)
    assert sent == [PROMPT, SUCCESS]


@pytest.mark.parametrize(
    ("answers", "home"),
    [
        ((), "/"),
        (("/one",), "/one"),
        (("/one", None), "/one"),
        (("/one", ""), "/one"),
        (("/one", "/two"), "/two"),
        ((None, "/two", None), "/two"),
    ],
)
def test_the_last_first_directory_that_was_granted_holds(
    answers: tuple[str | None, ...], home: str
) -> None:
    steps = [Receive(PASSWORD, (Answer(partial_success=True, home_dir=each),)) for each in answers]
    refusal = Receive(NONE, (Answer(home_dir="/refused"),))
    model, _ = play(*steps, refusal, Receive(PASSWORD, (YES,)))
    assert model.authenticated is not None
    assert model.authenticated[3] == home
    model, _ = play(*steps, Receive(request(b"none", user=b"bob"), (YES,)))
    assert model.authenticated is not None
    assert model.authenticated[3] == "/"


def test_what_makes_no_sense_is_an_error_and_a_refused_response_a_reason() -> None:
    for answer in (
        Answer(accept="yes"),
        Answer(partial_success=None),
        Answer(accept=True, raises=True),
    ):
        assert ServerModel(Setup()).take(Receive(NONE, (answer,))).errors == 1
    model, _ = play(Receive(ASK, rounds=ONE))
    came = model.take(Receive(responses(b"r"), (NO, YES)))
    assert (came.reasons, came.errors) == (1, 0)
    assert model.take(Receive(b"")).ends == 1


def test_an_interrupt_goes_on_and_what_waits_goes_on_waiting() -> None:
    model, _ = play(Receive(PASSWORD, (LATER,)), Receive(NONE), Receive(NONE))
    came = model.take(Decide(0, NO, (BROKEN_OFF,)))
    assert (came.interrupted, came.counted, came.errors, came.sent) == (True, None, 1, [refused()])
    assert model.held == len(NONE)
    assert model.take(Receive(NONE)).sent == [refused()] * 2


def test_prompts_that_come_too_late_are_reported_and_do_not_count() -> None:
    model, _ = play(Receive(ASK, rounds=LATE))
    assert model.round_due == 0
    assert model.take(Decide(0, YES)).counted is None
    model, _ = play(Receive(ASK, rounds=LATE), Say(0, ONE[0]))
    came = model.take(Say(0, ONE[0]))
    assert (came.counted, came.late, came.sent) == (False, 1, [])


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
    assert [each["round"] for what, each in calls if what == "event"] == [1, 1, 0]


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
