"""The generator, in processes of its own, and the freshness of what it wrote."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .test_import import unmeasured

CODEC = Path(__file__).resolve().parents[2] / "codec"
WIRE = Path("authplugin", "wire.py")
WIRES = [WIRE, Path("authplugin", "userauth", "wire.py")]


def python(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python as if nothing were installed that this repository holds."""
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=cwd,
        env={**unmeasured(), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


FRESH = "authplugin/wire.py is fresh\nauthplugin/userauth/wire.py is fresh\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the codec's folder, to be broken."""
    made = tmp_path / "codec"
    shutil.copytree(CODEC, made, ignore=shutil.ignore_patterns("__pycache__"))
    return made


def test_the_committed_module_is_fresh() -> None:
    ran = python("generate.py", "--check", cwd=CODEC)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, FRESH, "")


@pytest.mark.parametrize("wire", WIRES)
def test_the_committed_module_is_formatted_as_all_code_here(wire: Path) -> None:
    pytest.importorskip("ruff", reason="ruff is not installed (the extra `lint`)")
    ran = python("-m", "ruff", "format", "--check", wire, cwd=CODEC)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "before",
    [None, "", "this is no Python\n", "raise SystemExit('stale')\n"],
    ids=["missing", "empty", "broken", "stale"],
)
def test_the_module_can_be_written_whatever_was_there(
    copy: Path, before: str | None, wire: Path
) -> None:
    if before is None:
        (copy / wire).unlink()
    else:
        (copy / wire).write_text(before)
        ran = python("generate.py", "--check", cwd=copy)
        assert (ran.returncode, ran.stderr) == (1, "")
        assert "stale: run make generate" in ran.stdout
        assert (copy / wire).read_text() == before, "checking writes nothing"
    ran = python("generate.py", cwd=copy)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (copy / wire).read_bytes() == (CODEC / wire).read_bytes()


@pytest.mark.parametrize("wire", WIRES)
def test_one_byte_makes_it_stale(copy: Path, wire: Path) -> None:
    (copy / wire).write_text((copy / wire).read_text() + "\n")
    assert python("generate.py", "--check", cwd=copy).returncode == 1


# A message of another method, with kinds next to each other as no real message has them.
ADDED = '''
Pairs = Annotated[
    Sequence[tuple[bool, TextValue, TextValue]],
    CountedKind((
        ("flag", BooleanKind()),
        ("left", StringKind(Encoding.UTF8)),
        ("right", StringKind(Encoding.RIGHT)),
    )),
]


@message(_table, "PLUGIN_OTHER", code=20, clause="H.6", method="other", sender=Side.CLIENT,
         leaves=State.AUTHENTICATING, enters=State.CHALLENGED)
class PluginOther(Message):
    """Of a method to come."""

    first: Text
    one: UInt32
    two: UInt32
    second: AsciiText
    third: UnstatedText
    pairs: Pairs


MESSAGES: Final'''

IMPORTS = """
from collections.abc import Sequence
from typing import Annotated

from .kinds import BooleanKind, CountedKind, Encoding, StringKind, TextValue
"""

USE = r"""
import authplugin
from authplugin.messages import PluginOther

message = PluginOther("\u00e9", 1, 2, "a", b"b", [(True, "\u20ac", "x"), (False, "", "y")])
body = (b"\x14" b"\0\0\0\2\xc3\xa9" b"\0\0\0\1" b"\0\0\0\2" b"\0\0\0\1a" b"\0\0\0\1b" b"\0\0\0\2"
        b"\1\0\0\0\3\xe2\x82\xac\0\0\0\1x" b"\0\0\0\0\0\0\0\0\1y")
frame = len(body).to_bytes(4, "big") + body
assert authplugin.encode(message) == frame
read = authplugin.decode(frame, method="other")
assert read == message and type(read) is PluginOther
assert authplugin.encode(read) == frame
# The code is still the other method's, too.
request = authplugin.PluginKIServerRequest("n", "", "", [])
assert authplugin.decode(authplugin.encode(request)) == request
for at, code, field in (
    (9, "bad-utf8", "first"),
    (23, "bad-ascii", "second"),
    (28, "bad-utf8", "third"),
    (33, "bad-boolean", "pairs[0].flag"),
    (38, "bad-utf8", "pairs[0].left"),
    (45, "bad-RIGHT", "pairs[0].right"),
    (46, "bad-boolean", "pairs[1].flag"),
    (55, "bad-RIGHT", "pairs[1].right"),
):
    bad = frame[:at] + b"\xff" + frame[at + 1:]
    try:
        print(authplugin.decode(bad, method="other"))
    except authplugin.RemoteProtocolError as error:
        assert (error.code, error.field, error.offset) == (code, field, at), error
    else:
        raise AssertionError(field)
for size in range(5, len(frame)):
    bad = (size - 4).to_bytes(4, "big") + frame[4:size]
    try:
        authplugin.decode(bad, method="other")
    except authplugin.RemoteProtocolError as error:
        assert error.code in ("field-truncated", "count-impossible"), error
    else:
        raise AssertionError(size)
print("right")
"""


def add_a_message(copy: Path, added: str, encoding: str = "UTF8") -> None:
    added = added.replace("RIGHT", encoding)
    table = copy / "authplugin" / "messages.py"
    text = table.read_text()
    assert text.count("\nMESSAGES: Final") == 1
    text = text.replace("\nMESSAGES: Final", added)
    table.write_text(text.replace("\nfrom .kinds import", f"{IMPORTS}\nfrom .kinds import", 1))


@pytest.mark.parametrize("encoding", ["UTF8", "ASCII"])
def test_a_new_message_is_one_class(copy: Path, encoding: str) -> None:
    add_a_message(copy, ADDED, encoding)
    ran = python("generate.py", "--check", cwd=copy)
    assert ran.returncode == 1
    ran = python("generate.py", cwd=copy)
    assert (ran.returncode, ran.stderr) == (0, "")
    # With the copy's own package first on the path: the folder that Python starts in.
    ran = python("-c", USE.replace("RIGHT", encoding.lower()), cwd=copy)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "right\n", "")


def test_only_the_last_field_can_be_counted(copy: Path) -> None:
    add_a_message(copy, ADDED.replace("    pairs: Pairs\n", "    pairs: Pairs\n    last: UInt32\n"))
    before = (copy / WIRE).read_bytes()
    ran = python("generate.py", cwd=copy)
    assert ran.returncode == 1
    assert "PLUGIN_OTHER: only the last field can be counted" in ran.stderr
    assert (copy / WIRE).read_bytes() == before
