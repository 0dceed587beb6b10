"""What the bytes of an input, and so of a corpus file, mean.

    byte 0      bits 0 to 2: the number of chunk sizes; bits 3 and 4: the limits, an index into
                `LIMITS`; the other bits mean nothing
    then        that many chunk sizes, a byte each; 0 stands for 256
    the rest    the data

The data comes in chunks of these sizes, taken over and over; without sizes, in one. For `messages`
it is what one side says: frames, one after the other. For `client` and `plugin` it is a
conversation: the frames of both sides in the order in which they were said (see
`authplugin_properties.model`). Any bytes at all are an input, and the same file serves any target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from authplugin import Limits

LIMITS: Final = (
    Limits(),
    Limits(frame=64, text=24, count=3),
    Limits(nonzero_is_true=True, any_bytes=True),
    Limits(frame=64, text=24, count=3, nonzero_is_true=True, any_bytes=True),
)
"""What an input can ask its receiver to accept. The small ones are soon reached, from both
sides."""

MOST_SIZES: Final = 7
"""The most chunk sizes that an input can hold."""


@dataclass(slots=True)
class Input:
    """An input, taken apart.

    Attributes:
        sizes: the sizes of the chunks, from 1 to 256, at most `MOST_SIZES`.
        limits_index: which of `LIMITS`.
        data: what comes in.
    """

    sizes: list[int]
    limits_index: int
    data: bytes

    @property
    def limits(self) -> Limits:
        """What the receiver accepts."""
        return LIMITS[self.limits_index]

    @classmethod
    def from_bytes(cls, raw: bytes) -> Input:
        """Take an input apart; whatever is missing is zero."""
        head = raw[0] if raw else 0
        stop = 1 + (head & MOST_SIZES)
        return cls([size or 256 for size in raw[1:stop]], head >> 3 & 3, raw[stop:])

    def to_bytes(self) -> bytes:
        """Put the input together again."""
        head = len(self.sizes) | self.limits_index << 3
        return bytes((head, *(size & 0xFF for size in self.sizes))) + self.data
