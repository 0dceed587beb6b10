"""Small inputs: what they do stays, and nothing is left that could go."""

from collections.abc import Callable

import pytest

from authplugin import (
    PluginAuthSuccess,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginProtocol,
    Side,
    encode,
)
from authplugin_fuzz.layers import Exchange, How, Layer, Move, Terms
from authplugin_fuzz.minimising import minimised
from authplugin_properties.model import split
from authplugin_properties.oracles import cursor

from .inputs import made

REQUEST = PluginKIServerRequest("Login", "Two\nlines", "en", [("Password: ", False), ("é", True)])
STREAM = b"".join(
    encode(message)
    for message in (
        PluginInit(2, "ssh.example.com", 22, "alice"),
        REQUEST,
        PluginProtocol("keyboard-interactive"),
    )
)


def has(code: int, offset: int = 4) -> Callable[[bytes], bool]:
    """Return what says whether one of the frames of a stream has a type."""
    return lambda raw: any(frame[offset : offset + 1] == bytes((code,)) for frame in split(raw))


@pytest.mark.parametrize("layer", list(Layer))
def test_what_it_does_stays_and_it_is_never_larger(layer: Layer) -> None:
    for raw in made(layer, 5):
        if raw:
            byte = raw[len(raw) // 2]
            small = minimised(raw, layer, lambda each, byte=byte: byte in each)  # type: ignore[misc]
            assert byte in small
            assert len(small) <= len(raw)
            if layer not in (Layer.CONVERSATION, Layer.SERVER, Layer.BRIDGE):
                assert len(small) == 1


def test_a_stream_is_left_with_the_one_frame_that_matters() -> None:
    small = minimised(STREAM, Layer.STREAM, has(20))
    # Cut off behind the type byte, it is still there.
    assert small in (b"\0\0\0\0\x14", b"\0\0\0\1\x14")


def test_what_a_frame_holds_becomes_plain_and_stays_well_formed() -> None:
    def still(raw: bytes) -> bool:
        try:
            return bool(cursor.decode(len(raw).to_bytes(4, "big") + raw)["prompts"][0][1])
        except (cursor.Refused, KeyError, IndexError):
            return False

    small = minimised(encode(REQUEST)[4:], Layer.BODY, still)
    assert small == encode(PluginKIServerRequest("", "", "", [("", True)]))[4:]


def test_a_lie_is_put_right_where_it_does_not_matter_and_made_small_where_it_does() -> None:
    lying = encode(PluginProtocol("keyboard"))[4:].replace(b"\0\0\0\x08", b"\xff\0\0\0")

    def lies(raw: bytes) -> bool:
        return raw[:1] == b"\3" and int.from_bytes(raw[1:5], "big") > len(raw) - 5 >= 0

    assert minimised(lying, Layer.BODY, lies) == b"\3\0\0\0\1"
    assert minimised(lying, Layer.BODY, lambda raw: b"key" in raw) == b"key"
    stream = b"\0\xf0\0\0\3\0\0\0\0"
    truthful = minimised(stream, Layer.STREAM, lambda raw: len(raw) == 9 and raw[4] == 3)
    assert truthful == b"\0\0\0\5\3\0\0\0\0"


def test_a_conversation_is_left_with_the_moves_that_matter_each_as_plain_as_can_be() -> None:
    exchange = Exchange(
        b"\xf5",
        [
            Move(Side.CLIENT, How.PUT, encode(PluginInit(2, "ssh.example.com", 22, "alice")), 7),
            Move(Side.PLUGIN, How.SAID, encode(PluginInitResponse(2, "bob")), 3, unseen=True),
            Move(Side.CLIENT, How.END, encode(PluginAuthSuccess()), 2),
        ],
        b"left over",
    )

    def still(raw: bytes) -> bool:
        moves = Exchange.from_bytes(raw).moves
        return any(move.side is Side.PLUGIN and has(2)(move.data) for move in moves)

    small = Exchange.from_bytes(minimised(exchange.to_bytes(), Layer.CONVERSATION, still))
    (move,) = small.moves
    assert (small.head, small.rest) == (b"\0", b"")
    assert (move.side, move.how, move.chunking, move.unseen) == (Side.PLUGIN, How.SAID, 0, False)
    assert len(move.data) == 5


@pytest.mark.parametrize("layer", [Layer.BODY, Layer.STREAM])
def test_what_the_receiver_accepts_stays_as_it_was(layer: Layer) -> None:
    raw = STREAM if layer is Layer.STREAM else STREAM[4:25]
    terms = Terms.of(raw)
    small = minimised(
        raw, layer, lambda each: Terms.of(each)[:2] == terms[:2] and each.count(b"s") >= 2
    )
    assert Terms.of(small)[:2] == terms[:2]
    assert len(small) < 15


def test_it_ends_in_time_with_what_it_has() -> None:
    tried: list[bytes] = []

    def still(raw: bytes) -> bool:
        tried.append(raw)
        return True

    assert minimised(STREAM, Layer.STREAM, still, seconds=0) == STREAM
    assert tried == []


def test_nothing_is_tried_twice() -> None:
    tried: list[bytes] = []

    def still(raw: bytes) -> bool:
        tried.append(raw)
        return raw.count(b"e") >= 2

    minimised(STREAM, Layer.STREAM, still)
    assert len(tried) == len(set(tried))
    assert len(tried) < 2000
