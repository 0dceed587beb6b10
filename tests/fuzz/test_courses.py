"""What the events of a course mean, and that nothing of its bytes is lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authplugin.userauth import UserAuthPassword, encode_payload
from authplugin_fuzz import bridging, serving
from authplugin_fuzz.anatomy import read_frame, user_auth_message_of
from authplugin_fuzz.courses import LONGEST_EVENT, Course, Event, languages
from authplugin_fuzz.dice import Dice
from authplugin_fuzz.layers import Layer
from authplugin_fuzz.making import Maker, seeds
from authplugin_properties.oracles import server_steps
from authplugin_properties.oracles.server import ServerModel
from authplugin_properties.signing import KEYS
from authplugin_properties.trio import SECRET, Deed, Pipe, Step, Trio

from .inputs import made

COURSES = [Layer.SERVER, Layer.BRIDGE]
EVENTS = st.builds(Event, st.integers(0, 255), st.binary(max_size=40))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_course_and_none_is_lost(raw: bytes) -> None:
    assert Course.from_bytes(raw).to_bytes() == raw


@given(st.integers(0, 255), st.lists(EVENTS, max_size=5), st.binary(max_size=2))
def test_what_is_put_together_is_taken_apart(head: int, events: list[Event], rest: bytes) -> None:
    course = Course(bytes((head,)), events, rest)
    assert Course.from_bytes(course.to_bytes()) == course


def test_the_longest_event_is_whole() -> None:
    course = Course(events=[Event(0, bytes(LONGEST_EVENT))])
    assert Course.from_bytes(course.to_bytes()) == course


def test_every_layer_of_courses_has_a_language() -> None:
    assert set(languages()) == set(COURSES)


# What they mean: the forms that are documented.


def test_the_events_between_server_bridge_and_plugin() -> None:
    raw = bytes.fromhex("05 de0003 616263 00 0000 e30001 00")
    course = Course.from_bytes(raw)
    assert bridging.Start.of(course) == ("bob", bridging.LIMITS[1])
    put, authenticate, say = map(bridging.step_of, course.events)
    assert put.sizes[:4] == say.sizes[:4] == (1, 1, 1, 1)
    put.sizes = say.sizes = ()
    assert put == Step(Deed.PUT, Pipe.BRIDGE_TO_SERVER, b"abc", held=True)
    assert authenticate == Step(Deed.AUTHENTICATE)
    assert say == Step(Deed.SAY, Pipe.BRIDGE_TO_PLUGIN, b"\0", held=True)
    assert [bridging.told(event) for event in course.events] == [
        "put (bridge to server) 616263 (what is then said waits)",
        "authenticate",
        "say 00 (what is then said waits)",
    ]


def test_the_events_between_client_server_and_handler() -> None:
    deed = serving.Deed
    course = Course(
        b"\x05",
        [
            serving.event_of(deed.ANSWERS, b"\x01\xff"),
            serving.event_of(deed.ROUNDS, b"\x42\x04"),
            serving.event_of(deed.RECEIVE, b"\x34"),
            serving.event_of(deed.DECIDE, b"\x02\x18"),
            serving.event_of(deed.WAIT, b"\x05", 1),
            serving.event_of(deed.BANNER, b"x"),
            serving.event_of(deed.LOST),
        ],
    )
    assert serving.setup_of(course).limits is serving.LIMITS[1]
    assert serving.setup_of(course).attempts == 3
    prompts = (("Code: ", True),) * 2
    assert serving.steps_of(course) == [
        server_steps.Receive(
            b"\x34",
            (server_steps.Answer(accept=True), server_steps.Answer(accept=1)),
            (server_steps.Asked(prompts, "Login", "é"), None),
        ),
        server_steps.Decide(
            2,
            server_steps.Answer(defers=1, available_methods="publickey,keyboard-interactive"),
        ),
        server_steps.Wait(20.0, looks=False),
        server_steps.SendBanner("x"),
        server_steps.Lost(),
    ]
    assert serving.told(course.events[3]) == "decide 0218"


@pytest.mark.parametrize("which", range(len(serving.ALGORITHMS)))
def test_a_request_is_signed(which: int) -> None:
    key = KEYS[serving.ALGORITHMS[which]]
    setup = server_steps.Setup()
    plain = key.request("alice", "ssh-connection", b"another session")

    def signed(more: int) -> bytes:
        event = serving.event_of(serving.Deed.SIGNED, plain, which << 1 | more)
        (step,) = serving.steps_of(Course(events=[event]))
        assert isinstance(step, server_steps.Receive)
        return step.payload

    right = key.request("alice", "ssh-connection", setup.session_id)
    assert signed(0) == right
    assert len({signed(0), signed(1), signed(16)}) == 3
    mangled = serving.event_of(serving.Deed.SIGNED, b"\x32\0")
    assert serving.steps_of(Course(events=[mangled])) == [server_steps.Receive(b"\x32\0")]


def test_the_secret_stands_nowhere_but_where_it_may() -> None:
    def received(user: str, password: str) -> bytes:
        data = encode_payload(UserAuthPassword(user, "ssh-connection", password))
        event = serving.event_of(serving.Deed.RECEIVE, data)
        (step,) = serving.steps_of(Course(events=[event]))
        assert isinstance(step, server_steps.Receive)
        return step.payload

    assert SECRET.encode() in received("alice", SECRET)
    assert SECRET.encode() not in received(SECRET, SECRET)


# What they lead to.


def test_logins_with_the_bridge_come_far() -> None:
    told: Counter[str] = Counter()
    maker = Maker(Dice(0))
    for _ in range(60):
        trio = Trio("", bridging.LIMITS[0])
        for event in languages()[Layer.BRIDGE].begin(maker):
            trio.take(bridging.step_of(event))
        told.update(
            f"{each[0]} {each[1] if each[0] == 'Outcome' else ''}" for each in trio.bridge.said
        )
    print(told)
    assert told["Outcome True"] > 15
    assert told["Outcome False"] > 10
    assert told["Declined "] > 3
    assert told["AskUser "] > 3


def test_what_clients_do_comes_far() -> None:
    sent: Counter[int] = Counter()
    maker = Maker(Dice(0))
    for _ in range(60):
        course = Course(events=languages()[Layer.SERVER].begin(maker))
        model = ServerModel(serving.setup_of(course))
        for step in serving.steps_of(course):
            sent.update(payload[0] for payload in model.take(step).sent)
    assert sent[52] > 3
    assert sent[60] > 20


@pytest.mark.parametrize("layer", COURSES)
def test_most_payloads_are_messages(layer: Layer) -> None:
    holds = languages()[layer].holds
    payloads = [
        event.data
        for raw in made(layer, 200)
        for event in Course.from_bytes(raw).events
        if holds(event.control).name == "PAYLOAD" and event.data
    ]
    good = [each for each in payloads if user_auth_message_of(read_frame(each[0], each[1:]))]
    assert len(good) > len(payloads) / 3 > 10
    assert len(seeds(layer)) > 10
