"""Servers with wrong verdicts on purpose: each function puts a mistake into the code on trial.

Each is one that somebody could make. It stays until the patch is undone.
"""

import re
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest

from authplugin.userauth import (
    ALGORITHMS,
    SSHUserAuthRequest,
    UserAuthPublicKey,
    UserAuthServer,
    asking,
    exchanges,
    server,
)
from authplugin.userauth.account import Account, Bounds
from authplugin.userauth.asking import Desk
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
    patch.setattr(Account, "of", _moved)


def _moved(account: Account, user: str, service: str) -> Account:
    moved = copy(account)
    moved.user, moved.service = user, service
    return moved


def keep_the_first_directory_of_another_user(patch: Patch) -> None:
    of = Account.of

    def lax(self: Account, user: str, service: str) -> Account:
        made = of(self, user, service)
        made.home_dir = self.home_dir
        return made

    patch.setattr(Account, "of", lax)


def keep_what_was_done_for_another_service(patch: Patch) -> None:
    of = Account.of

    def lax(self: Account, user: str, service: str) -> Account:
        return _moved(self, user, service) if user == self.user else of(self, user, service)

    patch.setattr(Account, "of", lax)


def forget_what_was_done(patch: Patch) -> None:
    def forgetful(self: Account, user: str, service: str) -> Account:
        forgotten = _moved(self, user, service)
        forgotten.completed = []
        return forgotten

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


def _taken_over(
    patch: Patch, change: Callable[[Account, Account, SSHUserAuthRequest], None]
) -> None:
    """Have an account changed once it took over an event; called with what it was before, too."""
    take_over = Account.take_over

    def changed(self: Account, event: SSHUserAuthRequest) -> None:
        before = copy(self)
        take_over(self, event)
        change(self, before, event)

    patch.setattr(Account, "take_over", changed)


def forget_the_methods_of_an_event(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        account.available = before.available

    _taken_over(patch, change)


def keep_the_methods_of_a_refusal_to_oneself(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        account.offered = before.offered

    _taken_over(patch, change)


def tell_of_methods_at_once(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        account.offered = account.available

    _taken_over(patch, change)


def tell_of_what_a_refusal_left_as_it_was(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        if not event.accept and not event.partial_success:
            account.offered = account.available

    _taken_over(patch, change)


def keep_what_came_to_nothing(patch: Patch) -> None:
    settle = Account.settle
    patch.setattr(Account, "settle", lambda self, *, counted: settle(self, counted=True))


def forget_what_has_counted(patch: Patch) -> None:
    settle = Account.settle
    patch.setattr(Account, "settle", lambda self, *, counted: settle(self, counted=False))


def take_any_names(patch: Patch) -> None:
    patch.setattr(asking, "_METHODS", re.compile(r"([^,\0]+(,[^,\0]+)*)?"))


# Verdicts.


def take_the_larger_of_two_answers(patch: Patch) -> None:
    patch.setattr(
        exchanges,
        "_verdict",
        lambda event: Verdict(
            event.accept is True,
            event.partial_success is True and event.accept is not True,
        ),
    )


def take_what_is_true_for_true(patch: Patch) -> None:
    take_over = Desk._take_over

    def lax(self: Desk, event: SSHUserAuthRequest, account: Account) -> None:
        event.accept, event.partial_success = bool(event.accept), bool(event.partial_success)
        take_over(self, event, account)

    patch.setattr(Desk, "_take_over", lax)


def accept_what_a_handler_that_raised_has_set(patch: Patch) -> None:
    patch.setattr(asking, "_refuse", lambda event: None)


def forget_the_first_directory(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        account.home_dir = ""

    _taken_over(patch, change)


def forget_the_first_directory_of_an_earlier_event(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        account.home_dir = event.home_dir or ""

    _taken_over(patch, change)


def take_the_first_directory_of_a_refusal(patch: Patch) -> None:
    def change(account: Account, before: Account, event: SSHUserAuthRequest) -> None:
        account.home_dir = event.home_dir or account.home_dir

    _taken_over(patch, change)


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
    keep_the_first_directory_of_another_user,
    forget_what_was_done,
    list_what_is_done,
    list_nothing_after_a_partial_success,
    offer_everything,
    forget_the_methods_of_an_event,
    keep_the_methods_of_a_refusal_to_oneself,
    tell_of_methods_at_once,
    tell_of_what_a_refusal_left_as_it_was,
    keep_what_came_to_nothing,
    forget_what_has_counted,
    take_any_names,
    take_the_larger_of_two_answers,
    take_what_is_true_for_true,
    accept_what_a_handler_that_raised_has_set,
    forget_the_first_directory,
    forget_the_first_directory_of_an_earlier_event,
    take_the_first_directory_of_a_refusal,
    count_no_partial_success,
    allow_one_attempt_more,
    allow_any_time,
    answer_after_success,
    know_every_service,
)
"""All of them."""
