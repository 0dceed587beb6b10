"""What runs a target: atheris where it can be imported, Hypothesis elsewhere."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Final

from .worker import WITH_PARENT

_HARNESS: Final = Path(__file__).with_name("harness.py")

LONGEST: Final = 40_000
"""Bytes of an input at most: twice what the codec looks at in one piece, and some."""

_LIMITS: Final = ("-timeout=25", "-rss_limit_mb=1024")
"""For each input, in seconds of the clock, of which a busy machine may waste many; for the process,
in MiB."""


class Engine(StrEnum):
    """What makes the inputs."""

    ATHERIS = "atheris"
    HYPOTHESIS = "Hypothesis"


def available() -> Engine:
    """Return the engine that can run here."""
    # Tried in a process of its own: it loads libFuzzer, which a campaign has no use for.
    tried = subprocess.run(
        [sys.executable, "-c", "import atheris"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Engine.ATHERIS if tried.returncode == 0 else Engine.HYPOTHESIS


def command(
    engine: Engine,
    target: str,
    *,
    seconds: int,
    seed: int,
    folder: Path,
    corpora: list[Path],
) -> list[str]:
    """Return the command that fuzzes a target.

    Args:
        engine: what makes the inputs.
        target: the target's name.
        seconds: for how long; from 1.
        seed: what the inputs follow from, as far as they follow from anything; from 1.
        folder: what is kept of the target: `corpus` and `findings` in it are written to.
        corpora: folders of inputs to begin with.
    """
    if engine is Engine.ATHERIS:
        return [
            sys.executable,
            str(_HARNESS),
            target,
            WITH_PARENT,
            # It goes on for a second more, and takes 0 for no limit.
            f"-max_total_time={max(1, seconds - 1)}",
            f"-seed={seed}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={folder / 'findings'}/",
            *_LIMITS,
            str(folder / "corpus"),
            *map(str, corpora),
        ]
    return [
        sys.executable,
        "-m",
        "authplugin_fuzz.without_atheris",
        target,
        WITH_PARENT,
        f"--seconds={seconds}",
        f"--seed={seed}",
        f"--findings={folder / 'findings'}",
        f"--examples={folder / 'examples'}",
        *map(str, corpora),
    ]
