"""Those who take part in the bench do the same work: they read, write and refuse the same."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import authplugin
from authplugin import (
    Limits,
    Message,
    MessageDecoder,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginProtocol,
    PluginProtocolAccept,
    RemoteProtocolError,
)
from authplugin_properties import oracles
from tests.bench import agreement, cases, memory, minimum, runs
from tests.bench.__main__ import main
from tests.bench.peers import OURS, PEERS, REFUSALS, Peer, minimums
from tests.properties.frames import NO_TEXTS, REFUSED, VALID

STRICT = [peer for peer in PEERS if peer.strict]
DECODERS = [peer for peer in PEERS if peer.decode]
STRICT_ENCODERS = [peer for peer in STRICT if peer.encode]
STREAM_DECODERS = [peer for peer in PEERS if peer.decode_stream]


def named(value: object) -> str | None:
    return value.name if isinstance(value, Peer) else None


def ours(limits: oracles.Limits) -> Limits:
    return Limits(**dataclasses.asdict(limits))


# Who takes part.


def test_all_that_are_to_be_compared_take_part() -> None:
    everybody = {(peer.name.partition(",")[0], peer.strict) for peer in PEERS}
    assert everybody == {
        (library, strict)
        for library in ("asyncssh", "paramiko", "construct", "BytesIO + struct")
        for strict in (False, True)
    }
    assert {peer.name.partition(",")[0] for peer in STREAM_DECODERS} == {
        library for library, _ in everybody
    }
    assert all(peer.strict for peer in STREAM_DECODERS)
    assert len({peer.name for peer in PEERS}) == len(PEERS)


# They read the same.


@pytest.mark.parametrize("peer", DECODERS, ids=named)
@pytest.mark.parametrize("frame", [frame for frame, _ in VALID])
def test_a_peer_reads_every_message_as_we_do(peer: Peer, frame: bytes) -> None:
    assert peer.decode is not None
    assert agreement.same(peer.decode(frame), authplugin.decode(frame))


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.encode], ids=named)
@pytest.mark.parametrize("frame", [frame for frame, _ in VALID])
def test_a_peer_writes_every_message_as_we_do(peer: Peer, frame: bytes) -> None:
    assert peer.encode is not None
    assert peer.encode(authplugin.decode(frame).detach()) == frame


@pytest.mark.parametrize("peer", STREAM_DECODERS, ids=named)
@pytest.mark.parametrize("size", [1, 3, 7, 100, 4096])
def test_a_peer_reads_a_stream_as_we_do(peer: Peer, size: int) -> None:
    stream = b"".join(frame for frame, _ in VALID)
    assert peer.decode_stream is not None
    taken: list[Message] = []
    peer.decode_stream(cases.chunked(stream, size), taken.append)
    assert len(taken) == len(VALID)
    for message, (frame, _) in zip(taken, VALID, strict=True):
        assert agreement.same(message, authplugin.decode(frame))


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_the_minimum_gives_the_very_types_that_we_give(case: cases.Case) -> None:
    frame = case.frame
    decoded = authplugin.decode(frame, case.limits or Limits())

    def types(value: object) -> Any:
        if isinstance(value, Message):
            return type(value), [types(getattr(value, each.name)) for each in value.spec.fields]
        if isinstance(value, (list, tuple)):
            return type(value), [types(item) for item in value]
        return type(value)

    of_that_message = minimums(case.message)
    assert len(of_that_message) == 2
    for peer in of_that_message:
        assert peer.decode is not None
        assert types(peer.decode(frame, *case.options)) == types(decoded)


# The strict ones refuse the same.

# Whole and well-formed, but for its length.
TOO_LONG = (b"\0\0\0\x0c\x05\0\0\0\x07Not now", "frame-too-long", None, 0, oracles.Limits(frame=11))


@pytest.mark.parametrize("peer", [OURS, *STRICT], ids=named)
@pytest.mark.parametrize(("frame", "code", "field", "offset", "limits"), [*REFUSED, TOO_LONG])
def test_a_strict_peer_refuses_what_we_refuse(
    peer: Peer, frame: bytes, code: str, field: str | None, offset: int, limits: oracles.Limits
) -> None:
    assert peer.decode is not None
    with pytest.raises(REFUSALS):
        peer.decode(frame, ours(limits))


def refused_in_a_stream() -> Iterator[bytes]:
    for frame, _, _, _, limits in REFUSED:
        if limits == oracles.Limits():
            try:
                list(MessageDecoder().feed(frame))
            except RemoteProtocolError:
                yield frame


@pytest.mark.parametrize("peer", STREAM_DECODERS, ids=named)
@pytest.mark.parametrize("size", [1, 4096])
@pytest.mark.parametrize("frame", list(refused_in_a_stream()))
def test_a_strict_peer_refuses_in_a_stream_what_we_refuse(
    peer: Peer, frame: bytes, size: int
) -> None:
    assert peer.decode_stream is not None
    with pytest.raises(REFUSALS):
        peer.decode_stream(cases.chunked(frame, size), lambda message: None)


FULL = [
    (
        b"\0\0\0\x28\x14\0\0\0\x04name\0\0\0\x04inst\0\0\0\x01l\0\0\0\x02"
        b"\0\0\0\x02ab\x00\0\0\0\x02cd\x01",
        Limits(frame=40, text=4, count=2),
    ),
    (b"\0\x01\0\x05\x08\0\x01\0\x00" + b"m" * 65536, Limits()),
    (b"\0\0\x10\x05\x15\0\0\x04\x00" + bytes(4096), Limits()),
    (
        b"\0\0\0\x1b\x14" + NO_TEXTS + b"\0\0\0\x02" + bytes(4) + b"\x00" + bytes(4) + b"\x01",
        Limits(),
    ),
]


@pytest.mark.parametrize("peer", STRICT, ids=named)
@pytest.mark.parametrize(("frame", "limits"), FULL)
def test_a_strict_peer_refuses_no_more_than_we_do(peer: Peer, frame: bytes, limits: Limits) -> None:
    assert peer.decode is not None
    assert agreement.same(peer.decode(frame, limits), authplugin.decode(frame, limits))


UNWRITABLE: list[tuple[Message, Limits]] = [
    (PluginInit(2**32, "h", 22, "u"), Limits()),
    (PluginInit(2, "h", -1, "u"), Limits()),
    (PluginInitResponse(2, b"\xff"), Limits()),
    (PluginInitResponse(2, "\ud800"), Limits()),
    (PluginInitResponse(2, "12345"), Limits(text=4)),
    (PluginInitResponse(2, "123"), Limits(frame=11)),
    (PluginProtocol("keyboard-interactivé"), Limits()),
    (PluginProtocol("é".encode()), Limits()),
    (PluginKIServerRequest("", "", "é", []), Limits()),
    (PluginKIServerRequest("", "", "", [("p", 2)]), Limits()),  # type: ignore[list-item]
    (PluginKIServerRequest("", "", "", [("p", True)] * 3), Limits(count=2)),
    (PluginKIServerRequest("", "", "", [(b"\xc0\x80", True)]), Limits()),
    (PluginKIServerResponse(["a", "b", "c"]), Limits(count=2)),
    (PluginKIServerResponse(["a", b"\xed\xa0\x80"]), Limits()),
    (PluginKIServerResponse(["a", "12345"]), Limits(text=4)),
    (PluginKIServerResponse([None]), Limits()),  # type: ignore[list-item]
]


@pytest.mark.parametrize("peer", [OURS, *STRICT_ENCODERS], ids=named)
@pytest.mark.parametrize(("message", "limits"), UNWRITABLE)
def test_a_strict_peer_writes_nothing_that_we_do_not_write(
    peer: Peer, message: Message, limits: Limits
) -> None:
    assert peer.encode is not None
    with pytest.raises((*REFUSALS, TypeError, AttributeError)):
        peer.encode(message, limits)


# Differences are found before anything is measured.


def test_there_are_no_differences() -> None:
    assert list(runs.disagreements()) == []


def fail(*_: object) -> Any:
    raise LookupError("on purpose")


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        (Peer("P", False, decode=fail), "P cannot decode 2 prompts"),
        (Peer("P", False, encode=fail), "P cannot encode 2 prompts"),
        (Peer("P", False, encode=lambda message: b""), "P encodes 2 prompts to other bytes"),
        (
            Peer("P", False, decode=lambda frame: PluginProtocolAccept()),
            "P decodes 2 prompts to another message",
        ),
        # 1 == True, but is no answer.
        (
            Peer(
                "P",
                False,
                decode=lambda frame: dataclasses.replace(
                    cases.TWO_PROMPTS,
                    prompts=[(text, int(echo)) for text, echo in cases.TWO_PROMPTS.prompts],  # type: ignore[misc]
                ),
            ),
            "P decodes 2 prompts to another message",
        ),
    ],
)
def test_a_peer_that_differs_is_named(peer: Peer, told: str) -> None:
    [difference] = agreement.differences(cases.TWO_CASE, [peer])
    assert difference.startswith(told)


@pytest.mark.parametrize(
    ("decode_stream", "told"),
    [
        (fail, "P cannot decode the stream in chunks of 7"),
        (lambda chunks, take: None, "P decodes the stream in chunks of 7 to other messages"),
        (
            lambda chunks, take: [take(PluginProtocolAccept()) for _ in range(20)],
            "P decodes the stream in chunks of 7 to other messages",
        ),
    ],
)
def test_a_peer_that_differs_in_a_stream_is_named(
    decode_stream: Callable[..., Any], told: str
) -> None:
    messages = cases.mixed_messages(20)
    chunks = cases.chunked(b"".join(map(authplugin.encode, messages)), 7)
    peer = Peer("P", True, decode_stream=decode_stream)
    [difference] = agreement.stream_differences(messages, chunks, [peer])
    assert difference.startswith(told)


def test_a_decoder_that_looks_into_a_buffer_that_changes_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "decode", lambda buffer: minimum.decode_response(buffer))
    assert memory.views_of_changed_buffers() == [
        "a bytearray changed after decode() changes what came of it",
        "a bytearray changed after decode(view) changes what came of it",
    ]


def test_nothing_is_measured_where_results_differ(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runs, "disagreements", lambda: iter(["P [differs]"]))
    monkeypatch.setattr(runs, "measure", fail)
    output = tmp_path / "bench.json"
    result = CliRunner().invoke(main, ["--output", str(output)])
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    assert "P [differs]" in result.stderr
    assert not output.exists()
