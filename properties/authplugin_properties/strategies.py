"""Hypothesis strategies for messages, frames and conversations, read from the message table.

Boundary values are favoured, everything shrinks towards what is short and plain, and what is given
is valid within the limits that are asked for, except where the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from authplugin import MESSAGES, Limits, Message, Side, encode
from authplugin.kinds import BooleanKind, CountedKind, Encoding, Kind, StringKind, UInt32Kind
from authplugin.limits import DEFAULT_LIMITS
from authplugin.messages import (
    METHODS,
    VERSIONS,
    PluginInit,
    PluginInitResponse,
    PluginProtocol,
)
from authplugin_corpus.faults import FAULTS, Fault, Faulty

from .boundaries import SIZES, TEXTS, UINT32S
from .conversation import Conversation
from .routes import stock_strikes, targets, towards

Values: TypeAlias = SearchStrategy[Any]

_SPOKEN = st.sampled_from(VERSIONS)
_COVERED = st.sampled_from(METHODS)

_GO_ON = st.sampled_from([False] + [True] * 19)
_RARELY = st.integers(0, 4).map(lambda drawn: drawn == 4)

_SHORT = 256  # bytes of text in a conversation
_SOME = 5  # elements, or bytes, of what is not at a boundary


# Building a strategy costs more than drawing from it, here and below.
@lru_cache(maxsize=1)
def uint32s() -> SearchStrategy[int]:
    """Generate numbers that a uint32 can hold."""
    return st.sampled_from(UINT32S) | st.integers(0, 2**32 - 1)


@lru_cache(maxsize=1024)
def values(
    kind: Kind | BooleanKind, limits: Limits = DEFAULT_LIMITS, count: int | None = None
) -> SearchStrategy[Any]:
    """Generate what a field of a wire kind can hold.

    Args:
        kind: the kind, as a field of the message table has it.
        limits: what the field's text and count keep to.
        count: how many elements a counted field holds; None for any number.
    """
    if isinstance(kind, UInt32Kind):
        return uint32s()
    if isinstance(kind, BooleanKind):
        # A byte over 1 is kept as it is where it is taken as true.
        return st.booleans() | st.integers(2, 255) if limits.nonzero_is_true else st.booleans()
    if isinstance(kind, StringKind):
        return _texts(kind, limits)
    return _elements(kind, limits, count)


def _texts(kind: StringKind, limits: Limits, longest: int | None = None) -> SearchStrategy[Any]:
    most = limits.text if longest is None else min(longest, limits.text)
    ascii_only = kind.encoding is Encoding.ASCII
    characters = st.characters(max_codepoint=127 if ascii_only else None, codec="utf-8")
    known = [text for text in TEXTS if text.isascii() or not ascii_only]
    # Those at the limit cost time, so they are rarer.
    sizes = [size for size in SIZES * 3 if size <= most] + [max(0, most - 1), most]
    texts = (
        st.text(characters, max_size=_SOME)
        | st.sampled_from(known)
        | st.sampled_from(sizes).map(lambda size: "a" * size)
    )
    fitting = texts.filter(lambda text: len(text.encode()) <= most)
    if kind.encoding is Encoding.UNSTATED and limits.any_bytes:
        return fitting | st.binary(max_size=min(_SOME, most))
    return fitting


def _elements(kind: CountedKind, limits: Limits, count: int | None) -> SearchStrategy[list[Any]]:
    # The limit on text is for the fields; a message of many elements has to fit its frame.
    longest = max(0, limits.frame // (4 * max(1, limits.count if count is None else count)) - 8)
    parts = [
        _texts(part, limits, longest) if isinstance(part, StringKind) else values(part, limits)
        for _, part in kind.element
    ]
    element = st.tuples(*parts) if len(parts) > 1 else parts[0]
    if count is not None:
        return st.lists(element, min_size=count, max_size=count)
    most = limits.count
    some = st.lists(element, max_size=min(_SOME, most))
    if most <= _SOME:
        return some
    full = st.tuples(element, st.sampled_from((most - 1, most)))
    return some | some | some | full.map(lambda drawn: [drawn[0]] * drawn[1])


def messages(
    *types: type[Message],
    limits: Limits = DEFAULT_LIMITS,
    fixed: Mapping[str, SearchStrategy[Any]] | None = None,
) -> SearchStrategy[Any]:
    """Generate messages that `limits` allow.

    Args:
        types: the types to choose from; none for all.
        limits: what the messages keep to.
        fixed: strategies for fields by name, instead of those that their kinds imply.
    """
    return _messages(types or MESSAGES, limits, tuple((fixed or {}).items()))


@lru_cache(maxsize=1024)
def _messages(
    types: tuple[type[Message], ...], limits: Limits, fixed: tuple[tuple[str, Values], ...]
) -> SearchStrategy[Any]:
    return st.one_of([_message(each, limits, dict(fixed)) for each in types])


def _message(
    each: type[Message], limits: Limits, fixed: Mapping[str, Values]
) -> SearchStrategy[Any]:
    parts = (
        fixed[field.name] if field.name in fixed else values(field.kind, limits)
        for field in each.spec.fields
    )
    return st.builds(each, *parts).filter(lambda message: _size(message) <= limits.frame)


def frames(*types: type[Message], limits: Limits = DEFAULT_LIMITS) -> SearchStrategy[bytes]:
    """Generate whole well-formed frames; the parameters are those of `messages`."""
    return messages(*types, limits=limits).map(lambda message: encode(message, limits))


def _size(message: Message) -> int:
    """Return what the length field of a message's frame says."""
    return 1 + sum(
        _size_of(getattr(message, field.name), field.kind) for field in message.spec.fields
    )


def _size_of(value: Any, kind: Kind | BooleanKind) -> int:
    if isinstance(kind, StringKind):
        return 4 + len(value.encode() if isinstance(value, str) else value)
    if not isinstance(kind, CountedKind):
        return kind.least_size
    kinds = [part for _, part in kind.element]
    return 4 + sum(
        sum(map(_size_of, item, kinds)) if len(kinds) > 1 else _size_of(item, kinds[0])
        for item in value
    )


@st.composite
def dialogues(
    draw: DrawFn,
    side: Side | None = None,
    limits: Limits = DEFAULT_LIMITS,
    max_size: int = 20,
) -> list[Message]:
    """Generate valid conversations: the messages of both sides in order, from the first.

    They stop anywhere, for a client may close at any time (H.5). Texts and counts stay small:
    `messages` is for what is at the limits.

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

    Args:
        draw: given by Hypothesis.
        conversation: what was said so far.
        among: the types to choose from, all of which may come next; none for all that may.
        side: as for `dialogues`.
        limits: what the message keeps to.
    """
    chosen = draw(st.sampled_from(among or conversation.likely()))
    small = replace(limits, text=min(limits.text, _SHORT), count=min(limits.count, _SOME))
    bound = _bound(draw, chosen, conversation, side, small)
    message: Message = draw(messages(chosen, limits=small, fixed=bound))
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
    says `Faulty.code`.

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
    """Generate what a fault makes of one message; returns what `faulty` does.

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
    last bytes.
    """
    most = max(1, len(data))
    near = sorted({min(size, most) for size in (1, 2, 3, 4, 5, 6, max(1, most - 1), most)})
    size = st.sampled_from(near) | st.integers(1, most)
    return st.lists(size, max_size=_SOME)


def damaged(data: bytes) -> SearchStrategy[bytes]:
    """Generate `data` with a few bytes changed, cut out or put in, so mostly wrong."""
    number = uint32s().map(lambda value: value.to_bytes(4, "big"))
    patch = st.binary(max_size=2) | number
    edit = st.tuples(st.integers(0, len(data)), st.sampled_from((0, 1, 4)), patch)
    return st.lists(edit, min_size=1, max_size=3).map(lambda edits: _edited(data, edits))


def _edited(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    for at, removed, patch in edits:
        data = data[:at] + patch + data[at + removed :]
    return data
