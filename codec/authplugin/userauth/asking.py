"""What a server asks its handler, and what it makes of the answers."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable
from typing import Final, TypeAlias

from ..errors import LocalProtocolError
from ..limits import Limits
from .account import Account
from .codec import encode_payload
from .event import Prompts, Round, SSHUserAuthRequest, UserAuthHandler
from .exchanges import settled
from .messages import UserAuthFailure

logger = logging.getLogger("authplugin.userauth")

Question: TypeAlias = SSHUserAuthRequest | Round
"""What a handler is asked."""

_METHODS: Final = re.compile(r"([!-+\--~]{1,64}(,[!-+\--~]{1,64})*)?")
"""Names of at most 64 printable characters, with commas between them (RFC 4251, section 6)."""


class HandlerFailedError(Exception):
    """The handler could not say what to ask a client; it is logged already."""


class Desk:
    """Asks a handler one question at a time.

    Args:
        handler: who answers.
        connection_id: what log records call the connection.
        limits: what can be sent to the client.
        decide: called with a question that was deferred, once it is answered; returns whether that
            counted.
        on_decision: called with each event that is decided.

    Attributes:
        pending: the question whose answer is yet to come, or None.
    """

    def __init__(
        self,
        handler: UserAuthHandler,
        connection_id: int,
        limits: Limits,
        decide: Callable[[Question], bool],
        on_decision: Callable[[SSHUserAuthRequest], None] | None,
    ) -> None:
        self._handler = handler
        self._connection_id = connection_id
        self._limits = limits
        self._decide = decide
        self._on_decision = on_decision
        self._asking: Question | None = None
        self.pending: Question | None = None

    def ask(self, question: Question) -> None:
        """Ask the handler; where the answer is deferred, `pending` is the question then.

        Raises:
            HandlerFailedError: where it fails to say what to ask the client.
        """
        question._decide = self._decide
        self.pending = self._asking = question
        try:
            if isinstance(question, SSHUserAuthRequest):
                self._handler.user_auth_request(question)
            else:
                prompts = self._handler.prompts(question)
                if not question._deferred and prompts is not None:
                    question._prompts = prompts
        except BaseException as error:
            question._deferred = False
            if isinstance(question, SSHUserAuthRequest):
                _refuse(question)
            self._fail(error)
            if isinstance(error, KeyboardInterrupt):
                raise
            if isinstance(question, Round):
                raise HandlerFailedError from None
        finally:
            self._asking = None
            if not question._deferred:
                self.pending = None

    @property
    def is_busy(self) -> bool:
        """Whether the handler is being called."""
        return self._asking is not None

    def is_asking(self, question: Question) -> bool:
        """Say whether a question is answered while the handler is called: it is not deferred."""
        if question is not self._asking:
            return False
        question._deferred = False
        return True

    def take_back(self, question: Question) -> bool:
        """Say whether a question is the one whose answer is yet to come; no other is, then."""
        if question is not self.pending:
            return False
        self.pending = None
        return True

    def answer_to(
        self, question: Question, account: Account
    ) -> SSHUserAuthRequest | Prompts | None:
        """Return what the handler says, with the account brought up to date.

        Raises:
            HandlerFailedError: where what to ask the client makes no sense.
        """
        if isinstance(question, SSHUserAuthRequest):
            self._take_over(question, account)
            return question
        try:
            prompts = question._prompts
            return None if prompts is None else settled(prompts, account)
        except Exception as error:
            self._fail(error)
            raise HandlerFailedError from None

    def _take_over(self, event: SSHUserAuthRequest, account: Account) -> None:
        nonsense = None
        if not can_list(event.available_methods, self._limits):
            nonsense = "available_methods is no list of names"
        elif any(type(value) is not bool for value in (event.accept, event.partial_success)):
            nonsense = "accept and partial_success have to be True or False"
        if nonsense is None:
            account.take_over(event)
        else:
            _refuse(event)
            logger.error(
                "connection %d: the decision makes no sense, and refuses: %s",
                self._connection_id,
                nonsense,
            )
        if self._on_decision is not None:
            self._on_decision(event)

    def _fail(self, error: BaseException) -> None:
        # Its text may hold what the client has shown; where it was raised does not.
        logger.error(
            "connection %d: the handler raised %s, which refuses:\n%s",
            self._connection_id,
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)),
        )


def can_list(methods: object, limits: Limits) -> bool:
    """Say whether something is a list of methods that can be sent to a client."""
    if not isinstance(methods, str) or _METHODS.fullmatch(methods) is None:
        return False
    try:
        encode_payload(UserAuthFailure(methods, False), limits)
    except LocalProtocolError:
        return False
    return True


def _refuse(event: SSHUserAuthRequest) -> None:
    event.accept = event.partial_success = False
    event.change_password = None
