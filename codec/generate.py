"""Write the straight-line decoders and encoders from the message table.

    python codec/generate.py            write codec/authplugin/wire.py
    python codec/generate.py --check    exit 1 where that file is not what would be written

Straight-line code is the fastest that pure Python has for this; written to a file, it is also code
that people, debuggers, coverage and fuzzers can see.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent / "authplugin"
TARGET = PACKAGE / "wire.py"
WIDTH = 100
REFUSE = "        raise IndexError"  # the body of a decoder's `if`

if "authplugin" not in sys.modules:
    # The table has to be readable while wire.py is missing or stale, so the package's own
    # __init__, which imports wire.py, must not run.
    _bare = types.ModuleType("authplugin")
    _bare.__path__ = [str(PACKAGE)]
    sys.modules["authplugin"] = _bare

kinds = importlib.import_module("authplugin.kinds")
messages = importlib.import_module("authplugin.messages")
reading = importlib.import_module("authplugin.reading")

HEADER = '''\
"""One decoder and one encoder for each message, straight-line.

Written by codec/generate.py from the message table: change the table, then run it again.

A decoder takes a whole frame whose length field has been checked. It only notices that something
is wrong, raises one of UNREADABLE, and leaves it to `refuse_frame` to find out what. An encoder
puts the fields together, raises one of UNWRITABLE where it cannot or must not, and leaves the rest
to `refuse_message`. `authplugin.decode` and `authplugin.encode` are what to call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from .kinds import BOOLEANS, OCTETS
from .limits import Limits
from .messages import (
{imports}
)
from .table import Message
from .text import STEP, are_utf8, is_ascii

{structs}

UNREADABLE: Final = (struct.error, IndexError)
UNWRITABLE: Final = (struct.error, TypeError, ValueError, KeyError, AttributeError)
'''


def condition(terms: list[str], joint: str, indent: str) -> Iterator[str]:
    """Yield an `if` statement's head over all terms, on one line where it fits."""
    line = f"{indent}if {f' {joint} '.join(terms)}:"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{indent}if ("
    yield f"{indent}    {terms[0]}"
    yield from (f"{indent}    {joint} {term}" for term in terms[1:])
    yield f"{indent}):"


def listing(head: str, items: list[str]) -> Iterator[str]:
    """Yield a list display, on one line where it fits, else one item a line."""
    line = f"    {head} [{', '.join(items)}]"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"    {head} ["
    yield from (f"        {item}," for item in items)
    yield "    ]"


def sequence(items: list[str]) -> str:
    """Return the source of a tuple."""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


class Writer:
    """Writes the functions of one message."""

    def __init__(self, message: type) -> None:
        self.name = message.__name__
        self.spec = message.spec  # type: ignore[attr-defined]  # a message class
        self.function = self.spec.name.lower()
        self.strings = [
            field for field in self.spec.fields if isinstance(field.kind, kinds.StringKind)
        ]
        self.counted = next(
            (f for f in self.spec.fields if isinstance(f.kind, kinds.CountedKind)), None
        )
        self.element = self.counted.kind.element if self.counted else ()
        if self.counted not in (None, *self.spec.fields[-1:]):
            raise ValueError(f"{self.spec.name}: only the last field can be counted")

    def text(self, encoding: str) -> list[str]:
        """Return the string fields of one encoding, the strings of a counted field included."""
        found = [field.name for field in self.strings if is_encoded(field.kind, encoding)]
        parts = range(len(self.element))
        for at, (_, kind) in enumerate(self.element):
            if is_encoded(kind, encoding):
                each = ", ".join("part" if at == i else "_" for i in parts)
                values = self.counted.name
                found.append(f"*{values}" if len(parts) == 1 else f"*[part for {each} in {values}]")
        return found

    def decoder(self) -> Iterator[str]:
        """Yield the lines of the decoder."""
        yield f"def decode_{self.function}(frame: memoryview, limits: Limits) -> {self.name}:"
        yield f'    """Decode a {self.spec.name} frame ({self.spec.clause})."""'
        yield "    size = len(frame)"
        if self.strings or self.counted:
            yield "    longest = limits.text"
        body, end, slices = self.layout()
        yield from (f"    {line}" for line in body)
        too_long = [f"{field.name}_size > longest" for field in self.strings]
        if self.counted is None:
            yield from condition([f"size != {end}", *too_long], "or", "    ")
            yield REFUSE
        else:
            least = self.counted.kind.least_element_size
            yield f"    at = {end}"
            limit = ["count > limits.count", f"count * {least} > size - at"]
            yield from condition([*too_long, *limit], "or", "    ")
            yield REFUSE
            yield from self.elements()
        for name, start, stop in slices:
            colon = " : " if " " in start else ":"
            yield f"    {name} = frame[{start}{colon}{stop}]"
        yield from self.text_check(self.text, "{}", self.read_guard(), "raise IndexError")
        yield f"    return {self.name}({', '.join(f.name for f in self.spec.fields)})"

    def layout(self) -> tuple[list[str], str, list[tuple[str, str, str]]]:
        """Return what reads the integers, where the last field ends, and where each string is."""
        lines: list[str] = []
        slices = []
        words: list[str] = []
        base, offset = "", reading.FIELDS_START

        def position(extra: int = 0) -> str:
            total = offset + extra
            return " + ".join(filter(None, (base, str(total) if total or not base else "")))

        def flush() -> None:
            nonlocal offset
            if words:
                targets = words[0] + "," if len(words) == 1 else ", ".join(words)
                target = f"({targets})" if len(words) == 1 else targets
                lines.append(f"{target} = {getter(len(words))}(frame, {position()})")
                offset += 4 * len(words)
                words.clear()

        for field in self.spec.fields:
            if isinstance(field.kind, kinds.UInt32Kind):
                words.append(field.name)
            elif isinstance(field.kind, kinds.CountedKind):
                words.append("count")
            else:
                words.append(f"{field.name}_size")
                flush()
                end = f"{field.name}_end"
                lines.append(f"{end} = {position()} + {field.name}_size")
                slices.append((field.name, position(), end))
                base, offset = end, 0
        flush()
        return lines, position(), slices

    def elements(self) -> Iterator[str]:
        """Yield the loop that reads the elements of the counted field."""
        name = self.counted.name
        if any(isinstance(kind, kinds.BooleanKind) for _, kind in self.element):
            yield "    booleans = BOOLEANS[limits.nonzero_is_true]"
        yield f"    {name} = []"
        yield "    for _ in range(count):"
        for part, kind in self.element:
            if isinstance(kind, kinds.StringKind):
                yield f"        ({part}_size,) = {getter(1)}(frame, at)"
                yield f"        {part}_start = at + 4"
                yield f"        at = {part}_start + {part}_size"
                yield f"        if at > size or {part}_size > longest:"
                yield f"    {REFUSE}"
                yield f"        {part} = frame[{part}_start:at]"
            else:
                yield f"        {part} = booleans[frame[at]]"
                yield "        at += 1"
        values = [part for part, _ in self.element]
        yield f"        {name}.append({values[0] if len(values) == 1 else sequence(values)})"
        yield "    if size != at:"
        yield REFUSE

    def read_guard(self) -> str:
        """Return a quick way to see that not all text is ASCII, or that it may not be."""
        if self.counted is None:
            plain = " and ".join(f"{field.name}.tobytes().isascii()" for field in self.strings)
        else:
            # Of the numbers around the text, the frame's own length is the likeliest to be in the
            # way, so the second look is past it.
            plain = "frame.tobytes().isascii() or frame[4:].tobytes().isascii()"
        return f"size > STEP or not ({plain})" if " " in plain else f"size > STEP or not {plain}"

    def text_check(
        self, strings: Callable[[str], list[str]], view: str, guard: str, refuse: str
    ) -> Iterator[str]:
        """Yield the check of every string's encoding.

        Args:
            strings: the expressions for the strings of an encoding.
            view: the form that makes a memoryview of a string.
            guard: says that not all bytes of the fields are below 0x80; if they are, that settles
                it.
            refuse: the statement that refuses.
        """
        terms = all_ascii(strings("ASCII"), view)
        texts = []
        for encoding in ("UTF8", "UNSTATED"):
            if found := strings(encoding):
                name = encoding.lower()
                texts.append(f"        {name} = {sequence(found)}")
                check = f"are_utf8({name}, size)"
                lenient = encoding == "UNSTATED"
                terms.append(f"not (limits.any_bytes or {check})" if lenient else f"not {check}")
        if texts:
            yield f"    if {guard}:"
            yield from texts
            yield from condition(terms, "or", "        ")
            yield f"            {refuse}"
        elif terms:
            yield from condition([f"({guard})", *terms], "and", "    ")
            yield f"        {refuse}"

    def encoder(self) -> Iterator[str]:
        """Yield the lines of the encoder."""
        yield f"def encode_{self.function}(source: {self.name}, limits: Limits) -> bytes:"
        yield f'    """Encode a {self.spec.name} frame ({self.spec.clause})."""'
        if self.strings or self.counted:
            yield "    longest = limits.text"
        if self.checked:
            # What is made from a str is UTF-8; what was given as bytes has yet to be looked at.
            yield "    given: list[bytes | memoryview] = []"
        for field in self.strings:
            yield from self.octets(field.name, f"source.{field.name}", field.kind, "    ")
        pieces, fixed = self.pieces()
        size = " + ".join([str(fixed), *(f"{field.name}_size" for field in self.strings)])
        yield f"    size = {size}"
        if self.counted is None:
            yield from listing("parts: list[bytes | memoryview] =", pieces)
        else:
            # A str would do for a list, each of its characters for a string.
            yield f"    if not isinstance(source.{self.counted.name}, (list, tuple)):"
            yield "        raise TypeError"
            yield f"    count = len(source.{self.counted.name})"
            yield from listing("parts: list[bytes | memoryview] =", ['b""', *pieces[1:]])
            yield from self.parts()
            yield f"    parts[0] = {pieces[0]}"
        too_long = [f"{field.name}_size > longest" for field in self.strings]
        counted = ["count > limits.count"] if self.counted else []
        if self.spec.fields:
            yield from condition(["size > limits.frame", *too_long, *counted], "or", "    ")
            yield "        raise ValueError"
        if not self.strings and not self.counted:
            yield '    return b"".join(parts)'
            return
        yield '    frame = b"".join(parts)'
        # A memoryview of larger items has a length that is not its number of bytes.
        yield "    if size != len(frame) - 4:"
        yield "        raise TypeError"
        if self.checked:
            yield "    if given and not frame.isascii() and not are_utf8(given, size):"
            yield "        raise ValueError"
        yield "    return frame"

    @property
    def checked(self) -> bool:
        """Whether there are strings that have to be UTF-8."""
        return bool(self.text("UTF8") or self.text("UNSTATED"))

    def octets(self, name: str, source: str, kind: object, indent: str) -> Iterator[str]:
        """Yield the lines that make bytes of a text field's value, and take its size."""
        if name != source:
            yield f"{indent}{name} = {source}"
        yield f"{indent}if isinstance({name}, str):"
        if is_encoded(kind, "ASCII"):
            yield f'{indent}    {name} = {name}.encode("ascii")'
            yield f"{indent}elif not is_ascii(memoryview({name})):"
            yield f"{indent}    raise ValueError"
        else:
            yield f"{indent}    {name} = {name}.encode()"
            unless = "elif not limits.any_bytes" if is_encoded(kind, "UNSTATED") else "else"
            yield f"{indent}{unless}:"
            yield f"{indent}    given.append({name})"
        yield f"{indent}{name}_size = len({name})"

    def pieces(self) -> tuple[list[str], int]:
        """Return the expressions that make up the frame, and the bytes that never vary."""
        pieces = []
        words = ["size", str(self.spec.code)]
        fixed = 1
        for field in self.spec.fields:
            fixed += 4
            if isinstance(field.kind, kinds.StringKind):
                words.append(f"{field.name}_size")
                pieces += [putter(words, head=not pieces), field.name]
                words = []
            else:
                counted = isinstance(field.kind, kinds.CountedKind)
                words.append("count" if counted else f"source.{field.name}")
        if words:
            pieces.append(putter(words, head=not pieces))
        return pieces, fixed

    def parts(self) -> Iterator[str]:
        """Yield the loop that puts the elements of the counted field into `parts`."""
        if any(isinstance(kind, kinds.BooleanKind) for _, kind in self.element):
            yield "    octets = OCTETS[limits.nonzero_is_true]"
        targets = ", ".join(part for part, _ in self.element)
        yield f"    for {targets} in source.{self.counted.name}:"
        values = []
        sizes = [str(self.counted.kind.least_element_size)]
        for part, kind in self.element:
            if isinstance(kind, kinds.StringKind):
                yield from self.octets(part, part, kind, "        ")
                yield f"        if {part}_size > longest:"
                yield "            raise ValueError"
                values += [putter([f"{part}_size"]), part]
                sizes.append(f"{part}_size")
            else:
                values.append(f"octets[{part}]")
        yield f"        size += {' + '.join(sizes)}"
        yield f"        parts += {sequence(values)}"


def all_ascii(strings: list[str], view: str) -> list[str]:
    """Return the condition under which not all of these strings are ASCII; none for none."""
    if len(strings) == 1 and not strings[0].startswith("*"):
        return [f"not is_ascii({view.format(strings[0])})"]
    each = f"is_ascii({view.format('each')}) for each in {sequence(strings)}"
    return [f"not all({each})"] if strings else []


def is_encoded(kind: object, encoding: str) -> bool:
    """Say whether a kind is that of a string in an encoding."""
    return isinstance(kind, kinds.StringKind) and kind.encoding is kinds.Encoding[encoding]


_formats: dict[str, str] = {"get_head": 'get_head = struct.Struct(">IB").unpack_from'}


def getter(count: int) -> str:
    """Return the name of what reads `count` adjacent uint32 values."""
    name = "get_uint32" if count == 1 else f"get_{count}_uint32"
    _formats[name] = f'{name} = struct.Struct(">{"I" * count}").unpack_from'
    return name


def putter(words: list[str], *, head: bool = False) -> str:
    """Return the call that writes adjacent uint32 values, behind a type byte for the head."""
    count = len(words)
    layout = ">IB" + "I" * (count - 2) if head else ">" + "I" * count
    name = f"put_head_{count - 2}_uint32" if head else f"put_{count}_uint32"
    name = name.replace("_1_", "_").replace("head_0_uint32", "head")
    _formats[name] = f'{name} = struct.Struct("{layout}").pack'
    return f"{name}({', '.join(words)})"


def tables() -> Iterator[str]:
    """Yield the dispatch tables."""
    yield "Decoder = Callable[[memoryview, Limits], Message]"
    yield ""
    yield "DECODERS: Final[dict[str | None, dict[int, Decoder]]] = {"
    for method in (None, *messages.METHODS):
        yield f"    {method!r}: {{".replace("'", '"')
        for each in messages.MESSAGES:
            if each.spec.method in (None, method):
                yield f"        {each.spec.code}: decode_{each.spec.name.lower()},"
        yield "    },"
    yield "}"
    yield '"""By the method agreed on, which codes from 20 up belong to, and the type byte."""'
    yield ""
    yield "ENCODERS: Final[dict[type[Message], Callable[[Any, Limits], bytes]]] = {"
    for each in messages.MESSAGES:
        yield f"    {each.__name__}: encode_{each.spec.name.lower()},"
    yield "}"


def generate() -> str:
    """Return the text of wire.py."""
    functions: list[str] = []
    for each in messages.MESSAGES:
        writer = Writer(each)
        functions += ["", "", *writer.decoder(), "", "", *writer.encoder()]
    header = HEADER.format(
        imports="\n".join(f"    {name}," for name in sorted(m.__name__ for m in messages.MESSAGES)),
        structs="\n".join(_formats[name] for name in sorted(_formats)),
    )
    return header + "\n".join([*functions, "", "", *tables(), ""])


def main(arguments: list[str]) -> int:
    """Write wire.py, or with `--check` compare it."""
    text = generate()
    if arguments == ["--check"]:
        fresh = TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'fresh' if fresh else 'stale: run make generate'}")
        return not fresh
    TARGET.write_text(text, encoding="utf-8")
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
