"""Other ways to read a message than the right one: which of them its author has written it in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any, ClassVar, Final

from authplugin import MESSAGES, MessageSpec, PluginKIServerResponse, PluginKIUserRequest, Side
from authplugin.kinds import BooleanKind, CountedKind, Kind, StringKind


class _Misread(Exception):  # noqa: N818 - the reading does not fit, which is no error
    """The bytes are not in this manner."""


class _Reader:
    """Reads the fields of a message; each subclass does one thing wrong, as an author may.

    Attributes:
        words: the mistake.
    """

    words: str = ""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 1

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.body) - self.at:
            raise _Misread
        self.at += size
        return self.body[self.at - size : self.at]

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def text(self) -> None:
        self.take(self.number()).decode()

    def boolean(self) -> None:
        if self.take(1) not in (b"\0", b"\1"):
            raise _Misread

    def count(self) -> int:
        return self.number()

    def elements(self, kind: CountedKind) -> None:
        count = self.count()
        if not 0 <= count <= len(self.body):
            raise _Misread
        for _ in range(count):
            self.element(kind)

    def element(self, kind: CountedKind) -> None:
        for _, part in kind.element:
            self.field(part)

    def field(self, kind: Kind | BooleanKind) -> None:
        match kind:
            case StringKind():
                self.text()
            case CountedKind():
                self.elements(kind)
            case BooleanKind():
                self.boolean()
            case _:
                self.number()


class _Characters(_Reader):
    words = "a length counts characters, where it has to count the bytes of the text in UTF-8"
    encoding: ClassVar[str] = "utf-32-le"
    unit: ClassVar[int] = 4

    def text(self) -> None:
        wanted = self.number()
        rest = self.body[self.at :].decode("utf-8", "surrogateescape")
        taken = rest.encode(self.encoding, "surrogatepass")[: wanted * self.unit]
        if len(taken) < wanted * self.unit:
            raise _Misread
        self.take(len(taken.decode(self.encoding).encode()))


class _CodeUnits(_Characters):
    words = "a length counts units of UTF-16, where it has to count the bytes of the text in UTF-8"
    encoding = "utf-16-le"
    unit = 2


class _OtherEncoding(_Reader):
    words = "its texts are in another encoding than UTF-8, such as Latin-1"

    def text(self) -> None:
        self.take(self.number())


class _LowByteFirst(_Reader):
    words = "its numbers have the low byte first"

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")


class _NulNotWritten(_Reader):
    words = "each length is one too many, as if a NUL ended the text"

    def text(self) -> None:
        self.take(self.number() - 1).decode()


class _NulNotCounted(_Reader):
    words = "a NUL follows each text, which its length does not count: no NUL belongs there"

    def text(self) -> None:
        super().text()
        if self.take(1) != b"\0":
            raise _Misread


class _NulInstead(_Reader):
    words = "its texts end with a NUL, where each has its length in front"

    def text(self) -> None:
        end = self.body.find(b"\0", self.at)
        self.take(end - self.at).decode()
        self.take(1)


class _LengthCountsItself(_Reader):
    words = "the length of a text counts its own four bytes, which it must not"

    def text(self) -> None:
        self.take(self.number() - 4).decode()


class _ShortLengths(_Reader):
    words = "the length of a text takes two bytes, and must take four"

    def text(self) -> None:
        self.take(int.from_bytes(self.take(2), "big")).decode()


class _ByteLengths(_Reader):
    words = "the length of a text takes one byte, and must take four"

    def text(self) -> None:
        self.take(self.take(1)[0]).decode()


class _LongBooleans(_Reader):
    words = "a boolean takes four bytes, and must take one"

    def boolean(self) -> None:
        if self.number() > 1:
            raise _Misread


class _WrittenBooleans(_Reader):
    words = "a boolean is not written as 0 or 1"

    def boolean(self) -> None:
        self.take(1)


class _NoBooleans(_Reader):
    words = "its prompts have no boolean behind them that says whether to echo"

    def boolean(self) -> None:
        pass


class _OneTooMany(_Reader):
    words = "its count is one more than what follows: what is empty has to be written too"

    def count(self) -> int:
        return self.number() - 1


class _OneTooFew(_Reader):
    words = "its count is one less than what follows"

    def count(self) -> int:
        return self.number() + 1


class _CountLowByteFirst(_Reader):
    words = "its count has the low byte first"

    def count(self) -> int:
        return int.from_bytes(self.take(4), "little")


class _OtherCount(_Reader):
    def elements(self, kind: CountedKind) -> None:
        count, found = self.number(), 0
        while self.at < len(self.body):
            self.element(kind)
            found += 1
        self.words = (
            f"its count is {count}, and {found} follow{'s' if found == 1 else ''}: "
            "what is empty has to be written too"
        )


class _ByteCounts(_Reader):
    words = "a count takes one byte, and must take four"

    def count(self) -> int:
        return self.take(1)[0]


class _NoCounts(_Reader):
    words = "there is no count in front of what it is to count"

    def elements(self, kind: CountedKind) -> None:
        while self.at < len(self.body):
            self.element(kind)


class _LastBeyondEnd(_Reader):
    words = "a text's length goes beyond the end of the message: there are fewer bytes of it"

    def text(self) -> None:
        length = self.number()
        self.take(min(length, len(self.body) - self.at)).decode()


_READERS: Final[tuple[type[_Reader], ...]] = (
    *(_Characters, _CodeUnits, _OtherEncoding, _LowByteFirst, _NulNotWritten, _NulNotCounted),
    *(_LengthCountsItself, _LongBooleans, _WrittenBooleans, _NoBooleans, _OneTooMany, _OneTooFew),
    *(_CountLowByteFirst, _OtherCount, _ByteCounts, _ShortLengths, _ByteLengths, _NulInstead),
    _NoCounts,
)
_OF_CHARACTERS: Final[tuple[type[_Reader], ...]] = (_Reader, _Characters, _CodeUnits)
_SSH_TYPES: Final = {60: PluginKIUserRequest.spec, 61: PluginKIServerResponse.spec}
"""The messages with the same fields as those that have these types in SSH (RFC 4256, section 5)."""

_SPECS: Final = {each.spec.code: each.spec for each in MESSAGES if each.spec.sender is Side.PLUGIN}


def manner_of(body: bytes) -> str | None:
    """Return in which wrong way a message has been written; None where nobody knows.

    Args:
        body: the type byte and the fields, which cannot be read as they should.
    """
    if not body:
        return None
    if (words := _with_type_of_ssh(body)) is not None:
        return words
    if (spec := _SPECS.get(body[0])) is None:
        return None
    kinds = [field.kind for field in spec.fields]
    for each in _READERS:
        reader = each(body)
        if _reads(reader, kinds):
            return reader.words
    for how in (_fields_missing, _fields_in_other_order, _two_in_one, _no_fields_due):
        if (words := how(body, spec)) is not None:
            return words
    return _LastBeyondEnd.words if _reads(_LastBeyondEnd(body), kinds) else None


def _with_type_of_ssh(body: bytes) -> str | None:
    if (spec := _SSH_TYPES.get(body[0])) is not None and reads(bytes([spec.code]) + body[1:]):
        return f"{body[0]} is its type in SSH: here it has the type {spec.code} ({spec.clause})"
    second = _SSH_TYPES.get(body[1]) if len(body) > 1 else None
    if second is not None and second.code == body[0] and reads(body[:1] + body[2:]):
        return (
            f"its type in SSH, {body[1]}, stands behind its type {body[0]}, which takes the place "
            f"of the former ({second.clause})"
        )
    return None


def _fields_missing(body: bytes, spec: MessageSpec) -> str | None:
    fields = spec.fields
    missing = [
        field
        for index, field in enumerate(fields)
        if _reads(_Reader(body), [each.kind for each in (*fields[:index], *fields[index + 1 :])])
    ]
    if not missing:
        return None
    names = " or ".join(field.name for field in missing)
    can_be_empty = any(isinstance(field.kind, (StringKind, CountedKind)) for field in missing)
    empty = ": what is empty has to be written too" if can_be_empty else ""
    return f"a field is missing ({names}){empty}"


def _fields_in_other_order(body: bytes, spec: MessageSpec) -> str | None:
    orders = permutations([field.kind for field in spec.fields])
    if not any(_reads(_Reader(body), list(kinds)) for kinds in orders):
        return None
    names = ", ".join(field.name for field in spec.fields)
    return f"its fields are in another order than the one they must be in: {names}"


def _no_fields_due(body: bytes, spec: MessageSpec) -> str | None:
    if spec.fields or len(body) == 1:
        return None
    return f"{spec.name} has no fields, not even an empty one ({spec.clause})"


def _two_in_one(body: bytes, spec: MessageSpec) -> str | None:
    first = _Reader(body)
    try:
        for field in spec.fields:
            first.field(field.kind)
    except (_Misread, UnicodeError):
        return None
    second = _SPECS.get(body[first.at]) if first.at < len(body) else None
    if second is None or not _reads(
        _Reader(body[first.at :]), [field.kind for field in second.fields]
    ):
        return None
    return f"{second.name} is under the same length: each message has a length of its own"


def reads(body: bytes) -> bool:
    """Say whether a message can be read as it should, or with lengths that count characters."""
    spec = _SPECS.get(body[0]) if body else None
    if spec is None:
        return False
    kinds = [field.kind for field in spec.fields]
    return any(_reads(reader(body), kinds) for reader in _OF_CHARACTERS)


def _reads(reader: _Reader, kinds: list[Any]) -> bool:
    try:
        for kind in kinds:
            reader.field(kind)
    except (_Misread, UnicodeError):
        return False
    return reader.at == len(reader.body)


def whole_characters(data: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the bytes of so many characters of UTF-8, and of so many units of UTF-16."""
    text = data.decode("utf-8", "ignore")
    yield text[:wanted].encode()
    yield text.encode("utf-16-le")[: 2 * wanted].decode("utf-16-le", "ignore").encode()
