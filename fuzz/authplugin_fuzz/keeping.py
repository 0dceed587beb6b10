"""The folder of campaigns: who works in it, and what is taken over of one that was killed."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from . import engines, under_way
from .attempts import Attempts
from .corpora import Corpus, sha1
from .findings import Finding, Findings, Kind

_LEFT = "a campaign that was killed has left it"


class FolderError(RuntimeError):
    """The folder cannot be worked in; the text says why."""


def alone(folder: Path) -> ExitStack:
    """Keep other campaigns from working in a folder until what is returned is closed.

    Raises:
        FolderError: where another one does.
        OSError: where the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = ExitStack()
    lock = held.enter_context((folder / "campaign.lock").open("ab"))
    if os.name == "posix":
        import fcntl

        try:
            # The system lets go of it however the process ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            raise FolderError(f"another campaign is at work in {folder}") from None
    return held


def recover(corpus: Corpus, kept: Findings, attempts: Attempts) -> None:
    """Take over what a campaign has left of a target that could not do so itself.

    An input that broke something is a finding; one that was under way is one if it breaks something
    by itself, and goes into the corpus otherwise. Nothing goes before it is kept elsewhere.

    Args:
        corpus: the target's.
        kept: the findings of all targets.
        attempts: runs inputs of the target.

    Raises:
        OSError: where something cannot be kept.
    """
    folder, name = corpus.folder, corpus.folder.name
    torn: list[Kind] = []
    left = sorted((folder / engines.LEFT).iterdir())
    for path in left:
        kind, named = kind_of(path)
        if sha1(data := path.read_bytes()) == named:
            violation = attempts.violation(data)
            kept.add(name, kind, violation.title if violation else _LEFT, found=data)
        else:
            # It was written in part. Then the whole is what was under way.
            torn.append(kind)
    notes = sorted(folder.glob("under-way-*"))
    for path in notes:
        noted = under_way.last(path)
        if noted is None:
            continue
        if (violation := attempts.violation(noted)) is not None:
            kept.add(name, violation.kind, violation.title, found=noted)
        elif torn:
            kept.add(name, torn[0], _LEFT, found=noted)
        else:
            corpus.add(noted)
    for path in (*left, *notes):
        path.unlink()
    corpus.clear()


def kind_of(path: Path) -> tuple[Kind, str]:
    """Return what an engine's file is of, and the SHA-1 that its input should have."""
    kind, _, named = path.name.partition("-")
    return (Kind(kind) if kind in list(Kind) else Kind.CRASH), named


def still_there(
    corpus: Corpus, kept: Findings, attempts: Attempts
) -> tuple[list[Finding], list[Finding]]:
    """Try again what was found earlier; return what still breaks something, and what does not.

    The inputs that break nothing any more go into the corpus too. What left no input cannot be
    tried, and is there until somebody dismisses it.

    Args:
        corpus: the target's.
        kept: the findings of all targets.
        attempts: runs inputs of the target.

    Raises:
        OSError: where something cannot be kept.
    """
    there: list[Finding] = []
    mended: list[Finding] = []
    for finding in kept.all([corpus.folder.name]):
        data = None if finding.path is None else finding.path.read_bytes()
        if data is None or attempts.violation(data) is not None:
            there.append(finding)
        else:
            corpus.add(data)
            mended.append(finding)
    return there, mended
