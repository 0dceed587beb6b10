"""The command: `python -m tests.bench`."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from . import report, runs

WIDTH = 144
"""Columns of the tables where the output is no terminal."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="bench.json",
    show_default=True,
    help="Where to write the figures.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    help="Samples of everybody for each case.  [default: 40; with --quick 3]",
)
@click.option("--quick", is_flag=True, help="Few and short samples: to see that it runs.")
def main(output: Path, rounds: int | None, quick: bool) -> None:
    """Compare the speed and the memory of authplugin with other libraries.

    Speed is measured, not judged: the status is 0 whatever the figures are, and 1 only where
    somebody's results are not those of the others.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    errors = Console(stderr=True)
    wrong = list(runs.disagreements())
    for each in wrong:
        errors.print(each, style="red", markup=False)
    if wrong:
        errors.print("Nothing was measured: the results differ.")
        sys.exit(1)
    # What the libraries have allocated by now is of no interest to the garbage collector.
    gc.collect()
    gc.freeze()
    with errors.status("") as status:
        results = runs.measure(
            rounds or (3 if quick else 40),
            runs.SAMPLE // 10 if quick else runs.SAMPLE,
            lambda what: status.update(f"Measuring: {what}"),
        )
    report.show(results, console)
    output.write_text(json.dumps(report.as_json(results), indent=2) + "\n", encoding="utf-8")
    console.print(f"Figures written to {output}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
