"""Right conversations to strike: whole ones in which every message comes, and what leads to each.

And a frame of each message of SSH's user authentication.

Their messages are made from the message table; only the order in which they come is written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, TypeAlias, TypeVar

from authplugin import (
    KEYBOARD_INTERACTIVE,
    MESSAGES,
    Limits,
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
    RemoteProtocolError,
    decode,
    encode,
)
from authplugin.kinds import BooleanKind, CountedKind, Encoding, StringKind, UInt32Kind, WireKind
from authplugin.limits import DEFAULT_LIMITS
from authplugin.messages import VERSIONS
from authplugin.table import WireMessage
from authplugin.userauth.messages import MESSAGES as USER_AUTH_MESSAGES

from ..protocols import Protocol, protocol_of

Conversation: TypeAlias = tuple[bytes, ...]
"""The frames of both sides in order, from the first."""


MessageType = TypeVar("MessageType", bound=WireMessage)


def plain(message_type: type[MessageType]) -> MessageType:
    """Return the plainest message of a type: zero, and nothing."""
    return message_type(*(_plain_value(field.kind) for field in message_type.spec.variables))


def _plain_value(kind: WireKind) -> object:
    if isinstance(kind, CountedKind):
        return []
    if isinstance(kind, BooleanKind):
        return False
    return 0 if isinstance(kind, UInt32Kind) else b""


def sample(message_type: type[MessageType], count: int = 2) -> MessageType:
    """Return a message of a type with nothing empty, and `count` prompts or responses."""
    name = message_type.spec.name
    return message_type(
        *(
            _MEANT.get((name, field.name), _sample_value(field.kind, field.name, count))
            for field in message_type.spec.variables
        )
    )


_MEANT: Final[Mapping[tuple[str, str], object]] = {
    (PluginInit.spec.name, "version"): VERSIONS[-1],
    (PluginInitResponse.spec.name, "version"): VERSIONS[-1],
    (PluginProtocol.spec.name, "method"): KEYBOARD_INTERACTIVE,
}
"""The fields whose values mean something to the conversation."""


def _sample_value(kind: WireKind, name: str, count: int) -> object:
    if isinstance(kind, CountedKind):
        parts = [
            [_sample_value(part_kind, part, index) for part, part_kind in kind.element]
            for index in range(count)
        ]
        return [tuple(each) if len(each) > 1 else each[0] for each in parts]
    if isinstance(kind, BooleanKind):
        return bool(count % 2)
    if isinstance(kind, UInt32Kind):
        return 22
    is_text = isinstance(kind, StringKind) and kind.encoding is not Encoding.OPAQUE
    return name[:2] if is_text else name[:2].encode()


_INIT: Final = sample(PluginInit)
_READY: Final = sample(PluginInitResponse)
_OFFER: Final = sample(PluginProtocol)
_OTHER: Final = PluginProtocol("password")
_REJECT: Final = sample(PluginProtocolReject)
_ACCEPT: Final = sample(PluginProtocolAccept)
_ASK: Final = sample(PluginKIServerRequest)
_ANSWER: Final = sample(PluginKIServerResponse)
_ASK_USER: Final = sample(PluginKIUserRequest)
_USER_ANSWER: Final = sample(PluginKIUserResponse)
_SUCCESS: Final = sample(PluginAuthSuccess)
_FAILURE: Final = sample(PluginAuthFailure)
_ACCEPTED: Final = (_INIT, _READY, _OFFER, _ACCEPT)

_WHOLE: Final[Sequence[tuple[Message, ...]]] = (
    (_INIT, sample(PluginInitFailure)),
    (*_ACCEPTED, _SUCCESS, _OFFER),
    (*_ACCEPTED, _FAILURE, _OFFER, _ACCEPT, _SUCCESS, _OFFER),
    (_INIT, _READY, _OTHER, _REJECT, _OFFER, _ACCEPT, _SUCCESS),
    (*_ACCEPTED, _ASK, _ANSWER, _SUCCESS),
    # Both pairs are open at once, and ask for different numbers of responses.
    (
        *(*_ACCEPTED, _ASK),
        *(_ASK_USER, _USER_ANSWER),
        *(sample(PluginKIUserRequest, 3), sample(PluginKIUserResponse, 3)),
        *(_ANSWER, sample(PluginKIServerRequest, 1), sample(PluginKIServerResponse, 1), _FAILURE),
    ),
)

ELSEWHERE: Final = (
    *(PluginInit(version, "ho", 22, "us") for version in (1, 3)),
    *(PluginInitResponse(version, "us") for version in (1, 3)),
)
"""What is said in dialogues of other versions, between programs that speak those."""


@lru_cache(maxsize=1)
def stock_conversations() -> Mapping[type[Message], Sequence[Conversation]]:
    """Return, for each type of message, right conversations that end with one, shortest first.

    Any receiver takes them whose limits are at least `Limits(frame=64, text=20, count=3)`. In each
    first one the last message has every field filled and, where it has any, two prompts or
    responses.
    """
    leads = {
        lead
        for whole in _WHOLE
        for lead in accumulate(((encode(message),) for message in whole), tuple.__add__)
    }
    ordered = sorted(leads, key=lambda lead: (len(lead), lead))
    return {each: [lead for lead in ordered if lead[-1][4] == each.spec.code] for each in MESSAGES}


@lru_cache(maxsize=64)
def stock_messages(limits: Limits) -> Sequence[tuple[type[Message], bytes]]:
    """Return every message of the stock conversations, and of `ELSEWHERE`, once, with its frame.

    Those that a receiver with these limits takes.
    """
    said = {
        *(lead[-1] for leads in stock_conversations().values() for lead in leads),
        *(encode(message) for message in ELSEWHERE),
    }
    found = []
    for frame in sorted(said):
        try:
            found.append((type(decode(frame, limits)), frame))
        except RemoteProtocolError:
            continue  # too much for these limits
    return found


@lru_cache(maxsize=1)
def stock_user_auth() -> Mapping[type[WireMessage], tuple[Protocol, bytes]]:
    """Return, for each message of SSH's user authentication, the protocol it comes in, and a frame.

    Any receiver takes them whose limits are at least `Limits(frame=64, text=20, count=3)`. Every
    field is filled, with two prompts or responses.
    """
    return {
        each: (protocol_of(each), protocol_of(each).encode(sample(each), DEFAULT_LIMITS))
        for each in USER_AUTH_MESSAGES
    }
