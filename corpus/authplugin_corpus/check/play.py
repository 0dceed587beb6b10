"""One case, played with a program, and judged."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..model import Case
from .conversation import Conversation
from .parameters import Parameters
from .peer import Peer, Utterance
from .script import Script, script_of
from .subject import Subject
from .verdicts import (
    End,
    Ended,
    Left,
    Outcome,
    Said,
    Speech,
    Took,
    Verdict,
    end_of,
    ending,
    fold,
    size,
)

TIMEOUT: Final = 10.0
"""Seconds that a program may take to answer, and to end, where nothing else is said."""

MUCH_MEMORY: Final = 8 * 2**20
"""Bytes beyond what a clean conversation takes, and `_PER_BYTE` for each byte that was sent."""

GRACE: Final = 0.5
"""Seconds in which what the program has started may end after it."""

_PER_BYTE: Final = 16
_PATIENCE: Final = 3
"""How many times a program may be waited for in vain before the time limit is a tenth."""

_LEAST: Final = 1.0
"""Seconds that a time limit is never cut below."""

_HASTY: Final = (Speech.WRONG, Speech.OUT_OF_TURN, Speech.TOO_EARLY)
"""What a program may seem to have said because the next message was sent meanwhile."""

_REPEATS: Final = 2
"""How many times more a program is tried before it is said to take too much memory."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How cases are played.

    Attributes:
        command: the program and its arguments.
        timeout: seconds within which it must answer, and within which it must end.
        environment: the program's, all of it; None for that of this process.
        clean: a conversation with nothing wrong in it, to compare with what it takes in memory
            where something is; without it nothing is said about memory.
    """

    command: Sequence[str]
    timeout: float = TIMEOUT
    environment: Mapping[str, str] | None = None
    clean: Script | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a case.

    Attributes:
        id: of the case.
        verdict: what it comes to.
        said: what the program said.
        ended: how it ended.
        took: what it took.
        left: what it left.
        due: what was due from the program at the end of the conversation.
        conversation: what was said, in order.
        error_output: the end of what the program wrote to standard error.
    """

    id: str
    verdict: Verdict
    said: Said
    ended: Ended
    took: Took
    left: Left
    due: str
    conversation: tuple[Utterance, ...]
    error_output: bytes

    @property
    def undecided(self) -> bool:
        """Whether a time limit decided the outcome, as nothing else could."""
        bad = self.verdict.outcome not in (Outcome.PASS, Outcome.LENIENT)
        return bad and (self.ended.undecided or self.took.undecided)


def play(
    case: Case,
    parameters: Parameters,
    command: Sequence[str],
    timeout: float,
    *,
    environment: Mapping[str, str] | None = None,
    clean: Case | None = None,
) -> Replay:
    """Play a case with a program, and judge what it did; see `Settings`.

    Raises:
        OSError: where the program cannot be started.
    """
    compared = None if clean is None else script_of(clean, parameters)
    settings = Settings(command, timeout, environment, compared)
    return perform(script_of(case, parameters), settings)


def perform(script: Script, settings: Settings) -> Replay:
    """Play a script with a program, and judge what it did.

    Raises:
        OSError: where the program cannot be started.
    """
    return Player(settings).perform(script)


class Player:
    """Plays one script after the other with a program."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout = settings.timeout
        self._undecided = 0
        self._clean_memory: int | None = None

    def _once(self, script: Script, *, careful: bool = False) -> Replay:
        replay = _once(script, replace(self._settings, timeout=self._timeout), careful=careful)
        # Whoever never ends would take up all the time there is, a time limit for each case.
        self._undecided += replay.ended.undecided
        if self._undecided >= _PATIENCE:
            self._timeout = min(self._timeout, max(self._settings.timeout / 10, _LEAST))
        return replay

    def perform(self, script: Script) -> Replay:
        """Play a script, and judge what the program did.

        What depends on who was faster is played a second time, with a pause before each message;
        and what took much memory is played again, as one time proves nothing.

        Raises:
            OSError: where the program cannot be started.
        """
        replay = self._once(script)
        if replay.said.speech in _HASTY:
            again = self._once(script, careful=True)
            replay = again if again.verdict.outcome.is_finding else _only_in_haste(replay)
        if replay.took.peak_memory is None or not script.mistakes:
            return replay
        if self._too_much(script, replay):
            more = [self._once(script) for _ in range(_REPEATS)]
            least = min([replay, *more], key=lambda each: each.took.peak_memory or 0)
            if self._too_much(script, least):
                return _with_memory(least, script.mistakes[-1], self._clean_memory or 0)
        return replace(replay, took=replace(replay.took, clean_memory=self._clean_memory))

    def _too_much(self, script: Script, replay: Replay) -> bool:
        """Say whether a program took much more memory than it takes for what is right."""
        much = MUCH_MEMORY + _PER_BYTE * script.size
        peak = replay.took.peak_memory
        if peak is None or peak <= much or self._settings.clean is None:
            return False
        if self._clean_memory is None:
            clean = self._once(self._settings.clean)
            self._clean_memory = clean.took.peak_memory or 0  # 0 where it is not known
        return peak > self._clean_memory + much > much


def _with_memory(replay: Replay, mistake: str, clean: int) -> Replay:
    peak = replay.took.peak_memory or 0
    sentence = (
        f"took {size(peak)} of memory for {mistake} ({size(clean)} in a clean conversation): "
        "nothing may be allocated by what is only claimed"
    )
    took = replace(replay.took, sentence=sentence, clean_memory=clean)
    verdict = fold(replay.said, replay.ended, took, replay.left)
    return replace(replay, took=took, verdict=verdict)


def _only_in_haste(replay: Replay) -> Replay:
    sentence = f"{replay.said.sentence} (not so when each message waited for the program to wait)"
    said = replace(replay.said, sentence=sentence)
    verdict = fold(said, replay.ended, replay.took, replay.left)
    return replace(replay, said=said, verdict=verdict)


def _once(script: Script, settings: Settings, *, careful: bool) -> Replay:
    """Return what came of a script, played once."""
    start = time.monotonic()
    with Subject(settings.command, environment=settings.environment) as subject:
        peer = Peer(subject, settings.timeout)
        conversation = Conversation(script, peer, careful=careful)
        said = conversation.hold()
        ended = _ended(peer, conversation)
        seconds = time.monotonic() - start
        remains = subject.kill(GRACE)
        error_output = subject.error_output
    ended = _sanitised(ended, error_output)
    if ended.end is End.ERROR and said.speech is Speech.RIGHT and not script.mistakes:
        words = f"{ended.sentence} although nothing was wrong with what it was told"
        ended = replace(ended, sentence=words, needless=True)
    took = Took(seconds, remains.peak_memory, undecided=peer.undecided)
    left = _left(remains.processes, ended, noise=conversation.noise)
    verdict = fold(said, ended, took, left)
    passed = verdict.outcome is Outcome.PASS and not script.mistakes
    return Replay(
        script.id,
        verdict,
        said,
        ended,
        took,
        left,
        conversation.due,
        () if passed else tuple(peer.said),
        b"" if passed else error_output,
    )


def _ended(peer: Peer, conversation: Conversation) -> Ended:
    """Return how the program ended, having given it the time to."""
    peer.close_input()
    if not conversation.ends_never:
        peer.finish()
    if peer.status is not None:
        words = ending(peer.status)
        end = end_of(peer.status)
        after = conversation.after if end is End.SIGNAL else ""
        return Ended(end, peer.status, words + after)
    if peer.flooded:
        return Ended(End.NOT_AT_ALL, None, "writes without an end, whatever happens to its input")
    if peer.waits:
        words = f"does not end although its input is closed: it waits for ever{conversation.after}"
        return Ended(End.NOT_AT_ALL, None, words)
    words = f"was still running {peer.timeout:g} s after its input was closed{conversation.after}"
    return Ended(End.NOT_AT_ALL, None, f"{words} (undecided, by time limit)", undecided=True)


_SANITISERS: Final = (b"ERROR: AddressSanitizer", b"ERROR: MemorySanitizer", b": runtime error: ")


def _sanitised(ended: Ended, error_output: bytes) -> Ended:
    """Return how the program ended, which is a crash where a sanitiser ended it."""
    if ended.end is not End.ERROR or not any(mark in error_output for mark in _SANITISERS):
        return ended
    return replace(ended, end=End.SIGNAL, sentence=f"{ended.sentence}, by a sanitiser's report")


def _left(processes: Sequence[str], ended: Ended, *, noise: bool) -> Left:
    sentence = ""
    if processes and ended.end is not End.NOT_AT_ALL:
        many = "a process" if len(processes) == 1 else f"{len(processes)} processes"
        sentence = f"left {many} running when it had ended: {', '.join(processes[:3])}"
    return Left(tuple(processes), noise, sentence)
