"""Where promoted inputs are kept: each as a pinned test, and as a vector as far as it can be one.

In the repository that is `tests/fuzz/promoted/NAME.json`, which a test replays, and the files
`promoted-*.json` of the corpus. Any other folder has the same in `pinned/` and `vectors/`, and the
text of an issue beside them in `issues/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Final

import authplugin_corpus
from authplugin_corpus.verifying import PREFIXES, retired_ids

from . import files
from .regressions import Regression, file_of
from .vectors import content_of

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ShelfError(ValueError):
    """Something cannot be kept there, or under that name; the text says why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """An input that broke something once, and must not any more.

    Attributes:
        id: what it is called in texts; the id of its vector, where it was made with one.
        target: the name of the target that it broke.
        law: the law that it broke.
        sentence: what it is, for people.
        vector: the id of the vector that shows the same mistake; None where none does.
        raw: the input.
        path: its file.
    """

    id: str
    target: str
    law: str
    sentence: str
    vector: str | None
    raw: bytes
    path: Path


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeping an input came to.

    Attributes:
        id: what it is called.
        vector: the id of its vector; None where it has none.
        written: the files that were written; none where it was all there already.
        pin: the file of the pinned input.
        vectors: the file that its vector stands in; None where it has none.
    """

    id: str
    vector: str | None
    written: tuple[Path, ...]
    pin: Path
    vectors: Path | None


class Shelf:
    """A place where promoted inputs are kept.

    Args:
        vectors: the folder of files of vectors.
        pins: the folder of pinned inputs.
    """

    def __init__(self, vectors: Path, pins: Path) -> None:
        self.vectors: Final = vectors
        self.pins: Final = pins

    @classmethod
    def of_repository(cls, root: Path | None = None) -> Shelf:
        """Return the shelf of a checkout; without one, of that which this library runs from.

        Raises:
            ShelfError: where that is no checkout.
        """
        if root is None:
            root = Path(authplugin_corpus.__file__).parents[2]
        vectors = root / "corpus" / "authplugin_corpus" / "vectors"
        tests = root / "tests" / "fuzz"
        if not vectors.is_dir() or not tests.is_dir():
            raise ShelfError(f"{root} is no checkout of this library")
        return cls(vectors, tests / "promoted")

    @classmethod
    def of_folder(cls, folder: Path) -> Shelf:
        """Return the shelf of any other folder, which is made when something is kept there."""
        return cls(folder / "vectors", folder / "pinned")

    def keep(
        self, found: Regression, *, id_: str | None = None, sentence: str | None = None
    ) -> Kept:
        """Keep an input, and its vector, unless they are there already.

        Vectors that test the same are the same, whatever they are called. Inputs are the same where
        their bytes are, or their vectors, with which they break the same law of the same target.

        Args:
            found: the input.
            id_: what to call it; None for a name made of what it is.
            sentence: what it is, for people; None for one made of what it is.

        Raises:
            ShelfError: where the name is none, is taken, or does not fit the kind of vector; or
                where a file that is there cannot be read. Nothing has changed then.
            OSError: where something cannot be written. Whatever was, is right, and keeping it
                again writes the rest.
        """
        with files.alone(self.pins):
            known, file = self._known(found)
            pinned = next((pin for pin in self.pinned() if _is_pinned(found, known, pin)), None)
            if known is None and found.vector is not None:
                named = pinned.vector if pinned is not None and pinned.vector else id_ or found.id
                self._check_id(named, found)
                form = found.vector.form | ({} if sentence is None else {"sentence": sentence})
                file = self.vectors / f"promoted-{found.vector.kind}.json"
                stored = [*(_stored(file) if file.exists() else ()), {"id": named} | form]
                written = [(file, file_of(stored, str(found.vector.kind)).encode())]
                known = named
            else:
                written = []
            path = self.pins / f"{found.name}.json" if pinned is None else pinned.path
            called = pinned.id if pinned is not None else id_ or known or found.id
            if pinned is None:
                if _ID.fullmatch(called) is None:
                    raise ShelfError(f"{called!r} is no id: lower-case words joined by hyphens")
                form = {} if found.vector is None else found.vector.form
                pin = {
                    "id": called,
                    "target": found.target,
                    "law": found.violation.law,
                    "sentence": sentence or form.get("sentence") or _sentence(found),
                    "vector": known,
                    "input": found.raw.hex(),
                }
                written.append((path, (json.dumps(pin, indent=2) + "\n").encode()))
            for each, data in written:
                # Whatever lies among the vectors is read as one of their files, even half of one.
                files.write(each, data, aside=self.pins)
        return Kept(called, known, tuple(each for each, _ in written), path, file)

    def pinned(self) -> list[Pin]:
        """Return the pinned inputs, by the names of their files.

        Raises:
            ShelfError: where a file cannot be read.
        """
        return [_pin(path) for path in sorted(self.pins.glob("*.json"))]

    def _known(self, found: Regression) -> tuple[str | None, Path | None]:
        """Return the id and the file of the vector that tests the same, if there is one."""
        if found.vector is not None:
            content = found.vector.content()
            for file, form in self._vectors():
                if content_of(form) == content:
                    return str(form["id"]), file
        return None, None

    def _vectors(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Yield all vectors, in their JSON form: those here, and those of the package."""
        package = Path(str(resources(authplugin_corpus))) / "vectors"
        for folder in dict.fromkeys((self.vectors.resolve(), package.resolve())):
            for file in sorted(folder.glob("*.json")):
                yield from ((file, form) for form in _stored(file))

    def _check_id(self, named: str, found: Regression) -> None:
        assert found.vector is not None
        prefix = PREFIXES[found.vector.kind]
        if _ID.fullmatch(named) is None or not named.startswith(prefix):
            raise ShelfError(
                f"{named!r} is no id of such a vector: lower-case words joined by hyphens, "
                f"of which the first is {prefix.rstrip('-')!r}"
            )
        if named in retired_ids():
            raise ShelfError(f"the id {named!r} is retired, and is never given again")
        for file, form in self._vectors():
            if form["id"] == named:
                raise ShelfError(f"{file.name} has a vector {named!r} that tests something else")


def _is_pinned(found: Regression, vector: str | None, pin: Pin) -> bool:
    """Say whether an input is pinned: by the same bytes, or by others that do the same."""
    if pin.path.stem == found.name:
        return True
    same = (found.target, found.violation.law, vector)
    return vector is not None and same == (pin.target, pin.law, pin.vector)


def _stored(file: Path) -> list[Mapping[str, Any]]:
    try:
        stored: list[Mapping[str, Any]] = json.loads(file.read_text("utf-8"))["vectors"]
    except (ValueError, KeyError, TypeError) as error:
        raise ShelfError(f"{file} cannot be read: {error!r}") from None
    return stored


def _pin(path: Path) -> Pin:
    try:
        stored = json.loads(path.read_text("utf-8"))
        raw = bytes.fromhex(stored.pop("input"))
        return Pin(**stored, raw=raw, path=path)
    except (ValueError, KeyError, TypeError) as error:
        raise ShelfError(f"{path} cannot be read: {error!r}") from None


def _sentence(found: Regression) -> str:
    return f"{len(found.raw)} bytes with which {found.target} broke {found.violation.law}."
