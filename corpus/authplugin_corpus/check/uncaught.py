"""Exceptions that nothing in a program caught, as its language tells of them on standard error."""

from __future__ import annotations

import re
from typing import Final

from ..output import harmless

_LONGEST: Final = 120  # characters of one that are told

# Compiled when they are needed: hardly any program needs them.
_TELLS: Final = (
    # Python: the last line without an indent, behind the traceback.
    rb"^Traceback \(most recent call last\):\r?\n(?:[ \t][^\n]*\n|\r?\n)*(?P<what>[^\n]+)",
    # Node.js: the line before those of the stack, and its version at the end.
    rb"^(?P<what>[^\n]*Error[^\n]*)\n(?:[ {}][^\n]*\n|\n)*Node\.js v\d",
    rb"^panic: (?P<what>[^\n]+).*^goroutine \d",  # Go
    rb"^thread '[^']*'[^\n]* panicked at (?P<what>[^\n]+)",  # Rust
    rb'^Exception in thread "[^"]*" (?P<what>[^\n]+)',  # Java
    rb"^Unhandled exception\. (?P<what>[^\n]+)",  # .NET
    rb"^[^\n]*\.rb:\d+:in [^\n]*?: (?P<what>[^\n]+)",  # Ruby
)


def uncaught_in(error_output: bytes) -> str | None:
    """Return the exception that ended a program, in its own words; None where it tells of none."""
    found = [
        match
        for tell in _TELLS
        for match in re.finditer(tell, error_output, re.MULTILINE | re.DOTALL)
    ]
    if not found:
        return None
    what = found[-1]["what"].decode("utf-8", "replace").strip()
    return harmless(what, keep="")[:_LONGEST]
