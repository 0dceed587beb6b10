"""Write the straight-line decoders and encoders from the message tables.

    python codec/generate.py            write codec/authplugin/{,userauth/}wire.py
    python codec/generate.py --check    exit 1 where one of them is not what would be written

Straight-line code is the fastest that pure Python has for this; written to a file, it is also code
that people, debuggers, coverage and fuzzers can see.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

# The folder of this file, which a test that loads it from elsewhere has to be given.
sys.path.insert(0, str(Path(__file__).parent))

from source import WIDTH, literal
from writer import PACKAGE, Writer, formats, function_name, kinds

del sys.path[0]

HEADER = '''\
"""One decoder and one encoder for each message{of}, straight-line.

Written by codec/generate.py from the message table: change the table, then run it again.

A decoder takes a whole frame whose length field has been checked. It only notices that something
is wrong, raises one of UNREADABLE, and leaves it to `refuse_frame` to find out what. An encoder
puts the fields together, raises one of UNWRITABLE where it cannot or must not, and leaves the rest
to `refuse_message`. `{package}.decode` and `{package}.encode` are what to call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

{imports}

{structs}

UNREADABLE: Final = (struct.error, IndexError)
UNWRITABLE: Final = (struct.error, TypeError, ValueError, KeyError, AttributeError)
'''


@dataclass(frozen=True)
class Protocol:
    """A message table, and the file that is written from it.

    Attributes:
        package: the package that has both.
        of: what the messages are, for the head of the file.
        base: the base class of the messages, and the module that has it, from the package.
        codes: what `DECODERS` says of itself.
    """

    package: str
    of: str
    base: str
    home: str
    codes: str

    @property
    def target(self) -> Path:
        """The file to write."""
        return PACKAGE.parent.joinpath(*self.package.split("."), "wire.py")

    @property
    def table(self) -> ModuleType:
        """The module of the message table."""
        return importlib.import_module(f"{self.package}.messages")

    @property
    def messages(self) -> tuple[type[Any], ...]:
        """The messages, in the order of the table."""
        messages: tuple[type[Any], ...] = self.table.MESSAGES
        return messages

    @property
    def up(self) -> str:
        """The dots that lead from the package to `authplugin`."""
        return "." * len(self.package.split("."))


PROTOCOLS = (
    Protocol(
        "authplugin",
        "",
        "Message",
        ".table",
        "By the method agreed on, which codes from 20 up belong to, and the type byte.",
    ),
    Protocol(
        "authplugin.userauth",
        " of SSH's user authentication",
        "UserAuthMessage",
        ".messages",
        "By the method under way, which codes from 60 up belong to, and the type byte.",
    ),
)


def is_variant(message: type[Any]) -> bool:
    """Say whether it takes more than the type byte, and the method, to know the message."""
    last = [field.kind for field in message.spec.fields][-1:]
    return isinstance(last[0] if last else None, kinds.RestKind) or constants(message) != []


def constants(message: type[Any]) -> list[bytes]:
    """Return the fields of a message that never vary, as they are on the wire."""
    found = (field.kind for field in message.spec.fields)
    return [kind.data for kind in found if isinstance(kind, kinds.ConstantKind)]


def tables(protocol: Protocol) -> Iterator[str]:
    """Yield the dispatch tables."""
    variants = [each for each in protocol.messages if is_variant(each)]
    yield f"Decoder = Callable[[memoryview, Limits], {protocol.base}]"
    yield ""
    yield "DECODERS: Final[dict[str | None, dict[int, Decoder]]] = {"
    for method in (None, *protocol.table.METHODS):
        yield f"    {method!r}: {{".replace("'", '"')
        for each in protocol.messages:
            if each.spec.method in (None, method) and each not in variants:
                yield f"        {each.spec.code}: decode_{function_name(each)},"
        yield "    },"
    yield "}"
    yield f'"""{protocol.codes}"""'
    yield ""
    if variants:
        yield from choices(variants)
        yield ""
    yield f"ENCODERS: Final[dict[type[{protocol.base}], Callable[[Any, Limits], bytes]]] = {{"
    for each in protocol.messages:
        yield f"    {each.__name__}: encode_{function_name(each)},"
    yield "}"


def choices(variants: list[type[Any]]) -> Iterator[str]:
    """Yield the table of those messages that a field of theirs tells apart."""
    found: dict[bytes, list[str]] = {}
    for each in variants:
        name = (constants(each) or [b""])[0][4:]
        found.setdefault(name, []).append(f"decode_{function_name(each)}")
    yield "VARIANTS: Final[dict[bytes, tuple[Decoder, ...]]] = {"
    for name, decoders in found.items():
        line = f"    {literal(name)}: ({', '.join(decoders)}{',' * (len(decoders) == 1)}),"
        if len(line) <= WIDTH:
            yield line
        else:
            yield f"    {literal(name)}: ("
            yield from (f"        {decoder}," for decoder in decoders)
            yield "    ),"
    yield "}"
    yield '"""By the method that a request names: the decoder, or where a boolean follows, one for'
    yield 'each of its values. No name at all stands for methods that nobody has declared."""'


def imports(protocol: Protocol, code: str) -> Iterator[str]:
    """Yield the imports of what the code uses."""
    up = protocol.up
    used = [name for name in ("BOOLEANS", "OCTETS") if name in code]
    names = sorted(each.__name__ for each in protocol.messages)
    if protocol.home == ".messages":
        names = sorted([*names, protocol.base])
    yield f"from {up}kinds import {', '.join(used)}"
    yield f"from {up}limits import Limits"
    lines = ["from .messages import (", *(f"    {name}," for name in names), ")"]
    other = [] if protocol.home == ".messages" else [f"from .table import {protocol.base}"]
    text = ["STEP", *(name for name in ("are_names", "are_utf8", "is_ascii") if f"{name}(" in code)]
    text_line = f"from {up}text import {', '.join(text)}"
    yield from [text_line, *lines] if len(up) > 1 else [*lines, *other, text_line]


def generate(protocol: Protocol) -> str:
    """Return the text of a protocol's wire.py."""
    functions: list[str] = []
    formats.clear()
    formats["get_head"] = 'get_head = struct.Struct(">IB").unpack_from'
    for each in protocol.messages:
        writer = Writer(each)
        functions += ["", "", *writer.decoder(), "", "", *writer.encoder()]
    header = HEADER.format(
        of=protocol.of,
        package=protocol.package,
        imports="\n".join(imports(protocol, "\n".join(functions))),
        structs="\n".join(formats[name] for name in sorted(formats)),
    )
    return header + "\n".join([*functions, "", "", *tables(protocol), ""])


def main(arguments: list[str]) -> int:
    """Write each wire.py, or with `--check` compare it."""
    stale = 0
    for protocol in PROTOCOLS:
        text = generate(protocol)
        target = protocol.target
        name = target.relative_to(PACKAGE.parent)
        if arguments != ["--check"]:
            target.write_text(text, encoding="utf-8")
            print(f"wrote {target}")
        elif target.is_file() and target.read_text(encoding="utf-8") == text:
            print(f"{name} is fresh")
        else:
            print(f"{name} is stale: run make generate")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
