"""What holds in every unit test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from authplugin import ErrorCode, ProtocolError


def _is_whole(error: ProtocolError) -> bool:
    words, field, offset = error.text, error.field, error.offset
    return (
        isinstance(error.code, ErrorCode)
        and isinstance(words, str)
        and len(words.split()) > 1
        and (field is None or (isinstance(field, str) and field != ""))
        and (offset is None or (type(offset) is int and offset >= 0))
        and error.args == (error.code, words, field, offset)
    )


@pytest.fixture(autouse=True)
def every_error_is_whole(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """See that each error that a test provokes is what its attributes say that it is."""
    broken: list[str] = []
    build = ProtocolError.__init__

    def watched(self: ProtocolError, *arguments: Any, **more: Any) -> None:
        build(self, *arguments, **more)
        if not _is_whole(self):
            broken.append(repr(vars(self)))

    monkeypatch.setattr(ProtocolError, "__init__", watched)
    yield
    assert broken == []
