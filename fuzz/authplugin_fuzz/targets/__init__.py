"""What is fuzzed: bytes in, laws out.

A target takes one input (see `layers`) and raises `LawBroken` where a law does not hold of it. It
knows no engine: atheris, Hypothesis, a test or a person can run it, the last with
`python -m authplugin_fuzz.targets TARGET FILE...`. Each is a module of its own, loaded when it is
run, so that nobody waits for what another one needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from ..layers import Layer


@dataclass(frozen=True)
class Target:
    """A thing to fuzz.

    Attributes:
        name: as on the command line; that of its module.
        purpose: what it tries, for people.
        layer: what the bytes of its inputs are.
    """

    name: str
    purpose: str
    layer: Layer

    @cached_property
    def run(self) -> Callable[[bytes], None]:
        """What is called with an input; it raises `LawBroken` where a law does not hold."""
        module = import_module(f"{__name__}.{self.name}")
        return cast("Callable[[bytes], None]", module.run)


TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target("frames", "streams cut into frames and messages", Layer.STREAM),
            Target("messages", "what a message is read as, and refused for", Layer.BODY),
            Target("roundtrip", "what is read and written again", Layer.BODY),
            Target("client", "the client's role under any plugin", Layer.CONVERSATION),
            Target("plugin", "the plugin's role under any client", Layer.CONVERSATION),
            Target("dialogue", "both roles, and what their pipes do", Layer.CONVERSATION),
            Target("differential", "the codec beside two other readers", Layer.BODY),
            Target("userauth", "the messages of SSH's user authentication", Layer.PAYLOAD),
            Target("server", "a server of SSH's user authentication", Layer.SERVER),
            Target("bridge", "server, bridge and plugin, and their pipes", Layer.BRIDGE),
            Target("stateful", "the state machines of the properties", Layer.CHOICES),
        )
    }
)
"""All targets, by name."""
