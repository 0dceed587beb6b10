"""The laws of one frame: what decodes encodes again, and two oracles read the same in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from authplugin import Limits, ProtocolError, RemoteProtocolError
from authplugin.limits import DEFAULT_LIMITS
from authplugin.table import WireMessage
from authplugin_corpus.protocols import PLUGIN, Protocol, protocol_of

from ..breaking import broken, guarded, hexadecimal, remotely, short
from ..model import Neutral, Problem
from ..oracles import cursor, grammar
from ..references import Reference, reference_of
from ..subjects import neutral, problem_of

NOT_OF_THE_GRAMMAR: Final = frozenset(
    {"frame-too-long", "string-too-long", "count-too-large", "bad-utf8", "bad-ascii"}
    | {"bad-name-list"}
)
"""The codes of what the grammars of the messages know nothing of: limits, and what text is."""


def round_trip(frame: bytes, limits: Limits = DEFAULT_LIMITS, protocol: Protocol = PLUGIN) -> None:
    """Check that what decodes encodes to the same bytes, detached or not (RFC 4251, 5; H.6).

    So there is one encoding of each message, and what a plugin only passes on (H.6.7 to H.6.10)
    keeps its bytes.
    """
    try:
        message = _decoded(frame, limits, protocol)
    except RemoteProtocolError:
        return
    for form, made in (("", message), ("detached ", message.detach())):
        again = _encoded(made, limits, f"the {form}message that decode gave", frame)
        if again != frame:
            what = f"the {form}message encodes to other bytes: {hexadecimal(again)}"
            broken("round trip", what, frame)


def round_trip_message(message: WireMessage, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that a message within the limits encodes, and decodes to an equal one (H.6)."""
    frame = _encoded(message, limits, "a message within the limits", b"")
    try:
        again = _decoded(frame, limits, protocol_of(type(message)))
    except RemoteProtocolError as error:
        broken("round trip of a message", f"its frame is refused: {error}", frame)
    if again != message or again.detach() != message:
        broken("round trip of a message", f"{message!r} came back as {again!r}", frame)


def agrees_with_cursor(
    frame: bytes, limits: Limits = DEFAULT_LIMITS, protocol: Protocol = PLUGIN
) -> None:
    """Check that the codec and the cursor decoder accept the same frames, as the same messages.

    What they refuse they refuse with the same code, field and offset (H.3, H.6; RFC 4252; RFC 4256,
    3.2 and 3.4, for prompts and responses).
    """
    ours: Neutral | Problem
    theirs: Neutral | Problem
    try:
        ours = neutral(_decoded(frame, limits, protocol))
    except RemoteProtocolError as error:
        ours = problem_of(error)
    try:
        theirs = reference_of(protocol).read(frame, limits)
    except cursor.Refused as refused:
        theirs = Problem(refused.code, refused.field, refused.offset)
    if ours != theirs:
        broken(
            "agreement with the cursor decoder",
            f"decode gives {short(ours)}, the cursor decoder {short(theirs)}",
            frame,
        )


def agrees_with_grammar(
    frame: bytes, limits: Limits = DEFAULT_LIMITS, protocol: Protocol = PLUGIN
) -> None:
    """Check that the codec and the `construct` grammar read and write the same (H.3, H.6).

    What the codec accepts the grammar parses, as the same message, and builds, as the same bytes.
    What the codec refuses the grammar refuses, but for what it knows nothing of
    (`NOT_OF_THE_GRAMMAR`). A boolean that is accepted though it is neither 0 nor 1
    (`Limits.nonzero_is_true`; RFC 4251, 5) is 1 to the grammar.
    """
    law = "agreement with the grammar"
    reference = reference_of(protocol)
    theirs = _parsed(frame, reference)
    try:
        message = _decoded(frame, limits, protocol)
    except RemoteProtocolError as error:
        if theirs is not None and error.code not in NOT_OF_THE_GRAMMAR:
            broken(law, f"decode refuses with {error.code} what it reads as {short(theirs)}", frame)
        return
    ours = neutral(message)
    if limits.nonzero_is_true:
        frame = _strict(frame, ours, limits, reference)
        theirs = _parsed(frame, reference)
    if theirs != ours:
        broken(law, f"decode gives {short(ours)}, the grammar {short(theirs)}", frame)
    try:
        built = reference.build(ours)
    except (grammar.ConstructError, ValueError) as error:
        broken(law, f"it cannot build what decode gives, {short(ours)}: {short(error)}", frame)
    if built != frame:
        broken(law, f"it builds other bytes of what decode gives: {hexadecimal(built)}", frame)


def _parsed(frame: bytes, reference: Reference) -> Neutral | None:
    try:
        return reference.parse(frame)
    except grammar.ConstructError:
        return None


def _strict(frame: bytes, message: Neutral, limits: Limits, reference: Reference) -> bytes:
    """Return an accepted frame with each boolean over 1 made 1, by its own offset in the frame."""
    strict = replace(limits, nonzero_is_true=False)
    made = bytearray(frame)
    booleans = [*message.get("prompts", ()), *(each for each in message.values() if each is True)]
    for _ in booleans:
        try:
            reference.read(bytes(made), strict)
        except cursor.Refused as refused:
            if refused.code == "bad-boolean":
                made[refused.offset] = 1
    return bytes(made)


def _decoded(frame: bytes, limits: Limits, protocol: Protocol) -> WireMessage:
    return remotely("decode", frame, lambda: protocol.decode(frame, limits))


def _encoded(message: WireMessage, limits: Limits, what: str, data: bytes) -> bytes:
    encode = protocol_of(type(message)).encode
    try:
        return guarded("encode", data, lambda: encode(message, limits), (ProtocolError,))
    except ProtocolError as error:
        broken("round trip", f"{what} cannot be encoded: {error}", data)
