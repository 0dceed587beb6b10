"""What a run has exercised, counted; for the map, and to see whether the cases are worth having."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ROLES: Final = ("client", "plugin")
"""Who can be on trial."""

POISONED: Final = "POISONED"
INPUT_ENDED: Final = "INPUT ENDED"
"""Where a role stands after its peer has broken the protocol, or has ended its output; beside the
eight states of the protocol."""

END_BETWEEN: Final = "end of file between frames"
END_INSIDE: Final = "end of file inside a frame"
"""Events beside `"hear NAME"` and `"say NAME"`, where NAME is a message's published name."""


@dataclass
class Run:
    """What one machine or enumeration did. An enumeration counts its steps alone.

    Attributes:
        steps: how many steps it took.
        refused: in how many of them a role refused something as misuse (`LocalProtocolError`).
        lengths: how many conversations had how many messages.
        strikes: how often each fault struck, by its name; 0 for one that can and did not.
        messages: how often each message was said or heard, by its published name; likewise.
    """

    steps: int = 0
    refused: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)

    def add(self, other: Run) -> None:
        """Add what another run did."""
        self.steps += other.steps
        self.refused += other.refused
        # Rather than +=, which would drop what can come and did not.
        self.lengths.update(other.lengths)
        self.strikes.update(other.strikes)
        self.messages.update(other.messages)


@dataclass
class Tally:
    """What was exercised.

    Attributes:
        events: how often each (role, state, event) was.
        faults: how often each (message, part of it, fault) was; see `Faulty`.
        runs: what each machine or enumeration did, by its name.
    """

    events: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    faults: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    runs: dict[str, Run] = field(default_factory=dict)

    def run(self, name: str) -> Run:
        """Return the run of this name, which begins where there is none yet."""
        return self.runs.setdefault(name, Run())

    def add(self, other: Tally) -> None:
        """Add what another tally has counted."""
        self.events += other.events
        self.faults += other.faults
        for name, run in other.runs.items():
            self.run(name).add(run)

    def to_json(self) -> dict[str, Any]:
        """Return the same as what JSON can hold."""
        return {
            "events": [[*key, count] for key, count in sorted(self.events.items())],
            "faults": [[*key, count] for key, count in sorted(self.faults.items())],
            "runs": {
                name: {
                    "steps": run.steps,
                    "refused": run.refused,
                    "lengths": [[*item] for item in sorted(run.lengths.items())],
                    "strikes": dict(sorted(run.strikes.items())),
                    "messages": dict(sorted(run.messages.items())),
                }
                for name, run in sorted(self.runs.items())
            },
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Tally:
        """Return the tally that `to_json` made this of."""
        return cls(
            Counter({(a, b, c): count for a, b, c, count in given["events"]}),
            Counter({(a, b, c): count for a, b, c, count in given["faults"]}),
            {
                name: Run(
                    run["steps"],
                    run["refused"],
                    Counter(dict(run["lengths"])),
                    Counter(run["strikes"]),
                    Counter(run["messages"]),
                )
                for name, run in given["runs"].items()
            },
        )


CURRENT: Final = Tally()
"""What this process has exercised so far. The machines and enumerations count here."""
