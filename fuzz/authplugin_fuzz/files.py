"""Files that are whole or not there, whenever the process is killed or the disk is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if os.name == "posix":
    import fcntl

TEMPORARY = ".part-"
"""How the name of a file begins that is still being written, or was when its writer died."""


def write(path: Path, data: bytes, aside: Path | None = None) -> None:
    """Write a file whole: whoever looks finds what was there before, or all of `data`.

    Args:
        path: the file.
        data: what it is to hold.
        aside: the folder on the same disk in which it is written; None for its own.

    Raises:
        OSError: where it cannot be written; then nothing has changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = (aside or path.parent) / f"{TEMPORARY}{os.getpid()}-{path.name}.part"
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    _settle(path.parent)


def move(path: Path, folder: Path) -> Path:
    """Move a file into a folder of the same disk, over no file that says something else.

    Returns:
        Where it is now.

    Raises:
        OSError: where it cannot be moved; then it is where it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    moved = folder / path.name
    number = 1
    while moved.exists() and moved.read_bytes() != path.read_bytes():
        number += 1
        moved = folder / f"{path.stem}-{number}{path.suffix}"
    path.replace(moved)
    _settle(folder)
    _settle(path.parent)
    return moved


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep out, for as long as this lasts, every other process that wants to be alone there.

    Raises:
        OSError: where there is no such folder, and none can be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.name != "posix":
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _settle(folder: Path) -> None:
    """Have the names in a folder survive the loss of power, where the system can do that."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
