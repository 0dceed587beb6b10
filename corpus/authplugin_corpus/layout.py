"""The one way in which the files of the corpus are laid out."""

from __future__ import annotations

import json
from typing import Any, Final

_WIDTH: Final = 100


def laid_out(value: Any) -> str:
    """Return a JSON value as the text of a file.

    Members keep their order. An object or array stands on one line where it fits; a vector never
    does.
    """
    return _lines(value, "", "") + "\n"


def _lines(value: Any, indent: str, head: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value:
        return head + line
    if len(indent) > 2 and not _is_vector(value) and len(indent + head + line) < _WIDTH:
        return head + line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [
            _lines(each, inner, f"{json.dumps(name, ensure_ascii=False)}: ")
            for name, each in value.items()
        ]
    else:
        parts = [_lines(each, inner, "") for each in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    body = ",\n".join(inner + part for part in parts)
    return f"{head}{opening}\n{body}\n{indent}{closing}"


def _is_vector(value: Any) -> bool:
    return isinstance(value, dict) and "sentence" in value and "flags" in value
