"""Texts of a program's that can be read, and that no program should send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from authplugin import Message, PluginKIUserRequest
from authplugin.kinds import CountedKind, StringKind


class Flaw(NamedTuple):
    """What is wrong with a text.

    Attributes:
        sentence: what, as it follows the message's name.
        open: whether nothing that is published forbids it.
    """

    sentence: str
    open: bool = False


class _Rule(NamedTuple):
    broken_by: Callable[[str], bool]
    words: str  # `{place}` is filled in
    open: bool = False


def _is_utf16(text: str) -> bool:
    # A single letter and a NUL are rather a text that ends with one.
    first, second = text[::2], text[1::2]
    nuls = "\0" * len(second)
    return len(second) > 1 and first != second and nuls in (first, second)


_RULES: Final = (
    _Rule(_is_utf16, "has {place} in UTF-16: a text is UTF-8 (RFC 4251, section 5)"),
    _Rule(
        lambda text: text.endswith("\0"),
        "has a NUL at the end of {place}: a string ends where its length says, and needs no NUL "
        "(RFC 4251, section 5)",
    ),
    _Rule(
        lambda text: text.startswith("\ufeff"),
        "has a byte order mark at the start of {place}: a text that is UTF-8 anyway needs none "
        "(RFC 3629, section 6)",
    ),
)
_RESPONSE: Final = _Rule(
    lambda text: text.endswith(("\n", "\r")),
    "has the end of a line at the end of {place}, which the server takes for a part of it",
    open=True,
)
_PROMPT: Final = _Rule(lambda text: not text, "has {place} empty (RFC 4256, section 3.2)")


def flaw_in(message: Message) -> Flaw | None:
    """Return what is wrong with the texts of a message that a plugin has said, or None."""
    own = (_PROMPT,) if isinstance(message, PluginKIUserRequest) else ()
    for place, text in _texts(message):
        special = {"responses": (_RESPONSE,), "prompts": own}.get(place.partition("[")[0], ())
        for rule in (*_RULES, *special):
            if rule.broken_by(text):
                return Flaw(rule.words.format(place=place), rule.open)
    return None


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    owned = message.detach()
    for field in message.spec.fields:
        value = getattr(owned, field.name)
        if isinstance(field.kind, StringKind):
            yield field.name, _text(value)
        elif isinstance(field.kind, CountedKind):
            for index, element in enumerate(value):
                text = element[0] if isinstance(element, tuple) else element
                yield f"{field.name}[{index}]", _text(text)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
