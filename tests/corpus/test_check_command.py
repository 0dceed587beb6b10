"""What `authplugin check plugin` prints, writes and returns."""

import json
import os
import re
import shlex
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]
import pytest

from authplugin_corpus.check.verdicts import (
    End,
    Ended,
    Left,
    Outcome,
    Said,
    Speech,
    Took,
    crashed,
    ending,
    fold,
)
from authplugin_corpus.vectors import flags_of
from tests.corpus.checking import (
    CASES,
    SHORT,
    check,
    in_python,
    report_of,
    wrong_plugin,
)

SOME = ["--select", "end-of-input", "--select", "plugin-trailing-byte-*", "--select", "clean"]


def test_a_failure_is_explained() -> None:
    command = wrong_plugin("ignores-trailing-bytes")
    case = "plugin-trailing-byte-challenge"
    result = check("--select", case, "--", *command)
    assert result.exit_code == 1
    _, *lines = result.output.splitlines()
    assert lines[0].split()[:3] == ["fail", case, "answered"]
    assert CASES[case].vector.sentence in lines[1]
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
    assert lines[-3] == f"    again: authplugin check plugin --select {case} -- " + " ".join(
        command
    )
    assert lines[-2:] == ["1 case: 1 fail", "1 finding"]
    # The plugin's secret is nobody's business.
    assert "s3cret" not in result.output
    assert b"s3cret".hex(" ") not in result.output


def test_standard_error_is_shown_at_its_end_and_harmless() -> None:
    code = "import sys; [print('line', n, '\\x1b[31m', file=sys.stderr) for n in range(20)]"
    result = check("--select", "plugin-success", "--", *in_python(code))
    assert "ended with status 0 where PLUGIN_INIT_RESPONSE (version 2) was due" in result.output
    assert "    standard error, last 10 lines:\n      line 10 ?[31m" in result.output
    assert "line 9 " not in result.output
    assert "line 19 " in result.output


def test_the_same_failure_is_shown_once() -> None:
    result = check(*SOME, "--", *wrong_plugin("prints"))
    assert result.exit_code == 1
    assert re.search(r"went as plugin-\S+ did, see there", result.output)
    assert result.output.count("again: ") == len(re.findall("^fail ", result.output, re.MULTILINE))


@pytest.mark.skipif(os.name != "posix", reason="quoting is another matter there")
def test_the_line_that_runs_a_case_again_has_all_that_matters(tmp_path: Path) -> None:
    plugin = tmp_path / "it's mine.py"
    plugin.write_text("import sys; sys.exit(3)", "utf-8")
    command = [sys.executable, "-I", "-S", str(plugin), "$HOME"]
    options = ["--hostname", "a b", "--prompt", "PIN: ", "--env", "X=...", "--timeout", "7"]
    given = [each.replace("X=...", "X=1 2") for each in options]
    result = check("--select", "plugin-success", *given, "--jobs", "1", "--", *command)
    [line] = [line for line in result.output.splitlines() if "again: " in line]
    words = shlex.split(line.partition("again: ")[2])
    assert words[:5] == ["authplugin", "check", "plugin", "--select", "plugin-success"]
    assert words[-6:] == ["--", *command]
    again = check(*words[3:])
    assert [row for row in again.output.splitlines() if "again: " in row] == [line]
    assert set(options) < set(words)


def test_the_order_comes_from_the_seed(tmp_path: Path) -> None:
    def order(*arguments: str) -> list[str]:
        output = check(*SOME, *arguments, "--", *wrong_plugin("prints")).output
        return re.findall(r"^fail +(\S+)", output, re.MULTILINE)

    first = order("--seed", "1", "--jobs", "1")
    assert order("--seed", "1", "--jobs", "3") == first
    other = order("--seed", "2")
    assert other != first
    assert sorted(other) == sorted(first)
    assert "--seed 7\n" in check("--select", "clean", "--seed", "7", "--", "no-such").output


def test_exit_status_tells_findings_from_a_check_that_was_not_made() -> None:
    lenient = ["--select", "plugin-boolean-2"]
    assert check(*lenient, "--", *wrong_plugin("booleans-are-bytes")).exit_code == 0
    assert check(*lenient, "--strict", "--", *wrong_plugin("booleans-are-bytes")).exit_code == 1
    failed = check("--select", "plugin-success", "--", *wrong_plugin("speaks-twice"))
    assert failed.exit_code == 1
    missing = check("--", "no-such-plugin-anywhere")
    assert missing.exit_code == 2
    assert "cannot start 'no-such-plugin-anywhere'" in missing.output
    declined = check("--select", "clean", "--", *wrong_plugin("declines"))
    assert declined.exit_code == 2
    assert "declined every conversation" in declined.output


def test_what_is_expected_is_no_finding_and_an_unexpected_pass_is_one(tmp_path: Path) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(
        '[[case]]\nid = "plugin-trailing-byte-*"\noutcome = "fail"\nreason = "to be mended"\n',
        "utf-8",
    )
    arguments = ("--select", "plugin-trailing-byte-*", "--expected", str(path))
    status, report = report_of(tmp_path, *arguments, "--", *wrong_plugin("ignores-trailing-bytes"))
    assert status == 0
    assert report["standings"]["expected"] == len(report["cases"])
    fixed = check(*arguments, "--", *wrong_plugin("none"))
    assert fixed.exit_code == 1
    assert "[passes unexpectedly: to be mended]" in fixed.output
    assert "passed unexpectedly: take" in fixed.output


@pytest.mark.parametrize("mistake", ["none", "prints", "crashes-on-long-strings"])
def test_the_report_in_json_is_as_its_schema_says(mistake: str, tmp_path: Path) -> None:
    status, report = report_of(tmp_path, *SOME, "--", *wrong_plugin(mistake))
    schema = json.loads(
        (files("authplugin_corpus") / "schema" / "check-report.schema.json").read_text("utf-8")
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema)
    assert report["exit_status"] == status
    outcomes = Counter(case["outcome"] for case in report["cases"])
    assert outcomes == Counter({key: n for key, n in report["outcomes"].items() if n})
    places = {case: place for place, case in enumerate(CASES)}
    ids = [case["id"] for case in report["cases"]]
    assert ids == sorted(ids, key=places.__getitem__)
    assert all({"said", "ended", "took", "left"} < case.keys() for case in report["cases"])
    assert b"s3cret".hex() not in json.dumps(report)


def test_the_report_for_continuous_integration_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    code = "import sys; sys.stderr.write('bad \\x00 \\x1b < & \\ufffe'); sys.exit(1)"
    arguments = ["--select", "plugin-success*", "--select", "plugin-end-before-init"]
    check(*arguments, "--report", f"junit={path}", "--", *in_python(code))
    root = ElementTree.parse(path).getroot()
    suite = root.find("testsuite")
    assert suite is not None
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names == [
        each
        for each in CASES
        if each.startswith("plugin-success") or each == "plugin-end-before-init"
    ]
    failed = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    assert suite.get("failures") == str(len(failed)) == str(len(names) - 1)
    failure = failed[0].find("failure")
    assert failure is not None
    assert "ended with status 1 where" in failure.get("message", "")
    assert "again: authplugin check plugin" in (failure.text or "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Missing the plugin's command"),
        (["--select", "plugin-sucess", "--", "x"], "Did you mean plugin-success"),
        (["--select", "!", "--", "x"], "--list lists all"),
        (["--timeout", "0", "--", "x"], "--timeout"),
        (["--jobs", "0", "--", "x"], "--jobs"),
        (["--no-such-option", "--", "x"], "no-such-option"),
        (["--report", "xml=a", "--", "x"], "expected json=PATH or junit=PATH"),
        (["--report", "json=/no/such/folder/a", "--", "x"], "cannot write the report"),
        (["--env", "X", "--", "x"], "expected NAME=VALUE"),
        (["--expected", "/no/such/file", "--", "x"], "--expected"),
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
    assert [line.split()[0] for line in lines] == list(CASES)
    selected = check("--list", "--select", "end-of-input").output.splitlines()
    assert len(selected) == sum("end-of-input" in flags_of(each) for each in CASES.values())
    globbed = check("--list", "--select", "plugin-success*").output.splitlines()
    assert len(globbed) == sum(each.startswith("plugin-success") for each in CASES)


def test_variables_are_set_for_the_plugin_alone() -> None:
    code = "import os, sys; sys.stderr.write(os.environ['AUTHPLUGIN_TEST']); sys.exit(1)"
    arguments = ["--select", "plugin-success", "--env", "AUTHPLUGIN_TEST=a=b"]
    result = check(*arguments, "--", *in_python(code))
    assert "      a=b\n" in result.output
    assert "AUTHPLUGIN_TEST" not in os.environ


def test_everything_to_be_mended_is_a_finding() -> None:
    findings = {outcome for outcome in Outcome if outcome.is_finding}
    assert findings == {Outcome.FAIL, Outcome.HANG, Outcome.CRASH}
    hanging = wrong_plugin("stays-for-ever")
    result = check("--select", "plugin-end-when-idle", "--timeout", str(SHORT), "--", *hanging)
    assert result.exit_code == 1
    assert "1 case: 1 hang\n1 undecided, by time limit" in result.output


@pytest.mark.parametrize(
    ("status", "words", "is_crash"),
    [
        (0, "ended with status 0", False),
        (1, "ended with status 1", False),
        (130, "ended with status 130", False),
        (139, "ended with status 139, which is a shell's for SIGSEGV", True),
        (-11, "was ended by SIGSEGV", True),
        (-200, "was ended by signal 200", True),
        (0xC0000005, "was ended by the system (status 0xc0000005)", True),
    ],
)
def test_an_ending_in_words(status: int, words: str, is_crash: bool) -> None:
    assert ending(status) == words
    assert crashed(status) is is_crash


def test_the_gravest_verdict_is_the_outcome_and_all_are_told() -> None:
    wrong = Said(Speech.WRONG, "said this")
    crash = Ended(End.SIGNAL, -11, "was ended by SIGSEGV")
    clean = Ended(End.CLEAN, 0, "ended with status 0")
    hang = Ended(End.NOT_AT_ALL, None, "does not end")
    much = Took(1.0, sentence="took much")
    left = Left(("sleep",), sentence="left a process")
    assert fold(Said(), clean, Took(1.0), Left()).outcome is Outcome.PASS
    assert fold(wrong, crash, much, left).outcome is Outcome.CRASH
    assert fold(wrong, hang, much, left).outcome is Outcome.HANG
    every = fold(wrong, clean, much, left)
    assert every.outcome is Outcome.FAIL
    assert every.reason == "said this; took much; left a process"
    assert fold(Said(), clean, much, Left()).outcome is Outcome.FAIL
    assert fold(Said(Speech.DECLINED, "no"), clean, Took(1.0), left).outcome is Outcome.FAIL
    assert fold(Said(Speech.DECLINED, "no"), clean, Took(1.0), Left()).outcome is (
        Outcome.UNSUPPORTED
    )
