"""Fuzz a target: create its campaign, run it and count the results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from soundstage.tools.checks import CHECKS, REQUIRES_STATIC_DATA
from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.fuzz.results import FuzzResults
from soundstage.tools.fuzz.target import Target
from soundstage.tools.schemathesis.campaign import PHASES, Campaign
from soundstage.tools.schemathesis.engine import SchemathesisFailed, run_campaign
from soundstage.world.errors import UnknownName


@dataclass(frozen=True, slots=True)
class FuzzOptions:
    """Options of ``soundstage fuzz``; ``secrets`` take precedence over the target's."""

    seed: int = 0
    max_examples: int = 100
    workers: int = 1
    phases: tuple[str, ...] = PHASES
    operations: tuple[str, ...] = ()
    excluded_checks: tuple[str, ...] = ()
    values: Mapping[str, list[str]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    is_static: bool = False
    reports: tuple[str, ...] = ()
    report_dir: Path | None = None


def create_campaign(target: Target, options: FuzzOptions) -> Campaign:
    """Create the campaign for a target. Raises ``Unknown`` for an unknown operation."""
    operations = OperationIndex(target.document)
    for name in options.operations:
        if operations.find(name) is None:
            known = tuple(operation.id for operation in operations.operations.values())
            raise UnknownName("operation", name, known)
    # Several workers change each other's data.
    is_static = (target.is_static or options.is_static) and options.workers == 1
    excluded = set(options.excluded_checks)
    if not is_static:
        excluded |= REQUIRES_STATIC_DATA
    folder = options.report_dir and options.report_dir / target.folder_name
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return Campaign(
        document=target.document,
        url=target.url,
        secrets={**target.secrets, **options.secrets},
        values={**target.values, **options.values},
        seed=options.seed,
        max_examples=options.max_examples,
        workers=options.workers,
        phases=options.phases,
        operations=options.operations,
        semantic_checks=tuple(name for name in CHECKS if name not in excluded),
        excluded_checks=tuple(name for name in options.excluded_checks if name not in CHECKS),
        is_mock=target.is_mock,
        reports=options.reports,
        report_dir=folder,
    )


def fuzz(
    campaign: Campaign,
    results: FuzzResults,
    on_progress: Callable[[FuzzResults], None],
    max_seconds: float | None = None,
) -> None:
    """Run a campaign and count its events. Raises like ``run_campaign``."""
    for event in run_campaign(replace(campaign, max_time=max_seconds)):
        results.add(event)
        on_progress(results)
    if results.is_complete and not results.cases:
        raise SchemathesisFailed("no request was sent: these phases have no cases")
