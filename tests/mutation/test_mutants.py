"""What can be changed, and what becomes of it: on a repository of one module and one test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there is no mutmut for Windows", allow_module_level=True)

from .baseline import Baseline
from .mutants import Mutant, mutants
from .report import Equivalents, report
from .trial import Bench, Outcome, environment

MODULE = '''\
"""Words that say what it does."""

from typing import TypeAlias, cast

Size: TypeAlias = int | None
LIMIT: int = 3


class Box:
    @property
    def full(self) -> bool:
        """Whether it is."""
        return self.size >= LIMIT

    def put(self, size: int) -> None:
        if not size:
            raise ValueError("nothing is put into a box")
        self.size = cast("int", size)
        while size > LIMIT:
            size -= 1
'''

TEST = """\
from box import Box

def test_a_box():
    box = Box()
    box.put(5)
    assert box.full
    box.put(2)
    assert not box.full
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("codec/box.py", MODULE), ("tests/unit/test_box.py", TEST)):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    for name in ("authplugin/wire.py", "authplugin/userauth/wire.py"):
        path = tmp_path / "codec" / name
        path.parent.mkdir()
        path.write_text("")
    return tmp_path


def found(folder: Path) -> list[Mutant]:
    return mutants(folder / "codec" / "box.py", "box.py")


def changes(made: Sequence[Mutant]) -> set[tuple[str, str, str]]:
    return {(each.scope, each.before, each.after) for each in made}


def test_what_can_be_changed(folder: Path) -> None:
    assert changes(found(folder)) == {
        ("", "LIMIT: int = 3", "LIMIT: int = None"),
        ("", "LIMIT: int = 3", "LIMIT: int = 4"),
        ("Box.full", "return self.size >= LIMIT", "return (None)"),
        ("Box.full", "return self.size >= LIMIT", "return self.size > LIMIT"),
        ("Box.put", "if not size:", "if size:"),
        (
            "Box.put",
            'raise ValueError("nothing is put into a box")',
            "pass",
        ),
        (
            "Box.put",
            'raise ValueError("nothing is put into a box")',
            "raise ValueError(None)",
        ),
        ("Box.put", 'self.size = cast("int", size)', "self.size = None"),
        ("Box.put", "while size > LIMIT:", "while size >= LIMIT:"),
        ("Box.put", "size -= 1", "size = 1"),
        ("Box.put", "size -= 1", "size += 1"),
        ("Box.put", "size -= 1", "size -= 2"),
    }


def test_a_mutant_keeps_its_name_when_the_lines_move(folder: Path) -> None:
    before = found(folder)
    path = folder / "codec" / "box.py"
    path.write_text(MODULE.replace("\n\nclass", "\nOTHER = LIMIT\n\n\nclass"))
    after = found(folder)
    assert {each.key for each in before} < {each.key for each in after}
    assert {each.lines for each in before} != {each.lines for each in after}
    assert len({each.key for each in after}) == len(after)


def measured(folder: Path) -> Baseline:
    result = folder / "baseline.json"
    root = Path(__file__).resolve().parents[2]
    settings = environment(folder)
    subprocess.run(
        [sys.executable, "-m", "tests.mutation.baseline", str(result), "tests/unit"],
        cwd=folder,
        env={**settings, "PYTHONPATH": f"{settings['PYTHONPATH']}:{root}"},
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    return Baseline.of(json.loads(result.read_text()).values())


TRIED = {
    "return (None)": "killed",
    "return self.size > LIMIT": "survived",
    "size += 1": "timeout",
    "size -= 2": "survived",
    "LIMIT: int = None": "killed",
    "pass": "survived",
    "if size:": "killed",
}


def tried(folder: Path) -> dict[str, str]:
    bench = Bench(folder, measured(folder), {"tests/unit/test_box.py": "as it is"})
    outcomes = {
        each.after: bench.attempt(each, {}) for each in found(folder) if each.after in TRIED
    }
    for outcome in outcomes.values():
        seen = outcome.verdict != "survived"
        assert outcome.by == ("tests/unit/test_box.py::test_a_box" if seen else "")
    return {after: outcome.verdict for after, outcome in outcomes.items()}


@pytest.mark.skipif(sys.platform != "linux", reason="forks are watched through /proc")
def test_what_becomes_of_mutants(folder: Path) -> None:
    """Tried in a process of its own, which becomes the parent of all that is left."""
    script = (
        "import sys; from pathlib import Path; from tests.mutation.test_mutants import *;"
        "assert (got := tried(Path(sys.argv[1]))) == TRIED, got"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", script, folder], cwd=root, timeout=100, check=True)
    assert (folder / "codec" / "box.py").read_text() == MODULE


REASON = "What is left of it is thrown away."
LISTED = f"""\
[[equivalent]]
module = "box.py"
scope = "Box.put"
before = "size -= 1"
after = "size -= 2"
reason = "{REASON}"
"""


def outcome(mutant: Mutant, by: str) -> Outcome:
    return Outcome(mutant.digest, "killed" if by else "survived", by, 1.5, {})


def test_what_is_argued_away_does_not_count_but_has_to_survive(folder: Path) -> None:
    listing = folder / "equivalent.toml"
    listing.write_text(LISTED)
    equivalents = Equivalents.read(listing)
    made = found(folder)
    assert sum(each.key in equivalents.reasons for each in made) == 1

    first = report([(each, outcome(each, "")) for each in made], equivalents)
    assert first.modules["box.py"]["equivalent"] == 1
    assert len(first.survivors) == len(made) - 1
    assert first.modules["all"]["score"] == 0.0
    assert (first.status, first.stale, first.seconds) == (1, [], 1.5 * len(made))

    pairs = [(each, outcome(each, "" if each.after == "size -= 2" else "test")) for each in made]
    second = report(pairs, equivalents)
    assert (second.status, second.modules["all"]["score"]) == (0, 100.0)

    third = report([(each, outcome(each, "test")) for each in made], equivalents)
    assert (third.status, len(third.stale)) == (1, 1)

    others = [each for each in pairs if each[0].after != "size -= 2"]
    fourth = report(others, equivalents)
    assert (fourth.status, len(fourth.stale)) == (1, 1)
    assert report(others, equivalents, whole=False).status == 0


@pytest.mark.parametrize("listed", [LISTED + LISTED, LISTED.replace(REASON, " ")])
def test_nothing_is_listed_twice_or_for_no_reason(listed: str, tmp_path: Path) -> None:
    (tmp_path / "listed.toml").write_text(listed)
    with pytest.raises(ValueError, match="listed twice, or for no reason"):
        Equivalents.read(tmp_path / "listed.toml")
