"""The plugins of examples/, spoken to in bytes made by hand: what they answer.

Nothing here imports the project: the bytes are the specification's, not the codec's.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.conversation import CLEAN, LIMIT, End, assert_refused
from tests.integration.peers import Start, peer, plugin, reach, start
from tests.integration.violations import AUTHENTICATING, ENDED, STATES
from tests.integration.wire import (
    ACCEPT,
    FAILURE,
    MAX_FRAME,
    PASSWORD,
    SUCCESS,
    TOKEN,
    for_user,
    frame,
    init,
    init_response,
    protocol,
    request,
    responses,
    string,
)

__all__ = ["peer", "plugin", "start"]  # The fixtures.


def test_success(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "log"
    conversation = start(
        *("--username", "bob", "--answer", "Password: =s3cret=", "--answer", "Token: =1234"),
        *("--log", str(log)),
    )
    conversation.exchange(init(user=b"alice"), init_response(b"bob"))
    conversation.exchange(protocol(), ACCEPT)
    conversation.exchange(request(PASSWORD, TOKEN), responses(b"s3cret=", b"1234"))
    conversation.exchange(request(), responses())
    conversation.send(SUCCESS)
    assert conversation.farewell() == CLEAN
    assert log.read_bytes() == b"success\n"


def test_failure_and_a_second_attempt(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    conversation = start("--answer", "Password: =wrong", "--log", str(log))
    conversation.exchange(init(), init_response())
    for outcome in (FAILURE, SUCCESS):
        conversation.exchange(protocol(), ACCEPT)
        conversation.exchange(request(PASSWORD), responses(b"wrong"))
        conversation.send(outcome)
    assert conversation.farewell() == CLEAN
    assert log.read_bytes() == b"before\nfailure\nsuccess\n"


@pytest.mark.parametrize("outcome", [SUCCESS, FAILURE], ids=["success", "failure"])
def test_outcome_straight_after_accept(start: Start, outcome: bytes) -> None:
    conversation = reach(start, AUTHENTICATING)
    conversation.send(outcome)
    conversation.exchange(protocol(), ACCEPT)
    assert conversation.farewell() == CLEAN


@pytest.mark.parametrize("outcome", [SUCCESS, FAILURE], ids=["success", "failure"])
def test_outcome_and_next_protocol_in_one_read(start: Start, outcome: bytes) -> None:
    conversation = reach(start, AUTHENTICATING)
    conversation.exchange(outcome + protocol(), ACCEPT)
    conversation.exchange(outcome + protocol(b"password"), frame(5, string(b"")))
    assert conversation.farewell() == CLEAN


@pytest.mark.parametrize(
    "method",
    [b"password", b"", b"keyboard-interactiv", b"keyboard-interactive2", b"Keyboard-interactive"],
)
def test_other_methods_are_rejected_in_silence(start: Start, method: bytes) -> None:
    conversation = start("--reject", "not this one either")
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(method), frame(5, string(b"")))
    conversation.exchange(protocol(method), frame(5, string(b"")))
    assert conversation.farewell() == CLEAN


def test_a_method_is_not_completed_by_the_one_before(start: Start) -> None:
    conversation = start("--reject", "no")
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), frame(5, string(b"no")))
    conversation.exchange(protocol(b"keyboard-interactiv"), frame(5, string(b"")))
    assert conversation.farewell() == CLEAN


def test_reject(start: Start) -> None:
    conversation = start("--reject", "gr\u00fcezi")
    conversation.exchange(init(), init_response())
    for _ in range(2):
        conversation.exchange(protocol(), frame(5, string("gr\u00fcezi".encode())))
    assert conversation.farewell() == CLEAN


@pytest.mark.parametrize("arguments", [("--fail-init", "sorry"), ("--fail-init", "")])
def test_fail_init(start: Start, arguments: tuple[str, str]) -> None:
    conversation = start(*arguments)
    conversation.exchange(init(), frame(8, string(arguments[1].encode())))
    assert conversation.farewell() == CLEAN


def test_stays_and_reads_after_init_failure(start: Start) -> None:
    conversation = reach(start, ENDED)
    # A plugin that had ended would not have refused this, nor given this exit status.
    conversation.send(protocol())
    assert_refused(conversation.ended())


@pytest.mark.parametrize("version", [2, 3, 4, 2**31, 2**32 - 1])
def test_version_two_is_chosen(start: Start, version: int) -> None:
    conversation = start()
    conversation.exchange(init(version), init_response())
    assert conversation.farewell() == CLEAN


@pytest.mark.parametrize("version", [0, 1])
def test_older_versions_fail(start: Start, version: int) -> None:
    conversation = start()
    conversation.send(init(version))
    answer = conversation.receive()
    assert answer[4] == 8
    assert answer[5:] == string(answer[9:])
    assert b"version" in answer[9:]
    assert conversation.farewell() == CLEAN


def test_uncovered_prompts_are_answered_by_nothing(start: Start) -> None:
    conversation = start("--answer", "Token: =1234", "--answer", "Pass=no")
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), ACCEPT)
    conversation.exchange(
        request(PASSWORD, TOKEN, (b"token: ", 1), (b"", 0)), responses(b"", b"1234", b"", b"")
    )
    assert conversation.farewell() == CLEAN


def test_ask(start: Start) -> None:
    conversation = start("--ask")
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), ACCEPT)
    about = {"name": b"n\xc3\xa4me", "instructions": b"do\r\nit", "language": b"de"}
    asked = request(PASSWORD, TOKEN, PASSWORD, **about)
    conversation.exchange(asked, for_user(request(PASSWORD, TOKEN, PASSWORD, **about)))
    given = (b"one", b"", b"thr\xc3\xa9e")
    conversation.exchange(for_user(responses(*given)), responses(*given))
    # And again, with another number of prompts.
    conversation.exchange(request(TOKEN), for_user(request(TOKEN)))
    conversation.exchange(for_user(responses(b"4")), responses(b"4"))
    conversation.send(SUCCESS)
    assert conversation.farewell() == CLEAN


def test_ask_for_the_rest(start: Start) -> None:
    conversation = start("--ask", "--answer", "Password: =first", "--answer", "Password: =s3cret")
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), ACCEPT)
    other = (b"Pet?", 0)
    conversation.exchange(
        request(TOKEN, PASSWORD, other, PASSWORD), for_user(request(TOKEN, other))
    )
    conversation.exchange(
        for_user(responses(b"12", b"cat")), responses(b"12", b"s3cret", b"cat", b"s3cret")
    )
    # Nothing is left to ask: neither where all are covered nor where there are none.
    conversation.exchange(request(PASSWORD), responses(b"s3cret"))
    conversation.exchange(request(), responses())
    assert conversation.farewell() == CLEAN


def test_every_well_formed_text_passes_unchanged(start: Start) -> None:
    texts = [
        *("\0", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeffx", "\ufffd"),
        *("\uffff", "\U00010000", "\U0010ffff", "a\u0301", "\u00e1", "\r\n", "\x1b[0m"),
    ]
    encoded = [text.encode() for text in texts]
    conversation = start("--ask")
    everything = b"".join(encoded)
    conversation.exchange(init(host=everything, user=everything), init_response())
    conversation.exchange(protocol(), ACCEPT)
    prompts = [(text, 1) for text in encoded]
    about = {"name": everything, "instructions": everything}
    conversation.exchange(request(*prompts, **about), for_user(request(*prompts, **about)))
    conversation.exchange(for_user(responses(*encoded)), responses(*encoded))
    assert conversation.farewell() == CLEAN


def test_largest_frames(start: Start) -> None:
    conversation = start("--ask")
    conversation.exchange(init(host=b"h" * (MAX_FRAME - len(init(host=b"")) + 4)), init_response())
    conversation.exchange(protocol(), ACCEPT)
    room = MAX_FRAME - len(request()) + 4
    prompts = [(b"", 0)] * (room // 5)
    about = {"name": b"n" * (room % 5)}
    sent = request(*prompts, **about)
    assert len(sent) == 4 + MAX_FRAME
    conversation.exchange(sent, for_user(request(*prompts, **about)))
    room = MAX_FRAME - len(responses()) + 4 - 4 * len(prompts)
    given = [b"", *[b""] * (len(prompts) - 2), b"r" * room]
    sent = for_user(responses(*given))
    assert len(sent) == 4 + MAX_FRAME
    conversation.exchange(sent, responses(*given))
    assert conversation.farewell() == CLEAN


def test_byte_by_byte(start: Start) -> None:
    conversation = start("--ask", "--username", "bob")
    for sent, expected in (
        (init(), init_response(b"bob")),
        (protocol(), ACCEPT),
        (request(PASSWORD, TOKEN), for_user(request(PASSWORD, TOKEN))),
        (for_user(responses(b"a", b"b")), responses(b"a", b"b")),
        (SUCCESS + protocol(b"none"), frame(5, string(b""))),
    ):
        for byte in sent:
            conversation.send(bytes([byte]))
            conversation.wait_until_read()
        assert conversation.receive() == expected
    assert conversation.farewell() == CLEAN


def test_small_chunks_of_a_large_frame(start: Start) -> None:
    conversation = start("--ask", "--answer", "=covered")
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), ACCEPT)
    sent = request((b"", 0), (b"p" * 100_000, 1))
    for at in range(0, len(sent), 11):
        conversation.send(sent[at : at + 11])
    assert conversation.receive() == for_user(request((b"p" * 100_000, 1)))
    conversation.exchange(for_user(responses(b"r")), responses(b"covered", b"r"))
    assert conversation.farewell() == CLEAN


@pytest.mark.parametrize("state", STATES)
def test_end_of_file_between_frames(start: Start, state: str) -> None:
    assert reach(start, state).farewell() == CLEAN


@pytest.mark.parametrize("outcome", [SUCCESS, FAILURE], ids=["success", "failure"])
def test_end_of_file_after_the_outcome(start: Start, outcome: bytes) -> None:
    conversation = reach(start, AUTHENTICATING)
    conversation.send(outcome)
    assert conversation.farewell() == CLEAN


def test_end_of_file_where_an_answer_is_owed(start: Start) -> None:
    conversation = start()
    conversation.send(init())
    assert conversation.farewell() == End(0, init_response(), b"")


@pytest.mark.skipif(os.name == "nt", reason="a pipe that nobody reads is another thing there")
def test_client_that_is_gone(plugin: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run = subprocess.run(
            plugin, input=init(), stdout=writing, stderr=subprocess.PIPE, timeout=LIMIT
        )
    finally:
        os.close(writing)
    assert (run.returncode, run.stderr) == (0, b"")


# ---- The command line ----


@pytest.mark.parametrize(
    "arguments",
    [
        ("--unknown",),
        ("--unknown", "value"),
        ("-h",),
        ("positional",),
        ("--", "positional"),
        ("--username",),
        ("--ask", "--answer"),
        ("--answer", "no equals sign"),
        ("--fail-init",),
        ("--reject",),
        ("--log",),
        ("--username=bob",),
        ("--as",),
        ("",),
        ("toString", "value"),
        ("constructor", "value"),
    ],
    ids=" ".join,
)
def test_usage(start: Start, arguments: tuple[str, ...]) -> None:
    end = start(*arguments).ended()
    assert (end.status, end.output) == (2, b"")
    assert end.error.startswith(b"usage: plugin [--username NAME] [--answer PROMPT=RESPONSE]")


def test_values_may_look_like_options(start: Start) -> None:
    conversation = start(
        "--username", "--ask", "--answer", "--ask=--log", "--reject", "--", "--ask"
    )
    conversation.exchange(init(), init_response(b"--ask"))
    conversation.exchange(protocol(), frame(5, string(b"--")))
    assert conversation.farewell() == CLEAN


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_the_locale_changes_nothing(
    start: Start, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    conversation = start("--username", "r\u00f6b\U0001f600", "--answer", "\u00bf?=\u00e9=")
    conversation.exchange(init(), init_response("r\u00f6b\U0001f600".encode()))
    conversation.exchange(protocol(), ACCEPT)
    conversation.exchange(request(("\u00bf?".encode(), 0)), responses("\u00e9=".encode()))
    assert conversation.farewell() == CLEAN


@pytest.mark.skipif(os.name == "nt", reason="a command line is UTF-16 there")
@pytest.mark.parametrize(
    "arguments", [(b"--username", b"caf\xe9"), (b"--answer", b"a=\xed\xa0\x80")]
)
def test_arguments_must_be_utf8(peer: str, start: Start, arguments: tuple[bytes, ...]) -> None:
    if peer == "node":
        pytest.skip("Node.js puts U+FFFD in the place of what is not UTF-8")
    end = start(*arguments).ended()
    assert (end.status, end.output, end.error[:6]) == (2, b"", b"usage:")
