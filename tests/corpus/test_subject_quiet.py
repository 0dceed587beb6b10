"""When a program under test is said to be quiet: as soon as it waits, and never before."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from authplugin_corpus.check.subject import Ended, Output, OutputEnded, Quiet, Subject, TimeOver
from authplugin_corpus.check.waiting import system_calls
from authplugin_corpus.check.watched import can_watch
from tests.corpus.subject_programs import compiled, node, python, table

pytestmark = pytest.mark.skipif(not can_watch(), reason="only Linux tells what a program waits for")

LIMIT = 60.0
"""Seconds within which anything happens, on the busiest machine."""

SHORT = 0.1
"""Seconds to wait where only the time limit can decide."""

LONGER = 0.5
"""Seconds within which it would be known that a program is stuck."""

Command = Callable[[], list[str]]


@pytest.fixture(scope="session")
def waits(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compiled("waits", tmp_path_factory.mktemp("waits"))


def check_ends(command: list[str], data: bytes = b"a") -> None:
    """See that a program which still has something to do is not said to be stuck meanwhile."""
    with Subject(command) as subject:
        subject.write(data)
        subject.close_input()
        activity = subject.next(LIMIT)
        while isinstance(activity, (Output, OutputEnded)):
            activity = subject.next(LIMIT)
        assert isinstance(activity, Ended)


def check_stuck(command: list[str]) -> None:
    """See that it is known of a program that it goes on no more, by whatever is said to it."""
    with Subject(command) as subject:
        assert subject.next(LIMIT) == Output(b"x")
        assert subject.next(LIMIT) == Quiet()
        subject.write(bytes(2**20))
        assert subject.next(LIMIT) == Quiet()
        subject.close_input()
        assert subject.next(LIMIT) == Quiet()


def check_quiet(command: list[str]) -> None:
    """Talk to a program that echoes bytes, and is quiet in between."""
    with Subject(command) as subject:
        assert subject.next(LIMIT) == Quiet()
        for byte in (b"a", b"b"):
            subject.write(byte)
            assert subject.next(LIMIT) == Output(byte)
            assert subject.next(LIMIT) == Quiet()
            assert subject.next(LIMIT) == Quiet()
            assert not subject.unread
        subject.close_input()
        assert subject.next(LIMIT) == Ended(0)
        assert subject.kill().processes == ()
        assert subject.error_output == b""


def check_busy(command: list[str]) -> None:
    """Talk to a program that takes a while to echo a byte."""
    with Subject(command) as subject:
        for byte in (b"a", b"b"):
            subject.write(byte)
            assert subject.next(LIMIT) == Output(byte)
        subject.close_input()
        assert subject.next(LIMIT) == Ended(0)


@pytest.mark.parametrize("way", table("waits", "READS"))
def test_a_program_in_c_is_quiet(waits: str, way: str) -> None:
    check_quiet([waits, way, "at-once"])


@pytest.mark.parametrize("way", table("waits", "WAITS")[1:])
def test_a_program_in_c_that_takes_a_while_is_not_quiet(waits: str, way: str) -> None:
    check_busy([waits, "plainly", way])


@pytest.mark.parametrize("way", table("waits", "WAITS")[1:])
def test_a_program_in_c_that_takes_a_while_to_end_is_not_stuck(waits: str, way: str) -> None:
    check_ends([waits, "plainly", way])


@pytest.mark.parametrize("way", table("waits", "READS"))
def test_a_program_in_c_that_sleeps_is_not_stuck(waits: str, way: str) -> None:
    check_ends([waits, way, "sleeping"])


@pytest.mark.parametrize("way", table("waits", "STICKS"))
def test_a_program_in_c_that_waits_for_itself_is_stuck(waits: str, way: str) -> None:
    check_stuck([waits, way, "sticks"])


@pytest.mark.parametrize("way", table("waits", "CALLS"))
def test_a_program_in_c_that_can_be_called_is_not_stuck(waits: str, way: str) -> None:
    with Subject([waits, way, "calls"]) as subject:
        assert subject.next(LIMIT) == Output(b"x")
        assert subject.next(LONGER) == TimeOver()


@pytest.mark.parametrize("way", table("waits", "READS"))
def test_a_program_in_c_that_sleeps_is_not_quiet(waits: str, way: str) -> None:
    check_busy([waits, way, "sleeping"])


PYTHON = {
    "read": """
        import os
        while data := os.read(0, 1):
            {wait}
            os.write(1, data)
    """,
    "buffered": """
        import sys
        while data := sys.stdin.buffer.read(1):
            {wait}
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
    """,
    "selectors": """
        import os, selectors
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ)
        while selector.select() and (data := os.read(0, 1)):
            {wait}
            os.write(1, data)
    """,
    "thread": """
        import os, queue, threading
        items = queue.SimpleQueue()
        def read():
            while data := os.read(0, 1):
                items.put(data)
            items.put(b"")
        threading.Thread(target=read).start()
        while data := items.get():
            {wait}
            os.write(1, data)
    """,
}

ASYNCIO = """
    import asyncio, os, sys
    async def main():
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while data := await reader.read(1):
            {wait}
            os.write(1, data)
    asyncio.run(main())
"""

PYTHON_WAITS = {
    "sleep": "import time; time.sleep(0.2)",
    "child": "import subprocess, sys; subprocess.run([sys.executable, '-ISc', ''], check=True)",
    "computing": "sum(range(5_000_000))",
    "join": "import threading, time; t = threading.Thread(target=time.sleep, args=(0.2,)); "
    "t.start(); t.join()",
}

PYTHON_TIMER = """
    import os, threading
    while data := os.read(0, 1):
        threading.Timer(0.2, os.write, (1, data)).start()
"""


def script(text: str, wait: str) -> list[str]:
    text = text.format(wait=wait)
    indent = re.match(r"\n( *)", text)
    assert indent is not None
    return python(text.replace("\n" + indent[1], "\n"))


@pytest.mark.parametrize("way", PYTHON)
def test_a_program_in_python_is_quiet(way: str) -> None:
    check_quiet(script(PYTHON[way], "pass"))


def test_a_program_with_asyncio_is_quiet() -> None:
    # Its loop has a pair of sockets to wake itself with.
    check_quiet(script(ASYNCIO, "pass"))


@pytest.mark.parametrize("wait", PYTHON_WAITS)
@pytest.mark.parametrize("way", PYTHON)
def test_a_program_in_python_that_takes_a_while_is_not_quiet(way: str, wait: str) -> None:
    check_busy(script(PYTHON[way], PYTHON_WAITS[wait]))


@pytest.mark.parametrize("wait", PYTHON_WAITS)
@pytest.mark.parametrize("way", PYTHON)
def test_a_program_in_python_that_takes_a_while_to_end_is_not_stuck(way: str, wait: str) -> None:
    check_ends(script(PYTHON[way], PYTHON_WAITS[wait]))


PYTHON_STICKS = {
    "event": "import threading; threading.Event().wait()",
    "queue": "import queue; queue.Queue().get()",
    "dead-lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "thread": "import threading; threading.Thread(target=threading.Event().wait).start()",
    "child": "import subprocess, sys; subprocess.run([sys.executable, '-ISc', "
    "'import signal; signal.pause()'])",
    "asyncio": "import asyncio; asyncio.run(asyncio.Event().wait())",
    "processes": "from multiprocessing import Lock; lock = Lock(); lock.acquire(); lock.acquire()",
}


@pytest.mark.parametrize("stick", PYTHON_STICKS)
def test_a_program_in_python_that_waits_for_itself_is_stuck(stick: str) -> None:
    check_stuck(script("\n import os\n os.write(1, b'x')\n {wait}\n", PYTHON_STICKS[stick]))


def test_a_timer_in_python_is_not_quiet() -> None:
    check_busy(script(PYTHON_TIMER, ""))


def test_asyncio_that_sleeps_is_not_quiet() -> None:
    check_busy(script(ASYNCIO, "await asyncio.sleep(0.2)"))


NODE = {
    "stream": "process.stdin.on('data', data => process.stdout.write(data));",
    "iterator": "(async () => { for await (const data of process.stdin) "
    "process.stdout.write(data); })();",
    "synchronous": "const fs = require('fs'), data = Buffer.alloc(1);"
    "while (fs.readSync(0, data)) fs.writeSync(1, data);",
    "file": "const fs = require('fs'), data = Buffer.alloc(1);"
    "const next = () => fs.read(0, data, 0, 1, null, (error, count) => "
    "{ if (count) { fs.writeSync(1, data); next(); } }); next();",
}

NODE_WAITS = {
    "timeout": "process.stdin.on('data', data => "
    "setTimeout(() => process.stdout.write(data), 200));",
    "interval": "process.stdin.on('data', data => { const timer = setInterval(() => "
    "{ clearInterval(timer); process.stdout.write(data); }, 200); });",
    "child": "const { execFile } = require('child_process');"
    "process.stdin.on('data', data => "
    "execFile('sleep', ['0.2'], () => process.stdout.write(data)));",
    "worker": "const { Worker } = require('worker_threads');"
    "process.stdin.on('data', data => new Worker("
    "'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)', { eval: true })"
    ".on('exit', () => process.stdout.write(data)));",
    "crypto": "process.stdin.on('data', data => require('crypto').pbkdf2('a', 'b', 300000, 64, "
    "'sha512', () => process.stdout.write(data)));",
    "name": "process.stdin.on('data', data => "
    "require('dns').lookup('localhost', () => process.stdout.write(data)));",
}


@pytest.mark.parametrize("way", NODE)
def test_a_program_in_javascript_is_quiet(way: str) -> None:
    check_quiet(node(NODE[way]))


@pytest.mark.parametrize("way", NODE_WAITS)
def test_a_program_in_javascript_that_takes_a_while_is_not_quiet(way: str) -> None:
    check_busy(node(NODE_WAITS[way]))


@pytest.mark.parametrize("way", NODE_WAITS)
def test_a_program_in_javascript_that_takes_a_while_to_end_is_not_stuck(way: str) -> None:
    check_ends(node(NODE_WAITS[way]))


def test_a_program_in_javascript_that_waits_for_itself_is_stuck() -> None:
    check_stuck(
        node(
            "process.stdout.write('x', () => "
            "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))"
        )
    )


def test_a_program_that_has_not_read_everything_is_not_quiet() -> None:
    text = "\n import os, select\n select.select([0], [], [])\n os.read(0, 1)\n os.write(1, b'x')\n"
    text += " select.select([], [], [], 600)\n"
    with Subject(script(text, "")) as subject:
        subject.write(b"abc")
        assert subject.next(LIMIT) == Output(b"x")
        assert subject.next(SHORT) == TimeOver()
        assert subject.unread


def test_what_is_left_unread_is_not_read_any_more_behind_the_end() -> None:
    # It is told of news alone, takes one byte for each, and the end is the last.
    text = "\n import os, select\n news = select.epoll()\n"
    text += " news.register(0, select.EPOLLIN | select.EPOLLET)\n"
    text += " while True: news.poll(); os.read(0, 1)\n"
    with Subject(script(text, "")) as subject:
        subject.write(b"abcdef")
        subject.close_input()
        assert subject.next(LIMIT) == Quiet()
        assert subject.unread


def test_a_program_that_waits_for_something_else_is_not_quiet(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    text = f"\n import os\n os.read(0, 1)\n os.write(1, b'x')\n open({str(tmp_path / 'fifo')!r})\n"
    with Subject(script(text, "")) as subject:
        subject.write(b"a")
        assert subject.next(LIMIT) == Output(b"x")
        assert subject.next(SHORT) == TimeOver()
        assert not subject.unread


def test_a_stopped_program_is_quiet_whatever_is_said_to_it() -> None:
    text = "\n import os, signal\n os.write(1, b'x')\n os.kill(os.getpid(), signal.SIGSTOP)\n"
    with Subject(script(text, "")) as subject:
        subject.write(b"abc")
        assert subject.next(LIMIT) == Output(b"x")
        assert subject.next(LIMIT) == Quiet()
        assert subject.unread
        assert subject.kill().processes == ()


def test_a_program_may_close_its_output_and_be_quiet() -> None:
    text = "\n import os\n os.close(1)\n os.read(0, 1)\n"
    with Subject(script(text, "")) as subject:
        assert subject.next(LIMIT) == OutputEnded()
        assert subject.next(LIMIT) == Quiet()
        subject.write(b"x")
        assert subject.next(LIMIT) == Ended(0)


def test_system_calls_are_known_by_machine() -> None:
    if sys.platform == "linux":
        here = system_calls(os.uname().machine)
        assert {"read", "futex", "ppoll"} <= set(here.values())
    assert system_calls("x86_64")[0] == "read"
    assert system_calls("aarch64")[63] == "read"
    assert system_calls("vax") == {}
    for machine in ("x86_64", "aarch64"):
        names = system_calls(machine).values()
        assert len(set(names)) == len(names)
