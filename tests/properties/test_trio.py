"""Server, bridge and plugin in one process, and that the law sees mistakes in what they do."""

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from authplugin import (
    Limits,
    LocalProtocolError,
    Message,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginProtocolAccept,
    encode,
)
from authplugin.userauth import (
    Bridge,
    SSHUserAuthRequest,
    UserAuthPassword,
    UserAuthServer,
    encode_payload,
)
from authplugin.userauth import bridge as bridge_module
from authplugin_properties.bridge_trial import EVENTS, ROWS, BridgeTrial
from authplugin_properties.laws import LawBroken
from authplugin_properties.laws.bridges import every_bridge_pair, put, three_agree
from authplugin_properties.machines.trio import LENIENT, SMALL, STRICT, TrioMachine
from authplugin_properties.trio import SECRET, Deed, Pipe, Script, Step, Trio, changed

Patch = pytest.MonkeyPatch


def said(*messages: Message) -> list[Step]:
    return [Step(Deed.SAY, data=encode(each)) for each in messages]


START = [Step(Deed.CARRY), *said(PluginInitResponse(2, "alice"))]
AUTHENTICATE = Step(Deed.AUTHENTICATE)
ACCEPT = said(PluginProtocolAccept())
CODE = said(PluginKIServerResponse([SECRET]))
ATTEMPT = [AUTHENTICATE, *ACCEPT, *CODE]


def together(*steps: Step, username: str = "", limits: Limits = STRICT) -> Trio:
    trio = Trio(username, limits)
    for step in steps:
        trio.take(step)
    return trio


def outcomes(trio: Trio) -> list[tuple[Any, ...]]:
    return [told[1:3] for told in trio.bridge.said if told[0] == "Outcome"]


# What is marked counts for the map.


@pytest.mark.map
def test_the_three_agree_whatever_happens() -> None:
    run_state_machine_as_test(TrioMachine, settings=settings())


@pytest.mark.map
@pytest.mark.parametrize("limits", [SMALL, LENIENT])
def test_every_event_wherever_a_bridge_can_stand(limits: Limits) -> None:
    assert every_bridge_pair(limits) == len(ROWS) * len(EVENTS) > 250


# What a user would see.


def test_a_login() -> None:
    trio = together(*START, *ATTEMPT)
    assert trio.bridge.said == [("Ready", "alice", True, ""), ("Outcome", True, False, ())]
    assert trio.server.authenticated is not None
    assert trio.server.authenticated.user == "alice"
    assert trio.plugin.model.situation.state == "IDLE"


def test_a_refusal_and_a_second_attempt() -> None:
    refuse = Step(Deed.DECIDE, data=bytes((1, 0, 4, 1)), held=True)
    trio = together(*START, refuse, *ATTEMPT, *ATTEMPT)
    assert outcomes(trio) == [(False, False), (True, False)]


def test_a_partial_success_and_then_another_method() -> None:
    # The method that had partial success is not listed again, the other one is.
    partial = Step(Deed.DECIDE, data=bytes((1, 1, 4, 2 | 8)), held=True)
    trio = together(*START, partial, *ATTEMPT)
    assert trio.bridge.said[-1] == ("Outcome", False, True, ("password",))
    password = encode_payload(UserAuthPassword("alice", "ssh-connection", SECRET))
    trio.take(Step(Deed.PUT, Pipe.BRIDGE_TO_SERVER, password, held=True))
    trio.take(Step(Deed.CARRY, Pipe.BRIDGE_TO_SERVER, held=True))
    assert trio.pipes[Pipe.SERVER_TO_BRIDGE] == [b"\x34"]
    assert trio.server.authenticated is not None
    assert trio.server.authenticated.methods == ("keyboard-interactive", "password")


@pytest.mark.parametrize("how", [Deed.END, Deed.PUT])
def test_the_plugin_is_gone_in_the_middle(how: Deed) -> None:
    steps = [*START, AUTHENTICATE, *ACCEPT, Step(how, Pipe.PLUGIN_TO_BRIDGE, bytes(4))]
    trio = together(*steps)
    gone, asked = trio.bridge.said[-2:]
    assert gone[0] == "PluginGone"
    assert gone[1] is not None  # it owed an answer, or spoke nonsense
    assert asked == ("AskUser", False, "Login", "é", (("Code: ", False),))
    trio.take(Step(Deed.ANSWER, data=SECRET.encode() + b"\0"))
    assert outcomes(trio) == [(True, False)]


def test_bytes_go_through_as_they_are() -> None:
    asked = b"\x3c\0\0\0\1n\0\0\0\2\xc3\xa9\0\0\0\2de\0\0\0\1\0\0\0\1P\7"
    steps = [*START, AUTHENTICATE, *(Step(s.deed, s.pipe, s.data, held=True) for s in ACCEPT)]
    trio = together(*steps, limits=LENIENT)
    trio.take(Step(Deed.CARRY, Pipe.PLUGIN_TO_BRIDGE, held=True))
    for step in put(Pipe.SERVER_TO_BRIDGE, asked):
        trio.take(step)
    assert (trio.pipes[Pipe.BRIDGE_TO_PLUGIN] or [b""])[-1][5:] == asked[1:]


def test_nobody_holds_more_than_the_limits_say() -> None:
    limits = Limits(frame=1 << 16, text=1 << 16)
    asked = b"\x3c" + 3 * bytes(4) + b"\0\0\0\1\0\0\0\1P\1"
    claim = b"\xff\xff\xff\xff\x15"
    three_agree([*START, *ATTEMPT], "", limits)  # what is loaded once is not what is measured
    trio = together(*START, AUTHENTICATE, *ACCEPT, limits=limits)
    tracemalloc.start()
    try:
        for _ in range(2000):
            trio.bridge.bridge.receive_from_server(b"\x35\0\0\0\1x\0\0\0\0")
            assert trio.bridge.bridge.next_event() is not None
            with pytest.raises(Exception, match="unknown-type"):
                trio.bridge.bridge.receive_from_server(asked)
        trio.bridge.bridge.receive_from_plugin((1 << 16).to_bytes(4, "big") + b"\x15")
        trio.bridge.bridge.receive_from_plugin(bytes(1 << 15))
        gc.collect()  # what is held is meant, and not what nobody has swept away yet
        held, _ = tracemalloc.get_traced_memory()
        assert held < 2 << 16
        trio.bridge.bridge.receive_from_plugin(claim + bytes(1 << 16))
        _, peak = tracemalloc.get_traced_memory()
        assert peak < 1 << 20
    finally:
        tracemalloc.stop()


# The pipes.


def test_what_happens_to_a_pipe() -> None:
    trio = together(limits=STRICT)
    pipe = Pipe.PLUGIN_TO_BRIDGE
    things = trio.pipes[pipe]
    assert things is not None
    things[:] = [b"abc", b"de"]

    def after(deed: Deed, data: bytes = b"") -> list[bytes] | None:
        trio.take(Step(deed, pipe, data, held=True))
        return trio.pipes[pipe]

    assert after(Deed.SWAP) == [b"de", b"abc"]
    assert after(Deed.DOUBLE) == [b"de", b"de", b"abc"]
    assert after(Deed.LOSE) == [b"de", b"abc"]
    assert after(Deed.CUT, b"\0") == [b"d", b"abc"]
    assert after(Deed.CHANGE, b"\0\1") == [b"e", b"abc"]
    assert after(Deed.PUT, b"x") == [b"e", b"abc", b"x"]
    assert after(Deed.CARRY_ONE) == [b"abc", b"x"]
    assert after(Deed.END) is None
    assert after(Deed.PUT, b"x") is None
    assert changed(b"", b"\0\1") == b""


# Mistakes.


def tell_of_no_partial_success(patch: Patch) -> None:
    patch.setattr(bridge_module, "PluginAuthSuccess", bridge_module.PluginAuthFailure)


def keep_the_own_name(patch: Patch) -> None:
    patch.setattr(Bridge, "_name", lambda self, given: "")


def ask_nobody_instead(patch: Patch) -> None:
    def lose(self: Any, violation: Any) -> None:
        self._plugin = None
        self._events.append(bridge_module.PluginGone(violation))

    patch.setattr(Bridge, "_lose_plugin", lose)


def drop_the_echo(patch: Patch) -> None:
    request = bridge_module.PluginKIServerRequest

    def deaf(name: Any, instructions: Any, language: Any, prompts: Any) -> Any:
        return request(name, instructions, language, [(prompt, False) for prompt, _ in prompts])

    patch.setattr(bridge_module, "PluginKIServerRequest", deaf)


def take_a_decision_at_any_time(patch: Patch) -> None:
    patch.setattr(Bridge, "_phase", bridge_module.Phase.WAITING, raising=False)

    def receive(self: Any, payload: bytes) -> None:
        self._conclude(bridge_module.decode_payload(payload, self.limits))

    patch.setattr(Bridge, "receive_from_server", receive)


def raise_something_else(patch: Patch) -> None:
    def crash(self: Any) -> None:
        raise KeyError("plugin")

    patch.setattr(Bridge, "plugin_ended", crash)


def tell_the_secret(patch: Patch) -> None:
    answer = Bridge.answer

    def telling(self: Any, responses: list[str]) -> None:
        try:
            answer(self, responses)
        except LocalProtocolError as error:
            raise LocalProtocolError(error.code, f"{responses}") from None

    patch.setattr(Bridge, "answer", telling)


def accept_everybody(patch: Patch) -> None:
    patch.setattr(UserAuthServer, "data_to_send", lambda self: [b"\x34"])


def lose_what_the_user_says(patch: Patch) -> None:
    patch.setattr(Bridge, "answer", lambda self, responses: None)


ALONE = [Step(Deed.END, Pipe.PLUGIN_TO_BRIDGE), Step(Deed.ANSWER, data=b"x\0")]

MISTAKES: list[tuple[Callable[[Patch], None], Sequence[Step]]] = [
    (tell_of_no_partial_success, [*START, *ATTEMPT]),
    (keep_the_own_name, START),
    (ask_nobody_instead, [*START, AUTHENTICATE, *ACCEPT, *ALONE]),
    (drop_the_echo, [*START, Step(Deed.DECIDE, data=b"\x41"), *ATTEMPT]),
    (take_a_decision_at_any_time, [*START, *put(Pipe.SERVER_TO_BRIDGE, b"\x34")]),
    (raise_something_else, [*START, AUTHENTICATE, *ALONE]),
    (tell_the_secret, [*START, Step(Deed.ANSWER, data=SECRET.encode() + b"\0")]),
    (accept_everybody, START),
    (lose_what_the_user_says, [*START, AUTHENTICATE, *ACCEPT, *ALONE]),
]


@pytest.mark.parametrize(("mistake", "steps"), MISTAKES)
def test_the_law_sees_a_mistake(
    mistake: Callable[[Patch], None], steps: Sequence[Step], monkeypatch: Patch
) -> None:
    three_agree(steps, "bob", STRICT)
    mistake(monkeypatch)
    with pytest.raises(LawBroken, match="server, bridge and plugin: "):
        three_agree(steps, "bob", STRICT)


def test_a_success_that_nobody_decided_is_seen(monkeypatch: Patch) -> None:
    decide = Script.user_auth_request

    def denied(self: Script, event: SSHUserAuthRequest) -> None:
        decide(self, event)
        self.accepted = False

    monkeypatch.setattr(Script, "user_auth_request", denied)
    with pytest.raises(LawBroken, match="lets a user in whom nobody has accepted"):
        three_agree([*START, *ATTEMPT], "", STRICT)


def test_a_trial_tells_what_was_done() -> None:
    trial = BridgeTrial("bob", STRICT)
    trial.authenticate()
    assert str(trial.broken("it is blue")) == (
        "server, bridge and plugin: it is blue, after\n  authenticate "
    )
