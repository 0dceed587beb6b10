"""Starting a program from a small process, so that the system tells what it takes in memory.

What Linux says of an ended process (`getrusage(2)`) begins with what that one had which started it:
of a program that takes less than a check does, it says nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from .starting import start

_STARTER: Final = """
import os, resource, signal, sys
gone, here = os.pipe()
if os.fork():
    os._exit(0)
os.close(here)
os.write(1, b"%d %d\\n" % (os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
os.read(gone, 1)
os.setsid()
for each in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(each, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""A Python program that starts another one, as an orphan, once it has itself ended.

It says which process that is, and what the system will say at least that it has had in memory.
"""


def start_small(
    command: Sequence[str], environment: Mapping[str, str], ends: Sequence[int], output: int
) -> tuple[int, int]:
    """Start a program as `start` does; this process must be a subreaper.

    Args:
        command: the program and its arguments.
        environment: its variables.
        ends: its standard input, output and error output.
        output: the other end of its output.

    Returns:
        Its process id; and how many bytes the system says at least that it has had in memory.

    Raises:
        OSError: where it cannot be started. That the program is missing is found out by itself
            alone, which then ends with an error.
    """
    line = [sys.executable, "-I", "-S", "-c", _STARTER, *command]
    starter = start(line, environment, ends)
    told = b""
    while not told.endswith(b"\n") and (byte := os.read(output, 1)):
        told += byte
    os.waitpid(starter, 0)
    if not told:
        raise OSError("the process that starts it has ended")
    pid, floor = map(int, told.split())
    return pid, floor * 1024
