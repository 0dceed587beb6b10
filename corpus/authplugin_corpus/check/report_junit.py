"""The report of a check as JUnit XML, as continuous integration reads it."""

from __future__ import annotations

import re
from typing import BinaryIO, Final
from xml.etree import ElementTree

from .expected import Standing
from .play import Replay
from .report import details_of, error_lines, line_of
from .result import Result, Results
from .verdicts import Outcome

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, whatever way it is written."""


def write_junit(results: Results, file: BinaryIO) -> None:
    """Write the report of a run: a `testcase` for each case, its vector's file as the class."""
    elements = [_case(result, results) for result in results.results]
    counts = {
        "tests": str(len(elements)),
        "failures": str(sum(each.find("failure") is not None for each in elements)),
        "errors": str(sum(each.find("error") is not None for each in elements)),
        "skipped": str(sum(each.find("skipped") is not None for each in elements)),
        "time": f"{results.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": "authplugin check plugin", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "authplugin", **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("command", " ".join(results.settings.command)),
        ("seed", str(results.seed)),
        ("timeout", f"{results.settings.timeout:g}"),
    ):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    suite.extend(elements)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    file.write(b"\n")


def _case(result: Result, results: Results) -> ElementTree.Element:
    report = result.report
    seconds = report.took.seconds if isinstance(report, Replay) else 0.0
    group = result.case.vector.file.removesuffix(".json")
    element = ElementTree.Element(
        "testcase",
        {"classname": f"authplugin.{group}", "name": result.case.id, "time": f"{seconds:.3f}"},
    )
    tag = _tag(result)
    if tag is None:
        return element
    reason = result.reason
    if result.standing is Standing.UNEXPECTED_PASS:
        reason = line_of(result)
    about = ElementTree.SubElement(element, tag, {"message": _clean(reason)})
    if tag != "skipped":
        about.set("type", str(result.outcome))
        about.text = _clean("\n".join([line_of(result), *details_of(result, results)]))
        if isinstance(report, Replay) and report.error_output:
            output = ElementTree.SubElement(element, "system-err")
            output.text = _clean("\n".join(error_lines(report.error_output)))
    return element


def _tag(result: Result) -> str | None:
    if result.standing is Standing.NOT_RUN:
        return "error"
    if result.standing.counts:
        return "failure"
    skipped = result.standing is Standing.EXPECTED or result.outcome is Outcome.UNSUPPORTED
    return "skipped" if skipped else None


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
