"""Other ways to read a message than the right one: which of them its author has written it in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from authplugin import MESSAGES, Side
from authplugin.kinds import BooleanKind, CountedKind, Kind, StringKind


class _Misread(Exception):  # noqa: N818 - the reading does not fit, which is no error
    """The bytes are not in this manner."""


class _Reader:
    """Reads the fields of a message; each subclass does one thing wrong, as an author may.

    Attributes:
        words: the mistake.
    """

    words: ClassVar[str] = ""

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
    words = "its count is one more than what follows"

    def count(self) -> int:
        return self.number() - 1


class _OneTooFew(_Reader):
    words = "its count is one less than what follows"

    def count(self) -> int:
        return self.number() + 1


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
    *(_ByteCounts, _ShortLengths, _ByteLengths, _NulInstead, _NoCounts, _LastBeyondEnd),
)
_OF_CHARACTERS: Final[tuple[type[_Reader], ...]] = (_Reader, _Characters, _CodeUnits)
_SPECS: Final = {each.spec.code: each.spec for each in MESSAGES if each.spec.sender is Side.PLUGIN}


def manner_of(body: bytes) -> str | None:
    """Return in which wrong way a message has been written; None where nobody knows.

    Args:
        body: the type byte and the fields, which cannot be read as they should.
    """
    if not body or (spec := _SPECS.get(body[0])) is None:
        return None
    kinds = [(field.name, field.kind) for field in spec.fields]
    for reader in _READERS:
        if _reads(reader(body), [kind for _, kind in kinds]):
            return reader.words
    missing = [
        name
        for index, (name, _) in enumerate(kinds)
        if _reads(_Reader(body), [kind for _, kind in (*kinds[:index], *kinds[index + 1 :])])
    ]
    if missing:
        names = " or ".join(missing)
        return f"a field is missing ({names}): what is empty has to be written too"
    return _two_in_one(body)


def _two_in_one(body: bytes) -> str | None:
    first = _Reader(body)
    try:
        for field in _SPECS[body[0]].fields:
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
