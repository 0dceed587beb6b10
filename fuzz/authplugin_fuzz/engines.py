"""What runs a target: atheris where it can be imported, Hypothesis elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from .worker import UNDER_WAY, WITH_PARENT

HARNESS: Final = Path(__file__).with_name("harness.py")

LONGEST: Final = 40_000
"""Bytes of an input at most: twice what the codec looks at in one piece, and some."""

NEW: Final = "new"
"""The folder of a target in which an engine leaves inputs that reached something new."""

LEFT: Final = "left"
"""The folder of a target in which an engine leaves inputs that broke something."""


class Engine(StrEnum):
    """What makes the inputs."""

    ATHERIS = "atheris"
    HYPOTHESIS = "Hypothesis"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an input may take.

    Attributes:
        seconds: of the clock, of which a busy machine may waste many.
        mebibytes: of memory, all that the process has included.
    """

    seconds: int = 25
    mebibytes: int = 1024


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


def environment() -> dict[str, str]:
    """Return the environment of an engine.

    To merge, libFuzzer runs the harness by its path, and so with the first `python3` that there is.
    """
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return os.environ | {"PYTHONHASHSEED": "0", "PATH": path}


def command(
    engine: Engine,
    target: str,
    *,
    seconds: int,
    seed: int,
    folder: Path,
    corpora: list[Path],
    bounds: Bounds,
    under_way: Path,
) -> list[str]:
    """Return the command that fuzzes a target.

    Args:
        engine: what makes the inputs.
        target: the target's name.
        seconds: for how long; from 1.
        seed: what the inputs follow from, as far as they follow from anything; from 1.
        folder: the target's; `NEW`, `LEFT` and `examples` in it are written to.
        corpora: folders of inputs to begin with.
        bounds: what an input may take.
        under_way: where the input under way is noted; see `under_way.create`.
    """
    if engine is Engine.ATHERIS:
        return [
            sys.executable,
            str(HARNESS),
            target,
            WITH_PARENT,
            f"{UNDER_WAY}{under_way}",
            # It goes on for a second more, and takes 0 for no limit.
            f"-max_total_time={max(1, seconds - 1)}",
            f"-seed={seed}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={folder / LEFT}/",
            f"-timeout={bounds.seconds}",
            f"-rss_limit_mb={bounds.mebibytes}",
            str(folder / NEW),
            *map(str, corpora),
        ]
    return [
        sys.executable,
        "-m",
        "authplugin_fuzz.without_atheris",
        target,
        WITH_PARENT,
        f"{UNDER_WAY}{under_way}",
        f"--seconds={seconds}",
        f"--seed={seed}",
        f"--findings={folder / LEFT}",
        f"--examples={folder / 'examples'}",
        *map(str, corpora),
    ]


def merging(target: str, into: str, corpora: list[str], control: str) -> list[str]:
    """Return the command that copies those inputs into a folder that reach something new there.

    libFuzzer starts itself again with these arguments, unquoted: so the names are relative, and
    without spaces. The harness is expected in the current folder.

    Args:
        target: the target's name.
        into: the folder that they are copied into.
        corpora: the folders that they come from.
        control: the file that says what each input reaches.
    """
    return [
        sys.executable,
        f"./{HARNESS.name}",
        target,
        WITH_PARENT,
        "-merge=1",
        f"-merge_control_file={control}",
        f"-max_len={LONGEST}",
        into,
        *corpora,
    ]
