"""What the tests of programs under test share."""

from __future__ import annotations

import pytest

from authplugin_corpus.check.subject import Activity, Ended, Output, Subject
from authplugin_corpus.check.watched import can_watch

LIMIT = 60.0
"""Seconds within which anything happens, on the busiest machine."""

SHORT = 0.1
"""Seconds to wait where only the time limit can decide."""

MEBI = 2**20

linux = pytest.mark.skipif(not can_watch(), reason="only Linux tells")
each_way = pytest.mark.parametrize(
    "watched", [pytest.param(True, marks=linux, id="watched"), pytest.param(False, id="portable")]
)


def until_end(subject: Subject) -> list[Activity]:
    """Return all that happens until the program has ended."""
    happened = [subject.next(LIMIT)]
    while not isinstance(happened[-1], Ended):
        happened.append(subject.next(LIMIT))
    return happened


def said(subject: Subject, size: int) -> bytes:
    """Return so many bytes of what the program writes."""
    data = b""
    while len(data) < size:
        activity = subject.next(LIMIT)
        assert isinstance(activity, Output)
        data += activity.data
    return data
