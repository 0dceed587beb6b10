"""Code that is wrong on purpose: each function puts a mistake into the codec.

Each is one that somebody could make. It stays until the patch is undone. What each of them breaks,
and where that shows, is in `breaks`.
"""

import importlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from authplugin import (
    ErrorCode,
    Limits,
    PluginInit,
    PluginKIServerResponse,
    RemoteProtocolError,
    Side,
    codec,
    reading,
    session,
    stream,
    table,
    wire,
)
from authplugin.kinds import BOOLEANS
from authplugin.userauth import UserAuthPasswordChange, UserAuthPublicKeyQuery
from authplugin.userauth import codec as userauth_codec
from authplugin.userauth import wire as userauth_wire

Patch = pytest.MonkeyPatch
Decoder = stream.StreamDecoder[Any]


# Errors of the wrong kind.


def crash_on_an_empty_frame(patch: Patch) -> None:
    def refuse(length: int, limits: Limits) -> Any:
        return length and None  # so that what must be an error is None

    patch.setattr(stream, "refuse_length", refuse)


def crash_on_a_method_that_is_not_known(patch: Patch) -> None:
    patch.setattr(session, "METHODS", None)


def crash_in_explain(patch: Patch) -> None:
    module = importlib.import_module("authplugin.explain")
    patch.setattr(module, "_printable", lambda data: str(data, "ascii"))


# Streams.


def lose_a_byte_of_a_short_chunk(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed

    def lossy(self: Decoder, data: bytes) -> Iterator[Any]:
        return feed(self, data[:2] if len(data) == 3 else data)

    patch.setattr(stream.StreamDecoder, "feed", lossy)


def reuse_a_buffer(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed
    buffer = bytearray(1 << 20)

    def in_one_place(self: stream.FrameDecoder, data: bytes) -> Iterator[memoryview]:
        for frame in feed(self, data):
            if frame.obj is data:
                yield frame
            else:
                buffer[: len(frame)] = frame
                yield memoryview(buffer)[: len(frame)]

    patch.setattr(stream.FrameDecoder, "feed", in_one_place)


def deliver_all_or_nothing(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed
    patch.setattr(stream.StreamDecoder, "feed", lambda self, data: iter(list(feed(self, data))))


def take_a_byte_more_than_the_limit(patch: Patch) -> None:
    begin = stream.StreamDecoder.__init__

    def generous(self: Decoder, limits: Limits, item: Callable[[memoryview], Any]) -> None:
        begin(self, replace(limits, frame=limits.frame + 1), item)

    patch.setattr(stream.StreamDecoder, "__init__", generous)


def go_on_after_a_refusal(patch: Patch) -> None:
    patch.setattr(stream.StreamDecoder, "_close", lambda self, reason: None)


def say_that_nothing_is_held(patch: Patch) -> None:
    patch.setattr(stream.StreamDecoder, "held", property(lambda self: 0))


def wait_for_more_than_the_limit(patch: Patch) -> None:
    def begins_frame(self: Decoder, data: bytes, total: int) -> bool:
        self._need = 4 + int.from_bytes((bytes(self._partial) + data)[:4], "big")
        return total < self._need

    patch.setattr(stream.StreamDecoder, "_begins_frame", begins_frame)


def allocate_what_a_header_claims(patch: Patch) -> None:
    begins_frame = stream.StreamDecoder._begins_frame

    def eager(self: Decoder, data: bytes, total: int) -> bool:
        return begins_frame(self, data, total) and len(bytearray(self._need)) > total

    patch.setattr(stream.StreamDecoder, "_begins_frame", eager)


def keep_every_frame(patch: Patch) -> None:
    kept = []
    feed = stream.StreamDecoder.feed

    def hoarding(self: Decoder, data: bytes) -> Iterator[Any]:
        for item in feed(self, data):
            kept.append(item)
            yield item

    patch.setattr(stream.StreamDecoder, "feed", hoarding)


def join_all_that_is_held_with_each_chunk(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed

    def joining(self: Decoder, data: bytes) -> Iterator[Any]:
        self._partial = self._partial + b""
        return feed(self, data)

    patch.setattr(stream.StreamDecoder, "feed", joining)


def look_through_all_that_is_held_with_each_chunk(patch: Patch) -> None:
    feed = stream.StreamDecoder.feed

    def looking(self: Decoder, data: bytes) -> Iterator[Any]:
        for byte in bytes(self._partial):
            stream.refuse_length(byte, self.limits)
        return feed(self, data)

    patch.setattr(stream.StreamDecoder, "feed", looking)


# Frames.


def encode_the_port_little_endian(patch: Patch) -> None:
    def swapped(message: PluginInit, limits: Limits) -> bytes:
        port = int.from_bytes(message.port.to_bytes(4, "little"), "big")
        changed = PluginInit(message.version, message.hostname, port, message.username)
        return wire.encode_plugin_init(changed, limits)

    patch.setitem(wire.ENCODERS, PluginInit, swapped)


def detach_without_empty_texts(patch: Patch) -> None:
    detach = PluginKIServerResponse.detach

    def lossy(self: PluginKIServerResponse) -> PluginKIServerResponse:
        return PluginKIServerResponse([each for each in detach(self).responses if each])

    patch.setattr(PluginKIServerResponse, "detach", lossy)


def decode_the_port_as_16_bits(patch: Patch) -> None:
    def narrow(frame: memoryview, limits: Limits) -> PluginInit:
        message = wire.decode_plugin_init(frame, limits)
        message.port &= 0xFFFF
        return message

    for decoders in wire.DECODERS.values():
        patch.setitem(decoders, 1, narrow)


def encode_no_empty_list(patch: Patch) -> None:
    def strict(message: PluginKIServerResponse, limits: Limits) -> bytes:
        if not message.responses:
            raise ValueError
        return wire.encode_plugin_ki_server_response(message, limits)

    patch.setitem(wire.ENCODERS, PluginKIServerResponse, strict)


def take_any_bytes_for_utf8(patch: Patch) -> None:
    patch.setattr(wire, "are_utf8", lambda strings, size: True)


def count_offsets_from_the_type_byte(patch: Patch) -> None:
    refuse = codec.refuse_fields

    def shifted(*arguments: Any) -> RemoteProtocolError:
        error = refuse(*arguments)
        error.offset = (error.offset or 4) - 4
        return error

    patch.setattr(codec, "refuse_fields", shifted)


def take_any_byte_for_a_boolean(patch: Patch) -> None:
    patch.setattr(wire, "BOOLEANS", {False: BOOLEANS[True], True: BOOLEANS[True]})


def forget_a_message(patch: Patch) -> None:
    for decoders in wire.DECODERS.values():
        patch.delitem(decoders, 8)


# Conversations.


def judge_the_turn_once_a_chunk(patch: Patch) -> None:
    class Undecided(session.FrameDecoder):
        __slots__ = ()
        held = 0

    patch.setattr(session, "FrameDecoder", Undecided)


def check_no_guards(patch: Patch) -> None:
    patch.setattr(session.Session, "_check_guards", lambda self, message, error: None)


def check_no_place(patch: Patch) -> None:
    patch.setattr(session.Session, "_check_place", lambda self, spec, speaker, error: None)


def let_a_plugin_end_any_time(patch: Patch) -> None:
    patch.setattr(session, "MAY_END", dict.fromkeys(Side, tuple(session.EndKind)))


def drop_what_was_good_before_a_violation(patch: Patch) -> None:
    receive = session.Session.receive_data

    def dropping(self: session.Session, data: bytes) -> None:
        receive(self, data)
        if self.violation is not None:
            self._events.clear()

    patch.setattr(session.Session, "receive_data", dropping)


def raise_a_violation_once(patch: Patch) -> None:
    next_event = session.Session.next_event

    def forgetful(self: session.Session) -> Any:
        try:
            return next_event(self)
        except RemoteProtocolError:
            self._violation = None
            raise

    patch.setattr(session.Session, "next_event", forgetful)


def hear_on_after_the_end_of_file(patch: Patch) -> None:
    check = session.Session._check_open

    def lax(self: session.Session) -> None:
        if self.violation is not None:
            check(self)

    patch.setattr(session.Session, "_check_open", lax)


# Secrets.


def show_responses_in_repr(patch: Patch) -> None:
    patch.setattr(table, "_shown", lambda value, kind: repr(table._owned_field(value, kind)))


def show_what_was_not_understood(patch: Patch) -> None:
    module = importlib.import_module("authplugin.explain")

    def part(*given: Any, secret: bool = False) -> reading.Part:
        return reading.Part(*given)

    patch.setattr(module, "Part", part)


def tell_the_length_that_is_too_long(patch: Patch) -> None:
    refuse = codec.refuse_length

    def talkative(length: int, limits: Limits) -> RemoteProtocolError | None:
        error = refuse(length, limits)
        if error is not None:
            error.text = f"a frame of {length} bytes"
        return error

    patch.setattr(codec, "refuse_length", talkative)
    patch.setattr(stream, "refuse_length", talkative)


def raise_a_refusal_from_what_holds_the_frame(patch: Patch) -> None:
    refuse = codec.refuse_fields

    def caused(spec: Any, frame: memoryview, limits: Limits) -> RemoteProtocolError:
        error = refuse(spec, frame, limits)
        error.__cause__ = ValueError(bytes(frame))
        return error

    patch.setattr(codec, "refuse_fields", caused)


def log_what_comes(patch: Patch) -> None:
    receive = session.Session.receive_data

    def logging_too(self: session.Session, data: bytes) -> None:
        logging.getLogger("authplugin").debug("received %r", bytes(data))
        receive(self, data)

    patch.setattr(session.Session, "receive_data", logging_too)


def quote_the_value_that_cannot_be_encoded(patch: Patch) -> None:
    module = importlib.import_module("authplugin.refusing")

    def quoting(name: str, wanted: str, value: object) -> Any:
        text = f"expected {wanted}, not {value!r}"
        return module.LocalProtocolError(ErrorCode.BAD_VALUE, text, field=name)

    patch.setattr(module, "_bad_value", quoting)


# Frames of SSH's user authentication.


def lose_the_new_password(patch: Patch) -> None:
    encode = userauth_wire.encode_user_auth_password_change

    def lossy(message: UserAuthPasswordChange, limits: Limits) -> bytes:
        changed = UserAuthPasswordChange(
            message.user, message.service, message.password, message.password
        )
        return encode(changed, limits)

    patch.setitem(userauth_wire.ENCODERS, UserAuthPasswordChange, lossy)


def take_any_bytes_for_names(patch: Patch) -> None:
    patch.setattr(userauth_wire, "are_names", lambda data: True)


def take_a_signature_for_none(patch: Patch) -> None:
    """A signed request is read as the question whether its key would do."""

    def careless(frame: memoryview, limits: Limits) -> UserAuthPublicKeyQuery:
        read = userauth_wire.decode_user_auth_public_key(frame, limits)
        return UserAuthPublicKeyQuery(read.user, read.service, read.algorithm, read.blob)

    query, _ = userauth_wire.VARIANTS[b"publickey"]
    patch.setitem(userauth_wire.VARIANTS, b"publickey", (query, careless))


def know_sixty_under_any_method(patch: Patch) -> None:
    decoders = userauth_codec._DECODERS
    patch.setitem(decoders["keyboard-interactive"], 60, decoders["publickey"][60])


def allocate_what_a_string_claims(patch: Patch) -> None:
    refuse = userauth_codec.refuse_frame

    def eager(frame: memoryview, limits: Limits, find: Any) -> RemoteProtocolError:
        bytearray(int.from_bytes(frame[5:9], "big"))
        return refuse(frame, limits, find)

    patch.setattr(userauth_codec, "refuse_frame", eager)
