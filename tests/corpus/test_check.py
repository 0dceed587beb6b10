"""`authplugin check plugin`: accuses no right plugin, and finds what is wrong with wrong ones."""

import os
import re
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authplugin_corpus.check.report import rerun
from authplugin_corpus.check.runner import Replay, replay
from authplugin_corpus.check.verdicts import Outcome, crashed, ending
from authplugin_corpus.command import main
from authplugin_corpus.vectors import load_vectors
from tests.integration.peers import compile_c_plugin, node_plugin, python_plugin

VECTORS = {vector.id: vector for vector in load_vectors()}
WRONG = Path(__file__).parent / "wrong_plugins" / "wrong.py"

TIMEOUT = 30.0
"""Seconds that a plugin may take which does what it should."""

SHORT = 3.0
"""Seconds to wait for what does not come."""


def wrong_plugin(mistake: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(WRONG), mistake]


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "plugin", *arguments])


def outcome_of(mistake: str, case: str, timeout: float = TIMEOUT) -> Replay:
    return replay(VECTORS[case], wrong_plugin(mistake), timeout)


# Right plugins.


def in_c(folder: Path) -> list[str]:
    return compile_c_plugin(folder)


def in_javascript(folder: Path) -> list[str]:
    return node_plugin()


def in_python(folder: Path) -> list[str]:
    return python_plugin()


@pytest.mark.parametrize("options", [[], ["--ask"]], ids=["answering", "asking"])
@pytest.mark.parametrize("plugin", [in_c, in_javascript, in_python])
def test_the_examples_pass(
    plugin: Callable[[Path], list[str]], options: list[str], tmp_path: Path
) -> None:
    result = check("--timeout", str(TIMEOUT), "--", *plugin(tmp_path), *options)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [["pass", each] for each in VECTORS]
    assert lines[-1] == f"{len(VECTORS)} cases: {len(VECTORS)} pass"


@pytest.mark.parametrize("mistake", ["none", "asks-twice"])
def test_the_wrong_plugin_without_its_mistakes_passes(mistake: str) -> None:
    result = check("--timeout", str(TIMEOUT), "--", *wrong_plugin(mistake))
    assert result.exit_code == 0, result.output


# Wrong plugins.

UNTOLD = "said nothing within 3 s where PLUGIN_INIT_RESPONSE (version 2) was due"
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
        *("fail", "PLUGIN_KI_SERVER_RESPONSE has 1 responses (due: 2 responses)"),
    ),
    (
        "answers-outcomes",
        "plugin-success",
        *("fail", "said PLUGIN_PROTOCOL_ACCEPT where it owed nothing, after PLUGIN_AUTH_SUCCESS"),
    ),
    ("speaks-twice", "plugin-success", "fail", "said PLUGIN_INIT_RESPONSE out of turn"),
    (
        "speaks-first",
        "plugin-end-before-init",
        *("fail", "said PLUGIN_INIT_RESPONSE where it owed nothing"),
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
        "plugin-byte-by-byte",
        *("fail", "where PLUGIN_INIT_RESPONSE (version 2) was due, after PLUGIN_INIT byte by byte"),
    ),
    (
        "drops-what-comes-together",
        "plugin-outcome-and-method-together",
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
        *("hang", "was still running 3 s after its input was closed"),
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
    outcome_of("reads-once", "plugin-byte-by-byte")
    assert time.monotonic() - start < TIMEOUT


def test_a_plugin_that_does_not_end_after_a_mistake_hangs() -> None:
    code = "import sys, time; print('hello', flush=True); time.sleep(600)"
    done = replay(VECTORS["plugin-success"], [sys.executable, "-I", "-S", "-c", code], SHORT)
    assert done.verdict.outcome is Outcome.HANG
    assert "wrote text to its standard output" in done.verdict.reason
    assert "did not end with its input" in done.verdict.reason


def test_a_plugin_that_floods_its_outputs_is_ended() -> None:
    code = "import os\nwhile True: os.write(1, bytes(65536)); os.write(2, b'-' * 65536)"
    done = replay(VECTORS["plugin-success"], [sys.executable, "-I", "-S", "-c", code], SHORT)
    assert done.verdict.outcome is Outcome.HANG
    assert "wrote what is no message (frame-empty" in done.verdict.reason
    assert len(done.error_output) <= 65536
    assert sum(len(said.data) for said in done.conversation) < 65536


def test_a_plugin_that_closes_its_output_and_stays_hangs() -> None:
    code = "import os, time; os.close(1); time.sleep(600)"
    done = replay(
        VECTORS["plugin-end-before-init"], [sys.executable, "-I", "-S", "-c", code], SHORT
    )
    assert done.verdict.outcome is Outcome.HANG


def test_a_command_for_the_shell_is_a_plugin_too() -> None:
    line = shlex.join(wrong_plugin("none")) if os.name == "posix" else ""
    if not line:
        pytest.skip("quoting is another matter there")
    assert replay(VECTORS["plugin-success"], line, TIMEOUT).verdict.outcome is Outcome.PASS


# What is printed.


def test_a_failure_is_explained() -> None:
    command = wrong_plugin("ignores-trailing-bytes")
    case = "plugin-trailing-byte-challenge"
    result = check("--select", case, "--", *command)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].split()[:3] == ["fail", case, "answered"]
    assert VECTORS[case].sentence in lines[1]
    assert "invalid by H.6.7 (trailing-bytes)" in lines[2]
    # What came before, in short; the offending bytes in full, and what is wrong with them.
    assert "    client to plugin: PLUGIN_PROTOCOL(method='keyboard-interactive')" in lines
    assert "    plugin to client: PLUGIN_PROTOCOL_ACCEPT()" in lines
    assert re.search(r"^ +00003f  00 +not understood", result.output, re.MULTILINE)
    assert (
        "      wrong: trailing-bytes: a frame with a byte left over behind its last field" in lines
    )
    assert "    due from the plugin: nothing, and the end" in lines
    assert "    standard error: nothing" in lines
    assert lines[-2] == f"    again: {rerun(case, command)}"
    assert lines[-1] == "1 case: 1 fail"
    # The plugin's secret is nobody's business.
    assert "s3cret" not in result.output
    assert b"s3cret".hex(" ") not in result.output


def test_standard_error_is_shown_at_its_end_and_harmless() -> None:
    code = "import sys; [print('line', n, '\\x1b[31m', file=sys.stderr) for n in range(20)]"
    command = [sys.executable, "-I", "-S", "-c", code]
    result = check("--select", "plugin-success", "--", *command)
    assert "ended with status 0 where PLUGIN_INIT_RESPONSE (version 2) was due" in result.output
    assert "    standard error, last 10 lines:\n      line 10 ?[31m" in result.output
    assert "line 9 " not in result.output
    assert "line 19 " in result.output


def test_the_same_conversation_is_shown_once() -> None:
    result = check("--timeout", str(TIMEOUT), "--", *wrong_plugin("prints"))
    assert result.exit_code == 1
    assert "went as plugin-success did, see there" in result.output
    assert result.output.count("again: ") == result.output.count("\nfail ") + 1


def test_rerunning_takes_the_command_apart_as_it_was() -> None:
    command = ["my plugin", "--answer", "it's $HOME"]
    line = rerun("an-id", command)
    if os.name == "posix":
        assert shlex.split(line)[-3:] == command
    assert "--select an-id -- " in line


def test_cases_come_in_order_however_many_run_at_a_time() -> None:
    for jobs in ("1", "8"):
        arguments = ["--select", "end-of-input", "--select", "plugin-success", "--jobs", jobs]
        result = check(*arguments, "--", *wrong_plugin("none"))
        ids = [line.split()[1] for line in result.output.splitlines()[:-1]]
        expected = [
            each.id
            for each in VECTORS.values()
            if "end-of-input" in each.flags or each.id == "plugin-success"
        ]
        assert ids == expected


def test_exit_status_tells_findings_from_a_check_that_was_not_made() -> None:
    lenient = check("--select", "plugin-boolean-2", "--", *wrong_plugin("booleans-are-bytes"))
    assert lenient.exit_code == 0
    failed = check("--select", "plugin-success", "--", *wrong_plugin("speaks-twice"))
    assert failed.exit_code == 1
    missing = check("--", "no-such-plugin-anywhere")
    assert missing.exit_code == 2
    assert "cannot start 'no-such-plugin-anywhere'" in missing.output
    declined = check("--select", "clean", "--", *wrong_plugin("declines"))
    assert declined.exit_code == 2
    assert "declined every conversation" in declined.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Missing the plugin's command"),
        (["--select", "plugin-sucess", "--", "x"], "Did you mean plugin-success"),
        (["--select", "!", "--", "x"], "--list lists all"),
        (["--timeout", "0", "--", "x"], "--timeout"),
        (["--jobs", "0", "--", "x"], "--jobs"),
        (["--no-such-option", "--", "x"], "no-such-option"),
    ],
)
def test_bad_use_is_explained(arguments: list[str], text: str) -> None:
    result = check(*arguments)
    assert result.exit_code == 2
    assert text in result.output


def test_list_runs_nothing() -> None:
    result = check("--list")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == list(VECTORS)
    assert all(
        line.endswith(each.sentence) for line, each in zip(lines, VECTORS.values(), strict=True)
    )
    selected = check("--list", "--select", "end-of-input").output.splitlines()
    assert len(selected) == sum("end-of-input" in each.flags for each in VECTORS.values())


def test_everything_to_be_mended_is_a_finding() -> None:
    findings = {outcome for outcome in Outcome if outcome.is_finding}
    assert findings == {Outcome.FAIL, Outcome.HANG, Outcome.CRASH}
    hanging = wrong_plugin("stays-for-ever")
    result = check("--select", "plugin-end-when-idle", "--timeout", str(SHORT), "--", *hanging)
    assert result.exit_code == 1
    assert result.output.endswith("1 case: 1 hang\n")


@pytest.mark.parametrize(
    ("status", "words", "is_crash"),
    [
        (0, "ended with status 0", False),
        (1, "ended with status 1", False),
        (-11, "was ended by SIGSEGV", True),
        (-200, "was ended by signal 200", True),
        (0xC0000005, "was ended by the system (status 0xc0000005)", True),
    ],
)
def test_an_ending_in_words(status: int, words: str, is_crash: bool) -> None:
    assert ending(status) == words
    assert crashed(status) is is_crash
