"""What every process of a campaign does, whatever its engine.

It notes the input that it works on, and it does not outlive the campaign that started it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from .parent import end_with_parent
from .targets import TARGETS
from .under_way import UnderWay

UNCAUGHT: Final = " === Uncaught Python exception: ==="
"""The line before the one that names the exception that ended an engine's run; atheris's own."""

WITH_PARENT: Final = "--with-parent"
"""The option that ends the process when its standard input does, or the process above it."""

UNDER_WAY: Final = "--under-way="
"""How the option begins that names the file in which the input under way is noted."""


def arguments(given: Sequence[str]) -> tuple[str, list[str], UnderWay | None]:
    """Return the target's name, the engine's options, and where to note what is under way.

    The options that are for us are acted on.

    Raises:
        SystemExit: where no target is named.
    """
    options = list(given)
    if WITH_PARENT in options:
        options.remove(WITH_PARENT)
        end_with_parent()
    noting = None
    for option in [each for each in options if each.startswith(UNDER_WAY)]:
        options.remove(option)
        noting = UnderWay(Path(option.removeprefix(UNDER_WAY)))
    named = [option for option in options if option.startswith("--target=")]
    name = named[0].partition("=")[2] if named else options[0] if options else ""
    if name not in TARGETS:
        sys.exit(f"name a target first: {', '.join(TARGETS)}")
    return name, [option for option in options if option not in (name, *named)], noting


def noted(run: Callable[[bytes], None], noting: UnderWay | None) -> Callable[[bytes], None]:
    """Return `run`, noting each input that it begins, and that it has come to its end."""
    if noting is None:
        return run
    begin, end = noting.begin, noting.end

    def note_and_run(data: bytes) -> None:
        begin(data)
        run(data)
        end()

    return note_and_run
