"""Vectors of single messages of SSH's user authentication: each, right and with every fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from authplugin import Limits, RemoteProtocolError
from authplugin.errors import ErrorCode
from authplugin.table import WireMessage
from authplugin.userauth.codec import decode_payload, encode_payload
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
    UserAuthPublicKeyQuery,
    UserAuthRequest,
)

from ..faults import USER_AUTH_FAULTS, Fault, Faulty, plain
from ..message_json import constants_of, message_to_json
from ..protocols import label_of, protocol_of
from ..segments import segments_of
from . import user_auth_house as house
from .frames import CHOICES, HOW, OVER_LIMITS, PHRASES, Choice, Chosen, beyond
from .words import WORDINGS, part_phrase, part_words

TIGHT: Final = Limits(frame=256, text=96, count=2)
"""Limits that the house's messages just keep to, so that going beyond them takes few bytes."""

_CLAUSES: Final = {
    "empty-frame": "RFC 4252 6",
    "oversized-count": "RFC 4256 3.2",
    "lying-count": "RFC 4256 3.2",
    "bad-ascii": "RFC 4251 6",
    "unknown-type": "RFC 4252 6",
    "other-method": "RFC 4252 6",
}
"""The section that a fault breaks, where that is not the one on the encoding of fields."""

_SECTION: Final = "RFC 4251 5"


def messages() -> list[dict[str, Any]]:
    """Return all generated vectors of messages, in their JSON form."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for vector in (*_right(), *_boundaries(), *_wrong()):
        key = (vector["payload"], str(vector.get("limits")), str(vector.get("method")))
        known = found.setdefault(key, vector)
        for each in vector.get("strikes", ()):
            if each not in known.setdefault("strikes", []):
                known["strikes"].append(each)
    return list(found.values())


def short(message_type: type[WireMessage]) -> str:
    """Return the words for a message in an id: `"password-change"`, `"info-request"`."""
    name = message_type.__name__.removeprefix("UserAuth")
    return re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()


def phrase(message_type: type[WireMessage]) -> str:
    """Return the words for a message in a sentence."""
    spec = message_type.spec
    constants = constants_of(spec)
    if not constants:
        return spec.name
    method, *others = constants.items()
    said = [str(method[1]), *(f"{name} {str(value).lower()}" for name, value in others)]
    return f"{spec.name} ({', '.join(said).replace('_', ' ')})"


def clause_of(message_type: type[WireMessage]) -> str:
    """Return the section that defines a message."""
    return message_type.spec.clause.replace(", ", " ")


# What is right.


def _right() -> Iterator[dict[str, Any]]:
    for filled in house.one_of_each():
        kind = type(filled)
        yield _valid(short(kind), f"{phrase(kind)} with every field filled.", filled)
        if filled.spec.variables:
            empty = f"{phrase(kind)} in which everything is empty, or false."
            yield _valid(f"{short(kind)}-empty", empty, plain(kind))


def _valid(words: str, sentence: str, message: UserAuthMessage, flag: str = "clean") -> Any:
    vector: dict[str, Any] = {
        "id": f"userauth-{words}",
        "sentence": sentence,
        "clause": clause_of(type(message)),
        "result": "valid",
        "flags": [flag],
    }
    if message.spec.method is not None:
        vector["method"] = message.spec.method
    return vector | {
        "payload": encode_payload(message).hex(),
        "message": message_to_json(message),
    }


def _boundaries() -> Iterator[dict[str, Any]]:
    """Yield what is right, and just so."""
    user, service = house.USER, house.SERVICE
    rows: list[tuple[str, str, UserAuthMessage, str]] = [
        ("user-with-nul", "A user name may have a NUL in it, which ends nothing.",
         UserAuthNone("alice\0root", service), "text"),
        ("user-beyond-ascii", "A user name in letters beyond ASCII.",
         UserAuthNone("älice-爱丽丝", service), "text"),
        ("password-beyond-ascii", "A password of characters of every length in UTF-8.",
         UserAuthPassword(user, service, "aä爱😀"), "text"),
        ("password-line-ends", "A password in which line ends stand as they are.",
         UserAuthPassword(user, service, "a\r\nb\n"), "text"),
        ("public-key-query-no-key", "A query about a key of no bytes, which no decoder minds.",
         UserAuthPublicKeyQuery(user, service, "ssh-ed25519", b""), "sizes"),
        ("public-key-query-any-bytes", "A key may consist of any bytes, UTF-8 or not.",
         UserAuthPublicKeyQuery(user, service, "ssh-ed25519", b"\0\xff\x80,"), "text"),
        ("other-domain-method", "A method of somebody's own has a domain in its name.",
         UserAuthOther(user, service, "token@example.com", b"\x01"), "clean"),
        ("other-nothing-behind", "A method that nobody declared, with nothing behind its name.",
         UserAuthOther(user, service, "hostbased", b""), "clean"),
        ("other-longer-name", "A method whose name begins with that of another.",
         UserAuthOther(user, service, "password2", b"\0\0\0\0\1x"), "clean"),
        ("other-shorter-name", "A method whose name is the beginning of another's.",
         UserAuthOther(user, service, "publi", b""), "clean"),
        ("other-upper-case", "Names of methods are not the same in other letters.",
         UserAuthOther(user, service, "PASSWORD", b"\0\0\0\0\1x"), "clean"),
        ("keyboard-interactive-submethods", "Submethods are a list in UTF-8.",
         UserAuthKeyboardInteractive(user, service, "", "pam,müde"), "text"),
        ("failure-one-name", "A list of one name.", UserAuthFailure("password", False), "clean"),
        ("failure-same-names", "A list may name a method twice.",
         UserAuthFailure("password,password", False), "clean"),
        ("banner-line-ends", "A banner of several lines, with CR LF between them.",
         UserAuthBanner("One.\r\nTwo.\r\n", ""), "text"),
        ("info-request-no-prompts", "A request without prompts.",
         UserAuthInfoRequest("Login", "Please wait.", "", []), "clean"),
        ("info-request-empty-prompt", "A prompt of no characters, which nobody may send, is as"
         " well-formed as another.", UserAuthInfoRequest("", "", "", [("", False)]), "sizes"),
        ("info-request-language-tag", "A request with a language tag of several parts.",
         UserAuthInfoRequest("", "", "de-CH-1996", [("Kennwort: ", False)]), "clean"),
        ("info-response-none", "No responses, to no prompts.", UserAuthInfoResponse([]), "clean"),
        ("info-response-empty-one", "A response of no characters.",
         UserAuthInfoResponse([""]), "sizes"),
        ("info-response-nul", "A response may have a NUL in it.",
         UserAuthInfoResponse(["a\0b"]), "text"),
    ]  # fmt: skip
    for words, sentence, message, flag in rows:
        yield _valid(words, sentence, message, flag)
    yield from _at_limits()


def _at_limits() -> Iterator[dict[str, Any]]:
    """Yield messages that just keep to limits, and one that is over that of frames."""
    limits = {"frame": TIGHT.frame, "text": TIGHT.text, "count": TIGHT.count}
    text = "x" * TIGHT.text
    for words, sentence, message in (
        ("password-longest", "A password as long as a text may be.",
         UserAuthPassword(house.USER, house.SERVICE, text)),
        ("info-response-most", "As many responses as there may be.",
         UserAuthInfoResponse(["a", "b"])),
    ):  # fmt: skip
        vector = _valid(words, sentence, message, "limits")
        yield _with_limits(vector, limits)
    rest = TIGHT.frame - len(encode_payload(UserAuthOther("", "", "x", b"")))
    full = UserAuthOther("", "", "x", b"\xff" * rest)
    yield _with_limits(
        _valid("other-longest", "A payload as long as one may be.", full, "limits"), limits
    )
    over = encode_payload(UserAuthOther("", "", "x", b"\xff" * (rest + 1)))
    yield {
        "id": "userauth-other-over-limit",
        "sentence": "A payload that is longer by one byte than one may be.",
        "clause": "RFC 4253 6",
        "result": "invalid",
        "flags": ["limits"],
        "limits": limits,
        "payload": over.hex(),
        "error": _error(over, TIGHT, None),
    }


def _with_limits(vector: dict[str, Any], limits: dict[str, int]) -> dict[str, Any]:
    message = vector.pop("message")
    payload = vector.pop("payload")
    return vector | {"limits": limits, "payload": payload, "message": message}


# What is wrong.


def _wrong() -> Iterator[dict[str, Any]]:
    for fault in USER_AUTH_FAULTS:
        for right in house.one_of_each():
            yield from _struck(fault, right, Limits())
            if fault.name in OVER_LIMITS:
                yield from _struck(fault, right, TIGHT)


def _struck(fault: Fault, right: UserAuthMessage, limits: Limits) -> Iterator[dict[str, Any]]:
    protocol = protocol_of(type(right))
    by_part: dict[str, list[Faulty]] = {}
    frame = protocol.encode(right, Limits())
    for faulty in fault.strike([frame], limits, protocol):
        if faulty.payload is not None:
            by_part.setdefault(faulty.part, []).append(faulty)
    for found in by_part.values():
        choice = beyond if limits is TIGHT else _CHOICES.get(fault.name) or CHOICES[fault.name]
        for words, faulty in choice(right, found):
            yield _faulty_vector(fault, right, faulty, words, limits)


def _faulty_vector(
    fault: Fault, right: UserAuthMessage, faulty: Faulty, words: str, limits: Limits
) -> dict[str, Any]:
    assert faulty.payload is not None
    # Else a part and the rest of a message's name could be taken for each other.
    part = "" if faulty.part == "frame" else f"-at-{part_words(faulty.part)}"
    suffix = f"-{words}" if words else ""
    taken = _as_taken(right, faulty)
    flag = WORDINGS[fault.name].flag if taken is None else _open_question(faulty)
    if taken is None and faulty.code is ErrorCode.BAD_BOOLEAN:
        flag = "short-frame"  # whoever takes it for true looks for what is not there
    vector: dict[str, Any] = {
        "id": f"userauth-{short(type(right))}{part}-{fault.name}{suffix}",
        "sentence": _sentence(fault, right, faulty, words),
        "clause": _CLAUSES.get(fault.name, _SECTION),
        "result": "invalid" if taken is None else "acceptable",
        "flags": [flag, "limits"] if limits is TIGHT else [flag],
        "strikes": [{"message": faulty.message, "part": faulty.part, "fault": fault.name}],
    }
    if right.spec.method is not None:
        vector["method"] = right.spec.method
    if limits is TIGHT:
        vector["limits"] = {"frame": TIGHT.frame, "text": TIGHT.text, "count": TIGHT.count}
    vector["payload"] = faulty.payload.hex()
    vector["error"] = _error(faulty.payload, limits, right.spec.method)
    return vector if taken is None else vector | {"message": taken}


def _sentence(fault: Fault, right: UserAuthMessage, faulty: Faulty, words: str) -> str:
    text = PHRASES.get(fault.name, WORDINGS[fault.name].phrase)
    part = {"type": "the type byte", "frame": "the payload as a whole"}.get(faulty.part)
    text = text.format(message=phrase(type(right)), part=part or part_phrase(faulty.part))
    text = text.replace("whose frame", "whose payload").replace("a frame", "a payload")
    how = f" ({HOW.get(words, words.replace('-', ' '))})" if words else ""
    return f"{text[0].upper()}{text[1:]}{how}."


def _error(payload: bytes, limits: Limits, method: str | None) -> dict[str, Any]:
    try:
        decode_payload(payload, limits, method)
    except RemoteProtocolError as error:
        form: dict[str, Any] = {"code": str(error.code)}
        if error.field is not None:
            form["field"] = error.field
        if error.offset is not None:
            form["offset"] = max(error.offset - 4, 0)
        return form
    raise AssertionError("a fault that is none")


def _open_question(faulty: Faulty) -> str:
    if faulty.code is ErrorCode.BAD_BOOLEAN:
        return "nonzero-boolean"
    return "bad-language-tag" if faulty.part == "language" else "bad-name"


def _as_taken(right: UserAuthMessage, faulty: Faulty) -> dict[str, Any] | None:
    """Return what a lenient receiver reads; None where nobody may take the payload."""
    if faulty.code is ErrorCode.BAD_ASCII:
        return _with_name(right, faulty)
    if faulty.code is not ErrorCode.BAD_BOOLEAN:
        return None
    at = next(at for at, byte in enumerate(faulty.data) if byte != _right_frame(right)[at])
    canonical = faulty.data[:at] + b"\x01" + faulty.data[at + 1 :]
    try:
        return message_to_json(protocol_of(type(right)).decode(canonical, Limits()))
    except RemoteProtocolError:
        return None


def _right_frame(right: UserAuthMessage) -> bytes:
    return protocol_of(type(right)).encode(right, Limits())


def _with_name(right: UserAuthMessage, faulty: Faulty) -> dict[str, Any]:
    """Return a message with another name in it, which is as it came."""
    form = message_to_json(right)
    assert faulty.payload is not None
    at = 1
    for segment in segments_of(protocol_of(type(right)).decode(_right_frame(right), Limits())):
        if segment.part == faulty.part:
            break
        at += len(segment.data)
    stop = at + 4 + int.from_bytes(faulty.payload[at : at + 4], "big")
    name = faulty.payload[at + 4 : stop]
    try:
        value: Any = name.decode()
    except UnicodeDecodeError:
        value = {"hex": name.hex()}
    if faulty.part in constants_of(right.spec):
        # Another method: what is behind its name is anything.
        assert isinstance(right, UserAuthRequest)
        form = {name: form[name] for name in ("type", "user", "service")}
        return form | {faulty.part: value, "rest": {"hex": faulty.payload[stop:].hex()}}
    return form | {faulty.part: value}


# Which of the places that a fault finds in a part are stored, and the words for each.


def _types(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    for faulty in found if isinstance(message, UserAuthNone) else found[:1]:
        yield faulty.place.split()[-1], faulty


def _names(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    yield from zip(("comma", "first", "last", "between"), found, strict=True)


def _others(message: WireMessage, found: Sequence[Faulty]) -> Chosen:
    kinds = {label_of(each.spec): each for each in protocol_of(type(message)).elsewhere}
    for faulty in found:
        yield short(kinds[faulty.place.removesuffix(" instead")]), faulty


_CHOICES: Final[dict[str, Choice]] = {
    "unknown-type": _types,
    "bad-name-list": _names,
    "other-method": _others,
}
