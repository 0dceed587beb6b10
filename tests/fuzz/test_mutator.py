"""The mutator: nothing is lost, everything follows from the seed, and everything is reached."""

import os
import subprocess
import sys
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from authplugin import ErrorCode, Limits
from authplugin_fuzz.anatomy import frames_of, repair, stream_bytes
from authplugin_fuzz.inputs import LIMITS, Input
from authplugin_fuzz.making import Maker, seeds
from authplugin_fuzz.mutator import cross, mutate
from authplugin_properties import strategies
from authplugin_properties.model import script, split
from authplugin_properties.oracles import cursor

LONGEST = 4096
MUTATIONS = 5000

# A frame at the default limit would grow beyond it where it is repaired.
SMALLER = Limits(frame=4096, text=512, count=16)
STREAMS = (
    st.lists(strategies.frames(limits=SMALLER), max_size=4)
    .map(b"".join)
    .flatmap(lambda data: st.just(data) | strategies.damaged(data))
)

# What no peer can cause: both are answers to a caller that misuses the library.
LOCAL = {ErrorCode.BAD_VALUE, ErrorCode.POISONED}


@given(STREAMS | st.binary(max_size=60))
def test_what_is_taken_apart_and_put_together_is_the_same(data: bytes) -> None:
    assert stream_bytes(*frames_of(data)) == data


@given(STREAMS | st.binary(max_size=60), st.integers(0, 2**32 - 1))
def test_what_is_repaired_is_well_formed(data: bytes, number: int) -> None:
    frames, _ = frames_of(data)
    for frame in frames:
        repair(frame, Maker(Random(number)).value)
        if frame.message is not None:
            (made,) = split(stream_bytes([frame]))
            assert cursor.decode(made, LIMITS[0])["type"] == frame.code


@given(st.binary(max_size=40))
def test_any_bytes_are_an_input(raw: bytes) -> None:
    given_input = Input.from_bytes(raw)
    again = Input.from_bytes(given_input.to_bytes())
    assert again.sizes[: len(given_input.sizes)] == given_input.sizes
    assert again.limits == given_input.limits
    assert all(1 <= size <= 256 for size in given_input.sizes)
    assert raw.endswith(given_input.data)


@given(
    st.sampled_from(seeds()) | st.binary(max_size=60),
    st.binary(max_size=60),
    st.integers(0, 300),
    st.integers(0, 2**32 - 1),
)
def test_any_bytes_are_mutated_within_the_size(
    one: bytes, other: bytes, most: int, number: int
) -> None:
    changed = mutate(one, most, number)
    assert len(changed) <= most
    assert changed == mutate(one, most, number)
    crossed = cross(one, other, most, number)
    assert len(crossed) <= most
    assert crossed == cross(one, other, most, number)


DIGEST = """
import hashlib
from authplugin_fuzz.making import seeds
from authplugin_fuzz.mutator import cross, mutate
known = seeds()
for number in range(500):
    known.append(mutate(known[number * 7 % len(known)], 4096, number))
    known.append(cross(known[-1], known[number * 3 % len(known)], 4096, number))
print(hashlib.sha256(b"|".join(known)).hexdigest())
"""


def test_other_processes_make_the_same() -> None:
    made = [
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
    assert made[0] == made[1]
    assert len(made[0]) == 65


def test_the_seeds_are_valid_and_hold_every_message() -> None:
    names = set()
    for seed in seeds():
        data = Input.from_bytes(seed).data
        names |= {cursor.NAMES[frame[4]] for frame in split(data)}
        for side in ("client", "plugin"):
            outcome = script(data, side, LIMITS[0]).outcome
            # A conversation may stop while the plugin owes a message; nothing else is wrong.
            assert outcome.problem is None or outcome.problem.code == "end-premature"
            assert not [code for what, code in outcome.items if what == "refused"]
    assert names == set(cursor.NAMES.values())


def test_mere_bytes_are_left_to_another_mutator() -> None:
    made = {mutate(b"\0", 100, number, lambda data, most: b"by another") for number in range(200)}
    assert b"by another" in made
    assert len(made) > 50


def test_a_crossover_holds_frames_of_both() -> None:
    one, other = (b"\0" + frame for frame in (b"\0\0\0\x01\x06" * 3, b"\0\0\0\x01\x07" * 3))
    kinds = {frozenset(cross(one, other, 100, number)[5::5]) for number in range(100)}
    assert frozenset(b"\x06\x07") in kinds


def test_every_message_and_every_code_is_reached() -> None:
    messages: Counter[str] = Counter()
    frame_codes: Counter[str] = Counter()
    role_codes: Counter[str] = Counter()
    states: Counter[str] = Counter()
    random = Random(0)
    known = seeds()
    for number in range(MUTATIONS):
        raw = mutate(random.choice(known), LONGEST, number)
        known.append(raw)
        given_input = Input.from_bytes(raw)
        for frame in split(given_input.data):
            try:
                messages[cursor.NAMES[cursor.decode(frame, given_input.limits)["type"]]] += 1
            except cursor.Refused as refused:
                frame_codes[refused.code] += 1
        for side in ("client", "plugin"):
            outcome = script(given_input.data, side, given_input.limits).outcome
            states[f"{side} {outcome.state}"] += 1
            if outcome.problem is not None:
                role_codes[outcome.problem.code] += 1
            role_codes.update(
                f"to say: {code}" for what, code in outcome.items if what == "refused"
            )

    good, bad = messages.total(), frame_codes.total()
    print(f"\n{MUTATIONS} mutations: {good} good frames, {bad} bad ones")
    for counter in (messages, frame_codes, role_codes, states):
        print(", ".join(f"{name} {count}" for name, count in counter.most_common()))
    assert good > bad
    assert set(messages) == set(cursor.NAMES.values())
    codes = set(frame_codes) | {code for code in role_codes if not code.startswith("to say: ")}
    assert codes == {str(code) for code in ErrorCode if code not in LOCAL}
    assert len(states) == 16
    # A role is as often deep in a conversation as it is at its beginning.
    assert sum(count for state, count in states.items() if not state.endswith("START")) > MUTATIONS
