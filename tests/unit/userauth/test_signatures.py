"""Keys and signatures of every algorithm, right ones and wrong ones in each part."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, utils

from authplugin.userauth import signatures
from authplugin.userauth.signatures import (
    ALGORITHMS,
    DEFAULT_ALGORITHMS,
    UnacceptableKeyError,
    load_key,
    verify,
)

from .clients import string

COVERED = b"what is signed"


def mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


class Pair(NamedTuple):
    """A public key's blob, and what makes the value of a signature."""

    blob: bytes
    sign: Callable[[bytes], bytes]


def rsa_pair(name: str, hash_function: Any, key_type: str = "ssh-rsa") -> Pair:
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_numbers()
    blob = string(b"ssh-rsa") + mpint(public.e) + mpint(public.n)
    if key_type != "ssh-rsa":
        blob = string(key_type.encode()) + string(certificate(key))
    return Pair(blob, lambda data: key.sign(data, padding.PKCS1v15(), hash_function))


def dsa_pair(key_type: str = "ssh-dss") -> Pair:
    key = dsa.generate_private_key(1024)
    public = key.public_key().public_numbers()
    numbers = public.parameter_numbers
    blob = string(b"ssh-dss") + b"".join(
        mpint(each) for each in (numbers.p, numbers.q, numbers.g, public.y)
    )
    if key_type != "ssh-dss":
        blob = string(key_type.encode()) + string(certificate(key))

    def sign(data: bytes) -> bytes:
        pair = utils.decode_dss_signature(key.sign(data, hashes.SHA1()))
        return b"".join(each.to_bytes(20, "big") for each in pair)

    return Pair(blob, sign)


def ecdsa_pair(curve: ec.EllipticCurve, hash_function: Any) -> Pair:
    key = ec.generate_private_key(curve)
    name = f"nistp{curve.key_size}".encode()
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )

    def sign(data: bytes) -> bytes:
        pair = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hash_function)))
        return b"".join(map(mpint, pair))

    return Pair(string(b"ecdsa-sha2-" + name) + string(name) + string(point), sign)


def ed25519_pair() -> Pair:
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return Pair(string(b"ssh-ed25519") + string(public), key.sign)


def certificate(key: Any) -> bytes:
    """Return a certificate, in DER, that a key has signed for itself."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alice")])
    now = datetime(2030, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


MAKERS: dict[str, Callable[[], Pair]] = {
    "ssh-ed25519": ed25519_pair,
    "ecdsa-sha2-nistp256": lambda: ecdsa_pair(ec.SECP256R1(), hashes.SHA256()),
    "ecdsa-sha2-nistp384": lambda: ecdsa_pair(ec.SECP384R1(), hashes.SHA384()),
    "ecdsa-sha2-nistp521": lambda: ecdsa_pair(ec.SECP521R1(), hashes.SHA512()),
    "rsa-sha2-512": lambda: rsa_pair("rsa-sha2-512", hashes.SHA512()),
    "rsa-sha2-256": lambda: rsa_pair("rsa-sha2-256", hashes.SHA256()),
    "ssh-rsa": lambda: rsa_pair("ssh-rsa", hashes.SHA1()),
    "ssh-dss": dsa_pair,
    "x509v3-sign-rsa": lambda: rsa_pair("x509v3-sign-rsa", hashes.SHA1(), "x509v3-sign-rsa"),
    "x509v3-sign-dss": lambda: dsa_pair("x509v3-sign-dss"),
}


@pytest.fixture(scope="module", params=list(ALGORITHMS))
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pair(algorithm: str) -> Pair:
    return MAKERS[algorithm]()


def signed(algorithm: str, pair: Pair, covered: bytes = COVERED) -> bytes:
    return string(algorithm.encode()) + string(pair.sign(covered))


def test_what_is_on_by_default() -> None:
    assert set(DEFAULT_ALGORITHMS) == {
        "rsa-sha2-256",
        "rsa-sha2-512",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-ed25519",
    }
    assert set(ALGORITHMS) - set(DEFAULT_ALGORITHMS) == {
        "ssh-rsa",
        "ssh-dss",
        "x509v3-sign-rsa",
        "x509v3-sign-dss",
    }


def test_a_good_signature(algorithm: str, pair: Pair) -> None:
    verify(algorithm, pair.blob, signed(algorithm, pair), COVERED)


def test_a_signature_over_something_else(algorithm: str, pair: Pair) -> None:
    with pytest.raises(UnacceptableKeyError):
        verify(algorithm, pair.blob, signed(algorithm, pair, b"another thing"), COVERED)


def test_every_bit_of_a_signature_counts(algorithm: str, pair: Pair) -> None:
    good = signed(algorithm, pair)
    for at in range(0, len(good) * 8, 5):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises(UnacceptableKeyError):
            verify(algorithm, pair.blob, bytes(bad), COVERED)


def test_no_truncated_signature_and_none_with_more(algorithm: str, pair: Pair) -> None:
    good = signed(algorithm, pair)
    for bad in (*(good[:size] for size in range(len(good))), good + b"\0"):
        with pytest.raises(UnacceptableKeyError):
            verify(algorithm, pair.blob, bad, COVERED)


def test_nothing_follows_the_value_of_a_signature(algorithm: str, pair: Pair) -> None:
    for more in (b"\0", pair.sign(COVERED)):
        with pytest.raises(UnacceptableKeyError):
            verify(
                algorithm,
                pair.blob,
                string(algorithm.encode()) + string(pair.sign(COVERED) + more),
                COVERED,
            )


def test_no_truncated_key_and_none_with_more(algorithm: str, pair: Pair) -> None:
    for bad in (*(pair.blob[:size] for size in range(len(pair.blob))), pair.blob + b"\0"):
        with pytest.raises(UnacceptableKeyError):
            load_key(algorithm, bad)


def test_a_key_of_another_type(algorithm: str, pair: Pair) -> None:
    odd = pair.blob[:4] + bytes((pair.blob[4] ^ 1,)) + pair.blob[5:]
    with pytest.raises(UnacceptableKeyError, match="is not of type"):
        load_key(algorithm, odd)


def test_an_algorithm_of_another_name(algorithm: str, pair: Pair) -> None:
    for other in ALGORITHMS:
        if other != algorithm:
            with pytest.raises(UnacceptableKeyError):
                verify(algorithm, pair.blob, signed(other, pair), COVERED)
            with pytest.raises(UnacceptableKeyError):
                verify(other, pair.blob, signed(algorithm, pair), COVERED)


def test_another_key_of_the_same_kind(algorithm: str, pair: Pair) -> None:
    with pytest.raises(UnacceptableKeyError):
        verify(algorithm, MAKERS[algorithm]().blob, signed(algorithm, pair), COVERED)


def rsa_blob(exponent: bytes, modulus: bytes) -> bytes:
    return string(b"ssh-rsa") + string(exponent) + string(modulus)


GOOD_MODULUS = b"\0" + b"\xc1" * 256


@pytest.mark.parametrize(
    "blob",
    [
        rsa_blob(b"\1\0\1", b"\0" + b"\xff" * 127),
        rsa_blob(b"\1\0\1", b"\0" + b"\xff" * 2049),
        rsa_blob(b"\1" * 9, GOOD_MODULUS),
        rsa_blob(b"", GOOD_MODULUS),
        rsa_blob(b"\xff", GOOD_MODULUS),
        rsa_blob(b"\0\1\0\1", GOOD_MODULUS),
        rsa_blob(b"\0", GOOD_MODULUS),
        rsa_blob(b"\2", GOOD_MODULUS),
    ],
    ids=["small", "large", "exponent", "empty", "negative", "longer", "zero", "even"],
)
def test_rsa_keys_that_are_none(blob: bytes) -> None:
    with pytest.raises(UnacceptableKeyError):
        load_key("rsa-sha2-256", blob)


def test_a_key_that_names_another_curve() -> None:
    blob = MAKERS["ecdsa-sha2-nistp256"]().blob.replace(b"\x08nistp256", b"\x08nistp384")
    with pytest.raises(UnacceptableKeyError, match="another curve"):
        load_key("ecdsa-sha2-nistp256", blob)


@pytest.mark.parametrize("point", [b"", b"\4" + bytes(64), b"\4" + b"\xff" * 64, b"\0"])
def test_a_point_that_is_not_on_the_curve(point: bytes) -> None:
    blob = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(point)
    with pytest.raises(UnacceptableKeyError):
        load_key("ecdsa-sha2-nistp256", blob)


@pytest.mark.parametrize("other", ["rsa", "dss"])
def test_a_certificate_with_another_kind_of_key(other: str) -> None:
    made = MAKERS[f"x509v3-sign-{other}"]()
    name = "x509v3-sign-dss" if other == "rsa" else "x509v3-sign-rsa"
    blob = made.blob.replace(f"x509v3-sign-{other}".encode(), name.encode(), 1)
    with pytest.raises(UnacceptableKeyError, match="another kind of key"):
        load_key(name, blob)


def test_a_blob_that_is_no_certificate() -> None:
    with pytest.raises(UnacceptableKeyError):
        load_key("x509v3-sign-rsa", string(b"x509v3-sign-rsa") + string(b"0\x82"))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x63"),
    ],
    ids=["version", "kind of key"],
)
def test_a_certificate_that_cryptography_does_not_take(good: bytes, bad: bytes) -> None:
    made = MAKERS["x509v3-sign-rsa"]()
    odd = made.blob.replace(good, bad)
    assert odd != made.blob
    with pytest.raises(UnacceptableKeyError, match=r"no x509v3-sign-rsa key: "):
        load_key("x509v3-sign-rsa", odd)


class StrangeError(Exception):
    """What shares no base with what is expected."""


def test_whatever_cryptography_raises_refuses(
    algorithm: str, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise StrangeError

    good = signed(algorithm, pair)
    known = ALGORITHMS[algorithm]
    for broken in (replace(known, verify=fail), replace(known, load=fail)):
        monkeypatch.setattr(signatures, "ALGORITHMS", {algorithm: broken})
        with pytest.raises(UnacceptableKeyError):
            verify(algorithm, pair.blob, good, COVERED)


def test_a_dsa_signature_of_another_size() -> None:
    pair = dsa_pair()
    with pytest.raises(UnacceptableKeyError, match="40 bytes"):
        verify("ssh-dss", pair.blob, string(b"ssh-dss") + string(bytes(41)), COVERED)


def test_a_certificate_holds_a_key_as_large_as_keys_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = MAKERS["x509v3-sign-rsa"]()
    load_key("x509v3-sign-rsa", made.blob)
    monkeypatch.setattr(signatures, "_SMALLEST_RSA", 2049)
    with pytest.raises(UnacceptableKeyError, match="an RSA key has"):
        load_key("x509v3-sign-rsa", made.blob)


def test_a_certificate_that_is_only_warned_of() -> None:
    made = MAKERS["x509v3-sign-rsa"]()
    odd = made.blob.replace(b"\x02\x01\x01\x30", b"\x02\x01\x00\x30", 1)  # the serial number
    assert odd != made.blob
    with pytest.raises(UnacceptableKeyError, match="serial number"):
        load_key("x509v3-sign-rsa", odd)
