"""What a program has done wrong, as far as its bytes and its last words tell."""

import re

import pytest

from authplugin import (
    Limits,
    Message,
    PluginInitResponse,
    PluginKIServerResponse,
    PluginKIUserRequest,
    encode,
)
from authplugin_corpus.check.hints import guess
from authplugin_corpus.check.readings import manner_of
from authplugin_corpus.check.texts import flaw_in
from authplugin_corpus.check.uncaught import uncaught_in

UTF8 = "señor 🔑"


def string(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


ONE = (1).to_bytes(4, "big")
NONE = bytes(4)

MANNERS = [
    (b"\x15" + ONE + len(UTF8).to_bytes(4, "big") + UTF8.encode(), "counts characters"),
    (
        b"\x15" + ONE + (len(UTF8) + 1).to_bytes(4, "big") + UTF8.encode(),
        "counts units of UTF-16",
    ),
    (b"\x15" + ONE + b"\0\0\0\4se\xf1o", "another encoding"),
    (b"\x15\1\0\0\0\2\0\0\0no", "low byte first"),
    (b"\x15" + ONE + b"\0\0\0\3no", "as if a NUL ended"),
    (b"\x15" + ONE + string("no") + b"\0", "a NUL follows each text"),
    (b"\x15" + ONE + b"\0\0\0\6no", "counts its own four bytes"),
    (b"\x15" + b"\0\0\0\2" + string("no"), "one more than what follows"),
    (b"\x15" + NONE + string("no"), "one less than what follows"),
    (b"\x15\1" + string("no"), "a count takes one byte"),
    (b"\x15" + ONE + b"\0\2no", "takes two bytes"),
    (b"\x15" + ONE + b"\2no", "takes one byte"),
    (b"\x15" + ONE + b"no\0", "end with a NUL"),
    (b"\x15" + string("no"), "no count in front"),
    (b"\x15" + ONE + b"\0\0\1\0no", "beyond the end of the message"),
    (b"\x16" + NONE * 3 + ONE + string("?") + ONE, "a boolean takes four bytes"),
    (b"\x16" + NONE * 3 + ONE + string("?") + b"Y", "not written as 0 or 1"),
    (b"\x16" + NONE * 3 + ONE + string("?"), "no boolean behind them"),
    (b"\x15\2\0\0\0" + string("no") + string("yes"), "count has the low byte first"),
    (b"\x15\0\0\0\4" + string("no") * 2, "its count is 4, and 2 follow"),
    (b"\x15\0\0\0\xc8" + string("123456") * 100, "its count is 200, and 100 follow"),
    (b"\2" + string("bob") + b"\0\0\0\2", "in another order .*: version, username"),
    (b"\2" + string("bob"), r"a field is missing \(version\)$"),
    (b"\4" + NONE, "ACCEPT has no fields, not even an empty one"),
    (b"\x3d" + ONE + string("no"), r"61 is its type in SSH: here it has the type 21 \(H.6.8\)"),
    (b"\x15\x3d" + ONE + string("no"), "type in SSH, 61, stands behind its type 21"),
    (b"\x3c" + NONE * 3 + ONE + string("?") + b"\0", "60 is its type in SSH: .* 22"),
    (b"\x16" + string("name") + string("what") + ONE + string("?") + b"\0", "a field is missing"),
    (b"\2" + b"\0\0\0\2" + NONE + b"\4", "PLUGIN_PROTOCOL_ACCEPT is under the same length"),
]


@pytest.mark.parametrize(("body", "words"), MANNERS, ids=[words for _, words in MANNERS])
def test_the_manner_of_writing_is_told(body: bytes, words: str) -> None:
    assert re.search(words, str(manner_of(body)))


def test_no_manner_is_told_of_what_is_no_message() -> None:
    assert manner_of(b"") is None
    assert manner_of(b"\x01" + bytes(20)) is None
    assert manner_of(b"\x15" + b"\xff" * 9) is None


def test_four_bytes_too_many_are_no_length_that_counts_itself() -> None:
    assert "has no fields" in str(guess(b"\0\0\0\5\4" + NONE, Limits()))
    itself = b"\0\0\0\5\4"
    assert "counts the four bytes of the length" in str(guess(itself, Limits()))
    assert "counts the four bytes of the length" in str(guess(itself + itself, Limits()))


def test_a_frame_that_was_written_as_text_is_told() -> None:
    frame = encode(PluginKIServerResponse([UTF8]))
    double = frame.decode("latin-1").encode()
    assert "a byte above 127 has become two" in str(guess(double, Limits()))
    body = frame[4:].decode()
    short = len(body).to_bytes(4, "big") + body.encode()
    assert guess(short, Limits()) == "its length counts characters, and not bytes"


FLAWS: list[tuple[Message, str | None]] = [
    (PluginKIServerResponse(["a", "", UTF8, "a\0b"]), None),
    (PluginKIServerResponse(["a", "b\0"]), "NUL at the end of responses[1]"),
    (PluginKIServerResponse(["\0"]), "NUL at the end of responses[0]"),
    (PluginKIServerResponse(["\0\0\0\0"]), "NUL at the end of responses[0]"),
    (PluginKIServerResponse(["a\0b\0"]), "responses[0] in UTF-16"),
    (PluginKIServerResponse(["\0a\0b"]), "responses[0] in UTF-16"),
    (PluginKIServerResponse(["\ufeffa"]), "byte order mark at the start of responses[0]"),
    (PluginKIServerResponse(["a\r\n"]), "end of a line at the end of responses[0]"),
    (PluginInitResponse(2, ""), None),
    (PluginInitResponse(2, "bob\0"), "NUL at the end of username"),
    (PluginInitResponse(2, "bob\n"), None),
    (PluginKIUserRequest("", "", "", [("PIN:\n", False)]), None),
    (PluginKIUserRequest("", "", "", [("PIN:", False), ("", True)]), "prompts[1] empty"),
]


@pytest.mark.parametrize(("message", "words"), FLAWS)
def test_flaws_of_texts_are_told(message: Message, words: str | None) -> None:
    flaw = flaw_in(message)
    assert (flaw is None) if words is None else (flaw is not None and words in flaw.sentence)
    assert flaw is None or flaw.open is ("end of a line" in flaw.sentence)


UNCAUGHT = {
    "python": (
        b'Traceback (most recent call last):\n  File "p.py", line 3, in <module>\n'
        b"    main()\nKeyError: 'x'\n",
        "KeyError: 'x'",
    ),
    "node": (
        b"/p.mjs:3\n  throw new Error('no more');\n  ^\n\nError: no more\n"
        b"    at main (file:///p.mjs:3:9)\n\nNode.js v20.1.0\n",
        "Error: no more",
    ),
    "go": (b"panic: EOF\n\ngoroutine 1 [running]:\nmain.main()\n", "EOF"),
    "rust": (
        b"thread 'main' panicked at src/main.rs:2:5:\nno more\nnote: run with\n",
        "src/main.rs:2:5:",
    ),
    "java": (
        b'Exception in thread "main" java.io.EOFException\n\tat P.main(P.java:3)\n',
        "java.io.EOFException",
    ),
    "dotnet": (
        b"Unhandled exception. System.IO.EndOfStreamException: no more\n   at P.Main()\n",
        "System.IO.EndOfStreamException: no more",
    ),
    "ruby": (
        b"p.rb:3:in `read': end of file reached (EOFError)\n",
        "end of file reached (EOFError)",
    ),
}


@pytest.mark.parametrize("language", UNCAUGHT)
def test_an_exception_that_nothing_caught_is_told(language: str) -> None:
    output, what = UNCAUGHT[language]
    assert uncaught_in(output) == what
    assert uncaught_in(b"starting\n" + output) == what


@pytest.mark.parametrize("output", [b"", b"refused: a field is cut short\n", b"Error: no more\n"])
def test_an_error_that_was_told_of_is_none(output: bytes) -> None:
    assert uncaught_in(output) is None
