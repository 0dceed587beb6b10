"""A bridge on trial: it and its model side by side, compared after every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from authplugin import Limits, LocalProtocolError, ProtocolError, RemoteProtocolError
from authplugin.userauth import Bridge

from .breaking import LawBroken
from .bridge_model import PHASES, BridgeModel, Refusal, Told
from .model import TYPE_AT, split
from .oracles import cursor
from .subjects import problem_of
from .tally import CURRENT

LAW: Final = "server, bridge and plugin"
"""The name under which what is broken is told of."""

HOSTNAME: Final = "host"
PORT: Final = 22
"""What every bridge on trial is for."""

BRIDGE: Final = "bridge"
"""The role, on the map."""

ROWS: Final = (
    *PHASES,
    "asking the user",
    *(f"{phase}, declined" for phase in ("waiting", "challenged")),
    *(f"{phase}, alone" for phase in ("ready", "waiting", "challenged", "done")),
)
"""Where a bridge can stand, on the map: how far it has got; where the plugin asks the user, has
declined the method, or is not there, also that."""

_SERVER: Final = {51: "FAILURE", 52: "SUCCESS", 53: "BANNER", 60: "INFO_REQUEST"}
_OTHER: Final = "something else"

_MANY: Final = 4096  # characters of what was done, in the text of a disagreement

EVENTS: Final = (
    "authenticate",
    "set the user name",
    "answer",
    *(f"the server says {name}" for name in (*_SERVER.values(), _OTHER)),
    *(f"the plugin says {name}" for name in (*cursor.NAMES.values(), _OTHER)),
    "the plugin ends",
)
"""What can happen to a bridge, or be asked of it. Each can be tried wherever it stands."""


class BridgeTrial:
    """A bridge and its model: each step is taken by both, and what they then are is compared.

    Compared are what is refused and with which code, the payloads and bytes that go out, what is
    told of, and phase, user name, whether the plugin helps and whether it is its turn. Every method
    raises `LawBroken` where they differ.

    Args:
        username: who is to log in; empty where nobody has said so.
        limits: what to take and to send.

    Attributes:
        bridge: the bridge.
        model: its model.
        said: what has been told of so far, in the form of the model.
        texts: everything that could be seen of it so far: of events, errors and the bridge itself.
    """

    def __init__(self, username: str, limits: Limits) -> None:
        self.bridge = Bridge(HOSTNAME, PORT, username, limits=limits)
        self.model = BridgeModel(HOSTNAME.encode(), PORT, username.encode(), limits)
        self.said: list[Told] = []
        self.texts: list[str] = []
        self._log: list[str] = []
        self._to_server: list[bytes] = []
        self._to_plugin = b""
        self._compare()

    @property
    def row(self) -> str:
        """Where it stands: one of `ROWS`."""
        model = self.model
        if not model.helped:
            return f"{model.phase}, alone"
        if model.link.situation.state == "ASKING_USER":
            return "asking the user"
        declined = model.phase in ("waiting", "challenged") and model.link.method is None
        return f"{model.phase}, declined" if declined else model.phase

    def authenticate(self) -> None:
        """Begin an attempt."""
        self._step("authenticate", b"", self.model.authenticate, self.bridge.authenticate)

    def set_username(self, username: str) -> None:
        """Say who is to log in."""
        self._step(
            "set the user name",
            username.encode("utf-8", "surrogatepass"),
            lambda: self.model.set_username(username),
            lambda: self.bridge.set_username(username),
        )

    def answer(self, responses: list[str]) -> None:
        """Answer the question that the user was asked."""
        self._step(
            "answer",
            "\0".join(responses).encode("utf-8", "surrogatepass"),
            lambda: self.model.answer(responses),
            lambda: self.bridge.answer(responses),
        )

    def server_says(self, payload: bytes) -> None:
        """Let a payload come from the server."""
        self._step(
            f"the server says {_SERVER.get(payload[0] if payload else 0, _OTHER)}",
            payload,
            lambda: self.model.server_says(payload),
            lambda: self.bridge.receive_from_server(payload),
        )

    def plugin_says(self, chunks: Iterable[bytes]) -> None:
        """Let bytes come from the plugin, chunk by chunk."""
        for data in chunks:
            frame = split(data)[0] if data else b""
            name = cursor.NAMES.get(frame[TYPE_AT], _OTHER) if len(frame) > TYPE_AT else _OTHER
            self._step(
                f"the plugin says {name}",
                data,
                lambda data=data: self.model.plugin_says(data),  # type: ignore[misc]
                lambda data=data: self.bridge.receive_from_plugin(data),  # type: ignore[misc]
            )

    def plugin_ends(self) -> None:
        """Let the plugin's output end."""
        self._step("the plugin ends", b"", self.model.plugin_ends, self.bridge.plugin_ended)

    def for_server(self) -> list[bytes]:
        """Return what is to go to the server, and forget it."""
        payloads, self._to_server = self._to_server, []
        return payloads

    def for_plugin(self) -> bytes:
        """Return what is to go to the plugin, and forget it."""
        data, self._to_plugin = self._to_plugin, b""
        return data

    def _step(
        self,
        event: str,
        data: bytes,
        wanted: Callable[[], Refusal | None],
        act: Callable[[], None],
    ) -> None:
        CURRENT.events[BRIDGE, self.row, event] += 1
        self._log.append(f"{event} {data.hex()}")
        refusal = wanted()
        came: ProtocolError | None = None
        try:
            act()
        except (LocalProtocolError, RemoteProtocolError) as error:
            came = error
            self.texts += (str(error), repr(error))
        except Exception as error:
            raise self.broken(f"{type(error).__name__}: {error}") from error
        self._agree("what is refused", _blamed(came), refusal and refusal.blamed)
        if refusal is not None and refusal.code is not None:
            self._agree("the code", came and str(came.code), refusal.code)
        self._compare()

    def _compare(self) -> None:
        bridge, model = self.bridge, self.model
        to_server, model.to_server = model.to_server, []
        to_plugin, model.to_plugin = model.to_plugin, b""
        told, model.told = model.told, []
        self._agree("what goes to the server", _hex(bridge.data_for_server()), _hex(to_server))
        self._agree("what goes to the plugin", bridge.data_for_plugin().hex(), to_plugin.hex())
        for wanted in (*told, None):
            event = bridge.next_event()
            self.texts.append(repr(event))
            self._agree("what is told of", _neutral(event), wanted)
        self._agree("how far it has got", str(bridge.phase), model.phase)
        self._agree("who is to log in", bridge.username.encode(), model.username)
        self._agree("whether it is helped", bridge.helped, model.helped)
        self._agree("whether it is the plugin's turn", bridge.awaits_plugin, model.awaits_plugin)
        self.texts.append(repr(bridge))
        self.said += told
        self._to_server += to_server
        # What was to go to a plugin that is gone goes nowhere.
        self._to_plugin = self._to_plugin + to_plugin if model.helped else b""

    def _agree(self, what: str, ours: object, wanted: object) -> None:
        if ours != wanted:
            raise self.broken(f"{what} is {ours!r}, and should be {wanted!r}")

    def broken(self, what: str) -> LawBroken:
        """Return what to raise: what is wrong, and all that was done before."""
        done = "\n".join(f"  {line[:_MANY]}" for line in self._log)
        return LawBroken(f"{LAW}: {what}, after\n{done}")


def _hex(payloads: Iterable[bytes]) -> list[str]:
    return [payload.hex() for payload in payloads]


def _blamed(error: ProtocolError | None) -> str | None:
    if error is None:
        return None
    return "local" if isinstance(error, LocalProtocolError) else "remote"


def _neutral(event: Any) -> Told | None:
    """Return an event in the form of the model."""
    if event is None:
        return None
    values = (getattr(event, name) for name in type(event).__slots__)
    plain = (problem_of(each) if isinstance(each, ProtocolError) else each for each in values)
    return (type(event).__name__, *plain)
