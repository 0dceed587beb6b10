"""A temporary folder for a program that may do anything in it."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress

_VARIABLES = ("TMPDIR", "TMP", "TEMP")
_BY_DESCRIPTOR = os.rmdir in os.supports_dir_fd and sys.platform != "win32"
_OWNERS = stat.S_IRWXU if os.name == "posix" else stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO


_spare: list[tuple[int, str]] = []
"""An empty folder, and the process that made it.

Making and removing one costs a quarter of what starting a small program does, and most use none.
And where a disk is full, there may be no room for another one.
"""


@atexit.register
def _remove_spare() -> None:
    while _spare:
        process, path = _spare.pop()
        if process == os.getpid():
            with suppress(OSError):
                os.rmdir(path)


class TemporaryFolder:
    """A new folder, or an empty one that nobody uses any more.

    Attributes:
        path: where it is.

    Raises:
        OSError: where it cannot be made.
    """

    def __init__(self) -> None:
        process, self.path = _spare.pop() if _spare else (0, "")
        if process != os.getpid() or not os.path.isdir(self.path):
            self.path = tempfile.mkdtemp(prefix="authplugin-")

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that tell a program to use it."""
        return dict.fromkeys(_VARIABLES, self.path)

    def remove(self) -> None:
        """Remove it, however full and deep it is, and whatever may be written in it.

        What cannot be removed stays. An empty one is kept for the next until this process ends.
        """
        new = _is_new(self.path)
        if not new and _BY_DESCRIPTOR:
            with suppress(OSError):
                _empty(self.path)
            new = _is_new(self.path)
        if new and not _spare:
            _spare.append((os.getpid(), self.path))
        else:
            remove_folder(self.path)


def remove_folder(path: str) -> None:
    """Remove a folder that any program may have written to, as far as that is possible."""
    if not _BY_DESCRIPTOR:
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        try:
            _empty(path)
            os.rmdir(path)
        except NotADirectoryError:
            os.unlink(path)  # something else was put in its place


def _is_new(path: str) -> bool:
    """Say whether a folder is as one that was just made."""
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISDIR(mode) or stat.S_IMODE(mode) != _OWNERS:
            return False
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _empty(path: str) -> None:
    """Remove all that is in a folder, and have it as it was made.

    Folders in its folders are moved up before they are emptied: a path, or a recursion, that is as
    deep as they are could be too long.

    Raises:
        NotADirectoryError: where it is none.
        OSError: where it cannot be opened.
    """
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise NotADirectoryError(path)
    os.chmod(path, stat.S_IRWXU)
    top = _open(path)
    numbers = itertools.count()
    try:
        progress = True
        while progress:
            progress = False
            for name, is_folder in _entries(top):
                if is_folder:
                    progress |= _flatten(top, name, numbers)
                else:
                    progress |= _unlink(name, top)
    finally:
        os.close(top)


def _flatten(top: int, name: str, numbers: Iterator[int]) -> bool:
    """Empty a folder into the one at the top, and remove it; say whether that went well."""
    try:
        os.chmod(name, stat.S_IRWXU, dir_fd=top)
        folder = _open(name, top)
    except OSError:
        return False
    try:
        for inner, is_folder in _entries(folder):
            if not is_folder:
                _unlink(inner, folder)
                continue
            with suppress(OSError):
                os.chmod(inner, stat.S_IRWXU, dir_fd=folder)
                os.rename(
                    inner, f"{next(numbers)}-{os.getpid()}", src_dir_fd=folder, dst_dir_fd=top
                )
    finally:
        os.close(folder)
    try:
        os.rmdir(name, dir_fd=top)
    except OSError:
        return False
    return True


def _open(name: str, folder: int | None = None) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)


def _entries(folder: int) -> Iterator[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name, entry.is_dir(follow_symlinks=False)


def _unlink(name: str, folder: int) -> bool:
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
        return True
    return False
