"""Server, bridge and plugin in one conversation."""

from collections.abc import Callable

from authplugin import (
    EndOfFile,
    Message,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginSession,
)
from authplugin.session import Event as PluginEvent
from authplugin.userauth import (
    AskUser,
    Bridge,
    Prompts,
    SSHUserAuthRequest,
    UserAuthServer,
)
from authplugin.userauth.bridge_events import Event

from .clients import SESSION_ID, Handler

CODE = Prompts([("Code: ", True)], "Login", "From your token")
USER = PluginInitResponse(2, "")


def usual(message: PluginEvent) -> Message | None:
    """Answer as a plugin does that knows every code."""
    match message:
        case PluginInit():
            return PluginInitResponse(2, "alice")
        case PluginProtocol():
            return PluginProtocolAccept()
        case PluginKIServerRequest():
            return PluginKIServerResponse(["123456" for _ in message.prompts])
    return None


class Talk:
    """All three, and what was said.

    Args:
        handler: the server's.
        answer: what the plugin answers to a message; None says nothing, and `EOFError` ends it.
        user: what the user answers.
    """

    def __init__(
        self,
        handler: Handler,
        answer: Callable[[PluginEvent], Message | None] = usual,
        *,
        username: str = "",
        user: Callable[[AskUser], list[str]] = lambda asked: [],
    ) -> None:
        self.server = UserAuthServer(handler, session_id=SESSION_ID)
        self.bridge = Bridge("example.com", 22, username)
        self.plugin: PluginSession | None = PluginSession()
        self.answer = answer
        self.user = user
        self.events: list[Event] = []
        self.heard: list[PluginEvent] = []
        self.to_server: list[bytes] = []

    def run(self) -> list[Event]:
        """Carry everything to where it belongs until nobody has anything to say."""
        before = len(self.events)
        moved = True
        while moved:
            moved = self._to_plugin() | self._to_server()
            while (event := self.bridge.next_event()) is not None:
                moved = True
                self.events.append(event)
                if isinstance(event, AskUser):
                    self.bridge.answer(self.user(event))
        return self.events[before:]

    def _to_plugin(self) -> bool:
        data = self.bridge.data_for_plugin()
        if not data or self.plugin is None:
            return False
        self.plugin.receive_data(data)
        for event in self.plugin.events():
            assert not isinstance(event, EndOfFile)
            self.heard.append(event.detach())
            try:
                reply = self.answer(event)
            except EOFError:
                self.plugin = None
                self.bridge.plugin_ended()
                break
            if reply is not None:
                self.bridge.receive_from_plugin(self.plugin.send(reply))
        return True

    def _to_server(self) -> bool:
        payloads = self.bridge.data_for_server()
        self.to_server += payloads
        for payload in payloads:
            self.server.receive(payload)
        for payload in self.server.data_to_send():
            self.bridge.receive_from_server(payload)
        return bool(payloads)


def knowing(*secrets: str) -> Callable[[SSHUserAuthRequest], None]:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.auth_param in ("", *secrets) and event.auth_method != "none"

    return decide
