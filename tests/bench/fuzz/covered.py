"""What inputs reach in the codec, by name: to say what a search has missed.

    python -m tests.bench.fuzz.covered TARGET FOLDER

prints each pair of lines of which one was run right after the other, without any engine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any, Final

import authplugin
from authplugin_fuzz.targets import TARGETS

_CODEC: Final = str(Path(authplugin.__file__).parent) + "/"


def arcs(target: str, folder: Path) -> set[str]:
    """Return what the inputs of a folder reach, each as file:line-line."""
    found: set[str] = set()
    run = TARGETS[target].run

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(_CODEC):
            return None
        module = name.removeprefix(_CODEC)
        last = frame.f_lineno

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            if event == "line":
                found.add(f"{module}:{last}-{frame.f_lineno}")
                last = frame.f_lineno
            return line

        return line

    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        sys.settrace(call)
        try:
            run(data)
        finally:
            sys.settrace(None)
    return found


def arcs_elsewhere(target: str, folder: Path) -> set[str]:
    """Return the same, from a process of its own: what is cached in this one would be missing."""
    command = [sys.executable, "-m", __name__, target, str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


if __name__ == "__main__":
    print(*sorted(arcs(sys.argv[1], Path(sys.argv[2]))), sep="\n")
