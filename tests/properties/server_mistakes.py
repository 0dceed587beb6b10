"""Servers with wrong verdicts on purpose: each function puts a mistake into the code on trial.

Each is one that somebody could make. It stays until the patch is undone.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from authplugin.userauth import (
    ALGORITHMS,
    SSHUserAuthRequest,
    UserAuthPublicKey,
    UserAuthServer,
    exchanges,
    server,
)
from authplugin.userauth.account import Account, Bounds
from authplugin.userauth.exchanges import AskHandler, Verdict
from authplugin.userauth.signatures import UnacceptableKeyError, verify

Patch = pytest.MonkeyPatch


# Signatures.


def verify_nothing(patch: Patch) -> None:
    patch.setattr(exchanges, "verify", lambda *_: None)


def verify_nothing_of_rsa(patch: Patch) -> None:

    def lax(algorithm: str, *rest: Any) -> None:
        if not algorithm.startswith("rsa"):
            verify(algorithm, *rest)

    patch.setattr(exchanges, "verify", lax)


def trust_the_name_in_the_signature(patch: Patch) -> None:

    def lax(algorithm: str, blob: Any, signature: Any, covered: bytes) -> None:
        size = int.from_bytes(bytes(signature[:4]), "big")
        named = bytes(signature[4 : 4 + size]).decode("latin-1")
        verify(named if named in ALGORITHMS else algorithm, blob, signature, covered)

    patch.setattr(exchanges, "verify", lax)


def cover_any_session(patch: Patch) -> None:
    """A signature is taken too where it covers no session at all."""

    def lax(algorithm: str, blob: Any, signature: Any, covered: bytes) -> None:
        size = int.from_bytes(covered[:4], "big")
        try:
            verify(algorithm, blob, signature, covered)
        except UnacceptableKeyError:
            verify(algorithm, blob, signature, bytes(4) + covered[4 + size :])

    patch.setattr(exchanges, "verify", lax)


def take_algorithms_that_are_off(patch: Patch) -> None:
    def generous(limits: Any, attempts: Any, session: Any, algorithms: Any, methods: Any) -> Bounds:
        return Bounds(limits, attempts, session, frozenset(ALGORITHMS), methods)

    patch.setattr(server, "Bounds", generous)


def take_a_question_for_a_signature(patch: Patch) -> None:
    patch.setattr(exchanges, "UserAuthPublicKeyOk", lambda *_: Verdict(accept=True))


def ask_about_no_key(patch: Patch) -> None:
    """The signature is verified, and whose key it is by nobody asked."""
    publickey = exchanges.publickey

    def hasty(request: Any, account: Account) -> Any:
        exchange = publickey(request, account)
        try:
            wish = next(exchange)
            if isinstance(request, UserAuthPublicKey) and isinstance(wish, AskHandler):
                wish.event.accept = True
            else:
                wish = AskHandler((yield wish))
            while True:
                exchange.send(wish.event)
        except StopIteration as end:
            return end.value

    patch.setitem(exchanges._EXCHANGES, UserAuthPublicKey, hasty)


# Accounts.


def keep_what_another_user_has_done(patch: Patch) -> None:
    def lax(self: Account, user: str, service: str) -> Account:
        return replace(self, user=user, service=service)

    patch.setattr(Account, "of", lax)


def keep_what_was_done_for_another_service(patch: Patch) -> None:
    of = Account.of

    def lax(self: Account, user: str, service: str) -> Account:
        return replace(self, service=service) if user == self.user else of(self, user, service)

    patch.setattr(Account, "of", lax)


def forget_what_was_done(patch: Patch) -> None:
    def forgetful(self: Account, user: str, service: str) -> Account:
        return Account(self.bounds, self.connection_id, user, service, self.available)

    patch.setattr(Account, "of", forgetful)


def list_what_is_done(patch: Patch) -> None:
    patch.setattr(Account, "remaining", property(lambda self: self.available))


def list_nothing_after_a_partial_success(patch: Patch) -> None:
    remaining = vars(Account)["remaining"].fget
    patch.setattr(
        Account, "remaining", property(lambda self: "" if self.completed else remaining(self))
    )


def offer_everything(patch: Patch) -> None:
    patch.setattr(Account, "is_offered", lambda self, method: True)


def forget_the_methods_of_an_event(patch: Patch) -> None:
    settle = UserAuthServer._settle

    def forgetful(self: UserAuthServer, event: SSHUserAuthRequest) -> None:
        before = self._account.available
        settle(self, event)
        self._account.available = before

    patch.setattr(UserAuthServer, "_settle", forgetful)


# Verdicts.


def take_the_larger_of_two_answers(patch: Patch) -> None:
    patch.setattr(
        exchanges,
        "_verdict",
        lambda event: Verdict(
            event.accept is True,
            event.partial_success is True and event.accept is not True,
            event.home_dir,
        ),
    )


def take_what_is_true_for_true(patch: Patch) -> None:
    patch.setattr(
        exchanges,
        "_verdict",
        lambda event: Verdict(
            bool(event.accept) and not event.partial_success,
            bool(event.partial_success),
            event.home_dir,
        ),
    )


def accept_what_a_handler_that_raised_has_set(patch: Patch) -> None:
    patch.setattr(server, "_refuse", lambda event: None)


def forget_the_first_directory(patch: Patch) -> None:
    conclude = UserAuthServer._conclude

    def forgetful(self: UserAuthServer, result: Any) -> None:
        if isinstance(result, Verdict):
            result = replace(result, home_dir=None)
        conclude(self, result)

    patch.setattr(UserAuthServer, "_conclude", forgetful)


def count_no_partial_success(patch: Patch) -> None:
    conclude = UserAuthServer._conclude

    def lax(self: UserAuthServer, result: Any) -> None:
        if getattr(result, "partial", False):
            self._attempts -= 1
        conclude(self, result)

    patch.setattr(UserAuthServer, "_conclude", lax)


def allow_one_attempt_more(patch: Patch) -> None:
    begin = UserAuthServer.__init__

    def generous(self: UserAuthServer, *given: Any, **options: Any) -> None:
        begin(self, *given, **options)
        self._attempts = -1

    patch.setattr(UserAuthServer, "__init__", generous)


def allow_any_time(patch: Patch) -> None:
    patch.setattr(UserAuthServer, "check_time", lambda self: None)


def answer_after_success(patch: Patch) -> None:
    receive = UserAuthServer.receive

    def talkative(self: UserAuthServer, payload: Any) -> None:
        before, self._authenticated = self._authenticated, None
        try:
            receive(self, payload)
        finally:
            self._authenticated = self._authenticated or before

    patch.setattr(UserAuthServer, "receive", talkative)


def know_every_service(patch: Patch) -> None:
    class Everything(frozenset[str]):
        def __contains__(self, name: object) -> bool:
            return True

    begin = UserAuthServer.__init__

    def generous(self: UserAuthServer, *given: Any, **options: Any) -> None:
        begin(self, *given, **options)
        self._services = Everything()

    patch.setattr(UserAuthServer, "__init__", generous)


MISTAKES: tuple[Callable[[Patch], None], ...] = (
    verify_nothing,
    verify_nothing_of_rsa,
    trust_the_name_in_the_signature,
    cover_any_session,
    take_algorithms_that_are_off,
    take_a_question_for_a_signature,
    ask_about_no_key,
    keep_what_another_user_has_done,
    keep_what_was_done_for_another_service,
    forget_what_was_done,
    list_what_is_done,
    list_nothing_after_a_partial_success,
    offer_everything,
    forget_the_methods_of_an_event,
    take_the_larger_of_two_answers,
    take_what_is_true_for_true,
    accept_what_a_handler_that_raised_has_set,
    forget_the_first_directory,
    count_no_partial_success,
    allow_one_attempt_more,
    allow_any_time,
    answer_after_success,
    know_every_service,
)
"""All of them."""
