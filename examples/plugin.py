#!/usr/bin/env python3
"""An authentication plugin for PuTTY and its kin (PuTTY manual, appendix H), in plain Python.

It needs the standard library alone.  It answers keyboard-interactive prompts from its command
line, or asks the user.  The habits that any plugin should have:

- A length is checked before anything waits for it, and against what is left of its frame before
  anything follows it.  What is held grows with what came, never with what was claimed.
- Standard output carries the protocol and nothing else.
- A violation gets one line on standard error, exit status 1 and no answer.  The line never
  repeats what came in: that might be a password.
"""

import os
import struct
import sys
from collections.abc import Callable
from enum import Enum, auto

MAX_FRAME = 262_144  # The largest length field that is accepted or sent.
VERSION = 2
USAGE = """\
usage: plugin [--username NAME] [--answer PROMPT=RESPONSE]... [--ask]
              [--fail-init MESSAGE] [--reject MESSAGE] [--log FILE]"""

PLUGIN_INIT = 1
PLUGIN_INIT_RESPONSE = 2
PLUGIN_PROTOCOL = 3
PLUGIN_PROTOCOL_ACCEPT = 4
PLUGIN_PROTOCOL_REJECT = 5
PLUGIN_AUTH_SUCCESS = 6
PLUGIN_AUTH_FAILURE = 7
PLUGIN_INIT_FAILURE = 8
PLUGIN_KI_SERVER_REQUEST = 20
PLUGIN_KI_SERVER_RESPONSE = 21
PLUGIN_KI_USER_REQUEST = 22
PLUGIN_KI_USER_RESPONSE = 23


class State(Enum):
    """The states in which the client speaks."""

    START = auto()
    IDLE = auto()
    AUTHENTICATING = auto()
    ASKING_USER = auto()
    ENDED = auto()


class Refused(Exception):  # noqa: N818
    """The conversation cannot go on; the text says why, without repeating anything of it."""


class Input:
    """Standard input, a frame at a time."""

    def __init__(self) -> None:
        self.held = bytearray()

    def _fill(self, wanted: int) -> bool:
        """Read until so many bytes are held; say whether they are."""
        while len(self.held) < wanted:
            chunk = os.read(0, 65_536)  # As much as is there, which may be less than a frame.
            if not chunk:
                return False
            self.held += chunk
        return True

    def frame(self) -> bytes | None:
        """Return the next frame's type byte and fields, or None at end of file."""
        if not self._fill(4):
            if self.held:
                raise Refused("the input ends inside a frame")
            return None
        (length,) = struct.unpack_from(">I", self.held)
        if not 1 <= length <= MAX_FRAME:
            raise Refused(f"a frame is empty or longer than {MAX_FRAME} bytes")
        if not self._fill(4 + length):
            raise Refused("the input ends inside a frame")
        frame = bytes(self.held[4 : 4 + length])
        del self.held[: 4 + length]
        return frame


class Fields:
    """The fields of one frame, taken one after the other."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.at = 1  # Behind the type byte.

    def _take(self, length: int) -> bytes:
        if length > len(self.frame) - self.at:
            raise Refused("a field is longer than what is left of its frame")
        self.at += length
        return self.frame[self.at - length : self.at]

    def uint32(self) -> int:
        """Take a number."""
        return int.from_bytes(self._take(4), "big")

    def boolean(self) -> bool:
        """Take a boolean: the byte 0 or 1 and no other."""
        byte = self._take(1)
        if byte not in (b"\0", b"\1"):
            raise Refused("a boolean is neither 0 nor 1")
        return byte == b"\1"

    def text(self, encoding: str = "utf-8") -> str:
        """Take a string, which must be of that encoding; Python's decoders are strict."""
        try:
            return self._take(self.uint32()).decode(encoding)
        except UnicodeDecodeError:
            raise Refused(f"a text is not {encoding.upper()}") from None

    def count(self, least: int) -> int:
        """Take a count of items, each of so many bytes at least, that what is left can hold."""
        count = self.uint32()
        if count > (len(self.frame) - self.at) // least:
            raise Refused("a count is larger than its frame can hold")
        return count

    def end(self) -> None:
        """See to it that nothing is left."""
        if self.at < len(self.frame):
            raise Refused("bytes are left over behind the last field")


def uint32(value: int) -> bytes:
    """Encode a number."""
    return value.to_bytes(4, "big")


def text(value: str) -> bytes:
    """Encode a text."""
    encoded = value.encode()
    return uint32(len(encoded)) + encoded


class Options:
    """The command line."""

    def __init__(self, arguments: list[str]) -> None:
        self.answers: dict[str, str] = {}
        self.ask = False
        values: dict[str, str | None] = dict.fromkeys(
            ("--username", "--fail-init", "--reject", "--log")
        )
        remaining = iter(arguments)
        for name in remaining:
            if name == "--ask":
                self.ask = True
                continue
            # Whatever the locale, the bytes that the command line holds must be UTF-8.
            value = os.fsencode(next(remaining)).decode()
            if name in values:
                values[name] = value
            elif name == "--answer" and "=" in value:
                prompt, _, response = value.partition("=")
                self.answers[prompt] = response
            else:
                raise ValueError(name)
        self.username = values["--username"] or ""
        self.fail_init = values["--fail-init"]
        self.reject = values["--reject"]
        self.log = values["--log"]


class Plugin:
    """One conversation.  Each message has a method, which returns the state that follows."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.input = Input()
        self.prompts: list[str] = []  # The server's, kept while the user is asked.
        self.asked: list[str] = []  # Those of them that the user was asked.
        self.handlers: dict[tuple[State, int], Callable[[Fields], State]] = {
            (State.START, PLUGIN_INIT): self.on_init,
            (State.IDLE, PLUGIN_PROTOCOL): self.on_protocol,
            (State.AUTHENTICATING, PLUGIN_KI_SERVER_REQUEST): self.on_server_request,
            (State.ASKING_USER, PLUGIN_KI_USER_RESPONSE): self.on_user_response,
            (State.AUTHENTICATING, PLUGIN_AUTH_SUCCESS): lambda f: self.on_outcome(f, "success\n"),
            (State.AUTHENTICATING, PLUGIN_AUTH_FAILURE): lambda f: self.on_outcome(f, "failure\n"),
        }

    def run(self) -> None:
        """Answer until the input closes: between two frames, that is the client's farewell."""
        state = State.START
        while (frame := self.input.frame()) is not None:
            handler = self.handlers.get((state, frame[0]))
            if handler is None:
                raise Refused("a message of this type is unknown, or may not be sent now")
            state = handler(Fields(frame))

    def send(self, message_type: int, *fields: bytes) -> None:
        """Send a message, unless the client has spoken again without waiting for it (H.1)."""
        if self.input.held:
            raise Refused("the client spoke out of turn")
        body = bytes([message_type]) + b"".join(fields)
        if len(body) > MAX_FRAME:
            raise Refused("the answer does not fit into a frame")
        left = memoryview(uint32(len(body)) + body)
        while left:
            left = left[os.write(1, left) :]

    def on_init(self, fields: Fields) -> State:
        """Agree on the version, and give the user name."""
        version = fields.uint32()
        fields.text()  # Host name.
        fields.uint32()  # Port.
        fields.text()  # The user name, where the client has one in mind.
        fields.end()
        failure = self.options.fail_init
        if failure is None and version < VERSION:
            failure = "This plugin speaks version 2 of the plugin protocol, and no older one."
        if failure is not None:
            self.send(PLUGIN_INIT_FAILURE, text(failure))
            return State.ENDED
        self.send(PLUGIN_INIT_RESPONSE, uint32(VERSION), text(self.options.username))
        return State.IDLE

    def on_protocol(self, fields: Fields) -> State:
        """Accept keyboard-interactive, and no other method."""
        is_known = fields.text("ascii") == "keyboard-interactive"
        fields.end()
        if is_known and self.options.reject is None:
            self.send(PLUGIN_PROTOCOL_ACCEPT)
            return State.AUTHENTICATING
        message = self.options.reject if is_known else None
        self.send(PLUGIN_PROTOCOL_REJECT, text(message or ""))
        return State.IDLE

    def on_server_request(self, fields: Fields) -> State:
        """Answer the server's prompts, or ask the user for what no --answer covers."""
        name, instructions, language = fields.text(), fields.text(), fields.text("ascii")
        prompts = [(fields.text(), fields.boolean()) for _ in range(fields.count(5))]
        fields.end()
        uncovered = [
            (prompt, echo) for prompt, echo in prompts if prompt not in self.options.answers
        ]
        self.prompts = [prompt for prompt, _ in prompts]
        self.asked = [prompt for prompt, _ in uncovered] if self.options.ask else []
        if not self.asked:
            return self.send_server_response([])
        self.send(
            PLUGIN_KI_USER_REQUEST,
            *(text(name), text(instructions), text(language), uint32(len(uncovered))),
            *(text(prompt) + bytes([echo]) for prompt, echo in uncovered),
        )
        return State.ASKING_USER

    def on_user_response(self, fields: Fields) -> State:
        """Answer the server with the help of what the user said."""
        responses = [fields.text() for _ in range(fields.count(4))]
        fields.end()
        if len(responses) != len(self.asked):
            raise Refused("there are not as many responses as prompts")
        return self.send_server_response(responses)

    def send_server_response(self, from_user: list[str]) -> State:
        """Answer the server; what the user was asked is taken from the user's responses."""
        given = iter(from_user)
        answers = self.options.answers
        responses = [
            answers[prompt] if prompt in answers else next(given, "") for prompt in self.prompts
        ]
        self.send(PLUGIN_KI_SERVER_RESPONSE, uint32(len(responses)), *map(text, responses))
        return State.AUTHENTICATING

    def on_outcome(self, fields: Fields, line: str) -> State:
        """Note how the server decided."""
        fields.end()
        if self.options.log is not None:
            with open(self.options.log, "a", encoding="ascii") as log:
                log.write(line)
        return State.IDLE


def main() -> int:
    """Run the plugin; return its exit status."""
    try:
        options = Options(sys.argv[1:])
    except (ValueError, StopIteration):  # UnicodeError is a ValueError.
        print(USAGE, file=sys.stderr)
        return 2
    try:
        Plugin(options).run()
    except BrokenPipeError:
        return 0  # The client has gone, as it may at any time.
    except Refused as reason:
        print(f"plugin: {reason}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"plugin: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
