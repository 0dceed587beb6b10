"""The score, and what is left: survivors, and those that are argued away."""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from rich.console import Console
from rich.table import Table

from .mutants import Mutant
from .trial import Outcome

Key = tuple[str, str, str, str, int]
Pair = tuple[Mutant, Outcome | None]

COLUMNS: Final = ("mutants", "killed", "survived", "equivalent", "same", "untried")
"""What is counted for each module. Those that ran out of time are killed; those that write the
`same` code are no mutants, and do not count."""


@dataclass(frozen=True)
class Equivalents:
    """Mutants that change nothing that anyone could observe, each with the reason.

    They are named by what they change, so that they stay named when the lines move.
    """

    reasons: Mapping[Key, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the list.

        Raises:
            ValueError: where a mutant is listed twice or for no reason.
        """
        reasons: dict[Key, str] = {}
        for each in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []):
            lines = (_stripped(each["before"]), _stripped(each["after"]))
            key = (each["module"], each.get("scope", ""), *lines, each.get("number", 0))
            if key in reasons or not each["reason"].strip():
                raise ValueError(f"listed twice, or for no reason: {key}")
            reasons[key] = each["reason"].strip()
        return cls(reasons)


def _stripped(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


@dataclass(frozen=True)
class Report:
    """What came of the mutants.

    Attributes:
        modules: for each, how many there are of what `COLUMNS` names, and the score, None where
            nothing was tried.
        survivors: those that nobody has argued away.
        stale: what is wrong with the list of those that are.
        seconds: of the processor, for all that is known.
    """

    modules: Mapping[str, Mapping[str, float | None]]
    survivors: Sequence[Mutant]
    stale: Sequence[str]
    seconds: float

    @property
    def status(self) -> int:
        """The status to exit with."""
        return 1 if self.survivors or self.stale or self.modules["all"]["untried"] else 0

    @property
    def contents(self) -> dict[str, Any]:
        """What `mutants.json` says."""
        return {
            "modules": self.modules,
            "seconds": round(self.seconds, 1),
            "survivors": [
                {
                    "module": each.module,
                    "line": each.lines[0],
                    "scope": each.scope,
                    "before": each.before,
                    "after": each.after,
                    "number": each.number,
                }
                for each in self.survivors
            ],
            "stale": list(self.stale),
        }


def report(pairs: Sequence[Pair], equivalents: Equivalents, *, whole: bool = True) -> Report:
    """Count what came of mutants; where they are all of their modules, what is stale too."""
    counts: dict[str, Counter[str]] = {}
    survivors = []
    stale = []
    for mutant, outcome in pairs:
        verdict = outcome.verdict if outcome else "untried"
        verdict = "killed" if verdict == "timeout" else verdict
        reason = equivalents.reasons.get(mutant.key)
        if reason is not None:
            if outcome and verdict == "killed":
                stale.append(f"{outcome.by} tells this from the code as it is: {mutant}")
            verdict = "equivalent" if verdict == "survived" else verdict
        elif verdict == "survived":
            survivors.append(mutant)
        counts.setdefault(mutant.module, Counter()).update((verdict, "mutants"))
    if whole:
        known = {mutant.key for mutant, _ in pairs}
        gone = (key for key in equivalents.reasons if key[0] in counts and key not in known)
        stale += [f"no mutant is {key}" for key in gone]
    rows = {module: _row([count]) for module, count in counts.items()}
    rows["all"] = _row(counts.values())
    return Report(rows, survivors, stale, sum(each.seconds for _, each in pairs if each))


def _row(counts: Iterable[Counter[str]]) -> dict[str, float | None]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    judged = total["killed"] + total["survived"]
    score = round(100 * total["killed"] / judged, 2) if judged else None
    return {**{column: total[column] for column in COLUMNS}, "score": score}


def print_report(made: Report) -> None:
    """Print the survivors, each as a difference, and the table."""
    for each in made.survivors:
        print(f"survived: {each}")
    for complaint in made.stale:
        print(f"equivalent.toml is stale: {complaint}", file=sys.stderr)
    table = Table("module", *COLUMNS, "score")
    for column in table.columns[1:]:
        column.justify = "right"
    for module, row in made.modules.items():
        score = "" if row["score"] is None else f"{row['score']:.1f}%"
        table.add_row(module, *(str(row[column]) for column in COLUMNS), score)
    table.columns[0].no_wrap = True
    console = Console()
    console.width = max(console.width, 110)  # where it goes to a file, all of it
    console.print(table)
    print(f"{made.seconds:.0f} seconds of the processor in all")
