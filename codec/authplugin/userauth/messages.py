"""The messages of SSH's user authentication (RFC 4252, RFC 4256), declared as the plugin's are.

A frame of these is one string, as in the plugin protocol: a uint32 length, a type byte, fields. SSH
itself carries what is behind the length, its payload; see `decode_payload`.

One type byte is several messages. Which request a 50 is follows from its third field, and for
`password` and `publickey` from the boolean behind it; what a 60 or 61 is, from the method that is
under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, TypeVar, dataclass_transform

from ..kinds import (
    AsciiText,
    Boolean,
    Name,
    Names,
    Opaque,
    Prompts,
    Responses,
    SecretRest,
    SecretText,
    Text,
)
from ..messages import KEYBOARD_INTERACTIVE
from ..table import WireMessage, WireSpec, declare

NONE: Final = "none"
PASSWORD: Final = "password"  # noqa: S105 - the name of a method
PUBLICKEY: Final = "publickey"


class Sender(StrEnum):
    """Who sends a message."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class UserAuthSpec(WireSpec):
    """All that is declared of one message of SSH's user authentication.

    Attributes:
        sender: the side that sends it.
    """

    sender: Sender


class UserAuthMessage(WireMessage):
    """The base of all messages of SSH's user authentication."""

    __slots__ = ()

    spec: ClassVar[UserAuthSpec]


MessageType = TypeVar("MessageType", bound=UserAuthMessage)

_table: list[type[UserAuthMessage]] = []


@dataclass_transform(eq_default=False)
def _message(
    name: str, *, code: int, clause: str, sender: Sender, method: str | None = None
) -> Callable[[type[MessageType]], type[MessageType]]:
    def decorate(declared: type[MessageType]) -> type[MessageType]:
        made = declare(
            declared, lambda fields: UserAuthSpec(name, code, clause, method, fields, sender)
        )
        _table.append(made)
        return made

    return decorate


@dataclass_transform(eq_default=False)
def _request(clause: str) -> Callable[[type[MessageType]], type[MessageType]]:
    return _message("SSH_MSG_USERAUTH_REQUEST", code=50, clause=clause, sender=Sender.CLIENT)


@dataclass(slots=True, eq=False, repr=False)
class UserAuthRequest(UserAuthMessage):
    """The base of all requests (RFC 4252, section 5); each has a `method` too.

    Attributes:
        user: the name of the account.
        service: the service to start, such as `"ssh-connection"`.
    """

    user: Text
    service: AsciiText


@_request("RFC 4252, 5.2")
class UserAuthNone(UserAuthRequest):
    """The client asks which methods there are. The server should not accept it."""

    method: ClassVar[Name] = NONE


@_request("RFC 4252, 8")
class UserAuthPassword(UserAuthRequest):
    """The client shows the password.

    Attributes:
        password: the password. Secret.
    """

    method: ClassVar[Name] = PASSWORD
    change: ClassVar[Boolean] = False
    password: SecretText


@_request("RFC 4252, 8")
class UserAuthPasswordChange(UserAuthRequest):
    """The client shows the password, and a new one to put in its place.

    Attributes:
        password: the password that is to be changed. Secret.
        new_password: the one to put in its place. Secret.
    """

    method: ClassVar[Name] = PASSWORD
    change: ClassVar[Boolean] = True
    password: SecretText
    new_password: SecretText


@_request("RFC 4252, 7")
class UserAuthPublicKeyQuery(UserAuthRequest):
    """The client asks whether a signature by this key would do.

    Attributes:
        algorithm: the name of the public key algorithm to sign with.
        blob: the public key, in the form that RFC 4253 section 6.6 gives its kind.
    """

    method: ClassVar[Name] = PUBLICKEY
    has_signature: ClassVar[Boolean] = False
    algorithm: AsciiText
    blob: Opaque


@_request("RFC 4252, 7")
class UserAuthPublicKey(UserAuthRequest):
    """The client shows a signature by this key.

    Attributes:
        algorithm: the name of the public key algorithm that was signed with.
        blob: the public key.
        signature: the signature, in the form that RFC 4253 section 6.6 gives its kind.
    """

    method: ClassVar[Name] = PUBLICKEY
    has_signature: ClassVar[Boolean] = True
    algorithm: AsciiText
    blob: Opaque
    signature: Opaque


@_request("RFC 4256, 3.1")
class UserAuthKeyboardInteractive(UserAuthRequest):
    """The client is ready to ask its user whatever the server wants to know.

    Attributes:
        language: a language tag, deprecated and mostly empty.
        submethods: names of what the client would like to be asked for, as a hint.
    """

    method: ClassVar[Name] = KEYBOARD_INTERACTIVE
    language: AsciiText
    submethods: Text


@_request("RFC 4252, 5")
class UserAuthOther(UserAuthRequest):
    """A request for a method that is not declared here; what it says is kept as it is.

    Attributes:
        method: the name of the method.
        rest: the fields of the method. Secret, since nobody knows what they are.
    """

    method: AsciiText
    rest: SecretRest


@_message("SSH_MSG_USERAUTH_FAILURE", code=51, clause="RFC 4252, 5.1", sender=Sender.SERVER)
class UserAuthFailure(UserAuthMessage):
    """The request was refused, or was not enough.

    Attributes:
        methods: the methods that can go on, with commas between them.
        partial_success: whether the request itself was accepted.
    """

    methods: Names
    partial_success: Boolean


@_message("SSH_MSG_USERAUTH_SUCCESS", code=52, clause="RFC 4252, 5.1", sender=Sender.SERVER)
class UserAuthSuccess(UserAuthMessage):
    """The user is who they say they are."""


@_message("SSH_MSG_USERAUTH_BANNER", code=53, clause="RFC 4252, 5.4", sender=Sender.SERVER)
class UserAuthBanner(UserAuthMessage):
    """A text to show to the user before they log in.

    Attributes:
        message: the text.
        language: a language tag.
    """

    message: Text
    language: AsciiText


@_message(
    "SSH_MSG_USERAUTH_PASSWD_CHANGEREQ",
    code=60,
    clause="RFC 4252, 8",
    sender=Sender.SERVER,
    method=PASSWORD,
)
class UserAuthPasswordChangeRequired(UserAuthMessage):
    """The password is right, and has to be changed.

    Attributes:
        prompt: a text for the user.
        language: a language tag.
    """

    prompt: Text
    language: AsciiText


@_message(
    "SSH_MSG_USERAUTH_PK_OK",
    code=60,
    clause="RFC 4252, 7",
    sender=Sender.SERVER,
    method=PUBLICKEY,
)
class UserAuthPublicKeyOk(UserAuthMessage):
    """A signature by this key would do.

    Attributes:
        algorithm: the algorithm of the query.
        blob: the public key of the query.
    """

    algorithm: AsciiText
    blob: Opaque


@_message(
    "SSH_MSG_USERAUTH_INFO_REQUEST",
    code=60,
    clause="RFC 4256, 3.2",
    sender=Sender.SERVER,
    method=KEYBOARD_INTERACTIVE,
)
class UserAuthInfoRequest(UserAuthMessage):
    """What the client is to ask its user.

    Attributes:
        name: a title.
        instructions: a text to show above the prompts.
        language: a language tag, deprecated and mostly empty.
        prompts: (prompt, echo) pairs; echo says whether what the user types may be seen.
    """

    name: Text
    instructions: Text
    language: AsciiText
    prompts: Prompts


@_message(
    "SSH_MSG_USERAUTH_INFO_RESPONSE",
    code=61,
    clause="RFC 4256, 3.4",
    sender=Sender.CLIENT,
    method=KEYBOARD_INTERACTIVE,
)
class UserAuthInfoResponse(UserAuthMessage):
    """What the user answered.

    Attributes:
        responses: one for each prompt, in its order. Secret.
    """

    responses: Responses


MESSAGES: Final[tuple[type[UserAuthMessage], ...]] = tuple(_table)
"""All messages, in the order of the RFCs. More than one has the type byte 50, or 60."""

METHODS: Final = (NONE, PASSWORD, PUBLICKEY, KEYBOARD_INTERACTIVE)
"""The authentication methods for which messages are declared."""
