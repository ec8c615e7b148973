"""Tasks: what a fixture says of them, with what the daemon does where it is silent."""

from dataclasses import dataclass

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.types import JsonObject
from soundstage.world.clock import MINUTE, SECOND, format_rfc3339
from soundstage.world.scenario import ANY_TASK
from soundstage.world.scheduler import ScheduleView, next_cron_tick
from soundstage.world.values import to_duration

MAX_DELAY = 5 * MINUTE
"""However often a run was retried, the next retry comes after so long."""

BRIEF_FIELDS = tuple(
    "name kind group cron api_trigger catch_up restart parallelism on_overlap "
    "instances".split()
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
"""Written in a fixture as 5s or 30d, told in nanoseconds."""

NANOSECONDS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a fixture; ``policy`` is what the fixture says of it."""

    name: str
    policy: JsonObject

    @property
    def is_service(self) -> bool:
        """Whether it goes on all the time."""
        return bool(self.policy.get("kind") == "service")

    @property
    def is_triggerable(self) -> bool:
        """Whether the API may start it."""
        return bool(self.policy.get("api_trigger", True))

    @property
    def parallelism(self) -> int:
        """How many of its runs may go on at once."""
        return int(self.policy.get("parallelism", 1))

    @property
    def on_overlap(self) -> str:
        """What becomes of a run that would be one too many."""
        return str(self.policy.get("on_overlap", "queue"))

    @property
    def instances(self) -> int:
        """How many replicas a service has."""
        return int(self.policy.get("instances", 1))

    @property
    def retry_attempts(self) -> int:
        """How often a run that fails is retried."""
        return int(self.policy.get("retry_attempts", 0))

    def compute_delay(self, purpose: str, attempt: int) -> int:
        """The ms before the retry or restart of this number; the first is 1."""
        default, growth = (
            (1, "exponential") if purpose == "restart" else (5, "constant")
        )
        base = to_duration(self.policy.get(f"{purpose}_delay", default * SECOND))
        match self.policy.get(f"{purpose}_backoff", growth):
            case "linear":
                base *= attempt
            case "exponential":
                base <<= min(attempt - 1, MAX_DELAY.bit_length())
        return min(base, MAX_DELAY)

    def render(self, now: int) -> JsonObject:
        """As the API shows it."""
        policy = {
            **(SERVICE_DEFAULTS if self.is_service else TASK_DEFAULTS),
            **self.policy,
        }
        spans = {name: policy[name] for name in DURATION_FIELDS if name in policy}
        if "timeout" in policy.get("deadlines", {}):
            spans["timeout"] = policy["deadlines"]["timeout"]
        said = {
            "name": self.name,
            **{name: policy[name] for name in COPIED_FIELDS if name in policy},
            **{
                name: to_duration(span) * NANOSECONDS_PER_MS
                for name, span in spans.items()
            },
        }
        due = next_cron_tick(policy["cron"], now) if "cron" in policy else None
        return said if due is None else {**said, "next_run_at": format_rfc3339(due)}


def list_fixture_tasks(state: ScheduleView) -> list[Task]:
    """The tasks that are listed, by name."""
    tasks = sorted(state.definitions.tasks.items())
    return [Task(name, policy) for name, policy in tasks if name != ANY_TASK]


def list_tasks(context: RequestContext) -> Response:
    """Every task, with the instant at which it is due next."""
    tasks = list_fixture_tasks(context.world.state(context.api))
    return Response([task.render(context.now) for task in tasks])


def retrieve_info(context: RequestContext) -> Response:
    """What the fixture says of the daemon, and its tasks in brief."""
    shown = (
        task.render(context.now)
        for task in list_fixture_tasks(context.world.state(context.api))
    )
    tasks = [{n: task[n] for n in BRIEF_FIELDS if n in task} for task in shown]
    daemons = context.collection("daemons").all(context.now)
    return build_described_response(
        context, "DaemonInfo", {**DEFAULT_DAEMON_INFO, **dict(*daemons), "tasks": tasks}
    )


DEFAULT_DAEMON_INFO: JsonObject = {
    "version": "0.0.0-dev",
    "fingerprint": "",
    "port": 9477,
    "cloud_enabled": False,
    "capabilities": [],
}
"""What a daemon says of itself of which the fixture says nothing."""
