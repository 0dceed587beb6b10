"""Key pairs that are always the same, and signatures by them, right ones and wrong ones.

A signature of the same bytes is always the same too, so that what was found can be given again.
They are for tests alone: everybody can read the private keys here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from authplugin.userauth import (
    UserAuthPublicKey,
    UserAuthPublicKeyQuery,
    decode_payload,
    encode_payload,
)

__all__ = ["KEYS", "STRANGER", "Key", "string", "wrongly_signed"]


def string(data: bytes) -> bytes:
    """Return bytes behind their length (RFC 4251 section 5)."""
    return len(data).to_bytes(4, "big") + data


def _mpint(number: int) -> bytes:
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True)
class Key:
    """A key pair and one of the algorithms that it can sign with.

    Attributes:
        algorithm: the algorithm, as requests name it.
        blob: the public key, as requests have it.
        sign_with: returns the value of a signature over some bytes.
    """

    algorithm: str
    blob: bytes
    sign_with: Callable[[bytes], bytes]

    def signature(self, covered: bytes) -> bytes:
        """Return a signature with the name of its algorithm in front."""
        return string(self.algorithm.encode()) + string(self.sign_with(covered))

    def query(self, user: str, service: str) -> bytes:
        """Return the payload of a request that asks whether the key would do."""
        return encode_payload(UserAuthPublicKeyQuery(user, service, self.algorithm, self.blob))

    def request(self, user: str, service: str, session_id: bytes) -> bytes:
        """Return the payload of a request with a signature over it and the session."""
        return self.signed(
            UserAuthPublicKey(user, service, self.algorithm, self.blob, b""), session_id
        )

    def signed(
        self,
        request: UserAuthPublicKey,
        session_id: bytes,
        over: UserAuthPublicKey | None = None,
    ) -> bytes:
        """Return the payload of a request with a signature by this key.

        Args:
            request: the request, but for its signature.
            session_id: the session that the signature covers.
            over: the request that it covers, where that is another one.
        """
        unsigned = encode_payload(over or request)
        covered = string(session_id) + unsigned[: -4 - len((over or request).signature)]
        signed = UserAuthPublicKey(
            request.user,
            request.service,
            request.algorithm,
            request.blob,
            self.signature(covered),
        )
        return encode_payload(signed)


def _ed25519(seed: bytes) -> Key:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return Key("ssh-ed25519", string(b"ssh-ed25519") + string(public), private.sign)


def _ecdsa(size: int, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> Key:
    private = ec.derive_private_key(0x5EED_0F_A_5EC2E7, curve)
    name = b"nistp%d" % size
    point = private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )

    def sign(covered: bytes) -> bytes:
        made = private.sign(covered, ec.ECDSA(digest, deterministic_signing=True))
        return b"".join(map(_mpint, utils.decode_dss_signature(made)))

    algorithm = b"ecdsa-sha2-" + name
    return Key(str(algorithm, "ascii"), string(algorithm) + string(name) + string(point), sign)


_P: Final = int(
    "e773dde0b5d0e8014dfca9cc9e0caf430c35c2637c4de6ea6da56f3afaf32ec9"
    "818d933a33abde8f65024dc1f01e4cd0046ab5b70cba577cb831429a22ce88d5",
    16,
)
_Q: Final = int(
    "d5612f7075d5183f3ede171e6da9f9a8ac698b98217834af925ae26e461729ba"
    "4dd80f7a2ca9753b875eb8ef90539ac25a7b360d9bff489e492818176b506587",
    16,
)
_E: Final = 65537


@cache
def _rsa_private() -> rsa.RSAPrivateKey:
    d = pow(_E, -1, (_P - 1) * (_Q - 1))
    numbers = rsa.RSAPrivateNumbers(
        _P,
        _Q,
        d,
        rsa.rsa_crt_dmp1(d, _P),
        rsa.rsa_crt_dmq1(d, _Q),
        rsa.rsa_crt_iqmp(_P, _Q),
        rsa.RSAPublicNumbers(_E, _P * _Q),
    )
    return numbers.private_key()


def _rsa(algorithm: str, digest: hashes.HashAlgorithm) -> Key:
    blob = string(b"ssh-rsa") + _mpint(_E) + _mpint(_P * _Q)
    return Key(
        algorithm,
        blob,
        lambda covered: _rsa_private().sign(covered, padding.PKCS1v15(), digest),
    )


KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        key.algorithm: key
        for key in (
            _ed25519(bytes(range(32))),
            _ecdsa(256, ec.SECP256R1(), hashes.SHA256()),
            _ecdsa(384, ec.SECP384R1(), hashes.SHA384()),
            _ecdsa(521, ec.SECP521R1(), hashes.SHA512()),
            _rsa("rsa-sha2-512", hashes.SHA512()),
            _rsa("rsa-sha2-256", hashes.SHA256()),
            _rsa("ssh-rsa", hashes.SHA1()),  # noqa: S303 - what the algorithm is
        )
    }
)
"""A key for each algorithm; the RSA ones have the same key."""

STRANGER: Final = _ed25519(bytes(32))
"""Another key, whose signatures are good and not by the one that is asked for."""


@lru_cache(maxsize=1024)
def wrongly_signed(
    algorithm: str, user: str, service: str, session_id: bytes
) -> Mapping[str, bytes]:
    """Return payloads of signed requests of which the signature must not do, by what is wrong.

    Args:
        algorithm: which of `KEYS`.
        user: the name of the account.
        service: the service.
        session_id: the session.
    """
    key = KEYS[algorithm]
    request = UserAuthPublicKey(user, service, algorithm, key.blob, b"")
    right = _signature_of(key.signed(request, session_id))
    value = right[len(string(algorithm.encode())) + 4 :]
    strange = STRANGER.signature(string(session_id) + encode_payload(request)[:-4])
    signatures = {
        "a byte less": right[:-1],
        "a byte more": right + b"\0",
        "nothing": b"",
        "the name of its algorithm alone": string(algorithm.encode()),
        "an empty value": string(algorithm.encode()) + string(b""),
        "another value": string(algorithm.encode()) + string(value[:-1] + b"\0\1"),
        "a bit turned": right[:-1] + bytes((right[-1] ^ 1,)),
        "the value without its name": string(value),
        "a stranger's under this name": string(algorithm.encode()) + strange[-68:],
    }
    others = {
        "another session": (request, session_id + b"\0"),
        "no session": (request, b""),
        "another user": (UserAuthPublicKey(f"{user}x", service, algorithm, key.blob, b""), None),
        "another service": (UserAuthPublicKey(user, f"{service}x", algorithm, key.blob, b""), None),
        "another key": (UserAuthPublicKey(user, service, algorithm, STRANGER.blob, b""), None),
        "another name": (UserAuthPublicKey(user, service, f"{algorithm}x", key.blob, b""), None),
    }
    made = {what: _with(request, signature) for what, signature in signatures.items()}
    for what, (over, session) in others.items():
        signed = key.signed(request, session_id if session is None else session, over)
        made[f"over {what}"] = signed
    for name, other in KEYS.items():
        if name != algorithm:
            # The request names one algorithm, and key and signature are of another.
            named = UserAuthPublicKey(user, service, algorithm, other.blob, b"")
            if other.blob != key.blob:
                made[f"all of {name} under this name"] = other.signed(named, session_id)
            made[f"a signature of {name}"] = other.signed(request, session_id)
    return MappingProxyType(made)


def _signature_of(payload: bytes) -> bytes:
    message = decode_payload(payload)
    assert isinstance(message, UserAuthPublicKey)
    return bytes(message.signature)


def _with(request: UserAuthPublicKey, signature: bytes) -> bytes:
    return encode_payload(
        UserAuthPublicKey(request.user, request.service, request.algorithm, request.blob, signature)
    )
