"""A target that dies, in whatever way, is a finding, with the input that did it."""

import json
from pathlib import Path

import pytest

from authplugin import Side
from authplugin_fuzz.engines import Engine
from authplugin_fuzz.layers import Exchange, How
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS

from .campaigns import HEARS_AN_ANSWER, fuzz, inputs, rows, whole, wrong_codec

TAKE = "taken = []\n        while True:\n            taken.append(b'x' * 2**20)"

WAYS = {
    "exception": ("raise KeyError(data)", "crash", "KeyError"),
    "exit": ("sys.exit(0)", "crash", "SystemExit"),
    "gone": ("os._exit(0)", "crash", "the process ended with status 0"),
    "signal": ("ctypes.string_at(0)", "crash", "deadly signal"),
    "killed": ("os.kill(os.getpid(), 9)", "crash", "the process ended with SIGKILL"),
    "slow": ("while True: pass", "timeout", "timeout after"),
    "stuck": ("time.sleep(1e6)", "timeout", "timeout after"),
    "memory": (TAKE, "oom", ""),
}


@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize(("code", "kind", "title"), WAYS.values(), ids=WAYS)
def test_a_target_that_dies_is_a_finding(code: str, kind: str, title: str, tmp_path: Path) -> None:
    wrong = wrong_codec(tmp_path, HEARS_AN_ANSWER.format(code))
    folder = tmp_path / "kept"
    ended = fuzz(
        *("client", "--minutes", "0.04", "--jobs", "1", "--folder", folder, "--no-report"),
        *("--input-seconds", "1", "--input-memory", "256"),
        before=(wrong,),
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    (found,) = inputs(folder / "client" / "findings")
    assert found.name.startswith(f"{kind}-")
    assert whole(found)
    # The input is the one that did it: a conversation in which the client hears an answer.
    assert found.read_bytes() in seeds(TARGETS["client"].layer)
    known = json.loads(found.with_name(f"{found.name}.json").read_text())
    assert title in known["title"]
    assert f"client: {known['title'][:50]}" in ended.stdout
    assert rows(ended.stdout)["client"]["findings"] == "1"
    # Nothing is left that the next campaign would have to take over.
    assert not [*(folder / "client").glob("under-way-*"), *(folder / "client" / "left").iterdir()]


@pytest.mark.parametrize("way", ["gone", "stuck"])
def test_so_it_is_without_atheris(way: str, tmp_path: Path) -> None:
    (tmp_path / "atheris.py").write_text("raise ImportError('none here')\n")
    code, kind, _ = WAYS[way]
    wrong = wrong_codec(tmp_path, HEARS_AN_ANSWER.format(code))
    folder = tmp_path / "kept"
    ended = fuzz(
        *("client", "--minutes", "0.04", "--jobs", "1", "--folder", folder, "--no-report"),
        *("--input-seconds", "1"),
        before=(wrong,),
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert str(Engine.HYPOTHESIS) in ended.stdout
    (found,) = inputs(folder / "client" / "findings")
    assert found.name.startswith(f"{kind}-")
    assert whole(found)


def test_nor_does_it_end_the_campaign(tmp_path: Path) -> None:
    # Whatever is asked of the codec, such as which faults there are, is asked in a process apart.
    wrong = wrong_codec(tmp_path, HEARS_AN_ANSWER.format("os._exit(0)"))
    folder = tmp_path / "kept"
    ended = fuzz("client", "--minutes", "0.02", "--jobs", "1", "--folder", folder, before=(wrong,))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "the map cannot be made (status 0)" in ended.stdout
    assert "the process ended with status 0" in (folder / "report.html").read_text()


AT_ITS_60TH = """


_count = 0
_receive = Session.receive_data


def _wrong(self, data):
    global _count
    _count += 1
    if _count == 60:
        import os

        os._exit(0)
    return _receive(self, data)


Session.receive_data = _wrong
"""


@pytest.mark.usefixtures("atheris")
def test_what_no_input_does_by_itself_is_a_finding_too(tmp_path: Path) -> None:
    wrong = wrong_codec(tmp_path, AT_ITS_60TH)
    folder = tmp_path / "kept"
    arguments = ("client", "--minutes", "0.1", "--jobs", "1", "--folder", folder, "--no-report")
    assert fuzz(*arguments).returncode == 0
    before = inputs(folder / "client" / "corpus")
    ended = fuzz(*arguments, before=(wrong,))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "the input that was under way does no such thing by itself" in ended.stdout
    found = inputs(folder / "client" / "findings")
    assert set(found.values()) & set(before.values())
    # An input that does nothing by itself stays where it was.
    assert before.items() <= inputs(folder / "client" / "corpus").items()


@pytest.mark.usefixtures("atheris")
def test_what_a_corpus_holds_does_not_end_every_campaign(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    arguments = ("client", "--minutes", "0.1", "--jobs", "1", "--folder", folder, "--no-report")
    assert fuzz(*arguments).returncode == 0
    corpus = inputs(folder / "client" / "corpus")
    # By now the codec is wrong, and one input of the corpus shows it.
    breaks = max(corpus.values(), key=len)
    condition = f"if len(data) > 2 and data == {_longest_hear(breaks)!r}: raise KeyError"
    wrong = wrong_codec(tmp_path, WHATEVER_IT_HEARS.format(condition))
    ended = fuzz("replay", "client", "--folder", folder, before=(wrong,))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    found = inputs(folder / "client" / "findings")
    left = inputs(folder / "client" / "corpus")
    assert breaks in found.values()
    assert {*left.values(), *found.values()} == set(corpus.values())
    again = fuzz(*arguments, before=(wrong,))
    assert again.returncode == 1
    assert int(rows(again.stdout)["client"]["executions"]) > len(left)


WHATEVER_IT_HEARS = """


_receive = Session.receive_data


def _wrong(self, data):
    {}
    return _receive(self, data)


Session.receive_data = _wrong
"""


def _longest_hear(raw: bytes) -> bytes:
    """Return bytes that the client hears of a conversation, in one chunk."""
    heard = [
        move.data[:256]
        for move in Exchange.from_bytes(raw).moves
        if move.side is Side.PLUGIN and move.how is not How.LOST and not move.chunking
    ]
    return max(heard, key=len)
