"""A plugin that makes one mistake, named by its argument; `none` and `asks-twice` are none.

It shares no code with the project. Each mistake is one that authors make.
"""

import os
import signal
import struct
import subprocess
import sys
import time

INIT, INIT_RESPONSE, PROTOCOL, ACCEPT, REJECT, SUCCESS, FAILURE, INIT_FAILURE = range(1, 9)
SERVER_REQUEST, SERVER_RESPONSE, USER_REQUEST, USER_RESPONSE = range(20, 24)

MISTAKE = sys.argv[1] if len(sys.argv) > 1 else "none"
KNOWN_MISTAKES = {
    "none",
    "accepts-any-method",
    "acts-on-truncated-frames",
    "answers-any-state",
    "answers-outcomes",
    "answers-unknown-types",
    "answers-user-response-unasked",
    "asks-for-ever",
    "asks-twice",
    "booleans-are-bytes",
    "buffers-output",
    "chooses-the-offered-version",
    "crashes-on-long-strings",
    "crashes-on-truncated-frames",
    "declines",
    "drops-what-comes-together",
    "ends-after-the-method",
    "ends-inside-a-frame",
    "ends-quietly-before-init",
    "ignores-trailing-bytes",
    "leaves-a-process",
    "masks-the-length",
    "one-response",
    "prints",
    "reads-once",
    "replaces-bad-text",
    "speaks-first",
    "speaks-twice",
    "stays-for-ever",
    "stays-silent",
    "trusts-counts",
}
assert MISTAKE in KNOWN_MISTAKES, MISTAKE


class WrongError(Exception):
    """The client broke the protocol."""


def require(holds: bool) -> None:
    if not holds:
        raise WrongError


def read_exactly(size: int) -> bytes:
    if MISTAKE == "reads-once":
        return os.read(0, size)
    data = b""
    while len(data) < size and (more := os.read(0, size - len(data))):
        data += more
    return data


def read_frame() -> bytes | None:
    """Return a frame's type byte and fields, or None at the end of the input."""
    if MISTAKE == "drops-what-comes-together":
        data = os.read(0, 65536)
        return data[4 : 4 + int.from_bytes(data[:4], "big")] if data else None
    header = read_exactly(4)
    if not header:
        return None
    if len(header) < 4 and MISTAKE == "crashes-on-truncated-frames":
        os.kill(os.getpid(), signal.SIGSEGV)
    require(len(header) == 4)
    (size,) = struct.unpack(">I", header)
    if MISTAKE == "masks-the-length":
        size &= 0xFFFF
    require(0 < size <= 262144)
    body = read_exactly(size)
    if MISTAKE != "acts-on-truncated-frames":
        require(len(body) == size)
    return body


class Fields:
    def __init__(self, body: bytes) -> None:
        self.left = body[1:]

    def take(self, size: int) -> bytes:
        if size > len(self.left) and MISTAKE == "crashes-on-long-strings":
            os.kill(os.getpid(), signal.SIGSEGV)
        if MISTAKE not in ("acts-on-truncated-frames", "trusts-counts"):
            require(size <= len(self.left))
        data, self.left = self.left[:size], self.left[size:]
        return data

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def boolean(self) -> bool:
        byte = self.take(1)[:1]
        if MISTAKE not in ("booleans-are-bytes", "acts-on-truncated-frames", "trusts-counts"):
            require(byte in (b"\0", b"\1"))
        return byte != b"\0"

    def text(self, encoding: str = "utf-8") -> str:
        errors = "replace" if MISTAKE == "replaces-bad-text" else "strict"
        return self.take(self.uint32()).decode(encoding, errors)

    def end(self) -> None:
        if MISTAKE != "ignores-trailing-bytes":
            require(not self.left)


def uint32(value: int) -> bytes:
    return struct.pack(">I", value)


def text(value: str) -> bytes:
    return uint32(len(value.encode())) + value.encode()


def send(code: int, *fields: bytes) -> None:
    body = bytes([code]) + b"".join(fields)
    if MISTAKE == "prints":
        print("sending a message")
    if MISTAKE == "ends-inside-a-frame":
        body = body[:-1]
        sys.stdout.buffer.write(uint32(len(body) + 1) + body)
        sys.stdout.flush()
        sys.exit()
    if MISTAKE != "stays-silent":
        sys.stdout.buffer.write(uint32(len(body)) + body)
    if MISTAKE == "speaks-twice":
        sys.stdout.buffer.write(uint32(len(body)) + body)
    if MISTAKE != "buffers-output":
        sys.stdout.flush()


def on_init(fields: Fields) -> str:
    version = fields.uint32()
    fields.text()
    fields.uint32()
    fields.text()
    fields.end()
    if MISTAKE == "declines":
        send(INIT_FAILURE, text("not today"))
        return "ENDED"
    chosen = version if MISTAKE == "chooses-the-offered-version" else 2
    send(INIT_RESPONSE, uint32(chosen), text(""))
    return "IDLE"


def on_protocol(fields: Fields) -> str:
    method = fields.text("ascii")
    fields.end()
    if method == "keyboard-interactive" or MISTAKE == "accepts-any-method":
        send(ACCEPT)
        if MISTAKE == "ends-after-the-method":
            sys.exit(3)
        return "AUTHENTICATING"
    send(REJECT, text(""))
    return "IDLE"


def on_request(fields: Fields) -> str:
    fields.text()
    fields.text()
    fields.text("ascii")
    count = fields.uint32()
    if MISTAKE == "trusts-counts":
        count = min(count, 1000)
    for _ in range(count):
        fields.text()
        fields.boolean()
    fields.end()
    if MISTAKE in ("asks-for-ever", "asks-twice"):
        wanted[:] = [count, 2]
        return ask()
    given = 1 if MISTAKE == "one-response" else count
    send(SERVER_RESPONSE, uint32(given), *[text("s3cret")] * given)
    return "AUTHENTICATING"


wanted = [0, 0]  # how many responses the server is owed, how often the user is to be asked


def ask() -> str:
    wanted[1] -= 1
    prompts = (text("Why? "), b"\0", text("And? "), b"\1")
    send(USER_REQUEST, text(""), text(""), text(""), uint32(2), *prompts)
    return "ASKING_USER"


def on_user_response(fields: Fields) -> str:
    count = fields.uint32()
    require(count == 2 or MISTAKE == "answers-user-response-unasked")
    for _ in range(count):
        fields.text()
    fields.end()
    if MISTAKE == "asks-for-ever" or wanted[1] > 0:
        return ask()
    send(SERVER_RESPONSE, uint32(wanted[0]), *[text("s3cret")] * wanted[0])
    return "AUTHENTICATING"


def on_outcome(fields: Fields) -> str:
    fields.end()
    if MISTAKE == "answers-outcomes":
        send(ACCEPT)
    return "IDLE"


HANDLERS = {
    ("START", INIT): on_init,
    ("IDLE", PROTOCOL): on_protocol,
    ("AUTHENTICATING", SERVER_REQUEST): on_request,
    ("AUTHENTICATING", SUCCESS): on_outcome,
    ("AUTHENTICATING", FAILURE): on_outcome,
    ("ASKING_USER", USER_RESPONSE): on_user_response,
}


def handler_of(state: str, code: int):  # type: ignore[no-untyped-def]
    if MISTAKE == "answers-any-state":
        return next((each for (_, known), each in HANDLERS.items() if known == code), None)
    if MISTAKE == "answers-user-response-unasked" and code == USER_RESPONSE:
        return on_user_response
    if MISTAKE == "answers-unknown-types" and code not in (*range(1, 9), *range(20, 24)):
        return lambda fields: send(REJECT, text("what?")) or state
    return HANDLERS.get((state, code))


def main() -> None:
    state = "START"
    if MISTAKE == "speaks-first":
        send(INIT_RESPONSE, uint32(2), text(""))
    if MISTAKE == "leaves-a-process":
        null = subprocess.DEVNULL
        idle = [sys.executable, "-c", "import time; time.sleep(600)"]
        subprocess.Popen(idle, stdin=null, stdout=null, stderr=null)  # reaped by the checker
    while (body := read_frame()) is not None:
        handler = handler_of(state, body[0])
        require(handler is not None)
        state = handler(Fields(body))
    if MISTAKE == "ends-quietly-before-init" and state == "START":
        os.kill(os.getpid(), signal.SIGKILL)
    while MISTAKE == "stays-for-ever":
        time.sleep(600)


if __name__ == "__main__":
    try:
        main()
    except (WrongError, UnicodeDecodeError, IndexError, AttributeError) as error:
        sys.exit(f"refused: {type(error).__name__}")
