"""What an author has probably done who wrote bytes that are no message."""

from __future__ import annotations

from typing import Final

from authplugin import Limits, RemoteProtocolError, Side, decode

from .readings import manner_of, reads, whole_characters

_HEADER: Final = 4
_PLAUSIBLE: Final = 1 << 16
"""Bytes: a frame of a plugin is hardly ever longer."""

_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def noise_in(data: bytes) -> bool:
    """Say whether bytes where a frame should begin are text."""
    start = data[:_HEADER]
    return bool(start) and all(_is_text(byte) for byte in start)


def stray_line_end(data: bytes, limits: Limits) -> bool:
    """Say whether bytes are the end of a line, and perhaps a frame behind it."""
    rest = data.lstrip(b"\r\n")
    if len(rest) == len(data):
        return False
    return not rest or _reads(rest[: _HEADER + int.from_bytes(rest[:_HEADER], "big")], limits)


def _is_text(byte: int) -> bool:
    return 0x20 <= byte < 0x7F or byte in b"\t\r\n" or byte >= 0xC2


def guess(data: bytes, limits: Limits) -> str | None:
    """Return what has probably gone wrong where a frame should begin; None where nobody knows.

    Args:
        data: all that came from there on.
        limits: those that it was read with.
    """
    if len(data) < _HEADER:
        return None
    if data.startswith(_BYTE_ORDER_MARKS):
        return "a byte order mark comes first: standard output has to take bytes, and not text"
    length = int.from_bytes(data[:_HEADER], "big")
    body = data[_HEADER:]
    reversed_length = int.from_bytes(data[:_HEADER], "little")
    if length > _PLAUSIBLE >= reversed_length > 0 and _reads_as(reversed_length, body, limits):
        return f"its length has the low byte first: {reversed_length}, and not {length}, was meant"
    own = length - _HEADER
    # Where more than that has come, what follows is a message with a length of its own.
    if any(body[own:length]) == (len(body) > own) and _reads_as(own, body, limits):
        return "its length counts the four bytes of the length, which it must not"
    if _reads_as(length + 1, body, limits):
        return "its length does not count the type byte, which it must"
    if b"\r\n" in data and _reads_as_lines(data, limits):
        return (
            "a line feed has become a carriage return and a line feed: "
            "standard output has to be in binary mode"
        )
    if _reads_as_bytes(data, limits):
        return "a byte above 127 has become two: messages are bytes, and not text"
    if any(len(each) > length and reads(each) for each in whole_characters(body, length)):
        return "its length counts characters, and not bytes"
    if 0 < length <= len(body) and (manner := manner_of(body[:length])) is not None:
        return manner
    short = int.from_bytes(data[:2], "big")
    if _reads_as(short, data[2:], limits):
        return "its length takes two bytes, and must take four"
    swapped = data[:1] + data[_HEADER + 1 :]
    if _reads(_framed(swapped), limits):
        return "its type comes before its length"
    if _reads(_framed(data), limits):
        return "it has no length in front of its type"
    return None


def _reads_as(length: int, body: bytes, limits: Limits) -> bool:
    """Say whether the body's first bytes, so many, are a message."""
    return 0 < length <= len(body) and _reads(_framed(body[:length]), limits)


def _reads_as_lines(data: bytes, limits: Limits) -> bool:
    frame = data.replace(b"\r\n", b"\n")
    length = int.from_bytes(frame[:_HEADER], "big")
    return _reads_as(length, frame[_HEADER:], limits)


def _reads_as_bytes(data: bytes, limits: Limits) -> bool:
    """Say whether bytes that were written as characters are a message."""
    try:
        written = data.decode("utf-8", "ignore").encode("latin-1")
    except UnicodeEncodeError:
        return False
    if written == data:
        return False
    length = int.from_bytes(written[:_HEADER], "big")
    return _reads_as(length, written[_HEADER:], limits)


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(_HEADER, "big") + body


def _reads(frame: bytes, limits: Limits) -> bool:
    try:
        return decode(frame, limits).spec.sender is Side.PLUGIN
    except RemoteProtocolError:
        return False
