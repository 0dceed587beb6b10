"""Campaigns that are interrupted or killed, or whose disk is full: nothing is lost, nobody left."""

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from authplugin_fuzz import under_way
from authplugin_fuzz.corpora import Corpus
from authplugin_fuzz.findings import Findings, Kind
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS

from .campaigns import (
    FUZZ,
    LIMIT,
    descendants,
    environment,
    fuzz,
    gone,
    inputs,
    rows,
    running,
    until,
    whole,
    wrong_codec,
)

pytestmark = pytest.mark.usefixtures("atheris")

BRIEFLY = ("--minutes", "0.04", "--jobs", "1", "--no-report")


def workers(folder: Path, campaign: "subprocess.Popen[str]", *targets: str) -> list[int]:
    """Wait until a campaign's processes work, and its corpora grow; return their ids."""

    def work() -> bool:
        assert campaign.poll() is None
        return all(
            under_way.look(folder / name / "under-way-0").begun > 0
            and inputs(folder / name / "corpus")
            for name in targets
        )

    until(work)
    found = sorted(descendants(campaign.pid))
    assert len(found) == 2
    return found


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_campaign_that_is_interrupted_ends_in_good_order(
    sent: signal.Signals, tmp_path: Path
) -> None:
    with running(tmp_path, "messages", "client") as campaign:
        children = workers(tmp_path, campaign, "messages", "client")
        campaign.send_signal(sent)
        output, _ = campaign.communicate(timeout=LIMIT)
        assert campaign.returncode == 130, output
        assert rows(output)["messages"]["state"] == "stopped"
        # It has reaped them itself.
        assert not any(Path(f"/proc/{child}").exists() for child in children)
        assert "no finding before it was stopped" in (tmp_path / "report.html").read_text()
        for name in ("messages", "client"):
            assert not any((tmp_path / name).glob("under-way-*"))
            assert int(rows(output)[name]["corpus"]) == len(inputs(tmp_path / name / "corpus"))


def test_a_campaign_that_is_killed_leaves_nothing_behind_and_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, "messages", "client") as campaign:
        children = workers(tmp_path, campaign, "messages", "client")
        before = {name: inputs(tmp_path / name / "corpus") for name in ("messages", "client")}
        campaign.kill()
        campaign.communicate(timeout=LIMIT)
        until(lambda: all(gone(child) for child in children))
    new = {
        name: {path.name for path in inputs(tmp_path / name / "new") if whole(path)}
        for name in before
    }
    again = fuzz("messages", "client", "--folder", tmp_path, *BRIEFLY)
    assert again.returncode == 0, again.stdout + again.stderr
    for name, kept in before.items():
        after = inputs(tmp_path / name / "corpus")
        assert kept.items() <= after.items()
        assert new[name] <= {path.name for path in after}
        assert all(map(whole, after))


def test_a_worker_that_is_killed_is_told_of_though_all_is_interrupted(tmp_path: Path) -> None:
    with running(tmp_path, "messages", "client") as campaign:
        children = workers(tmp_path, campaign, "messages", "client")
        before = {name: inputs(tmp_path / name / "corpus") for name in ("messages", "client")}
        os.kill(children[0], signal.SIGKILL)
        # Nobody who interrupts it then loses what it makes of that.
        until(lambda: gone(children[0]))
        campaign.send_signal(signal.SIGINT)
        output, _ = campaign.communicate(timeout=LIMIT)
    # That it died is told, with the input that was under way, where there was one.
    assert campaign.returncode == 1, output
    assert "the process ended with SIGKILL" in output
    for name, kept in before.items():
        assert kept.items() <= inputs(tmp_path / name / "corpus").items()


def test_a_worker_that_is_killed_loses_nothing_and_is_begun_again(tmp_path: Path) -> None:
    with running(tmp_path, "messages", "client") as campaign:
        children = workers(tmp_path, campaign, "messages", "client")
        before = {name: inputs(tmp_path / name / "corpus") for name in ("messages", "client")}
        os.kill(children[0], signal.SIGKILL)
        until(lambda: [*tmp_path.glob("*/slice-0-1.log")])
        (log,) = tmp_path.glob("*/slice-0-1.log")
        until(lambda: under_way.look(log.with_name("under-way-0")).begun)
        for name, kept in before.items():
            assert kept.items() <= inputs(tmp_path / name / "corpus").items()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_whatever_ends_a_merge_leaves_nobody(sent: signal.Signals, tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "client")
    for raw in seeds(TARGETS["client"].layer):
        corpus.add(raw)
    before = inputs(corpus.path)
    merging = subprocess.Popen(
        [*FUZZ, "minimise", "client", "--folder", str(tmp_path)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        until(lambda: [*(tmp_path / "client").glob("merge-*/control")])
        children = descendants(merging.pid)
        assert len(children) >= 2
        merging.send_signal(sent)
        output, _ = merging.communicate(timeout=LIMIT)
    finally:
        merging.kill()
        merging.communicate()
    assert b"Traceback" not in output
    assert merging.returncode == (-sent if sent is signal.SIGKILL else 130), output
    until(lambda: all(gone(child) for child in children))
    assert inputs(tmp_path / "client" / "corpus") == before
    ended = fuzz("minimise", "client", "--folder", tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert not [*(tmp_path / "client").glob("merge-*")]


def test_two_campaigns_do_not_share_a_folder(tmp_path: Path) -> None:
    with running(tmp_path, "messages", "client") as campaign:
        workers(tmp_path, campaign, "messages", "client")
        for arguments in (("messages", *BRIEFLY), ("replay", "messages")):
            other = fuzz(*arguments, "--folder", tmp_path)
            assert other.returncode == 2
            assert "another campaign is at work" in other.stderr


# What a campaign has found that is killed before it can say so.

WHEN_THERE_IS_A_FILE = """


_receive = Session.receive_data


def _wrong(self, data):
    import os, time

    if os.path.exists({switch!r}):
        open({switch!r} + "-seen", "w").close()
        {code}
    return _receive(self, data)


Session.receive_data = _wrong
"""


def under_way_in(folder: Path) -> list[bytes]:
    """Return the inputs that were under way when the processes ended."""
    noted = map(under_way.last, sorted(folder.glob("under-way-*")))
    return [data for data in noted if data is not None]


def test_what_was_under_way_when_all_was_killed_is_not_lost(tmp_path: Path) -> None:
    switch = tmp_path / "wrong"
    code = WHEN_THERE_IS_A_FILE.format(switch=str(switch), code="time.sleep(1e6)")
    wrong = wrong_codec(tmp_path, code)
    folder = tmp_path / "kept"
    with running(folder, "client", before=(wrong,)) as campaign:
        workers(folder, campaign, "client")
        switch.touch()
        # Now one is stuck, and no limit of time has ended it yet.
        until((tmp_path / "wrong-seen").exists)
        children = descendants(campaign.pid)
        campaign.kill()
        campaign.communicate(timeout=LIMIT)
        until(lambda: all(gone(child) for child in children))
    stuck = under_way_in(folder / "client")
    assert stuck
    again = fuzz("client", "--folder", folder, "--input-seconds", "1", *BRIEFLY, before=(wrong,))
    assert again.returncode == 1, again.stdout + again.stderr
    assert any(path.name.startswith("timeout-") for path in inputs(folder / "client" / "findings"))
    kept = [*inputs(folder / "client" / "findings").values()]
    assert set(stuck) & set(kept)
    assert set(stuck) <= {*kept, *inputs(folder / "client" / "corpus").values()}


def test_what_an_engine_has_left_is_taken_over(tmp_path: Path) -> None:
    assert fuzz("client", "--folder", tmp_path, *BRIEFLY).returncode == 0
    left = tmp_path / "client" / "left"
    sha = "da39a3ee5e6b4b0d3255bfef95601890afd80709"  # of nothing
    (left / f"oom-{sha}").write_bytes(b"")
    # The other one was written in part; the whole is what was under way.
    (left / f"crash-{'0' * 40}").write_bytes(b"par")
    noted = tmp_path / "client" / "under-way-0"
    under_way.create(noted)
    under_way.UnderWay(noted).begin(b"part")
    (tmp_path / "client" / "new" / ("1" * 40)).write_bytes(b"in pieces")
    (tmp_path / "client" / "corpus" / ".part-1-x").write_bytes(b"in pieces")
    again = fuzz("client", "--folder", tmp_path, *BRIEFLY)
    assert again.returncode == 0, again.stdout + again.stderr  # neither breaks anything now
    found = inputs(tmp_path / "client" / "findings")
    assert sorted(found.values()) == [b"", b"part"]
    assert {path.name.partition("-")[0] for path in found} == {"oom", "crash"}
    assert not any(left.iterdir())
    assert not noted.exists()
    assert b"in pieces" not in inputs(tmp_path / "client" / "corpus").values()


def test_a_death_without_an_input_is_there_until_it_is_dismissed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("the last words\n")
    kept = Findings(tmp_path).add("client", Kind.DEATH, "it is gone", found=None, log=log)
    ended = fuzz("client", "--folder", tmp_path, *BRIEFLY)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert f"client: it is gone\n  kept as    {kept.log}" in ended.stdout
    assert fuzz("dismiss", str(kept.log), "--reason", "a test").returncode == 0
    ended = fuzz("client", "--folder", tmp_path, *BRIEFLY)
    assert ended.returncode == 0, ended.stdout + ended.stderr


# A disk that is full.


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small disk; one of its own where it can be mounted."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    options = ("-t", "tmpfs", "-o", "size=6m", "tmpfs", str(mounted))
    try:
        subprocess.run(["mount", *options], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing can be mounted here")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte; return the file that does."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return filler


def test_a_disk_that_is_full_ends_it_loudly_and_loses_nothing(disk: Path) -> None:
    folder = disk / "kept"
    with running(folder, "messages", "client") as campaign:
        children = workers(folder, campaign, "messages", "client")
        filler = fill(disk)
        before = {name: inputs(folder / name / "corpus") for name in ("messages", "client")}
        output, _ = campaign.communicate(timeout=LIMIT)
    assert campaign.returncode == 2, output
    assert "No space left on device" in output
    assert all(gone(child) for child in children)
    for name, kept in before.items():
        assert kept.items() <= inputs(folder / name / "corpus").items()
        assert all(map(whole, inputs(folder / name / "corpus")))

    # As long as it is full none begins.
    fill(disk)
    again = fuzz("messages", "--folder", folder, *BRIEFLY)
    assert again.returncode == 2, again.stdout + again.stderr
    filler.unlink()
    again = fuzz("messages", "client", "--folder", folder, *BRIEFLY)
    assert again.returncode == 0, again.stdout + again.stderr
    for name, kept in before.items():
        assert kept.items() <= inputs(folder / name / "corpus").items()


def test_what_is_found_on_a_full_disk_is_not_lost(disk: Path, tmp_path: Path) -> None:
    folder = disk / "kept"
    switch = tmp_path / "wrong"
    code = WHEN_THERE_IS_A_FILE.format(switch=str(switch), code="raise KeyError(data)")
    wrong = wrong_codec(tmp_path, code)
    with running(folder, "client", before=(wrong,)) as campaign:
        workers(folder, campaign, "client")
        # Nobody is to see that it is full before something is found.
        campaign.send_signal(signal.SIGSTOP)
        filler = fill(disk)
        switch.touch()
        until(lambda: all(gone(child) for child in descendants(campaign.pid)))
        campaign.send_signal(signal.SIGCONT)
        output, _ = campaign.communicate(timeout=LIMIT)
    assert campaign.returncode in (1, 2), output
    assert "No space left on device" in output
    found = under_way_in(folder / "client")
    assert found
    filler.unlink()
    again = fuzz("client", "--folder", folder, *BRIEFLY, before=(wrong,))
    assert again.returncode == 1, again.stdout + again.stderr
    kept = inputs(folder / "client" / "findings")
    assert set(found) <= set(kept.values())
    assert all(map(whole, kept))
