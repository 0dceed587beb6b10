"""Messages of SSH's user authentication as JSON, and what is expected of them.

See `message_json` and `constraints`, whose forms these are.
"""

from __future__ import annotations

from typing import NamedTuple

from authplugin.userauth.messages import MESSAGES, UserAuthMessage

from ..constraints import Constraint, constraints_at
from ..message_json import constants_of, values_at
from ..places import Place


def message_from_json(place: Place) -> UserAuthMessage:
    """Return the message of which a value is the JSON form.

    Raises:
        VectorError: where it is that of none.
    """
    message_type = type_at(place)
    return message_type(*values_at(place, message_type))


def type_at(place: Place) -> type[UserAuthMessage]:
    """Return the message that the `"type"` of an object, and what never varies in it, name."""
    named = place.member("type")
    name = named.text()
    of_name = [each for each in MESSAGES if each.spec.name == name]
    if not of_name:
        known = dict.fromkeys(each.spec.name for each in MESSAGES)
        raise named.wrong(f"{name!r} is no message; there are {', '.join(known)}")
    members = place.mapping()
    # That in which everything varies is what is left where no other fits.
    for message_type in sorted(of_name, key=lambda each: -len(constants_of(each.spec))):
        constants = constants_of(message_type.spec).items()
        if all(name in members and members[name].value == value for name, value in constants):
            break
    return message_type


class ServerSays(NamedTuple):
    """A message of a server, as far as it matters."""

    message_type: type[UserAuthMessage]
    constraints: tuple[Constraint, ...] = ()

    def __str__(self) -> str:
        name = self.message_type.spec.name
        return f"{name} ({', '.join(map(str, self.constraints))})" if self.constraints else name

    def broken_by(self, message: UserAuthMessage) -> str | None:
        """Return in which way a message is another one, or None."""
        if type(message) is not self.message_type:
            return f"is {message.spec.name}"
        broken = (constraint.broken_by(message) for constraint in self.constraints)
        return next((text for text in broken if text is not None), None)


def server_says_from_json(place: Place) -> ServerSays:
    """Return what a value in the JSON form expects of a server.

    Raises:
        VectorError: where it is not in that form.
    """
    message_type = type_at(place)
    return ServerSays(message_type, constraints_at(place, message_type))
