"""A program under test on any system, with nothing known of it but what it writes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from authplugin.process import SupervisedProcess

from .activity import Activity, Ended, Output, OutputEnded, Remains, TimeOver
from .folder import TemporaryFolder

_AT_ITS_END = 0.5  # seconds from the end of a program's output to its own, at most, usually


class PortableProgram:
    """See `Subject`."""

    def __init__(self, command: list[str], environment: Mapping[str, str] | None) -> None:
        self._folder = TemporaryFolder()
        variables = os.environ if environment is None else environment
        variables = {**variables, **self._folder.variables}
        try:
            self._process = SupervisedProcess(command, env=variables)
        except BaseException:
            self._folder.remove()
            raise
        self._output_ended = False
        self._told = False
        self._status: int | None = None
        self._remains: Remains | None = None
        self._input_closed = False

    @property
    def unread(self) -> bool:
        """Whether something that was written was not read."""
        return False

    @property
    def error_output(self) -> bytes:
        """The end of standard error."""
        return self._process.error_output

    def write_pieces(self, pieces: Sequence[bytes]) -> None:
        """See `Subject.write_pieces`."""
        if self._input_closed or self._remains is not None:
            raise ValueError("the program's input is closed")
        self._process.write(b"".join(pieces))

    def close_input(self) -> None:
        """See `Subject.close_input`."""
        if not self._input_closed:
            self._input_closed = True
            self._process.close_input()

    def close_output(self) -> None:
        """See `Subject.close_output`: who reads the pipe goes on, and nobody listens."""

    def next(self, timeout: float) -> Activity:
        """See `Subject.next`."""
        if self._remains is not None or self._status is not None:
            return TimeOver() if self._status is None else Ended(self._status)
        deadline = time.monotonic() + timeout
        if not self._output_ended:
            try:
                data = self._process.read(timeout)
            except TimeoutError:
                status = self._ended_within(0)
                return TimeOver() if status is None else Ended(status)
            if data:
                return Output(data)
            self._output_ended = True
        left = max(deadline - time.monotonic(), 0)
        status = self._ended_within(left if self._told else min(left, _AT_ITS_END))
        if status is not None:
            return Ended(status)
        if not self._told:
            self._told = True
            return OutputEnded()
        return TimeOver()

    def _ended_within(self, timeout: float) -> int | None:
        if self._status is None:
            try:
                self._status = self._process.wait(timeout)
            except TimeoutError:
                return None
        return self._status

    def kill(self, _grace: float) -> Remains:
        """See `Subject.kill`; there is no grace: who is left is only known when they are ended."""
        if self._remains is None:
            self._ended_within(0)
            left = self._process.close()
            self._folder.remove()
            self._remains = Remains(tuple(f"process {pid}" for pid in left), None)
        return self._remains
