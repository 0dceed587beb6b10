"""Run inputs that break nothing once more, plainly, and measure what they reach.

    python -m authplugin_fuzz.measuring TARGET DATA < NAMES

Standard input names files, a line each. The branches of `authplugin` that they take are written to
the file DATA, for coverage.py; on standard output there is a line of JSON: how many inputs there
were, and what of the state map they exercise.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from coverage import Coverage

from .parent import die_with_parent


def main(arguments: Sequence[str]) -> int:
    """Run a target's inputs."""
    name, data = arguments
    die_with_parent()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a target prints is no answer
    inputs = [Path(line) for line in sys.stdin.read().splitlines()]
    measured = Coverage(
        data_file=data, branch=True, source_pkgs=["authplugin"], config_file=False, messages=False
    )
    # A library that is loaded before it is measured would look as if it had not been.
    assert "authplugin" not in sys.modules
    measured.start()
    from authplugin_fuzz.exercised import count
    from authplugin_fuzz.targets import TARGETS

    target = TARGETS[name]
    run = target.run
    for path in inputs:
        run(path.read_bytes())
    measured.stop()
    measured.save()
    for path in inputs:
        count(target, path.read_bytes())
    from authplugin_properties.tally import CURRENT

    print(json.dumps({"inputs": len(inputs), "tally": CURRENT.to_json()}), file=answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
