"""The strategies: what they give is valid, reaches everything, and shrinks to what is plain."""

import inspect
import textwrap
from collections import Counter
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import authplugin
from authplugin import (
    MESSAGES,
    Limits,
    Message,
    PluginInit,
    PluginKIServerRequest,
    PluginKIServerResponse,
    Side,
    State,
    encode,
)
from authplugin_properties import strategies
from authplugin_properties.fields import filled, size_of
from authplugin_properties.model import split
from authplugin_properties.oracles import cursor, turns
from authplugin_properties.subjects import chunks, neutral

SMALL = Limits(frame=64, text=24, count=3)
LIMITS = st.builds(
    Limits,
    frame=st.integers(64, 300),
    text=st.integers(1, 100),
    count=st.integers(0, 10),
    nonzero_is_true=st.booleans(),
    any_bytes=st.booleans(),
)


@given(st.data(), LIMITS)
def test_a_message_is_within_the_limits(data: st.DataObject, limits: Limits) -> None:
    message = data.draw(strategies.messages(limits=limits))
    frame = encode(message, limits)
    assert cursor.decode(frame, limits)["type"] == message.spec.code
    assert cursor.decode(data.draw(strategies.frames(limits=limits)), limits)


@given(st.sampled_from([None, *Side]).flatmap(strategies.dialogues))
def test_a_dialogue_is_valid_by_the_oracle(said: list[Message]) -> None:
    moves = [(str(each.spec.sender), each.spec.name, neutral(each)) for each in said]
    assert all(situation.refusal is None for situation in turns.replay(moves))


def test_dialogues_reach_every_message_and_state() -> None:
    messages: Counter[type[Message]] = Counter()
    lengths: Counter[int] = Counter()

    @settings(max_examples=300, phases=[Phase.generate])
    @given(strategies.dialogues())
    def draw(said: list[Message]) -> None:
        lengths[len(said)] += 1
        messages.update(type(each) for each in said)

    draw()
    print({each.__name__: count for each, count in messages.most_common()})
    print(dict(sorted(lengths.items())))
    assert set(messages) == set(MESSAGES)
    assert {each.spec.enters for each in messages} == set(State) - {State.START}
    assert min(messages.values()) >= sum(messages.values()) / 100
    assert sum(count for length, count in lengths.items() if length > 6) >= 100


@given(st.binary(max_size=40), st.data())
def test_chunks_are_the_bytes(data: bytes, choice: st.DataObject) -> None:
    sizes = choice.draw(strategies.chunkings(data))
    cut = list(chunks(data, sizes))
    assert b"".join(cut) == data
    assert all(cut)
    assert all(len(chunk) == size for chunk, size in zip(cut[:-1], sizes, strict=False))


def test_what_is_damaged_is_mostly_refused() -> None:
    refused = 0

    @settings(max_examples=300, phases=[Phase.generate])
    @given(strategies.frames().flatmap(strategies.damaged))
    def draw(data: bytes) -> None:
        nonlocal refused
        try:
            for frame in split(data):
                cursor.decode(frame)
        except cursor.Refused:
            refused += 1

    draw()
    assert 150 <= refused < 300


SHRUNK = settings(max_examples=2000, suppress_health_check=list(HealthCheck), deadline=None)


def test_a_dialogue_shrinks_to_the_shortest() -> None:
    found = find(
        strategies.dialogues(max_size=8),
        lambda said: any(isinstance(each, PluginKIServerResponse) for each in said),
        settings=SHRUNK,
    )
    assert [type(each).__name__ for each in found] == [
        "PluginInit",
        "PluginInitResponse",
        "PluginProtocol",
        "PluginProtocolAccept",
        "PluginKIServerRequest",
        "PluginKIServerResponse",
    ]
    assert found[0] == PluginInit(2, "", 0, "")
    assert found[4] == PluginKIServerRequest("", "", "", [])


def test_a_text_shrinks_to_its_boundary() -> None:
    found = find(
        strategies.messages(PluginInit), lambda each: len(each.hostname) > 10, settings=SHRUNK
    )
    assert found == PluginInit(0, "a" * 13, 0, "")


def test_a_frame_that_is_full_shrinks_to_one_message_of_one_kind_of_text() -> None:
    found = find(
        strategies.messages(limits=SMALL), lambda each: size_of(each) == 64, settings=SHRUNK
    )
    assert isinstance(found, PluginInit)
    assert (found.version, found.port) == (0, 0)
    assert {*str(found.hostname), *str(found.username)} == {"a"}


def test_a_list_shrinks_to_its_boundary() -> None:
    found = find(
        strategies.messages(PluginKIServerResponse),
        lambda each: len(each.responses) > 10,
        settings=SHRUNK,
    )
    assert found == PluginKIServerResponse([""] * 13)


@given(strategies.messages(limits=SMALL), st.integers(0, 70))
def test_a_message_is_filled_up_to_a_size_or_left(message: Message, size: int) -> None:
    made = filled(message, size, SMALL)
    assert size_of(made) == size or made is message
    assert size_of(made) == int.from_bytes(encode(made)[:4], "big")


@pytest.mark.parametrize("name", strategies.__all__)
def test_what_is_public_says_what_it_is(name: str) -> None:
    said = inspect.getdoc(getattr(strategies, name)) or ""
    parameters = set(inspect.signature(getattr(strategies, name)).parameters)
    assert name in ("beyond", "frames") or "hrink" in said
    assert "parameters" in said or all(f"{each}: " in said for each in parameters)


def test_the_example_works() -> None:
    lines = inspect.getsource(strategies).split('"""')[1].splitlines()
    example = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))
    names: dict[str, Any] = {**vars(authplugin), **vars(hypothesis), **vars(strategies)}
    exec(example, names)
    names["test_what_is_decoded_encodes_to_the_same"]()
