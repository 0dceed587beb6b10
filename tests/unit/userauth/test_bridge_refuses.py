"""What a bridge does not take: of the server, of the plugin, of whoever calls it."""

import pytest

from authplugin import (
    Limits,
    LocalProtocolError,
    Message,
    PluginInitFailure,
    PluginInitResponse,
    PluginProtocolReject,
    PluginSession,
    RemoteProtocolError,
    encode,
)
from authplugin.userauth import (
    Banner,
    Bridge,
    Declined,
    Outcome,
    Phase,
    PluginGone,
    Ready,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthSuccess,
    encode_payload,
)
from authplugin.userauth.bridge_events import Event

from .clients import Handler
from .talk import CODE, USER, Talk, knowing


def test_banners_are_shown_at_any_time() -> None:
    talk = Talk(Handler())
    talk.bridge.receive_from_server(encode_payload(UserAuthBanner("Welcome", "")))
    assert talk.bridge.next_event() == Banner("Welcome")


@pytest.mark.parametrize(
    "payload",
    [
        encode_payload(UserAuthSuccess()),
        encode_payload(UserAuthFailure("password", False)),
        encode_payload(UserAuthInfoRequest("", "", "", [])),
        b"\x32" + bytes(12),
        b"\x3d" + bytes(4),
        b"",
        b"\x34 ",
    ],
)
def test_what_the_server_may_not_say(payload: bytes) -> None:
    talk = Talk(Handler())
    talk.run()
    with pytest.raises(RemoteProtocolError):
        talk.bridge.receive_from_server(payload)


def test_what_the_server_may_not_say_before_it_has_the_answer() -> None:
    talk = Talk(Handler())
    talk.run()
    talk.bridge.authenticate()
    talk._to_plugin()
    talk.bridge.receive_from_server(encode_payload(UserAuthInfoRequest("", "", "", [])))
    with pytest.raises(RemoteProtocolError, match="before the answer"):
        talk.bridge.receive_from_server(encode_payload(UserAuthSuccess()))


@pytest.mark.parametrize(
    "decision",
    [
        UserAuthSuccess(),
        UserAuthFailure("password", False),
        UserAuthFailure("keyboard-interactive", True),
    ],
)
def test_what_the_user_has_yet_to_answer_is_over_once_the_server_has_decided(
    decision: UserAuthSuccess | UserAuthFailure,
) -> None:
    bridge = Bridge("h", 22, "bob")
    bridge.plugin_ended()
    bridge.authenticate()
    bridge.receive_from_server(encode_payload(UserAuthInfoRequest("", "", "", [("Code: ", True)])))
    bridge.receive_from_server(encode_payload(decision))
    bridge.data_for_server()
    with pytest.raises(LocalProtocolError, match="wrong-turn"):
        bridge.answer(["123456"])
    assert bridge.data_for_server() == []
    if isinstance(decision, UserAuthFailure):
        bridge.authenticate()
        with pytest.raises(LocalProtocolError, match="wrong-turn"):
            bridge.answer(["123456"])


def test_mistakes_of_the_caller_change_nothing() -> None:
    talk = Talk(Handler(knowing("123456"), [CODE]), lambda message: None)
    with pytest.raises(LocalProtocolError, match="wrong-state"):
        talk.bridge.authenticate()
    with pytest.raises(LocalProtocolError, match="wrong-state"):
        talk.bridge.set_username("bob")
    with pytest.raises(LocalProtocolError, match="wrong-turn"):
        talk.bridge.answer([])
    plugin = talk.plugin
    assert plugin is not None
    talk._to_plugin()
    assert talk.bridge.awaits_plugin
    talk.bridge.receive_from_plugin(plugin.send(USER))
    with pytest.raises(LocalProtocolError, match="no user name"):
        talk.bridge.authenticate()
    talk.bridge.set_username("bob")
    talk.bridge.authenticate()
    talk._to_plugin()
    talk.bridge.receive_from_plugin(plugin.send(PluginProtocolReject("")))
    talk._to_server()
    with pytest.raises(LocalProtocolError, match="response-count"):
        talk.bridge.answer(["1", "2"])
    with pytest.raises(LocalProtocolError):
        talk.bridge.answer(["\ud800"])
    while talk.bridge.next_event() is not None:
        pass
    talk.bridge.answer(["123456"])
    assert talk.run() == [Outcome(success=True)]


ANY = Limits(any_bytes=True)


def heard(bridge: Bridge, *messages: Message) -> list[Event]:
    """Return what comes of what a plugin says in one go."""
    plugin = PluginSession(ANY)
    plugin.receive_data(bridge.data_for_plugin())
    list(plugin.events())
    bridge.receive_from_plugin(b"".join(encode(each, ANY) for each in messages))
    events = []
    while (event := bridge.next_event()) is not None:
        events.append(event)
    return events


@pytest.mark.parametrize(
    ("username", "code"),
    [(b"\xff", "bad-utf8"), ("a" * 60, "frame-too-long")],
)
def test_a_plugins_user_name_that_cannot_be_sent(username: bytes | str, code: str) -> None:
    bridge = Bridge("example.com", 22, "bob", limits=Limits(any_bytes=True, frame=100))
    gone = heard(bridge, PluginInitResponse(2, username))[0]
    assert isinstance(gone, PluginGone)
    assert gone.violation is not None
    assert (gone.violation.code, gone.violation.field) == (code, "username")
    assert bridge.username == "bob"
    bridge.authenticate()
    assert len(bridge.data_for_server()) == 1


def test_what_a_plugin_says_to_people_is_shown_whatever_it_is() -> None:
    [ready] = heard(Bridge("h", 22, "bob", limits=ANY), PluginInitFailure(b"caf\xff"))
    assert ready == Ready("bob", helped=False, message="caf\ufffd")
    bridge = Bridge("h", 22, "bob", limits=ANY)
    heard(bridge, USER)
    bridge.authenticate()
    bridge.receive_from_plugin(encode(PluginProtocolReject(b"\xff"), ANY))
    assert bridge.next_event() == Declined("\ufffd")


def test_a_plugin_that_will_not_help_is_not_heard_any_more() -> None:
    bridge = Bridge("h", 22, "bob")
    assert heard(bridge, PluginInitFailure("No"), PluginInitFailure("No")) == [
        Ready("bob", helped=False, message="No")
    ]


@pytest.mark.parametrize("wrong", ["\ud800", "a" * 70_000])
def test_a_user_name_that_cannot_be_sent(wrong: str) -> None:
    with pytest.raises(LocalProtocolError):
        Bridge("h", 22, wrong)
    bridge = Bridge("h", 22)
    heard(bridge, USER)
    with pytest.raises(LocalProtocolError):
        bridge.set_username(wrong)
    assert (bridge.username, bridge.phase) == ("", Phase.READY)


def test_a_service_that_cannot_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="service"):
        Bridge("h", 22, service="é")
