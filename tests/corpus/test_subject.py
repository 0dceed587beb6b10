"""A program under test may do what it likes: nothing hangs, nothing stays, nothing grows."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from authplugin.keeper import descendants
from authplugin_corpus.check.subject import (
    Ended,
    Output,
    OutputEnded,
    Quiet,
    Subject,
    TimeOver,
)
from authplugin_corpus.check.tree import peak_memory
from tests.corpus.subject_programs import python
from tests.corpus.watching import LIMIT, MEBI, SHORT, each_way, linux, said, until_end


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that no test leaves a process, a descriptor, or a folder but one that is empty."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr("authplugin_corpus.check.folder._spare", [])
    before = descendants(os.getpid())
    files = open_files()
    yield
    assert descendants(os.getpid()) == before
    assert open_files() == files
    assert [list(each.iterdir()) for each in place.iterdir()] in ([], [[]])


def open_files() -> set[str]:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return set()
    # The folder /proc itself is open once and for all, as is what lists the files here.
    return {each.name for each in folder.iterdir() if os.path.lexists(each)} - {
        each.name for each in folder.iterdir() if os.path.realpath(each).startswith("/proc")
    }


# What it does.


@each_way
def test_a_conversation(watched: bool) -> None:
    text = "import os\nwhile data := os.read(0, 100): os.write(1, data.upper())\nos._exit(3)"
    with Subject(python(text), watched=watched) as subject:
        for data in (b"abc", b"def"):
            subject.write(data)
            assert said(subject, 3) == data.upper()
        assert subject.next(0) in (TimeOver(), Quiet())
        subject.close_input()
        subject.close_input()
        assert until_end(subject) == [Ended(3)]
        assert subject.next(0) == Ended(3)
        assert subject.kill() == subject.kill()
        assert subject.next(0) == Ended(3)
        assert not subject.unread


@each_way
def test_how_it_ends(watched: bool) -> None:
    with Subject(python("import os; os.abort()"), watched=watched) as subject:
        assert until_end(subject)[-1] == Ended(-signal.SIGABRT)


@each_way
def test_what_cannot_be_started(watched: bool, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Subject([str(tmp_path / "missing")], watched=watched)
    with pytest.raises(PermissionError):
        Subject([str(tmp_path)], watched=watched)
    with pytest.raises(ValueError, match="the command is empty"):
        Subject([], watched=watched)


@each_way
def test_it_has_its_variables_and_an_empty_folder(watched: bool) -> None:
    text = "import os\nprint(os.environ['A'], 'PATH' in os.environ, flush=True)\n"
    text += "print(os.listdir(os.environ['TMPDIR']))"
    with Subject(python(text), environment={"A": "B"}, watched=watched) as subject:
        output = b"".join(each.data for each in until_end(subject) if isinstance(each, Output))
    assert output.decode() == "B False\n[]\n"


@each_way
def test_output_that_ends_before_the_program(watched: bool) -> None:
    text = "import os\nos.write(1, b'x')\nos.close(1)\nwhile os.read(0, 1): pass\nos._exit(4)"
    with Subject(python(text), watched=watched) as subject:
        assert said(subject, 1) == b"x"
        assert subject.next(LIMIT) == OutputEnded()
        subject.close_input()
        assert subject.next(LIMIT) == Ended(4)


@each_way
def test_all_output_comes_before_the_end(watched: bool) -> None:
    # More than a pipe holds, and the program has ended long before all of it is read.
    text = "import os\nfor _ in range(4): os.write(1, bytes(16000))"
    with Subject(python(text), watched=watched) as subject:
        assert len(said(subject, 64000)) == 64000
        assert subject.next(LIMIT) == Ended(0)


@linux
def test_pieces_are_read_one_by_one() -> None:
    text = "import os\nwhile data := os.read(0, 2**20): print(len(data), flush=True)"
    sizes = [1, 2, 4096, 1, 0, 5, 1]
    with Subject(python(text)) as subject:
        subject.write(b"abc")
        subject.write_pieces([bytes(size) for size in sizes])
        assert subject.unread
        output = b""
        while isinstance(activity := subject.next(LIMIT), Output):
            output += activity.data
        assert activity == Quiet()
        assert output.split() == [b"%d" % size for size in [3, *sizes] if size]
        # And what is written in one piece comes in one piece, as far as a pipe can hold it.
        subject.write(bytes(60000))
        assert said(subject, 6) == b"60000\n"


@linux
def test_large_pieces() -> None:
    text = "import os\nsize = 0\nwhile data := os.read(0, 2**20): size += len(data)\nprint(size)"
    with Subject(python(text)) as subject:
        subject.write_pieces([b"a", bytes(4 * MEBI), b"b", bytes(MEBI)])
        assert subject.next(LIMIT) == Quiet()
        subject.close_input()
        assert said(subject, 8) == b"%d\n" % (5 * MEBI + 2)


@each_way
def test_what_it_does_not_read(watched: bool) -> None:
    with Subject(python("import os; os.read(0, 1); os.write(1, b'x')"), watched=watched) as subject:
        subject.write(bytes(16 * MEBI))
        assert until_end(subject) == [Output(b"x"), Ended(0)]
        subject.write_pieces([b"a", b"b"])
        assert subject.unread or not watched
        subject.close_input()
        subject.kill()
        assert subject.unread or not watched


@linux
def test_unread_pieces_of_a_program_that_has_closed_its_input() -> None:
    text = "import os, signal\nos.read(0, 1)\nos.close(0)\nos.write(1, b'x')\nsignal.pause()"
    with Subject(python(text)) as subject:
        subject.write_pieces([b"a", b"b", b"c"])
        assert said(subject, 1) == b"x"
        subject.close_input()
        assert subject.next(LIMIT) == Quiet()
        assert subject.unread


# What it may do.


@each_way
def test_a_flood_on_both_outputs(hostile: str, watched: bool) -> None:
    before = peak_memory(os.getpid()) if watched else 0
    with Subject([hostile, "flood-both"], watched=watched) as subject:
        size = 0
        while size < 2**30:
            activity = subject.next(LIMIT)
            assert isinstance(activity, Output)
            size += len(activity.data)
        assert len(subject.error_output) <= 64 * 1024
    assert not watched or peak_memory(os.getpid()) - before < 8 * MEBI


@each_way
def test_a_flood_on_standard_error(hostile: str, watched: bool) -> None:
    before = peak_memory(os.getpid()) if watched else 0
    with Subject([hostile, "flood-errors"], watched=watched) as subject:
        assert subject.next(LIMIT) == Output(b"x")
        subject.kill()
        assert len(subject.error_output) <= 64 * 1024
        assert subject.error_output.endswith(b"the end")
    assert not watched or peak_memory(os.getpid()) - before < 8 * MEBI


@each_way
def test_a_flood_that_nobody_reads(hostile: str, watched: bool) -> None:
    with Subject([hostile, "flood-both"], watched=watched) as subject:
        subject.write(bytes(MEBI))
        assert isinstance(subject.next(LIMIT), Output)


@linux
def test_a_flood_does_not_outlast_the_time_limit(hostile: str) -> None:
    with Subject([hostile, "flood-errors"]) as subject:
        assert subject.next(0.01) == TimeOver()


@each_way
def test_a_daemon(hostile: str, watched: bool) -> None:
    with Subject([hostile, "leave-daemon"], watched=watched) as subject:
        # It holds the output open, which is no reason to wait for it.
        assert until_end(subject)[-1] == Ended(0) if watched else subject.next(SHORT)
        processes = subject.kill().processes
    assert len(processes) == 1
    assert not watched or processes == (f"{hostile} leave-daemon",)


@linux
def test_a_daemon_that_needs_a_moment_to_end() -> None:
    text = "import os\nif os.fork() == 0:\n os.setsid()\n os.close(1)\n os.read(0, 1)\n"
    with Subject(python(text)) as subject:
        assert subject.next(LIMIT) == Ended(0)
        subject.close_input()
        assert subject.kill(LIMIT).processes == ()


@linux
def test_processes_that_run_away(hostile: str) -> None:
    with Subject([hostile, "run-away"]) as subject:
        assert subject.next(SHORT) == TimeOver()
        subject.kill()


@each_way
def test_processes_that_multiply(hostile: str, watched: bool) -> None:
    with Subject([hostile, "multiply"], watched=watched) as subject:
        assert said(subject, 2**8) == b"x" * 2**8
        processes = subject.kill().processes
    assert len(processes) == (100 if watched else 2**8 - 1)


@each_way
@pytest.mark.parametrize("way", ["ignore-signals", "stop"])
def test_a_program_that_does_not_want_to_end(hostile: str, watched: bool, way: str) -> None:
    with Subject([hostile, way], watched=watched) as subject:
        assert said(subject, 1) == b"x"
        subject.close_input()
        assert subject.next(LIMIT if watched else SHORT) == (Quiet() if watched else TimeOver())
        assert subject.kill().processes == ()
        assert subject.next(SHORT) == TimeOver()


@linux
def test_a_first_thread_that_ends(hostile: str) -> None:
    with Subject([hostile, "end-first-thread"]) as subject:
        subject.write(b"x")
        assert said(subject, 1) == b"x"
        assert subject.next(LIMIT) == Quiet()
        subject.close_input()
        assert subject.next(LIMIT) == Ended(3)


@linux
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_descriptors_closed_in_any_order(order: tuple[int, ...]) -> None:
    text = (
        "import os, sys\nfor each in map(int, sys.argv[1:]):\n os.read(0, 1) if each == 0 else 0\n"
    )
    text += " os.close(each)\nimport signal\nsignal.pause()"
    with Subject([*python(text), *map(str, order)]) as subject:
        subject.write_pieces([b"a", b"b", b"c"])
        assert subject.next(LIMIT) == OutputEnded()
        subject.close_input()
        assert subject.next(LIMIT) == Quiet()
        assert subject.unread


@pytest.mark.parametrize("way", ["go-deep", "lock-folders", "fill", "remove-folder", "put-link"])
@each_way
def test_whatever_is_in_its_folder(hostile: str, watched: bool, way: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    environment = {**os.environ, "ELSEWHERE": str(kept)}
    with Subject([hostile, way], environment=environment, watched=watched) as subject:
        assert until_end(subject)[-1] == Ended(0)
    assert (kept / "file").exists()
    # And the next one gets an empty folder.
    with Subject([hostile, "fill"], watched=watched) as subject:
        assert until_end(subject)[-1] == Ended(0)


@linux
def test_other_children_are_left_alone(hostile: str) -> None:
    with subprocess.Popen(python("input()"), stdin=subprocess.PIPE) as other:
        with Subject([hostile, "leave-daemon"]) as subject:
            assert subject.next(LIMIT) == Ended(0)
            assert len(subject.kill().processes) == 1
        assert other.poll() is None
        other.communicate(b"\n")
        assert other.returncode == 0


@linux
def test_children_that_have_ended_are_left_to_whoever_started_them(hostile: str) -> None:
    other = subprocess.Popen(python(""))
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    with Subject([hostile, "leave-daemon"]) as subject:
        assert subject.next(LIMIT) == Ended(0)
        assert len(subject.kill().processes) == 1
    assert other.wait() == 0


@each_way
def test_nothing_can_be_said_behind_the_end(watched: bool) -> None:
    with Subject(python("input()"), watched=watched) as subject:
        subject.close_input()
        with pytest.raises(ValueError, match="closed"):
            subject.write(b"x")


def test_watching_has_to_be_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authplugin_corpus.check.watched.can_watch", lambda: False)
    with pytest.raises(OSError, match="does not tell"):
        Subject([sys.executable], watched=True)
