"""Faults: failures injected on purpose, one small module for each kind.

Another kind is another module, and its name in ``_ALL``.
"""

from collections.abc import Mapping
from functools import cache

from soundstage.contract.schema import Schema
from soundstage.server.faults.drift import Drift
from soundstage.server.faults.fault import Fault
from soundstage.server.faults.latency import Latency
from soundstage.server.faults.malformed import Malformed
from soundstage.server.faults.rate_limit import RateLimit
from soundstage.server.faults.reset import Reset
from soundstage.server.faults.slow import Slow
from soundstage.server.faults.stale import Stale
from soundstage.server.faults.status import Status
from soundstage.server.faults.timeout import Timeout
from soundstage.server.faults.truncate import Truncate
from soundstage.server.problems import Problem
from soundstage.types import Document, Json

_ALL: tuple[type[Fault], ...] = (
    Status,
    RateLimit,
    Latency,
    Timeout,
    Reset,
    Truncate,
    Slow,
    Malformed,
    Drift,
    Stale,
)

KINDS: Mapping[str, type[Fault]] = {kind.NAME: kind for kind in _ALL}
"""Every kind of fault, by name."""


def make_fault(name: str, options: Mapping[str, Json]) -> Fault:
    """A fault with these options. Raises ``Problem`` that says what there is."""
    if name not in KINDS:
        there = ", ".join(KINDS)
        raise Problem(404, f"there is no fault {name!r}; there are: {there}")
    kind = KINDS[name]
    wrong = _schema(name).violations(dict(options), "options")
    if wrong:
        there = ", ".join(kind.OPTIONS) or "none"
        said = "; ".join(map(str, wrong))
        raise Problem(409, f"{said}. {kind.ABOUT} The options of {name}: {there}")
    defaults = {
        option: schema["default"]
        for option, schema in kind.OPTIONS.items()
        if "default" in schema
    }
    return kind(**{**defaults, **options})


def options_schema(kind: type[Fault]) -> Document:
    """The JSON Schema of a kind's options."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": kind.OPTIONS,
        **kind.RULES,
    }


@cache
def _schema(name: str) -> Schema:
    return Schema(options_schema(KINDS[name]), "")
