"""What can be wrong with a frame of SSH's user authentication, and with none of the plugin's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from authplugin import ErrorCode
from authplugin.kinds import Encoding, StringKind

from ..protocols import label_of
from ..segments import Segment, string
from .declaring import Lead, fault
from .fault import Fault, Faulty, Scope
from .frame import changed, fits
from .stock import sample

_table: list[Fault] = []


@fault(
    _table,
    "bad-name-list",
    ErrorCode.BAD_NAME_LIST,
    "RFC 4251 5",
    "A list of names has an empty one.",
    Scope.FRAME,
)
def _bad_name_list(lead: Lead) -> Iterator[Faulty]:
    def change(segment: Segment, left: int) -> Iterator[bytes]:
        if isinstance(segment.kind, StringKind) and segment.kind.encoding is Encoding.NAMES:
            for names in (b",", b",a", b"a,", b"a,,b"):
                if len(names) <= lead.limits.text:
                    yield string(names)

    yield from changed(lead, ErrorCode.BAD_NAME_LIST, change)


@fault(
    _table,
    "other-method",
    {
        ErrorCode.UNKNOWN_TYPE,
        ErrorCode.FIELD_TRUNCATED,
        ErrorCode.TRAILING_BYTES,
    },
    "RFC 4252 6",
    "A message comes that belongs to another method than the one under way.",
    Scope.FRAME,
)
def _other_method(lead: Lead) -> Iterator[Faulty]:
    if lead.spec.method is None:
        return
    for each in lead.protocol.elsewhere:
        data = lead.protocol.encode(sample(each), lead.limits)
        if fits(data, lead.limits):
            faulty = lead.judged("frame", f"{label_of(each.spec)} instead", data)
            if faulty.code is not None:
                yield faulty


FAULTS_OF_USER_AUTH: Final = tuple(_table)
"""The faults of scope `FRAME` that fit SSH's user authentication alone."""
