"""Programs as child processes: time limits, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authplugin import (
    EndKind,
    EndOfFile,
    LocalProtocolError,
    PluginInit,
    PluginInitResponse,
    PluginProcess,
    PluginProtocol,
    RemoteProtocolError,
    SupervisedProcess,
    encode,
    process,
)

INIT = PluginInit(2, "example.com", 22, "")
LIMIT = 20.0  # seconds; a test that needs them has failed

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers and /proc")


def python(source: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", source]


def alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] != b"Z"


def die(*pids: int) -> bool:
    """Wait until processes that are not ours to wait for have ended; say whether they did."""
    deadline = time.monotonic() + LIMIT
    while any(map(alive, pids)) and time.monotonic() < deadline:
        os.sched_yield()
    return not any(map(alive, pids))


def read_all(program: SupervisedProcess) -> bytes:
    return b"".join(iter(lambda: program.read(LIMIT), b""))


@pytest.fixture(autouse=True)
def nothing_left(no_process_is_left: None) -> Iterator[None]:
    """Fail a test that leaves a thread, a child or a descriptor of this process."""
    descriptors = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    threads = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == threads
    if descriptors is not None:
        assert set(os.listdir("/proc/self/fd")) == descriptors


@pytest.fixture(params=["kept", "direct"])
def starter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the keeper, and as on a system that cannot fork."""
    if request.param == "direct":
        monkeypatch.delattr(os, "fork")
    return str(request.param)


def test_bytes_go_in_and_out(starter: str) -> None:
    with SupervisedProcess(["cat"]) as program:
        program.write(b"hello")
        assert program.read(LIMIT) == b"hello"
        program.write(bytearray(b" again"))
        program.close_input()
        assert read_all(program) == b" again"
        assert program.read(LIMIT) == b""
        assert program.wait(LIMIT) == 0
        assert program.close() == []


def test_more_than_a_pipe_holds_goes_through(starter: str) -> None:
    data = bytes(range(256)) * 40_000
    with SupervisedProcess(["cat"]) as program:
        program.write(data)
        program.close_input()
        assert read_all(program) == data


def test_reading_and_waiting_have_time_limits(starter: str) -> None:
    with SupervisedProcess(["sleep", "1000"]) as program:
        with pytest.raises(TimeoutError, match=r"wrote nothing within 0\.01 seconds"):
            program.read(0.01)
        with pytest.raises(TimeoutError, match=r"still running after 0\.01 seconds"):
            program.wait(0.01)
        assert alive(program.pid)
    assert not alive(program.pid)


def test_the_exit_status_tells_a_signal(starter: str) -> None:
    with SupervisedProcess(python("import os; os.kill(os.getpid(), 15)")) as program:
        assert program.wait(LIMIT) == -signal.SIGTERM
    with SupervisedProcess("exit 3") as program:
        assert program.wait(LIMIT) == 3


def test_the_tail_of_standard_error_is_kept(starter: str) -> None:
    source = "import sys; sys.stderr.write('x' * 200_000 + 'the end')"
    with SupervisedProcess(python(source)) as program:
        assert read_all(program) == b""
        program.close()
        assert len(program.error_output) == process.ERROR_TAIL
        assert program.error_output.endswith(b"xthe end")


def test_a_program_that_does_not_exist_is_an_error(starter: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="missing"):
        SupervisedProcess([missing])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        SupervisedProcess(["cat"], cwd=tmp_path / "nowhere")


@pytest.mark.parametrize("command", ["", [], [""]])
def test_an_empty_command_is_an_error(command: str | list[str]) -> None:
    with pytest.raises(ValueError, match="the command is empty"):
        SupervisedProcess(command)


def test_the_environment_and_the_folder_can_be_set(starter: str, tmp_path: Path) -> None:
    with SupervisedProcess("echo $GREETING; pwd", env={"GREETING": "hi"}, cwd=tmp_path) as program:
        assert read_all(program).decode().split() == ["hi", str(tmp_path)]


def test_floods_are_held_back_and_ended() -> None:
    source = (
        "import os, threading\n"
        "def flood(pipe):\n"
        "    while True: os.write(pipe, b'y' * 65536)\n"
        "threading.Thread(target=flood, args=(2,)).start()\n"
        "flood(1)\n"
    )
    with SupervisedProcess(python(source)) as program:
        for _ in range(100):
            assert program.read(LIMIT)
        assert len(program.error_output) <= process.ERROR_TAIL


def test_a_program_that_ends_without_reading_does_not_block_the_writer() -> None:
    with SupervisedProcess(["true"]) as program:
        program.write(bytes(10_000_000))
        program.close_input()
        assert program.wait(LIMIT) == 0


def test_a_stopped_program_is_ended() -> None:
    stopping = python("import os; os.kill(os.getpid(), 19)")
    with SupervisedProcess(stopping) as program, pytest.raises(TimeoutError):
        program.wait(0.05)
    assert not alive(program.pid)


STUBBORN = """
import os, signal, sys, time
for number in range(1, 32):
    if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
def detach():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(3):
                os.close(number)
            time.sleep(1000)
        time.sleep(1000)
detach()
print(flush=True)
time.sleep(1000)
"""


@linux
def test_what_cut_itself_loose_is_found_and_ended() -> None:
    with SupervisedProcess(python(STUBBORN)) as program:
        assert program.read(LIMIT) == b"\n"
        left = program.close()
    assert left
    assert not any(map(alive, [program.pid, *left]))


@linux
def test_what_outlives_the_program_is_found_and_ended() -> None:
    with SupervisedProcess("sleep 1000 & echo $!") as program:
        pid = int(program.read(LIMIT))
        assert program.wait(LIMIT) == 0
        assert alive(pid)
        assert program.close() == [pid]
    assert not alive(pid)


@linux
def test_nothing_survives_a_client_that_is_killed() -> None:
    source = (
        "import authplugin, sys, time\n"
        "program = authplugin.SupervisedProcess('sleep 1000 & echo $!; exec sleep 1000')\n"
        "print(program.pid, program.read(20).decode(), flush=True)\n"
        "time.sleep(1000)\n"
    )
    client = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
    with client:
        assert client.stdout is not None
        pids = list(map(int, client.stdout.readline().split()))
        assert all(map(alive, pids))
        client.kill()
    assert die(*pids)


@linux
def test_a_keeper_that_is_killed_ends_the_program_with_it() -> None:
    """Whatever kills the keeper, the client learns of it, and the program does not stay."""
    source = "import os, time; print(os.getppid(), flush=True); time.sleep(1000)"
    with SupervisedProcess(python(source)) as program:
        os.kill(int(program.read(LIMIT)), signal.SIGKILL)
        assert program.wait(LIMIT) == -signal.SIGKILL
    assert die(program.pid)


# ---- PluginProcess ----

SILENT = python("import time; time.sleep(1000)")


def saying(*data: bytes) -> list[str]:
    """Return a plugin that writes each of `data` in answer to whatever comes, then reads on."""
    source = "import os\n"
    for each in data:
        source += f"os.read(0, 65536); os.write(1, {each!r})\n"
    return python(source + "while os.read(0, 65536): pass")


def test_a_plugin_is_conversed_with() -> None:
    with PluginProcess(saying(encode(PluginInitResponse(2, "bob")))) as plugin:
        assert plugin.request(INIT) == PluginInitResponse(2, "bob")
        assert plugin.close() == 0


def test_an_answer_in_pieces_is_put_together() -> None:
    frame = encode(PluginInitResponse(2, "bob"))
    pieces = python(
        "import os\nos.read(0, 99)\n"
        f"for byte in {frame!r}: os.write(1, bytes([byte]))\n"
        "os.read(0, 1)"
    )
    with PluginProcess(pieces) as plugin:
        assert plugin.request(INIT) == PluginInitResponse(2, "bob")


def test_silence_ends_at_the_time_limit() -> None:
    reason = r"no whole message within 0\.05 seconds, in state INIT"
    with PluginProcess(SILENT, timeout=0.05) as plugin, pytest.raises(TimeoutError, match=reason):
        plugin.request(INIT)
    assert not alive(plugin.process.pid)


def test_dripping_does_not_extend_the_time_limit() -> None:
    dripping = python(
        "import os, time\nos.read(0, 99)\nos.write(1, b'\\0\\0\\1\\0\\2')\n"
        "while True: os.write(1, b'x'); time.sleep(0.01)"
    )
    with PluginProcess(dripping, timeout=0.1) as plugin, pytest.raises(TimeoutError):
        plugin.request(INIT)


def test_waiting_in_ones_own_turn_is_refused() -> None:
    with PluginProcess(saying(encode(PluginInitResponse(2, "")))) as plugin:
        with pytest.raises(LocalProtocolError, match="it is the client's turn"):
            plugin.receive()
        plugin.request(INIT)
        with pytest.raises(LocalProtocolError, match="it is the client's turn"):
            plugin.receive()


def test_a_plugin_that_ends_while_it_owes_an_answer_has_failed() -> None:
    with PluginProcess(["true"]) as plugin, pytest.raises(RemoteProtocolError) as caught:
        plugin.request(INIT)
    assert caught.value.code == "end-premature"


def test_a_plugin_that_ends_after_a_failure_to_begin_has_not() -> None:
    failure = b"\0\0\0\6\x08\0\0\0\1x"
    with PluginProcess(python(f"import os; os.read(0, 99); os.write(1, {failure!r})")) as plugin:
        plugin.request(INIT)
        assert plugin.receive() == EndOfFile(EndKind.CLEAN)


def test_noise_is_a_violation() -> None:
    with PluginProcess(saying(b"Starting up...\n")) as plugin:
        with pytest.raises(RemoteProtocolError) as caught:
            plugin.request(INIT)
        assert caught.value.code == "frame-too-long"


def test_a_plugin_that_stays_is_ended_after_its_grace() -> None:
    with PluginProcess(SILENT, grace=0.05) as plugin:
        assert plugin.close() is None
    assert not alive(plugin.process.pid)


def test_a_message_out_of_place_is_not_sent() -> None:
    reason = "PLUGIN_PROTOCOL is sent in state IDLE"
    with PluginProcess(saying()) as plugin, pytest.raises(LocalProtocolError, match=reason):
        plugin.send(PluginProtocol("keyboard-interactive"))


def test_an_error_of_the_client_ends_the_plugin_at_once() -> None:
    with pytest.raises(ZeroDivisionError), PluginProcess(SILENT, grace=LIMIT) as plugin:
        raise ZeroDivisionError
    assert not alive(plugin.process.pid)
