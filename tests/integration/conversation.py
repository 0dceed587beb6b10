"""Speak to a plugin in bytes, under a time limit."""

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

LIMIT = 20.0
"""Seconds that a plugin may live, from its start to its end."""


@dataclass(frozen=True)
class End:
    """How a plugin ended: exit status, what it said that nobody had received, standard error."""

    status: int
    output: bytes
    error: bytes


class Conversation:
    """A plugin that was started, and is killed where it lives longer than it may."""

    def __init__(self, command: Sequence[str | bytes]) -> None:
        self.process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._held = b""
        self._output: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._error: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._pumps = [
            threading.Thread(target=_pump, args=(self.process.stdout, self._output)),
            threading.Thread(target=_pump, args=(self.process.stderr, self._error)),
        ]
        for pump in self._pumps:
            pump.start()
        self._watchdog = threading.Timer(LIMIT, self.process.kill)
        self._watchdog.start()

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        left = memoryview(data)
        while left:
            left = left[self.process.stdin.write(left) :]

    def receive(self) -> bytes:
        """Return the next whole frame, its length field included."""
        self._hold(4)
        length = 4 + int.from_bytes(self._held[:4], "big")
        self._hold(length)
        got, self._held = self._held[:length], self._held[length:]
        return got

    def _hold(self, length: int) -> None:
        while len(self._held) < length:
            chunk = self._output.get()
            assert chunk, f"the plugin ended instead of answering: {_drain(self._error)!r}"
            self._held += chunk

    def exchange(self, sent: bytes, expected: bytes) -> None:
        self.send(sent)
        assert self.receive() == expected

    def wait_until_read(self) -> None:
        """Let the plugin take what was sent, so that what follows comes in another read.

        Only Linux tells; elsewhere this does nothing.
        """
        if sys.platform != "linux":
            return
        import fcntl
        import termios

        assert self.process.stdin is not None
        deadline = time.monotonic() + LIMIT
        while any(fcntl.ioctl(self.process.stdin, termios.FIONREAD, bytes(4))):
            assert time.monotonic() < deadline, "the plugin does not read"
            time.sleep(0)

    def close_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def ended(self) -> End:
        """Wait for the plugin to end, of its own accord or because its input was closed."""
        status = self.process.wait(LIMIT)
        return End(status, self._held + _drain(self._output), _drain(self._error))

    def farewell(self) -> End:
        self.close_input()
        return self.ended()

    def clean_up(self) -> None:
        self.process.kill()
        self.process.wait()
        self._watchdog.cancel()
        self._watchdog.join()
        for pump in self._pumps:
            pump.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


def _pump(pipe: IO[bytes], into: "queue.SimpleQueue[bytes]") -> None:
    while chunk := pipe.read(65_536):
        into.put(chunk)
    into.put(b"")


def _drain(pumped: "queue.SimpleQueue[bytes]") -> bytes:
    return b"".join(iter(pumped.get, b""))


def assert_refused(end: End) -> None:
    """One line says why; nothing more was sent."""
    assert end.error.startswith(b"plugin: "), end
    assert end.error.count(b"\n") == 1, end
    assert end.error.endswith(b"\n"), end
    assert (end.status, end.output) == (1, b"")


CLEAN = End(0, b"", b"")
