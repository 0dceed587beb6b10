"""The corpus for other people's programs: as one JSON document, or as seed files for fuzzers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from .layout import laid_out
from .model import ClientDialogue, Kind, PluginDialogue, Send, Vector
from .userauth.model import Say, UserAuthDialogue
from .vectors import FORMAT, load_vectors


class Form(StrEnum):
    """What an export consists of."""

    JSON = "json"
    """All of it in one document, `corpus.json`."""
    LIBFUZZER = "libfuzzer"
    """A file for each input; for libFuzzer, atheris and cargo-fuzz."""
    AFL = "afl"
    """A file for each input, which is all that a program reads from its standard input."""
    GO = "go"
    """A file for each input, in the notation of Go's own fuzzer."""


def export(form: Form, kinds: Iterable[Kind], folder: Path) -> int:
    """Write vectors of some kinds into a folder, which is made where it is missing.

    Returns:
        How many files there are.

    Raises:
        OSError: where something cannot be written.
    """
    wanted = set(kinds)
    folder.mkdir(parents=True, exist_ok=True)
    if form is Form.JSON:
        (folder / "corpus.json").write_text(laid_out(_document(wanted)), "utf-8", newline="\n")
        return 1
    inputs = set(_inputs(vector for vector in load_vectors() if vector.kind in wanted))
    for data in inputs:
        content = go_corpus_file(data) if form is Form.GO else data
        (folder / _name(data)).write_bytes(content)
    return len(inputs)


def _document(kinds: set[Kind]) -> dict[str, Any]:
    """Return the registers, and the vectors by their kind, as their files have them."""
    root = files(__package__)
    document: dict[str, Any] = {"format": FORMAT, "kind": "corpus"}
    for name in ("flags", "retired"):
        document[name] = json.loads(root.joinpath(f"{name}.json").read_text("utf-8"))[name]
    document |= {kind.value: [] for kind in Kind if kind in kinds}
    for file in sorted((root / "vectors").iterdir(), key=lambda each: each.name):
        stored = json.loads(file.read_text("utf-8"))
        if stored["kind"] in kinds:
            document[stored["kind"]] += stored["vectors"]
    return document


def _inputs(vectors: Iterable[Vector]) -> Iterator[bytes]:
    """Yield what a program reads in each vector, where that is anything."""
    for vector in vectors:
        match vector:
            case PluginDialogue() | ClientDialogue():
                data = b"".join(turn.data for turn in vector.turns if isinstance(turn, Send))
            case UserAuthDialogue():
                sent = (turn.data for turn in vector.turns if isinstance(turn, Say))
                data = b"".join(len(each).to_bytes(4, "big") + each for each in sent)
            case _:
                data = vector.data
        if data:
            yield data


def _name(data: bytes) -> str:
    # What libFuzzer itself calls the files of its corpus.
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def go_corpus_file(data: bytes) -> bytes:
    """Return an input of `func(t *testing.T, data []byte)` in the notation of Go's fuzzer."""
    quoted = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in data
    )
    return f'go test fuzz v1\n[]byte("{quoted}")\n'.encode("ascii")
