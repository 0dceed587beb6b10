"""How a campaign looks, on a terminal and elsewhere."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from authplugin_fuzz import screen
from authplugin_fuzz.campaign import Campaign
from authplugin_fuzz.engines import Engine
from authplugin_fuzz.findings import Kind
from authplugin_fuzz.screen import COLUMNS, Screen, lines, report, table
from authplugin_fuzz.targets import TARGETS

from .campaigns import rows


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign(
        list(TARGETS), minutes=2, jobs=3, folder=tmp_path, seed=17, engine=Engine.ATHERIS
    )


def test_a_terminal_of_80_columns_has_room_for_all(campaign: Campaign) -> None:
    campaign.tallies["client"].kept = 12345
    written = io.StringIO()
    Console(file=written, width=80).print(table(campaign))
    told = rows(written.getvalue())
    assert list(told) == list(TARGETS)
    assert told["client"] == {
        "state": "waiting",
        **dict.fromkeys(COLUMNS, "-"),
        "executions": "0",
        "per second": "0",
        "findings": "0",
        "corpus": "12345",
    }
    assert "seed 17" in written.getvalue()


def test_a_terminal_shows_one_table_that_is_gone_in_the_end(campaign: Campaign) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with Screen(campaign, console) as shown:
        for _ in range(3):
            shown.show()
    text = written.getvalue()
    assert text.count("differential") >= 3
    # It goes back to where it began each time, and at last clears all that it wrote.
    ups = re.findall(r"\x1b\[1A", text)
    assert len(ups) >= 3 * len(TARGETS)
    assert text.rstrip().endswith("\x1b[2K")


def test_elsewhere_there_are_lines_now_and_then(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    with Screen(campaign, Console(file=written)) as shown:
        shown.show()
        assert written.getvalue() == ""
        now = screen.monotonic()
        monkeypatch.setattr(screen, "monotonic", lambda: now + screen._EVERY)
        shown.show()
        shown.show()
    assert written.getvalue().splitlines() == lines(campaign)
    assert len(lines(campaign)) == 1 + len(TARGETS)


def test_what_is_found_is_told_with_what_shows_it_again(campaign: Campaign) -> None:
    finding = campaign.kept.add("client", Kind.CRASH, "x" * 1000, found=b"it")
    campaign.tallies["client"].findings[finding.name] = finding
    campaign.tallies["frames"].mended = 3
    said = report(campaign)
    assert f"client: {'x' * 300}..." in said
    assert f"  kept as    {finding.path}" in said
    assert f"  reproduce  python -m authplugin_fuzz.targets client {finding.path}" in said
    assert "frames: 3 inputs found earlier are kept; every law holds" in said
