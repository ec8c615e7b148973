"""From an archive to a scenario: which run, how it went, how a fixture says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from soundstage.apis.registry import Service
from soundstage.tools.recorder.alignment import align, pace
from soundstage.tools.recorder.archive import Heard, Unusable
from soundstage.tools.recorder.custom import Custom
from soundstage.tools.recorder.moment import Moments
from soundstage.tools.recorder.patch import difference, leaves
from soundstage.tools.recorder.sighting import Lookout, Sighting
from soundstage.tools.recorder.steps import Steps
from soundstage.tools.recorder.story import Teller, belongs, grouped
from soundstage.tools.recorder.version import Told
from soundstage.types import Document, Json
from soundstage.world.clock import rfc3339
from soundstage.world.scenario import ANY, RUN


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: which run (None: the one that there is), of which task.

    ``speed`` is how fast the recorded clock went, by the recorder's.
    """

    run: str | None = None
    task: str | None = None
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Retold:
    """A run as a scenario. ``notes`` say what could not be told for certain.

    ``is_started`` says that a request in the recording has started it.
    """

    run: str
    task: str
    began: int
    steps: list[Document]
    states: list[tuple[int, str]]
    records: dict[str, int]
    notes: list[str]
    is_started: bool


def retell(
    heard: Sequence[Heard], service: Service, node: Document, wish: Wish
) -> Retold:
    """The run of an archive as a scenario of a fixture, given as written too.

    Raises ``Unusable``.
    """
    script = service.fixture.script
    vocabulary = script.vocabulary
    lookout = Lookout(service.contract, vocabulary, service.api.numbered_records)
    if not vocabulary.kinds[RUN].schema:
        raise Unusable(f"{service.name} never answers with a run, only with its traces")
    synonyms = service.api.state_aliases
    seen = [s.renamed(synonyms) for one in heard for s in lookout.sightings(one)]
    custom, moments = Custom(script, node), Moments(vocabulary)
    records = grouped(seen)
    own = records[RUN, _chosen(records, wish.run)]
    known = {
        kind.name: lookout.fields(kind) | custom.fields(kind)
        for kind in vocabulary.kinds.values()
        if lookout.fields(kind)
    }
    pairs = list(_pairs(seen, custom, moments))
    teller = Teller(custom, moments, known, align(pairs, seen[0].at, wish.speed))
    task = _task(custom, own[0], wish.task)
    names = {**script.task(task), "task": task, "scenario": ""}
    run = teller.tell(own, names)
    others = [
        teller.tell(sightings).not_before(run.began)
        for key, sightings in records.items()
        if key[0] != RUN and any(belongs(one, own[0]) for one in sightings)
    ]
    others.sort(key=lambda told: told.began)
    steps = Steps(custom, moments, names, run, others)
    written = steps.node()
    guessed = teller.staging.guessed
    notes = [*teller.notes, *guessed, *steps.notes, *_doubts(run, custom, pairs, wish)]
    return Retold(
        run=run.id,
        task=task,
        began=run.began,
        steps=written,
        states=list(_states(run, custom)),
        records=_counts(others),
        notes=notes,
        is_started=_is_started(heard, run.id),
    )


def _chosen(records: dict[tuple[str, str], list[Sighting]], wanted: str | None) -> str:
    """The run that is meant: the one that changed while it was watched, or the only."""
    runs = {key[1]: seen for key, seen in records.items() if key[0] == RUN}
    if not runs:
        raise Unusable("no answer in it shows a run")
    if wanted is not None:
        if wanted not in runs:
            raise Unusable(f"no answer shows the run {wanted!r}; {_listed(runs)}")
        return wanted
    changed = [i for i, seen in runs.items() if _has_changed(seen)]
    found = changed or list(runs)
    if len(found) > 1:
        raise Unusable(f"it shows more than one run, choose by --run; {_listed(runs)}")
    return found[0]


def _is_started(heard: Sequence[Heard], run: str) -> bool:
    """Whether the run is first heard of in the answer to a request that makes it."""
    name = run.encode()
    first = next(one for one in heard if name in one.body)
    return first.method not in {"GET", "HEAD"} and name not in first.path


def _has_changed(seen: list[Sighting]) -> bool:
    first: dict[str, Document] = {}
    return any(
        difference(first.setdefault(one.view, one.document), one.document)
        for one in seen
    )


def _listed(runs: dict[str, list[Sighting]]) -> str:
    shown = sorted(runs, key=lambda i: (not _has_changed(runs[i]), -len(runs[i])))
    more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""  # noqa: PLR2004 - a screen
    return f"there are: {', '.join(shown[:10])}{more}"


def _pairs(
    seen: list[Sighting], custom: Custom, moments: Moments
) -> Iterator[tuple[int, int]]:
    """When a record was seen, and the moment at which it says it had begun."""
    for sighting in seen:
        for name in custom.born(sighting.kind):
            if found := moments.told(sighting.document.get(name)):
                yield sighting.at, found[1]


def _task(custom: Custom, first: Sighting, wanted: str | None) -> str:
    """The task whose runs begin most like this one."""
    script, kind = custom.script, first.kind
    if wanted is not None and wanted not in script.tasks:
        there = ", ".join(script.tasks) or "none"
        raise Unusable(f"the fixture has no task {wanted!r}; there are: {there}")
    changing = custom.later(kind) | {*custom.born(kind)}
    found: list[tuple[int, str]] = []
    for name, task in script.tasks.items():
        names = {**task, "task": name, "scenario": ""}
        start = custom.start(kind, first.id, 0, names)
        patch = difference(start or {}, first.document)
        other = [path for path, _ in leaves(patch) if path[0] not in changing]
        if wanted == name or (wanted is None and name != ANY):
            found.append((len(other) + 1_000 * (start is None), name))
    if not found:
        raise Unusable("the fixture has no task that a run could be of")
    return min(found, key=lambda one: one[0])[1]


def _doubts(
    run: Told, custom: Custom, pairs: list[tuple[int, int]], wish: Wish
) -> Iterator[str]:
    last = run.versions[-1].document
    if custom.lifecycles(run.kind) and not custom.script.is_final(last):
        yield "the recording ends before the run does"
    if wish.speed == 1 and (speed := pace(pairs)):
        yield f"the recorded clock went about {speed:.3g} times too fast: see --speed"


def _states(run: Told, custom: Custom) -> Iterator[tuple[int, str]]:
    """When the run came to which state."""
    fields = [lifecycle.field for lifecycle in custom.lifecycles(run.kind)]
    last: Json = None
    for version in run.versions:
        state = " ".join(str(version.document.get(name)) for name in fields)
        if fields and state != last:
            last = state
            yield version.at - run.began, state


def _counts(others: list[Told]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for told in others:
        counts[told.kind.name] = counts.get(told.kind.name, 0) + 1
    return counts


def heading(retold: Retold, source: str) -> list[str]:
    """The comment above a scenario: where it is from, and what is not certain."""
    first = (
        f"Run {retold.run} as recorded in {source}; it began {rfc3339(retold.began)}."
    )
    return [first, *(f"{note[0].upper()}{note[1:]}." for note in retold.notes)]
