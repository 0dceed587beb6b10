"""What ClusterFuzzLite builds: the same here, without its containers.

`.clusterfuzzlite/build.sh` is run as it is. In the image's stead there are its variables, and
`compile_python_fuzzer` beside this file, which does what the image's does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import NoneType
from zipfile import ZipFile

import coverage
import pytest

from authplugin import MESSAGES
from authplugin_fuzz import bundle, seeding
from authplugin_fuzz.anatomy import sayable
from authplugin_fuzz.layers import Exchange, Layer
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".clusterfuzzlite"
COMPILE = Path(__file__).with_name("compile_python_fuzzer")


MISSING = [each for each in ("atheris", "PyInstaller") if find_spec(each) is None]

needs_them = pytest.mark.skipif(MISSING != [], reason=f"not here: {', '.join(MISSING)}")
# It takes ten seconds of an idle machine.
slow = pytest.mark.timeout(600)


def build(name: str, folder: Path, sanitizer: str = "address") -> Path:
    """Build one target as in the image; move what came of it, and take away all else."""
    out, work, sources, tools = (folder / each for each in ("out", "work", "src", "tools"))
    for each in (out, work, sources, tools):
        each.mkdir()
    (out / "sanitizer_with_fuzzer.so").write_bytes(b"as the image puts it there")
    shutil.copy(COMPILE, tools)
    # It is installed here already, and what tests run in is not for tests to change.
    (tools / "pip3").write_text("#!/bin/sh\n")
    (tools / "pip3").chmod(0o755)
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {
        "FUZZING_LANGUAGE": "python",
        "HOME": str(folder),
        "ONLY": name,
        "OUT": str(out),
        "PATH": path,
        # Half the time would go into what nobody downloads.
        "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "1",
        "SANITIZER": sanitizer,
        "SRC": str(sources),
        "WORK": str(work),
    }
    command = ["bash", "-eux", str(FOLDER / "build.sh")]
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    moved = out.rename(folder / "elsewhere")
    for each in (work, sources, tools):
        shutil.rmtree(each)
    return moved


def start(name: str, folder: Path, *options: str) -> str:
    """Run a target that was built, in an empty environment; return what it says."""
    temporary = folder.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    ran = subprocess.run(
        [f"./{name}", f"-artifact_prefix={folder.parent}/", *options],
        cwd=folder,
        # /tmp is everybody's: so what is left there would not be seen.
        env={"TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def unzipped(name: str, folder: Path, into: Path) -> Path:
    with ZipFile(folder / f"{name}_seed_corpus.zip") as archive:
        names = archive.namelist()
        assert names
        assert all(re.fullmatch("[0-9a-f]{40}", each) for each in names), "flat, named by SHA-1"
        archive.extractall(into)
    return into


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_image_has_what_the_targets_need() -> None:
    assert (FOLDER / "project.yaml").read_text("utf-8") == "language: python\n"
    image = (FOLDER / "Dockerfile").read_text("utf-8")
    assert re.search(r"^FROM gcr\.io/oss-fuzz-base/base-builder-python:v1$", image, re.MULTILINE)
    assert "\nCOPY .clusterfuzzlite/build.sh $SRC/\n" in image
    # build.sh installs nothing that the sources depend on.
    assert re.search(r'^RUN pip3 install "\$SRC/authplugin\[fuzz\]"$', image, re.MULTILINE)
    assert "pip3 install --no-deps " in (FOLDER / "build.sh").read_text("utf-8")


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    bundle.write(folder / "out", folder / "harnesses")
    return folder


def test_bundle_has_everything_for_each_target(bundled: Path) -> None:
    beside = ("_seed_corpus.zip", ".dict", ".options")
    assert names_in(bundled / "out") == {name + end for name in TARGETS for end in beside}
    assert names_in(bundled / "harnesses") == {f"{name}.py" for name in TARGETS}
    for name in TARGETS:
        assert re.fullmatch("[A-Za-z0-9_-]+", name), "others are not taken for fuzz targets"
        program = (bundled / "harnesses" / f"{name}.py").read_text("utf-8")
        # Where coverage is measured, statements are put in front.
        assert "__future__" not in program
        compile(program, name, "exec")


def test_bundle_is_the_same_each_time(bundled: Path, tmp_path: Path) -> None:
    bundle.write(tmp_path / "out", tmp_path / "harnesses")
    for one in (path for path in bundled.rglob("*") if path.is_file()):
        assert one.read_bytes() == (tmp_path / one.relative_to(bundled)).read_bytes(), one.name


@pytest.mark.parametrize("layer", Layer)
def test_seeds_hold_what_a_campaign_begins_with_and_the_vectors(layer: Layer) -> None:
    found = seeding.inputs(layer)
    assert set(seeds(layer)) <= set(found)
    assert len(found) == len(set(found))
    assert all(found)
    # No vector is there of choices, nor of a bridge.
    if layer not in (Layer.CHOICES, Layer.BRIDGE):
        assert len(found) > len(seeds(layer)) + 150


def test_seeds_of_conversations_go_through_to_every_state() -> None:
    said = {
        type(sayable(move.data))
        for raw in seeding.inputs(Layer.CONVERSATION)
        for move in Exchange.from_bytes(raw).moves
    }
    assert said - {NoneType} == set(MESSAGES)


def test_dictionary_has_the_words_of_the_message_table() -> None:
    words = seeding.words()
    for message in MESSAGES:
        assert any(word[:1] == bytes((message.spec.code,)) for word in words)
        assert any(word[4:5] == bytes((message.spec.code,)) for word in words)
    assert b"\0\0\0\x14keyboard-interactive" in words
    assert seeding.dictionary([b'a"\xff', b"\\"]) == '"\\x61\\x22\\xff"\n"\\x5c"\n'


@slow
@needs_them
@pytest.mark.parametrize("name", TARGETS)
def test_target_runs_frozen_moved_and_alone(name: str, tmp_path: Path) -> None:
    folder = build(name, tmp_path)
    assert not (folder / "sanitizer_with_fuzzer.so").exists()
    script = folder / name
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
    assert "LLVMFuzzerTestOneInput" in script.read_text("utf-8")
    executable = [each.name for each in folder.iterdir() if os.access(each, os.X_OK)]
    assert executable == [name], "what can be run is taken for a fuzz target"
    before = names_in(folder)

    inputs = unzipped(name, folder, tmp_path / "seeds")
    count = len(names_in(inputs))
    said = start(name, folder, "-runs=0", str(inputs))
    assert re.search(rf"seed corpus: files: {count} ", said)
    assert int(re.findall(r"^Done (\d+) runs", said, re.MULTILINE)[0]) >= count

    words = len((folder / f"{name}.dict").read_text("ascii").splitlines())
    said = start(name, folder, "-seed=1337", "-runs=4", f"-dict={name}.dict")
    assert re.search("^Done 4 runs", said, re.MULTILINE)
    assert f"Dictionary: {words} entries" in said
    assert "found LLVMFuzzerCustomMutator" in said

    # So the corpus is pruned.
    kept = tmp_path / "kept"
    kept.mkdir()
    start(name, folder, "-merge=1", str(kept), str(inputs))
    assert names_in(kept)
    assert names_in(kept) <= names_in(inputs)
    assert names_in(folder) == before, "it writes nothing where it is"
    assert names_in(tmp_path / "tmp") <= {"hypothesis"}, "it takes away what it unpacked"


@slow
@needs_them
def test_coverage_build_measures(tmp_path: Path) -> None:
    name = "messages"
    folder = build(name, tmp_path, "coverage")
    inputs = unzipped(name, folder, tmp_path / "seeds")
    # As many runs as there are inputs, and some: the engine then leaves as a program does.
    start(name, folder, str(inputs), f"-atheris_runs={len(names_in(inputs)) + 3}")
    data = coverage.CoverageData(str(folder / ".coverage"))
    data.read()
    measured = [file for file in data.measured_files() if file.endswith("authplugin/wire.py")]
    assert measured
    assert len(data.lines(measured[0]) or ()) > 100
