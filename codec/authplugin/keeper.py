"""Keeps one program: starts it, says how it ended, and leaves nothing of it behind.

Run as a script by `authplugin.process`, between a client and a plugin, with

    keeper.py STATUS LIFE COMMAND [ARGUMENT ...]

STATUS is a file descriptor on which it writes lines: `started PID`, or `failed ERRNO`; then
`exited STATUS`, as in `subprocess.Popen.returncode`; then `left PID ...`. LIFE is one that it
reads: at its end of file, be it asked for or because the client is gone, everything that the
program has started is killed and waited for. On Linux that includes what has cut itself loose
(double fork, new session): the keeper is its subreaper. Elsewhere it is the process group.

It imports nothing but the standard library, so that it starts without `site`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> bool:
    """Make this process the parent of all orphans below it; say whether the system can do that."""
    if sys.platform != "linux":
        return False
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def descendants(root: int) -> set[int]:
    """Return the ids of all living processes below `root`, as far as /proc tells."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    todo = [root]
    while todo:
        new = set(children.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Yield (process, parent) for all processes that are not zombies."""
    if sys.platform != "linux":
        return
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it may have ended meanwhile
            stat = Path("/proc", name, "stat").read_bytes()
            state, parent = stat.rpartition(b")")[2].split()[:2]
            if state != b"Z":
                yield int(name), int(parent)


def start(command: list[str]) -> tuple[int, int]:
    """Start a program in a session of its own; return its process id, and an errno or 0."""
    ready, done = os.pipe()  # closed by a successful exec
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            for each in (signal.SIGPIPE, signal.SIGINT, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)
            os.execvp(command[0], command)
        except OSError as error:
            os.write(done, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(done)
    with os.fdopen(ready, "rb") as file:
        return pid, int(file.read() or 0)


class Keeper:
    """Watches over one started program."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.status = status
        self.code: int | None = None

    def tell(self, *words: object) -> None:
        """Write a line to the client, which may be gone."""
        with suppress(BrokenPipeError):
            os.write(self.status, " ".join(map(str, words)).encode() + b"\n")

    def reap(self, flags: int) -> bool:
        """Collect one ended process; say whether there was one."""
        try:
            pid, status = os.waitpid(-1, flags)
        except ChildProcessError:
            return False
        if pid == self.pid:
            self.code = os.waitstatus_to_exitcode(status)
            self.tell("exited", self.code)
        return pid != 0

    def watch(self, life: int) -> None:
        """Collect what ends, until `life` does."""
        wake, wakener = os.pipe()
        for end in (wake, wakener):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakener, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            while self.reap(os.WNOHANG):
                pass
            readable, _, _ = select.select([life, wake], [], [])
            if life in readable:
                return
            os.read(wake, 4096)

    def end(self) -> None:
        """Kill everything, and wait for it."""
        left = descendants(os.getpid())
        self.tell("left", *sorted(left - {self.pid}))
        while True:
            # Again and again: what forks while it is being killed has new children.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            for pid in descendants(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not self.reap(0):
                return


def main(arguments: list[str]) -> None:
    """Keep the program that the arguments name."""
    status, life = map(int, arguments[:2])
    for inherited in (status, life):
        os.set_inheritable(inherited, False)
    become_subreaper()
    pid, error = start(arguments[2:])
    # The pipes are the program's: were they open here too, nobody would see their ends.
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    keeper = Keeper(pid, status)
    if error:
        keeper.tell("failed", error)
    else:
        keeper.tell("started", pid)
        keeper.watch(life)
    keeper.end()


if __name__ == "__main__":
    main(sys.argv[1:])
