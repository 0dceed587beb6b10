"""The client between an SSH server and a plugin (H.1, H.5): what one asks, the other answers.

It does no input or output. What comes from the server, from the plugin and from the user goes in;
what is to be sent to the server and to the plugin, and what the user is to be asked, comes out.
"""

from __future__ import annotations

from collections import deque

from ..codec import Data
from ..errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from ..kinds import TextValue
from ..limits import DEFAULT_LIMITS, Limits
from ..messages import (
    KEYBOARD_INTERACTIVE,
    VERSIONS,
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
)
from ..session import ClientSession
from ..session import Event as PluginEvent
from ..table import Message, Side
from .bridge_events import AskUser, Banner, Declined, Event, Outcome, Phase, PluginGone, Ready
from .codec import decode_payload, encode_payload
from .messages import (
    Sender,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthSuccess,
)


class Bridge:
    """Carries keyboard-interactive authentication between a server and a plugin.

    Args:
        hostname: the logical name of the server, for the plugin.
        port: its port.
        username: the user name to log in with, unless the plugin has another; empty where nobody
            has said one.
        service: the SSH service to ask for.
        limits: what to take from both, and to send.

    Raises:
        LocalProtocolError: where one of these cannot be sent.
    """

    def __init__(
        self,
        hostname: str,
        port: int,
        username: str = "",
        *,
        service: str = "ssh-connection",
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.limits = limits
        self._username = username
        self._service = service
        self._plugin: ClientSession | None = ClientSession(limits)
        self._to_server: list[bytes] = []
        self._to_plugin = b""
        self._events: deque[Event] = deque()
        self._asked: UserAuthInfoRequest | None = None
        self._user_asked: AskUser | None = None
        self._phase = Phase.STARTING
        self._request(username)
        self._tell_plugin(PluginInit(VERSIONS[-1], hostname, port, username))

    @property
    def phase(self) -> Phase:
        """How far it has got."""
        return self._phase

    @property
    def username(self) -> str:
        """The user name to log in with: the plugin's, where it has one."""
        return self._username

    @property
    def helped(self) -> bool:
        """Whether there is a plugin that helps with the method under way, or may with the next."""
        return self._plugin is not None

    @property
    def awaits_plugin(self) -> bool:
        """Whether it is the plugin's turn: nothing is due from the server or the user."""
        plugin = self._plugin
        return plugin is not None and plugin.turn is Side.PLUGIN

    def data_for_server(self) -> list[bytes]:
        """Return the payloads to send to the server, in order, and forget them."""
        payloads, self._to_server = self._to_server, []
        return payloads

    def data_for_plugin(self) -> bytes:
        """Return the bytes to send to the plugin, and forget them."""
        data, self._to_plugin = self._to_plugin, b""
        return data

    def next_event(self) -> Event | None:
        """Return the next thing that has come of it, or None where there is none yet."""
        return self._events.popleft() if self._events else None

    def authenticate(self) -> None:
        """Begin an attempt at keyboard-interactive.

        Raises:
            LocalProtocolError: where another one is under way, or the plugin has yet to speak, or
                nobody has said a user name.
        """
        self._check(Phase.READY)
        if not self._username:
            raise LocalProtocolError(ErrorCode.BAD_VALUE, "there is no user name to log in with")
        if self._plugin is None:
            self._ask_server()
        else:
            self._phase = Phase.OFFERED
            self._tell_plugin(PluginProtocol(KEYBOARD_INTERACTIVE))

    def set_username(self, username: str) -> None:
        """Say who is to log in, where neither the caller nor the plugin has said so before.

        Raises:
            LocalProtocolError: where it is not the time for it, or the name cannot be sent.
        """
        self._check(Phase.READY)
        self._request(username)
        self._username = username

    def answer(self, responses: list[str]) -> None:
        """Take what the user answered to the last `AskUser`.

        Raises:
            LocalProtocolError: where nothing was asked, or the answers are not as many as the
                prompts, or cannot be sent. The question stays open then.
        """
        asked = self._user_asked
        if asked is None:
            raise LocalProtocolError(ErrorCode.WRONG_TURN, "nothing was asked of the user")
        if len(responses) != len(asked.prompts):
            raise LocalProtocolError(
                ErrorCode.RESPONSE_COUNT,
                f"{len(asked.prompts)} prompts take {len(asked.prompts)} responses, "
                f"not {len(responses)}",
            )
        if asked.by_plugin:
            self._tell_plugin(PluginKIUserResponse(responses))
        else:
            self._tell_server(UserAuthInfoResponse(responses))
            self._asked, self._phase = None, Phase.WAITING
        self._user_asked = None

    def receive_from_server(self, payload: Data) -> None:
        """Take in a user authentication message of the server's, the payload of an SSH packet.

        Raises:
            RemoteProtocolError: where it is none, or not due.
        """
        method = KEYBOARD_INTERACTIVE if self._phase is Phase.WAITING else None
        message = decode_payload(payload, self.limits, method)
        if message.spec.sender is not Sender.SERVER:
            raise RemoteProtocolError(
                ErrorCode.WRONG_SIDE, f"{message.spec.name} is sent by the client"
            )
        if isinstance(message, UserAuthBanner):
            self._events.append(Banner(str(message.detach().message)))
            return
        if self._phase not in (Phase.WAITING, Phase.CHALLENGED):
            raise RemoteProtocolError(
                ErrorCode.WRONG_STATE, f"{message.spec.name} came where nothing was asked"
            )
        if isinstance(message, UserAuthInfoRequest):
            self._asked, self._phase = message, Phase.CHALLENGED
            self._pass_on(message)
        else:
            self._conclude(message)

    def receive_from_plugin(self, data: Data) -> None:
        """Take in bytes of the plugin's; what is wrong with them becomes a `PluginGone`.

        Raises:
            LocalProtocolError: where the plugin was said to be gone.
        """
        plugin = self._plugin_or_raise()
        plugin.receive_data(data)
        self._hear(plugin)

    def plugin_ended(self) -> None:
        """Say that the plugin's output has ended.

        Raises:
            LocalProtocolError: where the plugin was said to be gone.
        """
        plugin = self._plugin_or_raise()
        plugin.receive_end_of_file()
        self._hear(plugin)

    def _plugin_or_raise(self) -> ClientSession:
        if self._plugin is None:
            raise LocalProtocolError(ErrorCode.SESSION_OVER, "the plugin does not help any more")
        return self._plugin

    def _check(self, phase: Phase) -> None:
        if self._phase is not phase:
            raise LocalProtocolError(
                ErrorCode.WRONG_STATE, f"the bridge is {self._phase}, and not {phase}"
            )

    def _tell_plugin(self, message: Message) -> None:
        assert self._plugin is not None
        self._to_plugin += self._plugin.send(message)

    def _tell_server(self, message: UserAuthMessage) -> None:
        self._to_server.append(encode_payload(message, self.limits))

    def _ask_server(self) -> None:
        self._to_server.append(self._request(self._username))
        self._phase = Phase.WAITING

    def _request(self, username: TextValue) -> bytes:
        """Return the request for a user; raises LocalProtocolError where it cannot be sent."""
        return encode_payload(
            UserAuthKeyboardInteractive(username, self._service, "", ""), self.limits
        )

    def _pass_on(self, request: UserAuthInfoRequest) -> None:
        """Have the plugin, or where there is none the user, answer the server."""
        if self._plugin is None or self._plugin.method is None:
            self._ask_user(request, by_plugin=False)
        else:
            self._tell_plugin(
                PluginKIServerRequest(
                    request.name, request.instructions, request.language, request.prompts
                )
            )

    def _ask_user(
        self, request: UserAuthInfoRequest | PluginKIUserRequest, *, by_plugin: bool
    ) -> None:
        owned = request.detach()
        prompts = tuple((str(prompt), bool(echo)) for prompt, echo in owned.prompts)
        self._user_asked = AskUser(by_plugin, str(owned.name), str(owned.instructions), prompts)
        self._events.append(self._user_asked)

    def _conclude(self, message: UserAuthMessage) -> None:
        """Take in that the server has decided, be it without asking or in the middle."""
        success = isinstance(message, UserAuthSuccess)
        partial, methods = False, ""
        if isinstance(message, UserAuthFailure):
            partial, methods = bool(message.partial_success), str(message.detach().methods)
        if self._plugin is not None and self._plugin.method is not None:
            if self._phase is Phase.CHALLENGED:
                raise RemoteProtocolError(
                    ErrorCode.WRONG_STATE, f"{message.spec.name} came before the answer"
                )
            # A partial success is, to the plugin, a success (RFC 4252, 5.1; H.6.11).
            self._tell_plugin(PluginAuthSuccess() if success or partial else PluginAuthFailure())
        self._asked = self._user_asked = None
        self._phase = Phase.DONE if success else Phase.READY
        names = tuple(name for name in methods.split(",") if name)
        self._events.append(Outcome(success, partial, names))

    def _hear(self, plugin: ClientSession) -> None:
        """Take in what the plugin has said, the good before the bad."""
        try:
            for event in plugin.events():
                self._heard(event)
                if self._plugin is None:
                    return  # it has said that it will not help: no more is heard of it
        except RemoteProtocolError as violation:
            self._lose_plugin(violation)

    def _heard(self, event: PluginEvent) -> None:
        match event:
            case PluginInitResponse():
                self._username = self._name(event.username) or self._username
                self._phase = Phase.READY
                self._events.append(Ready(self._username, helped=True))
            case PluginInitFailure():
                self._plugin = None
                self._phase = Phase.READY
                said = _shown(event.message)
                self._events.append(Ready(self._username, helped=False, message=said))
            case PluginProtocolAccept():
                self._ask_server()
            case PluginProtocolReject():
                self._events.append(Declined(_shown(event.message)))
                self._ask_server()
            case PluginKIServerResponse():
                self._tell_server(UserAuthInfoResponse(event.responses))
                self._asked, self._phase = None, Phase.WAITING
            case PluginKIUserRequest():
                self._ask_user(event, by_plugin=True)
            case _:
                self._lose_plugin(None)  # its output has ended, as it may

    def _name(self, given: TextValue) -> str:
        """Return the plugin's user name; raises RemoteProtocolError where it cannot be sent."""
        try:
            self._request(given)
        except LocalProtocolError as error:
            raise RemoteProtocolError(
                error.code, "nobody can log in with this user name", field="username"
            ) from None
        return _shown(given)

    def _lose_plugin(self, violation: RemoteProtocolError | None) -> None:
        """Carry on without the plugin, with the user in its place."""
        self._plugin = None
        self._to_plugin = b""
        self._events.append(PluginGone(violation))
        if self._phase is Phase.STARTING:
            self._phase = Phase.READY
            self._events.append(Ready(self._username, helped=False))
        elif self._phase is Phase.OFFERED:
            self._ask_server()
        elif self._asked is not None:
            self._ask_user(self._asked, by_plugin=False)


def _shown(text: TextValue) -> str:
    """Return a text of the plugin's; it may be no UTF-8 (see `Limits.any_bytes`)."""
    return text if isinstance(text, str) else str(text, "utf-8", "replace")
