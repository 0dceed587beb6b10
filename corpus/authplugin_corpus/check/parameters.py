"""What can be set in the conversations, for plugins that insist on a host name or on prompts.

Only what the client says changes: the messages of a vector are encoded anew, so that their lengths
are right, and what is wrong with a vector stays as wrong as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import cycle
from typing import Any, Final, NamedTuple

from authplugin import (
    Limits,
    Message,
    PluginInit,
    PluginKIServerRequest,
    PluginProtocol,
    RemoteProtocolError,
    decode,
    encode,
)

from ..model import Send

_LIMITS: Final = Limits(frame=2**24, text=2**24, count=2**20, any_bytes=True)
_HEADER: Final = 4

USER_ANSWER: Final = "secret"
"""What the user answers to each prompt of a plugin, unless told otherwise."""


class Prompt(NamedTuple):
    """One question of the server."""

    text: str
    echo: bool | None = None  # None for the vector's


class Answer(NamedTuple):
    """What the user answers to the prompts that a pattern fits (`*`, `?`, `[...]`)."""

    pattern: str
    text: str


class Parameters(NamedTuple):
    """What the client says in place of what the vectors say; None for the latter.

    Attributes:
        hostname: of the server.
        port: of the server.
        username: that the client has been told; may be empty.
        method: that the client offers where a vector offers keyboard-interactive.
        name: of each of the server's requests.
        instructions: of each of the server's requests.
        prompts: the server's questions; as many as a vector has, from the first again where it has
            more. Empty for the vectors' own.
        answers: the user's, the first that fits.
    """

    hostname: str | None = None
    port: int | None = None
    username: str | None = None
    method: str | None = None
    name: str | None = None
    instructions: str | None = None
    prompts: Sequence[Prompt] = ()
    answers: Sequence[Answer] = ()

    @property
    def changes_vectors(self) -> bool:
        """Whether anything but the user's answers is set."""
        return self._replace(answers=()) != Parameters()

    def answer(self, prompt: str) -> str:
        """Return what the user answers to a prompt of the plugin."""
        for each in self.answers:
            if fnmatchcase(prompt, each.pattern):
                return each.text
        return USER_ANSWER

    def in_message(self, message: Message) -> Message:
        """Return a message of the client's with what is set."""
        if isinstance(message, PluginInit):
            return PluginInit(
                message.version,
                _set(self.hostname, message.hostname),
                message.port if self.port is None else self.port,
                _set(self.username, message.username),
            )
        if isinstance(message, PluginProtocol) and message.detach().method == _METHOD:
            return PluginProtocol(_set(self.method, message.method))
        if isinstance(message, PluginKIServerRequest):
            questions = zip(message.prompts, cycle(self.prompts or [None]), strict=False)
            return PluginKIServerRequest(
                _set(self.name, message.name),
                _set(self.instructions, message.instructions),
                message.language,
                [
                    (text, echo)
                    if asked is None
                    else (asked.text, echo if asked.echo is None else asked.echo)
                    for (text, echo), asked in questions
                ],
            )
        return message

    def in_send(self, send: Send) -> Send:
        """Return what is sent, with what is set."""
        if not self.changes_vectors:
            return send
        good = sum(len(encode(message, _LIMITS)) for message in send.messages)
        messages = tuple(map(self.in_message, send.messages))
        start = b"".join(encode(message, _LIMITS) for message in messages)
        return send._replace(data=start + self._in_faulty(send.data[good:]), messages=messages)

    def _in_faulty(self, data: bytes) -> bytes:
        """Return a faulty frame with what is set, where it can be read in spite of its fault.

        That is, with bytes left over behind its last field, or cut off behind its fields.
        """
        if len(data) <= _HEADER:
            return data
        length = int.from_bytes(data[:_HEADER], "big")
        body = data[_HEADER:]
        for end in range(len(body), max(len(body) - _MOST_LEFT_OVER, 0), -1):
            frame = end.to_bytes(_HEADER, "big") + body[:end]
            try:
                message = decode(frame, _LIMITS)
            except RemoteProtocolError:
                continue
            changed = encode(self.in_message(message), _LIMITS)[_HEADER:]
            # A length that lies goes on lying by as much, unless it is out of all proportion.
            claimed = length + len(changed) - end
            if length > 2 * len(body) or claimed < 0:
                claimed = length
            return claimed.to_bytes(_HEADER, "big") + changed + body[end:]
        return data


_METHOD: Final = "keyboard-interactive"
_MOST_LEFT_OVER: Final = 16


def _set(value: str | None, otherwise: Any) -> Any:
    # What is no text is there to be refused, or to be taken, as it is.
    if value is None or (isinstance(otherwise, (bytes, memoryview)) and not _is_text(otherwise)):
        return otherwise
    return value


def _is_text(data: bytes | memoryview) -> bool:
    try:
        bytes(data).decode()
    except UnicodeDecodeError:
        return False
    return True
