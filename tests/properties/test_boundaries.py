"""The boundary values: each of them occurs in what the strategies give, and not only by luck."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from authplugin import Limits, Message, encode
from authplugin.kinds import CountedKind, Encoding, StringKind, UInt32Kind
from authplugin_properties import strategies
from authplugin_properties.boundaries import ILL_FORMED, beyond

FIXED = settings(
    max_examples=4000,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)

ENCODINGS = (Encoding.UTF8, Encoding.ASCII, Encoding.UNSTATED)
NUMBERS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1)
MANGLED = (10, 13, 26, 0x0A0A, 0x0D0A, 0x1A00)
ENDS = "\0\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff"
CONTROLS = {"NUL": "\0", "line feed": "\n", "return": "\r", "end of file": "\x1a", "escape": "\x1b"}

TRIED = (
    Limits(),
    Limits(frame=1024, text=130, count=8, any_bytes=True),
    Limits(frame=64, text=24, count=3),
    Limits(frame=2**20, text=2**16, count=2**13, any_bytes=True),
)


def ids(limits: Limits) -> str:
    """Return a name for limits."""
    return f"{limits.frame}-{limits.text}-{limits.count}"


def sizes(most: int, least: int = 0) -> set[int]:
    """Return the sizes that have to occur, of what may be so large."""
    return {size for size in (0, 1, *MANGLED, most - 1, most) if least <= size <= most}


def wanted(limits: Limits) -> set[str]:
    """Return what has to occur under limits."""
    # Elements share a frame; there is none so small that it holds no field.
    longest = min(limits.text, limits.frame - 9)
    return {
        *(f"number {number}" for number in NUMBERS),
        *(f"{where} of {n} bytes" for where in ("field", "element") for n in sizes(longest)),
        *(f"{encoding} of {limits.text} bytes" for encoding in ENCODINGS),
        *(f"character {ord(each):x}" for each in ENDS),
        *(f"{each} of {n} bytes" for each in "é€😀" for n in [limits.text]),
        *CONTROLS,
        "other control",
        *(f"count {number}" for number in sizes(limits.count)),
        *(f"length {number}" for number in sizes(limits.frame, least=1)),
        *(f"ill-formed {each.hex()}" for each in ILL_FORMED if limits.any_bytes),
    }


def labels(message: Message, limits: Limits) -> Iterator[str]:
    """Iterate over what occurs in a message."""
    yield f"length {int.from_bytes(encode(message, limits)[:4], 'big')}"
    for field in message.spec.fields:
        value = getattr(message, field.name)
        if isinstance(field.kind, UInt32Kind):
            yield f"number {value}"
        elif isinstance(field.kind, StringKind):
            yield from of_text(value, field.kind, "field")
        elif isinstance(field.kind, CountedKind):
            yield f"count {len(value)}"
            # Where there are many, all are the same.
            for element in value[:5]:
                text = element[0] if isinstance(element, tuple) else element
                part = field.kind.element[0][1]
                assert isinstance(part, StringKind)
                yield from of_text(text, part, "element")


def of_text(value: Any, kind: StringKind, where: str) -> Iterator[str]:
    """Iterate over what occurs in a text."""
    if isinstance(value, bytes):
        yield from (f"ill-formed {each.hex()}" for each in ILL_FORMED if each in value)
        return
    size = len(value.encode())
    yield f"{where} of {size} bytes"
    yield f"{kind.encoding} of {size} bytes"
    yield from (f"{each} of {size} bytes" for each in "é€😀" if each in value)
    yield from (f"character {ord(each):x}" for each in ENDS if each in value)
    yield from (name for name, each in CONTROLS.items() if each in value)
    others = set(value) - set(CONTROLS.values())
    if any(unicodedata.category(each) == "Cc" for each in others):
        yield "other control"


def occurring(messages: SearchStrategy[Any], limits: Limits) -> Counter[str]:
    """Count in how many messages, of a fixed number that are drawn, each label occurs."""
    counts: Counter[str] = Counter()

    @FIXED
    @given(messages)
    def draw(message: Message) -> None:
        counts.update(set(labels(message, limits)))

    draw()
    return counts


def report(counts: Counter[str], names: set[str]) -> None:
    """Print how often each of the names occurs, the rarest first."""
    for name in sorted(names, key=lambda name: (counts[name], name)):
        print(f"{counts[name]:6} {name}")


@pytest.mark.parametrize("limits", TRIED, ids=ids)
def test_each_boundary_occurs_in_messages(limits: Limits) -> None:
    counts = occurring(strategies.messages(limits=limits), limits)
    report(counts, wanted(limits))
    assert wanted(limits) <= counts.keys()


@pytest.mark.parametrize("limits", TRIED[:3], ids=ids)
def test_one_more_than_each_limit_occurs_where_that_is_asked_for(limits: Limits) -> None:
    counts = occurring(strategies.at_the_limits(limits=limits), beyond(limits))
    frame, text, count = limits.frame + 1, limits.text + 1, limits.count + 1
    names = {
        *(f"length {frame - less}" for less in (0, 1)),
        *(f"{encoding} of {text - less} bytes" for encoding in ENCODINGS for less in (0, 1)),
        *(f"count {count - less}" for less in (0, 1)),
    }
    report(counts, names)
    assert names <= counts.keys()


@pytest.mark.parametrize("limits", TRIED[:1], ids=ids)
def test_most_messages_are_small(limits: Limits) -> None:
    small: list[bool] = []

    @FIXED
    @given(strategies.messages(limits=limits))
    def draw(message: Message) -> None:
        small.append(len(encode(message, limits)) <= 1024)

    draw()
    print(f"{sum(small)} of {len(small)} in 1 KiB")
    assert sum(small) >= len(small) / 2
