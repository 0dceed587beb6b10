"""SSH's user authentication as one event, from the server's side, and a client's bridge to plugins.

Bytes to messages and back: `decode_payload`, `encode_payload`; a server without any input or
output: `UserAuthServer`, which asks a `UserAuthHandler` by `SSHUserAuthRequest`; a client between a
server and a plugin: `Bridge`. With paramiko's transports: `authplugin.userauth.transport`.
"""

from .account import UserAuthLimits
from .bridge import Bridge
from .bridge_events import AskUser, Banner, Declined, Outcome, Phase, PluginGone, Ready
from .codec import decode, decode_payload, encode, encode_payload
from .event import (
    Authenticated,
    Disconnect,
    Prompts,
    Round,
    SSHUserAuthRequest,
    UserAuthHandler,
)
from .messages import (
    MESSAGES,
    Sender,
    UserAuthBanner,
    UserAuthFailure,
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
    UserAuthSpec,
    UserAuthSuccess,
)
from .server import UserAuthServer
from .signatures import ALGORITHMS, DEFAULT_ALGORITHMS

__all__ = [
    "ALGORITHMS",
    "DEFAULT_ALGORITHMS",
    "MESSAGES",
    "AskUser",
    "Authenticated",
    "Banner",
    "Bridge",
    "Declined",
    "Disconnect",
    "Outcome",
    "Phase",
    "PluginGone",
    "Prompts",
    "Ready",
    "Round",
    "SSHUserAuthRequest",
    "Sender",
    "UserAuthBanner",
    "UserAuthFailure",
    "UserAuthHandler",
    "UserAuthInfoRequest",
    "UserAuthInfoResponse",
    "UserAuthKeyboardInteractive",
    "UserAuthLimits",
    "UserAuthMessage",
    "UserAuthNone",
    "UserAuthOther",
    "UserAuthPassword",
    "UserAuthPasswordChange",
    "UserAuthPasswordChangeRequired",
    "UserAuthPublicKey",
    "UserAuthPublicKeyOk",
    "UserAuthPublicKeyQuery",
    "UserAuthRequest",
    "UserAuthServer",
    "UserAuthSpec",
    "UserAuthSuccess",
    "decode",
    "decode_payload",
    "encode",
    "encode_payload",
]
