"""Strategies for what a hostile client and a strange handler do to a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from authplugin import Limits
from authplugin.messages import KEYBOARD_INTERACTIVE
from authplugin.userauth import (
    MESSAGES,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPublicKey,
    UserAuthPublicKeyQuery,
    encode,
    encode_payload,
)
from authplugin_corpus.faults import USER_AUTH_FAULTS, Faulty, stock_user_auth
from authplugin_corpus.protocols import USER_AUTH

from .boundaries import beyond
from .oracles.server import ServerModel
from .oracles.server_steps import (
    ALGORITHMS,
    RAISED,
    Answer,
    Asked,
    Decide,
    Lost,
    Receive,
    Say,
    SendBanner,
    Setup,
    Step,
    Wait,
)
from .server_trial import SECRET
from .signing import KEYS, wrongly_signed
from .strategies import damaged, messages

__all__ = [
    "ENDS",
    "LIMITS",
    "WAYS",
    "answers",
    "decisions",
    "faulty_payloads",
    "payloads",
    "questions",
    "rounds",
    "server_conversations",
    "setups",
    "steps",
]

ENDS: Final = frozenset({"AUTHENTICATED", "DISCONNECTED", "POISONED", "GONE"})
"""Where nothing comes of a request any more."""

AFTER_THE_END: Final = 2
"""How many steps come where nothing comes of them."""

SERVICE: Final = "ssh-connection"

LIMITS: Final = (
    Limits(frame=2048, text=512, count=8),
    Limits(frame=2048, text=512, count=8, nonzero_is_true=True, any_bytes=True),
)
"""What the servers take: small bounds, that keys and signatures fit."""

_METHODS = (
    "publickey,password,keyboard-interactive",
    "custom,publickey,password,keyboard-interactive",
    "publickey,password,keyboard-interactive",
    "password",
    "",
    "custom,keyboard-interactive,none",
    "keyboard-interactive-1,custom",
    f"password,{'x' * 64}",
)
_NO_METHODS: tuple[object, ...] = (
    *(",", "a,,b", "é", 5, b"password", "x" * 600, [], ("password",)),
    *("a b", "password, custom", "a\0", "password\n", "\x7f", "x" * 65, f"password,{'x' * 65}"),
)
_USERS = ("alice",) * 7 + ("bob", "", "alicé")
_SERVICES = (SERVICE,) * 13 + ("ssh-userauth", "")
_SECRETS = (SECRET, f"{SECRET} é", "", "password", "x" * 512)
_NAMES = ("custom", "hostbased", "keyboard-interactive-1", "", "Password", "custom,none")


def _ways() -> Mapping[str, tuple[Step, ...]]:
    password = encode_payload(UserAuthPassword("alice", SERVICE, SECRET))
    asking = encode_payload(UserAuthKeyboardInteractive("alice", SERVICE, "", ""))
    answer = encode_payload(UserAuthInfoResponse([SECRET]))
    asked = Asked((("p", False),))
    later = Answer(defers=1)
    partial = Receive(password, (Answer(partial_success=True, home_dir="/half"),))
    ask = Receive(asking, rounds=(asked,))
    return {
        "nothing was asked": (),
        "one method is done": (partial,),
        "responses are owed": (ask,),
        "responses are owed behind another method": (partial, ask),
        "responses of a second round are owed": (ask, Receive(answer, (_YES,), (asked,))),
        "a decision is owed": (Receive(password, (later,)),),
        "a decision on a response is owed": (ask, Receive(answer, (later,))),
        "the last decision is owed": (partial, ask, Receive(answer, (_YES, later))),
        "a decision is owed, and more waits": (
            Receive(password, (later,)),
            Receive(encode_payload(UserAuthPassword("alice", SERVICE, "another one"))),
            Receive(encode_payload(UserAuthNone("bob", SERVICE))),
        ),
        "prompts are owed": (Receive(asking, rounds=(Asked(defers=True),)),),
        "prompts of a second round are owed, and more waits": (
            *(ask, Receive(answer, (_YES,), (Asked(defers=True),))),
            Receive(password),
        ),
        "a handler was interrupted": (partial, Receive(password, (_BROKEN_OFF,))),
        "a user has logged in": (Receive(password, (_YES,)),),
    }


_YES: Final = Answer(accept=True, home_dir="/home")
_BROKEN_OFF: Final = Answer(accept=True, raises="interrupt")

WAYS: Final = MappingProxyType(_ways())
"""Ways to where a server can stand, by what that is, where its setup leads there."""


def setups() -> SearchStrategy[Setup]:
    """Generate how a server is set up, within small bounds."""
    return st.builds(
        Setup,
        limits=st.sampled_from(LIMITS),
        attempts=st.sampled_from((20, 20, 20, 4, 2, 1)),
        seconds=st.sampled_from((600.0, 10.0)),
        rounds=st.sampled_from((16, 16, 2, 1, 0)),
        prompts=st.sampled_from((64, 64, 8, 2, 1, 0)),
        waiting=st.sampled_from((16, 2, 1)),
        # What is not offered comes to nothing: so mostly all is.
        methods=st.sampled_from(_METHODS[1:2] * 12 + _METHODS),
        root_directory=st.sampled_from(("/", "/srv")),
        algorithms=st.sampled_from(
            (ALGORITHMS, ALGORITHMS, (*ALGORITHMS, "ssh-rsa"), ALGORITHMS[:1], ())
        ),
        services=st.sampled_from(((SERVICE,), (SERVICE, "ssh-userauth"))),
        session_id=st.sampled_from((b"the session", b"", bytes(32))),
        connection_id=st.sampled_from((0, 7)),
    )


@lru_cache(maxsize=1)
def answers() -> SearchStrategy[Answer]:
    """Generate what a handler does with an event; they shrink towards a plain yes."""
    partly, later = Answer(partial_success=True), Answer(accept=True, defers=1)
    both = Answer(accept=True, partial_success=True)
    elsewhere = Answer(partial_success=True, available_methods=f"{_METHODS[0]},elsewhere")
    plain = st.sampled_from((_YES, partly, later, Answer(), elsewhere, later, both))
    any_kind = st.builds(
        Answer,
        accept=st.sampled_from((True, False, True, False, 1, "yes", None)),
        partial_success=st.sampled_from((False, False, True, True, 1)),
        available_methods=st.sampled_from((None,) * 16 + _METHODS * 2 + _NO_METHODS),
        home_dir=st.sampled_from((None, "/home", "")),
        change_password=st.sampled_from((None, None, None, "new one", "", 5, "\ud800", "x" * 600)),
        defers=st.sampled_from((0, 0, 0, 1, 2)),
        decides=st.sampled_from((False, False, True)),
        raises=st.sampled_from((False,) * 20 + RAISED),
        takes=st.sampled_from((0.0, 0.0, 0.0, 0.0, 0.0, 600.0)),
    )
    return plain | plain | plain | any_kind


@lru_cache(maxsize=1)
def rounds() -> SearchStrategy[tuple[Asked | None, ...]]:
    """Generate what a handler says when it is asked for prompts."""
    prompt = st.tuples(st.sampled_from(("p", "Password: ", "é")), st.booleans())
    asked = st.builds(Asked, st.lists(prompt, min_size=1, max_size=3).map(tuple))
    asked = asked | asked | st.just(Asked())
    wrong_prompt = st.sampled_from(
        (("", False), ("p", "yes"), (5, True), ("p",), ("\ud800", True), 5, ("x" * 513, True))
    )
    wrong = st.builds(
        Asked,
        st.lists(prompt | wrong_prompt, max_size=9).map(tuple) | st.sampled_from((5, None)),
        name=st.sampled_from(("", "n", None, "\ud800")),
        instructions=st.sampled_from(("", "i", "x" * 600)),
        raises=st.sampled_from((False,) * 8 + RAISED),
        nothing=st.sampled_from((False, False, True)),
        defers=st.booleans(),
    )
    each = asked | asked | asked | asked | wrong | st.none() | st.just(Asked(defers=True))
    return st.lists(each, min_size=1, max_size=3).map(tuple) | st.just(())


_GO_ON = st.sampled_from([False] + [True] * 19)
_RARELY = st.sampled_from([False] * 11 + [True])

_users = st.sampled_from(_USERS)
_services = st.sampled_from(_SERVICES)
_secrets = st.sampled_from(_SECRETS)


@lru_cache(maxsize=1)
def requests() -> SearchStrategy[bytes]:
    """Generate requests of all methods but `publickey`."""
    plain = st.one_of(
        st.builds(UserAuthNone, _users, _services),
        st.builds(UserAuthPassword, _users, _services, _secrets),
        st.builds(UserAuthPasswordChange, _users, _services, _secrets, _secrets),
        st.builds(
            UserAuthKeyboardInteractive, _users, _services, st.just(""), st.sampled_from(("", "é"))
        ),
        st.builds(
            UserAuthOther,
            _users,
            _services,
            st.sampled_from(_NAMES),
            _secrets.map(lambda text: text.encode() + b"\xff"),
        ),
    )
    return plain.map(encode_payload)


@st.composite
def keys_shown(draw: DrawFn, session_id: bytes) -> bytes:
    """Generate requests of `publickey`: asked about, signed rightly, and signed wrongly."""
    user, service = draw(_users), draw(_services)
    key = KEYS[draw(st.sampled_from((*KEYS,)))]
    way = draw(st.sampled_from(("signed", "asked about", "wrong", "wrong", "wrong", "bent")))
    if way == "signed":
        return key.request(user, service, session_id)
    if way == "asked about":
        return key.query(user, service)
    if way == "wrong":
        made = wrongly_signed(key.algorithm, user, service, session_id)
        return made[draw(st.sampled_from((*made,)))]
    algorithm = draw(st.sampled_from((key.algorithm, "ssh-dss", "x509v3-sign-rsa", "", "none")))
    blob = draw(st.just(key.blob) | damaged(key.blob) | st.binary(max_size=8))
    if draw(st.booleans()):
        return encode_payload(UserAuthPublicKeyQuery(user, service, algorithm, blob))
    return key.signed(UserAuthPublicKey(user, service, algorithm, blob, b""), session_id)


def responses(due: int | None) -> SearchStrategy[bytes]:
    """Generate an INFO_RESPONSE with as many responses as are due, or now and then not."""
    right = 0 if due is None else due
    counts = st.sampled_from((right,) * 6 + (0, right + 1, max(0, right - 1), 8))
    lists = counts.flatmap(lambda count: st.lists(_secrets, min_size=count, max_size=count))
    return lists.map(lambda made: _short(UserAuthInfoResponse(made)))


def _short(message: UserAuthInfoResponse) -> bytes:
    return encode_payload(message)


@lru_cache(maxsize=8)
def faulty_payloads(limits: Limits, fault: str) -> Sequence[Faulty]:
    """Return what a fault makes of messages, of those that can be shown as a payload."""
    return tuple(
        faulty
        for protocol, frame in stock_user_auth().values()
        for each in USER_AUTH_FAULTS
        if each.name == fault
        for faulty in each.strike([frame], limits, protocol)
        if int.from_bytes(faulty.data[:4], "big") == len(faulty.data) - 4 > 0
    )


@lru_cache(maxsize=2)
def wrong_payloads(limits: Limits) -> SearchStrategy[bytes]:
    """Generate messages that nobody sends: a server's, faulty ones, and mere bytes."""
    protocol = USER_AUTH[KEYBOARD_INTERACTIVE]
    anything = messages(*MESSAGES, limits=limits).map(
        lambda message: encode(message, beyond(limits))[4:]
    )
    struck = st.sampled_from(
        [
            faulty.data[4:]
            for fault in USER_AUTH_FAULTS
            for faulty in faulty_payloads(limits, fault.name)
        ]
    )
    too_much = messages(*protocol.messages, limits=beyond(limits)).map(
        lambda message: encode(message, beyond(limits))[4:]
    )
    return st.one_of(
        anything,
        struck,
        too_much,
        anything.flatmap(damaged),
        st.binary(max_size=16),
        st.sampled_from((limits.frame, limits.frame + 1)).map(bytes),
    )


def payloads(model: ServerModel, setup: Setup) -> SearchStrategy[bytes]:
    """Generate what a client may send next, rightly or not."""
    limits = setup.limits
    assert isinstance(limits, Limits)
    right = requests() | requests() | requests() | keys_shown(setup.session_id)
    due = responses(model.prompts_due)
    if model.prompts_due is not None:
        right = due | due | due | right
    # What ends a conversation is rarer, or there is none.
    return _RARELY.flatmap(lambda rare: (wrong_payloads(limits) | due) if rare else right)


def decisions(model: ServerModel) -> SearchStrategy[int]:
    """Generate the number of an event to decide: the one that is awaited, or any."""
    any_event = st.integers(0, max(0, model.events))
    if model.deferred is None:
        return any_event
    return st.just(model.deferred) | any_event


def questions(model: ServerModel) -> SearchStrategy[int]:
    """Generate the number of a question for prompts to answer: the one that is due, or any."""
    any_question = st.integers(0, max(0, model.questions))
    if model.round_due is None:
        return any_question
    return st.just(model.round_due) | any_question


@st.composite
def steps(draw: DrawFn, model: ServerModel, setup: Setup) -> Step:
    """Generate what happens next to a server that stands where its model does."""
    kinds = ["receive"] * (4 if model.is_awaited else 12)
    kinds += ["decide" if model.round_due is None else "say"] * 2
    kind = draw(st.sampled_from((*kinds, "say", "wait", "banner")))
    answered: Any = st.lists(answers(), min_size=1, max_size=3).map(tuple)
    if kind == "receive" and draw(st.sampled_from((False, False, False, True))):
        return Receive(draw(keys_shown(setup.session_id)), (_YES,))
    if kind == "receive":
        return Receive(draw(payloads(model, setup)), draw(answered), draw(rounds()))
    if kind == "decide":
        return Decide(draw(decisions(model)), draw(answers()), draw(answered), draw(rounds()))
    if kind == "say":
        asked: Asked | None = draw(rounds().map(lambda made: made[0] if made else None))
        return Say(draw(questions(model)), asked, draw(answered), draw(rounds()))
    if kind == "banner":
        return SendBanner(draw(st.sampled_from(("Hello", "", "x" * 600, "\ud800"))))
    if draw(_RARELY):
        return Lost()
    seconds = st.sampled_from((1.0, 1.0, 1.0, setup.seconds / 2, setup.seconds))
    return Wait(draw(seconds), draw(st.booleans()))


@st.composite
def server_conversations(draw: DrawFn, max_size: int = 16) -> dict[str, Any]:
    """Generate the arguments of `laws.userauth_server_agrees`."""
    setup = draw(setups())
    model = ServerModel(setup)
    made: list[Step] = list(WAYS[draw(st.sampled_from((*WAYS,)))])
    for step in made:
        model.take(step)
    # A few steps come behind the end too.
    left = AFTER_THE_END
    while len(made) < max_size and left and draw(_GO_ON):
        step = draw(steps(model, setup))
        model.take(step)
        made.append(step)
        left -= model.state in ENDS
    return {"steps": made, "setup": setup}
