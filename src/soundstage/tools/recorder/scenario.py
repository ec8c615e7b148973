"""Build a scenario from the exchanges of an archive."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from soundstage.apis.registry import Service
from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.recorder import UnusableRecording
from soundstage.tools.recorder.extraction import ObservedRecord, RecordExtractor
from soundstage.tools.recorder.fixture_profile import FixtureProfile
from soundstage.tools.recorder.reconstruction import (
    RecordHistory,
    build_history,
    diff,
)
from soundstage.tools.recorder.steps import StepsBuilder
from soundstage.tools.recorder.timestamps import align_clocks, estimate_speed
from soundstage.types import JsonObject
from soundstage.world.scenario import ANY_TASK, RUN

MAX_LISTED_RUNS = 10


@dataclass(frozen=True, slots=True)
class RunSelection:
    """The run to record (None: the one that changes), and its task (None: guessed).

    ``speed`` is that of the recorded clock, relative to the clock of the recorder.
    """

    run: str | None = None
    task: str | None = None
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class RecordedScenario:
    """A run as a scenario; ``notes`` describe what is uncertain.

    ``states`` have the ms since the run began, ``records`` the numbers of its other
    records by type; it ``is_started`` if a recorded request started it.
    """

    run: str
    task: str
    began: int
    steps: list[JsonObject]
    states: list[tuple[int, str]]
    records: dict[str, int]
    notes: list[str]
    is_started: bool


def build_scenario(
    exchanges: Sequence[RecordedExchange],
    service: Service,
    node: JsonObject,
    selection: RunSelection,
) -> RecordedScenario:
    """Build a scenario for a service and the ``node`` of its fixture.

    Raises ``UnusableRecording``.
    """
    definitions = service.fixture.definitions
    if not definitions.model.record_types[RUN].schema:
        raise UnusableRecording(f"responses of {service.name} never contain a run")
    extractor, record_types = RecordExtractor(service), definitions.model.record_types
    fields = {
        name: extractor.fields(record_type)
        for name, record_type in record_types.items()
    }
    profile = FixtureProfile(definitions, node, fields)
    observed = [record for one in exchanges for record in extractor.extract(one)]
    records: dict[tuple[str, str], list[ObservedRecord]] = {}
    for record in observed:
        records.setdefault((record.record_type.name, record.id), []).append(record)
    own = _choose_run(records, selection.run)
    task = _choose_task(profile, own[0], selection.task)
    pairs = _find_creation_times(profile, observed)
    align = align_clocks(pairs, observed[0].timestamp, selection.speed)
    names = {**definitions.task(task), "task": task, "scenario": ""}
    run = build_history(profile, align, own, names)
    others = [
        build_history(profile, align, observations, earliest=run.began)
        for observations in records.values()
        if any(_belongs_to(run, record) for record in observations)
    ]
    others.sort(key=lambda history: history.began)
    return RecordedScenario(
        run=run.id,
        task=task,
        began=run.began,
        steps=StepsBuilder(profile, names, run, others).build(),
        states=list(_list_states(profile, run)),
        records=dict(Counter(history.record_type.name for history in others)),
        notes=[*profile.notes, *_list_doubts(profile, run, pairs, selection.speed)],
        is_started=_is_started(exchanges, run.id),
    )


def _find_creation_times(
    profile: FixtureProfile, observed: list[ObservedRecord]
) -> list[tuple[int, int]]:
    """Return times of observation, each with the creation time of the record."""
    return [
        (record.timestamp, parsed[1])
        for record in observed
        for name in profile.types[record.record_type.name].creation_fields
        if (parsed := profile.formats.parse(record.document.get(name)))
    ]


def _choose_run(
    records: dict[tuple[str, str], list[ObservedRecord]], run_id: str | None
) -> list[ObservedRecord]:
    """Return the requested run, or the one that changed, or the only one."""
    runs = {
        name: observed
        for (type_name, name), observed in records.items()
        if type_name == RUN
    }
    if not runs:
        raise UnusableRecording("no response in it contains a run")
    changed = []
    for name, observed in runs.items():
        first = {one.view: one.document for one in reversed(observed)}
        if any(diff(first[one.view], one.document) for one in observed):
            changed.append(name)
    names = sorted(runs, key=lambda name: (name not in changed, -len(runs[name])))
    chosen = changed or names if run_id is None else [run_id]
    if len(chosen) == 1 and chosen[0] in runs:
        return runs[chosen[0]]
    reason = "it contains more than one run, choose by --run"
    if run_id is not None:
        reason = f"no response contains the run {run_id!r}"
    listed = ", ".join(names[:MAX_LISTED_RUNS])
    if names[MAX_LISTED_RUNS:]:
        listed += f" and {len(names) - MAX_LISTED_RUNS} more"
    raise UnusableRecording(f"{reason}; the runs are: {listed}")


def _choose_task(profile: FixtureProfile, run: ObservedRecord, name: str | None) -> str:
    """Return the requested task, or the one whose runs begin most like this one."""
    tasks, record = profile.definitions.tasks, profile.types[RUN]
    changing = record.changing_fields.union(record.creation_fields)

    def distance(task: str) -> int:
        names = {**tasks[task], "task": task, "scenario": ""}
        start = profile.generate(run.record_type, run.id, 0, names)
        patch = diff(start or {}, run.document)
        count = sum(path[0] not in changing for path in patch)
        return count + 1_000 * (start is None)

    candidates = [
        task for task in tasks if task == name or (not name and task != ANY_TASK)
    ]
    if not candidates:
        listed = ", ".join(tasks) or "none"
        wanted = f"no task {name!r}" if name else "no task that a run could have"
        raise UnusableRecording(f"the fixture has {wanted}; the tasks are: {listed}")
    return min(candidates, key=distance)


def _belongs_to(run: RecordHistory, record: ObservedRecord) -> bool:
    """Whether a record contains the run's identifier, or was requested by it."""
    has_parent = (record.record_type.parent_field or "") in record.document
    by_path = not has_parent and run.id in record.path_values
    is_other = record.record_type.name != RUN
    return is_other and (by_path or run.id in record.document.values())


def _list_states(
    profile: FixtureProfile, run: RecordHistory
) -> Iterator[tuple[int, str]]:
    fields = [lifecycle.field for lifecycle in profile.types[RUN].lifecycles]
    last = ""
    for version in run.versions:
        state = " ".join(str(version.document.get(name)) for name in fields)
        if state != last:
            yield version.timestamp - run.began, state
        last = state


def _list_doubts(
    profile: FixtureProfile,
    run: RecordHistory,
    pairs: list[tuple[int, int]],
    speed: float,
) -> Iterator[str]:
    last = run.versions[-1].document
    if profile.types[RUN].lifecycles and not profile.definitions.is_final(last):
        yield "the recording ends before the run does"
    if speed == 1 and (fast := estimate_speed(pairs)):
        yield f"the recorded clock went about {fast:.3g} times too fast: see --speed"


def _is_started(exchanges: Sequence[RecordedExchange], run_id: str) -> bool:
    """Whether the run first appears in the response to the request that starts it."""
    first = next(one for one in exchanges if run_id.encode() in one.response_body)
    return first.method not in {"GET", "HEAD"} and run_id not in first.url
