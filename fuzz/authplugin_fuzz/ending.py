"""What a campaign does when its time is over, and the page that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from authplugin_properties.tally import Tally

from . import covering
from .apart import ApartError, map_page
from .campaign import Campaign
from .covering import Covered
from .engines import Engine
from .finishing import Outcome, Step, finish_all
from .keeping import alone


@dataclass(slots=True)
class End:
    """What came of all inputs of a campaign.

    Attributes:
        outcomes: what came of each target's, by its name.
        files: the branches that they take, file by file; none where that was not measured.
        map: the page of what of the state map they exercise; None likewise.
        seconds: how long all of it took.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    files: list[Covered] = field(default_factory=list)
    map: str | None = None
    seconds: float = 0.0


def end(campaign: Campaign, say: Callable[[str], None], check: Callable[[], None]) -> End:
    """Replay, minimise and measure what a campaign has kept.

    What breaks something then is one of the campaign's findings too.

    Args:
        campaign: one that has run.
        say: called with each line that there is to say.
        check: called now and then; what it raises ends everything.

    Raises:
        OSError: where something cannot be written.
    """
    started = monotonic()
    steps = [step for step in Step if step is not Step.MINIMISE or _merges(campaign)]
    say(f"the time is over; of each target's inputs: {', '.join(steps)}")
    with alone(campaign.folder):
        outcomes = finish_all(
            list(campaign.tallies),
            campaign.folder,
            campaign.bounds,
            steps,
            campaign.jobs,
            lambda outcome: say(f"  {told(outcome)}"),
            check,
        )
    for name, outcome in outcomes.items():
        tally = campaign.tallies[name]
        tally.kept = len(tally.corpus.inputs())
        tally.notes += outcome.wrong
        for finding in campaign.kept.all([name]):
            if finding.name in outcome.failing:
                tally.findings[finding.name] = finding
    ended = End(outcomes, seconds=monotonic() - started)
    measure_all(ended, campaign.folder, say)
    return ended


def measure_all(ended: End, folder: Path, say: Callable[[str], None]) -> None:
    """Put together what the corpora of all targets reach."""
    data = [outcome.data for outcome in ended.outcomes.values() if outcome.data is not None]
    tallies = [outcome.tally for outcome in ended.outcomes.values() if outcome.tally is not None]
    if data:
        try:
            ended.files = covering.combined(data, folder / covering.DATA)
        except ValueError as error:
            say(f"the coverage cannot be put together: {error}")
    if tallies:
        exercised = Tally()
        for tally in tallies:
            exercised.add(Tally.from_json(tally))
        try:
            ended.map = map_page(exercised.to_json())
        except ApartError as error:
            say(str(error))
    for each in data:
        with suppress(OSError):
            Path(each).unlink()


def told(outcome: Outcome) -> str:
    """Return what came of a target's inputs, in a line."""
    said = f"{outcome.target}: {outcome.replayed} inputs replayed, "
    said += f"{len(outcome.failing)} break something"
    if (small := outcome.minimised) is not None:
        said += f"; corpus {small.before} to {small.after}, all {small.edges} edges kept"
    for wrong in outcome.wrong:
        said += f"; {wrong}"
    return f"{said}; {outcome.seconds:.0f} s"


def _merges(campaign: Campaign) -> bool:
    return campaign.engine is Engine.ATHERIS
