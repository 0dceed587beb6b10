"""A right plugin in plain Python, made to be bent: the mistakes beside it override its methods.

It shares no code with the project. It answers each prompt with a password; where `asks` is set, it
asks the user for whatever is not called a password.
"""

import os
import signal
import struct
import sys
import threading
import time

INIT, INIT_RESPONSE, PROTOCOL, ACCEPT, REJECT, SUCCESS, FAILURE, INIT_FAILURE = range(1, 9)
SERVER_REQUEST, SERVER_RESPONSE, USER_REQUEST, USER_RESPONSE = range(20, 24)

LIMIT = 262_144
MOMENT = 0.01  # seconds
PASSWORD = "hunter2"


class Refused(Exception):  # noqa: N818 - the client's mistake, not ours
    """The client broke the protocol."""


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Refused(otherwise)


class Plugin:
    """One conversation; each method is a place where a mistake can be made."""

    asks = False

    def __init__(self) -> None:
        self.state = "START"
        self.body = b""  # the frame at hand
        self.at = 0  # how far it has been read
        self.prompts: list[tuple[str, bool]] = []  # the server's, each with its echo
        self.asked: list[tuple[str, bool]] = []  # those that went to the user

    # Bytes.

    def read(self, size: int) -> bytes:
        """Return so many bytes, or fewer at the end of the input."""
        data = b""
        while len(data) < size and (more := os.read(0, size - len(data))):
            data += more
        return data

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    # Frames.

    def length_of(self, header: bytes) -> int:
        (length,) = struct.unpack(">I", header)
        return int(length)

    def header_of(self, body: bytes) -> bytes:
        return struct.pack(">I", len(body))

    def read_frame(self) -> bytes | None:
        """Return a frame's type byte and fields, or None at the end of the input."""
        header = self.read(4)
        if not header:
            return None
        require(len(header) == 4, "the input ends inside a frame")
        length = self.length_of(header)
        require(1 <= length <= LIMIT, "a frame is empty or too long")
        body = self.read(length)
        require(len(body) == length, "the input ends inside a frame")
        return body

    def send(self, code: int, *fields: bytes) -> None:
        body = bytes([code]) + b"".join(fields)
        self.write(self.header_of(body) + body)

    # Fields.

    def take(self, size: int) -> bytes:
        require(size <= len(self.body) - self.at, "a field is cut short")
        self.at += size
        return self.body[self.at - size : self.at]

    def take_uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def take_boolean(self) -> bool:
        byte = self.take(1)
        require(byte in (b"\0", b"\1"), "a boolean is neither 0 nor 1")
        return byte == b"\1"

    def decode(self, data: bytes, encoding: str) -> str:
        return data.decode(encoding)

    def take_text(self, encoding: str = "utf-8") -> str:
        return self.decode(self.take(self.take_uint32()), encoding)

    def take_count(self, least: int) -> int:
        count = self.take_uint32()
        require(count <= (len(self.body) - self.at) // least, "a count is too large")
        return count

    def take_end(self) -> None:
        require(self.at == len(self.body), "bytes are left over")

    def uint32(self, value: int) -> bytes:
        return struct.pack(">I", value)

    def boolean(self, value: bool) -> bytes:
        return b"\1" if value else b"\0"

    def text(self, value: str) -> bytes:
        data = value.encode()
        return struct.pack(">I", len(data)) + data

    # The conversation.

    def on_init(self) -> str:
        offered = self.take_uint32()
        self.take_text()  # host name
        self.take_uint32()  # port
        username = self.take_text()
        self.take_end()
        return self.answer_init(offered, username)

    def answer_init(self, offered: int, username: str) -> str:
        if offered < 2:
            self.send(INIT_FAILURE, self.text("This plugin speaks version 2."))
            return "ENDED"
        self.send(INIT_RESPONSE, self.uint32(2), self.text(""))
        return "IDLE"

    def knows(self, method: str) -> bool:
        return method == "keyboard-interactive"

    def on_protocol(self) -> str:
        method = self.take_text("ascii")
        self.take_end()
        return self.accept() if self.knows(method) else self.reject()

    def accept(self) -> str:
        self.send(ACCEPT)
        return "AUTHENTICATING"

    def reject(self) -> str:
        self.send(REJECT, self.text(""))
        return "IDLE"

    def take_challenge(self) -> None:
        for encoding in ("utf-8", "utf-8", "ascii"):  # name, instructions, language
            self.take_text(encoding)
        self.prompts = [(self.take_text(), self.take_boolean()) for _ in range(self.take_count(5))]
        self.take_end()

    def is_for_user(self, prompt: str) -> bool:
        return prompt != "Password: "

    def on_challenge(self) -> str:
        self.take_challenge()
        self.asked = [pair for pair in self.prompts if self.asks and self.is_for_user(pair[0])]
        if self.asked:
            return self.ask()
        return self.respond([PASSWORD] * len(self.prompts))

    def ask(self) -> str:
        questions = [self.text(prompt) + self.boolean(echo) for prompt, echo in self.asked]
        start = [self.text("Login"), self.text(""), self.text("")]
        self.send(USER_REQUEST, *start, self.uint32(len(questions)), *questions)
        return "ASKING_USER"

    def on_user_response(self) -> str:
        responses = [self.take_text() for _ in range(self.take_count(4))]
        self.take_end()
        require(len(responses) == len(self.asked), "not as many responses as prompts")
        return self.respond(self.merged(responses))

    def merged(self, from_user: list[str]) -> list[str]:
        given = iter(from_user)
        return [next(given) if pair in self.asked else PASSWORD for pair in self.prompts]

    def respond(self, responses: list[str]) -> str:
        self.send(SERVER_RESPONSE, self.uint32(len(responses)), *map(self.text, responses))
        return "AUTHENTICATING"

    def on_success(self) -> str:
        self.take_end()
        return "IDLE"

    def on_failure(self) -> str:
        self.take_end()
        return "IDLE"

    HANDLERS = {  # noqa: RUF012 - never changed
        ("START", INIT): "on_init",
        ("IDLE", PROTOCOL): "on_protocol",
        ("AUTHENTICATING", SERVER_REQUEST): "on_challenge",
        ("AUTHENTICATING", SUCCESS): "on_success",
        ("AUTHENTICATING", FAILURE): "on_failure",
        ("ASKING_USER", USER_RESPONSE): "on_user_response",
    }

    def handler_of(self, code: int) -> str | None:
        return self.HANDLERS.get((self.state, code))

    def on_frame(self, body: bytes) -> None:
        handler = self.handler_of(body[0])
        if handler is None:
            raise Refused("a message of this type is unknown, or may not be sent now")
        self.body, self.at = body, 1
        self.state = getattr(self, handler)()

    def on_start(self) -> None:
        """Nothing is due before the client speaks."""

    def on_end(self) -> None:
        """The end of the input between two frames is the client's farewell."""

    def run(self) -> None:
        self.on_start()
        while (body := self.read_frame()) is not None:
            self.on_frame(body)
        self.on_end()


class Right(Plugin):
    """No mistake."""


class RightAsking(Plugin):
    """No mistake either."""

    asks = True


class RightAskingAll(Plugin):
    """No mistake: the user is asked for everything, passwords too."""

    asks = True

    def is_for_user(self, prompt: str) -> bool:
        return True


class RightFromThread(Plugin):
    """No mistake: the first message is answered from a thread of its own."""

    def answer_init(self, offered: int, username: str) -> str:
        states: list[str] = []
        answer = super().answer_init
        thread = threading.Thread(target=lambda: states.append(answer(offered, username)))
        thread.start()
        thread.join()
        return states[0]


class RightEndedByPipe(Plugin):
    """No mistake: the signal ends it that ends whoever writes to nobody."""

    def on_start(self) -> None:
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)


class RightInTwoWrites(Plugin):
    """No mistake: what stands behind the length is written a moment later."""

    def write(self, data: bytes) -> None:
        super().write(data[:4])
        time.sleep(MOMENT)
        super().write(data[4:])
