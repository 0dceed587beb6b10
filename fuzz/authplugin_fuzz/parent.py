"""Processes that end with the one that has started them, however that one ends."""

from __future__ import annotations

import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the system end this process when the one above it ends, on Linux.

    It may be stuck where nothing else would reach it. Strictly it ends with the thread that has
    started it, so it is for what is started by a main thread.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def end_with_parent() -> None:
    """End this process when the one above it ends, or standard input does.

    Whoever has started it alone holds the other end of that, so it closes however that one ends.
    """
    die_with_parent()
    # Whatever is put in the place of standard input later.
    end = os.dup(0)

    def wait() -> None:
        # Not through sys.stdin, whose lock the interpreter wants when it ends.
        while os.read(end, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
