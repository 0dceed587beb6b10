"""Dialogues for the rules of partial success."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from authplugin.userauth.messages import (
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthPassword,
)

from . import user_auth_house as house
from .user_auth_turns import (
    ALICE,
    CODE,
    INFO_REQUEST,
    PARTIAL_TO_PUBLICKEY,
    PK_OK,
    REFUSAL,
    REFUSED,
    SUCCESS,
    TWO_FACTORS,
    Turn,
    dialogue,
    failure,
    say,
    server,
    user,
)

_SECTION: Final = "RFC 4252 5.1"
_ALL: Final = {**ALICE, "requires": ["publickey", "password", "keyboard-interactive"]}
_LEFT: Final = failure("publickey")


def _password(password: str = "secret", name: str = house.USER) -> Turn:  # noqa: S107
    return say(UserAuthPassword(name, house.SERVICE, password))


def _asked(name: str = house.USER) -> Turn:
    return say(UserAuthKeyboardInteractive(name, house.SERVICE, "", ""))


def factors() -> Iterator[dict[str, Any]]:
    """Yield a dialogue for each rule."""
    key = house.ed25519_key()
    signed, query = say(house.signed(key)), say(house.query(key))
    none = say(UserAuthNone(house.USER, house.SERVICE))
    code = say(UserAuthInfoResponse(["123456"]))
    half = [_password(), PARTIAL_TO_PUBLICKEY]
    two, three = server(TWO_FACTORS), server(_ALL)
    yield dialogue(
        "factors-two",
        "A password and a key are needed: the first gets partial success, the second the rest.",
        _SECTION,
        [none, failure("password"), *half, query, PK_OK, signed, SUCCESS],
        setup=two,
    )
    yield dialogue(
        "factors-three",
        "A key, a password and a prompt are needed; what is done is not listed again.",
        _SECTION,
        [
            *(signed, failure("password", partial=True)),
            *(_password(), failure("keyboard-interactive", partial=True)),
            *(_asked(), INFO_REQUEST, code, SUCCESS),
        ],
        setup=three,
    )
    yield dialogue(
        "factors-key-then-prompts",
        "A key and a prompt are needed.",
        _SECTION,
        [
            *(query, PK_OK, signed, failure("keyboard-interactive", partial=True)),
            *(_asked(), INFO_REQUEST, code, SUCCESS),
        ],
        setup=server(user(keys=ALICE["keys"], rounds=[[CODE]], requires=list(_KEY_AND_PROMPT))),
    )
    wrong: dict[str, tuple[str, list[Turn]]] = {
        "second-first": ("The second factor comes first", [signed, failure("password")]),
        "first-twice": ("The first factor comes twice", [*half, _password(), _LEFT]),
        "first-for-ever": (
            "The first factor comes again and again",
            [*half, *[_password(), _LEFT] * 3],
        ),
        "none": ("None is not enough where half is done", [*half, none, _LEFT]),
        "query-alone": ("A query about the key is not the key", [*half, query, PK_OK, none, _LEFT]),
        "bad-signature": (
            "The second factor is a signature over another session",
            [*half, say(house.signed(key, session_id=house.OTHER_SESSION_ID)), _LEFT],
        ),
    }
    for words, (what, turns) in wrong.items():
        yield dialogue(f"factors-{words}", f"{what}.", _SECTION, turns, setup=two, flag="factors")
    yield from _kept(half, signed, query)
    yield from _come_to_nothing(none, signed, query, code)
    yield from _flushed(half, signed, two)


def _come_to_nothing(none: Turn, signed: Turn, query: Turn, code: Turn) -> Iterator[dict[str, Any]]:
    """Yield what would be a first factor, were it proved: the list stays what it was."""
    mine = house.ed25519_key()
    prompt_first = server({**ALICE, "requires": ["keyboard-interactive", "publickey"]})
    key_first = server({**ALICE, "requires": ["publickey", "password"]})
    password_first = server({**ALICE, "requires": ["password", "publickey"]})
    wrong_code = say(UserAuthInfoResponse(["no"]))
    prompt, key, password = (
        failure("keyboard-interactive"),
        failure("publickey"),
        failure("password"),
    )
    forged = say(house.signed(mine, session_id=house.OTHER_SESSION_ID))
    rows: tuple[tuple[str, str, list[Turn], dict[str, Any]], ...] = (
        (
            "wrong-code",
            "a wrong response",
            [_asked(), INFO_REQUEST, wrong_code, prompt, none, prompt],
            prompt_first,
        ),
        ("forged", "a signature over another session", [forged, key, none, key], key_first),
        ("mere-query", "a query about the key", [query, PK_OK, none, key], key_first),
        (
            "abandoned",
            "an exchange that is abandoned",
            [_asked(), INFO_REQUEST, none, prompt],
            prompt_first,
        ),
        (
            "wrong-password",
            "a wrong password",
            [_password("no"), password, none, password],
            password_first,
        ),
    )
    starts = {id(prompt_first): prompt, id(key_first): key, id(password_first): password}
    for words, what, turns, setup in rows:
        yield dialogue(
            f"factors-first-{words}",
            f"What comes for the first factor is {what}: it alone is still offered.",
            _SECTION,
            [none, starts[id(setup)], *turns],
            setup=setup,
            flag="factors",
        )
    rest = failure("publickey", partial=True)
    yield dialogue(
        "factors-first-wrong-then-right",
        "Two factors are right at the second attempt at the first one.",
        _SECTION,
        [
            *(_asked(), INFO_REQUEST, wrong_code, prompt),
            *(_asked(), INFO_REQUEST, code, rest, signed, SUCCESS),
        ],
        setup=prompt_first,
    )
    yield dialogue(
        "factors-first-forged-then-right",
        "A signature over another session is refused, and the right one is the first factor.",
        _SECTION,
        [
            *(none, key, query, PK_OK, forged, key, query, PK_OK, signed),
            *(failure("password", partial=True), _password(), SUCCESS),
        ],
        setup=key_first,
    )
    yield dialogue(
        "factors-prompts-not-offered",
        "Nothing is asked by a method that is not offered yet.",
        _SECTION,
        [none, key, _asked(), key],
        setup=server(_ALL),
        flag="factors",
    )
    yield dialogue(
        "factors-prompts-no-more-offered",
        "Nothing is asked again by a method that is done.",
        _SECTION,
        [_asked(), INFO_REQUEST, code, rest, _asked(), key],
        setup=prompt_first,
        flag="factors",
    )


_KEY_AND_PROMPT: Final = ("publickey", "keyboard-interactive")


def _kept(half: list[Turn], signed: Turn, query: Turn) -> Iterator[dict[str, Any]]:
    """Yield what takes nothing away of what is done."""
    none = say(UserAuthNone(house.USER, house.SERVICE))
    other = say(house.signed(house.ed25519_key("mallory")))
    for words, what, between in (
        ("none", "none", [none, _LEFT]),
        ("wrong-key", "a key that is not the user's", [other, _LEFT]),
        ("first-again", "the first factor again", [_password(), _LEFT]),
        ("query-abandoned", "a query that is left alone", [query, PK_OK, none, _LEFT]),
    ):
        yield dialogue(
            f"factors-kept-over-{words}",
            f"Between two factors comes {what}, which takes nothing of the first away.",
            _SECTION,
            [*half, *between, signed, SUCCESS],
            setup=server(TWO_FACTORS),
            flag="factors",
        )


def _flushed(half: list[Turn], signed: Turn, two: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is of another user, or for another service, than what is done."""
    bob = user("bob", password="other", keys=ALICE["keys"], requires=TWO_FACTORS["requires"])  # noqa: S106
    both = server(TWO_FACTORS, bob)
    as_bob = say(house.signed(house.ed25519_key(), user="bob"))
    asks_bob: UserAuthMessage = UserAuthNone("bob", house.SERVICE)
    yield dialogue(
        "factors-of-two-users",
        "The first factor of one user, and the second of another.",
        "RFC 4252 5",
        [*half, as_bob, failure("password")],
        setup=both,
        flag="flushed",
    )
    yield dialogue(
        "factors-flushed-by-user",
        "Another user in between makes the server forget the first factor.",
        "RFC 4252 5",
        [*half, say(asks_bob), failure("password"), signed, failure("password")],
        setup=both,
        flag="flushed",
    )
    yield dialogue(
        "factors-flushed-then-whole",
        "Behind another user's request both factors are needed again, and are enough.",
        "RFC 4252 5",
        [*half, say(asks_bob), failure("password"), *half, signed, SUCCESS],
        setup=both,
        flag="flushed",
    )
    yield dialogue(
        "factors-of-nobody",
        "A user who does not exist has no part in another's first factor.",
        "RFC 4252 5",
        [*half, say(house.signed(house.ed25519_key(), user="nobody")), REFUSED],
        setup=both,
        flag="flushed",
    )
    elsewhere = say(house.signed(house.ed25519_key(), service="no-such-service"))
    yield dialogue(
        "factors-for-another-service",
        "The second factor is for a service that there is not.",
        "RFC 4252 5",
        [*half, elsewhere, REFUSAL],
        setup=two,
        flag="flushed",
    )
