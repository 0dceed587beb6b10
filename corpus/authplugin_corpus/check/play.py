"""One case, played with a program, and judged."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from authplugin import Side

from ..model import Case, Delivery
from .conversation import Conversation
from .parameters import Parameters
from .peer import Peer, Utterance
from .probing import diagnosis
from .script import Script, script_of
from .subject import Subject
from .uncaught import uncaught_in
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


_ADVICE: Final = {
    Delivery.BYTE_BY_BYTE: "it can when it comes in one piece: a read may give less than was asked "
    "for, so it has to read on until the message is whole",
    Delivery.FIELD_EDGES: "it can when it comes in one piece: a read may give less than was asked "
    "for, so it has to read on until the message is whole",
    Delivery.COALESCED: "it can when each message comes by itself: one read may give more than a "
    "message, and what is behind the first has to be kept, and looked at before it waits for more",
}
"""What an author should look at where a delivery alone is not coped with."""

_NO_MATTER: Final = "just so when each message comes whole, and by itself"


class Settings(NamedTuple):
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


class Replay(NamedTuple):
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
        self._longest = settings.timeout
        self._undecided = 0
        self._clean_memory: int | None = None
        # Of a program that does not answer, by what it does not answer; None where it is not known.
        self._diagnoses: dict[bytes, str | None] = {}

    def _once(self, script: Script, *, careful: bool = False, small: bool = False) -> Replay:
        replay = _once(script, self._settings, careful=careful, small=small)
        # Whoever never ends would take up all the time there is, a time limit for each case.
        self._undecided += replay.ended.undecided
        if self._undecided >= _PATIENCE:
            shorter = min(self._longest, max(self._longest / 10, _LEAST))
            self._settings = self._settings._replace(timeout=shorter)
        return replay

    def perform(self, script: Script) -> Replay:
        """Play a script, and judge what the program did.

        What depends on who was faster is played a second time, with a pause before each message,
        and so is what may come of a message that was said out of turn, and taken for an answer;
        what took much memory is played again, as one time proves nothing; and where no answer
        came, it is tried out what the program would have answered.

        Raises:
            OSError: where the program cannot be started.
        """
        replay = self._once(script)
        if replay.said.speech in _HASTY:
            again = self._once(script, careful=True)
            replay = again if again.verdict.outcome.is_finding else _only_in_haste(replay)
        elif _has_gone_wrong(replay):
            again = self._once(script, careful=True)
            if again.said.speech is Speech.OUT_OF_TURN:
                return again
        if replay.verdict.outcome is Outcome.FAIL and replay.said.speech is Speech.MISSING:
            replay = self._explained(script, replay)
        if not script.mistakes:
            return replay
        if self._too_much(script, max(replay.took.peak_memory or 0, replay.took.touched_memory)):
            more = [self._once(script, small=True) for _ in range(_REPEATS)]
            least = min(more, key=lambda each: each.took.peak_memory or 0)
            if self._too_much(script, least.took.peak_memory or 0):
                return _with_memory(least, script.mistakes[-1], self._clean_memory or 0)
        if self._clean_memory is None:
            return replay
        return replay._replace(took=replay.took._replace(clean_memory=self._clean_memory))

    def _explained(self, script: Script, replay: Replay) -> Replay:
        """Return the same with the reason that no answer came, where that can be found."""
        said_nothing = all(each.side is Side.CLIENT for each in replay.conversation)
        if said_nothing and (found := self._diagnosed(script.opening)) is not None:
            return _with_advice(replay, found)
        if script.delivery is Delivery.WHOLE:
            return replay
        if not self._once(script.eased()).verdict.outcome.is_finding:
            return _with_advice(replay, _ADVICE[script.delivery])
        return _with_advice(replay, replay.said.advice or _NO_MATTER)

    def _diagnosed(self, opening: bytes | None) -> str | None:
        if opening is None:
            return None
        if opening not in self._diagnoses:
            found = diagnosis(self._settings.command, self._settings.environment, opening)
            self._diagnoses[opening] = found
        return self._diagnoses[opening]

    def _too_much(self, script: Script, memory: int) -> bool:
        """Say whether so much memory is much more than a program takes for what is right."""
        much = MUCH_MEMORY + _PER_BYTE * script.size
        if memory <= much or self._settings.clean is None:
            return False
        if self._clean_memory is None:
            clean = self._once(self._settings.clean)
            self._clean_memory = clean.took.peak_memory or 0  # 0 where it is not known
        return memory > self._clean_memory + much > much


def _with_memory(replay: Replay, mistake: str, clean: int) -> Replay:
    peak = replay.took.peak_memory or 0
    sentence = (
        f"took {size(peak)} of memory for {mistake} ({size(clean)} in a clean conversation): "
        "nothing may be allocated by what is only claimed"
    )
    took = replay.took._replace(sentence=sentence, clean_memory=clean)
    verdict = fold(replay.said, replay.ended, took, replay.left)
    return replay._replace(took=took, verdict=verdict)


def _has_gone_wrong(replay: Replay) -> bool:
    """Say whether a program that talked went wrong in a way that is known without a time limit."""
    talked = any(each.side is Side.PLUGIN for each in replay.conversation)
    missing = replay.said.speech is Speech.MISSING and not replay.took.undecided
    return talked and (missing or replay.ended.needless)


def _only_in_haste(replay: Replay) -> Replay:
    return _with_advice(replay, "not so when each message waited for the program to wait")


def _with_advice(replay: Replay, advice: str) -> Replay:
    said = replay.said._replace(advice=advice)
    verdict = fold(said, replay.ended, replay.took, replay.left)
    return replay._replace(said=said, verdict=verdict)


def _once(script: Script, settings: Settings, *, careful: bool, small: bool) -> Replay:
    """Return what came of a script, played once."""
    start = time.monotonic()
    with Subject(settings.command, environment=settings.environment, small=small) as subject:
        peer = Peer(subject, settings.timeout)
        conversation = Conversation(script, peer, careful=careful or script.careful)
        said = conversation.hold()
        ended = _ended(peer, conversation)
        seconds = time.monotonic() - start
        remains = subject.kill(GRACE)
        error_output = subject.error_output
    ended = _sanitised(ended, error_output)
    if peer.output_closed:
        ended = _unheard(ended)
    elif ended.end is End.ERROR and said.speech is Speech.RIGHT and not script.mistakes:
        ended = _needless(ended, error_output)
    took = Took(
        seconds,
        remains.peak_memory,
        undecided=peer.undecided,
        touched_memory=remains.touched_memory,
    )
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


def _unheard(ended: Ended) -> Ended:
    """Return how a program ended that nobody listened to any more: writing may end it."""
    if ended.status is not None and ended.status == -getattr(signal, "SIGPIPE", 0):
        return ended._replace(end=End.ERROR)
    return ended


def _needless(ended: Ended, error_output: bytes) -> Ended:
    """Return how a program ended that told of an error where there was none."""
    exception = uncaught_in(error_output)
    by = f" by an exception that nothing caught ({exception})" if exception else ""
    words = f"{ended.sentence}{by} although nothing was wrong with what it was told"
    if exception:
        words += ": its input may be closed at any time (H.5)"
    return ended._replace(sentence=words, needless=True, uncaught=bool(exception))


_SANITISERS: Final = (b"ERROR: AddressSanitizer", b"ERROR: MemorySanitizer", b": runtime error: ")


def _sanitised(ended: Ended, error_output: bytes) -> Ended:
    """Return how the program ended, which is a crash where a sanitiser ended it."""
    if ended.end is not End.ERROR or not any(mark in error_output for mark in _SANITISERS):
        return ended
    return ended._replace(end=End.SIGNAL, sentence=f"{ended.sentence}, by a sanitiser's report")


def _left(processes: Sequence[str], ended: Ended, *, noise: bool) -> Left:
    sentence = ""
    if processes and ended.end is not End.NOT_AT_ALL:
        many = "a process" if len(processes) == 1 else f"{len(processes)} processes"
        sentence = f"left {many} running when it had ended: {', '.join(processes[:3])}"
    return Left(tuple(processes), noise, sentence)
