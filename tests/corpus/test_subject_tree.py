"""What is read of processes and sockets in /proc, and what is made of it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from authplugin_corpus.check import tree
from authplugin_corpus.check.sockets import has_open, peer_of
from authplugin_corpus.check.tree import Tree
from authplugin_corpus.check.watched import can_watch
from tests.corpus.subject_programs import python

pytestmark = pytest.mark.skipif(not can_watch(), reason="only Linux has such a /proc")

PARENT = "import os\nif os.fork() == 0: os.setsid(); os.fork()\nos.write(1, b'x')\nos.read(0, 1)"


@pytest.fixture
def others() -> frozenset[int]:
    return tree.children()


@pytest.fixture
def root(others: frozenset[int]) -> Iterator[int]:
    """A program with a child and a grandchild, all of which run; orphans are waited for."""
    pipe = subprocess.PIPE
    with subprocess.Popen(python(PARENT), stdin=pipe, stdout=pipe, start_new_session=True) as popen:
        assert popen.stdout is not None
        for _ in range(3):
            assert popen.stdout.read(1) == b"x"
        yield popen.pid
        popen.communicate(b"xxx")
    while left := tree.children() - others:
        for pid in left:
            os.waitpid(pid, 0)


def test_a_tree(root: int, others: frozenset[int]) -> None:
    looked = Tree(root, others)
    found = None
    while found is None:  # others on this machine come and go
        found = looked.look()
    assert len(found) == 3
    assert found[root].parent == os.getpid()
    assert {each.parent for each in found.values()} == {
        os.getpid(),
        root,
        *(pid for pid, each in found.items() if each.parent == root),
    }
    assert found.keys() == looked.look_roughly().keys()
    assert all("os.fork()" in name for name in tree.names(found))


def test_a_tree_where_the_numbers_have_begun_anew(
    root: int, others: frozenset[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = tree.read_text

    def begun_anew(*path: object, size: int = 4096) -> str:
        return "0 0 0 1/1 2\n" if path == ("loadavg",) else read(*path, size=size)

    monkeypatch.setattr(tree, "read_text", begun_anew)
    looked = Tree(root, others)
    found = None
    while found is None:
        found = looked.look()
    assert len(found) == 3


def test_the_children_of_others_are_no_part_of_a_tree(root: int, others: frozenset[int]) -> None:
    with subprocess.Popen(python("input()"), stdin=subprocess.PIPE) as other:
        looked = Tree(other.pid, {*others, root})
        assert looked.look_roughly().keys() == {other.pid}
        other.communicate(b"\n")


def test_the_other_end_of_a_socket() -> None:
    left, right = socket.socketpair()
    with left, right:
        ends = [os.fstat(each.fileno()).st_ino for each in (left, right)]
        assert peer_of(ends[0]) == ends[1]
        assert peer_of(ends[1]) == ends[0]
        assert has_open([os.getpid()], f"socket:[{ends[1]}]")
    assert not has_open([os.getpid()], f"socket:[{ends[1]}]")
    assert peer_of(ends[0]) is None


def test_a_socket_without_another_end() -> None:
    with socket.socket(socket.AF_UNIX) as alone:
        assert peer_of(os.fstat(alone.fileno()).st_ino) is None
