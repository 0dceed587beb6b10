"""A plain reader of one frame: slow, strict, and simple enough to check by eye (H.3, H.6).

The first problem in reading order is the one reported. The frame as a whole comes first (the
length field against zero, the limit and the bytes that are there), then the type byte, then one
field after the other, each completely, text included, before the next is looked at.
"""

from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["FIELDS", "NAMES", "Cursor", "Limits", "LimitsLike", "Refused", "begin", "decode"]


class Refused(Exception):  # noqa: N818 - a verdict rather than a mishap
    """The frame is not a message of the protocol.

    Attributes:
        code: the stable code, such as ``"field-truncated"``.
        field: the field's name, such as ``"prompts[0].echo"``; None where no field is to blame.
        offset: in bytes, from the first byte of the frame's length field.

    """

    def __init__(self, code: str, field: str | None, offset: int) -> None:
        super().__init__(code, field, offset)
        self.code = code
        self.field = field
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.code} at offset {self.offset} ({self.field or 'no field'})"


class LimitsLike(Protocol):
    """What is read of limits; the codec's own have these names and can be passed as they are."""

    @property
    def frame(self) -> int: ...  # noqa: D102
    @property
    def text(self) -> int: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102
    @property
    def nonzero_is_true(self) -> bool: ...  # noqa: D102
    @property
    def any_bytes(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Limits:
    """What is accepted.

    Attributes:
        frame: the largest length field, in bytes.
        text: the longest string, in bytes.
        count: the most prompts or responses.
        nonzero_is_true: take a boolean other than 0 and 1 as true (RFC 4251 section 5).
        any_bytes: take hostname, username and message as they are; the text states no encoding.

    """

    frame: int = 262_144
    text: int = 65_536
    count: int = 1_024
    nonzero_is_true: bool = False
    any_bytes: bool = False


NAMES: dict[int, str] = {
    1: "PLUGIN_INIT",
    2: "PLUGIN_INIT_RESPONSE",
    3: "PLUGIN_PROTOCOL",
    4: "PLUGIN_PROTOCOL_ACCEPT",
    5: "PLUGIN_PROTOCOL_REJECT",
    6: "PLUGIN_AUTH_SUCCESS",
    7: "PLUGIN_AUTH_FAILURE",
    8: "PLUGIN_INIT_FAILURE",
    20: "PLUGIN_KI_SERVER_REQUEST",
    21: "PLUGIN_KI_SERVER_RESPONSE",
    22: "PLUGIN_KI_USER_REQUEST",
    23: "PLUGIN_KI_USER_RESPONSE",
}
"""The messages' names by type code, as `turns` wants them."""

_INFO_REQUEST = ("name", "instructions", "language", "prompts")
_INFO_RESPONSE = ("responses",)

FIELDS: dict[int, tuple[str, ...]] = {
    1: ("version", "hostname", "port", "username"),
    2: ("version", "username"),
    3: ("method",),
    4: (),
    5: ("message",),
    6: (),
    7: (),
    8: ("message",),
    20: _INFO_REQUEST,
    21: _INFO_RESPONSE,
    22: _INFO_REQUEST,
    23: _INFO_RESPONSE,
}
"""The names of the fields after the type byte, in order, by type code."""

_NUMBERS = ("version", "port")
_ASCII = ("method", "language")
# The only strings for which neither the published text nor the RFC states an encoding.
_UNSTATED = ("hostname", "username", "message")


class Cursor:
    """A position in one whole frame. Each method reads one thing and moves behind it.

    Every method takes the field's name for its refusals, and every one may raise `Refused`.
    """

    def __init__(self, frame: bytes, limits: LimitsLike, position: int = 0) -> None:
        self.frame = frame
        self.limits = limits
        self.position = position

    def left(self) -> int:
        """Return how many bytes the position has before it."""
        return len(self.frame) - self.position

    def uint32(self, field: str) -> int:
        """Read four bytes, big-endian."""
        if self.left() < 4:
            raise Refused("field-truncated", field, self.position)
        self.position += 4
        return int.from_bytes(self.frame[self.position - 4 : self.position], "big")

    def boolean(self, field: str) -> bool:
        """Read one byte, 0 or 1."""
        if self.left() < 1:
            raise Refused("field-truncated", field, self.position)
        value = self.frame[self.position]
        if value > 1 and not self.limits.nonzero_is_true:
            raise Refused("bad-boolean", field, self.position)
        self.position += 1
        return value != 0

    def string(self, field: str) -> bytes:
        """Read a length and that many bytes, whatever they are."""
        start = self.position
        length = self.uint32(field)
        if length > self.limits.text:
            raise Refused("string-too-long", field, start)
        if length > self.left():
            raise Refused("field-truncated", field, start)
        self.position += length
        return self.frame[self.position - length : self.position]

    def utf8(self, field: str) -> bytes:
        """Read a string of well-formed UTF-8."""
        value = self.string(field)
        try:
            value.decode("utf-8")
        except UnicodeDecodeError as error:
            offset = self.position - len(value) + error.start
            # The cause would carry the text, which may be a secret.
            raise Refused("bad-utf8", field, offset) from None
        return value

    def ascii(self, field: str) -> bytes:
        """Read a string of ASCII."""
        value = self.string(field)
        for index, byte in enumerate(value):
            if byte > 127:
                raise Refused("bad-ascii", field, self.position - len(value) + index)
        return value

    def count(self, field: str, smallest: int) -> int:
        """Read how many elements follow, none of which takes less than `smallest` bytes."""
        start = self.position
        count = self.uint32(field)
        if count > self.limits.count:
            raise Refused("count-too-large", field, start)
        if count * smallest > self.left():
            raise Refused("count-impossible", field, start)
        return count

    def prompts(self) -> list[tuple[bytes, bool]]:
        """Read a count and that many prompts with their echo (RFC 4256 section 3.2)."""
        prompts = []
        for index in range(self.count("prompts", 4 + 1)):
            prompt = self.utf8(f"prompts[{index}].prompt")
            prompts.append((prompt, self.boolean(f"prompts[{index}].echo")))
        return prompts

    def responses(self) -> list[bytes]:
        """Read a count and that many responses (RFC 4256 section 3.4)."""
        count = self.count("responses", 4)
        return [self.utf8(f"responses[{index}]") for index in range(count)]

    def field(self, name: str) -> Any:
        """Read the field of this name as what the protocol has under that name."""
        if name in _NUMBERS:
            return self.uint32(name)
        if name == "prompts":
            return self.prompts()
        if name == "responses":
            return self.responses()
        if name in _ASCII:
            return self.ascii(name)
        if name in _UNSTATED and self.limits.any_bytes:
            return self.string(name)
        return self.utf8(name)

    def finish(self) -> None:
        """Refuse bytes that are left over."""
        if self.left() > 0:
            raise Refused("trailing-bytes", None, self.position)


def begin(frame: bytes, limits: LimitsLike) -> Cursor:
    """Return a cursor behind the type byte of exactly one whole frame, whatever that byte is.

    Raises:
        Refused: the bytes are anything else.

    """
    there = len(frame)
    if there < 4:
        raise Refused("end-truncated", None, there)
    length = int.from_bytes(frame[:4], "big")
    if length == 0:
        raise Refused("frame-empty", None, 0)
    if length > limits.frame:
        raise Refused("frame-too-long", None, 0)
    if there < 4 + length:
        raise Refused("end-truncated", None, there)
    if there > 4 + length:
        raise Refused("trailing-bytes", None, 4 + length)
    return Cursor(frame, limits, position=5)


def decode(frame: bytes, limits: LimitsLike | None = None) -> dict[str, Any]:
    """Return the neutral message in exactly one whole frame.

    Raises:
        Refused: the bytes are anything else.

    """
    cursor = begin(frame, limits or Limits())
    code = frame[4]
    if code not in FIELDS:
        raise Refused("unknown-type", None, 4)
    message: dict[str, Any] = {"type": code}
    for name in FIELDS[code]:
        message[name] = cursor.field(name)
    cursor.finish()
    return message
