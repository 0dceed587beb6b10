"""What `authplugin check plugin` costs, beyond starting the plugin: `python -m tests.bench.check`.

For each example plugin, in the same run: the CPU time (user and system, of the whole tree of
processes) of the check, and that of starting the plugin once for each case with nothing to read.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from authplugin_corpus.model import cases
from authplugin_corpus.vectors import load_dialogues

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CHECK = [sys.executable, "-P", "-c", "from authplugin_corpus.command import main; main()"]


def plugins(folder: Path) -> Mapping[str, list[str]]:
    """Return the command lines of the examples."""
    program = folder / "plugin-c"
    source = EXAMPLES / "plugin.c"
    subprocess.run(["cc", "-std=c99", "-O2", "-o", str(program), str(source)], check=True)
    return {
        "C": [str(program)],
        "Node.js": ["node", str(EXAMPLES / "plugin.mjs")],
        "Python": [sys.executable, "-I", "-S", str(EXAMPLES / "plugin.py")],
    }


def cpu_of(work: Callable[[], object]) -> float:
    """Return the seconds that the children of this process take for something."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_each(command: Sequence[str], count: int) -> None:
    """Start a program so many times, with nothing to read."""
    for _ in range(count):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)


def check(command: Sequence[str], jobs: int, compiled: Path) -> None:
    """Check a program, all cases."""
    line = [*CHECK, "check", "plugin", "--seed", "0", "--jobs", str(jobs), "--", *command]
    # As where it is installed: with its modules compiled, not compiled again by each check.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(compiled)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(line, stdout=subprocess.DEVNULL, env=environment, check=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=3, show_default=True, help="Measurements of each; medians count.")
@click.option("--jobs", default=2, show_default=True, help="Cases at a time.")
@click.option("--plugin", "wanted", multiple=True, help="Only this one: C, Node.js or Python.")
def main(rounds: int, jobs: int, wanted: Sequence[str]) -> None:
    """Compare the CPU time of a check with that of starting the plugin once for each case."""
    count = sum(1 for _ in cases(load_dialogues("plugin")))
    table = Table("plugin", "starts, s", "check, s", "ratio", "more, ms a case")
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder, "compiled")
        for name, command in plugins(Path(folder)).items():
            if wanted and name not in wanted:
                continue
            check(command, jobs, compiled)  # compiles, and has the system read all files
            pairs = [
                (
                    cpu_of(lambda: start_each(command, count)),  # noqa: B023 - called at once
                    cpu_of(lambda: check(command, jobs, compiled)),  # noqa: B023
                )
                for _ in range(rounds)
            ]
            starts, checks = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(one / two for two, one in pairs)
            more = statistics.median((one - two) / count * 1000 for two, one in pairs)
            table.add_row(name, f"{starts:.2f}", f"{checks:.2f}", f"{ratio:.2f}", f"{more:.2f}")
    console = Console()
    console.print(f"{count} cases, CPU time, median of {rounds}")
    console.print(table)


if __name__ == "__main__":
    main()
