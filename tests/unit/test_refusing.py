"""Which field of a message is blamed: with every wire kind there is, right values before it."""

from typing import Any

import pytest

from authplugin import Limits, LocalProtocolError, PluginInit, PluginKIServerRequest, encode
from authplugin.kinds import (
    Boolean,
    Names,
    Opaque,
    Prompts,
    Responses,
    SecretRest,
    Text,
    UInt32,
    UnstatedText,
)
from authplugin.refusing import refuse_message
from authplugin.table import WireMessage, WireSpec, declare

LIMITS = Limits(text=4, count=3)
LENIENT = Limits(text=4, count=3, nonzero_is_true=True, any_bytes=True)


class Everything(WireMessage):
    number: UInt32
    flag: Boolean
    text: Text
    host: UnstatedText
    names: Names
    blob: Opaque
    prompts: Prompts
    responses: Responses
    rest: SecretRest


EVERYTHING: Any = declare(Everything, lambda fields: WireSpec("EVERYTHING", 9, "1", None, fields))

RIGHT: dict[str, list[Any]] = {
    "number": [0, 1, 2**32 - 1, True],
    "flag": [False, True, 0, 1],
    "text": ["", "abcd", b"abcd", bytearray(4), memoryview(b"abcd"), "\ud7ff", "\ue000"],
    "host": ["", b"\xc3\xa9"],
    "names": ["", "a", "a,bb"],
    "blob": [b"", b"\xff\xff\xff\xff", bytearray(b"\xff"), memoryview(b"\xff")],
    "prompts": [[], (), [("abcd", True)] * 3, (["a", 0],)],
    "responses": [[], ["abcd"] * 3, (b"", "\u20ac")],
    "rest": [b"", b"\xff" * 9, bytearray(1), memoryview(b"\xff")],
}

WRONG: dict[str, list[tuple[Any, str]]] = {
    "number": [
        (value, "bad-value: expected an int from 0 to 4294967295, not {kind} (in number)")
        for value in (-1, 2**32, 1.0, "1", None)
    ],
    "flag": [(value, "bad-value: expected a bool, not {kind} (in flag)") for value in (-1, 2, "")],
    "text": [
        *(
            (value, "bad-value: expected str, bytes or a memoryview of bytes, not {kind} (in text)")
            for value in (None, 1, ["a"], memoryview(b"abcd")[::2], memoryview(b"abcd").cast("H"))
        ),
        *(
            (value, "bad-value: expected a str without surrogates, not str (in text)")
            for value in ("\ud800", "a\udbff", "\udc00", "a\udfffb")
        ),
        ("abcde", "string-too-long: the string is longer than the limit of 4 bytes (in text)"),
        (
            "\u20ac\u20ac",
            "string-too-long: the string is longer than the limit of 4 bytes (in text)",
        ),
        (b"a\xff", "bad-utf8: the string is not UTF-8 (in text)"),
    ],
    "host": [(b"\xff", "bad-utf8: the string is not UTF-8 (in host)")],
    "names": [
        (b"a\xff", "bad-ascii: the string is not ASCII (in names)"),
        ("a,", "bad-name-list: the string is not a list of names, none of them empty (in names)"),
    ],
    "blob": [
        (value, "bad-value: expected bytes or a memoryview of bytes, not {kind} (in blob)")
        for value in ("a", None, memoryview(b"abcd")[::2])
    ],
    "prompts": [
        *(
            (value, "bad-value: expected a list or a tuple, not {kind} (in prompts)")
            for value in (None, "ab", {}, {("a", True)})
        ),
        (
            [("", True)] * 4,
            "count-too-large: there are more elements than the limit of 3 (in prompts)",
        ),
        *(
            (
                [("abcd", False), value],
                "bad-value: expected a tuple (prompt, echo), not {item} (in prompts[1])",
            )
            for value in ("ab", None, ("a",), ("a", True, True), [])
        ),
        (
            [("", 0), ("", 1), ("", 2)],
            "bad-value: expected a bool, not int (in prompts[2].echo)",
        ),
        (
            [(1, True)],
            "bad-value: expected str, bytes or a memoryview of bytes, not int"
            " (in prompts[0].prompt)",
        ),
    ],
    "responses": [
        (
            ["", ("a",)],
            "bad-value: expected str, bytes or a memoryview of bytes, not tuple (in responses[1])",
        ),
        ([b"\xff"], "bad-utf8: the string is not UTF-8 (in responses[0])"),
    ],
    "rest": [
        (value, "bad-value: expected bytes or a memoryview of bytes, not {kind} (in rest)")
        for value in ("a", None, [1])
    ],
}


def blamed(limits: Limits = LIMITS, **values: Any) -> str:
    """Return what is said of a message with some values, and the others right."""
    message = EVERYTHING(**{name: right[0] for name, right in RIGHT.items()} | values)
    error = refuse_message(message, limits, {EVERYTHING})
    assert isinstance(error, LocalProtocolError)
    assert error.__traceback__ is None
    return str(error)


NOTHING = "frame-too-long: EVERYTHING makes a frame that is longer than the limit of 262144 bytes"


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_blamed(name: str) -> None:
    for value in RIGHT[name]:
        assert blamed(**{name: value}) == NOTHING, value


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_blamed(name: str) -> None:
    for value, words in WRONG[name]:
        item = type(value[-1]).__name__ if isinstance(value, list) and value else ""
        expected = words.format(kind=type(value).__name__, item=item)
        assert blamed(**{name: value}) == expected, value
        for other, right in RIGHT.items():
            if other != name:
                for each in right:
                    assert blamed(**{name: value, other: each}) == expected, (value, other, each)


def test_leniency_is_for_senders_too() -> None:
    assert blamed(LENIENT, host=b"\xff", flag=255, prompts=[("", 255)]) == NOTHING
    assert blamed(LENIENT, text=b"\xff").startswith("bad-utf8")
    assert blamed(LENIENT, flag=256) == "bad-value: expected a bool, not int (in flag)"
    assert "(in prompts[0].echo)" in blamed(LENIENT, prompts=[("", -1)])
    assert blamed(LENIENT, host=b"\xff" * 5).startswith("string-too-long")


def test_a_field_that_was_never_set_is_blamed() -> None:
    message = EVERYTHING(**{name: right[0] for name, right in RIGHT.items()})
    del message.blob
    error = refuse_message(message, LIMITS, {EVERYTHING})
    assert (error.code, error.field) == ("bad-value", "blob")


@pytest.mark.parametrize("number", [0, 1, 2, 64, 2**32 - 1])
def test_the_right_fields_of_a_real_message_are_not_blamed(number: int) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(PluginInit(number, "", number, 7))  # type: ignore[arg-type]
    assert caught.value.field == "username"
    with pytest.raises(LocalProtocolError) as caught:
        encode(PluginKIServerRequest("", "", "", [("", False), ("", True), ("", 2)]))  # type: ignore[list-item]
    assert caught.value.field == "prompts[2].echo"


def test_no_secret_shows_whatever_its_kind() -> None:
    values = {name: right[0] for name, right in RIGHT.items()} | {"rest": b"\1", "responses": ["a"]}
    shown = repr(EVERYTHING(**values))
    assert shown.endswith(", prompts=[], responses=<1 not shown>, rest=<not shown>)")
