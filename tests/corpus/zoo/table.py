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
    ("python", "right-asking-all"),
    ("python", "right-from-thread"),
    ("python", "right-ended-by-pipe"),
    ("python", "right-in-two-writes"),
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
        strict: whether it is a finding with --strict alone, as the text does not forbid it.
    """

    language: Language
    name: str
    words: str
    cases: tuple[str, ...]
    waits: bool = False
    linux_only: bool = False
    strict: bool = False


def _animal(
    name: str,
    words: str,
    *cases: str,
    language: Language = "python",
    waits: bool = False,
    linux_only: bool = False,
    strict: bool = False,
) -> Animal:
    # Only there can be seen what of the input has been read.
    linux_only = linux_only or any(
        "/" in case and not case.endswith("/coalesced") for case in cases
    )
    return Animal(language, name, words, cases or ("plugin-success",), waits, linux_only, strict)


def _c(name: str, words: str, *cases: str, waits: bool = False, strict: bool = False) -> Animal:
    return _animal(name, words, *cases, language="c", waits=waits, strict=strict)


def _node(name: str, words: str, *cases: str, waits: bool = False) -> Animal:
    return _animal(name, words, *cases, language="javascript", waits=waits)


def _answered(what: str) -> str:
    return rf"(answered|out of turn, after) {what}"


_TEXT = r"wrote text to its standard output, which belongs to the protocol"
_STAYS = r"still running|does not end"
_ASKED_TEXT = "plugin-text-beyond-ascii"

_WRITING = (
    _animal("lengths-in-native-order", r"low byte first"),
    _animal("numbers-in-native-order", r"version 33554432"),
    _animal("length-counts-itself", r"counts the four bytes of the length", waits=True),
    _animal("length-omits-type", r"does not count the type byte"),
    _animal("length-in-two-bytes", r"two bytes"),
    _animal("length-in-characters", r"counts characters", _ASKED_TEXT),
    _animal(
        "counts-characters-of-username",
        r"PLUGIN_INIT_RESPONSE.* a length counts characters",
        "plugin-username-beyond-ascii",
    ),
    _animal("writes-latin-1", r"another encoding than UTF-8", _ASKED_TEXT),
    _animal("writes-utf-16", r"in UTF-16: a text is UTF-8"),
    _animal("marks-texts", r"byte order mark at the start of username"),
    _animal("marks-output", r"a byte order mark comes first"),
    _animal("writes-characters", r"its length counts characters", _ASKED_TEXT),
    _animal("writes-bytes-as-characters", r"byte above 127 has become two", _ASKED_TEXT),
    _animal("ends-strings-with-nul", r"a NUL at the end of username"),
    _animal("counts-nul-of-strings", r"each length is one too many, as if a NUL"),
    _animal("writes-nul-uncounted", r"a NUL follows each text"),
    _animal("last-string-beyond-end", r"a text's length goes beyond the end of the message"),
    _animal("two-under-one-length", r"PLUGIN_PROTOCOL_ACCEPT is under the same length"),
    _animal("booleans-take-four-bytes", r"a boolean takes four bytes"),
    _animal("asks-one-more", r"its count is one more than what follows"),
    _animal("asks-without-prompt", r"has prompts\[0\] empty"),
    _animal("keeps-end-of-line", r"the end of a line at the end of responses", strict=True),
    _animal("never-flushes", r"\(.*its output has to be flushed", waits=True),
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
    _animal("accept-has-field", r"PLUGIN_PROTOCOL_ACCEPT has no fields"),
    _animal("accept-has-empty-field", r"PLUGIN_PROTOCOL_ACCEPT has no fields, not even an empty"),
    _animal("username-before-version", r"in another order .*: version, username"),
    _animal("leaves-out-empty-responses", r"count is 200, and 100 follow", "plugin-200-prompts"),
    _animal("answers-with-type-of-ssh", r"61 is its type in SSH: here it has the type 21"),
    _animal("init-response-without-username", r"field-truncated.*username"),
    _animal("responses-without-count", r"no count in front"),
    _animal("questions-without-language", r"a field is missing \(.*language"),
    _animal("true-is-255", r"bad-boolean"),
    _animal("answers-with-users-message", r"PLUGIN_KI_USER_RESPONSE, which only a client says"),
)

_READING = (
    _animal("reads-native-order", r"reads lengths in the wrong byte order"),
    _animal("reads-lines", r"it reads lines", waits=True),
    _animal("fills-its-buffer", r"it waits until its buffer is full", waits=True),
    _animal(
        "selects-before-buffer",
        r"kept, and looked at before it waits",
        "plugin-outcome-then-method/coalesced",
        waits=True,
    ),
    _animal(
        "text-ends-at-nul",
        r"PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due.*behind a NUL",
        "plugin-method-with-nul",
    ),
    _animal(
        "empty-name-is-missing",
        r"was due.* name, instructions and language are empty",
        "plugin-challenge-without-texts",
    ),
    _animal("reads-once", r"byte by byte", "plugin-success/byte-by-byte"),
    _animal(
        "chunk-is-message", r"in one piece", "plugin-outcome-then-method/coalesced", waits=True
    ),
    _animal("reads-to-end", r"it reads all of its input first"),
    _animal(
        "reads-at-most-256",
        r"was due.* 600 bytes",
        "plugin-long-texts",
    ),
    _animal(
        "buffer-of-4096",
        r"was due.* its frame does not fit into 4096",
        "plugin-challenge-of-5000-bytes",
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
        r"has version 2 \(due: version 1\)",
        "plugin-version-1-offered",
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
        "matches-method-by-pattern",
        r"PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due.* ends with a newline",
        "plugin-method-ends-with-newline",
    ),
    _animal(
        "trims-method",
        r"PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due.* ends with a blank",
        "plugin-method-ends-with-blank",
    ),
    _animal(
        "takes-nul-off-method",
        r"PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due.* ends with a NUL",
        "plugin-method-ends-with-nul",
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
    _animal("one-fewer", r"has 1 response \(due: 2 responses\)"),
    _animal("always-one-response", r"has 1 response \(due: 2 responses\)"),
    _animal(
        "always-two-responses", r"has 2 responses \(due: 0 responses\)", "plugin-two-challenges"
    ),
    _animal("passes-users-responses", r"has 1 response \(due: 2 responses\)"),
    _animal(
        "answers-by-prompt",
        r"has 1 response \(due: 2 responses\).* same prompt twice",
        "plugin-prompts-alike",
    ),
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
    _animal("asks-without-end", r"asked the user more than 32 times in a row.* --answer"),
    _animal(
        "asks-and-answers-at-once",
        r"said PLUGIN_KI_SERVER_RESPONSE out of turn",
        "plugin-asking-user-end",
    ),
    _animal(
        "takes-end-for-answer",
        r"where it owed nothing, .* and the end of its input \(the end of the input is no answer",
        "plugin-asking-user-end",
    ),
    _animal("asks-twice-at-once", r"said PLUGIN_KI_USER_REQUEST out of turn"),
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
        "repeats-responses",
        r"said PLUGIN_KI_SERVER_RESPONSE out of turn, after PLUGIN_PROTOCOL",
        "plugin-failure-then-success",
    ),
    _animal(
        "keeps-first-responses",
        r"has 2 responses \(due: 1 response\)",
        "plugin-three-attempts",
    ),
    _animal(
        "declines-after-failure",
        r"said PLUGIN_INIT_FAILURE (where it owed nothing|out of turn), after PLUGIN_AUTH_FAILURE",
        "plugin-failure-then-success",
    ),
    _animal("two-attempts-only", r"was due.* a third attempt", "plugin-three-attempts"),
    _animal(
        "ignores-how-many-of-two",
        _answered("no response from the user to two questions"),
        "plugin-two-questions-no-answer",
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
    _animal("leaves-daemon", r"left a process running", linux_only=True),
    _animal("overlooks-end-while-asking", _STAYS, "plugin-asking-user-end", waits=True),
    _animal("leaves-child", r"left a process running", linux_only=True),
    _animal("leaves-child-with-output", r"left a process running", linux_only=True),
    _animal(
        "ends-at-success",
        r"ended with status 0 .* after PLUGIN_AUTH_SUCCESS; it has to stay",
        "plugin-outcome-then-method",
    ),
    _animal("ends-after-response", r"ended with status 0", "plugin-failure-then-success"),
    _animal(
        "ends-with-error",
        r"by an exception that nothing caught \(EOFError\) although nothing was wrong",
        "plugin-end-when-idle",
    ),
    _animal("closes-output", r"closed its output where PLUGIN_PROTOCOL_ACCEPT was due"),
    _animal("stops-inside-message", r"ended its output inside a message"),
    _animal("sleeps-before-answer", r"said nothing .*PLUGIN_INIT_RESPONSE", waits=True),
    _animal("dies-at-end", r"was ended by SIGABRT", "plugin-end-when-idle"),
)

_C = (
    _c("one-read", r"byte by byte", "plugin-success/byte-by-byte"),
    _c("never-flushes", r"\(.*its output has to be flushed", waits=True),
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
        "plugin-frame-claims-512-mib",
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
        r"ended with status 1 although nothing was wrong",
        "plugin-end-when-idle",
        strict=True,
    ),
    _c("aborts-on-bad-frames", r"was ended by SIGABRT, after", "plugin-second-init"),
    _animal(
        "retries-write-errors",
        r"(still running|does not end) .*end of its output, which nobody reads any more",
        "plugin-output-closed",
        language="c",
        waits=True,
        linux_only=True,
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
    _node("writes-text", r"byte above 127 has become two", _ASKED_TEXT),
    _node("length-in-characters", r"counts units of UTF-16", _ASKED_TEXT),
    _node("logs", _TEXT),
    _node("keeps-timer", _STAYS, "plugin-end-when-idle", waits=True),
    _node("allocates-count", r"was ended by SIG\w+, after a count", "plugin-count-claims-4-gi"),
    _node(
        "clears-claimed-length",
        r"of memory for a",
        "plugin-frame-claims-64-mib",
        "plugin-frame-claims-512-mib",
    ),
    _node("answers-later", r"in one piece", "plugin-outcome-then-method/coalesced"),
    _node("throws-at-end", r"by an exception that nothing caught", "plugin-end-when-idle"),
    _node("exits-on-write", r"ended with status 0", "plugin-failure-then-success"),
)

ANIMALS = (*_WRITING, *_READING, *_TURNS, *_ENDING, *_C, *_NODE)
