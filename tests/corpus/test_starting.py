"""Starting a program: found where its environment says, with nothing that was meant for others."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from authplugin_corpus.check.starting import start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="how it is done on Linux")

LIMIT = 60.0

STARTS = """
import os, sys
from authplugin_corpus.check.starting import keep_descriptors, start
os.set_inheritable(os.pipe()[1], True)
keep_descriptors()
pid = start([sys.executable, "-I", "-S", "-c", sys.argv[1]], os.environ, (0, 1, 2))
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def told(program: str) -> list[str]:
    """Return what a program says that was started by a process with something to inherit."""
    done = subprocess.run(
        [sys.executable, "-c", STARTS, program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
        timeout=LIMIT,
    )
    return done.stdout.split()


def test_no_other_descriptor_is_inherited() -> None:
    # The last one is that of the folder which is listed.
    program = "import os\nprint(*sorted(os.listdir('/proc/self/fd')), flush=True)"
    assert told(program) == ["0", "1", "2", "3", "status", "0"]


def test_it_leads_a_session() -> None:
    assert told("import os\nprint(os.getsid(0) == os.getpid())") == ["True", "status", "0"]


def test_a_signal_that_python_ignores_is_not_ignored() -> None:
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    pid = start(["/bin/sh", "-c", "kill -PIPE $$"], os.environ, (0, 1, 2))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGPIPE


def test_it_is_looked_for_where_its_own_environment_says(tmp_path: Path) -> None:
    program = tmp_path / "some-plugin"
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o700)
    pid = start(["some-plugin"], {"PATH": str(tmp_path)}, (0, 1, 2))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    with pytest.raises(FileNotFoundError, match="some-plugin"):
        start(["some-plugin"], {"PATH": "/nowhere"}, (0, 1, 2))
