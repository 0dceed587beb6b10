"""What errors say to people: the numbers and names in their texts are those of the case."""

from typing import Any

import pytest

import authplugin
from authplugin import (
    ClientSession,
    Limits,
    LocalProtocolError,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginSession,
    ProtocolError,
    RemoteProtocolError,
    decode,
    encode,
)

from .samples import framed, uint32

SMALL = Limits(frame=100, text=8, count=3)


def text(data: bytes) -> bytes:
    return uint32(len(data)) + data


def request(count: int, *prompts: bytes) -> bytes:
    return b"\x14" + text(b"") * 3 + uint32(count) + b"".join(prompts)


FRAMES: list[tuple[bytes, str]] = [
    (b"", "end-truncated: the input ends before the frame does (at byte 0 of the frame)"),
    (
        b"\0\0\0\x02\x07",
        "end-truncated: the input ends before the frame does (at byte 5 of the frame)",
    ),
    (uint32(0), "frame-empty: a frame holds at least its type byte (at byte 0 of the frame)"),
    (
        uint32(101),
        "frame-too-long: the frame says it is longer than the limit of 100 bytes"
        " (at byte 0 of the frame)",
    ),
    (framed(b"\x09"), "unknown-type: the type byte is that of no message (at byte 4 of the frame)"),
    (
        framed(b"\x07") + b"\0",
        "trailing-bytes: 1 byte follows the frame (at byte 5 of the frame)",
    ),
    (
        framed(b"\x07") + b"\0\0\0",
        "trailing-bytes: 3 bytes follow the frame (at byte 5 of the frame)",
    ),
    (
        framed(b"\x07\0"),
        "trailing-bytes: 1 byte follows the last field of PLUGIN_AUTH_FAILURE"
        " (at byte 5 of the frame)",
    ),
    (
        framed(b"\x05" + text(b"a") + b"\0\0"),
        "trailing-bytes: 2 bytes follow the last field of PLUGIN_PROTOCOL_REJECT"
        " (at byte 10 of the frame)",
    ),
    (
        framed(b"\x01\0\0\0"),
        "field-truncated: a uint32 takes 4 bytes, and the frame has 3 left"
        " (at byte 5 of the frame, in version)",
    ),
    (
        framed(b"\x05\0"),
        "field-truncated: a uint32 takes 4 bytes, and the frame has 1 left"
        " (at byte 5 of the frame, in message)",
    ),
    (
        framed(b"\x05" + uint32(8) + b"ab"),
        "field-truncated: the string says it is longer than the 2 bytes left"
        " (at byte 5 of the frame, in message)",
    ),
    (
        framed(b"\x05" + uint32(9)),
        "string-too-long: the string says it is longer than the limit of 8 bytes"
        " (at byte 5 of the frame, in message)",
    ),
    (
        framed(request(4)),
        "count-too-large: the count is over the limit of 3 (at byte 17 of the frame, in prompts)",
    ),
    (
        framed(request(2, text(b"a") + b"\0")),
        "count-impossible: the count is of more elements than the 6 bytes left can hold"
        " (at byte 17 of the frame, in prompts)",
    ),
    (
        framed(request(1, text(b"a"))),
        "field-truncated: a boolean takes 1 byte, and the frame has none left"
        " (at byte 26 of the frame, in prompts[0].echo)",
    ),
    (
        framed(request(1, text(b"a") + b"\2")),
        "bad-boolean: a boolean is 0 or 1 (at byte 26 of the frame, in prompts[0].echo)",
    ),
    (
        framed(request(1, text(b"a\xff") + b"\1")),
        "bad-utf8: the string is not UTF-8 (at byte 26 of the frame, in prompts[0].prompt)",
    ),
    (
        framed(b"\x03" + text(b"a\xff")),
        "bad-ascii: the string is not ASCII (at byte 10 of the frame, in method)",
    ),
]


@pytest.mark.parametrize(("frame", "words"), FRAMES, ids=[words for _, words in FRAMES])
def test_of_frames(frame: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(frame, SMALL)
    assert str(caught.value) == words


def asked(*prompts: Any) -> PluginKIServerRequest:
    return PluginKIServerRequest("", "", "", prompts)


MESSAGES: list[tuple[Any, str]] = [
    ("PLUGIN_INIT", "bad-value: expected a message, not str"),
    (
        PluginInit(2**32, "", 0, ""),
        "bad-value: expected an int from 0 to 4294967295, not int (in version)",
    ),
    (
        PluginInit(2, None, 0, ""),  # type: ignore[arg-type]
        "bad-value: expected str, bytes or a memoryview of bytes, not NoneType (in hostname)",
    ),
    (
        PluginInit(2, "\ud800", 0, ""),
        "bad-value: expected a str without surrogates, not str (in hostname)",
    ),
    (
        PluginInitFailure("123456789"),
        "string-too-long: the string is longer than the limit of 8 bytes (in message)",
    ),
    (PluginInitFailure(b"\xff"), "bad-utf8: the string is not UTF-8 (in message)"),
    (PluginProtocol("\xe9"), "bad-ascii: the string is not ASCII (in method)"),
    (
        PluginKIServerRequest("", "", "", {}),  # type: ignore[arg-type]
        "bad-value: expected a list or a tuple, not dict (in prompts)",
    ),
    (
        asked(*[("", False)] * 4),
        "count-too-large: there are more elements than the limit of 3 (in prompts)",
    ),
    (
        asked(("", False), "a"),
        "bad-value: expected a tuple (prompt, echo), not str (in prompts[1])",
    ),
    (asked(("", "no")), "bad-value: expected a bool, not str (in prompts[0].echo)"),
    (
        PluginKIUserResponse(["", 7]),  # type: ignore[list-item]
        "bad-value: expected str, bytes or a memoryview of bytes, not int (in responses[1])",
    ),
    (
        PluginKIServerRequest("a" * 8, "b" * 8, "c" * 8, [("d" * 8, True)] * 3),
        "frame-too-long: PLUGIN_KI_SERVER_REQUEST makes a frame that is longer than the limit of"
        " 50 bytes",
    ),
]


@pytest.mark.parametrize(("message", "words"), MESSAGES, ids=[words for _, words in MESSAGES])
def test_of_messages(message: Any, words: str) -> None:
    limits = Limits(frame=50, text=8, count=3) if words.startswith("frame") else SMALL
    with pytest.raises(LocalProtocolError) as caught:
        encode(message, limits)
    assert str(caught.value) == words


def started() -> tuple[ClientSession, PluginSession]:
    """Return both sides of a conversation that has agreed on version 2."""
    client, plugin = ClientSession(), PluginSession()
    plugin.receive_data(client.send(PluginInit(2, "h", 22, "")))
    plugin.next_event()
    client.receive_data(plugin.send(PluginInitResponse(2, "")))
    client.next_event()
    return client, plugin


def out_of_turn() -> None:
    started()[1].send(PluginAuthSuccess())


def wrong_side() -> None:
    started()[0].send(PluginInitResponse(2, ""))


def wrong_state() -> None:
    started()[0].send(PluginAuthSuccess())


def unread() -> None:
    session = PluginSession()
    session.receive_data(encode(PluginInit(2, "h", 22, "")))
    session.send(PluginInitResponse(2, ""))


def above_the_offer() -> None:
    session = PluginSession()
    session.receive_data(encode(PluginInit(2, "h", 22, "")))
    session.next_event()
    session.send(PluginInitResponse(3, ""))


def not_spoken() -> None:
    ClientSession().send(PluginInit(1, "h", 22, ""))


def chosen_and_not_spoken() -> None:
    session = ClientSession()
    session.send(PluginInit(2, "h", 22, ""))
    session.receive_data(encode(PluginInitResponse(1, "")))
    session.next_event()


def empty_read() -> None:
    ClientSession().receive_data(b"")


def no_bytes() -> None:
    ClientSession().receive_data("")  # type: ignore[arg-type]


def no_message() -> None:
    ClientSession().send("PLUGIN_INIT")  # type: ignore[arg-type]


def ended() -> None:
    session = PluginSession()
    session.receive_end_of_file()
    session.receive_data(b"a")


def poisoned() -> None:
    session = PluginSession()
    session.receive_data(uint32(0))
    session.receive_data(b"a")


def early_end() -> None:
    session = ClientSession()
    session.send(PluginInit(2, "h", 22, ""))
    session.receive_end_of_file()
    session.next_event()


def end_in_a_frame() -> None:
    session = PluginSession()
    session.receive_data(b"\0\0\0")
    session.receive_end_of_file()
    session.next_event()


def over() -> None:
    session = PluginSession()
    session.receive_data(encode(PluginInit(2, "h", 22, "")))
    session.next_event()
    session.send(PluginInitFailure(""))
    session.receive_data(b"a")
    session.next_event()


def no_such_method() -> None:
    decode(b"", method="password")


CALLS = [
    (
        out_of_turn,
        "wrong-turn: in state IDLE it is the client's turn, not the plugin's",
    ),
    (
        wrong_side,
        "wrong-side: PLUGIN_INIT_RESPONSE is sent by the plugin (at byte 4 of the frame)",
    ),
    (
        wrong_state,
        "wrong-state: PLUGIN_AUTH_SUCCESS is sent in state AUTHENTICATING, not in IDLE"
        " (at byte 4 of the frame)",
    ),
    (unread, "wrong-turn: take the 1 events that have come (next_event) before sending"),
    (
        above_the_offer,
        "version-above-offer: version 3 was chosen; the client offered 2 at most"
        " (at byte 5 of the frame, in version)",
    ),
    (
        not_spoken,
        "version-unsupported: version 1 is not one that this library speaks: (2,) (in version)",
    ),
    (
        chosen_and_not_spoken,
        "version-unsupported: version 1 was chosen; this library speaks (2,)"
        " (at byte 5 of the frame, in version)",
    ),
    (
        empty_read,
        "bad-value: no bytes came: say receive_end_of_file() at the end of file",
    ),
    (no_bytes, "bad-value: expected bytes, bytearray or memoryview, not str"),
    (no_message, "bad-value: expected a message, not str"),
    (ended, "session-over: the client has ended the session"),
    (poisoned, "poisoned: the session ended with frame-empty"),
    (
        early_end,
        "end-premature: the plugin ended its output while it owed a message, in state INITIALISING",
    ),
    (
        end_in_a_frame,
        "end-truncated: the client ended its output inside a frame, in state START"
        " (at byte 3 of the frame)",
    ),
    (over, "session-over: the client may say nothing in state ENDED"),
    (
        no_such_method,
        "method-unknown: no messages are known for 'password', only for None,"
        " 'keyboard-interactive'",
    ),
]


@pytest.mark.parametrize(("call", "words"), CALLS, ids=[call.__name__ for call, _ in CALLS])
def test_of_calls(call: Any, words: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        call()
    assert str(caught.value) == words


def test_what_a_decoder_says_of_its_caller() -> None:
    decoder = authplugin.MessageDecoder()
    decoder.feed(framed(b"\x07"))
    with pytest.raises(LocalProtocolError) as caught:
        decoder.feed(framed(b"\x07"))
    assert str(caught.value) == (
        "wrong-turn: take all items of the last chunk (iterate over the decoder) before feeding"
        " more"
    )
    list(decoder)
    decoder.end_of_file()
    with pytest.raises(LocalProtocolError) as caught:
        decoder.feed(b"a")
    assert str(caught.value) == "poisoned: no more input: the input has ended"
    decoder = authplugin.MessageDecoder()
    with pytest.raises(RemoteProtocolError):
        list(decoder.feed(uint32(0)))
    with pytest.raises(LocalProtocolError) as caught:
        decoder.feed(b"a")
    assert str(caught.value) == "poisoned: no more input: it was refused with frame-empty"
