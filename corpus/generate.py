"""Write the generated vectors and schemas, and lay out the hand-written ones.

python corpus/generate.py            write what differs in corpus/authplugin_corpus
python corpus/generate.py --check    exit 1 where something would be written
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from authplugin_corpus.generating import generated
from authplugin_corpus.layout import laid_out

PACKAGE = Path(__file__).parent / "authplugin_corpus"


def wanted() -> dict[Path, str]:
    """Return what each data file should contain."""
    registers = [PACKAGE / "flags.json", PACKAGE / "retired.json"]
    files = [*registers, *(PACKAGE / "vectors").glob("*.json")]
    texts = {path: laid_out(json.loads(path.read_text("utf-8"))) for path in files}
    return texts | {PACKAGE / path: text for path, text in generated().items()}


def main() -> int:
    """Write the files that differ, or only name them; return the exit status."""
    check = sys.argv[1:] == ["--check"]
    stale = False
    for path, text in sorted(wanted().items()):
        if not path.exists() or path.read_text("utf-8") != text:
            stale = True
            print(f"{path.name} {'is not what would be written' if check else 'written'}")
            if not check:
                path.write_text(text, "utf-8", newline="\n")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
