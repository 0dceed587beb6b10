"""Dialogues for the rules that a server keeps to, whatever the method; and those for passwords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from authplugin.userauth.messages import (
    UserAuthKeyboardInteractive,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
)

from . import user_auth_house as house
from .user_auth_factors import factors
from .user_auth_keys import keys
from .user_auth_prompts import prompts
from .user_auth_turns import (
    ALICE,
    CHANGE,
    INFO_REQUEST,
    NO_MORE_METHODS,
    PK_OK,
    REFUSAL,
    REFUSED,
    SILENCE,
    SUCCESS,
    TWO_FACTORS,
    WANTS_CHANGE,
    Turn,
    dialogue,
    failure,
    say,
    server,
    user,
)

_NONE: Final = UserAuthNone(house.USER, house.SERVICE)
_RIGHT: Final = UserAuthPassword(house.USER, house.SERVICE, "secret")
_WRONG: Final = UserAuthPassword(house.USER, house.SERVICE, "wrong")
_CHANGE: Final = UserAuthPasswordChange(house.USER, house.SERVICE, "secret", "new secret")
_INTERACTIVE: Final = UserAuthKeyboardInteractive(house.USER, house.SERVICE, "", "")


def rules() -> Iterator[dict[str, Any]]:
    """Yield a dialogue for each rule."""
    yield from _none()
    yield from _passwords()
    yield from _names()
    yield from keys()
    yield from prompts()
    yield from factors()
    yield from _pipelined()
    yield from _limits()


def _none() -> Iterator[dict[str, Any]]:
    yield dialogue(
        "none-lists-methods",
        "The method none is refused with the methods that the user can use, and one of them used.",
        "RFC 4252 5.2",
        [say(_NONE), REFUSED, say(_RIGHT), SUCCESS],
    )
    yield dialogue(
        "none-lists-what-the-user-has",
        "Of a user with a password alone, the list has no other method.",
        "RFC 4252 5.2",
        [say(_NONE), failure("password"), say(_RIGHT), SUCCESS],
        setup=server(user(password="secret")),  # noqa: S106
    )
    yield dialogue(
        "method-not-offered",
        "A user who has a password alone has seen the list, and tries the other methods.",
        "RFC 4252 5.1",
        [
            *(say(_NONE), failure("password")),
            *(say(_INTERACTIVE), failure("password")),
            *(say(house.query(house.ed25519_key())), failure("password")),
            *(say(house.signed(house.ed25519_key())), failure("password")),
        ],
        setup=server(
            user(password="secret"),  # noqa: S106
            user("bob", keys=ALICE["keys"], rounds=ALICE["rounds"]),
        ),
        flag="unknown-method",
    )
    yield dialogue(
        "none-of-nobody",
        "The method none of a user who does not exist is refused as that of one who does.",
        "RFC 4252 5.2",
        [say(UserAuthNone("nobody", house.SERVICE)), REFUSED],
        flag="user-names",
    )


_BAD_PASSWORDS: Final = {
    "wrong": ("another password", "wrong"),
    "empty": ("no password", ""),
    "beginning": ("the beginning of the password", "secre"),
    "longer": ("more than the password", "secrets"),
    "nul-behind": ("the password with a NUL behind it", "secret\0"),
    "nul-inside": ("the password with a NUL and more behind it", "secret\0more"),
    "space-behind": ("the password with a space behind it", "secret "),
    "other-case": ("the password in other letters", "Secret"),
}


def _passwords() -> Iterator[dict[str, Any]]:
    yield dialogue(
        "password-right", "The right password logs in.", "RFC 4252 8", [say(_RIGHT), SUCCESS]
    )
    yield dialogue(
        "password-right-after-wrong",
        "A wrong password is refused, and the right one then logs in.",
        "RFC 4252 8",
        [say(_WRONG), REFUSED, say(_RIGHT), SUCCESS],
    )
    for words, (what, password) in _BAD_PASSWORDS.items():
        message = UserAuthPassword(house.USER, house.SERVICE, password)
        yield dialogue(
            f"password-{words}",
            f"The client shows {what}.",
            "RFC 4252 8",
            [say(message), REFUSED],
            flag="passwords",
        )
    yield dialogue(
        "password-beyond-ascii",
        "A password beyond ASCII logs in.",
        "RFC 4252 8",
        [say(UserAuthPassword("älice", house.SERVICE, "pässwörd-密")), SUCCESS],
        setup=server(user("älice", password="pässwörd-密")),  # noqa: S106
        flag="text",
    )
    yield dialogue(
        "password-of-another-user",
        "The client shows another user's password.",
        "RFC 4252 8",
        [say(UserAuthPassword("bob", house.SERVICE, "secret")), failure("password")],
        setup=server(ALICE, user("bob", password="other")),  # noqa: S106
        flag="passwords",
    )
    yield from _changes()


def _changes() -> Iterator[dict[str, Any]]:
    setup = server(WANTS_CHANGE)
    bad = UserAuthPasswordChange(house.USER, house.SERVICE, "wrong", "new secret")
    yield dialogue(
        "password-change",
        "The right password has to be changed, and is.",
        "RFC 4252 8",
        [say(_RIGHT), CHANGE, say(_CHANGE), SUCCESS],
        setup=setup,
    )
    yield dialogue(
        "password-change-at-once",
        "The password is changed before anybody has asked for that.",
        "RFC 4252 8",
        [say(_CHANGE), SUCCESS],
        setup=setup,
    )
    yield dialogue(
        "password-change-wrong-old",
        "A password is to be changed, and the old one is wrong.",
        "RFC 4252 8",
        [say(_RIGHT), CHANGE, say(bad), REFUSED],
        setup=setup,
        flag="passwords",
    )
    yield dialogue(
        "password-change-new-for-old",
        "A password is to be changed, and what is shown for the old one is the new one.",
        "RFC 4252 8",
        [say(UserAuthPasswordChange(house.USER, house.SERVICE, "new", "secret")), REFUSED],
        setup=setup,
        flag="passwords",
    )
    yield dialogue(
        "password-wrong-no-change",
        "Who shows a wrong password is not told that the right one has to be changed.",
        "RFC 4252 8",
        [say(_WRONG), REFUSED],
        setup=setup,
        flag="passwords",
    )
    yield dialogue(
        "password-change-abandoned",
        "Another method takes the place of a change that is wanted, and gets the only reply.",
        "RFC 4252 5.1",
        [say(_RIGHT), CHANGE, say(_NONE), REFUSED, say(_CHANGE), SUCCESS],
        setup=setup,
        flag="abandoned",
    )


_BAD_USERS: Final = {
    "nobody": ("who does not exist", "nobody"),
    "empty": ("without a name", ""),
    "nul-behind": ("whose name has a NUL and more behind it", "alice\0root"),
    "nul-in-front": ("whose name has a NUL in front of it", "\0alice"),
    "space-behind": ("whose name has a space behind it", "alice "),
    "other-case": ("whose name is in other letters", "Alice"),
    "decomposed": ("whose name looks the same, in other characters", "alicé"),
}

_UNKNOWN_METHODS: Final = {
    "hostbased": "hostbased",
    "somebodys-own": "token@example.com",
    "no-name": "",
    "password-with-nul": "password\0",
    "password-and-more": "password,none",
    "upper-case": "PASSWORD",
    "numbered-response": "keyboard-interactive-1",
    "long": "x" * 1000,
}


def _names() -> Iterator[dict[str, Any]]:
    for words, (what, name) in _BAD_USERS.items():
        # Names that look the same are two only where both are there to be mixed up.
        known = "alice\N{COMBINING ACUTE ACCENT}" if words == "decomposed" else house.USER
        yield dialogue(
            f"user-{words}",
            f"The password of another user is shown for one {what}.",
            "RFC 4252 5",
            [say(UserAuthPassword(name, house.SERVICE, "secret")), REFUSED],
            setup=server({**ALICE, "name": known}),
            flag="user-names",
        )
    for words, method in _UNKNOWN_METHODS.items():
        request = UserAuthOther(house.USER, house.SERVICE, method, b"\0\0\0\0\6secret")
        yield dialogue(
            f"method-{words}",
            "A method that the server does not know is refused, and another one then used.",
            "RFC 4252 5",
            [say(request), REFUSED, say(_RIGHT), SUCCESS],
            flag="unknown-method",
        )
    for words, service in {"unknown": "no-such-service", "empty": "", "nul": "ssh\0"}.items():
        yield dialogue(
            f"service-{words}",
            "The right password is shown for a service that there is not.",
            "RFC 4252 5",
            [say(UserAuthPassword(house.USER, service, "secret")), REFUSAL],
            flag="services",
        )


def _pipelined() -> Iterator[dict[str, Any]]:
    query = say(house.query(house.ed25519_key()))
    signed = say(house.signed(house.ed25519_key()))
    change = server(WANTS_CHANGE)
    rows: list[tuple[str, str, list[Turn], dict[str, Any] | None]] = [
        (
            "none-and-password",
            "None, and a password right behind it",
            [say(_NONE), say(_RIGHT), REFUSED, SUCCESS],
            None,
        ),
        (
            "many-passwords",
            "Three passwords, of which the last is right, and one more",
            [*map(say, (_WRONG, _WRONG, _RIGHT, _WRONG)), REFUSED, REFUSED, SUCCESS, SILENCE],
            None,
        ),
        (
            "query-and-signature",
            "The query about a key, and the signature right behind it",
            [query, signed, PK_OK, SUCCESS],
            None,
        ),
        (
            "prompts-and-password",
            "Keyboard-interactive, and a password right behind it, which takes its place",
            [say(_INTERACTIVE), say(_RIGHT), INFO_REQUEST, SUCCESS],
            None,
        ),
        (
            "prompts-twice",
            "Keyboard-interactive twice, of which only the second is answered",
            [say(_INTERACTIVE), say(_INTERACTIVE), INFO_REQUEST, INFO_REQUEST, SILENCE],
            None,
        ),
        (
            "password-and-change",
            "A password that has to be changed, and the change right behind it",
            [say(_RIGHT), say(_CHANGE), CHANGE, SUCCESS],
            change,
        ),
        (
            "two-factors",
            "Both factors without waiting for what the first one gets",
            [say(_RIGHT), signed, failure("publickey", partial=True), SUCCESS],
            server(TWO_FACTORS),
        ),
    ]
    for words, what, turns, setup in rows:
        yield dialogue(
            f"at-once-{words}",
            f"{what}, without waiting: each is answered in its turn.",
            "RFC 4252 5.1",
            turns,
            setup=setup,
            flag="pipelined",
        )


def _limits() -> Iterator[dict[str, Any]]:
    three = server(ALICE, attempts=3)
    yield dialogue(
        "attempts-end",
        "The third refused request of three is the last.",
        "RFC 4252 4",
        [*(turn for _ in range(3) for turn in (say(_WRONG), REFUSED)), NO_MORE_METHODS],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-of-all-methods",
        "Requests of any method count.",
        "RFC 4252 4",
        [
            *(say(_WRONG), REFUSED, say(_NONE), REFUSED),
            *(say(UserAuthOther(house.USER, house.SERVICE, "hostbased", b"")), REFUSED),
            NO_MORE_METHODS,
        ],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-of-several-users",
        "Requests of any user count.",
        "RFC 4252 4",
        [
            *(
                turn
                for name in ("alice", "bob", "carol")
                for turn in (say(UserAuthPassword(name, house.SERVICE, "wrong")), REFUSED)
            ),
            NO_MORE_METHODS,
        ],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-at-once",
        "What was sent behind the last attempt without waiting is not answered, right or not.",
        "RFC 4252 4",
        [
            *map(say, (_WRONG, _WRONG, _WRONG, _RIGHT)),
            *(REFUSED, REFUSED, REFUSED, NO_MORE_METHODS),
        ],
        setup=three,
        flag="attempts",
    )
    interactive = [say(_INTERACTIVE), INFO_REQUEST]
    yield dialogue(
        "attempts-of-abandoned",
        "An exchange that is abandoned counts, and has no reply of its own.",
        "RFC 4252 4",
        [*interactive * 3, say(_INTERACTIVE), NO_MORE_METHODS],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-abandoned-for-right",
        "The third attempt is abandoned, and what takes its place is not answered, right or not.",
        "RFC 4252 4",
        [say(_WRONG), REFUSED, say(_NONE), REFUSED, *interactive, say(_RIGHT), NO_MORE_METHODS],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-abandoned-then-right",
        "Two exchanges are abandoned, and the third attempt is right.",
        "RFC 4252 4",
        [*interactive * 2, say(_RIGHT), SUCCESS],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-last-is-right",
        "The last attempt may be right.",
        "RFC 4252 4",
        [say(_WRONG), REFUSED, say(_WRONG), REFUSED, say(_RIGHT), SUCCESS],
        setup=three,
        flag="attempts",
    )
    yield dialogue(
        "attempts-of-partial-success",
        "A partial success counts: who is told to go on for ever comes to an end.",
        "RFC 4252 4",
        [say(_RIGHT), failure("publickey", partial=True), NO_MORE_METHODS],
        setup=server(TWO_FACTORS, attempts=1),
        flag="attempts",
    )
