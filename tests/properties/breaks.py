"""For each law mistakes that break it, and arguments on which that shows.

`python -m tests.properties.breaks` prints after how many examples a random search finds each of
them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from authplugin import Limits, PluginInit, PluginKIServerResponse
from authplugin.userauth import (
    UserAuthFailure,
    UserAuthNone,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPublicKey,
    UserAuthPublicKeyOk,
    encode,
    encode_payload,
)
from authplugin_corpus.protocols import USER_AUTH
from authplugin_properties.laws import LawBroken
from authplugin_properties.oracles.server_steps import Answer, Receive
from authplugin_properties.properties import PROPERTIES, Arguments, Property

from . import mistakes, server_mistakes
from .frames import ACCEPT, ANSWER_1, ASK_1, INIT, METHOD, OTHER, READY

SMALL = Limits(frame=64, text=24, count=3)
CHALLENGED = INIT + READY + METHOD + ACCEPT + ASK_1
CUT = INIT + b"\0"
EMPTY_FRAME = bytes(4)
ACCENTED = b"\0\0\0\x07\x08\0\0\0\x02\xc3\xa9"


@dataclass(frozen=True)
class Break:
    """A mistake, the law that it breaks, and where that shows.

    Attributes:
        law: the name of the law.
        make: puts the mistake into the code, until the patch is undone.
        example: arguments of the law. It holds of them where the code is right.
        says: what the law then says, as a regular expression.
    """

    law: str
    make: Callable[[pytest.MonkeyPatch], None]
    example: Arguments
    says: str

    @property
    def name(self) -> str:
        return f"{self.law}-{self.make.__name__}"

    @property
    def broken(self) -> Property:
        return PROPERTIES[self.law]


def _breaks() -> Iterator[Break]:
    law = "only_protocol_error"
    yield Break(law, mistakes.crash_on_an_empty_frame, {"data": EMPTY_FRAME}, "FrameDecoder raised")
    yield Break(
        law,
        mistakes.crash_on_a_method_that_is_not_known,
        {"data": INIT + READY + METHOD + ACCEPT},
        "raised TypeError",
    )
    yield Break(
        law, mistakes.crash_in_explain, {"data": ACCENTED}, "explain raised UnicodeDecodeError"
    )

    law = "chunking_changes_nothing"
    yield Break(
        law,
        mistakes.lose_a_byte_of_a_short_chunk,
        {"data": INIT, "sizes": [3]},
        "chunking changes nothing: FrameDecoder",
    )
    yield Break(
        law,
        mistakes.reuse_a_buffer,
        {"data": INIT + READY, "sizes": [1]},
        "FrameDecoder.* item 0 is",
    )
    yield Break(
        law,
        mistakes.judge_the_turn_once_a_chunk,
        {"data": CUT, "sizes": [len(INIT)]},
        "chunking changes nothing: PluginSession.*wrong-turn",
    )

    law = "prefix_yields_nothing_else"
    cuts = [len(INIT)]
    yield Break(
        law,
        mistakes.deliver_all_or_nothing,
        {"data": INIT + EMPTY_FRAME, "cuts": cuts},
        "a prefix yields nothing else: FrameDecoder.* item 0 is .*frame.*, not nothing",
    )
    yield Break(
        law,
        mistakes.drop_what_was_good_before_a_violation,
        {"data": CUT, "cuts": cuts},
        "a prefix yields nothing else: the plugin's session.* item 0 is .*heard.*, not nothing",
    )

    law = "good_before_bad"
    yield Break(
        law,
        mistakes.deliver_all_or_nothing,
        {"data": INIT + EMPTY_FRAME},
        "good before bad: FrameDecoder.* item 0 is .*frame-empty",
    )
    yield Break(
        law,
        mistakes.take_a_byte_more_than_the_limit,
        {"data": INIT, "limits": replace(SMALL, frame=len(INIT) - 5)},
        "good before bad: FrameDecoder.* not .*frame-too-long",
    )

    law = "poisoned_stays_poisoned"
    yield Break(
        law,
        mistakes.go_on_after_a_refusal,
        {"data": EMPTY_FRAME},
        "FrameDecoder: .* raised None, not Local",
    )
    yield Break(
        law, mistakes.raise_a_violation_once, {"data": INIT * 2}, "session: .*for|session: receive"
    )
    yield Break(
        law,
        mistakes.hear_on_after_the_end_of_file,
        {"data": INIT + READY},
        "session: .*not LocalProtocol",
    )
    yield Break(
        law,
        mistakes.drop_what_was_good_before_a_violation,
        {"data": CUT},
        "the plugin's session: 0 events came, not 1",
    )

    law = "round_trip"
    yield Break(
        law,
        mistakes.encode_the_port_little_endian,
        {"frame": INIT},
        "round trip: the message encodes to other bytes",
    )
    yield Break(
        law,
        mistakes.detach_without_empty_texts,
        {"frame": b"\0\0\0\x09\x15\0\0\0\1\0\0\0\0"},
        "round trip: the detached message encodes to other",
    )

    law = "round_trip_message"
    yield Break(
        law,
        mistakes.decode_the_port_as_16_bits,
        {"message": PluginInit(2, "", 1 << 16, "")},
        "round trip of a message: .* came back as",
    )
    yield Break(
        law,
        mistakes.encode_no_empty_list,
        {"message": PluginKIServerResponse([])},
        "round trip: .* cannot be encoded",
    )

    law = "agrees_with_cursor"
    bad = b"\0\0\0\x06\x05\0\0\0\x01\xff"
    yield Break(law, mistakes.take_any_bytes_for_utf8, {"frame": bad}, "cursor decoder: .*bad-utf8")
    yield Break(
        law,
        mistakes.count_offsets_from_the_type_byte,
        {"frame": bad},
        "cursor decoder: .*offset=.*offset=",
    )

    law = "agrees_with_grammar"
    yield Break(
        law,
        mistakes.decode_the_port_as_16_bits,
        {"frame": INIT[:13] + b"\0\1\0\0" + INIT[17:]},
        "agreement with the grammar: .*65536",
    )
    yield Break(
        law,
        mistakes.take_any_byte_for_a_boolean,
        {"frame": ASK_1[:-1] + b"\7"},
        "agreement with the grammar: .* the grammar None",
    )
    yield Break(
        law,
        mistakes.forget_a_message,
        {"frame": ACCENTED},
        "agreement with the grammar: decode refuses with unknown-type",
    )

    law = "agrees_with_model"
    yield Break(
        law,
        mistakes.check_no_guards,
        {"conversation": INIT + READY + OTHER + ACCEPT, "side": "client"},
        "agreement with the model: .*method-unknown",
    )
    yield Break(
        law,
        mistakes.let_a_plugin_end_any_time,
        {"conversation": INIT, "side": "client"},
        "agreement with the model: .*end-premature",
    )
    yield Break(
        law,
        mistakes.check_no_place,
        {"conversation": INIT + ACCEPT, "side": "client"},
        "agreement with the model: .*wrong-state",
    )

    law = "held_is_bounded"
    claimed = b"\xff" * 4 + bytes(100)
    yield Break(
        law,
        mistakes.say_that_nothing_is_held,
        {"data": CUT, "sizes": [1]},
        "held is bounded: FrameDecoder says it holds 0 bytes, not 1",
    )
    yield Break(
        law,
        mistakes.wait_for_more_than_the_limit,
        {"data": claimed, "sizes": [1], "limits": SMALL},
        "held is bounded: FrameDecoder says it holds 69 bytes, not 69, of at most 68",
    )

    law = "memory_is_bounded"
    yield Break(
        law,
        mistakes.allocate_what_a_header_claims,
        {"data": b"\0\4\0\0\x15", "sizes": [4]},
        "memory is bounded: FrameDecoder took",
    )
    yield Break(
        law, mistakes.keep_every_frame, {"data": ACCEPT * 4000}, "memory is bounded: .* took"
    )

    law = "work_is_linear"
    long = {"data": b"\0\0\x40\0" + bytes(0x3000), "sizes": [1]}
    yield Break(law, mistakes.join_all_that_is_held_with_each_chunk, long, "FrameDecoder, .*copied")
    yield Break(
        law,
        mistakes.look_through_all_that_is_held_with_each_chunk,
        {"data": long["data"][:300], "sizes": [1]},
        "FrameDecoder, .*ran",
    )

    law = "no_secret_in_any_text"
    for mistake in (
        mistakes.show_responses_in_repr,
        mistakes.show_what_was_not_understood,
        mistakes.raise_a_refusal_from_what_holds_the_frame,
        mistakes.quote_the_value_that_cannot_be_encoded,
    ):
        yield Break(law, mistake, {"data": b""}, "a text of a frame.* tells something of it")
    yield Break(
        law,
        mistakes.tell_the_length_that_is_too_long,
        {"data": b""},
        "a text of FrameDecoder tells something of it: .*a frame of",
    )
    yield Break(
        law,
        mistakes.log_what_comes,
        {"data": CHALLENGED + ANSWER_1},
        "a text of the client's session tells something of it: .*h'",
    )


def _userauth_breaks() -> Iterator[Break]:
    password = encode(UserAuthPassword("alice", "ssh-connection", "hunter22"))
    either = {"frame": password, "protocol": USER_AUTH[None]}
    yield Break(
        "round_trip_of_userauth",
        mistakes.lose_the_new_password,
        {
            "frame": encode(UserAuthPasswordChange("alice", "ssh-connection", "a", "b")),
            "protocol": USER_AUTH[None],
        },
        "encodes to other bytes",
    )
    yield Break(
        "round_trip_message_of_userauth",
        mistakes.lose_the_new_password,
        {"message": UserAuthPasswordChange("alice", "ssh-connection", "a", "b")},
        "came back as",
    )
    failure = encode(UserAuthFailure("password,publickey", True))
    yield Break(
        "agrees_with_cursor_of_userauth",
        mistakes.take_any_bytes_for_names,
        {"frame": failure.replace(b",", b"\xff"), "protocol": USER_AUTH[None]},
        "the cursor decoder Problem.code='bad-ascii'",
    )
    for law in ("agrees_with_cursor_of_userauth", "agrees_with_grammar_of_userauth"):
        yield Break(
            law,
            mistakes.take_a_signature_for_none,
            {
                "frame": encode(UserAuthPublicKey("alice", "ssh-connection", "a", b"b", b"c")),
                "protocol": USER_AUTH["publickey"],
            },
            "agreement with the",
        )
    yield Break(
        "agrees_with_grammar_of_userauth",
        mistakes.know_sixty_under_any_method,
        {
            "frame": encode(UserAuthPublicKeyOk("a", b"b")),
            "protocol": USER_AUTH["keyboard-interactive"],
        },
        "agreement with the grammar",
    )
    law = "no_secret_in_a_frame"
    yield Break(law, mistakes.show_responses_in_repr, either, "tells something of it")
    yield Break(
        law, mistakes.quote_the_value_that_cannot_be_encoded, either, "tells something of it"
    )
    yield Break(
        "a_frame_costs_what_it_holds",
        mistakes.allocate_what_a_string_claims,
        {"frame": b"\0\0\0\x05\x32\0\x10\0\0", "protocol": USER_AUTH[None]},
        "bytes, and .* would do",
    )
    asked = Receive(encode_payload(UserAuthNone("alice", "ssh-connection")), (Answer(accept=1),))
    yield Break(
        "userauth_server_agrees",
        server_mistakes.take_what_is_true_for_true,
        {"steps": [asked]},
        "the server agrees with its model: what is said to be decided",
    )


BREAKS = (*_breaks(), *_userauth_breaks())


def tries_of(each: Break, most: int = 2000) -> int | None:
    """Return how many random examples it takes to find a mistake; None for more than the most."""
    tries = 0

    def counted(**arguments: Any) -> None:
        nonlocal tries
        tries += 1
        each.broken.law(**arguments)

    search = settings(
        max_examples=most,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
    )
    with pytest.MonkeyPatch.context() as patch:
        each.make(patch)
        try:
            search(replace(each.broken, law=counted).test())()
        except LawBroken:
            return tries
    return None


if __name__ == "__main__":
    for each in BREAKS:
        print(f"{tries_of(each) or 'not found':>9}  {each.name}", flush=True)
