"""Algolia Ingestion: tasks, their parts, and their runs."""

import orjson
import pytest
from algolia_client import API, AlgoliaClient
from table.algolia_ingestion import (
    COPY,
    GIFTS,
    ORDERS,
    OTHER_ALGOLIA,
    PUSHED,
    REVIEWS,
    RUN,
    SOURCE,
    TEXT,
)

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP, MINUTE, SECOND, format_rfc3339
from soundstage.world.commands import Interrupt, Patch
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client
from support.strategies import NOW

SHOP = "3f0d9b52-6c1e-4a7b-8f43-2b9e5d7c1a06"
PRODUCTS = "9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"
SECRET = "confidential"  # noqa: S105 - not a real secret


@pytest.fixture
def fast_app(services, judges):
    """An application in a world whose clock runs six hundred times as fast."""
    fixtures = {API: services[API].fixture}
    world = World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=600))
    with in_process_client({API: services[API]}, world, judges) as client:
        yield AlgoliaClient(client, world)


# Runs


def test_a_requested_run_proceeds_to_its_end(app):
    app.plan("clean_reindex")
    run_id = app.post(f"/2/tasks/{RUN}/run", {})["runID"]
    seen = []
    for _ in range(100):
        run = app.get(f"/1/runs/{run_id}")
        events = app.get(f"/1/runs/{run_id}/events", itemsPerPage=100)
        seen.append((run["status"], events["pagination"]["nbItems"]))
        app.advance(SECOND)
    assert seen[0][0] == "created"
    assert seen[-1][0] == "finished"
    assert [count for _, count in seen] == sorted(count for _, count in seen)
    assert run["outcome"] == "success"
    assert run["taskID"] == RUN
    assert run["failureThreshold"] == 20


def test_a_run_that_starts_while_another_is_active_is_skipped(app):
    first, second = (app.post(f"/2/tasks/{RUN}/run")["runID"] for _ in "ab")
    app.advance(SECOND)
    skipped = app.get(f"/1/runs/{second}")
    assert (skipped["status"], skipped["reasonCode"]) == ("skipped", "blocking")
    assert app.get(f"/1/runs/{first}")["status"] != "skipped"


def test_a_task_runs_again_after_its_last_run_was_cancelled(app):
    first = app.post(f"/2/tasks/{RUN}/run")["runID"]
    app.advance(2 * SECOND)
    app.world.apply(Interrupt(API, first, "cancelled"))
    cancelled = app.get(f"/1/runs/{first}")
    again = app.post(f"/2/tasks/{RUN}/run")["runID"]
    app.advance(HOUR)
    assert cancelled["reasonCode"] == "cancelled"
    assert app.get(f"/1/runs/{first}") == cancelled
    assert app.get(f"/1/runs/{again}")["status"] == "finished"


def test_all_enabled_tasks_of_a_source_run_together(app):
    response = app.post(f"/1/sources/{SHOP}/run", {})
    assert list(response["taskWithRunID"]) == [PRODUCTS]
    gifts = "371ecd7b-27cd-4130-8722-9389571aa876"
    only = {"indexToInclude": ["products"], "runMetadata": {"why": "sale"}}
    found = app.post(f"/1/sources/{gifts}/run", only)["taskWithRunID"]
    assert list(found) == ["7412b293-4729-4739-a14f-f3d719db3ad0"]
    rest = app.post(f"/1/sources/{gifts}/run", {"indexToExclude": ["products"]})
    assert list(rest["taskWithRunID"]) == [GIFTS]
    disabled = app.post(f"/1/sources/{SOURCE}/run")
    assert disabled["taskWithRunID"] == {}


# Pushes


def test_the_event_of_a_push_is_found_once_it_was_processed(app):
    pushed = app.push("push_indexed", "/1/push/ALGOLIA_INDEX_NAME")
    path = f"/1/runs/{pushed['runID']}/events/{pushed['eventID']}"
    assert app.request("GET", path).status_code == 404
    app.advance(3 * SECOND)
    event = app.get(path)
    run = app.get(f"/1/runs/{pushed['runID']}")
    assert (event["type"], event["status"]) == ("record", "succeeded")
    assert event["batchSize"] == len(PUSHED["records"])
    assert (run["type"], run["outcome"]) == ("push", "success")
    assert run["taskID"] == RUN


def test_pushes_go_side_by_side_with_each_other_and_with_a_run(app):
    app.post(f"/2/tasks/{RUN}/run")
    pushed = [app.push("push_indexed") for _ in range(3)]
    app.advance(3 * SECOND)
    for each in pushed:
        assert app.get(f"/1/runs/{each['runID']}")["status"] == "finished"


def test_a_watched_push_is_responded_to_when_it_has_ended(fast_app):
    pushed = fast_app.push("push_indexed", watch="true")
    run = fast_app.get(f"/1/runs/{pushed['runID']}")
    assert run["status"] == "finished"
    assert pushed["message"] == "The records were pushed"
    assert "events" not in pushed
    assert fast_app.get(f"/1/runs/{run['runID']}/events/{pushed['eventID']}")


def test_a_watched_push_that_fails_returns_its_events(fast_app):
    pushed = fast_app.push("push_refused", watch="true")
    run = fast_app.get(f"/1/runs/{pushed['runID']}")
    listed = fast_app.get(f"/1/runs/{run['runID']}/events", order="asc")
    assert pushed["message"] == run["reason"]
    assert pushed["events"] == listed["events"]
    assert pushed["events"][-1]["eventID"] == pushed["eventID"]


def test_pushes_end_in_more_ways_than_one(app):
    ends = set()
    for _ in range(40):
        pushed = app.post(f"/2/tasks/{RUN}/push", PUSHED)
        ends.add(len(app.world.state(API).runs[pushed["runID"]].records))
        app.put(f"/2/tasks/{RUN}/enable")
    assert ends == {3, 4, 5}


def test_a_scenario_queued_for_a_run_is_not_used_by_a_push(app):
    app.plan("idle")
    app.push("push_refused", watch="false")
    run_id = app.post(f"/2/tasks/{RUN}/run")["runID"]
    assert app.world.state(API).runs[run_id].scenario == "idle"


def test_a_push_to_an_index_needs_exactly_one_task(app):
    assert "5 tasks" in app.reject("POST", "/1/push/products", PUSHED)
    assert "0 tasks" in app.reject("POST", "/1/push/made", PUSHED)
    task = app.create_task()
    assert app.post("/1/push/made", PUSHED)["eventID"]
    fallback = app.post("/1/push/made_tmp", PUSHED, referenceIndexName="made")
    assert app.get(f"/1/runs/{fallback['runID']}")["taskID"] == task
    app.create_task()
    assert "2 tasks" in app.reject("POST", "/1/push/made", PUSHED)
    assert "0 tasks" in app.reject("POST", "/1/push/nope", PUSHED, referenceIndexName="neither")


# Enabled and disabled


def test_a_disabled_task_takes_no_runs_and_no_pushes(app):
    task = app.create_task()
    app.put(f"/2/tasks/{task}/disable")
    assert not app.is_enabled(task)
    for path in ("run", "push"):
        message = app.reject("POST", f"/2/tasks/{task}/{path}", BODIES_OF_STARTS[path])
        assert message == f"the task {task!r} is disabled"
    assert "disabled" in app.reject("POST", "/1/push/made", PUSHED)
    app.put(f"/2/tasks/{task}/enable")
    assert app.is_enabled(task)
    assert app.post(f"/2/tasks/{task}/run")
    assert app.post(f"/2/tasks/{task}/push", PUSHED)


BODIES_OF_STARTS = {"run": {}, "push": PUSHED}


def test_the_fifth_failure_in_a_row_disables_a_task(app):
    for _ in range(4):
        assert app.run(RUN, "critical")["outcome"] == "failure"
        assert app.is_enabled(RUN)
    run_id = app.run(RUN, "too_many_errors")["runID"]
    times = app.world.collection(API, "runs").get_record(run_id).timestamps
    assert not app.is_enabled(RUN)
    assert RUN in ids(app.get("/2/tasks", enabled="false", itemsPerPage=100))
    assert "disabled" in app.reject("POST", f"/2/tasks/{RUN}/run")
    assert "disabled" in app.reject("POST", f"/2/tasks/{RUN}/push", PUSHED)
    assert "disabled" in app.reject("POST", "/1/push/ALGOLIA_INDEX_NAME", PUSHED)
    assert times[-1] < app.world.now()


def ids(response):
    return [task["taskID"] for task in response["tasks"]]


def test_a_task_is_disabled_from_the_moment_of_the_failure_on(app):
    app.run(RUN, "critical", times=4)
    app.plan("critical", "example")
    run_id = app.post(f"/2/tasks/{RUN}/run")["runID"]
    ends = app.world.collection(API, "runs").get_record(run_id).timestamps[-1]
    app.advance(ends - app.world.now() - 1)
    assert app.is_enabled(RUN)
    app.advance(1)
    assert not app.is_enabled(RUN)


def test_a_success_ends_a_streak_of_failures(app):
    app.run(RUN, "critical", times=4)
    app.run(RUN, "clean_reindex")
    app.run(RUN, "critical", times=4)
    assert app.is_enabled(RUN)
    app.run(RUN, "critical")
    assert not app.is_enabled(RUN)


def test_a_skipped_run_is_no_success(app):
    app.run(RUN, "critical", times=4)
    app.plan("critical", "example")
    for _ in "ab":
        app.post(f"/2/tasks/{RUN}/run")
    app.advance(HOUR)
    assert [run["status"] for run in app.list_runs(RUN)][-2:] == ["finished", "skipped"]
    assert not app.is_enabled(RUN)


def test_a_task_that_is_enabled_again_has_five_more_failures(app):
    app.run(RUN, "critical", times=5)
    app.put(f"/2/tasks/{RUN}/enable")
    assert app.is_enabled(RUN)
    app.run(RUN, "critical", times=4)
    assert app.is_enabled(RUN)
    app.run(RUN, "critical")
    assert not app.is_enabled(RUN)


@pytest.mark.parametrize(
    ("method", "body"),
    [("PATCH", {"enabled": True}), ("PUT", {"destinationID": RUN, "action": "save"})],
)
def test_an_update_may_enable_a_task_again(app, method, body):
    assert not app.is_enabled(REVIEWS)
    app.send("PATCH", f"/2/tasks/{REVIEWS}", {"failureThreshold": 11})
    assert not app.is_enabled(REVIEWS)
    app.send(method, f"/2/tasks/{REVIEWS}", body)
    assert app.is_enabled(REVIEWS)


def test_a_task_stays_disabled_when_what_is_under_way_succeeds(app):
    app.run(RUN, "critical", times=3)
    for scenario in ("push_retried", "push_refused", "push_refused"):
        app.push(scenario)
    app.advance(HOUR)
    last = max(app.list_runs(RUN), key=lambda run: run["finishedAt"])
    assert last["outcome"] == "success"
    assert not app.is_enabled(RUN)


def test_a_task_may_set_its_failure_threshold(app):
    task = app.create_task(policies={"criticalThreshold": 2})
    app.run(task, "critical")
    assert app.is_enabled(task)
    app.run(task, "critical")
    assert not app.is_enabled(task)


def test_reading_a_disabled_task_changes_nothing(app):
    app.run(RUN, "critical", times=5)
    log = list(app.world.log)
    first = app.get(f"/2/tasks/{RUN}")
    assert app.get(f"/2/tasks/{RUN}") == first
    assert first["updatedAt"] == "2025-02-03T09:25:30.477Z"
    assert list(app.world.log) == log


# Cron


def test_a_task_has_exactly_the_runs_of_its_cron(app):
    task = app.create_task(cron="0 * * * *", policies={"criticalThreshold": 10})
    app.advance(7 * DAY)
    made = [run["createdAt"] for run in app.list_runs(task)]
    assert made == [format_rfc3339(NOW + hour * HOUR) for hour in range(1, 7 * 24 + 1)]


def test_a_cron_run_that_comes_too_early_is_skipped(app):
    task = app.create_task(cron="* * * * *", policies={"criticalThreshold": 10})
    app.plan("long_running", task)
    app.advance(30 * MINUTE)
    statuses = [run["status"] for run in app.list_runs(task)]
    assert statuses == ["started", *["skipped"] * 28, "created"]
    app.advance(SECOND)
    assert app.list_runs(task)[-1]["reasonCode"] == "blocking"


def test_a_cron_pauses_while_its_task_is_disabled(app):
    task = app.create_task(cron="0 * * * *", enabled=False)
    app.advance(5 * HOUR)
    assert app.list_runs(task) == []
    app.put(f"/2/tasks/{task}/enable")
    app.advance(HOUR)
    assert len(app.list_runs(task)) == 1
    app.put(f"/2/tasks/{task}/disable")
    app.advance(5 * HOUR)
    assert len(app.list_runs(task)) == 1


def test_failures_stop_a_cron(app):
    task = app.create_task(cron="0 * * * *")
    app.plan("internal_error", task, 100)
    app.advance(2 * DAY)
    assert len(app.list_runs(task)) == 5
    assert not app.is_enabled(task)
    assert "nextRun" not in app.get(f"/2/tasks/{task}")


def test_a_cron_may_be_changed_and_ends_with_its_task(app):
    task = app.create_task(cron="0 * * * *", policies={"criticalThreshold": 10})
    app.advance(2 * HOUR)
    app.send("PATCH", f"/2/tasks/{task}", {"cron": "30 * * * *"})
    app.advance(2 * HOUR)
    assert [run["createdAt"][11:16] for run in app.list_runs(task)] == [
        *("01:00", "02:00", "02:30", "03:30")
    ]
    app.delete(f"/2/tasks/{task}")
    app.advance(DAY)
    assert len(app.list_runs(task)) == 4


def test_an_invalid_cron_that_was_patched_in_stops_nothing(app):
    app.world.apply(Patch(API, "tasks", COPY, {"cron": "lorem", "enabled": True}))
    app.advance(DAY)
    assert app.list_runs(COPY) == []
    assert app.get(f"/2/tasks/{COPY}")["cron"] == "lorem"


def test_a_task_shows_its_last_and_next_scheduled_run(app):
    task_id = app.create_task(cron="0 6 * * *")
    task = app.get(f"/2/tasks/{task_id}")
    assert "lastRun" not in task
    assert task["nextRun"] == "2026-01-01T06:00:00.000Z"
    app.advance(DAY)
    app.push("push_indexed", f"/2/tasks/{task_id}/push")
    task = app.get(f"/2/tasks/{task_id}")
    assert task["lastRun"] == "2026-01-01T06:00:00.000Z"
    assert task["nextRun"] == "2026-01-02T06:00:00.000Z"


def test_the_default_world_goes_on_by_its_crons(app):
    app.advance(DAY)
    begun = [run for run in app.list_runs(PRODUCTS) if run["createdAt"] >= format_rfc3339(NOW)]
    assert [run["createdAt"][11:16] for run in begun][-3:] == [*("12:00", "18:00", "00:00")]
    assert app.list_runs(COPY) == []


# Resources


BODIES = {
    "authentications": {
        "type": "basic",
        "name": "a",
        "input": {"username": "u", "password": SECRET},
    },
    "sources": {"type": "json", "name": "s", "input": {"url": "https://a.b"}},
    "transformations": {"name": "t", "code": "return record"},
    "destinations": {"type": "search", "name": "d", "input": {"indexName": "i"}},
}
CHANGES = {
    "authentications": ("PATCH", {"name": "b"}),
    "sources": ("PATCH", {"input": {"url": "https://a.b", "method": "POST"}}),
    "transformations": ("PUT", {"name": "b", "type": "noCode", "input": {"steps": []}}),
    "destinations": ("PATCH", {"input": {"recordType": "product"}}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_record_is_created_retrieved_updated_and_deleted(app, name):
    made = app.post(f"/1/{name}", BODIES[name])
    own_id = made[f"{name[:-1]}ID"]
    path = f"/1/{name}/{own_id}"
    first = app.get(path)
    assert first["createdAt"] == first["updatedAt"] == made["createdAt"]
    assert first["name"] == BODIES[name]["name"]
    app.advance(MINUTE)
    method, change = CHANGES[name]
    changed = app.send(method, path, change)
    current = app.get(path)
    assert current["updatedAt"] == changed["updatedAt"] == format_rfc3339(NOW + MINUTE)
    assert current["createdAt"] == first["createdAt"]
    assert current != {**first, "updatedAt": current["updatedAt"]}
    assert app.delete(path)["deletedAt"] == format_rfc3339(NOW + MINUTE)
    assert app.request("GET", path).status_code == 404
    left = app.list_all(f"/1/{name}")
    assert own_id not in [each[f"{name[:-1]}ID"] for each in left]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("apiKey", {"key": SECRET}, {"key": None}),
        ("secrets", {"A": SECRET, "B": SECRET}, {"A": None, "B": None}),
        (
            "oauth",
            {"url": "u", "client_id": "c", "client_secret": SECRET, "code": SECRET},
            {"url": "u", "client_id": "c", "client_secret": None},
        ),
        (
            "googleServiceAccount",
            {"clientEmail": "e", "privateKey": SECRET},
            {"clientEmail": "e", "privateKey": None},
        ),
        ("algolia", {"appID": "a", "apiKey": SECRET}, {"appID": "a", "apiKey": None}),
    ],
)
def test_a_secret_is_not_stored(app, kind, given, expected):
    body = {"type": kind, "name": "a", "input": given}
    own_id = app.post("/1/authentications", body)["authenticationID"]
    app.send("PATCH", f"/1/authentications/{own_id}", {"input": given})
    assert app.get(f"/1/authentications/{own_id}")["input"] == expected
    assert SECRET.encode() not in orjson.dumps(app.world.to_json())


def test_an_input_is_changed_field_by_field(app):
    path = f"/1/sources/{SHOP}"
    before = app.get(path)["input"]
    app.send("PATCH", path, {"input": {"locales": ["de-DE"]}})
    assert app.get(path)["input"] == {**before, "locales": ["de-DE"]}


def test_a_task_that_is_replaced_has_nothing_left_but_its_source(app):
    app.put(f"/2/tasks/{REVIEWS}", {"destinationID": RUN, "action": "append"})
    task = app.get(f"/2/tasks/{REVIEWS}")
    assert task == {
        "taskID": REVIEWS,
        "sourceID": "759cde66-bacf-43d0-8b1f-9163ce9ff57f",
        "destinationID": RUN,
        "action": "append",
        "enabled": True,
        "owner": "ALGOLIA_APPLICATION_ID",
        "createdAt": "2025-10-02T17:41:12.346Z",
        "updatedAt": format_rfc3339(NOW),
    }


def test_a_transformation_has_its_code_in_both_fields(app):
    for body in ({"code": "c"}, {"type": "code", "input": {"code": "c"}}):
        made = app.post("/1/transformations", {"name": "t", **body})
        transformation = app.get(f"/1/transformations/{made['transformationID']}")
        assert (transformation["code"], transformation["type"], transformation["input"]) == (
            *("c", "code", {"code": "c"}),
        )


def test_a_transformation_of_no_code_stays_one_without_its_steps(app):
    body = {"name": "t", "type": "noCode"}
    made = app.post("/1/transformations", body)
    transformation = app.get(f"/1/transformations/{made['transformationID']}")
    assert (transformation["code"], transformation["type"], transformation["input"]) == (
        "",
        "noCode",
        {"steps": []},
    )


def test_a_transformation_keeps_two_codes_as_they_were_given(app):
    body = {"name": "t", "code": "old", "input": {"code": "new"}}
    made = app.post("/1/transformations", body)
    transformation = app.get(f"/1/transformations/{made['transformationID']}")
    assert (transformation["code"], transformation["input"]) == ("old", {"code": "new"})


def test_a_record_that_others_refer_to_cannot_be_deleted(app):
    task_id = app.create_task()
    task = app.get(f"/2/tasks/{task_id}")
    for name in ("source", "destination"):
        message = app.reject("DELETE", f"/1/{name}s/{task[f'{name}ID']}")
        assert message.endswith(f"is still used by tasks {task_id}")
    app.delete(f"/2/tasks/{task_id}")
    for name in ("source", "destination"):
        app.delete(f"/1/{name}s/{task[f'{name}ID']}")


@pytest.mark.parametrize(
    ("holder", "field"),
    [
        ("sources", "authenticationID"),
        ("destinations", "authenticationID"),
        ("transformations", "authenticationIDs"),
        ("destinations", "transformationIDs"),
    ],
)
def test_every_reference_is_checked_both_ways(app, holder, field):
    target = field.removesuffix("s").removesuffix("ID") + "s"
    made = app.post(f"/1/{target}", BODIES[target])
    own_id = made[f"{target[:-1]}ID"]
    named = [own_id] if field.endswith("s") else own_id
    body = {**BODIES[holder], field: named}
    user = app.post(f"/1/{holder}", body)[f"{holder[:-1]}ID"]
    assert user in app.reject("DELETE", f"/1/{target}/{own_id}")
    app.delete(f"/1/{holder}/{user}")
    app.delete(f"/1/{target}/{own_id}")
    assert own_id in app.reject("POST", f"/1/{holder}", body)


def test_an_update_must_refer_to_existing_records(app):
    before = app.get(f"/2/tasks/{RUN}")
    recipes = "2c6e8b47-f1d9-4035-9a7b-d4e0c5a3f816"  # another application's
    assert recipes in app.reject(
        "PATCH", f"/2/tasks/{RUN}", {"destinationID": recipes, "enabled": False}
    )
    assert app.get(f"/2/tasks/{RUN}") == before


# Lists


LISTS = {
    "/1/authentications": ("name", "type", "platform", "updatedAt", "createdAt"),
    "/1/sources": ("name", "type", "updatedAt", "createdAt"),
    "/1/destinations": ("name", "type", "updatedAt", "createdAt"),
    "/1/transformations": ("name", "updatedAt", "createdAt"),
    "/2/tasks": ("enabled", "action", "updatedAt", "createdAt"),
    "/1/runs": ("status", "createdAt"),
}
SORTS = [(path, sort) for path, sorts in LISTS.items() for sort in sorts]


@pytest.mark.parametrize(("path", "sort"), SORTS)
def test_pages_tile_a_list_that_is_sorted_both_ways(app, path, sort):
    up = app.list_all(path, sort=sort, order="asc", itemsPerPage=100)
    down = app.list_all(path, sort=sort, order="desc", itemsPerPage=7)
    keys = [(sort in item, str(item.get(sort, ""))) for item in up]
    assert len(up) > 3
    assert keys == sorted(keys)
    assert down == up[::-1]


def test_a_list_has_the_own_records_newest_first(app):
    other = AlgoliaClient(app.http, app.world, {**TEXT, **OTHER_ALGOLIA})
    for path in LISTS:
        mine, theirs = (each.list_all(path) for each in (app, other))
        made = [item["createdAt"] for item in mine]
        assert made == sorted(made, reverse=True)
        assert theirs
        assert not [item for item in mine if item in theirs]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "save,append"}, lambda t: t["action"] in {"save", "append"}),
        ({"enabled": "true"}, lambda t: t["enabled"]),
        ({"sourceID": f"{RUN},lorem"}, lambda t: t["sourceID"] == RUN),
        ({"triggerType": "schedule"}, lambda t: "cron" in t),
        ({"triggerType": "subscription"}, lambda t: "subscriptionAction" in t),
        ({"triggerType": "streaming"}, lambda t: "mapping" in t.get("input", {})),
        ({"withEmailNotifications": "false"}, lambda t: not sends_email(t)),
        (
            {"triggerType": "onDemand", "enabled": "true", "action": "append"},
            lambda t: t["taskID"] == ORDERS,
        ),
    ],
)
def test_filters_of_tasks_hold(app, query, expected):
    found = app.list_all("/2/tasks", **query)
    assert found
    assert found == [task for task in app.list_all("/2/tasks") if expected(task)]


def sends_email(task):
    return task.get("notifications", {}).get("email", {}).get("enabled", False)


def test_tasks_are_sorted_by_their_trigger(app):
    def starts(task):
        asked = {"cron": "schedule", "subscriptionAction": "subscription"}
        streams = ["streaming"] if "mapping" in task.get("input", {}) else []
        return [*(asked[key] for key in asked if key in task), *streams, "onDemand"][0]

    tasks = app.list_all("/2/tasks", sort="triggerType", order="asc")
    found = [starts(task) for task in tasks]
    assert found == sorted(found)
    assert len(set(found)) == 4


def test_runs_are_sorted_by_their_last_change(app):
    runs = app.world.collection(API, "runs")
    found = app.list_all("/1/runs", sort="updatedAt", order="asc")

    def changed(run):
        record = runs.get_record(run["runID"])
        return max(time for time in record.timestamps if time <= NOW)

    times = [changed(run) for run in found]
    assert times == sorted(times)
    assert times != [NOW] * len(times)


def test_the_default_window_of_runs_is_a_week(app):
    runs = app.world.collection(API, "runs").all(NOW)
    own = [run for run in runs if run["appID"] == "ALGOLIA_APPLICATION_ID"]
    listed = app.get("/1/runs")
    assert listed["window"]["startDate"] == format_rfc3339(NOW - 7 * DAY)
    assert listed["pagination"]["nbItems"] == len(own)
    app.advance(DAY)
    assert app.get("/1/runs")["window"]["startDate"] == format_rfc3339(NOW - 6 * DAY)
    begun = {run["createdAt"] >= format_rfc3339(NOW - 6 * DAY) for run in app.list_runs(PRODUCTS)}
    assert begun == {True}


def test_filters_of_runs_hold(app):
    every = app.list_all("/1/runs")
    found = app.list_all("/1/runs", status="finished,created", type="push,update")
    assert found
    assert found == [
        run
        for run in every
        if run["status"] in {"finished", "created"} and run["type"] in {"push", "update"}
    ]


def test_an_event_of_another_run_is_not_found(app):
    run_id = app.list_runs(PRODUCTS)[0]["runID"]
    response = app.request("GET", f"/1/runs/{run_id}/events/{RUN}")
    assert response.status_code == 404


# Replay


def test_what_happened_is_replayed_to_the_same_bytes(app):
    task = app.create_task(cron="*/10 * * * *")
    app.run(RUN, "critical", times=5)
    app.put(f"/2/tasks/{RUN}/enable")
    app.post("/1/push/made", PUSHED)
    app.advance(HOUR)
    app.send("PATCH", f"/2/tasks/{task}", {"enabled": False})
    world = app.world
    other = World.from_json(world.fixtures, orjson.loads(orjson.dumps(world.to_json())))
    for each in ("runs", "events", "tasks", "sources", "destinations"):
        seen = [w.collection(API, each).all(MAX_TIMESTAMP) for w in (world, other)]
        assert orjson.dumps(seen[0]) == orjson.dumps(seen[1])
