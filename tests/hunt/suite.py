"""What the parts of the suite try one after the other, for a search in this process.

Every attempt raises where something is wrong; how small the example can be made is of no interest
here. With the seed `FIXED` Hypothesis goes by the profile `ci`, with any other one by the same
profile made random.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import pytest

from .parts import ENUMERATION, FIXED, INTEGRATION, LAWS, MACHINES, UNIT, VECTORS, Part

Attempt: TypeAlias = Callable[[], object]

_TESTS: Final = {
    UNIT: (
        "tests/unit",
        # They measure other libraries beside this one; and what is written once would be compared
        # with what is written anew, which a patch of it makes another of course.
        "--ignore=tests/unit/test_bench.py",
        "--ignore=tests/unit/test_bench_report.py",
        "--ignore=tests/unit/test_generated.py",
    ),
    INTEGRATION: (
        "tests/integration",
        # They try the examples, which have nothing of this library in them.
        "--ignore=tests/integration/test_examples.py",
        "--ignore=tests/integration/test_examples_refuse.py",
        # It changes the system that it runs on.
        "--ignore=tests/integration/test_sshd.py",
    ),
    # What plays dialogues that the linter only reads.
    VECTORS: (
        "tests/corpus/test_played_by_handlers.py",
        "tests/corpus/test_user_auth_vectors.py",
    ),
}
_TESTS_ALONE: Final = (UNIT, INTEGRATION)
_OF_USERS: Final = ("user", "server", "bridge", "trio")


class Meter(Protocol):
    """What is told of the search; see `searching.Meter`."""

    def count(self) -> None:
        """One more is tried."""

    def tell(self, by: str) -> None:
        """Say what is tried now."""

    def end(self, by: str, says: str | None) -> None:
        """Something was found."""


def attempts(
    part: Part, seed: int, meter: Meter, *, users_first: bool
) -> Iterator[tuple[str, Attempt]]:
    """Yield what a part tries, each with its name.

    Args:
        part: one without targets.
        seed: what chance begins with, or `FIXED`.
        meter: is told of every example, test and vector; a test that fails ends it.
        users_first: whether to begin with what has to do with user authentication.
    """
    if part in _TESTS_ALONE:
        yield part.name, _tests(part, meter, users_first=users_first)
        return
    tried = list(_ATTEMPTS[part](meter, seed))
    if users_first:
        tried.sort(key=lambda each: not any(word in each[0].lower() for word in _OF_USERS))
    yield from tried


def _load_profile(seed: int) -> None:
    from hypothesis import Phase, settings

    from authplugin_properties import profiles

    profiles.register()
    changes: dict[str, Any] = {} if seed == FIXED else {"derandomize": False}
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("hunt", settings.get_profile("ci"), phases=phases, **changes)
    settings.load_profile("hunt")
    if seed != FIXED:
        profiles.use_seed(seed)


def _laws(meter: Meter, seed: int) -> Iterator[tuple[str, Attempt]]:
    from authplugin_properties.properties import PROPERTIES

    _load_profile(seed)
    for name, each in PROPERTIES.items():

        def law(_law: Callable[..., None] = each.law, **arguments: Any) -> None:
            meter.count()
            _law(**arguments)

        yield name, replace(each, law=law).test()


def _machines(meter: Meter, seed: int) -> Iterator[tuple[str, Attempt]]:
    from hypothesis import settings
    from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

    from authplugin_properties import machines

    _load_profile(seed)

    def new(kind: type) -> object:
        meter.count()
        return object.__new__(kind)

    every = [getattr(machines, name) for name in machines.__all__]
    found = [each for each in every if isinstance(each, type)]
    found = [each for each in found if issubclass(each, RuleBasedStateMachine)]
    for machine in found:
        if any(issubclass(each, machine) for each in found if each is not machine):
            continue  # it is what others are made from

        counted = type(machine.__name__, (machine,), {"__new__": new, "__module__": __name__})
        yield machine.__name__, partial(run_state_machine_as_test, counted, settings=settings())


def _enumeration(meter: Meter, seed: int) -> Iterator[tuple[str, Attempt]]:
    from authplugin import Side
    from authplugin_properties import enumeration, server_enumeration
    from authplugin_properties.laws import bridges
    from authplugin_properties.machines import STRICT
    from authplugin_properties.server_trial import ServerTrial

    def counted(step: Callable[[Any, Any], Any]) -> Any:
        def count(self: Any, what: Any) -> Any:
            meter.count()
            return step(self, what)

        return count

    enumeration.Event.befall = counted(enumeration.Event.befall)  # type: ignore[method-assign]
    ServerTrial.take = counted(ServerTrial.take)  # type: ignore[method-assign]
    for side in Side:
        yield f"every_pair, {side}", partial(enumeration.every_pair, side)
        yield f"every_fault, {side}", partial(enumeration.every_fault, side, STRICT)
    yield "every_user_auth_fault", partial(server_enumeration.every_user_auth_fault, STRICT)
    yield "every_wrong_signature, server", server_enumeration.every_wrong_signature
    yield "every_bridge_pair", bridges.every_bridge_pair
    yield "every_server_sequence", server_enumeration.every_server_sequence
    for side in Side:
        yield f"every_sequence, {side}", partial(enumeration.every_sequence, side)


def _vectors(meter: Meter, seed: int) -> Iterator[tuple[str, Attempt]]:
    from authplugin_corpus.vectors import load_vectors
    from authplugin_corpus.verifying import problems_of

    def attempt(vector: Any) -> None:
        meter.count()
        for problem in problems_of(vector):
            raise AssertionError(problem)

    for vector in load_vectors():
        yield vector.id, partial(attempt, vector)
    yield VECTORS.name, _tests(VECTORS, meter)


def _tests(part: Part, meter: Meter, *, users_first: bool = False) -> Attempt:
    # Quiet, in this process, and without a file that another run would see.
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    first = ["tests/unit/userauth"] if users_first and part is UNIT else []
    chosen = [*options, *first, *_TESTS[part]]
    return lambda: _succeed(pytest.main(chosen, [_Listener(meter)]))


def _succeed(status: int | pytest.ExitCode) -> None:
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest ended with status {int(status)}")


class _Listener:
    """Tells the meter of each test, and of the first that fails."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._meter.count()
        self._meter.tell(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tell(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._tell(report)

    def _tell(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.failed:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        message = str(report.longrepr) if crash is None else crash.message
        # The end of what it prints is what is wrong, and its process ends here.
        os.write(2, str(report.longrepr).encode(errors="replace"))
        self._meter.end(report.nodeid.replace(f"{Path.cwd()}/", ""), " ".join(message.split()))


_ATTEMPTS: Final[dict[Part, Callable[[Meter, int], Iterator[tuple[str, Attempt]]]]] = {
    LAWS: _laws,
    MACHINES: _machines,
    ENUMERATION: _enumeration,
    VECTORS: _vectors,
}
