"""A server of SSH's user authentication beside its model, under any client and any handler."""

from __future__ import annotations

from authplugin_properties.laws.server import userauth_server_agrees

from ..courses import Course
from ..serving import setup_of, steps_of


def run(raw: bytes) -> None:
    """Try that the server does what its model does."""
    course = Course.from_bytes(raw)
    userauth_server_agrees(steps_of(course), setup_of(course))
