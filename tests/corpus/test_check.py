"""`authplugin check plugin`: accuses no right plugin, and finds what is wrong with wrong ones."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from authplugin_corpus.check.play import Replay
from authplugin_corpus.check.verdicts import End, Outcome, Speech
from tests.corpus.checking import SHORT, TIMEOUT, check, in_python, played, report_of, wrong_plugin
from tests.integration.peers import compile_c_plugin, node_plugin, python_plugin


def outcome_of(mistake: str, case: str, timeout: float = TIMEOUT) -> Replay:
    return played(case, wrong_plugin(mistake), timeout)


# Right plugins.


def c_plugin(folder: Path) -> list[str]:
    return compile_c_plugin(folder)


def javascript_plugin(folder: Path) -> list[str]:
    return node_plugin()


def plain_python_plugin(folder: Path) -> list[str]:
    return python_plugin()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("plugin", "options"),
    [
        (c_plugin, []),
        (c_plugin, ["--ask"]),
        (javascript_plugin, ["--ask"]),
        (plain_python_plugin, ["--ask"]),
    ],
)
def test_the_examples_pass(
    plugin: Callable[[Path], list[str]], options: list[str], tmp_path: Path
) -> None:
    status, report = report_of(tmp_path, "--", *plugin(tmp_path), *options)
    findings = [
        (case["id"], case["reason"]) for case in report["cases"] if case["standing"] != "fine"
    ]
    assert findings == []
    assert status == 0
    assert report["outcomes"]["pass"] > report["outcomes"]["unsupported"]


@pytest.mark.parametrize("mistake", ["none", "asks-twice"])
def test_the_wrong_plugin_without_its_mistakes_passes(mistake: str) -> None:
    arguments = ("--select", "clean", "--select", "end-of-input")
    result = check(*arguments, "--", *wrong_plugin(mistake))
    assert result.exit_code == 0, result.output


# Wrong plugins.

UNTOLD = "said nothing where PLUGIN_INIT_RESPONSE (version 2) was due"
MISTAKES = [
    # What it accepts.
    (
        "ignores-trailing-bytes",
        "plugin-trailing-byte-challenge",
        *("fail", "answered a frame with a byte left over behind its last field"),
    ),
    (
        "acts-on-truncated-frames",
        "plugin-truncated-challenge",
        *("fail", "answered a frame that the input ends inside of"),
    ),
    (
        "masks-the-length",
        "plugin-frame-claims-2-gib",
        *("fail", "answered a frame that says it is 2 GiB long"),
    ),
    (
        "trusts-counts",
        "plugin-count-claims-4-gi",
        *("fail", "answered a count of 4294967295 prompts in front of one"),
    ),
    (
        "trusts-counts",
        "plugin-string-beyond-frame",
        *("fail", "answered a string that is longer than what is left of its frame"),
    ),
    (
        "replaces-bad-text",
        "plugin-prompt-not-utf8",
        *("fail", "answered a prompt that is not UTF-8"),
    ),
    ("booleans-are-bytes", "plugin-boolean-2", "lenient", "answered a boolean that is 2"),
    ("replaces-bad-text", "plugin-hostname-not-utf8", "lenient", "a host name that is not UTF-8"),
    (
        "answers-any-state",
        "plugin-challenge-before-method",
        *("fail", "answered a challenge before a method was agreed on"),
    ),
    ("answers-any-state", "plugin-second-init", "fail", "answered a second PLUGIN_INIT"),
    (
        "answers-unknown-types",
        "plugin-type-9",
        *("fail", "answered a message of a type that does not exist"),
    ),
    (
        "answers-user-response-unasked",
        "plugin-user-response-unasked",
        *("fail", "answered a user's response to no request"),
    ),
    # What it says.
    (
        "chooses-the-offered-version",
        "plugin-version-3-offered",
        *("fail", "PLUGIN_INIT_RESPONSE has version 3 (due: version at most 2)"),
    ),
    (
        "accepts-any-method",
        "plugin-unknown-method",
        *("fail", "said PLUGIN_PROTOCOL_ACCEPT where PLUGIN_PROTOCOL_REJECT was due"),
    ),
    (
        "one-response",
        "plugin-two-challenges",
        *("fail", "PLUGIN_KI_SERVER_RESPONSE has 1 response (due: 2 responses)"),
    ),
    (
        "answers-outcomes",
        "plugin-success",
        *("fail", "said PLUGIN_PROTOCOL_ACCEPT out of turn, after PLUGIN_AUTH_SUCCESS"),
    ),
    ("speaks-twice", "plugin-success", "fail", "said PLUGIN_INIT_RESPONSE out of turn"),
    (
        "speaks-first",
        "plugin-end-before-init",
        *("fail", "said PLUGIN_INIT_RESPONSE before it was spoken to"),
    ),
    ("asks-for-ever", "plugin-success", "fail", "asked the user more than 32 times in a row"),
    (
        "prints",
        "plugin-success",
        *("fail", "wrote text to its standard output, which belongs to the protocol"),
    ),
    ("ends-inside-a-frame", "plugin-success", "fail", "ended its output inside a message"),
    ("declines", "plugin-success", "unsupported", "PLUGIN_INIT_FAILURE ('not today')"),
    # How it reads and writes.
    (
        "reads-once",
        "plugin-success/byte-by-byte",
        *("fail", "PLUGIN_INIT byte by byte (it can when it comes in one piece: a read may give"),
    ),
    (
        "drops-what-comes-together",
        "plugin-outcome-then-method/coalesced",
        *("fail", "after PLUGIN_AUTH_SUCCESS and PLUGIN_PROTOCOL in one piece"),
    ),
    ("buffers-output", "plugin-success", "fail", "output has to be flushed"),
    ("stays-silent", "plugin-success", "fail", UNTOLD),
    # How it ends.
    (
        "ends-after-the-method",
        "plugin-success",
        *("fail", "ended with status 3 where PLUGIN_KI_SERVER_RESPONSE (2 responses) was due"),
    ),
    (
        "crashes-on-truncated-frames",
        "plugin-truncated-length",
        *("crash", "was ended by SIGSEGV, after a frame that the input ends inside of"),
    ),
    (
        "crashes-on-long-strings",
        "plugin-string-claims-4-gib",
        *("crash", "was ended by SIGSEGV, after a string that says it is 4 GiB long"),
    ),
    (
        "stays-for-ever",
        "plugin-end-when-idle",
        *("hang", "was still running 1 s after its input was closed"),
    ),
    ("leaves-a-process", "plugin-success", "fail", "left a process running when it had ended"),
]

ABOUT_SILENCE = ("buffers-output", "drops-what-comes-together", "stays-for-ever", "stays-silent")


@pytest.mark.parametrize(
    ("mistake", "case", "outcome", "reason"),
    MISTAKES,
    ids=[f"{mistake}-{case}" for mistake, case, _, _ in MISTAKES],
)
def test_a_mistake_is_found_and_named(mistake: str, case: str, outcome: str, reason: str) -> None:
    if outcome == "crash" and os.name == "nt":
        pytest.skip("there are no signals to be ended by")
    if mistake in ("leaves-a-process", "reads-once") and sys.platform != "linux":
        pytest.skip("can be seen on Linux alone")
    timeout = SHORT if mistake in ABOUT_SILENCE else TIMEOUT
    verdict = outcome_of(mistake, case, timeout).verdict
    assert (verdict.outcome, verdict.reason) == (outcome, verdict.reason)
    assert reason in verdict.reason


def test_bytes_are_not_waited_for_that_nobody_is_left_to_read() -> None:
    start = time.monotonic()
    outcome_of("reads-once", "plugin-success/byte-by-byte")
    assert time.monotonic() - start < TIMEOUT


def test_a_plugin_that_does_not_end_after_a_mistake_hangs() -> None:
    code = "import sys, time; print('hello', flush=True); time.sleep(600)"
    done = played("plugin-success", in_python(code), SHORT)
    assert done.verdict.outcome is Outcome.HANG
    assert "wrote text to its standard output" in done.verdict.reason
    assert "was still running" in done.verdict.reason


def test_a_plugin_that_floods_its_outputs_is_ended() -> None:
    code = "import os\nwhile True: os.write(1, bytes(65536)); os.write(2, b'-' * 65536)"
    done = played("plugin-success", in_python(code), SHORT)
    assert done.verdict.outcome is Outcome.HANG
    assert "wrote what is no message (frame-empty" in done.verdict.reason
    assert len(done.error_output) <= 65536
    assert sum(len(said.data) for said in done.conversation) < 65536


def test_a_plugin_that_closes_its_output_and_stays_hangs() -> None:
    code = "import os, time; os.close(1); time.sleep(600)"
    done = played("plugin-end-before-init", in_python(code), SHORT)
    assert done.verdict.outcome is Outcome.HANG


# The four verdicts.


def test_verdicts_do_not_mix() -> None:
    crash = outcome_of("crashes-on-long-strings", "plugin-string-claims-4-gib")
    assert (crash.said.speech, crash.ended.end) == (Speech.RIGHT, End.SIGNAL)
    refusal = outcome_of("none", "plugin-string-claims-4-gib")
    assert (refusal.said.speech, refusal.ended.end) == (Speech.RIGHT, End.ERROR)
    clean = outcome_of("none", "plugin-success")
    assert (clean.said.speech, clean.ended.end) == (Speech.RIGHT, End.CLEAN)
    text = outcome_of("prints", "plugin-success")
    assert (text.said.speech, text.ended.end) == (Speech.UNREADABLE, End.CLEAN)
    assert text.left.noise


def test_memory_taken_by_a_claimed_length_is_told() -> None:
    code = (
        "import os\n"
        "while header := os.read(0, 4):\n"
        "    size = int.from_bytes(header, 'big')\n"
        "    held = b'-' * min(size, 200 << 20)\n"
        "    os.read(0, min(size, 1000))\n"
        "    if size < 1000: os.write(1, bytes.fromhex('00000009020000000200000000'))"
    )
    done = played("plugin-frame-claims-2-gib", in_python(code), SHORT)
    assert done.verdict.outcome is Outcome.FAIL, done.verdict
    assert "of memory for a frame that says" in done.took.sentence
    assert done.took.peak_memory is not None
    assert done.took.clean_memory is not None
    assert done.took.peak_memory > done.took.clean_memory + (8 << 20)


def test_a_reply_before_the_request_is_complete_is_too_early() -> None:
    reply = "os.write(1, bytes.fromhex('00000009020000000200000000'))"
    code = f"import os, sys\nos.read(0, 5)\n{reply}\nwhile os.read(0, 99): pass"
    for case in ("plugin-success/byte-by-byte", "plugin-success/field-edges"):
        done = played(case, in_python(code), SHORT)
        assert done.said.speech is Speech.TOO_EARLY, done.verdict
        assert "with PLUGIN_INIT_RESPONSE before it was complete: " in done.verdict.reason


def test_what_is_out_of_turn_is_called_so_however_it_is_delivered() -> None:
    for case in ("plugin-success", "plugin-success/byte-by-byte", "plugin-second-init"):
        done = outcome_of("speaks-twice", case)
        assert done.said.speech is Speech.OUT_OF_TURN, done.verdict
        assert done.verdict.reason.startswith("said PLUGIN_INIT_RESPONSE out of turn")


def test_an_exit_status_that_tells_of_no_error_is_lenient() -> None:
    code = "import os, sys\nos.read(0, 1)\nsys.exit(1)"
    done = played("plugin-end-before-init", in_python(code), SHORT)
    assert done.verdict.outcome is Outcome.LENIENT
    assert done.verdict.reason.startswith("ended with status 1 although nothing was wrong")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("0900000002000000020000000000", "has the low byte first"),
        ("0000000d020000000200000000", "counts the four bytes of the length"),
        ("00000008020000000200000000", "does not count the type byte"),
        ("020000000200000000", "no length in front of its type"),
        ("0009020000000200000000", "its length takes two bytes"),
        ("02000000090000000200000000", "its type comes before its length"),
        ("0000000902000000020000000000", "went no further: 1 of the 4 bytes"),
        ("0a00000009020000000200000000", "the end of a line"),
        ("00000009020000000200000001", "wrote what is no message (field-truncated"),
        ("000000090100000002", "went no further: 5 of the 9 bytes"),
        ("0000000501000000", "4 of the 5 bytes"),
    ],
)
def test_what_is_unreadable_is_guessed_at(reply: str, words: str) -> None:
    code = f"import os\nos.read(0, 99)\nos.write(1, bytes.fromhex('{reply}'))\n"
    done = played("plugin-success", in_python(code + "while os.read(0, 99): pass"), SHORT)
    assert done.said.speech is Speech.UNREADABLE, done.verdict
    assert words in done.verdict.reason


def test_a_plugin_that_ignores_the_end_of_its_input_is_known_to_hang() -> None:
    code = "import threading; threading.Event().wait()"
    done = played("plugin-end-before-init", in_python(code), SHORT)
    assert done.ended.end is End.NOT_AT_ALL
    assert done.verdict.outcome is Outcome.HANG


def test_what_only_the_time_limit_decides_says_so() -> None:
    code = "while True: pass"
    done = played("plugin-end-before-init", in_python(code), SHORT)
    assert done.undecided
    assert "undecided, by time limit" in done.verdict.reason
