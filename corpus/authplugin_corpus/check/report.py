"""What came of a check, for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from authplugin import Message, RemoteProtocolError, Side, decode, explain

from ..frames import split_frames
from ..output import harmless
from ..vectors import flags_of
from .expected import Standing
from .peer import PLUGIN_LIMITS, Utterance
from .play import Replay
from .pool import Failure
from .result import Result, Results
from .verdicts import End, Outcome

_TAIL: Final = 10  # lines of standard error
_ROWS: Final = 40  # lines of a dump
_OUTCOME_WIDTH: Final = max(len(outcome) for outcome in Outcome)

_MANY: Final = 3  # findings that one cause has to have to be told of
_MOST_CAUSES: Final = 5
_ASIDE: Final = re.compile(r"(?<!is no message) \([^()]*\)| \([^()]*\)(?=: )")
_BEHIND: Final = re.compile(r"(, after |; ).*")

_INSISTS: Final = "--hostname, --port, --username, --method and --env say what it may insist on"

_WAYS: Final = {Side.CLIENT: "client to plugin", Side.PLUGIN: "plugin to client"}

_STANDINGS: Final = {
    Standing.EXPECTED: "expected",
    Standing.UNEXPECTED_PASS: "passes unexpectedly",
}


def line_of(result: Result) -> str:
    """Return one case on one line: outcome, id, reason, and what was expected."""
    line = f"{result.outcome:<{_OUTCOME_WIDTH}}  {result.case.id}  {result.reason}"
    if result.expectation is None:
        return line
    word = _STANDINGS.get(result.standing, f"{result.expectation.outcome} was expected")
    return f"{line} [{word}: {result.expectation.reason}]"


def details_of(result: Result, results: Results, like: str | None = None) -> Iterator[str]:
    """Yield, as lines, what somebody needs who is to mend the program.

    Args:
        result: the case's.
        results: those of the run.
        like: the id of a case that has been shown, and that went wrong in the same way.
    """
    vector = result.case.vector
    yield vector.sentence
    yield f"{vector.result} by {vector.clause} ({', '.join(flags_of(result.case))})"
    if like is not None:
        yield f"went as {like} did, see there"
    elif isinstance(result.report, Replay):
        yield from conversation_lines(result.report.conversation)
        yield f"due from the plugin: {result.report.due}"
        yield from error_lines(result.report.error_output)
    yield f"again: {results.rerun(result.case.id)}"


def conversation_lines(conversation: Sequence[Utterance]) -> Iterator[str]:
    """Yield what was said: in short, and in full from the client's last words on."""
    spoken = [index for index, said in enumerate(conversation) if said.side is Side.CLIENT]
    in_full = max(spoken, default=0)
    for index, said in enumerate(conversation):
        for data in split_frames(said.data, PLUGIN_LIMITS):
            message = _message(data)
            short = message is not None and index < in_full
            content = _in_short(message) if message is not None and short else None
            yield f"{_WAYS[said.side]}: {content}" if content else f"{_WAYS[said.side]}:"
            if not short:
                # The corpus knows its own secrets; a plugin's and a user's are nobody's business.
                secrets = not said.secret and (said.side is Side.CLIENT or message is None)
                yield from _dump(data, secrets=secrets)
        if said.fault is not None:
            yield f"  wrong: {said.fault}"


def _message(data: bytes) -> Message | None:
    try:
        return decode(data, PLUGIN_LIMITS)
    except RemoteProtocolError:
        return None


def _in_short(message: Message) -> str:
    return message.spec.name + repr(message).removeprefix(type(message).__name__)


def _dump(data: bytes, *, secrets: bool) -> Iterator[str]:
    rows = explain(data, PLUGIN_LIMITS, secrets=secrets).splitlines()
    yield from (f"  {row}" for row in rows[:_ROWS])
    if len(rows) > _ROWS:
        yield f"    ... {len(rows) - _ROWS} more lines"


def error_lines(error_output: bytes) -> Iterator[str]:
    """Yield the end of what a program wrote to standard error."""
    lines = error_output.decode("utf-8", "replace").splitlines()
    if not lines:
        yield "standard error: nothing"
        return
    yield "standard error:" if len(lines) <= _TAIL else f"standard error, last {_TAIL} lines:"
    yield from (f"  {harmless(line)}" for line in lines[-_TAIL:])


def summary_lines(results: Results) -> Iterator[str]:
    """Yield what it all comes to."""
    outcomes = results.outcomes
    counts = [f"{outcomes[outcome]} {outcome}" for outcome in Outcome if outcomes[outcome]]
    cases = "1 case" if outcomes.total() == 1 else f"{outcomes.total()} cases"
    yield f"{cases}: {', '.join(counts)}"
    yield from _untested_lines(results)
    yield from _cause_lines(results)
    standings = results.standings
    if standings[Standing.EXPECTED]:
        yield f"{standings[Standing.EXPECTED]} of these as expected"
    if unexpected := standings[Standing.UNEXPECTED_PASS]:
        yield f"{unexpected} passed unexpectedly: take {'it' if unexpected == 1 else 'them'} out"
    reports = [each.report for each in results.results if isinstance(each.report, Replay)]
    if reports and all(_never_began(report) for report in reports):
        yield "in no case did the plugin say anything, or end without an error: does it start?"
    undecided = sum(report.undecided for report in reports)
    if undecided:
        yield f"{undecided} undecided, by time limit: a longer --timeout may tell"


def _untested_lines(results: Results) -> Iterator[str]:
    """Yield why cases say nothing of the program."""
    why = Counter((re.split(r", | \(", each.sentence)[0], each.advice) for each in results.untested)
    for (what, advice), count in why.most_common(_MOST_CAUSES):
        aside = advice or "as it may: these cases need something else"
        yield f"{count} unsupported: the plugin {what} ({aside})"


def _cause_lines(results: Results) -> Iterator[str]:
    """Yield what many findings have in common, the most frequent first."""
    causes = Counter(
        _cause(result.reason) for result in results.results if result.standing is Standing.FINDING
    )
    for cause, count in causes.most_common(_MOST_CAUSES):
        if count >= _MANY:
            yield f"{count} findings: {cause}"


def _cause(reason: str) -> str:
    """Return a reason without where it was seen, and without what only explains it further."""
    text = reason
    while (shorter := _ASIDE.sub("", text)) != text:
        text = shorter
    return _BEHIND.sub("", text)


def _never_began(replay: Replay) -> bool:
    said = any(each.side is Side.PLUGIN for each in replay.conversation)
    # What was said is not kept where all is well.
    said |= replay.verdict.outcome is Outcome.PASS and not replay.conversation
    return not said and replay.ended.end in (End.ERROR, End.SIGNAL)


def verdict_lines(results: Results) -> tuple[int, str]:
    """Return the exit status, and what it means."""
    lost = [result for result in results.results if isinstance(result.report, Failure)]
    if lost:
        return NOT_RUN, f"Error: {len(lost)} cases could not be run: {lost[0].reason}"
    findings = sum(result.standing.counts for result in results.results)
    if results.all_declined and not findings:
        # There is something to advise where it declined, and did not merely not ask the user.
        if any(said.advice for said in results.untested):
            words = f"declined every conversation that it was to have: {_INSISTS}"
        else:
            words = "did not ask the user in any conversation, and each of these needs it to"
        return NOT_RUN, f"Error: the plugin {words}"
    if findings:
        return FINDINGS, f"{findings} finding{'s' if findings > 1 else ''}"
    return CONFORMANT, "conformant"


CONFORMANT, FINDINGS, NOT_RUN = 0, 1, 2
"""The command's exit statuses."""
