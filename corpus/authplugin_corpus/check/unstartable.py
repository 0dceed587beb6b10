"""Why a program cannot be started, where the system's own words send people the wrong way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

_MOST: Final = 256  # bytes of a first line that a system looks at
_BINARIES: Final = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def reason_for(program: str) -> str | None:
    """Return why a program that could not be started probably could not; None where nobody knows.

    Args:
        program: the first word of the command.
    """
    path = Path(program)
    if os.path.dirname(program):
        return _of_file(path) if path.is_file() else None
    if shutil.which(program) is None and path.is_file():
        return f"there is one in this folder, where no system looks: write .{os.sep}{program}"
    return None


def _of_file(path: Path) -> str | None:
    if not os.access(path, os.X_OK):
        return f"it may not be executed: chmod +x {path}"
    try:
        with path.open("rb") as file:
            line = file.readline(_MOST)
    except OSError:
        return None
    if not line.startswith(b"#!"):
        return None if line.startswith(_BINARIES) else "its first line does not begin with #!"
    interpreter = os.fsdecode(line[2:].strip().split()[0]) if line[2:].strip() else ""
    if line.endswith(b"\r\n"):
        return (
            "its first line ends with a carriage return and a line feed, and the system takes the "
            f"former for a part of the interpreter's name {interpreter}"
        )
    if not os.path.exists(interpreter):
        return f"its first line names the interpreter {interpreter}, which is not there"
    return None
