"""Algolia Ingestion: tasks, what they are made of, and the runs that they start."""

import json

import orjson
import pytest
from table.algolia_ingestion import (
    AT,
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

from soundstage.world.clock import (
    DAY,
    HOUR,
    MAX_TIMESTAMP,
    MINUTE,
    SECOND,
    format_rfc3339,
)
from soundstage.world.commands import Advance, Interrupt, Patch, Plan
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client
from support.strategies import NOW

API = "algolia-ingestion"
SHOP = "3f0d9b52-6c1e-4a7b-8f43-2b9e5d7c1a06"
PRODUCTS = "9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"
SECRET = "nobody-tells-this"  # noqa: S105 - it opens nothing


class Application:
    """An application's requests, in a world whose clock the test turns."""

    def __init__(self, client, world, headers=TEXT):
        self.client, self.world, self.headers = client, world, headers

    def ask(self, method, path, body=None, **query):
        content = b"" if body is None else json.dumps(body).encode()
        return self.client.request(
            method, AT + path, headers=self.headers, content=content, params=query
        )

    def say(self, method, path, body=None, **query):
        """The body of an answer that is well."""
        response = self.ask(method, path, body, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def refuse(self, method, path, body=None, **query):
        """The message of a refusal, which changes nothing."""
        before = list(self.world.log)
        response = self.ask(method, path, body, **query)
        assert response.status_code == 400
        assert list(self.world.log) == before
        return response.json()["message"]

    def run(self, task, scenario, times=1):
        """Runs of a task, one after the other, to the end."""
        for _ in range(times):
            self.world.apply(Plan(API, scenario, _name(self.world, task)))
            run_id = self.say("POST", f"/2/tasks/{task}/run", {})["runID"]
            self.world.apply(Advance(HOUR))
        return self.say("GET", f"/1/runs/{run_id}")

    def push(self, scenario, path=f"/2/tasks/{RUN}/push", **query):
        self.world.apply(Plan(API, scenario))
        return self.say("POST", path, PUSHED, **query)

    def task(self, **more):
        """A new task, with all that it needs."""
        source = self.say("POST", "/1/sources", {"type": "push", "name": "s"})
        index = {"indexName": "made"}
        destination = self.say(
            "POST", "/1/destinations", {"type": "search", "name": "d", "input": index}
        )
        ids = {k: source.get(k, destination.get(k)) for k in ("sourceID",)}
        ids["destinationID"] = destination["destinationID"]
        body = {**ids, "action": "replace", **more}
        return self.say("POST", "/2/tasks", body)["taskID"]

    def enabled(self, task):
        return self.say("GET", f"/2/tasks/{task}")["enabled"]

    def runs(self, task, **query):
        query = {"itemsPerPage": 100, "order": "asc", "taskID": task, **query}
        return pages(self, "/1/runs", "runs", **query)


def _name(world, task):
    tasks = world.state(API).definitions.tasks.items()
    return next((name for name, t in tasks if t["taskID"] == task), task)


def pages(app, path, name, **query):
    """All items of a list, page by page."""
    seen, page, count = [], 0, 1
    while page < count:
        page += 1
        answer = app.say("GET", path, page=page, **query)
        seen += answer[name]
        count = answer["pagination"]["nbPages"]
    assert len(seen) == answer["pagination"]["nbItems"]
    return seen


@pytest.fixture
def app(services, world, judges):
    with in_process_client(services, world, judges) as client:
        yield Application(client, world)


@pytest.fixture
def moving(services, judges):
    """An application in a world whose clock goes six hundred times as fast."""
    fixtures = {API: services[API].fixture}
    world = World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=600))
    with in_process_client({API: services[API]}, world, judges) as client:
        yield Application(client, world)


# Runs


def test_a_run_that_was_asked_for_unfolds_to_its_end(app):
    app.world.apply(Plan(API, "clean_reindex"))
    run_id = app.say("POST", f"/2/tasks/{RUN}/run", {})["runID"]
    seen = []
    for _ in range(100):
        run = app.say("GET", f"/1/runs/{run_id}")
        events = app.say("GET", f"/1/runs/{run_id}/events", itemsPerPage=100)
        seen.append((run["status"], events["pagination"]["nbItems"]))
        app.world.apply(Advance(SECOND))
    assert seen[0][0] == "created"
    assert seen[-1][0] == "finished"
    assert [count for _, count in seen] == sorted(count for _, count in seen)
    assert run["outcome"] == "success"
    assert run["taskID"] == RUN
    assert run["failureThreshold"] == 20


def test_a_run_that_comes_while_another_is_under_way_is_skipped(app):
    first, second = (app.say("POST", f"/2/tasks/{RUN}/run")["runID"] for _ in "ab")
    app.world.apply(Advance(SECOND))
    skipped = app.say("GET", f"/1/runs/{second}")
    assert (skipped["status"], skipped["reasonCode"]) == ("skipped", "blocking")
    assert app.say("GET", f"/1/runs/{first}")["status"] != "skipped"


def test_a_task_runs_again_after_its_last_run_was_cancelled(app):
    first = app.say("POST", f"/2/tasks/{RUN}/run")["runID"]
    app.world.apply(Advance(2 * SECOND))
    app.world.apply(Interrupt(API, first, "cancelled"))
    cancelled = app.say("GET", f"/1/runs/{first}")
    again = app.say("POST", f"/2/tasks/{RUN}/run")["runID"]
    app.world.apply(Advance(HOUR))
    assert cancelled["reasonCode"] == "cancelled"
    assert app.say("GET", f"/1/runs/{first}") == cancelled
    assert app.say("GET", f"/1/runs/{again}")["status"] == "finished"


def test_all_tasks_of_a_shop_run_together(app):
    answer = app.say("POST", f"/1/sources/{SHOP}/run", {})
    assert list(answer["taskWithRunID"]) == [PRODUCTS]
    gifts = "371ecd7b-27cd-4130-8722-9389571aa876"
    only = {"indexToInclude": ["products"], "runMetadata": {"why": "sale"}}
    found = app.say("POST", f"/1/sources/{gifts}/run", only)["taskWithRunID"]
    assert list(found) == ["7412b293-4729-4739-a14f-f3d719db3ad0"]
    rest = app.say("POST", f"/1/sources/{gifts}/run", {"indexToExclude": ["products"]})
    assert list(rest["taskWithRunID"]) == [GIFTS]
    disabled = app.say("POST", f"/1/sources/{SOURCE}/run")
    assert disabled["taskWithRunID"] == {}


# Pushes


def test_the_event_of_a_push_is_there_once_it_was_processed(app):
    pushed = app.push("push_indexed", "/1/push/ALGOLIA_INDEX_NAME")
    path = f"/1/runs/{pushed['runID']}/events/{pushed['eventID']}"
    assert app.ask("GET", path).status_code == 404
    app.world.apply(Advance(3 * SECOND))
    event = app.say("GET", path)
    run = app.say("GET", f"/1/runs/{pushed['runID']}")
    assert (event["type"], event["status"]) == ("record", "succeeded")
    assert event["batchSize"] == len(PUSHED["records"])
    assert (run["type"], run["outcome"]) == ("push", "success")
    assert run["taskID"] == RUN


def test_pushes_go_side_by_side_with_each_other_and_with_a_run(app):
    app.say("POST", f"/2/tasks/{RUN}/run")
    pushed = [app.push("push_indexed") for _ in range(3)]
    app.world.apply(Advance(3 * SECOND))
    for each in pushed:
        assert app.say("GET", f"/1/runs/{each['runID']}")["status"] == "finished"


def test_a_push_that_is_watched_answers_when_it_is_over(moving):
    pushed = moving.push("push_indexed", watch="true")
    run = moving.say("GET", f"/1/runs/{pushed['runID']}")
    assert run["status"] == "finished"
    assert pushed["message"] == "The records were pushed"
    assert "events" not in pushed
    assert moving.say("GET", f"/1/runs/{run['runID']}/events/{pushed['eventID']}")


def test_a_push_that_is_watched_and_fails_tells_its_events(moving):
    pushed = moving.push("push_refused", watch="true")
    run = moving.say("GET", f"/1/runs/{pushed['runID']}")
    listed = moving.say("GET", f"/1/runs/{run['runID']}/events", order="asc")
    assert pushed["message"] == run["reason"]
    assert pushed["events"] == listed["events"]
    assert pushed["events"][-1]["eventID"] == pushed["eventID"]


def test_pushes_end_in_more_ways_than_one(app):
    ends = set()
    for _ in range(40):
        pushed = app.say("POST", f"/2/tasks/{RUN}/push", PUSHED)
        ends.add(len(app.world.state(API).runs[pushed["runID"]].records))
        app.say("PUT", f"/2/tasks/{RUN}/enable")
    assert ends == {3, 4, 5}


def test_what_is_planned_for_a_run_is_kept_for_a_run(app):
    app.world.apply(Plan(API, "idle"))
    app.push("push_refused", watch="false")
    run_id = app.say("POST", f"/2/tasks/{RUN}/run")["runID"]
    assert app.world.state(API).runs[run_id].scenario == "idle"


def test_a_push_to_an_index_needs_exactly_one_task(app):
    assert "5 tasks" in app.refuse("POST", "/1/push/products", PUSHED)
    assert "0 tasks" in app.refuse("POST", "/1/push/made", PUSHED)
    task = app.task()
    assert app.say("POST", "/1/push/made", PUSHED)["eventID"]
    stands_in = app.say("POST", "/1/push/made_tmp", PUSHED, referenceIndexName="made")
    assert app.say("GET", f"/1/runs/{stands_in['runID']}")["taskID"] == task
    app.task()
    assert "2 tasks" in app.refuse("POST", "/1/push/made", PUSHED)
    assert "0 tasks" in app.refuse(
        "POST", "/1/push/nope", PUSHED, referenceIndexName="neither"
    )


# Enabled and disabled


def test_a_disabled_task_takes_no_runs_and_no_pushes(app):
    task = app.task()
    app.say("PUT", f"/2/tasks/{task}/disable")
    assert not app.enabled(task)
    for path in ("run", "push"):
        message = app.refuse("POST", f"/2/tasks/{task}/{path}", PUSHED_OR[path])
        assert message == f"the task {task!r} is disabled"
    assert "disabled" in app.refuse("POST", "/1/push/made", PUSHED)
    app.say("PUT", f"/2/tasks/{task}/enable")
    assert app.enabled(task)
    assert app.say("POST", f"/2/tasks/{task}/run")
    assert app.say("POST", f"/2/tasks/{task}/push", PUSHED)


PUSHED_OR = {"run": {}, "push": PUSHED}


def test_the_fifth_failure_in_a_row_disables_a_task(app):
    for _ in range(4):
        assert app.run(RUN, "critical")["outcome"] == "failure"
        assert app.enabled(RUN)
    run_id = app.run(RUN, "too_many_errors")["runID"]
    times = app.world.collection(API, "runs").get_record(run_id).timestamps
    assert not app.enabled(RUN)
    assert RUN in ids(app.say("GET", "/2/tasks", enabled="false", itemsPerPage=100))
    assert "disabled" in app.refuse("POST", f"/2/tasks/{RUN}/run")
    assert "disabled" in app.refuse("POST", f"/2/tasks/{RUN}/push", PUSHED)
    assert "disabled" in app.refuse("POST", "/1/push/ALGOLIA_INDEX_NAME", PUSHED)
    assert times[-1] < app.world.now()


def ids(answer):
    return [task["taskID"] for task in answer["tasks"]]


def test_a_task_is_disabled_from_the_moment_of_the_failure_on(app):
    app.run(RUN, "critical", times=4)
    app.world.apply(Plan(API, "critical", "example"))
    run_id = app.say("POST", f"/2/tasks/{RUN}/run")["runID"]
    ends = app.world.collection(API, "runs").get_record(run_id).timestamps[-1]
    app.world.apply(Advance(ends - app.world.now() - 1))
    assert app.enabled(RUN)
    app.world.apply(Advance(1))
    assert not app.enabled(RUN)


def test_a_success_begins_a_new_row(app):
    app.run(RUN, "critical", times=4)
    app.run(RUN, "clean_reindex")
    app.run(RUN, "critical", times=4)
    assert app.enabled(RUN)
    app.run(RUN, "critical")
    assert not app.enabled(RUN)


def test_a_skipped_run_is_no_success(app):
    app.run(RUN, "critical", times=4)
    app.world.apply(Plan(API, "critical", "example"))
    for _ in "ab":
        app.say("POST", f"/2/tasks/{RUN}/run")
    app.world.apply(Advance(HOUR))
    assert [run["status"] for run in app.runs(RUN)][-2:] == ["finished", "skipped"]
    assert not app.enabled(RUN)


def test_a_task_that_is_enabled_again_has_five_more_failures(app):
    app.run(RUN, "critical", times=5)
    app.say("PUT", f"/2/tasks/{RUN}/enable")
    assert app.enabled(RUN)
    app.run(RUN, "critical", times=4)
    assert app.enabled(RUN)
    app.run(RUN, "critical")
    assert not app.enabled(RUN)


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PATCH", {"enabled": True}),
        ("PUT", {"destinationID": RUN, "action": "save"}),
    ],
)
def test_an_update_may_enable_a_task_again(app, method, body):
    assert not app.enabled(REVIEWS)
    app.say("PATCH", f"/2/tasks/{REVIEWS}", {"failureThreshold": 11})
    assert not app.enabled(REVIEWS)
    app.say(method, f"/2/tasks/{REVIEWS}", body)
    assert app.enabled(REVIEWS)


def test_a_task_stays_disabled_when_what_is_under_way_succeeds(app):
    app.run(RUN, "critical", times=3)
    for scenario in ("push_retried", "push_refused", "push_refused"):
        app.push(scenario)
    app.world.apply(Advance(HOUR))
    last = max(app.runs(RUN), key=lambda run: run["finishedAt"])
    assert last["outcome"] == "success"
    assert not app.enabled(RUN)


def test_a_task_may_bear_more_failures_or_fewer(app):
    task = app.task(policies={"criticalThreshold": 2})
    app.run(task, "critical")
    assert app.enabled(task)
    app.run(task, "critical")
    assert not app.enabled(task)


def test_reading_what_became_of_a_task_changes_nothing(app):
    app.run(RUN, "critical", times=5)
    log = list(app.world.log)
    first = app.say("GET", f"/2/tasks/{RUN}")
    assert app.say("GET", f"/2/tasks/{RUN}") == first
    assert first["updatedAt"] == "2025-02-03T09:25:30.477Z"
    assert list(app.world.log) == log


# Cron


def test_a_task_has_exactly_the_runs_that_its_cron_says(app):
    task = app.task(cron="0 * * * *", policies={"criticalThreshold": 10})
    app.world.apply(Advance(7 * DAY))
    made = [run["createdAt"] for run in app.runs(task)]
    assert made == [format_rfc3339(NOW + hour * HOUR) for hour in range(1, 7 * 24 + 1)]


def test_a_cron_run_that_comes_too_early_is_skipped(app):
    task = app.task(cron="* * * * *", policies={"criticalThreshold": 10})
    app.world.apply(Plan(API, "long_running", task))
    app.world.apply(Advance(30 * MINUTE))
    statuses = [run["status"] for run in app.runs(task)]
    assert statuses == ["started", *["skipped"] * 28, "created"]
    app.world.apply(Advance(SECOND))
    assert app.runs(task)[-1]["reasonCode"] == "blocking"


def test_a_cron_rests_while_its_task_is_disabled(app):
    task = app.task(cron="0 * * * *", enabled=False)
    app.world.apply(Advance(5 * HOUR))
    assert app.runs(task) == []
    app.say("PUT", f"/2/tasks/{task}/enable")
    app.world.apply(Advance(HOUR))
    assert len(app.runs(task)) == 1
    app.say("PUT", f"/2/tasks/{task}/disable")
    app.world.apply(Advance(5 * HOUR))
    assert len(app.runs(task)) == 1


def test_failures_stop_a_cron(app):
    task = app.task(cron="0 * * * *")
    app.world.apply(Plan(API, "internal_error", task, 100))
    app.world.apply(Advance(2 * DAY))
    assert len(app.runs(task)) == 5
    assert not app.enabled(task)
    assert "nextRun" not in app.say("GET", f"/2/tasks/{task}")


def test_a_cron_may_be_changed_and_ends_with_its_task(app):
    task = app.task(cron="0 * * * *", policies={"criticalThreshold": 10})
    app.world.apply(Advance(2 * HOUR))
    app.say("PATCH", f"/2/tasks/{task}", {"cron": "30 * * * *"})
    app.world.apply(Advance(2 * HOUR))
    assert [run["createdAt"][11:16] for run in app.runs(task)] == [
        *("01:00", "02:00", "02:30", "03:30"),
    ]
    app.say("DELETE", f"/2/tasks/{task}")
    app.world.apply(Advance(DAY))
    assert len(app.runs(task)) == 4


def test_a_cron_that_somebody_wrote_by_hand_stops_nothing(app):
    app.world.apply(Patch(API, "tasks", COPY, {"cron": "lorem", "enabled": True}))
    app.world.apply(Advance(DAY))
    assert app.runs(COPY) == []
    assert app.say("GET", f"/2/tasks/{COPY}")["cron"] == "lorem"


def test_a_task_tells_when_it_last_ran_and_will_run(app):
    task = app.task(cron="0 6 * * *")
    told = app.say("GET", f"/2/tasks/{task}")
    assert "lastRun" not in told
    assert told["nextRun"] == "2026-01-01T06:00:00.000Z"
    app.world.apply(Advance(DAY))
    app.push("push_indexed", f"/2/tasks/{task}/push")
    told = app.say("GET", f"/2/tasks/{task}")
    assert told["lastRun"] == "2026-01-01T06:00:00.000Z"
    assert told["nextRun"] == "2026-01-02T06:00:00.000Z"


def test_the_default_world_goes_on_by_its_crons(app):
    app.world.apply(Advance(DAY))
    begun = [
        run for run in app.runs(PRODUCTS) if run["createdAt"] >= format_rfc3339(NOW)
    ]
    assert [run["createdAt"][11:16] for run in begun][-3:] == [
        *("12:00", "18:00", "00:00"),
    ]
    assert app.runs(COPY) == []


# Plain records


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
def test_a_record_is_made_told_changed_and_gone(app, name):
    made = app.say("POST", f"/1/{name}", BODIES[name])
    own_id = made[f"{name[:-1]}ID"]
    path = f"/1/{name}/{own_id}"
    first = app.say("GET", path)
    assert first["createdAt"] == first["updatedAt"] == made["createdAt"]
    assert first["name"] == BODIES[name]["name"]
    app.world.apply(Advance(MINUTE))
    method, change = CHANGES[name]
    changed = app.say(method, path, change)
    told = app.say("GET", path)
    assert told["updatedAt"] == changed["updatedAt"] == format_rfc3339(NOW + MINUTE)
    assert told["createdAt"] == first["createdAt"]
    assert told != {**first, "updatedAt": told["updatedAt"]}
    assert app.say("DELETE", path)["deletedAt"] == format_rfc3339(NOW + MINUTE)
    assert app.ask("GET", path).status_code == 404
    left = pages(app, f"/1/{name}", name)
    assert own_id not in [each[f"{name[:-1]}ID"] for each in left]


@pytest.mark.parametrize(
    ("kind", "given", "told"),
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
def test_a_secret_is_told_to_nobody(app, kind, given, told):
    body = {"type": kind, "name": "a", "input": given}
    own_id = app.say("POST", "/1/authentications", body)["authenticationID"]
    app.say("PATCH", f"/1/authentications/{own_id}", {"input": given})
    assert app.say("GET", f"/1/authentications/{own_id}")["input"] == told
    assert SECRET.encode() not in orjson.dumps(app.world.to_json())


def test_an_input_is_changed_field_by_field(app):
    path = f"/1/sources/{SHOP}"
    before = app.say("GET", path)["input"]
    app.say("PATCH", path, {"input": {"locales": ["de-DE"]}})
    assert app.say("GET", path)["input"] == {**before, "locales": ["de-DE"]}


def test_a_task_that_is_replaced_has_nothing_left_but_its_source(app):
    app.say("PUT", f"/2/tasks/{REVIEWS}", {"destinationID": RUN, "action": "append"})
    task = app.say("GET", f"/2/tasks/{REVIEWS}")
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


def test_a_transformation_says_its_code_in_both_ways(app):
    for body in ({"code": "c"}, {"type": "code", "input": {"code": "c"}}):
        made = app.say("POST", "/1/transformations", {"name": "t", **body})
        told = app.say("GET", f"/1/transformations/{made['transformationID']}")
        assert (told["code"], told["type"], told["input"]) == (
            *("c", "code", {"code": "c"}),
        )


def test_a_transformation_of_no_code_stays_one_without_its_steps(app):
    body = {"name": "t", "type": "noCode"}
    made = app.say("POST", "/1/transformations", body)
    told = app.say("GET", f"/1/transformations/{made['transformationID']}")
    assert (told["code"], told["type"], told["input"]) == ("", "noCode", {"steps": []})


def test_a_transformation_keeps_two_codes_as_they_were_given(app):
    body = {"name": "t", "code": "old", "input": {"code": "new"}}
    made = app.say("POST", "/1/transformations", body)
    told = app.say("GET", f"/1/transformations/{made['transformationID']}")
    assert (told["code"], told["input"]) == ("old", {"code": "new"})


def test_what_is_referred_to_stays(app):
    task = app.task()
    told = app.say("GET", f"/2/tasks/{task}")
    for name in ("source", "destination"):
        message = app.refuse("DELETE", f"/1/{name}s/{told[f'{name}ID']}")
        assert message.endswith(f"is still used by tasks {task}")
    app.say("DELETE", f"/2/tasks/{task}")
    for name in ("source", "destination"):
        app.say("DELETE", f"/1/{name}s/{told[f'{name}ID']}")


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
    made = app.say("POST", f"/1/{target}", BODIES[target])
    own_id = made[f"{target[:-1]}ID"]
    named = [own_id] if field.endswith("s") else own_id
    body = {**BODIES[holder], field: named}
    user = app.say("POST", f"/1/{holder}", body)[f"{holder[:-1]}ID"]
    assert user in app.refuse("DELETE", f"/1/{target}/{own_id}")
    app.say("DELETE", f"/1/{holder}/{user}")
    app.say("DELETE", f"/1/{target}/{own_id}")
    assert own_id in app.refuse("POST", f"/1/{holder}", body)


def test_an_update_may_refer_to_what_is_there_only(app):
    before = app.say("GET", f"/2/tasks/{RUN}")
    recipes = "2c6e8b47-f1d9-4035-9a7b-d4e0c5a3f816"  # another application's
    assert recipes in app.refuse(
        "PATCH", f"/2/tasks/{RUN}", {"destinationID": recipes, "enabled": False}
    )
    assert app.say("GET", f"/2/tasks/{RUN}") == before


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
    name = path.rpartition("/")[2]
    up = pages(app, path, name, sort=sort, order="asc", itemsPerPage=100)
    down = pages(app, path, name, sort=sort, order="desc", itemsPerPage=7)
    keys = [(sort in item, str(item.get(sort, ""))) for item in up]
    assert len(up) > 3
    assert keys == sorted(keys)
    assert down == up[::-1]


def test_a_list_is_of_the_newest_first_and_of_the_callers_own(app):
    other = Application(app.client, app.world, {**TEXT, **OTHER_ALGOLIA})
    for path in LISTS:
        name = path.rpartition("/")[2]
        mine, theirs = (pages(each, path, name) for each in (app, other))
        made = [item["createdAt"] for item in mine]
        assert made == sorted(made, reverse=True)
        assert theirs
        assert not [item for item in mine if item in theirs]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"action": "save,append"}, lambda t: t["action"] in {"save", "append"}),
        ({"enabled": "true"}, lambda t: t["enabled"]),
        ({"sourceID": f"{RUN},lorem"}, lambda t: t["sourceID"] == RUN),
        ({"triggerType": "schedule"}, lambda t: "cron" in t),
        ({"triggerType": "subscription"}, lambda t: "subscriptionAction" in t),
        ({"triggerType": "streaming"}, lambda t: "mapping" in t.get("input", {})),
        ({"withEmailNotifications": "false"}, lambda t: not _mails(t)),
        (
            {"triggerType": "onDemand", "enabled": "true", "action": "append"},
            lambda t: t["taskID"] == ORDERS,
        ),
    ],
)
def test_filters_of_tasks_hold(app, query, wanted):
    found = pages(app, "/2/tasks", "tasks", **query)
    assert found
    assert found == [task for task in pages(app, "/2/tasks", "tasks") if wanted(task)]


def _mails(task):
    return task.get("notifications", {}).get("email", {}).get("enabled", False)


def test_tasks_are_sorted_by_what_starts_them(app):
    def starts(task):
        asked = {"cron": "schedule", "subscriptionAction": "subscription"}
        streams = ["streaming"] if "mapping" in task.get("input", {}) else []
        return [*(asked[key] for key in asked if key in task), *streams, "onDemand"][0]

    tasks = pages(app, "/2/tasks", "tasks", sort="triggerType", order="asc")
    found = [starts(task) for task in tasks]
    assert found == sorted(found)
    assert len(set(found)) == 4


def test_runs_are_sorted_by_their_last_change(app):
    runs = app.world.collection(API, "runs")
    found = pages(app, "/1/runs", "runs", sort="updatedAt", order="asc")

    def changed(run):
        record = runs.get_record(run["runID"])
        return max(time for time in record.timestamps if time <= NOW)

    times = [changed(run) for run in found]
    assert times == sorted(times)
    assert times != [NOW] * len(times)


def test_the_default_window_of_runs_is_a_week(app):
    runs = app.world.collection(API, "runs").all(NOW)
    own = [run for run in runs if run["appID"] == "ALGOLIA_APPLICATION_ID"]
    listed = app.say("GET", "/1/runs")
    assert listed["window"]["startDate"] == format_rfc3339(NOW - 7 * DAY)
    assert listed["pagination"]["nbItems"] == len(own)
    app.world.apply(Advance(DAY))
    assert app.say("GET", "/1/runs")["window"]["startDate"] == format_rfc3339(
        NOW - 6 * DAY
    )
    begun = {
        run["createdAt"] >= format_rfc3339(NOW - 6 * DAY) for run in app.runs(PRODUCTS)
    }
    assert begun == {True}


def test_filters_of_runs_hold(app):
    every = pages(app, "/1/runs", "runs")
    found = pages(app, "/1/runs", "runs", status="finished,created", type="push,update")
    assert found
    assert found == [
        run
        for run in every
        if run["status"] in {"finished", "created"}
        and run["type"] in {"push", "update"}
    ]


def test_an_event_of_another_run_is_not_there(app):
    run_id = app.runs(PRODUCTS)[0]["runID"]
    response = app.ask("GET", f"/1/runs/{run_id}/events/{RUN}")
    assert response.status_code == 404


# The whole of it


def test_what_happened_is_replayed_to_the_same_bytes(app):
    task = app.task(cron="*/10 * * * *")
    app.run(RUN, "critical", times=5)
    app.say("PUT", f"/2/tasks/{RUN}/enable")
    app.say("POST", "/1/push/made", PUSHED)
    app.world.apply(Advance(HOUR))
    app.say("PATCH", f"/2/tasks/{task}", {"enabled": False})
    world = app.world
    other = World.from_json(world.fixtures, orjson.loads(orjson.dumps(world.to_json())))
    for each in ("runs", "events", "tasks", "sources", "destinations"):
        seen = [w.collection(API, each).all(MAX_TIMESTAMP) for w in (world, other)]
        assert orjson.dumps(seen[0]) == orjson.dumps(seen[1])
