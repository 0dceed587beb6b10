"""A handler that decides by a `Configuration`."""

from __future__ import annotations

import hmac
import threading

from authplugin import KEYBOARD_INTERACTIVE
from authplugin.userauth import Prompts, Round, SSHUserAuthRequest

from .users import Configuration, Failure, Question, User

_NOBODY = User("")


class ConfiguredHandler:
    """Knows the users of a configuration. It keeps nothing of any connection.

    Args:
        configuration: what to go by.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def prompts(self, wanted: Round) -> Prompts | None:
        """Return the next round; a user of whom nothing is to be asked is asked what another is.

        So nobody learns from it who is known (RFC 4256, section 3.1).
        """
        rounds = self._rounds(self._user(wanted.user))
        return rounds[wanted.number - 1].prompts if wanted.number <= len(rounds) else None

    def user_auth_request(self, event: SSHUserAuthRequest) -> None:
        """Decide, at once or after the user's delay."""
        user = self._user(event.user)
        if user.fail is Failure.RAISE:
            raise RuntimeError("the configuration says so")
        if user.delay:
            event.defer()
            timer = threading.Timer(user.delay, self._decide_late, (event, user))
            timer.daemon = True
            timer.start()
        else:
            self._decide(event, user)

    def _decide_late(self, event: SSHUserAuthRequest, user: User) -> None:
        try:
            self._decide(event, user)
        finally:
            event.decide()

    def _user(self, name: str) -> User:
        return self._configuration.users.get(name, _NOBODY)

    def _rounds(self, user: User) -> tuple[Question, ...]:
        if user.rounds is not None:
            return user.rounds
        known = (each.rounds for each in self._configuration.users.values() if each.rounds)
        return next(known, ())

    def _decide(self, event: SSHUserAuthRequest, user: User) -> None:
        if user is _NOBODY:
            return
        event.available_methods = ",".join(self._open(event, user))
        method = event.auth_method
        if user.fail is not None or not self._is_right(event, user):
            return
        has_to_change = user.new_password is not None and event.new_password is None
        if method == "password" and has_to_change:
            event.change_password = user.new_password
        elif method.startswith(f"{KEYBOARD_INTERACTIVE}-"):
            event.accept = True
        elif left := [name for name in user.requires if name not in (*event.completed, method)]:
            event.partial_success = True
            event.available_methods = left[0]
        else:
            event.accept, event.home_dir = True, user.home_dir

    def _open(self, event: SSHUserAuthRequest, user: User) -> tuple[str, ...]:
        """Return the methods that the user may go on with."""
        left = tuple(name for name in user.requires if name not in event.completed)
        return left[:1] or user.methods

    def _is_right(self, event: SSHUserAuthRequest, user: User) -> bool:
        method, shown = event.auth_method, event.auth_param
        base = KEYBOARD_INTERACTIVE if method.startswith(KEYBOARD_INTERACTIVE) else method
        if base not in self._open(event, user):
            return False
        if method == "publickey":
            return shown in user.keys
        if method == "password":
            return user.password is not None and _same(str(shown), user.password)
        if method == KEYBOARD_INTERACTIVE:
            return user.rounds is not None
        index = int(method.removeprefix(f"{KEYBOARD_INTERACTIVE}-")) - 1
        wanted = self._rounds(user)[event.round - 1].answers[index]
        return wanted is None or _same(str(shown), wanted)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
