"""Whatever a fuzzer has found, and somebody has mended, stays mended."""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest

from authplugin import PluginInit, encode
from authplugin_corpus.vectors import load_vectors
from authplugin_fuzz.attempts import Attempts
from authplugin_fuzz.shelves import Pin, Shelf, ShelfError
from authplugin_fuzz.targets import TARGETS

PROMOTED = Path(__file__).with_name("promoted")

SHELF = Shelf.of_repository(Path(__file__).parents[2])


def broken(pins: Iterable[Pin]) -> list[str]:
    """Return what the inputs break, each tried in a process that may die of it."""
    told = []
    for target, of_target in groupby(pins, lambda pin: pin.target):
        with Attempts(target) as attempts:
            for pin in of_target:
                violation = attempts.violation(pin.raw)
                if violation is not None:
                    told.append(f"{pin.id}, which broke {pin.law}: {violation.title}")
    return told


def test_nothing_that_was_promoted_breaks_anything() -> None:
    assert SHELF.pins == PROMOTED
    assert (PROMOTED / "README.md").exists()
    assert broken(SHELF.pinned()) == []


def test_what_is_promoted_is_what_it_says() -> None:
    vectors = {vector.id for vector in load_vectors()}
    for pin in SHELF.pinned():
        assert pin.target in TARGETS
        assert pin.path.name.startswith(f"{pin.target}-")
        assert pin.vector is None or pin.vector in vectors
        assert pin.law
        assert pin.sentence.endswith(".")


def test_what_breaks_something_again_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("""
from authplugin_fuzz.targets import roundtrip
right = roundtrip.run

def run(raw):
    if raw.endswith(b"bob"):
        raise ValueError("not bob again")
    right(raw)

roundtrip.run = run
""")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    shelf = Shelf.of_folder(tmp_path / "other")
    shelf.pins.mkdir(parents=True)
    for name in ("alice", "bob"):
        pin = {
            "id": f"message-{name}",
            "target": "roundtrip",
            "law": "round trip",
            "sentence": "Somebody.",
            "vector": None,
            "input": encode(PluginInit(2, "", 22, name))[4:].hex(),
        }
        (shelf.pins / f"roundtrip-{name}.json").write_text(json.dumps(pin))
    (told,) = broken(shelf.pinned())
    assert told.startswith("message-bob, which broke round trip: ValueError")
    (shelf.pins / "roundtrip-carol.json").write_text('{"input": "zz"}')
    with pytest.raises(ShelfError, match=r"carol\.json cannot be read"):
        shelf.pinned()
