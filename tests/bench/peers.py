"""Everybody who takes part, under the names that the table and bench.json use.

All are given the same `bytes` object, a whole frame with its length field, and all give the same:
a message of authplugin's own classes with every field, its text as what the library makes of text.
`OURS` is the public function that everybody calls. A strict peer makes every check that we make:

* the length field equals what follows it, and is at most `Limits.frame`;
* the type byte is that of a message;
* no string is longer than `Limits.text` or than what is left;
* no count is above `Limits.count` or above what the bytes left could hold;
* a boolean is 0 or 1; text is UTF-8, method and language ASCII; nothing is left over.

It need not say which of them failed, nor where. (Ours finds that out only once it has refused.)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from construct import ConstructError

import authplugin

from . import framing, grammars, minimum, readers, writers
from .framing import DecodeStream
from .readers import Decode
from .writers import Encode

REFUSALS: Final = (ValueError, LookupError, OverflowError, struct.error, ConstructError)
"""What strict peers raise. None of them knows one error that would cover everything."""


@dataclass(frozen=True)
class Peer:
    """One who takes part.

    Attributes:
        name: as shown.
        strict: whether it makes all of our checks.
        decode: one whole frame to a message; None where it does not take part.
        decode_stream: chunks to messages, each handed over; likewise.
        encode: a message to a frame; likewise.
    """

    name: str
    strict: bool
    decode: Decode | None = None
    decode_stream: DecodeStream | None = None
    encode: Encode | None = None


OURS: Final = Peer("authplugin", True, authplugin.decode, framing.ours, authplugin.encode)

ASYNCSSH_STRICT: Final = Peer(
    "asyncssh, strict",
    True,
    readers.strict_decoder(readers.StrictAsyncsshReader),
    framing.buffered(readers.strict_body_decoder(readers.StrictAsyncsshReader)),
    writers.encode_with_strict_asyncssh,
)

PEERS: Final = (
    Peer(
        "asyncssh",
        False,
        readers.decoder(readers.AsyncsshReader),
        encode=writers.encode_with_asyncssh,
    ),
    ASYNCSSH_STRICT,
    # Text that is mostly ASCII need not become a str to be checked.
    Peer(
        "asyncssh, strict, isascii() first",
        True,
        readers.strict_decoder(readers.ShortcutAsyncsshReader),
        framing.buffered(readers.strict_body_decoder(readers.ShortcutAsyncsshReader)),
    ),
    Peer(
        "paramiko",
        False,
        readers.decoder(readers.ParamikoReader),
        encode=writers.encode_with_paramiko,
    ),
    Peer(
        "paramiko, strict",
        True,
        readers.strict_decoder(readers.StrictParamikoReader),
        framing.buffered(readers.strict_body_decoder(readers.StrictParamikoReader)),
        writers.encode_with_strict_paramiko,
    ),
    Peer(
        "BytesIO + struct",
        False,
        readers.decoder(readers.PlainReader),
        encode=writers.encode_with_struct,
    ),
    Peer(
        "BytesIO + struct, strict",
        True,
        readers.strict_decoder(readers.StrictPlainReader),
        framing.buffered(readers.strict_body_decoder(readers.StrictPlainReader)),
        writers.encode_with_strict_struct,
    ),
    Peer("construct", False, grammars.decode, encode=grammars.encode),
    Peer("construct, compiled", False, grammars.decode_compiled),
    Peer(
        "construct, strict",
        True,
        grammars.decode_strict,
        framing.buffered(grammars.decode_strict_body),
        grammars.encode_strict,
    ),
)
"""The other libraries, as they come and made equally strict."""

MINIMUM: Final = "unchecked minimum"
DISPATCHED_MINIMUM: Final = "unchecked minimum, by type byte"


def minimums(message: authplugin.Message) -> tuple[Peer, ...]:
    """Return the unchecked minimum for a message that one is written for."""
    code = type(message).spec.code
    if code not in minimum.DECODERS:
        return ()
    return (
        Peer(
            MINIMUM,
            False,
            minimum.DECODERS[code],
            encode=minimum.ENCODERS[type(message)],
        ),
        Peer(DISPATCHED_MINIMUM, False, minimum.decode),
    )
