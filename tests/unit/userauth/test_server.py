"""What the server replies to each request, and what it asks of the handler."""

import logging
import threading

import pytest

from authplugin import LocalProtocolError, RemoteProtocolError
from authplugin.userauth import (
    Authenticated,
    Prompts,
    SSHUserAuthRequest,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthLimits,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthServer,
    UserAuthSuccess,
)

from .clients import SERVICE, SESSION_ID, Client, Handler, Key, accepting

REFUSED = UserAuthFailure("publickey,password,keyboard-interactive", False)
NONE = UserAuthNone("alice", SERVICE)
PASSWORD = UserAuthPassword("alice", SERVICE, "swordfish")
INTERACTIVE = UserAuthKeyboardInteractive("alice", SERVICE, "", "pam")
CODE = Prompts([("Code: ", True)])
TWO = Prompts([("Code: ", True), ("PIN: ", False)], "Login", "Twice")


def answer(*responses: str) -> UserAuthInfoResponse:
    return UserAuthInfoResponse(list(responses))


def test_none_is_refused_with_the_methods_that_are_there() -> None:
    handler = Handler()
    client = Client(handler, connection_id=7)
    assert client.say(NONE) == [REFUSED]
    [event] = handler.events
    assert (event.connection_id, event.user, event.service) == (7, "alice", SERVICE)
    assert (event.auth_method, event.auth_param, event.key_algorithm) == ("none", "", "")


def test_none_can_be_accepted() -> None:
    client = Client(Handler(accepting("none")))
    assert client.say(NONE) == [UserAuthSuccess()]


def test_what_a_handler_makes_available_is_told_and_stays() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "none":
            event.available_methods = "none,password,hostbased"

    client = Client(Handler(decide))
    offered = UserAuthFailure("password,hostbased", False)
    assert client.say(NONE, PASSWORD) == [offered, offered]
    assert client.say(UserAuthNone("bob", SERVICE)) == [offered]
    assert client.say(UserAuthPassword("carol", SERVICE, "x")) == [REFUSED]


@pytest.mark.parametrize("wrong", ["a,,b", ",", "é", None, 3])
def test_what_is_no_list_of_names_refuses(wrong: object, caplog: pytest.LogCaptureFixture) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = True
        event.available_methods = wrong  # type: ignore[assignment]

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [REFUSED]
    assert "available_methods is no list of names" in caplog.text


@pytest.mark.parametrize("accept", [True, False])
def test_password(accept: bool) -> None:
    handler = Handler(lambda event: setattr(event, "accept", accept))
    client = Client(handler, root_directory="/srv")
    assert client.say(PASSWORD) == [UserAuthSuccess() if accept else REFUSED]
    [event] = handler.events
    assert (event.auth_method, event.auth_param, event.new_password) == (
        "password",
        "swordfish",
        None,
    )
    assert "swordfish" not in repr(event)
    expected = Authenticated("alice", SERVICE, ("password",), "/srv") if accept else None
    assert client.server.authenticated == expected


@pytest.mark.parametrize("almost", ["yes", 1, "True", [True]])
def test_only_true_accepts(almost: object) -> None:
    client = Client(Handler(lambda event: setattr(event, "accept", almost)))
    assert client.say(PASSWORD) == [REFUSED]


def test_the_home_directory_is_the_handlers() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept, event.home_dir = True, "/home/alice"

    client = Client(Handler(decide), root_directory="/srv")
    client.say(PASSWORD)
    assert client.server.authenticated is not None
    assert client.server.authenticated.home_dir == "/home/alice"


def test_a_password_has_to_be_changed() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.new_password is None:
            event.change_password = "Choose another one"
            event.accept = True  # counts for nothing
        else:
            event.accept = (event.auth_param, event.new_password) == ("swordfish", "marlin")

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [UserAuthPasswordChangeRequired("Choose another one", "")]
    changed = UserAuthPasswordChange("alice", SERVICE, "swordfish", "marlin")
    assert client.say(changed) == [UserAuthSuccess()]
    assert "marlin" not in repr(changed)


def test_public_key_query_then_signature() -> None:
    key = Key()
    handler = Handler(accepting("publickey"))
    client = Client(handler)
    query = UserAuthPublicKeyQuery("alice", SERVICE, key.algorithm, key.blob)
    assert client.say(query) == [UserAuthPublicKeyOk(key.algorithm, key.blob)]
    assert client.server.authenticated is None
    assert client.say(key.request()) == [UserAuthSuccess()]
    assert [event.is_query for event in handler.events] == [True, False]
    assert {event.key_algorithm for event in handler.events} == {"ssh-ed25519"}
    assert {event.auth_param for event in handler.events} == {key.blob}


def test_a_key_that_the_handler_refuses() -> None:
    key = Key()
    client = Client(Handler())
    query = UserAuthPublicKeyQuery("alice", SERVICE, key.algorithm, key.blob)
    assert client.say(query, key.request()) == [REFUSED, REFUSED]


def test_a_signature_is_over_this_session_user_and_key() -> None:
    key, other = Key(), Key()
    client = Client(Handler(accepting("publickey")))
    replayed = key.request(session_id=b"another session")
    assert client.say(replayed) == [REFUSED]
    other_user = key.request("bob")
    other_user.user = "alice"
    assert client.say(other_user) == [REFUSED]
    other_key = key.request()
    other_key.blob = other.blob
    assert client.say(other_key) == [REFUSED]
    assert client.say(key.request()) == [UserAuthSuccess()]


def test_a_partial_success_by_key_takes_a_good_signature_too() -> None:
    key = Key()
    client = Client(Handler(lambda event: setattr(event, "partial_success", True)))
    assert client.say(key.request(session_id=b"another session")) == [REFUSED]
    [reply] = client.say(key.request())
    assert reply == UserAuthFailure("password,keyboard-interactive", True)


def test_an_algorithm_that_is_off_is_refused_unasked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    key = Key()
    handler = Handler(accepting("publickey"))
    client = Client(handler, algorithms=("rsa-sha2-256",))
    assert client.say(key.request()) == [REFUSED]
    assert handler.events == []
    assert "publickey refused: the public key algorithm is not one that is switched on" in (
        caplog.text
    )


def test_a_key_that_is_none_is_refused_unasked() -> None:
    handler = Handler(accepting("publickey"))
    client = Client(handler)
    request = UserAuthPublicKeyQuery("alice", SERVICE, "ssh-ed25519", b"no key")
    assert client.say(request) == [REFUSED]
    assert handler.events == []


def test_a_reply_that_cannot_be_sent_is_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(Handler(lambda event: setattr(event, "change_password", "\ud800")))
    assert client.say(PASSWORD) == [REFUSED]
    assert "bad-value" in caplog.text


def test_keyboard_interactive_asks_in_rounds() -> None:
    wanted = ("keyboard-interactive-1", "keyboard-interactive-2", "keyboard-interactive")
    handler = Handler(accepting(*wanted), [TWO, Prompts([]), CODE])
    client = Client(handler)
    assert client.say(INTERACTIVE) == [
        UserAuthInfoRequest("Login", "Twice", "", [("Code: ", True), ("PIN: ", False)])
    ]
    assert client.say(answer("1", "2")) == [UserAuthInfoRequest("", "", "", [])]
    assert client.say(answer()) == [UserAuthInfoRequest("", "", "", [("Code: ", True)])]
    assert client.say(answer("3")) == [UserAuthSuccess()]
    assert handler.methods == [wanted[0], wanted[1], wanted[0], wanted[2]]
    assert [event.auth_param for event in handler.events] == ["1", "2", "3", ""]
    assert [each.number for each in handler.asked] == [1, 2, 3, 4]
    assert {each.submethods for each in handler.asked} == {"pam"}


def test_without_prompts_the_bare_event_decides() -> None:
    handler = Handler(accepting("keyboard-interactive"))
    client = Client(handler)
    assert client.say(INTERACTIVE) == [UserAuthSuccess()]
    assert handler.methods == ["keyboard-interactive"]


@pytest.mark.parametrize(
    "refused", ["keyboard-interactive-1", "keyboard-interactive-2", "keyboard-interactive"]
)
def test_every_response_must_be_accepted_and_all_are_asked_of(refused: str) -> None:
    handler = Handler(lambda event: setattr(event, "accept", event.auth_method != refused), [TWO])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(answer("1", "2")) == [REFUSED]
    assert handler.methods == [
        "keyboard-interactive-1",
        "keyboard-interactive-2",
        "keyboard-interactive",
    ]


def test_a_refused_response_shows_in_the_next_round_alone() -> None:
    handler = Handler(
        lambda event: setattr(event, "accept", event.auth_param != "bad"), [CODE, CODE]
    )
    client = Client(handler)
    client.say(INTERACTIVE, answer("bad"))
    assert [each.accepted for each in handler.asked] == [True, False]
    assert client.say(answer("good")) == [REFUSED]


def test_a_response_that_is_refused_is_not_mended_by_partial_success() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.partial_success = True
        event.accept = event.auth_param != "bad"

    client = Client(Handler(decide, [CODE]))
    assert client.say(INTERACTIVE, answer("bad"))[1:] == [REFUSED]
    assert client.say(INTERACTIVE, answer("good"))[1:] == [
        UserAuthFailure("publickey,password", True)
    ]


@pytest.mark.parametrize("responses", [(), ("1",), ("1", "2", "3")])
def test_a_wrong_count_fails_and_asks_nobody(responses: tuple[str, ...]) -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [TWO])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(answer(*responses)) == [REFUSED]
    assert handler.events == []
    with pytest.raises(RemoteProtocolError):
        client.say(answer("1", "2"))


def test_a_response_that_nothing_asked_for_ends_the_connection() -> None:
    client = Client(Handler(lambda event: setattr(event, "accept", True), [CODE]))
    with pytest.raises(RemoteProtocolError, match="unknown-type"):
        client.say(answer("1"))
    assert client.server.violation is not None
    with pytest.raises(LocalProtocolError):
        client.say(NONE)


def test_what_only_a_server_says_ends_the_connection() -> None:
    client = Client(Handler())
    with pytest.raises(RemoteProtocolError, match="wrong-side"):
        client.server.receive(b"\x34")


@pytest.mark.parametrize(
    "prompts",
    [
        Prompts([("", True)]),
        Prompts([("\ud800", True)]),
        Prompts([(3, True)]),  # type: ignore[list-item]
        Prompts([("a", True)] * 65),
        Prompts(3),  # type: ignore[arg-type]
        "no prompts",
    ],
)
def test_prompts_that_cannot_be_asked_refuse(prompts: object) -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [prompts])  # type: ignore[list-item]
    client = Client(handler)
    assert client.say(INTERACTIVE) == [REFUSED]
    assert handler.events == []


def test_too_many_rounds_refuse() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [CODE] * 9)
    client = Client(handler, user_auth_limits=UserAuthLimits(rounds=2))
    client.say(INTERACTIVE, answer("1"))
    assert client.say(answer("2")) == [REFUSED]


def test_a_new_request_abandons_an_exchange_without_a_failure_of_its_own() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True), [CODE])
    client = Client(handler)
    client.say(INTERACTIVE)
    assert client.say(PASSWORD) == [UserAuthSuccess()]


def test_the_response_to_an_abandoned_exchange_is_out_of_place() -> None:
    client = Client(Handler(rounds=[CODE]))
    client.say(INTERACTIVE)
    assert client.say(PASSWORD) == [REFUSED]
    with pytest.raises(RemoteProtocolError):
        client.say(answer("1"))


def partly(*methods: str) -> Handler:
    """Return a handler for which these methods, in this order, are needed."""

    def decide(event: SSHUserAuthRequest) -> None:
        missing = [name for name in methods if name not in event.completed]
        if event.auth_method.startswith(missing[0]):
            event.accept = len(missing) == 1 or event.auth_method != missing[0]
            event.partial_success = not event.accept

    return Handler(decide, [CODE])


def test_two_factors() -> None:
    key = Key()
    client = Client(partly("publickey", "keyboard-interactive"))
    assert client.say(PASSWORD) == [REFUSED]
    left = UserAuthFailure("password,keyboard-interactive", True)
    assert client.say(key.request()) == [left]
    client.say(INTERACTIVE)
    assert client.say(answer("1")) == [UserAuthSuccess()]
    assert client.server.authenticated is not None
    assert client.server.authenticated.methods == ("publickey", "keyboard-interactive")


def test_what_is_done_survives_a_refusal_and_is_not_listed_again() -> None:
    client = Client(partly("password", "publickey"))
    client.say(PASSWORD)
    refused = UserAuthFailure("publickey,keyboard-interactive", False)
    assert client.say(PASSWORD) == [refused]


@pytest.mark.parametrize("change", [("bob", SERVICE), ("alice", "another")])
def test_what_is_done_is_flushed_with_user_or_service(change: tuple[str, str]) -> None:
    client = Client(partly("password", "keyboard-interactive"), services=(SERVICE, "another"))
    client.say(PASSWORD)
    assert client.say(UserAuthNone(*change)) == [REFUSED]
    client.say(INTERACTIVE)
    assert client.say(answer("1")) == [REFUSED]


def test_both_set_is_the_smaller_of_the_two() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.partial_success = True

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [UserAuthFailure("publickey,keyboard-interactive", True)]


def test_an_unknown_service_is_refused() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True))
    client = Client(handler)
    assert client.say(UserAuthPassword("alice", "ssh-other", "x")) == [REFUSED]
    assert handler.events == []


def test_an_unknown_method_is_refused_unless_it_is_offered() -> None:
    handler = Handler(accepting("hostbased"))
    request = UserAuthOther("alice", SERVICE, "hostbased", b"raw \xff")
    assert Client(handler).say(request) == [REFUSED]
    assert handler.events == []
    client = Client(handler, methods="hostbased,password")
    assert client.say(request) == [UserAuthSuccess()]
    assert handler.events[0].auth_param == b"raw \xff"


def test_no_method_passes_for_a_response() -> None:
    handler = Handler(lambda event: setattr(event, "accept", True))
    name = "keyboard-interactive-1"
    client = Client(handler, methods=f"password,{name}")
    client.say(UserAuthOther("alice", SERVICE, name, b""))
    assert handler.events == []
    assert client.server.authenticated is None


def test_after_success_requests_are_ignored() -> None:
    client = Client(Handler(accepting("password")))
    client.say(PASSWORD)
    client.server.receive(b"\x32 anything")
    assert client.say(NONE, PASSWORD) == []
    assert client.server.disconnect is None


def test_every_refusal_is_an_attempt_and_partial_successes_are() -> None:
    key = Key()
    client = Client(
        partly("password", "publickey", "keyboard-interactive"),
        user_auth_limits=UserAuthLimits(attempts=3),
    )
    assert len(client.say(NONE, PASSWORD)) == 2
    assert client.server.disconnect is None
    assert len(client.say(key.request())) == 1
    assert client.server.disconnect is not None
    assert client.server.disconnect.code == 14
    with pytest.raises(LocalProtocolError):
        client.say(NONE)


def test_requests_may_be_pipelined_until_the_last_attempt() -> None:
    client = Client(Handler(), user_auth_limits=UserAuthLimits(attempts=2))
    assert client.say(NONE, PASSWORD) == [REFUSED, REFUSED]
    assert client.server.disconnect is not None


def test_time_is_limited() -> None:
    now = [0.0]
    client = Client(Handler(), clock=lambda: now[0], user_auth_limits=UserAuthLimits(seconds=10.0))
    now[0] = 9.9
    assert client.say(NONE) == [REFUSED]
    now[0] = 10.0
    assert client.say(NONE) == []
    assert client.server.disconnect is not None
    assert client.server.disconnect.code == 14


def test_time_does_not_matter_once_logged_in() -> None:
    now = [0.0]
    client = Client(Handler(accepting("password")), clock=lambda: now[0])
    client.say(PASSWORD)
    now[0] = 1e6
    client.server.check_time()
    assert client.server.disconnect is None


def test_a_handler_that_raises_refuses_and_shows_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.accept = event.partial_success = True
        event.change_password = "x"
        raise ValueError(event.auth_param)

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [REFUSED]
    assert "the handler raised ValueError" in caplog.text
    assert "in decide" in caplog.text
    assert "swordfish" not in caplog.text


def test_a_handler_that_raises_in_the_middle_is_asked_of_the_rest() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        if event.auth_method == "keyboard-interactive-1":
            raise RuntimeError
        event.accept = True

    handler = Handler(decide, [TWO])
    client = Client(handler)
    assert client.say(INTERACTIVE, answer("1", "2"))[1:] == [REFUSED]
    assert len(handler.events) == 3


def deferring() -> tuple[Handler, Client, list[None]]:
    """Return a handler that defers all, its client, and what is told of output."""
    told: list[None] = []
    handler = Handler(lambda event: event.defer(), [CODE])
    return handler, Client(handler, on_output=lambda: told.append(None)), told


def test_a_decision_can_come_later_and_from_another_thread() -> None:
    handler, client, told = deferring()
    assert client.say(PASSWORD) == []
    [event] = handler.events
    event.accept = True
    counted: list[bool] = []
    thread = threading.Thread(target=lambda: counted.append(event.decide()))
    thread.start()
    thread.join()
    assert counted == [True]
    assert told == [None]
    assert client.replies() == [UserAuthSuccess()]


def test_what_comes_meanwhile_waits_and_is_answered_in_order() -> None:
    handler, client, _ = deferring()
    assert client.say(PASSWORD, NONE) == []
    assert client.server.held > 0
    assert len(handler.events) == 1
    assert handler.events[0].decide()
    assert client.replies() == [REFUSED]
    assert handler.methods == ["password", "none"]
    assert handler.events[1].decide()
    assert client.replies() == [REFUSED]
    assert client.server.held == 0


def test_responses_can_be_deferred_one_by_one() -> None:
    handler, client, _ = deferring()
    client.say(INTERACTIVE, answer("1"))
    for _ in range(2):
        handler.events[-1].accept = True
        assert handler.events[-1].decide()
    assert client.replies() == [UserAuthSuccess()]


def test_a_decision_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    handler, client, _ = deferring()
    client.say(PASSWORD)
    [event] = handler.events
    assert event.decide()
    event.accept = True
    assert not event.decide()
    assert "came too late, and is discarded" in caplog.text
    assert client.replies() == [REFUSED]


def test_nobody_has_to_be_told_of_output() -> None:
    handler = Handler(lambda event: event.defer())
    client = Client(handler)
    client.say(PASSWORD)
    assert handler.events[0].decide()
    assert client.replies() == [REFUSED]


def test_a_decision_within_the_call_is_none_that_is_deferred() -> None:
    def decide(event: SSHUserAuthRequest) -> None:
        event.defer()
        event.accept = True
        assert event.decide()

    client = Client(Handler(decide))
    assert client.say(PASSWORD) == [UserAuthSuccess()]


def test_an_event_that_no_server_made_cannot_be_decided() -> None:
    event = SSHUserAuthRequest(
        connection_id=0, user="", service="", auth_method="none", auth_param=""
    )
    assert not event.decide()


def test_a_decision_after_the_client_is_gone_is_discarded() -> None:
    handler, client, told = deferring()
    client.say(PASSWORD, NONE)
    client.server.connection_lost()
    assert client.server.held == 0
    handler.events[0].accept = True
    assert not handler.events[0].decide()
    assert (client.server.authenticated, told, client.replies()) == (None, [], [])


def test_a_decision_after_the_time_is_discarded() -> None:
    now = [0.0]
    handler = Handler(lambda event: event.defer())
    client = Client(handler, clock=lambda: now[0])
    client.say(PASSWORD)
    now[0] = 601.0
    client.server.check_time()
    handler.events[0].accept = True
    assert not handler.events[0].decide()
    assert client.server.authenticated is None


def test_what_waits_is_bounded_in_number() -> None:
    _, client, _ = deferring()
    client.say(PASSWORD)
    client.say(*[NONE] * 16)
    with pytest.raises(RemoteProtocolError):
        client.say(NONE)
    assert client.server.held == 0


def test_what_waits_is_bounded_in_bytes() -> None:
    _, client, _ = deferring()
    client.say(PASSWORD)
    large = UserAuthOther("alice", SERVICE, "x", bytes(200 * 1024))
    client.say(large)
    with pytest.raises(RemoteProtocolError):
        client.say(large)


def test_what_waits_is_judged_when_it_is_its_turn() -> None:
    handler, client, _ = deferring()
    client.say(PASSWORD)
    client.server.receive(b"\x32 not a request")
    assert client.server.violation is None
    handler.events[0].decide()
    assert client.server.violation is not None
    assert client.replies() == [REFUSED]


def test_what_waits_behind_a_success_is_ignored() -> None:
    handler, client, _ = deferring()
    client.say(PASSWORD, NONE)
    handler.events[0].accept = True
    handler.events[0].decide()
    assert client.replies() == [UserAuthSuccess()]
    assert len(handler.events) == 1


def test_a_banner_is_sent_before_the_success_only() -> None:
    client = Client(Handler(accepting("password")))
    client.server.send_banner("Welcome", "en")
    assert client.replies() == [UserAuthBanner("Welcome", "en")]
    client.say(PASSWORD)
    with pytest.raises(LocalProtocolError, match="session-over"):
        client.server.send_banner("Welcome")


@pytest.mark.parametrize(
    "wrong", [{"algorithms": ("ssh-ed25519", "rot13")}, {"methods": "password,,publickey"}]
)
def test_a_server_that_makes_no_sense_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"rot13|password,,publickey"):
        UserAuthServer(Handler(), session_id=SESSION_ID, **wrong)  # type: ignore[arg-type]


def test_a_hostile_client_holds_no_memory_and_never_gets_in() -> None:
    client = Client(
        Handler(), user_auth_limits=UserAuthLimits(attempts=10_001, seconds=float("inf"))
    )
    for _ in range(10_000):
        assert client.say(PASSWORD) == [REFUSED]
        assert client.server.held == 0
    assert client.server.disconnect is None
    client.say(PASSWORD)
    assert client.server.disconnect is not None
