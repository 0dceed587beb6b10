"""One message of each kind, or more, and the bytes that it is."""

from authplugin.userauth import (
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
    UserAuthSuccess,
)
from authplugin.userauth.codec import SPECS

WHO = b"\x32\0\0\0\2\xc3\xbc\0\0\0\1s"
PUBLICKEY = WHO + b"\0\0\0\x09publickey"
PASSWORD = WHO + b"\0\0\0\x08password"

SAMPLES: list[tuple[UserAuthMessage, bytes]] = [
    (UserAuthNone("ü", "s"), WHO + b"\0\0\0\4none"),
    (UserAuthPassword("ü", "s", "é"), PASSWORD + b"\0\0\0\0\2\xc3\xa9"),
    (UserAuthPasswordChange("ü", "s", "a", "bc"), PASSWORD + b"\1\0\0\0\1a\0\0\0\2bc"),
    (UserAuthPublicKeyQuery("ü", "s", "rsa", b"\xff"), PUBLICKEY + b"\0\0\0\0\3rsa\0\0\0\1\xff"),
    (
        UserAuthPublicKey("ü", "s", "rsa", b"\xff", b"\xfe\0"),
        PUBLICKEY + b"\1\0\0\0\3rsa\0\0\0\1\xff\0\0\0\2\xfe\0",
    ),
    (
        UserAuthKeyboardInteractive("ü", "s", "en", "ü"),
        WHO + b"\0\0\0\x14keyboard-interactive\0\0\0\2en\0\0\0\2\xc3\xbc",
    ),
    (UserAuthOther("ü", "s", "hostbased", b"\xff"), WHO + b"\0\0\0\x09hostbased\xff"),
    (UserAuthOther("ü", "s", "x" * 30, b""), WHO + b"\0\0\0\x1e" + b"x" * 30),
    (UserAuthOther("ü", "s", "", b""), WHO + b"\0\0\0\0"),
    (UserAuthFailure("a,bc", True), b"\x33\0\0\0\4a,bc\1"),
    (UserAuthFailure("", False), b"\x33\0\0\0\0\0"),
    (UserAuthSuccess(), b"\x34"),
    (UserAuthBanner("ü", "en"), b"\x35\0\0\0\2\xc3\xbc\0\0\0\2en"),
    (UserAuthPasswordChangeRequired("ü", ""), b"\x3c\0\0\0\2\xc3\xbc\0\0\0\0"),
    (UserAuthPublicKeyOk("rsa", b"\xff"), b"\x3c\0\0\0\3rsa\0\0\0\1\xff"),
    (
        UserAuthInfoRequest("n", "i", "l", [("p", True), ("q", False)]),
        b"\x3c\0\0\0\1n\0\0\0\1i\0\0\0\1l\0\0\0\2\0\0\0\1p\1\0\0\0\1q\0",
    ),
    (UserAuthInfoResponse(["a", ""]), b"\x3d\0\0\0\2\0\0\0\1a\0\0\0\0"),
]

DECODER_OF = {type(m): next(d for d, spec in SPECS.items() if spec is m.spec) for m, _ in SAMPLES}
