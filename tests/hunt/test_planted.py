"""The planted bugs: each is what it says, fits the code, and is what runs where it is planted."""

import difflib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import authplugin
import authplugin_corpus
from authplugin_fuzz.targets import TARGETS

from . import planted
from .planted import (
    FOLDER,
    LAYERS,
    PLANTED_IN,
    ROOMS,
    ROOT,
    Bug,
    DoesNotApplyError,
    bugs,
    environment,
    plant,
    snapshot,
)

WIDTH = 100
STREAM = "codec/authplugin/stream.py"
NAMES = list(bugs())


def contents(folder: Path) -> dict[Path, bytes]:
    """Return what the files of Python code in a folder hold."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.py")}


def copy(folder: Path, bug: Bug | None = None) -> Path:
    """Copy what bugs are planted in, and plant one; return the copy of the codec."""
    for room in PLANTED_IN:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    if bug is not None:
        plant(bug, folder)
    return folder / "codec"


def changed_lines(bug: Bug) -> tuple[str, ...]:
    return tuple(line for line in bug.text.splitlines() if line.startswith(("+", "-")))


def patch(path: Path, before: str, after: str, file: str = STREAM) -> Bug:
    """Make a patch that turns one text of a file into another."""
    lines = difflib.unified_diff(
        before.splitlines(True), after.splitlines(True), f"a/{file}", f"b/{file}"
    )
    path.write_text("Somebody was tired. A peer can be glad.\n\nLayer: stream\n\n" + "".join(lines))
    return Bug(path)


def test_there_are_bugs_of_each_layer() -> None:
    layers = Counter(bug.layer for bug in bugs().values())
    assert layers.total() == len(list(FOLDER.iterdir()))
    assert layers.keys() == LAYERS.keys()
    assert layers.total() >= 60
    assert all(layers[layer] >= 6 for layer in ("body", "stream", "conversation", "server")), layers


@pytest.mark.parametrize("name", NAMES)
def test_a_patch_says_what_is_wrong_and_changes_that(name: str, tmp_path: Path) -> None:
    bug = bugs()[name]
    assert all(len(line) <= WIDTH for line in bug.prose.splitlines())
    assert all(line == line.rstrip() for line in bug.text.splitlines()), "editors would trim it"
    # The mistake, and what comes of it.
    assert len(bug.prose.split()) >= 15
    assert bug.prose.count(". ") + bug.prose.count(".\n") + bug.prose.count(": ") >= 1
    assert bug.prose.endswith(".")
    assert 1 <= len(changed_lines(bug)) - 2 * len(bug.files) <= 12

    first = copy(tmp_path, bug)
    assert first == tmp_path / "codec"
    here, there = contents(ROOT / "codec"), contents(first)
    assert here.keys() == there.keys()
    changed = {f"codec/{path}" for path in here if here[path] != there[path]}
    assert changed == set(bug.files)
    for path in changed:
        compile((tmp_path / path).read_text(), path, "exec")


def test_no_bug_is_like_another() -> None:
    places = Counter((bug.files, changed_lines(bug)) for bug in bugs().values())
    assert set(places.values()) == {1}
    assert set(Counter(bug.prose for bug in bugs().values()).values()) == {1}


def test_every_target_searches_for_bugs_of_some_layer() -> None:
    searched = {layer for layers in LAYERS.values() for layer in layers}
    assert {str(target.layer) for target in TARGETS.values()} <= searched


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot(tmp_path_factory.mktemp("snapshot") / "code")


def test_a_snapshot_has_all_that_runs_and_no_bugs(code: Path) -> None:
    for room in (*ROOMS, "tests/unit", "tests/integration"):
        assert contents(code / room) == contents(ROOT / room)
    assert (code / "pyproject.toml").read_bytes() == (ROOT / "pyproject.toml").read_bytes()
    assert not list(code.rglob("*.patch"))
    assert not (code / ".git").exists()
    assert not (code / ".venv").exists()


def test_a_planted_bug_is_not_what_was_compiled_before(code: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    shutil.copytree(code, copied)
    now = (copied / STREAM).read_text()
    compiled = list((copied / STREAM).parent.glob("__pycache__/stream.*"))
    assert compiled
    # Of the same size, and within the same second: that is all that Python would look at.
    assert "Chunks of a byte" in now
    plant(
        patch(tmp_path / "small.patch", now, now.replace("Chunks of a byte", "CHUNKS OF A BYTE")),
        copied,
    )
    at = (ROOT / STREAM).stat().st_mtime
    os.utime(copied / STREAM, (at, at))
    script = "import authplugin.stream; print(authplugin.stream.__doc__)"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=copied,
        env=environment(copied),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.startswith("CHUNKS OF A BYTE")


WHERE = (
    "import authplugin, authplugin.wire as wire, authplugin_corpus\n"
    "for each in authplugin, wire, authplugin_corpus: print(each.__file__)"
)


def test_the_copy_is_what_is_imported(code: Path) -> None:
    for setting, codec, corpus in (
        (environment(code), code / "codec", code / "corpus"),
        # What is installed otherwise; were it always so, nothing would have been planted.
        (
            {**os.environ, "PYTHONPATH": ""},
            Path(authplugin.__file__).parents[1],
            Path(authplugin_corpus.__file__).parents[1],
        ),
    ):
        ran = subprocess.run(
            [sys.executable, "-P", "-c", WHERE],
            cwd=ROOT,
            env=setting,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert ran.stdout.split() == [
            str(codec / "authplugin" / "__init__.py"),
            str(codec / "authplugin" / "wire.py"),
            str(corpus / "authplugin_corpus" / "__init__.py"),
        ]


def test_a_patch_that_does_not_fit_says_so(tmp_path: Path) -> None:
    now = (ROOT / STREAM).read_text()
    assert now.count("self._need = 0\n") > 1
    older = now.replace("self._need = 0\n", "self._need = None\n")
    bug = patch(tmp_path / "stale.patch", older, older.replace("_need = None", "_need = 1"))
    with pytest.raises(DoesNotApplyError, match=r"stale\.patch does not apply any more: error:"):
        copy(tmp_path / "copy", bug)


def test_a_patch_of_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    bug = patch(tmp_path / "gone.patch", "a\n", "b\n", "codec/authplugin/gone.py")
    with pytest.raises(DoesNotApplyError, match=r"gone\.patch does not apply any more: error:"):
        copy(tmp_path / "copy", bug)


def test_a_patch_without_a_change_says_so(tmp_path: Path) -> None:
    now = (ROOT / STREAM).read_text()
    bug = patch(tmp_path / "idle.patch", now, now)
    with pytest.raises(DoesNotApplyError, match=r"idle\.patch does not apply any more"):
        copy(tmp_path / "copy", bug)


def test_a_copy_within_a_repository_is_patched_too(tmp_path: Path) -> None:
    # There git takes its own form of patch to be of files below the repository's root, skips what
    # is not below the folder that it runs in, and says nothing.
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True, timeout=60)
    now = (ROOT / STREAM).read_text()
    bug = patch(tmp_path / "gits.patch", now, now.replace('b""', "bytes()", 1))
    header = f"diff --git a/{STREAM} b/{STREAM}\n--- a/"
    bug.path.write_text(bug.path.read_text().replace("--- a/", header))
    first = copy(tmp_path / "deeper" / "copy", Bug(bug.path))
    assert contents(first) != contents(ROOT / "codec")


def test_a_patch_names_its_layer(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.patch"
    path.write_text("It is wrong.\n\nLayer: cellar\n\n--- a/x\n+++ b/x\nLayer: body\n")
    with pytest.raises(ValueError, match=r"nowhere\.patch names no layer, one of body"):
        _ = Bug(path).layer


def test_the_command_lists_them_and_fails_where_one_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = (ROOT / STREAM).read_text()
    patch(tmp_path / "right.patch", now, now.replace('b""', "bytes()", 1))
    monkeypatch.setattr(planted, "FOLDER", tmp_path)
    assert planted.main() == 0
    assert capsys.readouterr().out.split() == ["stream", "right"]
    patch(tmp_path / "stale.patch", "a\n", "b\n")
    assert planted.main() == 1
    captured = capsys.readouterr()
    assert captured.out.split() == ["stream", "right"]
    assert "stale.patch does not apply any more" in captured.err
