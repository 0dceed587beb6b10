"""What generated vectors are called, and what is said about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from authplugin import ErrorCode, Message
from authplugin.kinds import Encoding, StringKind


@dataclass(frozen=True, slots=True)
class Wording:
    """How a fault is spoken of.

    Attributes:
        phrase: what has gone out, as it would follow "accepts"; `{message}` and `{part}` are
            filled in.
        flag: the flag of its vectors.
    """

    phrase: str
    flag: str


WORDINGS: Final[dict[str, Wording]] = {
    "truncate": Wording("a {message} that the input ends inside of, at {part}", "truncated"),
    "truncated-body": Wording("a {message} whose frame ends too early, at {part}", "short-frame"),
    "empty-frame": Wording("a frame without a type byte, instead of {message}", "empty-frame"),
    "oversized-claim": Wording("a {message} that claims 4294967295 bytes", "oversized-claim"),
    "oversized-string": Wording(
        "a {message} with 4294967295 bytes claimed for {part}", "lying-length"
    ),
    "lying-length": Wording("a {message} with {part} longer than what is left", "lying-length"),
    "oversized-count": Wording(
        "a {message} with 4294967295 elements claimed for {part}", "lying-count"
    ),
    "lying-count": Wording(
        "a {message} with more elements claimed for {part} than there is room for", "lying-count"
    ),
    "trailing-byte": Wording("a {message} with a byte left over", "trailing-bytes"),
    "bad-boolean": Wording("a {message} with neither 0 nor 1 for {part}", "bad-boolean"),
    "bad-utf8": Wording("a {message} with what is not UTF-8 for {part}", "bad-text"),
    "bad-ascii": Wording("a {message} with what is not ASCII for {part}", "bad-text"),
    "bad-name-list": Wording(
        "a {message} with an empty name in the list of {part}", "bad-name-list"
    ),
    "other-method": Wording("a message of another method, instead of {message}", "other-method"),
    "unknown-type": Wording("a type that no message has, instead of {message}", "unknown-type"),
    "wrong-side": Wording("a message of its own side, instead of {message}", "wrong-side"),
    "wrong-state": Wording("a message that has no place there, for {message}", "wrong-state"),
    "premature-end": Wording("the end of the input, instead of {message}", "end-of-input"),
    "duplicated": Wording("{message} twice in one go", "wrong-state"),
    "wrong-turn": Wording("{message} with another message right behind it", "early-speech"),
    "coalesced": Wording("{message} with the next message in the same piece", "early-speech"),
    "begun-early": Wording("{message} with the beginning of another behind it", "early-speech"),
    "dropped": Wording("{message} after a message before it was lost", "lost-message"),
    "reordered": Wording("{message} before the message that it should follow", "lost-message"),
    "spliced": Wording("a message of another conversation, instead of {message}", "lost-message"),
    "version-above-offer": Wording("a version above the client's offer", "version"),
    "version-unsupported": Wording("a version that the client does not speak", "version"),
    "method-unknown": Wording("the acceptance of a method that has no messages", "method"),
    "response-count": Wording("a {message} with the wrong number of responses", "response-count"),
    "bit-flip": Wording("a {message} with the highest bit of {part} flipped", "bit-flip"),
}
"""By the fault's name."""

_AMBIGUOUS: Final = {
    Encoding.UNSTATED: "unstated-encoding",
    Encoding.ASCII: "bad-language-tag",
}


def short(message: type[Message] | str) -> str:
    """Return the words for a message in an id: `"init-response"`, `"server-request"`."""
    name = message if isinstance(message, str) else message.spec.name
    return name.removeprefix("PLUGIN_").removeprefix("KI_").lower().replace("_", "-")


def part_words(part: str) -> str:
    """Return the words for a part in an id: `"prompt-echo"` of `"prompts[].echo"`."""
    words = re.sub(r"s\[\]", "", part).replace(".", "-").replace("_", "-")
    return {"prompt-prompt": "prompt"}.get(words, words)


def part_phrase(part: str) -> str:
    """Return the words for a part in a sentence."""
    if part == "frame":
        return "the frame as a whole"
    if part in ("length", "type"):
        return f"the frame's {part}"
    return f"the {part_words(part).replace('-', ' ')}"


def ambiguity(message_type: type[Message], part: str, code: ErrorCode | None) -> str | None:
    """Return the flag for what the text leaves open about a refusal; None where it is clear."""
    if code is ErrorCode.BAD_BOOLEAN:
        return "bad-boolean"
    if code not in (ErrorCode.BAD_UTF8, ErrorCode.BAD_ASCII):
        return None
    kind = next((f.kind for f in message_type.spec.fields if f.name == part), None)
    if not isinstance(kind, StringKind) or kind.encoding is Encoding.UTF8:
        return None
    return "bad-method-name" if part == "method" else _AMBIGUOUS[kind.encoding]
