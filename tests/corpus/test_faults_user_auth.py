"""The faults of SSH's user authentication: what they strike, and that an oracle refuses it so."""

import pytest

from authplugin import ErrorCode, Limits, RemoteProtocolError
from authplugin.kinds import Encoding, RestKind, StringKind
from authplugin.table import WireMessage
from authplugin.userauth import codec
from authplugin.userauth.messages import MESSAGES, UserAuthOther
from authplugin_corpus.faults import (
    FAULTS,
    ILL_FORMED,
    USER_AUTH_FAULTS,
    Fault,
    Faulty,
    Scope,
    fault_named,
    judge,
    plain,
    sample,
    stock_user_auth,
    user_auth_pairs,
)
from authplugin_corpus.protocols import PLUGIN, PROTOCOLS, USER_AUTH, label_of, protocol_of
from authplugin_corpus.segments import segments_of
from authplugin_properties.oracles import Refused, userauth

from .receiving import DEFAULT, LENIENT, LIMITS

ALL = {label_of(each.spec) for each in MESSAGES}
NONE = "SSH_MSG_USERAUTH_REQUEST method=none"
PASSWORD = "SSH_MSG_USERAUTH_REQUEST method=password change=false"
CHANGE = "SSH_MSG_USERAUTH_REQUEST method=password change=true"
QUERY = "SSH_MSG_USERAUTH_REQUEST method=publickey has_signature=false"
SIGNED = "SSH_MSG_USERAUTH_REQUEST method=publickey has_signature=true"
INTERACTIVE = "SSH_MSG_USERAUTH_REQUEST method=keyboard-interactive"
OTHER = "SSH_MSG_USERAUTH_REQUEST"
REQUESTS = {NONE, PASSWORD, CHANGE, QUERY, SIGNED, INTERACTIVE, OTHER}
BANNER, FAILURE, SUCCESS = (f"SSH_MSG_USERAUTH_{name}" for name in ("BANNER", "FAILURE", "SUCCESS"))
CHANGEREQ, PK_OK = "SSH_MSG_USERAUTH_PASSWD_CHANGEREQ", "SSH_MSG_USERAUTH_PK_OK"
ASK, ANSWER = "SSH_MSG_USERAUTH_INFO_REQUEST", "SSH_MSG_USERAUTH_INFO_RESPONSE"

FITS = {
    "truncate": ALL,
    "truncated-body": ALL,
    "empty-frame": ALL,
    "oversized-claim": ALL,
    "oversized-string": ALL - {SUCCESS},
    "lying-length": ALL - {SUCCESS},
    "oversized-count": {ASK, ANSWER},
    "lying-count": {ASK, ANSWER},
    "trailing-byte": ALL - {OTHER},
    "bad-boolean": {PASSWORD, CHANGE, QUERY, SIGNED, FAILURE, ASK},
    "bad-utf8": REQUESTS | {BANNER, CHANGEREQ, ASK, ANSWER},
    "bad-ascii": REQUESTS | {BANNER, CHANGEREQ, PK_OK, ASK, FAILURE},
    "unknown-type": ALL,
    "bad-name-list": {FAILURE},
    "other-method": {CHANGEREQ, PK_OK, ASK, ANSWER},
}
"""Which messages each fault fits."""

each_fault = pytest.mark.parametrize("fault", USER_AUTH_FAULTS, ids=lambda fault: fault.name)


def struck(fault: Fault, limits: Limits = DEFAULT) -> list[tuple[str | None, Faulty]]:
    """Return all that a fault makes, each with the method under way."""
    return [
        (kind.spec.method, faulty)
        for kind, (protocol, frame) in stock_user_auth().items()
        for faulty in fault.strike([frame], limits, protocol)
    ]


def test_labels_are_the_messages_in_words() -> None:
    assert {*REQUESTS, BANNER, FAILURE, SUCCESS, CHANGEREQ, PK_OK, ASK, ANSWER} == ALL
    assert len(ALL) == len(MESSAGES)


def test_faults_are_named_once_and_described() -> None:
    assert {fault.name for fault in USER_AUTH_FAULTS} == FITS.keys()
    assert len(USER_AUTH_FAULTS) == len(FITS)
    for fault in USER_AUTH_FAULTS:
        assert fault_named(fault.name) is fault
        assert fault.scope is Scope.FRAME


@each_fault
def test_a_fault_fits_the_messages_that_it_should(fault: Fault) -> None:
    assert {faulty.message for _, faulty in struck(fault)} == FITS[fault.name]


@each_fault
def test_a_fault_has_the_codes_that_it_says(fault: Fault) -> None:
    assert {faulty.code for _, faulty in struck(fault)} == fault.codes


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS.keys())
@each_fault
def test_codec_and_oracle_refuse_with_the_code_of_the_fault(fault: Fault, limits: Limits) -> None:
    for method, faulty in struck(fault, limits):
        with pytest.raises(RemoteProtocolError) as by_codec:
            codec.decode(faulty.data, limits, method)
        with pytest.raises(Refused) as by_oracle:
            userauth.decode(faulty.data, limits, method)
        found = by_oracle.value
        assert by_codec.value.code == found.code == faulty.code, faulty
        assert (by_codec.value.field, by_codec.value.offset) == (found.field, found.offset)


@each_fault
def test_the_judge_says_what_the_fault_says(fault: Fault) -> None:
    for protocol, frame in stock_user_auth().values():
        for faulty in fault.strike([frame], DEFAULT, protocol):
            judged = judge([frame], 0, faulty.data, faulty.ends, DEFAULT, protocol)
            assert judged == faulty.code


def test_the_judge_takes_what_is_right() -> None:
    for protocol, frame in stock_user_auth().values():
        assert judge([frame], 0, frame, False, DEFAULT, protocol) is None
        assert judge([frame], 0, frame + frame, True, DEFAULT, protocol) is None


def test_every_field_is_struck() -> None:
    parts: dict[str, set[str]] = {}
    for message, part, _ in user_auth_pairs(DEFAULT):
        parts.setdefault(message, set()).add(part)
    for kind in MESSAGES:
        fields = {each.part for each in segments_of(sample_of(kind))}
        # Nothing behind a name is wrong, and so nothing is left over.
        frame = {"frame"} - ({"frame"} if kind is UserAuthOther else set())
        assert parts[label_of(kind.spec)] == {"length", "type", *frame, *fields}


def sample_of(kind: type[WireMessage]) -> WireMessage:
    protocol, frame = stock_user_auth()[kind]
    return protocol.decode(frame, DEFAULT)


def test_what_says_which_message_it_is_is_struck_whoever_receives() -> None:
    places = {faulty.part for _, faulty in struck(fault_named("bad-boolean"), LENIENT)}
    assert places == {"change", "has_signature"}
    assert {faulty.part for _, faulty in struck(fault_named("bad-boolean"))} == {
        *("change", "has_signature", "partial_success", "prompts[].echo")
    }
    names = {
        faulty.message
        for _, faulty in struck(fault_named("lying-length"))
        if faulty.part == "method"
    }
    assert names == REQUESTS


def test_texts_are_struck_and_bytes_are_not() -> None:
    for name, encodings in (
        ("bad-utf8", {Encoding.UTF8}),
        ("bad-ascii", {Encoding.ASCII, Encoding.NAMES}),
        ("bad-name-list", {Encoding.NAMES}),
        ("oversized-string", set(Encoding) - {Encoding.UNSTATED}),
    ):
        found = {(faulty.message, faulty.part) for _, faulty in struck(fault_named(name))}
        wanted = {
            (label_of(kind.spec), each.part)
            for kind in MESSAGES
            for each in segments_of(sample_of(kind))
            if isinstance(each.kind, StringKind) and each.kind.encoding in encodings
        }
        assert found == wanted
    kinds = [each.kind for kind in MESSAGES for each in segments_of(sample_of(kind))]
    assert any(isinstance(kind, RestKind) for kind in kinds)
    assert len(ILL_FORMED) > 5


def test_lists_are_wrong_in_all_ways() -> None:
    lists = [faulty.data[9:-1] for _, faulty in struck(fault_named("bad-name-list"))]
    assert lists == [b",", b",a", b"a,", b"a,,b"]


def test_messages_of_other_methods_come_instead() -> None:
    places = {
        (faulty.message, faulty.place, faulty.code)
        for _, faulty in struck(fault_named("other-method"))
    }
    assert (PK_OK, f"{ANSWER} instead", ErrorCode.UNKNOWN_TYPE) in places
    assert (ANSWER, f"{PK_OK} instead", ErrorCode.FIELD_TRUNCATED) in places
    assert (CHANGEREQ, f"{ASK} instead", ErrorCode.TRAILING_BYTES) in places


def test_a_fault_that_is_one_payload_is_shown_as_one() -> None:
    for _, faulty in (each for fault in USER_AUTH_FAULTS for each in struck(fault)):
        if faulty.payload is not None:
            assert len(faulty.payload).to_bytes(4, "big") + faulty.payload == faulty.data
    assert all(faulty.payload is None for _, faulty in struck(fault_named("truncate")))
    assert all(faulty.payload is None for _, faulty in struck(fault_named("oversized-claim")))
    bodies = struck(fault_named("truncated-body"))
    assert all(faulty.payload is not None for _, faulty in bodies)


def test_what_is_of_conversations_strikes_nothing_here() -> None:
    protocol, frame = stock_user_auth()[UserAuthOther]
    for fault in FAULTS:
        found = list(fault.strike([frame], DEFAULT, protocol))
        assert bool(found) is (fault.scope is Scope.FRAME and fault.name in _FITTING_OTHER)


_FITTING_OTHER = {name for name, messages in FITS.items() if OTHER in messages}


def test_two_at_once() -> None:
    protocol, frame = stock_user_auth()[MESSAGES[1]]
    fault = fault_named("bad-utf8+trailing-byte")
    found = list(fault.strike([frame], DEFAULT, protocol))
    assert {faulty.code for faulty in found} == {ErrorCode.BAD_UTF8}
    assert {faulty.part for faulty in found} == {"user", "password"}
    assert fault.codes >= {ErrorCode.BAD_UTF8, ErrorCode.TRAILING_BYTES}
    assert ErrorCode.BAD_NAME_LIST in fault_named("bad-name-list+trailing-byte").codes
    for faulty in found:
        assert judge([frame], 0, faulty.data, False, DEFAULT, protocol) == faulty.code


# Protocols.


def test_protocols_read_and_write_their_messages() -> None:
    for protocol in PROTOCOLS.values():
        for kind in protocol.messages:
            for message in (sample(kind), plain(kind)):
                frame = protocol.encode(message, DEFAULT)
                assert protocol.decode(frame, DEFAULT) == message
        for code in protocol.unknown:
            with pytest.raises(RemoteProtocolError) as caught:
                protocol.decode(bytes((0, 0, 0, 1, code)), DEFAULT)
            assert caught.value.code == ErrorCode.UNKNOWN_TYPE


def test_a_message_is_of_the_protocol_that_it_comes_in() -> None:
    assert {protocol_of(kind).name for kind in PLUGIN.messages} == {"plugin"}
    for kind in MESSAGES:
        protocol = protocol_of(kind)
        assert protocol is USER_AUTH[kind.spec.method]
        assert kind in protocol.messages
        assert not set(protocol.messages) & set(protocol.elsewhere)
        assert {*protocol.messages, *protocol.elsewhere} == set(MESSAGES)
