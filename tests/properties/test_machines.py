"""The state machines and the enumerations: what they try, and that they catch what is wrong."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import get_state_machine_test, run_state_machine_as_test

from authplugin import ClientSession, LocalProtocolError, PluginSession, Side, session
from authplugin.messages import REQUEST_OF
from authplugin.session import EndKind, Session
from authplugin_corpus.faults import pairs
from authplugin_properties import enumeration, machines
from authplugin_properties.enumeration import EVENTS, LENGTH, WALKED
from authplugin_properties.laws import LawBroken
from authplugin_properties.machines import MACHINES, STRICT
from authplugin_properties.routes import stock_strikes
from authplugin_properties.tally import CURRENT

Patch = pytest.MonkeyPatch


# What is marked counts for the map.


@pytest.mark.map
@pytest.mark.parametrize("name", MACHINES)
def test_the_roles_agree_with_their_models(name: str) -> None:
    run_state_machine_as_test(MACHINES[name], settings=settings())


@pytest.mark.map
@pytest.mark.parametrize("side", Side)
def test_every_event_in_every_state(side: Side) -> None:
    states, events = 8, 2 * 22 + 2
    assert enumeration.every_pair(side) > states * events


@pytest.mark.map
@pytest.mark.parametrize("side", Side)
def test_every_sequence_of_events(side: Side) -> None:
    tried = enumeration.every_sequence(side)
    walked = sum(len(EVENTS) ** size for size in range(1, WALKED + 1))
    settled = sum(len(EVENTS) ** size for size in range(1, LENGTH + 1))
    print(f"{side}: all {walked} sequences of at most {WALKED} events were walked through;")
    print(f"{tried - walked} more settle all {settled:.3g} of at most {LENGTH} events")
    assert tried > walked


@pytest.mark.map
@pytest.mark.parametrize("side", Side)
def test_every_fault_in_every_place(side: Side) -> None:
    assert enumeration.every_fault(side, STRICT) > 1000


def test_every_sequence_is_what_it_says() -> None:
    # Nothing that is walked through can be told from what only its beginning settles.
    assert enumeration.every_sequence(Side.CLIENT, 2, walked=2) == 46 + 46**2
    # INIT(2) is what the client can say first, and everything else ends there.
    assert enumeration.every_sequence(Side.CLIENT, 2, walked=0) == 46 + 46
    # The plugin can hear it in three versions.
    assert enumeration.every_sequence(Side.PLUGIN, 2, walked=0) == 46 + 3 * 46


# Sessions that are wrong on purpose. Each is a mistake that somebody could make.


def trust_the_turns(patch: Patch) -> None:
    patch.setattr(Session, "_check_turn", lambda *_: None)


def trust_the_versions(patch: Patch) -> None:
    patch.setattr(Session, "_check_version", lambda *_: None)


def count_against_the_last_question(patch: Patch) -> None:
    advance = Session._advance

    def confused(self: Session, message: Any) -> None:
        advance(self, message)
        if hasattr(message, "prompts"):
            self._asked = dict.fromkeys(REQUEST_OF.values(), len(message.prompts))

    patch.setattr(Session, "_advance", confused)


def go_on_after_a_violation(patch: Patch) -> None:
    patch.setattr(Session, "_check_open", lambda _: None)


def take_any_end_for_a_farewell(patch: Patch) -> None:
    patch.setattr(session, "MAY_END", dict.fromkeys(Side, tuple(EndKind)))


def let_no_client_go(patch: Patch) -> None:
    patch.setattr(session, "MAY_END", dict.fromkeys(Side, (EndKind.CLEAN,)))


def lose_what_was_good(patch: Patch) -> None:
    poison = Session._poison

    def hasty(self: Session, violation: Any) -> None:
        poison(self, violation)
        self._events.clear()

    patch.setattr(Session, "_poison", hasty)


def hold_what_is_over(patch: Patch) -> None:
    def kept(self: Session, violation: Any) -> None:
        self._violation = violation

    patch.setattr(Session, "_poison", kept)


def move_on_before_refusing(patch: Patch) -> None:
    send = Session.send

    def hasty(self: Session, message: Any) -> bytes:
        try:
            return send(self, message)
        except LocalProtocolError:
            self._offered = "something else"
            raise

    patch.setattr(Session, "send", hasty)


def keep_the_method(patch: Patch) -> None:
    advance = Session._advance

    def forgetful(self: Session, message: Any) -> None:
        method = self._method
        advance(self, message)
        self._method = self._method or method

    patch.setattr(Session, "_advance", forgetful)


def choose_the_offer(patch: Patch) -> None:
    """The plugin believes in a version that the client only offered."""
    advance = Session._advance

    def eager(self: Session, message: Any) -> None:
        advance(self, message)
        if isinstance(self, PluginSession) and self._version is None:
            self._version = self._offer

    patch.setattr(Session, "_advance", eager)


def enumerate_all(which: str, side: Side) -> None:
    """Try shorter sequences than are tried for the map, since what is wrong shows in those."""
    more = {"every_sequence": (5, 1), "every_fault": (STRICT,)}
    getattr(enumeration, which)(side, *more.get(which, ()))


ENUMERATIONS = {
    f"{which}-{side}": partial(enumerate_all, which, side)
    for which in ("every_pair", "every_sequence", "every_fault")
    for side in Side
}

BREAKS: list[tuple[Callable[[Patch], None], str, list[str]]] = [
    (
        trust_the_turns,
        "the violation|the refusal|the state|the turn|what is held",
        [*MACHINES, *ENUMERATIONS],
    ),
    (
        trust_the_versions,
        "the violation|the refusal|the state",
        ["ClientMachine", "PairMachine", "every_pair-client", "every_fault-client"],
    ),
    (
        count_against_the_last_question,
        "the violation|the refusal|the state",
        ["ClientMachine", "PluginMachine", "PairMachine", "every_fault-client"],
    ),
    (
        go_on_after_a_violation,
        "the refusal|.*the peer",
        ["ClientMachine", "PluginMachine", "every_pair-client", "every_pair-plugin"],
    ),
    (
        take_any_end_for_a_farewell,
        "the violation",
        ["ClientMachine", "PluginMachine", "PairMachine", *ENUMERATIONS],
    ),
    (
        let_no_client_go,
        "the violation",
        ["PluginMachine", "PairMachine", "every_pair-plugin", "every_sequence-plugin"],
    ),
    (
        lose_what_was_good,
        "what was delivered",
        ["ClientMachine", "PluginMachine", "PairMachine", "every_fault-client"],
    ),
    (
        hold_what_is_over,
        "what is held",
        ["ClientMachine", "PluginMachine", "PairMachine", "every_pair-client"],
    ),
    (
        move_on_before_refusing,
        "what a refused message leaves",
        ["ClientMachine", "PluginMachine", "PairMachine", "every_pair-client"],
    ),
    (
        keep_the_method,
        "the method",
        ["ClientMachine", "PluginMachine", "PairMachine", "every_sequence-client"],
    ),
    (
        choose_the_offer,
        "the version",
        ["PluginMachine", "PairMachine", "every_pair-plugin", "every_sequence-plugin"],
    ),
]


@pytest.fixture
def cold() -> Iterator[None]:
    """Keep nothing of what was worked out with a broken session, nor anything from before."""
    for kept in (stock_strikes, pairs):
        kept.cache_clear()
    yield
    for kept in (stock_strikes, pairs):
        kept.cache_clear()


def run(which: str) -> None:
    if which in ENUMERATIONS:
        ENUMERATIONS[which]()
    else:
        # Whether it is found matters here, not how small it can be made.
        chosen = settings(
            max_examples=200, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        run_state_machine_as_test(MACHINES[which], settings=chosen)


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize(
    ("broken", "says", "which"),
    [(broken, says, which) for broken, says, several in BREAKS for which in several],
    ids=lambda it: getattr(it, "__name__", None if it is None else re.sub(r"\W+", "-", str(it))),
)
def test_what_is_wrong_is_caught(
    broken: Callable[[Patch], None], says: str, which: str, monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    with pytest.raises(LawBroken, match=f"agreement with the model: the (client|plugin): ({says})"):
        run(which)


def test_every_machine_and_enumeration_is_seen_to_fail() -> None:
    assert {which for _, _, several in BREAKS for which in several} == {*MACHINES, *ENUMERATIONS}


def test_roles_that_part_are_noticed(monkeypatch: Patch) -> None:
    # Where the model is wrong in the same way, the other role still tells.
    broken = machines.PairMachine()
    broken.choose_limits(STRICT)
    broken.trials[Side.CLIENT].session._version = 7
    with pytest.raises(LawBroken, match="the client's version is 7, the plugin's None"):
        broken.both_stand_in_the_same_place()


@pytest.mark.parametrize("name", MACHINES)
def test_any_bytes_drive_a_machine(name: str) -> None:
    """So that any fuzzer can; what it found can be given again."""
    fuzz = get_state_machine_test(MACHINES[name]).hypothesis.fuzz_one_input
    before = CURRENT.run(name).steps
    for seed in range(20):
        fuzz(bytes((seed * index) % 251 for index in range(4000)))
    assert CURRENT.run(name).steps > before


class Sloppy(ClientSession):
    """A client that takes a plugin's word for which version it speaks."""

    def _check_version(self, *_: Any) -> None:
        pass


def test_other_sessions_can_be_put_on_trial() -> None:
    class SloppyMachine(machines.ClientMachine):
        sessions: ClassVar[Any] = {Side.CLIENT: Sloppy}

    chosen = settings(max_examples=200, phases=[Phase.generate])
    with pytest.raises(LawBroken, match=r"the client: (the violation|the state)"):
        run_state_machine_as_test(SloppyMachine, settings=chosen)
