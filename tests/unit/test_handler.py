"""The handler layer, over byte streams in memory and over real pipes."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import pytest

import authplugin
from authplugin import (
    AskUser,
    Client,
    ClientGone,
    ClientSession,
    EndOfFile,
    Limits,
    Message,
    Plugin,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
    Prompt,
    Refusal,
    Request,
)
from authplugin.handler import _Conversation

INIT = PluginInit(2, "example.com", 22, "alice")
OFFER = PluginProtocol("keyboard-interactive")
LIMITS = Limits()
CHALLENGE = PluginKIServerRequest("a", "b", "c", [("Pässword: ", False), ("Code: ", True)])


class Scripted(Plugin):
    """A plugin that records what it is told, and answers from a list."""

    def __init__(self, answers: Sequence[str] = ("one", "two"), ask: object = None) -> None:
        self.answers = answers
        self.ask = ask
        self.seen: list[object] = []

    def init(self, client: Client) -> str | None:
        self.seen.append(client)
        return "bob"

    def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
        self.seen.append(request)
        if self.ask is not None:
            self.seen.append(ask_user(self.ask, name="n", instructions="i"))  # type: ignore[arg-type]
        return self.answers

    def result(self, success: bool) -> None:
        self.seen.append(success)


def converse(
    plugin: Plugin, *said: Message | bytes, limits: Limits = LIMITS
) -> tuple[bool, list[Message]]:
    """Let a plugin serve a client that says `said`; return how it ended and what it answered."""
    client = ClientSession()
    answers: list[Message] = []
    script = iter(said)

    def read() -> bytes:
        message = next(script, b"")
        return message if isinstance(message, bytes) else client.send(message)

    def write(data: bytes) -> None:
        client.receive_data(data)
        for event in client.events():
            assert not isinstance(event, EndOfFile)
            answers.append(event.detach())

    return authplugin.serve(plugin, read, write, limits), answers


def test_a_login_goes_through_the_handlers_in_plain_strings() -> None:
    plugin = Scripted()
    ended = converse(plugin, INIT, OFFER, CHALLENGE, PluginAuthSuccess())
    assert ended == (
        True,
        [
            PluginInitResponse(2, "bob"),
            PluginProtocolAccept(),
            PluginKIServerResponse(["one", "two"]),
        ],
    )
    prompts = (Prompt("Pässword: ", False), Prompt("Code: ", True))
    assert plugin.seen == [
        Client(2, "example.com", 22, "alice"),
        Request("a", "b", "c", prompts),
        True,
    ]
    assert type(plugin.seen[1].prompts[1].echo) is bool  # type: ignore[attr-defined]


def serve(plugin: Plugin, *chunks: bytes, limits: Limits = LIMITS) -> tuple[bool, list[bytes]]:
    """Let a plugin serve a client that sends `chunks`; return how it ended and what it wrote."""
    script = iter([*chunks, b""])
    written: list[bytes] = []
    return authplugin.serve(plugin, lambda: next(script), written.append, limits), written


def test_a_failure_is_told_and_the_next_method_may_follow_in_the_same_read() -> None:
    plugin = Scripted()
    client = ClientSession()
    begin = _say(client, INIT, PluginInitResponse(2, ""))
    offer = _say(client, OFFER, PluginProtocolAccept())
    both = client.send(PluginAuthFailure()) + client.send(OFFER)
    sound, written = serve(plugin, begin, offer, both)
    assert sound
    assert plugin.seen[1:] == [False]
    assert written[1:] == [authplugin.encode(PluginProtocolAccept())] * 2


def _say(client: ClientSession, message: Message, answer: Message) -> bytes:
    data = client.send(message)
    client.receive_data(authplugin.encode(answer))
    client.next_event()
    return data


def test_the_user_can_be_asked() -> None:
    plugin = Scripted(ask=["PIN: ", ("Name: ", True)])
    sound, answers = converse(
        plugin, INIT, OFFER, CHALLENGE, PluginKIUserResponse(["12", "Älice"]), PluginAuthSuccess()
    )
    assert sound
    assert answers[2] == PluginKIUserRequest("n", "i", "", [("PIN: ", False), ("Name: ", True)])
    assert plugin.seen[2] == ["12", "Älice"]


def test_the_method_is_named_and_a_question_needs_no_title() -> None:
    class Brief(Scripted):
        def protocol(self, method: str) -> None:
            self.seen.append(method)

        def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
            ask_user([])
            return self.answers

    plugin = Brief()
    sound, answers = converse(plugin, INIT, OFFER, CHALLENGE)
    assert sound
    assert plugin.seen[1:] == ["keyboard-interactive"]
    assert answers[-1] == PluginKIUserRequest("", "", "", [])


def test_a_client_that_leaves_while_the_user_is_asked_unwinds_the_handler() -> None:
    raised: list[BaseException] = []

    class Watching(Scripted):
        def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
            try:
                return super().keyboard_interactive(request, ask_user)
            except BaseException as error:
                raised.append(error)
                raise

    sound, _ = converse(Watching(ask=["PIN: "]), INIT, OFFER, CHALLENGE)
    assert sound
    assert [repr(error) for error in raised] == ["ClientGone('the client has ended the session')"]


def test_a_handler_that_swallows_the_clients_leaving_does_not_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Deaf(Scripted):
        def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
            with pytest.raises(ClientGone):
                ask_user(["PIN: "])
            return self.answers

    sound, answers = converse(Deaf(), INIT, OFFER, CHALLENGE)
    assert not sound
    assert isinstance(answers[-1], PluginKIUserRequest)
    assert "session-over" in capsys.readouterr().err


def _refusing(where: str, error: Exception) -> Plugin:
    class Refusing(Scripted):
        def _maybe(self, place: str) -> None:
            if place == where:
                raise error

        def init(self, client: Client) -> str | None:
            self._maybe("init")
            return None

        def protocol(self, method: str) -> None:
            self._maybe("protocol")

        def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
            self._maybe("keyboard_interactive")
            return self.answers

        def result(self, success: bool) -> None:
            self._maybe("result")

    return Refusing()


def test_refusing_to_begin_is_told_and_ends_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    ended = converse(_refusing("init", Refusal("not today")), INIT)
    assert ended == (True, [PluginInitFailure("not today")])
    assert capsys.readouterr().err == ""


def test_refusing_a_method_leaves_the_session_open() -> None:
    ended = converse(_refusing("protocol", Refusal("not this")), INIT, OFFER, OFFER)
    refusal = PluginProtocolReject("not this")
    assert ended == (True, [PluginInitResponse(2, ""), refusal, refusal])


def test_an_unknown_method_is_rejected_without_asking_the_plugin() -> None:
    ended = converse(_refusing("protocol", KeyError()), INIT, PluginProtocol("publickey"))
    assert ended == (True, [PluginInitResponse(2, ""), PluginProtocolReject("")])


@pytest.mark.parametrize(
    ("where", "last"),
    [
        ("init", PluginInitFailure("the plugin failed; its standard error says why")),
        ("protocol", PluginProtocolReject("the plugin failed; its standard error says why")),
        ("keyboard_interactive", PluginProtocolAccept()),
        ("result", PluginKIServerResponse(["one", "two"])),
    ],
)
def test_an_exception_in_a_handler_is_a_traceback_and_no_sound_end(
    where: str, last: Message, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [INIT, OFFER, CHALLENGE, PluginAuthSuccess()]
    if where in ("init", "protocol"):
        said = said[: 1 + (where == "protocol")]
    sound, answers = converse(_refusing(where, ZeroDivisionError("oops")), *said)
    assert not sound
    assert answers[-1] == last
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "ZeroDivisionError: oops" in error


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (["only one"], "response-count: 2 prompts take 2 responses, not 1"),
        ("ab", "returned one string"),
        ([1, 2], "responses[0]"),
    ],
)
def test_wrong_answers_of_a_handler_are_not_sent(
    answers: Sequence[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, sent = converse(Scripted(answers), INIT, OFFER, CHALLENGE)
    assert not sound
    assert sent[-1] == PluginProtocolAccept()
    assert reason in capsys.readouterr().err


def test_one_string_is_not_taken_for_prompts(capsys: pytest.CaptureFixture[str]) -> None:
    sound, sent = converse(Scripted(ask="PIN"), INIT, OFFER, CHALLENGE)
    assert not sound
    assert sent[-1] == PluginProtocolAccept()
    assert "ask_user was given one string" in capsys.readouterr().err


def test_a_client_that_is_too_old_is_told() -> None:
    plugin = Scripted()
    sound, [written] = serve(plugin, authplugin.encode(PluginInit(1, "example.com", 22, "")))
    assert sound
    failure = authplugin.decode(written)
    assert isinstance(failure, PluginInitFailure)
    assert "only up to version 1" in str(failure.detach().message)
    assert plugin.seen == []


def test_a_newer_client_gets_the_version_that_the_library_speaks() -> None:
    sound, [written] = serve(Scripted(), authplugin.encode(PluginInit(7, "example.com", 22, "")))
    assert sound
    assert authplugin.decode(written) == PluginInitResponse(2, "bob")


def test_a_client_that_breaks_the_protocol_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    sound, answers = converse(Scripted(), INIT, b"\0\0\0\1\6")
    assert not sound
    assert answers == [PluginInitResponse(2, "bob")]
    error = capsys.readouterr().err
    assert error.startswith("authplugin: the client broke the protocol: wrong-state")
    assert "Traceback" not in error


def test_half_a_frame_is_no_farewell(capsys: pytest.CaptureFixture[str]) -> None:
    sound, _ = converse(Scripted(), INIT, b"\0\0")
    assert not sound
    assert "end-truncated" in capsys.readouterr().err


def test_a_client_whose_pipe_is_broken_has_left() -> None:
    def write(data: bytes) -> None:
        raise BrokenPipeError

    assert authplugin.serve(Scripted(), lambda: authplugin.encode(INIT), write)
    gone: list[BaseException] = []

    class Watching(Scripted):
        def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
            try:
                ask_user(["PIN: "])
            except ClientGone as error:
                gone.append(error)
                raise
            return []

    client = ClientSession()
    inputs = [client.send(INIT)]
    then = [OFFER, CHALLENGE]

    def answer(data: bytes) -> None:
        if not then:
            raise BrokenPipeError
        client.receive_data(data)
        client.next_event()
        inputs.append(client.send(then.pop(0)))

    assert authplugin.serve(Watching(), lambda: inputs.pop(0), answer)
    assert [repr(each) for each in gone] == [
        'ClientGone("the client has closed the plugin\'s output")'
    ]


def test_names_that_are_not_utf8_reach_the_handler_where_limits_allow() -> None:
    plugin = Scripted()
    limits = Limits(any_bytes=True)
    frame = authplugin.encode(PluginInit(2, b"\xff", 22, b""), limits)
    assert serve(plugin, frame, limits=limits)[0]
    assert plugin.seen == [Client(2, "\udcff", 22, "")]


def test_a_plugin_without_opinions_takes_every_user_name_and_result() -> None:
    class Terse(Plugin):
        def keyboard_interactive(self, request: Request, ask_user: AskUser) -> Sequence[str]:
            return ["one", "two"]

    sound, answers = converse(Terse(), INIT, OFFER, CHALLENGE, PluginAuthSuccess())
    assert sound
    assert answers[0] == PluginInitResponse(2, "")


def test_what_a_handler_uses_has_plain_defaults() -> None:
    assert (Refusal().message, str(Refusal(message="no"))) == ("", "no")
    assert Prompt("PIN: ") == ("PIN: ", False)
    asked = inspect.signature(_Conversation.ask_user)
    assert asked == inspect.signature(AskUser.__call__), "what is typed is what is there"


# ---- Over real pipes: `run` ----

Start = Callable[..., subprocess.Popen[bytes]]

CHATTY = """
import os, subprocess, sys
import authplugin

class Chatty(authplugin.Plugin):
    def init(self, client):
        print("printed")
        sys.__stdout__.write("written\\n")
        os.write(1, b"raw\\n")
        subprocess.run([sys.executable, "-c", "print('child', repr(input()))"], check=False)
        return "bob"

    def keyboard_interactive(self, request, ask_user):
        raise RuntimeError("no answer")

authplugin.run(Chatty())
print("after")
"""


@pytest.fixture
def chatty() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(**options: object) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-c", CHATTY]
        started.append(subprocess.Popen(command, **{**pipes, **options}))  # type: ignore[call-overload]
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_stray_output_goes_to_standard_error(
    chatty: Start,
) -> None:
    output, error = chatty().communicate(authplugin.encode(INIT), timeout=30)
    assert authplugin.decode(output) == PluginInitResponse(2, "bob")
    lines = error.decode().splitlines()
    assert {"printed", "written", "raw", "after"} <= set(lines)
    assert "EOFError: EOF when reading a line" in lines  # the child found no input to steal


def test_a_handler_that_fails_ends_the_plugin_with_status_1(
    chatty: Start,
) -> None:
    process = chatty()
    client = ClientSession()
    said = _say(client, INIT, PluginInitResponse(2, ""))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(said)
    process.stdin.flush()
    process.stdout.read(len(authplugin.encode(PluginInitResponse(2, "bob"))))
    process.stdin.write(_say(client, OFFER, PluginProtocolAccept()))
    process.stdin.flush()
    process.stdout.read(len(authplugin.encode(PluginProtocolAccept())))
    output, error = process.communicate(client.send(CHALLENGE), timeout=30)
    assert process.returncode == 1
    assert output == b""
    assert b"RuntimeError: no answer" in error


@pytest.mark.skipif(os.name == "nt", reason="closes a descriptor before exec")
def test_a_plugin_without_standard_error_still_keeps_its_output_clean(
    chatty: Start,
) -> None:
    process = chatty(stderr=None, preexec_fn=lambda: os.close(2))
    output, _ = process.communicate(authplugin.encode(INIT), timeout=30)
    assert authplugin.decode(output) == PluginInitResponse(2, "bob")


LIMITED = """
import os, stat
import authplugin

class Silent(authplugin.Plugin):
    def keyboard_interactive(self, request, ask_user):
        return []

def pipes():
    for fd in range(3, 20):
        try:
            yield stat.S_ISFIFO(os.fstat(fd).st_mode)
        except OSError:
            pass

before = sum(pipes())
try:
    authplugin.run(Silent(), authplugin.Limits(text=4))
except SystemExit as leaving:
    print("status", leaving.code)
print("pipes", sum(pipes()) - before)
"""


@pytest.mark.parametrize(("host", "status"), [("four", None), ("fives", 1)])
def test_a_plugin_keeps_to_its_limits_and_lets_go_of_its_pipes(
    host: str, status: int | None
) -> None:
    said = authplugin.encode(PluginInit(2, host, 22, ""))
    command = [sys.executable, "-c", LIMITED]
    ran = subprocess.run(command, input=said, capture_output=True, timeout=30, check=True)
    lines = ran.stderr.decode().splitlines()
    assert ("status 1" in lines) == (status == 1)
    assert "pipes 0" in lines
    assert ran.stdout == (b"" if status else authplugin.encode(PluginInitResponse(2, "")))


CLAIMING = """
import os, sys
import authplugin.stdio
if sys.argv[1] == "no standard error":
    os.close(2)
    sys.stderr = None
source, sink = authplugin.stdio.claim_stdio()
if sys.argv[1] == "nobody listens":
    os.read(source, 1)
print("printed")
print("printed", file=sys.stderr)
authplugin.stdio.write_all(sink, b"protocol")
"""


@pytest.mark.parametrize("case", ["no standard error", "nobody listens"])
def test_what_is_printed_to_nobody_stops_nothing(case: str) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CLAIMING, case]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stderr is not None
        process.stderr.close()
        output, _ = process.communicate(b"x", timeout=30)
    assert output == b"protocol"
    assert process.returncode == 0
