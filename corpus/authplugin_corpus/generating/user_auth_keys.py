"""Dialogues for the rules of the method publickey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from authplugin.userauth.codec import encode_payload
from authplugin.userauth.messages import UserAuthPublicKey, UserAuthPublicKeyQuery

from ..segments import string
from . import user_auth_house as house
from .user_auth_turns import (
    ALICE,
    PK_OK,
    REFUSED,
    SUCCESS,
    dialogue,
    say,
    server,
    user,
    welcomes,
)

_SECTION: Final = "RFC 4252 7"


def keys() -> Iterator[dict[str, Any]]:
    """Yield a dialogue for each rule."""
    mine, other = house.ed25519_key(), house.ed25519_key("mallory")
    yield dialogue(
        "key-query-and-signature",
        "The server would take a signature by the key, and takes it.",
        _SECTION,
        [say(house.query(mine)), PK_OK, say(house.signed(mine)), SUCCESS],
    )
    yield dialogue(
        "key-signature-at-once",
        "A signature comes without a query before it.",
        _SECTION,
        [say(house.signed(mine)), SUCCESS],
    )
    yield dialogue(
        "key-unknown-query",
        "The server would not take a signature by a key that is not the user's.",
        _SECTION,
        [say(house.query(other)), REFUSED],
        flag="keys",
    )
    yield dialogue(
        "key-unknown-signature",
        "A right signature by a key that is not the user's.",
        _SECTION,
        [say(house.signed(other)), REFUSED],
        flag="keys",
    )
    yield dialogue(
        "key-query-then-other-key",
        "The query is about the user's key, and the signature by another.",
        _SECTION,
        [say(house.query(mine)), PK_OK, say(house.signed(other)), REFUSED],
        flag="keys",
    )
    yield dialogue(
        "key-of-another-user",
        "A right signature by the key of another user.",
        _SECTION,
        [say(house.signed(other)), REFUSED],
        setup=server(ALICE, user("mallory", keys=[other.blob.hex()])),
        flag="keys",
    )
    yield dialogue(
        "key-of-nobody",
        "A right signature for a user who does not exist.",
        _SECTION,
        [say(house.signed(mine, user="nobody")), REFUSED],
        flag="user-names",
    )
    yield dialogue(
        "key-two-in-turn",
        "The first key is not the user's, the second one is.",
        _SECTION,
        [
            *(say(house.query(other)), REFUSED, say(house.query(mine)), PK_OK),
            *(say(house.signed(mine)), SUCCESS),
        ],
    )
    yield from _algorithms()
    yield from _signatures(mine, other)
    yield from _ill_formed(mine)


# Algorithms.

_TAKEN: Final[dict[str, tuple[Callable[[], house.Key], str]]] = {
    "ssh-ed25519": (house.ed25519_key, "RFC 8709 6"),
    "ecdsa-sha2-nistp256": (lambda: house.ecdsa_key(256), "RFC 5656 3.1"),
    "ecdsa-sha2-nistp384": (lambda: house.ecdsa_key(384), "RFC 5656 3.1"),
    "ecdsa-sha2-nistp521": (lambda: house.ecdsa_key(521), "RFC 5656 3.1"),
    "rsa-sha2-256": (lambda: house.rsa_key("rsa-sha2-256"), "RFC 8332 3.2"),
    "rsa-sha2-512": (lambda: house.rsa_key("rsa-sha2-512"), "RFC 8332 3.2"),
}
"""The algorithms that a server takes unless told otherwise."""

_SWITCHED_ON: Final = {"ssh-rsa": "RFC 4253 6.6", "x509v3-sign-rsa": "RFC 4253 6.6"}
"""Those that it takes only where told to."""


def _with_key(blob: bytes) -> dict[str, Any]:
    return {**ALICE, "keys": [blob.hex()]}


def _algorithms() -> Iterator[dict[str, Any]]:
    for name, (make, clause) in _TAKEN.items():
        key = make()
        yield dialogue(
            f"key-{name}",
            f"A key is shown, and then a signature, with {name}.",
            clause,
            [say(house.query(key)), welcomes(key), say(house.signed(key)), SUCCESS],
            setup=server(_with_key(key.blob)),
        )
        others = [each for each in _TAKEN if each != name]
        yield dialogue(
            f"key-{name}-off",
            f"The user's key is shown with {name}, which is off.",
            _SECTION,
            [
                *(say(house.query(key)), REFUSED),
                *(say(house.signed(key)), REFUSED),
            ],
            setup=server(_with_key(key.blob), algorithms=others),
            flag="algorithms",
        )
    for name, clause in _SWITCHED_ON.items():
        key = house.rsa_key(name)
        setup = server(_with_key(key.blob))
        yield dialogue(
            f"key-{name}-off",
            f"The user's key is shown with {name}, which is off unless switched on.",
            clause,
            [
                *(say(house.query(key)), REFUSED),
                *(say(house.signed(key)), REFUSED),
            ],
            setup=setup,
            flag="algorithms",
        )
        yield dialogue(
            f"key-{name}-on",
            f"A signature with {name}, which is switched on.",
            clause,
            [say(house.query(key)), welcomes(key), say(house.signed(key)), SUCCESS],
            setup=setup | {"algorithms": [name]},
        )
    blob = string(b"ssh-dss") + b"".join(string(house.mpint(each)) for each in (23, 11, 4, 9))
    for name, about in {"ssh-dss": blob, "x509v3-sign-dss": blob, "no-such": blob}.items():
        yield dialogue(
            f"key-{name}-unwanted",
            f"A key is shown with {name}, which the server does not take.",
            _SECTION,
            [
                say(UserAuthPublicKeyQuery(house.USER, house.SERVICE, name, about)),
                REFUSED,
            ],
            setup=server(_with_key(about)),
            flag="algorithms",
        )


# Signatures that are not by this key over this request.


def _signatures(mine: house.Key, other: house.Key) -> Iterator[dict[str, Any]]:
    rsa, weaker = house.rsa_key("rsa-sha2-512"), house.rsa_key("rsa-sha2-256")

    right = house.signed(mine)

    def over(**instead: Any) -> UserAuthPublicKey:
        return house.signed(mine, covers=house.unsigned(_with(right, **instead)))

    flipped = bytes(right.signature[:-1]) + bytes((right.signature[-1] ^ 1,))
    rows = {
        "another-session": house.signed(mine, session_id=house.OTHER_SESSION_ID),
        "no-session": house.signed(mine, session_id=b""),
        "another-user": over(user="bob"),
        "another-service": over(service="ssh-userauth"),
        "another-algorithm": over(algorithm="ssh-rsa"),
        "another-key": over(blob=other.blob),
        "the-query": house.signed(mine, covers=encode_payload(house.query(mine))),
        "by-another-key": _with(right, signature=house.signed(other).signature),
        "flipped-bit": _with(right, signature=flipped),
        "nothing": _with(right, signature=b""),
        "no-value": _with(right, signature=string(b"ssh-ed25519")),
        "empty-value": _with(right, signature=string(b"ssh-ed25519") + string(b"")),
        "bare-value": _with(right, signature=bytes(right.signature[-64:])),
        "short-value": _with(
            right, signature=string(b"ssh-ed25519") + string(bytes(right.signature[-64:-1]))
        ),
        "bytes-behind": _with(right, signature=bytes(right.signature) + b"\0"),
        "all-zero": _with(right, signature=string(b"ssh-ed25519") + string(bytes(64))),
        "other-name-in-it": _with(
            right, signature=string(b"ssh-rsa") + string(bytes(right.signature[-64:]))
        ),
    }
    for words, message in rows.items():
        yield dialogue(
            f"signature-{words}",
            f"The user's key is shown with a signature that does not prove it: "
            f"{words.replace('-', ' ')}.",
            _SECTION,
            [say(message), REFUSED],
            flag="signatures",
        )
    named = house.signed(rsa)
    yield dialogue(
        "signature-weaker-than-named",
        "The request names rsa-sha2-512, and the signature is one of rsa-sha2-256.",
        "RFC 8332 3.2",
        [
            say(_with(named, signature=weaker.signature(house.covered_by(named)))),
            REFUSED,
        ],
        setup=server(_with_key(rsa.blob)),
        flag="signatures",
    )
    yield dialogue(
        "signature-after-query-wrong",
        "The server would take a signature, and gets one over another session.",
        _SECTION,
        [
            *(say(house.query(mine)), PK_OK),
            *(say(house.signed(mine, session_id=house.OTHER_SESSION_ID)), REFUSED),
        ],
        flag="signatures",
    )


def _with(made: UserAuthPublicKey, **instead: Any) -> UserAuthPublicKey:
    """Return a request with other fields."""
    values = {each.name: getattr(made, each.name) for each in made.spec.variables}
    return UserAuthPublicKey(**{**values, **instead})


# Keys that are none, although the user has them.


def _ill_formed(mine: house.Key) -> Iterator[dict[str, Any]]:
    rsa = house.rsa_key("rsa-sha2-512")
    rest = rsa.blob[len(string(b"ssh-rsa")) :]
    rows: dict[str, tuple[str, bytes]] = {
        "empty": ("ssh-ed25519", b""),
        "cut": ("ssh-ed25519", mine.blob[:-1]),
        "bytes-behind": ("ssh-ed25519", mine.blob + b"\0"),
        "too-short": ("ssh-ed25519", string(b"ssh-ed25519") + string(bytes(31))),
        "of-another-type": ("rsa-sha2-512", mine.blob),
        "named-like-the-algorithm": ("rsa-sha2-512", string(b"rsa-sha2-512") + rest),
        "on-another-curve": (
            "ecdsa-sha2-nistp256",
            string(b"ecdsa-sha2-nistp256") + house.ecdsa_key(384).blob[23:],
        ),
        "not-on-the-curve": (
            "ecdsa-sha2-nistp256",
            house.ecdsa_key(256).blob[:-1] + bytes((house.ecdsa_key(256).blob[-1] ^ 1,)),
        ),
    }
    for words, (algorithm, blob) in rows.items():
        query = UserAuthPublicKeyQuery(house.USER, house.SERVICE, algorithm, blob)
        yield dialogue(
            f"blob-{words}",
            f"What is shown with {algorithm} is no key for it: {words.replace('-', ' ')}.",
            "RFC 4253 6.6",
            [say(query), REFUSED],
            setup=server(_with_key(blob)),
            flag="keys",
        )
