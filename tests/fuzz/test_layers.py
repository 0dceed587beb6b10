"""What the bytes of an input mean, and that nothing of them is lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authplugin import Limits, MessageDecoder, Side
from authplugin_fuzz.layers import (
    CHUNKINGS,
    LIMITS,
    LONGEST_MOVE,
    Exchange,
    How,
    Layer,
    Move,
    Terms,
    frame_of,
    sizes_of,
)
from authplugin_fuzz.making import dialogues, seeds
from authplugin_properties.model import script, split
from authplugin_properties.oracles import cursor

from .inputs import made

MOVES = st.builds(
    Move,
    st.sampled_from(Side),
    st.sampled_from(How),
    st.binary(max_size=40),
    st.integers(0, len(CHUNKINGS) - 1),
    st.booleans(),
)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_conversation_and_none_is_lost(raw: bytes) -> None:
    assert Exchange.from_bytes(raw).to_bytes() == raw


def test_of_what_the_mutator_makes_nothing_is_lost_either() -> None:
    for raw in made(Layer.CONVERSATION, 300):
        assert Exchange.from_bytes(raw).to_bytes() == raw


@given(st.integers(0, 255), st.lists(MOVES, max_size=5), st.binary(max_size=2))
def test_what_is_put_together_is_taken_apart(head: int, moves: list[Move], rest: bytes) -> None:
    exchange = Exchange(bytes((head,)), moves, rest)
    assert Exchange.from_bytes(exchange.to_bytes()) == exchange


def test_the_documented_form() -> None:
    raw = bytes.fromhex("051b 0003 61626306 0000ff ffff 00")
    exchange = Exchange.from_bytes(raw)
    assert exchange.limits is LIMITS[1]
    assert exchange.moves == [
        Move(Side.PLUGIN, How.LOST, b"abc", 1, unseen=True),
        Move(Side.CLIENT, How.END, b"", 0, unseen=False),
    ]
    assert exchange.rest == b"\xff\xff\xff\0"


def test_the_longest_move_is_whole() -> None:
    exchange = Exchange(moves=[Move(Side.CLIENT, data=bytes(LONGEST_MOVE))])
    assert Exchange.from_bytes(exchange.to_bytes()) == exchange


@pytest.mark.parametrize("size", [0, 1, 2, 300])
def test_chunks_are_never_empty(size: int) -> None:
    for chunking in range(len(CHUNKINGS)):
        assert all(each >= 1 for each in sizes_of(chunking, size))


def test_the_terms_follow_from_the_bytes_and_all_of_them_occur() -> None:
    terms = [Terms.of(raw) for raw in made(Layer.STREAM, 2000)]
    again = [Terms.of(raw) for raw in made(Layer.STREAM, 2000)]
    assert terms == again
    assert Counter(each.limits for each in terms).keys() == set(LIMITS)
    sizes = Counter(each.sizes for each in terms)
    assert sizes.keys() >= {each for each in CHUNKINGS if each != (-1,)}
    assert len({each.number % 128 for each in terms}) == 128


@given(st.binary(max_size=300))
def test_the_length_of_a_body_is_right(body: bytes) -> None:
    (frame, *others) = split(frame_of(body))
    assert frame[4:] == body
    assert not others


# The seeds.


def test_the_bodies_are_valid_and_one_of_each_message() -> None:
    types = [cursor.decode(frame_of(body))["type"] for body in seeds(Layer.BODY)]
    assert sorted(types) == sorted(cursor.NAMES)


def test_the_streams_are_valid() -> None:
    codes: set[int] = set()
    for stream in seeds(Layer.STREAM):
        codes |= {message.spec.code for message in MessageDecoder(Limits()).feed(stream)}
    assert codes == set(cursor.NAMES)


def test_the_conversations_are_valid() -> None:
    assert len(seeds(Layer.CONVERSATION)) == len(dialogues())
    for raw in seeds(Layer.CONVERSATION):
        exchange = Exchange.from_bytes(raw)
        assert {move.how for move in exchange.moves} == {How.SAID}
        said = b"".join(move.data for move in exchange.moves)
        for side in Side:
            outcome = script(said, side, exchange.limits).outcome
            # A conversation may stop while the plugin owes a message; nothing else is wrong.
            assert outcome.problem is None or outcome.problem.code == "end-premature"
            assert not [code for what, code in outcome.items if what == "refused"]


@pytest.mark.parametrize("layer", Layer)
def test_the_seeds_are_always_the_same(layer: Layer) -> None:
    assert seeds(layer) == seeds(layer)
    assert len(set(seeds(layer))) == len(seeds(layer)) >= 3
