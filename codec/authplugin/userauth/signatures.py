"""Public keys as SSH writes them, and the signatures that are made with them.

What the algorithms do is the work of `cryptography` (an extra: `pip install 'authplugin[ssh]'`);
this knows how SSH puts keys and signatures into bytes, and is strict about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

_LARGEST_RSA: Final = 16384  # bits; each verification costs more than twice as much as half of it
_SMALLEST_RSA: Final = 1024  # bits


class UnacceptableKeyError(Exception):
    """A key or a signature that this server does not take; the text says why, for the log."""


class Strings:
    """Reads what a key or a signature consists of (RFC 4251, section 5).

    Args:
        data: the bytes.
        what: what they are, for errors.
    """

    def __init__(self, data: bytes | memoryview, what: str) -> None:
        self._data = bytes(data)
        self._what = what
        self._at = 0

    def string(self) -> bytes:
        """Read a string; raises UnacceptableKeyError where it is not whole."""
        start = self._at + 4
        size = int.from_bytes(self._data[self._at : start], "big")
        if start > len(self._data) or size > len(self._data) - start:
            raise UnacceptableKeyError(f"the {self._what} is truncated")
        self._at = start + size
        return self._data[start : self._at]

    def mpint(self) -> int:
        """Read a positive multiple precision integer in its shortest form."""
        data = self.string()
        if not data or data[0] & 0x80 or (data[0] == 0 and not (data[1:2] and data[1] & 0x80)):
            raise UnacceptableKeyError(
                f"a number in the {self._what} is not positive, or not shortest"
            )
        return int.from_bytes(data, "big")

    def end(self) -> None:
        """Raise UnacceptableKeyError where bytes are left."""
        if self._at != len(self._data):
            raise UnacceptableKeyError(f"bytes follow the {self._what}")


Verify: TypeAlias = Callable[[Any, bytes, bytes], None]
"""Called with a key, the value of a signature, and what it is to cover. Raises InvalidSignature, or
UnacceptableKeyError."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A public key algorithm.

    Attributes:
        name: as requests and signatures name it.
        key_type: what the key's blob begins with.
        load: reads the key from behind that.
        verify: checks a signature.
        by_default: whether a server takes it unless told otherwise.
    """

    name: str
    key_type: str
    load: Callable[[Strings], Any]
    verify: Verify
    by_default: bool = True


def _load_rsa(strings: Strings) -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    exponent, modulus = strings.mpint(), strings.mpint()
    _check_rsa(exponent, modulus)
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _check_rsa(exponent: int, modulus: int) -> None:
    if not _SMALLEST_RSA <= modulus.bit_length() <= _LARGEST_RSA or exponent.bit_length() > 64:
        raise UnacceptableKeyError(
            f"an RSA key has {_SMALLEST_RSA} to {_LARGEST_RSA} bits, and an exponent of at most 64"
        )


def _load_dsa(strings: Strings) -> Any:
    from cryptography.hazmat.primitives.asymmetric import dsa

    p, q, g, y = (strings.mpint() for _ in range(4))
    return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()


def _load_ed25519(strings: Strings) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(strings.string())


def _load_ecdsa(name: str, curve: str) -> Callable[[Strings], Any]:
    def load(strings: Strings) -> Any:
        from cryptography.hazmat.primitives.asymmetric import ec

        if strings.string() != name.encode():
            raise UnacceptableKeyError("the key names another curve than its type")
        return ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, curve)(), strings.string())

    return load


def _load_certificate(kind: str) -> Callable[[Strings], Any]:
    def load(strings: Strings) -> Any:
        from cryptography.hazmat.primitives.asymmetric import dsa, rsa
        from cryptography.x509 import load_der_x509_certificate

        key = load_der_x509_certificate(strings.string()).public_key()
        if not isinstance(key, {"rsa": rsa.RSAPublicKey, "dsa": dsa.DSAPublicKey}[kind]):
            raise UnacceptableKeyError(
                "the certificate holds another kind of key than its type says"
            )
        if isinstance(key, rsa.RSAPublicKey):
            numbers = key.public_numbers()
            _check_rsa(numbers.e, numbers.n)
        return key

    return load


def _hash(name: str) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    made: HashAlgorithm = getattr(hashes, name)()
    return made


def _verify_rsa(hash_name: str) -> Verify:
    def verify(key: Any, value: bytes, covered: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric import padding

        key.verify(value, covered, padding.PKCS1v15(), _hash(hash_name))

    return verify


def _verify_dsa(key: Any, value: bytes, covered: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import utils

    if len(value) != 40:
        raise UnacceptableKeyError("a DSA signature has 40 bytes")
    halves = (int.from_bytes(half, "big") for half in (value[:20], value[20:]))
    key.verify(utils.encode_dss_signature(*halves), covered, _hash("SHA1"))


def _verify_ecdsa(hash_name: str) -> Verify:
    def verify(key: Any, value: bytes, covered: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        strings = Strings(value, "signature")
        pair = strings.mpint(), strings.mpint()
        strings.end()
        key.verify(utils.encode_dss_signature(*pair), covered, ec.ECDSA(_hash(hash_name)))

    return verify


def _verify_ed25519(key: Any, value: bytes, covered: bytes) -> None:
    key.verify(value, covered)


def _ecdsa(size: int, hash_name: str) -> Algorithm:
    name = f"ecdsa-sha2-nistp{size}"
    load = _load_ecdsa(f"nistp{size}", f"SECP{size}R1")
    return Algorithm(name, name, load, _verify_ecdsa(hash_name))


def _certified(name: str, kind: str, verify: Verify) -> Algorithm:
    return Algorithm(name, name, _load_certificate(kind), verify, by_default=False)


ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Algorithm("ssh-ed25519", "ssh-ed25519", _load_ed25519, _verify_ed25519),
            _ecdsa(256, "SHA256"),
            _ecdsa(384, "SHA384"),
            _ecdsa(521, "SHA512"),
            Algorithm("rsa-sha2-512", "ssh-rsa", _load_rsa, _verify_rsa("SHA512")),
            Algorithm("rsa-sha2-256", "ssh-rsa", _load_rsa, _verify_rsa("SHA256")),
            Algorithm("ssh-rsa", "ssh-rsa", _load_rsa, _verify_rsa("SHA1"), False),
            Algorithm("ssh-dss", "ssh-dss", _load_dsa, _verify_dsa, False),
            _certified("x509v3-sign-rsa", "rsa", _verify_rsa("SHA1")),
            _certified("x509v3-sign-dss", "dsa", _verify_dsa),
        )
    }
)
"""All public key algorithms that a server here can be told to take, by name."""

DEFAULT_ALGORITHMS: Final = tuple(each.name for each in ALGORITHMS.values() if each.by_default)
"""Those that it takes unless told otherwise: SHA-1 is not among them."""


def load_key(algorithm: str, blob: bytes | memoryview) -> Any:
    """Return the public key of a blob, as an object of `cryptography`.

    Raises:
        UnacceptableKeyError: where the blob is not that of a key for the algorithm, or
            `cryptography` is missing.
    """
    wanted = ALGORITHMS[algorithm]
    strings = Strings(blob, "public key")
    if strings.string() != wanted.key_type.encode():
        raise UnacceptableKeyError(f"the public key is not of type {wanted.key_type}")
    try:
        key = wanted.load(strings)
    except UnacceptableKeyError:
        raise
    except ImportError:
        raise UnacceptableKeyError(
            "public keys need cryptography: pip install 'authplugin[ssh]'"
        ) from None
    except Exception as error:  # of several kinds, which share no base
        raise UnacceptableKeyError(f"no {wanted.key_type} key: {error}") from None
    strings.end()
    return key


def verify(
    algorithm: str, blob: bytes | memoryview, signature: bytes | memoryview, covered: bytes
) -> None:
    """Check that the owner of a key has signed something.

    Args:
        algorithm: the algorithm that the request names.
        blob: the public key.
        signature: the signature, with its own name of the algorithm in front.
        covered: what it has to cover.

    Raises:
        UnacceptableKeyError: where it does not, or key or signature are not as they must be.
    """
    key = load_key(algorithm, blob)
    strings = Strings(signature, "signature")
    if strings.string() != algorithm.encode():
        raise UnacceptableKeyError(f"the signature is not one of {algorithm}")
    value = strings.string()
    strings.end()
    try:
        ALGORITHMS[algorithm].verify(key, value, covered)
    except UnacceptableKeyError:
        raise
    except Exception:  # as above
        raise UnacceptableKeyError("the signature is not by this key over this request") from None


__all__ = ["ALGORITHMS", "DEFAULT_ALGORITHMS", "UnacceptableKeyError", "load_key", "verify"]
