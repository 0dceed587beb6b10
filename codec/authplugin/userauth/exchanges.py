"""What each authentication method does between a request and its verdict.

An exchange is a generator. It yields what it wants done, gets back what came of it, and returns the
verdict, or a reply that ends the exchange without one: what follows then is a new request.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ..messages import KEYBOARD_INTERACTIVE
from .account import Account
from .codec import encode_payload
from .event import Prompts, Round, SSHUserAuthRequest
from .messages import (
    NONE,
    PASSWORD,
    PUBLICKEY,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKey,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthRequest,
)
from .signatures import UnacceptableKeyError, load_key, verify


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request.

    Attributes:
        accept: it is enough.
        partial: it is right, and not enough.
        reason: why it was refused, for the log, where it was not the handler.
    """

    accept: bool = False
    partial: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AskHandler:
    """Wants a decision on an event, which is sent back."""

    event: SSHUserAuthRequest


@dataclass(frozen=True, slots=True)
class NextRound:
    """Wants to know what to ask the client, or None for nothing more; that is sent back."""

    round: Round


@dataclass(frozen=True, slots=True)
class AskClient:
    """Wants the client's `UserAuthInfoResponse` to a message, which is sent back."""

    message: UserAuthInfoRequest


Wish: TypeAlias = AskHandler | NextRound | AskClient
Result: TypeAlias = Verdict | UserAuthMessage
Exchange: TypeAlias = Generator[Wish, Any, Result]


def none(request: UserAuthNone, account: Account) -> Exchange:
    """RFC 4252, section 5.2: expected to be refused."""
    event = yield AskHandler(account.event(NONE, ""))
    return _verdict(event)


def password(request: UserAuthPassword | UserAuthPasswordChange, account: Account) -> Exchange:
    """RFC 4252, section 8."""
    new = str(request.new_password) if isinstance(request, UserAuthPasswordChange) else None
    event = yield AskHandler(account.event(PASSWORD, str(request.password), new_password=new))
    if event.change_password is not None:
        return UserAuthPasswordChangeRequired(event.change_password, "")
    return _verdict(event)


def publickey(request: UserAuthPublicKey | UserAuthPublicKeyQuery, account: Account) -> Exchange:
    """RFC 4252, section 7: first the handler says whether the key will do, then it is verified."""
    algorithm, blob = str(request.algorithm), bytes(request.blob)
    if algorithm not in account.bounds.algorithms:
        return Verdict(reason="the public key algorithm is not one that is switched on")
    try:
        load_key(algorithm, blob)
    except UnacceptableKeyError as error:
        return Verdict(reason=str(error))
    is_query = isinstance(request, UserAuthPublicKeyQuery)
    event = yield AskHandler(
        account.event(PUBLICKEY, blob, key_algorithm=algorithm, is_query=is_query)
    )
    verdict = _verdict(event)
    if not verdict.accept and not verdict.partial:
        return verdict
    if isinstance(request, UserAuthPublicKeyQuery):
        return UserAuthPublicKeyOk(algorithm, blob)
    try:
        verify(algorithm, blob, request.signature, covered_by(request, account))
    except UnacceptableKeyError as error:
        return Verdict(reason=str(error))
    return verdict


def covered_by(request: UserAuthPublicKey, account: Account) -> bytes:
    """Return what a signature has to cover: the session, and the request up to the signature."""
    unsigned = UserAuthPublicKey(
        request.user, request.service, request.algorithm, request.blob, b""
    )
    session = len(account.bounds.session_id).to_bytes(4, "big") + account.bounds.session_id
    return session + encode_payload(unsigned, account.bounds.limits)[:-4]


def keyboard_interactive(request: UserAuthKeyboardInteractive, account: Account) -> Exchange:
    """RFC 4256: rounds of prompts, an event for each response, and one at the end.

    All events fire even where one was refused, so that the client learns nothing from timing or
    order.
    """
    accepted = True
    number = 1
    while (prompts := (yield NextRound(_round(request, account, number, accepted)))) is not None:
        if number > account.bounds.attempts.rounds or len(prompts.prompts) > account.bounds.prompts:
            return Verdict(reason="the handler asks more than the limits allow")
        asked = UserAuthInfoRequest(prompts.name, prompts.instructions, "", prompts.prompts)
        answer: UserAuthInfoResponse = yield AskClient(asked)
        if len(answer.responses) != len(prompts.prompts):
            return Verdict(reason="there are not as many responses as prompts")
        for index, response in enumerate(answer.responses, 1):
            event = yield AskHandler(
                account.event(f"{KEYBOARD_INTERACTIVE}-{index}", str(response), round=number)
            )
            accepted &= event.accept is True
        number += 1
    event = yield AskHandler(account.event(KEYBOARD_INTERACTIVE, ""))
    return _verdict(event) if accepted else Verdict(reason="not every response was accepted")


def settled(prompts: Prompts, account: Account) -> Prompts:
    """Return prompts that stay as they are, whatever the handler does with its own list later.

    Of too many, there is one more than may be.

    Raises:
        ValueError: where one is empty; and anything else where they are no prompts.
    """
    most = account.bounds.prompts + 1
    pairs = tuple((prompt, echo) for prompt, echo in prompts.prompts[:most])
    if not all(prompt for prompt, _ in pairs):
        raise ValueError("a prompt must not be empty (RFC 4256, section 3.2)")
    return Prompts(pairs, prompts.name, prompts.instructions)


def _round(
    request: UserAuthKeyboardInteractive, account: Account, number: int, accepted: bool
) -> Round:
    return Round(
        account.connection_id,
        str(request.user),
        str(request.service),
        number,
        str(request.submethods),
        accepted,
    )


def other(request: UserAuthOther, account: Account) -> Exchange:
    """Any method that is not declared: the handler may know it."""
    method = str(request.method)
    # Else a name that looks like one of ours with its number would pass for a response.
    if method.startswith(KEYBOARD_INTERACTIVE):
        return Verdict(reason="the method's name is too like another's")
    event = yield AskHandler(account.event(method, bytes(request.rest)))
    return _verdict(event)


def _verdict(event: SSHUserAuthRequest) -> Verdict:
    # Whoever sets both has not thought of what is still missing: the smaller of the two counts.
    partial = event.partial_success is True
    return Verdict(event.accept is True and not partial, partial)


_EXCHANGES: Final[dict[type[UserAuthRequest], Callable[[Any, Account], Exchange]]] = {
    UserAuthNone: none,
    UserAuthPassword: password,
    UserAuthPasswordChange: password,
    UserAuthPublicKeyQuery: publickey,
    UserAuthPublicKey: publickey,
    UserAuthKeyboardInteractive: keyboard_interactive,
    UserAuthOther: other,
}


def exchange_of(request: UserAuthRequest, account: Account) -> Exchange:
    """Return the exchange that a request begins.

    Args:
        request: the request, detached: its fields are `str` and `bytes` of their own.
        account: the account that it names.
    """
    return _EXCHANGES[type(request)](request, account)
