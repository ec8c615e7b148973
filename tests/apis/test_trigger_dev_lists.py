"""Trigger.dev v3: lists of runs, their pages and filters."""

import pytest
from table.trigger_dev import RUNS, SDK, TRIGGER

from soundstage.world.clock import DAY, SECOND


def pages(caller, query="", size=7):
    """All pages forward, and then all of them back again."""
    page = caller.list_runs(f"?page[size]={size}{query}")
    forward = [page]
    while cursor := page["pagination"].get("next"):
        page = caller.list_runs(f"?page[size]={size}&page[after]={cursor}{query}")
        forward.append(page)
    back = [page]
    while cursor := page["pagination"].get("previous"):
        page = caller.list_runs(f"?page[size]={size}&page[before]={cursor}{query}")
        back.append(page)
    return forward, back


@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_tile_the_list_in_both_directions(dev, size):
    for _ in range(3):  # at one instant, so that only their ids differ
        dev.start()
    forward, back = pages(dev, size=size)
    ids = [[run["id"] for run in page["data"]] for page in forward]
    flat = [run_id for page in ids for run_id in page]
    assert len(flat) == len(set(flat)) > 20
    assert [run["id"] for page in reversed(back) for run in page["data"]] == flat
    times = [(r["createdAt"], r["id"]) for page in forward for r in page["data"]]
    assert times == sorted(times, reverse=True)
    assert "previous" not in forward[0]["pagination"]
    assert "next" not in forward[-1]["pagination"]


def test_a_page_does_not_move_when_runs_are_added(dev):
    first = dev.list_runs("?page[size]=5")
    then = dev.list_runs(f"?page[size]=5&page[after]={first['pagination']['next']}")
    dev.advance(SECOND)
    dev.start()
    now = dev.list_runs(f"?page[size]=5&page[after]={first['pagination']['next']}")
    assert now["data"] == then["data"]


def test_a_list_goes_back_a_week_by_default(dev):
    run_id = dev.start()
    dev.advance(7 * DAY)
    assert run_id in {run["id"] for run in dev.list_runs("?page[size]=100")["data"]}
    dev.advance(1)
    assert run_id not in {run["id"] for run in dev.list_runs("?page[size]=100")["data"]}
    query = "?page[size]=100&filter[createdAt][from]=1767225600000"
    assert [run["id"] for run in dev.list_runs(query)["data"]] == [run_id]
    assert dev.list_runs("?filter[createdAt][period]=1h")["data"] == []


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("filter[status]=COMPLETED", lambda r: r["status"] == "COMPLETED"),
        ("filter[status]=DELAYED,FAILED",
         lambda r: r["status"] in {"DELAYED", "FAILED"}),
        ("filter[taskIdentifier]=my-task,nope",
         lambda r: r["taskIdentifier"] == "my-task"),
        ("filter[tag]=video,nope", lambda r: "video" in r["tags"]),
        ("filter[version]=20250912.1", lambda _: True),
        ("filter[version]=1", lambda _: False),
        ("filter[isTest]=true", lambda _: False),
        ("filter[isTest]=false", lambda _: True),
        ("filter[queue]=task/my-task,x", lambda r: r["taskIdentifier"] == "my-task"),
        ("filter[schedule]=sched_1", lambda _: False),
        ("filter[bulkAction]=bulk_1", lambda _: False),
        ("filter[error]=error_1", lambda _: False),
        ("filter[createdAt][to]=2025-12-31T12:00:00Z",
         lambda r: r["createdAt"] <= "2025-12-31T12:00:00.000Z"),
        ("filter[createdAt][from]=1767182400000&filter[createdAt][to]=1767218400000",
         lambda r: "2025-12-31T12:00" <= r["createdAt"] <= "2025-12-31T22:00:00.000Z"),
        ("filter[createdAt][period]=2h",
         lambda r: r["createdAt"] >= "2025-12-31T22:00:00.000Z"),
        ("filter[status]=COMPLETED&filter[taskIdentifier]=hello-world",
         lambda r: (r["status"], r["taskIdentifier"]) == ("COMPLETED", "hello-world")),
    ],
)  # fmt: skip
def test_a_filter_lists_exactly_the_matching_runs(client, query, matches):
    everything = client.get(f"{RUNS}?page[size]=100", headers={**TRIGGER, **SDK})
    some = client.get(f"{RUNS}?page[size]=100&{query}", headers={**TRIGGER, **SDK})
    expected = [run for run in everything.json()["data"] if matches(run)]
    assert some.json()["data"] == expected


def test_the_error_names_an_unknown_status(client):
    query = "filter[status]=COMPLETED,FOO,BAR"
    response = client.get(f"{RUNS}?{query}", headers=TRIGGER)
    assert response.status_code == 400
    assert response.json()["error"] == "Query Error"
    (detail,) = response.json()["details"]
    assert detail["message"] == "Invalid status values: FOO, BAR"


def test_environments_do_not_see_each_others_runs(dev, prod):
    run_id = dev.start()
    seen = {run["id"] for run in prod.list_runs("?page[size]=100")["data"]}
    assert run_id not in seen
    for method, path, body in (
        ("GET", f"/v3/runs/{run_id}", None),
        ("GET", f"/v1/runs/{run_id}/trace", None),
        ("POST", f"/v2/runs/{run_id}/cancel", None),
        ("POST", f"/v1/runs/{run_id}/replay", None),
        ("POST", f"/v1/runs/{run_id}/tags", {"tags": "a"}),
        ("PUT", f"/v1/runs/{run_id}/metadata", {"metadata": {}}),
        ("POST", f"/v1/runs/{run_id}/reschedule", {"delay": "1h"}),
    ):
        response = prod.request(method, path, **({"json": body} if body else {}))
        assert response.status_code == 404
        assert ("x-should-retry" in response.headers) is (method == "GET")
    assert len(dev.world.log) == 1


def test_a_listed_run_has_the_fields_of_the_run_itself(dev):
    dev.start(tags=["b", "a"], metadata={"x": 1}, idempotencyKey="k", ttl=60)
    (listed,) = dev.list_runs("?page[size]=1")["data"]
    run = dev.get_run(listed["id"])
    env = listed.pop("env")
    assert env == {"id": "env_dev", "name": "dev"}
    assert listed.items() <= run.items()
    assert run.keys() - listed.keys() == {
        *("triggerFunction", "attempts", "attemptCount", "relatedRuns")
    }
