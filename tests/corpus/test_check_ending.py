"""However a check ends, and whatever a plugin does to it, nothing of either stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from authplugin_corpus.check.watched import can_watch
from tests.corpus.checking import SHORT, TIMEOUT, in_python, played, report_of
from tests.corpus.subject_programs import FOLDER, table

pytestmark = pytest.mark.skipif(not can_watch(), reason="only Linux tells what is left")

CHECK = [sys.executable, "-c", "from authplugin_corpus.command import main; main()"]
CHECK += ["check", "plugin"]

ONE_CASE = ["--select", "plugin-success", "--jobs", "1"]

MEBI = 2**20


def running(marker: str) -> list[str]:
    """Return the ids of the processes whose environment or command line has a text in it."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                words = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in words:
                found.append(folder.name)
    return found


def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes about without anybody telling."""
    deadline = time.monotonic() + TIMEOUT
    while not condition() and time.monotonic() < deadline:
        os.sched_yield()
    assert condition()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for temporary files, by whose name all processes that were given it are known."""
    folder = tmp_path / f"temporary-{os.getpid()}"
    folder.mkdir()
    return folder


def with_place(place: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(place)}


def started(place: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a check in a process group of its own."""
    return subprocess.Popen(
        [*CHECK, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=with_place(place),
        start_new_session=True,
    )


def seen_to_leave_nothing(place: Path) -> None:
    until(lambda: running(str(place)) == [])
    until(lambda: list(place.iterdir()) == [])


BUSY = "import os, time; open(os.environ['TMPDIR'] + '/here', 'x').close(); time.sleep(600)"


@pytest.mark.parametrize("number", ["INT", "TERM", "HUP", "QUIT", "KILL"])
@pytest.mark.parametrize("to_all", [False, True], ids=["check", "group"])
def test_whatever_ends_the_check_leaves_nothing(number: str, to_all: bool, place: Path) -> None:
    if to_all and number == "KILL":
        pytest.skip("nobody survives that who could tidy up")
    which = signal.Signals[f"SIG{number}"]
    with started(place, "--jobs", "2", "--", *in_python(BUSY)) as process:
        until(lambda: len(list(place.glob("*/*/here"))) == 2)
        (os.killpg if to_all else os.kill)(process.pid, which)
        _, errors = process.communicate(timeout=TIMEOUT)
    seen_to_leave_nothing(place)
    if which is signal.SIGINT:
        assert process.returncode == 130
        assert b"Interrupted" in errors


# A plugin that has the worker die which plays with it, and what it leaves then.

KILLER = """
import os, signal, time
for number in signal.valid_signals() - {{signal.SIGKILL, signal.SIGSTOP}}:
    signal.signal(number, signal.SIG_IGN)
worker = os.getppid()
if {fork} and os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
os.closerange(0, 3)
open(os.environ["TMPDIR"] + "/here", "x").close()
os.kill(worker, signal.{number})
time.sleep(600)
"""


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP"])
@pytest.mark.parametrize("fork", [False, True])
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_what_a_killed_worker_leaves_is_ended(
    fork: bool, jobs: str, number: str, place: Path
) -> None:
    command = in_python(KILLER.format(fork=fork, number=number))
    cases = ["--select", "plugin-success*", "--select", "plugin-end-*"]
    with started(place, *cases, "--jobs", jobs, "--", *command) as process:
        output, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2
    assert b"Traceback" not in errors
    assert b"was ended by SIGKILL" in output
    assert running(str(place)) == []
    assert list(place.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="signals its parent")
def test_a_worker_that_dies_is_an_error_and_the_run_goes_on(tmp_path: Path) -> None:
    once = tmp_path / "once"
    code = (
        "import os, signal\n"
        f"try: os.close(os.open({str(once)!r}, os.O_CREAT | os.O_EXCL))\n"
        "except FileExistsError: pass\n"
        "else: os.kill(os.getppid(), signal.SIGKILL)\n"
    )
    arguments = ["--select", "plugin-success*", "--select", "plugin-end-*", "--jobs", "1"]
    status, report = report_of(tmp_path, *arguments, "--", *in_python(code))
    assert status == 2
    errors = [case for case in report["cases"] if case["outcome"] == "error"]
    assert len(errors) == 1
    assert "was ended by SIGKILL" in errors[0]["reason"]
    assert len(report["cases"]) > 3


# Hostile plugins.


# What the kernel tells of a process that has ended counts what started it, too: pytest is large.
MEASURED = """
import atexit, os, re, resource
from pathlib import Path

def tell():
    own = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    Path(os.environ["MEMORY"]).write_text(str(max(int(own), others) * 1024))

atexit.register(tell)
from authplugin_corpus.command import main
main()
"""


def check_of(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, bytes, int]:
    """Check a plugin; return the status, what was printed, and the most memory of one process."""
    line = [sys.executable, "-c", MEASURED, "check", "plugin", *ONE_CASE]
    with NamedTemporaryFile("r") as memory:
        ran = subprocess.run(
            [*line, "--timeout", str(SHORT), "--", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, "MEMORY": memory.name},
            check=False,
        )
        return ran.returncode, ran.stdout, int(memory.read())


@pytest.mark.parametrize("act", table("hostile", "ACTS"))
def test_a_hostile_plugin_is_judged_and_nothing_stays(act: str, hostile: str, place: Path) -> None:
    status, output, memory = check_of(
        [hostile, act], {**with_place(place), "ELSEWHERE": str(place.parent)}
    )
    assert status == 1, output
    assert b"1 finding\n" in output
    assert memory < 100 * MEBI
    assert running(str(place)) == []
    assert list(place.iterdir()) == []


def test_memory_that_a_small_plugin_takes_just_before_it_ends_is_found(hostile: str) -> None:
    took = played("plugin-init-length-oversized-claim", [hostile, "believe"]).took
    assert took.sentence.startswith("took 17 MiB of memory for ")


# A disk that is full.


def in_small_folder(place: Path) -> list[str]:
    """Return the beginning of a command that has a disk of its own there. Skips where it cannot."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare")
    line = [unshare, "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    script = 'mount -t tmpfs -o size=1m,nr_inodes=200 none "$0" && "$@"; status=$?; ls -A "$0"; '
    line += ["sh", "-c", script + "exit $status", str(place)]
    if subprocess.run([*line, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this process cannot mount anything")
    return line


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_plugin_that_fills_the_disk_is_judged_by_what_it_says(place: Path, jobs: str) -> None:
    plugin = FOLDER.parents[2] / "examples" / "plugin.py"
    line = [*in_small_folder(place), *CHECK, "--jobs", jobs, "--select", "clean"]
    line += ["--select", "plugin-success*", "--select", "plugin-end-*", "--"]
    line += in_python(FILLS.format(plugin=str(plugin)))
    done = subprocess.run(line, capture_output=True, check=False, env=with_place(place))
    assert done.returncode == 0, done
    assert done.stdout.endswith(b"conformant\n")
    assert done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no disk that is always full")
def test_a_report_that_cannot_be_written_is_no_finding(place: Path) -> None:
    full = ["--report", "json=/dev/full", "--report", f"junit={place.parent / 'junit.xml'}"]
    with started(place, *ONE_CASE, *full, "--", *in_python("")) as process:
        _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2
    assert errors == b"Error: cannot write the report /dev/full: No space left on device\n"


FILLS = """
import os, runpy
place = os.environ["TMPDIR"] + "/"
def write(number):
    with open(place + "huge", "ab") as file: file.write(bytes(4096))
for act in (write, lambda number: os.mkdir(place + str(number))):
    try:
        for number in range(10**9): act(number)
    except OSError as error: assert error.errno == 28, error
runpy.run_path({plugin!r}, run_name="__main__")
"""
