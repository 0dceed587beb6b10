"""The file that says whom a test server knows, and what it asks of them."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from authplugin import KEYBOARD_INTERACTIVE, LocalProtocolError
from authplugin.userauth import (
    ALGORITHMS,
    DEFAULT_ALGORITHMS,
    Prompts,
    UserAuthBanner,
    UserAuthInfoRequest,
    UserAuthLimits,
    UserAuthMessage,
    UserAuthPasswordChangeRequired,
    encode_payload,
)
from authplugin.userauth.messages import NONE
from authplugin.userauth.signatures import UnacceptableKeyError, load_key

from ..places import Place, VectorError


class Failure(StrEnum):
    """What a server does, in place of a decision, to try what clients make of it."""

    REFUSE = "refuse"
    RAISE = "raise"


@dataclass(frozen=True, slots=True)
class Question:
    """A round of prompts, and the responses that are right.

    Attributes:
        prompts: what is asked.
        answers: one for each prompt; None takes any.
    """

    prompts: Prompts
    answers: tuple[str | None, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in.

    Attributes:
        name: the name of the account.
        password: None where none is right.
        new_password: a text that asks for another password, where the right one has to be changed.
        keys: the blobs of public keys that are authorised.
        rounds: what keyboard-interactive asks; None where it is not for this user.
        requires: the methods that are needed, in this order; one after the other if there are more.
        home_dir: the first directory, where it is not the server's.
        delay: seconds that each decision takes.
        fail: what to do in place of a decision.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    new_password: str | None = None
    keys: frozenset[bytes] = frozenset()
    rounds: tuple[Question, ...] | None = None
    requires: tuple[str, ...] = ()
    home_dir: str | None = None
    delay: float = 0.0
    fail: Failure | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that this user can use."""
        has = {
            "publickey": bool(self.keys),
            "password": self.password is not None,
            KEYBOARD_INTERACTIVE: self.rounds is not None,
        }
        return tuple(name for name, there in has.items() if there)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a test server is to do.

    Attributes:
        users: by name.
        methods: what is offered to users who are not known, and before anybody has said a name.
        algorithms: the public key algorithms that are on.
        root_directory: the first directory of sessions.
        banner: a text for every user; empty for none.
    """

    users: Mapping[str, User]
    methods: str = f"publickey,password,{KEYBOARD_INTERACTIVE}"
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    root_directory: str = "/"
    banner: str = ""


_NAME = re.compile(r"[!-+\--~]{1,64}")  # RFC 4251, section 6
_LIMITS = UserAuthLimits()
_ALGORITHM_OF = {each.key_type: each.name for each in ALGORITHMS.values()}
_TOP = frozenset({"methods", "algorithms", "root_directory", "banner"})
_USER = frozenset(
    {
        "password",
        "new_password",
        "authorized_keys",
        "round",
        "requires",
        "home_dir",
        "delay",
        "fail",
    }
)


def read_configuration(path: Path) -> Configuration:
    """Return what a TOML file says.

    Raises:
        VectorError: where it is not as it must be; says what was expected, and where.
        OSError: where it cannot be read.
    """
    try:
        top = Place(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VectorError(path.name, "", f"no TOML: {error}") from None
    members = top.members(frozenset({"user"}), _TOP)
    users: dict[str, User] = {}
    for place in members["user"].items():
        user = _user(place, path.parent)
        if user.name in users:
            raise place.wrong(f"{user.name!r} is there twice")
        users[user.name] = user
    made = Configuration(users)
    changes = {
        name: members[name].any_text() for name in ("root_directory", "banner") if name in members
    }
    if "methods" in members:
        changes["methods"] = ",".join(_once(members["methods"], _method))
    algorithms = made.algorithms
    if "algorithms" in members:
        algorithms = _once(members["algorithms"], _algorithm)
        if not algorithms:
            raise members["algorithms"].wrong("expected at least one algorithm")
    if "banner" in members:
        _check_sending(UserAuthBanner(changes["banner"], ""), members["banner"])
    return Configuration(users, algorithms=algorithms, **changes)


def _once(place: Place, read: Callable[[Place], str]) -> tuple[str, ...]:
    """Return the items of an array, none of which may be there twice."""
    found: list[str] = []
    for each in place.items():
        item = read(each)
        if item in found:
            raise each.wrong(f"{item!r} is there twice")
        found.append(item)
    return tuple(found)


def _check_sending(message: UserAuthMessage, place: Place) -> None:
    try:
        encode_payload(message)
    except LocalProtocolError as error:
        raise place.wrong(f"cannot be sent: {error}") from None


def _method(place: Place) -> str:
    name = place.matching(_NAME, "the name of a method")
    if name == NONE:
        raise place.wrong(f"{NONE!r} is never offered (RFC 4252, section 5.2)")
    return name


def _algorithm(place: Place) -> str:
    if place.text() not in ALGORITHMS:
        raise place.wrong(f"expected one of {', '.join(ALGORITHMS)}, not {place.text()!r}")
    return place.text()


def _user(place: Place, folder: Path) -> User:
    members = place.members(frozenset({"name"}), _USER)
    texts: dict[str, Any] = {
        name: members[name].any_text()
        for name in ("password", "new_password", "home_dir")
        if name in members
    }
    user = User(
        members["name"].text(),
        keys=_keys(members["authorized_keys"], folder)
        if "authorized_keys" in members
        else frozenset(),
        rounds=_rounds(members["round"]) if "round" in members else None,
        delay=_seconds(members["delay"]) if "delay" in members else 0.0,
        fail=members["fail"].one_of(Failure) if "fail" in members else None,
        **texts,
    )
    if user.new_password is not None:
        place = members["new_password"]
        if user.password is None:
            raise place.wrong("expected a password beside it, which is to be changed")
        _check_sending(UserAuthPasswordChangeRequired(user.new_password, ""), place)
    if "requires" not in members:
        return user
    return replace(user, requires=_required(members["requires"], user))


def _required(place: Place, user: User) -> tuple[str, ...]:
    def method(each: Place) -> str:
        if each.text() not in user.methods:
            raise each.wrong(f"{user.name!r} has nothing for {each.text()!r}")
        return each.text()

    return _once(place, method)


def _seconds(place: Place) -> float:
    if type(place.value) not in (int, float) or not 0 <= place.value <= 3600:
        raise place.wrong("expected seconds, from 0 to 3600")
    return float(place.value)


def _rounds(place: Place) -> tuple[Question, ...]:
    rounds = tuple(map(_round, place.items()))
    if len(rounds) > _LIMITS.rounds:
        raise place.wrong(f"expected at most {_LIMITS.rounds} rounds")
    return rounds


def _round(place: Place) -> Question:
    members = place.members(frozenset(), frozenset({"name", "instructions", "prompt"}))
    prompts = []
    answers = []
    for each in members["prompt"].items() if "prompt" in members else ():
        found = each.members(frozenset({"text"}), frozenset({"echo", "answer"}))
        prompts.append((found["text"].text(), found["echo"].flag() if "echo" in found else False))
        answers.append(found["answer"].any_text() if "answer" in found else None)
    if len(prompts) > _LIMITS.prompts:
        raise place.wrong(f"expected at most {_LIMITS.prompts} prompts")
    texts = {key: members[key].any_text() for key in ("name", "instructions") if key in members}
    made = Prompts(prompts, **texts)
    _check_sending(UserAuthInfoRequest(made.name, made.instructions, "", made.prompts), place)
    return Question(made, tuple(answers))


def _keys(place: Place, folder: Path) -> frozenset[bytes]:
    """Return the keys of a list of lines, or of the files that it names, as sshd's are."""
    found = set()
    for each in place.items():
        line = each.text()
        lines = [line]
        if " " not in line:
            try:
                lines = (folder / line).read_text(encoding="utf-8").splitlines()
            except (OSError, ValueError) as error:
                raise each.wrong(f"expected a public key, or a file of them: {error}") from None
        for one in lines:
            if one.strip() and not one.startswith("#"):
                found.add(_key(one, each))
    return frozenset(found)


def _key(line: str, place: Place) -> bytes:
    words = line.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error):
        raise place.wrong("expected a public key: its type, and base64") from None
    if words[0] not in _ALGORITHM_OF:
        known = ", ".join(_ALGORITHM_OF)
        raise place.wrong(f"expected a public key of one of these types: {known}")
    try:
        load_key(_ALGORITHM_OF[words[0]], blob)
    except UnacceptableKeyError as error:
        raise place.wrong(f"expected a public key: {error}") from None
    return blob
