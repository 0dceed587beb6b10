"""What came of a check, for people."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from authplugin import Message, RemoteProtocolError, Side, decode, explain

from ..frames import split_frames
from ..model import PluginDialogue
from .peer import PLUGIN_LIMITS, Said
from .runner import Replay
from .verdicts import Outcome

_TAIL = 10  # lines of standard error
_ROWS = 40  # lines of a dump
_OUTCOME_WIDTH = max(len(outcome) for outcome in Outcome)

_WAYS = {Side.CLIENT: "client to plugin", Side.PLUGIN: "plugin to client"}


def line_of(replay: Replay, id_width: int) -> str:
    """Return one case on one line: outcome, id, reason."""
    verdict = replay.verdict
    return f"{verdict.outcome:<{_OUTCOME_WIDTH}}  {replay.vector.id:<{id_width}}  {verdict.reason}"


def details_of(
    replay: Replay, command: Sequence[str], like: PluginDialogue | None = None
) -> Iterator[str]:
    """Yield, as lines, what somebody needs who is to mend the plugin.

    Args:
        replay: the case.
        command: the plugin.
        like: a vector whose replay has been shown, and whose conversation went the same way.
    """
    vector = replay.vector
    yield vector.sentence
    yield f"{vector.result} by {vector.clause} ({', '.join(vector.flags)})"
    if like is None:
        yield from _conversation(replay.conversation)
        yield f"due from the plugin: {replay.expected}"
        yield from _error_lines(replay.error_output)
    else:
        yield f"went as {like.id} did, see there"
    yield f"again: {rerun(vector.id, command)}"


def rerun(vector_id: str, command: Sequence[str]) -> str:
    """Return the line for the shell that runs one case again."""
    line = ["authplugin", "check", "plugin", "--select", vector_id, "--", *command]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


def summary(outcomes: Iterable[Outcome]) -> str:
    """Return how many cases had which outcome."""
    counts = Counter(outcomes)
    parts = [f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]]
    cases = "1 case" if counts.total() == 1 else f"{counts.total()} cases"
    return f"{cases}: {', '.join(parts)}"


def _conversation(conversation: Sequence[Said]) -> Iterator[str]:
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
                # The corpus knows its own secrets; a plugin's are nobody's business.
                secrets = said.side is Side.CLIENT or message is None
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


def _error_lines(error_output: bytes) -> Iterator[str]:
    lines = error_output.decode("utf-8", "replace").splitlines()
    if not lines:
        yield "standard error: nothing"
        return
    yield "standard error:" if len(lines) <= _TAIL else f"standard error, last {_TAIL} lines:"
    for line in lines[-_TAIL:]:
        # What a program under test writes is not let loose on a terminal.
        yield f"  {''.join(each if each.isprintable() else '?' for each in line)}"
