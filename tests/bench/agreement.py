"""Whether all take the same from the same bytes, and write the same. Asked before any measuring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from authplugin import Message

from .cases import Case
from .peers import OURS, Peer


def contents(message: Message) -> list[Any]:
    """Return the values of a message, with all text as `str`."""
    owned = message.detach()
    return [getattr(owned, field.name) for field in fields(owned)]  # type: ignore[arg-type]


def same(one: Message, other: Message) -> bool:
    """Say whether two messages are the same, down to the types of their numbers and flags."""
    return type(one) is type(other) and repr(contents(one)) == repr(contents(other))


def differences(case: Case, peers: Iterable[Peer]) -> Iterator[str]:
    """Yield what peers, and we, make of a case that is not what went in."""
    frame = case.frame
    for peer in (OURS, *peers):
        if peer.decode is not None:
            try:
                agrees = same(peer.decode(frame, *case.options), case.message)
            except Exception as error:  # whatever it is, it is reported
                yield f"{peer.name} cannot decode {case.name}: {error!r}"
            else:
                if not agrees:
                    yield f"{peer.name} decodes {case.name} to another message"
        if peer.encode is not None:
            try:
                agrees = peer.encode(case.message, *case.options) == frame
            except Exception as error:
                yield f"{peer.name} cannot encode {case.name}: {error!r}"
            else:
                if not agrees:
                    yield f"{peer.name} encodes {case.name} to other bytes"


def stream_differences(
    messages: Sequence[Message], chunks: Sequence[bytes], peers: Iterable[Peer]
) -> Iterator[str]:
    """Yield whose messages from a stream are not those that went in."""
    for peer in (OURS, *peers):
        if peer.decode_stream is None:
            continue
        where = f"the stream in chunks of {len(chunks[0])}"
        try:
            taken: list[Message] = []
            peer.decode_stream(chunks, taken.append)
        except Exception as error:
            yield f"{peer.name} cannot decode {where}: {error!r}"
        else:
            if len(taken) != len(messages) or not all(map(same, taken, messages)):
                yield f"{peer.name} decodes {where} to other messages"
