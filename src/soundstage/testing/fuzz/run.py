"""A target fuzzed: its campaign, carried out and counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from soundstage.testing.campaign.campaign import PHASES, Campaign
from soundstage.testing.campaign.engine import Stopped, events
from soundstage.testing.fuzz.tally import Tally
from soundstage.testing.fuzz.target import Target
from soundstage.testing.semantics import RULES, STILL
from soundstage.testing.semantics.described import Catalogue
from soundstage.world.errors import Unknown


@dataclass(frozen=True, slots=True)
class Effort:
    """How a target is fuzzed. ``secrets`` win over those that the target has."""

    seed: int = 0
    max_examples: int = 100
    workers: int = 1
    phases: tuple[str, ...] = PHASES
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    values: Mapping[str, list[str]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    still: bool = False
    reports: tuple[str, ...] = ()
    report_dir: Path | None = None


def campaign_of(target: Target, effort: Effort) -> Campaign:
    """The campaign for a target. Raises ``Unknown`` for an operation it has not."""
    catalogue = Catalogue(target.document)
    for name in effort.only:
        if catalogue.named(name) is None:
            known = tuple(one.id for one in catalogue.operations.values())
            raise Unknown("operation", name, known)
    still = (target.still or effort.still) and effort.workers == 1
    rules = [name for name in RULES if still or name not in STILL]
    folder = effort.report_dir and effort.report_dir / target.folder
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return Campaign(
        document=target.document,
        url=target.url,
        secrets={**target.secrets, **effort.secrets},
        values={**target.values, **effort.values},
        seed=effort.seed,
        max_examples=effort.max_examples,
        workers=effort.workers,
        phases=effort.phases,
        operations=effort.only,
        rules=tuple(name for name in rules if name not in effort.without),
        without=tuple(name for name in effort.without if name not in RULES),
        own=target.own,
        reports=effort.reports,
        report_dir=folder,
    )


def fuzz(
    campaign: Campaign,
    tally: Tally,
    watch: Callable[[Tally], None],
    seconds: float | None = None,
) -> None:
    """Carry it out and count; ``watch`` is shown every step. Raises as ``events``."""
    for event in events(replace(campaign, max_time=seconds)):
        tally.add(event)
        watch(tally)
    if tally.complete and not tally.cases:
        raise Stopped("nothing was sent: there is nothing for these phases to do")
