"""The table's facts against `wire-facts`, typed in anew, and what a message is as an object."""

import copy
import pickle
from array import array
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest

import authplugin
from authplugin import (
    KEYBOARD_INTERACTIVE,
    MESSAGES,
    EndKind,
    EndOfFile,
    ErrorCode,
    LocalProtocolError,
    Message,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocolReject,
    ProtocolError,
    RemoteProtocolError,
    Side,
    State,
    decode,
    encode,
)
from authplugin.kinds import BooleanKind, CountedKind, Encoding, StringKind, UInt32Kind
from authplugin.messages import METHODS, SPEAKER, VERSIONS
from authplugin_properties.oracles import cursor, turns

from .samples import CLASSES, EVERY, SECRET, Sample, neutral

_REQUEST = (
    "name: utf-8; instructions: utf-8; language: ascii; prompts: n (prompt: utf-8, echo: boolean)"
)
_RESPONSE = "responses: n (response: secret utf-8)"

# Class, name, code, clause, sender, and the fields with their kinds.
FACTS = """
PluginInit | PLUGIN_INIT | 1 | H.6.1 | client | \
version: uint32; hostname: unstated; port: uint32; username: unstated
PluginInitResponse | PLUGIN_INIT_RESPONSE | 2 | H.6.2 | plugin | version: uint32; username: unstated
PluginInitFailure | PLUGIN_INIT_FAILURE | 8 | H.6.3 | plugin | message: unstated
PluginProtocol | PLUGIN_PROTOCOL | 3 | H.6.4 | client | method: ascii
PluginProtocolReject | PLUGIN_PROTOCOL_REJECT | 5 | H.6.5 | plugin | message: unstated
PluginProtocolAccept | PLUGIN_PROTOCOL_ACCEPT | 4 | H.6.6 | plugin |
PluginKIServerRequest | PLUGIN_KI_SERVER_REQUEST | 20 | H.6.7 | client | REQUEST
PluginKIServerResponse | PLUGIN_KI_SERVER_RESPONSE | 21 | H.6.8 | plugin | RESPONSE
PluginKIUserRequest | PLUGIN_KI_USER_REQUEST | 22 | H.6.9 | plugin | REQUEST
PluginKIUserResponse | PLUGIN_KI_USER_RESPONSE | 23 | H.6.10 | client | RESPONSE
PluginAuthSuccess | PLUGIN_AUTH_SUCCESS | 6 | H.6.11 | client |
PluginAuthFailure | PLUGIN_AUTH_FAILURE | 7 | H.6.12 | client |
""".replace("REQUEST\n", f"{_REQUEST}\n").replace("RESPONSE\n", f"{_RESPONSE}\n")


def described(kind: Any) -> str:
    """Return a wire kind as it stands in FACTS."""
    if isinstance(kind, UInt32Kind):
        return "uint32"
    if isinstance(kind, BooleanKind):
        return "boolean"
    if isinstance(kind, StringKind):
        return ("secret " if kind.secret else "") + kind.encoding
    assert isinstance(kind, CountedKind)
    return f"n ({', '.join(f'{name}: {described(part)}' for name, part in kind.element)})"


def test_the_table_is_that_of_the_published_text() -> None:
    found = []
    for each in MESSAGES:
        spec = each.spec
        fields = "; ".join(f"{field.name}: {described(field.kind)}" for field in spec.fields)
        columns = [each.__name__, spec.name, str(spec.code), spec.clause, spec.sender, fields]
        found.append(" | ".join(columns).strip())
    assert found == FACTS.strip().splitlines()


def test_codes_from_20_up_belong_to_the_method() -> None:
    for each in MESSAGES:
        wanted = "keyboard-interactive" if each.spec.code >= 20 else None
        assert each.spec.method == wanted
    assert METHODS == ("keyboard-interactive",)
    assert KEYBOARD_INTERACTIVE == "keyboard-interactive"
    assert VERSIONS == (2,)


def test_the_transitions_are_those_of_the_table_of_turns() -> None:
    edges = {(each.spec.leaves, each.spec.name): each.spec.enters for each in MESSAGES}
    assert edges == turns.TRANSITIONS
    assert {each.spec.name: each.spec.sender for each in MESSAGES} == turns.SENDERS
    assert {state: SPEAKER.get(state) for state in State} == turns.SPEAKERS
    assert {each.spec.code: each.spec.name for each in MESSAGES} == cursor.NAMES
    assert list(State) == list(turns.SPEAKERS)


def test_each_side_has_another() -> None:
    assert list(Side) == ["client", "plugin"]
    assert (Side.CLIENT.other, Side.PLUGIN.other) == (Side.PLUGIN, Side.CLIENT)


def test_the_encodings_have_names() -> None:
    assert list(Encoding) == ["utf-8", "ascii", "unstated", "name-list", "opaque"]


def test_fields_are_given_in_order_or_by_name() -> None:
    by_order = PluginInit(2, "host", 22, "bob")
    assert by_order == PluginInit(version=2, hostname="host", port=22, username="bob")
    assert (by_order.version, by_order.hostname, by_order.port, by_order.username) == (
        (2, "host", 22, "bob")
    )
    with pytest.raises(TypeError):
        PluginInit(2, "host", 22)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        by_order.hostnaem = "typing error"  # type: ignore[attr-defined]


# Equality.

SAME_TEXT: list[Callable[[bytes], Any]] = [
    bytes.decode,
    bytes,
    bytearray,
    memoryview,
    lambda data: memoryview(array("B", data)),
]


@pytest.mark.parametrize("hold", SAME_TEXT)
@pytest.mark.parametrize("text", [b"", b"abc", "\u00e9\u20ac\U0001f600".encode()])
def test_messages_are_equal_where_their_contents_are(
    text: bytes, hold: Callable[[bytes], Any]
) -> None:
    other = text + b"x"
    assert PluginInit(2, text, 22, "") == PluginInit(2, hold(text), 22, b"")
    assert PluginInit(2, text, 22, "") != PluginInit(2, hold(other), 22, "")
    assert PluginKIServerResponse([text, "a"]) == PluginKIServerResponse([hold(text), b"a"])
    assert PluginKIServerResponse([text]) != PluginKIServerResponse([hold(other)])
    assert PluginKIUserRequest("", "", "", [(text, True)]) == (
        PluginKIUserRequest("", "", "", [(hold(text), True)])
    )
    assert PluginKIUserRequest("", "", "", [(text, True)]) != (
        PluginKIUserRequest("", "", "", [(hold(text), False)])
    )


def test_messages_differ_where_one_thing_does() -> None:
    one = PluginInit(2, "h", 22, "u")
    others: list[object] = [
        PluginInit(3, "h", 22, "u"),
        PluginInit(2, "i", 22, "u"),
        PluginInit(2, "h", 23, "u"),
        PluginInit(2, "h", 22, "v"),
        PluginInitResponse(2, "u"),
        (2, "h", 22, "u"),
        None,
    ]
    assert not any(one == other for other in others)
    # Whatever else there is may still say that it is equal to a message.
    assert all(one.__eq__(other) is NotImplemented for other in others[4:])
    assert one == ANY
    assert PluginKIServerResponse(["a"]) != PluginKIUserResponse(["a"])
    assert PluginKIServerResponse(["a", "b"]) != PluginKIServerResponse(["b", "a"])
    assert PluginKIServerResponse(["a"]) != PluginKIServerResponse(["a", "a"])
    assert PluginAuthSuccess() == PluginAuthSuccess()
    assert PluginAuthSuccess() != PluginAuthFailure()
    assert PluginProtocolReject(b"\xff") == PluginProtocolReject(memoryview(b"\xff"))
    assert PluginProtocolReject(b"\xff") != PluginProtocolReject("\u00ff")


def test_a_sequence_is_the_same_whatever_holds_it() -> None:
    assert PluginKIServerResponse(("a", "b")) == PluginKIServerResponse(["a", "b"])
    assert PluginKIUserRequest("", "", "", (("p", True),)) == (
        PluginKIUserRequest("", "", "", [["p", True]])  # type: ignore[list-item]
    )
    assert decode(encode(PluginKIServerResponse(("a",)))) == PluginKIServerResponse(("a",))


def test_messages_are_not_hashable() -> None:
    for sample in EVERY:
        with pytest.raises(TypeError, match="unhashable"):
            hash(decode(sample.frame))


# Ownership.


@pytest.mark.parametrize("sample", EVERY, ids=str)
def test_a_detached_message_holds_strings(sample: Sample) -> None:
    message = decode(sample.frame)
    detached = message.detach()
    assert type(detached) is type(message)
    assert detached is not message
    assert detached == message
    for name, value in neutral_strings(detached).items():
        wanted = cursor.decode(sample.frame)[name]
        if name == "prompts":
            wanted = [(prompt.decode(), echo) for prompt, echo in wanted]
        elif name == "responses":
            wanted = [response.decode() for response in wanted]
        elif isinstance(wanted, bytes):
            wanted = wanted.decode()
        assert (value, repr(value)) == (wanted, repr(wanted))


def neutral_strings(message: Message) -> dict[str, Any]:
    return {field.name: getattr(message, field.name) for field in message.spec.fields}


@pytest.mark.parametrize("wrong", [None, 5, "text"])
def test_detaching_leaves_what_does_not_belong_there(wrong: Any) -> None:
    assert PluginKIUserResponse(wrong).detach().responses == wrong
    # Elsewhere than in a field that is a list, a list is a value like any other.
    assert PluginProtocolReject([b"a", [b"b"]]).detach().message == ("a", ("b",))  # type: ignore[arg-type]


def test_detaching_copies_sequences() -> None:
    message = PluginKIServerResponse(["a"])
    detached = message.detach()
    assert isinstance(message.responses, list)
    message.responses.append("b")
    assert detached == PluginKIServerResponse(["a"])


# What is shown.


def test_a_message_shows_its_contents() -> None:
    assert repr(PluginInit(2, b"h\xc3\xa9", 22, memoryview(b"u"))) == (
        "PluginInit(version=2, hostname='h\u00e9', port=22, username='u')"
    )
    assert repr(PluginProtocolReject(b"\xff")) == "PluginProtocolReject(message=b'\\xff')"
    assert repr(PluginAuthSuccess()) == "PluginAuthSuccess()"
    assert repr(decode(encode(PluginKIServerRequest("n", "i", "en", [("p", True)])))) == (
        "PluginKIServerRequest(name='n', instructions='i', language='en', prompts=[('p', True)])"
    )


def test_a_message_never_shows_a_secret() -> None:
    shown = 0
    for sample in EVERY:
        message = decode(sample.frame)
        for text in (repr(message), str(message), f"{message}", repr([message.detach()])):
            assert SECRET not in text
        if SECRET.encode() in sample.frame:
            shown += 1
            assert repr(message).endswith("(responses=<2 not shown>)" if sample.code == 21 else
                                          "(responses=<1 not shown>)")  # fmt: skip
    assert shown == 4


@pytest.mark.parametrize("wrong", [SECRET, SECRET.encode(), [[SECRET]], 5, None, {SECRET: 1}])
def test_not_even_a_wrong_message_shows_a_secret(wrong: Any) -> None:
    for kind in (PluginKIServerResponse, PluginKIUserResponse):
        assert SECRET not in repr(kind(wrong))
        shown = f"<{len(wrong)} not shown>" if isinstance(wrong, list) else "<not shown>"
        assert repr(kind(wrong)) == f"{kind.__name__}(responses={shown})"
        assert "5" not in repr(kind(5))  # type: ignore[arg-type]


# Copies.


@pytest.mark.parametrize("code", sorted(CLASSES))
def test_messages_can_be_copied_and_pickled(code: int) -> None:
    for sample in (each for each in EVERY if each.code == code):
        message = decode(sample.frame)
        assert copy.copy(message) == message
        detached = message.detach()
        made = [copy.copy(detached), copy.deepcopy(detached)]
        made += [pickle.loads(pickle.dumps(detached, level)) for level in range(2, 6)]
        for each in made:
            assert type(each) is type(message)
            assert each is not detached
            assert each == message
            assert neutral(decode(encode(each))) == cursor.decode(sample.frame)


@pytest.mark.parametrize("kind", [LocalProtocolError, RemoteProtocolError, ProtocolError])
@pytest.mark.parametrize(("field", "offset"), [(None, None), ("responses[1]", 17), (None, 0)])
def test_errors_can_be_copied_and_pickled(
    kind: type[ProtocolError], field: str | None, offset: int | None
) -> None:
    error = kind(ErrorCode.BAD_UTF8, "a text", field=field, offset=offset)
    made = [copy.copy(error), copy.deepcopy(error)]
    made += [pickle.loads(pickle.dumps(error, level)) for level in range(6)]
    for each in made:
        assert type(each) is kind
        assert (each.code, each.text, each.field, each.offset) == (
            (ErrorCode.BAD_UTF8, "a text", field, offset)
        )
        assert str(each) == str(error)
        assert each.args == error.args


def test_ends_of_file_are_values() -> None:
    assert list(EndKind) == ["clean", "premature", "truncated"]
    end = EndOfFile(EndKind.CLEAN)
    assert end == EndOfFile(EndKind.CLEAN) != EndOfFile(EndKind.PREMATURE)
    assert pickle.loads(pickle.dumps(end)) == end
    assert len({end, EndOfFile(EndKind.CLEAN)}) == 1


def test_specs_are_values() -> None:
    for each in MESSAGES:
        assert copy.copy(each.spec) == each.spec
        assert list(each.spec.variables) == list(each.spec.fields)
        assert "variables" not in repr(each.spec), "they are shown as fields"
        assert isinstance(each.spec, authplugin.MessageSpec)
    assert len({each.spec for each in MESSAGES}) == 12
