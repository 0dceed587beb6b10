"""The vectors of SSH's user authentication are what they say, and a server that errs is seen."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import paramiko
import pytest

from authplugin import LocalProtocolError
from authplugin.limits import DEFAULT_LIMITS, Limits
from authplugin.userauth import (
    ALGORITHMS,
    codec,
)
from authplugin.userauth.messages import (
    MESSAGES,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthMessage,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKey,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthSuccess,
)
from authplugin_corpus.described import Result
from authplugin_corpus.message_json import message_to_json
from authplugin_corpus.places import Place, VectorError
from authplugin_corpus.userauth import forms, playing
from authplugin_corpus.userauth.events import ServerState, event_of, events_in, events_to_hear
from authplugin_corpus.userauth.model import (
    Disconnected,
    Hear,
    HearNothing,
    Refuse,
    Say,
    UserAuthDialogue,
    UserAuthMessageVector,
)
from authplugin_corpus.userauth.playing import problems_of_play
from authplugin_corpus.vectors import load_flags, load_user_auth, read_vectors
from authplugin_properties.oracles import Refused, userauth

PAYLOADS = [each for each in load_user_auth() if isinstance(each, UserAuthMessageVector)]
DIALOGUES = {each.id: each for each in load_user_auth() if isinstance(each, UserAuthDialogue)}


# Messages. A reader in another language has checked them too: see test_node_loader.py.


def test_there_is_a_valid_vector_of_every_message() -> None:
    valid = {type(each.message) for each in PAYLOADS if each.result is Result.VALID}
    assert valid == set(MESSAGES)


def test_every_result_is_there() -> None:
    assert {each.result for each in PAYLOADS} == set(Result)
    assert {each.result for each in DIALOGUES.values()} == set(Result)


@pytest.mark.parametrize("vector", PAYLOADS, ids=lambda each: each.id)
def test_the_oracle_reads_what_the_vector_says(vector: UserAuthMessageVector) -> None:
    found = read(vector)
    if isinstance(found, Refused):
        at = None if found.offset is None else max(found.offset - 4, 0)
        assert (found.code, found.field, at) == (vector.code, vector.field, vector.offset)
    else:
        assert vector.code is None
        assert vector.message is not None
        assert found == neutral(vector.message)


def read(vector: UserAuthMessageVector) -> dict[str, Any] | Refused:
    frame = len(vector.data).to_bytes(4, "big") + vector.data
    try:
        return userauth.decode(frame, vector.limits, vector.method)
    except Refused as refused:
        return refused


def neutral(message: UserAuthMessage) -> dict[str, Any]:
    """Return a message in the form of the oracle, by way of its JSON form."""
    form = message_to_json(message)
    made: dict[str, Any] = {"type": message.spec.code}
    for name, value in form.items():
        if name == "prompts":
            made[name] = [(each["prompt"].encode(), each["echo"]) for each in value]
        elif name == "responses":
            made[name] = [each.encode() for each in value]
        elif isinstance(value, dict):
            made[name] = bytes.fromhex(value["hex"])
        elif name != "type":
            made[name] = value if isinstance(value, bool) else value.encode()
    return made


@pytest.mark.parametrize(
    "vector", [each for each in PAYLOADS if each.message is not None], ids=lambda each: each.id
)
def test_the_json_form_is_that_of_the_message(vector: UserAuthMessageVector) -> None:
    assert vector.message is not None
    form = message_to_json(vector.message)
    read_again = forms.message_from_json(Place(form, "f.json"))
    assert read_again == vector.message
    assert type(read_again) is type(vector.message)


def heard(form: dict[str, Any]) -> forms.ServerSays:
    named = {"type": f"SSH_MSG_USERAUTH_{form['type']}"}
    return forms.server_says_from_json(Place(form | named, "f.json"))


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        (
            {"type": "FAILURE", "methods": {"names": ["b", "a"]}},
            UserAuthFailure("a,b", True),
            UserAuthFailure("a", False),
        ),
        (
            {"type": "FAILURE", "methods": {"names": []}},
            UserAuthFailure("", True),
            UserAuthFailure("a", True),
        ),
        (
            {"type": "FAILURE", "partial_success": {"equals": True}},
            UserAuthFailure("a", True),
            UserAuthFailure("a", False),
        ),
        (
            {"type": "PK_OK", "blob": {"equals": {"hex": "00ff"}}},
            UserAuthPublicKeyOk("x", b"\0\xff"),
            UserAuthPublicKeyOk("x", b"\0"),
        ),
        (
            {"type": "INFO_REQUEST", "prompts": {"equals": [{"prompt": "p", "echo": True}]}},
            UserAuthInfoRequest("n", "i", "l", [("p", True)]),
            UserAuthInfoRequest("n", "i", "l", [("p", False)]),
        ),
        (
            {"type": "INFO_REQUEST", "prompts": {"count": 0}},
            UserAuthInfoRequest("n", "i", "l", []),
            UserAuthInfoRequest("n", "i", "l", [("p", False)]),
        ),
        (
            {"type": "PASSWD_CHANGEREQ", "prompt": {"equals": "p"}},
            UserAuthPasswordChangeRequired("p", ""),
            UserAuthPasswordChangeRequired("q", ""),
        ),
        ({"type": "SUCCESS"}, UserAuthSuccess(), UserAuthFailure("", False)),
    ],
)
def test_a_constraint_tells_right_from_wrong(
    form: dict[str, Any], right: UserAuthMessage, wrong: UserAuthMessage
) -> None:
    expected = heard(form)
    assert expected.broken_by(right) is None
    assert expected.broken_by(wrong) is not None
    assert str(expected).startswith("SSH_MSG_USERAUTH_")


BOOLEANS = [each for each in PAYLOADS if "nonzero-boolean" in each.flags]


@pytest.mark.parametrize("vector", BOOLEANS, ids=lambda each: each.id)
def test_a_lenient_reader_takes_other_booleans_for_true(vector: UserAuthMessageVector) -> None:
    assert vector.message is not None
    try:
        lenient = codec.decode_payload(vector.data, Limits(nonzero_is_true=True), vector.method)
    except ValueError:
        # One that says which message it is nobody here takes: but with a 1 there it is this.
        assert vector.offset is not None
        data = bytearray(vector.data)
        data[vector.offset] = 1
        assert data == codec.encode_payload(vector.message)
        return
    form = json.dumps(message_to_json(lenient))
    for byte in ("255", "2"):
        form = form.replace(f'"echo": {byte}', '"echo": true')
        form = form.replace(f'"partial_success": {byte}', '"partial_success": true')
    assert json.loads(form) == message_to_json(vector.message)


def test_a_boolean_that_makes_another_message_of_it_is_never_taken() -> None:
    ids = {each.id: each for each in PAYLOADS}
    for id_ in ("password-at-change", "public-key-query-at-has-signature"):
        assert ids[f"userauth-{id_}-bad-boolean-2"].result is Result.INVALID
    for id_ in ("password-change-at-change", "public-key-at-has-signature"):
        assert ids[f"userauth-{id_}-bad-boolean-2"].result is Result.ACCEPTABLE


# Dialogues.


@pytest.mark.parametrize("vector", DIALOGUES.values(), ids=lambda each: each.id)
def test_this_server_does_as_the_vector_says(vector: UserAuthDialogue) -> None:
    assert list(problems_of_play(vector)) == []


def said(vector: UserAuthDialogue) -> Iterator[Say]:
    return (turn for turn in vector.turns if isinstance(turn, Say))


def expects(vector: UserAuthDialogue, kind: type) -> bool:
    heard = (turn for turn in vector.turns if isinstance(turn, Hear))
    return any(turn.expected.message_type is kind for turn in heard)


def is_right(vector: UserAuthDialogue, request: UserAuthPublicKey) -> bool:
    """Say, by paramiko, whether a signature covers what a request has to (RFC 4252, section 7)."""
    made = paramiko.Message()
    made.add_string(vector.setup.session_id)
    made.add_byte(bytes((50,)))
    for text in (request.user, request.service, "publickey"):
        made.add_string(str(text))
    made.add_boolean(True)
    made.add_string(str(request.algorithm))
    made.add_string(bytes(request.blob))
    kinds: dict[str, Callable[..., Any]] = {
        "ssh-ed25519": paramiko.Ed25519Key,
        "ecdsa-sha2-nistp256": paramiko.ECDSAKey,
        "ecdsa-sha2-nistp384": paramiko.ECDSAKey,
        "ecdsa-sha2-nistp521": paramiko.ECDSAKey,
    }
    key = kinds.get(str(request.algorithm), paramiko.RSAKey)(data=bytes(request.blob))
    signature = paramiko.Message(bytes(request.signature))
    if signature.get_text() != request.algorithm:
        return False
    signature.rewind()
    try:
        return bool(key.verify_ssh_sig(made.asbytes(), signature))
    except (ValueError, paramiko.SSHException):
        return False


def signed(vector: UserAuthDialogue) -> list[UserAuthPublicKey]:
    return [
        turn.message.detach()
        for turn in said(vector)
        if isinstance(turn.message, UserAuthPublicKey)
    ]


SIGNED = {
    id_: each
    for id_, each in DIALOGUES.items()
    if any(not str(request.algorithm).startswith("x509v3") for request in signed(each))
    # paramiko has no ssh-rsa any more, does not mind bytes behind a signature, and raises where it
    # is no string.
    and not any(each in id_ for each in ("ssh-rsa", "bytes-behind", "bare-value"))
}


FORGED_FACTORS = {f"userauth-server-factors-{each}" for each in ("bad-signature", "first-forged")}


@pytest.mark.parametrize("id_", SIGNED)
def test_another_program_says_the_same_of_signatures(id_: str) -> None:
    vector = SIGNED[id_]
    right = [is_right(vector, request) for request in signed(vector)]
    # What its bytes are over is wrong with some, and only who may log in with others.
    if "signatures" in vector.flags or id_ in FORGED_FACTORS:
        assert right == [False]
    else:
        assert right[-1]


def test_enough_is_signed() -> None:
    assert len(SIGNED) > 50
    algorithms = {str(request.algorithm) for each in DIALOGUES.values() for request in signed(each)}
    assert algorithms == set(ALGORITHMS) - {"ssh-dss", "x509v3-sign-dss"}


# States and events.


def test_every_state_is_reached_and_every_message_sent() -> None:
    wanted = set(events_to_hear())
    assert {state for state, _ in wanted} == {str(each) for each in ServerState}
    assert len(wanted) == len(ServerState) * (8 + 3 + 1)
    found = set().union(*map(events_in, DIALOGUES.values()))
    assert found == wanted


def test_what_comes_without_waiting_counts_once() -> None:
    vector = DIALOGUES["userauth-server-at-once-none-and-password"]
    assert events_in(vector) == {("waiting", "SSH_MSG_USERAUTH_REQUEST method=none")}
    assert event_of(Say(b"\x3d\0\0\0\0", None)) == "SSH_MSG_USERAUTH_INFO_RESPONSE"
    assert event_of(Say(b"\x34", None)) == "SSH_MSG_USERAUTH_SUCCESS"
    assert event_of(Say(b"", None)) == "ill-formed"


def test_who_logs_in_is_valid_and_nobody_else() -> None:
    for vector in DIALOGUES.values():
        if vector.result is not Result.ACCEPTABLE:
            assert expects(vector, UserAuthSuccess) is (vector.result is Result.VALID)


def test_turns_are_of_all_kinds() -> None:
    kinds = {type(turn) for vector in DIALOGUES.values() for turn in vector.turns}
    assert kinds == {Say, Hear, HearNothing, Refuse, Disconnected}


def test_a_key_is_asked_about_before_it_is_used() -> None:
    queries = [
        turn.message
        for vector in DIALOGUES.values()
        for turn in said(vector)
        if isinstance(turn.message, UserAuthPublicKeyQuery)
    ]
    assert {str(each.detach().algorithm) for each in queries} >= set(ALGORITHMS)


def test_what_is_sent_behind_the_end_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = DIALOGUES["userauth-server-attempts-end"]
    play = playing.Play(playing.server_of(vector.setup))
    for turn in said(vector):
        play.say(turn.data)
    assert play.is_closed
    with pytest.raises(LocalProtocolError):
        play.server.receive(b"\x32")
    play.said.clear()
    play.say(b"\x32")
    assert not play.said
    assert play.server.limits == DEFAULT_LIMITS


def test_who_replays_plugins_loads_none_of_it() -> None:
    program = """
import sys
import authplugin_corpus.check.command
from authplugin_corpus.vectors import load_dialogues
assert load_dialogues("plugin") and load_dialogues("client")
print(*(name for name in sys.modules if "userauth" in name or "cryptography" in name))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("\n", "")


# Files that are not as they must be.


def problem(**changes: Any) -> str:
    """Return what the reader says of a dialogue with other members; None leaves one out."""
    file = "generated-userauth-dialogues.json"
    right = next(each for each in stored(file) if each["id"] == "userauth-server-password-change")
    made = {name: value for name, value in (right | changes).items() if value is not None}
    return told(made)


def stored(file: str) -> list[dict[str, Any]]:
    path = files("authplugin_corpus").joinpath("vectors", file)
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["vectors"]
    return found


def told(vector: dict[str, Any]) -> str:
    text = json.dumps({"format": 1, "kind": "userauth", "vectors": [vector]})
    try:
        read_vectors(text, "f.json", load_flags())
    except VectorError as error:
        return str(error)
    return ""


SUCCESS = {"expect": {"type": "SSH_MSG_USERAUTH_SUCCESS"}}
NONE = {
    "type": "SSH_MSG_USERAUTH_REQUEST",
    "user": "a",
    "service": "s",
    "method": "none",
}
SAY = {"send": "32000000016100000001730000" + "00046e6f6e65", "message": NONE}
SETUP: dict[str, Any] = {"session_id": "00", "methods": ["password"], "users": [{"name": "a"}]}
WRONG_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "no end": ({"turns": [SUCCESS, SAY]}, "expected something of the server at the end"),
    "behind the end": (
        {"turns": [SAY, {"expect_refusal": True}, SUCCESS]},
        "nothing comes behind a refusal",
    ),
    "result": ({"result": "invalid"}, "what is 'valid' logs in"),
    "turn": ({"turns": [{"sing": 1}]}, "expected an object with one of 'send'"),
    "both": (
        {"turns": [SAY | {"fault": {"code": "bad-utf8", "sentence": "it"}}, SUCCESS]},
        "has either a 'message' or a 'fault'",
    ),
    "neither": ({"turns": [{"send": "32"}, SUCCESS]}, "has either a 'message' or a 'fault'"),
    "bytes": ({"turns": [SAY | {"send": "32"}, SUCCESS]}, "is not this SSH_MSG_USERAUTH_REQUEST"),
    "side of what is said": (
        {"turns": [{"send": "34", "message": {"type": "SSH_MSG_USERAUTH_SUCCESS"}}, SUCCESS]},
        "SSH_MSG_USERAUTH_SUCCESS is not sent by a client",
    ),
    "side of what is heard": (
        {"turns": [SAY, {"expect": NONE | {"user": {}}}]},
        "has 'method'",
    ),
    "side of a response": (
        {"turns": [SAY, {"expect": {"type": "SSH_MSG_USERAUTH_INFO_RESPONSE"}}]},
        "is not sent by a server",
    ),
    "no message": ({"turns": [SAY, {"expect": {"type": "SSH_MSG_PING"}}]}, "is no message; there"),
    "constraint": (
        {"turns": [SAY, {"expect": {"type": "SSH_MSG_USERAUTH_FAILURE", "methods": {"odd": 1}}}]},
        "where only 'equals', 'names' may be",
    ),
    "user twice": (
        {"server": SETUP | {"users": [{"name": "a"}, {"name": "a"}]}},
        "server.users: has a name twice",
    ),
    "algorithm": ({"server": SETUP | {"algorithms": ["rot13"]}}, "expected one of ssh-ed25519"),
    "member of the server": ({"server": SETUP | {"colour": 1}}, "has 'colour'"),
    "strikes": ({"strikes": []}, "has 'strikes'"),
    "deliveries": ({"deliveries": ["whole"]}, "has 'deliveries'"),
    "no server": ({"server": None}, "lacks 'server'"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_dialogue_that_is_wrong_is_refused(case: str) -> None:
    changes, text = WRONG_FILES[case]
    assert text in problem(**changes)


def test_a_dialogue_that_is_right_is_taken() -> None:
    assert problem() == ""
    assert problem(server=SETUP | {"attempts": 3, "algorithms": []}) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"method": "rot13"}, "expected one of none, password"),
        ({"message": None}, "'valid' has a 'message'"),
        ({"message": {"type": "SSH_MSG_USERAUTH_SUCCESS", "x": 1}}, "has 'x'"),
        ({"message": NONE | {"method": "password"}}, "lacks 'rest'"),
        (
            {"strikes": [{"message": "SSH_MSG_USERAUTH", "part": "p", "fault": "f"}]},
            "'SSH_MSG_USERAUTH' is no message",
        ),
        ({"limits": {"frame": 0}}, "Limits.frame is 0"),
    ],
)
def test_a_message_that_is_wrong_is_refused(changes: dict[str, Any], text: str) -> None:
    file = "generated-userauth-messages.json"
    right = next(each for each in stored(file) if each["id"] == "userauth-none")
    made = {name: value for name, value in (right | changes).items() if value is not None}
    assert text in told(made)
