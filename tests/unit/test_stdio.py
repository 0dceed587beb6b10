"""What a process has, and what it says where, once it has claimed its standard streams."""

import os
import subprocess
import sys

import pytest

from authplugin.stdio import _Unheard, write_all

if os.name == "nt":
    pytest.skip("closes and counts descriptors as Unix has them", allow_module_level=True)

BEGIN = """
import gc, os, sys
from authplugin.stdio import claim_stdio, write_all

def open_files():
    found = []
    for fd in range(20):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found
"""


def ran(script: str, given: bytes = b"") -> tuple[bytes, str, int]:
    """Run a script; return its output, its standard error and its status."""
    command = [sys.executable, "-c", BEGIN + script]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, input=given, env=env, capture_output=True, timeout=30, check=False
    )
    return done.stdout, done.stderr.decode(), done.returncode


def test_what_was_printed_before_goes_where_it_was_meant() -> None:
    script = "print('early'); source, sink = claim_stdio(); print('late'); os.write(sink, b'said')"
    assert ran(script) == (b"early\nsaid", "late\n", 0)


@pytest.mark.parametrize("closed", [0, 1])
def test_a_stream_that_is_closed_cannot_be_claimed(closed: int) -> None:
    script = f"""
os.close({closed})
try:
    claim_stdio()
except OSError as error:
    os.write(2, error.strerror.encode())
    os._exit(7)
"""
    assert ran(script) == (b"", "Bad file descriptor", 7)


def test_nothing_else_is_left_open() -> None:
    script = """
before = open_files()
claimed = claim_stdio()
print(sorted({*open_files()} - {*before}) == sorted(claimed), {0, 1, 2} <= {*open_files()})
"""
    assert ran(script) == (b"", "True True\n", 0)


def test_where_there_is_no_standard_error_there_is_something_to_write_to() -> None:
    script = """
os.close(2)
sys.stderr = None
source, sink = claim_stdio()
os.write(sink, f"{open_files()} {os.write(2, b'unheard')}".encode())
"""
    output, _, status = ran(script)
    assert (output, status) == (b"[0, 1, 2, 3, 4] 7", 0)


def test_standard_error_stays_open_whatever_becomes_of_its_object() -> None:
    script = """
claim_stdio()
sys.stdout = sys.stderr = None
gc.collect()
os.write(2, b"here")
"""
    assert ran(script) == (b"", "here", 0)


def test_whatever_is_printed_comes_out_at_once() -> None:
    script = "claim_stdio(); print('a\\ud800b'); print('c', end='', file=sys.stderr); os._exit(5)"
    assert ran(script) == (b"", "a\\ud800b\nc", 5)


def test_standard_input_is_at_its_end_for_everybody_else() -> None:
    script = "source, sink = claim_stdio(); print(os.read(0, 9), os.read(source, 9))"
    assert ran(script, b"given") == (b"", "b'' b'given'\n", 0)


def test_what_nobody_reads_counts_as_written() -> None:
    source, sink = os.pipe()
    with _Unheard(sink, "w") as unheard:
        assert unheard.write(b"abc") == 3
        os.close(source)
        assert unheard.write(b"abcd") == 4
        assert unheard.write(memoryview(b"abcd").cast("H")) == 4
        unheard.close()


def test_all_is_written_however_little_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[int, bytes]] = []

    def write(sink: int, data: memoryview) -> int:
        taken.append((sink, bytes(data[:3])))
        return len(taken[-1][1])

    monkeypatch.setattr(os, "write", write)
    write_all(9, b"abcdefgh")
    assert taken == [(9, b"abc"), (9, b"def"), (9, b"gh")]
    write_all(9, b"")
    assert len(taken) == 3
