"""Server, bridge and plugin in one process, none of them with any input or output of its own."""

import pytest

from authplugin import (
    Limits,
    LocalProtocolError,
    Message,
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
    PluginSession,
)
from authplugin.session import Event as PluginEvent
from authplugin.userauth import (
    AskUser,
    Bridge,
    Declined,
    Outcome,
    Phase,
    PluginGone,
    Ready,
    SSHUserAuthRequest,
    UserAuthInfoRequest,
    encode_payload,
)

from .clients import Handler
from .talk import CODE, Talk, knowing, usual


def test_a_login() -> None:
    handler = Handler(knowing("123456"), [CODE])
    talk = Talk(handler)
    assert talk.run() == [Ready("alice", helped=True)]
    talk.bridge.authenticate()
    assert talk.run() == [Outcome(success=True)]
    assert (talk.bridge.phase, talk.bridge.username) == (Phase.DONE, "alice")
    assert talk.server.authenticated is not None
    assert talk.server.authenticated.user == "alice"
    assert talk.heard == [
        PluginInit(2, "example.com", 22, ""),
        PluginProtocol("keyboard-interactive"),
        PluginKIServerRequest("Login", "From your token", "", [("Code: ", True)]),
        PluginAuthSuccess(),
    ]


def test_bodies_pass_byte_for_byte() -> None:
    talk = Talk(Handler())
    talk.run()
    talk.bridge.authenticate()
    asked = encode_payload(UserAuthInfoRequest("Ü", "i", "x-y", [("P", True), ("Q", False)]))
    talk._to_plugin()
    [request] = talk.bridge.data_for_server()
    assert request[0] == 50
    talk.bridge.receive_from_server(asked)
    to_plugin = talk.bridge.data_for_plugin()
    assert to_plugin[5:] == asked[1:]
    assert to_plugin[4] == 20
    from_plugin = b"\0\0\0\x0f\x15\0\0\0\2\0\0\0\1x\0\0\0\1y"
    talk.bridge.receive_from_plugin(from_plugin)
    assert talk.bridge.data_for_server() == [b"\x3d" + from_plugin[5:]]


def test_a_refusal_and_a_second_attempt() -> None:
    codes = iter(["wrong", "123456"])

    def answer(message: PluginEvent) -> Message | None:
        if isinstance(message, PluginKIServerRequest):
            return PluginKIServerResponse([next(codes)])
        return usual(message)

    talk = Talk(Handler(knowing("123456"), [CODE]), answer)
    talk.run()
    talk.bridge.authenticate()
    [refused] = talk.run()
    assert refused == Outcome(
        success=False, methods=("publickey", "password", "keyboard-interactive")
    )
    talk.bridge.authenticate()
    assert talk.run() == [Outcome(success=True)]
    outcomes = [
        each for each in talk.heard if isinstance(each, (PluginAuthFailure, PluginAuthSuccess))
    ]
    assert outcomes == [PluginAuthFailure(), PluginAuthSuccess()]


def test_a_partial_success_is_a_success_to_the_plugin() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.auth_method == "keyboard-interactive-1"
        event.partial_success = event.auth_method == "keyboard-interactive"
        event.available_methods = "publickey,keyboard-interactive"

    talk = Talk(Handler(decide, [CODE]))
    talk.run()
    talk.bridge.authenticate()
    assert talk.run() == [Outcome(success=False, partial=True, methods=("publickey",))]
    assert talk.heard[-1] == PluginAuthSuccess()
    assert talk.bridge.phase is Phase.READY


def test_the_server_decides_without_asking() -> None:
    talk = Talk(Handler(knowing()))
    talk.run()
    talk.bridge.authenticate()
    assert talk.run() == [Outcome(success=True)]
    assert talk.heard[-2:] == [PluginProtocol("keyboard-interactive"), PluginAuthSuccess()]


def test_the_user_answers_the_plugin() -> None:
    def answer(message: PluginEvent) -> Message | None:
        if isinstance(message, PluginKIServerRequest):
            return PluginKIUserRequest("Token", "Unlock", "", [("PIN: ", False)])
        if isinstance(message, PluginKIUserResponse):
            return PluginKIServerResponse([str(message.detach().responses[0]) + "56"])
        return usual(message)

    talk = Talk(Handler(knowing("123456"), [CODE]), answer, user=lambda asked: ["1234"])
    talk.run()
    talk.bridge.authenticate()
    asked = AskUser(True, "Token", "Unlock", (("PIN: ", False),))
    assert talk.run() == [asked, Outcome(success=True)]


@pytest.mark.parametrize("how", [PluginInitFailure("No token"), PluginProtocolReject("No token")])
def test_without_the_plugin_the_user_is_asked(how: Message) -> None:
    def answer(message: PluginEvent) -> Message | None:
        declines = isinstance(how, PluginInitFailure) or isinstance(message, PluginProtocol)
        return how if declines else usual(message)

    talk = Talk(
        Handler(knowing("123456"), [CODE]), answer, username="bob", user=lambda asked: ["123456"]
    )
    first = talk.run()
    talk.bridge.authenticate()
    said = first + talk.run()
    asked = AskUser(False, "Login", "From your token", (("Code: ", True),))
    if isinstance(how, PluginInitFailure):
        assert said == [Ready("bob", helped=False, message="No token"), asked, Outcome(True)]
        assert not talk.bridge.helped
    else:
        ready = Ready("alice", helped=True)
        assert said == [ready, Declined("No token"), asked, Outcome(True)]
        assert talk.bridge.helped
    assert not any(isinstance(each, PluginAuthSuccess) for each in talk.heard)


@pytest.mark.parametrize(
    "during", [PluginInit, PluginProtocol, PluginKIServerRequest, PluginAuthFailure]
)
def test_the_plugin_goes_in_the_middle(during: type[Message]) -> None:
    def answer(message: PluginEvent) -> Message | None:
        if isinstance(message, during):
            raise EOFError
        if isinstance(message, PluginKIServerRequest):
            return PluginKIServerResponse(["wrong"])
        return usual(message)

    talk = Talk(
        Handler(knowing("123456"), [CODE]), answer, username="bob", user=lambda asked: ["123456"]
    )
    talk.run()
    talk.bridge.authenticate()
    talk.run()
    if during is PluginAuthFailure:
        talk.bridge.authenticate()
        talk.run()
    assert talk.events[-1] == Outcome(success=True)
    [gone] = [each for each in talk.events if isinstance(each, PluginGone)]
    clean = during is PluginAuthFailure
    assert (gone.violation is None) == clean
    assert sum(isinstance(each, AskUser) for each in talk.events) == 1
    helped = during is not PluginInit
    assert Ready("alice" if helped else "bob", helped) in talk.events
    with pytest.raises(LocalProtocolError):
        talk.bridge.receive_from_plugin(b"\0")
    with pytest.raises(LocalProtocolError):
        talk.bridge.plugin_ended()


def test_a_plugin_that_breaks_the_protocol_is_done_without() -> None:
    talk = Talk(Handler(knowing("123456"), [CODE]), username="bob", user=lambda asked: ["123456"])
    talk.run()
    talk.bridge.authenticate()
    talk.bridge.receive_from_plugin(b"\0\0\0\1\x15")
    [gone] = talk.run()[:1]
    assert isinstance(gone, PluginGone)
    assert gone.violation is not None
    assert talk.events[-1] == Outcome(success=True)


def test_a_plugin_that_goes_while_it_asks_the_user() -> None:
    bridge = Bridge("example.com", 22, "bob")
    plugin = PluginSession()

    def pass_to_plugin(*replies: Message) -> None:
        plugin.receive_data(bridge.data_for_plugin())
        list(plugin.events())
        for reply in replies:
            bridge.receive_from_plugin(plugin.send(reply))

    pass_to_plugin(PluginInitResponse(2, ""))
    bridge.authenticate()
    pass_to_plugin(PluginProtocolAccept())
    bridge.receive_from_server(encode_payload(UserAuthInfoRequest("", "", "", [("Code: ", True)])))
    pass_to_plugin(PluginKIUserRequest("", "", "", [("PIN: ", False), ("Again: ", False)]))
    bridge.plugin_ended()
    events = []
    while (event := bridge.next_event()) is not None:
        events.append(event)
    assert [type(each) for each in events] == [Ready, AskUser, PluginGone, AskUser]
    assert events[-1] == AskUser(False, "", "", (("Code: ", True),))
    bridge.answer(["1"])
    assert bridge.data_for_server()[-1][0] == 61


def test_a_byte_that_is_true_passes_as_it_is() -> None:
    talk = Talk(Handler())
    limits = Limits(nonzero_is_true=True)
    talk.bridge = Bridge("example.com", 22, "bob", limits=limits)
    talk.run()
    talk.bridge.authenticate()
    talk._to_plugin()
    asked = encode_payload(UserAuthInfoRequest("", "", "", [("P", True)]))[:-1] + b"\7"
    talk.bridge.receive_from_server(asked)
    assert talk.bridge.data_for_plugin()[5:] == asked[1:]
