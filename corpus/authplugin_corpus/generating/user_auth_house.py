"""The user, the keys and the messages that vectors of SSH's user authentication are made of.

All signatures are such that they come out the same each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from authplugin.userauth.codec import encode_payload
from authplugin.userauth.messages import (
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

from ..segments import string

USER: Final = "alice"
SERVICE: Final = "ssh-connection"
SESSION_ID: Final = hashlib.sha256(b"the session of the vectors").digest()
OTHER_SESSION_ID: Final = hashlib.sha256(b"another session").digest()


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair.

    Attributes:
        algorithm: the name of the public key algorithm to sign with.
        blob: the public key.
        sign: signs bytes; returns the value of the signature, without its name.
    """

    algorithm: str
    blob: bytes
    sign: Callable[[bytes], bytes]

    def signature(self, covered: bytes) -> bytes:
        """Return a signature as it stands in a request."""
        return string(self.algorithm.encode()) + string(self.sign(covered))


def query(key: Key, algorithm: str | None = None) -> UserAuthPublicKeyQuery:
    """Return the question whether a key will do."""
    return UserAuthPublicKeyQuery(USER, SERVICE, algorithm or key.algorithm, key.blob)


def signed(
    key: Key,
    *,
    session_id: bytes = SESSION_ID,
    user: str = USER,
    service: str = SERVICE,
    covers: bytes | None = None,
) -> UserAuthPublicKey:
    """Return a request with a signature.

    Args:
        key: whose.
        session_id: the session that the signature covers.
        user: the user of the request.
        service: its service.
        covers: what the signature covers behind the session, where that is not the request.
    """
    made = UserAuthPublicKey(user, service, key.algorithm, key.blob, b"")
    made.signature = key.signature(string(session_id) + (covers or unsigned(made)))
    return made


def covered_by(request: UserAuthPublicKey) -> bytes:
    """Return what a signature of the vectors' session has to cover."""
    return string(SESSION_ID) + unsigned(request)


def unsigned(request: UserAuthPublicKey) -> bytes:
    """Return a request up to its signature."""
    bare = UserAuthPublicKey(request.user, request.service, request.algorithm, request.blob, b"")
    return encode_payload(bare)[: -len(string(b""))]


def _seed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


@cache
def ed25519_key(name: str = USER) -> Key:
    """Return the Ed25519 key of a user."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(_seed(name))
    blob = string(b"ssh-ed25519") + string(key.public_key().public_bytes_raw())
    return Key("ssh-ed25519", blob, key.sign)


_CURVES: Final[Mapping[int, tuple[type[ec.EllipticCurve], type[hashes.HashAlgorithm]]]] = {
    256: (ec.SECP256R1, hashes.SHA256),
    384: (ec.SECP384R1, hashes.SHA384),
    521: (ec.SECP521R1, hashes.SHA512),
}


@cache
def ecdsa_key(size: int) -> Key:
    """Return a key on one of the three curves."""
    curve, algorithm = _CURVES[size]
    key = ec.derive_private_key(int.from_bytes(_seed(f"nistp{size}"), "big"), curve())
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    name = f"ecdsa-sha2-nistp{size}"
    blob = string(name.encode()) + string(f"nistp{size}".encode()) + string(point)

    def sign(covered: bytes) -> bytes:
        der = key.sign(covered, ec.ECDSA(algorithm(), deterministic_signing=True))
        return b"".join(string(mpint(each)) for each in utils.decode_dss_signature(der))

    return Key(name, blob, sign)


def mpint(value: int) -> bytes:
    """Return the bytes of a positive number (RFC 4251, section 5)."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


_P: Final = int(
    "efd38074bdc2da06a9f33e5b09cbdd2fb76c9f83a12cb321c2171eaab42d11afb1256a7442f45fbf"
    "6f017cbbf04574c0200907facd40edf385618c59aeaecda70899fb8a633c9bb0e045c29093da0065"
    "0fdc75340e1cc803b3f95fcd1622e2dbecb70ce5061fc1cf506a764e98679a4c488b1427bbf527c4"
    "b4708bed668071ff",
    16,
)
_Q: Final = int(
    "c97361274eae4292c645aa8a1c6aec7cfc16bc131345d0a458754b7bae11c18f451c720f15eb0d6d"
    "e01d133fa8b5586d8156ea017a2c2006cbfdda69b97886aa619476827004bc68d7750c539aaf6f3b"
    "12f1108d0985798fd028526b6dda3b9389dfc175c2891dec9df56afa364b1d051aa439bf0d4942c7"
    "3a84f71dd6055e95",
    16,
)
_EXPONENT: Final = 65537


def _rsa_private_key() -> rsa.RSAPrivateKey:
    d = pow(_EXPONENT, -1, (_P - 1) * (_Q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, _P * _Q)
    parts = rsa.rsa_crt_dmp1(d, _P), rsa.rsa_crt_dmq1(d, _Q), rsa.rsa_crt_iqmp(_P, _Q)
    return rsa.RSAPrivateNumbers(_P, _Q, d, *parts, public).private_key()


_RSA_HASHES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "rsa-sha2-512": hashes.SHA512,
    "rsa-sha2-256": hashes.SHA256,
    "ssh-rsa": hashes.SHA1,
    "x509v3-sign-rsa": hashes.SHA1,
}


@cache
def rsa_key(algorithm: str) -> Key:
    """Return the RSA key, to be used with one of the algorithms for such keys."""
    key = _rsa_private_key()
    blob = string(b"ssh-rsa") + string(mpint(_EXPONENT)) + string(mpint(_P * _Q))
    if algorithm.startswith("x509v3"):
        blob = string(algorithm.encode()) + string(_certificate(key))

    def sign(covered: bytes) -> bytes:
        return key.sign(covered, padding.PKCS1v15(), _RSA_HASHES[algorithm]())

    return Key(algorithm, blob, sign)


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, USER)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def one_of_each() -> tuple[UserAuthMessage, ...]:
    """Return a message of each kind with every field filled, in the order of the table."""
    key = ed25519_key()
    return (
        UserAuthNone(USER, SERVICE),
        UserAuthPassword(USER, SERVICE, "secret"),
        UserAuthPasswordChange(USER, SERVICE, "secret", "new secret"),
        query(key),
        signed(key),
        UserAuthKeyboardInteractive(USER, SERVICE, "en", "pam"),
        UserAuthOther(USER, SERVICE, "gssapi-with-mic", b"\0\0\0\1\0\0\0\2\6\0"),
        UserAuthFailure("publickey,password", True),
        UserAuthSuccess(),
        UserAuthBanner("Welcome.\r\n", "en"),
        UserAuthPasswordChangeRequired("Choose another one.", "en"),
        UserAuthPublicKeyOk(key.algorithm, key.blob),
        UserAuthInfoRequest(
            "Login", "Two-factor login", "en", [("Password: ", False), ("Code: ", True)]
        ),
        UserAuthInfoResponse(["secret", "123456"]),
    )
