"""What a bridge between a server and a plugin must do: the few lines that say it (H.4 to H.6).

This knows nothing of the codec's bridge. What the plugin may say, and be told, the model of the
client's role settles. It is told step by step what comes,
and answers with what must go out, what must be told of, and what must be refused.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

from .model import Model, Problem
from .oracles import cursor, grammar, userauth

PHASES: Final = ("starting", "ready", "offered", "waiting", "challenged", "done")
"""How far a bridge has got."""

SERVICE: Final = b"ssh-connection"
"""The service that is asked for."""

METHOD: Final = b"keyboard-interactive"

Told: TypeAlias = tuple[Any, ...]
"""What a bridge tells of: the name of the event, and its fields in their order."""

_SUCCESS, _BANNER, _INFO_REQUEST = 52, 53, 60
_REQUEST, _INFO_RESPONSE = 50, 61
_SERVER_REQUEST, _SERVER_RESPONSE, _USER_RESPONSE = 20, 21, 23


class Refusal(NamedTuple):
    """That something must be refused.

    Attributes:
        blamed: "local", the mistake of whoever uses the bridge, or "remote", that of the server.
        code: with which code; None where any will do.
    """

    blamed: str
    code: str | None = None


def _uint32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _string(data: bytes) -> bytes:
    return _uint32(len(data)) + data


def _frame(code: int, body: bytes = b"") -> bytes:
    return _string(bytes((code,)) + body)


class BridgeModel:
    """A bridge, as the texts have it.

    Args:
        hostname: the name of the server, for the plugin.
        port: its port.
        username: who is to log in; empty where nobody has said so.
        limits: what to take from both, and to send.

    Attributes:
        link: what the plugin and the bridge have said to each other, from the bridge's side.
        helped: whether there is a plugin that helps, or may.
        phase: one of `PHASES`.
        username: who is to log in.
        to_server: the payloads that are to go to the server.
        to_plugin: the bytes that are to go to the plugin.
        told: what is to be told of.
        successes: how often the server has said that the user is in.
    """

    def __init__(
        self, hostname: bytes, port: int, username: bytes, limits: cursor.LimitsLike
    ) -> None:
        self.link = Model("client", limits)
        self.helped = True
        self.phase = "starting"
        self.username = username
        self.to_server: list[bytes] = []
        self.to_plugin = b""
        self.told: list[Told] = []
        self.successes = 0
        self._limits = limits
        self._challenge: dict[str, Any] | None = None
        self._question: Told | None = None
        init = {"type": 1, "version": 2, "hostname": hostname, "port": port, "username": username}
        self._tell_plugin(grammar.build(init))

    @property
    def awaits_plugin(self) -> bool:
        """Whether it is the plugin's turn."""
        return self.helped and self.link.turn == "plugin"

    @property
    def question(self) -> Told | None:
        """What the user has been asked and has not yet answered; see `told`."""
        return self._question

    # What whoever uses it asks of it.

    def authenticate(self) -> Refusal | None:
        """Begin an attempt."""
        if self.phase != "ready":
            return Refusal("local", "wrong-state")
        if not self.username:
            return Refusal("local", "bad-value")
        if self.helped:
            self.phase = "offered"
            self._tell_plugin(_frame(3, _string(METHOD)))
        else:
            self._ask_server()
        return None

    def set_username(self, username: str) -> Refusal | None:
        """Say who is to log in."""
        if self.phase != "ready":
            return Refusal("local", "wrong-state")
        encoded = _utf8(username)
        if encoded is None or len(encoded) > self._limits.text:
            return Refusal("local")
        self.username = encoded
        return None

    def answer(self, responses: list[str]) -> Refusal | None:
        """Answer the question that the user was asked; where that is refused, it stays open."""
        if self._question is None:
            return Refusal("local", "wrong-turn")
        _, by_plugin, _, _, prompts = self._question
        if len(responses) != len(prompts):
            return Refusal("local", "response-count")
        encoded = [_utf8(each) for each in responses]
        body = _uint32(len(responses)) + b"".join(_string(each or b"") for each in encoded)
        if any(each is None or len(each) > self._limits.text for each in encoded):
            return Refusal("local")
        if 1 + len(body) > self._limits.frame:
            return Refusal("local")
        if by_plugin:
            self._tell_plugin(_frame(_USER_RESPONSE, body))
        else:
            self._answer_server(body)
        self._question = None
        return None

    # What comes from the server.

    def server_says(self, payload: bytes) -> Refusal | None:
        """Take in a payload; what is refused changes nothing."""
        # A number from 60 up has a meaning only where the server may ask, and it asks one thing at
        # a time (RFC 4256, 3.2).
        method = METHOD.decode() if self.phase == "waiting" else None
        try:
            message = userauth.decode(_string(payload), self._limits, method)
        except cursor.Refused as refused:
            return Refusal("remote", refused.code)
        if message["type"] in (_REQUEST, _INFO_RESPONSE):
            return Refusal("remote", "wrong-side")
        if message["type"] == _BANNER:
            self.told.append(("Banner", _text(message["message"])))
            return None
        if self.phase not in ("waiting", "challenged"):
            return Refusal("remote", "wrong-state")
        if message["type"] == _INFO_REQUEST:
            self._challenge = message
            self.phase = "challenged"
            if self.helped and self.link.method is not None:
                self._tell_plugin(_frame(_SERVER_REQUEST, payload[1:]))
            else:
                self._ask_user(message, by_plugin=False)
            return None
        return self._decided(message)

    def _decided(self, message: dict[str, Any]) -> Refusal | None:
        success = message["type"] == _SUCCESS
        partial = not success and message["partial_success"]
        if self.helped and self.link.method is not None:
            if self.phase == "challenged":
                # The plugin owes an answer, and nothing can be told to it before (H.1).
                return Refusal("remote", "wrong-state")
            # A partial success is to the plugin a success (H.6.11).
            self._tell_plugin(_frame(6 if success or partial else 7))
        self._challenge = self._question = None
        self.phase = "done" if success else "ready"
        self.successes += success
        names = () if success else tuple(map(_text, filter(None, message["methods"].split(b","))))
        self.told.append(("Outcome", success, partial, names))
        return None

    # What comes from the plugin.

    def plugin_says(self, data: bytes) -> Refusal | None:
        """Take in bytes of the plugin's."""
        if not self.helped:
            return Refusal("local", "session-over")
        wrong = self.link.hear(data)
        self._hear()
        return None if wrong is None else Refusal("local", wrong.code)

    def plugin_ends(self) -> Refusal | None:
        """Take in that the plugin's output has ended."""
        if not self.helped:
            return Refusal("local", "session-over")
        self.link.end_of_file()
        self._hear()
        return None

    def _hear(self) -> None:
        while self.helped and self.link.inbox:
            what, heard = self.link.inbox.popleft()
            if what == "ended":
                self._lose(None)
            else:
                assert isinstance(heard, dict)
                self._heard(heard)
        if self.helped and self.link.violation is not None:
            self._lose(self.link.violation)

    def _heard(self, message: dict[str, Any]) -> None:
        name = cursor.NAMES[message["type"]]
        if name == "PLUGIN_INIT_RESPONSE":
            if _is_text(message["username"]):
                self.username = message["username"] or self.username
                self.phase = "ready"
                self.told.append(("Ready", _text(self.username), True, ""))
            else:
                # Nobody can log in under it (RFC 4252, section 5).
                self._lose(Problem("bad-utf8", "username"))
        elif name == "PLUGIN_INIT_FAILURE":
            self.helped = False
            self.phase = "ready"
            self.told.append(("Ready", _text(self.username), False, _text(message["message"])))
        elif name == "PLUGIN_PROTOCOL_ACCEPT":
            self._ask_server()
        elif name == "PLUGIN_PROTOCOL_REJECT":
            self.told.append(("Declined", _text(message["message"])))
            self._ask_server()
        elif name == "PLUGIN_KI_USER_REQUEST":
            self._ask_user(message, by_plugin=True)
        else:
            responses = message["responses"]
            self._answer_server(_uint32(len(responses)) + b"".join(map(_string, responses)))

    def _lose(self, violation: Problem | None) -> None:
        """Carry on without the plugin: whatever it was to do, the user does."""
        self.helped = False
        self.to_plugin = b""
        self.told.append(("PluginGone", violation))
        if self.phase == "starting":
            self.phase = "ready"
            self.told.append(("Ready", _text(self.username), False, ""))
        elif self.phase == "offered":
            self._ask_server()
        elif self._challenge is not None:
            self._ask_user(self._challenge, by_plugin=False)

    # What goes out.

    def _tell_plugin(self, frame: bytes) -> None:
        wrong = self.link.say(frame)
        assert wrong is None, wrong
        self.to_plugin += frame

    def _ask_server(self) -> None:
        fields = (self.username, SERVICE, METHOD, b"", b"")
        self.to_server.append(bytes((_REQUEST,)) + b"".join(map(_string, fields)))
        self.phase = "waiting"

    def _answer_server(self, body: bytes) -> None:
        self.to_server.append(bytes((_INFO_RESPONSE,)) + body)
        self._challenge = None
        self.phase = "waiting"

    def _ask_user(self, asked: dict[str, Any], *, by_plugin: bool) -> None:
        prompts = tuple((_text(prompt), bool(echo)) for prompt, echo in asked["prompts"])
        name, instructions = _text(asked["name"]), _text(asked["instructions"])
        self._question = ("AskUser", by_plugin, name, instructions, prompts)
        self.told.append(self._question)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(data: bytes) -> str:
    """Return what a person gets to see."""
    return data.decode("utf-8", "replace")


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
