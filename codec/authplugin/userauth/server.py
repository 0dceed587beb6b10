"""The server's side of user authentication: a client's messages in, events and replies out.

It does no input or output. One exchange is one generator (see `exchanges`): it yields what it wants
to know of the handler, and what the client is to answer.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from time import monotonic
from typing import Final

from ..codec import TYPE_AT, Data, view_of
from ..errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from ..messages import KEYBOARD_INTERACTIVE
from .account import Account, Bounds, UserAuthLimits
from .asking import Desk, HandlerFailedError, Question, can_list
from .codec import decode_payload, encode_payload
from .event import (
    Authenticated,
    Disconnect,
    SSHUserAuthRequest,
    UserAuthHandler,
)
from .exchanges import AskClient, AskHandler, Exchange, Verdict, exchange_of
from .messages import (
    NONE,
    Sender,
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoResponse,
    UserAuthMessage,
    UserAuthRequest,
    UserAuthSuccess,
)
from .signatures import ALGORITHMS, DEFAULT_ALGORITHMS

logger = logging.getLogger("authplugin.userauth")

NO_MORE_METHODS: Final = 14
"""SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE: the client has tried too often, or too long."""


class UserAuthServer:
    """Authenticates one connection. Its methods may be called from any thread.

    Args:
        handler: who decides.
        session_id: the session identifier of the SSH connection, which signatures cover.
        connection_id: what events call the connection.
        methods: the methods that a client may try, unless an event says otherwise.
        root_directory: the first directory of sessions for which the handler sets none.
        algorithms: the public key algorithms to take; names of `signatures.ALGORITHMS`.
        services: the services that there are.
        limits: what messages to take.
        user_auth_limits: how much the client may try.
        on_output: called where there may be something to send although nothing was received:
            after a deferred decision, in the thread that made it.
        on_decision: called with each event once it is decided, with what the handler says. The
            signature, or another response, may still refuse what it accepts. It must not raise.
        clock: tells the time, in seconds.

    Raises:
        ValueError: where an algorithm is unknown, or `methods` is no list of names.
        TypeError: where `session_id` is not bytes.
    """

    def __init__(
        self,
        handler: UserAuthHandler,
        *,
        session_id: bytes,
        connection_id: int = 0,
        methods: str = "publickey,password,keyboard-interactive",
        root_directory: str = "/",
        algorithms: Collection[str] = DEFAULT_ALGORITHMS,
        services: Collection[str] = ("ssh-connection",),
        limits: Limits = DEFAULT_LIMITS,
        user_auth_limits: UserAuthLimits | None = None,
        on_output: Callable[[], None] | None = None,
        on_decision: Callable[[SSHUserAuthRequest], None] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if not isinstance(session_id, bytes):
            raise TypeError(f"session_id must be bytes, not {type(session_id).__name__}")
        if unknown := [name for name in algorithms if name not in ALGORITHMS]:
            raise ValueError(f"no public key algorithm is called {unknown[0]!r}")
        self.connection_id: Final = connection_id
        self.limits: Final = limits
        if not can_list(methods, limits):
            raise ValueError(f"no list of names: {methods!r}")
        self.user_auth_limits: Final = user_auth_limits or UserAuthLimits()
        bounds = Bounds(limits, self.user_auth_limits, session_id, frozenset(algorithms), methods)
        self._account = Account(bounds, connection_id)
        self._desk = Desk(handler, connection_id, limits, self._decide, on_decision)
        self._root_directory = root_directory
        self._services = frozenset(services)
        self._on_output = on_output
        self._clock = clock
        self._until = clock() + self.user_auth_limits.seconds
        self._lock = threading.RLock()
        self._waiting: deque[memoryview] = deque()
        self._output: list[bytes] = []
        self._exchange: Exchange | None = None
        self._method: str | None = None
        self._tried = NONE
        self._attempts = 0
        self._gone = False
        self._authenticated: Authenticated | None = None
        self._disconnect: Disconnect | None = None
        self._violation: RemoteProtocolError | None = None

    @property
    def authenticated(self) -> Authenticated | None:
        """Who has logged in; None before anybody has."""
        return self._authenticated

    @property
    def disconnect(self) -> Disconnect | None:
        """Why the connection is to be closed once what is to be sent was sent, or None."""
        return self._disconnect

    @property
    def violation(self) -> RemoteProtocolError | None:
        """What the client did wrong, or None."""
        return self._violation

    @property
    def held(self) -> int:
        """Bytes of requests that wait for a deferred decision."""
        with self._lock:
            return sum(map(len, self._waiting))

    def data_to_send(self) -> list[bytes]:
        """Return the payloads to send, in order, and forget them."""
        with self._lock:
            output, self._output = self._output, []
            return output

    def send_banner(self, message: str, language: str = "") -> None:
        """Have a text shown to the user (RFC 4252, section 5.4).

        Raises:
            LocalProtocolError: where the user has logged in, or the conversation is over.
        """
        with self._lock:
            self._check_open()
            if self._authenticated is not None:
                raise LocalProtocolError(ErrorCode.SESSION_OVER, "the user has logged in already")
            self._send(UserAuthBanner(message, language))

    def receive(self, payload: Data) -> None:
        """Take in a message of the client: the payload of an SSH packet.

        Raises:
            RemoteProtocolError: where it breaks the protocol, or more come than may wait. The
                connection is to be closed then.
            LocalProtocolError: where the conversation is over.
        """
        data = view_of(payload)
        with self._lock:
            self._check_open()
            if self._authenticated is not None:
                return  # RFC 4252, section 5.1: further requests are silently ignored
            room = self.limits.frame - self.held
            crowded = len(self._waiting) >= self.user_auth_limits.waiting
            if len(data) > room or (crowded and self._desk.pending is not None):
                self._poison(
                    RemoteProtocolError(
                        ErrorCode.FRAME_TOO_LONG, "more came than the limits let wait"
                    )
                )
            else:
                self._waiting.append(data)
                self._process()
            if self._violation is not None:
                raise self._violation.with_traceback(None)

    def check_time(self) -> None:
        """See whether the client has tried for too long; call it now and then."""
        with self._lock:
            if self._is_open() and self._authenticated is None and self._clock() >= self._until:
                self._end(Disconnect(NO_MORE_METHODS, "authentication took too long"))

    def connection_lost(self) -> None:
        """Say that the client is gone; what is decided later is discarded."""
        with self._lock:
            self._gone = True
            self._abandon("the client is gone")
            self._waiting.clear()

    def _is_open(self) -> bool:
        return not self._gone and self._disconnect is None and self._violation is None

    def _check_open(self) -> None:
        if not self._is_open():
            raise LocalProtocolError(ErrorCode.SESSION_OVER, "the conversation is over")

    def _process(self) -> None:
        """Take up what waits, one message after the other, until a decision is deferred."""
        self.check_time()
        while self._waiting and self._desk.pending is None and self._is_open():
            try:
                self._take(decode_payload(self._waiting.popleft(), self.limits, self._method))
            except RemoteProtocolError as error:
                self._poison(error)

    def _take(self, message: UserAuthMessage) -> None:
        if message.spec.sender is not Sender.CLIENT:
            raise RemoteProtocolError(
                ErrorCode.WRONG_SIDE, f"{message.spec.name} is sent by the server", offset=TYPE_AT
            )
        owned = message.detach()
        if isinstance(owned, UserAuthInfoResponse):
            self._advance(owned)
            return
        assert isinstance(owned, UserAuthRequest)
        if self._exchange is not None:
            self._abandon("the client went on to another request")
            self._count_attempt()
            if not self._is_open():
                return
        self._account = self._account.of(str(owned.user), str(owned.service))
        self._tried = str(owned.method)  # type: ignore[attr-defined]  # every request has one
        if self._account.service not in self._services:
            self._conclude(Verdict(reason="the service is not one that there is"))
        elif self._tried != NONE and not self._account.is_offered(self._tried):
            self._conclude(Verdict(reason="the method is not one that is offered"))
        else:
            self._exchange = exchange_of(owned, self._account)
            self._advance(None)

    def _abandon(self, reason: str) -> None:
        """Drop the exchange under way, without a reply of its own (RFC 4252, section 5)."""
        if self._exchange is not None:
            logger.info("connection %d: exchange abandoned: %s", self.connection_id, reason)
            self._exchange.close()
            self._account.settle(counted=False)
        self._exchange, self._method, self._desk.pending = None, None, None

    def _advance(self, given: object) -> None:
        """Go on with the exchange, with what it has asked for, until it has to wait."""
        exchange = self._exchange
        assert exchange is not None
        self._method = None
        while True:
            try:
                wish = exchange.send(given)
            except StopIteration as end:
                self._conclude(end.value)
                return
            if isinstance(wish, AskClient):
                if self._try_to_send(wish.message):
                    self._method = KEYBOARD_INTERACTIVE
                else:
                    self._conclude(Verdict(reason="the prompts cannot be sent"))
                return
            question = wish.event if isinstance(wish, AskHandler) else wish.round
            try:
                self._desk.ask(question)
                if self._desk.pending is not None:
                    return
                given = self._desk.answer_to(question, self._account)
            except HandlerFailedError:
                self._conclude(Verdict(reason="the handler failed to say what to ask"))
                return
            except KeyboardInterrupt:
                self._abandon("the handler was interrupted")
                raise

    def _decide(self, question: Question) -> bool:
        """Take a deferred decision, and go on; say whether it counted."""
        due = False
        try:
            with self._lock:
                if self._desk.is_asking(question):
                    return True
                self.check_time()
                counts = self._desk.take_back(question)
                # Within the handler's call the lock is held: whoever has led here tells, or sends.
                due = (counts or self._disconnect is not None) and not self._desk.is_busy
                if counts:
                    self._go_on(question)
                else:
                    logger.warning(
                        "connection %d: a decision on %s came too late, and is discarded",
                        self.connection_id,
                        getattr(question, "auth_method", "prompts"),
                    )
                return counts
        finally:
            if due and self._on_output is not None:
                self._on_output()

    def _go_on(self, question: Question) -> None:
        """Go on with the exchange that has waited for an answer, and then with what else waits."""
        try:
            self._advance(self._desk.answer_to(question, self._account))
        except HandlerFailedError:
            self._conclude(Verdict(reason="the handler failed to say what to ask"))
        self._process()

    def _conclude(self, result: Verdict | UserAuthMessage) -> None:
        """Answer a request, unless it is all over: the handler may have taken too long."""
        self._exchange = None
        self.check_time()
        if not self._is_open():
            return
        account = self._account
        account.settle(counted=isinstance(result, Verdict) and (result.accept or result.partial))
        if isinstance(result, UserAuthMessage):
            if self._try_to_send(result):
                return
            result = Verdict(reason="the reply cannot be sent")
        if result.accept:
            self._authenticated = Authenticated(
                account.user,
                account.service,
                (*account.completed, self._tried),
                account.home_dir or self._root_directory,
            )
            self._waiting.clear()
            self._send(UserAuthSuccess())
            return
        if result.reason is not None:
            logger.info(
                "connection %d: %.64r refused: %s", self.connection_id, self._tried, result.reason
            )
        if result.partial and self._tried not in account.completed:
            account.completed.append(self._tried)
        self._send(UserAuthFailure(account.remaining, result.partial))
        self._count_attempt()

    def _count_attempt(self) -> None:
        self._attempts += 1
        if self._attempts >= self.user_auth_limits.attempts:
            self._end(Disconnect(NO_MORE_METHODS, "too many attempts"))

    def _try_to_send(self, message: UserAuthMessage) -> bool:
        """Send what the handler made; say whether that could be done."""
        try:
            self._send(message)
        except LocalProtocolError as error:
            logger.error("connection %d: %s", self.connection_id, error)
            return False
        return True

    def _send(self, message: UserAuthMessage) -> None:
        self._output.append(encode_payload(message, self.limits))

    def _end(self, disconnect: Disconnect) -> None:
        logger.info("connection %d: disconnected: %s", self.connection_id, disconnect.text)
        self._abandon(disconnect.text)
        self._waiting.clear()
        self._disconnect = disconnect

    def _poison(self, violation: RemoteProtocolError) -> None:
        logger.info(
            "connection %d: the client broke the protocol: %s", self.connection_id, violation
        )
        self._abandon("the client broke the protocol")
        self._waiting.clear()
        self._violation = violation.with_traceback(None)
