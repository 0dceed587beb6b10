"""Hypothesis strategies for messages, frames and conversations, read from the message table.

Boundary values are favoured, everything shrinks towards what is short and plain, and what is given
is valid within the limits that are asked for, except where the name says otherwise.

They are public, for the tests of other programs too. This tries a decoder on any frame:

    @given(frames(PluginInit, limits=Limits(text=255)))
    def test_what_is_decoded_encodes_to_the_same(frame):
        assert encode(decode(frame)) == frame
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from authplugin import MESSAGES, Limits, Message, Side, encode
from authplugin.limits import DEFAULT_LIMITS
from authplugin.messages import (
    METHODS,
    VERSIONS,
    PluginInit,
    PluginInitResponse,
    PluginProtocol,
)
from authplugin.table import WireMessage
from authplugin.userauth import UserAuthOther
from authplugin.userauth.messages import METHODS as USER_AUTH_METHODS
from authplugin_corpus.faults import FAULTS, Fault, Faulty
from authplugin_corpus.protocols import protocol_of

from .boundaries import beyond
from .conversation import Conversation
from .fields import SOME, filled, full_sizes, size_of, uint32s, values
from .routes import stock_strikes, targets, towards

__all__ = [
    "at_the_limits",
    "beyond",
    "chunkings",
    "damaged",
    "dialogues",
    "faulty",
    "following",
    "frames",
    "messages",
    "struck",
    "uint32s",
    "values",
]

Fixed: TypeAlias = tuple[tuple[str, SearchStrategy[Any]], ...]

_SPOKEN = st.sampled_from(VERSIONS)
_COVERED = st.sampled_from(METHODS)

_GO_ON = st.sampled_from([False] + [True] * 19)
_RARELY = st.integers(0, 4).map(lambda drawn: drawn == 4)

_SHORT = 256  # bytes of text in a conversation
_PLAIN_PER_FULL = 7  # how many messages there are for each that is filled up


def messages(
    *types: type[WireMessage],
    limits: Limits = DEFAULT_LIMITS,
    fixed: Mapping[str, SearchStrategy[Any]] | None = None,
) -> SearchStrategy[Any]:
    """Generate messages that `limits` allow, some of them filled up to a frame of a certain length.

    They shrink towards the first of the types, with numbers of 0 and empty texts and lists.

    Args:
        types: the types to choose from; none for all.
        limits: what the messages keep to. Under the default ones a frame comes to 256 KiB now and
            then, and Hypothesis warns where it has to show so much; small ones are met sooner too.
        fixed: strategies for fields by name, instead of those that their kinds imply.
    """
    return _messages(types or MESSAGES, limits, tuple((fixed or {}).items()), full=True)


# Building a strategy costs more than drawing from it.
@lru_cache(maxsize=1024)
def _messages(
    types: tuple[type[WireMessage], ...], limits: Limits, fixed: Fixed, full: bool
) -> SearchStrategy[Any]:
    plain = [_plain(each, limits, fixed) for each in types]
    if not full:
        return st.one_of(plain)
    kept = [name for name, _ in fixed]
    sized = [
        _full(each, sizes, limits, fixed)
        for each in types
        if (sizes := full_sizes(each, limits, kept))
    ]
    # What is full costs time, so it is rarer.
    return st.one_of(plain * _PLAIN_PER_FULL + sized)


def _plain(each: type[WireMessage], limits: Limits, fixed: Fixed) -> SearchStrategy[Any]:
    by_name = dict(fixed)
    parts = (
        by_name[field.name] if field.name in by_name else values(field.kind, limits)
        for field in each.spec.variables
    )
    return st.builds(each, *parts).filter(
        lambda message: size_of(message) <= limits.frame and not _is_another(message)
    )


def _is_another(message: WireMessage) -> bool:
    """Say whether a request of no declared method names one that is."""
    return isinstance(message, UserAuthOther) and message.detach().method in USER_AUTH_METHODS


def _full(
    each: type[WireMessage], sizes: Sequence[int], limits: Limits, fixed: Fixed
) -> SearchStrategy[Any]:
    """Generate a small message and fill it up to one of these lengths, where it is not longer."""
    small = replace(limits, text=min(limits.text, SOME), count=min(limits.count, 1))
    kept = [name for name, _ in fixed]
    return st.builds(
        lambda message, size: filled(message, size, limits, kept),
        _plain(each, small, fixed),
        st.sampled_from(sizes),
    )


def frames(*types: type[WireMessage], limits: Limits = DEFAULT_LIMITS) -> SearchStrategy[bytes]:
    """Generate whole well-formed frames; the parameters, and what they shrink to, as `messages`."""
    return messages(*types, limits=limits).map(
        lambda message: protocol_of(type(message)).encode(message, limits)
    )


def at_the_limits(
    *types: type[WireMessage], limits: Limits = DEFAULT_LIMITS
) -> SearchStrategy[Any]:
    """Generate messages of which most are within `limits`, and some a little beyond them.

    Beyond is one byte of frame or text or one element more, or a value that needs one of the two
    leniencies; `encode` takes it under `beyond(limits)`. They shrink as `messages` do.

    Args:
        types: the types to choose from; none for all.
        limits: those of the receiver.
    """
    within = messages(*types, limits=limits)
    return within | within | within | messages(*types, limits=beyond(limits))


@st.composite
def dialogues(
    draw: DrawFn,
    side: Side | None = None,
    limits: Limits = DEFAULT_LIMITS,
    max_size: int = 20,
) -> list[Message]:
    """Generate valid conversations: the messages of both sides in order, from the first.

    They stop anywhere, for a client may close at any time (H.5). Texts and counts stay small:
    `messages` is for what is at the limits. They shrink towards no messages, and towards plain
    ones by the shortest way.

    Args:
        draw: given by Hypothesis.
        side: the side that this library takes, so that the other may do what the text allows and
            this library does not, such as offering another version; None for both.
        limits: what the messages keep to.
        max_size: the most messages.
    """
    conversation = Conversation()
    said: list[Message] = []
    # Whether to go on is asked anew before each message, and in one draw with it, so that any run
    # of messages can be left out when this shrinks.
    while len(said) < max_size and (message := draw(_going_on(conversation, side, limits))):
        conversation.add(message)
        said.append(message)
    return said


@st.composite
def _going_on(
    draw: DrawFn, conversation: Conversation, side: Side | None, limits: Limits
) -> Message | None:
    likely = conversation.likely()
    if not likely or not draw(_GO_ON):
        return None
    message: Message = draw(following(conversation, likely, side, limits))
    return message


@st.composite
def following(
    draw: DrawFn,
    conversation: Conversation,
    among: Sequence[type[Message]] = (),
    side: Side | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Message:
    """Generate a message that may come next in a conversation. Texts and counts stay small.

    It shrinks towards the first of the types, with numbers of 0 and empty texts and lists, as far
    as what was said before leaves its fields free.

    Args:
        draw: given by Hypothesis.
        conversation: what was said so far.
        among: the types to choose from, all of which may come next; none for all that may.
        side: as for `dialogues`.
        limits: what the message keeps to.
    """
    chosen = draw(st.sampled_from(among or conversation.likely()))
    small = replace(limits, text=min(limits.text, _SHORT), count=min(limits.count, SOME))
    bound = _bound(draw, chosen, conversation, side, small)
    message: Message = draw(_messages((chosen,), small, tuple((bound or {}).items()), full=False))
    return message


def _bound(
    draw: DrawFn,
    chosen: type[Message],
    conversation: Conversation,
    side: Side | None,
    limits: Limits,
) -> dict[str, SearchStrategy[Any]] | None:
    """Return strategies for the fields that what was said before binds; None for none."""
    if chosen is PluginInit:
        return {"version": uint32s() if side is Side.PLUGIN and draw(_RARELY) else _SPOKEN}
    if chosen is PluginInitResponse:
        return {"version": _any_of(conversation.versions())}
    if chosen is PluginProtocol:
        return {"method": _COVERED} if _fits(limits) and not draw(_RARELY) else None
    due = conversation.responses_due(chosen)
    if due is None:
        return None
    (field,) = chosen.spec.fields
    return {field.name: values(field.kind, limits, count=due)}


@lru_cache(maxsize=16)
def _any_of(versions: tuple[int, ...]) -> SearchStrategy[int]:
    return st.sampled_from(versions)


def _fits(limits: Limits) -> bool:
    return all(len(method) <= limits.text for method in METHODS)


@st.composite
def faulty(
    draw: DrawFn,
    side: Side | None = None,
    limits: Limits = DEFAULT_LIMITS,
    among: Sequence[Fault] = FAULTS,
) -> tuple[list[bytes], Faulty]:
    """Generate a right conversation, as frames, and something that its last speaker gets wrong.

    Its listener gets the first `Faulty.kept` of the frames, then `Faulty.data`; what it must answer
    says `Faulty.code`. They shrink towards the first fault, and the first place of the first part
    of the first message that it strikes, in a plain conversation.

    Args:
        draw: given by Hypothesis.
        side: who is at fault; None for either.
        limits: those of the listener.
        among: the faults to choose from.
    """
    sides = tuple(Side) if side is None else (side,)
    fault = draw(st.sampled_from([each for each in among if targets(each.name, sides, limits)]))
    target = draw(st.sampled_from(targets(fault.name, sides, limits)))
    return draw(struck(fault, target, limits))


@st.composite
def struck(
    draw: DrawFn,
    fault: Fault,
    target: type[Message],
    limits: Limits = DEFAULT_LIMITS,
    conversation: Conversation | None = None,
    frames: Sequence[bytes] = (),
) -> tuple[list[bytes], Faulty]:
    """Generate what a fault makes of one message: a pair as of `faulty`, which shrinks like one.

    Args:
        draw: given by Hypothesis.
        fault: the fault.
        target: the message, one of `routes.targets`.
        limits: those of the listener.
        conversation: what comes before the message, where the message may come next in it;
            otherwise, and for None, another conversation is generated.
        frames: the same, as frames.
    """
    spoken = replace(limits, nonzero_is_true=False)
    leading = list(frames)
    if conversation is None or target not in conversation.options():
        conversation, leading = Conversation(), []
        while target.spec.leaves is not conversation.state:
            among = towards(conversation, target.spec.leaves)
            message = draw(following(conversation, among, limits=spoken))
            conversation.add(message)
            leading.append(encode(message, limits))
    made: Sequence[Faulty] = ()
    if target in conversation.options():
        message = draw(following(conversation, (target,), limits=spoken))
        leading.append(encode(message, limits))
        made = list(fault.strike(leading, limits))
    if not made:
        # Such as two messages swapped, where there are no two yet.
        stock, made = draw(st.sampled_from(stock_strikes(fault.name, limits)[target]))
        leading = list(stock)
    # Any part of the message, then any place in it: so a fault that strikes a long text at each
    # byte strikes a short field no less often.
    part = draw(st.sampled_from(sorted({each.part for each in made})))
    return leading, draw(st.sampled_from([each for each in made if each.part == part]))


def chunkings(data: bytes) -> SearchStrategy[list[int]]:
    """Generate sizes of chunks in which `data` can come: each from 1, taken over and over.

    No sizes are one chunk. Favoured are single bytes, sizes about a length field, and all but the
    last bytes. They shrink towards no sizes, and towards chunks of one byte.

    Args:
        data: what is cut.
    """
    most = max(1, len(data))
    near = sorted({min(size, most) for size in (1, 2, 3, 4, 5, 6, max(1, most - 1), most)})
    size = st.sampled_from(near) | st.integers(1, most)
    return st.lists(size, max_size=SOME)


def damaged(data: bytes) -> SearchStrategy[bytes]:
    """Generate `data` with a few bytes changed, cut out or put in, so mostly wrong.

    That is one to three times: nothing, one byte or four are replaced by at most two bytes or by a
    uint32. It shrinks towards `data` itself.

    Args:
        data: what is damaged.
    """
    number = uint32s().map(lambda value: value.to_bytes(4, "big"))
    patch = st.binary(max_size=2) | number
    edit = st.tuples(st.integers(0, len(data)), st.sampled_from((0, 1, 4)), patch)
    return st.lists(edit, min_size=1, max_size=3).map(lambda edits: _edited(data, edits))


def _edited(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    for at, removed, patch in edits:
        data = data[:at] + patch + data[at + removed :]
    return data
