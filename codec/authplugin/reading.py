"""A frame read field by field, slowly: to say exactly what is wrong with it, or to show it.

The generated decoders only notice that something is wrong. This finds out what: the first problem
in the order of the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from .errors import ErrorCode, RemoteProtocolError
from .kinds import (
    BooleanKind,
    ConstantKind,
    CountedKind,
    Encoding,
    RestKind,
    StringKind,
    UInt32Kind,
    WireKind,
)
from .limits import Limits
from .table import WireSpec
from .text import empty_name_at, ill_formed_at, not_ascii_at

FIELDS_START = 5
"""Where the fields of a frame begin: behind its length and its type byte."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes in a frame.

    Attributes:
        name: the field, such as `"prompts[1].echo"`, or what else the bytes are.
        offset: bytes from the start of the frame.
        size: how many bytes.
        meaning: the value, for people; for a string its bytes speak for themselves.
        secret: whether the bytes are to be kept from view.
    """

    name: str
    offset: int
    size: int
    meaning: str | None = None
    secret: bool = False


@dataclass(slots=True)
class FrameReader:
    """Reads the fields of one frame, and keeps what it has read in `parts`."""

    frame: memoryview
    limits: Limits
    at: int = FIELDS_START
    parts: list[Part] = field(default_factory=list)

    def fields(self, spec: WireSpec) -> None:
        """Read all fields of a message; raise RemoteProtocolError at the first problem."""
        for each in spec.fields:
            self._read(each.name, each.kind)
        if self.at < len(self.frame):
            rest = len(self.frame) - self.at
            raise left_over(rest, f"the last field of {spec.name}", offset=self.at)

    def _read(self, name: str, kind: WireKind) -> None:
        cast("Callable[[FrameReader, str, object], None]", _READERS[type(kind)])(self, name, kind)

    def _left(self) -> int:
        return len(self.frame) - self.at

    def _integer(self, name: str) -> int:
        if self._left() < UInt32Kind.least_size:
            raise RemoteProtocolError(
                ErrorCode.FIELD_TRUNCATED,
                f"a uint32 takes 4 bytes, and the frame has {self._left()} left",
                field=name,
                offset=self.at,
            )
        return int.from_bytes(self.frame[self.at : self.at + 4], "big")

    def _take(self, name: str, size: int, meaning: str | None, *, secret: bool = False) -> None:
        self.parts.append(Part(name, self.at, size, meaning, secret))
        self.at += size

    def _uint32(self, name: str, kind: UInt32Kind) -> None:
        self._take(name, kind.least_size, str(self._integer(name)))

    def _rest(self, name: str, kind: RestKind) -> None:
        if self._left():
            self._take(name, self._left(), None, secret=kind.secret)

    def _constant(self, name: str, kind: ConstantKind) -> None:
        if isinstance(kind.kind, BooleanKind):
            # Which message it is hangs on it, so there is no leniency.
            self._boolean(name, kind.kind, strict=True)
        else:
            self._string(name, kind.kind)

    def _boolean(self, name: str, kind: BooleanKind, *, strict: bool = False) -> None:
        if self._left() < kind.least_size:
            raise RemoteProtocolError(
                ErrorCode.FIELD_TRUNCATED,
                "a boolean takes 1 byte, and the frame has none left",
                field=name,
                offset=self.at,
            )
        value = self.frame[self.at]
        if value > 1 and (strict or not self.limits.nonzero_is_true):
            raise RemoteProtocolError(
                ErrorCode.BAD_BOOLEAN,
                "a boolean is 0 or 1",
                field=name,
                offset=self.at,
            )
        self._take(name, kind.least_size, "true" if value else "false")

    def _string(self, name: str, kind: StringKind) -> None:
        size = self._integer(name)
        if size > self.limits.text:
            raise RemoteProtocolError(
                ErrorCode.STRING_TOO_LONG,
                f"the string says it is longer than the limit of {self.limits.text} bytes",
                field=name,
                offset=self.at,
            )
        if size > self._left() - 4:
            raise RemoteProtocolError(
                ErrorCode.FIELD_TRUNCATED,
                f"the string says it is longer than the {self._left() - 4} bytes left",
                field=name,
                offset=self.at,
            )
        self._check_text(name, kind, self.at + 4, size)
        self._take(f"{name} length", 4, str(size))
        if size:
            self._take(name, size, None, secret=kind.secret)

    def _check_text(self, name: str, kind: StringKind, start: int, size: int) -> None:
        if kind.encoding is Encoding.UNSTATED and self.limits.any_bytes:
            return
        text = self.frame[start : start + size]
        for code, wanted, find in TEXT_CHECKS[kind.encoding]:
            wrong = find(text)
            if wrong is not None:
                raise RemoteProtocolError(
                    code, f"the string is not {wanted}", field=name, offset=start + wrong
                )

    def _counted(self, name: str, kind: CountedKind) -> None:
        count = self._integer(name)
        if count > self.limits.count:
            raise RemoteProtocolError(
                ErrorCode.COUNT_TOO_LARGE,
                f"the count is over the limit of {self.limits.count}",
                field=name,
                offset=self.at,
            )
        if count * kind.least_element_size > self._left() - 4:
            raise RemoteProtocolError(
                ErrorCode.COUNT_IMPOSSIBLE,
                f"the count is of more elements than the {self._left() - 4} bytes left can hold",
                field=name,
                offset=self.at,
            )
        self._take(f"{name} count", 4, str(count))
        for index in range(count):
            for part, part_kind in kind.element:
                suffix = f".{part}" if len(kind.element) > 1 else ""
                self._read(f"{name}[{index}]{suffix}", part_kind)


_READERS = {
    UInt32Kind: FrameReader._uint32,
    BooleanKind: FrameReader._boolean,
    StringKind: FrameReader._string,
    CountedKind: FrameReader._counted,
    RestKind: FrameReader._rest,
    ConstantKind: FrameReader._constant,
}

_UTF8 = (ErrorCode.BAD_UTF8, "UTF-8", ill_formed_at)
_ASCII = (ErrorCode.BAD_ASCII, "ASCII", not_ascii_at)

TEXT_CHECKS = {
    Encoding.UTF8: (_UTF8,),
    Encoding.UNSTATED: (_UTF8,),
    Encoding.ASCII: (_ASCII,),
    Encoding.NAMES: (
        _ASCII,
        (ErrorCode.BAD_NAME_LIST, "a list of names, none of them empty", empty_name_at),
    ),
    Encoding.OPAQUE: (),
}
"""By encoding: what to refuse a string with, what it should be, and what finds the first byte that
is wrong."""


def left_over(count: int, behind: str, offset: int) -> RemoteProtocolError:
    """Return the error for so many bytes behind something that should be the last."""
    words = "1 byte follows" if count == 1 else f"{count} bytes follow"
    return RemoteProtocolError(ErrorCode.TRAILING_BYTES, f"{words} {behind}", offset=offset)


def refuse_fields(spec: WireSpec, frame: memoryview, limits: Limits) -> RemoteProtocolError:
    """Return what is wrong with the fields of a frame that its decoder did not accept."""
    try:
        FrameReader(frame, limits).fields(spec)
    except RemoteProtocolError as error:
        return error.with_traceback(None)
    raise AssertionError(f"the decoder of {spec.name} refused a frame without fault")
