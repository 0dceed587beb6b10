"""The page of a campaign, and what it is made of."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from authplugin import PluginInit, Side, encode
from authplugin_fuzz import charts
from authplugin_fuzz.apart import ApartError, map_page
from authplugin_fuzz.campaign import Campaign
from authplugin_fuzz.charts import HEIGHT, LEFT, WIDTH, Point, chart
from authplugin_fuzz.covering import Covered, total
from authplugin_fuzz.ending import End, told
from authplugin_fuzz.engines import Engine
from authplugin_fuzz.exercised import count
from authplugin_fuzz.findings import Kind
from authplugin_fuzz.finishing import Outcome
from authplugin_fuzz.layers import Exchange, How, Move
from authplugin_fuzz.making import seeds
from authplugin_fuzz.page import to_page
from authplugin_fuzz.targets import TARGETS
from authplugin_properties import tally
from authplugin_properties.tally import POISONED, Tally
from authplugin_properties.trial import Trial

VOID = {"meta", "link", "br", "line", "polyline"}


class Checked(HTMLParser):
    """Sees that every element is closed, and takes nothing from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "object")
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def checked(page: str) -> str:
    """Return the text of a page that is well formed and needs nothing else."""
    parser = Checked()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return re.sub(r"\s+", " ", parser.text)


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign(
        ["frames", "client"],
        minutes=2,
        jobs=3,
        folder=tmp_path,
        seed=17,
        engine=Engine.ATHERIS,
    )


def test_a_campaign_that_never_ran_has_a_page(campaign: Campaign) -> None:
    text = checked(to_page(campaign, End()))
    assert "no finding before it was stopped" in text
    assert "Not measured" in text
    assert "authplugin fuzz frames client --minutes 2 --jobs 3 --seed 17" in text


def test_a_finding_is_told_whatever_it_says(campaign: Campaign, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"said \xff </pre><b>\x1b[31m")
    finding = campaign.kept.add(
        "client", Kind.CRASH, "LawBroken: <script>alert(1)</script> & 'more'", found=b"x", log=log
    )
    campaign.tallies["client"].findings[finding.name] = finding
    campaign.tallies["frames"].notes.append("its corpus stays as it is: <no>")
    text = checked(to_page(campaign, End()))
    assert "Fuzzing: 1 finding" in text
    assert "LawBroken: <script>alert(1)</script> & 'more'" in text
    assert str(finding.path) in text
    assert "authplugin fuzz promote" in text
    assert "said \N{REPLACEMENT CHARACTER} </pre><b>" in text
    assert "its corpus stays as it is: <no>" in text


def test_what_was_measured_is_told(campaign: Campaign) -> None:
    files = [
        Covered("codec.py", 10, 7, 4, 3, (3, 4, 5, 9), ((2, 3), (8, -1))),
        Covered("stdio.py", 5, 0, 2, 0, (1, 2, 3, 4, 5)),
    ]
    text = checked(to_page(campaign, End({}, files, map_page(Tally().to_json()))))
    assert "3 of 4" in text
    assert "lines 3-5, 9" in text
    assert "2 to 3, 8 to the end" in text
    assert "No target loads stdio.py" in text
    assert total(files).branches == 4


def test_what_came_of_inputs_is_told_in_a_line() -> None:
    outcome = Outcome("client", replayed=7, failing=["crash-1"], wrong=["it is not so"])
    assert told(outcome) == "client: 7 inputs replayed, 1 break something; it is not so; 0 s"


def test_what_says_less_than_all_of_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = map_page(Tally().to_json())
    assert whole.rstrip().endswith("</html>")
    with pytest.raises(ApartError, match="the map cannot be made"):
        map_page({"events": []})
    monkeypatch.setattr(sys, "executable", "true")
    with pytest.raises(ApartError, match="status 0"):
        map_page(Tally().to_json())


# Charts.


@pytest.mark.parametrize("most", [0, 0.3, 1, 4, 7, 99, 100, 101, 375, 12345])
def test_a_chart_shows_all_of_its_points(most: float) -> None:
    points = [Point(0, 0), Point(most / 2, most), Point(most, most / 3)]
    made = chart("Edges", "", [("a", points)])
    (line,) = made.lines
    for x, y in (map(float, pair.split(",")) for pair in line.points.split()):
        assert LEFT <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    labels = [float(tick.label) for tick in made.up]
    assert labels[0] == 0
    assert labels[-1] >= most
    assert 2 <= len(labels) <= 6
    places = [tick.at for tick in made.up]
    assert places == sorted(places, reverse=True)


def test_a_chart_of_nothing_has_axes() -> None:
    made = chart("Edges", "", [("a", [])])
    assert made.lines == []
    assert len(made.across) == len(made.up) == 2


def test_a_long_line_is_thinned_and_ends_where_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Point(number, number) for number in range(10_000)]
    (line,) = chart("Edges", "", [("a", points)]).lines
    assert 100 < len(line.points.split()) <= charts._MOST_POINTS + 1
    (whole,) = chart("Edges", "", [("a", [points[0], points[-1]])]).lines
    assert line.last == whole.last


# The state map.


@pytest.fixture
def current(monkeypatch: pytest.MonkeyPatch) -> Tally:
    counted = Tally()
    monkeypatch.setattr(tally, "CURRENT", counted)
    for module in ("authplugin_fuzz.exercised", "authplugin_properties.trial"):
        monkeypatch.setattr(f"{module}.CURRENT", counted)
    return counted


def test_what_is_heard_counts(current: Tally) -> None:
    offer = encode(PluginInit(2, "h", 22, "u"))
    moves = [
        Move(Side.CLIENT, data=offer),
        Move(Side.CLIENT, How.PUT, offer),  # out of turn
        Move(Side.CLIENT, How.LOST, offer),
        Move(Side.CLIENT, How.PUT, offer[:-1]),  # no message
    ]
    count(TARGETS["dialogue"], Exchange(moves=moves).to_bytes())
    assert current.events == {
        ("plugin", "START", "hear PLUGIN_INIT"): 1,
        ("plugin", "INITIALISING", "hear PLUGIN_INIT"): 1,
    }
    current.events.clear()
    # Nobody but the client is on trial, and it hears nothing of what it is to say.
    count(TARGETS["client"], Exchange(moves=moves).to_bytes())
    assert current.events == {}


@pytest.mark.parametrize("name", ["client", "plugin", "dialogue"])
def test_the_models_alone_come_to_the_states_that_the_roles_do(
    name: str, current: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[tuple[str, str]] = []
    hear = Trial.hear

    def noted(self: Trial, chunks: Any) -> None:
        rows.append((str(self.side), self.row))
        hear(self, chunks)

    monkeypatch.setattr(Trial, "hear", noted)
    for raw in seeds(TARGETS[name].layer):
        TARGETS[name].run(raw)
        count(TARGETS[name], raw)
    heard = {key[:2]: number for key, number in current.events.items() if "hear" in key[2]}
    assert heard.keys() == set(rows) - {(side, POISONED) for side, _ in rows}
