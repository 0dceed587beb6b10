"""Server, bridge and plugin in one process, with faults on every pipe between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import DataObject, SearchStrategy

from authplugin import Limits, Message, encode
from authplugin.messages import (
    KEYBOARD_INTERACTIVE,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginProtocolAccept,
    PluginProtocolReject,
)
from authplugin_corpus.faults import FAULTS, USER_AUTH_FAULTS, Fault, Scope
from authplugin_corpus.protocols import PLUGIN, USER_AUTH

from ..strategies import chunkings, damaged, messages
from ..tally import CURRENT, Run
from ..trio import SECRET, Deed, Pipe, Step, Trio

STRICT: Final = Limits(frame=2048, text=130, count=8)
SMALL: Final = Limits(frame=192, text=48, count=3)
LENIENT: Final = Limits(frame=2048, text=130, count=8, nonzero_is_true=True, any_bytes=True)
"""What the three accept."""

_PLUGIN_PIPES: Final = (Pipe.BRIDGE_TO_PLUGIN, Pipe.PLUGIN_TO_BRIDGE)
_OF_PIPES: Final = tuple(deed for deed in Deed if deed >= Deed.CARRY and deed is not Deed.PUT)
_OF_FRAMES: Final = tuple(fault for fault in FAULTS if fault.scope is Scope.FRAME)

_FAULTS: Final[dict[Pipe, tuple[Fault, ...]]] = {
    pipe: _OF_FRAMES if pipe in _PLUGIN_PIPES else USER_AUTH_FAULTS for pipe in Pipe
}

_TEXTS: Final = st.sampled_from(("", "x", SECRET, "é", "a" * 47)) | st.text(max_size=8)

_DUE: Final[dict[str, tuple[type[Message], ...]]] = {
    "INITIALISING": (PluginInitResponse, PluginInitResponse, PluginInitFailure),
    "OFFERED": (PluginProtocolAccept, PluginProtocolAccept, PluginProtocolReject),
    "CHALLENGED": (PluginKIServerResponse, PluginKIServerResponse, PluginKIUserRequest),
}
"""What the plugin may say where it is its turn; what leads on twice."""


class TrioMachine(RuleBasedStateMachine):
    """A login, time and again, that faults strike on every pipe, and that anybody may leave.

    Attributes:
        trio: the three; see `trio.Trio`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run: Run = CURRENT.run(type(self).__name__)
        self.limits = STRICT
        self.trio: Trio | None = None

    @initialize(
        limits=st.sampled_from((STRICT, SMALL, LENIENT)), username=st.sampled_from(("", "bob"))
    )
    def start(self, limits: Limits, username: str) -> None:
        """Start the three."""
        self.limits = limits
        self.trio = Trio(username, limits)

    def take(
        self,
        deed: Deed,
        pipe: Pipe = Pipe.SERVER_TO_BRIDGE,
        data: bytes = b"",
        sizes: Sequence[int] = (),
        *,
        held: bool = False,
    ) -> None:
        """Take a step."""
        assert self.trio is not None
        self.run.steps += 1
        self.trio.take(Step(deed, pipe, data, sizes, held))

    @rule(
        choice=st.data(),
        count=st.integers(1, 9),
        limits=st.sampled_from((STRICT, SMALL, LENIENT)),
        username=st.sampled_from(("", "bob")),
    )
    def begin(self, choice: DataObject, count: int, limits: Limits, username: str) -> None:
        """Start anew, and get somewhere."""
        self.start(limits, username)
        self.take(Deed.CARRY, held=False)
        self.log_in(choice, count)

    @rule(choice=st.data(), count=st.integers(1, 4))
    def log_in(self, choice: DataObject, count: int) -> None:
        """Let the three do what leads on, for some steps, and hear what they say."""
        for _ in range(count):
            self.go_on(choice, held=False)

    @rule(choice=st.data(), held=st.just(True))
    def go_on(self, choice: DataObject, held: bool) -> None:
        """Let whoever's turn it is do what leads on."""
        assert self.trio is not None
        model = self.trio.bridge.model
        # What was said has to have been heard.
        self.take(Deed.CARRY, held=False)
        state = model.link.situation.state
        if model.question is not None:
            texts = choice.draw(st.lists(_TEXTS, min_size=8, max_size=8))
            self.answer(texts[: len(model.question[4])], held)
        elif model.awaits_plugin and state in _DUE:
            message = choice.draw(self._due(state))
            frame = encode(message, self.limits)
            self.take(Deed.SAY, data=frame, sizes=choice.draw(chunkings(frame)), held=held)
        elif not model.username:
            self.take(Deed.NAME, data=b"alice", held=held)
        elif model.phase == "ready":
            self.take(Deed.AUTHENTICATE, held=held)
        else:
            self.take(Deed.CARRY, held=False)

    def _due(self, state: str) -> SearchStrategy[Message]:
        assert self.trio is not None
        asked = self.trio.bridge.model.link.situation.server_prompts or 0
        fixed = {
            "version": st.just(2),
            "responses": st.lists(_TEXTS, min_size=asked, max_size=asked),
        }
        of_each = [
            messages(
                each,
                limits=replace(self.limits, nonzero_is_true=False),
                fixed={
                    field.name: fixed[field.name]
                    for field in each.spec.fields
                    if field.name in fixed
                },
            )
            for each in _DUE[state]
        ]
        return st.one_of(of_each)

    def answer(self, texts: Sequence[str], held: bool) -> None:
        """Let the user answer."""
        data = "".join(f"{text}\0" for text in texts).encode("utf-8", "surrogatepass")
        self.take(Deed.ANSWER, data=data, held=held)

    @rule(script=st.binary(min_size=1, max_size=6))
    def decide(self, script: bytes) -> None:
        """Tell the server's handler what it does next."""
        self.take(Deed.DECIDE, data=script, held=True)

    @rule(
        deed=st.sampled_from((Deed.AUTHENTICATE, Deed.NAME, Deed.ANSWER, Deed.BANNER, Deed.WAIT)),
        texts=st.lists(_TEXTS, max_size=3),
        held=st.booleans(),
    )
    def do_anything(self, deed: Deed, texts: list[str], held: bool) -> None:
        """Let somebody do something, mostly where it has no place."""
        if deed is Deed.ANSWER:
            self.answer(texts, held)
        else:
            plain = "".join(text for text in texts if text != SECRET)
            self.take(deed, data=plain.encode("utf-8", "replace"), held=held)

    @rule(choice=st.data(), held=st.booleans())
    def say_anything(self, choice: DataObject, held: bool) -> None:
        """Let the plugin say any message, mostly where it has no place."""
        frame = encode(choice.draw(messages(limits=SMALL)), SMALL)
        deed = choice.draw(st.sampled_from((Deed.SAY, Deed.PUT)))
        self.take(deed, Pipe.PLUGIN_TO_BRIDGE, frame, choice.draw(chunkings(frame)), held=held)

    @rule(
        deed=st.sampled_from(_OF_PIPES),
        pipe=st.sampled_from(Pipe),
        data=st.binary(max_size=6),
        held=st.booleans(),
    )
    def befall(self, deed: Deed, pipe: Pipe, data: bytes, held: bool) -> None:
        """Let something happen to a pipe."""
        self.take(deed, pipe, data, held=held)

    def under_way(self) -> list[Pipe]:
        """Return the pipes that hold anything."""
        assert self.trio is not None
        return [pipe for pipe in Pipe if self.trio.pipes[pipe]]

    @rule(choice=st.data(), count=st.integers(0, 6), passed=st.integers(0, 3), held=st.booleans())
    def strike(self, choice: DataObject, count: int, passed: int, held: bool) -> None:
        """Start anew, let something right be said and be on its way, and strike it."""
        assert self.trio is not None
        self.start(self.limits, "bob")
        self.take(Deed.CARRY, held=False)
        self.log_in(choice, count)
        self.go_on(choice, held=True)
        for _ in range(passed):
            if pipes := self.under_way():
                self.take(Deed.CARRY, choice.draw(st.sampled_from(pipes)), held=True)
        if not (pipes := self.under_way()):
            return
        pipe = choice.draw(st.sampled_from(pipes))
        thing = (self.trio.pipes[pipe] or [b""])[0]
        fault = choice.draw(st.none() | st.sampled_from(_FAULTS[pipe]))
        struck = [] if fault is None else struck_by(fault, pipe, thing, self.limits)
        data = choice.draw(st.sampled_from(struck) if struck else damaged(thing))
        self.run.strikes["damage" if not struck or fault is None else fault.name] += 1
        self.take(Deed.LOSE, pipe, held=True)
        self.take(Deed.PUT, pipe, data, held=held)


def struck_by(fault: Fault, pipe: Pipe, thing: bytes, limits: Limits) -> list[bytes]:
    """Return what a fault makes of what is in a pipe: nothing where it does not fit.

    Args:
        fault: the fault, one that strikes a frame.
        pipe: the pipe.
        thing: a frame, or in a pipe that leads to or from the server a payload.
        limits: those of the receiver.
    """
    plugin = pipe in _PLUGIN_PIPES
    protocol = PLUGIN if plugin else USER_AUTH[KEYBOARD_INTERACTIVE]
    frame = thing if plugin else len(thing).to_bytes(4, "big") + thing
    try:
        made = [each.data for each in fault.strike([frame], limits, protocol)]
    except Exception:
        return []  # it is no message any more, so there is nothing right to strike
    return made if plugin else [data[4:] for data in made if len(data) >= 4]
