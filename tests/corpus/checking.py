"""What the tests of `authplugin check plugin` share."""

import json
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from authplugin_corpus.check.parameters import Parameters
from authplugin_corpus.check.play import Replay, play
from authplugin_corpus.command import main
from authplugin_corpus.model import cases
from authplugin_corpus.vectors import load_dialogues

CASES = {case.id: case for case in cases(load_dialogues("plugin"))}
WRONG = Path(__file__).parent / "wrong_plugins" / "wrong.py"

TIMEOUT = 30.0
"""Seconds that a plugin may take which does what it should."""

SHORT = 1.0
"""Seconds to wait for what cannot be known to stay away."""


def wrong_plugin(mistake: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(WRONG), mistake]


def in_python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "plugin", *arguments])


def played(case: str, command: list[str], timeout: float = TIMEOUT) -> Replay:
    return play(CASES[case], Parameters(), command, timeout, clean=CASES["plugin-success"])


def report_of(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Check a plugin; return the exit status and the report."""
    path = folder / "report.json"
    result = check("--report", f"json={path}", *arguments)
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return result.exit_code, report
