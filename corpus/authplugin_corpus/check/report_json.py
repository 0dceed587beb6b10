"""The report of a check as JSON; `schema/check-report.schema.json` says what it looks like."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any, Final, TextIO

from authplugin import Side

from ..output import harmless
from ..vectors import flags_of
from .expected import Standing
from .play import Replay
from .report import conversation_lines, verdict_lines
from .result import Result, Results
from .verdicts import Outcome

FORMAT: Final = 1
"""The version of the report's format: it changes where a member goes, or changes its meaning."""


def write_json(results: Results, file: TextIO) -> None:
    """Write the report of a run."""
    json.dump(report_of(results), file, indent=2, ensure_ascii=False)
    file.write("\n")


def report_of(results: Results) -> dict[str, Any]:
    """Return the report of a run, as JSON has it."""
    status, words = verdict_lines(results)
    outcomes, standings = results.outcomes, results.standings
    return {
        "format": FORMAT,
        "kind": "check-report",
        "program": "plugin",
        "authplugin": version("authplugin"),
        "command": list(results.settings.command),
        "options": list(results.options),
        "timeout": results.settings.timeout,
        "strict": results.strict,
        "seed": results.seed,
        "seconds": round(results.seconds, 3),
        "exit_status": status,
        "verdict": words,
        "outcomes": {outcome.value: outcomes[outcome] for outcome in Outcome},
        "standings": {standing.value: standings[standing] for standing in Standing},
        "cases": [_case(result, results) for result in results.results],
    }


def _case(result: Result, results: Results) -> dict[str, Any]:
    case, expectation = result.case, result.expectation
    found: dict[str, Any] = {
        "id": case.id,
        "vector": case.vector.id,
        "delivery": case.delivery.value,
        "sentence": case.vector.sentence,
        "clause": case.vector.clause,
        "result": case.vector.result.value,
        "flags": list(flags_of(case)),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "standing": result.standing.value,
        "expected": None
        if expectation is None
        else {"outcome": expectation.outcome.value, "reason": expectation.reason},
    }
    if isinstance(result.report, Replay):
        found |= _verdicts(result.report)
        if result.outcome is not Outcome.PASS:
            found |= _details(result.report)
    if result.outcome is not Outcome.PASS:
        found["rerun"] = results.rerun(case.id)
    return found


def _verdicts(replay: Replay) -> dict[str, Any]:
    said, ended, took, left = replay.said, replay.ended, replay.took, replay.left
    return {
        "said": {"verdict": said.speech.value, "sentence": said.words},
        "ended": {
            "verdict": ended.end.value,
            "status": ended.status,
            "sentence": ended.sentence,
            "undecided": ended.undecided,
        },
        "took": {
            "verdict": "too-much-memory" if took.sentence else "no-more-than-it-may",
            "seconds": round(took.seconds, 4),
            "peak_memory": took.peak_memory,
            "clean_memory": took.clean_memory,
            "sentence": took.sentence,
            "undecided": took.undecided,
        },
        "left": {
            "verdict": _left(replay),
            "processes": [harmless(name) for name in left.processes],
            "noise": left.noise,
            "sentence": left.sentence,
        },
    }


def _left(replay: Replay) -> str:
    if replay.left.processes:
        return "processes"
    return "noise" if replay.left.noise else "nothing"


def _details(replay: Replay) -> dict[str, Any]:
    return {
        "due": replay.due,
        "conversation": [
            {
                "from": "client" if said.side is Side.CLIENT else "plugin",
                # A plugin's secrets are nobody's business, nor are those of a user.
                "bytes": None if said.secret or said.side is Side.PLUGIN else said.data.hex(),
                "size": len(said.data),
                "fault": said.fault,
            }
            for said in replay.conversation
        ],
        "explained": list(conversation_lines(replay.conversation)),
        "standard_error": replay.error_output.decode("utf-8", "replace"),
    }
