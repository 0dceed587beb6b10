"""The server's side of user authentication: a client's messages in, events and replies out.

It does no input or output. One exchange is one generator (see `exchanges`): it yields what it wants
to know of the handler, and what the client is to answer.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Collection
from time import monotonic
from typing import Final

from ..codec import TYPE_AT, Data, view_of
from ..errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from ..limits import DEFAULT_LIMITS, Limits
from ..messages import KEYBOARD_INTERACTIVE
from .account import Account, Bounds, UserAuthLimits
from .codec import decode_payload, encode_payload
from .event import (
    Authenticated,
    Disconnect,
    SSHUserAuthRequest,
    UserAuthHandler,
)
from .exchanges import AskClient, AskHandler, Exchange, Verdict, exchange_of, settled
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

_FAILURES: Final = (Exception, SystemExit)
"""What a handler may raise: it refuses, and the connection goes on."""


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
        on_decision: called with each event once it is decided; its attributes hold what counts. It
            must not raise.
        clock: tells the time, in seconds.

    Raises:
        ValueError: where an algorithm is unknown, or `methods` is no list of names.
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
        if unknown := [name for name in algorithms if name not in ALGORITHMS]:
            raise ValueError(f"no public key algorithm is called {unknown[0]!r}")
        self.connection_id: Final = connection_id
        self.limits: Final = limits
        if not self._can_list(methods):
            raise ValueError(f"no list of names: {methods!r}")
        self.user_auth_limits: Final = user_auth_limits or UserAuthLimits()
        bounds = Bounds(limits, self.user_auth_limits, session_id, frozenset(algorithms), methods)
        self._account = Account(bounds, connection_id)
        self._handler = handler
        self._root_directory = root_directory
        self._services = frozenset(services)
        self._on_output = on_output
        self._on_decision = on_decision
        self._clock = clock
        self._until = clock() + self.user_auth_limits.seconds
        self._lock = threading.RLock()
        self._waiting: deque[memoryview] = deque()
        self._output: list[bytes] = []
        self._exchange: Exchange | None = None
        self._method: str | None = None
        self._tried = NONE
        self._pending: SSHUserAuthRequest | None = None
        self._asking: SSHUserAuthRequest | None = None
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
            if len(data) > room or (crowded and self._pending is not None):
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
        while self._waiting and self._pending is None and self._is_open():
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
        self._abandon("the client went on to another request")
        self._account = self._account.of(str(owned.user), str(owned.service))
        self._tried = str(owned.method)  # type: ignore[attr-defined]  # every request has one
        if self._account.service not in self._services:
            self._conclude(Verdict(reason="the service is not one that there is"))
            return
        self._exchange = exchange_of(owned, self._account)
        self._advance(None)

    def _abandon(self, reason: str) -> None:
        """Drop the exchange under way, without a reply of its own (RFC 4252, section 5)."""
        if self._exchange is not None:
            logger.info("connection %d: exchange abandoned: %s", self.connection_id, reason)
            self._exchange.close()
        self._exchange, self._method, self._pending = None, None, None

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
            if isinstance(wish, AskHandler):
                self._ask(wish.event)
                if self._pending is not None:
                    return
                given = wish.event
                continue
            try:
                prompts = self._handler.prompts(wish.round)
                given = None if prompts is None else settled(prompts, self._account)
            except _FAILURES as error:
                self._log_failure(error)
                self._conclude(Verdict(reason="the handler failed to say what to ask"))
                return

    def _ask(self, event: SSHUserAuthRequest) -> None:
        """Ask the handler for a decision; where it is deferred, `_pending` is the event then."""
        event._decide = self._decide
        self._pending = self._asking = event
        try:
            self._handler.user_auth_request(event)
        except _FAILURES as error:
            self._log_failure(error)
            event._deferred = False
            _refuse(event)
        finally:
            self._asking = None
        if not event._deferred:
            self._pending = None
            self._settle(event)

    def _decide(self, event: SSHUserAuthRequest) -> bool:
        """Take a deferred decision, and go on; say whether it counted."""
        with self._lock:
            if event is self._asking:
                event._deferred = False
                return True
            self.check_time()
            counts = event is self._pending
            if counts:
                self._pending = None
                self._settle(event)
                self._advance(event)
                self._process()
            else:
                logger.warning(
                    "connection %d: a decision on %s came too late, and is discarded",
                    self.connection_id,
                    event.auth_method,
                )
            tell = self._on_output if counts or self._disconnect else None
        if tell is not None:
            tell()
        return counts

    def _settle(self, event: SSHUserAuthRequest) -> None:
        """Take over what the handler says of methods, and refuse where it makes no sense."""
        if self._can_list(event.available_methods):
            self._account.available = event.available_methods
        else:
            logger.error("connection %d: available_methods is no list of names", self.connection_id)
            _refuse(event)
        if self._on_decision is not None:
            self._on_decision(event)

    def _can_list(self, methods: str) -> bool:
        """Say whether methods are a list that can be sent to a client."""
        try:
            encode_payload(UserAuthFailure(methods, False), self.limits)
        except LocalProtocolError:
            return False
        return isinstance(methods, str)

    def _log_failure(self, error: BaseException) -> None:
        # Its text may hold what the client has shown; where it was raised does not.
        logger.error(
            "connection %d: the handler raised %s, which refuses:\n%s",
            self.connection_id,
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)),
        )

    def _conclude(self, result: Verdict | UserAuthMessage) -> None:
        """Answer a request, unless it is all over: the handler may have taken too long."""
        self._exchange = None
        self.check_time()
        if not self._is_open():
            return
        if isinstance(result, UserAuthMessage):
            if self._try_to_send(result):
                return
            result = Verdict(reason="the reply cannot be sent")
        account = self._account
        if result.accept:
            self._authenticated = Authenticated(
                account.user,
                account.service,
                (*account.completed, self._tried),
                self._root_directory if result.home_dir is None else result.home_dir,
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
        self._abandon(disconnect.text)
        self._waiting.clear()
        self._disconnect = disconnect

    def _poison(self, violation: RemoteProtocolError) -> None:
        self._abandon("the client broke the protocol")
        self._waiting.clear()
        self._violation = violation.with_traceback(None)


def _refuse(event: SSHUserAuthRequest) -> None:
    event.accept = event.partial_success = False
    event.change_password = None
