"""Tasks: what a fixture says of them, with what the daemon does where it is silent."""

from dataclasses import dataclass

from soundstage.apis.api import Answer, Call
from soundstage.apis.runwisp.described import described
from soundstage.types import Document
from soundstage.world.clock import MINUTE, SECOND, rfc3339
from soundstage.world.scenario import ANY
from soundstage.world.schedule import Overview, next_at
from soundstage.world.value import as_span

LONGEST_DELAY = 5 * MINUTE
"""However often a run was retried, the next retry comes after so long."""

BRIEF = tuple(
    "name kind group cron api_trigger catch_up restart parallelism on_overlap "
    "instances".split()
)
PLAIN = tuple(
    "kind group description cron timezone api_trigger catch_up max_catch_up_runs "
    "restart parallelism on_overlap instances restart_backoff retry_attempts "
    "retry_backoff log_max_size log_on_full keep_runs".split()
)
TASK: Document = {
    "kind": "task",
    "api_trigger": True,
    "parallelism": 1,
    "on_overlap": "queue",
}
SERVICE: Document = {"kind": "service", "api_trigger": True, "instances": 1}
SPANS = ("restart_delay", "retry_delay", "keep_for")
"""Written in a fixture as 5s or 30d, told in nanoseconds."""

NANOSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a fixture; ``policy`` is what the fixture says of it."""

    name: str
    policy: Document

    @property
    def is_service(self) -> bool:
        """Whether it goes on all the time."""
        return bool(self.policy.get("kind") == "service")

    @property
    def may_be_triggered(self) -> bool:
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

    def delay(self, what: str, number: int) -> int:
        """The ms before the retry or restart of this number; the first is 1."""
        default, growth = (1, "exponential") if what == "restart" else (5, "constant")
        base = as_span(self.policy.get(f"{what}_delay", default * SECOND))
        match self.policy.get(f"{what}_backoff", growth):
            case "linear":
                base *= number
            case "exponential":
                base <<= min(number - 1, LONGEST_DELAY.bit_length())
        return min(base, LONGEST_DELAY)

    def shown(self, now: int) -> Document:
        """As the API shows it."""
        policy = {**(SERVICE if self.is_service else TASK), **self.policy}
        spans = {name: policy[name] for name in SPANS if name in policy}
        if "timeout" in policy.get("deadlines", {}):
            spans["timeout"] = policy["deadlines"]["timeout"]
        said = {
            "name": self.name,
            **{name: policy[name] for name in PLAIN if name in policy},
            **{name: as_span(span) * NANOSECONDS for name, span in spans.items()},
        }
        due = next_at(policy["cron"], now) if "cron" in policy else None
        return said if due is None else {**said, "next_run_at": rfc3339(due)}


def tasks_of(state: Overview) -> list[Task]:
    """The tasks that are listed, by name."""
    tasks = sorted(state.script.tasks.items())
    return [Task(name, policy) for name, policy in tasks if name != ANY]


def list_tasks(call: Call) -> Answer:
    """Every task, with the instant at which it is due next."""
    tasks = tasks_of(call.world.state(call.api))
    return Answer([task.shown(call.now) for task in tasks])


def info(call: Call) -> Answer:
    """What the fixture says of the daemon, and its tasks in brief."""
    shown = (task.shown(call.now) for task in tasks_of(call.world.state(call.api)))
    tasks = [{n: task[n] for n in BRIEF if n in task} for task in shown]
    daemons = call.collection("daemons").all(call.now)
    return described(call, "DaemonInfo", {**NOBODY, **dict(*daemons), "tasks": tasks})


NOBODY: Document = {
    "version": "0.0.0-dev",
    "fingerprint": "",
    "port": 9477,
    "cloud_enabled": False,
    "capabilities": [],
}
"""What a daemon says of itself of which the fixture says nothing."""
