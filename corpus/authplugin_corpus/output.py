"""Standard output that cannot be written: closed, full, or with nobody left who reads it.

And standard input and error output that are closed, whose numbers other files would get.
"""

from __future__ import annotations

import errno
import os
import sys


def trouble() -> str | None:
    """Try to print the end of a line; return why that cannot be written, and None where it can.

    The reason is empty where nobody reads any more: they know why.
    """
    if sys.stdout is None:
        return "it is closed"
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        return "" if error.errno == errno.EPIPE else error.strerror or str(error)
    return None


def fill_gaps() -> None:
    """Open standard input and error output, where they are closed, so that they go nowhere."""
    for descriptor in (0, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        # The interpreter has none then, where all others may rely on one.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open to the end


def harmless(text: str, keep: str = "\t") -> str:
    """Return a text of somebody else's, which is not let loose on a terminal.

    Args:
        text: the text.
        keep: what may stay besides what can be printed.
    """
    return "".join(each if each.isprintable() or each in keep else "?" for each in text)


def discard() -> None:
    """Let whatever is left to print go nowhere, so that the end of the process is quiet."""
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)
