"""Runs everything, in one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from authplugin import Message, encode

from . import allocator, memory
from .agreement import differences, stream_differences
from .cases import CASES, CHUNK_SIZES, Case, chunked, mixed_messages
from .measuring import Race, race
from .peers import OURS, PEERS, Peer, minimums
from .report import Results

SAMPLE = 1_000_000
"""Nanoseconds of CPU time that a sample lasts at least."""

STREAMS = 10
"""How many times as long the samples of streams last: one pass over a stream is as long as a whole
sample of frames, and the first pass still finds in the caches what somebody else left there."""

LENGTH_ROUNDS = 7
"""Rounds of feeding 8 MiB byte by byte, at most."""

Progress = Callable[[str], None]


def disagreements(cases: Iterable[Case] = CASES, peers: Sequence[Peer] = PEERS) -> Iterator[str]:
    """Yield everything in which results differ."""
    for case in cases:
        yield from differences(case, (*peers, *minimums(case.message)))
    messages = mixed_messages()
    stream = b"".join(map(encode, messages))
    for size in CHUNK_SIZES:
        yield from stream_differences(messages, chunked(stream, size), peers)
    yield from memory.views_of_changed_buffers()


def measure(rounds: int, sample: int = SAMPLE, progress: Progress = lambda _: None) -> Results:
    """Measure everything.

    Args:
        rounds: samples of everybody for each case.
        sample: nanoseconds that a sample lasts at least.
        progress: is told what comes next.
    """
    results = Results(rounds, allocator_held=allocator.hold(allocator.FRESH))
    for case in CASES:
        allocator.hold(allocator.REUSED if case.reused else allocator.FRESH)
        everybody = (OURS, *PEERS, *minimums(case.message))
        progress(f"decode {case.name}")
        decoders = {peer.name: peer.decode for peer in everybody if peer.decode is not None}
        arguments: tuple[Any, ...] = (case.frame, *case.options)
        results.decode[case.name] = race(decoders, arguments, rounds=rounds, least=sample)
        progress(f"encode {case.name}")
        encoders = {peer.name: peer.encode for peer in everybody if peer.encode is not None}
        arguments = (case.message, *case.options)
        results.encode[case.name] = race(encoders, arguments, rounds=rounds, least=sample)
    allocator.hold(allocator.FRESH)
    messages = mixed_messages()
    for size in CHUNK_SIZES:
        progress(f"stream in chunks of {size}")
        results.stream[size] = stream_race(messages, size, rounds=rounds, least=STREAMS * sample)
    progress("memory")
    results.memory = memory.measured()
    progress("one-byte chunks")
    results.by_length = memory.by_length(min(rounds, LENGTH_ROUNDS))
    return results


def stream_race(messages: Iterable[Message], size: int, *, rounds: int, least: int) -> Race:
    """Measure a stream in chunks of `size` bytes."""
    chunks = chunked(b"".join(map(encode, messages)), size)
    decoders = {
        peer.name: peer.decode_stream for peer in (OURS, *PEERS) if peer.decode_stream is not None
    }
    let_go = deque[Message](maxlen=0).append
    return race(decoders, (chunks, let_go), rounds=rounds, least=least)
