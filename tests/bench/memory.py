"""What long fields and lying lengths cost: memory by tracemalloc, and time by length.

Extra memory is the peak of what Python allocated during the work, beyond what there was before;
the bytes that are fed exist before. It sees what the interpreter allocates and not how the system
rounds that up.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Any, Final

from authplugin import Limits, MessageDecoder, PluginKIServerResponse, decode, encode
from authplugin.errors import RemoteProtocolError

from .agreement import same
from .cases import MIB, chunked
from .measuring import Clock, Race, collector_off
from .peers import ASYNCSSH_STRICT

KIB: Final = 1024
LARGEST: Final = 0xFFFF_FFFF
UNLIMITED: Final = Limits(frame=LARGEST, text=LARGEST, count=LARGEST)

FIELD: Final = 16 * MIB
"""Bytes of the long field."""

CHUNK: Final = 64 * KIB

HEAD: Final = 13
"""Bytes of a response message before its only response."""

SHORT: Final = 16 * KIB
LONG: Final = 4 * MIB
"""Bytes of the frames that come byte by byte."""


def extra_memory(action: Callable[[], Any]) -> int:
    """Return the most bytes that were allocated at once while `action` ran."""
    action()  # what is allocated only the first time, such as caches, is not its own
    gc.collect()
    tracemalloc.start()
    try:
        kept = action()
        _, peak = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return peak


def response_frame(text: str) -> bytes:
    """Return the frame of a response message with one response."""
    return encode(PluginKIServerResponse([text]), UNLIMITED)


def feed_all(chunks: Iterable[bytes], limits: Limits = UNLIMITED) -> list[Any]:
    """Return the messages in a stream."""
    feed = MessageDecoder(limits).feed
    taken: list[Any] = []
    for chunk in chunks:
        for message in feed(chunk):
            taken.append(message)
    return taken


def refused(action: Callable[[], Any]) -> Callable[[], Any]:
    """Return an action that ends well where `action` refuses its input, and only there."""

    def attempt() -> object:
        try:
            action()
        except RemoteProtocolError as error:
            return error
        raise AssertionError("what had to be refused was taken")

    return attempt


def long_field(text: str) -> dict[str, int]:
    """Return the extra memory that a frame with a long field takes, in bytes."""
    frame = response_frame(text)
    chunks = chunked(frame, CHUNK)
    strict = ASYNCSSH_STRICT.decode
    assert strict is not None
    return {
        "fed whole": extra_memory(lambda: feed_all([frame])),
        "decode()": extra_memory(lambda: decode(frame, UNLIMITED)),
        ASYNCSSH_STRICT.name: extra_memory(lambda: strict(frame, UNLIMITED)),
        "in 64 KiB chunks, beyond the frame": extra_memory(lambda: feed_all(chunks)) - len(frame),
    }


def measured() -> dict[str, int]:
    """Return all figures of memory, in bytes."""
    figures: dict[str, int] = {}
    for kind, text in (("ASCII", "x" * FIELD), ("not ASCII", "é" * (FIELD // 2))):
        for way, size in long_field(text).items():
            figures[f"16 MiB field ({kind}), {way}"] = size

    claim = b"\xff\xff\xff\xff"
    figures["frame claims 4 GiB, default limits"] = extra_memory(
        refused(lambda: feed_all([claim + b"\x15"], Limits()))
    )
    figures["frame claims 4 GiB, raised limits"] = extra_memory(
        lambda: feed_all([claim + b"\x15"], UNLIMITED)
    )
    string = b"\0\0\0\x09\x15\0\0\0\x01" + claim
    figures["string claims 4 GiB, raised limits"] = extra_memory(
        refused(lambda: decode(string, UNLIMITED))
    )
    count = b"\0\0\0\x09\x15" + claim + b"\0\0\0\0"
    figures["count claims 4 Gi responses, raised limits"] = extra_memory(
        refused(lambda: decode(count, UNLIMITED))
    )
    return figures


def single_bytes(size: int, frames: int) -> Iterable[bytes]:
    """Return, byte by byte, so many frames of `size` bytes."""
    head = chunked(response_frame("x" * (size - HEAD))[:HEAD], 1)
    return chain.from_iterable(chain(head, repeat(b"x", size - HEAD)) for _ in range(frames))


def by_length(rounds: int, clock: Clock = time.process_time_ns) -> Race:
    """Measure one-byte chunks: nanoseconds a byte for a long frame and for short ones.

    The same number of bytes is fed either way, so that the samples are of like length.
    """
    samples: dict[str, list[float]] = {"short": [], "long": []}
    for _ in range(rounds):
        for name, size in (("short", SHORT), ("long", LONG)):
            chunks = single_bytes(size, LONG // size)
            with collector_off():
                started = clock()
                taken = feed_all(chunks)
                samples[name].append((clock() - started) / LONG)
            assert len(taken) == LONG // size
    return Race(samples)


def views_of_changed_buffers() -> list[str]:
    """Return in which ways a change to a buffer that was fed shows in what was decoded."""
    message = PluginKIServerResponse(["one", "two" * 100])
    frame = encode(message)

    def whole(buffer: bytearray) -> Any:
        return decode(buffer)

    def fed(buffer: bytearray) -> Any:
        return next(iter(MessageDecoder().feed(buffer)))

    def viewed(buffer: bytearray) -> Any:
        return decode(memoryview(buffer))

    changed = []
    for name, decode_buffer in (("decode()", whole), ("decode(view)", viewed), ("feed()", fed)):
        buffer = bytearray(frame)
        taken = decode_buffer(buffer)
        buffer[:] = bytes(len(buffer))
        if not same(taken, message):
            changed.append(f"a bytearray changed after {name} changes what came of it")
    decoder = MessageDecoder()
    taken = []
    for start in range(0, len(frame), 7):
        chunk = bytearray(frame[start : start + 7])
        taken.extend(decoder.feed(chunk))
        chunk[:] = bytes(len(chunk))
    if len(taken) != 1 or not same(taken[0], message):
        changed.append("a bytearray changed after feed() in chunks changes what came of it")
    return changed
