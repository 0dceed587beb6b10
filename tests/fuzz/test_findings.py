"""What was found is never lost: kept whole, listed, dealt with once, whatever happens meanwhile."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from authplugin_fuzz import files
from authplugin_fuzz.findings import Finding, Findings, FindingsError, Kind, finding_at
from authplugin_fuzz.promote_command import dismiss, findings

RAW = b"\x01\x02 what breaks it"
NAME = "crash-" + hashlib.sha1(RAW).hexdigest()
TITLE = "LawBroken: round trip: it came back as b'hunter22', *not* so"


def keep(folder: Path, raw: bytes = RAW, title: str = TITLE) -> Finding:
    return Findings(folder).add("client", Kind.CRASH, title, found=raw)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(command: Any, *arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)))


# Kept.


def test_a_finding_is_kept_with_what_is_known_of_it(tmp_path: Path) -> None:
    log = tmp_path / "slice-0.log"
    log.write_bytes(b"x" * 200_000 + b"the end")
    added = Findings(tmp_path).add("client", Kind.CRASH, TITLE, found=RAW, log=log)
    path = tmp_path / "client" / "findings" / NAME
    assert path.read_bytes() == RAW
    assert added.log is not None
    assert added.log.read_bytes().endswith(b"xthe end")
    assert len(added.log.read_bytes()) < 100_000
    record = json.loads(path.with_name(f"{NAME}.json").read_text())
    assert record["target"] == "client"
    assert record["title"] == TITLE
    assert record["when"].endswith("+00:00")
    assert record["version"]
    assert record["reproduce"][-2:] == ["client", str(path)]
    assert Findings(tmp_path).all() == [added]
    assert (added.target, added.kind, added.title, added.path) == ("client", "crash", TITLE, path)
    assert added.campaigns == tmp_path


def test_what_is_kept_already_stays_as_it_is(tmp_path: Path) -> None:
    keep(tmp_path)
    before = tree(tmp_path)
    assert keep(tmp_path, title="something else").title == TITLE
    assert tree(tmp_path) == before


def test_a_file_is_copied_and_one_that_is_there_stays(tmp_path: Path) -> None:
    left = tmp_path / "left" / "oom-of-some-kind"
    left.parent.mkdir()
    left.write_bytes(RAW)
    added = Findings(tmp_path).add("plugin", Kind.OOM, "", found=left)
    assert added.name == f"oom-{hashlib.sha1(RAW).hexdigest()}"
    assert added.kind is Kind.OOM
    assert left.exists()
    assert added.path is not None
    assert Findings(tmp_path).add("plugin", Kind.OOM, "more", found=added.path).title == ""


def test_what_an_engine_wrote_is_a_finding_though_nothing_else_is_known(tmp_path: Path) -> None:
    path = tmp_path / "frames" / "findings" / f"timeout-{hashlib.sha1(RAW).hexdigest()}"
    path.parent.mkdir(parents=True)
    path.write_bytes(RAW)
    (found,) = Findings(tmp_path).all()
    assert (found.kind, found.title, found.when, found.log) == (Kind.TIMEOUT, "", "", None)
    assert found.whole
    path.write_bytes(RAW[:-1])
    (part,) = Findings(tmp_path).all()
    assert not part.whole
    assert "only a part of what its name says" in run(findings, "--folder", tmp_path).output


def test_a_process_that_left_no_input_is_a_finding(tmp_path: Path) -> None:
    log = tmp_path / "slice-1.log"
    log.write_text("killed")
    added = Findings(tmp_path).add("plugin", Kind.DEATH, "it died", found=None, log=log)
    assert (added.path, added.kind) == (None, Kind.DEATH)
    assert added.log is not None
    assert Findings(tmp_path).all() == [added]
    assert [command[2] for command in added.commands()] == ["dismiss"]
    assert run(dismiss, added.log, "--reason", "the machine was shut down").exit_code == 0
    assert Findings(tmp_path).all() == []
    assert (tmp_path / "plugin" / "dismissed" / added.log.name).read_text() == "killed"
    with pytest.raises(ValueError, match="neither"):
        Findings(tmp_path).add("plugin", Kind.DEATH, "", found=None)


# Dealt with.


def test_what_is_promoted_moves_with_all_that_is_known(tmp_path: Path) -> None:
    added = keep(tmp_path)
    assert Findings(tmp_path).promote(added) == tmp_path / "client" / "promoted" / NAME
    assert Findings(tmp_path).all() == []
    assert set(tree(tmp_path)) == {f"client/promoted/{NAME}{end}" for end in ("", ".json")}


def test_what_is_dismissed_keeps_its_reason(tmp_path: Path) -> None:
    path = keep(tmp_path).path
    ended = run(dismiss, path, "--reason", " a mistake of the harness ")
    assert ended.exit_code == 0, ended.output
    assert "client: " in ended.output
    assert (tmp_path / "client" / "dismissed" / NAME).read_bytes() == RAW
    (reason,) = Findings(tmp_path).dismissed()
    assert (reason.name, reason.reason) == (NAME, "a mistake of the harness")
    assert reason.title == TITLE
    assert "a mistake of the harness" in run(findings, "--folder", tmp_path).output
    # Found again, it is there, and dismissed.
    keep(tmp_path)
    assert Findings(tmp_path).all() == []
    assert (tmp_path / "client" / "findings" / NAME).exists()


@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_nothing_is_dismissed(reason: str, tmp_path: Path) -> None:
    path = keep(tmp_path).path
    before = tree(tmp_path)
    assert run(dismiss, path).exit_code == 2
    assert run(dismiss, path, "--reason", reason).exit_code == 2
    with pytest.raises(ValueError, match="reason"):
        Findings(tmp_path).dismiss(keep(tmp_path), reason)
    assert tree(tmp_path) == before


def test_what_is_no_finding_is_not_dismissed(tmp_path: Path) -> None:
    other = tmp_path / "some file"
    other.write_bytes(RAW)
    ended = run(dismiss, other, "--reason", "why not")
    assert (ended.exit_code, other.exists()) == (2, True)
    assert "lies in no folder of findings" in ended.output
    assert finding_at(other) is None
    keep(tmp_path)
    assert finding_at(tmp_path / "client" / "findings" / "nothing") is None


def test_nothing_is_moved_over_what_says_something_else(tmp_path: Path) -> None:
    (tmp_path / "client" / "findings").mkdir(parents=True)
    for data in (b"one", b"other", b"other"):
        (tmp_path / "client" / "findings" / "by-hand").write_bytes(data)
        (found,) = Findings(tmp_path).all()
        Findings(tmp_path).promote(found)
    assert tree(tmp_path / "client" / "promoted") == {"by-hand": b"one", "by-hand-2": b"other"}


def test_reasons_that_cannot_be_read_are_not_written_over(tmp_path: Path) -> None:
    path = keep(tmp_path).path
    (tmp_path / "dismissed.json").write_text('{"dismissed": [')
    before = tree(tmp_path)
    with pytest.raises(FindingsError, match=r"dismissed\.json cannot be read"):
        Findings(tmp_path).all()
    ended = run(dismiss, path, "--reason", "why not")
    assert (ended.exit_code, tree(tmp_path)) == (1, before)
    assert "kept as it was" in ended.output
    assert run(findings, "--folder", tmp_path).exit_code == 1


def test_two_that_dismiss_at_once_both_leave_their_reason(tmp_path: Path) -> None:
    one, other = keep(tmp_path), keep(tmp_path, b"another")
    reasons = tmp_path / "dismissed.json"
    writer = threading.Thread(target=Findings(tmp_path).dismiss, args=(other, "the other"))
    with files.alone(tmp_path):
        writer.start()
        # It ends only where it does not wait, and what it then has written is written over.
        writer.join(0.2)
        known = {"target": "client", "name": one.name, "title": "", "reason": "one", "when": ""}
        files.write(reasons, json.dumps({"dismissed": [known]}).encode())
    writer.join(30)
    assert [each.reason for each in Findings(tmp_path).dismissed()] == ["one", "the other"]


# Told.


def test_what_is_listed_says_what_to_do_next(tmp_path: Path) -> None:
    assert "Nothing that was found waits" in run(findings, "--folder", tmp_path).output
    path = keep(tmp_path).path
    told = run(findings, "--folder", tmp_path).output
    assert f"$ authplugin fuzz promote {path}\n" in told
    assert f"$ authplugin fuzz dismiss {path} --reason TEXT\n" in told
    assert "round trip: it came back as <bytes>, *not* so" in told
    assert "client" not in run(findings, "plugin", "--folder", tmp_path).output


def test_a_listing_for_an_issue_holds_no_bytes_and_no_markup_of_others(tmp_path: Path) -> None:
    keep(tmp_path)
    told = run(findings, "--folder", tmp_path, "--format", "markdown").output
    assert told.startswith("## client: crash\n")
    assert r"it came back as \<bytes\>, \*not\* so" in told
    assert "hunter" not in told
    assert f"authplugin fuzz promote {tmp_path}" in told


def test_a_listing_for_programs_holds_all(tmp_path: Path) -> None:
    added = keep(tmp_path)
    Findings(tmp_path).dismiss(keep(tmp_path, b"another"), "no matter")
    told = json.loads(run(findings, "--folder", tmp_path, "--format", "json").output)
    (found,) = told["findings"]
    assert found["input"] == str(added.path)
    assert (found["target"], found["kind"], found["whole"]) == ("client", "crash", True)
    assert "hunter" not in found["title"]
    assert found["commands"] == [list(command) for command in added.commands()]
    assert [each["reason"] for each in told["dismissed"]] == ["no matter"]


# Whatever happens meanwhile.


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = keep(tmp_path)
    before = tree(tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        keep(tmp_path, b"another")
    ended = run(dismiss, added.path, "--reason", "no matter")
    assert (ended.exit_code, tree(tmp_path)) == (1, before)
    assert "kept as it was: [Errno 28]" in ended.output
    assert Findings(tmp_path).all() == [added]


KILLED = """
import os, signal, sys
from pathlib import Path
from authplugin_fuzz.findings import Findings, Kind, finding_at

left = int(sys.argv[3])

def killing(call):
    def called(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return called

for name in ("open", "fsync", "replace", "mkdir"):
    setattr(os, name, killing(getattr(os, name)))

opened = Path.open

def open_and_die(path, mode="r", *arguments, **options):
    file = opened(path, mode, *arguments, **options)
    if mode == "wb":
        class Half:
            def write(self, data):
                file.write(data[: len(data) // 2])
                file.flush()
                killing(lambda: None)()
                return file.write(data[len(data) // 2 :])
            def __getattr__(self, name):
                return getattr(file, name)
            def __enter__(self):
                return self
            def __exit__(self, *_):
                file.close()
        return Half()
    return file

Path.open = open_and_die
kept = Findings(Path(sys.argv[1]))
raw = bytes.fromhex(sys.argv[4])
if sys.argv[2] == "add":
    kept.add("client", Kind.CRASH, "a title", found=raw)
for path in [path for path in kept.folder.glob("client/findings/*") if not path.suffix]:
    finding = finding_at(path)
    if sys.argv[2] == "promote":
        kept.promote(finding)
    elif sys.argv[2] == "dismiss":
        kept.dismiss(finding, "no matter")
print("done")
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize("act", ["add", "promote", "dismiss"])
def test_killed_at_any_moment_it_loses_nothing(act: str, tmp_path: Path) -> None:
    def ends(folder: Path, calls: int) -> bool:
        arguments = (str(folder), act, str(calls), RAW.hex())
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True, timeout=60
        )
        assert ended.returncode in (0, -9), ended.stderr
        return ended.stdout == "done\n"

    whole = tmp_path / "whole"
    keep(whole)
    assert ends(whole, 1000)
    for number in range(100):
        folder = tmp_path / str(number)
        if act != "add":
            keep(folder)
        done = ends(folder, number)
        # The input is there, whole, or it has not come yet; and so is all else.
        inputs = [path for path in folder.glob("client/*/crash-*") if not path.suffix]
        assert [path.read_bytes() for path in inputs] in ([RAW], [] if act == "add" else [RAW])
        for path in folder.rglob("[!.]*.json"):
            json.loads(path.read_text())
        # And done again it comes to the same.
        assert ends(folder, 1000)
        assert _names(folder) == _names(whole)
        if done:
            break
    assert number >= 5, "it was hardly killed"


def _names(folder: Path) -> set[str]:
    return {name for name in tree(folder) if files.TEMPORARY not in name}
