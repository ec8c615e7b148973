"""RunWisp: starts, queues, retries, schedules, stops and deletions of runs."""

from itertools import pairwise

import pytest
from runwisp_client import RunWispClient

from soundstage.apis.registry import build_fixture
from soundstage.openapi.document import SourceFile, parse_document
from soundstage.world.clock import DAY, HOUR, MINUTE, SECOND, parse_rfc3339
from soundstage.world.commands import Define, Put, Start
from soundstage.world.cron import next_cron_tick
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z
RUNNING, QUEUED = "01KEXAMPERVN00000000000003", "01KEXAMPERVN00000000000004"

CHAINS = {"constant": [5, 5, 5], "linear": [5, 10, 15], "exponential": [5, 10, 20]}


FIXTURE = """
api: runwisp
lifecycle:
  run.status:
    begins: [pending, ended]
    moves: {pending: [running, ended], running: [ended]}
defaults:
  run: {task_name: $task, exit_code: 0, triggered_by: $triggered_by, created_at: $at, retry_attempt: 0, replica_index: 0}
tasks:
  mine: {triggered_by: cron, POLICY}
scenarios:
  success:
    draw: {lasting: LASTING}
    steps:
      - run: {status: pending}
      - after: 10ms
        run: {status: running, start_at: $at}
      - after: $lasting
        run: {status: ended, end_at: $at, end_reason: success}
  failed:
    weight: 0
    draw: {reason: failed, lasting: LASTING}
    steps:
      - run: {status: pending}
      - after: 10ms
        run: {status: running, start_at: $at}
      - after: $lasting
        run: {status: ended, end_at: $at, end_reason: $reason, exit_code: 1}
  mixed:
    weight: 0
    draw: {failures: 1, chosen: {any: [failed, success, success]}}
    steps: [{play: $chosen}]
  all_fail:
    weight: 0
    draw: {failures: 1000}
    steps: [{play: failed}]
  skipped:
    weight: 0
    steps:
      - run: {status: pending}
      - run: {status: ended, end_at: $at, end_reason: skipped, exit_code: -1}
beginnings:
  queued: {draw: {wait: 1m}, steps: [{run: {status: pending}}, {after: $wait}]}
  retry:
    draw: {attempt: 1, failed_run: {id: ulid}}
    steps: [{run: {status: pending, retry_attempt: $attempt, retry_of_run_id: $failed_run}}]
endings:
  stopped: [{run: {status: ended, end_at: $at, end_reason: stopped, exit_code: -1}}]
  timeout: {of: [running], steps: [{run: {status: ended, end_at: $at, end_reason: timeout, exit_code: -1}}]}
  requeued: {of: [pending], draw: {wait: 1m}, steps: [{after: $wait, play: $scenario}]}
"""  # noqa: E501 - as fixtures are written


@pytest.fixture
def daemon_with(services, judges, tmp_path):
    """Returns a daemon without history, whose only task has a policy."""
    clients = []

    def build(policy, scenario="success", lasting=MINUTE):
        text = FIXTURE.replace("POLICY", f"scenario: {scenario}, {policy}")
        text = text.replace("LASTING", str(lasting))
        service = services["runwisp"]
        source = SourceFile(tmp_path / "mine.yaml", parse_document(text))
        fixture = build_fixture(source, service.api, service.contract)
        world = World({"runwisp": fixture}, WorldOptions(7, NOW, speed=0))
        mine = {"runwisp": type(service)(service.api, service.contract, fixture)}
        clients.append(in_process_client(mine, world, judges))
        return RunWispClient(clients[-1], world)

    yield build
    for client in clients:
        client.close()


# A run, from its start to its end


def test_a_run_is_pending_then_running_then_over(daemon):
    daemon.plan("success")
    run_id = daemon.trigger("backup")
    seen = [daemon.get_status(run_id)]
    for _ in range(60):
        daemon.advance(SECOND)
        seen.append(daemon.get_status(run_id))
    assert list(dict.fromkeys(seen)) == ["pending", "running", "success"]
    assert daemon.get_run(run_id)["triggered_by"] == "api"


def test_a_run_takes_minutes_at_most_whatever_becomes_of_it(daemon):
    tasks = ["example", "backup", "report.daily", "deploy-preview"]
    started = []
    for _ in range(8):
        started += [daemon.trigger(task) for task in tasks]
        daemon.advance(15 * MINUTE)
    assert {daemon.get_run(run_id)["status"] for run_id in started[:-8]} == {"ended"}
    assert len({daemon.get_status(run_id) for run_id in started}) >= 3


def test_a_run_takes_no_longer_than_its_task_allows(daemon_with):
    daemon = daemon_with("deadlines: {timeout: 30s}")
    run = daemon.get_run(daemon.trigger("mine"))
    daemon.advance(10 + 30 * SECOND)
    run = daemon.get_run(run["id"])
    assert (run["end_reason"], run["exit_code"]) == ("timeout", -1)
    assert parse_rfc3339(run["end_at"]) - parse_rfc3339(run["start_at"]) == 30 * SECOND


# Waiting for a run


def test_a_client_that_waits_gets_the_skipped_run(daemon_with):
    daemon = daemon_with("on_overlap: skip")
    daemon.trigger("mine")
    run = daemon.post("/tasks/mine/run", wait="true")
    assert run["end_reason"] == "skipped"


# More runs than the parallelism allows


def test_skip_ends_a_run_that_exceeds_the_parallelism(daemon_with):
    daemon = daemon_with("on_overlap: skip")
    first, second = daemon.trigger("mine"), daemon.trigger("mine")
    run = daemon.get_run(second)
    assert (run["status"], run["end_reason"], run["exit_code"]) == (
        "ended", "skipped", -1,
    )  # fmt: skip
    assert "start_at" not in run
    assert daemon.get_status(first) == "pending"


def test_queue_lets_each_run_start_when_the_one_before_it_has_ended(daemon_with):
    daemon = daemon_with("on_overlap: queue")
    ids = [daemon.trigger("mine") for _ in range(4)]
    daemon.advance(HOUR)
    runs = [daemon.get_run(run_id) for run_id in ids]
    for before, after in pairwise(runs):
        gap = parse_rfc3339(after["start_at"]) - parse_rfc3339(before["end_at"])
        assert gap == 10
    assert {run["end_reason"] for run in runs} == {"success"}


def test_a_run_that_queues_is_pending_until_then(daemon_with):
    daemon = daemon_with("on_overlap: queue")
    _, second = daemon.trigger("mine"), daemon.trigger("mine")
    daemon.advance(60 * SECOND + 10)
    assert daemon.get_status(second) == "pending"
    daemon.advance(10)
    assert daemon.get_status(second) == "running"


def test_the_queue_moves_up_when_a_run_is_stopped(daemon_with):
    daemon = daemon_with("on_overlap: queue")
    ids = [daemon.trigger("mine") for _ in range(3)]
    daemon.advance(5 * SECOND)
    assert daemon.stop(ids[0])["message"] == "Run stop signal sent"
    daemon.advance(10)
    assert [daemon.get_status(run_id) for run_id in ids] == [
        "stopped", "running", "pending",
    ]  # fmt: skip
    daemon.advance(60 * SECOND + 10)
    assert daemon.get_status(ids[2]) == "running"
    assert daemon.get_run(ids[2])["created_at"] == "2026-01-01T00:00:00.000Z"


def test_queued_runs_start_one_by_one_when_a_slot_is_free(daemon_with):
    daemon = daemon_with("on_overlap: queue, parallelism: 2")
    first = daemon.trigger("mine")
    daemon.advance(20 * SECOND)
    others = [daemon.trigger("mine") for _ in range(3)]
    daemon.advance(HOUR)
    starts = [parse_rfc3339(daemon.get_run(run_id)["start_at"]) - NOW for run_id in others]
    assert daemon.get_run(first)["end_at"] == "2026-01-01T00:01:00.010Z"
    assert starts == [20_010, 60_020, 80_020]


def test_an_active_run_keeps_its_slot_after_a_later_one_has_ended(daemon_with):
    daemon = daemon_with("on_overlap: skip, parallelism: 2")
    long = {"triggered_by": "api", "lasting": HOUR}
    daemon.world.apply(Start("runwisp", "mine", "success", long))
    daemon.trigger("mine")
    daemon.advance(2 * MINUTE)
    ids = [daemon.trigger("mine") for _ in range(3)]
    assert [daemon.get_status(run_id) for run_id in ids] == [
        "pending", "skipped", "skipped",
    ]  # fmt: skip


def test_terminate_stops_the_oldest(daemon_with):
    daemon = daemon_with("on_overlap: terminate, parallelism: 2")
    ids = []
    for _ in range(3):
        ids.append(daemon.trigger("mine"))
        daemon.advance(SECOND)
    assert [daemon.get_status(run_id) for run_id in ids] == [
        "stopped", "running", "running",
    ]  # fmt: skip


def test_a_retry_terminates_what_started_before_it(daemon_with):
    daemon = daemon_with("on_overlap: terminate, retry_attempts: 1")
    daemon.plan("failed")
    daemon.trigger("mine")
    daemon.advance(62 * SECOND)
    between = daemon.trigger("mine")
    daemon.advance(HOUR)
    retry = daemon.list_runs("mine")[-1]
    assert retry["retry_attempt"] == 1
    assert daemon.get_run(between)["end_at"] == retry["created_at"]


@pytest.mark.parametrize("policy", ["skip", "queue"])
def test_a_run_keeps_its_slot_until_its_last_retry_has_ended(daemon_with, policy):
    daemon = daemon_with(f"on_overlap: {policy}, retry_attempts: 2")
    daemon.plan("all_fail")
    daemon.trigger("mine")
    daemon.advance(62 * SECOND)  # between the run and its first retry
    other = daemon.trigger("mine")
    daemon.advance(HOUR)
    assert_never_more_than_one_at_once(daemon.list_runs("mine"))
    if policy == "queue":
        last = [run for run in daemon.list_runs("mine") if run["retry_attempt"] == 2]
        assert daemon.get_run(other)["start_at"] > last[0]["end_at"]
    else:
        assert daemon.get_status(other) == "skipped"


def assert_never_more_than_one_at_once(runs):
    spans = sorted((r["start_at"], r["end_at"]) for r in runs if "start_at" in r)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_a_policy_is_ignored_if_the_fixture_lacks_what_it_needs(services, judges):
    text = FIXTURE.replace("POLICY", "scenario: success, on_overlap: queue")
    text = text.replace("LASTING", "60000").partition("beginnings:")[0]
    service = services["runwisp"]
    fixture = build_fixture(SourceFile(None, parse_document(text)), service.api, service.contract)
    world = World({"runwisp": fixture}, WorldOptions(7, NOW, speed=0))
    mine = {"runwisp": type(service)(service.api, service.contract, fixture)}
    with in_process_client(mine, world, judges) as client:
        daemon = RunWispClient(client, world)
        ids = [daemon.trigger("mine") for _ in range(2)]
        daemon.advance(SECOND)
        assert [daemon.get_status(run_id) for run_id in ids] == ["running", "running"]
        daemon.stop(ids[0])
        assert daemon.get_status(ids[0]) == "stopped"


# Retries


@pytest.mark.parametrize("backoff", CHAINS)
def test_each_retry_points_back_to_the_run_that_has_just_failed(daemon_with, backoff):
    daemon = daemon_with(f"retry_attempts: 3, retry_backoff: {backoff}")
    daemon.plan("all_fail")
    daemon.trigger("mine")
    daemon.advance(HOUR)
    chain = daemon.list_runs("mine")
    assert [run["retry_attempt"] for run in chain] == [0, 1, 2, 3]
    assert "retry_of_run_id" not in chain[0]
    for before, after in pairwise(chain):
        assert after["retry_of_run_id"] == before["id"]
    assert delays(chain) == CHAINS[backoff]
    assert {run["triggered_by"] for run in chain} == {"api"}


def delays(chain):
    """Seconds from the end of each run to the beginning of the next."""
    return [
        (parse_rfc3339(after["created_at"]) - parse_rfc3339(before["end_at"])) / SECOND
        for before, after in pairwise(chain)
    ]


def test_a_retry_comes_after_five_minutes_at_the_latest(daemon_with):
    policy = "retry_attempts: 20, retry_delay: 50s, retry_backoff: exponential"
    daemon = daemon_with(policy)
    daemon.plan("all_fail")
    daemon.trigger("mine")
    daemon.advance(DAY)
    assert delays(daemon.list_runs("mine")) == [50, 100, 200, *[300] * 17]


def test_no_chain_of_retries_is_longer_than_64(daemon_with):
    daemon = daemon_with("retry_attempts: 100")
    daemon.plan("all_fail")
    daemon.trigger("mine")
    daemon.advance(DAY)
    assert len(daemon.list_runs("mine")) == 65


@pytest.mark.parametrize(
    ("reason", "runs"),
    [
        *((reason, 2) for reason in ("failed", "timeout", "crashed", "log_overflow")),
        *((reason, 1) for reason in ("success", "stopped", "skipped")),
    ],
)
def test_what_is_retried_depends_on_how_it_ended(daemon_with, reason, runs):
    daemon = daemon_with("retry_attempts: 1")
    names = {"reason": reason, "triggered_by": "cron"}
    daemon.world.apply(Start("runwisp", "mine", "failed", names))
    daemon.advance(HOUR)
    chain = daemon.list_runs("mine")
    assert len(chain) == runs
    assert {run["triggered_by"] for run in chain} == {"cron"}


def test_what_the_cloud_started_the_cloud_retries(daemon_with):
    daemon = daemon_with("retry_attempts: 1")
    names = {"triggered_by": "cloud"}
    daemon.world.apply(Start("runwisp", "mine", "failed", names))
    daemon.advance(HOUR)
    assert len(daemon.list_runs("mine")) == 1


def test_a_run_that_is_stopped_is_not_retried(daemon_with):
    daemon = daemon_with("retry_attempts: 1")
    daemon.plan("failed")
    run_id = daemon.trigger("mine")
    daemon.advance(SECOND)
    daemon.stop(run_id)
    daemon.advance(HOUR)
    assert [run["id"] for run in daemon.list_runs("mine")] == [run_id]


def test_a_retry_is_planned_as_other_runs_are(daemon_with):
    daemon = daemon_with("retry_attempts: 5")
    daemon.plan("failed", times=2)
    daemon.trigger("mine")
    daemon.advance(HOUR)
    reasons = [run["end_reason"] for run in daemon.list_runs("mine")]
    assert reasons == ["failed", "failed", "success"]


def test_a_scenario_sets_the_number_of_failures_before_success(daemon):
    names = {"triggered_by": "api"}
    daemon.world.apply(Start("runwisp", "example", "retried_twice", names))
    daemon.advance(5 * MINUTE)
    chain = daemon.list_runs("example")[-3:]
    assert [run["end_reason"] for run in chain] == ["failed", "failed", "success"]
    assert [run["retry_attempt"] for run in chain] == [0, 1, 2]


# Schedules


def ticks(cron, start, end):
    at, found = next_cron_tick(cron, start - 1), []
    while at < end:
        found.append(at)
        at = next_cron_tick(cron, at)
    return found


@pytest.mark.parametrize("policy", ["skip", "queue", "terminate"])
def test_a_week_has_the_runs_of_the_schedule(daemon_with, policy):
    """Each takes half an hour, every third fails and is retried: they overlap."""
    policy = f"on_overlap: {policy}, retry_attempts: 1"
    cron = "*/20 6-9 * * *"
    daemon = daemon_with(f"cron: '{cron}', {policy}", "mixed", 30 * MINUTE)
    daemon.advance(7 * DAY)
    runs = daemon.list_runs("mine")
    own = [run for run in runs if run["retry_attempt"] == 0]
    expected = ticks(cron, NOW, NOW + 7 * DAY)
    assert [parse_rfc3339(run["created_at"]) for run in own] == expected
    assert {run["triggered_by"] for run in runs} == {"cron"}
    assert len(runs) > len(own) == 84
    if "terminate" not in policy:
        assert_never_more_than_one_at_once([run for run in runs if "end_at" in run])
    reasons = {run.get("end_reason") for run in runs}
    assert ("skipped" in reasons) == ("skip" in policy)
    assert ("stopped" in reasons) == ("terminate" in policy)


def long_success():
    return {
        "steps": [
            {"run": {"status": "pending"}},
            {"after": "10ms", "run": {"status": "running", "start_at": "$at"}},
            {
                "after": "$lasting",
                "run": {"status": "ended", "end_at": "$at", "end_reason": "success"},
            },
        ]
    }


def test_every_task_of_the_default_world_keeps_its_schedule_for_a_week(daemon):
    daemon.advance(7 * DAY)
    for task in daemon.get("/tasks"):
        if cron := task.get("cron"):
            runs = daemon.list_runs(task["name"])
            since = [
                parse_rfc3339(run["created_at"])
                for run in runs
                if run["created_at"] >= "2026" and run["retry_attempt"] == 0
            ]
            assert since == ticks(cron, NOW, NOW + 7 * DAY + 1)


def test_the_past_is_on_schedule_too(daemon):
    created = [
        parse_rfc3339(run["created_at"])
        for run in daemon.list_runs("backup")
        if run["retry_attempt"] == 0
    ]
    assert created == ticks("30 2 * * *", NOW - 7 * DAY, NOW)


def test_a_task_shows_its_next_tick(daemon):
    def next_tick():
        found = {task["name"]: task for task in daemon.get("/tasks")}
        return found["sync-orders"]["next_run_at"], found["deploy-preview"]

    assert next_tick()[0] == "2026-01-01T00:15:00.000Z"
    daemon.advance(15 * MINUTE)
    assert next_tick()[0] == "2026-01-01T00:30:00.000Z"
    assert "next_run_at" not in next_tick()[1]


def test_a_service_has_no_ticks(daemon_with):
    daemon = daemon_with("cron: '* * * * *', kind: service")
    daemon.advance(HOUR)
    assert daemon.list_runs("mine") == []


# Stopping and deleting


def test_a_run_that_is_stopped_keeps_its_past_and_has_no_future(daemon):
    log = f"/tasks/deploy-preview/runs/{RUNNING}/log"
    before = daemon.get(log)["lines"]
    daemon.stop(RUNNING)
    daemon.advance(HOUR)
    run = daemon.get_run(RUNNING)
    assert (run["end_reason"], run["exit_code"]) == ("stopped", -1)
    assert run["end_at"] == "2026-01-01T00:00:00.000Z"
    assert daemon.get(log)["lines"] == before != []


def test_the_run_that_waited_in_the_default_world_moves_up(daemon):
    daemon.stop(RUNNING)
    daemon.advance(SECOND)
    assert daemon.get_status(QUEUED) == "running"


def test_a_deleted_run_is_not_found(daemon):
    run_id = daemon.list_runs("backup")[0]["id"]
    total = daemon.get("/runs/summary")["total"]
    response = daemon.request("DELETE", f"/tasks/backup/runs/{run_id}")
    assert (response.status_code, response.content) == (204, b"")
    assert daemon.get("/runs/summary")["total"] == total - 1
    assert run_id not in {run["id"] for run in daemon.list_runs("backup")}
    for path in ("", "/log", "/log/stream"):
        gone = daemon.request("GET", f"/tasks/backup/runs/{run_id}{path}")
        assert gone.status_code == 404


def test_a_run_that_was_not_generated_can_be_stopped(daemon):
    run = {"id": "01KEXAMPERVN00000000000099", "task_name": "mine", "exit_code": 0}
    run |= {"triggered_by": "api", "created_at": "2026-01-01T00:00:00Z"}
    run |= {"retry_attempt": 0, "replica_index": 0, "status": "pending"}
    daemon.world.apply(Put("runwisp", "runs", run["id"], run))
    daemon.world.apply(Put("runwisp", "runs", run["id"], run | {"status": "running"}))
    daemon.stop(run["id"])
    assert daemon.get_status(run["id"]) == "stopped"


REJECTED = [
    ("POST", "/tasks/unknown/run", 404, "task not found"),
    ("POST", "/tasks/clean-up/run", 403, "API triggering disabled for this task"),
    ("POST", "/tasks/metrics-agent/run", 409,
     "services cannot be triggered; use the restart endpoint"),
    ("POST", "/tasks/example/restart", 400, "task is not a service"),
    ("POST", "/tasks/example/stop", 400, "task is not a service"),
    ("GET", f"/tasks/example/runs/{RUNNING[:-1]}9", 404, "run not found"),
    ("GET", f"/tasks/example/runs/{RUNNING}/log", 404, "Run not found"),
    ("POST", f"/tasks/example/runs/{QUEUED}/stop", 400, "run is not currently running"),
    ("DELETE", f"/tasks/example/runs/{QUEUED}", 409,
     "cannot delete a run that is still pending or running; stop it first"),
    ("DELETE", f"/tasks/example/runs/{RUNNING}", 409,
     "cannot delete a run that is still pending or running; stop it first"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status", "detail"), REJECTED)
def test_a_rejected_request_gets_the_message_of_the_daemon_and_changes_nothing(
    daemon, method, path, status, detail
):
    response = daemon.request(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == detail
    assert response.status_code == response.json()["status"] == status
    assert list(daemon.world.log) == []


# Services


def test_a_restarted_service_has_new_runs_of_the_same_replicas(daemon):
    before = daemon.list_runs("metrics-agent")
    daemon.post("/tasks/metrics-agent/restart", status=204)
    daemon.advance(SECOND)
    after = daemon.list_runs("metrics-agent")
    assert [run["replica_index"] for run in after] == [0, 1, 0, 1]
    assert [run["status"] for run in after] == ["ended"] * 2 + ["running"] * 2
    assert {run["id"] for run in before} == {run["id"] for run in after[:2]}
    assert {run["retry_attempt"] for run in after} == {0}


def test_a_service_that_is_stopped_stays_so_until_it_is_restarted(daemon):
    daemon.post("/tasks/metrics-agent/stop")
    daemon.advance(DAY)
    assert {r["status"] for r in daemon.list_runs("metrics-agent")} == {"ended"}
    daemon.post("/tasks/metrics-agent/restart")
    daemon.advance(DAY)
    assert len(daemon.list_runs("metrics-agent", status="running")) == 2


def test_a_replica_that_crashes_is_started_anew(daemon):
    daemon.post("/tasks/metrics-agent/stop")
    names = {"replica": 1, "triggered_by": "api"}
    daemon.world.apply(Start("runwisp", "metrics-agent", "service_crash", names))
    daemon.advance(5 * MINUTE)
    crashed, again = daemon.list_runs("metrics-agent")[-2:]
    assert (crashed["end_reason"], again["status"]) == ("failed", "running")
    assert (again["replica_index"], again["retry_attempt"]) == (1, 0)
    assert "retry_of_run_id" not in again
    assert delays([crashed, again]) == [1]


@pytest.mark.parametrize(
    ("restart", "reason", "runs"),
    [
        ("always", "success", 65),
        ("always", "stopped", 1),
        ("on_failure", "success", 1),
        ("on_failure", "crashed", 65),
        ("never", "crashed", 1),
    ],
)
def test_a_service_is_restarted_according_to_its_policy(daemon_with, restart, reason, runs):
    daemon = daemon_with(f"kind: service, restart: {restart}")
    steps = long_success()["steps"]
    steps[2] = {"after": "1s", "run": {
        "status": "ended", "end_at": "$at", "end_reason": reason, "exit_code": 1,
    }}  # fmt: skip
    daemon.world.apply(Define("runwisp", "success", {"steps": steps}))
    daemon.post("/tasks/mine/restart")
    daemon.advance(DAY)
    assert len(daemon.list_runs("mine")) == runs
