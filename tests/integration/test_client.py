"""Our client drives plugins that share no code with us: in C, for Node.js, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from authplugin import (
    EndKind,
    EndOfFile,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProcess,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
    RemoteProtocolError,
)
from tests.integration.peers import compile_c_plugin, node_plugin, python_plugin

INIT = PluginInit(2, "example.com", 22, "")
OFFER = PluginProtocol("keyboard-interactive")
CHALLENGE = PluginKIServerRequest("", "", "", [("Pässword: ", False), ("Code: ", True)])
ANSWERS = ["--answer", "Pässword: =öpen", "--answer", "Code: =123456"]

Drive = Callable[..., PluginProcess]


@pytest.fixture(scope="module", params=["c", "node", "python"])
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    makers: dict[str, Callable[[], list[str]]] = {
        "c": lambda: compile_c_plugin(tmp_path_factory.mktemp("plugin")),
        "node": node_plugin,
        "python": python_plugin,
    }
    return makers[request.param]()


@pytest.fixture
def drive(command: list[str]) -> Drive:
    return lambda *arguments: PluginProcess([*command, *arguments], timeout=20.0)


def test_a_login_succeeds(drive: Drive, tmp_path: Path) -> None:
    log = tmp_path / "outcomes"
    with drive(*ANSWERS, "--username", "bøb", "--log", str(log)) as plugin:
        assert plugin.request(INIT) == PluginInitResponse(2, "bøb")
        assert plugin.request(OFFER) == PluginProtocolAccept()
        answer = plugin.request(CHALLENGE)
        assert answer == PluginKIServerResponse(["öpen", "123456"])
        assert plugin.request(PluginKIServerRequest("", "", "", [])) == PluginKIServerResponse([])
        plugin.send(PluginAuthSuccess())
        assert plugin.close() == 0
    assert log.read_text() == "success\n"


def test_a_login_fails_and_the_next_method_is_tried(drive: Drive, tmp_path: Path) -> None:
    log = tmp_path / "outcomes"
    with drive(*ANSWERS, "--log", str(log)) as plugin:
        plugin.request(INIT)
        plugin.request(OFFER)
        plugin.request(CHALLENGE)
        plugin.send(PluginAuthFailure())
        assert plugin.request(PluginProtocol("publickey")) == PluginProtocolReject("")
        assert plugin.request(OFFER) == PluginProtocolAccept()
        plugin.send(PluginAuthSuccess())
        assert plugin.close() == 0
    assert log.read_text() == "failure\nsuccess\n"


def test_a_method_is_rejected(drive: Drive) -> None:
    with drive("--reject", "not this time") as plugin:
        plugin.request(INIT)
        assert plugin.request(OFFER) == PluginProtocolReject("not this time")
        assert plugin.close() == 0


def test_a_plugin_refuses_to_begin(drive: Drive) -> None:
    with drive("--fail-init", "no token") as plugin:
        assert plugin.request(INIT) == PluginInitFailure("no token")
        assert plugin.close() == 0


def test_a_plugin_asks_the_user(drive: Drive) -> None:
    with drive("--ask", "--answer", "Code: =123456") as plugin:
        plugin.request(INIT)
        plugin.request(OFFER)
        question = plugin.request(CHALLENGE)
        assert isinstance(question, PluginKIUserRequest)
        assert question.detach().prompts == [("Pässword: ", False)]
        answer = plugin.request(PluginKIUserResponse(["typed"]))
        assert answer == PluginKIServerResponse(["typed", "123456"])


def test_a_plugin_that_is_told_nonsense_says_so_and_ends(drive: Drive) -> None:
    with drive() as plugin:
        plugin.request(INIT)
        assert plugin.request(OFFER) == PluginProtocolAccept()
        plugin.process.write(b"\0\0\0\1\0")
        assert plugin.process.wait(20.0) == 1
        assert plugin.process.error_output.strip()


def test_a_plugin_that_has_refused_ends_when_its_input_does(drive: Drive) -> None:
    with drive("--fail-init", "no token") as plugin:
        plugin.request(INIT)
        plugin.process.close_input()
        assert plugin.receive() == EndOfFile(EndKind.CLEAN)


def test_a_plugin_that_dies_in_its_turn_has_failed(drive: Drive) -> None:
    with drive() as plugin:
        plugin.process.close_input()
        with pytest.raises(RemoteProtocolError) as caught:
            plugin.request(INIT)
        assert caught.value.code == "end-premature"
