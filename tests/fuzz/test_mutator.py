"""The mutators: nothing is lost, everything follows from the seed, and everything is reached."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authplugin import MESSAGES, ErrorCode, Limits, Message, Side, State
from authplugin.kinds import CountedKind
from authplugin_corpus.faults import FAULTS, NOT_OF_A_PEER, Fault, pairs, stock_conversations
from authplugin_fuzz.anatomy import frame_bytes, frames_of, read_frame, repair, stream_bytes
from authplugin_fuzz.dice import Dice
from authplugin_fuzz.layers import LIMITS, Exchange, How, Layer, Move, Terms, frame_of
from authplugin_fuzz.making import Maker, move_of, seeds
from authplugin_fuzz.mutator import bodies, conversations, cross, mutate, streams
from authplugin_fuzz.mutator.conversations import Talk
from authplugin_fuzz.mutator.striking import strike
from authplugin_properties import strategies
from authplugin_properties.model import Model, split
from authplugin_properties.oracles import cursor

from .inputs import LONGEST, made

# A frame at the default limit would grow beyond it where it is repaired.
SMALLER = Limits(frame=4096, text=512, count=16)
STREAMS = (
    st.lists(strategies.frames(limits=SMALLER), max_size=4)
    .map(b"".join)
    .flatmap(lambda data: st.just(data) | strategies.damaged(data))
)
NUMBERS = st.integers(0, 2**32 - 1)


@given(STREAMS | st.binary(max_size=60))
def test_what_is_taken_apart_and_put_together_is_the_same(data: bytes) -> None:
    assert stream_bytes(*frames_of(data)) == data
    assert b"".join(split(data)) == data


@given(STREAMS | st.binary(max_size=60), NUMBERS)
def test_what_is_repaired_is_well_formed(data: bytes, number: int) -> None:
    frames, _ = frames_of(data)
    for frame in frames:
        repair(frame, Maker(Dice(number)).value)
        if frame.message is not None:
            assert frame.is_sound()
            (repaired,) = split(stream_bytes([frame]))
            assert cursor.decode(repaired, LIMITS[0])["type"] == frame.code


@given(
    st.sampled_from(Layer),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.integers(0, 300),
    NUMBERS,
)
def test_any_bytes_are_mutated_within_the_size(
    layer: Layer, one: bytes, other: bytes, most: int, number: int
) -> None:
    for first in (one, seeds(layer)[number % 3]):
        changed = mutate(layer, first, most, number)
        assert len(changed) <= most
        assert changed == mutate(layer, first, most, number)
        crossed = cross(layer, first, other, most, number)
        assert len(crossed) <= most
        assert crossed == cross(layer, first, other, most, number)


DIGEST = """
import hashlib
from authplugin_fuzz.layers import Layer
from authplugin_fuzz.making import seeds
from authplugin_fuzz.mutator import cross, mutate
for layer in Layer:
    known = seeds(layer)
    for number in range(200):
        known.append(mutate(layer, known[number * 7 % len(known)], 4096, number))
        known.append(cross(layer, known[-1], known[number * 3 % len(known)], 4096, number))
    print(hashlib.sha256(b"|".join(known)).hexdigest())
"""


def test_other_processes_make_the_same() -> None:
    digests = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("0", "1")
    ]
    assert digests[0] == digests[1]
    assert len(set(digests[0].split())) == len(Layer)


@pytest.mark.parametrize("layer", Layer)
def test_mere_bytes_are_left_to_another_mutator(layer: Layer) -> None:
    others = {
        mutate(layer, b"\0", 4096, number, lambda data, most: b"by another")
        for number in range(200)
    }
    assert b"by another" in others
    assert len(others) > 50


# What is made of two.


def test_a_stream_of_two_begins_with_one_and_ends_with_the_other() -> None:
    one, other = b"\0\0\0\x01\x06" * 3, b"\0\0\0\x01\x07" * 3
    kinds = {streams.cross(one, other, 100, Dice(number))[4::5] for number in range(200)}
    assert {bytes([6] * i + [7] * j) for i in range(4) for j in range(4)} == kinds


def test_a_body_of_two_has_fields_of_both() -> None:
    one = b"\1" + bytes.fromhex("00000002 00000001 61 00000016 00000001 62")
    other = b"\1" + bytes.fromhex("00000001 00000001 41 00000017 00000001 42")
    crossed = {bodies.cross(one, other, 100, Dice(number)) for number in range(100)}
    assert one[:10] + other[10:] in crossed
    assert one[:5] + other[5:] in crossed
    # Of another message it takes what is of the same kind.
    accepted = {bodies.cross(one, b"\5\0\0\0\1z", 100, Dice(number)) for number in range(100)}
    assert one[:9] + b"z" + one[10:] in accepted


def test_a_conversation_goes_on_with_another_in_the_same_state() -> None:
    whole = stock_conversations()
    one, other = (
        Exchange(moves=[move_of(frames_of(frame)[0][0]) for frame in whole[last][-1]])
        for last in (MESSAGES[-1], MESSAGES[7])
    )
    fitting = 0
    for number in range(200):
        crossed = conversations.cross(one.to_bytes(), other.to_bytes(), LONGEST, Dice(number))
        exchange = Exchange.from_bytes(crossed)
        moves = exchange.moves
        joint = next(
            (i for i, (a, b) in enumerate(zip(moves, one.moves, strict=False)) if a != b), 0
        )
        said = [message.spec for message in map(message_in, moves) if message]
        fitting += bool(joint) and all(a.enters is b.leaves for a, b in pairwise(said))
    # The others go on anywhere.
    assert fitting > 80


def message_in(move: Move) -> Message | None:
    return conversations.right_message(move, Exchange())


# What is reached.


def test_every_fault_strikes_every_part_of_every_message() -> None:
    missing = set(pairs(LIMITS[1]))
    conversations_known = [each for known in stock_conversations().values() for each in known]
    for throw in range(300):
        faults = {name for _, _, name in missing}
        for fault in (each for each in FAULTS if each.name in faults):
            for frames in conversations_known:
                struck = strike(fault, frames, LIMITS[1], Dice(throw))
                if struck is not None:
                    missing.discard((struck.message, struck.part, fault.name))
    assert not missing


def test_a_conversation_is_struck_with_every_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    struck: Counter[str] = Counter()
    ends = 0

    def counting(fault: Fault, frames: Sequence[bytes], limits: Limits, dice: Dice) -> object:
        result = strike(fault, frames, limits, dice)
        struck[fault.name] += result is not None
        return result

    monkeypatch.setattr(conversations, "strike", counting)
    for number in range(1500):
        talk = Talk(seeds(Layer.CONVERSATION)[number % 12], Dice(number))
        talk.strike()
        lost = [move for move in talk.moves if move.how is How.LOST]
        assert len(lost) <= 1
        ends += bool(lost) and talk.moves[-1].how is How.END
    assert {name for name, count in struck.items() if count} == {fault.name for fault in FAULTS}
    assert ends


def test_where_the_codec_is_wrong_the_mutator_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr("authplugin_corpus.faults.declaring.decode", crash)
    for layer in set(Layer) - {Layer.CHOICES}:
        assert len(set(made(layer, 200))) > 140


def test_every_field_is_changed_and_every_claim_made() -> None:
    changed: set[tuple[str, str]] = set()
    for body in seeds(Layer.BODY):
        before = read_frame(body[0], body[1:])
        assert before.message is not None
        names = [field.name for field in before.message.spec.fields]
        for number in range(300):
            after_body = bodies.mutate(body, LONGEST, Dice(number))
            if after_body[:1] != body[:1]:
                continue
            after = read_frame(after_body[0], after_body[1:])
            name = before.message.spec.name
            for field, one, other in zip(names, before.values, after.values, strict=False):
                if one != other:
                    changed.add((name, field))
                if getattr(other, "claim", None) is not None:
                    changed.add((name, f"{field} claim"))
            if after.tail:
                changed.add((name, "tail"))
    for message in MESSAGES:
        name = message.spec.name
        assert (name, "tail") in changed
        for each in message.spec.fields:
            assert (name, each.name) in changed
            if isinstance(each.kind, CountedKind):
                assert (name, f"{each.name} claim") in changed


def test_every_message_and_every_code_of_a_body_is_reached() -> None:
    messages: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for raw in made(Layer.BODY, 4000):
        try:
            read = cursor.decode(frame_of(raw), Terms.of(raw).limits)
            messages[cursor.NAMES[read["type"]]] += 1
        except cursor.Refused as refused:
            codes[refused.code] += 1
    print(f"\n{messages.total()} good, {codes.total()} bad\n{messages}\n{codes}")
    assert set(messages) == set(cursor.NAMES.values())
    of_a_body = {
        ErrorCode.FRAME_EMPTY,
        ErrorCode.FRAME_TOO_LONG,
        ErrorCode.UNKNOWN_TYPE,
        ErrorCode.FIELD_TRUNCATED,
        ErrorCode.STRING_TOO_LONG,
        ErrorCode.COUNT_TOO_LARGE,
        ErrorCode.COUNT_IMPOSSIBLE,
        ErrorCode.TRAILING_BYTES,
        ErrorCode.BAD_BOOLEAN,
        ErrorCode.BAD_UTF8,
        ErrorCode.BAD_ASCII,
    }
    assert set(codes) == {str(code) for code in of_a_body}
    assert 0.5 < messages.total() / codes.total() < 3


def test_frames_at_the_limits_are_reached() -> None:
    sizes: Counter[int] = Counter()
    texts: Counter[int] = Counter()
    for raw in made(Layer.BODY, 4000):
        if Terms.of(raw).limits.frame == LIMITS[1].frame:
            sizes[len(raw)] += 1
            for value, _ in read_frame(raw[0] if raw else None, raw[1:]).leaves():
                texts[len(getattr(value, "data", b""))] += 1
    for size, counted in ((LIMITS[1].frame, sizes), (LIMITS[1].text, texts)):
        assert all(counted[size + near] > 3 for near in (0, 1))


def test_every_state_and_every_code_of_a_conversation_is_reached() -> None:
    states: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    ways: Counter[How] = Counter()
    for raw in made(Layer.CONVERSATION, 3000):
        exchange = Exchange.from_bytes(raw)
        model = Model(Side.PLUGIN, exchange.limits)
        other = Model(Side.CLIENT, exchange.limits)
        for move in exchange.moves:
            ways[move.how] += 1
            speaker, listener = (other, model) if move.side is Side.CLIENT else (model, other)
            if move.how in (How.SAID, How.LOST) and conversations.right_message(move, exchange):
                speaker.say(move.data)
            if move.how is not How.LOST:
                listener.hear(move.data)
            if move.how is How.END:
                listener.end_of_file()
            listener.inbox.clear()
        for side in (model, other):
            states[f"{side.side} {side.situation.state}"] += 1
            if side.violation is not None:
                codes[side.violation.code] += 1
    print(f"\n{states}\n{codes}\n{ways}")
    assert len(states) == 2 * len(State)
    assert set(codes) == {str(code) for code in ErrorCode if code not in NOT_OF_A_PEER}
    assert set(ways) == set(How)
    # A role is as often deep in a conversation as it is at its beginning.
    deep = sum(count for state, count in states.items() if not state.endswith("START"))
    assert deep > states.total() / 2


def test_a_frame_keeps_its_lie_while_what_is_around_it_changes() -> None:
    lying = frame_bytes(read_frame(5, b"\0\0\0\xffhello"))
    assert lying == b"\0\0\0\x0a\5\0\0\0\xffhello"
    kept = sum(
        raw[:5] == lying[4:9] and raw != lying[4:]
        for raw in (bodies.mutate(lying[4:], LONGEST, Dice(number)) for number in range(300))
    )
    assert kept > 10
