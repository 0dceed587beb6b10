"""The laws of one frame: what decodes encodes again, and two oracles read the same in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from authplugin import Limits, Message, ProtocolError, RemoteProtocolError, decode, encode
from authplugin.limits import DEFAULT_LIMITS

from ..model import Neutral, Problem
from ..oracles import cursor, grammar
from ..subjects import neutral, problem_of
from .breaking import broken, guarded, hexadecimal, remotely, short

NOT_OF_THE_GRAMMAR: Final = frozenset(
    {"frame-too-long", "string-too-long", "count-too-large", "bad-utf8", "bad-ascii"}
)
"""The codes of what the grammar of the messages knows nothing of: limits, and what text is."""


def round_trip(frame: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that what decodes encodes to the same bytes, detached or not (RFC 4251, 5; H.6).

    So there is one encoding of each message, and what a plugin only passes on (H.6.7 to H.6.10)
    keeps its bytes.
    """
    try:
        message = _decoded(frame, limits)
    except RemoteProtocolError:
        return
    for form, made in (("", message), ("detached ", message.detach())):
        again = _encoded(made, limits, f"the {form}message that decode gave", frame)
        if again != frame:
            what = f"the {form}message encodes to other bytes: {hexadecimal(again)}"
            broken("round trip", what, frame)


def round_trip_message(message: Message, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that a message within the limits encodes, and decodes to an equal one (H.6)."""
    frame = _encoded(message, limits, "a message within the limits", b"")
    try:
        again = _decoded(frame, limits)
    except RemoteProtocolError as error:
        broken("round trip of a message", f"its frame is refused: {error}", frame)
    if again != message or again.detach() != message:
        broken("round trip of a message", f"{message!r} came back as {again!r}", frame)


def agrees_with_cursor(frame: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that the codec and the cursor decoder accept the same frames, as the same messages.

    What they refuse they refuse with the same code, field and offset (H.3, H.6; RFC 4256, 3.2 and
    3.4, for prompts and responses).
    """
    ours: Neutral | Problem
    theirs: Neutral | Problem
    try:
        ours = neutral(_decoded(frame, limits))
    except RemoteProtocolError as error:
        ours = problem_of(error)
    try:
        theirs = cursor.decode(frame, limits)
    except cursor.Refused as refused:
        theirs = Problem(refused.code, refused.field, refused.offset)
    if ours != theirs:
        broken(
            "agreement with the cursor decoder",
            f"decode gives {short(ours)}, the cursor decoder {short(theirs)}",
            frame,
        )


def agrees_with_grammar(frame: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Check that the codec and the `construct` grammar read and write the same (H.3, H.6).

    What the codec accepts the grammar parses, as the same message, and builds, as the same bytes.
    What the codec refuses the grammar refuses, but for what it knows nothing of
    (`NOT_OF_THE_GRAMMAR`). A boolean that is accepted though it is neither 0 nor 1
    (`Limits.nonzero_is_true`; RFC 4251, 5) is 1 to the grammar.
    """
    law = "agreement with the grammar"
    theirs = _parsed(frame)
    try:
        message = _decoded(frame, limits)
    except RemoteProtocolError as error:
        if theirs is not None and error.code not in NOT_OF_THE_GRAMMAR:
            broken(law, f"decode refuses with {error.code} what it reads as {short(theirs)}", frame)
        return
    ours = neutral(message)
    if limits.nonzero_is_true:
        frame = _strict(frame, ours, limits)
        theirs = _parsed(frame)
    if theirs != ours:
        broken(law, f"decode gives {short(ours)}, the grammar {short(theirs)}", frame)
    try:
        built = grammar.build(ours)
    except (grammar.ConstructError, ValueError) as error:
        broken(law, f"it cannot build what decode gives, {short(ours)}: {short(error)}", frame)
    if built != frame:
        broken(law, f"it builds other bytes of what decode gives: {hexadecimal(built)}", frame)


def _parsed(frame: bytes) -> Neutral | None:
    try:
        return grammar.parse(frame)
    except grammar.ConstructError:
        return None


def _strict(frame: bytes, message: Neutral, limits: Limits) -> bytes:
    """Return an accepted frame with each boolean over 1 made 1, by its own offset in the frame."""
    strict = replace(limits, nonzero_is_true=False)
    made = bytearray(frame)
    for _ in message.get("prompts", ()):
        try:
            cursor.decode(bytes(made), strict)
        except cursor.Refused as refused:
            if refused.code == "bad-boolean":
                made[refused.offset] = 1
    return bytes(made)


def _decoded(frame: bytes, limits: Limits) -> Message:
    return remotely("decode", frame, lambda: decode(frame, limits))


def _encoded(message: Message, limits: Limits, what: str, data: bytes) -> bytes:
    try:
        return guarded("encode", data, lambda: encode(message, limits), (ProtocolError,))
    except ProtocolError as error:
        broken("round trip", f"{what} cannot be encoded: {error}", data)
