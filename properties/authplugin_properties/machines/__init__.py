"""State machines: a role under a hostile peer, and both roles with faults between them.

And a server of SSH's user authentication under a hostile client; and server, bridge and plugin with
faults on every pipe.

Whatever a machine does, the roles on trial are compared with their models after every step (see
`trial`). Every machine is a `RuleBasedStateMachine`: `machine.TestCase` runs under pytest, and
`hypothesis.stateful.get_state_machine_test(machine)` gives any fuzzer a `fuzz_one_input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .base import LENIENT, STRICT, ConversationMachine
from .pair import PairMachine
from .roles import ClientMachine, PluginMachine
from .server import UserAuthServerMachine
from .trio import TrioMachine

__all__ = [
    "LENIENT",
    "MACHINES",
    "STRICT",
    "ClientMachine",
    "ConversationMachine",
    "PairMachine",
    "PluginMachine",
    "TrioMachine",
    "UserAuthServerMachine",
]

MACHINES: Final[Mapping[str, type[ConversationMachine]]] = MappingProxyType(
    {each.__name__: each for each in (ClientMachine, PluginMachine, PairMachine)}
)
"""All machines of conversations between client and plugin, by name."""
