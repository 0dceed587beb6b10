"""Strategies for what fields hold, and messages filled up to a size, from the message table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from authplugin import Limits
from authplugin.kinds import (
    BooleanKind,
    CountedKind,
    Encoding,
    RestKind,
    StringKind,
    UInt32Kind,
    WireKind,
)
from authplugin.limits import DEFAULT_LIMITS
from authplugin.table import WireMessage

from .boundaries import FILLERS, ILL_FORMED, MANGLED, SIZES, TEXTS, UINT32S

MessageType = TypeVar("MessageType", bound=WireMessage)

SOME = 5
"""Elements, or characters, of what is not at a boundary."""


# Building a strategy costs more than drawing from it, here and below.
@lru_cache(maxsize=1)
def uint32s() -> SearchStrategy[int]:
    """Generate numbers that a uint32 can hold, the boundaries of its bytes more often.

    They shrink towards 0.
    """
    return st.sampled_from(UINT32S) | st.integers(0, 2**32 - 1)


@lru_cache(maxsize=1024)
def values(
    kind: WireKind, limits: Limits = DEFAULT_LIMITS, count: int | None = None
) -> SearchStrategy[Any]:
    """Generate what a field of a wire kind can hold.

    Numbers shrink towards 0, booleans towards False, texts and lists towards none. Text is a `str`,
    or, where `Limits.any_bytes` takes any, sometimes `bytes` that are not UTF-8; what is no text is
    `bytes`.

    Args:
        kind: the kind, as a field of the message table has it.
        limits: what the field's text and count keep to: bytes, and elements.
        count: how many elements a counted field holds; None for any number.
    """
    if isinstance(kind, UInt32Kind):
        return uint32s()
    if isinstance(kind, BooleanKind):
        # A byte over 1 is kept as it is where it is taken as true.
        return st.booleans() | st.integers(2, 255) if limits.nonzero_is_true else st.booleans()
    if isinstance(kind, RestKind):
        return _octets(limits.frame)
    if isinstance(kind, StringKind):
        generate = _STRINGS.get(kind.encoding, _texts)
        return generate(kind, limits, limits.text)
    assert isinstance(kind, CountedKind)  # what never varies has no values to generate
    return _elements(kind, limits, count)


def _octets(longest: int) -> SearchStrategy[bytes]:
    sizes = [size for size in (*SIZES, longest - 1, longest) if 0 <= size <= longest]
    sized = st.sampled_from(sizes).map(lambda size: b"\xff" * size)
    return st.binary(max_size=min(SOME, longest)) | sized


def _opaque(kind: StringKind, limits: Limits, longest: int) -> SearchStrategy[bytes]:
    """Generate bytes that are no text, of at most `longest`."""
    return _octets(longest)


def _names(kind: StringKind, limits: Limits, longest: int) -> SearchStrategy[str]:
    """Generate a list of names (RFC 4251, section 5), of at most `longest` bytes."""
    characters = st.characters(max_codepoint=127, codec="ascii", exclude_characters=",")
    names = st.lists(st.text(characters, min_size=1, max_size=SOME), max_size=SOME)
    # At the limit, one name, and as many as there can be.
    largest = ["a" * longest, ("a," * longest)[: longest - (longest + 1) % 2]]
    return (names.map(",".join) | st.sampled_from(largest)).filter(
        lambda text: len(text) <= longest
    )


def _texts(kind: StringKind, limits: Limits, longest: int) -> SearchStrategy[Any]:
    """Generate text of a kind, of at most `longest` bytes, as `values` does."""
    ascii_only = kind.encoding is Encoding.ASCII
    characters = st.characters(max_codepoint=127 if ascii_only else None, codec="utf-8")
    known = [text for text in TEXTS if text.isascii() or not ascii_only]
    # What is large costs time, so it is rarer.
    large = sorted({*(size for size in MANGLED if size > max(SIZES)), longest - 1, longest})
    sizes = [(size, "a") for size in (*SIZES * 2, *large)]
    if not ascii_only:
        sizes += [(size, filler) for size in (longest - 1, longest) for filler in FILLERS[1:]]
    sized = st.sampled_from([each for each in sizes if 0 <= each[0] <= longest])
    texts = (
        st.text(characters, max_size=SOME)
        | st.sampled_from(known)
        | sized.map(lambda drawn: _filled_text(*drawn))
    )
    fitting = texts.filter(lambda text: len(text.encode()) <= longest)
    if kind.encoding is Encoding.UNSTATED and limits.any_bytes:
        ill_formed = [each for each in ILL_FORMED if len(each) <= longest]
        return fitting | st.sampled_from(ill_formed) | st.binary(max_size=min(SOME, longest))
    return fitting


def _filled_text(size: int, filler: str) -> str:
    """Return text of so many bytes, filled with a character."""
    number, left = divmod(size, len(filler.encode()))
    return "a" * left + filler * number


def _elements(kind: CountedKind, limits: Limits, count: int | None) -> SearchStrategy[list[Any]]:
    if count is not None:
        element = _element(kind, limits, count)
        return st.lists(element, min_size=count, max_size=count)
    most = limits.count
    few = min(SOME, most)
    ways = [st.lists(_element(kind, limits, few), max_size=few)] * 2
    if most and _longest(kind, limits, few) < _longest(kind, limits, 1):
        ways.append(st.lists(_element(kind, limits, 1), min_size=1, max_size=1))
    if counts := sorted({each for each in (*MANGLED, most - 1, most) if SOME < each <= most}):
        many = st.tuples(_element(kind, limits, most), st.sampled_from(counts))
        ways.append(many.map(lambda drawn: [drawn[0]] * drawn[1]))
    return st.one_of(ways) if len(ways) > 2 else ways[0]


def _longest(kind: CountedKind, limits: Limits, count: int) -> int:
    """Return how many bytes of text each of so many elements may have, to fit a frame together."""
    # What remains is for the other fields; one alone may come to where the message does not fit.
    share = limits.frame if count <= 1 else limits.frame // (2 * count)
    return min(limits.text, max(0, share - 4 - kind.least_element_size))


def _element(kind: CountedKind, limits: Limits, count: int) -> SearchStrategy[Any]:
    """Generate one of so many elements."""
    longest = _longest(kind, limits, count)
    parts = [
        _texts(part, limits, longest) if isinstance(part, StringKind) else values(part, limits)
        for _, part in kind.element
    ]
    return st.tuples(*parts) if len(parts) > 1 else parts[0]


_STRINGS: Mapping[Encoding, Callable[[StringKind, Limits, int], SearchStrategy[Any]]] = {
    Encoding.OPAQUE: _opaque,
    Encoding.NAMES: _names,
}
"""What generates strings, by encoding, where `_texts` does not."""


def size_of(message: WireMessage) -> int:
    """Return what the length field of a message's frame says."""
    return 1 + sum(
        _size_of(getattr(message, field.name), field.kind) for field in message.spec.fields
    )


def _size_of(value: Any, kind: WireKind) -> int:
    if isinstance(kind, RestKind):
        return len(value)
    if isinstance(kind, StringKind):
        return 4 + len(value.encode() if isinstance(value, str) else value)
    if not isinstance(kind, CountedKind):
        return kind.least_size
    kinds = [part for _, part in kind.element]
    return 4 + sum(
        sum(map(_size_of, item, kinds)) if len(kinds) > 1 else _size_of(item, kinds[0])
        for item in value
    )


def filled(
    message: MessageType, size: int, limits: Limits, kept: Collection[str] = ()
) -> MessageType:
    """Fill a message up until the length field of its frame says `size`.

    Elements are added, as long as may be, and then its texts are lengthened.

    Args:
        message: what to fill up; it is left as it is.
        size: what the length is to be, in bytes.
        limits: what the texts and counts keep to.
        kept: the names of fields that are not to change.

    Returns:
        another message, or the same where it cannot be filled up to that size.
    """
    left = size - size_of(message)
    changed: dict[str, Any] = {}
    # The counted fields are the last ones, and what they leave goes into text.
    for field in reversed(message.spec.variables):
        value = getattr(message, field.name)
        changed[field.name] = value
        if field.name in kept or left <= 0:
            continue
        if isinstance(field.kind, CountedKind):
            added = _added(field.kind, left, limits, limits.count - len(value))
            changed[field.name] = [*value, *added]
            left -= _size_of(added, field.kind) - 4
        elif isinstance(field.kind, (StringKind, RestKind)):
            longest = limits.text + 4 if isinstance(field.kind, StringKind) else limits.frame
            more = min(left, longest - _size_of(value, field.kind))
            changed[field.name] = value + ("a" * more if isinstance(value, str) else b"a" * more)
            left -= more
    return message if left else type(message)(**changed)


def _added(kind: CountedKind, left: int, limits: Limits, most: int) -> list[Any]:
    """Return elements, at most so many, that fill `left` bytes, or nearly so."""
    added: list[Any] = []
    least = kind.least_element_size
    while left >= least and len(added) < most:
        size = min(left - least, limits.text)
        if 0 < left - least - size < least:
            size = max(0, size - least)  # room for another one
        element = tuple(
            "a" * size if isinstance(part, StringKind) else False for _, part in kind.element
        )
        added.append(element if len(element) > 1 else element[0])
        left -= least + size
    return added


def full_sizes(each: type[WireMessage], limits: Limits, kept: Collection[str]) -> tuple[int, ...]:
    """Return the lengths to favour, of those that a frame of a message can be filled up to."""
    empty = each(*(_EMPTY[type(field.kind)] for field in each.spec.variables))
    wanted = sorted({*MANGLED, limits.frame - 1, limits.frame})
    return tuple(
        size
        for size in wanted
        if size <= limits.frame and size_of(filled(empty, size, limits, kept)) == size
    )


_EMPTY = {UInt32Kind: 0, BooleanKind: False, StringKind: "", CountedKind: (), RestKind: b""}
"""What is smallest, by kind."""
