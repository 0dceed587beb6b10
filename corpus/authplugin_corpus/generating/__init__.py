"""Makes the schemas, and the vectors that stand for every place in a table; always the same.

`corpus/generate.py` writes them; a test compares. Ids are made of the words for a message, a part,
a fault and a place, or for a state and an event, so that they stay as they are when others come.
"""

from __future__ import annotations

from typing import Any

from authplugin import Side

from ..layout import laid_out
from .dialogues import dialogues
from .frames import frames
from .schema_parts import FORMAT
from .schemas import schemas
from .user_auth_dialogues import user_auth_dialogues
from .user_auth_frames import messages


def generated() -> dict[str, str]:
    """Return the text of every generated file, by its path in the package."""
    described = {f"schema/{name}": laid_out(schema) for name, schema in schemas().items()}
    return described | {
        "vectors/generated-messages.json": _file("messages", frames()),
        "vectors/generated-plugin-dialogues.json": _file(
            "plugin-dialogues", dialogues(Side.PLUGIN)
        ),
        "vectors/generated-client-dialogues.json": _file(
            "client-dialogues", dialogues(Side.CLIENT)
        ),
        "vectors/generated-userauth-messages.json": _file("userauth", messages()),
        "vectors/generated-userauth-dialogues.json": _file("userauth", user_auth_dialogues()),
    }


def _file(kind: str, vectors: list[dict[str, Any]]) -> str:
    return laid_out({"format": FORMAT, "kind": kind, "vectors": vectors})
