"""The page of the map shows every pair, what was never touched, and needs nothing else."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

from authplugin_properties.coverage_map import EVENT_PAIRS, NAMES, fault_pairs
from authplugin_properties.map_page import to_html, write_html
from authplugin_properties.oracles import server
from authplugin_properties.tally import Run, Tally

FAULTS = [
    ("PLUGIN_INIT", "hostname", "a <bent> one"),
    ("PLUGIN_INIT", "type", "torn"),
    ("PLUGIN_KI_USER_REQUEST", "prompts[].echo", "torn"),
]
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Collects the cells, and all text, and sees that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[dict[str, str]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append({name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def titles(self) -> dict[str, set[str]]:
        """Return what each pair's tooltip says, and the classes of its cell."""
        return {cell["title"]: set(cell["class"].split()) for cell in self.cells if "title" in cell}


def sample() -> Tally:
    counted = Tally(Counter(dict.fromkeys(EVENT_PAIRS, 1)), Counter({FAULTS[0]: 1234}))
    counted.events["client", "IDLE", "say PLUGIN_PROTOCOL"] = 1_234_567
    del counted.events["plugin", "POISONED", "hear PLUGIN_INIT"]
    counted.runs["a machine"] = Run(
        1000,
        125,
        Counter({0: 3, 2: 6}),
        Counter({"torn": 9, "bent": 0}),
        Counter(dict.fromkeys(NAMES, 50)),
    )
    return counted


def test_every_pair_has_one_cell_that_tells_its_count() -> None:
    titles = Page(to_html(sample(), FAULTS)).titles()
    assert len(titles) == len(EVENT_PAIRS) + len(FAULTS)
    for pair in EVENT_PAIRS - {
        ("client", "IDLE", "say PLUGIN_PROTOCOL"),
        ("plugin", "POISONED", "hear PLUGIN_INIT"),
    }:
        assert f"{', '.join(pair)}: 1" in titles
    assert "client, IDLE, say PLUGIN_PROTOCOL: 1,234,567" in titles
    assert "PLUGIN_INIT, hostname, a <bent> one: 1,234" in titles


def test_what_was_never_touched_stands_out_and_nothing_else() -> None:
    page = Page(to_html(sample(), FAULTS))
    untouched = {title for title, classes in page.titles().items() if "s0" in classes}
    assert untouched == {
        "plugin, POISONED, hear PLUGIN_INIT: untouched",
        "PLUGIN_INIT, type, torn: untouched",
        "PLUGIN_KI_USER_REQUEST, prompts[].echo, torn: untouched",
    }
    for title in untouched:
        assert title.removesuffix(": untouched") in page.texts
    assert f"{len(EVENT_PAIRS) - 1} of {len(EVENT_PAIRS)}" in page.texts
    assert "1 of 3" in page.texts


def test_a_part_that_a_fault_cannot_strike_has_an_empty_cell() -> None:
    page = Page(to_html(sample(), FAULTS))
    # Three places, two faults; and a decision is in time in one of a server's states alone.
    assert [cell["class"] for cell in page.cells].count("none") == 3 + len(server.STATES) - 1


def test_more_is_darker_on_a_logarithmic_scale() -> None:
    counted = sample()
    pairs = [("client", "START", f"hear {name}") for name in NAMES[:7]]
    for power, pair in enumerate(pairs):
        counted.events[pair] = 10**power
    titles = Page(to_html(counted, FAULTS)).titles()
    shades = [titles[f"{', '.join(pair)}: {10**power:,}"] for power, pair in enumerate(pairs)]
    assert shades == [{f"s{shade}"} for shade in range(1, 8)]


def test_right_events_are_marked_for_the_side_that_says_them() -> None:
    titles = Page(to_html(sample(), FAULTS)).titles()
    right = {title.rpartition(":")[0] for title, classes in titles.items() if "right" in classes}
    right = {title for title in right if title.startswith(("client", "plugin"))}
    assert len(right) == 2 * len(NAMES)
    assert "client, START, say PLUGIN_INIT" in right
    assert "plugin, START, hear PLUGIN_INIT" in right
    assert "plugin, ASKING_USER, hear PLUGIN_KI_USER_RESPONSE" in right


def test_right_events_of_a_server_are_marked() -> None:
    titles = Page(to_html(sample(), FAULTS)).titles()
    right = {title.rpartition(":")[0] for title, classes in titles.items() if "right" in classes}
    assert "server, ASKED, hear INFO_RESPONSE" in right
    assert "server, OPEN, hear INFO_RESPONSE" not in right
    assert "server, DEFERRED, decision in time" in right


def test_runs_are_shown_and_what_is_rare_is_marked() -> None:
    texts = Page(to_html(sample(), FAULTS)).texts
    for shown in ("a machine", "1,000", "125 (12.5%)", "under 1%: 0.90%", "5.0%", "never"):
        assert shown in texts, shown


def test_page_needs_nothing_else() -> None:
    text = to_html(sample(), FAULTS)
    page = Page(text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert {name for name, _ in page.attributes}.isdisjoint({"src", "href"})
    assert not re.search(r"url\(|@import|https?:", text)


def test_real_faults_and_an_empty_tally_make_a_page() -> None:
    titles = Page(to_html(Tally())).titles()
    assert len(titles) == len(EVENT_PAIRS) + len(fault_pairs())
    assert all("s0" in classes for classes in titles.values())


def test_a_whole_map_names_nothing_as_untouched() -> None:
    whole = Tally(Counter(dict.fromkeys(EVENT_PAIRS, 1)), Counter(dict.fromkeys(FAULTS, 1)))
    page = Page(to_html(whole, FAULTS))
    assert "details" not in page.tags
    assert not any("s0" in classes for classes in page.titles().values())


def test_the_same_tally_makes_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        # What was counted in another order, and in another process, is the same.
        counted = sample() if name == "a" else Tally.from_json(sample().to_json())
        write_html(counted, tmp_path / name, FAULTS if name == "a" else FAULTS[::-1])
    first = (tmp_path / "a").read_bytes()
    assert first == (tmp_path / "b").read_bytes()
    assert first.decode("utf-8") == to_html(sample(), FAULTS)
    assert b"\r" not in first
