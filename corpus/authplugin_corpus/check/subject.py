"""A program under test: started, talked to, watched, and ended with all that it has started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from authplugin.keeper import become_subreaper

from .activity import Activity, Ended, Output, OutputEnded, Quiet, Remains, TimeOver
from .portable import PortableProgram
from .watched import WatchedProgram, can_watch

__all__ = [
    "Activity",
    "Ended",
    "Output",
    "OutputEnded",
    "Quiet",
    "Remains",
    "Subject",
    "TimeOver",
    "become_subreaper",
]


class _Program(Protocol):
    """What a subject is made of, which depends on the system."""

    @property
    def unread(self) -> bool: ...
    @property
    def error_output(self) -> bytes: ...
    def write_pieces(self, pieces: Sequence[bytes]) -> None: ...
    def close_input(self) -> None: ...
    def close_output(self) -> None: ...
    def next(self, timeout: float) -> Activity: ...
    def kill(self, grace: float, /) -> Remains: ...


class Subject:
    """One program under test.

    Nothing here blocks for longer than asked, holds more than was asked to be written and some
    hundred KiB, or leaves a process or a file behind, whatever the program does. What it writes to
    its standard output stays in the pipe until `next` fetches it.

    On Linux this process becomes the subreaper of what it starts: use one subject at a time in a
    process, from one thread, and start nothing else meanwhile. Elsewhere, `Quiet` is never known,
    and what a program starts is found as far as `authplugin.process.SupervisedProcess` finds it.

    Args:
        command: the program and its arguments.
        environment: its variables, all of them; None for the caller's. Those that tell it where to
            put temporary files are set in any case, to a folder of its own.
        watched: whether to watch it as Linux can; None for whatever the system can do.
        small: whether to start it, on Linux, such that it is known how much memory it takes even
            where that is less than this process has, and only for a moment; costs more.

    Raises:
        OSError: where the program cannot be started.
        ValueError: where the command is empty, or holds a NUL.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        watched: bool | None = None,
        small: bool = False,
    ) -> None:
        if not command or not command[0]:
            raise ValueError("the command is empty: expected a program and its arguments")
        self._program: _Program
        if can_watch() if watched is None else watched:
            self._program = WatchedProgram(list(command), environment, small=small)
        else:
            self._program = PortableProgram(list(command), environment)

    @property
    def unread(self) -> bool:
        """Whether the program has not (yet) read something that was written.

        Off Linux that is not known, and so never said.
        """
        return self._program.unread

    @property
    def error_output(self) -> bytes:
        """The last 64 KiB, at most, of what the program wrote to standard error."""
        return self._program.error_output

    def write(self, data: bytes) -> None:
        """Queue bytes for the program's input; never waits. They go out while `next` waits."""
        self.write_pieces([data])

    def write_pieces(self, pieces: Sequence[bytes]) -> None:
        """Queue bytes for the program's input, each piece only when that before it was read.

        Off Linux all of them go out at once.
        """
        self._program.write_pieces(pieces)

    def close_input(self) -> None:
        """Close the program's input behind what is queued; idempotent."""
        self._program.close_input()

    def close_output(self) -> None:
        """Read no more of what the program writes: writing fails from now on; idempotent.

        Off Linux it does not fail, and `next` goes on telling what is written.
        """
        self._program.close_output()

    def next(self, timeout: float) -> Activity:
        """Wait for what happens next.

        Returns:
            The same again once the program has ended; `TimeOver` where nothing was known within
            `timeout` seconds.
        """
        return self._program.next(timeout)

    def kill(self, grace: float = 0.0) -> Remains:
        """End all that still runs, wait for it, and remove the temporary folder; idempotent.

        Args:
            grace: seconds to wait for the others where the program itself has ended.
        """
        return self._program.kill(grace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
