"""Starting a program on Linux, at the least cost: a check starts one for each case.

`subprocess` takes as long in this process as starting a small program takes the system.
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

_BACK_TO_DEFAULT: Final = signal.valid_signals() - {
    getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")
}
"""What Python ignores, or whoever started it had it ignore: a program is always started alike."""

_STANDARD: Final = 3  # descriptors


def start(command: list[str], environment: Mapping[str, str], ends: Sequence[int]) -> int:
    """Start a program in a session of its own, and return its process id.

    It has the three `ends` as its standard input, output and error output, and inherits no other
    descriptor that Python has opened.

    Raises:
        OSError: where it cannot be started.
        ValueError: where the command or the environment holds a NUL.
    """
    program = command[0]
    if os.sep not in program:
        program = _found(program, environment.get("PATH", os.defpath))
    actions = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends)]
    return os.posix_spawn(
        program,
        command,
        environment,
        file_actions=actions,
        setsid=True,
        setsigdef=_BACK_TO_DEFAULT,
    )


@functools.cache
def _found(program: str, path: str) -> str:
    found = shutil.which(program, path=path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return found


def keep_descriptors() -> None:
    """Have no program inherit a descriptor that was inherited by this process, but the first three.

    Somebody else may wait for the end of what they lead to.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) >= _STANDARD:
            with suppress(OSError):
                os.set_inheritable(int(name), False)
