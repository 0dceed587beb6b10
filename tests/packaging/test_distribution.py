"""What the wheel and the sdist hold, and that an installed wheel works without the repository."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORMAT = ROOT / "corpus" / "FORMAT.md"
PACKAGES = {
    "authplugin": ROOT / "codec" / "authplugin",
    "authplugin_corpus": ROOT / "corpus" / "authplugin_corpus",
    "authplugin_fuzz": ROOT / "fuzz" / "authplugin_fuzz",
    "authplugin_properties": ROOT / "properties" / "authplugin_properties",
}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = f"{PROJECT['name']}-{PROJECT['version']}"
DIST_INFO = f"{NAME}.dist-info"
# What Python and the tools of this repository leave where they ran.
CACHES = {"__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
# Seconds; each step takes about one. A build that asks for something never ends by itself.
TIME_LIMIT = 100

pytestmark = pytest.mark.timeout(4 * TIME_LIMIT)


def run(*command: str | Path, **environment: str) -> str:
    """Run a command and return what it printed."""
    # What is installed here is a copy, which coverage would take for more code to be tested.
    inherited = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        command,
        cwd=sys.prefix,  # where nothing can be imported by accident
        env=inherited | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def run_python(*arguments: str | Path, **environment: str) -> str:
    """Run this Python and return what it printed."""
    return run(sys.executable, *arguments, **environment)


def build(source: Path, output: Path, *kinds: str) -> None:
    """Build `kinds` without a network: the backend is the one that is installed here."""
    run_python("-m", "build", "--no-isolation", *kinds, "--outdir", output, source)


def files_of(folder: Path) -> set[str]:
    """Return the files below `folder`, relative to it, without what tools leave there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and CACHES.isdisjoint(path.relative_to(folder).parts)
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions from the working tree."""
    output = tmp_path_factory.mktemp("built")
    build(ROOT, output, "--sdist", "--wheel")
    return output


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return built / f"{NAME}-py3-none-any.whl"


@pytest.fixture(scope="module")
def source(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the sdist."""
    folder = tmp_path_factory.mktemp("source")
    run_python("-m", "tarfile", "--extract", built / f"{NAME}.tar.gz", folder)
    assert [path.name for path in folder.iterdir()] == [NAME]
    return folder / NAME


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, and nothing else, into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    run_python(
        "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel
    )
    return target


def test_only_the_two_distributions_are_built(built: Path) -> None:
    assert files_of(built) == {f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz"}


def test_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    expected = {
        f"{package}/{name}" for package, folder in PACKAGES.items() for name in files_of(folder)
    }
    metadata = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        described = {"authplugin_corpus/FORMAT.md"}
        assert set(names) == expected | described | {f"{DIST_INFO}/{name}" for name in metadata}
        assert archive.read("authplugin_corpus/FORMAT.md") == FORMAT.read_bytes()
        for package in PACKAGES:
            assert archive.read(f"{package}/py.typed") == b""
        # The comparison above is with the tree: it cannot see data that the tree has lost.
        assert "authplugin_properties/map_page.html.jinja" in names
        vectors = [name for name in names if PurePosixPath(name).suffix == ".json"]
        assert any(name.startswith("authplugin_corpus/") for name in vectors)
        for name in vectors:
            json.loads(archive.read(name))


def test_wheel_states_what_pyproject_states(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = message_from_bytes(archive.read(f"{DIST_INFO}/METADATA"))
        entry_points = configparser.ConfigParser(delimiters="=")
        entry_points.read_string(archive.read(f"{DIST_INFO}/entry_points.txt").decode())
    assert (metadata["Name"], metadata["Version"]) == (PROJECT["name"], PROJECT["version"])
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert metadata["License-Expression"] == PROJECT["license"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(required) == sorted(PROJECT["dependencies"])
    assert {section: dict(entry_points[section]) for section in entry_points.sections()} == {
        "console_scripts": {"authplugin": "authplugin_corpus.command:main"},
        "authplugin.commands": PROJECT["entry-points"]["authplugin.commands"],
    }


def test_sdist_holds_what_a_developer_needs(source: Path) -> None:
    names = files_of(source)
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert tops == {
        ".ci",
        ".clusterfuzzlite",
        ".editorconfig",
        ".gitattributes",
        ".github",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "README.md",
        "SECURITY.md",
        "codec",
        "corpus",
        "examples",
        "fuzz",
        "properties",
        "pyproject.toml",
        "tests",
    }
    for folder in ("codec", "corpus", "examples", "fuzz", "properties", "tests"):
        assert files_of(source / folder) == files_of(ROOT / folder)
    assert not [name for name in names if name.endswith((".pyc", ".so", ".o", ".exe"))]


def test_sdist_builds_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    build(source, tmp_path, "--wheel")
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_installed_codec_loads_the_standard_library_alone(installed: Path) -> None:
    # -I and -S keep out what other packages (such as the measuring of coverage) have Python load
    # at its start. Those packages can be imported, so that an import that is tried is seen.
    program = """
import json, sys
sys.path += sys.argv[1:]
import authplugin
print(json.dumps([authplugin.__file__, sorted(sys.modules)]))
"""
    others = sysconfig.get_path("purelib")
    file, modules = json.loads(run_python("-I", "-S", "-c", program, installed, others))
    assert Path(file) == installed / "authplugin" / "__init__.py"
    loaded = {name.partition(".")[0] for name in modules} - {"__main__"}
    assert loaded - sys.stdlib_module_names == {"authplugin"}


def test_installed_codec_decodes(installed: Path) -> None:
    program = """
import sys
sys.path.append(sys.argv[1])
import authplugin
message = authplugin.PluginInit(2, "host", 22, "user")
assert authplugin.decode(authplugin.encode(message)) == message
print(authplugin.encode(message).hex())
"""
    printed = run_python("-I", "-S", "-c", program, installed).strip()
    assert bytes.fromhex(printed) == (
        b"\x00\x00\x00\x19\x01\x00\x00\x00\x02"
        b"\x00\x00\x00\x04host\x00\x00\x00\x16\x00\x00\x00\x04user"
    )


def test_installed_vectors_are_read(installed: Path) -> None:
    # Nothing but the wheel and the standard library: those who replay vectors need no more.
    program = """
import sys
sys.path.append(sys.argv[1])
from authplugin_corpus.vectors import load_vectors
print(*(vector.id for vector in load_vectors()))
"""
    printed = run_python("-I", "-S", "-c", program, installed).split()
    files = (PACKAGES["authplugin_corpus"] / "vectors").glob("*.json")
    stored = [json.loads(file.read_text("utf-8"))["vectors"] for file in sorted(files)]
    assert printed == [vector["id"] for vectors in stored for vector in vectors]
    assert printed


def test_installed_map_is_drawn(installed: Path, tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from authplugin_properties import map_page
from authplugin_properties.tally import Tally
map_page.write_html(Tally(), Path(sys.argv[1]))
print(map_page.__file__)
"""
    page = tmp_path / "map.html"
    printed = run_python("-c", program, page, PYTHONPATH=str(installed)).strip()
    assert Path(printed).is_relative_to(installed)
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_every_subcommand_of_the_installed_wheel_can_be_loaded(installed: Path) -> None:
    program = """
import json, sys
from authplugin_corpus.command import main
found = {}
for name, place in main.places.items():
    assert callable(main.get_command(None, name))
    found[name] = sys.modules[place.partition(":")[0]].__file__
print(json.dumps(found))
"""
    # PYTHONPATH comes before the editable installation, whose dependencies are borrowed.
    found = json.loads(run_python("-c", program, PYTHONPATH=str(installed)))
    others = PROJECT["entry-points"]["authplugin.commands"]
    assert found.keys() == {"check", "corpus", "decode", "login", "serve", *others}
    assert all(Path(file).is_relative_to(installed) for file in found.values())


def test_installed_command_runs(installed: Path) -> None:
    command = shutil.which("authplugin", path=installed / "bin")
    assert command
    environment = {"PYTHONPATH": str(installed), "PYTHONUTF8": "1"}
    assert PROJECT["version"] in run(command, "--version", **environment)
    listed = run(command, "corpus", "list", **environment)
    assert any(line.startswith("plugin-success ") for line in listed.splitlines())
