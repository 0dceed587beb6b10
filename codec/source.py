"""Python source, laid out as all code here is; see `generate`."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 100


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


def guarded(guard: str) -> Iterator[str]:
    """Yield the head of an `if` over what `Writer.read_guard` returns."""
    line = f"    if {guard}:"
    if len(line) <= WIDTH:
        yield line
        return
    head, _, inner = guard.removesuffix(")").partition("(")
    yield f"    if {head}("
    if len(inner) + 8 <= WIDTH:
        yield f"        {inner}"
    else:
        first, *others = inner.split(" and ")
        yield f"        {first}"
        yield from (f"        and {each}" for each in others)
    yield "    ):"


def signature(name: str, source: str, result: str) -> Iterator[str]:
    """Yield the head of a function, on one line where it fits."""
    line = f"def {name}({source}, limits: Limits) -> {result}:"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"def {name}("
    yield f"    {source}, limits: Limits"
    yield f") -> {result}:"


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


def literal(data: bytes) -> str:
    """Return the source of bytes, with double quotes."""
    return "b" + '"' + repr(data)[2:-1].replace('"', r"\"") + '"'


def sliced(start: str, stop: str) -> str:
    """Return the source of a slice of the frame."""
    colon = " : " if " " in start or " " in stop else ":"
    return f"frame[{start}{colon if stop else ':'}{stop}]"
