"""A mistake in a fixture is reported with its file, its line and the reason.

Long because it is one table: a row for each kind of mistake.
"""

from typing import NamedTuple

import pytest

from soundstage import vendored_files
from soundstage.apis.registry import build_fixture, load_fixture, load_services
from soundstage.openapi.errors import DocumentError
from soundstage.world.errors import UnknownName


class Mistake(NamedTuple):
    """One change to a vendored fixture; ``place`` is on the line that is wrong."""

    api: str
    right: str
    wrong: str
    reason: str
    place: str = ""


ALGOLIA, RUNWISP, TRIEVE, TRIGGER = (
    "algolia-ingestion",
    "runwisp",
    "trieve",
    "trigger-dev",
)

FORM = {
    "a key of the file": Mistake(
        ALGOLIA, "\ncredentials:", "\ncredentails:", "'credentails'", "credentails"
    ),
    "a key of a scenario": Mistake(ALGOLIA, "    weight: 8", "    wieght: 8", "'wieght'"),
    "a key of a history entry": Mistake(
        ALGOLIA, "long_running, ago: 25m", "long_running, since: 25m", "'since'"
    ),
    "a key of a start": Mistake(
        RUNWISP, "- play: failed", "- start: {scenario: failed, wiht: {}}", "'wiht'"
    ),
    "an empty step": Mistake(
        RUNWISP,
        "      - run: {status: pending}",
        "      - {}",
        "{} has less than 1 property",
    ),
    "a repeat of nothing": Mistake(
        TRIEVE,
        "      - repeat: $batches\n        steps:",
        "      - repeat: $batches\n        event:",
        "steps",
        "- repeat: $batches",
    ),
    "a scenario without steps": Mistake(
        RUNWISP,
        "pace: 500..5000}\n    steps:",
        "pace: 500..5000}\n    step:",
        "'step'",
        "    step:",
    ),
    "a weight below 0": Mistake(ALGOLIA, "weight: 8", "weight: -1", "-1 is less than"),
    "a weight that is no number": Mistake(
        ALGOLIA, "weight: 8", "weight: often", '"often" is not of type'
    ),
    "a history entry of both kinds": Mistake(
        RUNWISP, "every: cron, for: 8h", "every: cron, for: 8h, ago: 1h", "oneOf"
    ),
    "an identifier for many runs": Mistake(
        RUNWISP, "every: cron, for: 8h", "every: cron, for: 8h, id: x", "oneOf"
    ),
    "a lifecycle of no field": Mistake(RUNWISP, "  run.status:", "  status:", "status"),
    "a duration": Mistake(ALGOLIA, "after: 15m..30m", "after: 15 min", "15 min"),
    "a duration without unit": Mistake(ALGOLIA, "ago: 70m", "ago: 70", "70"),
    "a count below 0": Mistake(ALGOLIA, "repeat: 2\n", "repeat: -2\n", "-2"),
}

NAMES = {
    "an unknown kind": Mistake(
        ALGOLIA,
        "\n        event: [{type: fetch, status: started}",
        "\n        events: [{type: fetch, status: started}",
        "there is no kind 'events'; there are: run, event",
        "events:",
    ),
    "an unknown kind with a name": Mistake(
        ALGOLIA, "event/pushed:", "evnt/pushed:", "there is no kind 'evnt'"
    ),
    "an unknown kind of record": Mistake(
        TRIEVE, "\n  dataset:\n", "\n  datasets:\n", "no kind 'datasets'", "datasets:"
    ),
    "an unknown kind of default": Mistake(
        ALGOLIA, "\n  event: {runID", "\n  evnt: {runID", "no kind 'evnt'", "  evnt:"
    ),
    "an unknown kind of lifecycle": Mistake(
        RUNWISP, "  run.status:", "  runs.status:", "no kind 'runs'"
    ),
    "an unknown task": Mistake(
        ALGOLIA,
        "task: stock, scenario: idle",
        "task: stocks, scenario: idle",
        "there is no task 'stocks'; there are: example, products",
    ),
    "an unknown scenario": Mistake(
        ALGOLIA,
        "task: stock, scenario: idle",
        "task: stock, scenario: idel",
        "there is no scenario 'idel'; there are: clean_reindex",
    ),
    "an unknown scenario among others": Mistake(
        RUNWISP,
        "[success, success, retried_twice]",
        "[success, success, tried_twice]",
        "there is no scenario 'tried_twice'",
    ),
    "an unknown scenario to start": Mistake(
        RUNWISP,
        "- play: failed",
        "- start: {scenario: flaied}",
        "there is no scenario 'flaied'",
    ),
    "an unknown name in a step": Mistake(
        ALGOLIA,
        "type: transform, status: succeeded, batchSize: $changed",
        "type: transform, status: succeeded, batchSize: $chnaged",
        "$chnaged is not defined here",
    ),
    "an unknown name in a text": Mistake(
        ALGOLIA,
        "More than $failureThreshold%",
        "More than $threshold%",
        "$threshold is not defined here",
    ),
    "an unknown field of a record": Mistake(
        TRIEVE,
        "pages_crawled: $pages, chunks_created: $run.chunks_created",
        "pages_crawled: $pages, chunks_created: $run.chunks",
        "$run.chunks is not defined here",
    ),
    "an unknown name in a default": Mistake(
        ALGOLIA, "taskID: $taskID", "taskID: $taskId", "$taskId is not defined here"
    ),
    "an unknown name in a draw": Mistake(
        TRIEVE,
        "draw: {deleted: 20..120}",
        "draw: {deleted: $deletions}",
        "$deletions is not defined here",
    ),
    "an unknown name in an ending": Mistake(
        RUNWISP,
        "    - run: {status: ended, end_at: $at, end_reason: stopped, exit_code: -1}",
        "    - run: {status: ended, end_at: $now, end_reason: stopped, exit_code: -1}",
        "$now is not defined here",
        "end_at: $now",
    ),
    "an unknown name in a history entry": Mistake(
        ALGOLIA,
        "with: {records: 12}",
        "with: {records: $dozen}",
        "$dozen is not defined here",
    ),
    "a name that the last task lacks": Mistake(
        ALGOLIA,
        "failureThreshold: 30}",
        "threshold: 30}",
        "$failureThreshold is not defined here",
        "run: {appID: $appID",
    ),
    "an unknown Faker provider": Mistake(
        TRIEVE, "{fake: file_name}", "{fake: filename}", "no provider 'filename'"
    ),
    "an unknown form of id": Mistake(
        RUNWISP,
        "external_execution_id: {id: uuid}",
        "external_execution_id: {id: guid}",
        "there is no id form 'guid'; there are: uuid, ulid, hex16, hex32",
    ),
}

VALUES = {
    "a first state that is none": Mistake(
        ALGOLIA,
        "- run: {status: created, type: push}",
        "- run: {status: started, type: push}",
        "run.status begins as 'started'; legal is: created",
    ),
    "a move that is none": Mistake(
        RUNWISP,
        "run: {status: ended, end_at: $at, end_reason: timeout",
        "run: {status: pending, end_at: $at, end_reason: timeout",
        "run.status goes from 'running' to 'pending'; legal is: ended",
    ),
    "a move from a state that is final": Mistake(
        TRIEVE,
        "        event: {event_type: etl_completed",
        "      - run: {status: processing}\n        event: {event_type: etl_completed",
        "legal is: nothing: that state is final",
        "- run: {status: processing}",
    ),
    "a move that is none in an ending": Mistake(
        TRIEVE,
        "    - run: {status: cancelled, finished_at: $at}",
        "    - run: {status: completed, finished_at: $at}",
        "run.status goes from 'queued' to 'completed'",
        "    - run: {status: completed, finished_at: $at}\n  # The file",
    ),
    "a value outside its enum": Mistake(
        ALGOLIA,
        "reasonCode: idle",
        "reasonCode: idel",
        "'idel' is none of 'internal', 'cancelled'",
    ),
    "a value outside its enum, of another line": Mistake(
        ALGOLIA,
        "reasonCode: too_many_errors",
        "reasonCode: too_many",
        "'too_many' is none of",
    ),
    "a value outside its enum, in a list of records": Mistake(
        ALGOLIA,
        "          - {type: record, status: failed, batchSize: 10,",
        "          - {type: record, status: refused, batchSize: 10,",
        "'refused' is none of",
    ),
    "a value of the wrong type in one alternative": Mistake(
        RUNWISP,
        "{any: [1, 1, 2, 126, 127, 137]}",
        "{any: [1, 1, 2, 126, 127, none]}",
        '"none" is not of type',
    ),
    "a value outside its enum, in an ending": Mistake(
        RUNWISP,
        "- run: {status: ended, end_at: $at, end_reason: timeout, exit_code: -1}",
        "- run: {status: ended, end_at: $at, end_reason: too_late, exit_code: -1}",
        "'too_late' is none of",
    ),
    "a value of the wrong type": Mistake(
        ALGOLIA, "batchSize: 10, data", "batchSize: ten, data", '"ten" is not of type'
    ),
    "a value of the wrong type in a default": Mistake(
        RUNWISP,
        "replica_index: 0",
        "replica_index: none",
        '"none" is not of type',
        "- run: {status: pending}",
    ),
    "a value of the wrong type in a history entry": Mistake(
        ALGOLIA, "with: {records: 12}", "with: {records: many}", '"many" is not of type'
    ),
    "a value out of its range": Mistake(
        ALGOLIA, "batchSize: 10, data", "batchSize: -10, data", "-10 is less than"
    ),
    "a value out of its range at its least": Mistake(
        ALGOLIA,
        "draw: {changed: 1..80}",
        "draw: {changed: -1..80}",
        "-1 is less than",
        "batchSize: $changed",
    ),
    "a property that the contract lacks": Mistake(
        ALGOLIA,
        "reasonCode: blocking,",
        "reasonCode: blocking, blockedBy: x,",
        "'blockedBy'",
    ),
    "a property that the contract requires": Mistake(
        RUNWISP,
        "exit_code: 0, triggered_by",
        "triggered_by",
        '"exit_code" is a required',
        "- run: {status: pending}",
    ),
    "a record that breaks the contract": Mistake(
        TRIEVE,
        "\ndefaults:",
        """
  event:
    - dataset_id: e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3
      created_at: yesterday
      event_type: 5
      event_data: "{}"

defaults:""",
        "5 is not of type",
        "event_type: 5",
    ),
    "an addition to a text": Mistake(
        TRIEVE,
        "run: {job: chunk_update}",
        "run: {status: {add: 1}}",
        "a value does not fit here",
    ),
    "a count that is no number": Mistake(
        ALGOLIA,
        "lost: 1..3",
        "lost: some",
        "a count is a whole number from 0 up, not 'some'",
        "- repeat: $lost",
    ),
    "an addition of a text": Mistake(
        ALGOLIA,
        "draw: {changed: 1..80}",
        "draw: {changed: {add: some}}",
        "a value does not fit here",
    ),
    "a form of id that is no text": Mistake(
        RUNWISP,
        "external_execution_id: {id: uuid}",
        "external_execution_id: {id: [uuid]}",
        "there is no id form",
    ),
    "a duration among others": Mistake(
        ALGOLIA,
        "after: 15m..30m",
        "after: {any: [15m, 30 min]}",
        "'30 min' is not a duration",
    ),
    "no duration at all": Mistake(
        ALGOLIA,
        "after: 15m..30m",
        "after: {any: []}",
        "any takes a list of at least one value",
    ),
    "no alternative": Mistake(
        ALGOLIA,
        "{any: [Record is too big, Record has no objectID]}",
        "{any: []}",
        "any takes a list of at least one value",
    ),
    "a scenario without a run": Mistake(
        ALGOLIA,
        "\nendings:",
        "  silent:\n    steps: [{after: 1s}]\n\nendings:",
        "the scenario never makes a record of kind 'run'",
        "  silent:",
    ),
    "runs without end": Mistake(
        RUNWISP,
        "  timeout:\n    about: Hangs until its task's time is up.\n    steps:\n",
        "  timeout:\n    steps:\n      - start: {scenario: timeout}\n",
        "more than 64 runs start one another in a row",
        "  timeout:",
    ),
}


MISTAKES = {**FORM, **NAMES, **VALUES}


def changed(mistake, folder):
    """The vendored fixture with the mistake in it, and the line where it is."""
    text = (vendored_files.fixtures() / f"{mistake.api}.yaml").read_text("utf-8")
    assert mistake.right in text
    text = text.replace(mistake.right, mistake.wrong, 1)
    path = folder / "mistaken.yaml"
    path.write_text(text, "utf-8")
    return path, text[: text.index(mistake.place or mistake.wrong)].count("\n") + 1


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_with_file_line_and_reason(services, tmp_path, mistake):
    path, line = changed(mistake, tmp_path)
    service = services[mistake.api]
    with pytest.raises(DocumentError) as error:
        build_fixture(load_fixture(path), service.api, service.contract)
    assert mistake.reason in str(error.value)
    assert str(error.value).startswith(f"{path}:{line}: ")


BROKEN = {
    "no YAML": ("api: runwisp\ntasks: }\n", 2, "is not YAML"),
    "a repeated key": ("api: a\ntasks: {}\napi: b\n", 3, "is repeated"),
    "a merge key": ("api: a\ntasks:\n  <<: {}\n", 3, "merge keys"),
    "no mapping": ("- api: runwisp\n", 1, "is not a mapping"),
    "nothing": ("", 1, "is not a mapping"),
    "no API": ("tasks: {}\n", 1, '"api" is a required property'),
}


@pytest.mark.parametrize(("text", "line", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_fixture_is_rejected(tmp_path, text, line, reason):
    path = tmp_path / "broken.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DocumentError) as error:
        load_fixture(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert reason in str(error.value)


def test_a_missing_file_is_rejected(tmp_path):
    path = tmp_path / "nowhere.yaml"
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        load_fixture(path)


def test_a_fixture_takes_the_place_of_the_vendored_one(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("api: runwisp\ntasks: {mine: {}}\n", "utf-8")
    (service,) = load_services(["runwisp"], [path]).values()
    assert list(service.fixture.definitions.tasks) == ["mine"]


def test_a_fixture_for_an_unknown_api_is_rejected(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("api: runwips\n", "utf-8")
    with pytest.raises((DocumentError, UnknownName), match="runwips"):
        load_services([], [path])


def test_scenarios_without_a_task_are_rejected(services, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("api: trieve\nscenarios: {s: {steps: [{run: {}}]}}\n", "utf-8")
    service = services["trieve"]
    with pytest.raises(DocumentError, match="task"):
        build_fixture(load_fixture(path), service.api, service.contract)


@pytest.mark.parametrize("api", [ALGOLIA, RUNWISP, TRIEVE, TRIGGER])
def test_a_vendored_fixture_is_without_mistake(services, api):
    source = load_fixture(vendored_files.fixtures() / f"{api}.yaml")
    service = services[api]
    assert build_fixture(source, service.api, service.contract).api == api
