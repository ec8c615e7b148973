"""Fault rules: which requests a fault applies to, and how often."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from soundstage.apis.registry import Service
from soundstage.openapi.operation import Arguments, Operation
from soundstage.server.faults import create_fault
from soundstage.server.faults.fault import AppliedFault, Fault, split_pointer
from soundstage.server.problems import Problem
from soundstage.types import Json, JsonObject
from soundstage.world.random import SeededRandom


@dataclass(slots=True, eq=False)
class FaultRule:
    """A fault, and the requests that it applies to.

    ``spec`` is the rule as it was requested. ``targets`` are pairs of API and
    operationId. ``matched`` counts the requests that matched, ``hits`` those of them
    that the fault was applied to.
    """

    id: str
    fault: Fault
    spec: JsonObject
    targets: frozenset[tuple[str, str]]
    matched: int = 0
    hits: int = 0

    def apply(self, arguments: Arguments, seed: int) -> AppliedFault | None:
        """Apply the rule to a request for one of the targets, and count it."""
        if not _matches_arguments(self.spec.get("match", {}), arguments):
            return None
        # Seeded per request: equal worlds inject the same faults, at any speed.
        random = SeededRandom(seed, "fault", self.id, self.matched)
        self.matched += 1
        times, probability = self.spec.get("times"), self.spec.get("probability")
        if times is not None and self.hits >= times:
            return None
        if probability is not None and random.uniform(0, 1) >= probability:
            return None
        self.hits += 1
        return AppliedFault(self.id, self.fault, random)

    def as_json(self) -> JsonObject:
        """Serialize the rule for the control API."""
        spec = {"id": self.id, "options": {}, "match": {}, **self.spec}
        return {**spec, "seen": self.matched, "hits": self.hits}


@dataclass(slots=True, eq=False)
class FaultRules:
    """The rules of one world, in order; the first that applies wins."""

    _rules: dict[str, FaultRule] = field(default_factory=dict)
    _created: int = 0

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[FaultRule]:
        return iter(self._rules.values())

    def add(self, services: Mapping[str, Service], spec: JsonObject) -> FaultRule:
        """Add a rule after the others. Raises ``Problem``."""
        _check_limits(spec)
        fault = create_fault(spec["kind"], spec.get("options", {}))
        targets = dict(_find_targets(services, spec))
        _check_parameter_names(targets.values(), spec.get("match", {}))
        self._created += 1
        rule_id = f"{fault.NAME}-{self._created}"
        rule = FaultRule(rule_id, fault, spec, frozenset(targets))
        self._rules[rule_id] = rule
        return rule

    def remove(self, rule_id: str) -> None:
        """Remove a rule. Raises ``Problem``."""
        if rule_id not in self._rules:
            known = ", ".join(self._rules) or "none"
            raise Problem(404, f"unknown fault {rule_id!r}; known: {known}")
        del self._rules[rule_id]

    def clear(self) -> None:
        """Remove all rules; numbering starts again at 1."""
        self._rules.clear()
        self._created = 0

    def choose(
        self, api: str, operation: str, arguments: Arguments, seed: int
    ) -> AppliedFault | None:
        """Return the fault of the first rule that applies to a valid request."""
        for rule in self:
            if (api, operation) in rule.targets and (applied := rule.apply(arguments, seed)):
                return applied
        return None


def _check_limits(spec: JsonObject) -> None:
    """Raise ``Problem`` for an invalid count or probability."""
    if "times" in spec and "probability" in spec:
        raise Problem(409, 'pass "times" or "probability", not both')
    if spec.get("times", 1) < 1:
        raise Problem(409, f"times must be 1 or more, not {spec['times']}")
    if not 0 <= spec.get("probability", 0) <= 1:
        detail = f"a probability must be from 0 to 1, not {spec['probability']}"
        raise Problem(409, detail)


OperationTarget = tuple[tuple[str, str], Operation]


def _find_targets(services: Mapping[str, Service], spec: JsonObject) -> Iterator[OperationTarget]:
    """Yield the operations that a rule applies to. Raises ``Problem``."""
    api, operation_id = spec.get("api"), spec.get("operation")
    if api is not None and api not in services:
        raise Problem(404, f"unknown API {api!r}; known: {', '.join(services)}")
    candidates = [
        ((name, operation.id), operation)
        for name in ([api] if api else services)
        for operation in services[name].contract.operations.values()
    ]
    targets = [each for each in candidates if operation_id in {None, each[0][1]}]
    if not targets:
        known = ", ".join(sorted(key[1] for key, _ in candidates))
        raise Problem(409, f"unknown operation {operation_id!r}; known: {known}")
    yield from targets


def _check_parameter_names(operations: Iterable[Operation], match: Mapping[str, Json]) -> None:
    """Raise ``Problem`` for a parameter that none of the operations has."""
    names = {p.name for operation in operations for p in operation.parameters}
    for name in match:
        if name not in names and not name.startswith("/"):
            known = ", ".join(sorted(names)) or "none"
            detail = f"unknown parameter {name!r} to match; known: {known}"
            raise Problem(409, f"{detail}. What begins with / points into the body")


def _matches_arguments(match: Mapping[str, Json], arguments: Arguments) -> bool:
    return all(
        _equals_or_contains(expected, _get_value(arguments, name))
        for name, expected in match.items()
    )


def _equals_or_contains(expected: Json, actual: Json) -> bool:
    """Compare two values; a list also matches a value that it contains."""
    return bool(actual == expected or (isinstance(actual, list) and expected in actual))


def _get_value(arguments: Arguments, name: str) -> Json:
    """Return a parameter by name, or a value of the body by JSON pointer."""
    if not name.startswith("/"):
        return arguments.parameters.get(name)
    value = arguments.body
    for token in split_pointer(name):
        if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        elif isinstance(value, dict):
            value = value.get(token)
        else:
            return None
    return value
