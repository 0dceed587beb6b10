"""What was found, for people: on a terminal, and as the text of an issue. No secret is told."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from .findings import Dismissal, Finding, without_bytes
from .regressions import Regression
from .shelves import Kept

_EXPECTATIONS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<what>.*) is (?P<got>.*), and should be (?P<due>.*?)(?:, after)?",
        r"(?P<what>.* decode) gives (?P<got>.*), (?:the cursor decoder|the grammar) (?P<due>.*)",
        r"(?P<what>.*) is (?P<got>.*), not (?P<due>.*)",
        r"(?P<what>.*) raised (?P<got>.*), not (?P<due>.*)",
        r"(?P<what>.*) raised (?P<got>.*)(?P<due>)",
    )
)
"""How the title of a broken law says what came and what was due."""


def expectation(title: str) -> tuple[str, str] | None:
    """Return what was due and what came instead, in the words of a law's title; None for others."""
    for pattern in _EXPECTATIONS:
        if match := pattern.fullmatch(without_bytes(title)):
            what = match["what"].partition(": ")[2].strip()
            due = match["due"] or "a ProtocolError, or none"
            return f"{what}: {due}".removeprefix(": "), match["got"]
    return None


def facts(found: Regression) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of what an input breaks, as pairs of a word and a line."""
    violation = found.violation
    yield "breaks", violation.law
    expected = expectation(violation.title)
    if expected is None:
        yield "title", without_bytes(violation.title).removesuffix(", after")
    else:
        yield "expected", expected[0]
        yield "got", expected[1]
    yield "input", f"{found.given} bytes, made {len(found.raw)}"
    if found.vector is not None:
        yield "correct", _correct(found.vector.form)


def _correct(form: dict[str, Any]) -> str:
    """Return what a correct program makes of a vector, by the oracles."""
    faults = [turn["fault"] for turn in form.get("turns", ()) if "fault" in turn]
    error = form.get("error") or (faults[0] if faults else None)
    if error is None:
        return "to take it, as the oracles do"
    place = [f"in {error['field']}"] if "field" in error else []
    place += [f"at byte {error['offset']}"] if "offset" in error else []
    left_open = ", or to take it" if form["result"] == "acceptable" else ""
    return " ".join(["to refuse it with", error["code"], *place]) + left_open


def kept_lines(kept: Kept) -> Iterator[tuple[str, str]]:
    """Yield where an input is kept, as pairs of a word and a line."""
    how = "written to" if kept.vectors in kept.written else "is there already, in"
    if kept.vector is None:
        yield "vector", "none: no vector shows the mistake to the linter of the corpus"
    else:
        yield "vector", f"{kept.vector} {how} {kept.vectors}"
    how = "written to" if kept.pin in kept.written else "is there already, in"
    yield "pinned", f"{kept.id} {how} {kept.pin}"


def issue(found: Regression, kept: Kept) -> str:
    """Return the text of an issue, in Markdown, about an input that has been kept."""
    vector = "No vector shows the mistake to the linter of the corpus."
    if kept.vector is not None and kept.vectors is not None:
        vector = f"The vector is `{kept.vector}` in `{kept.vectors.name}`."
    lines = [
        f"# {found.target}: {_inline(found.violation.law)}",
        "",
        *(f"* {word}: {_inline(line)}" for word, line in facts(found)),
        "",
        "```",
        "\n".join(found.explained),
        "```",
        "",
        f"{vector} The input is pinned as `{kept.pin.name}`. Once the mistake is mended, both hold:"
        " put them into the repository with `authplugin fuzz promote`.",
    ]
    return "\n".join(lines) + "\n"


def summary(
    findings: Sequence[Finding], dismissed: Sequence[Dismissal], *, markdown: bool
) -> Iterator[str]:
    """Yield what is kept, as lines of plain text or of Markdown."""
    if not findings:
        yield "Nothing that was found waits to be dealt with."
    for finding in findings:
        yield from _markdown(finding) if markdown else _plain(finding)
    if dismissed:
        yield ""
        yield f"{len(dismissed)} dismissed" + ("" if markdown else ":")
        for each in dismissed:
            line = f"{each.target}/{each.name}: {each.reason}"
            yield f"* {_inline(line)}" if markdown else f"  {line}"


def _about(finding: Finding) -> Iterator[tuple[str, str]]:
    yield "title", without_bytes(finding.title) or "not known"
    if finding.when:
        yield "found", f"{finding.when}, in version {finding.version}"
    if finding.path is not None:
        part = "" if finding.whole else ", and only a part of what its name says"
        yield "input", f"{finding.path}{part}"
    if finding.log is not None:
        yield "log", str(finding.log)


def _plain(finding: Finding) -> Iterator[str]:
    yield f"{finding.target}: {finding.kind}"
    yield from laid_out(_about(finding))
    for command in finding.commands():
        yield f"  $ {shlex.join(command)}"


def _markdown(finding: Finding) -> Iterator[str]:
    yield f"## {finding.target}: {finding.kind}"
    yield ""
    yield from (f"* {word}: {_inline(line)}" for word, line in _about(finding))
    yield ""
    yield "```sh"
    yield from map(shlex.join, finding.commands())
    yield "```"
    yield ""


def laid_out(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield pairs of a word and a line as lines for a terminal."""
    for word, line in pairs:
        yield f"  {word:<10} {line}"


def _inline(text: str) -> str:
    """Return a text as it stands in Markdown: what came from bytes is no markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def as_json(findings: Sequence[Finding], dismissed: Sequence[Dismissal]) -> dict[str, Any]:
    """Return what is kept as values for JSON."""
    return {
        "findings": [
            {
                "target": each.target,
                "name": each.name,
                "kind": str(each.kind),
                "title": without_bytes(each.title),
                "input": None if each.path is None else str(each.path),
                "log": None if each.log is None else str(each.log),
                "whole": each.whole,
                "when": each.when,
                "version": each.version,
                "commands": [list(command) for command in each.commands()],
            }
            for each in findings
        ],
        "dismissed": [asdict(each) for each in dismissed],
    }
