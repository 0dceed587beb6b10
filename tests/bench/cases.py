"""What everybody is given."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from authplugin import (
    Limits,
    Message,
    PluginAuthFailure,
    PluginAuthSuccess,
    PluginInit,
    PluginInitFailure,
    PluginInitResponse,
    PluginKIServerRequest,
    PluginKIServerResponse,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
    encode,
)

MIB: Final = 1024 * 1024

RAISED: Final = Limits(frame=4 * MIB, text=2 * MIB)
"""Limits under which a field of 1 MiB passes."""


@dataclass(frozen=True)
class Case:
    """A message to decode and to encode.

    Attributes:
        name: as shown.
        message: its text is `str`, as a program would have it.
        limits: None for the default, which is then not passed.
        reused: whether large blocks of memory are used again; see `allocator`.
    """

    name: str
    message: Message
    limits: Limits | None = None
    reused: bool = False

    @property
    def frame(self) -> bytes:
        """The message as a whole frame."""
        return encode(self.message, self.limits or Limits())

    @property
    def options(self) -> tuple[Limits, ...]:
        """What is passed to decoders and encoders besides the frame or the message."""
        return () if self.limits is None else (self.limits,)


TWO_PROMPTS = PluginKIServerRequest(
    "Two-factor login",
    "Enter your password and the code that your device shows.",
    "",
    [("Password: ", False), ("Verification code: ", True)],
)
HUNDRED_PROMPTS = PluginKIServerRequest(
    "Questionnaire",
    "Answer all of the following.",
    "en",
    [(f"Question {number} of 100: ", number % 2 == 0) for number in range(1, 101)],
)

INIT_CASE: Final = Case("INIT", PluginInit(2, "ssh.example.com", 22, "alice"))
TWO_CASE: Final = Case("2 prompts", TWO_PROMPTS)
HUNDRED_CASE: Final = Case("100 prompts", HUNDRED_PROMPTS)
MIB_CASE: Final = Case("1 MiB", PluginKIServerResponse(["correct horse " * (MIB // 14)]), RAISED)

CASES: Final = (
    INIT_CASE,
    TWO_CASE,
    HUNDRED_CASE,
    MIB_CASE,
    Case("1 MiB, memory reused", MIB_CASE.message, RAISED, reused=True),
    # The same where one look at the bytes does not settle that the text is UTF-8.
    Case("INIT, not ASCII", PluginInit(2, "ssh.exämple.com", 22, "zoë")),
    Case(
        "2 prompts, not ASCII",
        PluginKIServerRequest(
            "Anmeldung",
            "Bitte Passwort und Prüfziffer eingeben.",
            "",
            [("Passwort für Zoë: ", False), ("Prüfziffer: ", True)],
        ),
    ),
    Case(
        "100 prompts, not ASCII",
        PluginKIServerRequest(
            "Questionnaire",
            "Répondez à tout.",
            "fr",
            [(f"Numéro {number} de 100 : ", number % 2 == 0) for number in range(1, 101)],
        ),
    ),
    Case("1 MiB, not ASCII", PluginKIServerResponse(["Prüfziffer: " * (MIB // 13)]), RAISED),
)

STREAM_LENGTH: Final = 1000
"""Messages in the stream."""

CHUNK_SIZES: Final = (1, 7, 4096)


def mixed_messages(count: int = STREAM_LENGTH) -> list[Message]:
    """Return messages of all kinds as dialogues bring them, the same ones in every run."""
    chosen = random.Random(20)
    messages: list[Message] = []

    def answers(size: int) -> list[str]:
        return ["".join(chosen.choices("abcdefgh0123456789", k=12)) for _ in range(size)]

    while len(messages) < count:
        messages.append(PluginInit(2, f"host-{chosen.randrange(1000)}.example.com", 22, ""))
        if chosen.random() < 0.05:
            messages.append(PluginInitFailure("No login for this host is configured."))
            continue
        messages.append(PluginInitResponse(2, f"user{chosen.randrange(1000)}"))
        for _ in range(chosen.randint(1, 3)):
            messages.append(PluginProtocol("keyboard-interactive"))
            if chosen.random() < 0.1:
                messages.append(PluginProtocolReject("Not now."))
                continue
            messages.append(PluginProtocolAccept())
            for _ in range(chosen.randint(1, 2)):
                # One in four is not ASCII.
                prompt = chosen.choice(["Password: ", "Code: ", "Token PIN: ", "Prüfziffer: "])
                prompts = [(prompt, False)] * chosen.randint(0, 3)
                messages.append(PluginKIServerRequest("Login", "", "", prompts))
                if chosen.random() < 0.3:
                    messages += [
                        PluginKIUserRequest("", "", "", [("Unlock the token: ", False)]),
                        PluginKIUserResponse(answers(1)),
                    ]
                messages.append(PluginKIServerResponse(answers(len(prompts))))
            messages.append(PluginAuthSuccess() if chosen.random() < 0.5 else PluginAuthFailure())
    return messages[:count]


def chunked(data: bytes, size: int) -> list[bytes]:
    """Cut data into chunks of `size` bytes; the last may be shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]
