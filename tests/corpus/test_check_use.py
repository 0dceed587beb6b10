"""What people meet who use `authplugin check plugin`: options, files, secrets, failing output."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from authplugin_corpus.check import options as options_module
from authplugin_corpus.check.options import ReportFiles, ReportTarget
from authplugin_corpus.check.report import _cause
from authplugin_corpus.check.unstartable import reason_for
from authplugin_corpus.model import Delivery
from tests.corpus.checking import CASES, check, in_python, wrong_plugin

needs_posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX alone")
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")

SECRET = "hunter2 of mine"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--timeout", "nan", "--", "x"], "nan is not in the range"),
        (["--timeout", "inf", "--", "x"], "inf is not in the range"),
        (["--prompt", "", "--", "x"], "no prompt is empty"),
        (["--list", "--report", "json=a"], "nothing to report"),
        (
            ["--report", "json=a", "--report", "junit=./a", "--", "x"],
            "two reports would be written",
        ),
    ],
)
def test_bad_use_is_explained(
    arguments: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = check(*arguments)
    assert result.exit_code == 2
    assert text in result.output
    assert list(tmp_path.iterdir()) == []


# Secrets.


def test_what_may_be_a_secret_stands_in_nothing_that_is_written(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(f'[[user]]\nprompt = "P*"\nanswer = "{SECRET} too"\n', "utf-8")
    reports = [tmp_path / "report.json", tmp_path / "report.xml"]
    result = check(
        *("--select", "plugin-success", "--answers", str(answers), "--answer", SECRET),
        *("--env", f"TOKEN={SECRET}"),
        *("--report", f"json={reports[0]}", "--report", f"junit={reports[1]}"),
        *("--", *wrong_plugin("asks-for-ever")),
    )
    assert result.exit_code == 1
    written = [result.output, *(path.read_text("utf-8") for path in reports)]
    for text in written:
        assert SECRET not in text
        assert SECRET.encode().hex() not in text.replace(" ", "")
        assert f"--answer ... --answers {answers}" in text
        assert "--env TOKEN=..." in text
    assert "--env TOKEN=..." in json.loads(written[1])["cases"][0]["rerun"]
    assert "PLUGIN_KI_USER_RESPONSE" in result.output


# Reports.


def test_a_report_that_cannot_be_written_costs_nobody_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older.json"
    older.write_text("older", "utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(options_module._WRITERS, "json", ("w", fail))
    other = tmp_path / "other.xml"
    reports = ["--report", f"json={older}", "--report", f"junit={other}"]
    result = check("--select", "plugin-success", *reports, "--", *wrong_plugin("speaks-twice"))
    assert result.exit_code == 2
    assert "1 case: 1 fail\n1 finding\n" in result.output
    assert f"cannot write the report {older}: No space left on device" in result.output
    assert older.read_text("utf-8") == "older"
    assert other.read_text("utf-8").startswith("<?xml")
    assert sorted(tmp_path.iterdir()) == [older, other]


def test_a_report_stays_what_it_was_where_the_run_does_not_end(tmp_path: Path) -> None:
    older = tmp_path / "older.json"
    older.write_text("older", "utf-8")
    target = ReportTarget().convert(f"json={older}", None, None)
    with pytest.raises(KeyboardInterrupt), ReportFiles([target]):
        raise KeyboardInterrupt
    assert older.read_text("utf-8") == "older"
    assert list(tmp_path.iterdir()) == [older]


# Programs that cannot be started.


def _without_interpreter(path: Path) -> None:
    path.write_bytes(b"#!/no/such/interpreter -x\n")


def _of_windows(path: Path) -> None:
    path.write_bytes(f"#!{sys.executable}\r\npass\r\n".encode())


def _without_first_line(path: Path) -> None:
    path.write_bytes(b"print(1)\n")


@needs_posix
@pytest.mark.parametrize(
    ("write", "mode", "words"),
    [
        (_without_interpreter, 0o755, "names the interpreter /no/such/interpreter, which is not"),
        (_of_windows, 0o755, "ends with a carriage return and a line feed"),
        (_without_first_line, 0o755, "does not begin with #!"),
        (_of_windows, 0o644, "may not be executed: chmod +x"),
    ],
)
def test_why_a_script_cannot_be_started(
    write: Callable[[Path], None], mode: int, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "plugin"
    write(path)
    path.chmod(mode)
    result = check("--select", "plugin-success", "--", str(path))
    assert result.exit_code == 2
    assert words in result.output


def test_a_program_of_this_folder_has_to_be_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "some-plugin-that-is-nowhere-else"
    assert reason_for(name) is None
    (tmp_path / name).write_bytes(b"")
    assert f"write .{os.sep}{name}" in str(reason_for(name))


# What is printed.


def test_what_is_simple_is_shown_first() -> None:
    flood = in_python("print('text')")
    output = check("--select", "clean", "--seed", "3", "--", *flood).output
    shown = re.findall(r"^fail +(\S+)", output, re.MULTILINE)
    keys = [(CASES[each].delivery is not Delivery.WHOLE, len(CASES[each].turns)) for each in shown]
    assert len(keys) > 10
    assert keys == sorted(keys)


def test_what_many_findings_have_in_common_is_counted() -> None:
    result = check("--select", "plugin-success*", "--", *in_python("print('text')"))
    assert result.output.splitlines()[-2:] == [
        "3 findings: wrote text to its standard output, which belongs to the protocol",
        "3 findings",
    ]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (
            "has 1 response (due: 2 responses), after PLUGIN_KI_SERVER_REQUEST",
            "has 1 response",
        ),
        (
            "wrote what is no message (bad-utf8: no UTF-8 (at byte 5 of the frame)): in Latin-1",
            "wrote what is no message: in Latin-1",
        ),
        (
            "wrote what is no message (bad-utf8: no UTF-8 (at byte 5 of the frame)), after X",
            "wrote what is no message (bad-utf8: no UTF-8)",
        ),
        (
            "ended with status 0 where X (2) was due, after Y; it has",
            "ended with status 0 where X was due",
        ),
    ],
)
def test_the_cause_is_a_reason_without_its_place(reason: str, cause: str) -> None:
    assert _cause(reason) == cause


def test_it_is_said_why_a_case_says_nothing_of_the_plugin() -> None:
    two = ["--select", "plugin-two-questions"]
    right = check("--select", "plugin-success", *two, "--", *wrong_plugin("none"))
    assert right.exit_code == 0
    assert "1 unsupported: the plugin did not ask the user (as it may: " in right.output
    silent = check(*two, "--", *wrong_plugin("none"))
    assert silent.exit_code == 2
    assert "the plugin did not ask the user in any conversation" in silent.output
    declined = check("--select", "clean", "--", *wrong_plugin("declines"))
    assert declined.exit_code == 2
    assert "--hostname, --port and --username say what it may insist on" in declined.output


# An output that fails.


def printed_to(output: int, *arguments: str) -> tuple[int, str]:
    """Run the command with such a standard output; return its exit status and error output."""
    done = subprocess.run(
        [sys.executable, "-c", "from authplugin_corpus.command import main; main()", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


PRINTING = [
    ["check", "plugin", "--list"],
    ["check", "plugin", "--select", "plugin-success", "--", *wrong_plugin("none")],
    ["--help"],
]


@needs_full
@pytest.mark.parametrize("arguments", PRINTING, ids=["list", "run", "help"])
@pytest.mark.parametrize("buffered", [True, False])
def test_an_output_that_is_full_is_told_in_a_line(
    arguments: list[str], buffered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    with open("/dev/full", "wb") as full:
        status, errors = printed_to(full.fileno(), *arguments)
    assert status == 2
    assert errors == "Error: cannot write to standard output: No space left on device\n"


@needs_posix
@pytest.mark.parametrize("arguments", PRINTING, ids=["list", "run", "help"])
def test_an_output_that_nobody_reads_is_no_error_to_tell_of(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert printed_to(writing, *arguments) == (2, "")
    finally:
        os.close(writing)


def with_closed(closed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command by a shell that closes something first."""
    command = [sys.executable, "-c", "from authplugin_corpus.command import main; main()"]
    return subprocess.run(
        ["sh", "-c", f"{shlex.join([*command, *arguments])} {closed}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@needs_posix
def test_an_output_that_is_closed_is_told_in_a_line() -> None:
    done = with_closed(">&-", "check", "plugin", "--list")
    assert done.returncode == 2
    assert done.stderr == "Error: cannot write to standard output: it is closed\n"


@needs_posix
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_what_else_is_closed_is_no_matter(closed: str) -> None:
    arguments = ["check", "plugin", "--select", "plugin-success", "--", *wrong_plugin("none")]
    done = with_closed(closed, *arguments)
    assert done.stdout.endswith("conformant\n")
    assert (done.returncode, done.stderr) == (0, "")
