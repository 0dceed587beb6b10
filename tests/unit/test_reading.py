"""Frames read field by field: with every wire kind there is, also those that few messages have."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from authplugin import Limits, RemoteProtocolError
from authplugin.kinds import (
    Boolean,
    BooleanKind,
    ConstantKind,
    CountedKind,
    Encoding,
    Name,
    RestKind,
    StringKind,
    UInt32,
    UInt32Kind,
    WireKind,
)
from authplugin.reading import FrameReader, Part, refuse_fields
from authplugin.table import WireField, WireMessage, WireSpec, declare

from .samples import framed, told, uint32

BOOLEAN = BooleanKind()
NAME = StringKind(Encoding.ASCII)
SECRET = StringKind(Encoding.UTF8, secret=True)
LIST = StringKind(Encoding.NAMES)


def spec_of(*fields: tuple[str, WireKind]) -> WireSpec:
    return WireSpec("SOMETHING", 7, "1", None, tuple(WireField(*each) for each in fields))


def text(data: bytes) -> bytes:
    return uint32(len(data)) + data


@dataclass(frozen=True)
class Case:
    """A body behind its type byte, and the parts that it has."""

    fields: tuple[tuple[str, WireKind], ...]
    data: bytes
    parts: tuple[tuple[str, int, int, str | None, bool], ...]


READ = {
    "integer": Case((("a", UInt32Kind()),), uint32(258), (("a", 5, 4, "258", False),)),
    "false": Case((("a", BOOLEAN),), b"\0", (("a", 5, 1, "false", False),)),
    "true": Case((("a", BOOLEAN),), b"\1", (("a", 5, 1, "true", False),)),
    "string": Case(
        (("a", NAME), ("b", SECRET)),
        text(b"xy") + text(b"z"),
        (
            ("a length", 5, 4, "2", False),
            ("a", 9, 2, None, False),
            ("b length", 11, 4, "1", False),
            ("b", 15, 1, None, True),
        ),
    ),
    "empty string": Case((("a", SECRET),), text(b""), (("a length", 5, 4, "0", False),)),
    "names": Case(
        (("a", LIST),), text(b"b,c"), (("a length", 5, 4, "3", False), ("a", 9, 3, None, False))
    ),
    "elements of one part": Case(
        (("a", CountedKind((("part", SECRET),))),),
        uint32(2) + text(b"x") + text(b""),
        (
            ("a count", 5, 4, "2", False),
            ("a[0] length", 9, 4, "1", False),
            ("a[0]", 13, 1, None, True),
            ("a[1] length", 14, 4, "0", False),
        ),
    ),
    "elements of two parts": Case(
        (("a", CountedKind((("left", NAME), ("right", BOOLEAN)))),),
        uint32(1) + text(b"x") + b"\1",
        (
            ("a count", 5, 4, "1", False),
            ("a[0].left length", 9, 4, "1", False),
            ("a[0].left", 13, 1, None, False),
            ("a[0].right", 14, 1, "true", False),
        ),
    ),
    "rest": Case((("a", RestKind()),), b"xyz", (("a", 5, 3, None, False),)),
    "secret rest": Case((("a", RestKind(secret=True)),), b"xyz", (("a", 5, 3, None, True),)),
    "no rest": Case((("a", RestKind()),), b"", ()),
    "constants": Case(
        (("a", ConstantKind.of(BOOLEAN, True)), ("b", ConstantKind.of(NAME, "it"))),
        b"\1" + text(b"it"),
        (("a", 5, 1, "true", False), ("b length", 6, 4, "2", False), ("b", 10, 2, None, False)),
    ),
}


@pytest.mark.parametrize("case", READ.values(), ids=READ)
def test_the_parts_of_a_frame(case: Case) -> None:
    frame = memoryview(framed(b"\7" + case.data))
    reader = FrameReader(frame, Limits())
    reader.fields(spec_of(*case.fields))
    assert reader.parts == [Part(*part) for part in case.parts]
    assert reader.at == len(frame)


def test_a_part_is_no_secret_and_speaks_for_itself() -> None:
    assert Part("a", 5, 1) == Part("a", 5, 1, None, False)


class Tagged(WireMessage):
    tag: ClassVar[Name] = "it"
    number: UInt32
    flag: ClassVar[Boolean] = True
    other: ClassVar[int] = 5


def test_a_class_variable_with_a_kind_is_a_constant() -> None:
    spec = declare(Tagged, lambda fields: WireSpec("TAGGED", 9, "1", None, fields)).spec
    assert [(each.name, each.kind) for each in spec.fields] == [
        ("tag", ConstantKind.of(NAME, "it")),
        ("number", UInt32Kind()),
        ("flag", ConstantKind.of(BOOLEAN, True)),
    ]
    assert [each.name for each in spec.variables] == ["number"]


def wrong(data: bytes, *fields: tuple[str, WireKind], **limits: Any) -> RemoteProtocolError:
    frame = memoryview(framed(b"\7" + data))
    return refuse_fields(spec_of(*fields), frame, Limits(**limits))


CONSTANTS = (("a", ConstantKind.of(BOOLEAN, False)), ("b", ConstantKind.of(NAME, "it")))


def test_a_constant_is_as_strict_as_can_be() -> None:
    assert told(wrong(b"", *CONSTANTS)) == ("field-truncated", "a", 5)
    for lenient in (False, True):
        error = wrong(b"\2" + text(b"it"), *CONSTANTS, nonzero_is_true=lenient)
        assert told(error) == ("bad-boolean", "a", 5)
    assert told(wrong(b"\0", *CONSTANTS)) == ("field-truncated", "b", 6)
    assert told(wrong(b"\0" + text(b"i\x80"), *CONSTANTS)) == ("bad-ascii", "b", 11)


@pytest.mark.parametrize("value", [True, False])
def test_a_constant_boolean_is_one_byte(value: bool) -> None:
    kind = ConstantKind.of(BOOLEAN, value)
    assert (kind.kind, kind.data, kind.least_size) == (BOOLEAN, bytes([value]), 1)


def test_a_constant_string_has_its_length() -> None:
    kind = ConstantKind.of(NAME, "x" * 300)
    assert (kind.kind, kind.data, kind.least_size) == (NAME, text(b"x" * 300), 304)


@pytest.mark.parametrize(
    ("kind", "size"),
    [(UInt32Kind(), 4), (BOOLEAN, 1), (NAME, 4), (CountedKind(()), 4), (RestKind(), 0)],
)
def test_the_fewest_bytes_of_a_kind(kind: Any, size: int) -> None:
    assert kind.least_size == size


def test_the_fewest_bytes_of_an_element() -> None:
    assert CountedKind((("a", NAME), ("b", BOOLEAN), ("c", SECRET))).least_element_size == 9


@pytest.mark.parametrize(
    ("names", "at"), [(b",", 9), (b"a,", 11), (b"a,,b", 11), (b"bb,c,,", 14), (b"a,\x80", 11)]
)
def test_a_list_of_names(names: bytes, at: int) -> None:
    code = "bad-ascii" if b"\x80" in names else "bad-name-list"
    assert told(wrong(text(names), ("a", LIST))) == (code, "a", at)
