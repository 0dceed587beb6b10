"""The server of SSH's user authentication against its model: what is tried, and what is caught."""

import logging
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import get_state_machine_test, run_state_machine_as_test

from authplugin import Limits
from authplugin.userauth import SSHUserAuthRequest
from authplugin_properties import server_enumeration
from authplugin_properties.laws import LawBroken, userauth_server_agrees
from authplugin_properties.machines import UserAuthServerMachine
from authplugin_properties.server_conversations import LIMITS
from authplugin_properties.server_enumeration import STEPS
from authplugin_properties.server_trial import ServerTrial
from authplugin_properties.signing import KEYS, wrongly_signed
from authplugin_properties.tally import CURRENT

from . import exchange_mistakes, server_mistakes

Patch = pytest.MonkeyPatch
SMALL = Limits(frame=2048, text=130, count=8)


# What is marked counts for the map.


@pytest.mark.map
def test_a_server_under_a_hostile_client_agrees_with_its_model() -> None:
    run_state_machine_as_test(UserAuthServerMachine, settings=settings())


@pytest.mark.map
def test_every_sequence_of_steps_behind_every_way() -> None:
    tried = server_enumeration.every_server_sequence()
    print(f"{tried} sequences of at most {server_enumeration.LENGTH} steps were walked through")
    assert tried > len(STEPS) ** 2


@pytest.mark.map
def test_every_fault_in_every_message() -> None:
    assert server_enumeration.every_user_auth_fault(SMALL) > 1000


def test_no_wrong_signature_does() -> None:
    made = [wrongly_signed(each, "alice", "ssh-connection", b"the session") for each in KEYS]
    assert server_enumeration.every_wrong_signature() == sum(map(len, made)) > 150


def test_every_signature_is_wrong_in_its_own_way() -> None:
    for algorithm in KEYS:
        made = wrongly_signed(algorithm, "alice", "ssh-connection", b"the session")
        assert len({*made.values()}) == len(made)


# Servers that are wrong on purpose.


def sequences() -> None:
    server_enumeration.every_server_sequence(2, 1)


def signatures() -> None:
    server_enumeration.every_wrong_signature()


def machine() -> None:
    # Whether it is found matters here, not how small it can be made.
    chosen = settings(
        max_examples=300,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(UserAuthServerMachine, settings=chosen)


MISTAKES = (*server_mistakes.MISTAKES, *exchange_mistakes.MISTAKES)

_OF_SIGNATURES = (
    server_mistakes.verify_nothing,
    server_mistakes.verify_nothing_of_rsa,
    server_mistakes.trust_the_name_in_the_signature,
    server_mistakes.cover_any_session,
    server_mistakes.ask_about_no_key,
)
_OF_THE_MACHINE = (
    server_mistakes.verify_nothing,
    server_mistakes.trust_the_name_in_the_signature,
    server_mistakes.take_algorithms_that_are_off,
    server_mistakes.keep_what_another_user_has_done,
    server_mistakes.take_the_larger_of_two_answers,
    server_mistakes.forget_the_first_directory,
    server_mistakes.keep_what_came_to_nothing,
    server_mistakes.tell_of_methods_at_once,
    exchange_mistakes.count_nothing_that_is_abandoned,
    exchange_mistakes.forget_a_refused_response,
    exchange_mistakes.apply_a_late_decision,
    exchange_mistakes.let_any_number_wait,
    exchange_mistakes.ask_any_number_of_prompts,
    exchange_mistakes.log_what_a_handler_says,
)
_NOT_OF_SEQUENCES = (
    server_mistakes.verify_nothing_of_rsa,
    server_mistakes.trust_the_name_in_the_signature,
    server_mistakes.cover_any_session,
)
"""What shows only with other keys and signatures than the sequences have."""

CAUGHT = (
    *((each, sequences) for each in MISTAKES if each not in _NOT_OF_SEQUENCES),
    *((each, signatures) for each in _OF_SIGNATURES),
    *((each, machine) for each in _OF_THE_MACHINE),
)


@pytest.mark.parametrize(
    ("broken", "part"), CAUGHT, ids=lambda it: getattr(it, "__name__", str(it))
)
def test_what_is_wrong_is_caught(
    broken: Callable[[Patch], None], part: Callable[[], None], monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    with pytest.raises(LawBroken, match="the server agrees with its model: "):
        part()


def test_every_mistake_is_caught() -> None:
    assert {broken for broken, _ in CAUGHT} == {*MISTAKES}


def test_any_bytes_drive_the_machine() -> None:
    fuzz = get_state_machine_test(UserAuthServerMachine).hypothesis.fuzz_one_input
    before = CURRENT.run("UserAuthServerMachine").steps
    for seed in range(20):
        fuzz(bytes((seed * index) % 251 for index in range(4000)))
    assert CURRENT.run("UserAuthServerMachine").steps > before


def test_events_are_told_apart_by_identity() -> None:
    made = [SSHUserAuthRequest(**dict.fromkeys(_SHOWN, "x")) for _ in range(2)]  # type: ignore[arg-type]
    assert made[0] != made[1]
    assert len({*made}) == 2


_SHOWN = ("connection_id", "user", "service", "auth_method", "auth_param")


def test_a_trial_leaves_the_logger_as_it_was() -> None:
    logger = logging.getLogger("authplugin.userauth")
    before = logger.level, logger.propagate, [*logger.handlers]
    userauth_server_agrees(STEPS[:5], server_enumeration.SETUP)
    assert (logger.level, logger.propagate, [*logger.handlers]) == before


def test_the_same_steps_come_to_the_same() -> None:
    one, other = (ServerTrial(server_enumeration.SETUP) for _ in range(2))
    for step in STEPS:
        assert one.take(step) == other.take(step)


def test_the_bounds_are_those_that_keys_fit() -> None:
    for limits in LIMITS:
        for key in KEYS.values():
            assert len(key.request("alice", "ssh-connection", b"")) <= limits.frame
            assert len(key.blob) <= limits.text
