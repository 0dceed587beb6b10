"""The parts that dialogues with a server are put together from, in their JSON form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from authplugin.userauth.codec import encode_payload
from authplugin.userauth.messages import (
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthMessage,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKeyOk,
    UserAuthSuccess,
)

from ..message_json import message_to_json
from . import user_auth_house as house

Turn = dict[str, Any]

METHODS: Final = ("publickey", "password", "keyboard-interactive")

CODE: Final = {"prompt": "Code: ", "echo": False, "answer": "123456"}
COLOUR: Final = {"prompt": "Colour: ", "echo": True, "answer": "blue"}


def user(name: str = house.USER, **more: Any) -> dict[str, Any]:
    """Return somebody whom a server knows: `password`, `change`, `keys`, `rounds`, `requires`."""
    return {"name": name, **more}


ALICE: Final = user(
    password="secret",  # noqa: S106 - a password of the vectors
    keys=[house.ed25519_key().blob.hex()],
    rounds=[[CODE]],
)
WANTS_CHANGE: Final = {
    "name": ALICE["name"],
    "password": ALICE["password"],
    "change": "Choose another one.",
    "keys": ALICE["keys"],
    "rounds": ALICE["rounds"],
}
TWO_FACTORS: Final = user(
    password="secret",  # noqa: S106
    keys=ALICE["keys"],
    requires=["password", "publickey"],
)


def server(*users: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return what a server is to know: users, and `algorithms` or `attempts`."""
    return {
        "session_id": house.SESSION_ID.hex(),
        "methods": list(METHODS),
        "users": list(users),
        **more,
    }


def say(message: UserAuthMessage) -> Turn:
    """Return a turn in which the client sends a message."""
    return {"send": encode_payload(message).hex(), "message": message_to_json(message)}


def wrong(data: bytes, code: str, sentence: str) -> Turn:
    """Return a turn in which the client sends what it should not."""
    return {"send": data.hex(), "fault": {"code": code, "sentence": sentence}}


def expect(kind: type[UserAuthMessage], **constraints: dict[str, Any]) -> Turn:
    """Return a turn in which the server says a message."""
    return {"expect": {"type": kind.spec.name, **constraints}}


def failure(*names: str, partial: bool = False) -> Turn:
    """Return the turn in which a request is refused, and these methods can go on."""
    return expect(
        UserAuthFailure, methods={"names": list(names)}, partial_success={"equals": partial}
    )


def asks(*questions: dict[str, Any]) -> Turn:
    """Return the turn in which the server asks something."""
    prompts = [{"prompt": each["prompt"], "echo": each["echo"]} for each in questions]
    return expect(UserAuthInfoRequest, prompts={"equals": prompts})


def welcomes(key: house.Key, algorithm: str | None = None) -> Turn:
    """Return the turn in which the server would take a signature."""
    return expect(
        UserAuthPublicKeyOk,
        algorithm={"equals": algorithm or key.algorithm},
        blob={"equals": {"hex": key.blob.hex()}},
    )


SUCCESS: Final = expect(UserAuthSuccess)
SILENCE: Final = {"expect_silence": True}
REFUSAL: Final = {"expect_refusal": True}
NO_MORE_METHODS: Final = {"expect_disconnect": 14}
REFUSED: Final = failure(*METHODS)
PK_OK: Final = welcomes(house.ed25519_key())
CHANGE: Final = expect(UserAuthPasswordChangeRequired, prompt={"equals": WANTS_CHANGE["change"]})
INFO_REQUEST: Final = asks(CODE)
PARTIAL_TO_PUBLICKEY: Final = failure("publickey", partial=True)


def dialogue(
    words: str,
    sentence: str,
    clause: str,
    turns: Sequence[Turn],
    *,
    setup: dict[str, Any] | None = None,
    flag: str = "clean",
    result: str | None = None,
) -> dict[str, Any]:
    """Return a dialogue.

    Args:
        words: its id, behind `userauth-server-`.
        sentence: what is tested, for people.
        clause: the section of an RFC.
        turns: what to do.
        setup: what the server is to know; one user with a password, a key and a prompt unless
            stated.
        flag: what it is there for.
        result: what a strict server makes of it; follows from whether it ends with a login unless
            stated.
    """
    return {
        "id": f"userauth-server-{words}",
        "sentence": sentence,
        "clause": clause,
        "result": result or ("valid" if SUCCESS in turns else "invalid"),
        "flags": [flag],
        "server": setup or server(ALICE),
        "turns": list(turns),
    }
