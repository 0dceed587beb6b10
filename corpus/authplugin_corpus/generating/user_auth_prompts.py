"""Dialogues for the rules of the method keyboard-interactive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from authplugin.userauth.messages import (
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthNone,
    UserAuthPassword,
)

from . import user_auth_house as house
from .user_auth_turns import (
    ALICE,
    CODE,
    COLOUR,
    INFO_REQUEST,
    REFUSED,
    SUCCESS,
    Turn,
    asks,
    dialogue,
    failure,
    say,
    server,
    user,
)

_SECTION: Final = "RFC 4256 3.4"
_START: Final = say(UserAuthKeyboardInteractive(house.USER, house.SERVICE, "", ""))


def _answer(*responses: str) -> Turn:
    return say(UserAuthInfoResponse(list(responses)))


def _asking(*rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return server({**ALICE, "rounds": list(rounds)})


def prompts() -> Iterator[dict[str, Any]]:
    """Yield a dialogue for each rule."""
    yield from _rounds()
    yield from _refused()
    yield from _counts()
    yield from _abandoned()


def _rounds() -> Iterator[dict[str, Any]]:
    right: dict[str, tuple[str, list[Turn], list[list[dict[str, Any]]]]] = {
        "one": ("One prompt is asked", [asks(CODE), _answer("123456")], [[CODE]]),
        "two-prompts": (
            "Two prompts are asked at once",
            [asks(CODE, COLOUR), _answer("123456", "blue")],
            [[CODE, COLOUR]],
        ),
        "two-rounds": (
            "Two prompts are asked one after the other",
            [asks(CODE), _answer("123456"), asks(COLOUR), _answer("blue")],
            [[CODE], [COLOUR]],
        ),
        "index-starts-again": (
            "Two prompts are asked, and then another, which is the first of its round",
            [asks(COLOUR, CODE), _answer("blue", "123456"), asks(COLOUR), _answer("blue")],
            [[COLOUR, CODE], [COLOUR]],
        ),
        "no-prompts": (
            "Nothing is asked, and nothing answered",
            [asks(), _answer()],
            [[]],
        ),
        "no-prompts-last": (
            "A prompt is asked, and then nothing",
            [asks(CODE), _answer("123456"), asks(), _answer()],
            [[CODE], []],
        ),
        "no-prompts-first": (
            "Nothing is asked, and then a prompt",
            [asks(), _answer(), asks(CODE), _answer("123456")],
            [[], [CODE]],
        ),
    }
    for words, (what, turns, rounds) in right.items():
        yield dialogue(
            f"prompts-{words}",
            f"{what}, and all is right.",
            "RFC 4256 3.2",
            [_START, *turns, SUCCESS],
            setup=_asking(*rounds),
        )
    yield dialogue(
        "prompts-right-after-wrong",
        "A wrong response is refused, and the right one taken at the second attempt.",
        _SECTION,
        [
            *(_START, INFO_REQUEST, _answer("no"), REFUSED),
            *(_START, INFO_REQUEST, _answer("123456"), SUCCESS),
        ],
    )
    yield dialogue(
        "prompts-hints",
        "A language and submethods are hints, and change nothing.",
        "RFC 4256 3.1",
        [
            say(UserAuthKeyboardInteractive(house.USER, house.SERVICE, "en-US", "pam,otp")),
            *(INFO_REQUEST, _answer("123456"), SUCCESS),
        ],
    )


def _refused() -> Iterator[dict[str, Any]]:
    two, rounds = _asking([CODE, COLOUR]), _asking([CODE], [COLOUR])
    for words, answers in {
        "first": ("no", "blue"),
        "last": ("123456", "no"),
        "all": ("no", "no"),
        "swapped": ("blue", "123456"),
    }.items():
        yield dialogue(
            f"prompts-wrong-{words}",
            f"Two responses come at once, and what is wrong is: {words}.",
            _SECTION,
            [_START, asks(CODE, COLOUR), _answer(*answers), REFUSED],
            setup=two,
            flag="responses",
        )
    for words, (first, second) in {"first": ("no", "blue"), "last": ("123456", "no")}.items():
        yield dialogue(
            f"prompts-wrong-{words}-round",
            f"All rounds are asked, whatever was answered; the {words} one is wrong.",
            _SECTION,
            [_START, asks(CODE), _answer(first), asks(COLOUR), _answer(second), REFUSED],
            setup=rounds,
            flag="responses",
        )
    for words, answer in {
        "empty": "",
        "beginning": "12345",
        "nul-behind": "123456\0",
        "space-behind": "123456 ",
    }.items():
        yield dialogue(
            f"prompts-response-{words}",
            f"A response is not quite right: {words.replace('-', ' ')}.",
            _SECTION,
            [_START, INFO_REQUEST, _answer(answer), REFUSED],
            flag="responses",
        )
    yield dialogue(
        "prompts-password-for-code",
        "The user's password is no response to another question.",
        _SECTION,
        [_START, INFO_REQUEST, _answer("secret"), REFUSED],
        flag="responses",
    )
    start = say(UserAuthKeyboardInteractive("nobody", house.SERVICE, "", ""))
    yield dialogue(
        "prompts-of-nobody",
        "A user who does not exist is asked as one who does, and refused.",
        "RFC 4256 3.1",
        [start, INFO_REQUEST, _answer("123456"), REFUSED],
        flag="unknown-user",
        result="acceptable",
    )
    yield dialogue(
        "prompts-of-nobody-about-nothing",
        "A user who does not exist is asked nothing, as one who does, and refused.",
        "RFC 4256 3.1",
        [start, asks(), _answer(), REFUSED],
        setup=_asking([]),
        flag="unknown-user",
        result="acceptable",
    )
    yield dialogue(
        "prompts-not-of-this-user",
        "A user who has no prompts is asked what another one is, and does not log in by it.",
        "RFC 4256 3.1",
        [_START, asks(), _answer(), failure("password")],
        setup=server(user(password="secret"), user("bob", rounds=[[]])),  # noqa: S106
        flag="unknown-user",
        result="acceptable",
    )


def _counts() -> Iterator[dict[str, Any]]:
    for words, answers, setup, asked in (
        ("none-for-one", (), _asking([CODE]), asks(CODE)),
        ("two-for-one", ("123456", ""), _asking([CODE]), asks(CODE)),
        ("one-for-two", ("123456",), _asking([CODE, COLOUR]), asks(CODE, COLOUR)),
        ("three-for-two", ("123456", "blue", ""), _asking([CODE, COLOUR]), asks(CODE, COLOUR)),
        ("one-for-none", ("",), _asking([]), asks()),
    ):
        yield dialogue(
            f"prompts-count-{words}",
            f"There are not as many responses as prompts: {words.replace('-', ' ')}.",
            _SECTION,
            [_START, asked, _answer(*answers), REFUSED],
            setup=setup,
            flag="response-count",
        )
    yield dialogue(
        "prompts-count-of-the-round-before",
        "There are as many responses as the round before had prompts.",
        _SECTION,
        [
            *(_START, asks(CODE, COLOUR), _answer("123456", "blue")),
            *(asks(CODE), _answer("123456", "blue"), REFUSED),
        ],
        setup=_asking([CODE, COLOUR], [CODE]),
        flag="response-count",
    )


def _abandoned() -> Iterator[dict[str, Any]]:
    rounds = server({**ALICE, "rounds": [[CODE], [COLOUR]]})
    yield dialogue(
        "prompts-begun-again",
        "The exchange is begun again in its middle: the first round is asked again.",
        "RFC 4252 5.1",
        [
            *(_START, asks(CODE), _answer("123456"), asks(COLOUR)),
            *(_START, asks(CODE), _answer("123456"), asks(COLOUR), _answer("blue"), SUCCESS),
        ],
        setup=rounds,
        flag="abandoned",
    )
    yield dialogue(
        "prompts-wrong-then-begun-again",
        "A wrong response is forgotten with the exchange that it belongs to.",
        "RFC 4252 5.1",
        [
            *(_START, asks(CODE), _answer("no"), asks(COLOUR)),
            *(_START, asks(CODE), _answer("123456"), asks(COLOUR), _answer("blue"), SUCCESS),
        ],
        setup=rounds,
        flag="abandoned",
    )
    yield dialogue(
        "prompts-right-then-begun-again",
        "A right response is forgotten, too.",
        "RFC 4252 5.1",
        [
            *(_START, asks(CODE), _answer("123456"), asks(COLOUR)),
            *(_START, asks(CODE), _answer("no"), asks(COLOUR), _answer("blue"), REFUSED),
        ],
        setup=rounds,
        flag="abandoned",
    )
    yield dialogue(
        "prompts-then-password",
        "A password takes the place of a response, and gets the only reply.",
        "RFC 4252 5.1",
        [_START, INFO_REQUEST, say(UserAuthPassword(house.USER, house.SERVICE, "secret")), SUCCESS],
        flag="abandoned",
    )
    other = say(UserAuthKeyboardInteractive("bob", house.SERVICE, "", ""))
    yield dialogue(
        "prompts-of-two-users",
        "A response belongs to the user who was asked last.",
        "RFC 4252 5",
        [
            *(_START, INFO_REQUEST, other, asks(COLOUR)),
            *(
                _answer("123456"),
                failure("keyboard-interactive"),
                other,
                asks(COLOUR),
                _answer("blue"),
                SUCCESS,
            ),
        ],
        setup=server(ALICE, user("bob", rounds=[[COLOUR]])),
        flag="abandoned",
    )
    yield dialogue(
        "prompts-then-none",
        "None takes the place of a response, and the exchange has to be begun again.",
        "RFC 4252 5.1",
        [
            *(_START, INFO_REQUEST, say(UserAuthNone(house.USER, house.SERVICE)), REFUSED),
            *(_START, INFO_REQUEST, _answer("123456"), SUCCESS),
        ],
        flag="abandoned",
    )
