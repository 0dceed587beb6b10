"""What campaigns have found, and where it is kept until somebody has dealt with it.

    FOLDER/TARGET/findings/NAME         an input: `crash-`, `timeout-` or `oom-`, and its SHA-1
    FOLDER/TARGET/findings/NAME.json    what is known of it: a title, when, by which version
    FOLDER/TARGET/findings/NAME.log     the end of what the engine said, where that was kept
    FOLDER/TARGET/promoted/             the same of what has become a pinned test
    FOLDER/TARGET/dismissed/            the same of what is none, for a reason
    FOLDER/dismissed.json               the reasons

A process that died and left no input is a finding too: `death-` and the SHA-1 of its log. Nothing
here is ever deleted. Whenever a process is killed, an input lies in one of the three folders.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from . import files

FINDINGS: Final = "findings"
PROMOTED: Final = "promoted"
DISMISSED: Final = "dismissed"

_MOST_LOG: Final = 64 * 1024
"""Bytes of a log that are kept, its last."""

_ASIDE: Final = (".json", ".log")
"""What is kept beside an input, by the end of its name."""

_HASHED = re.compile(r"[a-z]+-([0-9a-f]{40})")


class Kind(StrEnum):
    """What an input did."""

    CRASH = "crash"
    """It broke a law, or ended the process."""
    TIMEOUT = "timeout"
    """It took more than its time."""
    OOM = "oom"
    """It took more than its memory."""
    DEATH = "death"
    """The process died, and which input did it is not known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a campaign has found.

    Attributes:
        target: the name of the target that it broke.
        kind: what it did.
        title: what it broke, in a line; empty where that is not known.
        path: the input; None where there is none.
        log: the end of what the engine said; None where that was not kept.
        when: when it was found, as ISO 8601; empty where that is not known.
        version: the version of the library that it was found in; empty where that is not known.
    """

    target: str
    kind: Kind
    title: str
    path: Path | None
    log: Path | None
    when: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        """What it is called within its target."""
        named = self.path or self.log
        assert named is not None
        return named.name if self.path is not None else named.stem

    @property
    def whole(self) -> bool:
        """Whether the input is what its name says, and no part of it.

        libFuzzer itself writes inputs, and may be killed meanwhile.
        """
        if self.path is None:
            return True
        hashed = _HASHED.fullmatch(self.path.name)
        return hashed is None or hashed[1] == _sha1(self.path.read_bytes())

    @property
    def campaigns(self) -> Path:
        """The folder of the campaigns that it is of."""
        kept = self.path or self.log
        assert kept is not None
        return kept.absolute().parents[2]

    def commands(self) -> list[tuple[str, ...]]:
        """Return the commands that deal with it: each is one way to do so."""
        kept = self.path or self.log
        dismiss = ("authplugin", "fuzz", "dismiss", str(kept), "--reason", "TEXT")
        if self.path is None:
            return [dismiss]
        return [("authplugin", "fuzz", "promote", str(self.path)), dismiss]


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Why something that was found is none.

    Attributes:
        target: the target that it was found with.
        name: what the finding is called within its target.
        title: what it broke.
        reason: why that does not count.
        when: when it was dismissed, as ISO 8601.
    """

    target: str
    name: str
    title: str
    reason: str
    when: str


_BYTES = re.compile(r"""\bb(['"])(?:\\.|(?!\1|\.\.\.).)*\1?|\b[0-9a-f]{16,}\b""", re.DOTALL)
"""Bytes in the title of a broken law, as a literal or as digits; cut short, perhaps."""


def without_bytes(text: str, instead: str = "<bytes>") -> str:
    """Return a text about something broken without the bytes in it, some of which may be secret."""
    return _BYTES.sub(instead, text)


def reproduce(target: str, path: Path) -> tuple[str, ...]:
    """Return the command that shows again what an input breaks."""
    return ("python", "-m", "authplugin_fuzz.targets", target, str(path))


def finding_at(path: Path) -> Finding | None:
    """Return the finding of an input or a log; None where it lies in no folder of findings."""
    folder = path.absolute().parent
    if folder.name != FINDINGS or not folder.is_dir():
        return None
    return next((each for each in _in(folder) if path.name in _names(each)), None)


class FindingsError(ValueError):
    """What lies in the folder is not what belongs there; the text says where."""


class Findings:
    """The findings of a folder of campaigns.

    Args:
        folder: the campaigns' folder; need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    def all(self, targets: Sequence[str] | None = None) -> list[Finding]:
        """Return what nobody has dealt with, the targets and names in order.

        Args:
            targets: the names of the targets to look at; None for all that are there.

        Raises:
            FindingsError: where the reasons cannot be read.
        """
        dismissed = {(each.target, each.name) for each in self.dismissed()}
        return [
            finding
            for folder in sorted(self.folder.glob(f"*/{FINDINGS}"))
            if targets is None or folder.parent.name in targets
            for finding in _in(folder)
            if (finding.target, finding.name) not in dismissed
        ]

    def dismissed(self) -> list[Dismissal]:
        """Return what was dismissed, in that order.

        Raises:
            FindingsError: where the file of reasons cannot be read.
        """
        path = self._reasons
        try:
            stored = json.loads(path.read_text("utf-8"))
            return [Dismissal(**each) for each in stored["dismissed"]]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            raise FindingsError(f"{path} cannot be read: {error}") from None

    def add(
        self,
        target: str,
        kind: Kind,
        title: str,
        *,
        found: Path | bytes | None,
        log: Path | None = None,
    ) -> Finding:
        """Keep a finding, whole or not at all; one that is there already stays as it is.

        Args:
            target: the target's name.
            kind: what the input did.
            title: what it broke, in a line.
            found: the input, or the file that it is in, which stays where it is; None where the
                process left none.
            log: the file of what the engine said, of which the end is kept.

        Raises:
            OSError: where it cannot be written.
            ValueError: where there is neither an input nor a log.
        """
        folder = self.folder / target / FINDINGS
        said = b"" if log is None else log.read_bytes()[-_MOST_LOG:]
        if isinstance(found, Path):
            name, data = found.name, found.read_bytes()
            if _HASHED.fullmatch(name) is None:
                name = f"{kind}-{_sha1(data)}"
        elif found is not None:
            name, data = f"{kind}-{_sha1(found)}", found
        elif log is not None:
            name, data = f"{Kind.DEATH}-{_sha1(said)}", None
        else:
            raise ValueError("a finding is an input or a log, and here is neither")
        path = folder / name
        # The input comes first: with it alone the finding is there.
        if data is not None and not path.exists():
            files.write(path, data)
        if log is not None and not (kept := _beside(path, ".log")).exists():
            files.write(kept, said)
        if not (record := _beside(path, ".json")).exists():
            known = {
                "target": target,
                "kind": str(kind),
                "title": title,
                "when": _now(),
                "version": version("authplugin"),
                "reproduce": None if data is None else reproduce(target, path),
            }
            files.write(record, _json(known))
        finding = finding_at(path if data is not None else _beside(path, ".log"))
        assert finding is not None
        return finding

    def promote(self, finding: Finding) -> Path | None:
        """Move a finding to what has been promoted; return where its input is now."""
        return self._move(finding, PROMOTED)

    def dismiss(self, finding: Finding, reason: str) -> Path | None:
        """Dismiss a finding for a reason; return where its input is now.

        Raises:
            FindingsError: where the reasons that are there already cannot be read.
            ValueError: where no reason is given.
            OSError: where something cannot be written.
        """
        if not reason.strip():
            raise ValueError("without a reason nothing is dismissed")
        with files.alone(self.folder):
            known = [
                each
                for each in self.dismissed()
                if (each.target, each.name) != (finding.target, finding.name)
            ]
            known.append(
                Dismissal(finding.target, finding.name, finding.title, reason.strip(), _now())
            )
            # The reason first: what is moved has one.
            files.write(self._reasons, _json({"dismissed": [_members(each) for each in known]}))
        return self._move(finding, DISMISSED)

    @property
    def _reasons(self) -> Path:
        return self.folder / "dismissed.json"

    def _move(self, finding: Finding, where: str) -> Path | None:
        kept = finding.path or finding.log
        assert kept is not None
        folder = kept.parent.parent / where
        # What makes it a finding comes last: until then it is one.
        main = finding.path if finding.path is not None else kept
        for each in (_beside(kept.with_name(finding.name), end) for end in _ASIDE):
            if each.exists() and each != main:
                files.move(each, folder)
        moved = files.move(main, folder)
        return moved if finding.path is not None else None


def _in(folder: Path) -> Iterator[Finding]:
    """Yield the findings of one target."""
    names = {
        path.name
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(files.TEMPORARY)
    }
    for name in sorted(names):
        path = folder / name
        if path.suffix not in _ASIDE:
            yield _finding(path, path)
        elif path.suffix == ".log" and path.stem.startswith(Kind.DEATH) and path.stem not in names:
            yield _finding(path.with_suffix(""), None)


def _finding(named: Path, found: Path | None) -> Finding:
    """Return the finding of a name, with what is known of it."""
    try:
        known = json.loads(_beside(named, ".json").read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    kind = named.name.partition("-")[0]
    log = _beside(named, ".log")
    return Finding(
        target=named.parent.parent.name,
        kind=Kind(kind) if kind in list(Kind) else Kind.CRASH,
        title=str(known.get("title", "")),
        path=found,
        log=log if log.exists() else None,
        when=str(known.get("when", "")),
        version=str(known.get("version", "")),
    )


def _names(finding: Finding) -> set[str]:
    return {finding.name, *(finding.name + end for end in _ASIDE)}


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _members(dismissal: Dismissal) -> dict[str, str]:
    return {name: getattr(dismissal, name) for name in Dismissal.__slots__}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _sha1(data: bytes) -> str:
    # What libFuzzer itself calls its files.
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
