"""Mistakes in what a plugin writes, each in the words of somebody who has made it."""

import struct
import sys

from plugin import ACCEPT, INIT_RESPONSE, SERVER_RESPONSE, USER_REQUEST, USER_RESPONSE, Plugin


class LengthsInNativeOrder(Plugin):
    """I packed the lengths with "I", which is little-endian on my machine."""

    def header_of(self, body: bytes) -> bytes:
        return struct.pack("<I", len(body))


class NumbersInNativeOrder(Plugin):
    """I packed the numbers inside messages with "I"."""

    def uint32(self, value: int) -> bytes:
        return struct.pack("<I", value)


class LengthCountsItself(Plugin):
    """I counted the four bytes of the length too."""

    def header_of(self, body: bytes) -> bytes:
        return struct.pack(">I", 4 + len(body))


class LengthOmitsType(Plugin):
    """I counted the fields, and not the type byte."""

    def header_of(self, body: bytes) -> bytes:
        return struct.pack(">I", len(body) - 1)


class LengthInTwoBytes(Plugin):
    """I took the length for a uint16."""

    def header_of(self, body: bytes) -> bytes:
        return struct.pack(">H", len(body))


class LengthInCharacters(Plugin):
    """I wrote len(text), and not the length of what is encoded."""

    asks = True

    def text(self, value: str) -> bytes:
        return struct.pack(">I", len(value)) + value.encode()


class WritesLatin1(Plugin):
    """I encoded texts as latin-1."""

    asks = True

    def text(self, value: str) -> bytes:
        data = value.encode("latin-1", "replace")
        return struct.pack(">I", len(data)) + data


class EndsStringsWithNul(Plugin):
    """I ended strings with a NUL, as in C, and counted it."""

    def text(self, value: str) -> bytes:
        data = value.encode() + b"\0"
        return struct.pack(">I", len(data)) + data


class NeverFlushes(Plugin):
    """I forgot to flush standard output."""

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)


class WritesInTextMode(Plugin):
    """My standard output was in text mode, where 10 becomes 13 10."""

    def write(self, data: bytes) -> None:
        super().write(data.replace(b"\n", b"\r\n"))


class PrintsBanner(Plugin):
    """I printed a line when the plugin started."""

    def on_start(self) -> None:
        print("Plugin 1.0 ready", flush=True)


class PrintsProgress(Plugin):
    """I left a print in, for debugging."""

    def on_challenge(self) -> str:
        print("got a challenge", flush=True)
        return super().on_challenge()


class EndsLinesBetweenMessages(Plugin):
    """I ended each message with a newline, as print does."""

    def write(self, data: bytes) -> None:
        super().write(data + b"\n")


class PrintsGoodbye(Plugin):
    """I printed a line when the client had gone."""

    def on_end(self) -> None:
        print("bye", flush=True)


class WritesHexadecimal(Plugin):
    """I wrote the messages as text, in hexadecimal."""

    def write(self, data: bytes) -> None:
        super().write(data.hex().encode() + b"\n")


class AcceptHasField(Plugin):
    """I sent the method back in PLUGIN_PROTOCOL_ACCEPT."""

    def accept(self) -> str:
        self.send(ACCEPT, self.text("keyboard-interactive"))
        return "AUTHENTICATING"


class InitResponseWithoutUsername(Plugin):
    """I had no user name, so I left the field out."""

    def answer_init(self, offered: int, username: str) -> str:
        self.send(INIT_RESPONSE, self.uint32(2))
        return "IDLE"


class ResponsesWithoutCount(Plugin):
    """I sent the responses without their number."""

    def respond(self, responses: list[str]) -> str:
        self.send(SERVER_RESPONSE, *map(self.text, responses))
        return "AUTHENTICATING"


class QuestionsWithoutLanguage(Plugin):
    """I left the language out of my questions: it is deprecated."""

    asks = True

    def ask(self) -> str:
        questions = [self.text(prompt) + b"\0" for prompt, _ in self.asked]
        start = self.text("Login") + self.text("")
        self.send(USER_REQUEST, start, self.uint32(len(questions)), *questions)
        return "ASKING_USER"


class TrueIs255(Plugin):
    """I wrote true as all ones."""

    asks = True

    def boolean(self, value: bool) -> bytes:
        return b"\xff" if value else b"\0"


class AnswersWithUsersMessage(Plugin):
    """I mixed up the types 21 and 23."""

    def respond(self, responses: list[str]) -> str:
        self.send(USER_RESPONSE, self.uint32(len(responses)), *map(self.text, responses))
        return "AUTHENTICATING"
