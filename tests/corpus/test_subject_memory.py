"""What is known of the memory that a program under test takes."""

from __future__ import annotations

from pathlib import Path

from authplugin_corpus.check.subject import Ended, Output, Quiet, Subject
from tests.corpus.subject_programs import python
from tests.corpus.watching import LIMIT, MEBI, linux, said, until_end

pytestmark = linux


def test_memory_of_a_program_that_waits() -> None:
    text = "import os\nhuge = bytearray(24 * 2**20)\nos.read(0, 1)"
    with Subject(python(text)) as subject:
        assert subject.next(LIMIT) == Quiet()
        subject.close_input()
        assert subject.next(LIMIT) == Ended(0)
        peak = subject.kill().peak_memory
    assert peak is not None
    assert 24 * MEBI < peak < 48 * MEBI


def test_memory_of_a_program_that_has_ended() -> None:
    with Subject(python("bytearray(512 * 2**20)")) as subject:
        assert subject.next(LIMIT) == Ended(0)
        peak = subject.kill().peak_memory
    assert peak is not None
    assert 512 * MEBI < peak < 600 * MEBI


def test_memory_of_a_small_program_that_is_never_looked_at(hostile: str) -> None:
    for small in (False, True):
        with Subject([hostile, "believe"], small=small) as subject:
            subject.write(b"\1\0\0\0")
            assert subject.next(LIMIT) == Ended(1)
            remains = subject.kill()
        most = max(remains.peak_memory or 0, remains.touched_memory)
        # (Where huge pages are given out, pages do not tell.)
        assert 16 * MEBI < most < 24 * MEBI or not small
    assert (remains.peak_memory, remains.touched_memory) == (most, 0)


def test_a_program_started_small_is_as_any_other(tmp_path: Path) -> None:
    text = "import os, signal\nprint(os.getsid(0) == os.getpid(), os.environ['A'], os.getcwd(), "
    text += "sorted(os.listdir('/proc/self/fd'))[:-1], signal.getsignal(signal.SIGUSR1), "
    text += "[n for n in range(1, 32) if int(open('/proc/self/status').read()"
    text += ".split('SigIgn:')[1].split()[0], 16) >> n - 1 & 1], flush=True)\nos._exit(3)"
    outputs = []
    for small in (False, True):
        with Subject(python(text), environment={"A": "B"}, small=small) as subject:
            happened = until_end(subject)
        assert happened[-1] == Ended(3)
        outputs.append(b"".join(each.data for each in happened if isinstance(each, Output)))
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith(b"True B ")


def test_memory_of_a_child() -> None:
    text = "import os\nif os.fork() == 0:\n huge = bytearray(64 * 2**20)\n os.write(1, b'x')\n"
    text += "os.read(0, 1)"
    with Subject(python(text)) as subject:
        assert said(subject, 1) == b"x"
        peak = subject.kill().peak_memory
    assert peak is not None
    assert 64 * MEBI < peak < 96 * MEBI
