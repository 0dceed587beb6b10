"""Mistakes in how a plugin ends, each in the words of somebody who has made it."""

import contextlib
import os
import subprocess
import sys
import threading
import time

from plugin import Plugin


class SpinsAtEnd(Plugin):
    """I tried again where read returned nothing."""

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(0, size - len(data))
        return data


class OutlivesInput(Plugin):
    """I waited for the outcome before I ended, whatever happens."""

    def on_end(self) -> None:
        threading.Event().wait()


class WaitsForThread(Plugin):
    """I started a thread that never ends."""

    def on_start(self) -> None:
        threading.Thread(target=threading.Event().wait).start()


class LeavesChild(Plugin):
    """I started an agent, and never ended it."""

    def on_start(self) -> None:
        null = subprocess.DEVNULL
        subprocess.Popen(["sleep", "600"], stdin=null, stdout=null, stderr=null)


class LeavesChildWithOutput(Plugin):
    """I started an agent, which inherited my standard output."""

    def on_start(self) -> None:
        subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)


class LeavesDaemon(Plugin):
    """I started a daemon, with two forks and every descriptor closed."""

    def on_start(self) -> None:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 64)
                time.sleep(600)
            os._exit(0)
        os.wait()


class OverlooksEndWhileAsking(Plugin):
    """I waited for what the user says, and never looked whether the client has gone."""

    asks = True

    def on_end(self) -> None:
        if self.state == "ASKING_USER":
            threading.Event().wait()


class EndsAtSuccess(Plugin):
    """I ended once the login had succeeded."""

    def on_success(self) -> str:
        super().on_success()
        sys.exit()


class EndsAfterResponse(Plugin):
    """I ended once I had given the password."""

    def respond(self, responses: list[str]) -> str:
        super().respond(responses)
        sys.exit()


class EndsWithError(Plugin):
    """I took the end of the input for an error."""

    def on_end(self) -> None:
        raise EOFError


class ClosesOutput(Plugin):
    """I closed standard output behind the first message."""

    def answer_init(self, offered: int, username: str) -> str:
        state = super().answer_init(offered, username)
        os.close(1)
        return state

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(1, data)


class StopsInsideMessage(Plugin):
    """I ended before all of the message was written."""

    def respond(self, responses: list[str]) -> str:
        body = b"".join(map(self.text, responses))
        self.write(self.uint32(5 + len(body)) + b"\x15" + self.uint32(len(responses)) + body[:-1])
        sys.exit()


class SleepsBeforeAnswer(Plugin):
    """I waited for a token that never comes before I answered the first message."""

    def answer_init(self, offered: int, username: str) -> str:
        threading.Event().wait()
        return super().answer_init(offered, username)


class TakesLongToEnd(Plugin):
    """I cleaned up for a minute when the client had gone."""

    def on_end(self) -> None:
        time.sleep(60)


class DiesAtEnd(Plugin):
    """I killed myself to end quickly, threads and all."""

    def on_end(self) -> None:
        os.abort()
