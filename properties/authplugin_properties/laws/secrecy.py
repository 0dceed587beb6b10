"""The law that no text tells a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from authplugin import (
    Limits,
    LocalProtocolError,
    Message,
    ProtocolError,
    RemoteProtocolError,
    Side,
    decode,
    encode,
    explain,
)
from authplugin.limits import DEFAULT_LIMITS
from authplugin.session import Session

from ..breaking import broken, guarded
from ..model import TYPE_AT, Hear, Problem, script, split
from ..oracles import cursor, grammar
from ..subjects import DECODERS, SESSIONS, chunks
from .texts import LAW, ONE, OTHER, SPOILT, Texts, compare, logged, shown, text_of

_SECRETIVE: Final = (b"\x15", b"\x17")
"""The type bytes of the messages whose responses are secret (H.6.8, H.6.10)."""

_PLANTED: Final = b"\0\0\0\x11\x15\0\0\0\1\0\0\0\x08" + bytes(8)
"""A frame of one response."""


def no_secret_in_any_text(
    data: bytes,
    at: int = 0,
    limits: Limits = DEFAULT_LIMITS,
    sizes: Sequence[int] = (),
) -> None:
    """Check that every text stays the same where only a secret changes.

    So it tells nothing of the secret, in whatever form. The texts are `repr` and `str` of
    messages, errors, decoders and sessions, tracebacks, what is logged, and `explain`. Two secrets
    of one size are put

    * into the responses of a message (H.6.8, H.6.10; RFC 4256, 3.4): each one that `data` holds,
      and one beside them, so that there is one. The message is written, read and explained,
      and so are frames in which it is spoilt. Neither does `explain` tell where the bytes are no
      message. Where it is asked for secrets it does tell, or this would show nothing;
    * into any place of `data`, since where a length lies, a secret can stand where anything is
      read. There the texts are those of errors, decoders and sessions. A length that is read out
      of a secret changes what comes of the bytes, and then there is nothing to compare.

    Args:
        data: any bytes: a stream and a conversation (see `model`) in one.
        at: where in it the second secret is put: bytes from its start, taken round and round.
        limits: what to accept.
        sizes: the sizes of the chunks in which it comes; none: as few as can be.
    """
    frames = split(data)
    secretive = {frame for frame in frames if frame[TYPE_AT : TYPE_AT + 1] in _SECRETIVE}
    for frame in (*sorted(secretive), _PLANTED):
        _check_response(_overwritten(frame, ONE), _overwritten(frame, OTHER), limits)
    one, other = (
        b"".join(_overwritten(frame, secret) for frame in frames) for secret in (ONE, OTHER)
    )
    _check_coming(one, other, limits, sizes)
    at %= len(data) + 1
    one, other = (data[:at] + secret + data[at:] for secret in (ONE, OTHER))
    if [len(frame) for frame in split(one)] == [len(frame) for frame in split(other)]:
        _check_coming(one, other, limits, sizes, anywhere=True)


_UNBOUNDED: Final = cursor.Limits(2**32, 2**32, 2**32)


def _overwritten(frame: bytes, secret: bytes) -> bytes:
    """Return a frame with each of its responses, if it has any, made of a secret."""
    try:
        message = cursor.decode(frame, _UNBOUNDED)
    except cursor.Refused:
        return frame
    if "responses" not in message:
        return frame
    made = [(secret * (len(each) // len(secret) + 1))[: len(each)] for each in message["responses"]]
    return grammar.build({"type": message["type"], "responses": made})


def _check_response(one: bytes, other: bytes, limits: Limits) -> None:
    """Check the texts of two frames that differ in their secrets alone, if in anything."""
    for wrong, spoil in SPOILT.items():
        ours, theirs = (
            guarded(f"what reads {wrong}", each, partial(_texts_of_frame, spoil(each), limits))
            for each in (one, other)
        )
        compare(f"of {wrong}", ours, theirs, one)
    if one != other and explain(one, limits, secrets=True) == explain(other, limits, secrets=True):
        broken(LAW, "explain shows none where it is asked to", one)


def _texts_of_frame(frame: bytes, limits: Limits) -> Texts:
    texts: Texts = []
    with logged(texts):
        texts.append((None, explain(frame, limits)))
        try:
            message = decode(frame, limits)
        except RemoteProtocolError as error:
            texts.append(text_of(error))
        else:
            texts += [(None, f"{each!r} {each}") for each in (message, message.detach())]
            texts += _texts_of_misuse(message, limits)
    return texts


def _texts_of_misuse(message: Message, limits: Limits) -> Iterator[tuple[Problem | None, str]]:
    """Give the texts where the responses of a message do not fit, or are no responses at all."""
    (field,) = message.spec.fields
    responses = getattr(message.detach(), field.name)
    kind: Callable[..., Message] = type(message)
    for given in (responses, *responses, [responses], [(each,) for each in responses]):
        made = kind(given)
        yield None, repr(made)
        for bounds in (limits, replace(limits, text=1), replace(limits, frame=1)):
            try:
                encode(made, bounds)
            except LocalProtocolError as error:
                yield text_of(error)


def _check_coming(
    one: bytes, other: bytes, limits: Limits, sizes: Sequence[int], *, anywhere: bool = False
) -> None:
    """Check the texts of two runs of bytes that differ in a secret alone, here or anywhere."""
    for name in DECODERS:
        ours, theirs = (
            guarded(name, each, partial(_texts_of_stream, name, each, limits, sizes))
            for each in (one, other)
        )
        compare(f"of {name}", ours, theirs, one, anywhere=anywhere)
    for side in Side:
        what = f"the {side}'s session"
        ours, theirs = (
            guarded(what, each, partial(_texts_of_session, side, each, limits, sizes))
            for each in (one, other)
        )
        compare(f"of {what}", ours, theirs, one, anywhere=anywhere)


def _texts_of_stream(name: str, data: bytes, limits: Limits, sizes: Sequence[int]) -> Texts:
    texts: Texts = []
    decoder = DECODERS[name](limits)
    with logged(texts):
        try:
            for chunk in chunks(data, sizes):
                for _ in decoder.feed(chunk):
                    pass
            decoder.end_of_file()
        except ProtocolError as error:
            texts.append(text_of(error))
        texts.append((None, shown(decoder)))
    return texts


def _texts_of_session(side: Side, data: bytes, limits: Limits, sizes: Sequence[int]) -> Texts:
    texts: Texts = []
    session = SESSIONS[side](limits)
    with logged(texts):
        try:
            for step in script(data, side, limits).steps:
                if isinstance(step, Hear):
                    for chunk in chunks(step.data, sizes):
                        session.receive_data(chunk)
                        for _ in session.events():
                            pass
                else:
                    _try_to_say(session, decode(step.frame, limits), texts)
                texts.append((None, shown(session)))
            session.receive_end_of_file()
            session.receive_data(b"h")
        except ProtocolError as error:
            texts.append(text_of(error))
        texts.append((None, f"{shown(session)} {session.violation!r}"))
    return texts


def _try_to_say(session: Session, message: Message, texts: Texts) -> None:
    try:
        session.send(message)
    except ProtocolError as error:
        texts.append(text_of(error))
