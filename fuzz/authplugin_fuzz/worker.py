"""What every process of a campaign does, whatever its engine.

It says now and then how much it has done, and it does not outlive the campaign that started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from .targets import TARGETS

PROGRESS: Final = "EXECUTIONS: "
"""How a line on standard error begins that says how many inputs have been tried."""

UNCAUGHT: Final = " === Uncaught Python exception: ==="
"""The line before the one that names the exception that ended an engine's run; atheris's own."""

WITH_PARENT: Final = "--with-parent"
"""The option that ends the process when its standard input does."""

_EVERY = 0.5  # seconds
_LOOK = 64  # inputs between two looks at the clock


def arguments(given: Sequence[str]) -> tuple[str, list[str]]:
    """Return the target's name and the engine's options; act on the options that are for us.

    Raises:
        SystemExit: where no target is named.
    """
    options = list(given)
    if WITH_PARENT in options:
        options.remove(WITH_PARENT)
        _end_with_parent()
    named = [option for option in options if option.startswith("--target=")]
    name = named[0].partition("=")[2] if named else options[0] if options else ""
    if name not in TARGETS:
        sys.exit(f"name a target first: {', '.join(TARGETS)}")
    return name, [option for option in options if option not in (name, *named)]


def counted(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return `run`, saying on standard error now and then how often it was called."""
    count = 0
    due = monotonic()

    def count_and_run(data: bytes) -> None:
        nonlocal count, due
        count += 1
        if count % _LOOK == 0 and monotonic() >= due:
            due = monotonic() + _EVERY
            print(f"{PROGRESS}{count}", file=sys.stderr, flush=True)
        run(data)

    return count_and_run


def _end_with_parent() -> None:
    """End this process when standard input does: its other end is held by the campaign alone.

    However the campaign ends, the pipe closes; SIGTERM lets the engine end in good order.
    """

    def wait() -> None:
        # Not through sys.stdin, whose lock the interpreter wants when it ends.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
