"""The laws of one frame on small messages, with a solver (CrossHair) choosing the bytes.

Random bytes hardly ever are the one length or number that some comparison asks for; the solver
reads it off the comparison. It sees through plain Python alone: so the codec's compiled structs
give way here to the same in plain arithmetic, and everything else is as it is.

The name of this file is not that of a test, as the solver is in an extra of its own and takes its
time; `make crosshair` runs it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from authplugin import (
    KEYBOARD_INTERACTIVE,
    MESSAGES,
    Limits,
    Message,
    MessageSpec,
    PluginInitResponse,
    codec,
    wire,
)
from authplugin_properties import laws
from authplugin_properties.laws import LawBroken

LIMITS = Limits(frame=64, text=12, count=2)
SIZES = (0, 3, 4, 5, 8, 9, 12, 13, 16, 17, 20, 24)
"""Bytes of the fields: around what each message needs, and enough for two prompts."""

MOST = 300
"""The most examples of one message of one size: the solver takes a second for a few of them."""

Law = Callable[[bytes, Limits], None]
UnpackFrom = Callable[..., tuple[int, ...]]


def structs_of(module: Any) -> dict[str, UnpackFrom]:
    """Return what a module reads with compiled structs, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(getattr(value, "__self__", None), struct.Struct)
        and value.__name__ == "unpack_from"
    }


def in_plain_arithmetic(compiled: Any) -> UnpackFrom:
    """Return a function that does the same as `Struct.unpack_from`, for unsigned big-endians."""
    layout: str = compiled.__self__.format
    assert set(layout) <= set(">BI"), layout
    sizes = [struct.calcsize(f">{letter}") for letter in layout.removeprefix(">")]

    def unpack_from(buffer: Sequence[int], offset: int = 0) -> tuple[int, ...]:
        if offset + sum(sizes) > len(buffer):
            raise struct.error
        numbers = []
        for size in sizes:
            number = 0
            for at in range(offset, offset + size):
                # No shift and no `|`: where those are used the solver settles for one value.
                number = number * 256 + buffer[at]
            numbers.append(number)
            offset += size
        return tuple(numbers)

    return unpack_from


@pytest.fixture(autouse=True)
def _see_through_structs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (codec, wire):
        for name, compiled in structs_of(module).items():
            monkeypatch.setattr(module, name, in_plain_arithmetic(compiled))


def solve(law: Law, spec: MessageSpec, size: int, examples: int) -> None:
    """Try a law on the frames of one message whose fields have this many bytes."""
    head = (size + 1).to_bytes(4, "big") + bytes((spec.code,))

    @settings(
        backend="crosshair",
        max_examples=examples,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(min_size=len(head) + size, max_size=len(head) + size))
    def holds(frame: bytes) -> None:
        # Bytes put in front of others would have to be settled; comparing leaves them open.
        for at, byte in enumerate(head):
            assume(frame[at] == byte)
        law(frame, LIMITS)

    holds()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("law", [laws.agrees_with_cursor, laws.round_trip])
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_the_law_holds_of_small_messages(message: type[Message], law: Law, size: int) -> None:
    solve(law, message.spec, size, min(MOST, settings().max_examples))


def test_the_solver_finds_what_one_number_in_four_thousand_million_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoders = wire.DECODERS[KEYBOARD_INTERACTIVE]
    right = decoders[PluginInitResponse.spec.code]

    def wrong(frame: memoryview, limits: Limits) -> Message:
        message = right(frame, limits)
        assert isinstance(message, PluginInitResponse)
        if message.version == 0x12345678:
            raise IndexError
        return message

    monkeypatch.setitem(decoders, PluginInitResponse.spec.code, wrong)
    monkeypatch.setitem(codec.SPECS, wrong, PluginInitResponse.spec)
    with pytest.raises(LawBroken, match="0000000d0212345678"):
        solve(laws.agrees_with_cursor, PluginInitResponse.spec, 12, MOST)


def test_plain_arithmetic_reads_what_structs_read() -> None:
    random = Random(0)
    assert not structs_of(codec)
    assert not structs_of(wire)
    for layout in (">I", ">II", ">IB"):
        compiled = struct.Struct(layout).unpack_from
        ours = in_plain_arithmetic(compiled)
        data = random.randbytes(20)
        for offset in range(12):
            assert ours(data, offset) == compiled(data, offset)
        with pytest.raises(struct.error):
            ours(data, 17)
