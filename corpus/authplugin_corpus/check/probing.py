"""What a program that has no answer to PLUGIN_INIT waits for instead: it is tried out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from authplugin import (
    KEYBOARD_INTERACTIVE,
    Limits,
    PluginAuthFailure,
    PluginInit,
    PluginKIServerRequest,
    PluginProtocol,
    decode,
    encode,
)
from authplugin.kinds import TextValue

from .subject import Ended, Output, Quiet, Subject, TimeOver

_HEADER: Final = 4
_LIMITS: Final = Limits(any_bytes=True)
_ATTEMPTS: Final = 4000
"""How many attempts have answers that fill the buffer of an output."""

_LONG: Final = 200_000
"""Bytes that fill the buffer of an input."""

_SECONDS: Final = 2.0


class _Probe(NamedTuple):
    """What a program might understand.

    Attributes:
        words: what it means that it does.
        made: from a right PLUGIN_INIT.
        closes: whether the input ends behind it.
    """

    words: str
    made: Callable[[bytes], bytes]
    closes: bool = False


def _with_length(length: Callable[[int], bytes]) -> Callable[[bytes], bytes]:
    return lambda frame: length(len(frame) - _HEADER) + frame[_HEADER:]


def _low_byte_first(frame: bytes) -> bytes:
    init = decode(frame, _LIMITS)
    assert isinstance(init, PluginInit)
    hostname, username = _octets(init.hostname), _octets(init.username)
    body = b"".join(
        (
            frame[_HEADER : _HEADER + 1],
            init.version.to_bytes(4, "little"),
            len(hostname).to_bytes(4, "little") + hostname,
            init.port.to_bytes(4, "little"),
            len(username).to_bytes(4, "little") + username,
        )
    )
    return len(body).to_bytes(4, "little") + body


def _octets(text: TextValue) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)


def _long_conversation(frame: bytes) -> bytes:
    request = PluginKIServerRequest("", " " * _LONG, "", [("Password: ", False)])
    return (
        frame + encode(PluginProtocol(KEYBOARD_INTERACTIVE)) + encode(request, Limits(text=_LONG))
    )


def _many_attempts(frame: bytes) -> bytes:
    attempt = encode(PluginProtocol(KEYBOARD_INTERACTIVE)) + encode(PluginAuthFailure())
    return frame + attempt * _ATTEMPTS


_PROBES: Final = (
    _Probe(
        "it answers when a line feed follows: it reads lines, and a message ends where its length "
        "says",
        lambda frame: frame + b"\n",
    ),
    _Probe(
        "it answers a length with the low byte first: it reads lengths in the wrong byte order",
        _with_length(lambda length: length.to_bytes(4, "little")),
    ),
    _Probe(
        "it answers when all numbers have the low byte first: it reads them in the wrong order",
        _low_byte_first,
    ),
    _Probe(
        "it answers a length that counts its own four bytes, which it does not",
        _with_length(lambda length: (length + _HEADER).to_bytes(4, "big")),
    ),
    _Probe(
        "it answers a length that does not count the type byte, which it does",
        _with_length(lambda length: (length - 1).to_bytes(4, "big")),
    ),
    _Probe(
        "it answers a length of two bytes, where there are four",
        _with_length(lambda length: length.to_bytes(2, "big")),
    ),
    _Probe(
        "it answers when the type comes before the length, where it comes behind",
        lambda frame: frame[_HEADER : _HEADER + 1] + frame[:_HEADER] + frame[_HEADER + 1 :],
    ),
    _Probe(
        "it answers a message without a length in front",
        lambda frame: frame[_HEADER:],
    ),
    _Probe(
        "it answers hexadecimal digits, where the messages are bytes",
        lambda frame: frame.hex().encode() + b"\n",
    ),
    _Probe(
        "it answers when much more has come: it waits until its buffer is full, or so many bytes "
        "have come as it asked for, and a message ends where its length says",
        _long_conversation,
    ),
    _Probe(
        "its answers come once there are many of them: its output has to be flushed after each "
        "message",
        _many_attempts,
    ),
    _Probe(
        "it answers when its input is closed, however much it has heard and would have said: it "
        "reads all of its input first",
        lambda frame: frame,
        closes=True,
    ),
)


def diagnosis(
    command: Sequence[str], environment: Mapping[str, str] | None, opening: bytes
) -> str | None:
    """Return what a program wants instead of PLUGIN_INIT as it is; None where that is not found.

    Args:
        command: the program and its arguments.
        environment: its variables, all of them; None for those of this process.
        opening: PLUGIN_INIT as the program should take it.

    Raises:
        OSError: where it cannot be started.
    """

    def speaks(data: bytes, *, closes: bool = False) -> bool:
        return _speaks(command, environment, data, closes=closes)

    if speaks(opening):
        return None
    understood = (each for each in _PROBES if speaks(each.made(opening), closes=each.closes))
    return next((each.words for each in understood), None)


def _speaks(
    command: Sequence[str], environment: Mapping[str, str] | None, data: bytes, *, closes: bool
) -> bool:
    """Say whether a program that is told something writes anything, and waits for more then.

    Where nothing more can come it need not wait.
    """
    deadline = time.monotonic() + _SECONDS
    spoke = False
    with Subject(command, environment=environment) as subject:
        subject.write(data)
        if closes:
            subject.close_input()
        while True:
            match subject.next(max(deadline - time.monotonic(), 0.0)):
                case Output():
                    spoke = True
                case Quiet() | TimeOver():
                    return spoke
                case Ended():
                    return spoke and closes  # else what it had not flushed came out
            if time.monotonic() >= deadline:
                return spoke
