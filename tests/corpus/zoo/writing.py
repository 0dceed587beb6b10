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


class CountsCharactersOfUsername(Plugin):
    """I gave the user name back with its length in characters."""

    def answer_init(self, offered: int, username: str) -> str:
        if offered < 2:
            return super().answer_init(offered, username)
        self.send(INIT_RESPONSE, self.uint32(2), self.uint32(len(username)), username.encode())
        return "IDLE"


class WritesLatin1(Plugin):
    """I encoded texts as latin-1."""

    asks = True

    def text(self, value: str) -> bytes:
        data = value.encode("latin-1", "replace")
        return struct.pack(">I", len(data)) + data


class WritesUtf16(Plugin):
    """I encoded texts as my system does, in UTF-16."""

    def text(self, value: str) -> bytes:
        data = value.encode("utf-16-le")
        return struct.pack(">I", len(data)) + data


class MarksTexts(Plugin):
    """I encoded texts as UTF-8 with a byte order mark."""

    def text(self, value: str) -> bytes:
        data = value.encode("utf-8-sig")
        return struct.pack(">I", len(data)) + data


class MarksOutput(Plugin):
    """I opened standard output as UTF-8 with a byte order mark."""

    marked = False

    def write(self, data: bytes) -> None:
        super().write(data if self.marked else b"\xef\xbb\xbf" + data)
        self.marked = True


class WritesCharacters(Plugin):
    """I put messages together as text, and counted its characters."""

    asks = True

    def send(self, code: int, *fields: bytes) -> None:
        body = (bytes([code]) + b"".join(fields)).decode()
        self.write(struct.pack(">I", len(body)) + body.encode())


class WritesBytesAsCharacters(Plugin):
    """I wrote messages through a text stream, as characters below 256."""

    asks = True

    def write(self, data: bytes) -> None:
        super().write(data.decode("latin-1").encode())


class CountsNulOfStrings(Plugin):
    """I counted the NUL of strings, and did not write it."""

    def text(self, value: str) -> bytes:
        return struct.pack(">I", len(value.encode()) + 1) + value.encode()


class WritesNulUncounted(Plugin):
    """I wrote the NUL of strings, and did not count it."""

    def text(self, value: str) -> bytes:
        return super().text(value) + b"\0"


class LastStringBeyondEnd(Plugin):
    """I was off by one where the last response ends."""

    def respond(self, responses: list[str]) -> str:
        *fields, last = map(self.text, responses or [""])
        longer = self.uint32(len(last) - 3) + last[4:]
        self.send(SERVER_RESPONSE, self.uint32(len(responses)), *fields, longer)
        return "AUTHENTICATING"


class TwoUnderOneLength(Plugin):
    """I put two messages under one length."""

    def answer_init(self, offered: int, username: str) -> str:
        first = bytes([INIT_RESPONSE]) + self.uint32(2) + self.text("")
        self.write(self.header_of(first + bytes([ACCEPT])) + first + bytes([ACCEPT]))
        return "IDLE"


class BooleansTakeFourBytes(Plugin):
    """I wrote a boolean as an int."""

    asks = True

    def boolean(self, value: bool) -> bytes:
        return self.uint32(value)


class AsksOneMore(Plugin):
    """I counted one question more than I wrote."""

    asks = True

    def ask(self) -> str:
        questions = [self.text(prompt) + self.boolean(echo) for prompt, echo in self.asked]
        start = [self.text("Login"), self.text(""), self.text("")]
        self.send(USER_REQUEST, *start, self.uint32(len(questions) + 1), *questions)
        return "ASKING_USER"


class AsksWithoutPrompt(Plugin):
    """I left the prompt empty: what is wanted stands in the instructions."""

    asks = True

    def ask(self) -> str:
        question = self.text("") + self.boolean(False)
        start = [self.text("Login"), self.text("Your code, please."), self.text("")]
        self.send(USER_REQUEST, *start, self.uint32(len(self.asked)), question * len(self.asked))
        return "ASKING_USER"


class KeepsEndOfLine(Plugin):
    """I read the password from a file, with the end of its line."""

    def respond(self, responses: list[str]) -> str:
        return super().respond([f"{each}\n" for each in responses])


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


class AcceptHasEmptyField(Plugin):
    """I sent an empty text with PLUGIN_PROTOCOL_ACCEPT, as with PLUGIN_PROTOCOL_REJECT."""

    def accept(self) -> str:
        self.send(ACCEPT, self.text(""))
        return "AUTHENTICATING"


class UsernameBeforeVersion(Plugin):
    """I wrote the user name before the version."""

    def answer_init(self, offered: int, username: str) -> str:
        self.send(INIT_RESPONSE, self.text(username), self.uint32(2))
        return "IDLE"


class LeavesOutEmptyResponses(Plugin):
    """I wrote no response where there was none to give."""

    def respond(self, responses: list[str]) -> str:
        some = [each for each in responses[::2] if each]
        self.send(SERVER_RESPONSE, self.uint32(len(responses)), *map(self.text, some))
        return "AUTHENTICATING"


class AnswersWithTypeOfSsh(Plugin):
    """I sent the responses under the type that they have in SSH."""

    def respond(self, responses: list[str]) -> str:
        self.send(61, self.uint32(len(responses)), *map(self.text, responses))
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
