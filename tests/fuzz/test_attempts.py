"""Inputs are tried in a process of their own, and whatever that does is an answer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from authplugin import Limits, PluginAuthSuccess, encode
from authplugin_fuzz.attempts import AttemptError, Attempts, Violation
from authplugin_fuzz.findings import Kind, without_bytes

from .campaigns import gone, until

TARGET = """
import os, signal, sys, time
import authplugin
from authplugin_fuzz.targets import roundtrip
from authplugin_properties.laws import LawBroken

HELD = []

def run(raw):
    word = raw.decode()
    if word == "law":
        raise LawBroken("a law: item 1 is b'\\\\x01', not b'\\\\x02'\\nand more")
    if word == "error":
        authplugin.decode(7)
    if word == "exit":
        os._exit(0)
    if word == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "leave":
        sys.exit("left")
    if word == "spin":
        while True:
            pass
    if word == "wait":
        print("waiting", file=sys.stderr, flush=True)
        time.sleep(1000)
    if word == "take":
        HELD.append(bytearray(1 << 28))
    if word == "print":
        print('{"kind": "crash"}', flush=True)

roundtrip.run = run
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempts]:
    """Give attempts of a target that does what an input says."""
    (tmp_path / "sitecustomize.py").write_text(TARGET)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)
    with Attempts("roundtrip", seconds=0.5, mebibytes=64) as attempts:
        yield attempts


def test_a_broken_law_is_told(planted: Attempts) -> None:
    broken = planted.violation(b"law")
    assert broken is not None
    assert (broken.kind, broken.law) == (Kind.CRASH, "a law")
    assert broken.title == r"a law: item 1 is b'\x01', not b'\x02'"
    assert broken.text.endswith("\nand more")
    assert planted.violation(b"nothing") is None


@pytest.mark.parametrize(
    ("word", "kind", "title"),
    [
        (b"exit", Kind.CRASH, "the process ended with status 0"),
        (b"leave", Kind.CRASH, "SystemExit outside: left"),
        (b"take", Kind.OOM, "the memory limit"),
        pytest.param(
            b"segfault",
            Kind.CRASH,
            "the process ended with SIGSEGV",
            marks=pytest.mark.skipif(os.name != "posix", reason="there are no signals"),
        ),
        pytest.param(
            b"spin",
            Kind.TIMEOUT,
            "the time limit: more than 0.5 seconds",
            marks=pytest.mark.skipif(
                not hasattr(signal, "setitimer"), reason="the clock decides, and takes longer"
            ),
        ),
    ],
)
def test_whoever_asks_survives(planted: Attempts, word: bytes, kind: Kind, title: str) -> None:
    for _ in range(2):
        broken = planted.violation(word)
        assert broken is not None
        assert (broken.kind, broken.title) == (kind, title)
        # The next one has a process again.
        assert planted.violation(b"nothing") is None


def test_what_waits_is_ended_by_the_clock(planted: Attempts) -> None:
    broken = planted.violation(b"wait")
    assert broken is not None
    assert broken.kind is Kind.TIMEOUT
    assert planted.violation(b"law") is not None


ASKS = """
from authplugin_fuzz.attempts import Attempts
attempts = Attempts("roundtrip", seconds=0.3)
attempts.violation(b"nothing")
print(attempts._process.pid, attempts._errors.fileno(), flush=True)
attempts.violation(b"wait")
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc")
@pytest.mark.usefixtures("planted")
def test_when_whoever_asked_is_killed_nobody_stays() -> None:
    asking = subprocess.Popen([sys.executable, "-c", ASKS], stdout=subprocess.PIPE, text=True)
    with asking:
        assert asking.stdout is not None
        process, errors = map(int, asking.stdout.readline().split())
        said = Path(f"/proc/{asking.pid}/fd/{errors}")
        until(lambda: "waiting" in said.read_text())
        asking.kill()
    until(lambda: gone(process))


def test_an_exception_tells_where_it_came_through_the_code_on_trial(planted: Attempts) -> None:
    broken = planted.violation(b"error")
    assert broken is not None
    assert broken.law == "LocalProtocolError in authplugin.codec.view_of"


def test_what_a_target_prints_is_no_answer(planted: Attempts) -> None:
    assert planted.violation(b"print") is None
    assert planted.violation(b"law") is not None


def test_a_target_that_cannot_be_run_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Attempts("nothing") as attempts, pytest.raises(AttemptError, match="no target 'nothing'"):
        attempts.violation(b"")
    (tmp_path / "authplugin").mkdir()
    (tmp_path / "authplugin" / "__init__.py").write_text("raise ValueError('broken at once')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Attempts("frames") as attempts, pytest.raises(AttemptError, match="broken at once"):
        attempts.violation(b"")


def test_frames_are_explained() -> None:
    with Attempts("frames") as attempts:
        told = attempts.explained(encode(PluginAuthSuccess()), Limits())
    assert told.startswith("PLUGIN_AUTH_SUCCESS, 5 bytes\n")


# What is alike.


def likeness(title: str) -> tuple[str, str]:
    return Violation(Kind.CRASH, title.partition(":")[0], title).likeness


@pytest.mark.parametrize(
    "other",
    [
        "a law: in chunks of []: item 0 is ('heard', {'name': b''}), not nothing",
        'a law: in chunks of [1]: item 9 is (\'heard\', {"n": b"it\'s"}), not nothing',
        "a law: in chunks of [1]: item 9 is ('heard', {'name': b'it\\'s..., not nothing",
        "a law: in chunks of [1]: item 9 is ('heard', {'n': [(b'}', True), (b'ab..., not nothing",
    ],
)
def test_bytes_and_numbers_make_no_difference(other: str) -> None:
    one = "a law: in chunks of [4, 1]: item 12 is ('heard', {'name': b'x]'}), not nothing"
    assert likeness(other) == likeness(one)


@pytest.mark.parametrize(
    "other",
    [
        "another law: item 1 is nothing, not Problem(code='end-truncated', field=None)",
        "a law: item 1 is nothing, not Problem(code='end-premature', field=None)",
        "a law: item 1 is nothing, not Problem(code='end-truncated', field='port')",
        "a law: item 1 is ('heard', {}), not Problem(code='end-truncated', field=None)",
    ],
)
def test_codes_and_fields_make_one(other: str) -> None:
    one = "a law: item 1 is nothing, not Problem(code='end-truncated', field=None)"
    assert likeness(one) != likeness(other)


def test_no_bytes_are_told() -> None:
    title = (
        "a law: {'responses': [b'it\\'s \"hunter\"', b\"it's\"]} and 00000004aabbccdd, b'cut sho..."
    )
    assert (
        without_bytes(title) == "a law: {'responses': [<bytes>, <bytes>]} and <bytes>, <bytes>..."
    )
