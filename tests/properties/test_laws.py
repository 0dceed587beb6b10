"""The laws: they hold of the codec, and each is broken by code that is wrong on purpose."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import authplugin
from authplugin import (
    Limits,
    Message,
    PluginInit,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserResponse,
    PluginProtocolAccept,
    Side,
    codec,
    encode,
    session,
    stream,
    wire,
)
from authplugin_properties import laws, strategies
from authplugin_properties.laws import LawBroken

# Small ones: what is at their bounds costs little, and can be shown.
ALL_LIMITS = st.sampled_from(
    [
        Limits(frame=2048, text=130, count=8),
        Limits(frame=64, text=24, count=3),
        Limits(frame=2048, text=130, count=8, nonzero_is_true=True, any_bytes=True),
        Limits(frame=64, text=24, count=3, nonzero_is_true=True, any_bytes=True),
    ]
)


BOUND = (
    PluginInitResponse,
    PluginProtocolAccept,
    PluginKIServerResponse,
    PluginKIUserResponse,
)
"""The messages that have to fit what was said before them."""


@st.composite
def spliced(draw: st.DrawFn, limits: Limits) -> list[Message]:
    """Go on with another dialogue in the same state, where that may not fit."""
    one, other = draw(st.tuples(*[strategies.dialogues(limits=limits)] * 2))
    places = [
        (at, behind)
        for at, message in enumerate(one)
        for behind, following in enumerate(other)
        if message.spec.leaves is following.spec.leaves and isinstance(following, BOUND)
    ]
    at, behind = draw(st.sampled_from(places or [(0, 0)]))
    return one[:at] + other[behind:]


def said(limits: Limits) -> st.SearchStrategy[bytes]:
    """What somebody says: a dialogue or mere messages, in order or out of it, whole or damaged."""
    messages = st.one_of(
        *(strategies.dialogues(side, limits) for side in (None, *Side)),
        spliced(limits),
        strategies.dialogues(limits=limits).flatmap(st.permutations),
        st.lists(strategies.messages(limits=limits), max_size=4),
    )
    data = messages.map(lambda these: b"".join(encode(each, limits) for each in these))
    return data | data | data.flatmap(strategies.damaged)


LIMITS_AND_STREAM = ALL_LIMITS.flatmap(lambda limits: st.tuples(st.just(limits), said(limits)))
LIMITS_AND_FRAME = ALL_LIMITS.flatmap(
    lambda limits: st.tuples(
        st.just(limits),
        strategies.frames(limits=limits).flatmap(lambda it: st.just(it) | strategies.damaged(it)),
    )
)
LIMITS_AND_MESSAGE = ALL_LIMITS.flatmap(
    lambda limits: st.tuples(st.just(limits), strategies.messages(limits=limits))
)


class Law(NamedTuple):
    """A law, and what to try it on."""

    name: str
    check: Callable[..., None]
    drawn: tuple[st.SearchStrategy[Any], ...]

    def run(self, chosen: settings) -> None:
        chosen(given(*self.drawn)(self.check))()


LAWS: dict[str, Law] = {}


def law(*drawn: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], None]:
    def add(check: Callable[..., None]) -> None:
        LAWS[check.__name__] = Law(check.__name__, check, drawn)

    return add


@law(LIMITS_AND_STREAM)
def only_protocol_error(drawn: tuple[Limits, bytes]) -> None:
    limits, data = drawn
    laws.only_protocol_error(data, limits)


@law(LIMITS_AND_STREAM, st.data())
def chunking_changes_nothing(drawn: tuple[Limits, bytes], choice: st.DataObject) -> None:
    limits, data = drawn
    laws.chunking_changes_nothing(data, choice.draw(strategies.chunkings(data)), limits)


@law(LIMITS_AND_FRAME)
def round_trip(drawn: tuple[Limits, bytes]) -> None:
    limits, frame = drawn
    laws.round_trip(frame, limits)


@law(LIMITS_AND_MESSAGE)
def round_trip_message(drawn: tuple[Limits, Message]) -> None:
    limits, message = drawn
    laws.round_trip_message(message, limits)


@law(LIMITS_AND_FRAME)
def agrees_with_cursor(drawn: tuple[Limits, bytes]) -> None:
    limits, frame = drawn
    laws.agrees_with_cursor(frame, limits)


@law(LIMITS_AND_STREAM, st.sampled_from(Side), st.data())
def agrees_with_model(drawn: tuple[Limits, bytes], side: Side, choice: st.DataObject) -> None:
    limits, data = drawn
    laws.agrees_with_model(data, side, limits, choice.draw(strategies.chunkings(data)))


@pytest.mark.parametrize("name", LAWS)
def test_the_law_holds(name: str) -> None:
    LAWS[name].run(settings())


@given(st.binary(max_size=64), st.sampled_from(Side), st.data())
def test_the_laws_hold_of_any_bytes(data: bytes, side: Side, choice: st.DataObject) -> None:
    sizes = choice.draw(strategies.chunkings(data))
    laws.only_protocol_error(data)
    laws.chunking_changes_nothing(data, sizes)
    laws.round_trip(data)
    laws.agrees_with_cursor(data)
    laws.agrees_with_model(data, side, sizes=sizes)


# Code that is wrong on purpose. Each break is a mistake that somebody could make.

Patch = pytest.MonkeyPatch


def crash_on_an_empty_frame(patch: Patch) -> None:
    def refuse(length: int, limits: Limits) -> Any:
        return length and None  # so that what must be an error is None

    patch.setattr(stream, "refuse_length", refuse)


def crash_on_a_method_that_is_not_known(patch: Patch) -> None:
    patch.setattr(session, "METHODS", None)


def crash_in_explain(patch: Patch) -> None:
    module = importlib.import_module("authplugin.explain")
    patch.setattr(module, "_printable", lambda data: str(data, "ascii"))


def lose_a_byte_of_a_short_chunk(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed

    def lossy(self: stream.StreamDecoder[Any], data: bytes) -> Iterator[Any]:
        return feed(self, data[:2] if len(data) == 3 else data)

    patch.setattr(stream.StreamDecoder, "feed", lossy)


def reuse_a_buffer(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed
    buffer = bytearray(1 << 20)

    def in_one_place(self: stream.FrameDecoder, data: bytes) -> Iterator[memoryview]:
        for frame in feed(self, data):
            if frame.obj is data:
                yield frame
            else:
                buffer[: len(frame)] = frame
                yield memoryview(buffer)[: len(frame)]

    patch.setattr(stream.FrameDecoder, "feed", in_one_place)


def judge_the_turn_once_a_chunk(patch: Patch) -> None:
    class Undecided(session.FrameDecoder):
        __slots__ = ()
        held = 0

    patch.setattr(session, "FrameDecoder", Undecided)


def encode_the_port_little_endian(patch: Patch) -> None:
    def swapped(message: PluginInit, limits: Limits) -> bytes:
        port = int.from_bytes(message.port.to_bytes(4, "little"), "big")
        changed = PluginInit(message.version, message.hostname, port, message.username)
        return wire.encode_plugin_init(changed, limits)

    patch.setitem(wire.ENCODERS, PluginInit, swapped)


def detach_without_empty_texts(patch: Patch) -> None:
    detach = PluginKIServerResponse.detach

    def lossy(self: PluginKIServerResponse) -> PluginKIServerResponse:
        return PluginKIServerResponse([each for each in detach(self).responses if each])

    patch.setattr(PluginKIServerResponse, "detach", lossy)


def decode_the_port_as_16_bits(patch: Patch) -> None:
    def narrow(frame: memoryview, limits: Limits) -> PluginInit:
        message = wire.decode_plugin_init(frame, limits)
        message.port &= 0xFFFF
        return message

    for decoders in wire.DECODERS.values():
        patch.setitem(decoders, 1, narrow)


def encode_no_empty_list(patch: Patch) -> None:
    def strict(message: PluginKIServerResponse, limits: Limits) -> bytes:
        if not message.responses:
            raise ValueError
        return wire.encode_plugin_ki_server_response(message, limits)

    patch.setitem(wire.ENCODERS, PluginKIServerResponse, strict)


def take_any_bytes_for_utf8(patch: Patch) -> None:
    patch.setattr(wire, "are_utf8", lambda strings, size: True)


def count_offsets_from_the_type_byte(patch: Patch) -> None:
    refuse = codec.refuse_fields

    def shifted(*arguments: Any) -> authplugin.RemoteProtocolError:
        error = refuse(*arguments)
        error.offset = (error.offset or 4) - 4
        return error

    patch.setattr(codec, "refuse_fields", shifted)


def check_no_guards(patch: Patch) -> None:
    patch.setattr(session.Session, "_check_guards", lambda self, message, error: None)


def let_a_plugin_end_any_time(patch: Patch) -> None:
    patch.setattr(session, "MAY_END", dict.fromkeys(Side, tuple(session.EndKind)))


def check_no_place(patch: Patch) -> None:
    patch.setattr(session.Session, "_check_place", lambda self, spec, speaker, error: None)


BREAKS: list[tuple[str, Callable[[Patch], None], str]] = [
    ("only_protocol_error", crash_on_an_empty_frame, "raised AssertionError"),
    ("only_protocol_error", crash_on_a_method_that_is_not_known, "raised TypeError"),
    ("only_protocol_error", crash_in_explain, "explain raised UnicodeDecodeError"),
    (
        "chunking_changes_nothing",
        lose_a_byte_of_a_short_chunk,
        "chunking changes nothing: .*Decoder",
    ),
    ("chunking_changes_nothing", reuse_a_buffer, r"chunking changes nothing: .*item \d+ is"),
    (
        "chunking_changes_nothing",
        judge_the_turn_once_a_chunk,
        "chunking changes nothing: .*Session",
    ),
    ("round_trip", encode_the_port_little_endian, "round trip: the message encodes to other bytes"),
    ("round_trip", detach_without_empty_texts, "round trip: the detached message encodes to other"),
    ("round_trip_message", decode_the_port_as_16_bits, "round trip of a message: .* came back as"),
    ("round_trip_message", encode_no_empty_list, "round trip: .* cannot be encoded"),
    ("agrees_with_cursor", take_any_bytes_for_utf8, "cursor decoder: .*bad-utf8"),
    ("agrees_with_cursor", count_offsets_from_the_type_byte, "cursor decoder: .*offset=.*offset="),
    ("agrees_with_model", check_no_guards, "agreement with the model: .*"),
    ("agrees_with_model", let_a_plugin_end_any_time, "agreement with the model: .*end-premature"),
    ("agrees_with_model", check_no_place, "agreement with the model: .*"),
]


def test_every_law_has_a_break() -> None:
    assert {name for name, _, _ in BREAKS} == set(LAWS)


@pytest.mark.parametrize(
    ("name", "broken", "says"), BREAKS, ids=[f"{name}-{it.__name__}" for name, it, _ in BREAKS]
)
def test_the_law_is_broken_by_wrong_code(
    name: str, broken: Callable[[Patch], None], says: str, monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    # Whether it is found matters here, not how small it can be made.
    unshrunk = settings(
        max_examples=1000, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    with pytest.raises(LawBroken, match=says):
        LAWS[name].run(unshrunk)


def test_a_broken_law_says_for_what_bytes(monkeypatch: Patch) -> None:
    take_any_bytes_for_utf8(monkeypatch)
    with pytest.raises(LawBroken) as caught:
        laws.agrees_with_cursor(b"\0\0\0\x06\x05\0\0\0\x01\xff")
    assert str(caught.value).endswith("\n10 bytes: 000000060500000001ff")
    assert "bad-utf8" in str(caught.value)
