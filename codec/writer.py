"""Writes the straight-line decoder and encoder of one message; see `generate`."""

from __future__ import annotations

import importlib
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from source import condition, guarded, listing, literal, sequence, signature, sliced

PACKAGE = Path(__file__).parent / "authplugin"
REFUSE = "        raise IndexError"  # the body of a decoder's `if`

if "authplugin" not in sys.modules:
    # The table has to be readable while what is written from it is missing or stale, so the
    # packages' own __init__, which imports that, must not run.
    for _name, _path in (("authplugin", PACKAGE), ("authplugin.userauth", PACKAGE / "userauth")):
        _bare = types.ModuleType(_name)
        _bare.__path__ = [str(_path)]
        sys.modules[_name] = _bare

kinds = importlib.import_module("authplugin.kinds")
reading = importlib.import_module("authplugin.reading")

OPAQUE, NAMES = kinds.Encoding.OPAQUE, kinds.Encoding.NAMES


def function_name(message: type) -> str:
    """Return what the functions of a message are called, behind `decode_` and `encode_`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", message.__name__)
    return words.lower()


class Writer:
    """Writes the functions of one message."""

    def __init__(self, message: type) -> None:
        self.name = message.__name__
        self.spec = message.spec  # type: ignore[attr-defined]  # a message class
        self.function = function_name(message)
        self.strings = list(self.of_kind(kinds.StringKind))
        self.texts = [field for field in self.strings if field.kind.encoding not in (OPAQUE, NAMES)]
        self.names = [field.name for field in self.strings if field.kind.encoding is NAMES]
        self.counted = next(self.of_kind(kinds.CountedKind), None)
        self.rest = next(self.of_kind(kinds.RestKind), None)
        self.element = self.counted.kind.element if self.counted else ()
        if self.counted not in (None, *self.spec.fields[-1:]):
            raise ValueError(f"{self.spec.name}: only the last field can be counted")
        if self.rest not in (None, *self.spec.fields[-1:]):
            raise ValueError(f"{self.spec.name}: only the last field can be the rest")

    def of_kind(self, kind: type) -> Iterator[Any]:
        """Yield the fields of a wire kind."""
        return (field for field in self.spec.fields if isinstance(field.kind, kind))

    def has_booleans(self) -> bool:
        """Say whether there are booleans to read, or to write."""
        parts = [*self.element, *((field.name, field.kind) for field in self.spec.fields)]
        return any(isinstance(kind, kinds.BooleanKind) for _, kind in parts)

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
        yield from signature(f"decode_{self.function}", "frame: memoryview", self.name)
        yield f'    """Decode a {self.spec.name} frame ({self.spec.clause})."""'
        yield "    size = len(frame)"
        if self.strings or self.counted:
            yield "    longest = limits.text"
        if self.has_booleans():
            yield "    booleans = BOOLEANS[limits.nonzero_is_true]"
        body, end, slices = self.layout()
        yield from (f"    {line}" for line in body)
        too_long = [f"{field.name}_size > longest" for field in self.strings]
        if self.counted is None:
            over = "<" if self.rest else "!="
            yield from condition([f"size {over} {end}", *too_long], "or", "    ")
            yield REFUSE
        else:
            least = self.counted.kind.least_element_size
            yield f"    at = {end}"
            limit = ["count > limits.count", f"count * {least} > size - at"]
            yield from condition([*too_long, *limit], "or", "    ")
            yield REFUSE
            yield from self.elements()
        for name, start, stop in slices:
            yield f"    {name} = {sliced(start, stop)}"
        yield from self.text_check(self.text, "{}", self.read_guard(), "raise IndexError")
        for name in self.names:
            yield f"    if not are_names({name}):"
            yield REFUSE
        yield f"    return {self.name}({', '.join(f.name for f in self.spec.variables)})"

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
            elif isinstance(field.kind, kinds.BooleanKind):
                flush()
                lines.append(f"{field.name} = booleans[frame[{position()}]]")
                offset += field.kind.least_size
            elif isinstance(field.kind, kinds.ConstantKind):
                flush()
                size = len(field.kind.data)
                found = sliced(position(), position(size))
                lines += [f"if {found}.tobytes() != {literal(field.kind.data)}:", REFUSE[4:]]
                offset += size
            elif isinstance(field.kind, kinds.RestKind):
                flush()
                slices.append((field.name, position(), ""))
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
            plain = " and ".join(f"{field.name}.tobytes().isascii()" for field in self.texts)
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
            yield from guarded(guard)
            yield from texts
            yield from condition(terms, "or", "        ")
            yield f"            {refuse}"
        elif terms:
            yield from condition([f"({guard})", *terms], "and", "    ")
            yield f"        {refuse}"

    def encoder(self) -> Iterator[str]:
        """Yield the lines of the encoder."""
        yield from signature(f"encode_{self.function}", f"source: {self.name}", "bytes")
        yield f'    """Encode a {self.spec.name} frame ({self.spec.clause})."""'
        if self.strings or self.counted:
            yield "    longest = limits.text"
        if self.has_booleans():
            yield "    octets = OCTETS[limits.nonzero_is_true]"
        if self.checked:
            # What is made from a str is UTF-8; what was given as bytes has yet to be looked at.
            yield "    given: list[bytes | memoryview] = []"
        for field in self.strings:
            yield from self.octets(field.name, f"source.{field.name}", field.kind, "    ")
        if self.rest:
            yield f"    {self.rest.name} = source.{self.rest.name}"
            yield f"    {self.rest.name}_size = len({self.rest.name})"
        pieces, fixed = self.pieces()
        sized = [*self.strings, self.rest] if self.rest else self.strings
        size = " + ".join([str(fixed), *(f"{field.name}_size" for field in sized)])
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
        if not sized and not self.counted:
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
        if is_encoded(kind, "OPAQUE"):
            # Of a str the parts would not join.
            yield f"{indent}{name}_size = len({name})"
            return
        yield f"{indent}if isinstance({name}, str):"
        if is_encoded(kind, "NAMES"):
            yield f'{indent}    {name} = {name}.encode("ascii")'
            yield f"{indent}if not are_names({name}):"
            yield f"{indent}    raise ValueError"
        elif is_encoded(kind, "ASCII"):
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
        pieces: list[str] = []
        words = ["size", str(self.spec.code)]
        fixed = 1

        def flush() -> None:
            if words:
                pieces.append(putter(words, head=not pieces))
                words.clear()

        for field in self.spec.fields:
            name, kind = field.name, field.kind
            fixed += kind.least_size
            if isinstance(kind, kinds.StringKind):
                words.append(f"{name}_size")
                flush()
                pieces.append(name)
            elif isinstance(kind, kinds.UInt32Kind):
                words.append(f"source.{name}")
            elif isinstance(kind, kinds.CountedKind):
                words.append("count")
            else:
                flush()
                pieces.append(self.piece(name, kind))
        flush()
        return pieces, fixed

    def piece(self, name: str, kind: object) -> str:
        """Return the expression for the bytes of a field that is no number and no string."""
        if isinstance(kind, kinds.BooleanKind):
            return f"octets[source.{name}]"
        return literal(kind.data) if isinstance(kind, kinds.ConstantKind) else name

    def parts(self) -> Iterator[str]:
        """Yield the loop that puts the elements of the counted field into `parts`."""
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


formats: dict[str, str] = {}
"""The precompiled structs that the functions written so far use, by name."""


def getter(count: int) -> str:
    """Return the name of what reads `count` adjacent uint32 values."""
    name = "get_uint32" if count == 1 else f"get_{count}_uint32"
    formats[name] = f'{name} = struct.Struct(">{"I" * count}").unpack_from'
    return name


def putter(words: list[str], *, head: bool = False) -> str:
    """Return the call that writes adjacent uint32 values, behind a type byte for the head."""
    count = len(words)
    layout = ">IB" + "I" * (count - 2) if head else ">" + "I" * count
    name = f"put_head_{count - 2}_uint32" if head else f"put_{count}_uint32"
    name = name.replace("_1_", "_").replace("head_0_uint32", "head")
    formats[name] = f'{name} = struct.Struct("{layout}").pack'
    return f"{name}({', '.join(words)})"
