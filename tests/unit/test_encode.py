"""What the caller builds: every kind of text, and every misuse refused in words that help."""

import itertools
from array import array
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from authplugin import (
    ErrorCode,
    Limits,
    LocalProtocolError,
    Message,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolReject,
    encode,
)
from authplugin_properties.oracles import grammar

from .samples import EVERY, SECRET, Sample, built, neutral

ZEROS = {"name": b"", "instructions": b"", "language": b""}


def request(prompts: Any, kind: Any = PluginKIServerRequest) -> Message:
    made: Message = kind("", "", "", prompts)
    return made


# What is right.

HOLDERS: dict[str, Callable[[bytes], Any]] = {
    "str": bytes.decode,
    "bytes": lambda data: data,
    "view": memoryview,
    "view of a bytearray": lambda data: memoryview(bytearray(data)),
    "part of a view": lambda data: memoryview(b"x" + data + b"y")[1:-1],
    "view of signed bytes": lambda data: memoryview(data).cast("b"),
    "view of characters": lambda data: memoryview(data).cast("c"),
    "view of an array": lambda data: memoryview(array("B", data)),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_text_can_be_held_in_many_ways(hold: Callable[[bytes], Any]) -> None:
    for sample in EVERY:
        values = neutral(built(grammar.parse(sample.frame)))
        for name, value in values.items():
            if isinstance(value, bytes):
                values[name] = hold(value)
            elif name == "prompts":
                values[name] = [(hold(prompt), echo) for prompt, echo in value]
            elif name == "responses":
                values[name] = [hold(response) for response in value]
        assert encode(built(values)) == sample.frame


@pytest.mark.parametrize("hold", list(HOLDERS.values())[1:], ids=list(HOLDERS)[1:])
@pytest.mark.parametrize("size", [0, 20_000])
def test_wrong_text_is_found_however_it_is_held(hold: Callable[[bytes], Any], size: int) -> None:
    text = b"a" * size + b"\xff"
    for message, code, field in (
        (PluginInit(2, hold(text), 22, ""), ErrorCode.BAD_UTF8, "hostname"),
        (PluginProtocol(hold(text)), ErrorCode.BAD_ASCII, "method"),
        (PluginKIServerRequest(hold(text), "", "", []), ErrorCode.BAD_UTF8, "name"),
        (PluginKIServerRequest("", "", hold(text), []), ErrorCode.BAD_ASCII, "language"),
        (PluginKIServerResponse(["", hold(text)]), ErrorCode.BAD_UTF8, "responses[1]"),
    ):
        with pytest.raises(LocalProtocolError) as caught:
            encode(message)
        assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize("make", [list, tuple])
def test_counted_fields_take_lists_and_tuples(make: Callable[[Any], Any]) -> None:
    responses = [b"a", b"", "\u00e9".encode()]
    wanted = grammar.build({"type": 21, "responses": responses})
    assert encode(PluginKIServerResponse(make(responses))) == wanted
    prompts = [(b"p", True), (b"", False)]
    wanted = grammar.build({"type": 22, **ZEROS, "prompts": prompts})
    assert encode(request(make(prompts), PluginKIUserRequest)) == wanted
    assert (
        encode(request(make([list(prompt) for prompt in prompts]), PluginKIUserRequest)) == wanted
    )


def refused(sample: Sample) -> tuple[str, str | None]:
    """Return the code and the field with which a sample's message is refused."""
    with pytest.raises(LocalProtocolError) as caught:
        encode(built(grammar.parse(sample.frame)))
    return caught.value.code, caught.value.field


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_every_text_is_held_to_its_encoding(sample: Sample) -> None:
    for at in sample.of_kind("utf8", "unstated"):
        for ill in (b"\xff", b"a\xe2\x82", b"\xed\xa0\x80"):
            assert refused(sample.with_piece(at, ill)) == ("bad-utf8", sample.pieces[at].field)
    for at in sample.of_kind("ascii"):
        assert refused(sample.with_piece(at, "\u00e9".encode())) == (
            ("bad-ascii", sample.pieces[at].field)
        )
    texts = sample.of_kind("utf8", "unstated")
    for first, second in itertools.pairwise(texts):
        halves = sample.with_piece(first, b"\xe2\x82").with_piece(second, b"\xac")
        assert refused(halves) == ("bad-utf8", sample.pieces[first].field)


def test_a_message_can_be_changed_and_sent_again() -> None:
    message = PluginInitResponse(version=2, username="a")
    message.username = "bc"
    assert encode(message) == grammar.build({"type": 2, "version": 2, "username": b"bc"})


# Misuse.


class Opaque:
    """Has a text of its own, which no error may show."""

    def __repr__(self) -> str:
        return SECRET


LONE = "\ud800" + SECRET
WIDE = memoryview(array("I", [0x61626364] * 3))
GAPS = memoryview(SECRET.encode() * 2)[::2]
NOT_TEXT: dict[str, Any] = {
    "nothing": None,
    "int": 65,
    "float": 1.5,
    "list of bytes": [b"a"],
    "list of nothing": [],
    "list of ints": [97, 98],
    "tuple": ("a",),
    "dict": {"a": 1},
    "object": Opaque(),
    "str with a surrogate": LONE,
    "view of words": WIDE,
    "view with gaps": GAPS,
}
NOT_UINT32: list[Any] = [-1, 2**32, 2**64, None, "2", b"2", 2.0, [2], Opaque()]
NOT_BOOL: list[Any] = [2, -1, 255, 256, None, "", "yes", b"\1", [True], Opaque()]
NOT_SEQUENCE: dict[str, Any] = {
    "nothing": None,
    "int": 1,
    "str": SECRET,
    "empty str": "",
    "bytes": SECRET.encode(),
    "empty bytes": b"",
    "bytearray": bytearray(SECRET.encode()),
    "view": memoryview(SECRET.encode()),
    "generator": (item for item in [SECRET]),
    "iterator": iter([SECRET]),
    "object": Opaque(),
}
NOT_PROMPTS: dict[str, Any] = {
    "nothing": None,
    "str": "ab",
    "bytes": b"ab",
    "str alone": SECRET,
    "one value": ("p",),
    "three values": ("p", True, True),
    "none": (),
    "int": 7,
    "object": Opaque(),
}


def misused(message: Any, field: str | None, limits: Limits | None = None) -> str:
    """Return the text with which a message is refused."""
    with pytest.raises(LocalProtocolError) as caught:
        encode(message, limits or Limits())
    error = caught.value
    assert (error.code, error.field, error.offset) == (ErrorCode.BAD_VALUE, field, None)
    assert error.__suppress_context__ or error.__context__ is None
    for hidden in (SECRET, SECRET[::2], LONE):
        assert hidden not in f"{error}{error!r}{error.args}"
    assert field is None or f"(in {field})" in str(error)
    return error.text


TEXT_PLACES: list[tuple[str, Callable[[Any], Message]]] = [
    ("hostname", lambda value: PluginInit(2, value, 22, "u")),
    ("username", lambda value: PluginInit(2, "h", 22, value)),
    ("username", lambda value: PluginInitResponse(2, value)),
    ("message", PluginInitFailure),
    ("message", PluginProtocolReject),
    ("method", PluginProtocol),
    ("responses[0]", lambda value: PluginKIServerResponse([value])),
    ("responses[2]", lambda value: PluginKIServerResponse(["a", "b", value])),
    ("responses[0]", lambda value: PluginKIUserResponse([value])),
    ("responses[2]", lambda value: PluginKIUserResponse(["a", "b", value])),
]


def request_places(kind: Any) -> list[tuple[str, Callable[[Any], Message]]]:
    return [
        ("name", lambda value: kind(value, "", "", [])),
        ("instructions", lambda value: kind("", value, "", [])),
        ("language", lambda value: kind("", "", value, [])),
        ("prompts[0].prompt", lambda value: kind("", "", "", [(value, True)])),
        ("prompts[1].prompt", lambda value: kind("", "", "", [("p", True), (value, True)])),
    ]


TEXT_PLACES += request_places(PluginKIServerRequest) + request_places(PluginKIUserRequest)


@pytest.mark.parametrize("wrong", NOT_TEXT.values(), ids=NOT_TEXT)
@pytest.mark.parametrize(("field", "make"), TEXT_PLACES)
def test_what_is_no_text(field: str, make: Callable[[Any], Message], wrong: Any) -> None:
    text = misused(make(wrong), field)
    assert text.startswith("expected ")
    if isinstance(wrong, str):
        assert "surrogates" in text
    else:
        assert "expected str, bytes or a memoryview of bytes" in text
    assert f"not {type(wrong).__name__}" in text


@pytest.mark.parametrize("wrong", NOT_UINT32, ids=str)
def test_what_is_no_uint32(wrong: Any) -> None:
    places: list[tuple[str, Message]] = [
        ("version", PluginInit(wrong, "h", 22, "u")),
        ("port", PluginInit(2, "h", wrong, "u")),
        ("version", PluginInitResponse(wrong, "u")),
    ]
    for field, message in places:
        text = misused(message, field)
        assert text.startswith(f"expected an int from 0 to 4294967295, not {type(wrong).__name__}")


@pytest.mark.parametrize("wrong", NOT_BOOL, ids=str)
def test_what_is_no_bool(wrong: Any) -> None:
    for index in range(3):
        prompts: list[Any] = [("p", False)] * 3
        prompts[index] = ("p", wrong)
        text = misused(request(prompts), f"prompts[{index}].echo")
        assert text.startswith(f"expected a bool, not {type(wrong).__name__}")
        if wrong not in (2, 255):
            lenient = Limits(nonzero_is_true=True)
            misused(request(prompts, PluginKIUserRequest), f"prompts[{index}].echo", lenient)


@pytest.mark.parametrize("wrong", NOT_SEQUENCE.values(), ids=NOT_SEQUENCE)
def test_what_is_no_sequence(wrong: Any) -> None:
    """Least of all a str, whose characters would each be a response."""
    for message, field in (
        (PluginKIServerResponse(wrong), "responses"),
        (PluginKIUserResponse(wrong), "responses"),
        (request(wrong), "prompts"),
        (request(wrong, PluginKIUserRequest), "prompts"),
    ):
        assert f"expected a list or a tuple, not {type(wrong).__name__}" in misused(message, field)


@pytest.mark.parametrize(
    "wrong", [{"a"}, {"a": "b"}, {("p", True)}, {("p", True): 1}, OrderedDict()]
)
def test_what_has_no_order_or_no_items_of_its_own_is_no_sequence(wrong: Any) -> None:
    kind = PluginKIServerResponse if "a" in wrong else request
    misused(kind(wrong), "responses" if "a" in wrong else "prompts")


@pytest.mark.parametrize("wrong", NOT_PROMPTS.values(), ids=NOT_PROMPTS)
@pytest.mark.parametrize("index", [0, 2])
def test_what_is_no_prompt(index: int, wrong: Any) -> None:
    prompts: list[Any] = [("p", True)] * 3
    prompts[index] = wrong
    text = misused(request(prompts), f"prompts[{index}]")
    assert f"expected a tuple (prompt, echo), not {type(wrong).__name__}" in text


@pytest.mark.parametrize("pin", [0, 7, 314159, True])
def test_a_number_in_place_of_a_response_is_not_shown(pin: int) -> None:
    for kind in (PluginKIServerResponse, PluginKIUserResponse):
        cases: list[Any] = [[pin], ["a", pin]]
        for responses in cases:
            text = misused(kind(responses), f"responses[{len(responses) - 1}]")
            assert str(pin) not in text
    # Each byte would pass for a response.
    wrong: list[Any] = [bytearray(b"314159"), array("B", b"314159")]
    for octets in wrong:
        with pytest.raises(LocalProtocolError) as caught:
            encode(PluginKIServerResponse(octets))
        assert not any(str(octet) in str(caught.value) for octet in octets)


def test_the_first_field_at_fault_is_named() -> None:
    misused(PluginInit(-1, None, -1, None), "version")  # type: ignore[arg-type]
    misused(PluginInit(2, None, -1, None), "hostname")  # type: ignore[arg-type]
    misused(PluginInit(2, "h", -1, None), "port")  # type: ignore[arg-type]
    misused(request([("p", True), (None, 7)]), "prompts[1].prompt")


@pytest.mark.parametrize(
    "wrong", [None, 5, SECRET, b"\0\0\0\1\4", PluginAuthSuccess, Opaque(), [PluginAuthSuccess()]]
)
def test_what_is_no_message(wrong: Any) -> None:
    assert misused(wrong, None) == f"expected a message, not {type(wrong).__name__}"


def test_a_message_of_no_declared_kind_cannot_be_encoded() -> None:
    class Another(PluginInit):
        """Declared nowhere."""

    for message in (Another(2, "h", 22, "u"), Message()):
        assert "limit" not in misused(message, None)


def test_a_field_that_was_never_set_is_named() -> None:
    for name in ("version", "hostname", "port", "username"):
        message = PluginInit(2, "h", 22, "u")
        delattr(message, name)
        assert "not NoneType" in misused(message, name)
