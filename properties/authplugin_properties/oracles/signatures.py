"""Public keys and signatures as SSH writes them, read plainly (RFC 4253 6.6, 5656, 8332, 8709).

What the algorithms themselves do is the work of `cryptography`. Certificates are not read.
"""

from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, utils

__all__ = ["key_of", "verifies"]

_CURVES: dict[str, tuple[ec.EllipticCurve, Any]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}
_RSA = {
    "ssh-rsa": hashes.SHA1(),  # noqa: S303 - what the algorithm is
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}
_RSA_BITS = range(1024, 16385)
_EXPONENT_BITS = 64


def key_of(algorithm: str, blob: bytes) -> Any:
    """Return the key of a blob; None where the blob is not that of a key for the algorithm."""
    parts = _strings(blob)
    curve = algorithm.removeprefix("ecdsa-sha2-")
    try:
        if algorithm == "ssh-ed25519":
            (raw,) = _behind(b"ssh-ed25519", parts, 1)
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
        if algorithm in _RSA:
            e, n = map(_positive, _behind(b"ssh-rsa", parts, 2))
            if n.bit_length() not in _RSA_BITS or e.bit_length() > _EXPONENT_BITS:
                return None
            return rsa.RSAPublicNumbers(e, n).public_key()
        if curve in _CURVES:
            named, point = _behind(algorithm.encode(), parts, 2)
            _ask(named == curve.encode())
            return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve][0], point)
        if algorithm == "ssh-dss":
            p, q, g, y = map(_positive, _behind(b"ssh-dss", parts, 4))
            return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key()
    except (ValueError, UnsupportedAlgorithm):
        pass
    return None


def verifies(algorithm: str, blob: bytes, signature: bytes, covered: bytes) -> bool:
    """Say whether a signature is one of the algorithm, by the key of the blob, over `covered`."""
    key = key_of(algorithm, blob)
    try:
        (value,) = _behind(algorithm.encode(), _strings(signature), 1)
        if algorithm == "ssh-ed25519":
            key.verify(value, covered)
        elif algorithm in _RSA:
            key.verify(value, covered, padding.PKCS1v15(), _RSA[algorithm])
        elif algorithm == "ssh-dss":
            _ask(len(value) == 40)
            pair = int.from_bytes(value[:20], "big"), int.from_bytes(value[20:], "big")
            key.verify(utils.encode_dss_signature(*pair), covered, hashes.SHA1())  # noqa: S303
        else:
            r, s = map(_positive, _strings(value) or ())
            _, digest = _CURVES[algorithm.removeprefix("ecdsa-sha2-")]
            key.verify(utils.encode_dss_signature(r, s), covered, ec.ECDSA(digest))
    except (ValueError, InvalidSignature):
        return False
    return True


def _ask(holds: bool) -> None:
    if not holds:
        raise ValueError


def _behind(first: bytes, parts: list[bytes] | None, count: int) -> list[bytes]:
    """Return so many strings behind the first; raise ValueError where it is not just that."""
    _ask(parts is not None and len(parts) == 1 + count and parts[0] == first)
    return (parts or [])[1:]


def _strings(data: bytes) -> list[bytes] | None:
    """Cut bytes into the strings that they consist of; None where they do not."""
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            return None
        parts.append(data[4 : 4 + size])
        data = data[4 + size :]
    return parts


def _positive(data: bytes) -> int:
    """Return the positive number of an mpint in its shortest form (RFC 4251 section 5)."""
    number = int.from_bytes(data, "big", signed=True)
    _ask(number > 0 and len(data) == number.bit_length() // 8 + 1)
    return number
