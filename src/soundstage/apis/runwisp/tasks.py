"""Tasks: their policies from the fixture, with the daemon's defaults."""

from dataclasses import dataclass

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.types import JsonObject
from soundstage.world.clock import MINUTE, SECOND, format_rfc3339
from soundstage.world.cron import next_cron_tick
from soundstage.world.scenario import ANY_TASK
from soundstage.world.state import ScheduleView
from soundstage.world.values import to_duration

MAX_DELAY = 5 * MINUTE
"""The longest delay (ms) before a retry or a restart."""

BRIEF_FIELDS = tuple(
    "name kind group cron api_trigger catch_up restart parallelism on_overlap instances".split()
)
COPIED_FIELDS = tuple(
    "kind group description cron timezone api_trigger catch_up max_catch_up_runs "
    "restart parallelism on_overlap instances restart_backoff retry_attempts "
    "retry_backoff log_max_size log_on_full keep_runs".split()
)
TASK_DEFAULTS: JsonObject = {
    "kind": "task",
    "api_trigger": True,
    "parallelism": 1,
    "on_overlap": "queue",
}
SERVICE_DEFAULTS: JsonObject = {"kind": "service", "api_trigger": True, "instances": 1}
DURATION_FIELDS = ("restart_delay", "retry_delay", "keep_for")
"""Written in a fixture as 5s or 30d, and in nanoseconds in responses."""

NANOSECONDS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a fixture; ``policy`` is its definition there."""

    name: str
    policy: JsonObject

    @property
    def is_service(self) -> bool:
        """Whether the task is a service, which runs without end."""
        return bool(self.policy.get("kind") == "service")

    @property
    def is_triggerable(self) -> bool:
        """Whether the API may start runs of the task."""
        return bool(self.policy.get("api_trigger", True))

    @property
    def parallelism(self) -> int:
        """The number of runs that may be in progress at once."""
        return int(self.policy.get("parallelism", 1))

    @property
    def on_overlap(self) -> str:
        """The policy for a run that would exceed ``parallelism``."""
        return str(self.policy.get("on_overlap", "queue"))

    @property
    def instances(self) -> int:
        """The number of replicas of a service."""
        return int(self.policy.get("instances", 1))

    @property
    def retry_attempts(self) -> int:
        """The number of retries of a run that fails."""
        return int(self.policy.get("retry_attempts", 0))

    def compute_delay(self, purpose: str, attempt: int) -> int:
        """Return the ms before a ``restart`` or ``retry``; attempts count from 1.

        >>> task = Task("example", {"retry_delay": "2s", "retry_backoff": "linear"})
        >>> task.compute_delay("retry", 3)
        6000
        """
        is_restart = purpose == "restart"
        default, growth = (1, "exponential") if is_restart else (5, "constant")
        base = to_duration(self.policy.get(f"{purpose}_delay", default * SECOND))
        match self.policy.get(f"{purpose}_backoff", growth):
            case "linear":
                base *= attempt
            case "exponential":
                # The limit of the shift prevents huge integers in a long chain.
                base <<= min(attempt - 1, MAX_DELAY.bit_length())
        return min(base, MAX_DELAY)

    def render(self, now: int) -> JsonObject:
        """Return the task as responses show it, with the timestamp of its next tick."""
        defaults = SERVICE_DEFAULTS if self.is_service else TASK_DEFAULTS
        policy = {**defaults, **self.policy}
        durations = {name: policy[name] for name in DURATION_FIELDS if name in policy}
        if "timeout" in policy.get("deadlines", {}):
            durations["timeout"] = policy["deadlines"]["timeout"]
        task = {
            "name": self.name,
            **{name: policy[name] for name in COPIED_FIELDS if name in policy},
            **{name: to_duration(d) * NANOSECONDS_PER_MS for name, d in durations.items()},
        }
        tick = next_cron_tick(policy["cron"], now) if "cron" in policy else None
        return task if tick is None else {**task, "next_run_at": format_rfc3339(tick)}


def list_fixture_tasks(state: ScheduleView) -> list[Task]:
    """Return the tasks of the fixture by name, without the wildcard."""
    tasks = sorted(state.definitions.tasks.items())
    return [Task(name, policy) for name, policy in tasks if name != ANY_TASK]


def _render_tasks(context: RequestContext) -> list[JsonObject]:
    return [task.render(context.now) for task in list_fixture_tasks(context.state)]


def list_tasks(context: RequestContext) -> Response:
    """Return every task."""
    return Response(_render_tasks(context))


def retrieve_info(context: RequestContext) -> Response:
    """Return the daemon of the fixture, with a short form of its tasks."""
    tasks = [
        {name: task[name] for name in BRIEF_FIELDS if name in task}
        for task in _render_tasks(context)
    ]
    daemons = context.collection("daemons").all(context.now)
    body = {**DEFAULT_DAEMON_INFO, **dict(*daemons), "tasks": tasks}
    return build_described_response(context, "DaemonInfo", body)


DEFAULT_DAEMON_INFO: JsonObject = {
    "version": "0.0.0-dev",
    "fingerprint": "",
    "port": 9477,
    "cloud_enabled": False,
    "capabilities": [],
}
"""The fields of the daemon that a fixture without a daemon record has."""
