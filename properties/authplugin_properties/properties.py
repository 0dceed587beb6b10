"""Every law beside what to try it on, for any engine.

    PROPERTIES["round_trip"].test()()              # Hypothesis tries it, and shrinks what breaks it
    PROPERTIES["round_trip"].fuzz_one_input(data)  # a fuzzer does, with bytes of its own
    PROPERTIES["round_trip"].law(frame, limits)    # or whoever has a frame

The arguments are mostly near to what is right, so that what is wrong about them is met deep inside;
limits are small, so that they are soon reached and what is at them can be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from authplugin import MESSAGES, Limits, Message, Side, encode
from authplugin.messages import (
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserResponse,
    PluginProtocolAccept,
)
from authplugin.userauth import MESSAGES as USER_AUTH_MESSAGES
from authplugin_corpus.faults import (
    FAULTS,
    USER_AUTH_FAULTS,
    Scope,
    stock_conversations,
    stock_user_auth,
)
from authplugin_corpus.protocols import PLUGIN, PROTOCOLS, USER_AUTH, Protocol

from . import laws, strategies
from .boundaries import ILL_FORMED, beyond
from .model import FIELDS_AT, LENGTH_SIZE, split
from .oracles import grammar
from .references import reference_of
from .server_conversations import server_conversations

Arguments: TypeAlias = dict[str, Any]
"""What a law is called with, by name."""

LIMITS: Final = (
    Limits(frame=2048, text=130, count=8),
    Limits(frame=64, text=24, count=3),
    # Here a frame is too long before its text is.
    Limits(frame=32, text=28, count=3),
    Limits(frame=2048, text=130, count=8, nonzero_is_true=True, any_bytes=True),
    Limits(frame=64, text=24, count=3, nonzero_is_true=True, any_bytes=True),
)
"""The limits under which the laws are tried."""

_LONG = 4096  # bytes of a conversation that is said over and over

_WIDE = (Limits(), Limits(frame=2**24, text=2**24, count=2**16))
_CLAIMS = (b"", *(size.to_bytes(4, "big") + b"\x15" for size in (2**18, 2**20, 2**24, 2**32 - 1)))
# Limits under which costs are counted too, and claims to end with that some of them allow.


@dataclass(frozen=True)
class Property:
    """A law and what to try it on.

    Attributes:
        name: that of the law.
        law: raises `LawBroken` where it does not hold of its arguments.
        arguments: generates them, by name.
    """

    name: str
    law: Callable[..., None]
    arguments: SearchStrategy[Arguments]

    def test(self) -> Callable[[], None]:
        """Return a new Hypothesis test of the law, for the settings that are then loaded.

        Called, it tries the law on many arguments, and raises what the law raised for the plainest
        that break it.
        """

        @given(arguments=self.arguments)
        def test(arguments: Arguments) -> None:
            self.law(**arguments)

        # What Hypothesis keeps its examples under, and shows them by.
        test.__name__ = test.__qualname__ = self.name
        return test

    @cached_property
    def _fuzz(self) -> Callable[[bytes], bytes | None]:
        fuzz: Callable[[bytes], bytes | None] = self.test().hypothesis.fuzz_one_input  # type: ignore[attr-defined]  # put there by @given
        return fuzz

    def fuzz_one_input(self, data: bytes) -> bytes | None:
        """Try the law on the arguments that Hypothesis reads out of any bytes.

        Returns:
            the bytes that stand for the same arguments, to keep; None where these make none.

        Raises:
            LawBroken: where the law does not hold of them.
        """
        return self._fuzz(data)


def limits() -> SearchStrategy[Limits]:
    """Generate one of `LIMITS`."""
    return st.sampled_from(LIMITS)


def wrong(data: SearchStrategy[bytes]) -> SearchStrategy[bytes]:
    """Generate the same damaged: anywhere, inside one frame, or by bytes such as no text holds."""
    return st.one_of(
        data.flatmap(strategies.damaged),
        data.flatmap(_damaged_inside),
        data.flatmap(_damaged_inside),
        st.builds(_spoilt, data, st.integers(0, _LONG), st.sampled_from(ILL_FORMED)),
    )


@st.composite
def _damaged_inside(draw: DrawFn, data: bytes) -> bytes:
    """Damage one frame behind its type byte, and make its length right again."""
    frames = split(data) or [b""]
    at = draw(st.integers(0, len(frames) - 1))
    frame = frames[at]
    body = frame[LENGTH_SIZE:FIELDS_AT] + draw(strategies.damaged(frame[FIELDS_AT:]))
    frames[at] = len(body).to_bytes(LENGTH_SIZE, "big") + body
    return b"".join(frames)


def _spoilt(data: bytes, at: int, bad: bytes) -> bytes:
    at %= max(1, len(data))
    return (data[:at] + bad + data[at + len(bad) :])[: len(data)]


_BOUND = (
    PluginInitResponse,
    PluginProtocolAccept,
    PluginKIServerResponse,
    PluginKIUserResponse,
)
"""The messages that have to fit what was said before them."""


@st.composite
def spliced(draw: DrawFn, limits: Limits) -> list[Message]:
    """Go on with another dialogue in the same state, where that may not fit."""
    one: list[Message] = draw(strategies.dialogues(limits=limits))
    other: list[Message] = draw(strategies.dialogues(limits=limits))
    places = [
        (at, behind)
        for at, message in enumerate(one)
        for behind, following in enumerate(other)
        if message.spec.leaves is following.spec.leaves and isinstance(following, _BOUND)
    ]
    at, behind = draw(st.sampled_from(places or [(0, 0)]))
    return one[:at] + other[behind:]


@st.composite
def impatient(draw: DrawFn, limits: Limits) -> list[Message]:
    """Leave one message of a dialogue out, or say it twice: so one side speaks out of turn."""
    messages: list[Message] = draw(strategies.dialogues(limits=limits).filter(bool))
    at = draw(st.integers(0, len(messages) - 1))
    return (
        messages[:at] + messages[at : at + 1] * draw(st.sampled_from((0, 2))) + messages[at + 1 :]
    )


def said(limits: Limits) -> SearchStrategy[bytes]:
    """Generate what somebody says: for the laws a stream and a conversation in one.

    A dialogue or mere messages, in order or out of it, whole or damaged; or any bytes. No faults:
    which code each of them must be refused with is settled by the codec, which is on trial here.
    """
    messages = st.one_of(
        *(strategies.dialogues(side, limits) for side in (None, *Side)),
        spliced(limits),
        impatient(limits),
        strategies.dialogues(limits=limits).flatmap(st.permutations),
        st.lists(strategies.at_the_limits(limits=limits), max_size=4),
    )
    data = messages.map(lambda these: b"".join(encode(each, beyond(limits)) for each in these))
    return data | data | wrong(data) | st.binary(max_size=64)


@st.composite
def _frames(draw: DrawFn) -> Arguments:
    bounds = draw(limits())
    frames = strategies.at_the_limits(limits=bounds).map(
        lambda message: encode(message, beyond(bounds))
    )
    if draw(_OFTEN):
        bounds = draw(_ROOMY)
        return {"frame": draw(struck_frames(PLUGIN, bounds)), "limits": bounds}
    return {"frame": draw(frames | wrong(frames) | st.binary(max_size=64)), "limits": bounds}


_OFTEN = st.sampled_from((False, True))
_ROOMY = st.sampled_from([each for each in LIMITS if each.frame > 1024])
"""Limits within which there is room for every fault."""


def struck_frames(protocol: Protocol, limits: Limits) -> SearchStrategy[bytes]:
    """Generate what a fault makes of a frame, every fault as often as any other.

    Or a frame with a character that begins at the end of one text and ends in the next. What each
    comes to is for the oracles to say.
    """
    ways = _struck(protocol.name, limits)
    return st.sampled_from((*ways,)).flatmap(lambda way: st.sampled_from(ways[way]))


@lru_cache(maxsize=64)
def _struck(name: str, limits: Limits) -> Mapping[str, Sequence[bytes]]:
    """Return frames of a protocol that are wrong, by what is wrong with them."""
    protocol = PROTOCOLS[name]
    if protocol is PLUGIN:
        frames = [conversations[0][-1] for conversations in stock_conversations().values()]
    else:
        known = (name, USER_AUTH[None].name)
        frames = [frame for own, frame in stock_user_auth().values() if own.name in known]
    faults = [each for each in (*FAULTS, *USER_AUTH_FAULTS) if each.scope is Scope.FRAME]
    ways = {
        fault.name: [
            faulty.data for frame in frames for faulty in fault.strike([frame], limits, protocol)
        ]
        for fault in faults
    }
    ways["character-over-two-texts"] = [
        made for frame in frames for made in _with_a_character_over_two(frame, protocol, limits)
    ]
    return {way: made for way, made in ways.items() if made}


def _with_a_character_over_two(frame: bytes, protocol: Protocol, limits: Limits) -> Iterator[bytes]:
    reference = reference_of(protocol)
    message = reference.read(frame, limits)
    texts = [name for name, value in message.items() if isinstance(value, bytes)]
    made = [{**message, one: b"a\xc3", other: b"\xa9a"} for one, other in pairwise(texts)]
    if "responses" in message:
        made.append({**message, "responses": [b"a\xc3", b"\xa9a"]})
    if "prompts" in message:
        made.append({**message, "prompts": [(b"a\xc3", False), (b"\xa9a", False)]})
    for each in made:
        with suppress(grammar.ConstructError, ValueError):
            yield reference.build(each)


@st.composite
def _messages(draw: DrawFn) -> Arguments:
    bounds = draw(limits())
    return {"message": draw(strategies.messages(limits=bounds)), "limits": bounds}


@st.composite
def user_auth_frames(draw: DrawFn, limits: Limits) -> tuple[bytes, Protocol]:
    """Generate a frame of SSH's user authentication, right or wrong, and what it is read as."""
    protocol = draw(st.sampled_from((*USER_AUTH.values(),)))
    if limits.frame > 1024 and draw(_OFTEN):
        return draw(struck_frames(protocol, limits)), protocol
    own = draw(st.sampled_from(protocol.messages))
    each = draw(st.sampled_from((own, own, own, *protocol.elsewhere[:1])))
    frames = strategies.at_the_limits(each, limits=limits).map(
        lambda message: protocol.encode(message, beyond(limits))
    )
    return draw(frames | wrong(frames) | st.binary(max_size=64)), protocol


@st.composite
def _user_auth_frames(draw: DrawFn) -> Arguments:
    bounds = draw(limits() | _ROOMY)
    frame, protocol = draw(user_auth_frames(bounds))
    return {"frame": frame, "limits": bounds, "protocol": protocol}


@st.composite
def _user_auth_messages(draw: DrawFn) -> Arguments:
    bounds = draw(limits())
    return {"message": draw(strategies.messages(*USER_AUTH_MESSAGES, limits=bounds))} | {
        "limits": bounds
    }


@st.composite
def _said(
    draw: DrawFn,
    /,
    *,
    as_: str = "data",
    sizes: bool = True,
    extended: bool = False,
    **further: Callable[[bytes], SearchStrategy[Any]],
) -> Arguments:
    bounds = draw(limits())
    data = draw(said(bounds))
    if extended:
        data *= draw(st.integers(1, max(1, _LONG // max(1, len(data)))) | st.just(1))
        data += draw(st.sampled_from(_CLAIMS))
        bounds = draw(st.sampled_from((bounds, bounds, *_WIDE)))
    made: Arguments = {as_: data, "limits": bounds}
    if sizes:
        made["sizes"] = draw(strategies.chunkings(data))
    return made | {name: draw(strategy(data)) for name, strategy in further.items()}


def _cuts(data: bytes) -> SearchStrategy[list[int]]:
    frames = split(data)
    ends = {0}
    for side in (None, *Side):
        # A role hears its peer's frames alone.
        sizes = (len(frame) for frame in frames if side in (None, _SENDERS.get(frame[4:5])))
        ends.update(accumulate(sizes))
    near = sorted(end + more for end in ends for more in (0, 1))
    return st.lists(st.sampled_from(near) | st.integers(0, len(data)), min_size=1, max_size=4)


_SENDERS = {bytes((each.spec.code,)): each.spec.sender for each in MESSAGES}


def _more(data: bytes) -> SearchStrategy[bytes]:
    return st.just(data or b"\0") | st.binary(min_size=1, max_size=8)


def _sides(data: bytes) -> SearchStrategy[Side]:
    return st.sampled_from(Side)


def _places(data: bytes) -> SearchStrategy[int]:
    return st.integers(0, len(data))


_WHAT: Final[Mapping[Callable[..., None], SearchStrategy[Arguments]]] = {
    laws.only_protocol_error: _said(sizes=False),
    laws.chunking_changes_nothing: _said(),
    laws.prefix_yields_nothing_else: _said(cuts=_cuts),
    laws.good_before_bad: _said(),
    laws.poisoned_stays_poisoned: _said(more=_more),
    laws.round_trip: _frames(),
    laws.round_trip_message: _messages(),
    laws.agrees_with_cursor: _frames(),
    laws.agrees_with_grammar: _frames(),
    laws.agrees_with_model: _said(as_="conversation", side=_sides),
    laws.held_is_bounded: _said(extended=True),
    laws.memory_is_bounded: _said(extended=True),
    laws.work_is_linear: _said(extended=True),
    laws.no_secret_in_any_text: _said(at=_places),
}

_OF_USER_AUTH: Final[Mapping[Callable[..., None], SearchStrategy[Arguments]]] = {
    laws.round_trip: _user_auth_frames(),
    laws.round_trip_message: _user_auth_messages(),
    laws.agrees_with_cursor: _user_auth_frames(),
    laws.agrees_with_grammar: _user_auth_frames(),
    laws.no_secret_in_a_frame: _user_auth_frames(),
    laws.a_frame_costs_what_it_holds: _user_auth_frames(),
    laws.userauth_server_agrees: server_conversations(),
}

PROPERTIES: Final[Mapping[str, Property]] = MappingProxyType(
    {
        name: Property(name, law, arguments)
        for law, arguments, name in (
            *((law, arguments, law.__name__) for law, arguments in _WHAT.items()),
            *(
                (law, arguments, f"{law.__name__}_of_userauth" if law in _WHAT else law.__name__)
                for law, arguments in _OF_USER_AUTH.items()
            ),
        )
    }
)
"""All laws, by name; those of frames twice, for SSH's user authentication has frames too."""
