"""The strategies: what they give is valid, reaches everything, and shrinks to what is plain."""

from collections import Counter

from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

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
from authplugin_properties.model import split
from authplugin_properties.oracles import cursor, turns
from authplugin_properties.subjects import chunks, neutral

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
        strategies.dialogues(max_size=12),
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
