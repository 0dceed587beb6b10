"""The state machines of the properties, with choices that come from a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import get_state_machine_test, precondition, rule

from authplugin_properties.machines import MACHINES, ConversationMachine
from authplugin_properties.machines.base import BEYOND
from authplugin_properties.strategies import messages

_SETTINGS: Final = settings(
    database=None,
    deadline=None,
    stateful_step_count=20,
    suppress_health_check=list(HealthCheck),
)


_PART_STRUCK: Final = 10
"""Striking takes most of the time, and there are other steps; here every step is taken often."""


class _Speaking(ConversationMachine):
    """What is added to each machine."""

    part_struck = _PART_STRUCK

    @precondition(ConversationMachine.may_talk)
    @rule(choice=st.data())
    def say_what_has_its_place(self, choice: st.DataObject) -> None:
        """Have a role say what may come next, within its limits or a little beyond them."""
        assert self.conversation is not None
        own = [each for each in self.conversation.options() if each.spec.sender in self.trials]
        if own:
            machine: Any = self
            machine.say_anything(choice.draw(messages(*own, limits=BEYOND)))


def _tests() -> tuple[Callable[[bytes], bytes | None], ...]:
    machines = (type(name, (_Speaking, machine), {}) for name, machine in MACHINES.items())
    return tuple(
        get_state_machine_test(machine, settings=_SETTINGS).hypothesis.fuzz_one_input  # type: ignore[attr-defined]  # put there by @given
        for machine in machines
    )


_TESTS: Final = _tests()


def run(raw: bytes) -> None:
    """Run the machine that the first byte chooses, with the choices behind it."""
    if raw:
        _TESTS[raw[0] % len(_TESTS)](raw[1:])
