"""From what was found to a vector and a pinned test, with a codec that is wrong."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files as resources
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import authplugin
import authplugin_corpus
from authplugin import (
    PluginInit,
    PluginInitResponse,
    PluginKIUserResponse,
    PluginProtocol,
    Side,
    encode,
)
from authplugin.userauth import UserAuthBanner, encode_payload
from authplugin_corpus.vectors import load_flags, read_vectors
from authplugin_corpus.verifying import problems_of_files
from authplugin_fuzz import files, shelves
from authplugin_fuzz.attempts import Attempts, Violation
from authplugin_fuzz.command import fuzz
from authplugin_fuzz.findings import Findings, Kind
from authplugin_fuzz.layers import Exchange, How, Layer, Move, frame_of
from authplugin_fuzz.regressions import Regression
from authplugin_fuzz.shelves import Pin, Shelf, ShelfError
from authplugin_fuzz.targets import TARGETS
from authplugin_fuzz.vectors import message_vector

from .inputs import made

VECTORS = Path(str(resources("authplugin_corpus"))) / "vectors"

# What is appended to a module of the codec, to make it wrong.
ENDS_AT_ANY_TIME = ("session", "MAY_END = {side: tuple(EndKind) for side in Side}")
PORT_OF_16_BITS = (
    "codec",
    """
_right = decode
def decode(data, *others, **named):
    message = _right(data, *others, **named)
    if message.spec.name == "PLUGIN_INIT":
        message.port &= 0xFFFF
    return message
""",
)
FORGETS_A_LANGUAGE = (
    "userauth/codec",
    """
_right = decode
def decode(data, *others, **named):
    message = _right(data, *others, **named)
    if message.spec.name == "SSH_MSG_USERAUTH_BANNER":
        message.language = b""
    return message
""",
)
FEARS_A_BYTE = (
    "stream",
    """
_feed = FrameDecoder.feed
def feed(self, data):
    if 0xEE in bytes(data):
        raise IndexError(bytes(data))
    return _feed(self, data)
FrameDecoder.feed = feed
""",
)
FEARS_A_PORT = (
    "session",
    """
_receive = Session.receive_data
def receive_data(self, data):
    if (70_000).to_bytes(4, "big") in bytes(data):
        raise IndexError(bytes(data))
    return _receive(self, data)
Session.receive_data = receive_data
""",
)
DOUBLES_RESPONSES = (
    "codec",
    """
_right = decode
def decode(data, *others, **named):
    message = _right(data, *others, **named)
    if message.spec.name == "PLUGIN_KI_USER_RESPONSE":
        message.responses = 2 * list(message.responses)
    return message
""",
)
DIES = ("codec", PORT_OF_16_BITS[1].replace("message.port &= 0xFFFF", "import os; os._exit(0)"))
HANGS = ("codec", PORT_OF_16_BITS[1].replace("message.port &= 0xFFFF", "while True: pass"))

BANNER = encode_payload(UserAuthBanner("Welcome.", "de"))
INIT = PluginInit(2, "ssh.example.com", 70_000, "alice")
TALK = Exchange(
    b"\x04",
    [
        Move(Side.CLIENT, How.SAID, encode(INIT)),
        Move(Side.PLUGIN, How.SAID, encode(PluginInitResponse(2, "bob")), 3),
        Move(Side.CLIENT, How.SAID, encode(PluginProtocol("keyboard-interactive")), unseen=True),
    ],
)

Wrong = Callable[[tuple[str, str]], Path]


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wrong:
    """Make the codec wrong for every process that is started; the tests' own stays right."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)

    def make(mistake: tuple[str, str]) -> Path:
        module, code = mistake
        first = tmp_path / "wrong"
        source = Path(authplugin.__file__).parent
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, first / "authplugin", ignore=ignored)
        with (first / "authplugin" / f"{module}.py").open("a") as appended:
            appended.write(f"\n\n{code}\n")
        monkeypatch.setenv("PYTHONPATH", str(first))
        return first

    return make


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a checkout, as far as promoting needs one."""
    root = tmp_path / "repository"
    (root / "tests" / "fuzz").mkdir(parents=True)
    shutil.copytree(VECTORS, root / "corpus" / "authplugin_corpus" / "vectors")
    return root


def found(folder: Path, target: str, raw: bytes, kind: Kind = Kind.CRASH) -> Path:
    path = Findings(folder / "kept").add(target, kind, "a title", found=raw).path
    assert path is not None
    return path


def promote(*arguments: object) -> Result:
    return CliRunner().invoke(fuzz, ["promote", *map(str, arguments)])


def tree(*folders: Path) -> dict[Path, bytes]:
    """Return the files of some folders; the names of those still being written do not count."""
    return {
        path: path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(files.TEMPORARY)
    }


def pins(root: Path) -> list[Pin]:
    return Shelf.of_repository(root).pinned()


def linted(root: Path) -> list[str]:
    """Return what the linter says of all vectors of a checkout."""
    folder = root / "corpus" / "authplugin_corpus" / "vectors"
    return list(problems_of_files({path.name: path.read_text() for path in folder.iterdir()}))


def seen_by_the_linter(root: Path, kind: str) -> list[str]:
    """Return what the linter of the processes that are started says of what was promoted."""
    folder = root / "corpus" / "authplugin_corpus" / "vectors"
    with Attempts("frames") as attempts:
        return attempts.problems((folder / f"promoted-{kind}.json").read_text())


# From an input to a vector and a pin, in each layer.


@pytest.mark.parametrize(
    ("mistake", "target", "raw", "small", "kind", "words"),
    [
        pytest.param(
            PORT_OF_16_BITS,
            "messages",
            encode(INIT)[4:],
            17,
            "messages",
            "message-init-right-found-",
            id="body",
        ),
        pytest.param(
            FORGETS_A_LANGUAGE,
            "userauth",
            BANNER,
            10,
            "userauth",
            "userauth-banner-right-found-",
            id="payload",
        ),
        pytest.param(
            FEARS_A_BYTE,
            "frames",
            encode(INIT) + b"\0\0\0\xee" + encode(INIT),
            1,
            "client-dialogues",
            "client-initialising-end-truncated-found-",
            id="stream",
        ),
        pytest.param(
            FEARS_A_PORT,
            "plugin",
            TALK.to_bytes(),
            8,
            "plugin-dialogues",
            "plugin-start-end-truncated-found-",
            id="conversation",
        ),
        pytest.param(
            ENDS_AT_ANY_TIME,
            "dialogue",
            TALK.to_bytes(),
            25,
            None,
            "client-initialising-end",
            id="what-the-corpus-has",
        ),
    ],
)
def test_what_was_found_becomes_a_vector_and_a_pinned_test(
    wrong: Wrong,
    repository: Path,
    tmp_path: Path,
    mistake: tuple[str, str],
    target: str,
    raw: bytes,
    small: int,
    kind: str | None,
    words: str,
) -> None:
    wrong(mistake)
    path = found(tmp_path, target, raw)
    before = set(tree(repository))
    ended = promote(path, "--repository", repository)
    print(ended.output)
    assert ended.exit_code == 0
    assert f"input      {len(raw)} bytes, made {small}\n" in ended.output

    # It is pinned, and breaks nothing of the codec that is right.
    (pin,) = pins(repository)
    assert (pin.target, len(pin.raw)) == (target, small)
    assert f"breaks     {pin.law}\n" in ended.output
    TARGETS[target].run(pin.raw)
    with Attempts(target) as attempts:
        violation = attempts.violation(pin.raw)
        assert violation is not None
        assert violation.law == pin.law

    # The vector is one for everybody, and shows the mistake.
    added = set(tree(repository)) - before
    assert linted(repository) == []
    assert str(pin.vector).startswith(words)
    assert pin.id == pin.vector
    if kind is not None:
        assert {path.name for path in added} == {pin.path.name, f"promoted-{kind}.json"}
        assert seen_by_the_linter(repository, kind) != []
        text = next(path for path in added if "promoted" in path.name).read_text()
        (vector,) = read_vectors(text, "promoted", load_flags())
        assert (vector.id, vector.sentence) == (pin.vector, pin.sentence)
    else:
        assert added == {pin.path}
        assert f"vector     {pin.vector} is there already, in " in ended.output

    # It has moved, and promoted once more it changes nothing.
    assert Findings(tmp_path / "kept").all() == []
    moved = tmp_path / "kept" / target / "promoted" / path.name
    assert moved.read_bytes() == raw
    everything = tree(repository)
    again = promote(moved, "--repository", repository)
    assert again.exit_code == 0
    assert "written" not in again.output
    assert f"pinned     {pin.id} is there already, in {pin.path}" in again.output
    assert tree(repository) == everything


def test_what_a_state_machine_found_becomes_what_it_did(
    wrong: Wrong, repository: Path, tmp_path: Path
) -> None:
    wrong(ENDS_AT_ANY_TIME)
    # What choices mean follows from the machines, and from Hypothesis.
    with Attempts("stateful") as attempts:
        raw = next(raw for raw in made(Layer.CHOICES, 300) if attempts.violation(raw) is not None)
    path = found(tmp_path, "stateful", raw)
    ended = promote(path, "--repository", repository, "--seconds", "10")
    assert ended.exit_code == 0, ended.output
    (pin,) = pins(repository)
    assert len(pin.raw) < len(raw)
    assert pin.vector is not None
    assert pin.vector.startswith("client-")


def test_a_smaller_input_that_breaks_something_else_is_none(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("""
from authplugin_fuzz.targets import roundtrip
from authplugin_properties.laws import LawBroken

def run(raw):
    if b"bob" in raw:
        raise LawBroken(f"one law: item {len(raw)} is b'bob', not b'alice'")
    if b"b" in raw:
        raise LawBroken("one law: it is not this one")
    if raw:
        raise ValueError("nor this one")

roundtrip.run = run
""")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    raw = encode(PluginInit(2, "bob-and-bob", 22, "bob"))[4:]
    ended = promote(found(tmp_path, "roundtrip", raw), "--repository", repository)
    assert ended.exit_code == 0, ended.output
    assert "vector     none: no vector shows the mistake" in ended.output
    (pin,) = pins(repository)
    assert (pin.raw, pin.law, pin.vector) == (b"bob", "one law", None)
    assert pin.id.startswith("roundtrip-one-law-found-")


@pytest.mark.parametrize(
    ("mistake", "kind", "law"),
    [
        pytest.param(DIES, Kind.CRASH, "the process", id="dies"),
        pytest.param(HANGS, Kind.TIMEOUT, "the time limit", id="hangs"),
    ],
)
def test_what_ends_the_process_is_promoted_too(
    wrong: Wrong,
    repository: Path,
    tmp_path: Path,
    mistake: tuple[str, str],
    kind: Kind,
    law: str,
) -> None:
    wrong(mistake)
    path = found(tmp_path, "messages", encode(INIT)[4:], kind)
    ended = promote(path, "--repository", repository, "--time-limit", "0.5", "--seconds", "5")
    assert ended.exit_code == 0, ended.output
    (pin,) = pins(repository)
    assert (pin.law, pin.raw[:1]) == (law, b"\1")
    assert len(pin.raw) < 30


# What is said.


def test_what_is_expected_and_what_came_is_said_without_a_secret(
    wrong: Wrong, repository: Path, tmp_path: Path
) -> None:
    secret = "hunter22hunter22"
    response = PluginKIUserResponse([secret])
    wrong(DOUBLES_RESPONSES)
    into = tmp_path / "into"
    path = found(tmp_path, "differential", encode(response)[4:])
    ended = promote(path, "--into", into, "--seconds", "0")
    print(ended.output)
    assert ended.exit_code == 0
    assert "  expected   decode: {'type': 23, 'responses': [<bytes>]}\n" in ended.output
    assert "  got        {'type': 23, 'responses': [<bytes>, <bytes>]}\n" in ended.output
    assert "  correct    to take it, as the oracles do\n" in ended.output
    assert "** ** **" in ended.output
    (issue,) = (into / "issues").iterdir()
    for text in (ended.output, issue.read_text()):
        assert "hunter" not in text
        assert secret.encode().hex() not in text
        assert secret.encode().hex(" ") not in text
    assert issue.read_text().startswith("# differential: agreement with the ")
    assert "PLUGIN_KI_USER_RESPONSE, 29 bytes" in issue.read_text()


def test_a_dry_run_only_says(wrong: Wrong, repository: Path, tmp_path: Path) -> None:
    wrong(ENDS_AT_ANY_TIME)
    path = found(tmp_path, "client", TALK.to_bytes())
    before = tree(repository, tmp_path / "kept")
    ended = promote(path, "--dry-run", "--repository", repository, "--seconds", "0")
    assert ended.exit_code == 0
    assert "breaks     agreement with the model\n" in ended.output
    assert tree(repository, tmp_path / "kept") == before


# Elsewhere than in the repository.


def test_another_folder_gets_a_vector_a_pin_and_an_issue_and_the_input_stays(
    wrong: Wrong, tmp_path: Path
) -> None:
    wrong(FEARS_A_PORT)
    path = found(tmp_path, "plugin", TALK.to_bytes())
    into = tmp_path / "into"
    ours = tree(VECTORS)
    for time in ("written to", "is there already, in"):
        ended = promote(path, "--into", into)
        assert ended.exit_code == 0, ended.output
        names = {str(each.relative_to(into)) for each in tree(into)}
        (pin,) = Shelf.of_folder(into).pinned()
        assert names == {
            "vectors/promoted-plugin-dialogues.json",
            f"pinned/{pin.path.name}",
            f"issues/{pin.path.stem}.md",
        }
        assert f"vector     {pin.vector} {time} {into}" in ended.output
        assert path.exists()
    assert tree(VECTORS) == ours


def test_where_there_is_no_checkout_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authplugin_corpus, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    ended = promote(found(tmp_path, "client", b""))
    assert ended.exit_code == 2
    assert "is no checkout of this library; say --into FOLDER" in ended.output


# What is not promoted stays.


def test_what_breaks_nothing_any_more_is_said_and_kept(repository: Path, tmp_path: Path) -> None:
    path = found(tmp_path, "client", TALK.to_bytes())
    before = tree(repository, tmp_path / "kept")
    ended = promote(path, "--repository", repository)
    assert ended.exit_code == 1
    assert "kept       as it was: breaks nothing, in 3 processes: mended since" in ended.output
    assert tree(repository, tmp_path / "kept") == before


def test_what_is_left_to_chance_is_said_and_kept(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tmp_path / "before"
    (tmp_path / "sitecustomize.py").write_text(f"""
from pathlib import Path
from authplugin_fuzz.targets import roundtrip

def run(raw):
    before = Path({str(before)!r})
    if not before.exists():
        before.touch()
        raise ValueError("by chance")

roundtrip.run = run
""")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = found(tmp_path, "roundtrip", b"anything")
    ended = promote(path, "--repository", repository)
    assert ended.exit_code == 1
    assert "breaks ValueError outside in 1 of 3 processes: that is left to chance" in ended.output
    assert path.exists()
    assert pins(repository) == []


def test_a_full_disk_is_said_and_the_input_stays(
    wrong: Wrong, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong(ENDS_AT_ANY_TIME)
    path = found(tmp_path, "client", TALK.to_bytes())
    before = tree(repository, tmp_path / "kept")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = promote(path, "--repository", repository, "--seconds", "0")
    assert ended.exit_code == 1
    assert "kept       as it was: [Errno 28] No space left on device" in ended.output
    assert tree(repository, tmp_path / "kept") == before


# Many.


def test_all_that_was_found_is_promoted_and_what_is_the_same_once(
    wrong: Wrong, repository: Path, tmp_path: Path
) -> None:
    wrong(ENDS_AT_ANY_TIME)
    other = replace(TALK, moves=TALK.moves[:1], rest=b"more")
    for raw in (TALK.to_bytes(), other.to_bytes(), b"breaks nothing"):
        found(tmp_path, "client", raw)
    ended = promote("--all", "--folder", tmp_path / "kept", "--repository", repository)
    assert ended.exit_code == 1
    assert ended.output.count("  pinned     ") == 2
    # The corpus has the vector of both, and the second is the first once it is small.
    assert ended.output.count(" is there already, in ") == 3
    assert len(pins(repository)) == 1
    assert [each.target for each in Findings(tmp_path / "kept").all()] == ["client"]


def test_what_cannot_be_promoted_is_said_and_stays(repository: Path, tmp_path: Path) -> None:
    log = tmp_path / "slice.log"
    log.write_text("killed")
    Findings(tmp_path / "kept").add("plugin", Kind.DEATH, "it died", found=None, log=log)
    Findings(tmp_path / "kept").add("gone", Kind.CRASH, "of a target of old", found=b"x")
    ended = promote("--all", "--folder", tmp_path / "kept", "--repository", repository)
    assert ended.exit_code == 1
    assert "is of no target that there is, so it stays" in ended.output
    assert "left no input, so it stays" in ended.output
    assert len(Findings(tmp_path / "kept").all()) == 2


def test_where_nothing_was_found_nothing_is_promoted(repository: Path, tmp_path: Path) -> None:
    ended = promote("--all", "--folder", tmp_path, "--repository", repository)
    assert (ended.exit_code, ended.output) == (0, "Nothing that was found waits to be promoted.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name a FILE, or say --all"),
        (["nothing"], "There is no file nothing"),
        ([__file__], "Say with --target what"),
        ([__file__, "--target", "nothing"], "Invalid value for '--target'"),
        (["--all", "--into", "x", "--repository", "."], "exclude each other"),
        ([__file__, __file__, "--target", "client", "--id", "x"], "go with one FILE"),
    ],
)
def test_bad_use_says_what_is_wrong(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = promote(*arguments)
    assert ended.exit_code == 2
    assert said in ended.output


def test_a_finding_of_one_target_is_none_of_another(tmp_path: Path) -> None:
    ended = promote(found(tmp_path, "client", b""), "--target", "plugin")
    assert ended.exit_code == 2
    assert "was found with client, not with plugin" in ended.output


# The shelf.

FRAME = encode(PluginInit(2, "a-host-of-its-own", 7, "somebody"))


def regression(raw: bytes = FRAME[4:], target: str = "messages") -> Regression:
    violation = Violation(Kind.CRASH, "a law", "a law: it is so")
    return Regression(target, 99, raw, violation, message_vector(frame_of(raw)), ())


def test_names_and_sentences_can_be_chosen(repository: Path) -> None:
    shelf = Shelf.of_repository(repository)
    kept = shelf.keep(regression(), id_="message-of-mine", sentence="It is mine.")
    assert (kept.id, kept.vector) == ("message-of-mine", "message-of-mine")
    (pin,) = shelf.pinned()
    assert (pin.id, pin.sentence) == ("message-of-mine", "It is mine.")
    assert linted(repository) == []
    # The same vector for another target has the same name.
    other = shelf.keep(regression(target="roundtrip"), id_="message-of-another")
    assert (other.id, other.vector) == ("message-of-another", "message-of-mine")
    assert other.written == (other.pin,)
    assert len(shelf.pinned()) == 2


def test_inputs_that_come_to_one_vector_are_pinned_once(repository: Path) -> None:
    shelf = Shelf.of_repository(repository)
    one = regression()
    first = shelf.keep(one)
    again = shelf.keep(replace(one, raw=one.raw + b"!"))
    assert (again.id, again.written, again.pin) == (first.id, (), first.pin)
    other_law = replace(one.violation, law="another law")
    other = shelf.keep(replace(one, raw=one.raw + b"!", violation=other_law))
    assert other.written == (other.pin,)
    assert len(shelf.pinned()) == 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("Message-Mine", "is no id"),
        ("plugin-mine", "the first is 'message'"),
        ("message-init", "has a vector 'message-init' that tests something else"),
    ],
)
def test_names_that_are_none_or_taken_are_refused(named: str, said: str, repository: Path) -> None:
    before = tree(repository)
    with pytest.raises(ShelfError, match=said):
        Shelf.of_repository(repository).keep(regression(), id_=named)
    assert tree(repository) == before


def test_a_retired_name_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "retired_ids", lambda: {"message-old": None})
    with pytest.raises(ShelfError, match="is retired"):
        Shelf.of_repository(repository).keep(regression(), id_="message-old")


def test_a_file_that_cannot_be_read_is_not_written_over(repository: Path) -> None:
    shelf = Shelf.of_repository(repository)
    (shelf.vectors / "promoted-messages.json").write_text('{"vectors": [')
    before = tree(repository)
    with pytest.raises(ShelfError, match=r"promoted-messages\.json cannot be read"):
        shelf.keep(regression())
    assert tree(repository) == before


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from tests.fuzz.test_promote import regression
from authplugin_fuzz.findings import Findings
from authplugin_fuzz.shelves import Shelf

left = int(sys.argv[3])

def killing(call):
    def called(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return called

os.replace = killing(os.replace)
kept = Findings(Path(sys.argv[2]))
Shelf.of_folder(Path(sys.argv[1])).keep(regression())
for finding in kept.all():
    kept.promote(finding)
print("done")
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
def test_killed_at_any_moment_it_can_be_promoted_again(tmp_path: Path) -> None:
    raw = regression().raw
    name = f"crash-{hashlib.sha1(raw).hexdigest()}"

    def ends(folder: Path, calls: int) -> bool:
        arguments = (folder / "into", folder / "kept", calls, Path(__file__).parents[2])
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode in (0, -9), ended.stderr
        return ended.stdout == "done\n"

    wanted: set[str] | None = None
    for number in (1000, *range(100)):
        folder = tmp_path / str(number)
        found(folder, "messages", raw)
        done = ends(folder, number)
        inputs = list((folder / "kept" / "messages").glob(f"*/{name}"))
        assert [path.read_bytes() for path in inputs] == [raw]
        for path in tree(folder):
            if path.suffix == ".json":
                json.loads(path.read_text())
        # Whoever reads the vectors reads all that lies there.
        read = [path.name for path in (folder / "into" / "vectors").glob("*")]
        assert read in ([], ["promoted-messages.json"])
        assert ends(folder, 1000)
        names = {str(path.relative_to(folder)) for path in tree(folder)}
        wanted = wanted or names
        assert names == wanted
        if done and number < 1000:
            break
    assert number == 4, "not each of the vector, the pin, the input and its record was there"


def test_the_layers_of_all_targets_are_tried_here() -> None:
    tried = ("messages", "userauth", "frames", "client", "bridge", "server", "stateful")
    assert {TARGETS[name].layer for name in tried} == set(Layer)
