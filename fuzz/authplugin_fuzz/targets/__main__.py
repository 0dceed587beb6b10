"""Run a target on files, and let what it raises through."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from . import TARGETS


def main(arguments: Sequence[str]) -> int:
    """Run the target that is named first on the files named behind it."""
    if len(arguments) < 2 or arguments[0] not in TARGETS:
        names = "|".join(TARGETS)
        print(f"usage: python -m authplugin_fuzz.targets {names} FILE...", file=sys.stderr)
        return 2
    target = TARGETS[arguments[0]]
    for name in arguments[1:]:
        target.run(Path(name).read_bytes())
        print(f"{name}: every law holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
