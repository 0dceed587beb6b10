"""What can be wrong with a conversation whose every frame may be right by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from authplugin import (
    MESSAGES,
    ErrorCode,
    Message,
    MessageSpec,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    State,
    encode,
)
from authplugin.messages import METHODS, SPEAKER, VERSIONS
from authplugin.session import MAY_END, EndKind

from ..segments import LARGEST, string, uint32
from .declaring import Lead, fault
from .fault import Fault, Faulty, Scope
from .stock import plain, stock_messages

_table: list[Fault] = []


# Instead of the right message.


@fault(
    _table,
    "wrong-side",
    ErrorCode.WRONG_SIDE,
    "H.6",
    "One side says what only the other may say.",
    Scope.CONVERSATION,
)
def _wrong_side(lead: Lead) -> Iterator[Faulty]:
    for each in MESSAGES:
        if each.spec.sender is not lead.said.sender:
            data = encode(plain(each), lead.limits)
            yield lead.says("frame", each.spec.name, data, ErrorCode.WRONG_SIDE)


@fault(
    _table,
    "wrong-state",
    ErrorCode.WRONG_STATE,
    "H.5",
    "A message comes where the conversation has no place for it.",
    Scope.CONVERSATION,
)
def _wrong_state(lead: Lead) -> Iterator[Faulty]:
    for each in MESSAGES:
        if each.spec.sender is lead.said.sender and each.spec.leaves is not lead.said.leaves:
            data = encode(plain(each), lead.limits)
            yield lead.says("frame", each.spec.name, data, ErrorCode.WRONG_STATE)


@fault(
    _table,
    "premature-end",
    ErrorCode.END_PREMATURE,
    "H.5",
    "The input ends, between two frames, while a message is owed. A client may do so.",
    Scope.CONVERSATION,
)
def _premature_end(lead: Lead) -> Iterator[Faulty]:
    allowed = EndKind.PREMATURE in MAY_END[lead.said.sender]
    code = None if allowed else ErrorCode.END_PREMATURE
    yield lead.says("frame", f"instead of {lead.said.name}", b"", code, ends=True)


# Behind the right message.


def _code_behind(spec: MessageSpec, behind: MessageSpec) -> ErrorCode | None:
    """Return what is wrong with a message right behind another of the same speaker."""
    speaker = SPEAKER.get(spec.enters)
    if speaker is None:
        return ErrorCode.SESSION_OVER
    if speaker is not spec.sender:
        return ErrorCode.WRONG_TURN
    return None if behind.leaves is spec.enters else ErrorCode.WRONG_STATE


@fault(
    _table,
    "duplicated",
    {ErrorCode.WRONG_TURN, ErrorCode.WRONG_STATE, ErrorCode.SESSION_OVER},
    "H.5",
    "A message comes twice in one go.",
    Scope.CONVERSATION,
    second=True,
)
def _duplicated(lead: Lead) -> Iterator[Faulty]:
    code = _code_behind(lead.said, lead.said)
    yield lead.says("frame", "twice", lead.frame + lead.frame, code)


@fault(
    _table,
    "wrong-turn",
    {ErrorCode.WRONG_TURN, ErrorCode.SESSION_OVER},
    "H.1",
    "One side goes on speaking where it is the other's turn, or nobody's.",
    Scope.CONVERSATION,
    second=True,
)
def _wrong_turn(lead: Lead) -> Iterator[Faulty]:
    sender = lead.said.sender
    if SPEAKER.get(lead.said.enters) is sender:
        return
    for each in MESSAGES:
        if each.spec.sender is sender and each.spec is not lead.said:
            data = lead.frame + encode(plain(each), lead.limits)
            code = _code_behind(lead.said, each.spec)
            yield lead.says("frame", f"{each.spec.name} behind it", data, code)


@fault(
    _table,
    "coalesced",
    ErrorCode.WRONG_TURN,
    "H.1",
    "A message comes in one chunk with the one that its sender would say next. After "
    "PLUGIN_AUTH_SUCCESS and PLUGIN_AUTH_FAILURE a client may do so.",
    Scope.CONVERSATION,
    second=True,
)
def _coalesced(lead: Lead) -> Iterator[Faulty]:
    following = _following(lead.said)
    for message_type, frame in stock_messages(lead.limits):
        if message_type in following:
            code = _code_behind(lead.said, message_type.spec)
            place = f"{message_type.spec.name} in the same chunk"
            yield lead.says("frame", place, lead.frame + frame, code)


def _following(spec: MessageSpec) -> set[type[Message]]:
    """Return what the sender of a message may say next, whatever the other side says first."""
    reached: set[State] = set()
    todo = {spec.enters}
    while todo:
        state = todo.pop()
        reached.add(state)
        for each in MESSAGES:
            if each.spec.leaves is state and each.spec.sender is not spec.sender:
                todo |= {each.spec.enters} - reached
    return {
        each for each in MESSAGES if each.spec.sender is spec.sender and each.spec.leaves in reached
    }


@fault(
    _table,
    "begun-early",
    {ErrorCode.WRONG_TURN, ErrorCode.SESSION_OVER},
    "H.1",
    "Behind a message its sender begins another, where it is the other's turn, or nobody's.",
    Scope.CONVERSATION,
    second=True,
)
def _begun_early(lead: Lead) -> Iterator[Faulty]:
    if SPEAKER.get(lead.said.enters) is lead.said.sender:
        return
    another = lead.frames[-1]
    for size in sorted({1, 3, 4, len(another) - 1}):
        code = _code_behind(lead.said, lead.said)
        yield lead.says("frame", f"{size} bytes of another", lead.frame + another[:size], code)


# Something else that was, or will be, said.


def _same_speaker_before(lead: Lead) -> int | None:
    """Return where the frame stands that the last speaker said before its last one."""
    for at, message in reversed(list(enumerate(lead.earlier()))):
        if message.spec.sender is lead.said.sender:
            return at
    return None


_OUT_OF_PLACE: Final = {
    ErrorCode.WRONG_STATE,
    ErrorCode.METHOD_UNKNOWN,
    ErrorCode.RESPONSE_COUNT,
}


@fault(
    _table,
    "dropped",
    _OUT_OF_PLACE,
    "H.5",
    "A message is lost, and the next one of the same speaker comes in its place.",
    Scope.CONVERSATION,
)
def _dropped(lead: Lead) -> Iterator[Faulty]:
    at = _same_speaker_before(lead)
    if at is not None:
        yield _at(lead, at).judged("frame", f"instead of frame {at}", lead.frame)


@fault(
    _table,
    "reordered",
    {*_OUT_OF_PLACE, ErrorCode.WRONG_TURN},
    "H.5",
    "Two messages of one speaker change places.",
    Scope.CONVERSATION,
)
def _reordered(lead: Lead) -> Iterator[Faulty]:
    at = _same_speaker_before(lead)
    if at is not None and lead.frames[at] != lead.frame:
        data = lead.frame + lead.frames[at]
        yield _at(lead, at).judged("frame", f"before frame {at}", data)


def _at(lead: Lead, kept: int) -> Lead:
    return replace(lead, kept=kept)


@fault(
    _table,
    "spliced",
    {*_OUT_OF_PLACE, ErrorCode.VERSION_ABOVE_OFFER, ErrorCode.VERSION_UNSUPPORTED},
    "H.5",
    "The conversation goes on with a message of another one, where it does not fit.",
    Scope.CONVERSATION,
)
def _spliced(lead: Lead) -> Iterator[Faulty]:
    for message_type, frame in stock_messages(lead.limits):
        if message_type.spec.sender is lead.said.sender:
            faulty = lead.judged("frame", f"another's {message_type.spec.name}", frame)
            if faulty.code is not None:
                yield faulty


# The guards: what a message says does not fit what was said before it.


def _versions(lead: Lead, code: ErrorCode, versions: set[int]) -> Iterator[Faulty]:
    if isinstance(lead.message, PluginInitResponse):
        for version in sorted(versions):
            data = lead.frame[:5] + uint32(version) + lead.frame[9:]
            yield lead.says("version", f"version {version}", data, code)


def _offer(lead: Lead) -> int:
    return next((each.version for each in lead.earlier() if isinstance(each, PluginInit)), LARGEST)


@fault(
    _table,
    "version-above-offer",
    ErrorCode.VERSION_ABOVE_OFFER,
    "H.4",
    "The plugin chooses a version above the one that the client offered.",
    Scope.CONVERSATION,
)
def _version_above_offer(lead: Lead) -> Iterator[Faulty]:
    offer = _offer(lead)
    above = {version for version in (offer + 1, LARGEST) if offer < version <= LARGEST}
    yield from _versions(lead, ErrorCode.VERSION_ABOVE_OFFER, above)


@fault(
    _table,
    "version-unsupported",
    ErrorCode.VERSION_UNSUPPORTED,
    "H.4",
    "The plugin chooses a version below the client's that its receiver does not implement.",
    Scope.CONVERSATION,
)
def _version_unsupported(lead: Lead) -> Iterator[Faulty]:
    offer = _offer(lead)
    below = {version for version in (0, 1, offer) if version <= offer} - set(VERSIONS)
    yield from _versions(lead, ErrorCode.VERSION_UNSUPPORTED, below)


@fault(
    _table,
    "method-unknown",
    ErrorCode.METHOD_UNKNOWN,
    "H.6.6",
    "The plugin accepts a method for which the protocol has no messages.",
    Scope.CONVERSATION,
)
def _method_unknown(lead: Lead) -> Iterator[Faulty]:
    if lead.said.leaves is not State.OFFERED:
        return
    offers = [each for each in lead.earlier() if isinstance(each, PluginProtocol)]
    if offers and str(offers[-1].detach().method) not in METHODS:
        data = encode(PluginProtocolAccept(), lead.limits)
        yield lead.says("frame", "accepted", data, ErrorCode.METHOD_UNKNOWN)


@fault(
    _table,
    "response-count",
    ErrorCode.RESPONSE_COUNT,
    "H.6.8",
    "There are more responses, or fewer, than the request that they answer has prompts.",
    Scope.CONVERSATION,
)
def _response_count(lead: Lead) -> Iterator[Faulty]:
    if not isinstance(lead.message, (PluginKIServerResponse, PluginKIUserResponse)):
        return
    responses = [bytes(each) for each in lead.message.responses]  # type: ignore[arg-type]
    right = len(responses)
    # That of the other pair's request is among them, where there is one.
    asked = {
        len(each.prompts)
        for each in lead.earlier()
        if isinstance(each, (PluginKIServerRequest, PluginKIUserRequest))
    }
    for count in sorted({right - 1, right + 1, *asked} - {-1, right}):
        given = (responses + [b""] * count)[:count]
        data = string(lead.frame[4:5] + uint32(count) + b"".join(map(string, given)))
        if count <= lead.limits.count and len(data) <= 4 + lead.limits.frame:
            yield lead.says("responses", f"{count} of {right}", data, ErrorCode.RESPONSE_COUNT)


# What a line does to bytes.


@fault(
    _table,
    "bit-flip",
    {
        ErrorCode.FRAME_EMPTY,
        ErrorCode.FRAME_TOO_LONG,
        ErrorCode.END_TRUNCATED,
        ErrorCode.UNKNOWN_TYPE,
        ErrorCode.FIELD_TRUNCATED,
        ErrorCode.STRING_TOO_LONG,
        ErrorCode.COUNT_TOO_LARGE,
        ErrorCode.COUNT_IMPOSSIBLE,
        ErrorCode.TRAILING_BYTES,
        ErrorCode.BAD_BOOLEAN,
        ErrorCode.BAD_UTF8,
        ErrorCode.BAD_ASCII,
        ErrorCode.WRONG_SIDE,
        ErrorCode.WRONG_STATE,
        ErrorCode.VERSION_ABOVE_OFFER,
        ErrorCode.VERSION_UNSUPPORTED,
    },
    "H.3",
    "One bit of a length, of the type or of a field is another.",
    Scope.CONVERSATION,
)
def _bit_flip(lead: Lead) -> Iterator[Faulty]:
    for span in lead.spans():
        edges = {span.start, span.stop - 1}
        if span.text_at is not None:
            edges |= {span.text_at - 1, span.text_at} & set(range(span.start, span.stop))
        for at in sorted(edges):
            for bit in range(8):
                data = bytearray(lead.frame)
                data[at] ^= 1 << bit
                # A frame that now wants more than there is waits for it: only the end settles it.
                # One that wants less leaves bytes behind it, but is itself wrong already.
                missing = 4 + int.from_bytes(data[:4], "big") > len(data)
                place = f"bit {bit} of byte {at}"
                yield lead.judged(span.part, place, bytes(data), ends=missing)


FAULTS_OF_CONVERSATIONS: Final = tuple(_table)
"""The faults of scope `CONVERSATION`."""
