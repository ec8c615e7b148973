"""``soundstage record``: build a scenario from a recorded run and write it into a fixture."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from soundstage import vendored_files
from soundstage.apis.registry import Service, load_api, load_fixture, load_service
from soundstage.openapi.errors import DocumentError
from soundstage.tools.recorder import InvalidScenario, UnusableRecording
from soundstage.tools.recorder.extraction import ObservedRecord, RecordExtractor, read_archive
from soundstage.tools.recorder.fixture_profile import FixtureProfile
from soundstage.tools.recorder.fixture_writer import add_scenario, build_fixture, format_scenario
from soundstage.tools.recorder.reconstruction import RecordHistory, diff
from soundstage.tools.recorder.steps import StepsBuilder
from soundstage.types import JsonObject
from soundstage.world.clock import SECOND, format_rfc3339
from soundstage.world.scenario import ANY_TASK, RUN, Definitions

MAX_LISTED_RUNS = 10


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """The options of the command. Without ``to`` and ``into`` no fixture is written."""

    archive: Path
    api: str
    name: str
    to: Path | None = None
    into: Path | None = None
    run: str | None = None
    task: str | None = None
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class RecordedScenario:
    """A run as a scenario."""

    run: str
    task: str
    began: int
    steps: list[JsonObject]
    states: list[tuple[int, str]]  # with the ms since the run began
    records: dict[str, int]  # the numbers of the other records, by type
    notes: list[str]  # what is uncertain
    is_started: bool  # by a recorded request


def record(options: RecordOptions) -> tuple[RecordedScenario, str]:
    """Write the scenario; return it with the text of its fixture.

    Nothing is written that cannot be served. Raises ``InvalidScenario``,
    ``UnusableRecording``, ``UnknownName``, ``DocumentError`` and ``OSError``.
    """
    api = load_api(options.api)
    source = load_fixture(options.into or vendored_files.fixtures() / f"{api.name}.yaml")
    if source.document["api"] != api.name:
        raise source.error_at(f"is no fixture of {api.name}", "/api")
    recorded = build_scenario(load_service(api, source), source.document, options)
    states = " -> ".join(state for _, state in recorded.states)
    node: JsonObject = {"about": f"As it was recorded: {states}."}
    node |= {"weight": 0} if options.into else {}
    origin = f"Run {recorded.run} as recorded in {options.archive.name}"
    comment = [f"{origin}; it began {format_rfc3339(recorded.began)}."]
    comment += [f"{note[0].upper()}{note[1:]}." for note in recorded.notes]
    scenario = format_scenario(options.name, {**node, "steps": recorded.steps}, comment)
    text = source.path.read_text("utf-8")
    if options.into:
        text = add_scenario(text, options.name, scenario)
    else:
        # A run that the recorded client started begins when a client starts one.
        # Any other begins with the world, under its recorded identifier.
        history = {"task": recorded.task, "scenario": options.name, "ago": "0s", "id": recorded.run}
        text = build_fixture(text, options.name, scenario, {} if recorded.is_started else history)
    if options.to and options.to.exists():
        raise FileExistsError(17, os.strerror(17))
    _save(text, options)
    return recorded, text


def _save(text: str, options: RecordOptions) -> None:
    """Move the text to its place once it has been validated by loading it."""
    target = options.to or options.into
    # In the same folder, since only then replacing the target is atomic.
    folder = target.parent if target else None
    with NamedTemporaryFile(
        "w", suffix=".yaml", dir=folder, delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    path = Path(file.name)
    try:
        load_service(load_api(options.api), load_fixture(path))
        if target:
            path.chmod(options.into.stat().st_mode if options.into else 0o644)
            path.replace(target)
    except DocumentError as error:
        msg = f"the recording makes no fixture that can be served: {error.message}"
        reason = DocumentError(msg, error.pointer, options.archive.name)
        raise InvalidScenario(str(reason)) from error
    finally:
        path.unlink(missing_ok=True)


def build_scenario(service: Service, node: JsonObject, options: RecordOptions) -> RecordedScenario:
    """Build the scenario for a service and the ``node`` of its fixture.

    Raises ``UnusableRecording``.
    """
    exchanges = read_archive(options.archive)
    definitions = service.fixture.definitions
    record_types = definitions.model.record_types
    if not record_types[RUN].schema:
        raise UnusableRecording(f"responses of {service.name} never contain a run")
    extractor = RecordExtractor(service)
    profile = FixtureProfile(definitions, node, extractor.fields)
    observed = [record for one in exchanges for record in extractor.extract(one)]
    records: dict[tuple[str, str], list[ObservedRecord]] = {}
    for one in observed:
        records.setdefault((one.record_type.name, one.id), []).append(one)
    own = _choose_run(records, options.run)
    task = _choose_task(profile, own[0], options.task)
    pairs = _pair_clocks(profile, observed)
    align = align_clocks(pairs, observed[0].timestamp, options.speed)
    names = {**definitions.task(task), "task": task, "scenario": ""}
    run = RecordHistory(profile, align, own, names)
    others = [
        RecordHistory(profile, align, observations, earliest=run.began)
        for observations in records.values()
        if observations[0].record_type.name != RUN
        and any(_belongs_to(run, one) for one in observations)
    ]
    others.sort(key=lambda history: history.began)
    steps = StepsBuilder(profile, names, [run, *others]).build()
    notes = [*profile.notes]
    if definitions.lifecycles.get(RUN) and not definitions.is_final(run.versions[-1].document):
        notes.append("the recording ends before the run does")
    if options.speed == 1 and (fast := estimate_speed(pairs)):
        notes.append(f"the recorded clock went about {fast:.3g} times too fast: see --speed")
    # A run first appears in the response to the request that starts it.
    first = next(one for one in exchanges if run.id.encode() in one.response_body)
    return RecordedScenario(
        run=run.id,
        task=task,
        began=run.began,
        steps=steps,
        states=_list_states(run, definitions),
        records=dict(Counter(history.record_type.name for history in others)),
        notes=notes,
        is_started=first.method not in {"GET", "HEAD"} and run.id not in first.url,
    )


def _pair_clocks(profile: FixtureProfile, observed: list[ObservedRecord]) -> list[tuple[int, int]]:
    """Return times of observation, each with the creation time that a record contains."""
    return [
        (one.timestamp, parsed[1])
        for one in observed
        for name in profile.types[one.record_type.name].creation_fields
        if (parsed := profile.formats.parse(one.document.get(name)))
    ]


def _list_states(run: RecordHistory, definitions: Definitions) -> list[tuple[int, str]]:
    """Return the states of a run, each with the time (ms) since its beginning."""
    fields = [lifecycle.field for lifecycle in definitions.lifecycles.get(RUN, ())]
    states: list[tuple[int, str]] = []
    for version in run.versions:
        state = " ".join(str(version.document.get(name)) for name in fields)
        if state and (not states or states[-1][1] != state):
            states.append((version.timestamp - run.began, state))
    return states


def align_clocks(
    pairs: Iterable[tuple[int, int]], origin: int, speed: float
) -> Callable[[int], int]:
    """Return the conversion from the recorder's clock to the recorded one.

    ``pairs`` are the time of an observation and a timestamp that it contained. Nothing is
    observed before it happens, so the recorded clock is moved ahead if necessary.
    """

    def scale(timestamp: int) -> int:
        return round(origin + (timestamp - origin) * speed)

    ahead = max((recorded - scale(seen) for seen, recorded in pairs), default=0)
    shift = max(0, ahead) if speed == 1 else ahead
    return lambda timestamp: scale(timestamp) + shift


def estimate_speed(pairs: Iterable[tuple[int, int]]) -> float | None:
    """Return how fast the recorded clock ran, or None if it followed the wall clock."""
    newest = dict(sorted(pairs))
    first, last = min(newest, default=0), max(newest, default=0)
    if first == last:
        return None
    passed, recorded = last - first, newest[last] - newest[first]
    return recorded / passed if recorded > max(10 * SECOND, 2 * passed) else None


def _choose_run(
    records: dict[tuple[str, str], list[ObservedRecord]], run_id: str | None
) -> list[ObservedRecord]:
    """Return the requested run, or the one that changed, or the only one."""
    runs = {name: observed for (kind, name), observed in records.items() if kind == RUN}
    if not runs:
        raise UnusableRecording("no response in it contains a run")
    changed = []
    for name, observed in runs.items():
        first = {one.view: one.document for one in reversed(observed)}
        if any(diff(first[one.view], one.document) for one in observed):
            changed.append(name)
    names = sorted(runs, key=lambda name: (name not in changed, -len(runs[name])))
    chosen, reason = changed or names, "it contains more than one run, choose by --run"
    if run_id is not None:
        chosen, reason = [run_id], f"no response contains the run {run_id!r}"
    if len(chosen) == 1 and chosen[0] in runs:
        return runs[chosen[0]]
    listed = ", ".join(names[:MAX_LISTED_RUNS]) + ", ..." * (len(names) > MAX_LISTED_RUNS)
    raise UnusableRecording(f"{reason}; the runs are: {listed}")


def _choose_task(profile: FixtureProfile, run: ObservedRecord, name: str | None) -> str:
    """Return the requested task, or the one whose runs begin most like this one."""
    tasks, own = profile.definitions.tasks, profile.types[RUN]
    changing = own.changing_fields.union(own.creation_fields)

    def distance(task: str) -> int:
        names = {**tasks[task], "task": task, "scenario": ""}
        start = profile.generate(run.record_type, run.id, 0, names)
        patch = diff(start or {}, run.document)
        return sum(name not in changing for name in patch) + 1_000 * (start is None)

    candidates = [task for task in tasks if task == name or (not name and task != ANY_TASK)]
    if not candidates:
        missing = f"no task {name!r}" if name else "no task that a run could have"
        listed = ", ".join(tasks) or "none"
        raise UnusableRecording(f"the fixture has {missing}; the tasks are: {listed}")
    return min(candidates, key=distance)


def _belongs_to(run: RecordHistory, observed: ObservedRecord) -> bool:
    """Whether a record contains the run's identifier, or was requested by it."""
    has_parent = (observed.record_type.parent_field or "") in observed.document
    by_path = not has_parent and run.id in observed.path_values
    return by_path or run.id in observed.document.values()
