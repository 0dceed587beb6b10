"""The files that people write for a check, and the parameters of the conversations."""

from pathlib import Path

import pytest

from authplugin import PluginInit, PluginKIServerRequest, PluginProtocol, decode, encode
from authplugin_corpus.check.answers import with_answers
from authplugin_corpus.check.expected import (
    Standing,
    expectation_for,
    read_expected,
    standing_of,
)
from authplugin_corpus.check.parameters import USER_ANSWER, Answer, Parameters, Prompt
from authplugin_corpus.check.script import Say, script_of
from authplugin_corpus.check.tables import TableError
from authplugin_corpus.check.verdicts import Outcome
from authplugin_corpus.frames import split_frames
from tests.corpus.checking import CASES, TIMEOUT, check, wrong_plugin

OURS = Parameters(
    hostname="gate.example.org",
    port=2222,
    username="bob",
    prompts=(Prompt("PIN: "), Prompt("Token: ", echo=True)),
)


def written(case: str, parameters: Parameters) -> list[bytes]:
    steps = script_of(CASES[case], parameters).steps
    return [step.data for step in steps if isinstance(step, Say)]


def test_what_is_set_is_said_in_place_of_what_the_vectors_say() -> None:
    init, protocol, request, *_ = map(decode, written("plugin-success", OURS))
    assert init == PluginInit(2, "gate.example.org", 2222, "bob")
    assert protocol == PluginProtocol("keyboard-interactive")
    assert isinstance(request, PluginKIServerRequest)
    assert [text for text, _ in request.detach().prompts] == ["PIN: ", "Token: "][
        : len(request.prompts)
    ]


@pytest.mark.parametrize("case", list(CASES))
def test_lengths_are_as_right_and_as_wrong_as_they_were(case: str) -> None:
    before, after = written(case, Parameters()), written(case, OURS)
    assert written(case, Parameters(answers=(Answer("*", "x"),))) == before
    assert len(before) == len(after)
    for one, two in zip(before, after, strict=True):
        frames = list(zip(split_frames(one), split_frames(two), strict=True))
        for old, new in frames:
            assert _excess(old) == _excess(new) or _claim(old) == _claim(new)


def _claim(frame: bytes) -> int:
    return int.from_bytes(frame[:4], "big")


def _excess(frame: bytes) -> int:
    return _claim(frame) - len(frame)


def test_what_is_no_text_stays_as_it_is() -> None:
    odd = PluginInit(2, b"\xff", 22, "alice")
    assert OURS.in_message(odd) == PluginInit(2, b"\xff", 2222, "bob")


def test_a_faulty_frame_has_what_is_set_where_it_can_be_read() -> None:
    [*_, last] = written("plugin-trailing-byte-init", OURS)
    assert b"gate.example.org" in last
    right = encode(PluginInit(2, "gate.example.org", 2222, "bob"))
    assert last[4:-1] == right[4:]
    assert _excess(last) == -4


def test_answers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(
        '[[server]]\nprompt = "PIN: "\n[[user]]\nprompt = "PIN*"\nanswer = "1234"\n'
        '[[server]]\nprompt = "Token: "\necho = true\n',
        "utf-8",
    )
    parameters = with_answers(Parameters(), path)
    assert parameters.prompts == (Prompt("PIN: "), Prompt("Token: ", echo=True))
    assert parameters.answer("PIN for alice: ") == "1234"
    assert parameters.answer("Something else") == USER_ANSWER


def test_expectations_are_read(tmp_path: Path) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(
        '# known\n[[case]]\nid = "plugin-success*"\noutcome = "fail"\nreason = "a known one"\n',
        "utf-8",
    )
    expectations = read_expected(path, CASES)
    found = expectation_for("plugin-success/byte-by-byte", expectations)
    assert found is not None
    assert (found.outcome, found.reason) == (Outcome.FAIL, "a known one")
    assert expectation_for("plugin-end-before-init", expectations) is None
    assert standing_of(Outcome.FAIL, found, strict=False) is Standing.EXPECTED
    assert standing_of(Outcome.PASS, found, strict=False) is Standing.UNEXPECTED_PASS
    assert standing_of(Outcome.CRASH, found, strict=False) is Standing.FINDING
    assert standing_of(Outcome.LENIENT, None, strict=True) is Standing.FINDING
    assert standing_of(Outcome.LENIENT, None, strict=False) is Standing.FINE


CASE = '[[case]]\nid = "plugin-success"\noutcome = "fail"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CASE, "line 1: [[case]] lacks 'reason'"),
        (f'{CASE}reason = ""\n', "line 1: 'reason' must be a string that is not empty"),
        (f'{CASE}reason = "x"\n\n{CASE}', "line 6: [[case]] lacks 'reason'"),
        (f'{CASE}reason = "x"\nwhy = 1\n', "has 'why', where only"),
        (CASE.replace("fail", "pass") + 'reason = "x"', "'outcome' must be one of"),
        (CASE.replace("success", "sucess") + 'reason = "x"', "did you mean plugin-success"),
        ('x = 1\n[[case]]\nid = "a"', "line 1: only [[case]] may be here"),
        ('[case]\nid = "a"', "line 1: write [[case]] for each"),
        ("[[case]\n", "line 1"),
        ("", "has no [[case]]"),
    ],
)
def test_a_broken_file_of_expectations_is_explained(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(TableError) as caught:
        read_expected(path, CASES)
    assert words in str(caught.value)
    result = check("--expected", str(path), "--", *wrong_plugin("none"))
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[user]]\nprompt = "a"\n', "line 1: [[user]] lacks 'answer'"),
        ('[[server]]\nprompt = "a"\necho = "yes"\n', "'echo' must be true or false"),
        ("\n", "has neither"),
    ],
)
def test_a_broken_file_of_answers_is_explained(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(TableError) as caught:
        with_answers(Parameters(), path)
    assert words in str(caught.value)


def test_bytes_that_are_no_text_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(TableError, match="not UTF-8"):
        with_answers(Parameters(), path)


def test_a_plugin_that_insists_comes_to_life(tmp_path: Path) -> None:
    picky = tmp_path / "picky.py"
    source = Path(wrong_plugin("none")[3]).read_text("utf-8")
    source = source.replace(
        "    fields.text()\n    fields.uint32()\n",
        '    require(fields.text() == "gate.example.org")\n    fields.uint32()\n',
        1,
    )
    picky.write_text(source, "utf-8")
    command = [*wrong_plugin("none")[:3], str(picky), "none"]
    refused = check("--select", "plugin-success", "--", *command)
    assert refused.exit_code == 1
    arguments = ["--hostname", "gate.example.org", "--timeout", str(TIMEOUT)]
    result = check("--select", "plugin-success*", *arguments, "--", *command)
    assert result.exit_code == 0, result.output
