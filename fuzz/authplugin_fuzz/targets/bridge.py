"""Server, bridge and plugin, with whatever the pipes between them do to what they say."""

from __future__ import annotations

from authplugin_properties.laws.bridges import three_agree

from ..bridging import Start, step_of
from ..courses import Course


def run(raw: bytes) -> None:
    """Try that all three do what they must."""
    course = Course.from_bytes(raw)
    start = Start.of(course)
    three_agree(map(step_of, course.events), start.username, start.limits)
