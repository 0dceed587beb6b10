"""What a campaign asks of the code on trial, asked in a process of its own: it may end that.

    python -m authplugin_fuzz.apart seeds FOLDER LAYER...
    python -m authplugin_fuzz.apart map < TALLY

The first one writes the seeds of these layers into folders of their names, the second one prints
the page of the state map; the tally comes as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from . import engines, files
from .corpora import sha1
from .layers import Layer
from .parent import die_with_parent

_DONE: Final = "\nall of it is said"
"""The last that is said: whoever ends before has not said all."""


class ApartError(RuntimeError):
    """The code on trial did not do what it was asked; the text says what it did."""


def write_seeds(folder: Path, layers: Iterable[Layer]) -> None:
    """Write the seeds of some layers, into folders of their names; others go from there.

    Raises:
        ApartError: where they cannot be made or written.
    """
    _ask("seeds", str(folder), *layers)


def map_page(tally: Mapping[str, Any]) -> str:
    """Return the page of what was exercised; see `authplugin_properties.map_page`.

    Raises:
        ApartError: where it cannot be made.
    """
    return _ask("map", given=json.dumps(tally))


def _ask(what: str, *arguments: str, given: str = "") -> str:
    ended = subprocess.run(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-m", __name__, what, *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=engines.environment() | {"PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
        check=False,
    )
    if not ended.stdout.endswith(_DONE):
        end = "\n".join(ended.stderr.splitlines()[-5:])
        raise ApartError(f"the {what} cannot be made (status {ended.returncode})\n{end}".strip())
    return ended.stdout.removesuffix(_DONE)


def main(arguments: Sequence[str]) -> int:
    """Do what is asked."""
    die_with_parent()
    what, *others = arguments
    if what == "seeds":
        _write_seeds(Path(others[0]), map(Layer, others[1:]))
    else:
        from authplugin_properties.map_page import to_html
        from authplugin_properties.tally import Tally

        sys.stdout.write(to_html(Tally.from_json(json.load(sys.stdin))))
    sys.stdout.write(_DONE)
    return 0


def _write_seeds(folder: Path, layers: Iterable[Layer]) -> None:
    from .making import seeds

    for layer in layers:
        made = folder / layer
        made.mkdir(parents=True, exist_ok=True)
        wanted = {sha1(seed): seed for seed in seeds(layer)}
        for path in made.iterdir():
            if path.name not in wanted:
                path.unlink()
        for name, seed in wanted.items():
            if not (made / name).exists():
                files.write(made / name, seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
