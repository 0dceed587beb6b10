"""A plugin as a child process: started, conversed with under time limits, always reaped."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

from .codec import Data, view_of
from .errors import ErrorCode, LocalProtocolError
from .limits import DEFAULT_LIMITS, Limits
from .session import ClientSession, Event
from .table import Message, Side, State

CHUNK = 64 * 1024
"""Bytes read from a pipe in one go."""

CHUNKS_AHEAD = 16
"""Chunks read from a plugin's output before anybody asked for them: the rest waits in the pipe."""

ERROR_TAIL = 64 * 1024
"""Bytes of a plugin's standard error that are kept: the last ones."""

KEEPER: Final = Path(__file__).with_name("keeper.py")

_PATIENCE = 10.0  # seconds for the keeper itself, which only kills and waits


class _Kept:
    """A program under a keeper process, which leaves nothing of it behind."""

    def __init__(self, command: list[str], **options: object) -> None:
        status, told = os.pipe()
        life, self._life = os.pipe()
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(told), str(life)]
        try:
            self.popen: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
                [*keeper, *command], pass_fds=(told, life), start_new_session=True, **options
            )
        except BaseException:
            os.close(status)
            os.close(self._life)
            raise
        finally:
            os.close(told)
            os.close(life)
        self._status = os.fdopen(status, "r")
        self.left: list[int] = []
        self.returncode: int | None = None
        self._exited = threading.Event()
        first = self._status.readline().split()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        if first[:1] != ["started"]:
            self.end()
            for pipe in filter(None, (self.popen.stdin, self.popen.stdout, self.popen.stderr)):
                pipe.close()
            number = int(first[1]) if first else 0
            raise OSError(number, os.strerror(number) if number else "not started", command[0])
        self.pid = int(first[1])
        self._listener.start()

    def _listen(self) -> None:
        for line in self._status:
            word, *values = line.split()
            if word == "exited":
                self.returncode = int(values[0])
                self._exited.set()
            else:
                self.left = [int(value) for value in values]
        if self.returncode is None:
            # Somebody has killed the keeper; at least the program's own group must not stay.
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.returncode = -signal.SIGKILL
        self._exited.set()

    def wait(self, timeout: float) -> int | None:
        return self.returncode if self._exited.wait(timeout) else None

    def end(self) -> None:
        """Have everything killed and waited for."""
        os.close(self._life)
        try:
            self.popen.wait(_PATIENCE)
        finally:
            self.popen.kill()
            self.popen.wait()
            if self._listener.ident is not None:
                self._listener.join(_PATIENCE)
            self._status.close()


class _Direct:
    """A program by itself: what it starts in turn is not found. For systems without `fork`."""

    left: Sequence[int] = ()

    def __init__(self, command: list[str], **options: object) -> None:
        self.popen: subprocess.Popen[bytes] = subprocess.Popen(command, **options)  # type: ignore[call-overload]
        self.pid = self.popen.pid

    def wait(self, timeout: float) -> int | None:
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()


class _Pipes:
    """Reads and writes a program's three pipes in threads, so that nobody waits without a limit."""

    def __init__(
        self, stdin: IO[bytes] | None, stdout: IO[bytes] | None, stderr: IO[bytes] | None
    ) -> None:
        self.error_tail = bytearray()
        self._input: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self._output: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._room = threading.Semaphore(CHUNKS_AHEAD)
        self._closing = False
        self._ended = False
        self._threads = [
            threading.Thread(target=self._guard, args=(work, pipe), daemon=True)
            for work, pipe in (
                (self._write_input, stdin),
                (self._read_output, stdout),
                (self._read_errors, stderr),
            )
        ]
        for thread in self._threads:
            thread.start()

    def _guard(self, work: Callable[[int], None], pipe: IO[bytes] | None) -> None:
        assert pipe is not None  # all three are pipes
        try:
            work(pipe.fileno())
        except OSError:
            pass  # the program has closed its end; its output says so to whoever reads it
        finally:
            pipe.close()

    def _write_input(self, pipe: int) -> None:
        while (data := self._input.get()) is not None:
            while data:
                data = data[os.write(pipe, data) :]

    def _read_output(self, pipe: int) -> None:
        data = b"-"
        while data and not self._closing:
            self._room.acquire()
            data = os.read(pipe, CHUNK)
            self._output.put(data)

    def _read_errors(self, pipe: int) -> None:
        while data := os.read(pipe, CHUNK):
            self.error_tail += data
            del self.error_tail[:-ERROR_TAIL]

    def write(self, data: memoryview | None) -> None:
        self._input.put(data)

    def read(self, timeout: float) -> bytes | None:
        if self._ended:
            return b""
        try:
            data = self._output.get(timeout=max(timeout, 0))
        except queue.Empty:
            return None
        self._room.release()
        self._ended = not data
        return data

    def close(self) -> None:
        """End the threads; the program has ended already, so its ends of the pipes are closed."""
        self._closing = True
        self._room.release()
        self._input.put(None)
        for thread in self._threads:
            thread.join(1.0)


class SupervisedProcess:
    """A program, its pipes, and all that it starts; speaks bytes.

    Use it as a context manager, or call `close`. On Linux nothing that the program started
    survives `close`, or the death of the calling process; on other systems with `fork`, nothing of
    its process group; on Windows only the program itself is ended.

    Args:
        command: the program and its arguments; or a line for the shell, as PuTTY runs it.
        env: the environment; None for the caller's.
        cwd: the folder to start it in; None for the caller's.

    Raises:
        OSError: where the program cannot be started.
        ValueError: where the command is empty.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        arguments = _shell(command) if isinstance(command, str) else list(command)
        if not arguments or not arguments[0]:
            raise ValueError("the command is empty: expected a program and its arguments")
        start = _Kept if hasattr(os, "fork") else _Direct
        pipe = subprocess.PIPE
        self._program = start(arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=cwd)
        popen = self._program.popen
        self._pipes = _Pipes(popen.stdin, popen.stdout, popen.stderr)
        self._closed = False

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._program.pid

    @property
    def error_output(self) -> bytes:
        """The last of what the program wrote to standard error, `ERROR_TAIL` bytes at most."""
        return bytes(self._pipes.error_tail)

    def write(self, data: Data) -> None:
        """Queue bytes for the program's input; never waits. What it does not read is discarded."""
        self._pipes.write(view_of(data))

    def close_input(self) -> None:
        """Close the program's input behind what has been queued."""
        self._pipes.write(None)

    def read(self, timeout: float) -> bytes:
        """Return bytes that the program wrote, as they come; `b""` at the end of its output.

        Raises:
            TimeoutError: where nothing came within `timeout` seconds.
        """
        data = self._pipes.read(timeout)
        if data is None:
            raise TimeoutError(f"the program wrote nothing within {timeout:g} seconds")
        return data

    def wait(self, timeout: float) -> int:
        """Return the program's exit status; where a signal ended it, minus the signal's number.

        Raises:
            TimeoutError: where it is still running after `timeout` seconds.
        """
        status = self._program.wait(timeout)
        if status is None:
            raise TimeoutError(f"the program is still running after {timeout:g} seconds")
        return status

    def close(self) -> list[int]:
        """End all that is still running, and wait for it.

        Returns:
            The ids of the processes besides the program itself that it had left running (always
            empty where the system cannot tell).
        """
        if not self._closed:
            self._closed = True
            self._program.end()
            self._pipes.close()
        return list(self._program.left)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _shell(line: str) -> list[str]:
    """Return the command that has the shell run a line."""
    if sys.platform == "win32":
        shell = [os.environ.get("COMSPEC", "cmd.exe"), "/c"]
    else:
        shell = ["/bin/sh", "-c"]
    return [*shell, line] if line else []


class PluginProcess:
    """A plugin to converse with, as an SSH client does.

        with PluginProcess(["my-plugin"]) as plugin:
            answer = plugin.request(PluginInit(2, "example.com", 22, "alice"))

    Leaving the block closes the plugin's input, gives it `grace` seconds to end by itself, and ends
    it then.

    Args:
        command: the program and its arguments; or a line for the shell, as PuTTY runs it.
        timeout: seconds within which each of its messages must come.
        grace: seconds to end in once its input is closed.
        limits: what to accept from it.
        env: the environment; None for the caller's.
        cwd: the folder to start it in; None for the caller's.

    Raises:
        OSError: where the plugin cannot be started.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        timeout: float = 30.0,
        grace: float = 5.0,
        limits: Limits = DEFAULT_LIMITS,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.timeout = timeout
        self.grace = grace
        self.session = ClientSession(limits)
        self.process = SupervisedProcess(command, env=env, cwd=cwd)

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            LocalProtocolError: where it may not be sent now; see `Session.send`.
        """
        self.process.write(self.session.send(message))

    def receive(self) -> Event:
        """Return what the plugin says next, or that it has ended.

        Raises:
            TimeoutError: where it says nothing whole within the time limit.
            RemoteProtocolError: where it breaks the protocol.
            LocalProtocolError: where it is the client's turn.
        """
        deadline = time.monotonic() + self.timeout
        while (event := self.session.next_event()) is None:
            if self.session.turn is not Side.PLUGIN and self.session.state is not State.ENDED:
                raise LocalProtocolError(
                    ErrorCode.WRONG_TURN, "the plugin owes nothing: it is the client's turn"
                )
            try:
                data = self.process.read(deadline - time.monotonic())
            except TimeoutError:
                raise TimeoutError(
                    f"the plugin sent no whole message within {self.timeout:g} seconds, "
                    f"in state {self.session.state}"
                ) from None
            if data:
                self.session.receive_data(data)
            else:
                self.session.receive_end_of_file()
        return event

    def request(self, message: Message) -> Event:
        """Send a message and return the answer; raises as `send` and `receive` do."""
        self.send(message)
        return self.receive()

    def close(self) -> int | None:
        """Close the plugin's input, wait for it to end, and end it where it does not.

        Returns:
            Its exit status, or None where it had to be ended.
        """
        self.process.close_input()
        try:
            return self.process.wait(self.grace)
        except TimeoutError:
            return None
        finally:
            self.process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.process.close()
