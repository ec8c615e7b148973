"""Rules: which requests a fault strikes, and how often."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from soundstage.apis.registry import Service
from soundstage.openapi.operation import Arguments, Operation
from soundstage.server.faults import create_fault
from soundstage.server.faults.fault import AppliedFault, Fault
from soundstage.server.problems import Problem
from soundstage.types import Document, Json
from soundstage.world.random import Seeded


@dataclass(slots=True, eq=False)
class FaultRule:
    """A fault, and the requests that it strikes.

    ``wanted`` is the rule as somebody asked for it. ``targets`` are APIs and operation
    ids. ``seen`` counts the requests that matched, ``hits`` those that were struck.
    """

    id: str
    fault: Fault
    spec: Document
    targets: frozenset[tuple[str, str]]
    matched: int = 0
    hits: int = 0

    def apply(self, arguments: Arguments, seed: int) -> AppliedFault | None:
        """What befalls a request for one of the targets."""
        if not _matches_arguments(self.spec.get("match", {}), arguments):
            return None
        chance = Seeded(seed, "fault", self.id, self.matched)
        self.matched += 1
        times, probability = self.spec.get("times"), self.spec.get("probability")
        if times is not None and self.hits >= times:
            return None
        if probability is not None and chance.real(0, 1) >= probability:
            return None
        self.hits += 1
        return AppliedFault(self.id, self.fault, chance)

    def as_json(self) -> Document:
        """The rule as the control API shows it."""
        told = {"id": self.id, "options": {}, "match": {}, **self.spec}
        return {**told, "seen": self.matched, "hits": self.hits}


@dataclass(slots=True, eq=False)
class FaultRules:
    """The rules of one world; the first one that strikes wins."""

    _rules: dict[str, FaultRule] = field(default_factory=dict)
    _created: int = 0

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[FaultRule]:
        return iter(self._rules.values())

    def add(self, services: Mapping[str, Service], spec: Document) -> FaultRule:
        """A new rule, after the others. Raises ``Problem``."""
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
        """Take a rule away. Raises ``Problem``."""
        if rule_id not in self._rules:
            there = ", ".join(self._rules) or "none"
            detail = f"there is no fault {rule_id!r} here; there are: {there}"
            raise Problem(404, detail)
        del self._rules[rule_id]

    def clear(self) -> None:
        """Take all away; the next one is the first again."""
        self._rules.clear()
        self._created = 0

    def choose(
        self, api: str, operation: str, arguments: Arguments, seed: int
    ) -> AppliedFault | None:
        """The fault that strikes a valid request, if one does."""
        for rule in self:
            if (api, operation) in rule.targets and (
                struck := rule.apply(arguments, seed)
            ):
                return struck
        return None


def _check_limits(spec: Document) -> None:
    """Raise ``Problem`` for a count or a share that cannot be."""
    if "times" in spec and "probability" in spec:
        raise Problem(409, 'say "times" or "probability", not both')
    if spec.get("times", 1) < 1:
        raise Problem(409, f"times are 1 or more, not {spec['times']}")
    if not 0 <= spec.get("probability", 0) <= 1:
        detail = f"a probability is from 0 to 1, not {spec['probability']}"
        raise Problem(409, detail)


OperationTarget = tuple[tuple[str, str], Operation]


def _find_targets(
    services: Mapping[str, Service], spec: Document
) -> Iterator[OperationTarget]:
    """The operations that a rule is about. Raises ``Problem``."""
    api, operation_id = spec.get("api"), spec.get("operation")
    if api is not None and api not in services:
        there = ", ".join(services)
        raise Problem(404, f"there is no API {api!r}; there are: {there}")
    within = [api] if api else list(services)
    found = [
        ((name, operation.id), operation)
        for name in within
        for operation in services[name].contract.operations.values()
    ]
    chosen = [target for target in found if operation_id in {None, target[0][1]}]
    if not chosen:
        there = ", ".join(sorted(key[1] for key, _ in found))
        detail = f"there is no operation {operation_id!r}; there are: {there}"
        raise Problem(409, detail)
    yield from chosen


def _check_parameter_names(
    operations: Iterable[Operation], match: Mapping[str, Json]
) -> None:
    """Raise ``Problem`` for a parameter that none of the operations has."""
    known = {p.name for operation in operations for p in operation.parameters}
    for name in match:
        if name not in known and not name.startswith("/"):
            there = ", ".join(sorted(known)) or "none"
            detail = f"there is no parameter {name!r} to match; there are: {there}"
            raise Problem(409, f"{detail}. What begins with / points into the body")


def _matches_arguments(match: Mapping[str, Json], arguments: Arguments) -> bool:
    return all(
        _equals_or_contains(wanted, _get_value(arguments, n))
        for n, wanted in match.items()
    )


def _equals_or_contains(expected: Json, actual: Json) -> bool:
    """Whether they are equal; a list may also hold what is wanted."""
    return bool(actual == expected or (isinstance(actual, list) and expected in actual))


def _get_value(arguments: Arguments, name: str) -> Json:
    """The parameter of this name, or what this JSON pointer leads to in the body."""
    if not name.startswith("/"):
        return arguments.parameters.get(name)
    value = arguments.body
    for step in name[1:].split("/"):
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step.replace("~1", "/").replace("~0", "~"))
        else:
            return None
    return value
