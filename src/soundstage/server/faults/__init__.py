"""Faults: failures that are injected on purpose, by rules.

Modules: ``fault`` (base class), ``responses`` and ``timing`` (the kinds), ``rules``
(which requests are hit), ``connection`` (what faults do to a socket). A new kind is a
subclass of ``Fault``, listed in ``_KIND_CLASSES``.
"""

from collections.abc import Mapping
from functools import cache

from soundstage.openapi.schema import Schema
from soundstage.server.faults.fault import Fault
from soundstage.server.faults.responses import Drift, Malformed, RateLimit, Status, Truncate
from soundstage.server.faults.timing import Latency, Reset, Slow, Stale, Timeout
from soundstage.server.problems import Problem
from soundstage.types import Json, JsonObject

_KIND_CLASSES: tuple[type[Fault], ...] = (
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

FAULT_KINDS: Mapping[str, type[Fault]] = {kind.NAME: kind for kind in _KIND_CLASSES}
"""Every kind of fault, by name."""


def create_fault(name: str, options: Mapping[str, Json]) -> Fault:
    """Create a fault of a kind. Raises ``Problem`` that lists the kinds or options.

    >>> create_fault("slow", {"ms": 100})
    Slow(ms=100, pieces=10)
    """
    if name not in FAULT_KINDS:
        known = ", ".join(FAULT_KINDS)
        raise Problem(404, f"unknown fault {name!r}; known: {known}")
    kind = FAULT_KINDS[name]
    violations = _compile_options_schema(name).find_violations(dict(options), "options")
    if violations:
        reasons = "; ".join(map(str, violations))
        known = ", ".join(kind.OPTIONS) or "none"
        detail = f"{reasons}. {kind.DESCRIPTION} The options of {name}: {known}"
        raise Problem(409, detail)
    defaults = {
        option: schema["default"] for option, schema in kind.OPTIONS.items() if "default" in schema
    }
    return kind(**{**defaults, **options})


def options_schema(kind: type[Fault]) -> JsonObject:
    """Return the JSON Schema of a kind's options."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": kind.OPTIONS,
        **kind.SCHEMA_KEYWORDS,
    }


@cache
def _compile_options_schema(name: str) -> Schema:
    return Schema(options_schema(FAULT_KINDS[name]), "")
