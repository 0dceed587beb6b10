"""Everything that a client must not say to a plugin, and the state in which it must not."""

from collections.abc import Iterator

from tests.integration.wire import (
    ACCEPT,
    FAILURE,
    MAX_FRAME,
    PASSWORD,
    SUCCESS,
    for_user,
    frame,
    init,
    init_response,
    protocol,
    request,
    responses,
    string,
    uint32,
)

START, IDLE, AUTHENTICATING, ASKING_USER, ENDED = STATES = (
    *("start", "idle", "authenticating", "asking-user", "ended"),
)
"""The states in which it is the client's turn; in the last, it may only close."""

ILL_FORMED = {
    "lone-continuation": b"\x80",
    "late-continuation": b"a\xbf",
    "c0-overlong": b"\xc0\x80",
    "c1-overlong": b"\xc1\xbf",
    "two-cut-short": b"\xc3",
    "two-without-continuation": b"\xc3(",
    "three-overlong": b"\xe0\x9f\xbf",
    "three-cut-short": b"\xe2\x82",
    "three-without-second": b"\xe2(\xa1",
    "three-without-third": b"\xe2\x82(",
    "first-surrogate": b"\xed\xa0\x80",
    "last-surrogate": b"\xed\xbf\xbf",
    "four-overlong": b"\xf0\x8f\xbf\xbf",
    "four-cut-short": b"\xf0\x9f\x92",
    "four-without-second": b"\xf0(\x8c\xbc",
    "four-without-third": b"\xf0\x90(\xbc",
    "four-without-fourth": b"\xf0\x90\x8c(",
    "above-10ffff": b"\xf4\x90\x80\x80",
    "f5": b"\xf5\x80\x80\x80",
    "five-bytes": b"\xf8\x88\x80\x80\x80",
    "fe": b"\xfe",
    "ff": b"\xff",
    "latin-1": b"caf\xe9",
}

MESSAGES = {
    1: init(),
    2: init_response(),
    3: protocol(),
    4: ACCEPT,
    5: frame(5, string(b"")),
    6: SUCCESS,
    7: FAILURE,
    8: frame(8, string(b"")),
    20: request(PASSWORD),
    21: responses(b"r"),
    22: for_user(request(PASSWORD)),
    23: for_user(responses(b"r")),
}
"""One well-formed message of every type, by its code."""

ALLOWED: dict[str, set[int]] = {
    START: {1},
    IDLE: {3},
    AUTHENTICATING: {6, 7, 20},
    ASKING_USER: {23},
    ENDED: set(),
}
"""The types that the client may send, by state."""


def violations() -> Iterator[tuple[str, str, bytes]]:
    """Give the state in which each violation is one, its name there, and its bytes."""
    yield from _ends()
    yield from _lengths()
    yield from _values()
    yield from _turns()
    yield from _frames()


def _ends() -> Iterator[tuple[str, str, bytes]]:
    """Give bodies that are too long or too short for their type."""
    for state, codes in ALLOWED.items():
        for code in sorted(codes):
            body = MESSAGES[code][4:]
            yield state, f"trailing-byte-{code}", string(body + b"\0")
            yield state, f"trailing-string-{code}", string(body + string(b"x"))
            if len(body) > 1:
                yield state, f"no-fields-{code}", string(body[:1])
                yield state, f"half-of-the-fields-{code}", string(body[: len(body) // 2])
                yield state, f"last-byte-missing-{code}", string(body[:-1])


def _lengths() -> Iterator[tuple[str, str, bytes]]:
    """Give every length and count inside a frame wrong, by one each way and by a lot."""
    for state, code, fields in (
        (
            START,
            1,
            [
                ("", uint32(2)),
                ("host", string(b"host")),
                ("", uint32(22)),
                ("user", string(b"bob")),
            ],
        ),
        (IDLE, 3, [("method", string(b"keyboard-interactive"))]),
        (
            AUTHENTICATING,
            20,
            [
                ("name", string(b"name")),
                ("instructions", string(b"instructions")),
                ("language", string(b"en")),
                ("prompts", uint32(2)),
                ("first-prompt", string(b"Password: ") + b"\0"),
                ("second-prompt", string(b"Token: ") + b"\1"),
            ],
        ),
        (ASKING_USER, 23, [("responses", uint32(1)), ("response", string(b"r"))]),
    ):
        for at, (name, field) in enumerate(fields):
            right = int.from_bytes(field[:4], "big")
            for wrong in (right - 1, right + 1, 2**31, 2**32 - 1) if name else ():
                body = [encoded for _, encoded in fields]
                body[at] = uint32(wrong) + field[4:]
                yield state, f"{name}-{wrong}-for-{right}", frame(code, *body)


def _values() -> Iterator[tuple[str, str, bytes]]:
    """Give bytes that their kind of field does not know."""
    for byte in (2, 0x7F, 0x80, 0xFF):
        yield AUTHENTICATING, f"boolean-{byte}", request((b"Password: ", byte))
    yield AUTHENTICATING, "last-boolean", request(PASSWORD, (b"Token: ", 2))
    for name, text in ILL_FORMED.items():
        yield AUTHENTICATING, f"utf8-prompt-{name}", request((text, 0))
    latin = ILL_FORMED["latin-1"]
    yield START, "utf8-host", init(host=latin)
    yield START, "utf8-user", init(user=latin)
    yield AUTHENTICATING, "utf8-name", request(name=latin)
    yield AUTHENTICATING, "utf8-instructions", request(PASSWORD, instructions=latin)
    yield AUTHENTICATING, "utf8-last-prompt", request(PASSWORD, (latin, 0))
    yield ASKING_USER, "utf8-response", for_user(responses(latin))
    # Ill-formed, though the two fields together would be well-formed.
    yield AUTHENTICATING, "utf8-across", request(name=b"\xc3", instructions=b"\xa9")
    for name, text in (("utf8", b"\xc3\xa9"), ("byte", b"\x80"), ("last-byte", b"en\xff")):
        yield IDLE, f"ascii-method-{name}", protocol(text)
        yield AUTHENTICATING, f"ascii-language-{name}", request(language=text)
    # One prompt waits for one response.
    yield ASKING_USER, "no-responses", for_user(responses())
    yield ASKING_USER, "two-responses", for_user(responses(b"a", b"b"))


def _turns() -> Iterator[tuple[str, str, bytes]]:
    """Give several frames in one write, which ask for an answer before the last of them.

    One write to a pipe of so few bytes is one read at the other end: nothing here is a race.
    """
    yield START, "early-protocol", init() + protocol()
    yield START, "early-init", init() + init()
    yield START, "early-byte", init() + b"\0"
    yield IDLE, "early-request", protocol() + request(PASSWORD)
    yield IDLE, "early-protocol-after-unknown-method", protocol(b"password") + protocol()
    yield AUTHENTICATING, "early-request", SUCCESS + protocol() + request(PASSWORD)
    yield AUTHENTICATING, "early-outcome", request() + SUCCESS
    yield AUTHENTICATING, "early-user-response", request(PASSWORD) + MESSAGES[23]
    yield ASKING_USER, "early-outcome", MESSAGES[23] + SUCCESS
    # An outcome gets no answer, but what follows it must be right.
    yield AUTHENTICATING, "second-outcome", SUCCESS + FAILURE
    yield AUTHENTICATING, "request-after-outcome", SUCCESS + request(PASSWORD)
    yield AUTHENTICATING, "empty-frame-after-outcome", SUCCESS + uint32(0)


def _frames() -> Iterator[tuple[str, str, bytes]]:
    """Give, for every state, the lengths and types that it does not know.

    Nothing follows a length: whoever waits for what it claims waits for ever.
    """
    for state in STATES:
        for length in (0, MAX_FRAME + 1, 2**31, 2**32 - 1):
            yield state, f"frame-of-{length}", uint32(length)
        for code in sorted({0, 9, 128, 255} | MESSAGES.keys() - ALLOWED[state]):
            yield state, f"type-{code}", MESSAGES.get(code, frame(code))
