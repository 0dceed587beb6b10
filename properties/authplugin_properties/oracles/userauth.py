"""A plain reader of the messages of SSH's user authentication (RFC 4252, RFC 4256).

It refuses what is wrong as `cursor` does: the first problem in reading order. What a message is
follows from its type byte, for a request besides from the method that it names and the boolean
behind that, and for 60 and 61 from the method that is under way.
"""

from collections.abc import Mapping
from typing import Any

from .cursor import Cursor, Limits, LimitsLike, Refused, begin

__all__ = ["FIELDS", "METHODS", "NAMES", "decode", "name_of"]

METHODS = ("none", "password", "publickey", "keyboard-interactive")
"""The methods whose requests have a layout of their own."""

_KEY = (("algorithm", "ascii"), ("blob", "string"))

FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "none": (),
    "password": (("password", "utf8"),),
    "password change": (("password", "utf8"), ("new_password", "utf8")),
    "publickey query": _KEY,
    "publickey": (*_KEY, ("signature", "string")),
    "keyboard-interactive": (("language", "ascii"), ("submethods", "utf8")),
    "other": (("rest", "rest"),),
    "FAILURE": (("methods", "names"), ("partial_success", "boolean")),
    "SUCCESS": (),
    "BANNER": (("message", "utf8"), ("language", "ascii")),
    "PASSWD_CHANGEREQ": (("prompt", "utf8"), ("language", "ascii")),
    "PK_OK": _KEY,
    "INFO_REQUEST": (
        ("name", "utf8"),
        ("instructions", "utf8"),
        ("language", "ascii"),
        ("prompts", "prompts"),
    ),
    "INFO_RESPONSE": (("responses", "responses"),),
}
"""What follows in each message, by its name here: for requests what is behind the method, and
behind the boolean that says which of two requests it is."""

_REQUEST = (("user", "utf8"), ("service", "ascii"), ("method", "ascii"))

_WHICH = {
    b"password": ("change", ("password", "password change")),
    b"publickey": ("has_signature", ("publickey query", "publickey")),
}

NAMES: dict[tuple[int, str | None], str] = {
    **{
        (code, method): name
        for method in (None, *METHODS)
        for code, name in ((51, "FAILURE"), (52, "SUCCESS"), (53, "BANNER"))
    },
    (60, "password"): "PASSWD_CHANGEREQ",
    (60, "publickey"): "PK_OK",
    (60, "keyboard-interactive"): "INFO_REQUEST",
    (61, "keyboard-interactive"): "INFO_RESPONSE",
}
"""The messages but for the requests, by type byte and method under way."""


def decode(
    frame: bytes, limits: LimitsLike | None = None, method: str | None = None
) -> dict[str, Any]:
    """Return the neutral message in exactly one whole frame.

    Args:
        frame: a uint32 length, and that many bytes.
        limits: what to accept.
        method: the method under way; None for none.

    Raises:
        Refused: the bytes are anything else.

    """
    cursor = begin(frame, limits or Limits())
    code = frame[4]
    message: dict[str, Any] = {"type": code}
    if code == 50:
        name = _read_request(cursor, message)
    elif (code, method) in NAMES:
        name = NAMES[code, method]
    else:
        raise Refused("unknown-type", None, 4)
    _read(cursor, message, FIELDS[name])
    cursor.finish()
    return message


def name_of(message: Mapping[str, Any], method: str | None = None) -> str:
    """Return the name, one of `FIELDS`, of a neutral message that was read under a method."""
    if message["type"] != 50:
        return NAMES[message["type"], method]
    named = message["method"]
    if named in _WHICH:
        flag, names = _WHICH[named]
        return names[message[flag]]
    text = str(named, "ascii")
    return text if text in METHODS else "other"


def _read_request(cursor: Cursor, message: dict[str, Any]) -> str:
    """Read what all requests begin with, and the boolean of those that have one."""
    _read(cursor, message, _REQUEST)
    if message["method"] in _WHICH:
        flag, _ = _WHICH[message["method"]]
        at = cursor.position
        if cursor.left() and cursor.frame[at] > 1:
            # Which request it is hangs on it, so no leniency is for it.
            raise Refused("bad-boolean", flag, at)
        message[flag] = cursor.boolean(flag)
    return name_of(message)


def _read(cursor: Cursor, message: dict[str, Any], fields: tuple[tuple[str, str], ...]) -> None:
    for name, kind in fields:
        message[name] = _KINDS[kind](cursor, name)


def _names(cursor: Cursor, field: str) -> bytes:
    """Read a name-list: ASCII, and no name in it empty (RFC 4251 section 5)."""
    value = cursor.ascii(field)
    start = cursor.position - len(value)
    # The place of an empty name is the comma that it should stand before, or the list's end.
    if value:
        for at, byte in enumerate(value + b","):
            if byte == 0x2C and (at == 0 or value[at - 1] == 0x2C):
                raise Refused("bad-name-list", field, start + at)
    return value


def _rest(cursor: Cursor, field: str) -> bytes:
    start, cursor.position = cursor.position, len(cursor.frame)
    return cursor.frame[start:]


_KINDS: dict[str, Any] = {
    "utf8": Cursor.utf8,
    "ascii": Cursor.ascii,
    "string": Cursor.string,
    "boolean": Cursor.boolean,
    "prompts": lambda cursor, field: cursor.prompts(),
    "responses": lambda cursor, field: cursor.responses(),
    "names": _names,
    "rest": _rest,
}
