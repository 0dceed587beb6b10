"""What goes wrong, under names that stay the same from one release to the next."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why something was refused. The values are stable: reports and vectors name them."""

    # The frame, before its contents are looked at.
    FRAME_EMPTY = "frame-empty"
    FRAME_TOO_LONG = "frame-too-long"
    END_TRUNCATED = "end-truncated"
    END_PREMATURE = "end-premature"

    # The contents of a frame.
    UNKNOWN_TYPE = "unknown-type"
    FIELD_TRUNCATED = "field-truncated"
    STRING_TOO_LONG = "string-too-long"
    COUNT_TOO_LARGE = "count-too-large"
    COUNT_IMPOSSIBLE = "count-impossible"
    TRAILING_BYTES = "trailing-bytes"
    BAD_BOOLEAN = "bad-boolean"
    BAD_UTF8 = "bad-utf8"
    BAD_ASCII = "bad-ascii"
    BAD_NAME_LIST = "bad-name-list"
    BAD_VALUE = "bad-value"

    # The conversation.
    WRONG_TURN = "wrong-turn"
    WRONG_SIDE = "wrong-side"
    WRONG_STATE = "wrong-state"
    SESSION_OVER = "session-over"
    VERSION_ABOVE_OFFER = "version-above-offer"
    VERSION_UNSUPPORTED = "version-unsupported"
    METHOD_UNKNOWN = "method-unknown"
    RESPONSE_COUNT = "response-count"
    POISONED = "poisoned"


class ProtocolError(ValueError):
    """Bytes, or a call, that the protocol does not allow.

    The text names fields, limits and offsets, and repeats nothing that came over the wire, not even
    a length: where a frame's length lies, the bytes of a secret stand where the next length is
    read. So it may be logged. Only of a message that is right in itself does it say which version
    was chosen, or how many responses came.

    Attributes:
        code: the reason, an `ErrorCode`.
        field: the field concerned, such as `"prompts[1].echo"`; None where no single field is.
        offset: bytes from the start of the frame, its length field included (so that the type
            byte stands at 4); None where no byte is to blame.
    """

    def __init__(
        self, code: ErrorCode, text: str, *, field: str | None = None, offset: int | None = None
    ) -> None:
        super().__init__(code, text, field, offset)
        self.code = code
        self.text = text
        self.field = field
        self.offset = offset

    def __str__(self) -> str:
        place = [] if self.offset is None else [f"at byte {self.offset} of the frame"]
        if self.field is not None:
            place.append(f"in {self.field}")
        return f"{self.code}: {self.text}" + (f" ({', '.join(place)})" if place else "")

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.code, self.text, self.field, self.offset)


def _restore(
    kind: type[ProtocolError], code: ErrorCode, text: str, field: str | None, offset: int | None
) -> ProtocolError:
    return kind(code, text, field=field, offset=offset)


class LocalProtocolError(ProtocolError):
    """The caller misused the library. Nothing was sent, and nothing has changed."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol. The object that raises this is poisoned from then on."""
