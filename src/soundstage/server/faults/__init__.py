"""Faults: failures injected on purpose, one small module for each kind.

Another kind is another module, and its name in ``_ALL``.
"""

from collections.abc import Mapping
from functools import cache

from soundstage.openapi.schema import Schema
from soundstage.server.faults.fault import Fault
from soundstage.server.faults.responses import (
    Drift,
    Malformed,
    RateLimit,
    Status,
    Truncate,
)
from soundstage.server.faults.timing import Latency, Reset, Slow, Stale, Timeout
from soundstage.server.problems import Problem
from soundstage.types import Document, Json

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
    """A fault with these options. Raises ``Problem`` that says what there is."""
    if name not in FAULT_KINDS:
        there = ", ".join(FAULT_KINDS)
        raise Problem(404, f"there is no fault {name!r}; there are: {there}")
    kind = FAULT_KINDS[name]
    wrong = _compile_options_schema(name).violations(dict(options), "options")
    if wrong:
        there = ", ".join(kind.OPTIONS) or "none"
        said = "; ".join(map(str, wrong))
        raise Problem(409, f"{said}. {kind.DESCRIPTION} The options of {name}: {there}")
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
        **kind.SCHEMA_KEYWORDS,
    }


@cache
def _compile_options_schema(name: str) -> Schema:
    return Schema(options_schema(FAULT_KINDS[name]), "")
