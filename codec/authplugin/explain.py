"""A frame for people: a hex dump with each field named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from .codec import LENGTH_SIZE, SPECS, TYPE_AT, Data, decode, for_method, view_of
from .errors import RemoteProtocolError
from .limits import DEFAULT_LIMITS, Limits
from .messages import KEYBOARD_INTERACTIVE
from .reading import FrameReader, Part
from .wire import DECODERS, Decoder, get_uint32

_ROW = 16  # bytes on a line
_NAME_WIDTH = 24


def explain(
    frame: Data,
    limits: Limits = DEFAULT_LIMITS,
    method: str | None = KEYBOARD_INTERACTIVE,
    *,
    secrets: bool = False,
) -> str:
    """Return a hex dump of a frame, with each field named and what is wrong with it pointed out.

    Any bytes will do, a whole frame or not. What could be secret is shown as asterisks unless
    `secrets`: the responses, and all that was not understood.

    Raises:
        LocalProtocolError: where `frame` is no buffer of bytes, or `method` is unknown.
    """
    view = view_of(frame)
    parts, title = _parts(view, limits, for_method(DECODERS, method))
    lines = [f"{title}, {len(view)} bytes"]
    for part in parts:
        lines += _rows(part, view, show=secrets or not part.secret)
    try:
        decode(view, limits, method)
    except RemoteProtocolError as problem:
        lines.append(f"  wrong: {problem}")
    return "\n".join(lines)


def _parts(
    view: memoryview, limits: Limits, decoders: Mapping[int, Decoder]
) -> tuple[list[Part], str]:
    """Return what the frame consists of, as far as it can be read, and its title."""
    parts = []
    title = "no message"
    end = 0
    if len(view) >= LENGTH_SIZE:
        (length,) = get_uint32(view)
        parts.append(Part("length", 0, LENGTH_SIZE, str(length)))
        end = LENGTH_SIZE
    if len(view) > TYPE_AT:
        code = view[TYPE_AT]
        spec = SPECS[decoders[code]] if code in decoders else None
        title = spec.name if spec else f"unknown type {code}"
        parts.append(Part("type", TYPE_AT, 1, f"{code} {title}" if spec else title))
        reader = FrameReader(view[: LENGTH_SIZE + length], limits)
        if spec is not None:
            with suppress(RemoteProtocolError):
                reader.fields(spec)
        parts += reader.parts
        end = reader.at
    parts.append(Part("not understood", end, len(view) - end, secret=True))
    return parts, title


def _rows(part: Part, view: memoryview, *, show: bool) -> Iterator[str]:
    name = part.name
    for start in range(part.offset, part.offset + part.size, _ROW):
        data = view[start : min(start + _ROW, part.offset + part.size)]
        octets = data.hex(" ") if show else " ".join(["**"] * len(data))
        meaning = part.meaning or (_printable(data) if show else "")
        yield f"  {start:06x}  {octets:<{3 * _ROW}} {name:<{_NAME_WIDTH}} {meaning}".rstrip()
        name = ""


def _printable(data: memoryview) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)
