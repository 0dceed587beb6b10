"""For each protocol the oracles that read and write its frames; see `oracles`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from authplugin_corpus.protocols import PLUGIN, USER_AUTH, Protocol

from .model import Neutral
from .oracles import cursor, grammar, userauth, userauth_grammar
from .oracles.cursor import LimitsLike

__all__ = ["Reference", "reference_of"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What says what a frame of a protocol is, without asking the codec.

    Attributes:
        read: reads exactly one frame within limits; raises `cursor.Refused`.
        parse: reads exactly one frame; raises `grammar.ConstructError`.
        build: writes one; raises `grammar.ConstructError` or ValueError.
    """

    read: Callable[[bytes, LimitsLike], Neutral]
    parse: Callable[[bytes], Neutral]
    build: Callable[[Neutral], bytes]


_REFERENCES: Final[Mapping[str, Reference]] = MappingProxyType(
    {
        PLUGIN.name: Reference(cursor.decode, grammar.parse, grammar.build),
        **{
            protocol.name: Reference(
                partial(userauth.decode, method=method),
                partial(userauth_grammar.parse, method=method),
                partial(userauth_grammar.build, method=method),
            )
            for method, protocol in USER_AUTH.items()
        },
    }
)


def reference_of(protocol: Protocol) -> Reference:
    """Return the oracles of a protocol."""
    return _REFERENCES[protocol.name]
