"""The zoo: by which cases each wrong plugin is caught, and with which words.

What the author of a plugin would call the mistake, and the mistake itself, stand under its name in
writing.py, reading.py, turns.py and ending.py, in animal.c and in animal.mjs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["python", "c", "javascript"]

RIGHT: tuple[tuple[Language, str], ...] = (
    ("python", "right"),
    ("python", "right-asking"),
    ("c", "right"),
    ("javascript", "right"),
)
"""The plugins without a mistake, from which the others are made."""


@dataclass(frozen=True, slots=True)
class Animal:
    """A plugin with one mistake.

    Attributes:
        language: what it is written in.
        name: of the mistake.
        words: what a finding says about it, as a regular expression: its reason, or the reason and
            the sentence of its case, as both are printed.
        cases: those that can find it; ids or flags.
        waits: whether only a time limit shows it.
        linux_only: whether other systems do not show it.
        missing: what the check lacks, where it does not name the mistake; empty where it does.
    """

    language: Language
    name: str
    words: str
    cases: tuple[str, ...]
    waits: bool = False
    linux_only: bool = False
    missing: str = ""


def _animal(
    name: str,
    words: str,
    *cases: str,
    language: Language = "python",
    waits: bool = False,
    linux_only: bool = False,
    missing: str = "",
) -> Animal:
    # Only there can be seen what of the input has been read.
    linux_only = linux_only or any(
        "/" in case and not case.endswith("/coalesced") for case in cases
    )
    return Animal(language, name, words, cases or ("plugin-success",), waits, linux_only, missing)


def _c(name: str, words: str, *cases: str, waits: bool = False, missing: str = "") -> Animal:
    return _animal(name, words, *cases, language="c", waits=waits, missing=missing)


def _node(name: str, words: str, *cases: str, waits: bool = False, missing: str = "") -> Animal:
    return _animal(name, words, *cases, language="javascript", waits=waits, missing=missing)


def _answered(what: str) -> str:
    return rf"(answered|out of turn, after) {what}"


_TEXT = r"wrote text to its standard output, which belongs to the protocol"
_STAYS = r"still running|does not end"
_STATUS = "an exit status other than 0 is no finding, even where nothing was wrong"
_ASKED_TEXT = "plugin-text-beyond-ascii"

_WRITING = (
    _animal("lengths-in-native-order", r"low byte first"),
    _animal("numbers-in-native-order", r"version 33554432"),
    _animal("length-counts-itself", r"counts the four bytes of the length", waits=True),
    _animal("length-omits-type", r"does not count the type byte"),
    _animal("length-in-two-bytes", r"two bytes"),
    _animal("length-in-characters", r"no message .*prompt", _ASKED_TEXT),
    _animal("writes-latin-1", r"not .*UTF-8", _ASKED_TEXT),
    _animal("ends-strings-with-nul", r"NUL", missing="a text that ends in NUL is taken"),
    _animal("never-flushes", r"output has to be flushed", waits=True),
    _animal(
        "writes-in-text-mode",
        r"binary mode",
        "plugin-ten-prompts",
    ),
    _animal("prints-banner", _TEXT),
    _animal("prints-progress", _TEXT),
    _animal("ends-lines-between-messages", r"wrote the end of a line to its standard output"),
    _animal("prints-goodbye", _TEXT),
    _animal("writes-hexadecimal", _TEXT),
    _animal("accept-has-field", r"trailing-bytes"),
    _animal("init-response-without-username", r"field-truncated.*username"),
    _animal("responses-without-count", r"no message .*responses"),
    _animal("questions-without-language", r"no message"),
    _animal("true-is-255", r"bad-boolean"),
    _animal("answers-with-users-message", r"PLUGIN_KI_USER_RESPONSE, which only a client says"),
)

_READING = (
    _animal(
        "reads-native-order",
        r"low byte first",
        missing="nothing tells in which order a plugin reads lengths",
    ),
    _animal("reads-once", r"byte by byte", "plugin-success/byte-by-byte"),
    _animal(
        "chunk-is-message", r"in one piece", "plugin-outcome-then-method/coalesced", waits=True
    ),
    _animal("reads-to-end", r"no more input waited for than a message has"),
    _animal(
        "reads-at-most-256",
        r"was due.* 600 bytes",
        "plugin-long-texts",
    ),
    _animal("reads-in-text-mode", r"was due.*text mode", "plugin-lengths-10-13-26"),
    _animal("stops-at-control-z", r"was due.*text mode", "plugin-lengths-10-13-26"),
    _animal("answers-before-end", r"before it was complete", "plugin-success/byte-by-byte"),
    _animal(
        "acts-on-truncated",
        _answered("a frame that the input ends inside of"),
        "plugin-truncated-init",
    ),
    _animal(
        "slices-beyond-end",
        _answered("a string that is longer than what is left of its frame"),
        "plugin-string-beyond-frame",
    ),
    _animal(
        "loops-over-claimed-count",
        r"a count of 4294967295 prompts",
        "plugin-count-claims-4-gi",
        waits=True,
    ),
    _animal(
        "ignores-trailing",
        _answered("a frame with a byte left over"),
        "plugin-trailing-byte-challenge",
    ),
    _animal("replaces-bad-text", _answered("a prompt that is not UTF-8"), "plugin-prompt-not-utf8"),
    _animal("reads-latin-1", _answered("a prompt that is not UTF-8"), "plugin-prompt-not-utf8"),
    _animal("text-is-ascii", r"ended with status 1 where .* was due.*UTF-8", _ASKED_TEXT),
    _animal(
        "masks-length", _answered("a frame that says it is 2 GiB long"), "plugin-frame-claims-2-gib"
    ),
    _animal(
        "skips-empty-frames",
        r"answered .*empty frame",
        "plugin-frame-empty-then-method",
    ),
    _animal(
        "ignores-bad-messages",
        r"answered PLUGIN_PROTOCOL before the message that it should follow",
        "plugin-protocol-reordered",
    ),
)

_TURNS = (
    _animal("echoes-version", r"has version 3 \(due: .*at most 2", "plugin-version-3-offered"),
    _animal("says-version-3", r"has version 3"),
    _animal(
        "says-version-2-to-all",
        r"has version 2 \(due: .*at most 1",
        "plugin-version-1-offered",
        missing="the answer with a version above the offer is said not to be owed at all",
    ),
    _animal(
        "goes-on-after-init-failure",
        r"after it has turned the client away",
        "plugin-method-after-decline",
    ),
    _animal(
        "accepts-every-method",
        r"said PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due",
        "plugin-unknown-method",
    ),
    _animal(
        "accepts-methods-that-begin-so",
        r"said PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due",
        "plugin-method-begins-the-same",
    ),
    _animal(
        "answers-after-reject",
        r"answered a challenge .*reject",
        "plugin-challenge-after-reject",
    ),
    _animal(
        "rejects-and-accepts",
        r"said PLUGIN_PROTOCOL_ACCEPT out of turn",
        "plugin-unknown-method/byte-by-byte",
    ),
    _animal("answers-twice", r"said PLUGIN_KI_SERVER_RESPONSE (out of turn|where it owed nothing)"),
    _animal(
        "greets-first",
        r"said PLUGIN_INIT_RESPONSE before it was spoken to",
        "plugin-end-before-init",
    ),
    _animal("answers-outcome", r"said PLUGIN_PROTOCOL_ACCEPT (where it owed nothing|out of turn)"),
    _animal("one-fewer", r"has 1 responses \(due: 2 responses\)"),
    _animal("always-one-response", r"has 1 responses \(due: 2 responses\)"),
    _animal(
        "always-two-responses", r"has 2 responses \(due: [01] responses\)", "plugin-two-challenges"
    ),
    _animal("passes-users-responses", r"has 1 responses \(due: 2 responses\)"),
    _animal(
        "silent-without-prompts",
        r"said nothing .* PLUGIN_KI_SERVER_RESPONSE \(0 responses\) was due",
        "plugin-two-challenges",
        waits=True,
    ),
    _animal(
        "needs-prompts",
        r"ended with status 1 where PLUGIN_KI_SERVER_RESPONSE \(0 responses\) was due",
        "plugin-two-challenges",
    ),
    _animal(
        "keeps-earlier-prompts", r"has 2 responses \(due: 0 responses\)", "plugin-two-challenges"
    ),
    _animal("asks-without-end", r"asked the user more than 32 times in a row"),
    _animal(
        "asks-and-answers-at-once",
        r"said PLUGIN_KI_SERVER_RESPONSE out of turn",
        "plugin-asking-user-end",
    ),
    _animal("asks-with-servers-message", r"PLUGIN_KI_SERVER_REQUEST, which only a client says"),
    _animal(
        "ignores-how-many-user-gave",
        _answered("a PLUGIN_KI_USER_RESPONSE with the wrong number of responses"),
        "plugin-user-response-responses-response-count",
    ),
    _animal(
        "asks-before-challenge",
        r"said PLUGIN_KI_USER_REQUEST out of turn",
        "plugin-success/field-edges",
    ),
    _animal(
        "answers-in-any-state",
        _answered("a challenge before a method was agreed on"),
        "plugin-challenge-before-method",
    ),
    _animal("starts-again", _answered("a second PLUGIN_INIT"), "plugin-second-init"),
    _animal(
        "rejects-unknown-types",
        _answered("a message of a type that does not exist"),
        "plugin-type-9",
    ),
    _animal(
        "skips-unknown-types",
        r"behind one of the type 9",
        "plugin-type-9-then-method",
    ),
    _animal(
        "needs-username",
        r"said nothing .*PLUGIN_INIT_RESPONSE",
        "plugin-empty-username",
        waits=True,
    ),
    _animal(
        "one-challenge-only",
        r"ended with status 1 where PLUGIN_KI_SERVER_RESPONSE \(0 responses\) was due",
        "plugin-two-challenges",
    ),
    _animal(
        "failure-is-final",
        r"ended with status 1 where PLUGIN_PROTOCOL_ACCEPT was due, after PLUGIN_PROTOCOL",
        "plugin-failure-then-success",
    ),
    _animal(
        "outcome-needs-challenge",
        r"ended with status 1 where PLUGIN_PROTOCOL_ACCEPT was due",
        "plugin-outcome-without-challenge-then-method",
    ),
    _animal("responds-before-it-is-asked", r"said PLUGIN_KI_SERVER_RESPONSE out of turn"),
)

_ENDING = (
    _animal("spins-at-end", _STAYS, "plugin-end-when-idle", waits=True),
    _animal("outlives-input", _STAYS, "plugin-end-when-idle", waits=True),
    _animal("waits-for-thread", _STAYS, "plugin-end-when-idle", waits=True),
    _animal("takes-long-to-end", _STAYS, "plugin-end-when-idle", waits=True),
    _animal("leaves-child", r"left a process running", linux_only=True),
    _animal("leaves-child-with-output", r"left a process running", linux_only=True),
    _animal(
        "ends-at-success",
        r"ended with status 0 where PLUGIN_PROTOCOL_ACCEPT was due",
        "plugin-outcome-then-method",
    ),
    _animal("ends-after-response", r"ended with status 0", "plugin-failure-then-success"),
    _animal(
        "ends-with-error",
        r"ended with status 1",
        "plugin-end-when-idle",
        missing=_STATUS,
    ),
    _animal("closes-output", r"closed its output where PLUGIN_PROTOCOL_ACCEPT was due"),
    _animal("stops-inside-message", r"ended its output inside a message"),
    _animal("sleeps-before-answer", r"said nothing .*PLUGIN_INIT_RESPONSE", waits=True),
    _animal("dies-at-end", r"was ended by SIGABRT", "plugin-end-when-idle"),
)

_C = (
    _c("one-read", r"byte by byte", "plugin-success/byte-by-byte"),
    _c("never-flushes", r"output has to be flushed", waits=True),
    _c("prints", _TEXT),
    _c(
        "loops-on-feof",
        r"said PLUGIN_KI_SERVER_RESPONSE (where it owed nothing|out of turn)",
        "plugin-end-instead-of-outcome",
    ),
    _c(
        "signed-bytes",
        r"was due.* 128",
        "plugin-length-128",
    ),
    _c(
        "signed-length",
        r"was ended by SIG\w+, after a string that says it is",
        "plugin-string-claims-4-gib",
    ),
    _c(
        "checks-buffer-only",
        _answered("a string that is longer than what is left of its frame"),
        "plugin-username-beyond-frame",
    ),
    _c(
        "copies-unchecked",
        r"was ended by SIG\w+, after a string that says it is",
        "plugin-string-claims-4-gib",
    ),
    _c(
        "copies-to-fixed",
        r"was ended by SIGABRT.* prompts of 200",
        "plugin-long-texts",
    ),
    _c(
        "fixed-prompts",
        r"was ended by SIGABRT.* prompts",
        "plugin-ten-prompts",
    ),
    _c(
        "stack-for-length",
        r"was ended by SIGSEGV, after a frame that says",
        "plugin-frame-claims-4-gib",
    ),
    _c(
        "clears-claimed-length",
        r"of memory for a",
        "plugin-frame-claims-64-mib",
        missing="no claim lies between what a plugin refuses and what it needs",
    ),
    _c("allocates-count", r"was ended by SIGSEGV, after a count", "plugin-count-claims-4-gi"),
    _c("null-when-empty", r"was ended by SIGSEGV", "plugin-empty-username"),
    _c(
        "compares-prefix",
        r"said PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due",
        "plugin-method-is-a-beginning",
    ),
    _c(
        "exit-status",
        r"ended with status 1",
        "plugin-end-when-idle",
        missing=_STATUS,
    ),
    _c("aborts-on-bad-frames", r"was ended by SIGABRT, after", "plugin-second-init"),
    _c(
        "retries-write-errors",
        _STAYS,
        "plugin-output-closed",
        missing="the client never closes the output too",
    ),
    _c(
        "daemonises",
        r"ended with status 0 where \w+ .*was due",
        "plugin-success",
        "plugin-failure-then-success",
        "plugin-two-challenges",
    ),
)

_NODE = (
    _node("chunk-is-message", r"in one piece", "plugin-outcome-then-method/coalesced", waits=True),
    _node("frames-within-chunk", r"byte by byte", "plugin-success/byte-by-byte", waits=True),
    _node(
        "one-frame-per-chunk", r"in one piece", "plugin-outcome-then-method/coalesced", waits=True
    ),
    _node(
        "reads-text",
        r"was due.* 128",
        "plugin-length-128",
    ),
    _node("writes-text", r"no message .*prompt", _ASKED_TEXT),
    _node("length-in-characters", r"no message .*prompt", _ASKED_TEXT),
    _node("logs", _TEXT),
    _node("keeps-timer", _STAYS, "plugin-end-when-idle", waits=True),
    _node("allocates-count", r"was ended by SIG\w+, after a count", "plugin-count-claims-4-gi"),
    _node(
        "clears-claimed-length",
        r"of memory for a",
        "plugin-frame-claims-64-mib",
        missing="no claim lies between what a plugin refuses and what it needs",
    ),
    _node("answers-later", r"in one piece", "plugin-outcome-then-method/coalesced"),
    _node("exits-on-write", r"ended with status 0", "plugin-failure-then-success"),
)

ANIMALS = (*_WRITING, *_READING, *_TURNS, *_ENDING, *_C, *_NODE)
