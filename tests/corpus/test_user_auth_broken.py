"""Each rule of a server has a dialogue that goes red where the server breaks it."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from authplugin.userauth import (
    ALGORITHMS,
    SSHUserAuthRequest,
    UserAuthLimits,
    UserAuthServer,
    codec,
    exchanges,
)
from authplugin.userauth.account import Account
from authplugin.userauth.messages import (
    Sender,
    UserAuthFailure,
    UserAuthOther,
    UserAuthRequest,
)
from authplugin_corpus.serve import deciding
from authplugin_corpus.userauth import playing
from authplugin_corpus.userauth.model import UserAuthDialogue
from authplugin_corpus.userauth.playing import problems_of_play
from authplugin_corpus.vectors import load_user_auth

DIALOGUES = {each.id: each for each in load_user_auth() if isinstance(each, UserAuthDialogue)}


def rewritten(patch: pytest.MonkeyPatch, owner: Any, name: str, change: Callable[..., Any]) -> None:
    """Put what `change` makes of a function or property in its place."""
    patch.setattr(owner, name, change(getattr(owner, name)))


def takes_any_signature(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exchanges, "verify", lambda *arguments: None)


def takes_signatures_without_session(patch: pytest.MonkeyPatch) -> None:
    def change(verify: Callable[..., None]) -> Callable[..., None]:
        def loose(algorithm: str, blob: bytes, signature: bytes, covered: bytes) -> None:
            try:
                verify(algorithm, blob, signature, covered)
            except Exception:
                size = int.from_bytes(covered[:4], "big")
                verify(algorithm, blob, signature, bytes(4) + covered[4 + size :])

        return loose

    rewritten(patch, exchanges, "verify", change)


def takes_the_algorithm_of_the_signature(patch: pytest.MonkeyPatch) -> None:
    def change(verify: Callable[..., None]) -> Callable[..., None]:
        def loose(algorithm: str, blob: bytes, signature: bytes, covered: bytes) -> None:
            size = int.from_bytes(signature[:4], "big")
            verify(bytes(signature[4 : 4 + size]).decode(), blob, signature, covered)

        return loose

    rewritten(patch, exchanges, "verify", change)


def takes_all_algorithms(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(playing, "DEFAULT_ALGORITHMS", tuple(ALGORITHMS))


def takes_every_key(patch: pytest.MonkeyPatch) -> None:
    def change(decide: Callable[..., None]) -> Callable[..., None]:
        def loose(handler: Any, event: SSHUserAuthRequest, *rest: Any) -> None:
            decide(handler, event, *rest)
            event.accept = event.accept or event.auth_method == "publickey"

        return loose

    rewritten(patch, deciding.ConfiguredHandler, "user_auth_request", change)


def forgets_to_flush(patch: pytest.MonkeyPatch) -> None:
    def of(account: Account, user: str, service: str) -> Account:
        account.user, account.service = user, service
        return account

    patch.setattr(Account, "of", of)


def forgets_what_is_done(patch: pytest.MonkeyPatch) -> None:
    def of(account: Account, user: str, service: str) -> Account:
        return Account(account.bounds, account.connection_id, user, service)

    patch.setattr(Account, "of", of)


def counts_no_attempts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(playing, "UserAuthLimits", lambda *attempts: UserAuthLimits(1000))


def refuses_what_is_abandoned(patch: pytest.MonkeyPatch) -> None:
    def change(abandon: Callable[..., None]) -> Callable[..., None]:
        def loud(server: UserAuthServer, reason: str) -> None:
            if server._exchange is not None:
                server._output.append(codec.encode_payload(UserAuthFailure("password", False)))
            abandon(server, reason)

        return loud

    rewritten(patch, UserAuthServer, "_abandon", change)


def takes_partial_success_for_success(patch: pytest.MonkeyPatch) -> None:
    def change(verdict: Callable[..., Any]) -> Callable[..., Any]:
        def loose(event: SSHUserAuthRequest) -> Any:
            event.accept, event.partial_success = event.accept or event.partial_success, False
            return verdict(event)

        return loose

    rewritten(patch, exchanges, "_verdict", change)


def logs_in_on_a_query(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exchanges, "UserAuthPublicKeyOk", lambda *key: exchanges.Verdict(accept=True))


def lets_unknown_methods_in(patch: pytest.MonkeyPatch) -> None:
    def other(request: Any, account: Account) -> Any:
        yield from ()
        return exchanges.Verdict(accept=True)

    patch.setitem(exchanges._EXCHANGES, UserAuthOther, other)
    tries_what_is_not_offered(patch)


def compares_names_up_to_nul(patch: pytest.MonkeyPatch) -> None:
    def change(of: Callable[..., Account]) -> Callable[..., Account]:
        return lambda account, user, service: of(account, user.split("\0")[0], service)

    rewritten(patch, Account, "of", change)


def compares_beginnings(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deciding, "_same", lambda shown, right: right.startswith(shown))


def stops_at_the_first_wrong_response(patch: pytest.MonkeyPatch) -> None:
    def change(prompts: Callable[..., Any]) -> Callable[..., Any]:
        return lambda handler, wanted: prompts(handler, wanted) if wanted.accepted else None

    rewritten(patch, deciding.ConfiguredHandler, "prompts", change)


def asks_only_whom_it_knows(patch: pytest.MonkeyPatch) -> None:
    def change(prompts: Callable[..., Any]) -> Callable[..., Any]:
        return lambda handler, wanted: None if wanted.user == "nobody" else prompts(handler, wanted)

    rewritten(patch, deciding.ConfiguredHandler, "prompts", change)


def answers_behind_success(patch: pytest.MonkeyPatch) -> None:
    def change(receive: Callable[..., None]) -> Callable[..., None]:
        def loud(server: UserAuthServer, payload: bytes) -> None:
            if server.authenticated is not None:
                server._output.append(codec.encode_payload(UserAuthFailure("password", False)))
            receive(server, payload)

        return loud

    rewritten(patch, UserAuthServer, "receive", change)


def takes_messages_of_a_server(patch: pytest.MonkeyPatch) -> None:
    def change(take: Callable[..., None]) -> Callable[..., None]:
        def loose(server: UserAuthServer, message: Any) -> None:
            if message.spec.sender is Sender.CLIENT:
                take(server, message)

        return loose

    rewritten(patch, UserAuthServer, "_take", change)


def answers_the_last_first(patch: pytest.MonkeyPatch) -> None:
    def change(data_to_send: Callable[..., list[bytes]]) -> Callable[..., list[bytes]]:
        def late(server: UserAuthServer) -> list[bytes]:
            return data_to_send(server) if len(server._output) > 1 else []

        return late

    rewritten(patch, UserAuthServer, "data_to_send", change)


def keeps_what_comes_to_nothing(patch: pytest.MonkeyPatch) -> None:
    def change(settle: Callable[..., None]) -> Callable[..., None]:
        return lambda account, counted: settle(account, counted=True)

    rewritten(patch, Account, "settle", change)


def lists_what_is_needed_later(patch: pytest.MonkeyPatch) -> None:
    def change(take_over: Callable[..., None]) -> Callable[..., None]:
        def hasty(account: Account, event: SSHUserAuthRequest) -> None:
            take_over(account, event)
            account.offered = account.available

        return hasty

    rewritten(patch, Account, "take_over", change)


def tries_what_is_not_offered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Account, "is_offered", lambda account, method: True)


def counts_nothing_abandoned(patch: pytest.MonkeyPatch) -> None:
    def change(take: Callable[..., None]) -> Callable[..., None]:
        def generous(server: UserAuthServer, message: Any) -> None:
            server._attempts -= _abandons(server, message)
            take(server, message)

        return generous

    rewritten(patch, UserAuthServer, "_take", change)


def counts_what_is_abandoned_too_late(patch: pytest.MonkeyPatch) -> None:
    def change(take: Callable[..., None]) -> Callable[..., None]:
        def slow(server: UserAuthServer, message: Any) -> None:
            abandons = _abandons(server, message)
            server._attempts -= abandons
            take(server, message)
            if abandons and server.authenticated is None:
                server._count_attempt()

        return slow

    rewritten(patch, UserAuthServer, "_take", change)


def _abandons(server: UserAuthServer, message: Any) -> bool:
    return server._exchange is not None and isinstance(message, UserAuthRequest)


BREAKS: dict[Callable[[pytest.MonkeyPatch], None], tuple[str, ...]] = {
    takes_any_signature: ("signature-flipped-bit", "signature-another-user", "signature-nothing"),
    takes_signatures_without_session: ("signature-no-session",),
    takes_the_algorithm_of_the_signature: ("signature-weaker-than-named",),
    takes_all_algorithms: ("key-ssh-rsa-off", "key-x509v3-sign-rsa-off"),
    takes_every_key: ("key-unknown-query", "key-of-another-user", "key-query-then-other-key"),
    forgets_to_flush: ("factors-flushed-by-user", "factors-of-two-users"),
    forgets_what_is_done: ("factors-two", "factors-kept-over-none"),
    counts_no_attempts: ("attempts-end", "attempts-of-partial-success", "attempts-at-once"),
    refuses_what_is_abandoned: ("prompts-then-password", "at-once-prompts-and-password"),
    takes_partial_success_for_success: ("factors-two", "partial-hears-none"),
    logs_in_on_a_query: ("key-query-and-signature", "factors-query-alone"),
    lets_unknown_methods_in: ("method-hostbased", "method-no-name"),
    compares_names_up_to_nul: ("user-nul-behind",),
    compares_beginnings: ("password-beginning", "prompts-response-empty"),
    stops_at_the_first_wrong_response: ("prompts-wrong-first-round",),
    asks_only_whom_it_knows: ("prompts-of-nobody",),
    answers_behind_success: (
        *("logged-in-hears-none", "at-once-many-passwords"),
        *("logged-in-hears-success", "logged-in-hears-ill-formed"),
    ),
    takes_messages_of_a_server: ("waiting-hears-success", "asking-hears-failure"),
    answers_the_last_first: ("none-lists-methods",),
    keeps_what_comes_to_nothing: (
        *("factors-first-wrong-code", "factors-first-forged", "factors-first-wrong-then-right"),
        "factors-first-forged-then-right",
    ),
    lists_what_is_needed_later: ("factors-first-wrong-code", "factors-first-forged"),
    tries_what_is_not_offered: (
        *("factors-prompts-not-offered", "factors-prompts-no-more-offered"),
        "method-not-offered",
    ),
    counts_nothing_abandoned: ("attempts-of-abandoned", "attempts-abandoned-for-right"),
    counts_what_is_abandoned_too_late: ("attempts-abandoned-for-right",),
}
"""What a server may do wrong, and dialogues that show it."""


@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.__name__)
def test_a_server_that_errs_is_seen(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    for words in BREAKS[broken]:
        assert list(problems_of_play(DIALOGUES[f"userauth-server-{words}"])), words


EDITED = {
    "does not count responses": (
        "len(answer.responses) != len(prompts.prompts)",
        "False",
        "prompts-count-none-for-one",
    ),
    "lets the last response decide": (
        "accepted &= event.accept is True",
        "accepted = event.accept is True",
        "prompts-wrong-first",
    ),
}


@pytest.mark.parametrize("case", EDITED)
def test_an_exchange_that_errs_is_seen(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong, words = EDITED[case]
    source = inspect.getsource(exchanges.keyboard_interactive)
    assert right in source
    scope = dict(vars(exchanges))
    exec(compile(source.replace(right, wrong), "broken", "exec"), scope)
    kind = next(each for each in exchanges._EXCHANGES if each.__name__.endswith("Interactive"))
    monkeypatch.setitem(exchanges._EXCHANGES, kind, scope["keyboard_interactive"])
    assert list(problems_of_play(DIALOGUES[f"userauth-server-{words}"]))
