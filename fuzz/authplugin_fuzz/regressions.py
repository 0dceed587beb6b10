"""An input that breaks something, made small, and made a vector of as far as it can be one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authplugin import Limits, Side
from authplugin_corpus.layout import laid_out
from authplugin_corpus.model import Delivery, Kind
from authplugin_corpus.protocols import USER_AUTH
from authplugin_corpus.vectors import FORMAT
from authplugin_properties.model import LENGTH_SIZE, Hear, Say, split

from .attempts import Attempts, Violation, likeness
from .dialogues import dialogue, leads, plain_twin
from .explaining import explained
from .findings import Kind as FindingKind
from .layers import PAYLOAD_LIMITS, Exchange, Layer, Terms, frame_of
from .minimising import minimised
from .payload_vectors import payload_vector
from .steps import End, Step, played, told
from .targets import TARGETS
from .vectors import Made, message_vector

_RUNS: Final = 3
"""So often what was found is tried, each time in a new process, before it counts."""

_SECONDS: Final = 10.0
"""For how long, at most, a plainer vector is looked for."""

_SIDES: Final[Mapping[str, tuple[Side, ...]]] = {
    "client": (Side.CLIENT,),
    "plugin": (Side.PLUGIN,),
}
"""Whose roles are on trial, where they are not both."""

_DELIVERIES: Final = (
    (Delivery.WHOLE,),
    (Delivery.WHOLE, Delivery.BYTE_BY_BYTE),
    (Delivery.WHOLE, Delivery.FIELD_EDGES),
)


class NothingBrokenError(ValueError):
    """An input breaks nothing, or not each time; the text says which."""


@dataclass(frozen=True, slots=True)
class Regression:
    """An input that breaks something.

    Attributes:
        target: the name of the target that it breaks.
        given: how many bytes the input had that was found.
        raw: the smallest input that is known to do the same.
        violation: what that does.
        vector: what a correct program makes of it; None where no vector shows the mistake.
        explained: its frames, for people.
    """

    target: str
    given: int
    raw: bytes
    violation: Violation
    vector: Made | None
    explained: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the pinned input is called: the same bytes for the same target, the same name."""
        return f"{self.target}-{hashlib.sha1(self.raw, usedforsecurity=False).hexdigest()[:16]}"

    @property
    def id(self) -> str:
        """The id that it has where nobody wants another: the vector's, if it has one."""
        if self.vector is not None:
            return self.vector.id
        law = re.sub(r"[^a-z0-9]+", "-", self.violation.law.lower()).strip("-")
        return f"{self.target}-{law}-found-{self.name.rpartition('-')[2][:8]}"


def regression(
    target: str,
    raw: bytes,
    *,
    seconds: float,
    limit: float,
    mebibytes: int,
    say: Callable[[str], None] = lambda _: None,
) -> Regression:
    """Return what an input comes to.

    Args:
        target: the target's name.
        raw: the input.
        seconds: for how long, at most, something smaller is looked for.
        limit: processor time in seconds that an input may take.
        mebibytes: memory that an input may take.
        say: told what is being done, a line at a time.

    Raises:
        NothingBrokenError: where it breaks nothing, or not each time.
        AttemptError: where no input can be tried.
    """

    def attempts(share: float = 1.0) -> Attempts:
        return Attempts(target, seconds=limit * share, mebibytes=mebibytes)

    violation = _violation(attempts, raw)
    say(f"it breaks {violation.law}; looking for a smaller one")
    layer = TARGETS[target].layer
    # What hangs is told from what does not long before the limit.
    with attempts(0.2 if violation.kind is FindingKind.TIMEOUT else 1.0) as trying:

        def still(smaller: bytes) -> bool:
            found = trying.violation(smaller)
            return found is not None and found.likeness == violation.likeness

        small = minimised(raw, layer, still, seconds=seconds)
    try:
        violation, best = _violation(attempts, small, runs=1, like=violation), small
    except NothingBrokenError:
        best = raw  # only behind others, or within less time, did the small one do the same
    with attempts() as judging:
        vector = _vector(target, best, violation, judging)
        lines = tuple(explained(best, layer, judging))
    return Regression(target, len(raw), best, violation, vector, lines)


def _violation(
    attempts: Callable[[], Attempts],
    raw: bytes,
    *,
    runs: int = _RUNS,
    like: Violation | None = None,
) -> Violation:
    """Return what an input does, each time in a new process."""
    found: list[Violation | None] = []
    for _ in range(runs):
        with attempts() as trying:
            came = trying.violation(raw)
        if came is not None and came.kind is FindingKind.TIMEOUT and came == (like or came):
            return came  # once is long enough
        found.append(came)
    broken = [each for each in found if each is not None]
    if not broken:
        raise NothingBrokenError(f"breaks nothing, in {runs} processes: mended since, perhaps")
    wanted = like or broken[0]
    alike = [each for each in broken if each.likeness == wanted.likeness]
    if len(alike) < runs:
        raise NothingBrokenError(
            f"breaks {wanted.law} in {len(alike)} of {runs} processes: that is left to chance"
        )
    return alike[0]


# The vector.


def file_of(vectors: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Return the text of a file of vectors."""
    return laid_out({"format": FORMAT, "kind": kind, "vectors": list(vectors)})


def _vector(target: str, raw: bytes, violation: Violation, judging: Attempts) -> Made | None:
    """Return the first vector in which the linter, with the code on trial, sees a mistake."""
    tried = []
    for made in _candidates(target, raw, violation):
        if made is None or made in tried:
            continue
        tried.append(made)
        if (seen := _seen(made, judging)) is not None:
            return _PLAINER.get(made.kind, _as_it_is)(made, seen, judging)
    return None


def _seen(made: Made, judging: Attempts) -> tuple[str, ...] | None:
    """Return what kinds of mistakes the linter sees in a vector; None where it sees none."""
    problems = judging.problems(file_of([{"id": made.id} | made.form], str(made.kind)))
    return tuple(map(likeness, problems)) or None


def _as_it_is(made: Made, seen: tuple[str, ...], judging: Attempts) -> Made:
    return made


def _plainest_payload(made: Made, seen: tuple[str, ...], judging: Attempts) -> Made:
    """Return the smallest vector of a payload in which the linter sees the same mistake."""
    limits = Limits(**made.form.get("limits", {}))
    method, verdict = made.form.get("method"), _verdict(made)

    def still(data: bytes) -> bool:
        other = payload_vector(data, method, limits)
        return other is not None and _verdict(other) == verdict and _seen(other, judging) == seen

    data = bytes.fromhex(made.form["payload"])
    small = minimised(data, Layer.PAYLOAD, still, seconds=_SECONDS, on_terms=False)
    return payload_vector(small, method, limits) or made


def _plainest(made: Made, seen: tuple[str, ...], judging: Attempts) -> Made:
    """Return the smallest vector of a frame in which the linter sees the same mistake.

    The limits stand in it, so nothing hangs on a checksum; what was found in different inputs
    comes to the same vector.
    """
    limits = Limits(**made.form.get("limits", {}))
    verdict = _verdict(made)

    def still(body: bytes) -> bool:
        other = message_vector(frame_of(body), limits)
        return _verdict(other) == verdict and _seen(other, judging) == seen

    frame = bytes.fromhex(made.form["bytes"])
    if frame != frame_of(frame[LENGTH_SIZE:]):
        return made  # it is the length that is wrong
    small = minimised(frame[LENGTH_SIZE:], Layer.BODY, still, seconds=_SECONDS, on_terms=False)
    return message_vector(frame_of(small), limits)


_PLAINER: Final = {Kind.MESSAGES: _plainest, Kind.USERAUTH: _plainest_payload}
"""How the vectors of a kind are made plainer, where that is done."""


def _verdict(made: Made) -> tuple[object, ...]:
    """Return what a correct receiver makes of a frame, wherever in it."""
    error = made.form.get("error", {})
    return made.form["result"], error.get("code"), re.sub(r"\d+", "0", error.get("field", ""))


def _candidates(target: str, raw: bytes, violation: Violation) -> Iterator[Made | None]:
    yield from _CANDIDATES.get(TARGETS[target].layer, _no_candidates)(target, raw)
    for side, steps in told(violation.text).items():
        yield from _of_steps(side, steps)


def _no_candidates(target: str, raw: bytes) -> Iterator[Made | None]:
    yield from ()


def _of_body(target: str, raw: bytes) -> Iterator[Made | None]:
    yield from _of_frames([frame_of(raw)], Terms.of(raw).limits)


def _of_payload(target: str, raw: bytes) -> Iterator[Made | None]:
    for method in USER_AUTH:
        for limits in (Limits(), Terms.of(raw, PAYLOAD_LIMITS).limits):
            yield payload_vector(raw, method, limits)


def _of_stream(target: str, raw: bytes) -> Iterator[Made | None]:
    yield from _of_frames(split(raw), Terms.of(raw).limits)
    for side in Side:
        for lead in leads(side):
            yield from _of_steps(side, [*lead, Hear(raw), End()])


def _of_conversation(target: str, raw: bytes) -> Iterator[Made | None]:
    exchange = Exchange.from_bytes(raw)
    for side, steps in played(exchange, *_SIDES.get(target, tuple(Side))).items():
        yield from _of_steps(side, steps)
    for move in exchange.moves:
        yield from _of_frames(split(move.data), exchange.limits)


_CANDIDATES: Final[Mapping[Layer, Callable[[str, bytes], Iterator[Made | None]]]] = {
    Layer.BODY: _of_body,
    Layer.PAYLOAD: _of_payload,
    Layer.STREAM: _of_stream,
    Layer.CONVERSATION: _of_conversation,
}
"""The vectors that an input of a layer may come to; those of other layers come to none."""


def _of_frames(frames: Sequence[bytes], limits: Limits) -> Iterator[Made]:
    for frame in frames:
        yield message_vector(frame)
        yield message_vector(frame, limits)


def _of_steps(side: Side, steps: Sequence[Step]) -> Iterator[Made | None]:
    """Yield dialogues in the words that the corpus usually has, as far as may be."""
    heard = [at for at, step in enumerate(steps) if isinstance(step, Hear)]
    last = heard[-1] if heard else 0
    plain = [_plain(step) for step in steps]
    for deliveries in _DELIVERIES:
        for words in (plain, [*plain[:last], *steps[last:]], steps):
            yield dialogue(side, words, deliveries)


def _plain(step: Step) -> Step:
    if isinstance(step, Say):
        return Say(plain_twin(step.frame))
    if isinstance(step, Hear):
        return Hear(b"".join(map(plain_twin, split(step.data))))
    return step
