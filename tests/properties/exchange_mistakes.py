"""Servers whose exchanges, limits or reports are wrong on purpose; as `server_mistakes`."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from authplugin.userauth import (
    Prompts,
    Round,
    Sender,
    SSHUserAuthRequest,
    UserAuthFailure,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthRequest,
    UserAuthServer,
    exchanges,
    server,
)
from authplugin.userauth.account import Account, Bounds
from authplugin.userauth.asking import Desk, HandlerFailedError
from authplugin.userauth.exchanges import AskClient, AskHandler, NextRound, Verdict

Patch = pytest.MonkeyPatch


# Exchanges.


def _interactively(patch: Patch, change: Callable[[Any, Any], Any]) -> None:
    """Have what an exchange of `keyboard-interactive` gets changed: called with wish and answer."""
    original = exchanges.keyboard_interactive

    def changed(request: UserAuthKeyboardInteractive, account: Account) -> Any:
        exchange = original(request, account)
        given = None
        while True:
            try:
                wish = exchange.send(given)
            except StopIteration as end:
                return end.value
            given = change(wish, (yield wish))
            if isinstance(given, Verdict):
                return given

    patch.setitem(exchanges._EXCHANGES, UserAuthKeyboardInteractive, changed)


def forget_a_refused_response(patch: Patch) -> None:
    def change(wish: Any, given: Any) -> Any:
        if isinstance(wish, AskHandler) and "-interactive-" in given.auth_method:
            given.accept = True
        return given

    _interactively(patch, change)


def stop_at_a_refused_response(patch: Patch) -> None:
    def change(wish: Any, given: Any) -> Any:
        refused = isinstance(wish, AskHandler) and given.accept is not True
        return Verdict() if refused else given

    _interactively(patch, change)


def take_any_number_of_responses(patch: Patch) -> None:
    def change(wish: Any, given: Any) -> Any:
        if isinstance(wish, AskClient):
            due = len(wish.message.prompts)
            return UserAuthInfoResponse([*given.responses, *[""] * due][:due])
        return given

    _interactively(patch, change)


def ask_in_one_round_alone(patch: Patch) -> None:
    def change(wish: Any, given: Any) -> Any:
        later = isinstance(wish, NextRound) and wish.round.number > 1
        return None if later else given

    _interactively(patch, change)


def ask_nothing_rather_than_no_prompts(patch: Patch) -> None:
    def change(wish: Any, given: Any) -> Any:
        return None if isinstance(given, Prompts) and not given.prompts else given

    _interactively(patch, change)


def succeed_without_the_last_event(patch: Patch) -> None:
    def change(wish: Any, given: Any) -> Any:
        last = isinstance(wish, AskHandler) and given.auth_method == "keyboard-interactive"
        return Verdict(accept=True) if last else given

    _interactively(patch, change)


# The order of things.


def apply_a_late_decision(patch: Patch) -> None:
    decide = UserAuthServer._decide

    def confused(self: UserAuthServer, event: SSHUserAuthRequest) -> bool:
        pending = self._desk.pending
        if (
            isinstance(event, SSHUserAuthRequest)
            and isinstance(pending, SSHUserAuthRequest)
            and self._desk._asking is None
        ):
            for name in ("accept", "partial_success", "change_password"):
                setattr(pending, name, getattr(event, name))
            event = pending
        return decide(self, event)

    patch.setattr(UserAuthServer, "_decide", confused)


def answer_what_was_abandoned(patch: Patch) -> None:
    abandon = UserAuthServer._abandon

    def polite(self: UserAuthServer, reason: str) -> None:
        if self._exchange is not None:
            self._send(UserAuthFailure(self._account.remaining, False))
        abandon(self, reason)

    patch.setattr(UserAuthServer, "_abandon", polite)


def count_nothing_that_is_abandoned(patch: Patch) -> None:
    take = UserAuthServer._take

    def generous(self: UserAuthServer, message: Any) -> None:
        self._attempts -= _abandons(self, message)
        take(self, message)

    patch.setattr(UserAuthServer, "_take", generous)


def take_up_what_comes_after_the_last_attempt(patch: Patch) -> None:
    take = UserAuthServer._take

    def slow(self: UserAuthServer, message: Any) -> None:
        abandons = _abandons(self, message)
        self._attempts -= abandons
        take(self, message)
        if abandons and self._is_open() and self.authenticated is None:
            self._count_attempt()

    patch.setattr(UserAuthServer, "_take", slow)


def _abandons(at: UserAuthServer, message: Any) -> bool:
    return at._exchange is not None and isinstance(message, UserAuthRequest)


def count_no_rounds(patch: Patch) -> None:
    event = Account.event

    def countless(self: Account, *shown: Any, round: int = 0, **more: Any) -> SSHUserAuthRequest:  # noqa: A002
        return event(self, *shown, **more)

    patch.setattr(Account, "event", countless)


def keep_the_method_of_what_was_abandoned(patch: Patch) -> None:
    abandon = UserAuthServer._abandon

    def forgetful(self: UserAuthServer, reason: str) -> None:
        method = self._method
        abandon(self, reason)
        self._method = method

    patch.setattr(UserAuthServer, "_abandon", forgetful)


def abandon_what_is_deferred(patch: Patch) -> None:
    """A request that comes while a decision is deferred is not made to wait for it."""
    receive = UserAuthServer.receive

    def impatient(self: UserAuthServer, payload: Any) -> None:
        if self._desk.pending is not None:
            self._abandon("the client went on")
        receive(self, payload)

    patch.setattr(UserAuthServer, "receive", impatient)


def answer_in_the_wrong_order(patch: Patch) -> None:
    process = UserAuthServer._process

    def backwards(self: UserAuthServer) -> None:
        if self._desk.pending is None:
            self._waiting.reverse()
        process(self)

    patch.setattr(UserAuthServer, "_process", backwards)


def ignore_what_a_server_says(patch: Patch) -> None:
    take = UserAuthServer._take

    def lax(self: UserAuthServer, message: Any) -> None:
        if message.spec.sender is Sender.CLIENT:
            take(self, message)

    patch.setattr(UserAuthServer, "_take", lax)


# Limits.


def let_any_number_wait(patch: Patch) -> None:
    begin = UserAuthServer.__init__

    def generous(self: UserAuthServer, *given: Any, **options: Any) -> None:
        begin(self, *given, **options)
        self.user_auth_limits = replace(self.user_auth_limits, waiting=10**6)  # type: ignore[misc]

    patch.setattr(UserAuthServer, "__init__", generous)


def hold_what_nobody_takes_up(patch: Patch) -> None:
    def lost(self: UserAuthServer) -> None:
        self._gone = True
        self._abandon("the client is gone")

    patch.setattr(UserAuthServer, "connection_lost", lost)


def hear_on_after_a_violation(patch: Patch) -> None:
    patch.setattr(UserAuthServer, "_check_open", lambda self: None)


def ask_any_number_of_prompts(patch: Patch) -> None:
    patch.setattr(Bounds, "prompts", property(lambda self: 10**6))


def ask_one_round_more(patch: Patch) -> None:
    begin = UserAuthServer.__init__

    def generous(self: UserAuthServer, *given: Any, **options: Any) -> None:
        begin(self, *given, **options)
        bounds = self._account.bounds
        attempts = replace(bounds.attempts, rounds=bounds.attempts.rounds + 1)
        self._account = replace(self._account, bounds=replace(bounds, attempts=attempts))

    patch.setattr(UserAuthServer, "__init__", generous)


# Secrets, and reports.


def log_what_a_handler_says(patch: Patch) -> None:
    fail = Desk._fail

    def talkative(self: Desk, error: Any) -> None:
        logging.getLogger("authplugin.userauth").debug("it said %s", error)
        fail(self, error)

    patch.setattr(Desk, "_fail", talkative)


def show_what_an_event_holds(patch: Patch) -> None:
    patch.setattr(SSHUserAuthRequest, "__repr__", lambda self: f"an event: {self.auth_param!r}")


def say_nothing_of_a_late_decision(patch: Patch) -> None:
    patch.setattr(server.logger, "warning", lambda *_: None)


def say_nothing_of_a_failure(patch: Patch) -> None:
    patch.setattr(Desk, "_fail", lambda self, error: None)


def _say_nothing(patch: Patch, word: str) -> None:
    info = server.logger.info

    def quiet(message: str, *parts: object) -> None:
        if word not in message % parts:
            info(message, *parts)

    patch.setattr(server.logger, "info", quiet)


def say_nothing_of_the_end(patch: Patch) -> None:
    _say_nothing(patch, "disconnected: ")


def say_nothing_of_a_violation(patch: Patch) -> None:
    _say_nothing(patch, "the client broke the protocol: ")


def say_nothing_of_a_refused_response(patch: Patch) -> None:
    _say_nothing(patch, "not every response")


# What a handler raises.


def _raising(patch: Patch, change: Callable[[BaseException], None]) -> None:
    """Have something done with what a handler raises, before anything else is."""
    fail = Desk._fail

    def changed(self: Desk, error: BaseException) -> None:
        fail(self, error)
        change(error)

    patch.setattr(Desk, "_fail", changed)


def let_what_ends_a_task_through(patch: Patch) -> None:
    def change(error: BaseException) -> None:
        if not isinstance(error, (Exception, SystemExit)):
            raise error

    _raising(patch, change)


def let_what_ends_a_program_through(patch: Patch) -> None:
    def change(error: BaseException) -> None:
        if isinstance(error, SystemExit):
            raise error

    _raising(patch, change)


def swallow_an_interrupt(patch: Patch) -> None:
    def change(error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise HandlerFailedError

    _raising(patch, change)


# Deferred prompts.


def ask_before_it_is_said_what(patch: Patch) -> None:
    patch.setattr(Round, "defer", lambda self: None)


def ask_what_comes_too_late(patch: Patch) -> None:
    decide = UserAuthServer._decide

    def confused(self: UserAuthServer, question: Any) -> bool:
        pending = self._desk.pending
        if isinstance(pending, Round) and isinstance(question, Round):
            pending._prompts = question._prompts
            question = pending
        return decide(self, question)

    patch.setattr(UserAuthServer, "_decide", confused)


MISTAKES: tuple[Callable[[Patch], None], ...] = (
    forget_a_refused_response,
    stop_at_a_refused_response,
    take_any_number_of_responses,
    ask_in_one_round_alone,
    ask_nothing_rather_than_no_prompts,
    succeed_without_the_last_event,
    apply_a_late_decision,
    answer_what_was_abandoned,
    count_nothing_that_is_abandoned,
    take_up_what_comes_after_the_last_attempt,
    count_no_rounds,
    keep_the_method_of_what_was_abandoned,
    abandon_what_is_deferred,
    answer_in_the_wrong_order,
    ignore_what_a_server_says,
    let_any_number_wait,
    hold_what_nobody_takes_up,
    hear_on_after_a_violation,
    ask_any_number_of_prompts,
    ask_one_round_more,
    log_what_a_handler_says,
    show_what_an_event_holds,
    say_nothing_of_a_late_decision,
    say_nothing_of_a_failure,
    say_nothing_of_the_end,
    say_nothing_of_a_violation,
    say_nothing_of_a_refused_response,
    let_what_ends_a_task_through,
    let_what_ends_a_program_through,
    swallow_an_interrupt,
    ask_before_it_is_said_what,
    ask_what_comes_too_late,
)
"""All of them."""
