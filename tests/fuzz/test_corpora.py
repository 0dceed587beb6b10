"""Corpora: what engines leave is taken over whole, and minimising loses no coverage."""

import errno
import os
import stat
from pathlib import Path

import pytest

from authplugin_fuzz import corpora, engines, under_way
from authplugin_fuzz.corpora import Corpus, MergeError, minimise, sha1
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS

from .campaigns import inputs, whole

WHOLE = [b"", b"one", bytes(range(256))]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    # A name that a shell would take apart: libFuzzer starts itself through one.
    return Corpus(tmp_path / "a folder; of 'mine'" / "messages")


def leave(corpus: Corpus, data: bytes, name: str | None = None) -> Path:
    path = corpus.new / (name or sha1(data))
    path.write_bytes(data)
    return path


def test_what_is_whole_is_taken_over_once(corpus: Corpus) -> None:
    for data in WHOLE:
        leave(corpus, data)
    leave(corpus, b"half of i", sha1(b"half of it"))
    assert corpus.adopt() == 3
    assert corpus.adopt() == 0
    assert sorted(path.read_bytes() for path in corpus.inputs()) == sorted(WHOLE)
    # Now it is whole.
    leave(corpus, b"half of it")
    assert corpus.adopt() == 1
    assert all(map(whole, corpus.inputs()))


def test_what_an_engine_takes_away_stays(corpus: Corpus) -> None:
    path = leave(corpus, b"one")
    corpus.adopt()
    path.unlink()
    corpus.adopt()
    corpus.clear()
    assert [each.read_bytes() for each in corpus.inputs()] == [b"one"]


def test_where_no_link_can_be_made_a_copy_is(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    leave(corpus, b"one")
    assert corpus.adopt() == 1
    assert [each.read_bytes() for each in corpus.inputs()] == [b"one"]


def test_pieces_are_cleared_away_and_nothing_else(corpus: Corpus) -> None:
    kept = corpus.add(b"kept")
    leave(corpus, b"new")
    leave(corpus, b"ne", sha1(b"new") + "x")
    (corpus.path / ".part-1-0").write_bytes(b"ke")
    (corpus.folder / "merge-x" / "given").mkdir(parents=True)
    corpus.clear()
    assert {path.read_bytes() for path in corpus.path.iterdir()} == {b"kept", b"new"}
    assert kept in corpus.inputs()
    assert not any(corpus.new.iterdir())
    assert not [*corpus.folder.glob("merge-*")]


def grown(corpus: Corpus) -> None:
    """Put into a corpus what reaches something, and much that reaches nothing more."""
    for raw in seeds(TARGETS["messages"].layer):
        corpus.add(raw)
    for number in range(256):
        corpus.add(bytes((200, number)))


@pytest.mark.usefixtures("atheris")
def test_minimising_loses_no_edge(corpus: Corpus) -> None:
    grown(corpus)
    before = inputs(corpus.path)
    small = minimise(corpus, "messages")
    after = inputs(corpus.path)
    assert small.before == len(before)
    assert small.after == len(after) < len(before) / 2
    assert after.items() <= before.items()
    assert small.edges > 100
    # What went reaches nothing that what stayed does not.
    for path, data in before.items():
        path.write_bytes(data)
    again = minimise(corpus, "messages")
    assert (again.edges, again.features) == (small.edges, small.features)
    assert minimise(Corpus(corpus.folder.parent / "empty"), "messages").after == 0


@pytest.mark.usefixtures("atheris")
def test_others_may_take_the_place_of_what_is_there(corpus: Corpus, tmp_path: Path) -> None:
    other = tmp_path / "others"
    other.mkdir()
    for raw in seeds(TARGETS["messages"].layer):
        (other / sha1(raw)).write_bytes(raw)
    corpus.add(b"\xc8")
    small = minimise(corpus, "messages", other.iterdir())
    assert (small.before, small.after) == (1, len(inputs(corpus.path)))
    assert small.after > 5


@pytest.mark.usefixtures("atheris")
@pytest.mark.skipif(os.name != "posix", reason="there is no run bit")
def test_a_merge_that_silently_keeps_nothing_changes_nothing(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without its run bit libFuzzer cannot start the harness again, keeps nothing, and exits with 0.
    copy = tmp_path / "harness.py"
    copy.write_bytes(engines.HARNESS.read_bytes())
    copy.chmod(stat.S_IRUSR | stat.S_IWUSR)
    monkeypatch.setattr(engines, "HARNESS", copy)
    grown(corpus)
    before = inputs(corpus.path)
    with pytest.raises(MergeError):
        minimise(corpus, "messages")
    assert inputs(corpus.path) == before


@pytest.mark.usefixtures("atheris")
def test_a_merge_that_loses_edges_changes_nothing(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = corpora._merge

    def lose(scratch: Path, target: str) -> object:
        reached = merge(scratch, target)
        kept = sorted((scratch / "kept").iterdir(), key=lambda path: -path.stat().st_size)
        for path in kept[:3]:
            path.unlink()
        return reached

    monkeypatch.setattr(corpora, "_merge", lose)
    grown(corpus)
    before = inputs(corpus.path)
    with pytest.raises(MergeError, match="does not reach all"):
        minimise(corpus, "messages")
    assert inputs(corpus.path) == before


# The input under way.


def test_what_is_under_way_is_noted_until_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "noted"
    assert under_way.look(path) == (0, None)
    under_way.create(path)
    assert under_way.last(path) is None
    note = under_way.UnderWay(path)
    for number, data in enumerate((b"first", b"", b"x" * under_way.ROOM), start=1):
        note.begin(data)
        assert under_way.look(path) == (number, len(data))
        assert under_way.last(path) == data
        note.end()
        assert under_way.look(path) == (number, None)
        assert under_way.last(path) is None


def test_what_is_too_long_to_be_noted_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "noted"
    under_way.create(path)
    note = under_way.UnderWay(path)
    note.begin(b"short")
    note.begin(bytes(under_way.ROOM + 1))
    assert under_way.look(path) == (2, under_way.ROOM + 1)
    assert under_way.last(path) is None


@pytest.mark.parametrize("end", [1, 2])
def test_another_input_is_never_taken_for_the_one_under_way(
    end: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "noted"
    under_way.create(path)
    note = under_way.UnderWay(path)
    note.begin(b"the first one")
    calls = 0

    class Head:
        size = under_way._HEAD.size
        unpack = staticmethod(under_way._HEAD.unpack)

        @staticmethod
        def pack_into(*values: object) -> None:
            nonlocal calls
            calls += 1
            if calls == end:
                raise KeyboardInterrupt
            head.pack_into(*values)  # type: ignore[arg-type]

    head = under_way._HEAD
    monkeypatch.setattr(under_way, "_HEAD", Head)
    with pytest.raises(KeyboardInterrupt):
        note.begin(b"2nd")
    # It ended before the second one was noted: the first one is still there, or none.
    assert under_way.last(path) == (b"the first one" if end == 1 else None)
