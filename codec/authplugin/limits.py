"""How much a receiver takes, and from how careless a sender."""

from __future__ import annotations

from dataclasses import dataclass

_MAXIMUM = 0xFFFF_FFFF  # what a uint32 can hold


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds, and the two leniencies, of one receiver or sender.

    The published text sets no bounds; these are the library's. Both directions keep to them.

    Attributes:
        frame: the largest value of a frame's length field, in bytes.
        text: the longest string in a field, in bytes.
        count: the largest number of prompts or responses in one message.
        nonzero_is_true: take any byte but 0 as true, as RFC 4251 section 5 tells a receiver to.
            Such a byte is kept as it is, so that encoding gives the same frame again. It does not
            hold for the booleans of SSH's user authentication that tell one message from another
            (`change`, `has_signature`): a signature covers them, and they are always 0 or 1.
        any_bytes: take host names, user names and failure messages as they are, UTF-8 or not;
            the published text states no encoding for them.

    Raises:
        ValueError: where a bound is not from 1 (0 for `count`) to 2**32 - 1, or a leniency is not a
            bool.
    """

    frame: int = 256 * 1024
    text: int = 64 * 1024
    count: int = 1024
    nonzero_is_true: bool = False
    any_bytes: bool = False

    def __post_init__(self) -> None:
        for name, least in (("frame", 1), ("text", 1), ("count", 0)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= _MAXIMUM:
                raise ValueError(
                    f"Limits.{name} is {value!r}, and must be an int from {least} to {_MAXIMUM}"
                )
        for name in ("nonzero_is_true", "any_bytes"):
            value = getattr(self, name)
            if type(value) is not bool:
                raise ValueError(f"Limits.{name} is {value!r}, and must be a bool")


DEFAULT_LIMITS = Limits()
